"""The activation morph: what it lets through, what travels with the page. Its JavaScript: tests/browser."""

import json
import math
import re

import pytest
import traitlets

from labs.widgets import ActivationMorph


def content_of(html):
    return json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])


@pytest.mark.parametrize("beta", [-0.1, 50.1, math.inf, math.nan])
def test_a_beta_out_of_range_is_refused(beta):
    morph = ActivationMorph(beta=2.0)

    with pytest.raises(traitlets.TraitError, match="wanted a number from 0 to 50"):
        morph.beta = beta

    assert morph.beta == 2.0


@pytest.mark.parametrize("beta", [0, 1, 1.702, 50])
def test_both_ends_and_the_marks_are_in_range(beta):
    assert ActivationMorph(beta=beta).beta == beta


def test_the_html_carries_state_module_and_style_and_is_the_same_in_two_runs():
    html = ActivationMorph().static_html()

    content = content_of(html)

    assert ActivationMorph().static_html() == html
    assert " id=" not in html
    assert content["address"] == ["morph", "beta"]
    assert content["state"] == {"beta": 1.0}
    assert content["module"].count("export default") == 1
    assert not re.search(r"^import\b", content["module"], re.M)
    assert not re.search(r"https?://", content["module"] + content["css"])


def test_the_scripts_of_its_page_fit_their_budget(root):
    mount = (root / "assets" / "mount-widgets.js").stat().st_size

    assert len(content_of(ActivationMorph().static_html())["module"].encode()) + mount <= 60_000
