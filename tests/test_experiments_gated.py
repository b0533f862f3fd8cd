"""The experiments of chapter 8: small versions on the digits, and one stored entry computed again on the real data."""

import json

import pytest
import torch
from torch import nn

from labs.activations import ACTIVATIONS, derivative, make_activation
from labs.data import load_digits, load_fashion_mnist
from labs.experiments.gated import (
    BLOCKS,
    DIPS,
    FEATURES,
    HIDDEN_FEATURES,
    LAYERS,
    SILU_MINIMUM,
    Gated,
    MonotoneSiLU,
    dip_trial,
    feed_forward_network,
    layer_trial,
)
from labs.experiments.runs.gated import (
    DIP_RATES,
    EPOCHS,
    LAYER_RATES,
    LEARN_FROM,
    SEEDS,
    TUNING_SEEDS,
)
from labs.results import load_result

X = torch.linspace(-30, 30, 6001, dtype=torch.float64)


@pytest.fixture(scope="module")
def digits():
    return load_digits("train", limit=600), load_digits("test", limit=200)


def test_the_minimum_of_silu_is_where_the_experiment_puts_it():
    place, lowest = SILU_MINIMUM

    assert abs(derivative("SiLU", torch.tensor(place, dtype=torch.float64))) < 1e-15
    assert lowest == ACTIVATIONS["SiLU"].properties.range[0]


@pytest.mark.parametrize("left", ["flat", "mirrored"])
def test_a_monotone_counterpart_never_falls_and_is_silu_on_the_right(left):
    function = MonotoneSiLU(left)

    value = function(X)

    assert (value.diff() >= 0).all()
    right = SILU_MINIMUM[0] <= X
    assert torch.equal(value[right], nn.functional.silu(X[right]))


def test_the_mirrored_slope_has_the_size_of_the_slope_of_silu():
    slope, silus = derivative(MonotoneSiLU("mirrored"), X), derivative("SiLU", X)

    torch.testing.assert_close(slope.abs(), silus.abs())
    assert (slope >= 0).all()


def test_the_flat_slope_is_zero_to_the_left_of_the_minimum():
    slope = derivative(MonotoneSiLU("flat"), X)

    assert (slope[SILU_MINIMUM[0] > X] == 0).all()


def test_an_unknown_left_side_is_refused():
    with pytest.raises(ValueError, match="left is 'steep'; choose 'flat' or 'mirrored'"):
        MonotoneSiLU("steep")


@pytest.mark.parametrize(
    ("name", "gate"), [("GEGLU", nn.GELU()), ("SwiGLU", nn.SiLU()), ("GLU", nn.Sigmoid())]
)
def test_gated_agrees_with_the_modules_of_the_table(name, gate):
    x = torch.randn(50, 12, generator=torch.Generator().manual_seed(0))

    torch.testing.assert_close(Gated(gate)(x), make_activation(name)(x))


def test_all_layers_have_the_same_number_of_parameters():
    counts = {
        name: sum(p.numel() for p in feed_forward_network(name, seed=0).parameters()) for name in LAYERS
    }

    assert set(counts.values()) == {100_426}


def test_the_same_seed_gives_the_same_network():
    first, second = (feed_forward_network("GEGLU", seed=3).state_dict() for _ in range(2))

    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_learns_the_digits(name, digits):
    found = layer_trial(*digits, name=name, lr=3e-3, epochs=4, seed=0)

    # Chance is 0.1; the lowest of the nine reached 0.7 for every one of three seeds.
    assert found["accuracy"] > 0.5
    assert found["train_loss"] < 2.3


@pytest.mark.parametrize("name", DIPS)
def test_every_dip_learns_and_is_looked_at_before_and_after(name, digits):
    found = dip_trial(*digits, name=name, lr=1e-2, epochs=4, seed=0)

    assert found["accuracy"] > 0.5
    # He weights give the digits pre-activations of a standard deviation near one: a tenth lies left of -1.28.
    assert 0.02 < found["left_before"] < 0.3
    assert 0.02 < found["left_after"] < 0.7


def test_the_three_dips_start_from_the_same_first_layer(digits):
    before = {name: dip_trial(*digits, name=name, lr=1e-3, epochs=1, seed=0)["left_before"] for name in DIPS}

    # The second layer sees other values, by a little.
    assert max(before.values()) - min(before.values()) < 0.05


def test_a_run_that_diverges_says_so(digits):
    found = dip_trial(*digits, name="SiLU", lr=1e4, epochs=1, seed=0)

    assert found["accuracy"] is None
    assert found["loss"] is None


@pytest.mark.parametrize(("result", "trial"), [("gated_layers", layer_trial), ("gated_dips", dip_trial)])
def test_a_stored_run_is_found_again(result, trial, fashion_mnist_root):
    train = load_fashion_mnist("train", root=fashion_mnist_root, limit=LEARN_FROM)
    test = load_fashion_mnist("test", root=fashion_mnist_root)
    name, stored = next(iter(load_result(result)["data"].items()))

    found = trial(train, test, name=name, lr=stored["lr"], epochs=EPOCHS, seed=SEEDS[0])

    # Rounding grows in ten epochs; another seed differs by more than this, another learning rate by far more.
    assert found["accuracy"] == pytest.approx(stored["runs"][0]["accuracy"], abs=0.012)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("gated_layers", {"layers": list(LAYERS), "rates": LAYER_RATES, "blocks": BLOCKS}),
        ("gated_layers", {"features": FEATURES, "hidden_features": HIDDEN_FEATURES}),
        ("gated_dips", {"functions": list(DIPS), "rates": DIP_RATES}),
        ("gated_dips", {"epochs": EPOCHS, "learn_from": LEARN_FROM, "tuning_seeds": TUNING_SEEDS}),
    ],
)
def test_a_result_was_made_with_the_settings_of_today(name, settings):
    made = load_result(name)["provenance"]

    stored = {key: made["config"][key] for key in settings}
    assert stored == json.loads(json.dumps(settings))
    assert made["seeds"] == list(SEEDS)


@pytest.mark.parametrize("name", ["gated_layers", "gated_dips"])
def test_the_tuned_rate_is_the_best_of_the_grid(name):
    for found in load_result(name)["data"].values():
        means = {float(lr): sum(values) / len(values) for lr, values in found["tuning"].items()}

        assert found["lr"] == max(means, key=means.get)
