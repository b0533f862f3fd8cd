"""The activation morph in a browser: its numbers against torch, and slider, buttons, motion, themes, screens."""

import math
import re

import pytest
import torch
from torch.nn import functional as F

from labs.activations import Swish, derivative
from labs.widgets import ActivationMorph
from tests.browser.looks import sizes_of, text_without
from tests.browser.widget_pages import THEMES, contrast, frames, repaint_milliseconds

CHAPTER = "book/08-smooth-gated.html"
both_schemes = pytest.mark.parametrize("scheme", ["http", "file"])
BETAS = [0.05, 0.5, 1.0, 1.702, 1.773, 4.0, 50.0]
REFERENCES = {"ReLU": F.relu, "SiLU": F.silu, "GELU": F.gelu}
# Dense near zero, where a large beta bends, and far enough for a small one.
DENSE = torch.cat([torch.linspace(0, 12, 200_001), torch.linspace(12, 400, 100_001)]).double()


@pytest.fixture(scope="module")
def widget():
    return ActivationMorph()


def button(tab, name):
    return tab.get_by_role("button", name=name)


def beta_of(tab):
    return float(tab.locator("input[name=beta]").input_value())


def rows(tab):
    return dict(row.split("\t", 1) for row in tab.locator(".morph tbody tr").all_inner_texts())


# --- The numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [0.0, *BETAS])
def test_curve_and_slope_are_those_of_torch(javascript, beta):
    x = torch.cat([torch.linspace(-9, 9, 1001), torch.tensor([-1e4, -100.0, 100.0, 1e4])]).double()
    module = Swish(beta=beta).double()
    with torch.no_grad():
        module.beta.fill_(beta)
    code = """({ FUNCTIONS: { Swish } }, [beta, points]) =>
        [points.map((x) => Swish.f(x, { beta })), points.map((x) => Swish.slope(x, { beta }))]"""

    values, slopes = torch.tensor(javascript(code, [beta, x.tolist()]), dtype=torch.float64)

    assert torch.allclose(values, module(x).detach(), rtol=1e-9, atol=1e-12)
    assert torch.allclose(slopes, derivative(module, x), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("beta", BETAS)
def test_the_largest_distance_is_found(javascript, name, beta):
    gap = (DENSE * torch.sigmoid(beta * DENSE) - REFERENCES[name](DENSE)).abs()

    found = javascript("({ distance }, [name, beta]) => distance(name, beta)", [name, beta])

    assert found["far"] == pytest.approx(gap.max().item(), rel=1e-4, abs=1e-9)
    if gap.max() > 1e-9:
        assert found["at"] == pytest.approx(DENSE[gap.argmax()].item(), abs=0.01)
    # The other side is as far away: x σ(βx) − x/2 is even, for the references too.
    other = (-DENSE * torch.sigmoid(-beta * DENSE) - REFERENCES[name](-DENSE)).abs()
    assert torch.allclose(other, gap, atol=1e-9)


def test_the_marks_near_gelu_are_the_nearest_ones():
    x = DENSE[:200_001:10]
    gate, product = (weight * torch.special.ndtr(x) for weight in (1, x))

    def far(beta, weight, reference):
        return (weight * torch.sigmoid(beta * x) - reference).abs().max().item()

    for mark, weight, reference in ((1.702, 1, gate), (1.773, x, product)):
        best = min(range(1650, 1850), key=lambda n: far(n / 1000, weight, reference)) / 1000
        assert best == mark


def test_the_line_has_no_bound_and_no_lowest_point(javascript):
    found = javascript("({ distance, lowest }) => [distance('GELU', 0).far, lowest(0)]")

    assert found == [math.inf, None]


@pytest.mark.parametrize("beta", BETAS)
def test_the_lowest_point_is_where_torch_finds_it(javascript, beta):
    t = torch.linspace(-3, 0, 300_001, dtype=torch.float64)
    y = t / beta * torch.sigmoid(t)

    found = javascript("({ lowest }, beta) => lowest(beta)", beta)

    assert found["at"] == pytest.approx(t[y.argmin()].item() / beta, rel=1e-4)
    assert found["depth"] == pytest.approx(y.min().item(), rel=1e-9)


# --- The page -----------------------------------------------------------------------------------------


@both_schemes
def test_it_mounts_alone_and_in_silence(open_widget, scheme):
    tab = open_widget(scheme=scheme)

    assert beta_of(tab) == 1
    assert rows(tab)["SiLU"].startswith("0\t")
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.record.trouble == []


@pytest.mark.parametrize(
    ("name", "beta", "distances", "lowest"),
    [
        ("x/2", 0, {name: "no bound" for name in REFERENCES}, "it has no lowest point"),
        ("SiLU", 1, {"ReLU": "0.278", "SiLU": "0", "GELU": "0.193"}, "f(−1.28) = −0.278"),
        ("gate nearest", 1.702, {"GELU": "0.0203"}, "f(−0.751) = −0.164"),
        ("nearest to GELU", 1.773, {"GELU": "0.0139"}, "f(−0.721) = −0.157"),
        ("almost ReLU", 50, {"ReLU": "0.00557"}, "f(−0.0256) = −0.00557"),
    ],
)
def test_each_mark_jumps_and_says_what_is_there(open_widget, name, beta, distances, lowest):
    tab = open_widget("one-light.html#morph=3")

    button(tab, name).click()

    assert beta_of(tab) == beta
    assert {key: value.split("\t")[0] for key, value in rows(tab).items() if key in distances} == distances
    assert lowest in tab.inner_text(".morph-lowest")
    assert button(tab, name).get_attribute("aria-pressed") == "true"
    assert tab.locator("[aria-pressed=true]").count() == 1


def test_beta_follows_the_keyboard_from_end_to_end(open_widget):
    tab = open_widget()
    slider = tab.get_by_role("slider", name="β in x")
    slider.focus()

    found = []
    for key in ("Home", "ArrowRight", "End", "ArrowLeft"):
        tab.keyboard.press(key)
        found.append(beta_of(tab))

    assert found[0] == 0
    assert 0 < found[1] < 0.001
    assert found[2] == 50
    assert 49 < found[3] < 50
    assert slider.get_attribute("aria-valuetext") == "β = 49.7"


def test_beta_can_be_typed_and_nonsense_is_put_right(open_widget):
    tab = open_widget()
    field = tab.locator("input[name=beta]")

    field.fill("2.5")
    field.press("Enter")
    typed = rows(tab)["ReLU"]
    field.fill("99")
    field.press("Enter")

    assert typed.startswith("0.111\t")
    assert beta_of(tab) == 2.5


@pytest.mark.parametrize("nonsense", ["morph=99", "morph=-3", "morph=x", "morph=", "morph"])
def test_a_nonsense_address_shows_what_there_is(open_widget, nonsense):
    tab = open_widget(f"one-light.html#{nonsense}")

    assert beta_of(tab) in (0, 1, 50)
    assert not re.search("NaN|undefined", tab.inner_html(".morph"))
    assert tab.record.errors == []


def seen(tab):
    """The text of the widget without what is only said aloud after a change."""
    return text_without(tab, ".morph")


@both_schemes
def test_the_address_reproduces_what_is_seen(open_widget, open_again, scheme):
    tab = open_widget(scheme=scheme)
    button(tab, "nearest to GELU").click()
    tab.wait_for_function("location.hash === '#morph=1.773'")

    again = open_again(tab)

    assert seen(again) == seen(tab)


def test_two_morphs_on_a_page_keep_apart(open_widget):
    tab = open_widget("two-light.html#morph=2&morph2=3")
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")

    button(tab, "SiLU").nth(1).click()
    tab.wait_for_function("location.hash === '#morph=2&morph2=1'")

    assert [float(field.input_value()) for field in tab.locator("input[name=beta]").all()] == [2, 1]


def test_play_moves_pause_stops_and_the_end_is_reached(open_widget):
    tab = open_widget("one-light.html#morph=1")
    play = tab.locator(".morph-play")

    play.click()
    tab.wait_for_function("Number(document.querySelector('input[name=beta]').value) > 1.1")
    assert play.inner_text() == "pause"
    play.click()
    stopped = beta_of(tab)
    frames(tab)

    assert beta_of(tab) == stopped
    assert play.inner_text() == "play"


def test_who_wants_no_motion_goes_from_mark_to_mark(open_widget):
    tab = open_widget("one-light.html#morph=0", reduced_motion="reduce")
    play = tab.locator(".morph-play")

    found = []
    for _ in range(5):
        play.click()
        found.append(beta_of(tab))
    frames(tab)

    assert play.inner_text() == "next mark"
    assert found == [1, 1.702, 1.773, 50, 0]
    assert beta_of(tab) == 0


@pytest.mark.parametrize(("width", "height"), [(320, 640), (360, 740), (768, 900), (1500, 900)])
def test_it_fits_every_screen_and_every_finger(open_widget, width, height):
    tab = open_widget(width=width, height=height)

    sizes = sizes_of(tab, ".morph :is(button, select, input)")

    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24


@pytest.mark.parametrize("theme", THEMES)
def test_the_lines_stand_out_and_differ_without_colour(open_widget, theme):
    tab = open_widget(f"one-{theme}.html", theme=theme)
    back, _ = THEMES[theme]

    lines = tab.eval_on_selector_all(
        ".swatch .curve",
        "all => all.map(e => getComputedStyle(e)).map(s => [s.strokeDasharray, s.strokeWidth])",
    )
    colour = tab.eval_on_selector(".swatch .one", "e => getComputedStyle(e).stroke")

    assert len({tuple(line) for line in lines}) == 4
    assert contrast(colour, back) >= 3


def test_a_screen_reader_hears_the_numbers_once_the_hand_rests(open_widget):
    tab = open_widget()

    button(tab, "almost ReLU").click()
    tab.wait_for_function("document.querySelector('.morph [aria-live]').textContent.startsWith('β = 50')")

    said = tab.locator(".morph [aria-live]").text_content()
    assert "to ReLU 0.00557" in said
    assert tab.locator(".curves-picture > svg").get_attribute("aria-label").endswith(said)


def test_it_repaints_within_a_tenth_of_a_second(open_widget):
    tab = open_widget()

    assert repaint_milliseconds(tab, "place") <= 100


def test_in_a_live_notebook_both_sides_hear_each_other_until_the_widget_goes(live):
    story = live(
        sets={"beta": 4},
        shows="input[name=beta]",
        does=[["click", "[data-beta='1.773']"], ["click", ".morph-play"]],
        keeps=["beta"],
    )

    assert story["shown"] == "4"
    assert story["saved"][0] == [1.773]
    assert story["listened"] > 0
    assert story["left"] == 0
    assert story["still"]


@both_schemes
def test_the_morph_of_the_chapter_lives(open_chapter, scheme):
    tab = open_chapter(CHAPTER, "// The activation morph:", ".morph", scheme)

    button(tab, "nearest to GELU").click()

    assert rows(tab)["GELU"].startswith("0.0139\t")
    assert tab.record.trouble == []
