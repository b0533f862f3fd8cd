"""The playground in a browser without kernel and network: controls, keys, fingers, links, files, themes, screens."""

import re
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from labs.playground import Run, Setup
from labs.widgets import Playground
from labs.widgets.playground_presets import PRESETS
from tests.browser.live import live_story
from tests.browser.looks import sizes_of, styles_of, text_without, unnamed
from tests.browser.widget_pages import THEMES, contrast, frames, opener, thread_milliseconds

DEEP = "data.moons~layers." + "*".join(["16GELU"] * 6)
NUMBERS = """() => {
    const { at, history, network } = window.run;
    return { at, loss: [...history.loss.slice(0, history.steps)], values: [...network.values] };
}"""
# The page tells of each run that stands; here the newest is kept.
LISTEN = "addEventListener('playground', (event) => { window.run = event.detail; })"
both_schemes = pytest.mark.parametrize("scheme", ["http", "file"])
both_themes = pytest.mark.parametrize("theme", ["light", "dark"])


@pytest.fixture(scope="module")
def widget():
    return Playground("moons")


@pytest.fixture(scope="module")
def pages(widget):
    return {
        "one": widget.static_html(),
        "two": widget.static_html() + Playground("xor").static_html(),
        "bare": Playground("moons", controls=False).static_html(),
        "deep": Playground(DEEP).static_html(),
        "both": widget.static_html() + Playground("xor", controls=False).static_html(),
    }


@pytest.fixture
def open_widget(tabs, address, pages):
    """The pages of the fixture of this name, with the run of the widget as ``window.run``."""

    def listening(**options):
        tab = tabs(**options)
        if not getattr(tab, "listens", False):
            tab.add_init_script(LISTEN)
        tab.listens = True
        return tab

    return opener(listening, address, "one-light.html")


def press(tab, name):
    tab.click(f"[data-do={name}]")


def take(tab, steps):
    """Take a multiple of ten steps."""
    code = "many => { while (many--) document.querySelector('[data-do=ten]').click(); }"
    tab.evaluate(code, steps // 10)


def numbers(tab):
    return tab.evaluate(NUMBERS)


def setup_of(tab):
    """The settings of the run that is shown, without its changes on the way."""
    return tab.evaluate("window.run.setup")


def unfold(tab):
    tab.evaluate("document.querySelectorAll('.play details').forEach((one) => { one.open = true; })")


def slide(tab, name, place):
    code = """([name, place]) => {
        const input = document.querySelector(`.play input[name=${name}]`);
        input.value = place;
        input.dispatchEvent(new Event("input", { bubbles: true }));
    }"""
    tab.evaluate(code, [name, place])


def link_of(tab):
    """The address once it has the step: it is written a little after the last change."""
    tab.wait_for_function("location.hash.endsWith(`,${window.run.at}`)")
    return tab.url


# --- Running ------------------------------------------------------------------------------------------


@both_schemes
def test_it_mounts_alone_in_silence_and_starts_nothing(open_widget, scheme):
    tab = open_widget(scheme=scheme)

    frames(tab)

    assert tab.inner_text("[data-of=at]") == "0 of 0"
    assert tab.inner_text(".play-first").startswith("Nothing is learned yet: the loss is ")
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.record.trouble == []


def test_the_steps_are_those_of_labs(open_widget):
    tab = open_widget()
    run = Run(Setup.read(PRESETS["moons"]["setup"]))
    for _ in range(31):
        run.step()

    take(tab, 30)
    press(tab, "step")

    found = numbers(tab)
    assert found["at"] == 31
    assert found["loss"] == pytest.approx(run.losses, abs=1e-9)
    assert f"Training loss {run.loss('train'):.2g}" in tab.inner_text(".play-facts")


def test_run_goes_on_until_pause_and_the_address_is_written_then(open_widget):
    tab = open_widget("one-light.html")

    press(tab, "run")
    tab.wait_for_function("window.run.at > 40")
    running = tab.inner_text(".play-go"), tab.url
    press(tab, "run")

    at = numbers(tab)["at"]
    frames(tab)
    assert running == ("Pause", running[1])
    assert "playground=" not in running[1]
    assert tab.inner_text(".play-go") == "Run"
    assert numbers(tab)["at"] == at
    assert link_of(tab).endswith(f",{at}")


def test_reset_can_be_taken_back(open_widget):
    tab = open_widget()
    take(tab, 50)
    before = numbers(tab)

    press(tab, "reset")
    at_start = numbers(tab)["at"]
    tab.get_by_role("button", name="Back to step 50 of the run before").click()

    assert at_start == 0
    assert numbers(tab) == before
    assert tab.locator(".play-note").is_hidden()
    assert tab.evaluate("document.activeElement.dataset.do") == "run"


def test_scrubbing_back_and_forth_meets_the_same_numbers(open_widget):
    tab = open_widget()
    take(tab, 30)
    press(tab, "step")
    early = numbers(tab)
    take(tab, 120)
    late = numbers(tab)

    slide(tab, "at", 31)
    back = numbers(tab)
    words = tab.inner_text(".play-facts")
    slide(tab, "at", 151)

    assert back["values"] == early["values"]
    assert words.startswith("Step 31, ")
    assert numbers(tab) == late


def test_the_slider_of_steps_obeys_the_keyboard(open_widget):
    tab = open_widget()
    take(tab, 40)

    tab.focus("input[name=at]")
    tab.keyboard.press("Home")
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowRight")

    assert numbers(tab)["at"] == 2
    assert tab.get_attribute("input[name=at]", "aria-valuetext") == "step 2 of 40"


def test_a_link_shows_how_far_it_is_and_can_be_stopped(open_widget):
    tab = open_widget(f"one-light.html#playground={DEEP},90000")

    tab.wait_for_selector(".play-wait:not([hidden])")
    told = tab.inner_text(".play-wait span")
    press(tab, "halt")

    assert re.fullmatch(r"Step \d+ of 90000", told)
    assert 0 < numbers(tab)["at"] < 90000
    assert tab.locator(".play-wait").is_hidden()


# --- Every control ------------------------------------------------------------------------------------


def test_each_choice_of_a_setting_reaches_the_run(open_widget):
    tab = open_widget()
    unfold(tab)
    wanted = {
        "data": "spirals", "classes": "3", "init": "he", "bias": "zero", "method": "momentum", "schedule": "cosine",
    }  # fmt: skip

    for name, value in wanted.items():
        tab.select_option(f".play-side [name={name}]", value)
    for name in ("seed", "start"):
        tab.fill(f"[name={name}]", "17")
        tab.keyboard.press("Tab")

    found = setup_of(tab)
    assert {name: str(found[name]) for name in wanted} == wanted
    assert (found["seed"], found["start"]) == (17, 17)


def test_each_slider_reaches_the_run_and_says_its_value(open_widget):
    tab = open_widget("one-light.html#playground=data.moons~method.momentum~schedule.step,0")
    unfold(tab)
    names = tab.eval_on_selector_all(".play-side input[type=range]", "all => all.map((one) => one.name)")
    before = setup_of(tab)

    for name in names:
        tab.focus(f"[name={name}]")
        tab.keyboard.press("ArrowRight")

    after = setup_of(tab)
    assert names == ["points", "noise", "test", "momentum", "rate", "span", "batch", "l2", "dropout"]
    assert [name for name in names if not after[name] > before[name]] == []
    assert tab.inner_text("[data-of=points]") == "300"
    assert tab.inner_text("[data-of=batch]") == "64"
    assert tab.get_attribute("[name=test]", "aria-valuetext") == "40 %"


def test_a_seed_that_is_none_is_not_taken(open_widget):
    tab = open_widget()
    unfold(tab)

    tab.fill("[name=seed]", "-3")
    tab.keyboard.press("Tab")

    assert tab.input_value("[name=seed]") == "0"
    assert setup_of(tab)["seed"] == 0


def test_layers_units_and_activations_follow_their_buttons(open_widget):
    tab = open_widget()

    press(tab, "deeper")
    tab.click("[data-more='3']")
    tab.click("[data-less='1']")
    tab.select_option("[data-activation='2']", "Snake")

    layers = [(one["units"], one["activation"]) for one in setup_of(tab)["layers"]]
    assert layers == [(7, "ReLU"), (8, "Snake"), (9, "ReLU")]
    assert tab.locator("[data-unit^='3.']").count() == 9

    tab.select_option("[name=every]", "Mish")
    for _ in range(3):
        press(tab, "fewer")

    assert setup_of(tab)["layers"] == []
    assert tab.locator("[data-do=fewer]").is_disabled()


def test_buttons_of_units_keep_the_focus_at_the_limit(open_widget):
    tab = open_widget("one-light.html#playground=layers.2ReLU,0")

    tab.focus("[data-less='1']")
    for _ in range(3):
        tab.keyboard.press("Enter")

    assert setup_of(tab)["layers"][0]["units"] == 1
    assert tab.evaluate("document.activeElement.dataset.less") == "1"


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_opens_and_runs(open_widget, name):
    tab = open_widget()

    tab.select_option("[name=preset]", name)
    take(tab, 20)

    assert tab.input_value("[name=preset]") == name
    assert tab.inner_text(".play-about") == PRESETS[name]["about"]
    assert tab.inner_text(".play-told")
    assert tab.record.trouble == []


def test_the_way_back_lasts_until_another_run_has_begun(open_widget):
    tab = open_widget()
    take(tab, 50)
    before = numbers(tab)

    press(tab, "reset")
    press(tab, "deeper")
    press(tab, "deeper")
    tab.get_by_role("button", name="Back to step 50 of the run before").click()

    assert numbers(tab) == before


def test_steps_that_were_opened_again_can_all_be_taken_back(open_widget):
    tab = open_widget()
    unfold(tab)
    take(tab, 60)
    before = numbers(tab)
    slide(tab, "at", 20)
    tab.wait_for_function("window.run.at === 20")

    slide(tab, "rate", 20)
    slide(tab, "rate", 24)
    tab.get_by_role("button", name="Back to step 20 of the run before").click()

    tab.wait_for_function("window.run.history.steps === 60 && window.run.at === 20")
    slide(tab, "at", 60)
    tab.wait_for_function("window.run.at === 60")
    assert numbers(tab) == before


def test_rates_change_on_the_way_and_other_settings_start_anew(open_widget):
    tab = open_widget()
    unfold(tab)
    take(tab, 40)

    slide(tab, "rate", 20)
    changed = tab.evaluate("window.run.setup.changes"), numbers(tab)["at"]
    take(tab, 20)
    tab.select_option("[name=init]", "he")

    assert changed == ([{"step": 40, "name": "rate", "value": 0.01}], 40)
    assert numbers(tab)["at"] == 0
    assert setup_of(tab)["changes"] == []
    assert setup_of(tab)["rate"] == 0.01
    assert tab.get_by_role("button", name="Back to step 60 of the run before").is_visible()


def test_a_rate_that_changes_does_not_stop_the_run(open_widget):
    tab = open_widget()
    unfold(tab)
    press(tab, "run")
    tab.wait_for_function("window.run.at > 20")

    slide(tab, "rate", 20)
    (change,) = tab.evaluate("window.run.setup.changes")
    tab.wait_for_function("at => window.run.at > at + 20", arg=change["step"])

    assert tab.inner_text(".play-go") == "Pause"
    assert (change["name"], change["value"]) == ("rate", 0.01)


# --- The link -----------------------------------------------------------------------------------------


def test_a_link_reproduces_the_losses_bit_for_bit_in_another_browser(open_widget, page_factory):
    tab = open_widget("one-light.html#playground=data.spirals~classes.3~layers.8Tanh*6PReLU~dropout.0.1,0")
    unfold(tab)
    take(tab, 60)
    slide(tab, "rate", 18)
    take(tab, 70)
    press(tab, "step")
    wanted, address = numbers(tab), link_of(tab)

    other = page_factory(width=400)
    other.add_init_script(LISTEN)
    other.goto(address)
    other.wait_for_function("window.run?.at === 131")

    assert len(wanted["loss"]) == 131
    assert numbers(other) == wanted
    assert "changes.60-rate-" in unquote(address)


def test_a_link_typed_by_hand_says_what_is_wrong_and_works(open_widget):
    tab = open_widget("one-light.html#playground=data.cheese~rate.0.5~colour.red,abc")

    words = tab.inner_text(".play-note")
    press(tab, "step")

    assert '"cheese" for data; wanted circles' in words
    assert '"colour", which is no setting' in words
    assert setup_of(tab)["rate"] == 0.5
    assert numbers(tab)["at"] == 1


def test_two_on_a_page_keep_apart(open_widget):
    tab = open_widget("two-light.html")

    tab.locator("[data-do=step]").nth(1).click()

    assert tab.locator("[data-of=at]").all_inner_texts() == ["0 of 0", "1 of 1"]
    assert re.search(r"#playground2=[^&]*,1$", link_of(tab))


def test_copied_link_and_code_repeat_the_run(open_widget):
    tab = open_widget()
    take(tab, 20)

    press(tab, "code")
    code = tab.input_value(".play-out textarea")
    press(tab, "link")
    tab.wait_for_function("document.querySelector('.play-out textarea').value.includes('#playground=')")

    link = tab.input_value(".play-out textarea")
    assert f'Setup.read("{PRESETS["moons"]["setup"]}")' in code
    assert "range(20)" in code
    assert unquote(link).endswith(f"#playground={PRESETS['moons']['setup']},20")
    assert re.search("copied|below", tab.inner_text(".play-out [role=status]"))


def test_the_saved_picture_is_an_svg_of_map_network_and_curves(open_widget):
    tab = open_widget()
    take(tab, 30)

    with tab.expect_download() as download:
        press(tab, "picture")
    text = Path(download.value.path()).read_text(encoding="utf-8")

    picture = ElementTree.fromstring(text)
    images = [one for one in picture.iter() if one.tag.endswith("image")]
    assert len(images) == 2 + 8 + 8 + 2 + 1
    assert all(next(iter(one.attrib.get(name) for name in ("href",))) for one in images)
    assert text.count('class="curve one"') == 2
    assert "step 30" in text


# --- Trouble, units, words ----------------------------------------------------------------------------


def test_a_run_that_explodes_says_so_and_offers_the_way_back(open_widget):
    tab = open_widget(f"one-light.html#playground={PRESETS['big-rate']['setup']},0")

    press(tab, "run")
    tab.wait_for_selector(".play-note.trouble [role=alert]")
    words, at, trouble = tab.inner_text(".play-note"), numbers(tab)["at"], tab.evaluate("window.run.trouble")
    tab.get_by_role("button", name=f"Show step {trouble['step'] - 1}, the last sound one").click()
    last = numbers(tab)["at"]
    slide(tab, "at", 0)
    tab.get_by_role("button", name="Go on with half the learning rate, 1").click()
    tab.wait_for_function("window.run.at > 5 || window.run.trouble")
    tab.wait_for_timeout(50)

    assert f"After step {trouble['step']} " in words
    assert at < trouble["step"]
    assert last == trouble["step"] - 1
    assert setup_of(tab)["rate"] == 1
    assert tab.evaluate("[...window.run.network.values].every(Number.isFinite)")


def test_dead_units_carry_a_letter_a_border_and_a_name(open_widget):
    tab = open_widget(f"one-light.html#playground={PRESETS['dead-relu']['setup']},300")

    states = tab.evaluate("window.run.units().flatMap(({ states }) => states)")
    tiles = tab.locator(".play-column.inner .play-unit")

    assert states.count("dead") >= 8
    marks = [{"dead": "D", "near-dead": "N", "saturated": "S"}.get(state, "") for state in states]
    assert tab.locator(".play-column.inner .play-mark").all_text_contents() == marks
    dead, alive = states.index("dead"), states.index("alive")
    assert styles_of(tab, ".play-column.inner .play-unit", "borderTopStyle")[dead] == "double"
    assert styles_of(tab, ".play-column.inner .play-unit", "borderTopStyle")[alive] == "solid"
    assert tiles.nth(dead).get_attribute("aria-label").endswith(": dead")
    assert tab.inner_text(".play-first") == (
        "Layer 3: all 8 units are silent on all training points. "
        "No gradient passes, so the layers before it stand still."
    )
    assert "D\ndead: zero on all training points" in tab.inner_text(".play-net .play-key")


def test_arrow_keys_go_from_unit_to_unit_and_tell_its_weights(open_widget):
    tab = open_widget()

    tab.focus("[data-unit='1.1']")
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowUp"):
        tab.keyboard.press(key)

    focused, card = tab.evaluate("document.activeElement.dataset.unit"), tab.inner_text(".play-unitcard")
    weights = tab.evaluate("[...window.run.network.layers[1].weights.slice(8, 16)]")
    shown = re.findall(r"unit \d ([−\d.×⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)[;.]", card)
    assert focused == "2.2"
    assert card.startswith("Layer 2, unit 2: ")
    assert [float(word.replace("−", "-")) for word in shown] == pytest.approx(weights, rel=0.01, abs=1e-3)
    assert tab.locator(".play-unit[tabindex='0']").count() == 1


def test_learned_numbers_of_an_activation_are_told(open_widget):
    tab = open_widget("one-light.html#playground=layers.4PReLU,50")

    learned = tab.evaluate("window.run.network.layers[0].parameters[0]")

    told = re.search(r"The layer has learned init (−?\d\.\d+)", tab.inner_text(".play-unitcard"))
    assert float(told[1]) == pytest.approx(learned, rel=0.01)
    assert learned != 0.25


def test_screen_readers_hear_two_things_at_most_in_two_seconds(open_widget):
    tab = open_widget(f"one-light.html#playground={PRESETS['dead-relu']['setup']},0")
    tab.evaluate("""() => {
        window.said = [];
        const place = document.querySelector(".play-live");
        new MutationObserver(() => said.push(performance.now())).observe(place, { childList: true, subtree: true });
    }""")

    tab.focus(".play-go")
    for _ in range(5):
        press(tab, "step")
        tab.wait_for_timeout(550)
    press(tab, "run")
    tab.wait_for_timeout(1000)
    press(tab, "run")

    said = tab.evaluate("said")
    assert 2 <= len(said) <= 4
    assert all(b - a >= 1900 for a, b in zip(said, said[1:], strict=False))


def test_the_pictures_have_names_that_tell_what_is_shown(open_widget):
    tab = open_widget()
    take(tab, 50)

    names = tab.eval_on_selector_all(
        ".play [role=img]", "all => all.map((e) => e.getAttribute('aria-label'))"
    )

    assert len(names) == 2 + 2 + 3
    assert "Map of the answers with 200 points. Step 50, epoch " in names[4]
    assert all(names)
    assert unnamed(tab, ".play :is(input, select):not([type=file])") == len(
        tab.query_selector_all("[data-activation]")
    )  # those have a name of their own


# --- Points of one's own ------------------------------------------------------------------------------


def own_points(tab):
    return tab.evaluate("""() => {
        const { points, labels } = window.run.data;
        return [...labels].map((label, i) => [+points[2 * i].toFixed(2), +points[2 * i + 1].toFixed(2), label]);
    }""")


def test_points_are_drawn_by_keyboard_alone(open_widget):
    tab = open_widget("one-light.html#playground=data.own~classes.3,0")

    tab.focus(".play-cursor")
    tab.keyboard.press("Space")
    tab.keyboard.press("2")
    for key in ("Shift+ArrowRight", "ArrowRight", "ArrowUp", "Enter", "Shift+ArrowLeft", "Enter", "Delete"):
        tab.keyboard.press(key)

    assert own_points(tab) == [[0.0, 0.0, 0], [0.35, 0.05, 2]]
    assert tab.evaluate("document.activeElement.className") == "play-cursor"
    assert tab.is_checked("[name=pen][value='2']")
    assert tab.locator(".play-note").is_hidden()

    press(tab, "ten")
    press(tab, "unpoint")

    assert own_points(tab) == [[0.0, 0.0, 0]]
    assert tab.get_by_role("button", name="Back to step 10 of the run before").is_visible()


def test_a_stroke_of_the_mouse_draws_points_apart(open_widget):
    tab = open_widget("one-light.html#playground=data.own,0")
    tab.locator(".play-plane").scroll_into_view_if_needed()
    box = tab.locator(".play-plane").bounding_box()
    at = lambda x, y: (box["x"] + box["width"] * (x + 1.5) / 3, box["y"] + box["height"] * (1.5 - y) / 3)  # noqa: E731

    tab.mouse.move(*at(-1, 0.5))
    tab.mouse.down()
    tab.mouse.move(*at(1, 0.5), steps=60)
    tab.mouse.up()

    found = own_points(tab)
    gaps = [b[0] - a[0] for a, b in zip(found, found[1:], strict=False)]
    assert 10 <= len(found) <= 26
    assert all(gap >= 0.07 for gap in gaps)
    assert all(abs(y - 0.5) < 0.02 for _, y, _ in found)


def test_a_finger_draws_points_and_does_not_move_the_page(open_widget):
    tab = open_widget("one-light.html#playground=data.own,0", width=360, has_touch=True)
    tab.locator(".play-plane").scroll_into_view_if_needed()
    box = tab.locator(".play-plane").bounding_box()

    tab.check("[name=pen][value='1']")
    tab.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 4)

    (x, y, label) = own_points(tab)[0]
    assert (abs(x) < 0.05, abs(y - 0.75) < 0.05, label) == (True, True, 1)
    assert styles_of(tab, ".play-plane", "touchAction") == ["none"]


def test_own_points_begin_with_those_that_were_shown(open_widget):
    tab = open_widget()
    unfold(tab)
    before = own_points(tab)

    tab.select_option("[name=data]", "own")

    assert own_points(tab) == [pytest.approx(point, abs=0.011) for point in before]
    press(tab, "clear")
    assert own_points(tab) == []
    assert tab.inner_text(".play-first") == "There are no points yet. Draw some, or load a file."
    assert tab.record.trouble == []


def test_points_are_saved_and_loaded_as_csv(open_widget):
    tab = open_widget("one-light.html#playground=data.own~classes.3,0")
    unfold(tab)
    text = "x1,x2,class\n0.5,-1.2,0\n-0.25,1,2\n"

    tab.set_input_files("[type=file]", {"name": "mine.csv", "mimeType": "text/csv", "buffer": text.encode()})
    tab.wait_for_function("window.run.data.size === 2")
    found = own_points(tab)
    with tab.expect_download() as download:
        press(tab, "save")

    assert found == [[0.5, -1.2, 0], [-0.25, 1.0, 2]]
    saved = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert saved[0] == "x1,x2,class"
    assert [[round(float(word), 2) for word in line.split(",")] for line in saved[1:]] == found


def test_a_bad_file_is_refused_with_the_line_and_the_reason(open_widget):
    tab = open_widget()
    unfold(tab)
    before = own_points(tab)

    tab.set_input_files(
        "[type=file]", {"name": "bad.csv", "mimeType": "text/csv", "buffer": b"0.5,0.5,0\n0.5,oops,1\n"}
    )
    tab.wait_for_selector(".play-note.trouble")

    words = tab.inner_text(".play-note")
    assert words.startswith('bad.csv was not taken. Line 2: got "0.5,oops,1", wanted x1 and x2 from')
    assert own_points(tab) == before


def test_a_place_on_the_map_can_be_asked_by_keyboard(open_widget):
    tab = open_widget()
    take(tab, 100)

    tab.focus(".play-cursor")
    for key in ("Shift+ArrowUp", "Shift+ArrowUp", "ArrowLeft"):
        tab.keyboard.press(key)

    logits = tab.evaluate("[...window.run.network.outputs(Float64Array.of(-0.05, 0.6)).logits]")
    best = logits.index(max(logits))
    told = tab.get_attribute(".play-cursor", "aria-valuetext")
    assert told.startswith(f"At x₁ −0.05, x₂ 0.6 the network says class {best}, with ")
    assert tab.inner_text(".play-asked") == told


# --- Embedding, notebooks, themes, screens ------------------------------------------------------------


def test_without_controls_there_is_the_run_and_a_link_to_all_of_them(open_widget):
    tab = open_widget("bare-light.html")

    take(tab, 20)

    address = unquote(tab.get_attribute(".play-open", "href"))
    assert tab.locator(".play-side, .play-tools, [name=preset], .play-out button").count() == 0
    assert tab.inner_text(".play-about") == PRESETS["moons"]["about"]
    assert address == f"playground.html#playground={PRESETS['moons']['setup']},20"
    assert tab.record.trouble == []


def test_where_the_large_one_stands_on_the_page_the_link_leads_up_to_it(open_widget):
    tab = open_widget("both-light.html")
    link = tab.locator(".play-open")
    link.evaluate("(link) => { link.href = link.hash; }")  # the page of this test has another name

    link.click()

    tab.wait_for_function("document.activeElement.name === 'preset'")
    tab.wait_for_function("document.querySelector('[name=preset]').value === 'xor'")
    assert abs(tab.evaluate("document.querySelector('.play').getBoundingClientRect().top")) < 1
    assert tab.record.trouble == []


def test_in_a_notebook_python_changes_the_run_and_hears_of_it(open_widget, widget):
    tab = open_widget()

    story = live_story(
        tab,
        widget,
        sets={"setup": "data.xor~layers.4Tanh"},
        shows="[data-units='1']",
        does=[["click", "[data-do=step]"], ["change", "[data-activation='1']", "Sine"]],
        keeps=["setup", "step"],
    )

    assert story["shown"] == "4"
    assert story["saved"] == [["data.xor~layers.4Tanh", 1], ["data.xor~layers.4Sine", 0]]
    assert story["listened"] == 2
    assert story["left"] == 0
    assert story["still"]


@both_themes
def test_letters_stand_out_in_both_themes(open_widget, theme):
    tab = open_widget(f"one-{theme}.html", theme=theme)
    unfold(tab)
    back, _ = THEMES[theme]

    for selector in (".play-facts", ".play-first", ".play-key li", ".play-fields label", ".play-chart text"):
        for colour in set(styles_of(tab, selector, "fill" if "text" in selector else "color")):
            assert contrast(colour, back) >= 4.5, selector
    (white,), (blue,) = styles_of(tab, ".play-go", "color"), styles_of(tab, ".play-go", "backgroundColor")
    assert contrast(white, blue) >= 4.5


def test_the_map_takes_the_colours_of_a_theme_that_changes(open_widget):
    tab = open_widget()
    corner = "[...document.querySelector('.play-unit canvas').getContext('2d').getImageData(9, 9, 1, 1).data]"
    light = tab.evaluate(corner)

    tab.evaluate("document.documentElement.dataset.theme = 'dark'")
    frames(tab, 3)

    assert sum(tab.evaluate(corner)[:3]) < sum(light[:3]) - 200


@both_themes
def test_axe_finds_nothing(open_widget, theme):
    from tests.browser.test_accessibility import AXE, EXTRA, LEVELS  # noqa: PLC0415

    tab = open_widget(f"one-{theme}.html#playground={PRESETS['dead-relu']['setup']},60", theme=theme)
    unfold(tab)
    tab.evaluate(AXE)
    judge = """async ([levels, rules]) => {
        const { violations } = await axe.run(".labs-widget", { runOnly: levels, rules, resultTypes: ["violations"] });
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 150)).slice(0, 3)}`);
    }"""

    plain = tab.evaluate(judge, [LEVELS, EXTRA])
    tab.select_option("[name=data]", "own")
    press(tab, "code")

    assert plain == []
    assert tab.evaluate(judge, [LEVELS, EXTRA]) == []


@pytest.mark.parametrize("width", [320, 360, 640])
def test_nothing_is_wider_than_a_narrow_page_and_fingers_find_all(open_widget, width):
    tab = open_widget("deep-light.html", width=width, has_touch=True)
    unfold(tab)

    too_wide = tab.evaluate("document.querySelector('.output').scrollWidth - innerWidth")
    small = [
        size
        for size in sizes_of(tab, ".play :is(button, select, summary, input:not([type=file])):not(:disabled)")
        if 0 < min(size) < 24 and not (size[0] > 60 and size[1] >= 16)
    ]

    assert too_wide <= 0
    assert [size for size in small if size != [20, 20]] == []
    assert tab.evaluate("document.querySelector('.play-scroll').scrollWidth") > width


def test_on_a_fine_screen_the_weights_lie_where_the_units_are(open_widget):
    tab = open_widget(device_scale_factor=2)

    stage, lines = sizes_of(tab, ".play-stage")[0], sizes_of(tab, ".play-lines")[0]

    assert lines == stage
    assert tab.evaluate("document.querySelector('.play-lines').width") == pytest.approx(2 * stage[0], abs=2)


def test_who_wants_it_calm_sees_one_picture_in_a_second(open_widget):
    tab = open_widget(reduced_motion="reduce")
    tab.evaluate("""() => {
        window.drawn = 0;
        const place = document.querySelector("[data-of=at]");
        new MutationObserver(() => window.drawn++).observe(place, { childList: true, subtree: true });
    }""")

    press(tab, "run")
    tab.wait_for_timeout(1500)
    drawn = tab.evaluate("window.drawn")
    press(tab, "run")

    assert drawn <= 2
    assert numbers(tab)["at"] > 20


def test_a_repaint_of_the_largest_network_costs_little(open_widget):
    tab = open_widget("deep-light.html")

    cost = thread_milliseconds(tab, "() => document.querySelector('[data-do=step]').click()")

    assert cost <= 50


def test_the_words_say_what_the_facts_say(open_widget):
    tab = open_widget()
    take(tab, 200)

    told = text_without(tab, ".play-told")

    assert re.search(
        r"The network learns: from step 0 to 200 the training loss fell from 0\.\d+ to 0\.\d+\.", told
    )
