"""compare(): each cell is the training that anybody could repeat by hand, and the table says what was measured."""

import math

import pytest

from labs.comparison import ComparisonTable, Run
from labs.data import make_moons
from labs.intervals import interval
from labs.networks import SimpleNetwork
from labs.seeds import set_seed
from labs.training import compare, evaluate, fit

TRAIN, TEST = make_moons(120), make_moons(60, seed=1)
QUICK = {"network": {"hidden_features": (8,)}, "epochs": 2, "lr": 0.1, "batch_size": 20}


def run(seed, accuracy=0.5, loss=1.0):
    return Run(seed, loss, accuracy, [1.0], [loss], [0.5], [accuracy], 0.1)


def test_each_cell_is_the_training_of_that_network_from_that_seed():
    table = compare(["Tanh"], TRAIN, TEST, seeds=(3, 4), **QUICK)

    for cell, seed in zip(table["Tanh"], (3, 4), strict=True):
        set_seed(seed)
        model = SimpleNetwork("Tanh", in_features=2, hidden_features=(8,), out_features=2)
        history = fit(model, TRAIN, TEST, epochs=2, lr=0.1, batch_size=20, seed=seed)
        assert (cell.loss, cell.accuracy) == tuple(evaluate(model, TEST))
        assert cell.train_loss == history.train_loss
        assert cell.seed == seed


def test_the_order_of_the_names_and_their_company_change_nothing():
    alone = compare(["ReLU"], TRAIN, TEST, seeds=(0,), **QUICK)
    last = compare(["RReLU", "STAF", "ReLU"], TRAIN, TEST, seeds=(0,), **QUICK)

    assert list(last) == ["RReLU", "STAF", "ReLU"]
    assert alone["ReLU"][0].test_loss == last["ReLU"][0].test_loss


def test_two_processes_find_what_one_finds():
    here = compare(["ReLU", None], TRAIN, TEST, seeds=(0, 1), **QUICK)
    there = compare(["ReLU", None], TRAIN, TEST, seeds=(0, 1), jobs=2, **QUICK)

    for label in here:
        for mine, theirs in zip(here[label], there[label], strict=True):
            assert mine.test_loss == pytest.approx(theirs.test_loss, rel=1e-5)


def test_labels_with_settings_make_the_networks_they_say():
    table = compare(
        {"own": {"activation": "PReLU"}, "shared": {"activation": "PReLU", "share_activation": True}},
        TRAIN, TEST, seeds=(0,), network={"hidden_features": (8, 8)}, epochs=3, lr=0.3, batch_size=20,
    )  # fmt: skip

    assert table["own"][0].test_loss != table["shared"][0].test_loss


def test_the_intervals_are_those_of_the_seeds():
    table = ComparisonTable({"ReLU": [run(0, 0.80, 0.6), run(1, 0.84, 0.4), run(2, 0.82, 0.5)]})

    assert table.accuracy("ReLU") == interval([0.80, 0.84, 0.82])
    assert table.loss("ReLU") == interval([0.6, 0.4, 0.5])
    assert "82.0" in repr(table)
    assert "3 seeds" in repr(table)
    assert "<th" in table._repr_html_()


def test_one_seed_is_called_one_seed_and_gets_no_interval():
    table = ComparisonTable({"ReLU": [run(7)]})

    assert "one seed" in repr(table)
    assert "interval" not in repr(table)
    assert math.isnan(table.accuracy("ReLU").low)


def test_runs_of_different_seeds_are_not_put_side_by_side():
    with pytest.raises(ValueError, match="wanted the same seeds for every label"):
        ComparisonTable({"a": [run(0)], "b": [run(1)]})
    with pytest.raises(ValueError, match="wanted the same seeds"):
        ComparisonTable({"a": []})


@pytest.mark.parametrize(
    ("names", "seeds", "message"),
    [
        (["ReLU", "ReLU"], (0,), "wanted each once"),
        ([], (0,), "0 names"),
        (["ReLU"], (), "0 seeds"),
        (["Relu"], (0,), "did you mean ReLU"),
    ],
)
def test_a_comparison_of_nothing_or_of_the_unknown_is_refused(names, seeds, message):
    with pytest.raises(ValueError, match=message):
        compare(names, TRAIN, TEST, seeds=seeds, **QUICK)
