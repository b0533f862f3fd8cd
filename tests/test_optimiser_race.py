"""The optimiser race: what it lets through, what travels with the page. Its JavaScript: tests/browser."""

import json
import math
import re

import pytest
import traitlets

from labs.widgets import OptimiserRace
from labs.widgets.optimiser_race import SURFACES


def content_of(html):
    return json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])


@pytest.mark.parametrize("surface", SURFACES)
def test_a_map_comes_with_its_start_and_rates_unless_others_are_given(surface):
    start = SURFACES[surface]["start"]

    plain, own = OptimiserRace(surface), OptimiserRace(surface, x=0.1, adaptive=0.5)

    assert {name: getattr(plain, name) for name in start} == start
    assert (own.x, own.y, own.rate, own.adaptive) == (0.1, start["y"], start["rate"], 0.5)


@pytest.mark.parametrize("surface", SURFACES)
def test_a_start_and_the_minima_lie_on_the_map(surface):
    (x0, x1), (y0, y1) = SURFACES[surface]["box"]
    start = SURFACES[surface]["start"]

    for x, y in [*SURFACES[surface]["minima"], (start["x"], start["y"])]:
        assert x0 < x < x1
        assert y0 < y < y1


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("rate", 0.0, "0.0001 to 3"),
        ("adaptive", 3.5, "0.0001 to 3"),
        ("momentum", 1.0, "0 to 0.99"),
        ("beta", math.nan, "0 to 0.999"),
        ("step", 301, "0 to 300"),
    ],
)
def test_a_setting_out_of_range_is_refused(name, value, wanted):
    race = OptimiserRace()
    before = getattr(race, name)

    with pytest.raises(traitlets.TraitError, match=f"{name} is .*; wanted a number from {wanted}"):
        setattr(race, name, value)

    assert getattr(race, name) == before


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"x": math.inf}, "finite"), ({"shown": "Adam~Lion"}, "'Lion'"), ({"surface": "hill"}, "surface")],
)
def test_nonsense_is_named(wrong, message):
    with pytest.raises(traitlets.TraitError, match=message):
        OptimiserRace(**wrong)


def test_the_html_carries_state_module_and_style_and_is_the_same_in_two_runs():
    html = OptimiserRace("bend", step=20).static_html()

    content = content_of(html)

    assert OptimiserRace("bend", step=20).static_html() == html
    assert " id=" not in html
    assert content["address"] == ["race", *OptimiserRace.address_traits]
    assert content["state"]["step"] == 20
    assert content["module"].count("export default") == 1
    assert not re.search(r"^import\b", content["module"], re.M)
    assert not re.search(r"https?://", content["module"] + content["css"])


def test_the_scripts_of_its_page_fit_their_budget(root):
    mount = (root / "assets" / "mount-widgets.js").stat().st_size

    assert len(content_of(OptimiserRace().static_html())["module"].encode()) + mount <= 60_000
