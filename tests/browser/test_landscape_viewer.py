"""The landscape viewer in a browser: its losses against scipy, and choosing, dragging, keyboard, themes, screens."""

import re

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from labs.results import load_result
from labs.widgets import LandscapeViewer
from tests.browser.looks import sizes_of, styles_of, unnamed
from tests.browser.widget_pages import THEMES, contrast, repaint_milliseconds

CHAPTER = "book/17-landscape.html"


@pytest.fixture(scope="module")
def widget():
    return LandscapeViewer.from_results(load_result("landscape_slices")["data"])


def numbers(tab):
    """The table: title -> its cells, as text."""
    return {
        row.locator("th").inner_text(): row.locator("td").all_inner_texts()
        for row in tab.locator(".lv tbody tr").all()
    }


# --- The numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ReLU", "ReLU rescaled", "Tanh"])
def test_losses_between_the_places_are_those_of_scipy(javascript, widget, name):
    axis, grid = widget.data["axis"], widget.data["slices"][name]["grid"]
    exact = np.linspace(axis[0], axis[-1], len(axis))
    rng = np.random.default_rng(0)
    places = np.concatenate([rng.uniform(-1, 1, (1000, 2)), [[-1, -1], [1, 1], [1, -1], [0, 0]]])

    found = javascript(
        "({ lossAt }, [slice, places]) => places.map(([x, y]) => lossAt(slice, x, y))",
        [{"axis": axis, "grid": grid}, places.tolist()],
    )

    assert np.allclose(found, RegularGridInterpolator((exact, exact), grid)(places), rtol=1e-9)


def test_a_point_of_the_map_lies_on_its_line(javascript):
    rng = np.random.default_rng(1)
    places = rng.uniform(-0.7, 0.7, (500, 2))
    special = [[-0.5, 0.0], [0.0, -0.5], [0.5, 0.0], [-0.5, -1e-4], [0.0, 0.0]]

    found = javascript(
        "({ lineThrough }, places) => places.map(([x, y]) => lineThrough(x, y))", [*places.tolist(), *special]
    )

    for (x, y), line in zip([*places, *special], found, strict=True):
        angle = np.radians(line["angle"])
        assert 0 <= line["angle"] <= 179
        back = line["place"] * np.array([np.cos(angle), np.sin(angle)])
        assert np.allclose(back, [x, y], atol=0.02)  # half a degree and half a hundredth


# --- The page -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_it_mounts_alone_and_in_silence_with_the_measured_numbers(open_widget, scheme, widget):
    tab = open_widget(scheme=scheme)
    first = widget.data["slices"]["ReLU"]

    found = numbers(tab)

    assert float(found["training loss [nats]"][0]) == pytest.approx(first["loss"], rel=0.01)
    assert float(found["largest eigenvalue"][0]) == pytest.approx(first["largest"], rel=0.01)
    assert found["test accuracy"] == [f"{100 * first['accuracy']:.1f} %"]
    assert tab.inner_text(".lv-readout") == "ReLU, filter-normalised: 0.194 nats at 0 on the line of 0°."
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.record.trouble == []


def test_two_slices_can_be_compared_and_the_rescaled_one_is_the_same_function_with_another_curvature(
    open_widget,
):
    tab = open_widget()

    tab.locator("select[name=slice]").select_option("ReLU plain")
    tab.locator("select[name=other]").select_option("ReLU rescaled")
    found = numbers(tab)

    assert len(set(found["training loss [nats]"])) == 1
    assert len(set(found["test accuracy"])) == 1
    assert float(found["largest eigenvalue"][1]) > 2 * float(found["largest eigenvalue"][0])
    assert tab.locator(".curves-picture .curve").count() == 2
    assert len(set(tab.locator(".curves-picture .curve").evaluate_all(
        "all => all.map(e => getComputedStyle(e).strokeDasharray)"))) == 2  # fmt: skip


def test_the_line_follows_the_keyboard_the_mouse_and_a_finger(open_widget):
    tab = open_widget(has_touch=True)
    tab.locator("input[name=place]").focus()
    for _ in range(5):
        tab.keyboard.press("ArrowRight")
    by_keys = tab.inner_text(".lv-readout")
    place = tab.locator(".lv-map svg").bounding_box()
    x, y, half = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2, place["width"] / 2

    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x + half / 4, y - half / 4, steps=4)
    tab.mouse.move(x, y - half / 2, steps=4)
    tab.mouse.up()
    by_mouse = tab.inner_text(".lv-readout")
    tab.touchscreen.tap(x - half / 2, y)

    assert by_keys.endswith("at 0.05 on the line of 0°.")
    assert by_mouse.endswith("at 0.5 on the line of 90°.")
    assert tab.inner_text(".lv-readout").endswith("at −0.5 on the line of 0°.")


def test_the_map_shows_the_bands_and_the_window_magnifies_it(open_widget, widget):
    tab = open_widget()
    code = """() => {
        const pen = document.querySelector(".lv-map canvas").getContext("2d");
        return [[120, 120], [3, 3], [120, 3]].map(([x, y]) => [...pen.getImageData(x, y, 1, 1).data]);
    }"""

    far = tab.evaluate(code)
    tab.locator("input[name=window]").fill("0.2")
    near = tab.evaluate(code)

    assert far[0] == near[0]  # the centre
    assert sum(far[1][:3]) > sum(near[1][:3])  # a corner: farther off, brighter
    assert far[0][:3] == [0, 34, 78]  # the lowest band, below 0.2 nats


@pytest.mark.parametrize("nonsense", ["landscape=x,y,z", "landscape=ReLU,ReLU%20lost,999,-7,0", "landscape="])
def test_a_nonsense_address_shows_what_there_is(open_widget, nonsense):
    tab = open_widget(f"one-light.html#{nonsense}")

    assert len(numbers(tab)) == 4
    assert not re.search("NaN|undefined", tab.inner_html(".lv"))
    assert tab.record.errors == []


def test_the_address_reproduces_what_is_chosen_and_two_viewers_keep_apart(open_widget, open_again):
    tab = open_widget("two-light.html")
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")
    tab.locator("select[name=slice]").nth(1).select_option("ReLU rescaled")
    tab.locator("input[name=angle]").nth(1).fill("30")
    tab.wait_for_function("location.hash === '#landscape2=ReLU%20rescaled,nothing,30,0,1'")

    again = open_again(tab)

    said = again.locator(".lv-readout").all_inner_texts()
    assert said == tab.locator(".lv-readout").all_inner_texts()
    assert said[0].startswith("ReLU, filter-normalised")
    assert said[1].startswith("ReLU, rescaled, plain directions")


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_it_fits_every_screen_and_every_finger(open_widget, width):
    tab = open_widget(
        "one-light.html#landscape=LeakyReLU%20plain,LeakyReLU%20rescaled,45,0.3,0.5", width=width
    )

    sizes = sizes_of(tab, ".lv :is(input, select)")

    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24


@pytest.mark.parametrize("theme", THEMES)
def test_curves_and_words_stand_out(open_widget, theme):
    tab = open_widget(f"one-{theme}.html#landscape=ReLU,Tanh,0,0,1", theme=theme)
    back, ink = THEMES[theme]

    lines = styles_of(tab, ".curves-picture .curve", "stroke")
    quiet = tab.eval_on_selector(".lv-note", "e => getComputedStyle(e).color")

    assert len(lines) == 2
    assert min(contrast(line, back) for line in lines) >= 3
    assert contrast(quiet, back) >= 4.5
    assert contrast(ink, back) >= 4.5


def test_a_screen_reader_hears_the_numbers_once_the_hand_rests_and_finds_every_name(open_widget):
    tab = open_widget()

    tab.locator("select[name=other]").select_option("Tanh")
    tab.wait_for_function("document.querySelector('.lv [aria-live]').textContent.includes('Tanh')")

    assert "Largest eigenvalue" in tab.locator(".lv [aria-live]").text_content()
    assert tab.locator(".lv-map svg").get_attribute("aria-label").startswith("Map of the loss, ReLU")
    nameless = unnamed(tab, ".lv :is(input, select)")
    assert nameless == 0


def test_it_repaints_within_a_tenth_of_a_second(open_widget):
    tab = open_widget("one-light.html#landscape=ReLU,Tanh,0,0,0.2")

    costs = {name: repaint_milliseconds(tab, name) for name in ("angle", "place", "window")}

    assert max(costs.values()) <= 100, costs


def test_in_a_live_notebook_python_is_heard_until_the_widget_goes(live):
    story = live(
        sets={"slice": "Tanh"},
        shows=".lv-readout",
        does=[["input", "[name=angle]", 40]],
        keeps=["angle"],
    )

    assert story["shown"].startswith("Tanh")
    assert story["saved"] == [[40]]
    assert story["listened"] > 0
    assert story["left"] == 0
    assert story["still"]


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_the_viewer_of_the_chapter_lives(open_chapter, scheme):
    tab = open_chapter(CHAPTER, "// The landscape viewer:", ".lv", scheme)

    before = tab.inner_text(".lv-readout")
    tab.locator(".lv select[name=slice]").select_option("Tanh")

    assert tab.inner_text(".lv-readout") != before
    assert tab.record.trouble == []
