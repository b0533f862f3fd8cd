"""The signal tunnel in a browser: its maps against labs.mean_field, and sliders, presets, address, themes, screens."""

import json
import math
import re

import numpy as np
import pytest
import torch

from labs.activations import derivative, make_activation
from labs.gaussian import gaussian_mean, gaussian_pair_mean
from labs.mean_field import gradient_growth, mean_field
from labs.widgets import SignalTunnel
from labs.widgets.signal_tunnel import PRESETS, TUNNEL_ACTIVATIONS
from tests.browser.looks import places_of, sizes_of, styles_of
from tests.browser.widget_pages import THEMES, contrast, repaint_milliseconds

CHAPTER = "book/12-initialisation.html"
LIVE = "document.querySelector('.tunnel [aria-live]').textContent"
FIND = """const { FUNCTIONS, quick } = module, find = (name) => {
    const one = FUNCTIONS[name], p = settings[name];
    const plain = { f: (x) => one.f(x, p), slope: (x) => one.slope(x, p) };
    return name === "GELU" ? quick(plain) : plain;
};"""
KINKED = ("ReLU", "LeakyReLU", "SELU")
both_schemes = pytest.mark.parametrize("scheme", ["http", "file"])


@pytest.fixture(scope="module")
def widget():
    return SignalTunnel()


@pytest.fixture(scope="module")
def prelude():
    """``settings``, and ``find(name)``: value and slope of an activation as the tunnel has them."""
    return f"const settings = {json.dumps(TUNNEL_ACTIVATIONS)}; {FIND}"


def cells(tab):
    """The table: for each start what its three cells say."""
    rows = tab.eval_on_selector_all(
        ".tunnel tbody tr", "all => all.map(row => [...row.cells].map(cell => cell.textContent.trim()))"
    )
    return {name: rest for name, *rest in rows}


def slider(tab, name):
    return tab.locator(f"input[name={name}]")


# --- The numbers --------------------------------------------------------------------------------------


def test_mean_squares_are_those_of_labs(javascript):
    lengths = [10 ** (k / 10) for k in range(-60, 31)]

    found = javascript(
        """(module, argument) => Object.keys(settings).map((name) => argument.map(
            (q) => ["f", "slope"].map((part) => module.meanSquareOf(find(name)[part], q))))""",
        lengths,
    )

    compared = 0
    for name, rows in zip(TUNNEL_ACTIVATIONS, found, strict=True):
        f = make_activation(name).double()
        for q, row in zip(lengths, rows, strict=True):
            wanted = [
                gaussian_mean(lambda x, f=f: f(x) ** 2, q),
                gaussian_mean(lambda x, f=f: derivative(f, x) ** 2, q),
            ]
            assert row == pytest.approx(wanted, rel=1e-6), (name, q)
            compared += 2
    assert compared >= 1000


def test_pairs_of_the_relu_family_follow_the_arc_cosine_kernel(javascript):
    aparts = [10 ** (-k / 20) for k in range(200)]
    lengths = [1e-4, 0.1, 1.0, 30.0, 1e6]

    found = javascript(
        """({ halfDistance }, [lengths, aparts]) =>
            lengths.map((q) => aparts.map((a) => halfDistance(find("ReLU").f, q, a) / q))""",
        [lengths, aparts],
    )

    # Cho & Saul 2009, with t the angle: 1/2 − E f(u) f(v), here without its cancellation where t is small.
    angle = 2 * np.arcsin(np.sqrt(np.array(aparts) / 2))
    exact = 0.5 - (np.sin(angle) + (math.pi - angle) * np.cos(angle)) / (2 * math.pi)
    good = np.array(aparts) > 1e-8
    for row in found:
        np.testing.assert_allclose(np.array(row)[good], exact[good], rtol=1e-6)
        # a difference of nearly equal inputs: half of them are open, and theirs is the inputs' own
        np.testing.assert_allclose(np.array(row)[~good], np.array(aparts)[~good] / 2, rtol=1e-4)


def test_pairs_of_the_smooth_functions_follow_gauss_hermite(javascript):
    x, weight = np.polynomial.hermite_e.hermegauss(150)
    weight = weight / weight.sum()
    names = [name for name in TUNNEL_ACTIVATIONS if name not in (*KINKED, "ELU")]
    points = [[q, apart] for q in (0.01, 0.3, 1.0, 2.0) for apart in (0.999, 0.6, 0.3, 0.1, 0.01, 1e-4, 1e-7)]

    found = javascript(
        """({ halfDistance }, [names, points]) =>
            names.map((name) => points.map(([q, a]) => halfDistance(find(name).f, q, a)))""",
        [names, points],
    )

    for name, values in zip(names, found, strict=True):
        f = make_activation(name).double()
        for (q, apart), value in zip(points, values, strict=True):
            a, b = math.sqrt(1 - apart / 2), math.sqrt(apart / 2)
            u, v = (torch.from_numpy(math.sqrt(q) * (a * x[:, None] + s * b * x)) for s in (1, -1))
            wanted = weight @ ((f(u) - f(v)) ** 2 / 2).numpy() @ weight
            assert value == pytest.approx(wanted, rel=1e-5), (name, q, apart)  # 1e-6 of what matters: of c


def test_pairs_of_every_function_are_those_of_labs(javascript):
    points = [[1.0, 0.5], [6.0, 0.05]]

    found = javascript(
        """(module, argument) => Object.keys(settings).map(
            (name) => argument.map(([q, a]) => module.halfDistance(find(name).f, q, a)))""",
        points,
    )

    for name, values in zip(TUNNEL_ACTIVATIONS, found, strict=True):
        f = make_activation(name).double()
        wanted = [
            gaussian_pair_mean(lambda u, v, f=f: (f(u) - f(v)) ** 2 / 2, q, apart=apart)
            for q, apart in points
        ]
        assert values == pytest.approx(wanted, rel=1e-5), name


def test_the_whole_tunnel_is_that_of_labs(javascript):
    cases = [["SELU", 1.0, 0.0, 0.5, 6], ["Tanh", 1.6, 0.2, 0.9, 6], ["ReLU", 0.6, 0.04, 0.0, 6]]

    found = javascript(
        """(module, argument) => argument.map(([name, weight_std, bias_std, correlation, depth]) => {
            const layers = module.tunnel(find(name), { weight_std, bias_std, correlation, depth });
            return [layers.map(({ q }) => q), layers.map(({ apart }) => 1 - apart), module.gradients(layers)];
        })""",
        cases,
    )

    for (name, weight, bias, correlation, depth), (q, c, gradient) in zip(cases, found, strict=True):
        settings = {"weight_variance": weight**2, "bias_variance": bias**2}
        wanted = mean_field(name, depth, correlation=correlation, **settings)
        assert q == pytest.approx([length for length, _ in wanted], rel=1e-6)
        assert c == pytest.approx([1 / (1 + ratio) for _, ratio in wanted], abs=2e-6)
        assert gradient == pytest.approx(gradient_growth(name, depth, **settings), rel=1e-6)


def test_words_go_with_the_numbers(javascript):
    code = """(module, argument) => argument.map(([q, apart, chi, start]) => {
        const { length, pair, back } = module.verdict([{ q: 1, apart: 1 - start, chi }, { q, apart, chi }], start);
        return [length, pair, back];
    })"""

    found = javascript(
        code,
        [
            [1e-9, 0.001, 1e-9, 0.5],
            [0.05, 0.3, 0.05, 0.5],
            [1, 0.45, 1, 0.5],
            [70, 0.7, 70, 0.5],
            [1e5, 0.5, 1e5, 0.5],
        ],
    )

    assert found == [
        ["dies", "alike", "vanishes"],
        ["sinks", "nearer", "shrinks"],
        ["holds", "kept", "holds"],
        ["grows", "farther", "grows"],
        ["explodes", "kept", "explodes"],
    ]


# --- The page -----------------------------------------------------------------------------------------


@both_schemes
def test_it_mounts_alone_and_in_silence(open_widget, scheme):
    tab = open_widget(scheme=scheme)

    assert list(cells(tab)) == ["yours", *(preset["name"] for preset in PRESETS)]
    assert cells(tab)["yours"] == cells(tab)["PyTorch"]
    assert tab.locator(".tunnel .curve").count() == 4 + 3 * 4  # in the table, and in three panels
    assert sorted(tab.locator("select option").all_inner_texts()) == sorted(TUNNEL_ACTIVATIONS)
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.locator(".tunnel [id]").count() == 0
    assert tab.record.trouble == []


def test_pytorch_s_start_loses_the_input_and_the_gradient_and_he_s_keeps_both_lengths(open_widget):
    tab = open_widget()

    words = tab.inner_text(".tunnel-words")
    he = cells(tab)["He"]
    tab.get_by_role("button", name="He", exact=True).click()

    assert words.startswith("ReLU, 30 layers: the signal sinks (q = 0.00156), the two inputs become alike")
    assert "the gradient vanishes" in words
    assert "below one" in words
    assert [he[0], he[2]] == ["1 holds", "1 holds"]
    assert cells(tab)["yours"] == he
    assert tab.inner_text("[data-of=weight_std]") == "1.414 (σ² = 2)"
    assert tab.get_by_role("button", name="He", exact=True).get_attribute("aria-pressed") == "true"
    assert "χ = 1, close to one, the edge" in tab.inner_text(".tunnel-words")
    tab.wait_for_function(f"{LIVE}.startsWith('ReLU, 30 layers: the signal holds (q = 1)')")


def test_the_sliders_follow_the_keyboard_and_the_list_the_choice(open_widget):
    tab = open_widget("one-light.html#tunnel=Tanh,1,0,30,0.5")

    before = cells(tab)["yours"]
    slider(tab, "weight_std").focus()
    for _ in range(20):
        tab.keyboard.press("ArrowRight")
    wide = cells(tab)["yours"], slider(tab, "weight_std").get_attribute("aria-valuetext")
    slider(tab, "depth").focus()
    tab.keyboard.press("Home")
    short = tab.inner_text(".tunnel-words")
    tab.locator("select[name=activation]").select_option("GELU")

    assert before == ["0.0178 sinks", "0.443 kept", "0.0248 shrinks"]
    assert wide[1] == "1.2 (σ² = 1.44)"
    assert wide[0][0].endswith("holds")
    assert wide[0][1].endswith("farther")
    assert short.startswith("Tanh, 2 layers")
    assert tab.inner_text(".tunnel-words").startswith("GELU, 2 layers")
    assert "GELU, 2 layers" in tab.locator(".tunnel svg[role=img]").get_attribute("aria-label")


def test_a_nonsense_address_shows_what_there_is_and_the_far_ends_stay_numbers(open_widget):
    for fragment in (
        "Relu,99,-3,1.5,7",
        "x,y,z",
        "",
        "ReLU,0.1,0,60,0",
        "SELU,3,1,60,0.99",
        "Sigmoid,3,1,2,0",
    ):
        tab = open_widget(f"one-light.html#tunnel={fragment}")

        assert len(cells(tab)) == 4
        assert not re.search("NaN|undefined|Infinity", tab.inner_html(".tunnel"))
        assert tab.record.errors == []


def test_the_address_reproduces_what_is_seen_and_two_on_a_page_keep_apart(open_widget):
    tab = open_widget("two-light.html#tunnel=ELU,1,0,20,0.5&tunnel2=SiLU,1.5,0.1,40,0.8", scheme="http")
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")

    tab.get_by_role("button", name="Xavier").nth(1).click()
    tab.locator("[name=bias_std]").nth(1).focus()
    tab.keyboard.press("ArrowRight")
    tab.wait_for_function("location.hash === '#tunnel=ELU,1,0,20,0.5&tunnel2=SiLU,1,0.01,40,0.8'")
    words = tab.locator(".tunnel-words").all_inner_texts()
    tab.reload()
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")

    assert words[0].startswith("ELU, 20 layers")
    assert tab.locator(".tunnel-words").all_inner_texts() == words


@pytest.mark.parametrize(("width", "height"), [(320, 640), (768, 900)])
def test_it_fits_every_screen_and_every_finger(open_widget, width, height):
    options = {"has_touch": True, "is_mobile": True} if width < 400 else {}
    tab = open_widget("one-light.html#tunnel=SELU,2.5,0.5,60,0.5", width=width, height=height, **options)
    press = tab.get_by_role("button", name="PyTorch")
    press.tap() if options else press.click()

    sizes = sizes_of(tab, ".tunnel :is(button, select, input)")
    letters, boxes = (
        places_of(tab, f".tunnel {part}") for part in (".curves-picture text", ":is(td, th, button)")
    )
    clipped = tab.eval_on_selector_all(
        ".tunnel :is(td, th)", "all => all.map(e => e.scrollWidth - e.clientWidth)"
    )

    assert cells(tab)["yours"] == cells(tab)["PyTorch"]
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24
    assert min(left for left, _, _ in [*letters, *boxes]) >= 0
    assert max(right for _, right, _ in [*letters, *boxes]) <= width
    assert min(height for _, _, height in letters) >= 11
    assert max(clipped) <= 0


def test_the_four_stand_out_in_both_themes_and_differ_without_colour(open_widget):
    for theme, (back, _) in THEMES.items():
        tab = open_widget(f"one-{theme}.html", theme=theme)

        dashes, colours = (
            tab.eval_on_selector_all(
                ".tunnel .swatch .curve", f"all => all.map(e => getComputedStyle(e).{kind})"
            )
            for kind in ("strokeDasharray", "stroke")
        )
        quiet = styles_of(tab, ".tunnel :is(.tunnel-note, small)", "color")

        assert len(set(dashes)) == len(set(colours)) == 4
        assert min(contrast(colour, back) for colour in colours) >= 3
        assert min(contrast(colour, back) for colour in quiet) >= 4.5


def test_it_repaints_within_a_tenth_of_a_second(open_widget):
    for name in ("GELU", "SELU"):
        tab = open_widget(f"one-light.html#tunnel={name},1,0.1,30,0.5")

        assert repaint_milliseconds(tab, "weight_std") <= 100


def test_in_a_live_notebook_both_sides_hear_each_other_until_the_widget_goes(live):
    story = live(
        sets={"depth": 12},
        shows="[name=depth]",
        does=[["click", "[data-preset='1']"]],
        keeps=["weight_std", "depth"],
    )

    assert story["shown"] == "12"
    assert story["saved"] == [[1, 12]]
    assert story["listened"] > 0
    assert story["left"] == 0
    assert story["still"]


def test_the_tunnel_of_the_chapter_lives(open_chapter):
    tab = open_chapter(CHAPTER, "// The signal tunnel:", ".tunnel")

    tab.get_by_role("button", name="He", exact=True).click()

    assert cells(tab)["yours"] == cells(tab)["He"]
    assert tab.record.trouble == []
