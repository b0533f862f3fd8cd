"""The neuron bench: its points, what it lets through, what travels with the page. Its JavaScript: tests/browser."""

import json
import math
import re

import numpy as np
import pytest
import traitlets
from scipy.optimize import linprog
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

from labs.widgets import NeuronBench
from labs.widgets.neuron_bench import neuron_points


def content_of(html):
    return json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])


# --- The points ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "gate"),
    [
        ("AND", lambda p, q: p and q),
        ("OR", lambda p, q: p or q),
        ("NAND", lambda p, q: not (p and q)),
        ("XOR", lambda p, q: p != q),
    ],
)
def test_a_gate_has_its_truth_table(name, gate):
    found = neuron_points()[name]

    assert sorted(found["points"]) == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert found["labels"] == [int(gate(*point)) for point in found["points"]]


@pytest.mark.parametrize(
    ("name", "species"), [("setosa-versicolor", (0, 1)), ("versicolor-virginica", (1, 2))]
)
def test_the_flowers_are_those_of_scikit_learn(name, species):
    iris = load_iris()
    chosen = np.isin(iris.target, species)
    expected = StandardScaler().fit_transform(iris.data[chosen][:, [2, 3]])
    labels = (iris.target[chosen] == species[1]).astype(int)

    found = neuron_points()[name]

    order = sorted(zip(found["labels"], found["points"], strict=True))
    wanted = sorted(zip(labels.tolist(), expected.round(3).tolist(), strict=True))
    assert [label for label, _ in order] == [label for label, _ in wanted]
    assert np.allclose([p for _, p in order], [p for _, p in wanted], atol=1e-9)
    assert found["classes"] == [iris.target_names[one] for one in species]
    low, high = found["span"]
    assert all(low < x < high for point in found["points"] for x in point)


def separable(found):
    """Whether a line has both classes strictly on its sides, found by linear programming."""
    signed = (
        np.array([[*p, 1] for p in found["points"]])
        * np.where(np.array(found["labels"]) == 1, 1, -1)[:, None]
    )
    answer = linprog(np.zeros(3), A_ub=-signed, b_ub=-np.ones(len(signed)), bounds=[(None, None)] * 3)
    return answer.status == 0


def test_one_gate_and_one_pair_of_species_have_no_line():
    found = {name: separable(one) for name, one in neuron_points().items()}

    assert [name for name, good in found.items() if not good] == ["XOR", "versicolor-virginica"]


# --- The widget ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("points", "and", "AND, OR, NAND, XOR"),
        ("activation", "GELU", "Step, Sigmoid"),
        ("w1", 100.5, "-100 to 100"),
        ("w2", -math.inf, "-100 to 100"),
        ("b", math.nan, "-100 to 100"),
    ],
)
def test_a_setting_that_is_not_to_choose_from_is_refused(name, value, wanted):
    bench = NeuronBench()
    before = getattr(bench, name)

    with pytest.raises(traitlets.TraitError, match=f"{name} is .*{wanted}"):
        setattr(bench, name, value)

    assert getattr(bench, name) == before


def test_the_html_carries_state_module_and_style_and_is_the_same_in_two_runs():
    html = NeuronBench("XOR", "Tanh", w1=2, w2=-1, b=0.5).static_html()

    content = content_of(html)

    assert NeuronBench("XOR", "Tanh", w1=2, w2=-1, b=0.5).static_html() == html
    assert " id=" not in html
    assert content["address"] == ["neuron", "points", "activation", "w1", "w2", "b"]
    state = content["state"]
    assert state.pop("data") == neuron_points()
    assert state == {"points": "XOR", "activation": "Tanh", "w1": 2, "w2": -1, "b": 0.5}
    assert content["module"].count("export default") == 1
    assert not re.search(r"^import\b", content["module"], re.M)
    assert not re.search(r"https?://", content["module"] + content["css"])
    assert len(html) < 40_000


def test_the_scripts_of_its_page_fit_their_budget(root):
    mount = (root / "assets" / "mount-widgets.js").stat().st_size

    assert len(content_of(NeuronBench().static_html())["module"].encode()) + mount <= 60_000
