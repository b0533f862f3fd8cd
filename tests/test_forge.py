"""The forge: what it accepts, and what travels with the page. Its JavaScript: tests/browser."""

import json
import re

import pytest
import traitlets

from labs.widgets import Forge
from labs.widgets.forge import NOTHING, PRESETS, REFERENCES


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("formula", "x" * 201, "formula has 201 characters; wanted at most 200"),
        ("a", 1.5, "a is 1.5; wanted a number from 0 to 1"),
        ("a", -0.1, "a is -0.1; wanted a number from 0 to 1"),
        ("other", "Mish", "other"),
    ],
)
def test_what_is_not_there_cannot_be_chosen(name, wrong, message):
    forge = Forge()
    before = getattr(forge, name)

    with pytest.raises(traitlets.TraitError, match=message):
        setattr(forge, name, wrong)

    assert getattr(forge, name) == before


def test_every_reference_and_nothing_can_be_compared_with():
    assert [Forge(other=other).other for other in (NOTHING, *REFERENCES)] == [NOTHING, *REFERENCES]


def test_the_html_carries_all_and_is_the_same_in_two_runs():
    html = Forge(formula="max(x, 0) < 1").static_html()
    content = json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])

    assert Forge(formula="max(x, 0) < 1").static_html() == html
    assert content["state"]["formula"] == "max(x, 0) < 1"
    assert content["state"]["presets"] == PRESETS
    assert content["address"] == ["forge", "formula", "a", "other"]
    assert " id=" not in html
    assert not re.search(r"^import\b", content["module"], re.M)
    assert not re.search(r"\beval\(|new Function", content["module"])  # what is typed is never executed
    assert not re.search(r"https?://", content["module"] + content["css"])
