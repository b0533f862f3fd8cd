"""The scores and losses in a browser: their numbers against torch, and fields, keys, address, themes, screens."""

import json
import math
import re

import pytest
import torch
from torch.nn import functional as F

from labs.widgets import ScoreLosses
from tests.browser.widget_pages import IMPORT, THEMES, contrast, opener, repaint_milliseconds, small_pages

CHAPTER = "book/02-losses.html"
both_schemes = pytest.mark.parametrize("scheme", ["http", "file"])
COMPUTED = """(m, cases) => cases.map(([scores, y, t]) => [
    ...m.softmax(scores, t), m.crossEntropy(scores, y, t), ...m.crossEntropySlopes(scores, y, t),
    ...m.hingeTerms(scores, y), ...m.hingeSlopes(scores, y)])"""


@pytest.fixture(scope="module")
def losses():
    return ScoreLosses()


@pytest.fixture(scope="module")
def address(root, tmp_path_factory, losses):
    html = losses.static_html()
    with small_pages(tmp_path_factory.mktemp("pages with spaces"), root, one=html, two=html + html) as found:
        yield found


@pytest.fixture
def open_losses(page_factory, address):
    return opener(page_factory, address, "one-light.html")


@pytest.fixture(scope="module")
def javascript(browser, losses):
    """``javascript(code, argument)``: ``code`` is a function of the widget's module and of the argument."""
    tab = browser.new_page()

    def run(code, argument=None):
        script = f"async ([source, argument]) => ({code})(await {IMPORT}, argument)"
        return tab.evaluate(script, [str(losses._esm), argument])

    yield run
    tab.close()


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
def test_it_mounts_alone_and_in_silence(open_losses, scheme):
    tab = open_losses(scheme=scheme)

    assert numbers_of(tab) == ("3", "2.131")
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.record.foreign == []
    assert tab.record.errors == []


def test_the_three_images_have_the_losses_of_torch(open_losses):
    tab = open_losses("one-light.html#scores=0,0,0,cat,1")
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


def test_the_table_shows_each_term_and_both_slopes(open_losses):
    tab = open_losses("one-light.html#scores=1,3.2,-5,bird,1")

    cat, dog, bird = rows(tab)

    assert cat[1:3] == ["max(0, 1 − (−5) + 1) = 7", "1"]
    assert dog[1:3] == ["max(0, 3.2 − (−5) + 1) = 9.2", "1"]
    assert bird[:3] == ["bird ✓", "true class: no term", "−2"]
    assert float(bird[3].replace("−", "-")) == pytest.approx(-1, abs=0.001)


def test_sliders_radios_and_temperature_follow_the_keyboard(open_losses):
    tab = open_losses()
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


def test_the_temperature_changes_the_cross_entropy_and_not_the_hinge_loss(open_losses):
    tab = open_losses()

    type_into(tab, "temperature", "10")

    expected = F.cross_entropy(torch.tensor([3, 1, -2.5]) / 10, torch.tensor(1)).item()
    assert numbers_of(tab) == ("3", f"{expected:.4g}")


def test_a_score_of_a_thousand_has_a_finite_loss_and_the_widget_says_why(open_losses):
    tab = open_losses()
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


def test_a_number_out_of_range_is_put_right(open_losses):
    tab = open_losses()

    for name, text in (("cat", "1001"), ("cat", ""), ("temperature", "0")):
        type_into(tab, name, text)

    assert tab.locator("input[name=cat]").input_value() == "3"
    assert tab.locator("input[name=temperature]").input_value() == "1"
    assert tab.record.errors == []


@pytest.mark.parametrize(
    "nonsense", ["scores=9999,x,-1,fish,0", "scores=", "scores", "scores=1,2,3,dog,99", "scores=,,,,"]
)
def test_a_nonsense_address_shows_what_there_is(open_losses, nonsense):
    tab = open_losses(f"one-light.html#{nonsense}")

    assert tab.locator("[type=radio]:checked").count() == 1
    assert not re.search("NaN|undefined", tab.inner_html(".sl"))
    assert tab.record.errors == []


@both_schemes
def test_the_address_reproduces_what_is_seen(open_losses, page_factory, scheme):
    tab = open_losses(scheme=scheme)
    type_into(tab, "bird", "4.25")
    tab.get_by_role("radio", name="bird").check()
    type_into(tab, "temperature", "0.5")
    tab.wait_for_function("location.hash === '#scores=3,1,4.25,bird,0.5'")

    again = page_factory()
    again.goto(tab.url)
    again.wait_for_selector("[data-mounted=yes]")

    assert numbers_of(again) == numbers_of(tab)
    assert again.inner_html(".sl tbody") == tab.inner_html(".sl tbody")
    assert again.inner_html(".sl .curves-picture") == tab.inner_html(".sl .curves-picture")


def test_two_on_a_page_keep_apart(open_losses):
    tab = open_losses("two-light.html#scores=1,1,1,cat,1&scores2=2,2,2,dog,1")
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")

    tab.get_by_role("radio", name="bird").nth(1).check()
    tab.wait_for_function("location.hash === '#scores=1,1,1,cat,1&scores2=2,2,2,bird,1'")

    checked = tab.eval_on_selector_all(".sl [type=radio]:checked", "all => all.map((radio) => radio.value)")
    assert checked == ["cat", "bird"]


@pytest.mark.parametrize(("width", "height"), [(320, 640), (360, 740), (768, 900), (1500, 900)])
@pytest.mark.parametrize("scores", ["3,1,-2.5,dog,1", "1000,-999.5,-1000,bird,0.05", "0,40,0,dog,20"])
def test_it_fits_every_screen_and_every_finger(open_losses, width, height, scores):
    tab = open_losses(f"one-light.html#scores={scores}", width=width, height=height)

    sizes = tab.eval_on_selector_all(
        ".sl :is(button, select, input)",
        "all => all.map(e => e.getBoundingClientRect()).map(r => [r.width, r.height])",
    )
    letters = tab.eval_on_selector_all(
        ".sl .curves-picture text",
        "all => all.map(e => e.getBoundingClientRect()).map(r => [r.left, r.right, r.height])",
    )

    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24
    assert min(left for left, _, _ in letters) >= 0
    assert max(right for _, right, _ in letters) <= width
    assert min(height for _, _, height in letters) >= 11


@pytest.mark.parametrize("theme", THEMES)
def test_the_bars_stand_out_and_the_true_class_is_marked_without_colour(open_losses, theme):
    tab = open_losses(f"one-{theme}.html", theme=theme)
    back, _ = THEMES[theme]

    colours = tab.eval_on_selector_all(".sl-bar", "all => all.map(e => getComputedStyle(e).fill)")

    assert all(contrast(colour, back) >= 3 for colour in colours)
    assert tab.locator(".sl .curves-picture text", has_text="dog ✓").count() == 1


def test_a_screen_reader_hears_the_numbers_once_the_hand_rests(open_losses):
    tab = open_losses()

    tab.get_by_role("button", name="image 3").click()
    tab.wait_for_function(
        "document.querySelector('.sl [aria-live]').textContent.startsWith('True class bird')"
    )

    said = tab.locator(".sl [aria-live]").text_content()
    assert "Hinge loss 16.2" in said
    assert tab.locator(".curves-picture > svg").get_attribute("aria-label").startswith(said)


def test_it_repaints_within_a_tenth_of_a_second(open_losses):
    tab = open_losses()

    assert repaint_milliseconds(tab, "temperature-slider") <= 100


def test_in_a_live_notebook_both_sides_hear_each_other_until_the_widget_goes(open_losses, losses):
    tab = open_losses()
    state = json.loads(re.search(r"<script[^>]*>(.*?)</script>", losses.static_html(), re.DOTALL)[1])["state"]

    story = tab.evaluate(
        """async ([source, state]) => {
            const module = await IMPORT, saved = [];
            let heard = [];
            const model = {
                get: (name) => state[name],
                set: (name, value) => {
                    if (state[name] === value) return;
                    state[name] = value;
                    heard.forEach((f) => f());
                },
                save_changes: () => saved.push(state.label),
                on: (_, f) => heard.push(f), off: (_, f) => (heard = heard.filter((g) => g !== f)),
            };
            const el = document.body.appendChild(document.createElement("div"));
            const stop = module.default.render({ model, el });
            model.set("cat", 4); // from Python
            const fromPython = el.querySelector("input[name=cat]").value;
            el.querySelector("[data-image='2']").click();
            stop();
            el.remove();
            return { fromPython, saved: saved[0], left: heard.length };
        }""".replace("IMPORT", IMPORT),
        [str(losses._esm), state],
    )

    assert story == {"fromPython": "4", "saved": "bird", "left": 0}


@both_schemes
def test_the_losses_of_the_chapter_live(page_factory, site, url, scheme):
    page = site / CHAPTER
    if not page.is_file() or "// Scores and losses:" not in page.read_text(encoding="utf-8"):
        pytest.skip("the chapter on losses is not built with its widget")
    tab = page_factory()
    tab.set_default_timeout(120_000)  # a large page, on a machine that may be busy

    tab.goto(url(CHAPTER, scheme))
    tab.wait_for_selector("[data-mounted=yes] .sl")
    tab.get_by_role("button", name="image 3").click()

    assert numbers_of(tab)[0] == "16.2"
    assert tab.record.foreign == []
    assert tab.record.errors == []
