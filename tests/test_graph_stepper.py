"""The graph stepper: what it lets through, what travels with the page. Its JavaScript: tests/browser."""

import json
import math
import re

import pytest
import traitlets

from labs.widgets import GraphStepper


def content_of(html):
    return json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])


@pytest.mark.parametrize(
    ("name", "value", "limits"),
    [
        ("x", 8.5, "-8 to 8"),
        ("y", -math.inf, "-8 to 8"),
        ("z", math.nan, "-8 to 8"),
        ("w", -8.1, "-8 to 8"),
        ("step", -1, "0 to 9"),
        ("step", 10, "0 to 9"),
    ],
)
def test_a_setting_out_of_range_is_refused(name, value, limits):
    stepper = GraphStepper()
    before = getattr(stepper, name)

    with pytest.raises(traitlets.TraitError, match=f"{name} is .* wanted a number from {limits}"):
        setattr(stepper, name, value)

    assert getattr(stepper, name) == before


def test_the_ends_are_in_range():
    low, high = GraphStepper(-8, -8, -8, -8), GraphStepper(8, 8, 8, 8, step=9)

    assert (low.x, low.step, high.w, high.step) == (-8, 0, 8, 9)


def test_the_html_carries_state_module_and_style_and_is_the_same_in_two_runs():
    html = GraphStepper(step=2).static_html()

    content = content_of(html)

    assert GraphStepper(step=2).static_html() == html
    assert " id=" not in html
    assert content["address"] == ["graph", "x", "y", "z", "w", "step"]
    assert content["state"] == {"x": 4, "y": -2, "z": 5, "w": -1, "step": 2}
    assert content["module"].count("export default") == 1
    assert not re.search(r"^import\b", content["module"], re.M)
    assert not re.search(r"https?://", content["module"] + content["css"])


def test_the_scripts_of_its_page_fit_their_budget(root):
    mount = (root / "assets" / "mount-widgets.js").stat().st_size

    assert len(content_of(GraphStepper().static_html())["module"].encode()) + mount <= 60_000
