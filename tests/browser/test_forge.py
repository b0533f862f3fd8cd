"""The forge in a browser: formulas, slopes and the battery against torch; typing, errors, keyboard, themes, screens."""

import math
import random
import re

import pytest
import torch

from labs.gain import gaussian_gain
from labs.widgets import Forge
from labs.widgets.forge import PRESETS
from tests.browser.looks import sizes_of, styles_of, unnamed
from tests.browser.widget_pages import THEMES, contrast, repaint_milliseconds

CHAPTER = "book/18-choosing.html"
TORCH = {
    "exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt, "abs": torch.abs, "sin": torch.sin, "cos": torch.cos,
    "atan": torch.atan, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "softplus": torch.nn.functional.softplus,
    "erf": torch.erf, "Phi": torch.special.ndtr, "relu": torch.relu, "max": torch.maximum, "min": torch.minimum,
    "pi": torch.tensor(math.pi, dtype=torch.float64), "e": torch.tensor(math.e, dtype=torch.float64),
}  # fmt: skip


@pytest.fixture(scope="module")
def widget():
    return Forge()


def by_torch(formula, x, a):
    """Value and slope of a formula of our own, by torch in float64."""
    x = x.clone().requires_grad_()
    value = eval(
        formula.replace("^", "**"),
        {"__builtins__": {}},
        {**TORCH, "x": x, "a": torch.tensor(a, dtype=torch.float64)},
    )
    value = value + 0 * x  # a constant has a slope, too
    return value.detach(), torch.autograd.grad(value.sum(), x)[0]


def in_browser(javascript, formula, x, a):
    code = "({ parse }, [text, xs, a]) => { const { f } = parse(text); return xs.map((x) => f(x, a).map(String)); }"
    pairs = javascript(code, [formula, x.tolist(), a])
    return torch.tensor([[float(v.replace("Infinity", "inf")) for v in pair] for pair in pairs]).double().T


def grown(rng, depth=3):
    """A random formula of smooth steps."""
    if depth == 0:
        return rng.choice(["x", "a", "x", f"({rng.uniform(0.1, 3):.3f} + 0 * x)", "pi"])
    kind = rng.choice(["sum", "product", "quotient", "function", "power", "sign"])
    one, other = grown(rng, depth - 1), grown(rng, depth - 1)
    return {
        "sum": f"({one} {rng.choice('+-')} {other})",
        "product": f"{one} * ({other})",
        "quotient": f"({one}) / (2 + ({other})^2)",
        "function": f"{rng.choice(['tanh', 'sigmoid', 'sin', 'cos', 'atan', 'erf', 'Phi', 'softplus'])}({one})",
        "power": f"({one})^2",
        "sign": f"(-({one}))",
    }[kind]


# --- The numbers --------------------------------------------------------------------------------------


def test_presets_and_random_formulas_have_the_values_and_slopes_of_torch(javascript):
    rng = random.Random(0)
    x = torch.cat([torch.linspace(-6, 6, 121), torch.tensor([-0.3, 1e-3, 25.0, -25.0])]).double()

    for formula in [
        *PRESETS.values(),
        *(grown(rng) for _ in range(40)),
        "-x^2",
        "2^-x",
        "x - 1 - 2",
        "8 / 4 / 2 * x",
    ]:
        value, slope = by_torch(formula, x, 0.3)
        found = in_browser(javascript, formula, x, 0.3)

        torch.testing.assert_close(found[0], value, rtol=1e-6, atol=1e-9, equal_nan=True, msg=formula)
        fine = value.isfinite()  # torch has a slope for log where it has no value
        torch.testing.assert_close(found[1][fine], slope[fine], rtol=1e-6, atol=1e-8, msg=formula)


def test_at_a_kink_the_slope_is_that_of_torch(javascript):
    zero = torch.zeros(1).double()

    for formula in ("relu(x)", "max(x, 0 * x)", "min(x, 2 * x)", "abs(x)"):
        assert (
            in_browser(javascript, formula, zero, 0.0)[1].item() == by_torch(formula, zero, 0.0)[1].item()
        ), formula


@pytest.mark.parametrize(
    ("formula", "activation"),
    [
        ("relu(x)", "ReLU"),
        ("x * Phi(x)", "GELU"),
        ("x * sigmoid(x)", "SiLU"),
        ("tanh(x)", "Tanh"),
        ("sin(x)", "Sine"),
    ],
)
def test_the_gain_is_that_of_labs(javascript, formula, activation):
    found = javascript("({ parse, battery }, text) => battery(parse(text).f, 0)", formula)

    assert found["gain"] == pytest.approx(gaussian_gain(activation), rel=1e-4)


def test_the_battery_of_relu_and_of_the_square_is_what_one_derives(javascript):
    relu, square = (
        javascript("({ parse, battery }, text) => battery(parse(text).f, 0)", text)
        for text in ("relu(x)", "x^2")
    )

    assert [relu[k] for k in ("mean", "square", "chi", "settle", "flat")] == pytest.approx(
        [1 / math.sqrt(2 * math.pi), 0.5, 1, 1, 0.5], abs=1e-4
    )
    assert [square[k] for k in ("mean", "square", "chi", "settle")] == pytest.approx(
        [1, 3, 4 / 3, 2], rel=1e-4
    )
    assert square["course"] == "rises and falls"


@pytest.mark.parametrize(
    ("formula", "place", "wanted"),
    [
        ("", 1, "wanted a formula"),
        ("x +", 4, "found the end"),
        ("2x", 2, "wanted the end, or one of + - * / ^"),
        ("sinn(x)", 1, "wanted x, a, pi, e or one of"),
        ("max(x)", 6, "wanted “,”"),
        ("(x", 3, "wanted “)”"),
        ("x; alert(1)", 2, "found “;”"),
        ("constructor", 1, "found “constructor”"),
        ("(" * 100, 61, "fewer brackets"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_an_error_with_its_place(javascript, formula, place, wanted):
    found = javascript(
        "({ parse }, text) => { const { error, at } = parse(text); return [error, at]; }", formula
    )

    assert wanted in found[0]
    assert found[1] == place


# --- The page -----------------------------------------------------------------------------------------


def gain_of(tab, column=0):
    return tab.locator(".forge tbody tr", has_text=re.compile("^gain")).locator("td").nth(column).inner_text()


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_it_mounts_alone_and_in_silence(open_widget, scheme):
    tab = open_widget(scheme=scheme)

    assert gain_of(tab, 1) == "1.41"  # of ReLU
    assert tab.locator(".forge .curve.one").count() > 0
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.record.trouble == []


def test_a_typed_formula_is_drawn_and_a_wrong_one_explained_while_the_last_stays(open_widget):
    tab = open_widget()
    field = tab.locator("input[name=formula]")

    field.focus()
    tab.keyboard.press("Control+A")
    tab.keyboard.type("relu(x)")
    good, curve = gain_of(tab), tab.locator(".forge .curve.one").first.get_attribute("d")
    tab.keyboard.type(" + y")

    assert good == "1.41"
    assert "found “y” at place 11; wanted x, a, pi, e or one of exp" in tab.inner_text(".forge-error")
    assert field.get_attribute("aria-invalid") == "true"
    assert tab.locator(".forge .curve.one").first.get_attribute("d") == curve
    assert tab.locator("select[name=preset]").input_value() == ""


def test_presets_the_parameter_and_the_comparison_can_be_chosen(open_widget):
    tab = open_widget()

    tab.locator("input[name=a]").fill("1")
    whole_swish = gain_of(tab)
    tab.locator("select[name=preset]").select_option("SiLU")
    tab.locator("select[name=other]").select_option("GELU")

    assert gain_of(tab) == whole_swish
    assert tab.locator("input[name=formula]").input_value() == PRESETS["SiLU"]
    assert tab.locator("input[name=a]").is_disabled()
    assert tab.locator("thead th").last.inner_text() == "GELU"


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("log(x)", "Not finite somewhere"),
        ("a + 1", "has no x"),
        ("x^2", "grows by a factor of 1.33 per layer"),
        ("sigmoid(x)", "shrinks by a factor of"),
        ("relu(x)", "50 % of standard normal inputs meet a slope below 0.01"),
        ("0 * x", "Zero everywhere"),
    ],
)  # fmt: skip
def test_the_verdict_says_what_it_means_for_a_network(open_widget, formula, words):
    tab = open_widget()

    tab.locator("input[name=formula]").fill(formula)

    assert words in tab.inner_text(".forge-verdict")
    assert not re.search(
        "NaN|undefined|Infinity", tab.inner_html(".forge svg[role=img]") + tab.inner_text(".forge")
    )


def test_markup_that_is_typed_or_stands_in_the_address_stays_text(open_widget):
    tab = open_widget("one-light.html#forge=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E,7,Mish")

    assert tab.locator("input[name=formula]").input_value().startswith("<img")
    assert "found “<” at place 1" in tab.inner_text(".forge-error")
    assert tab.locator(".forge img").count() == 0
    assert tab.locator("input[name=a]").input_value() == "1"
    assert tab.record.errors == []


def test_the_address_reproduces_what_is_typed_and_two_forges_keep_apart(open_widget, open_again):
    tab = open_widget("two-light.html")
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")
    tab.locator("input[name=formula]").nth(1).fill("max(x, a * x)")
    tab.wait_for_function("location.hash.startsWith('#forge2=max(x%2C%20a%20*%20x),0.5')")

    again = open_again(tab)

    assert again.locator("input[name=formula]").nth(0).input_value() == PRESETS["Swish-GELU mixture"]
    assert again.locator("input[name=formula]").nth(1).input_value() == "max(x, a * x)"
    assert (
        again.locator(".forge-verdict").nth(1).inner_text()
        == tab.locator(".forge-verdict").nth(1).inner_text()
    )


@pytest.mark.parametrize("width", [320, 1280])
def test_it_fits_every_screen_and_every_finger(open_widget, width):
    tab = open_widget(width=width)

    sizes = sizes_of(tab, ".forge :is(input, select)")

    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24


@pytest.mark.parametrize("theme", THEMES)
def test_curves_errors_and_words_stand_out(open_widget, theme):
    tab = open_widget(f"one-{theme}.html#forge=y,0,GELU", theme=theme)
    back, _ = THEMES[theme]

    lines = styles_of(tab, ".curves-picture .curve", "stroke")
    texts = styles_of(tab, ".forge-note, .forge-error, .forge small", "color")

    assert len(lines) == 4
    assert min(contrast(line, back) for line in lines) >= 3
    assert len(texts) == 3
    assert min(contrast(text, back) for text in texts) >= 4.5


def test_a_screen_reader_hears_the_verdict_and_finds_every_name(open_widget):
    tab = open_widget()

    tab.locator("input[name=formula]").fill("x^2")
    tab.wait_for_function(
        "document.querySelector('.forge [aria-live=polite]').textContent.includes('grows by a factor of 1.33')"
    )

    assert (
        tab.locator(".forge svg[role=img]").get_attribute("aria-label").startswith("Value and slope of x^2")
    )
    nameless = unnamed(tab, ".forge :is(input, select)")
    assert nameless == 0


def test_it_repaints_within_a_tenth_of_a_second(open_widget):
    assert repaint_milliseconds(open_widget(), "a") <= 100


def test_in_a_live_notebook_python_is_heard_until_the_widget_goes(live):
    story = live(
        sets={"formula": "tanh(x)"},
        shows="[name=formula]",
        does=[["change", "[name=other]", "GELU"]],
        keeps=["other"],
    )

    assert story["shown"] == "tanh(x)"
    assert story["saved"] == [["GELU"]]
    assert story["listened"] > 0
    assert story["left"] == 0
    assert story["still"]


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_the_forge_of_the_chapter_lives(open_chapter, scheme):
    tab = open_chapter(CHAPTER, "// The forge:", ".forge", scheme)

    tab.locator(".forge input[name=formula]").fill("relu(x)")

    assert gain_of(tab) == "1.41"
    assert tab.record.trouble == []
