"""The decision guide in a browser: its choice against ``labs.guide.advise``, questions, keyboard, themes, screens."""

import itertools
import re

import pytest

from labs.guide import DOMAINS, GUIDE, advise
from labs.widgets import DecisionGuide
from labs.widgets.decision_guide import ALL, DEPTHS, HARDWARE, LAYERS
from tests.browser.looks import sizes_of, unnamed
from tests.browser.widget_pages import THEMES, contrast, thread_milliseconds

CHAPTER = "book/18-choosing.html"


@pytest.fixture(scope="module")
def widget():
    return DecisionGuide()


def answers(tab):
    return tab.locator(".guide-lines li").all_inner_texts()


def test_the_browser_chooses_and_sorts_as_python_does(javascript, widget):
    questions = [
        {"domain": domain, "layer": layer, "hardware": hardware, "depth": depth}
        for domain, layer, hardware, depth in itertools.product((ALL, *DOMAINS), LAYERS, HARDWARE, DEPTHS)
    ]

    found = javascript(
        """({ fitting }, [lines, questions]) =>
            questions.map((asked) => fitting(lines, asked).map((line) => lines.indexOf(line)))""",
        [widget.data["lines"], questions],
    )

    for asked, chosen in zip(questions, found, strict=True):
        none = {name: None for name in ("domain", "layer") if asked[name] == ALL}
        assert [GUIDE[i] for i in chosen] == list(advise(**{**asked, **none})), asked
    assert any(not chosen for chosen in found)


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_it_mounts_alone_and_in_silence(open_widget, scheme):
    tab = open_widget(scheme=scheme)

    assert len(answers(tab)) == len(advise())
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.record.trouble == []


def test_questions_are_answered_with_reason_source_and_year_by_mouse_and_keyboard(open_widget):
    tab = open_widget()

    tab.locator("select[name=domain]").select_option("sequences, recurrent")
    tab.locator("select[name=layer]").focus()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")  # hidden, gate

    (line,) = answers(tab)
    assert re.match(r"Sigmoid in gates of an LSTM:\s", line)
    assert "proposed by Gers, 2000" in line
    assert tab.inner_text(".guide-count") == f"1 line of {len(GUIDE)}."


def test_what_was_made_for_small_devices_comes_first_when_it_is_asked_for(open_widget):
    tab = open_widget("one-light.html#guide=images%2C%20convolutional,hidden,any,any")
    before = answers(tab)

    tab.locator("select[name=hardware]").select_option("small")

    assert len(answers(tab)) > len(before)
    assert "for small devices" in answers(tab)[0]
    assert not any("for small devices" in line for line in before)


def test_no_answer_says_what_to_do(open_widget):
    tab = open_widget("one-light.html#guide=sequences%2C%20recurrent,output,any,any")

    assert answers(tab) == []
    assert (
        tab.inner_text(".guide-count") == "No line of the guide fits; ask for any layer, or for everything."
    )


def test_the_address_reproduces_what_is_asked_and_two_guides_keep_apart(open_widget, open_again):
    tab = open_widget("two-light.html")
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")
    tab.locator("select[name=domain]").nth(1).select_option("output layers")
    tab.wait_for_function("location.hash === '#guide2=output%20layers,all,any,any'")

    again = open_again(tab)

    assert again.locator(".guide-count").all_inner_texts() == tab.locator(".guide-count").all_inner_texts()
    assert len(set(again.locator(".guide-count").all_inner_texts())) == 2


def test_a_nonsense_address_shows_everything(open_widget):
    tab = open_widget("one-light.html#guide=astrology,7,constructor,")

    assert len(answers(tab)) == len(advise())
    assert not re.search("NaN|undefined", tab.inner_text(".guide"))
    assert tab.record.errors == []


@pytest.mark.parametrize("width", [320, 1280])
def test_it_fits_every_screen_and_every_finger(open_widget, width):
    tab = open_widget(width=width)

    sizes = sizes_of(tab, ".guide select")

    assert len(sizes) == 4
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24


@pytest.mark.parametrize("theme", THEMES)
def test_curves_and_words_stand_out(open_widget, theme):
    tab = open_widget(f"one-{theme}.html", theme=theme)
    back, _ = THEMES[theme]

    line = tab.eval_on_selector(".guide .curve", "e => getComputedStyle(e).stroke")
    quiet = tab.eval_on_selector(".guide-source", "e => getComputedStyle(e).color")

    assert contrast(line, back) >= 3
    assert contrast(quiet, back) >= 4.5


def test_every_question_has_a_name_and_the_number_of_answers_is_said(open_widget):
    tab = open_widget()

    nameless = unnamed(tab, ".guide select")

    assert nameless == 0
    assert tab.locator(".guide-count").get_attribute("role") == "status"
    assert tab.locator(".guide-lines svg:not([aria-hidden])").count() == 0


def test_it_repaints_within_a_tenth_of_a_second(open_widget):
    tab = open_widget()
    choose = """(_, i) => {
        const select = document.querySelector("select[name=domain]");
        select.selectedIndex = i % 3;
        select.dispatchEvent(new Event("change", { bubbles: true }));
    }"""

    assert thread_milliseconds(tab, choose) <= 100


def test_in_a_live_notebook_python_is_heard_until_the_widget_goes(live):
    story = live(
        sets={"layer": "gate"},
        shows="[name=layer]",
        does=[["change", "[name=hardware]", "small"]],
        keeps=["hardware"],
    )

    assert story["shown"] == "gate"
    assert story["saved"] == [["small"]]
    assert story["listened"] > 0
    assert story["left"] == 0
    assert story["still"]


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_the_guide_of_the_chapter_lives(open_chapter, scheme):
    tab = open_chapter(CHAPTER, "// The decision guide:", ".guide", scheme)

    tab.locator(".guide select[name=domain]").select_option("output layers")

    assert len(answers(tab)) == len(advise(domain="output layers"))
    assert tab.record.trouble == []
