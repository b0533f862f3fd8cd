"""The line folder in a browser: its curve and its pieces against torch, and controls, themes, screens."""

import itertools
import re

import pytest
import torch

from labs.widgets import LineFolder
from tests.browser.looks import sizes_of
from tests.browser.widget_pages import THEMES, contrast, repaint_milliseconds

CHAPTER = "book/06-depth.html"
both_schemes = pytest.mark.parametrize("scheme", ["http", "file"])
SETTINGS = [
    {"weights": "1", "units": 1, "layers": 1},
    {"weights": "2", "units": 8, "layers": 1, "bias": 1.0},
    {"weights": "3", "units": 4, "layers": 2, "gain": 1.5},
    {"weights": "4", "units": 8, "layers": 3},
    {"weights": "5", "units": 8, "layers": 5, "gain": 2.0, "bias": 2.0},
    {"weights": "6", "units": 3, "layers": 5, "gain": 0.5, "bias": 0.0},
    {"weights": "fold", "layers": 1},
    {"weights": "fold", "layers": 5},
    {"weights": "5", "units": 8, "layers": 5, "activation": "identity"},
]


@pytest.fixture(scope="module")
def widget():
    return LineFolder()


def shown(settings):
    """A folder, and its state as JavaScript reads it."""
    folder = LineFolder(**settings)
    names = ("weights", "units", "layers", "activation", "gain", "bias")
    return folder, {name: getattr(folder, name) for name in names}


def pieces_of(javascript, folder, state):
    code = """({ matrices, pieces }, [data, state]) =>
        pieces(matrices(data, state), state.activation).pieces.map(({ from, slope, shift }) => [from, slope, shift])"""
    return javascript(code, [folder.data, state])


def number(tab, row):
    return int(tab.locator("tr", has_text=row).locator("td").inner_text().replace(",", ""))


# --- The numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_curve_is_that_of_torch(javascript, settings):
    folder, state = shown(settings)
    x = torch.cat([torch.linspace(-5, 5, 1001), torch.tensor([-100.0, 100.0])]).double()
    code = """({ matrices, output }, [data, state, points]) => {
        const net = matrices(data, state);
        return points.map((x) => output(net, state.activation, x));
    }"""

    found = torch.tensor(javascript(code, [folder.data, state, x.tolist()]), dtype=torch.float64)

    with torch.no_grad():
        expected = folder.network().double()(x[:, None])[:, 0]
    # The weights of the module were rounded to float32.
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_piece_is_the_line_that_autograd_finds_in_its_middle(javascript, settings):
    folder, state = shown(settings)

    found = pieces_of(javascript, folder, state)

    starts = [start for start, _, _ in found[1:]]
    ends = [(starts or [0.0])[0] - 2.0, *starts, (starts or [0.0])[-1] + 2.0]
    x = torch.tensor([(a + b) / 2 for a, b in zip(ends, ends[1:], strict=False)], dtype=torch.float64)
    x.requires_grad_()
    y = folder.network().double()(x[:, None])[:, 0]
    (slope,) = torch.autograd.grad(y.sum(), x)
    scale = slope.abs().max().item() + 1e-9
    wide = torch.tensor([b - a for a, b in zip(ends, ends[1:], strict=False)]) > 1e-4
    for (_, steep, shift), at, value, measured, far in zip(found, x, y, slope, wide, strict=True):
        if far:  # a float32 weight moves a kink a little; a piece narrower than that may be missed
            assert steep == pytest.approx(measured.item(), rel=1e-4, abs=1e-5 * scale)
            assert steep * at.item() + shift == pytest.approx(value.item(), rel=1e-4, abs=1e-4 * scale)


@pytest.mark.parametrize("settings", SETTINGS)
def test_no_kink_is_overlooked(javascript, settings):
    folder, state = shown(settings)
    found = pieces_of(javascript, folder, state)
    starts = torch.tensor([start for start, _, _ in found[1:]], dtype=torch.float64)
    x = torch.linspace(-6, 6, 120_001, dtype=torch.float64)

    with torch.no_grad():
        slope = folder.network().double()(x[:, None])[:, 0].diff() / x.diff()
    jumps = ((slope.diff()).abs() > 1e-4 * slope.abs().max()).nonzero().flatten()

    for i in jumps.tolist():  # the slope changes between x[i] and x[i + 2]: a kink lies there
        assert ((starts > x[i] - 1e-3) & (starts < x[i + 2] + 1e-3)).any(), x[i].item()


@pytest.mark.parametrize("layers", [1, 2, 3, 4, 5])
def test_each_fold_doubles_the_pieces(javascript, layers):
    folder, state = shown({"weights": "fold", "layers": layers})

    found = pieces_of(javascript, folder, state)

    inside = [start for start, _, _ in found if start is not None and 0 < start < 1]
    assert len(inside) + 1 == 2**layers
    assert all(start * 2**layers == round(start * 2**layers) for start in inside)


def test_no_network_has_more_pieces_than_the_limit(javascript, widget):
    cases = list(itertools.product((1, 3, 8), (1, 2, 4), "123456"))
    states = [
        {"weights": seed, "units": units, "layers": layers, "activation": "ReLU", "gain": 2.0, "bias": 1.0}
        for units, layers, seed in cases
    ]
    code = """({ matrices, pieces }, [data, states]) =>
        states.map((state) => pieces(matrices(data, state), state.activation).pieces.length)"""

    found = javascript(code, [widget.data, states])

    for (units, layers, seed), many in zip(cases, found, strict=True):
        assert 1 <= many <= (units + 1) ** layers, (units, layers, seed)


# --- The page -----------------------------------------------------------------------------------------


@both_schemes
def test_it_mounts_alone_and_in_silence(open_widget, scheme):
    tab = open_widget(scheme=scheme)

    assert number(tab, "limit") == 25
    assert number(tab, "most that one") == 5
    assert number(tab, "weights and biases") == 33
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.record.trouble == []


def test_folding_five_times_makes_thirty_two_pieces_between_zero_and_one(open_widget):
    tab = open_widget("one-light.html#fold=fold,2,5,ReLU,1,0.5")

    # One flat piece on each side of the interval.
    assert tab.inner_text(".folder-count").startswith("34 straight pieces over the whole line, 34 of them")
    assert number(tab, "straight pieces") == 34
    assert tab.locator(".folder-kink").count() == 33
    assert tab.locator("input[name=units]").is_disabled()


def test_the_identity_leaves_one_piece_whatever_the_depth(open_widget):
    tab = open_widget("one-light.html#fold=2,8,5,ReLU,1,0.5")
    before = number(tab, "straight pieces")

    tab.locator("select[name=activation]").select_option("identity")

    assert before > 9
    assert number(tab, "straight pieces") == 1
    assert tab.inner_text(".folder-count").startswith("1 straight piece: without a nonlinear activation")
    assert tab.locator(".folder-kink, .folder-switch").count() == 0


def test_units_and_layers_follow_the_keyboard(open_widget):
    tab = open_widget()

    tab.locator("input[name=layers]").focus()
    tab.keyboard.press("End")
    tab.locator("input[name=units]").focus()
    for _ in range(2):
        tab.keyboard.press("ArrowRight")

    assert number(tab, "limit") == 7**5
    assert (
        tab.locator(".curves-picture > svg").get_attribute("aria-label").startswith("Output of the network")
    )


@pytest.mark.parametrize(
    "nonsense", ["fold=9,99,99,sine,9,9", "fold=x", "fold=", "fold=fold,0,0,ReLU,0,-1", "fold"]
)
def test_a_nonsense_address_shows_what_there_is(open_widget, nonsense):
    tab = open_widget(f"one-light.html#{nonsense}")

    assert number(tab, "straight pieces") >= 1
    assert not re.search("NaN|undefined", tab.inner_html(".folder"))
    assert tab.record.errors == []


@both_schemes
def test_the_address_reproduces_what_is_seen(open_widget, open_again, scheme):
    tab = open_widget(scheme=scheme)
    tab.locator("select[name=weights]").select_option("4")
    tab.locator("input[name=layers]").fill("3")
    tab.wait_for_function("location.hash === '#fold=4,4,3,ReLU,1,0.5'")

    again = open_again(tab)

    assert again.inner_text(".folder-count") == tab.inner_text(".folder-count")
    assert again.inner_html(".curves-picture") == tab.inner_html(".curves-picture")


def test_two_folders_on_a_page_keep_apart(open_widget):
    tab = open_widget("two-light.html#fold=1,2,1,ReLU,1,0.5&fold2=1,3,1,ReLU,1,0.5")
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")

    tab.locator("input[name=units]").nth(1).fill("5")

    assert [field.input_value() for field in tab.locator("input[name=units]").all()] == ["2", "5"]


@pytest.mark.parametrize(("width", "height"), [(320, 640), (360, 740), (768, 900), (1500, 900)])
def test_it_fits_every_screen_and_every_finger(open_widget, width, height):
    tab = open_widget(width=width, height=height)

    sizes = sizes_of(tab, ".folder :is(select, input)")

    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24


@pytest.mark.parametrize("theme", THEMES)
def test_curve_kinks_and_switches_stand_out(open_widget, theme):
    tab = open_widget(f"one-{theme}.html", theme=theme)
    back, _ = THEMES[theme]

    for part in (".curve.one", ".folder-kink", ".folder-switch"):
        colour = tab.locator(part).first.evaluate("e => getComputedStyle(e).stroke")
        assert contrast(colour, back) >= 3


def test_a_screen_reader_hears_the_count_once_the_hand_rests(open_widget):
    tab = open_widget()

    tab.locator("select[name=activation]").select_option("identity")
    tab.wait_for_function(
        "document.querySelector('.folder [aria-live]').textContent.startsWith('1 straight piece')"
    )

    assert tab.locator(".curves-picture > svg").get_attribute("aria-label").endswith("whatever their number.")


def test_it_repaints_within_a_tenth_of_a_second(open_widget):
    tab = open_widget("one-light.html#fold=5,8,5,ReLU,1,0.1")

    assert repaint_milliseconds(tab, "bias") <= 100


def test_in_a_live_notebook_python_is_heard_until_the_widget_goes(live):
    story = live(
        sets={"units": 6},
        shows="input[name=units]",
        does=[["input", "input[name=layers]", 3]],
        keeps=["layers"],
    )

    assert story["shown"] == "6"
    assert story["saved"] == [[3]]
    assert story["listened"] > 0
    assert story["left"] == 0
    assert story["still"]


@both_schemes
def test_the_folder_of_the_chapter_lives(open_chapter, scheme):
    tab = open_chapter(CHAPTER, "// The line folder:", ".folder", scheme)

    tab.locator("select[name=activation]").select_option("identity")

    assert number(tab, "straight pieces") == 1
    assert tab.record.trouble == []
