"""The scores and losses: what the widget lets through, what travels with the page. Its JavaScript: tests/browser."""

import json
import math
import re

import pytest
import traitlets

from labs.widgets import ScoreLosses


def content_of(html):
    return json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("cat", 1000.1, "from -1000 to 1000"),
        ("dog", -1e9, "from -1000 to 1000"),
        ("bird", math.nan, "from -1000 to 1000"),
        ("temperature", 0.0, "from 0.05 to 20"),
        ("temperature", 21.0, "from 0.05 to 20"),
        ("label", "fish", "label"),
    ],
)
def test_what_is_out_of_range_is_refused(name, value, wanted):
    losses = ScoreLosses()
    before = getattr(losses, name)

    with pytest.raises(traitlets.TraitError, match=wanted):
        setattr(losses, name, value)

    assert getattr(losses, name) == before


def test_both_ends_are_in_range():
    losses = ScoreLosses(cat=1000, dog=-1000, bird=0, label="bird", temperature=0.05)

    losses.temperature = 20

    assert (losses.cat, losses.dog, losses.temperature) == (1000, -1000, 20)


def test_the_html_carries_state_module_and_style_and_is_the_same_in_two_runs():
    html = ScoreLosses().static_html()

    content = content_of(html)

    assert ScoreLosses().static_html() == html
    assert " id=" not in html
    assert content["address"] == ["scores", "cat", "dog", "bird", "label", "temperature"]
    assert content["state"] == {"cat": 3.0, "dog": 1.0, "bird": -2.5, "label": "dog", "temperature": 1.0}
    assert content["module"].count("export default") == 1
    assert not re.search(r"^import\b", content["module"], re.M)
    assert not re.search(r"https?://", content["module"] + content["css"])


def test_the_scripts_of_its_page_fit_their_budget(root):
    mount = (root / "assets" / "mount-widgets.js").stat().st_size

    assert len(content_of(ScoreLosses().static_html())["module"].encode()) + mount <= 60_000
