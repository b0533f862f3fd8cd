"""The scores and losses in a browser: their numbers against torch, and fields, keys, address, themes, screens."""

import math
import re

import pytest
import torch
from torch.nn import functional as F

from labs.widgets import ScoreLosses
from tests.browser.looks import places_of, sizes_of, styles_of
from tests.browser.widget_pages import THEMES, contrast, repaint_milliseconds

CHAPTER = "book/02-losses.html"
both_schemes = pytest.mark.parametrize("scheme", ["http", "file"])
COMPUTED = """(m, cases) => cases.map(([scores, y, t]) => [
    ...m.softmax(scores, t), m.crossEntropy(scores, y, t), ...m.crossEntropySlopes(scores, y, t),
    ...m.hingeTerms(scores, y), ...m.hingeSlopes(scores, y)])"""


@pytest.fixture(scope="module")
def widget():
    return ScoreLosses()


def numbers_of(tab):
    """Hinge loss and cross-entropy as they are written."""
    return tab.inner_text(".sl-hinge"), tab.inner_text(".sl-entropy")


def rows(tab):
    return [row.split("\t") for row in tab.locator(".sl tbody tr").all_inner_texts()]


def type_into(tab, name, text):
    field = tab.locator(f"input[name={name}]")
    field.fill(text)
    field.press("Enter")


# --- The numbers --------------------------------------------------------------------------------------


def test_everything_is_what_torch_computes_even_far_out(javascript):
    torch.manual_seed(0)
    small = 4 * torch.randn(800, 3, dtype=torch.float64)
    large = 2000 * torch.rand(800, 3, dtype=torch.float64) - 1000
    ends = torch.cartesian_prod(*[torch.tensor([-1000.0, 0.0, 999.0, 1000.0])] * 3).double()
    scores = torch.cat([small, large, ends])
    label = torch.arange(len(scores)) % 3
    temperature = torch.tensor([1.0, 0.05, 0.7, 20.0], dtype=torch.float64).repeat(len(scores))[: len(scores)]
    cases = [list(case) for case in zip(scores.tolist(), label.tolist(), temperature.tolist(), strict=True)]

    found = torch.tensor(javascript(COMPUTED, cases), dtype=torch.float64)
    p, entropy, slopes, terms, flat = found.split([3, 1, 3, 3, 3], dim=1)

    scores.requires_grad_()
    scaled = scores / temperature[:, None]
    expected = F.cross_entropy(scaled, label, reduction="none")
    (gradient,) = torch.autograd.grad(expected.sum(), scores)
    # torch divides the sum of the terms by the number of classes
    hinge = 3 * torch.stack([F.multi_margin_loss(s, y) for s, y in zip(scores, label, strict=True)])
    (hinge_gradient,) = torch.autograd.grad(hinge.sum(), scores)
    own = torch.arange(3) == label[:, None]
    kink = ((scores - scores.gather(1, label[:, None]) + 1).abs() < 1e-12).any(dim=1)
    assert len(cases) >= 1600
    assert torch.isfinite(found).all()
    assert torch.allclose(p, scaled.softmax(dim=1), rtol=1e-9, atol=1e-15)
    # torch takes the true score from a sum of up to 40 000, whose last digit is 7e-12
    assert torch.allclose(entropy[:, 0], expected, rtol=1e-9, atol=1e-10)
    assert torch.allclose(slopes, gradient, rtol=1e-9, atol=1e-13)
    assert torch.allclose(terms.sum(dim=1), hinge, rtol=1e-9, atol=1e-9)
    assert (terms[own] == 0).all()
    assert torch.allclose(flat[~kink], hinge_gradient[~kink])


def test_a_tiny_loss_keeps_its_digits(javascript):
    found = javascript("({ crossEntropy }) => crossEntropy([40, 0, 0], 0, 1)")

    assert found == pytest.approx(2 * math.exp(-40), rel=1e-9)
    assert javascript("(m) => m.crossEntropySlopes([40, 0, 0], 0, 1)[0]") == pytest.approx(-found, rel=1e-9)


@pytest.mark.parametrize(
    ("scores", "y", "expected"),
    [
        ([1000, 0, 0], 0, math.nan),
        ([0, 1000, 0], 0, math.inf),
        ([0, 700, 0], 0, 700),
        ([-1000, 0, 0], 0, math.inf),
    ],
)
def test_the_formula_as_it_stands_breaks_where_the_widget_says_so(javascript, scores, y, expected):
    found = javascript("({ naiveCrossEntropy }, [s, y]) => naiveCrossEntropy(s, y, 1)", [scores, y])

    assert found == pytest.approx(expected, nan_ok=True)


# --- The page -----------------------------------------------------------------------------------------


@both_schemes
def test_it_mounts_alone_and_in_silence(open_widget, scheme):
    tab = open_widget(scheme=scheme)

    assert numbers_of(tab) == ("3", "2.131")
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.record.trouble == []


def test_the_three_images_have_the_losses_of_torch(open_widget):
    tab = open_widget("one-light.html#scores=0,0,0,cat,1")
    images = {
        "image 1": ([3, 1, -2.5], "dog", "3"),
        "image 2": ([3, -5, 1.5], "cat", "0"),
        "image 3": ([1, 3.2, -5], "bird", "16.2"),
    }

    for name, (scores, label, hinge) in images.items():
        tab.get_by_role("button", name=name).click()

        y = torch.tensor(["cat", "dog", "bird"].index(label))
        entropy = F.cross_entropy(torch.tensor(scores, dtype=torch.float64), y).item()
        assert numbers_of(tab) == (hinge, f"{entropy:.4g}")
        assert tab.get_by_role("radio", name=label).is_checked()
        assert tab.locator("[aria-pressed=true]").inner_text().startswith(name)
        assert tab.locator("[aria-pressed=true]").count() == 1


def test_the_table_shows_each_term_and_both_slopes(open_widget):
    tab = open_widget("one-light.html#scores=1,3.2,-5,bird,1")

    cat, dog, bird = rows(tab)

    assert cat[1:3] == ["max(0, 1 − (−5) + 1) = 7", "1"]
    assert dog[1:3] == ["max(0, 3.2 − (−5) + 1) = 9.2", "1"]
    assert bird[:3] == ["bird ✓", "true class: no term", "−2"]
    assert float(bird[3].replace("−", "-")) == pytest.approx(-1, abs=0.001)


def test_sliders_radios_and_temperature_follow_the_keyboard(open_widget):
    tab = open_widget()
    slider = tab.get_by_role("slider", name="cat")

    slider.focus()
    tab.keyboard.press("ArrowRight")
    assert tab.locator("input[name=cat]").input_value() == "3.1"
    assert slider.get_attribute("aria-valuetext") == "3.1"
    tab.keyboard.press("Home")
    assert tab.locator("input[name=cat]").input_value() == "-10"
    tab.get_by_role("radio", name="dog").focus()
    tab.keyboard.press("ArrowDown")
    assert tab.get_by_role("radio", name="bird").is_checked()
    assert rows(tab)[2][0] == "bird ✓"
    tab.get_by_role("slider", name="temperature").focus()
    tab.keyboard.press("End")

    assert tab.locator("input[name=temperature]").input_value() == "20"
    assert "T = 20" in tab.get_by_role("slider", name="temperature").get_attribute("aria-valuetext")


def test_the_temperature_changes_the_cross_entropy_and_not_the_hinge_loss(open_widget):
    tab = open_widget()

    type_into(tab, "temperature", "10")

    expected = F.cross_entropy(torch.tensor([3, 1, -2.5]) / 10, torch.tensor(1)).item()
    assert numbers_of(tab) == ("3", f"{expected:.4g}")


def test_a_score_of_a_thousand_has_a_finite_loss_and_the_widget_says_why(open_widget):
    tab = open_widget()
    quiet = "formula stands" not in tab.inner_text(".sl-note")

    type_into(tab, "cat", "1000")
    infinite, high = tab.inner_text(".sl-note"), numbers_of(tab)
    type_into(tab, "dog", "1000")

    assert quiet
    assert high == ("1000", "999")
    assert "would be infinite" in infinite
    assert "would be ∞/∞" in tab.inner_text(".sl-note")
    assert numbers_of(tab) == ("1", "0.6931")
    assert not re.search("NaN|undefined", tab.inner_html(".sl"))


def test_a_number_out_of_range_is_put_right(open_widget):
    tab = open_widget()

    for name, text in (("cat", "1001"), ("cat", ""), ("temperature", "0")):
        type_into(tab, name, text)

    assert tab.locator("input[name=cat]").input_value() == "3"
    assert tab.locator("input[name=temperature]").input_value() == "1"
    assert tab.record.errors == []


@pytest.mark.parametrize(
    "nonsense", ["scores=9999,x,-1,fish,0", "scores=", "scores", "scores=1,2,3,dog,99", "scores=,,,,"]
)
def test_a_nonsense_address_shows_what_there_is(open_widget, nonsense):
    tab = open_widget(f"one-light.html#{nonsense}")

    assert tab.locator("[type=radio]:checked").count() == 1
    assert not re.search("NaN|undefined", tab.inner_html(".sl"))
    assert tab.record.errors == []


@both_schemes
def test_the_address_reproduces_what_is_seen(open_widget, open_again, scheme):
    tab = open_widget(scheme=scheme)
    type_into(tab, "bird", "4.25")
    tab.get_by_role("radio", name="bird").check()
    type_into(tab, "temperature", "0.5")
    tab.wait_for_function("location.hash === '#scores=3,1,4.25,bird,0.5'")

    again = open_again(tab)

    assert numbers_of(again) == numbers_of(tab)
    assert again.inner_html(".sl tbody") == tab.inner_html(".sl tbody")
    assert again.inner_html(".sl .curves-picture") == tab.inner_html(".sl .curves-picture")


def test_two_on_a_page_keep_apart(open_widget):
    tab = open_widget("two-light.html#scores=1,1,1,cat,1&scores2=2,2,2,dog,1")
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")

    tab.get_by_role("radio", name="bird").nth(1).check()
    tab.wait_for_function("location.hash === '#scores=1,1,1,cat,1&scores2=2,2,2,bird,1'")

    checked = tab.eval_on_selector_all(".sl [type=radio]:checked", "all => all.map((radio) => radio.value)")
    assert checked == ["cat", "bird"]


@pytest.mark.parametrize(("width", "height"), [(320, 640), (360, 740), (768, 900), (1500, 900)])
@pytest.mark.parametrize("scores", ["3,1,-2.5,dog,1", "1000,-999.5,-1000,bird,0.05", "0,40,0,dog,20"])
def test_it_fits_every_screen_and_every_finger(open_widget, width, height, scores):
    tab = open_widget(f"one-light.html#scores={scores}", width=width, height=height)

    sizes = sizes_of(tab, ".sl :is(button, select, input)")
    letters = places_of(tab, ".sl .curves-picture text")

    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24
    assert min(left for left, _, _ in letters) >= 0
    assert max(right for _, right, _ in letters) <= width
    assert min(height for _, _, height in letters) >= 11


@pytest.mark.parametrize("theme", THEMES)
def test_the_bars_stand_out_and_the_true_class_is_marked_without_colour(open_widget, theme):
    tab = open_widget(f"one-{theme}.html", theme=theme)
    back, _ = THEMES[theme]

    colours = styles_of(tab, ".sl-bar", "fill")

    assert all(contrast(colour, back) >= 3 for colour in colours)
    assert tab.locator(".sl .curves-picture text", has_text="dog ✓").count() == 1


def test_a_screen_reader_hears_the_numbers_once_the_hand_rests(open_widget):
    tab = open_widget()

    tab.get_by_role("button", name="image 3").click()
    tab.wait_for_function(
        "document.querySelector('.sl [aria-live]').textContent.startsWith('True class bird')"
    )

    said = tab.locator(".sl [aria-live]").text_content()
    assert "Hinge loss 16.2" in said
    assert tab.locator(".curves-picture > svg").get_attribute("aria-label").startswith(said)


def test_it_repaints_within_a_tenth_of_a_second(open_widget):
    tab = open_widget()

    assert repaint_milliseconds(tab, "temperature-slider") <= 100


def test_in_a_live_notebook_both_sides_hear_each_other_until_the_widget_goes(live):
    story = live(
        sets={"cat": 4},
        shows="input[name=cat]",
        does=[["click", "[data-image='2']"]],
        keeps=["label"],
    )

    assert story["shown"] == "4"
    assert story["saved"][0] == ["bird"]
    assert story["listened"] > 0
    assert story["left"] == 0
    assert story["still"]


@both_schemes
def test_the_losses_of_the_chapter_live(open_chapter, scheme):
    tab = open_chapter(CHAPTER, "// Scores and losses:", ".sl", scheme)

    tab.get_by_role("button", name="image 3").click()

    assert numbers_of(tab)[0] == "16.2"
    assert tab.record.trouble == []
