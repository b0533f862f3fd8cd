"""The double-descent explorer in a browser: its fits against numpy, and sliders, picture, address, screens."""

import re

import numpy as np
import pytest

from labs.widgets import DoubleDescentExplorer
from labs.widgets.double_descent import WIDTHS
from tests.browser.looks import places_of, sizes_of
from tests.browser.widget_pages import THEMES, contrast, repaint_milliseconds

CHAPTER = "book/14-double-descent.html"
GRID = np.linspace(-1, 1, 401)
LIVE = "document.querySelector('.dd [aria-live]').textContent"
ALL_DRAWN = "document.querySelectorAll('.dd-lines .dd-other').length === 7"
both_schemes = pytest.mark.parametrize("scheme", ["http", "file"])


@pytest.fixture(scope="module")
def widget():
    return DoubleDescentExplorer()


def slider(tab, name):
    return tab.locator(f"input[type=range][name={name}]")


def said(tab, name):
    return tab.inner_text(f".dd [data-of={name}]")


def numbers(tab):
    """Training error and excess risk as they are written."""
    words = re.search(
        r"Training error (.+?), excess risk (\S+?)\.( The fit|$)", tab.inner_text(".dd-readout")
    )
    return words[1], float(words[2].split("×")[0])


def drag_to_the_right(tab):
    """With a finger, from the middle of the error picture to its edge."""
    tab.locator(".dd-choose").scroll_into_view_if_needed()
    box, client = tab.locator(".dd-choose").bounding_box(), tab.context.new_cdp_session(tab)
    y, start, end = box["y"] + box["height"] / 2, box["x"] + box["width"] / 2, box["x"] + box["width"] - 3

    def touch(kind, *points):
        client.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x in points]}
        )

    touch("touchStart", start)
    for step in range(1, 6):
        touch("touchMove", start + step * (end - start) / 5)
    touch("touchEnd")


# --- The numbers --------------------------------------------------------------------------------------

JUDGE = """({ unpack, sampled, factor, judge }, [data, cases]) => cases.map(([p, n, noise, ridge, seed]) => {
    const units = unpack(data.units[seed]), [xs, ys] = sampled(data.noise, n, noise);
    return { ...judge(units, factor(units, p, xs), xs, ys, ridge), xs, ys };
})"""


def by_numpy(case):
    explorer = DoubleDescentExplorer(**dict(zip(DoubleDescentExplorer.address_traits, case, strict=True)))
    x, y = explorer.sample()
    theta = explorer.coefficients()
    curve = explorer.features(GRID) @ theta
    train = ((explorer.features(x) @ theta - y) ** 2).mean()
    return theta, curve, train, ((curve - np.sin(np.pi * GRID)) ** 2).mean(), explorer.features(x)


def test_fits_and_errors_are_those_of_numpy_at_many_points(javascript):
    cases = [
        [p, n, 0.3, ridge, (i + n) % 8]
        for n in (6, 24)
        for i, p in enumerate((*WIDTHS[:24:3], 40, 100, 1000))
        for ridge in (0.0, 1e-6, 0.0032, 1.0)
    ]

    found = javascript(JUDGE, [DoubleDescentExplorer().data, cases])

    assert len(cases) * len(GRID) >= 30_000
    for case, one in zip(cases, found, strict=True):
        theta, curve, train, risk, _ = by_numpy(case)
        # a fit that shoots up to a thousand between the points: a millionth of its height
        height = max(1, abs(curve).max())
        assert np.allclose(one["curve"], curve, rtol=0, atol=1e-6 * height), case
        assert np.allclose(one["theta"], theta, rtol=0, atol=1e-6 * max(1, abs(theta).max())), case
        assert one["train"] == pytest.approx(train, rel=1e-6, abs=1e-9)
        assert one["risk"] == pytest.approx(risk, rel=2e-6)


def test_rank_singular_value_and_norm_are_those_of_numpy(javascript):
    cases = [[p, n, 0.2, 0.0, seed] for n in (7, 16) for seed in (0, 5) for p in (*WIDTHS[3::4], 1000)]

    found = javascript(JUDGE, [DoubleDescentExplorer().data, cases])

    for case, one in zip(cases, found, strict=True):
        theta, *_, a = by_numpy(case)
        s = np.linalg.svd(a, compute_uv=False)
        s = s[s > 1e-10 * s[0]]
        assert one["rank"] == len(s)
        assert one["smallest"] == pytest.approx(s.min(), rel=1e-6)
        assert one["norm"] == pytest.approx(np.linalg.norm(theta), rel=1e-6)


def test_units_that_see_no_point_give_a_fit_of_zero(javascript):
    code = """({ factor, judge }) => {
        const units = [[1, -0.99]], found = judge(units, factor(units, 1, [-0.5, 0.5]), [-0.5, 0.5], [1, 1], 0);
        return [found.rank, found.theta[0], found.train];
    }"""

    assert javascript(code) == [0, 0, 1]


# --- The page -----------------------------------------------------------------------------------------


@both_schemes
def test_it_mounts_alone_and_in_silence_and_draws_the_other_seeds(open_widget, scheme):
    tab = open_widget(scheme=scheme)
    tab.wait_for_function(ALL_DRAWN)

    assert [said(tab, name) for name in ("width", "points", "noise", "ridge")] == [
        "12",
        "12",
        "0.2",
        "0 (none)",
    ]
    assert tab.inner_text(".dd-seed") == "draw 1 of 8"
    assert "median of the 8 draws" in tab.inner_text(".dd tbody")
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.locator(".dd [id]").count() == 0
    assert tab.record.trouble == []


def test_the_keyboard_goes_down_the_second_descent(open_widget):
    tab = open_widget()
    slider(tab, "width").focus()
    at_threshold = numbers(tab)[1]

    tab.keyboard.press("End")

    assert said(tab, "width") == "1000"
    assert slider(tab, "width").get_attribute("aria-valuetext") == "1000"
    assert numbers(tab) == ("0", pytest.approx(by_numpy([1000, 12, 0.2, 0.0, 0])[3], rel=0.01))
    assert at_threshold > 100 * numbers(tab)[1]
    tab.wait_for_function(
        f"{LIVE}.startsWith('1000 features for 12 points, λ = 0, draw 1: training error 0,')"
    )
    assert "1000 features" in tab.get_attribute(".dd .curves-picture > svg", "aria-label")


def test_a_ridge_takes_the_spikes_away_and_costs_training_error(open_widget):
    tab = open_widget()
    assert "leaves the picture" in tab.inner_text(".dd-readout")
    slider(tab, "ridge").focus()

    for _ in range(5):
        tab.keyboard.press("ArrowRight")

    train, risk = numbers(tab)
    assert slider(tab, "ridge").get_attribute("aria-valuetext") == "1.0×10⁻⁴"
    assert "leaves the picture" not in tab.inner_text(".dd-readout")
    assert float(train) > 0.01
    assert risk < 0.1


def test_buttons_draw_new_features_and_go_to_the_threshold(open_widget):
    tab = open_widget("one-light.html#descent=200,15,0.2,0,7")

    tab.get_by_role("button", name="New features").click()
    tab.get_by_role("button", name="As many as points").focus()
    tab.keyboard.press("Enter")
    slider(tab, "points").focus()
    tab.keyboard.press("ArrowRight")
    slider(tab, "noise").focus()
    tab.keyboard.press("Home")

    assert tab.inner_text(".dd-seed") == "draw 1 of 8"
    assert [said(tab, name) for name in ("width", "points", "noise")] == ["15", "16", "0"]
    tab.wait_for_function("location.hash === '#descent=15,16,0,0,0'")


def test_the_mouse_chooses_the_width_in_the_error_picture(open_widget):
    tab = open_widget()
    box = tab.locator(".dd-choose").bounding_box()
    middle = box["y"] + box["height"] / 2

    tab.mouse.move(box["x"] + box["width"] - 3, middle)
    tab.mouse.down()
    pressed = said(tab, "width")
    tab.mouse.move(box["x"] + 3, middle, steps=4)
    dragged = said(tab, "width")
    tab.mouse.up()
    tab.mouse.move(box["x"] + box["width"] / 2, middle)

    assert (pressed, dragged, said(tab, "width")) == ("1000", "1", "1")
    assert tab.record.errors == []


@pytest.mark.parametrize("nonsense", ["99999,-3,77,5,99", "x,y,,z", "13.4,11.6,0.15,0.5,1.5"])
def test_a_nonsense_address_shows_what_there_is(open_widget, nonsense):
    tab = open_widget(f"one-light.html#descent={nonsense}")

    assert int(said(tab, "width")) in WIDTHS
    assert 6 <= int(said(tab, "points")) <= 24
    assert not re.search("NaN|undefined", tab.inner_html(".dd"))
    assert tab.record.errors == []


def test_the_address_reproduces_what_is_seen_and_two_on_a_page_keep_apart(open_widget):
    both = "document.querySelectorAll('[data-mounted=yes]').length === 2"
    tab = open_widget("two-light.html#descent=8,12,0.2,0,0&descent2=14,10,0.5,0.0001,3", scheme="http")
    tab.wait_for_function(both)

    tab.get_by_role("button", name="New features").nth(1).click()
    tab.wait_for_function("location.hash === '#descent=8,12,0.2,0,0&descent2=14,10,0.5,0.0001,4'")
    seen = tab.locator(".dd-readout").all_inner_texts()
    tab.reload()
    tab.wait_for_function(both)

    assert tab.locator(".dd-readout").all_inner_texts() == seen
    assert tab.locator(".dd-seed").all_inner_texts() == ["draw 1 of 8", "draw 5 of 8"]


@pytest.mark.parametrize("width", [320, 900])
def test_it_fits_every_screen_and_every_finger(open_widget, width):
    options = {"has_touch": True, "is_mobile": True} if width < 400 else {}
    tab = open_widget("one-light.html#descent=14,24,0.6,0.0000032,2", width=width, height=740, **options)
    if options:  # a finger chooses in the error picture, which lies below
        drag_to_the_right(tab)
        tab.wait_for_function("document.querySelector('.dd [data-of=width]').textContent === '1000'")

    tab.wait_for_function(ALL_DRAWN)  # each of the others paints the picture anew

    sizes = sizes_of(tab, ".dd :is(button, input)")
    letters = places_of(tab, ".dd .curves-picture text")

    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24
    assert min(left for left, _, _ in letters) >= 0
    assert max(right for _, right, _ in letters) <= width
    assert min(height for _, _, height in letters) >= 11


def test_lines_stand_out_in_both_themes_and_differ_without_colour(open_widget):
    for theme, (back, _) in THEMES.items():
        tab = open_widget(f"one-{theme}.html", theme=theme)

        looks = tab.eval_on_selector_all(
            ".dd-legend path",
            "all => all.map(e => getComputedStyle(e)).map(s => [s.stroke, s.strokeDasharray])",
        )
        quiet = tab.eval_on_selector(".dd-note", "e => getComputedStyle(e).color")

        assert len({dash for _, dash in looks[:3]}) == 3
        assert all(contrast(stroke, back) >= 3 for stroke, _ in looks)
        assert contrast(quiet, back) >= 4.5


def test_it_repaints_within_a_tenth_of_a_second(open_widget):
    tab = open_widget("one-light.html#descent=12,6,0.2,0,0")
    slowest = repaint_milliseconds(tab, "points")  # up to 19 points: new singular values at all widths
    tab.wait_for_function(ALL_DRAWN)

    assert slowest <= 100
    assert repaint_milliseconds(tab, "ridge") <= 100


def test_in_a_live_notebook_both_sides_hear_each_other_until_the_widget_goes(live):
    story = live(
        sets={"width": 300},
        shows="[data-of=width]",
        does=[["click", "[name=draw]"]],
        keeps=["width", "seed"],
    )

    assert story["shown"] == "300"
    assert story["saved"] == [[300, 1]]
    assert story["listened"] > 0
    assert story["left"] == 0
    assert story["still"]


def test_the_explorer_of_the_chapter_lives(open_chapter):
    tab = open_chapter(CHAPTER, "// Double descent:", ".dd")

    slider(tab, "width").focus()
    tab.keyboard.press("End")

    assert numbers(tab)[0] == "0"
    assert tab.record.trouble == []
