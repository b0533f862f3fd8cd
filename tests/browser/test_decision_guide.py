"""The decision guide in a browser: its choice against ``labs.guide.advise``, questions, keyboard, themes, screens."""

import itertools
import json
import re

import pytest

from labs.guide import DOMAINS, GUIDE, advise
from labs.widgets import DecisionGuide
from labs.widgets.decision_guide import ALL, DEPTHS, HARDWARE, LAYERS
from tests.browser.widget_pages import IMPORT, THEMES, contrast, opener, small_pages, thread_milliseconds

CHAPTER = "book/18-choosing.html"


@pytest.fixture(scope="module")
def guide():
    return DecisionGuide()


@pytest.fixture(scope="module")
def address(root, tmp_path_factory, guide):
    html = guide.static_html()
    with small_pages(tmp_path_factory.mktemp("pages with spaces"), root, one=html, two=html + html) as found:
        yield found


@pytest.fixture
def open_guide(page_factory, address):
    return opener(page_factory, address, "one-light.html")


def answers(tab):
    return tab.locator(".guide-lines li").all_inner_texts()


def test_the_browser_chooses_and_sorts_as_python_does(browser, guide):
    tab = browser.new_page()
    questions = [
        {"domain": domain, "layer": layer, "hardware": hardware, "depth": depth}
        for domain, layer, hardware, depth in itertools.product((ALL, *DOMAINS), LAYERS, HARDWARE, DEPTHS)
    ]

    found = tab.evaluate(
        f"""async ([source, lines, questions]) => {{
            const {{ fitting }} = await {IMPORT};
            return questions.map((asked) => fitting(lines, asked).map((line) => lines.indexOf(line)));
        }}""",
        [str(guide._esm), guide.data["lines"], questions],
    )
    tab.close()

    for asked, chosen in zip(questions, found, strict=True):
        none = {name: None for name in ("domain", "layer") if asked[name] == ALL}
        assert [GUIDE[i] for i in chosen] == list(advise(**{**asked, **none})), asked
    assert any(not chosen for chosen in found)


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_it_mounts_alone_and_in_silence(open_guide, scheme):
    tab = open_guide(scheme=scheme)

    assert len(answers(tab)) == len(advise())
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.record.foreign == []
    assert tab.record.errors == []


def test_questions_are_answered_with_reason_source_and_year_by_mouse_and_keyboard(open_guide):
    tab = open_guide()

    tab.locator("select[name=domain]").select_option("sequences, recurrent")
    tab.locator("select[name=layer]").focus()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")  # hidden, gate

    (line,) = answers(tab)
    assert re.match(r"Sigmoid in gates of an LSTM:\s", line)
    assert "proposed by Gers, 2000" in line
    assert tab.inner_text(".guide-count") == f"1 line of {len(GUIDE)}."


def test_what_was_made_for_small_devices_comes_first_when_it_is_asked_for(open_guide):
    tab = open_guide("one-light.html#guide=images%2C%20convolutional,hidden,any,any")
    before = answers(tab)

    tab.locator("select[name=hardware]").select_option("small")

    assert len(answers(tab)) > len(before)
    assert "for small devices" in answers(tab)[0]
    assert not any("for small devices" in line for line in before)


def test_no_answer_says_what_to_do(open_guide):
    tab = open_guide("one-light.html#guide=sequences%2C%20recurrent,output,any,any")

    assert answers(tab) == []
    assert (
        tab.inner_text(".guide-count") == "No line of the guide fits; ask for any layer, or for everything."
    )


def test_the_address_reproduces_what_is_asked_and_two_guides_keep_apart(open_guide, page_factory):
    tab = open_guide("two-light.html")
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")
    tab.locator("select[name=domain]").nth(1).select_option("output layers")
    tab.wait_for_function("location.hash === '#guide2=output%20layers,all,any,any'")

    again = page_factory()
    again.goto(tab.url)
    again.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")

    assert again.locator(".guide-count").all_inner_texts() == tab.locator(".guide-count").all_inner_texts()
    assert len(set(again.locator(".guide-count").all_inner_texts())) == 2


def test_a_nonsense_address_shows_everything(open_guide):
    tab = open_guide("one-light.html#guide=astrology,7,constructor,")

    assert len(answers(tab)) == len(advise())
    assert not re.search("NaN|undefined", tab.inner_text(".guide"))
    assert tab.record.errors == []


@pytest.mark.parametrize("width", [320, 1280])
def test_it_fits_every_screen_and_every_finger(open_guide, width):
    tab = open_guide(width=width)

    sizes = tab.eval_on_selector_all(
        ".guide select", "all => all.map(e => e.getBoundingClientRect()).map(r => [r.width, r.height])"
    )

    assert len(sizes) == 4
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24


@pytest.mark.parametrize("theme", THEMES)
def test_curves_and_words_stand_out(open_guide, theme):
    tab = open_guide(f"one-{theme}.html", theme=theme)
    back, _ = THEMES[theme]

    line = tab.eval_on_selector(".guide .curve", "e => getComputedStyle(e).stroke")
    quiet = tab.eval_on_selector(".guide-source", "e => getComputedStyle(e).color")

    assert contrast(line, back) >= 3
    assert contrast(quiet, back) >= 4.5


def test_every_question_has_a_name_and_the_number_of_answers_is_said(open_guide):
    tab = open_guide()

    unnamed = tab.eval_on_selector_all(".guide select", "all => all.filter((e) => !e.labels.length).length")

    assert unnamed == 0
    assert tab.locator(".guide-count").get_attribute("role") == "status"
    assert tab.locator(".guide-lines svg:not([aria-hidden])").count() == 0


def test_it_repaints_within_a_tenth_of_a_second(open_guide):
    tab = open_guide()
    choose = """(_, i) => {
        const select = document.querySelector("select[name=domain]");
        select.selectedIndex = i % 3;
        select.dispatchEvent(new Event("change", { bubbles: true }));
    }"""

    assert thread_milliseconds(tab, choose) <= 100


def test_in_a_live_notebook_python_is_heard_until_the_widget_goes(open_guide, guide):
    tab = open_guide()
    state = json.loads(re.search(r"<script[^>]*>(.*?)</script>", guide.static_html(), re.DOTALL)[1])["state"]

    story = tab.evaluate(
        """async ([source, state]) => {
            const module = await IMPORT;
            let heard = [], saved = 0;
            const model = {
                get: (name) => state[name],
                set: (name, value) => {
                    state[name] = value;
                    heard.forEach(([event, f]) => event === `change:${name}` && f());
                },
                save_changes: () => saved++,
                on: (event, f) => heard.push([event, f]), off: (_, f) => (heard = heard.filter(([, g]) => g !== f)),
            };
            const el = document.body.appendChild(document.createElement("div"));
            const stop = module.default.render({ model, el });
            model.set("layer", "gate"); // from Python
            const shown = el.querySelector("[name=layer]").value;
            const hardware = el.querySelector("[name=hardware]");
            hardware.value = "small";
            hardware.dispatchEvent(new Event("change", { bubbles: true }));
            stop();
            el.remove();
            return { shown, hardware: state.hardware, saved, left: heard.length };
        }""".replace("IMPORT", IMPORT),
        [str(guide._esm), state],
    )

    assert story == {"shown": "gate", "hardware": "small", "saved": 1, "left": 0}


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_the_guide_of_the_chapter_lives(page_factory, site, url, scheme):
    if not (site / CHAPTER).is_file() or "// The decision guide:" not in (site / CHAPTER).read_text(
        encoding="utf-8"
    ):
        pytest.skip("the chapter on choosing is not built with its widget")
    tab = page_factory()
    tab.set_default_timeout(120_000)  # a large page, on a machine that may be busy

    tab.goto(url(CHAPTER, scheme))
    tab.wait_for_selector("[data-mounted=yes] .guide")
    tab.locator(".guide select[name=domain]").select_option("output layers")

    assert len(answers(tab)) == len(advise(domain="output layers"))
    assert tab.record.foreign == []
    assert tab.record.errors == []
