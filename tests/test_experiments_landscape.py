"""The experiments of chapter 17: small versions on the digits, and what was stored against what the chapter says."""

import pytest
import torch

from labs.data import load_digits
from labs.experiments.landscape import (
    ACTIVATIONS,
    HOMOGENEOUS,
    curvature,
    curvature_trial,
    network,
    plain_direction,
    rescaled,
    slice_trial,
)
from labs.experiments.runs.landscape import EPOCHS, FACTOR, LR, SEEDS, STEPS, splits
from labs.landscape import filter_normalized, loss_slice, random_direction
from labs.results import load_result
from labs.seeds import make_generator

SLICES, CURVATURE = load_result("landscape_slices")["data"], load_result("landscape_curvature")["data"]


@pytest.fixture(scope="module")
def digits():
    return load_digits("train", limit=100)


def test_a_seed_gives_every_activation_the_same_weights():
    first, *others = [network(name, seed=3).linear1.weight for name in ACTIVATIONS]

    assert all(torch.equal(first, other) for other in others)


@pytest.mark.parametrize("activation", HOMOGENEOUS)
def test_rescaling_a_homogeneous_network_leaves_outputs_and_filter_slice(activation, digits):
    model = network(activation, seed=0)
    other = rescaled(model, FACTOR)
    direction = random_direction(model, generator=make_generator(0))

    slices = [
        loss_slice(one, digits, filter_normalized(direction, one), steps=5, progress=False)
        for one in (model, other)
    ]

    assert torch.allclose(model(digits.images), other(digits.images), atol=1e-4)
    assert torch.allclose(*slices, rtol=1e-4)


def test_rescaling_changes_the_function_of_tanh(digits):
    model = network("Tanh", seed=0)

    assert not torch.allclose(model(digits.images), rescaled(model, 2.0)(digits.images), atol=1e-2)


def test_a_negative_factor_is_refused():
    with pytest.raises(ValueError, match="positive"):
        rescaled(network("ReLU", seed=0), -1.0)


def test_a_plain_direction_is_as_long_as_all_weights():
    model = network("ELU", seed=0)

    found = plain_direction(random_direction(model, generator=make_generator(1)), model)

    length = sum(d.square().sum() for d in found.values()).sqrt()
    weights = sum(layer.weight.square().sum() for layer in model.linear_layers).sqrt()
    assert torch.isclose(length, weights)


def test_a_trial_measures_at_a_level_and_at_the_end(digits):
    found = curvature_trial(digits, digits, activation="ReLU", level=1.5, epochs=20, lr=0.01, seed=0)

    assert found["level"]["loss"] <= 1.5
    assert found["level"]["epoch"] < found["end"]["epoch"] == 20
    assert found["end"]["eigenvalues"] == sorted(found["end"]["eigenvalues"], reverse=True)


def test_the_middle_of_every_grid_is_the_loss(digits):
    found = slice_trial(digits, digits, activation="ReLU", epochs=2, lr=0.01, factor=2.0, seed=0, steps=3)

    for grid in found["grids"].values():
        assert grid[1][1] == pytest.approx(found["loss"], rel=2e-3)
    assert curvature(network("ReLU", seed=0), digits)["trace_error"] > 0


def test_the_stored_grids_are_complete():
    assert tuple(SLICES["activations"]) == tuple(CURVATURE) == ACTIVATIONS
    assert all(len(runs) == len(SEEDS) for runs in CURVATURE.values())
    for name, found in SLICES["activations"].items():
        assert set(found["grids"]) == (
            {"filter", "plain", "plain_rescaled"} if name in HOMOGENEOUS else {"filter"}
        )
        assert all(len(grid) == len(grid[0]) == STEPS for grid in found["grids"].values())


@pytest.mark.usefixtures("fashion_mnist_root")
def test_a_stored_run_is_found_again():
    stored = CURVATURE["ReLU"][0]["end"]

    found = curvature_trial(*splits(), activation="ReLU", level=0.0, epochs=EPOCHS, lr=LR, seed=SEEDS[0])[
        "end"
    ]

    # Rounding grows in 480 steps of training; another seed differs by more than a tenth in several of these numbers.
    assert found["loss"] == pytest.approx(stored["loss"], rel=0.05)
    assert found["eigenvalues"][0] == pytest.approx(stored["eigenvalues"][0], rel=0.1)
    assert found["trace"] == pytest.approx(stored["trace"], rel=0.1)
