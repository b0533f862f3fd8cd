"""The experiments of chapter 15: small versions on the digits, and what was stored against what the chapter says."""

import json
import math

import pytest
import torch

from labs.data import load_digits, load_fashion_mnist
from labs.experiments.comparison import (
    CANDIDATES,
    PRINTED,
    RECIPE,
    ROWS,
    STARTS,
    bytes_kept,
    network,
    table_row,
    trial,
)
from labs.experiments.runs.comparison import (
    EPOCHS,
    GRID,
    MOMENTA,
    SEEDS,
    TABLE_SEEDS,
    TUNING_SEEDS,
    WIDEST_GRID,
    mean_by_rate,
    next_rate,
)
from labs.experiments.start_gain import GAIN_ROWS, gain_row
from labs.results import load_result


@pytest.fixture(scope="module")
def digits():
    return load_digits("train", limit=400)


@pytest.fixture(scope="module")
def fresh():
    return load_digits("test", limit=200)


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_trained_and_looked_at(row, digits, fresh):
    found = table_row(digits, fresh, row=row, momentum=0.8, seed=7, epochs=2)

    assert 0 <= found["accuracy"] <= 1
    assert found["accuracy"] == found["curves"]["test_accuracy"][-1]
    assert len(found["dead"]) == (0 if row == "no activation" else 4)
    modules = 4 if "one per layer" in row else 1
    learnable = {"PReLU": 1, "TeLU": 1, "STAF": 3}.get(row.split(",")[0], 0)
    assert len(found["learned"]) == modules * learnable


def test_swish_and_silu_rows_are_the_same_training(digits, fresh):
    silu, swish = (
        table_row(digits, fresh, row=row, momentum=0.8, seed=7, epochs=2) for row in ("SiLU", "Swish")
    )

    assert swish["loss"] == pytest.approx(silu["loss"], abs=1e-5)


def test_a_sigmoid_network_starts_as_the_tanh_network():
    x = torch.randn(50, 784, generator=torch.Generator().manual_seed(0))

    tanh, sigmoid = (network(name, start="fitting", seed=3) for name in ("Tanh", "Sigmoid"))

    torch.testing.assert_close(sigmoid(x), tanh(x), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", CANDIDATES)
@pytest.mark.parametrize("start", STARTS)
def test_every_candidate_is_tried_from_both_starts(name, start, digits, fresh):
    found = trial(digits, fresh, name=name, start=start, lr=0.003, epochs=1, seed=0)

    if (name, start) == ("SquaredReLU", "fitting"):  # squares of squares: from He weights it diverges here
        assert found["accuracy"] is None
        return
    assert 0 <= found["accuracy"] <= 1
    assert 0 <= found["calibration"] <= 1
    assert all(len(curve) == 1 for curve in found["curves"].values())


def test_a_run_that_diverges_says_so(digits, fresh):
    found = trial(digits, fresh, name="ReLU", start="fitting", lr=1e4, epochs=2, seed=0)

    assert found["accuracy"] is None
    assert found["loss"] is None
    json.dumps(found, allow_nan=False)


def test_an_unknown_start_is_named():
    with pytest.raises(ValueError, match="unknown start 'warm'; choose one of: default, fitting"):
        network("ReLU", start="warm", seed=0)


def test_relu_keeps_the_inputs_and_its_outputs():
    # Per image: the pixels, four hidden layers, and for the loss ten log-probabilities; a few bytes more for labels.
    numbers = 784 + 640 + 10

    kept = bytes_kept("ReLU", batch_size=100)

    assert 4 * 100 * numbers <= kept < 4 * 100 * numbers * 1.05


def test_the_grid_grows_only_at_its_ends():
    falling = {lr: -i for i, lr in enumerate(GRID)}
    rising = {lr: i for i, lr in enumerate(GRID)}
    inside = dict(zip(GRID, (0, 1, 1.5, 1), strict=True))
    ends = {lr: lr == 1.0 for lr in WIDEST_GRID}

    assert next_rate(falling) == 1e-3
    assert next_rate(rising) == 3e-1
    assert next_rate(inside) is None
    assert next_rate(ends) is None


@pytest.mark.parametrize("row", GAIN_ROWS)
def test_every_network_of_the_right_gain_is_trained(row, digits, fresh):
    found = gain_row(digits, fresh, row=row, seed=7, epochs=1)

    assert 0 <= found["accuracy"] <= 1
    assert len(found["learned"]) == (row == "shared PReLU, He start")


def test_a_slope_of_root_five_keeps_the_mean_square_of_a_signal():
    z = torch.randn(200_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    slope = GAIN_ROWS["slope \N{SQUARE ROOT}5, fixed"]["negative_slope"]

    square = torch.nn.functional.leaky_relu(z, slope).square().mean()

    assert square / 3 == pytest.approx(1, abs=0.02)  # PyTorch's weights multiply a mean square by a third


@pytest.mark.parametrize(
    ("name", "settings", "seeds"),
    [
        ("comparison_table", {"rows": ROWS, "recipe": RECIPE, "momenta": MOMENTA}, TABLE_SEEDS),
        ("comparison_gain", {"rows": GAIN_ROWS, "recipe": RECIPE, "momentum": 0.8}, TABLE_SEEDS),
        ("comparison_fair", {"candidates": CANDIDATES, "epochs": EPOCHS, "grid": GRID}, SEEDS),
        ("comparison_fair", {"widest_grid": WIDEST_GRID, "tuning_seeds": TUNING_SEEDS}, SEEDS),
    ],
)
def test_a_result_was_made_with_the_settings_of_today(name, settings, seeds):
    made = load_result(name)["provenance"]

    assert {key: made["config"][key] for key in settings} == json.loads(json.dumps(settings))
    assert made["seeds"] == list(seeds)


def test_the_tuned_rate_is_the_best_that_was_tried():
    for starts in load_result("comparison_fair")["data"].values():
        for start in STARTS:
            tried = {float(lr): values for lr, values in starts[start]["tuning"].items()}
            means = mean_by_rate(tried)
            assert set(GRID) <= set(tried)
            assert means[starts[start]["lr"]] == max(means.values())
            # Where no rate learns anything all are level at chance, and there is no best end to go on from.
            assert max(means.values()) < 0.11 or next_rate(means) is None
            assert len(starts[start]["runs"]) == len(SEEDS)


@pytest.mark.parametrize("row", ["Tanh", "ReLU"])
def test_a_stored_row_is_found_again(row, fashion_mnist_root):
    train, test = (load_fashion_mnist(split, root=fashion_mnist_root) for split in ("train", "test"))
    stored = load_result("comparison_table")["data"][row]["momentum 0.8"][0]["curves"]

    found = table_row(train, test, row=row, momentum=0.8, seed=7, epochs=1)

    # One epoch of fifteen: rounding of another processor moves the loss by a hundred thousandth.
    assert found["curves"]["train_loss"][0] == pytest.approx(stored["train_loss"][0], abs=1e-3)
    assert math.isclose(found["loss"], stored["test_loss"][0], abs_tol=5e-3)


def test_every_printed_row_was_made_again():
    table = load_result("comparison_table")["data"]

    assert set(PRINTED) <= set(table)
    assert all(len(runs) == len(TABLE_SEEDS) for row in table.values() for runs in row.values())
