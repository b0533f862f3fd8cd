"""The experiments of chapter 18: small versions on the digits, and the settings of what is stored."""

import json

import pytest
import torch
from torch import nn

from labs.activations import make_activation
from labs.data import load_digits, load_fashion_mnist
from labs.experiments.choosing import (
    CANDIDATES,
    SPARSE,
    Mixture,
    mixture_trial,
    sparsity_trial,
    thin,
    thresholds,
)
from labs.experiments.runs.choosing import (
    BATCHES,
    EPOCHS,
    RATES,
    SEEDS,
    SHARES,
    SPARSE_EPOCHS,
    SPARSE_SEEDS,
    TUNING_SEEDS,
)
from labs.networks import SimpleNetwork
from labs.results import load_result
from labs.seeds import set_seed

X = torch.linspace(-8, 8, 801)


@pytest.fixture(scope="module")
def digits():
    return load_digits("train", limit=400), load_digits("test", limit=200)


@pytest.fixture(scope="module")
def model():
    set_seed(0)
    return SimpleNetwork("GELU", hidden_features=(32, 16))


@pytest.mark.parametrize(("share", "name"), [(0.0, "GELU"), (1.0, "SiLU"), (0.5, "SwiGELU")])
def test_the_mixture_contains_its_parents_and_their_mean(share, name):
    torch.testing.assert_close(Mixture(share)(X), make_activation(name)(X), atol=1e-6, rtol=1e-5)


def test_the_gradient_of_the_share_is_the_difference_of_the_parents():
    mixture = Mixture()

    mixture(X).sum().backward()

    expected = (nn.functional.silu(X) - nn.functional.gelu(X)).sum()
    torch.testing.assert_close(mixture.share.grad, expected, atol=1e-3, rtol=1e-5)


@pytest.mark.parametrize("name", CANDIDATES)
def test_every_candidate_learns(name, digits):
    found = mixture_trial(*digits, name=name, lr=0.03, epochs=4, seed=0)

    assert found["accuracy"] > 0.6
    assert len(found["shares"]) == (2 if name == "mixture" else 0)


def test_a_run_that_diverges_says_so(digits):
    assert mixture_trial(*digits, name="ReLU", lr=1e9, epochs=3, seed=0)["accuracy"] is None


def test_thresholds_leave_out_the_share_that_was_asked_for(model, digits):
    images = digits[0].images

    _, kept = thin(model, images, thresholds(model, images, 0.6))

    # Only the first layer sees what its threshold was made from; the second sees inputs that were thinned before.
    assert (kept[0] == 0).float().mean() == pytest.approx(0.6, abs=0.001)
    assert (kept[1] == 0).float().mean() == pytest.approx(0.6, abs=0.1)


def test_without_thresholds_nothing_changes(model, digits):
    images = digits[0].images

    logits, _ = thin(model, images, [0.0, 0.0])

    assert torch.equal(logits, model(images))


@pytest.mark.parametrize("name", SPARSE)
def test_more_left_out_is_more_zeros_and_a_larger_batch_needs_more_units(name, digits):
    settings = {"epochs": 1, "seed": 0, "shares": [0.0, 0.5, 0.9], "batches": [1, 8, 64]}

    found = sparsity_trial(digits[0], digits[1], digits[1], name=name, **settings)

    zeros = [sum(layers) for layers in found["zeros"]]
    assert zeros == sorted(zeros)
    assert found["needed"] == sorted(found["needed"])
    assert (zeros[0] > 0.5) == (name == "ReLU")


@pytest.mark.parametrize(
    ("name", "seeds", "settings"),
    [
        ("choosing_mixture", SEEDS, {"rates": RATES, "epochs": EPOCHS, "tuning_seeds": TUNING_SEEDS}),
        ("choosing_sparsity", SPARSE_SEEDS, {"epochs": SPARSE_EPOCHS, "shares": SHARES, "batches": BATCHES}),
        ("choosing_sparsity", SPARSE_SEEDS, {"networks": SPARSE}),
    ],
)
def test_a_result_was_made_with_the_settings_of_today(name, seeds, settings):
    made = load_result(name)["provenance"]

    stored = {key: made["config"][key] for key in settings}
    assert stored == json.loads(json.dumps(settings))
    assert made["seeds"] == list(seeds)


def test_a_stored_run_is_found_again(fashion_mnist_root):
    train = load_fashion_mnist("train", root=fashion_mnist_root).subset(slice(6_000))
    test = load_fashion_mnist("test", root=fashion_mnist_root)
    stored = load_result("choosing_mixture")["data"]["mixture"]

    found = mixture_trial(train, test, name="mixture", lr=stored["lr"], epochs=EPOCHS, seed=0)

    assert found["accuracy"] == pytest.approx(stored["runs"][0]["accuracy"], abs=0.02)
