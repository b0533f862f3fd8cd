"""The neuron bench in a browser: its numbers against torch and a plain loop, and controls, themes, screens."""

import random
import re
from fractions import Fraction

import pytest
import torch
from torch import nn

from labs.activations import Step
from labs.widgets import NeuronBench
from labs.widgets.neuron_bench import ACTIVATIONS, neuron_points
from tests.browser.looks import letters_of, sizes_of, text_without
from tests.browser.widget_pages import THEMES, contrast, repaint_milliseconds

CHAPTER = "book/04-neuron.html"
both_schemes = pytest.mark.parametrize("scheme", ["http", "file"])
JUDGES = {
    "Step": Step(),
    "Sigmoid": nn.Sigmoid(),
    "Tanh": nn.Tanh(),
    "ReLU": nn.ReLU(),
    "Identity": nn.Identity(),
}


@pytest.fixture(scope="module")
def widget():
    return NeuronBench()


def button(tab, name):
    return tab.get_by_role("button", name=name)


def numbers(tab):
    labels = tab.locator(".bench-neuron .curves-value").all_inner_texts()
    return [float(text.replace("−", "-")) for text in labels]


def choose(tab, name, value):
    tab.locator(f"select[name={name}]").select_option(value)


# --- The numbers --------------------------------------------------------------------------------------


def test_the_activations_on_offer_are_those_of_the_script(javascript):
    assert javascript("({ ACTIVATIONS }) => Object.keys(ACTIVATIONS)") == list(ACTIVATIONS) == list(JUDGES)


@pytest.mark.parametrize("name", JUDGES)
def test_an_activation_is_that_of_torch(javascript, name):
    z = torch.cat([torch.linspace(-40, 40, 2001), torch.tensor([-1e4, -800.0, 0.0, 800.0, 1e4])]).double()
    code = "({ ACTIVATIONS }, [name, all]) => all.map((z) => ACTIVATIONS[name].f(z))"

    found = torch.tensor(javascript(code, [name, z.tolist()]), dtype=torch.float64)

    assert torch.allclose(found, JUDGES[name](z), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", JUDGES)
def test_the_output_of_the_neuron_is_that_of_torch(javascript, name):
    generator = torch.Generator().manual_seed(1)
    settings = 12 * torch.rand(40, 3, generator=generator, dtype=torch.float64) - 6
    points = 6 * torch.rand(40, 2, generator=generator, dtype=torch.float64) - 3
    code = """({ ACTIVATIONS, preActivation }, [name, settings, points]) => settings.map(([w1, w2, b]) =>
        points.map((point) => ACTIVATIONS[name].f(preActivation({ w1, w2, b }, point))))"""

    found = torch.tensor(javascript(code, [name, settings.tolist(), points.tolist()]), dtype=torch.float64)

    assert found.numel() == 1600
    for (w1, w2, b), row in zip(settings, found, strict=True):
        layer = nn.Linear(2, 1).double()
        with torch.no_grad():
            layer.weight.copy_(torch.stack([w1, w2])[None])
            layer.bias.fill_(b)
            expected = JUDGES[name](layer(points)).squeeze(1)
        assert torch.allclose(row, expected, rtol=0, atol=1e-6)


def test_what_only_rounding_keeps_from_the_line_is_on_it(javascript):
    found = javascript("({ preActivation }) => preActivation({ w1: 0.1, w2: 0.2, b: -0.3 }, [1, 1])")

    assert found == 0


def rule(neuron, points, labels, many):
    """The perceptron rule in exact arithmetic, a plain loop: the corrections made, and the last neuron."""
    w1, w2, b = (Fraction(str(x)) for x in neuron)
    exact = [[Fraction(str(x)) for x in point] for point in points]
    history, at, calm = [], 0, 0
    while len(history) < many and calm < len(exact):
        (x1, x2), sign = exact[at], 1 if labels[at] else -1
        if sign * (w1 * x1 + w2 * x2 + b) <= 0:
            w1, w2, b, calm = w1 + sign * x1, w2 + sign * x2, b + sign, 0
            history.append([at, float(w1), float(w2), float(b)])
        else:
            calm += 1
        at = (at + 1) % len(exact)
    return history


@pytest.mark.parametrize("name", neuron_points())
def test_the_perceptron_rule_is_that_of_a_plain_loop(javascript, name):
    found = neuron_points()[name]
    chance = random.Random(2)
    starts = [[0, 0, 0]] + [[round(chance.uniform(-6, 6), 1) for _ in range(3)] for _ in range(9)]
    code = """({ perceptronStep }, [set, starts, many]) => starts.map(([w1, w2, b]) => {
        const history = [];
        let neuron = { w1, w2, b }, at = 0, step;
        while (history.length < many && (step = perceptronStep(neuron, set, at))) {
            ({ neuron, at } = step);
            history.push([at, neuron.w1, neuron.w2, neuron.b]);
            at = (at + 1) % set.points.length;
        }
        return history;
    })"""

    histories = javascript(code, [found, starts, 200])

    for start, history in zip(starts, histories, strict=True):
        expected = rule(start, found["points"], found["labels"], 200)
        assert len(history) == len(expected)
        assert torch.allclose(
            torch.tensor(history, dtype=torch.float64), torch.tensor(expected, dtype=torch.float64), atol=1e-6
        )
    never = name in ("XOR", "versicolor-virginica")
    assert all((len(history) == 200) == never for history in histories)


def test_the_right_ones_are_counted_as_torch_counts_them(javascript):
    generator = torch.Generator().manual_seed(3)
    settings = 12 * torch.rand(250, 3, generator=generator, dtype=torch.float64) - 6
    sets = neuron_points()
    code = """({ countRight }, [sets, settings]) => Object.values(sets).map((set) =>
        settings.map(([w1, w2, b]) => countRight({ w1, w2, b }, set)))"""

    found = javascript(code, [sets, settings.tolist()])

    for one, counts in zip(sets.values(), found, strict=True):
        z = settings[:, :2] @ torch.tensor(one["points"], dtype=torch.float64).T + settings[:, 2:]
        right = (Step()(z) == torch.tensor(one["labels"])).sum(dim=1)
        assert counts == right.tolist()


def test_a_band_of_colour_begins_where_the_output_passes_its_level(javascript):
    levels = [0.05, 0.35, 0.5, 0.95]
    code = "({ ACTIVATIONS, whereAbove }, all) => all.map((y) => whereAbove(ACTIVATIONS.Sigmoid.f, y, -9, 9))"

    found = javascript(code, levels)

    assert torch.sigmoid(torch.tensor(found, dtype=torch.float64)).tolist() == pytest.approx(levels, abs=1e-9)


def test_a_cut_square_keeps_what_lies_above(javascript):
    code = """({ cut }) => {
        const square = [[0, 0], [2, 0], [2, 2], [0, 2]];
        return [cut(square, ([x]) => x, 0.5), cut(square, ([x]) => x, 3), cut(square, ([x]) => x, -1)];
    }"""

    part, none, everything = javascript(code)

    assert sorted(part["above"]) == [[0.5, 0], [0.5, 2], [2, 0], [2, 2]]
    assert sorted(part["crossed"]) == [[0.5, 0], [0.5, 2]]
    assert none == {"above": [], "crossed": []}
    assert len(everything["above"]) == 4
    assert everything["crossed"] == []


# --- The page -----------------------------------------------------------------------------------------


@both_schemes
def test_it_mounts_alone_and_in_silence(open_widget, scheme):
    tab = open_widget(scheme=scheme)

    assert tab.inner_text(".bench-count") == "2 of 4 right, 2 wrong"
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.record.trouble == []


def test_the_table_of_a_gate_shows_each_point(open_widget):
    tab = open_widget("one-light.html#neuron=AND,Sigmoid,1.5,1,-1.2")

    rows = [row.split("\t") for row in tab.locator(".bench-neuron tbody tr").all_inner_texts()]

    assert rows == [
        ["0, 0", "0", "−1.2", "0.231", "right"],
        ["0, 1", "0", "−0.2", "0.45", "right"],
        ["1, 0", "0", "0.3", "0.574", "× wrong"],
        ["1, 1", "1", "1.3", "0.786", "right"],
    ]
    assert tab.locator(".curves-picture .wrong").count() == 1


def test_the_table_of_the_flowers_counts_them_by_species(open_widget):
    tab = open_widget("one-light.html#neuron=setosa-versicolor,Step,0,0,1")

    rows = [row.split("\t") for row in tab.locator(".bench-neuron tbody tr").all_inner_texts()]

    assert rows == [["0: setosa", "0", "50"], ["1: versicolor", "50", "0"]]
    assert tab.inner_text(".bench-count") == "50 of 100 right, 50 wrong"
    assert tab.locator(".curves-picture .wrong").count() == 50
    assert tab.locator(".curves-picture .member").count() == 50


def test_no_activation_moves_the_line_or_the_marks(open_widget):
    tab = open_widget("one-light.html#neuron=OR,Step,1.5,1,-1.2")

    lines, counts, scales = set(), set(), []
    for name in ACTIVATIONS:
        choose(tab, "activation", name)
        lines.add(tab.get_attribute(".curves-picture .decision", "d"))
        counts.add(tab.inner_text(".bench-count"))
        scales.append(tab.locator(".curves-picture > svg > text").all_text_contents()[-2:])

    assert len(lines) == 1
    assert counts == {"3 of 4 right, 1 wrong"}
    assert scales == [
        ["f(z) = 0", "1"],
        ["f(z) = 0", "1"],
        ["f(z) = −1", "1"],
        ["f(z) = 0", "3.8"],
        ["f(z) = −3.7", "3.8"],
    ]


def test_the_line_is_where_z_is_zero_and_the_arrow_stands_on_it_at_a_right_angle(open_widget):
    tab = open_widget("one-light.html#neuron=OR,Step,1.5,1,-1.2")

    line, arrow = (
        [float(x) for x in re.findall(r"-?[\d.]+", tab.get_attribute(f".curves-picture .{kind}", "d"))]
        for kind in ("decision", "arrow")
    )
    side = tab.eval_on_selector(".curves-picture > svg > svg", "e => e.width.baseVal.value")

    def z(x, y):
        return 1.5 * (-1 + 3 * x / side) + (2 - 3 * y / side) - 1.2

    assert abs(z(*line[:2])) < 0.01
    assert abs(z(*line[2:])) < 0.01
    assert abs(z(*arrow[:2])) < 0.01
    assert z(*arrow[2:4]) > 0.3  # towards class 1
    along = [line[2] - line[0], line[3] - line[1]]
    up = [arrow[2] - arrow[0], arrow[3] - arrow[1]]
    assert abs(along[0] * up[0] + along[1] * up[1]) < 0.01 * side * 42


def test_the_sliders_follow_the_keyboard(open_widget):
    tab = open_widget("one-light.html#neuron=AND,Step,1,1,-1.2")
    bias = tab.get_by_role("slider", name="b", exact=False).last
    bias.focus()

    tab.keyboard.press("ArrowLeft")
    nudged = numbers(tab)
    tab.keyboard.press("Home")

    assert nudged == [1, 1, -1.3]
    assert numbers(tab) == [1, 1, -6]
    assert bias.get_attribute("aria-valuetext") == "−6"
    assert "outside the picture" in tab.inner_text(".bench-formula")


def test_a_perceptron_step_says_what_it_did_and_marks_the_point(open_widget):
    tab = open_widget("one-light.html#neuron=AND,Step,1,1,-0.5")

    button(tab, "perceptron step").click()

    assert numbers(tab) == [1, 0, -1.5]
    said = tab.inner_text(".bench-said")
    assert said == (
        "Point (0, 1) of class 0 was on the wrong side: it is taken from w, and 1 from b. 1 correction so far."
    )
    assert tab.locator(".curves-picture .used").count() == 1
    # It speaks half a second after the last change, and on a slow machine has spoken of the start already.
    tab.wait_for_function(
        "document.querySelector('.bench-neuron > [aria-live]').textContent.startsWith('3 of 4')"
    )
    spoken = tab.text_content(".bench-neuron > [aria-live]")
    assert spoken == f"3 of 4 right. z = 1 x₁ + 0 x₂ − 1.5. {said}"


def test_the_rule_ends_on_and_and_never_on_xor(open_widget):
    tab = open_widget()

    button(tab, "start at zero").click()
    zero = numbers(tab), tab.inner_text(".bench-formula")
    button(tab, "run 100 steps").click()
    ended = tab.inner_text(".bench-count"), tab.inner_text(".bench-said")
    button(tab, "perceptron step").click()
    again = tab.inner_text(".bench-said")
    choose(tab, "points", "XOR")
    silent = tab.inner_text(".bench-said")
    button(tab, "start at zero").click()
    button(tab, "run 100 steps").click()
    button(tab, "run 100 steps").click()

    assert zero[0] == [0, 0, 0]
    assert "w is zero" in zero[1]
    many = len(rule([0, 0, 0], neuron_points()["AND"]["points"], [0, 0, 0, 1], 100))
    assert ended == (
        "4 of 4 right",
        f"{many} corrections, then all points were on their side. {many} corrections so far.",
    )
    assert again == "All points are on their side: nothing to correct."
    assert silent == ""
    assert "4 of 4" not in tab.inner_text(".bench-count")
    assert tab.inner_text(".bench-said").startswith(
        "100 corrections, and there is still something to correct."
    )
    assert tab.inner_text(".bench-said").endswith("200 corrections so far.")


def test_the_buttons_follow_the_keyboard(open_widget):
    tab = open_widget("one-light.html#neuron=OR,Step,0,0,0")
    button(tab, "run 100 steps").focus()

    tab.keyboard.press("Enter")

    assert tab.inner_text(".bench-count") == "4 of 4 right"


@pytest.mark.parametrize(
    "nonsense",
    [
        "neuron=x,y,z",
        "neuron=AND,GELU,999,-999,1e5",
        "neuron=",
        "neuron",
        "neuron=OR,Step,,,",
        "neuron=__proto__,toString,1,1,1",
    ],
)
def test_a_nonsense_address_shows_what_there_is(open_widget, nonsense):
    tab = open_widget(f"one-light.html#{nonsense}")

    assert "of 4 right" in tab.inner_text(".bench-count")
    assert not re.search("NaN|undefined", tab.inner_html(".bench-neuron"))
    assert tab.record.errors == []


def seen(tab):
    """The text of the widget without what is only said aloud, and without what only this visit knows."""
    return text_without(tab, ".bench-neuron", "[aria-live], .bench-said")


@both_schemes
def test_the_address_reproduces_what_is_seen(open_widget, open_again, scheme):
    tab = open_widget(scheme=scheme)
    choose(tab, "points", "versicolor-virginica")
    choose(tab, "activation", "Tanh")
    button(tab, "run 100 steps").click()
    tab.wait_for_function(
        "/^#neuron=versicolor-virginica,Tanh,(?!1,)/.test(location.hash)"
    )  # after all steps

    again = open_again(tab)

    assert seen(again) == seen(tab)


def test_two_benches_on_a_page_keep_apart(open_widget):
    tab = open_widget("two-light.html#neuron=OR,Step,1,1,-1.5&neuron2=AND,Step,1,1,-1.5")
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")

    button(tab, "perceptron step").nth(0).click()
    tab.wait_for_function("location.hash === '#neuron=OR,Step,1,2,-0.5&neuron2=AND,Step,1,1,-1.5'")

    assert tab.locator(".bench-count").all_inner_texts() == ["4 of 4 right", "4 of 4 right"]
    assert numbers(tab) == [1, 2, -0.5, 1, 1, -1.5]


@pytest.mark.parametrize(("width", "height"), [(320, 640), (360, 740), (768, 900), (1500, 900)])
@pytest.mark.parametrize("points", ["AND", "versicolor-virginica"])
def test_it_fits_every_screen_and_every_finger(open_widget, width, height, points):
    tab = open_widget(
        f"one-light.html#neuron={points},Sigmoid,-1.234,1.234,-1.234", width=width, height=height
    )

    sizes = sizes_of(tab, ".bench-neuron :is(button, select, input)")
    letters = letters_of(tab, ".bench-neuron svg text")

    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24
    assert min(letters) >= 11


@pytest.mark.parametrize("theme", THEMES)
def test_classes_and_wrong_ones_differ_in_shape_and_stand_out(open_widget, theme):
    tab = open_widget(f"one-{theme}.html", theme=theme)
    back, _ = THEMES[theme]

    shapes = {
        kind: tab.eval_on_selector(f".curves-picture .{kind}", "e => [e.tagName, getComputedStyle(e).stroke]")
        for kind in ("member", "stranger", "wrong")
    }
    band = tab.eval_on_selector(".band", "e => [getComputedStyle(e).fill, getComputedStyle(e).fillOpacity]")

    assert [shape for shape, _ in shapes.values()] == ["rect", "circle", "path"]
    assert contrast(shapes["stranger"][1], back) >= 3
    # The deepest colour: ten bands, one over the other.
    depth = 1 - (1 - float(band[1])) ** 10
    over = [
        depth * float(c) + (1 - depth) * int(back[i : i + 2], 16)
        for c, i in zip(re.findall(r"[\d.]+", band[0]), (1, 3, 5), strict=True)
    ]
    deepest = f"rgb({over[0]}, {over[1]}, {over[2]})"
    assert contrast(shapes["stranger"][1], deepest) >= 3
    assert contrast(deepest, back) >= 1.8  # light and dark differ in grey as well


def test_it_repaints_within_a_tenth_of_a_second(open_widget):
    tab = open_widget("one-light.html#neuron=versicolor-virginica,Sigmoid,1,1,0")

    assert repaint_milliseconds(tab, "w1") <= 100


def test_in_a_live_notebook_both_sides_hear_each_other_until_the_widget_goes(live):
    story = live(
        sets={"points": "OR", "b": -1.5},
        shows=".bench-count",
        does=[["click", "[data-do=step]"]],
        keeps=["w1", "w2", "b"],
    )

    assert story["shown"] == "2 of 4 right, 2 wrong"  # by hand: (0, 1) and (1, 0) lie below
    assert story["saved"] == [[1, 2, -0.5]]
    assert story["listened"] > 0
    assert story["left"] == 0
    assert story["still"]


@both_schemes
def test_the_bench_of_the_chapter_lives(open_chapter, scheme):
    tab = open_chapter(CHAPTER, "// The neuron bench:", ".bench-count", scheme)

    button(tab, "start at zero").click()
    button(tab, "run 100 steps").click()

    assert "right" in tab.inner_text(".bench-count")
    assert tab.record.trouble == []
