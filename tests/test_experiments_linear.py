"""The experiment of chapter 5: small versions on the digits, and one stored entry computed again on the real data."""

import json

import pytest

from labs.data import load_digits
from labs.experiments.linear import MODELS, rate_trial
from labs.experiments.runs.linear import EPOCHS, LEARN_FROM, RATES, SEEDS, splits
from labs.results import load_result

STORED = load_result("linear_rates")


@pytest.fixture(scope="module")
def digits():
    return load_digits("train", limit=600), load_digits("test", limit=100), load_digits("test", limit=200)


@pytest.mark.parametrize("name", ["one layer", "five layers, no activation"])
def test_a_network_without_activation_learns_the_digits(name, digits):
    found = rate_trial(*digits, name=name, lr=1e-2, epochs=8, seed=0)

    # Chance is 0.1; the lowest of the two reached 0.64 in three seeds.
    assert found["accuracy"] > 0.5
    assert 0 <= found["valid_accuracy"] <= 1


def test_a_run_that_diverges_says_so(digits):
    found = rate_trial(*digits, name="five layers, no activation", lr=1e4, epochs=1, seed=0)

    assert found == {"accuracy": None, "loss": None, "valid_accuracy": None, "train_loss": None}


@pytest.mark.usefixtures("fashion_mnist_root")
def test_a_stored_run_is_found_again():
    stored = STORED["data"]["one layer"]["0.001"][0]

    found = rate_trial(*splits(), name="one layer", lr=1e-3, epochs=EPOCHS, seed=SEEDS[0])

    # A convex problem at a small rate: another processor changes the last digits only.
    assert found["accuracy"] == pytest.approx(stored["accuracy"], abs=0.002)
    assert found["loss"] == pytest.approx(stored["loss"], abs=0.002)


def test_the_result_was_made_with_the_settings_of_today():
    made = STORED["provenance"]

    wanted = {"models": MODELS, "rates": RATES, "epochs": EPOCHS, "learn_from": LEARN_FROM}
    assert made["config"] == json.loads(json.dumps(wanted))
    assert made["seeds"] == list(SEEDS)


def test_every_network_has_every_rate_and_every_seed():
    assert list(STORED["data"]) == list(MODELS)
    for rates in STORED["data"].values():
        assert [float(rate) for rate in rates] == list(RATES)
        assert all(len(runs) == len(SEEDS) for runs in rates.values())
