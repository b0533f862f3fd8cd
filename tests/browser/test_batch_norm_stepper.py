"""The batch-norm stepper in a browser: its numbers against torch, and steps, dragging, matrix, address, screens."""

import re

import pytest
import torch
from torch import nn

from labs.seeds import make_generator
from labs.widgets import BatchNormStepper
from tests.browser.looks import places_of
from tests.browser.widget_pages import THEMES, contrast, repaint_milliseconds

CHAPTER = "book/13-regularisation.html"
START = "20_40_40_40_50_50_70_90"
LIVE = "document.querySelector('.bn [aria-live]').textContent"
both_schemes = pytest.mark.parametrize("scheme", ["http", "file"])


@pytest.fixture(scope="module")
def widget():
    return BatchNormStepper()


def press(tab, name):
    tab.get_by_role("button", name=name, exact=True).click()


def column(tab, number):
    """What the table shows: 0 z, 1 normalised, 2 output, 3 gradient that arrives, 4 gradient backwards."""
    cells = tab.locator(f".bn-numbers tbody td:nth-child({number + 2})").all_inner_texts()
    return [cell if cell == "?" else float(cell.replace("−", "-")) for cell in cells]


def verdicts(tab):
    return [text == "the same" for text in tab.locator(".bn-verdict td").all_inner_texts()]


def middle(tab, number):
    box = tab.locator(".bn-point .dot").nth(number).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def by_torch(z, gamma, beta, g, mode, batches):
    stepper = BatchNormStepper(gamma=gamma, beta=beta, mode=mode, batches=batches)
    layer, z = stepper.layer(), torch.tensor(z, dtype=torch.float64, requires_grad=True)
    y = layer(z[:, None])[:, 0]
    back, for_gamma, for_beta = torch.autograd.grad(
        y, [z, layer.weight, layer.bias], torch.tensor(g, dtype=torch.float64)
    )
    return [y.tolist(), back.tolist(), for_gamma.item(), for_beta.item()]


# --- The numbers --------------------------------------------------------------------------------------


def test_both_passes_in_both_modes_are_those_of_torch_at_many_points(javascript):
    draw = make_generator(0)
    cases = []
    for number in range(150):
        z = (40 * torch.rand(8, generator=draw, dtype=torch.float64) - 10).tolist()
        g = torch.randn(8, generator=draw, dtype=torch.float64).tolist()
        gamma, beta = (4 * torch.rand(2, generator=draw, dtype=torch.float64) - 2).tolist()
        cases.append([z, gamma, beta, g, ("training", "eval")[number % 2], number % 8])
    cases.append([[5.0] * 8, 1.0, 0.5, [1.0] + [0.0] * 7, "training", 0])  # no spread: the epsilon is all

    found = javascript(
        """({ compute, running }, [start, cases]) => cases.map(([z, gamma, beta, g, mode, k]) => {
            const n = compute(z, gamma, beta, g, mode === "eval" ? running(start, k) : null);
            return [n.y, n.back, n.forGamma, n.forBeta];
        })""",
        [BatchNormStepper().data["values"], cases],
    )

    assert 8 * len(cases) >= 1000
    for case, numbers in zip(cases, found, strict=True):
        for ours, theirs in zip(numbers, by_torch(*case), strict=True):
            assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)


def test_the_three_norms_are_those_of_torch(javascript):
    matrices = 10 * torch.randn(40, 4, 3, generator=make_generator(1), dtype=torch.float64)
    layers = {
        "batch": nn.BatchNorm1d(3, dtype=torch.float64),
        "layer": nn.LayerNorm(3, dtype=torch.float64),
        "RMS": nn.RMSNorm(3, eps=1e-5, dtype=torch.float64),
    }

    found = javascript(
        "({ normalise }, [all, names]) => names.map((name) => all.map((one) => normalise(one, name)))",
        [matrices.tolist(), list(layers)],
    )

    assert 3 * matrices.numel() >= 1000
    for layer, ours in zip(layers.values(), found, strict=True):
        expected = torch.stack([layer(one) for one in matrices])
        assert torch.allclose(torch.tensor(ours, dtype=torch.float64), expected, rtol=0, atol=1e-9)


# --- The page -----------------------------------------------------------------------------------------


@both_schemes
def test_it_mounts_alone_and_in_silence(open_widget, scheme):
    tab = open_widget(scheme=scheme)

    assert column(tab, 0) == [2, 4, 4, 4, 5, 5, 7, 9]
    assert [column(tab, i) for i in (1, 2, 3, 4)] == [["?"] * 8] * 4
    assert tab.locator(".bn-matrix").first.is_hidden()
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.locator(".bn [id]").count() == 0
    assert tab.record.trouble == []


def test_eight_steps_tell_what_they_do_and_fill_the_table(open_widget):
    tab = open_widget()
    tab.get_by_role("button", name="Next step").focus()
    story, unknown = [], []

    for _ in range(8):
        tab.keyboard.press("Enter")
        story.append(tab.inner_text(".bn-rule"))
        unknown.append(sum(column(tab, i).count("?") for i in range(5)))

    assert "m = 5." in story[0]
    assert "v = 4, and s = √(v + ε) = 2." in story[1]
    assert "mean is 0 and the variance 1." in story[2]
    assert "β gets Σg = 1, and γ gets Σgẑ = −1.5." in story[4]
    assert story[7].endswith(
        "Example 1 gets 0.297; of the other seven, 2 get a positive gradient and 5 a negative one."
    )
    assert unknown == [32, 32, 24, 16, 8, 0, 0, 0]
    z = [2.0, 4, 4, 4, 5, 5, 7, 9]
    y, back, *_ = by_torch(z, 1.0, 0.0, [1.0] + [0.0] * 7, "training", 0)
    assert column(tab, 2) == pytest.approx(y, abs=6e-4)
    assert column(tab, 4) == pytest.approx(back, abs=6e-4)
    assert tab.evaluate("document.activeElement.dataset.do") == "next"
    tab.wait_for_function(f"{LIVE}.startsWith('Step 8 of 8.')")
    press(tab, "Step back")
    assert tab.inner_text(".bn-rule").startswith("Step 7 of 8.")


def test_in_eval_mode_the_others_get_nothing_and_running_statistics_come_slowly(open_widget):
    tab = open_widget(f"one-light.html#norm=steps,{START},1,0,training,10,1,8")
    training = column(tab, 4)

    tab.locator("select[name=mode]").select_option("eval")

    expected = by_torch([2.0, 4, 4, 4, 5, 5, 7, 9], 1.0, 0.0, [1.0] + [0.0] * 7, "eval", 10)
    assert 0 not in training
    assert column(tab, 2) == pytest.approx(expected[0], abs=6e-4)
    assert column(tab, 4) == pytest.approx(expected[1], abs=6e-4)
    assert column(tab, 4).count(0) == 7
    assert tab.inner_text(".bn-rule").endswith("the other seven get nothing.")


def test_gradients_at_all_examples_cancel(open_widget):
    tab = open_widget(f"one-light.html#norm=steps,{START},1,0,training,10,all,8")

    assert column(tab, 4) == [0] * 8
    assert "to move the whole batch changes nothing" in tab.inner_text(".bn-rule")


def test_the_mouse_moves_a_number_and_the_others_close_up(open_widget):
    tab = open_widget(f"one-light.html#norm=steps,{START},1,0,training,10,1,4")
    x, y = middle(tab, 7)

    tab.mouse.move(x + 2, y - 2)
    tab.mouse.down()
    tab.mouse.move(x + 60, y, steps=3)
    tab.mouse.move(x + 500, y + 40, steps=3)
    tab.mouse.up()
    tab.mouse.move(x, y)

    assert column(tab, 0) == [2, 4, 4, 4, 5, 5, 7, 30]
    assert max(column(tab, 1)[:7]) < 0 < 2.5 < column(tab, 1)[7]
    assert tab.record.errors == []


def test_a_finger_moves_a_number_and_the_page_stays(open_widget):
    tab = open_widget(width=360, height=740, has_touch=True, is_mobile=True)
    tab.locator(".bn-point").nth(2).scroll_into_view_if_needed()
    (x, y), at, client = middle(tab, 2), tab.evaluate("scrollY"), tab.context.new_cdp_session(tab)

    def touch(kind, *points):
        points = [{"x": a, "y": b} for a, b in points]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (x, y))
    for far in (15, 30, 45, 60):
        touch("touchMove", (x + far, y))
    touch("touchEnd")

    tab.wait_for_function(
        "Number(document.querySelectorAll('.bn-point')[2].getAttribute('aria-valuenow')) > 10"
    )
    assert tab.evaluate("scrollY") == at


def test_arrow_keys_move_a_number_and_it_stays_in_the_picture(open_widget):
    tab = open_widget()
    point = tab.get_by_role("slider", name="Number 5")
    point.focus()

    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowLeft"):
        tab.keyboard.press(key)
    moved = point.get_attribute("aria-valuetext")
    tab.keyboard.press("End")
    tab.keyboard.press("ArrowUp")

    assert moved == "1"
    assert column(tab, 0)[4] == 30
    press(tab, "Put the numbers back")
    assert column(tab, 0)[4] == 5


def test_each_change_of_the_matrix_is_noticed_by_its_norms(open_widget):
    tab = open_widget()
    tab.locator("select[name=view]").select_option("matrix")
    found = {}

    for name in (
        "Example 1 plus 4",
        "Example 1 times 2",
        "Unit 1 plus 4",
        "Unit 1 times 2",
        "All plus 4",
        "All times 2",
    ):
        press(tab, name)
        found[name] = verdicts(tab)  # the same to batch, layer, RMS?
        press(tab, "Put the matrix back")

    assert found == {
        "Example 1 plus 4": [False, True, False],
        "Example 1 times 2": [False, True, True],
        "Unit 1 plus 4": [True, False, False],
        "Unit 1 times 2": [True, False, False],
        "All plus 4": [True, True, False],
        "All times 2": [True, True, True],
    }
    assert tab.locator(".bn-rule").is_hidden()
    tab.wait_for_function(f"{LIVE} === 'batch: the same; layer: the same; RMS: the same'")


def test_a_number_of_the_matrix_can_be_typed_and_the_norm_chosen(open_widget):
    tab = open_widget("one-light.html#norm=matrix")
    cell = tab.get_by_role("spinbutton", name="example 4, unit 2")
    before = tab.locator(".bn-output tr").first.inner_text()

    cell.fill("20")
    neighbour = tab.locator(".bn-output tr").first.inner_text()
    tab.locator("select[name=norm]").select_option("layer")
    alone = tab.locator(".bn-output tr").first.inner_text()
    cell.fill("1000")
    cell.press("Tab")

    assert neighbour != before  # with batch normalisation an example changes when its neighbours do
    assert alone != neighbour
    assert cell.input_value() == "20"
    tab.wait_for_function("location.hash.endsWith(',layer,10_40_-20_30_0_20_20_20_50_-20_200_30')")


@pytest.mark.parametrize(
    "nonsense",
    ["x,y,z", "steps,1_2,99,-99,sleep,1e9,12,77,group,9", "matrix,,,,,,,,,x_1_2_3_4_5_6_7_8_9_10_11"],
)
def test_a_nonsense_address_shows_what_there_is(open_widget, nonsense):
    tab = open_widget(f"one-light.html#norm={nonsense}")

    assert not re.search("NaN|undefined|Infinity", tab.inner_html(".bn"))
    assert tab.record.errors == []


def test_the_address_reproduces_what_is_seen_and_two_on_a_page_keep_apart(open_widget):
    both = "document.querySelectorAll('[data-mounted=yes]').length === 2"
    tab = open_widget(
        f"two-light.html#norm=steps,{START},1,0,training,5,1,2&norm2=steps,{START},2,1,eval,7,2,8",
        scheme="http",
    )
    tab.wait_for_function(both)

    tab.locator(".bn-point").nth(8).focus()
    tab.keyboard.press("ArrowRight")
    tab.wait_for_function("location.hash.includes('norm2=steps,25_40_')")
    seen = tab.locator(".bn-rule").all_inner_texts() + tab.locator(".bn-numbers").all_inner_texts()
    tab.reload()
    tab.wait_for_function(both)

    assert seen[0].startswith("Step 2 of 8.")
    assert tab.locator(".bn-rule").all_inner_texts() + tab.locator(".bn-numbers").all_inner_texts() == seen


@pytest.mark.parametrize("width", [320, 900])
def test_it_fits_every_screen_and_every_finger(open_widget, width):
    tab = open_widget("one-light.html#norm=steps,-100_40_40_40_50_50_70_300,-2,-1.75,eval,3,1,8", width=width)
    views = []

    for view in ("steps", "matrix"):
        tab.locator("select[name=view]").select_option(view)
        sizes = tab.eval_on_selector_all(
            ".bn :is(button, select, input, .bn-hand)",
            "all => all.map(e => e.getBoundingClientRect()).filter(r => r.width).map(r => Math.min(r.width, r.height))",
        )
        views.append([min(sizes), tab.evaluate("document.documentElement.scrollWidth")])
    tab.locator("select[name=view]").select_option("steps")
    letters = places_of(tab, ".bn svg text")

    assert all(smallest >= 24 and scroll <= width for smallest, scroll in views)
    assert min(left for left, _, _ in letters) >= 0
    assert max(right for _, right, _ in letters) <= width
    assert min(height for _, _, height in letters) >= 11


def test_marks_stand_out_in_both_themes_and_differ_without_colour(open_widget):
    for theme, (back, _) in THEMES.items():
        tab = open_widget(f"one-{theme}.html#norm=steps,{START},1,0,training,10,1,8", theme=theme)

        dot, bar, quiet = (
            tab.eval_on_selector(f".bn {selector}", f"e => getComputedStyle(e).{what}")
            for selector, what in ((".dot.one", "fill"), (".bn-bar", "stroke"), (".bn-note", "color"))
        )

        assert min(contrast(dot, back), contrast(bar, back)) >= 3
        assert contrast(quiet, back) >= 4.5
        assert tab.locator(".bn-back path.dot.two").count() == 2  # diamonds, where the gradient arrives


def test_it_repaints_within_a_tenth_of_a_second(open_widget):
    tab = open_widget(f"one-light.html#norm=steps,{START},-2,0,training,10,1,8")

    assert repaint_milliseconds(tab, "gamma") <= 100


def test_in_a_live_notebook_both_sides_hear_each_other_until_the_widget_goes(live):
    story = live(
        sets={"gamma": -1.5},
        shows="[name=gamma]",
        does=[["click", "[data-do=all]"]],
        keeps=["gamma", "step"],
    )

    assert story["shown"] == "-1.5"
    assert story["saved"] == [[-1.5, 8]]
    assert story["listened"] > 0
    assert story["left"] == 0
    assert story["still"]


def test_the_stepper_of_the_chapter_lives(open_chapter):
    tab = open_chapter(CHAPTER, "// The batch-norm stepper:", ".bn")

    press(tab, "All steps")

    assert "?" not in column(tab, 4)
    assert tab.record.trouble == []
