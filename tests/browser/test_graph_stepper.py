"""The graph stepper in a browser: its numbers against torch, and buttons, sliders, themes, screens."""

import random
import re

import pytest
import torch

from labs.autograd import Value
from labs.widgets import GraphStepper
from tests.browser.looks import letters_of, sizes_of
from tests.browser.widget_pages import THEMES, contrast, repaint_milliseconds

CHAPTER = "book/10-backpropagation.html"
NODES = "xyzwpqmf"
LIVE = "document.querySelector('.stepper [aria-live]').textContent"
both_schemes = pytest.mark.parametrize("scheme", ["http", "file"])


@pytest.fixture(scope="module")
def widget():
    return GraphStepper()


def button(tab, name):
    return tab.get_by_role("button", name=name)


def shown(tab, kind):
    """What the boxes show: ``"value"`` or ``"gradient"``, in the order of NODES."""
    found = tab.eval_on_selector_all(
        f".stepper svg .{kind}", "all => all.map(e => [e.dataset.of, e.textContent])"
    )
    assert "".join(name for name, _ in found) == NODES
    return [text for _, text in found]


def written(numbers):
    return [f"{number:g}".replace("-", "−") for number in numbers]


# --- The numbers --------------------------------------------------------------------------------------


def graph(inputs, maximum):
    x, y, z, w = inputs
    p, q = x * y, maximum(z, w)
    m = p + q
    return {"x": x, "y": y, "z": z, "w": w, "p": p, "q": q, "m": m, "f": m**2}


def by_torch(inputs):
    leaves = [torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in inputs]
    nodes = graph(leaves, torch.maximum)
    gradients = torch.autograd.grad(nodes["f"], list(nodes.values()))
    return [node.item() for node in nodes.values()], [gradient.item() for gradient in gradients]


def by_labs(inputs):
    nodes = graph([Value(number) for number in inputs], Value.maximum)
    nodes["f"].backward()
    return [node.data for node in nodes.values()], [node.grad for node in nodes.values()]


def test_values_and_gradients_are_those_of_torch_and_of_the_chapter(javascript):
    chance = random.Random(1)
    anywhere = [[chance.uniform(-8, 8) for _ in range(4)] for _ in range(1000)]
    whole = [[float(chance.randint(-3, 3)) for _ in range(4)] for _ in range(1000)]
    ties = sum(z == w for _, _, z, w in whole)
    flat = sum(x * y + max(z, w) == 0 for x, y, z, w in whole)
    code = """({ compute }, [nodes, all]) => all.map(([x, y, z, w]) => {
        const { values, gradients } = compute({ x, y, z, w });
        return [[...nodes].map((name) => values[name]), [...nodes].map((name) => gradients[name])];
    })"""

    found = javascript(code, [NODES, anywhere + whole])

    assert ties > 100
    assert flat > 50
    for inputs, (values, gradients) in zip(anywhere + whole, found, strict=True):
        for wanted_values, wanted_gradients in (by_torch(inputs), by_labs(inputs)):
            assert values == pytest.approx(wanted_values, rel=1e-12, abs=1e-12)
            assert gradients == pytest.approx(wanted_gradients, rel=1e-12, abs=1e-12)


def test_numbers_are_written_in_full_and_fit_their_box(javascript):
    numbers = [0, -0.0, -6, 0.5, 5005.5625, -1046.25, -1 / 3, 1e-9, -1138.123456]

    found = javascript("({ write }, all) => all.map(write)", numbers)

    assert found == ["0", "0", "−6", "0.5", "5005.5625", "−1046.25", "−0.3333", "0", "−1138.12"]


# --- The page -----------------------------------------------------------------------------------------


@both_schemes
def test_it_mounts_alone_and_in_silence(open_widget, scheme):
    tab = open_widget(scheme=scheme)

    assert shown(tab, "value") == ["4", "−2", "5", "−1", "?", "?", "?", "?"]
    assert shown(tab, "gradient") == ["?"] * 8
    assert tab.locator("select[name=preset]").input_value() == "the chapter's"
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.locator(".stepper [id]").count() == 0
    assert tab.record.trouble == []


def test_nine_steps_tell_the_rule_and_show_the_numbers_one_by_one(open_widget):
    tab = open_widget()
    story, unknown = [], []

    for name in ["forward step"] * 4 + ["backward step"] * 5:
        button(tab, name).click()
        story.append(tab.inner_text(".stepper-rule"))
        unknown.append((shown(tab, "value") + shown(tab, "gradient")).count("?"))

    assert [re.sub(r"Step (\d) of 9\. ", r"\1: ", line) for line in story] == [
        "1: The product: p = 4 · (−2) = −8.",
        "2: The maximum takes the larger one, z: q = 5.",
        "3: The sum: m = −8 + 5 = −3.",
        "4: The square: f = (−3)² = 9. All values are known, and kept for the way back.",
        "5: The way back begins with the derivative of f with respect to itself: 1.",
        "6: The square passes on its gradient times its slope 2m: to m, 1 · 2 · (−3) = −6.",
        "7: The sum hands its gradient to both, unchanged: −6 to p and −6 to q.",
        "8: The product passes to each its gradient times the other input: "
        "to x, −6 · (−2) = 12; to y, −6 · 4 = −24.",
        "9: The maximum sends its gradient to the larger one, z, which gets −6; w gets 0.",
    ]
    assert unknown == [11, 10, 9, 8, 7, 6, 4, 2, 0]
    assert shown(tab, "value") == written([4, -2, 5, -1, -8, 5, -3, 9])
    assert shown(tab, "gradient") == written([12, -24, -6, 0, -6, -6, -6, 1])
    result = "f = 9; its derivatives: x 12, y −24, z −6, w 0."
    assert tab.inner_text(".stepper-next").endswith(result)
    assert "x: value 4, derivative 12" in tab.get_attribute(".stepper svg", "aria-label")
    # It speaks half a second after the last change, and on a slow machine of earlier ones before.
    tab.wait_for_function(f"{LIVE}.startsWith('Step 9 of 9.') && {LIVE}.endsWith('{result}')")


def test_a_button_out_of_turn_says_why_and_does_nothing(open_widget):
    tab = open_widget()  # forced: the buttons say that they are disabled, and answer

    button(tab, "backward step").click(force=True)
    early = tab.inner_text(".stepper-rule"), shown(tab, "gradient")
    button(tab, "all steps").click()
    button(tab, "forward step").click(force=True)
    late = tab.inner_text(".stepper-rule")
    button(tab, "backward step").click(force=True)
    end = tab.inner_text(".stepper-rule")
    button(tab, "reset").click()

    assert early[0].startswith("Not yet")
    assert early[1] == ["?"] * 8
    assert late == "All values are known: the forward pass is over."
    assert end == "All derivatives are known: the backward pass is over."
    assert shown(tab, "value")[4:] == ["?"] * 4


def test_a_tie_and_a_flat_point_are_told(open_widget):
    tab = open_widget("one-light.html#graph=4,-2,5,-1,9")

    tab.locator("select[name=preset]").select_option("a tie, z = w")
    tie = tab.inner_text(".stepper-rule"), shown(tab, "gradient")
    tab.locator("select[name=preset]").select_option("a flat point, m = 0")
    flat = shown(tab, "gradient")
    button(tab, "reset").click()
    for name in ["forward step"] * 4 + ["backward step"] * 2:
        button(tab, name).click()

    assert tie[0].endswith("By the convention of torch.maximum each gets half: −6 · 0.5 = −3.")
    assert tie[1][2:4] == ["−3", "−3"]
    assert flat == ["0"] * 7 + ["1"]
    assert tab.inner_text(".stepper-rule").endswith(
        "With m = 0 the slope is 0, and nothing is left to pass on."
    )


def test_a_slider_follows_the_keyboard_and_what_changes_is_marked(open_widget):
    tab = open_widget("one-light.html#graph=4,-2,5,-1,9")
    slider = tab.get_by_role("slider", name="w =")
    slider.focus()

    tab.keyboard.press("ArrowRight")
    marked = tab.eval_on_selector_all(".fresh", "all => all.map(e => e.dataset.of)")
    preset = tab.locator("select[name=preset]").input_value()
    tab.keyboard.press("End")

    assert marked == ["w"]  # the smaller one: nothing else depends on it
    assert preset == "your own"
    assert slider.get_attribute("aria-valuetext") == "8"
    assert shown(tab, "value")[3:6] == ["8", "−8", "8"]
    assert shown(tab, "gradient") == ["0"] * 7 + ["1"]


def test_the_buttons_follow_the_keyboard_and_keep_the_focus(open_widget):
    tab = open_widget()
    button(tab, "forward step").focus()

    for _ in range(5):
        tab.keyboard.press("Enter")

    assert shown(tab, "value")[-1] == "9"
    assert tab.evaluate("document.activeElement.dataset.do") == "forth"
    assert button(tab, "forward step").get_attribute("aria-disabled") == "true"


@pytest.mark.parametrize("nonsense", ["99,-99,999,1e5,77", "x,y,z,w,v", "", "1.25,,,,2.5"])
def test_a_nonsense_address_shows_what_there_is(open_widget, nonsense):
    tab = open_widget(f"one-light.html#graph={nonsense}")

    assert len(shown(tab, "value")) == 8
    assert not re.search("NaN|undefined", tab.inner_html(".stepper"))
    assert tab.record.errors == []


def test_the_address_reproduces_what_is_seen_and_two_on_a_page_keep_apart(open_widget):
    tab = open_widget("two-light.html#graph=1,1,1,1,0&graph2=2,3,1,0,5", scheme="http")
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")

    button(tab, "backward step").nth(1).click()
    tab.locator("[name=x]").nth(1).focus()
    tab.keyboard.press("ArrowLeft")
    tab.wait_for_function("location.hash === '#graph=1,1,1,1,0&graph2=1.5,3,1,0,6'")
    rules = tab.locator(".stepper-rule").all_inner_texts()
    tab.reload()
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")

    assert rules[0] == "The four inputs are known, and nothing else."
    assert rules[1].endswith("to m, 1 · 2 · 5.5 = 11.")
    assert tab.locator(".stepper-rule").all_inner_texts() == rules


@pytest.mark.parametrize(("width", "height"), [(320, 640), (768, 900)])
def test_it_fits_every_screen_and_every_finger(open_widget, width, height):
    options = {"has_touch": True, "is_mobile": True} if width < 400 else {}
    tab = open_widget(
        "one-light.html#graph=-7.5,-8,-7.5,-8,8", width=width, height=height, **options
    )  # the longest numbers
    press = button(tab, "backward step")
    press.tap() if options else press.click()

    sizes = sizes_of(tab, ".stepper :is(button, select, input)")
    letters = letters_of(tab, ".stepper svg text")
    texts, boxes = (
        tab.eval_on_selector_all(selector, "all => all.map(e => e.getBBox()).map(b => b.width)")
        for selector in (".stepper svg :is(.value, .gradient)", ".stepper .node")
    )

    assert tab.inner_text(".stepper-rule").startswith("Step 9 of 9.")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24
    assert min(letters) >= 11
    assert max(texts) <= min(boxes)


@pytest.mark.parametrize("theme", THEMES)
def test_both_directions_stand_out_and_differ_without_colour(open_widget, theme):
    tab = open_widget(f"one-{theme}.html#graph=4,-2,5,-1,7", theme=theme)
    back, _ = THEMES[theme]

    value, gradient = (
        tab.eval_on_selector(
            f".stepper svg .{kind}[data-of=f]",
            "e => [getComputedStyle(e).fill, getComputedStyle(e).fontStyle]",
        )
        for kind in ("value", "gradient")
    )
    forth, returned = (
        tab.eval_on_selector(
            f".arrow.{kind} path", "e => [getComputedStyle(e).stroke, getComputedStyle(e).strokeDasharray]"
        )
        for kind in ("forth", "back")
    )
    quiet = tab.eval_on_selector(".stepper-legend", "e => getComputedStyle(e).color")

    assert min(contrast(colour, back) for colour in (value[0], gradient[0], quiet)) >= 4.5
    assert min(contrast(colour, back) for colour in (forth[0], returned[0])) >= 3
    assert (value[1], gradient[1]) == ("normal", "italic")
    assert forth[1] == "none" != returned[1]


def test_it_repaints_within_a_tenth_of_a_second(open_widget):
    tab = open_widget("one-light.html#graph=-8,-2,5,-1,9")

    assert repaint_milliseconds(tab, "x") <= 100


def test_in_a_live_notebook_both_sides_hear_each_other_until_the_widget_goes(live):
    story = live(
        sets={"x": 3},
        shows="[name=x]",
        does=[["click", "[data-do=all]"]],
        keeps=["x", "w", "step"],
    )

    assert story["shown"] == "3"
    assert story["saved"] == [[3, -1, 9]]
    assert story["listened"] > 0
    assert story["left"] == 0
    assert story["still"]


def test_the_stepper_of_the_chapter_lives(open_chapter):
    tab = open_chapter(CHAPTER, "// The graph stepper:", ".stepper-rule")

    button(tab, "all steps").click()

    assert "?" not in shown(tab, "value") + shown(tab, "gradient")
    assert tab.record.trouble == []
