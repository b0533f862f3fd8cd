"""The template viewer in a browser: its sums against torch, and choosing, painting, keyboard, themes, screens."""

import re

import pytest
import torch
from torch import nn

from labs.data import load_digits
from labs.seeds import set_seed
from labs.training import fit
from labs.widgets import TemplateViewer
from tests.browser.looks import sizes_of
from tests.browser.widget_pages import THEMES, contrast, thread_milliseconds

CHAPTER = "book/05-linear-classifier.html"
both_schemes = pytest.mark.parametrize("scheme", ["http", "file"])


@pytest.fixture(scope="module")
def digits():
    return load_digits("test", limit=12)


@pytest.fixture(scope="module")
def layer():
    set_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    fit(model, load_digits("train"), epochs=2, lr=0.01, seed=0, progress=False)
    return model[1]


@pytest.fixture(scope="module")
def widget(layer, digits):
    return TemplateViewer.from_layer(layer, digits)


def button(tab, name):
    return tab.get_by_role("button", name=name)


def rows(tab):
    """The table: class name -> [score, probability]."""
    found = {}
    for row in tab.locator(".tv tbody tr").all():
        cells = row.locator("th, td").all_inner_texts()
        name = row.locator("th").evaluate("e => e.firstChild.textContent.trim()")
        found[name] = [cells[1].replace("−", "-"), cells[2]]
    return found


def score(tab, name):
    return float(rows(tab)[name][0])


# --- The numbers --------------------------------------------------------------------------------------


def test_scores_are_those_of_the_layer_for_images_and_for_noise(javascript, widget, layer):
    generator = torch.Generator().manual_seed(1)
    pixels = torch.rand(100, 784, generator=generator, dtype=torch.float64)
    code = """({ unpack, scores }, [data, images]) => {
        const net = unpack(data);
        return images.map((image) => scores(net, image));
    }"""

    found = javascript(code, [widget.data, pixels.tolist()])

    low, high = widget.data["low"], widget.data["high"]
    exact = nn.Linear(784, 10, dtype=torch.float64)
    exact.load_state_dict(layer.state_dict())
    with torch.no_grad():
        expected = exact(low + (high - low) * pixels)  # a thousand scores
    torch.testing.assert_close(torch.tensor(found, dtype=torch.float64), expected, atol=1e-9, rtol=1e-9)


def test_the_images_on_the_page_score_as_in_torch(javascript, widget, layer, digits):
    code = "({ unpack, scores }, data) => { const net = unpack(data); return net.images.map((i) => scores(net, i)); }"

    found = torch.tensor(javascript(code, widget.data))

    # The digits have 17 greys, which 255 steps do not meet exactly.
    torch.testing.assert_close(found, layer(digits.images.flatten(1)).detach(), atol=0.05, rtol=0)


def test_probabilities_are_those_of_torch_at_any_size(javascript):
    generator = torch.Generator().manual_seed(2)
    values = (
        torch.randn(400, 10, generator=generator, dtype=torch.float64) * torch.logspace(-2, 4, 400)[:, None]
    )

    found = javascript("({ softmax }, rows) => rows.map(softmax)", values.tolist())

    torch.testing.assert_close(
        torch.tensor(found, dtype=torch.float64), values.softmax(-1), atol=1e-12, rtol=1e-9
    )


@pytest.mark.parametrize(("plus", "minus"), [(0, -1), (3, 8), (9, 0), (4, 4)])
def test_contributions_and_bias_add_up_to_the_score_or_the_difference(javascript, widget, plus, minus):
    code = """({ unpack, scores, chosen }, [data, plus, minus]) => {
        const net = unpack(data), { weights, bias } = chosen(net, plus, minus);
        return net.images.map((image) => {
            const s = scores(net, image), sum = weights.reduce((a, w, i) => a + w * image[i], bias);
            return sum - (s[plus] - (minus < 0 || minus === plus ? 0 : s[minus]));
        });
    }"""

    gaps = javascript(code, [widget.data, plus, minus])

    assert max(abs(gap) for gap in gaps) < 1e-9


# --- The page -----------------------------------------------------------------------------------------


@both_schemes
def test_it_mounts_alone_and_in_silence(open_widget, scheme, layer, digits):
    tab = open_widget(scheme=scheme)

    found = [float(value) for value, _ in rows(tab).values()]

    expected = layer(digits.images[:1].flatten(1))[0].tolist()
    assert found == pytest.approx(expected, abs=0.06)
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.record.trouble == []


def test_another_image_and_another_class_are_shown(open_widget, widget, digits):
    tab = open_widget()

    button(tab, re.compile("image 5:")).click()
    tab.locator("select[name=plus]").select_option("3")
    tab.locator("select[name=minus]").select_option("8")

    name = digits.class_names
    assert tab.inner_text(".tv-name") == f"image 5: {name[int(digits.labels[4])]}"
    assert tab.inner_text(".tv-template figcaption") == f"template: {name[3]} minus {name[8]}"
    total = float(tab.inner_text(".tv-sum").split("together ")[1].rstrip(".").replace("−", "-"))
    assert total == pytest.approx(score(tab, name[3]) - score(tab, name[8]), abs=0.011)
    assert button(tab, re.compile("image 5:")).get_attribute("aria-pressed") == "true"


def test_painting_changes_the_scores_and_the_original_comes_back(open_widget):
    tab = open_widget()
    before = rows(tab)
    place = tab.locator(".tv-image canvas").bounding_box()

    tab.mouse.move(place["x"] + 20, place["y"] + 20)
    tab.mouse.down()
    tab.mouse.move(place["x"] + 120, place["y"] + 60, steps=10)
    tab.mouse.up()
    tab.wait_for_function("document.querySelector('.tv-name').textContent.endsWith('painted on')")
    during = rows(tab)
    button(tab, "original").click()

    assert during != before
    assert rows(tab) == before
    assert button(tab, "original").is_disabled()


def test_a_finger_paints_too(open_widget):
    tab = open_widget(has_touch=True)
    before = rows(tab)
    place = tab.locator(".tv-image canvas").bounding_box()

    tab.touchscreen.tap(place["x"] + place["width"] / 3, place["y"] + 20)
    tab.wait_for_function("document.querySelector('.tv-name').textContent.endsWith('painted on')")

    assert rows(tab) != before


def test_the_empty_image_scores_the_biases(open_widget, javascript, widget):
    tab = open_widget()
    biases = javascript("({ unpack }, data) => [...unpack(data).biases]", widget.data)

    button(tab, "empty image").click()

    assert [float(value) for value, _ in rows(tab).values()] == pytest.approx(biases, abs=0.006)
    assert "pixels that raise it 0.00, pixels that lower it 0.00" in tab.inner_text(".tv-sum")


def test_the_keyboard_moves_paints_and_erases(open_widget):
    tab = open_widget()
    button(tab, "empty image").click()
    empty = rows(tab)
    canvas = tab.locator(".tv-image canvas")
    canvas.focus()

    for key in ("ArrowUp", "ArrowLeft", "ArrowLeft", "Space"):
        tab.keyboard.press(key)
    text, drawn = tab.inner_text(".tv-pixel"), rows(tab)
    button(tab, "erase").click()
    canvas.focus()
    tab.keyboard.press("Space")
    left = tab.inner_text(".tv-pixel")

    assert text.startswith("Pixel in row 14, column 13: grey 1.00 ×")
    assert drawn != empty
    assert left.startswith("Pixel in row 14, column 13: grey 0.00 ×")


def test_the_cursor_stays_on_the_image(open_widget):
    tab = open_widget()
    tab.locator(".tv-image canvas").focus()

    for _ in range(30):
        tab.keyboard.press("ArrowRight")
        tab.keyboard.press("ArrowDown")

    assert tab.inner_text(".tv-pixel").startswith("Pixel in row 28, column 28:")


def test_the_pictures_show_signs_by_size_and_colour(open_widget, javascript, widget):
    tab = open_widget()

    # Middle and corner of every cell of the template: a small square leaves its corner empty.
    seen = tab.evaluate("""() => {
        const pen = document.querySelector(".tv-template canvas").getContext("2d");
        const cells = [];
        for (let i = 0; i < 784; i++) {
            const x = (i % 28) * 10, y = Math.floor(i / 28) * 10;
            cells.push([pen.getImageData(x + 5, y + 5, 1, 1).data[3], pen.getImageData(x, y, 1, 1).data[3]]);
        }
        return cells;
    }""")
    weights = javascript("({ unpack }, data) => [...unpack(data).templates[0]]", widget.data)

    far = 13 * 28 + 13  # near the cursor its frame is drawn over the cells
    strong = [i for i, w in enumerate(weights) if abs(w) > 0.1 * max(map(abs, weights)) and abs(i - far) > 90]
    assert len(strong) > 50
    for i in strong:
        middle, corner = seen[i]
        assert middle > 10
        assert (corner > 10) == (weights[i] > 0)


@pytest.mark.parametrize(
    "nonsense", ["template=0,0,-1", "template=99,99,99", "template=x,y,z", "template=", "template=1.5,2,3"]
)
def test_a_nonsense_address_shows_what_there_is(open_widget, nonsense):
    tab = open_widget(f"one-light.html#{nonsense}")

    assert len(rows(tab)) == 10
    assert not re.search("NaN|undefined", tab.inner_text(".tv"))
    assert tab.record.errors == []


@both_schemes
def test_the_address_reproduces_what_is_chosen(open_widget, open_again, scheme):
    tab = open_widget(scheme=scheme)
    button(tab, re.compile("image 3:")).click()
    tab.locator("select[name=plus]").select_option("7")
    tab.locator("select[name=minus]").select_option("1")
    tab.wait_for_function("location.hash === '#template=3,7,1'")

    again = open_again(tab)

    assert rows(again) == rows(tab)
    assert again.inner_text(".tv-sum") == tab.inner_text(".tv-sum")


def test_two_viewers_on_a_page_keep_apart(open_widget):
    tab = open_widget("two-light.html#template=2,0,-1&template2=3,1,-1")
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")

    button(tab, "empty image").nth(1).click()

    names = tab.locator(".tv-name").all_inner_texts()
    assert names[0].startswith("image 2:")
    assert not names[0].endswith("painted on")
    assert names[1].endswith("painted on")


@pytest.mark.parametrize(("width", "height"), [(320, 640), (360, 740), (768, 900), (1500, 900)])
def test_it_fits_every_screen_and_every_finger(open_widget, width, height):
    tab = open_widget(width=width, height=height)

    sizes = sizes_of(tab, ".tv :is(button, select)")

    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24


@pytest.mark.parametrize("theme", THEMES)
def test_both_signs_stand_out(open_widget, theme):
    tab = open_widget(f"one-{theme}.html", theme=theme)
    back, _ = THEMES[theme]

    up, low = tab.eval_on_selector(
        ".tv", "e => ['--up', '--low'].map((name) => getComputedStyle(e).getPropertyValue(name).trim())"
    )

    assert contrast(up, back) >= 3
    assert contrast(low, back) >= 3


def test_a_screen_reader_hears_what_changed_once_the_hand_rests(open_widget):
    tab = open_widget()

    button(tab, "empty image").click()
    tab.wait_for_function("document.querySelector('.tv [aria-live]').textContent.includes('raise it 0.00')")

    assert "Highest score:" in tab.locator(".tv [aria-live]").text_content()


def test_it_repaints_within_a_tenth_of_a_second(open_widget):
    tab = open_widget()
    press = """(keys, i) => document.querySelector(".tv-image canvas").dispatchEvent(
        new KeyboardEvent("keydown", { key: keys[i % 2], bubbles: true }),
    )"""

    assert thread_milliseconds(tab, press, ["ArrowLeft", "ArrowRight"]) <= 100


def test_in_a_live_notebook_python_is_heard_until_the_widget_goes(live):
    story = live(
        sets={"image": 4},
        shows=".tv-name",
        does=[["click", "[data-image='2']"]],
        keeps=["image"],
    )

    assert story["shown"].startswith("image 4:")
    assert story["saved"] == [[2]]
    assert story["listened"] > 0
    assert story["left"] == 0
    assert story["still"]


@both_schemes
def test_the_viewer_of_the_chapter_lives(open_chapter, scheme):
    tab = open_chapter(CHAPTER, "// The template viewer:", ".tv", scheme)

    before = rows(tab)
    button(tab, "empty image").click()

    assert len(before) == 10
    assert rows(tab) != before
    assert tab.record.trouble == []
