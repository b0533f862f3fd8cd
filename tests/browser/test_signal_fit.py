"""Fit a signal in a browser without kernel and network: mouse, keyboard, address, themes, screens, motion."""

import json
import re

import pytest
import torch

from labs.widgets import SignalFit
from labs.widgets.signal_packing import pack, unpack
from labs.widgets.signal_training import PREACTIVATIONS, train_signals
from tests.browser.looks import letters_of, plates_behind, sizes_of, styles_of
from tests.browser.widget_pages import IMPORT, THEMES, contrast, thread_milliseconds

CHAPTER = "book/09-learnable.html"
LOOKS = (0, 3, 10, 30)
both_schemes = pytest.mark.parametrize("scheme", ["http", "file"])


@pytest.fixture(scope="module")
def widget():
    return SignalFit.precompute(
        signals=["waves", "hill"],
        activations=["Snake", "ReLU", "STAF"],
        seeds=[1, 2],
        epochs=LOOKS,
        progress=False,
    )


def choice(tab, name):
    return tab.get_by_role("combobox", name=name, exact=True)


def slider(tab):
    return tab.get_by_role("slider", name="Epoch")


def readout(tab):
    return tab.inner_text(".sf-readout")


def paths(tab, panel, line):
    """The points of a drawn line, as pairs of pixels."""
    text = tab.locator(f".sf-{panel} > svg > svg path.sf-{line}").get_attribute("d")
    return [tuple(map(float, pair.split())) for pair in text.removeprefix("M").split("L")]


def numbers(words):
    return [float(word) for word in re.findall(r"-?\d+(?:\.\d+)?", words.replace("−", "-"))]


def run_of(widget, key):
    return unpack(widget.data["runs"][key], LOOKS)


@both_schemes
def test_it_mounts_alone_and_in_silence(open_widget, scheme):
    tab = open_widget(scheme=scheme)

    assert tab.locator(".sf figure > svg:visible").count() == 4
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.record.trouble == []


def test_javascript_reads_every_byte_like_python(javascript, widget):
    code = """({ unpack }, data) => {
        const list = (x) => (x.map ? Array.from(x, list) : x);
        const lists = (run) => Object.fromEntries(Object.entries(run).map(([name, value]) => [name, list(value)]));
        return Object.values(data.runs).map((text) => lists(unpack(text, data)));
    }"""

    found = javascript(code, dict(widget.data))

    for (key, text), run in zip(widget.data["runs"].items(), found, strict=True):
        wanted = unpack(text, LOOKS)
        for name in ("error", "train", "outside", "reach", "fit", "shape"):
            # the same sums in float64; only the power of ten may differ in its last digits
            ours = torch.tensor(run[name], dtype=torch.float64)
            assert torch.allclose(ours, getattr(wanted, name), rtol=1e-12, atol=0), (key, name)


@pytest.mark.parametrize("activation", ["Snake", "STAF", "ReLU"])
def test_the_words_give_pythons_numbers(open_widget, widget, activation):
    run = run_of(widget, f"waves,{activation},1")

    tab = open_widget(f"one-light.html#fit=waves,{activation},10,1")

    epoch, train, outside, *moved = numbers(readout(tab))
    assert epoch == 10
    assert train == pytest.approx(run.train[2].item(), rel=5e-3)  # three digits are shown
    assert outside == pytest.approx(run.outside[2].item(), rel=5e-3)
    if activation == "ReLU":
        assert readout(tab).endswith("Both activations are what they were: ReLU has no parameter.")
        return
    z = PREACTIVATIONS
    for layer, first in enumerate((0, 2)):
        low, high = run.reach[2, layer]
        seen = (low <= z) & (z <= high)
        change = (run.shape[2, layer] - run.shape[0, layer])[seen].abs().max().item()
        assert moved[first] == pytest.approx(change, rel=5e-3, abs=1e-4)


def test_the_curves_are_drawn_where_the_numbers_are(open_widget, widget):
    run = run_of(widget, "hill,Snake,2")

    tab = open_widget("one-light.html#fit=hill,Snake,30,2")

    frame = tab.eval_on_selector(
        ".sf-fit > svg > svg", "e => [e.width.baseVal.value, e.height.baseVal.value]"
    )
    drawn = paths(tab, "fit", "now")
    assert len(drawn) == 161
    for (x, y), i in zip(drawn, range(161), strict=True):
        assert x == pytest.approx(i / 160 * frame[0], abs=0.06)
        assert y == pytest.approx((2 - run.fit[-1, i].item()) / 4 * frame[1], abs=0.06)
    now, start = paths(tab, "layer2", "now"), paths(tab, "layer2", "start")
    assert len(now) == len(start) == 51
    assert now != start
    assert tab.locator(".sf-fit .sf-beyond").count() == 2
    assert tab.locator(".sf-fit > svg .sf-dot").count() == 32


def test_each_choice_changes_the_picture(open_widget, widget):
    tab = open_widget()

    for label, value in [("Activation", "ReLU"), ("Signal", "hill"), ("Seed", "2"), ("Activation", "Snake")]:
        before = paths(tab, "fit", "now")
        choice(tab, label).select_option(value)
        assert paths(tab, "fit", "now") != before

    run = run_of(widget, "hill,Snake,2")
    assert numbers(readout(tab))[1] == pytest.approx(run.train[-1].item(), rel=5e-3)


def test_a_fixed_activation_is_said_to_be_fixed(open_widget):
    tab = open_widget()

    choice(tab, "Activation").select_option("ReLU")

    assert paths(tab, "layer1", "now") == paths(tab, "layer1", "start")
    assert "ReLU has no number to learn" in tab.inner_text(".sf-note")
    choice(tab, "Activation").select_option("STAF")
    assert "STAF learns 15 numbers in each layer" in tab.inner_text(".sf-note")
    choice(tab, "Activation").select_option("Snake")
    assert "Snake learns 1 number in each layer" in tab.inner_text(".sf-note")


def test_the_epoch_follows_the_keyboard_on_its_slider(open_widget):
    tab = open_widget()
    slider(tab).focus()

    seen = []
    for key in ("Home", "ArrowRight", "ArrowRight", "End"):
        tab.keyboard.press(key)
        seen.append(numbers(readout(tab))[0])

    assert seen == [0, 3, 10, 30]
    assert slider(tab).get_attribute("aria-valuetext") == "epoch 30"
    tab.keyboard.press("Home")
    assert readout(tab).endswith("Nothing is learned yet.")


def with_a_clock(tab):
    """Let time stand still, and go on when the test says so."""
    tab.clock.install(time=0)
    tab.clock.pause_at(1000)
    return tab


def test_play_walks_through_the_training_and_stops_at_its_end(open_fresh):
    tab = with_a_clock(open_fresh())
    words = tab.locator(".sf-readout")

    tab.get_by_role("button", name="Play").click()

    seen = []
    for _ in LOOKS[1:]:
        # nobody reads out every picture
        assert words.get_attribute("aria-live") == "off"
        seen.append(numbers(readout(tab))[0])
        tab.clock.run_for(450)
    tab.clock.run_for(450)
    assert [*seen, numbers(readout(tab))[0]] == list(LOOKS)  # from the end it started over
    assert words.get_attribute("aria-live") == "polite"
    assert tab.get_by_role("button", name="Play").count() == 1


def test_play_can_be_stopped_and_gives_way_to_the_hand(open_fresh):
    tab = with_a_clock(open_fresh("one-light.html#fit=waves,Snake,0,1"))

    tab.get_by_role("button", name="Play").press("Enter")
    tab.clock.run_for(500)
    tab.get_by_role("button", name="Pause").press("Enter")
    tab.clock.run_for(2000)
    assert numbers(readout(tab))[0] == 3

    tab.get_by_role("button", name="Play").click()
    slider(tab).press("Home")
    tab.clock.run_for(2000)
    assert numbers(readout(tab))[0] == 0
    assert tab.get_by_role("button", name="Play").count() == 1


def test_with_reduced_motion_the_button_takes_one_step(open_fresh):
    tab = with_a_clock(open_fresh(reduced_motion="reduce"))
    button = tab.get_by_role("button", name="Next epoch")

    seen = []
    for _ in range(3):
        button.click()
        seen.append(numbers(readout(tab))[0])
    tab.clock.run_for(2000)

    assert seen == [0, 3, 10]
    assert numbers(readout(tab))[0] == 10


@both_schemes
def test_the_address_reproduces_what_is_seen(open_widget, open_again, scheme):
    tab = open_widget(scheme=scheme)
    choice(tab, "Signal").select_option("hill")
    choice(tab, "Seed").select_option("2")
    slider(tab).focus()
    tab.keyboard.press("ArrowLeft")
    tab.wait_for_function("location.hash.includes('10,2')")

    again = open_again(tab)

    assert tab.url.endswith("#fit=hill,Snake,10,2")
    assert readout(again) == readout(tab)
    assert paths(again, "fit", "now") == paths(tab, "fit", "now")


def test_a_followed_link_changes_the_picture_without_a_reload(open_widget):
    tab = open_widget()

    tab.evaluate("location.hash = '#fit=hill,STAF,3,2'")
    tab.wait_for_function("document.querySelector('.sf-readout').textContent.startsWith('Epoch 3:')")

    assert choice(tab, "Activation").input_value() == "STAF"
    assert choice(tab, "Signal").input_value() == "hill"


@pytest.mark.parametrize("nonsense", ["fit=Foo,<b>,99,7", "fit=", "fit=%E0%A4%A", "fit=,,,", "fit", "x=1"])
def test_a_nonsense_address_shows_what_there_is(open_widget, nonsense):
    tab = open_widget(f"one-light.html#{nonsense}")

    assert choice(tab, "Activation").input_value() == "Snake"
    assert choice(tab, "Signal").input_value() == "waves"
    assert readout(tab).startswith("Epoch 30:")
    assert tab.record.errors == []


def test_an_epoch_between_two_looks_becomes_the_nearer_one(open_widget):
    tab = open_widget("one-light.html#fit=waves,Snake,8,1")

    assert readout(tab).startswith("Epoch 10:")


def test_using_it_neither_scrolls_nor_fills_the_history(open_fresh):
    tab = open_fresh()
    before = tab.evaluate("[scrollY, history.length]")

    choice(tab, "Signal").select_option("hill")
    tab.wait_for_function("location.hash.startsWith('#fit=')")

    assert tab.evaluate("[scrollY, history.length]") == before


def test_two_on_a_page_keep_apart(open_widget):
    tab = open_widget("two-light.html#fit=waves,Snake,3,1&fit2=hill,ReLU,10,2")
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")

    words = tab.locator(".sf-readout").all_inner_texts()
    tab.locator("select[name=activation]").nth(1).select_option("STAF")
    tab.wait_for_function("location.hash.includes('STAF')")

    assert [text.split(":")[0] for text in words] == ["Epoch 3", "Epoch 10"]
    assert tab.url.endswith("#fit=waves,Snake,3,1&fit2=hill,STAF,10,2")
    assert tab.locator(".sf-readout").first.inner_text() == words[0]
    assert tab.record.errors == []


def test_without_javascript_there_is_a_note(tabs, address):
    tab = tabs(java_script_enabled=False)

    tab.goto(address("one-light.html"))

    assert "needs JavaScript" in tab.inner_text(".labs-widget-note")


def test_every_control_and_every_picture_has_a_name(open_widget):
    tab = open_widget()

    for name in ("Signal", "Activation", "Seed"):
        assert choice(tab, name).count() == 1
    assert slider(tab).count() == 1
    pictures = tab.eval_on_selector_all(
        ".sf figure > svg", "all => all.map(e => e.getAttribute('aria-label'))"
    )
    assert "two waves" in pictures[0]
    assert "Error over the epochs" in pictures[1]
    assert "Activation of layer 1" in pictures[2]
    assert "Activation of layer 2" in pictures[3]
    assert tab.evaluate("document.querySelectorAll('.sf [id]').length") == 0


def test_tab_goes_through_the_controls_in_order(open_widget):
    tab = open_widget()
    choice(tab, "Signal").focus()

    path = []
    for _ in range(4):
        tab.keyboard.press("Tab")
        path.append(tab.evaluate("document.activeElement.name || document.activeElement.textContent"))

    assert path == ["activation", "seed", "epoch", "Play"]


@pytest.mark.parametrize(("width", "height"), [(320, 640), (360, 740), (768, 900), (1500, 900)])
def test_it_fits_every_screen_and_every_finger(open_widget, width, height):
    tab = open_widget(width=width, height=height)

    sizes = sizes_of(tab, ".sf :is(button, select, input)")
    letters = letters_of(tab, ".sf figure text")

    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24
    assert min(letters) >= 11  # pixels: the picture is drawn anew for its width, not scaled


def test_it_is_drawn_anew_when_the_screen_turns(open_widget):
    tab = open_widget(width=360, height=740)
    before = paths(tab, "fit", "now")[-1][0]

    tab.set_viewport_size({"width": 740, "height": 360})
    tab.wait_for_function(
        f"document.querySelector('.sf-fit > svg > svg').width.baseVal.value > {1.5 * before}"
    )

    assert paths(tab, "fit", "now")[-1][0] > 1.5 * before


@pytest.mark.parametrize("theme", THEMES)
def test_lines_and_words_stand_out_in_both_themes(open_widget, theme):
    tab = open_widget(f"one-{theme}.html", theme=theme)

    back, ink = THEMES[theme]
    lines = styles_of(tab, ".sf-error > svg .sf-now, .sf-error > svg path.sf-far", "stroke")
    dashes = tab.eval_on_selector_all(
        ".sf-legend path",
        "all => all.map(e => [e.getAttribute('class'), getComputedStyle(e).strokeDasharray])",
    )
    quiet = tab.eval_on_selector(".sf-note", "e => getComputedStyle(e).color")
    plates = plates_behind(tab, ".sf")

    assert plates == {"rgba(0, 0, 0, 0)"}  # so that the page's own colour is behind everything
    assert len(set(lines)) == 2
    assert min(contrast(line, back) for line in lines) >= 3  # WCAG 1.4.11, graphics
    assert contrast(ink, back) >= 4.5
    assert contrast(quiet, back) >= 4.5  # WCAG 1.4.3, text
    styles = dict(dashes)
    assert (
        len({styles[name] for name in ("sf-now", "sf-far", "sf-start")}) == 3
    )  # colour and style change together


def test_it_repaints_within_a_tenth_of_a_second(open_widget):
    tab = open_widget()
    choose = """(_, i) => {
        const input = document.querySelector("input[name=epoch]");
        input.value = i % 4;
        input.dispatchEvent(new Event("input"));
    }"""

    assert thread_milliseconds(tab, choose) <= 100


LIVE = """async ([source, state, runs]) => {
    const module = await IMPORT;
    const heard = new Set(), saved = [], model = {
        get: (name) => state[name],
        set: (name, value) => { state[name] = value; heard.forEach((f) => f()); },
        save_changes: () => saved.push(state.seed), on: (_, f) => heard.add(f), off: (_, f) => heard.delete(f),
    };
    const el = document.body.appendChild(document.createElement("div"));
    const leave = module.default.render({ model, el });
    STORY
}""".replace("IMPORT", IMPORT)


def test_in_a_live_notebook_another_seed_is_asked_for_and_shown(open_widget, widget):
    tab = open_widget()
    text = pack(train_signals("Snake", ["waves"], 17, epochs=LOOKS)[0])

    story = tab.evaluate(
        LIVE.replace(
            "STORY",
            """
            const seed = el.querySelector("input[name=seed]");
            seed.value = 17;
            seed.dispatchEvent(new Event("change"));
            model.set("progress", 0.4);
            const wait = el.querySelector(".sf-wait"), words = el.querySelector(".sf-readout");
            const waiting = [!wait.hidden, wait.textContent, wait.firstChild.value, words.hidden];
            model.set("problem", "waves,Snake,17: no luck");
            const problem = wait.textContent;
            model.set("computed", { "waves,Snake,17": runs });
            return { saved, waiting, problem, after: wait.hidden, words: words.textContent };""",
        ),
        [str(widget._esm), live_state(widget), text],
    )

    assert story["saved"] == [17]
    assert story["waiting"] == [True, "training with seed 17", 0.4, True]
    assert story["problem"] == "waves,Snake,17: no luck"
    assert story["after"] is True
    assert numbers(story["words"])[1] == pytest.approx(unpack(text, LOOKS).train[-1].item(), rel=5e-3)


def test_it_cleans_up_when_it_goes(open_widget, widget):
    tab = open_widget()

    left = tab.evaluate(
        LIVE.replace(
            "STORY",
            """
            el.querySelector("button").click();
            const before = heard.size;
            leave();
            el.remove();
            const epoch = state.epoch;
            await new Promise((done) => setTimeout(done, 1000));
            return { before, after: heard.size, stood: state.epoch === epoch };""",
        ),
        [str(widget._esm), live_state(widget), ""],
    )

    assert left["before"] > 0
    assert left["after"] == 0
    assert left["stood"]


@both_schemes
def test_the_fit_of_the_chapter_lives(open_chapter, scheme):
    tab = open_chapter(CHAPTER, "signal_packing", ".sf-readout", scheme)

    slider(tab).focus()
    tab.keyboard.press("Home")

    assert readout(tab).startswith("Epoch 0:")
    strokes = [
        tab.eval_on_selector(f".sf-error > svg path.sf-{name}", "e => getComputedStyle(e).stroke")
        for name in ("now", "far")
    ]
    assert "none" not in strokes  # a class name of the theme once took one away
    assert tab.record.trouble == []


def live_state(widget):
    content = json.loads(re.search(r"<script[^>]*>(.*?)</script>", widget.static_html(), re.DOTALL)[1])
    return content["state"]
