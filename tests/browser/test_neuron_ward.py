"""The neuron ward in a browser without kernel and network: mouse, keyboard, address, themes, screens."""

import json
import math
import re

import pytest

from labs.data import load_digits
from labs.widgets import NeuronWard
from labs.widgets.ward_packing import unpack
from tests.browser.looks import plates_behind, sizes_of
from tests.browser.widget_pages import IMPORT, THEMES, contrast, frames, thread_milliseconds

CHAPTER = "book/16-dead-neurons.html"
SCHEMES = ("http", "file")
both_schemes = pytest.mark.parametrize("scheme", SCHEMES)


@pytest.fixture(scope="module")
def widget():
    return NeuronWard.precompute(
        load_digits(), seeds=(1, 2), activations=("ReLU", "GELU"), inits=("torch", "he0"), progress=False
    )


@pytest.fixture(scope="module")
def pages(widget):
    html = widget.static_html()
    broken = html.replace("export default", "throw new Error('on purpose'); export default")
    return {"one": html, "two": html + html, "broken": broken + html}


def choice(tab, name):
    return tab.get_by_role("combobox", name=name, exact=True)


def cell(tab, unit):
    return tab.locator(f"[data-unit='{unit}']").first


def focused(tab):
    return tab.evaluate("document.activeElement.dataset.unit")


def states_shown(tab):
    return tab.eval_on_selector_all(
        ".ward-row:not([hidden]) button", "cells => cells.map(c => c.dataset.state)"
    )


@both_schemes
def test_it_mounts_alone_and_in_silence(open_widget, scheme):
    tab = open_widget(scheme=scheme)

    assert tab.locator(".ward-unit:visible").count() == 320
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.record.trouble == []


def test_javascript_reads_every_byte_like_python(javascript, widget):
    tables, examples = widget.data["tables"], widget.data["examples"]

    found = javascript(
        "({ unpack }, [all, examples]) => all.map((text) => unpack(text, examples, 32))",
        [list(tables.values()), examples],
    )

    for (key, text), layers in zip(tables.items(), found, strict=True):
        table = unpack(text, examples)
        assert [[unit["state"] for unit in units] for units in layers] == table.state.tolist(), key
        assert [[unit["open"] for unit in units] for units in layers] == table.open.tolist()
        assert [[unit["bars"] for unit in units] for units in layers] == table.bars.tolist()
        for name in ("mean", "std", "low", "high"):
            assert [[unit[name] for unit in units] for units in layers] == getattr(table, name).tolist()


@pytest.mark.parametrize("depth", [1, 7, 10])
def test_the_words_and_the_table_are_pythons(open_widget, widget, depth):
    shown = unpack(widget.data["tables"]["ReLU,torch,2"], widget.data["examples"])

    tab = open_widget(f"one-light.html#ward=ReLU,torch,{depth},2,1.1")

    assert tab.inner_text(".ward-headline") == f"Layer {depth}: {shown.summary(depth)}."
    rows = tab.locator(".ward tbody tr").all_inner_texts()
    assert [[int(word) for word in row.split()] for row in rows] == [
        [layer, *reversed(shown.counts(layer).values())] for layer in range(1, depth + 1)
    ]


def test_each_choice_changes_the_grid(open_widget, widget):
    tab = open_widget()
    states = widget.data["states"]

    for label, value, key in [
        ("Activation", "GELU", "GELU,torch,1"),
        ("Initialisation", "he0", "GELU,he0,1"),
        ("Seed", "2", "GELU,he0,2"),
        ("Activation", "ReLU", "ReLU,he0,2"),
    ]:
        choice(tab, label).select_option(value)

        table = unpack(widget.data["tables"][key], widget.data["examples"])
        assert states_shown(tab) == [states[code] for code in table.state.flatten().tolist()], key


def test_depth_follows_the_keyboard_on_its_slider(open_widget):
    tab = open_widget()
    slider = tab.get_by_role("slider", name="Hidden layers")

    slider.focus()
    for _ in range(4):
        tab.keyboard.press("ArrowLeft")

    assert tab.locator(".ward-row:visible").count() == 6
    assert "Hidden layers: 6" in tab.inner_text(".ward-controls")
    assert tab.inner_text(".ward-headline").startswith("Layer 6:")


def test_a_click_shows_the_histogram_of_that_unit(open_widget, widget):
    table = widget.table()
    layer, number = 4, 9
    mean = table.mean[layer - 1, number - 1].item()
    tab = open_widget()

    cell(tab, f"{layer}.{number}").click()

    assert f"Layer {layer}, unit {number}:" in tab.inner_text(".ward-panel h3")
    words = tab.inner_text(".ward-numbers").replace("−", "-")
    assert math.isclose(
        float(re.search(r"mean (\S+),", words)[1]), mean, rel_tol=0.01
    )  # three digits are shown
    assert "images" in tab.locator(".ward-panel svg").get_attribute("aria-label")
    full = tab.eval_on_selector_all(
        ".ward-panel rect", "bars => Math.max(...bars.map(b => b.height.baseVal.value))"
    )
    assert full > 80
    assert cell(tab, f"{layer}.{number}").get_attribute("aria-selected") == "true"


def test_arrows_home_and_end_move_through_the_grid(open_widget):
    tab = open_widget()
    cell(tab, "1.1").focus()

    path = []
    for key in (
        "ArrowRight",
        "ArrowDown",
        "ArrowDown",
        "End",
        "ArrowRight",
        "ArrowLeft",
        "Home",
        "ArrowUp",
        "ArrowUp",
    ):
        tab.keyboard.press(key)
        path.append(focused(tab))

    # sixteen units to a line on this screen: two lines make a layer
    assert path == ["1.2", "1.18", "2.2", "2.32", "3.1", "2.32", "2.1", "1.17", "1.1"]
    assert "Layer 1, unit 1:" in tab.inner_text(".ward-panel h3")


def test_the_arrows_stop_at_the_ends_of_the_grid(open_widget):
    tab = open_widget("one-light.html#ward=ReLU,torch,3,1,3.32")
    cell(tab, "3.32").focus()

    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowDown")

    assert focused(tab) == "3.32"


def test_tab_enters_the_grid_once(open_widget):
    tab = open_widget()
    choice(tab, "Seed").focus()

    tab.keyboard.press("Tab")
    entered = focused(tab)
    tab.keyboard.press("Tab")

    assert entered == "1.1"
    assert focused(tab) is None


@both_schemes
def test_the_address_reproduces_what_is_seen(open_widget, open_again, scheme):
    tab = open_widget(scheme=scheme)
    choice(tab, "Initialisation").select_option("he0")
    choice(tab, "Seed").select_option("2")
    cell(tab, "5.17").click()
    tab.wait_for_function("location.hash.includes('5.17')")

    again = open_again(tab)

    assert tab.url.endswith("#ward=ReLU,he0,10,2,5.17")
    for selector in (".ward-headline", ".ward-panel", ".ward-table"):
        assert again.inner_text(selector) == tab.inner_text(selector)
    assert states_shown(again) == states_shown(tab)


def test_a_followed_link_changes_the_ward_without_a_reload(open_widget):
    tab = open_widget()

    tab.evaluate("location.hash = '#ward=GELU,torch,4,2,3.8'")
    tab.wait_for_function("document.querySelector('.ward-headline').textContent.startsWith('Layer 4')")

    assert tab.locator("select[name=activation]").input_value() == "GELU"
    assert "Layer 3, unit 8:" in tab.inner_text(".ward-panel h3")


@pytest.mark.parametrize(
    "nonsense", ["ward=Foo,<b>,99,7,44.99", "ward=", "ward=%E0%A4%A", "ward=,,,,", "ward", "x=1"]
)
def test_a_nonsense_address_shows_what_there_is(open_widget, nonsense):
    tab = open_widget(f"one-light.html#{nonsense}")

    assert tab.locator("select[name=activation]").input_value() == "ReLU"
    assert tab.inner_text(".ward-headline").startswith("Layer 10")
    assert tab.record.errors == []


def test_a_normal_anchor_is_left_alone(open_widget):
    tab = open_widget("one-light.html#an-anchor")
    tab.wait_for_function("scrollY > 0")
    frames(tab)

    scrolled = tab.evaluate("scrollY")

    assert tab.url.endswith("#an-anchor")
    assert scrolled > 0


def test_using_the_ward_neither_scrolls_nor_fills_the_history(open_fresh):
    tab = open_fresh()
    before = tab.evaluate("[scrollY, history.length]")

    choice(tab, "Initialisation").select_option("he0")
    tab.wait_for_function("location.hash.startsWith('#ward=')")

    assert tab.evaluate("[scrollY, history.length]") == before


def test_two_wards_on_a_page_keep_apart(open_widget):
    tab = open_widget("two-light.html#ward=ReLU,torch,10,1,1.1&ward2=GELU,torch,5,2,2.2")
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")

    headlines = tab.locator(".ward-headline").all_inner_texts()
    tab.locator("select[name=init]").nth(1).select_option("he0")
    tab.wait_for_function("location.hash.includes('he0')")

    assert [headline.split(":")[0] for headline in headlines] == ["Layer 10", "Layer 5"]
    assert tab.url.endswith("#ward=ReLU,torch,10,1,1.1&ward2=GELU,he0,5,2,2.2")


def test_a_widget_that_fails_says_so_and_spares_its_neighbour(open_widget):
    tab = open_widget("broken-light.html")

    notes = tab.locator(".labs-widget-note").all_inner_texts()

    assert len(notes) == 1
    assert "could not start" in notes[0]
    assert tab.locator(".ward-unit").count() == 320


def test_without_javascript_there_is_a_note(tabs, address):
    tab = tabs(java_script_enabled=False)

    tab.goto(address("one-light.html"))

    assert "needs JavaScript" in tab.inner_text(".labs-widget-note")


def test_the_page_says_which_seeds_it_carries(open_widget):
    tab = open_widget()

    assert tab.inner_text(".ward-note") == "This page carries seeds 1, 2; run the notebook for others."
    assert tab.locator("select[name=seed] option").all_inner_texts() == ["1", "2"]


@pytest.mark.parametrize(("width", "height"), [(320, 640), (360, 740), (768, 900), (1500, 900)])
def test_it_fits_every_screen_and_every_finger(open_widget, width, height):
    tab = open_widget(width=width, height=height)

    sizes = sizes_of(tab, ".ward :is(button, select, input)")

    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24


def test_on_a_phone_the_histogram_stays_in_sight_and_hides_no_focus(open_widget):
    tab = open_widget(width=360, height=740, has_touch=True)

    cell(tab, "4.20").tap()
    boxes = []
    for _ in range(5):
        tab.keyboard.press("ArrowDown")
        boxes.append(
            tab.evaluate(
                """() => {
                    const panel = document.querySelector(".ward-panel").getBoundingClientRect();
                    return [document.activeElement.getBoundingClientRect().bottom, panel.top, panel.bottom];
                }"""
            )
        )

    assert focused(tab) == "5.28"  # eight units to a line
    assert all(
        focus_bottom <= panel_top and panel_bottom <= 740 for focus_bottom, panel_top, panel_bottom in boxes
    )


@pytest.mark.parametrize("theme", THEMES)
def test_marks_and_words_stand_out_in_both_themes(open_widget, theme):
    tab = open_widget(f"one-{theme}.html", theme=theme)

    back, ink = THEMES[theme]
    marks = tab.eval_on_selector_all(
        ".ward-legend .ward-mark",
        """all => all.map(e => {
            const probe = document.body.appendChild(document.createElement("i"));
            probe.style.color = getComputedStyle(e).getPropertyValue("--c");
            return getComputedStyle(probe).color;
        })""",
    )
    quiet = tab.eval_on_selector(".ward-note", "e => getComputedStyle(e).color")
    plates = plates_behind(tab, ".ward")

    assert plates == {"rgba(0, 0, 0, 0)"}  # so that the page's own colour is behind everything
    assert len(set(marks)) == 5
    assert min(contrast(mark, back) for mark in marks) >= 3  # WCAG 1.4.11, graphics
    assert contrast(ink, back) >= 4.5
    assert contrast(quiet, back) >= 4.5  # WCAG 1.4.3, text


def test_every_state_has_a_shape_of_its_own(open_widget):
    tab = open_widget()

    shapes = tab.eval_on_selector_all(
        ".ward-legend .ward-mark",
        """all => all.map(e => getComputedStyle(e, '::before')).map(s =>
            [s.width, s.height, s.borderTopWidth, s.borderRadius, s.clipPath].join())""",
    )

    assert len(set(shapes)) == 5


def test_the_grid_repaints_within_a_tenth_of_a_second(open_widget):
    tab = open_widget()
    choose = """(_, i) => {
        const select = document.querySelector("select[name=activation]");
        select.selectedIndex = (i + 1) % 2;
        select.dispatchEvent(new Event("change"));
    }"""

    assert thread_milliseconds(tab, choose) <= 100


def test_in_a_live_notebook_another_seed_is_asked_for_and_shown(open_widget, widget):
    tab = open_widget()

    story = tab.evaluate(
        """async ([source, state, table]) => {
            const module = await IMPORT;
            const heard = [], saved = [], model = {
                get: (name) => state[name],
                set: (name, value) => { state[name] = value; heard.forEach((f) => f()); },
                save_changes: () => saved.push(state.seed), on: (_, f) => heard.push(f), off: () => {},
            };
            const el = document.body.appendChild(document.createElement("div"));
            module.default.render({ model, el });
            const seed = el.querySelector("input[name=seed]");
            seed.value = 17;
            seed.dispatchEvent(new Event("change"));
            model.set("progress", 0.4);
            const wait = el.querySelector(".ward-wait"), headline = el.querySelector(".ward-headline");
            const waiting = [!wait.hidden, wait.textContent, wait.firstChild.value];
            model.set("computed", { "ReLU,torch,17": table });
            return { saved, waiting, after: wait.hidden, headline: headline.textContent };
        }""".replace("IMPORT", IMPORT),
        [str(widget._esm), live_state(widget), widget.data["tables"]["ReLU,torch,2"]],
    )

    assert story["saved"] == [17]
    assert story["waiting"] == [True, f"computing seed 17 on all {widget.data['examples']:,} images", 0.4]
    assert story["after"] is True
    expected = unpack(widget.data["tables"]["ReLU,torch,2"], widget.data["examples"]).summary(10)
    assert story["headline"] == f"Layer 10: {expected}."


@both_schemes
def test_the_ward_of_the_chapter_lives(open_chapter, scheme):
    tab = open_chapter(CHAPTER, "labs-widget", ".ward", scheme)

    cell(tab, "5.17").click()
    tab.keyboard.press("ArrowRight")

    assert "Layer 5, unit 18:" in tab.inner_text(".ward-panel h3")
    assert tab.record.trouble == []


def live_state(widget):
    content = json.loads(re.search(r"<script[^>]*>(.*?)</script>", widget.static_html(), re.DOTALL)[1])
    return content["state"]
