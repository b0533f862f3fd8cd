"""The threshold bench in a browser: its numbers against scikit-learn, and sliders, mouse, finger, themes, screens."""

import random
import re

import numpy as np
import pytest
from sklearn import metrics

from labs.widgets import ThresholdBench
from tests.browser.looks import letters_of, sizes_of, text_without
from tests.browser.widget_pages import THEMES, contrast, repaint_milliseconds

CHAPTER = "book/03-evaluation.html"
both_schemes = pytest.mark.parametrize("scheme", ["http", "file"])
LIVE = "document.querySelector('.bench [aria-live]').textContent"


@pytest.fixture(scope="module")
def widget():
    return ThresholdBench()


def slider(tab, name):
    return tab.locator(f"input[name={name}]")


def value(tab, name="threshold"):
    return float(slider(tab, name).input_value())


def counts(tab):
    found = tab.eval_on_selector_all(
        "[data-count]", "all => all.map(e => [e.dataset.count, e.textContent.replace(',', '')])"
    )
    return {name: int(text) for name, text in found}


def measured(tab):
    rows = tab.locator(".bench-measures tbody tr").all_inner_texts()
    return {row.split("\t")[0]: row.split("\t")[2] for row in rows}


# --- The numbers --------------------------------------------------------------------------------------


def random_settings(many):
    chance = random.Random(1)
    for _ in range(many):
        yield {
            "separation": round(chance.uniform(0, 3), 1),
            "spread": round(chance.uniform(0.5, 2), 1),
            "prevalence": chance.randint(1, 99),
            "thresholds": [round(chance.uniform(-5, 8), 2) for _ in range(10)],
        }


def random_ties(many):
    """Few scores, whole numbers, so that most of them are tied, and weights of all sizes."""
    chance = np.random.default_rng(2)
    for _ in range(many):
        n = int(chance.integers(2, 40))
        labels = chance.integers(0, 2, n)
        labels[:2] = 0, 1
        yield {
            "scores": chance.integers(-3, 4, n).tolist(),
            "labels": labels.tolist(),
            "weights": chance.integers(1, 100, n).tolist(),
            "thresholds": [-4, -3, -1, 0, 2, 3, 4],
        }


def curves_against_scikit_learn(data, found):
    y, score, weight = (np.array(data[key]) for key in ("labels", "scores", "weights"))
    at, fpr, recall, precision = (np.array(numbers, dtype=float) for numbers in found["curves"])

    wanted_fpr, wanted_tpr, wanted_at = metrics.roc_curve(
        y, score, sample_weight=weight, drop_intermediate=False
    )
    assert at[1:].tolist() == wanted_at[1:].tolist()  # the first is above all scores
    assert fpr == pytest.approx(wanted_fpr, abs=1e-6)
    assert recall == pytest.approx(wanted_tpr, abs=1e-6)

    wanted_precision, wanted_recall, wanted_at = metrics.precision_recall_curve(
        y, score, sample_weight=weight
    )
    assert at[:0:-1].tolist() == wanted_at.tolist()
    assert precision[:0:-1] == pytest.approx(wanted_precision[:-1], abs=1e-6)
    assert recall[::-1] == pytest.approx(wanted_recall, abs=1e-6)

    area = metrics.roc_auc_score(y, score, sample_weight=weight)
    average = metrics.average_precision_score(y, score, sample_weight=weight)
    assert [found["auc"], found["average"]] == pytest.approx([area, average], abs=1e-6)


def measures_against_scikit_learn(data, counts, found):
    y, score, weight = (np.array(data[key])[:, None] for key in ("labels", "scores", "weights"))
    called = (score >= np.array(data["thresholds"])).astype(int)  # (examples, thresholds)
    y, weight = np.broadcast_to(y, called.shape), weight[:, 0]

    # All thresholds at once: to scikit-learn each is a label of its own.
    for wanted, one in zip(
        metrics.multilabel_confusion_matrix(y, called, sample_weight=weight), counts, strict=True
    ):
        assert [[one["tn"], one["fp"]], [one["fn"], one["tp"]]] == wanted.tolist()

    # What f1_score, precision_score and recall_score call.
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        y, called, sample_weight=weight, zero_division=np.nan
    )
    specificity = metrics.recall_score(
        1 - y, 1 - called, average=None, sample_weight=weight, zero_division=np.nan
    )
    expected = {
        "accuracy": np.average(y == called, axis=0, weights=weight),
        "precision": precision,
        "recall": recall,
        "fpr": 1 - specificity,
        "specificity": specificity,
        "f1": f1,
    }
    for name, wanted in expected.items():
        ours = np.array([one[name] for one in found], dtype=float)  # None: undefined
        np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-6, err_msg=name)
    assert all(one.keys() == expected.keys() for one in found)


JUDGE = """const judge = (data, thresholds) => {
    const list = corners(data), all = thresholds.map((t) => confusion(data, t));
    const curves = ["threshold", "fpr", "recall", "precision"].map((name) => list.map((corner) => corner[name]));
    return { curves, auc: auc(list), average: averagePrecision(list), counts: all, measures: all.map(measures) };
};"""
MODULE = "({ clouds, confusion, measures, corners, auc, averagePrecision }, argument)"


def test_a_thousand_settings_agree_with_scikit_learn(javascript, widget):
    settings = list(random_settings(100))  # with ten thresholds each
    code = f"""{MODULE} => {{ {JUDGE}
        const [draws, all] = argument;
        return all.map((state) => {{
            const data = clouds(draws, state);
            return {{ ...judge(data, state.thresholds), ...data }};
        }});
    }}"""

    found = javascript(code, [widget.draws, settings])

    for setting, one in zip(settings, found, strict=True):
        p, positives = setting["prevalence"], widget.draws["positives"]
        data = {
            "scores": widget.draws["negatives"]
            + [setting["separation"] + setting["spread"] * z for z in positives],
            "labels": [0] * 100 + [1] * 100,
            "weights": [100 - p] * 100 + [p] * 100,
        }
        assert {name: one[name] for name in data} == data
        curves_against_scikit_learn(data, one)
        measures_against_scikit_learn(
            {**data, "thresholds": setting["thresholds"]}, one["counts"], one["measures"]
        )


def test_tied_scores_agree_with_scikit_learn(javascript):
    cases = list(random_ties(50))
    code = f"{MODULE} => {{ {JUDGE} return argument.map((data) => judge(data, data.thresholds)); }}"

    found = javascript(code, cases)

    for case, one in zip(cases, found, strict=True):
        curves_against_scikit_learn(case, one)
        measures_against_scikit_learn(case, one["counts"], one["measures"])


def test_f1_is_the_f1_score_of_scikit_learn(javascript):
    y, called = [0, 0, 1, 1, 1, 0, 1], [0, 1, 1, 0, 1, 0, 1]
    data = {"scores": called, "labels": y, "weights": [1] * 7}

    found = javascript("({ confusion, measures }, data) => measures(confusion(data, 1))", data)

    assert found["f1"] == pytest.approx(metrics.f1_score(y, called), abs=1e-12)


def test_a_measure_without_a_denominator_is_undefined(javascript):
    code = "({ measures }, all) => all.map(measures)"
    nothing_called = {"tp": 0, "fn": 5, "fp": 0, "tn": 7}
    no_positives = {"tp": 0, "fn": 0, "fp": 3, "tn": 4}
    no_negatives = {"tp": 2, "fn": 1, "fp": 0, "tn": 0}
    no_examples = dict.fromkeys(nothing_called, 0)

    found = javascript(code, [nothing_called, no_positives, no_negatives, no_examples])

    undefined = [{name for name, x in one.items() if x is None} for one in found]
    assert undefined == [{"precision"}, {"recall"}, {"fpr", "specificity"}, set(found[3])]
    assert found[0]["f1"] == found[1]["f1"] == 0


def test_another_prevalence_leaves_the_roc_curve_where_it_is(javascript, widget):
    code = f"""{MODULE} => [1, 50, 99].map((prevalence) => {{
        const list = corners(clouds(argument, {{ separation: 1.5, spread: 1, prevalence }}));
        return {{ area: auc(list), average: averagePrecision(list) }};
    }})"""

    rare, even, often = javascript(code, widget.draws)

    assert rare["area"] == pytest.approx(even["area"], abs=1e-12)
    assert often["area"] == pytest.approx(even["area"], abs=1e-12)
    assert rare["average"] < even["average"] < often["average"]


# --- The page -----------------------------------------------------------------------------------------


@both_schemes
def test_it_mounts_alone_and_in_silence(open_widget, scheme):
    tab = open_widget(scheme=scheme)

    assert sum(counts(tab).values()) == 10_000
    assert tab.locator(".labs-widget-note").count() == 0
    assert tab.record.trouble == []


def test_table_picture_and_measures_tell_the_same(open_widget, widget):
    tab = open_widget("one-light.html#threshold=2,1.5,10,1.2")

    called = [2 + 1.5 * z >= 1.2 for z in widget.draws["positives"]]
    false = [z >= 1.2 for z in widget.draws["negatives"]]
    expected = {"tp": 10 * sum(called), "fp": 90 * sum(false)}
    expected |= {"fn": 1000 - expected["tp"], "tn": 9000 - expected["fp"]}
    assert counts(tab) == expected
    written = tab.locator(".bench-clouds").text_content()
    for name, number in expected.items():
        assert f"{name.upper()} {number:,}" in written
    assert measured(tab)["precision"] == f"{expected['tp'] / (expected['tp'] + expected['fp']):.3f}"
    assert measured(tab)["accuracy"] == f"{(expected['tp'] + expected['tn']) / 10_000:.3f}"
    assert "gives accuracy 0.900" in tab.inner_text(".bench-note")
    # The dots on the right of the line are those that are called positive.
    line = float(re.search(r"M([\d.]+)", tab.get_attribute(".bench-line path", "d"))[1]) - 8
    right = tab.eval_on_selector_all(
        "circle.positive", "(all, line) => all.filter(e => e.cx.baseVal.value > line - 0.1).length", line
    )
    assert right == sum(called)


def test_the_threshold_follows_the_keyboard_from_end_to_end(open_widget):
    tab = open_widget()
    place = tab.get_by_role("slider", name="threshold")
    place.focus()

    tab.keyboard.press("End")
    nobody = counts(tab), measured(tab)
    tab.keyboard.press("ArrowLeft")
    nudged = value(tab)
    tab.keyboard.press("Home")
    everybody = counts(tab), measured(tab)

    assert nobody[0] == {"tp": 0, "fn": 5000, "fp": 0, "tn": 5000}
    assert nobody[1]["precision"] == "undefined"
    assert nobody[1]["F1"] == "0.000"
    assert nudged == 7.95
    assert everybody[0] == {"tp": 5000, "fn": 0, "fp": 5000, "tn": 0}
    assert everybody[1]["precision"] == "0.500"
    assert place.get_attribute("aria-valuetext") == "−5"


def test_a_point_without_precision_is_not_drawn(open_widget):
    tab = open_widget("one-light.html#threshold=1.5,1,50,8")

    assert tab.locator(".bench-curves .dot").count() == 1


def place_of(tab, score):
    box = tab.locator(".bench-clouds").bounding_box()
    return box["x"] + 8 + (score + 5) / 13 * (box["width"] - 16), box["y"] + 80


def test_the_line_can_be_dragged_with_the_mouse(open_widget):
    tab = open_widget()

    tab.mouse.move(*place_of(tab, 0.75))
    tab.mouse.down()
    tab.mouse.move(*place_of(tab, 2.0), steps=4)
    middle = value(tab)
    tab.mouse.move(*place_of(tab, 30))
    outside = value(tab)
    tab.mouse.up()
    tab.mouse.move(*place_of(tab, -1.0))

    assert middle == pytest.approx(2.0, abs=0.05)
    assert outside == value(tab) == 8


def test_the_line_follows_a_finger_and_lets_the_page_scroll(open_widget):
    tab = open_widget(width=360, height=740, has_touch=True, is_mobile=True)
    client = tab.context.new_cdp_session(tab)
    tab.locator(".bench-clouds").scroll_into_view_if_needed()

    for kind, score in (("touchStart", 0.75), ("touchMove", 1.5), ("touchMove", 3.0), ("touchEnd", None)):
        points = [] if score is None else [dict(zip("xy", place_of(tab, score), strict=True))]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    assert value(tab) == pytest.approx(3.0, abs=0.05)
    assert tab.eval_on_selector(".bench-clouds", "e => getComputedStyle(e).touchAction") == "pan-y"


@pytest.mark.parametrize(
    "nonsense", ["threshold=99,99,999,99", "threshold=-9,-9,-9,-9", "threshold=x", "threshold=", "threshold"]
)
def test_a_nonsense_address_shows_what_there_is(open_widget, nonsense):
    tab = open_widget(f"one-light.html#{nonsense}")

    assert sum(counts(tab).values()) == 10_000
    assert "NaN" not in tab.inner_html(".bench")
    assert tab.record.errors == []


def seen(tab):
    """The text of the widget without what is only said aloud after a change."""
    return text_without(tab, ".bench")


@both_schemes
def test_the_address_reproduces_what_is_seen(open_widget, open_again, scheme):
    tab = open_widget(scheme=scheme)
    for name, keys in (("separation", 3), ("spread", 2), ("prevalence", 5), ("threshold", 7)):
        slider(tab, name).focus()
        for _ in range(keys):
            tab.keyboard.press("ArrowRight")
    tab.wait_for_function("location.hash === '#threshold=1.8,1.2,55,1.1'")

    again = open_again(tab)

    assert seen(again) == seen(tab)


def test_two_benches_on_a_page_keep_apart(open_widget):
    tab = open_widget("two-light.html#threshold=1,1,50,1&threshold2=2,1,50,2")
    tab.wait_for_function("document.querySelectorAll('[data-mounted=yes]').length === 2")

    slider(tab, "threshold").nth(1).focus()
    tab.keyboard.press("ArrowRight")
    tab.wait_for_function("location.hash === '#threshold=1,1,50,1&threshold2=2,1,50,2.05'")

    assert [float(one.input_value()) for one in slider(tab, "threshold").all()] == [1, 2.05]


def test_a_screen_reader_hears_the_numbers_once_the_hand_rests(open_widget):
    tab = open_widget()

    slider(tab, "threshold").focus()
    tab.keyboard.press("End")
    tab.wait_for_function(f"{LIVE}.startsWith('Threshold 8:')")

    said = tab.evaluate(LIVE)
    assert "precision undefined" in said
    assert re.search(r"AUC 0\.\d{3}, average precision 0\.\d{3}\.$", said)
    for picture in tab.locator(".bench svg[role=img]").all():
        assert picture.get_attribute("aria-label")
    assert tab.locator(".bench [id]").count() == 0


def test_the_matrix_is_a_table_with_named_rows_and_columns(open_widget):
    tab = open_widget()

    table = tab.locator(".bench-matrix")

    assert table.locator("thead th[scope=col]").all_inner_texts() == ["called positive", "called negative"]
    assert table.locator("tbody th[scope=row]").all_inner_texts() == ["positive", "negative"]


@pytest.mark.parametrize(("width", "height"), [(320, 640), (360, 740), (768, 900), (1500, 900)])
def test_it_fits_every_screen_and_every_finger(open_widget, width, height):
    tab = open_widget("one-light.html#threshold=0,2,99,0", width=width, height=height)

    sizes = sizes_of(tab, ".bench input")
    letters = letters_of(tab, ".bench svg text")

    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert min(min(size) for size in sizes) >= 24
    assert min(letters) >= 11


@pytest.mark.parametrize("theme", THEMES)
def test_the_classes_stand_out_and_differ_without_colour(open_widget, theme):
    tab = open_widget(f"one-{theme}.html", theme=theme)
    back, _ = THEMES[theme]

    filled, hollow = (
        tab.eval_on_selector(f"circle.{kind}", "e => [getComputedStyle(e).fill, getComputedStyle(e).stroke]")
        for kind in ("positive", "negative")
    )
    curve, chance = (
        tab.eval_on_selector(f".bench-curves {kind}", "e => getComputedStyle(e).strokeDasharray")
        for kind in (".curve", ".bench-chance")
    )
    quiet = tab.eval_on_selector(".bench-note", "e => getComputedStyle(e).color")

    assert contrast(filled[0], back) >= 3
    assert hollow[0] == "none"
    assert contrast(hollow[1], back) >= 3
    assert curve != chance
    assert contrast(quiet, back) >= 4.5


def test_it_repaints_within_a_tenth_of_a_second(open_widget):
    tab = open_widget()

    assert repaint_milliseconds(tab, "threshold") <= 100
    assert repaint_milliseconds(tab, "separation") <= 100


def test_in_a_live_notebook_both_sides_hear_each_other_until_the_widget_goes(live):
    story = live(
        sets={"threshold": 3},
        shows="[name=threshold]",
        does=[["input", "[name=prevalence]", 7]],
        keeps=["prevalence"],
    )

    assert story["shown"] == "3"
    assert story["saved"] == [[7]]
    assert story["listened"] > 0
    assert story["left"] == 0
    assert story["still"]


@both_schemes
def test_the_bench_of_the_chapter_lives(open_chapter, scheme):
    tab = open_chapter(CHAPTER, "// The threshold bench:", ".bench-matrix", scheme)

    slider(tab, "threshold").focus()
    tab.keyboard.press("End")

    assert measured(tab)["precision"] == "undefined"
    assert tab.record.trouble == []
