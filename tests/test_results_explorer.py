"""The results explorer: what it packs from the two results files, and what it refuses."""

import json
import math
import random
import re

import pytest
import traitlets
from scipy import stats

from labs.experiments.comparison import CANDIDATES, PRINTED, ROWS, STARTS
from labs.results import load_result
from labs.widgets import ResultsExplorer
from labs.widgets.results_packing import CURVE_STEPS, CURVES, student_quantiles

DIVERGED = ("SquaredReLU", "fitting", 2)  # candidate, start, number of the seed
LOST = ("Snake", "default")  # all seeds, in the first epoch


def made_up_run(rng, level, epochs, *, linear=False, fair=False):
    """A run as ``table_row`` or ``trial`` return it, around the accuracy ``level``."""
    accuracy = round(level + rng.gauss(0, 0.004), 4)
    share = [1 - math.exp(-(epoch + 1) / 2.5) for epoch in range(epochs)]
    curves = {
        "train_loss": [2.3 - (2.3 - 2.8 * (1 - accuracy)) * part for part in share],
        "train_accuracy": [0.1 + (accuracy - 0.08) * part for part in share],
        "test_loss": [2.3 - (2.3 - 3 * (1 - accuracy)) * part for part in share],
        "test_accuracy": [*(0.1 + (accuracy - 0.1) * part for part in share[:-1]), accuracy],
    }
    run = {"accuracy": accuracy, "loss": curves["test_loss"][-1], "curves": curves}
    run["dead"] = [] if linear else [0.0, 0.25, 0.5, rng.random()]
    return {**run, "calibration": abs(rng.gauss(0.02, 0.01))} if fair else {**run, "learned": {}}


def lost_run(epochs):
    """A run that diverged after so many epochs."""
    curves = {name: [0.1] * epochs if "accuracy" in name else [2.3] * epochs for name in CURVES}
    gone = dict.fromkeys(("accuracy", "loss", "calibration"))
    return {**gone, "curves": curves if epochs else {}, "dead": []}


def made_up_results(seed=0):
    """The results ``table`` and ``fair`` with the keys of the real ones and made-up numbers."""
    rng = random.Random(seed)
    level = {**{row: 0.76 + 0.1 * rng.random() for row in ROWS}, "Sigmoid": 0.1}
    table = {
        row: {
            f"momentum {m:g}": [made_up_run(rng, level[row], 15, linear=row == "no activation") for _ in range(5)]
            for m in (0.8, 0.9)
        }
        for row in ROWS
    }  # fmt: skip
    fair = {}
    for name in CANDIDATES:
        linear, level_here = name == "no activation", 0.86 + 0.025 * rng.random()
        fair[name] = {"bytes kept": rng.randrange(600_000, 3_000_000)}
        for start in STARTS:
            runs = [made_up_run(rng, level_here, 8, linear=linear, fair=True) for _ in range(5)]
            if (name, start) == DIVERGED[:2]:
                runs[DIVERGED[2]] = lost_run(2)
            if (name, start) == LOST:
                runs = [lost_run(0) for _ in runs]
            fair[name][start] = {
                "lr": rng.choice([0.01, 0.03, 0.1]),
                "validation": 0.9,
                "tuning": {},
                "runs": runs,
            }
    return (
        {"data": table, "provenance": {"config": {"rows": ROWS}, "seeds": [7, 8, 9, 10, 11]}},
        {"data": fair, "provenance": {"config": {"candidates": CANDIDATES}, "seeds": [0, 1, 2, 3, 4]}},
    )


@pytest.fixture(scope="module")
def results():
    return made_up_results()


@pytest.fixture(scope="module")
def explorer(results):
    return ResultsExplorer.from_results(*results)


def experiment(explorer, key):
    return next(one for one in explorer.data["experiments"] if one["key"] == key)


def network(explorer, key, name):
    return next(one for one in experiment(explorer, key)["networks"] if one["name"] == name)


def test_both_results_give_five_experiments(explorer):
    keys = [one["key"] for one in explorer.data["experiments"]]

    assert keys == ["momentum-0.8", "momentum-0.9", "fair-default", "fair-fitting", "fair-both"]
    assert explorer.experiment == "momentum-0.8"
    assert experiment(explorer, "fair-both")["parts"] == ["fair-default", "fair-fitting"]


@pytest.mark.parametrize(("which", "first"), [(0, "momentum-0.8"), (1, "fair-default")])
def test_one_result_alone_will_do(results, which, first):
    given = [result if i == which else None for i, result in enumerate(results)]

    explorer = ResultsExplorer.from_results(*given)

    assert explorer.experiment == first
    assert len(explorer.data["experiments"]) == (2, 3)[which]


def test_the_final_values_travel_unchanged_to_six_digits(explorer, results):
    _, fair = results
    for name in CANDIDATES:
        for start in STARTS:
            packed = network(explorer, f"fair-{start}", name)
            runs = fair["data"][name][start]["runs"]
            for measure in ("accuracy", "loss", "calibration"):
                wanted = [run[measure] if run[measure] is None else round(run[measure], 6) for run in runs]
                assert packed[measure] == wanted
            assert packed["lr"] == fair["data"][name][start]["lr"]
            assert packed["bytes"] == fair["data"][name]["bytes kept"]


def test_the_curves_travel_to_four_digits(explorer, results):
    table, _ = results
    for row in ROWS:
        packed = network(explorer, "momentum-0.9", row)["curves"]
        for name in CURVES:
            for short, run in zip(packed[name], table["data"][row]["momentum 0.9"], strict=True):
                exact = run["curves"][name]
                assert len(short) == len(exact) == 15
                assert all(abs(a / CURVE_STEPS - b) <= 0.51e-4 for a, b in zip(short, exact, strict=True))


def test_a_diverged_run_stays_visible(explorer):
    name, start, number = DIVERGED

    packed = network(explorer, f"fair-{start}", name)

    assert [value is None for value in packed["accuracy"]] == [i == number for i in range(5)]
    assert packed["dead"][number] is None
    assert len(packed["curves"]["test_loss"][number]) == 2
    assert explorer.data["chance"] == 0.1


def test_the_share_of_dead_units_weighs_the_layers_by_their_widths(explorer, results):
    table, _ = results
    first, second, third, fourth = table["data"]["ReLU"]["momentum 0.8"][0]["dead"]

    packed = network(explorer, "momentum-0.8", "ReLU")["dead"][0]

    wanted = (256 * first + 192 * second + 128 * third + 64 * fourth) / 640
    assert packed == pytest.approx(wanted, abs=1e-6)
    assert network(explorer, "momentum-0.8", "no activation")["dead"] == [None] * 5


def test_each_network_has_the_family_of_what_it_really_uses(explorer):
    families = {one["name"]: one["family"] for one in experiment(explorer, "momentum-0.8")["networks"]}
    fair = {one["name"]: one["family"] for one in experiment(explorer, "fair-default")["networks"]}

    assert families["TeLU"] == fair["TrainableELU"] == "learnable"  # the tutorial's TeLU is a trainable ELU
    assert fair["TeLU"] == "smooth"
    assert families["no activation"] == fair["no activation"] == "linear"
    assert families["Sigmoid, started like tanh"] == "classical"
    assert set(explorer.data["families"]) == set(families.values()) | set(fair.values())


def test_what_the_tutorial_prints_stands_beside_its_rows_only(explorer):
    rows = experiment(explorer, "momentum-0.8")["networks"]
    printed = {one["name"]: one["printed"] for one in rows if "printed" in one}

    assert printed == {
        name: {"accuracy": pytest.approx(accuracy / 100), "loss": loss}
        for name, (accuracy, loss, _) in PRINTED.items()
    }
    assert not any("printed" in one for one in experiment(explorer, "fair-fitting")["networks"])


def test_the_quantiles_are_students():
    found = student_quantiles(30)

    assert found[:2] == [None, None]
    assert found[2:] == pytest.approx([stats.t.ppf(0.975, n - 1) for n in range(2, 31)], abs=1e-9)


def test_what_the_page_gets_is_small_and_the_same_twice(results):
    first, second = (ResultsExplorer.from_results(*results)._repr_mimebundle_()[0] for _ in range(2))

    assert first["text/html"] == second["text/html"]
    assert first["text/plain"] == "ResultsExplorer()"
    assert len(first["text/html"].encode()) <= 200_000


def test_the_real_results_fit_too(root):
    names = ("comparison_table", "comparison_fair")
    both = [load_result(n) if (root / "results" / f"{n}.json").is_file() else None for n in names]
    if both == [None, None]:
        pytest.skip("the results of the comparison are not there yet (make results NAME=comparison)")

    explorer = ResultsExplorer.from_results(*both)

    assert len(explorer.static_html().encode()) <= 200_000


def test_the_html_carries_state_module_and_style_and_cannot_be_broken_out_of(explorer):
    bad = "</script><!-- <script>"

    html = ResultsExplorer({**explorer.data, "note": bad}).static_html()

    assert html.count("</script") == html.count("<script") == 1
    assert "<!--" not in html
    assert " id=" not in html
    content = json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])
    assert content["state"]["data"]["note"] == bad
    assert content["address"] == ["results", *ResultsExplorer.address_traits]
    assert "export default" in content["module"]


def test_its_javascript_fits_its_budget_and_asks_nobody(root):
    script = root / "labs" / "widgets" / "results_explorer.js"
    text = script.read_text(encoding="utf-8")

    assert script.stat().st_size <= 20_000
    assert not re.search(r"https?:|import[ (]|fetch\(|XMLHttp", text)


def test_no_result_and_a_wrong_one_are_refused():
    with pytest.raises(ValueError, match="got no result; wanted load_result"):
        ResultsExplorer.from_results()
    with pytest.raises(ValueError, match=r"fair has the keys \['ReLU'\]; wanted what load_result returned"):
        ResultsExplorer.from_results(fair={"ReLU": {}})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("experiment", "momentum-0.7"),
        ("measure", "speed"),
        ("family", "quadratic"),
        ("curve", "loss"),
        ("ranks", "none"),
        ("selected", "ReLU~Relu"),
        ("selected", "ReLU~Tanh~GELU~SiLU~Mish~Swish~STAF"),
    ],
)
def test_a_setting_that_is_not_to_choose_from_is_refused(explorer, name, value):
    before = getattr(explorer, name)

    with pytest.raises(traitlets.TraitError, match=name):
        setattr(explorer, name, value)

    assert getattr(explorer, name) == before


def test_the_reader_can_be_put_anywhere(results):
    explorer = ResultsExplorer.from_results(
        *results, experiment="fair-both", measure="bytes", selected="ReLU, default start~Tanh, fitting start"
    )

    assert explorer.experiment == "fair-both"
    assert explorer.selected.split("~") == ["ReLU, default start", "Tanh, fitting start"]
