"""The activation explorer in a browser: its numbers against torch, and mouse, keyboard, address, themes, screens."""

import math
import re
from functools import cache

import mpmath
import pytest
import torch
from torch import nn

from labs.activations import ACTIVATIONS, derivative
from labs.gaussian import gaussian_mean
from labs.widgets import ActivationExplorer
from labs.widgets.explorer_numbers import SERIES, coefficients_of
from tests.activation_cases import OTHER_SETTINGS, double_module
from tests.browser.looks import plates_behind, sizes_of, styles_of
from tests.browser.widget_pages import THEMES, contrast, repaint_milliseconds

CHAPTER = "book/07-relu-family.html"
both_schemes = pytest.mark.parametrize("scheme", ["http", "file"])

# What the explorer calls a setting of two inputs; the gate b of GLU and the second piece w x + c of Maxout.
TWO_INPUTS = {"Maxout": {"w": -0.7, "c": 0.4}, "GLU": {"b": -0.6}, "GEGLU": {"b": -0.6}, "SwiGLU": {"b": 2.3}}
OTHERS = {**OTHER_SETTINGS, **TWO_INPUTS, "Rational": {}}
CASES = [(name, "default") for name in ACTIVATIONS] + [(name, "other") for name in OTHERS]
GAUSSIANS = [(0.0, 1.0), (-0.7, 2.0)]

# A step of 0.0137 meets no kink but those it is told to leave out.
NEAR = torch.arange(-600, 601, dtype=torch.float64) * 0.0137 + 0.0031
POINTS = torch.cat(
    [NEAR, torch.tensor([-1e4, -100, -50.3, -20.7, 20.7, 50.3, 100, 1e4], dtype=torch.float64)]
)


@cache
def reference(name, which):
    """Return the function in torch, in float64, its slope, and the settings with which JavaScript has the same."""
    settings = OTHERS[name] if which == "other" else {}
    if name in TWO_INPUTS:
        module = double_module(name)
        p = {"w": 0.0, "c": 0.0, "b": 1.0, **settings}

        def f(x):
            second = p["w"] * x + p["c"] if name == "Maxout" else torch.full_like(x, p["b"])
            return module(torch.stack((x, second), -1))[..., 0]

        return f, lambda x: derivative(f, x), settings
    module = double_module(name, **settings)
    if name in SERIES:
        with torch.no_grad():
            if which == "other":
                for parameter in module.parameters():
                    parameter += 0.05 * torch.randn_like(parameter)
            settings = coefficients_of(module)
            for key, numbers in settings.items():  # six digits travel, so six digits are compared
                if isinstance(getattr(module, key), nn.Parameter):
                    getattr(module, key).copy_(torch.tensor(numbers, dtype=torch.float64))
    elif any(isinstance(one, nn.Parameter) for one in module.parameters()):
        with torch.no_grad():  # they were made in float32
            for key, number in settings.items():
                getattr(module, {"init": "weight"}.get(key, key)).fill_(number)
    elif name == "Sine" and settings:
        module.omega.fill_(settings["omega"])
    return lambda x: module(x).detach(), lambda x: derivative(module, x), settings


def settings_of_all():
    """Name and settings of each case, as JavaScript takes them."""
    return [[name, reference(name, which)[2]] for name, which in CASES]


@pytest.fixture(scope="module")
def widget():
    return ActivationExplorer(first="Sigmoid", second="Tanh")


@pytest.fixture(scope="module")
def pages(widget):
    html = widget.static_html()
    custom = ActivationExplorer("Custom", custom=nn.Sequential(nn.Tanh(), nn.ReLU())).static_html()
    return {"one": html, "two": html + html, "custom": custom}


@pytest.fixture(scope="module")
def prelude():
    """``full``: the parameters as they start, with what is given laid over them."""
    return """
        const start = (row) => Object.fromEntries((row.parameters || []).map((one) => [one.name, one.value]));
        const full = (row, p) => ({ ...start(row), ...p });
    """


def table(tab):
    """The numbers on the page: a dictionary for each function."""
    return tab.evaluate(
        """() => {
            const names = [...document.querySelectorAll(".explorer thead th")].map((th) => th.textContent);
            const rows = [...document.querySelectorAll(".explorer tbody tr")];
            return Object.fromEntries(names.map((name, i) =>
                [name, Object.fromEntries(rows.map((row) => [0, i + 1].map((at) => row.children[at].textContent)))]));
        }"""
    )


def choice(tab, name):
    return tab.get_by_role("combobox", name=name, exact=True)


def slider(tab, name):
    return tab.locator(f"input[name={name}]")


def near(found, expected, tolerance=1e-6):
    found, expected = torch.tensor(found, dtype=torch.float64), expected.double()
    return ((found - expected).abs() <= tolerance * (1 + expected.abs())).all()


# --- The numbers --------------------------------------------------------------------------------------


def test_the_list_has_every_function_of_the_table(javascript):
    names = javascript("({ FUNCTIONS }) => Object.keys(FUNCTIONS)", None)

    assert names == list(ACTIVATIONS)


def test_values_and_slopes_are_those_of_torch(javascript):
    code = """({ FUNCTIONS }, [all, points]) => all.map(([name, settings]) => {
        const row = FUNCTIONS[name], p = full(row, settings);
        return [points.map((x) => row.f(x, p)), points.map((x) => row.slope(x, p))];
    })"""

    found = javascript(code, [settings_of_all(), POINTS.tolist()])

    assert len(POINTS) > 1000
    for case, (values, slopes) in zip(CASES, found, strict=True):
        f, slope, _ = reference(*case)
        assert near(values, f(POINTS)), case
        assert near(slopes, slope(POINTS)), case


def test_phi_is_the_distribution_function_to_twelve_digits(javascript):
    x = torch.linspace(-37.5, 37.5, 1001, dtype=torch.float64)

    found = javascript("({ Phi }, x) => x.map(Phi)", x.tolist())

    assert (torch.tensor(found, dtype=torch.float64) - torch.special.ndtr(x)).abs().max() < 1e-15
    for at, value in zip(
        x.tolist(), found, strict=True
    ):  # torch gives up at -8.3, where a tail is still a tail
        assert math.isclose(value, mpmath.ncdf(at), rel_tol=1e-12), at


def test_the_sliders_reach_what_they_start_with(javascript):
    found = javascript(
        "({ FUNCTIONS }, all) => all.map(([name]) => FUNCTIONS[name].parameters || [])", settings_of_all()
    )

    for (name, settings), rows in zip(settings_of_all(), found, strict=True):
        assert all(row["low"] <= row["value"] <= row["high"] and row["note"] for row in rows), name
        if name not in SERIES:
            assert set(settings) <= {row["name"] for row in rows}, name


def test_each_point_mass_is_a_stretch_on_which_torch_is_constant(javascript):
    code = """({ FUNCTIONS }, all) => all.map(
        ([name, settings]) => FUNCTIONS[name].flat?.(full(FUNCTIONS[name], settings)) || [])"""

    found = javascript(code, settings_of_all())

    assert sum(map(bool, found)) > 5
    for case, flats in zip(CASES, found, strict=True):
        f, slope, _ = reference(*case)
        y, d = f(NEAR), slope(NEAR)
        inside = torch.zeros_like(NEAR, dtype=torch.bool)
        for low, high, value in flats:
            here = (low < NEAR) & (high > NEAR)
            assert (y[here] - value).abs().max() < 1e-12, case
            inside |= here
        # Elsewhere no two neighbours are equal; only far out, where the digits of a double end, they seem so.
        same = (y[1:] == y[:-1]) & (d[1:] == 0) & (d[:-1] == 0) & (NEAR[1:].abs() < 5)
        assert not (same & ~(inside[1:] | inside[:-1])).any(), case


@pytest.mark.parametrize(("mu", "sigma"), GAUSSIANS)
def test_mean_and_std_of_the_output_are_those_of_quadrature_in_torch(javascript, mu, sigma):
    code = """({ FUNCTIONS, pushForward }, [all, mu, sigma]) => all.map(([name, settings]) => {
        const row = FUNCTIONS[name], p = full(row, settings), found = pushForward(row, p, mu, sigma, 0.1);
        return [found.mean, found.std, row.breaks?.(p) || []];
    })"""

    found = javascript(code, [settings_of_all(), mu, sigma])

    for case, (mean, std, breaks) in zip(CASES, found, strict=True):
        f, kinks = reference(*case)[0], [b - mu for b in breaks]
        expected = gaussian_mean(lambda z, f=f: f(z + mu), sigma**2, kinks=kinks)
        square = gaussian_mean(lambda z, f=f, m=expected: (f(z + mu) - m) ** 2, sigma**2, kinks=kinks)
        assert math.isclose(mean, expected, rel_tol=1e-6, abs_tol=1e-6), case
        assert math.isclose(std, math.sqrt(square), rel_tol=1e-6, abs_tol=1e-6), case


@pytest.mark.parametrize(("mu", "sigma"), GAUSSIANS)
def test_the_nearly_flat_share_and_the_bars_are_counted_right(javascript, mu, sigma):
    code = """({ FUNCTIONS, pushForward }, [all, mu, sigma]) => all.map(([name, settings]) =>
        pushForward(FUNCTIONS[name], full(FUNCTIONS[name], settings), mu, sigma, 0.1, [-2, 2], 40))"""

    found = javascript(code, [settings_of_all(), mu, sigma])

    # The same by counting: 100,000 equally likely inputs.
    u = (torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000
    z = mu + sigma * torch.special.ndtri(u)
    for case, one in zip(CASES, found, strict=True):
        f, slope, _ = reference(*case)
        y, level, masses = f(z), torch.zeros_like(u, dtype=torch.bool), dict(one["atoms"])
        for value in masses:
            level |= y == value
        assert abs((slope(z).abs() < 0.1).double().mean() - one["share"]) < 1e-4, case
        assert abs(level.double().mean() - sum(masses.values())) < 1e-4, case
        moving = y[~level]
        bars = torch.histc(moving[(moving >= -2) & (moving <= 2)], 40, -2, 2) / len(u)
        # A peak where the slope is zero can fall on an edge, where the straight pieces move a little of it.
        assert (bars - torch.tensor(one["counts"], dtype=torch.float64)).abs().max() < 2e-3, case
        assert abs((moving > 2).sum() / len(u) - one["over"]) < 1e-3, case
        assert abs((moving < -2).sum() / len(u) - one["under"]) < 1e-3, case


def test_the_half_of_a_standard_normal_that_relu_stops(javascript):
    code = "({ FUNCTIONS, pushForward }) => pushForward(FUNCTIONS.ReLU, {}, 0, 1, 0.1)"

    found = javascript(code, None)

    assert found["atoms"] == [[0, 0.5]]
    assert found["share"] == pytest.approx(0.5, abs=1e-12)
    assert found["mean"] == pytest.approx(1 / math.sqrt(2 * math.pi), abs=1e-12)
    assert found["std"] == pytest.approx(math.sqrt(0.5 - 1 / (2 * math.pi)), abs=1e-12)


def test_a_short_flat_stretch_between_two_points_is_found(javascript):
    code = "({ FUNCTIONS, flatStretches }) => flatStretches(FUNCTIONS.Sine, { omega: 30 }, 0.1, -5, 5)"

    found = javascript(code, None)

    crests = [(k + 0.5) * math.pi / 30 for k in range(-48, 48) if abs((k + 0.5) * math.pi / 30) < 5]
    half = math.asin(0.1 / 30) / 30
    assert len(found) == len(crests)
    for (low, high), crest in zip(found, crests, strict=True):
        assert (low, high) == pytest.approx((crest - half, crest + half), abs=1e-9)


@pytest.mark.parametrize("module", [nn.Sequential(nn.Tanh(), nn.ReLU()), nn.GELU(), nn.Threshold(-1.0, 0.5)])
def test_a_module_of_ones_own_is_followed_by_its_table(javascript, module):
    data = ActivationExplorer(custom=module).custom
    code = """({ tabled }, [data, points]) => {
        const row = tabled(data);
        return [points.map((x) => row.f(x)), points.map((x) => row.slope(x)), row.flat()];
    }"""
    kinks = [0.0, -1.0]
    away = NEAR[torch.stack([(NEAR - kink).abs() > 0.02 for kink in kinks]).all(0)]

    values, slopes, flats = javascript(code, [data, away.tolist()])

    assert near(values, module(away), 5e-6)  # six digits travel
    assert near(
        slopes, derivative(module, away), 5e-5
    )  # straight between two slopes: h²/8 of the third derivative
    expected = {nn.Sequential: [[-math.inf, 0, 0]], nn.Threshold: [[-math.inf, -1, 0.5]]}.get(
        type(module), []
    )
    assert [pytest.approx(flat, abs=0.03) for flat in expected] == flats


# --- The page -----------------------------------------------------------------------------------------


@both_schemes
def test_it_mounts_alone_and_in_silence(open_widget, scheme):
    tab = open_widget(scheme=scheme)

    assert list(table(tab)) == ["Sigmoid", "Tanh"]
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.locator(".explorer .curve").count() >= 4
    assert tab.record.trouble == []


def test_each_function_can_be_chosen_and_draws_finite_lines(open_widget):
    tab = open_widget()
    choice(tab, "Compare with").select_option("none")

    for name in ACTIVATIONS:
        choice(tab, "Function").select_option(name)

        assert list(table(tab)) == [name]
        drawing = tab.inner_html(".curves-picture")
        assert not re.search("NaN|undefined|Infinity", drawing + tab.inner_text(".explorer")), name
        assert tab.inner_text(".explorer-formulas").startswith(f"{name}: f(x) = ")
    assert tab.record.errors == []


def test_the_numbers_on_the_page_are_those_of_the_functions(open_widget):
    tab = open_widget("one-light.html#explorer=ReLU,Tanh,,,-1.5,0,1,0.1,5")

    found = table(tab)

    assert found["ReLU"] == {
        "f(−1.5)": "0",
        "f′(−1.5)": "0",
        "share of z on nearly flat ground": "50 %",
        "mean of f(z)": "0.399",
        "standard deviation of f(z)": "0.584",
        "point masses of f(z)": "0 with 50 %",
    }
    assert found["Tanh"]["f(−1.5)"] == "−0.905"
    assert found["Tanh"]["f′(−1.5)"] == "0.181"
    assert "50 %" in tab.locator(".explorer .output.one").text_content()


def test_x_follows_the_keyboard(open_widget):
    tab = open_widget()
    tab.get_by_role("slider", name="x =").focus()

    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "Home"):
        tab.keyboard.press(key)

    assert "f(−5)" in table(tab)["Sigmoid"]
    tab.keyboard.press("ArrowRight")
    assert "f(−4.9)" in table(tab)["Sigmoid"]


def test_x_follows_the_mouse_over_the_picture(open_widget):
    tab = open_widget()
    frame = tab.locator(".curves-picture > svg > svg").first.bounding_box()

    tab.mouse.move(frame["x"] + 0.5 * frame["width"], frame["y"] + 50)
    tab.mouse.down()
    tab.mouse.move(frame["x"] + 0.75 * frame["width"], frame["y"] + 60)
    tab.mouse.up()
    tab.mouse.move(frame["x"] + 0.1 * frame["width"], frame["y"] + 60)

    assert "f(2.5)" in table(tab)["Sigmoid"]


def test_a_parameter_has_a_slider_with_a_name_and_a_reason(open_widget):
    tab = open_widget("one-light.html#explorer=PReLU,none,,,-1,0,1,0.1,5")
    weight = tab.get_by_role("slider", name=re.compile("PReLU a = 0.25.*learned"))

    weight.fill("0")

    found = table(tab)["PReLU"]
    assert found["point masses of f(z)"] == "0 with 50 %"
    assert found["f(−1)"] == "0"
    tab.wait_for_function("location.hash.includes('init')")
    choice(tab, "Function").select_option("ELU")
    tab.get_by_role("slider", name=re.compile("ELU α = 1")).fill("2")
    assert table(tab)["ELU"]["f(−1)"] == "−1.26"  # 2 (1/e − 1)


def test_mu_and_sigma_and_the_threshold_change_what_depends_on_them(open_widget):
    tab = open_widget("one-light.html#explorer=ReLU,none,,,1,0,1,0.1,5")

    slider(tab, "mu").fill("1")
    slider(tab, "sigma").fill("0.5")
    shifted = table(tab)["ReLU"]
    choice(tab, "Function").select_option("Sigmoid")
    slider(tab, "threshold").fill("0.3")

    assert shifted["share of z on nearly flat ground"] == "2.3 %"  # Φ(−2)
    assert table(tab)["Sigmoid"]["share of z on nearly flat ground"] == "100 %"  # its slope is at most 1/4


@both_schemes
def test_the_address_reproduces_what_is_seen(open_widget, open_again, scheme):
    tab = open_widget(scheme=scheme)
    choice(tab, "Function").select_option("AdaptiveSigmoid")
    for name, value in (("k", "2.5"), ("theta", "-1")):
        tab.locator(f"input[data-name={name}]").fill(value)
    choice(tab, "Compare with").select_option("GLU")
    slider(tab, "mu").fill("-0.5")
    tab.wait_for_function("location.hash.includes('GLU') && location.hash.includes('-0.5')")

    again = open_again(tab)

    assert table(again) == table(tab)
    assert "k%3D2.5%20theta%3D-1" in tab.url


@pytest.mark.parametrize(
    "nonsense",
    [
        "explorer=Foo,<b>,alpha=9,x,99,99,99,99,7",
        "explorer=",
        "explorer=%E0%A4%A",
        "explorer=,,,,",
        "explorer",
        "x=1",
    ],
)
def test_a_nonsense_address_shows_what_there_is(open_widget, nonsense):
    tab = open_widget(f"one-light.html#{nonsense}")

    assert next(iter(table(tab))) == "Sigmoid"
    assert not re.search("NaN|undefined", tab.inner_html(".explorer"))
    assert tab.record.errors == []


@pytest.mark.parametrize("settings", ["alpha=99", "alpha=Infinity", "beta=2", "alpha", "alpha=1e9 alpha=x"])
def test_settings_from_the_address_stay_within_their_sliders(open_widget, settings):
    tab = open_widget(f"one-light.html#explorer=ELU,none,{settings},,-30,0,1,0.1,30")

    value = float(tab.locator("input[data-name=alpha]").input_value())

    assert value in (1.0, 3.0)
    assert table(tab)["ELU"]["f(−30)"] == f"−{value:g}"


def test_two_explorers_on_a_page_keep_apart(open_widget):
    tab = open_widget("two-light.html#explorer=ReLU,none,,,1,0,1,0.1,5&explorer2=GELU,none,,,2,0,1,0.1,5")
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")

    tab.locator("select[name=first]").nth(1).select_option("Mish")
    tab.wait_for_function("location.hash.includes('Mish')")

    heads = tab.locator(".explorer thead").all_inner_texts()
    assert [head.strip() for head in heads] == ["ReLU", "Mish"]
    assert "explorer=ReLU," in tab.url
    assert "explorer2=Mish," in tab.url
    assert tab.locator("[id]").count() == 1  # the anchor of the page itself


def test_a_module_of_ones_own_can_be_chosen(open_widget):
    tab = open_widget("custom-light.html")

    assert table(tab)["Custom"]["point masses of f(z)"] == "0 with 50 %"
    assert "computed by torch at 1,201 points" in tab.inner_text(".explorer-formulas")


def test_without_a_module_of_ones_own_there_is_none_to_choose(open_widget):
    tab = open_widget("one-light.html#explorer=Custom,none,,,1,0,1,0.1,5")

    assert list(table(tab)) == ["Sigmoid"]
    assert tab.locator("select[name=first] option").count() == len(ACTIVATIONS)


@pytest.mark.parametrize(("width", "height"), [(320, 640), (360, 740), (768, 900), (1500, 900)])
def test_it_fits_every_screen_and_every_finger(open_widget, width, height):
    tab = open_widget(
        "one-light.html#explorer=AdaptiveSigmoid,STAF,,,1,0,1,0.1,30", width=width, height=height
    )

    sizes = sizes_of(tab, ".explorer :is(button, select, input)")
    labels = tab.eval_on_selector_all(
        ".curves-picture text", "all => all.map(e => e.getBoundingClientRect()).map(r => [r.left, r.right])"
    )

    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24
    assert min(left for left, _ in labels) >= 0
    assert max(right for _, right in labels) <= width


@pytest.mark.parametrize("theme", THEMES)
def test_lines_and_words_stand_out_in_both_themes(open_widget, theme):
    tab = open_widget(f"one-{theme}.html", theme=theme)

    back, ink = THEMES[theme]
    lines = styles_of(tab, ".explorer .swatch .curve", "stroke")
    dashes = styles_of(tab, ".swatch .curve", "strokeDasharray")
    quiet = tab.eval_on_selector(".explorer small", "e => getComputedStyle(e).color")
    plates = plates_behind(tab, ".explorer")

    assert plates == {"rgba(0, 0, 0, 0)"}
    assert len(set(lines)) == len(set(dashes)) == 2  # colour and line style change together
    assert min(contrast(line, back) for line in lines) >= 3
    assert contrast(quiet, back) >= 4.5
    assert contrast(ink, back) >= 4.5


def test_a_screen_reader_hears_the_numbers_once_the_hand_rests(open_widget):
    tab = open_widget()

    slider(tab, "x").fill("2")
    tab.wait_for_function("document.querySelector('.explorer [aria-live]').textContent.includes('f(2)')")

    said = tab.locator(".explorer [aria-live]").text_content()
    assert "Sigmoid f(2) 0.881" in said
    assert "Tanh f(2) 0.964" in said
    assert tab.locator(".curves-picture > svg").get_attribute("aria-label").endswith(said)
    unnamed = tab.evaluate(
        "[...document.querySelectorAll('.explorer :is(input, select)')].filter((e) => !e.labels.length).length"
    )
    assert unnamed == 0


@pytest.mark.parametrize("state", ["Sigmoid,Tanh", "STAF,Fourier", "BSpline,Rational"])
def test_it_repaints_within_a_tenth_of_a_second(open_widget, state):
    tab = open_widget(f"one-light.html#explorer={state},,,1,0,1,0.1,5")

    costs = {name: repaint_milliseconds(tab, name) for name in ("x", "sigma", "threshold")}

    assert max(costs.values()) <= 100, costs


def test_in_a_live_notebook_both_sides_hear_each_other_until_the_widget_goes(live):
    story = live(
        sets={"first": "Softsign"},
        shows="thead",
        does=[["input", "select[name=first]", "Swish"]],
        keeps=["first", "first_settings"],
    )

    assert story["shown"] == "SoftsignTanh"
    assert story["saved"] == [["Swish", ""]]
    assert story["listened"] > 0
    assert story["left"] == 0
    assert story["still"]


@both_schemes
def test_the_explorer_of_the_chapter_lives(open_chapter, scheme):
    tab = open_chapter(CHAPTER, "// The activation explorer:", ".explorer", scheme)

    choice(tab, "Function").select_option("ReLU")
    tab.get_by_role("slider", name="x =").press("Home")

    assert table(tab)["ReLU"]["f(−5)"] == "0"
    assert tab.record.trouble == []
