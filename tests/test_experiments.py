"""The experiments of chapter 16: small versions on the digits, and one stored entry computed again on the real data."""

import json
import subprocess
import sys

import pytest
import torch

from labs.data import load_digits, load_fashion_mnist
from labs.experiments.dead_neurons import (
    AFTERWARDS,
    CURES,
    NETWORKS,
    SPIKES,
    STARTS,
    cure,
    dead_at_start,
    follow_training,
    profile_at_start,
    spike,
)
from labs.experiments.runs.dead_neurons import LEARNING_RATES, SEEDS, TUNING_SEEDS
from labs.results import load_result


@pytest.fixture(scope="module")
def digits():
    return load_digits("train", limit=600)


@pytest.fixture(scope="module")
def fresh():
    return load_digits("test", limit=200)


@pytest.mark.parametrize("start", ["default", "He weights, zero biases"])
def test_a_stored_share_of_dead_units_is_found_again(start, fashion_mnist_root):
    train = load_fashion_mnist("train", root=fashion_mnist_root)

    shares = dead_at_start(train, network="ten", start=start, seed=0)

    stored = load_result("dead_start")["data"]["ten"][start]["dead"][0]
    # Another processor may round a unit across zero: allow three of a layer's 128 or 256.
    torch.testing.assert_close(torch.tensor(shares), torch.tensor(stored), atol=3 / 128, rtol=0)


def test_the_default_start_kills_and_either_single_change_does_not(digits):
    last = {
        start: sum(dead_at_start(digits, network="ten", start=start, seed=seed)[-1] for seed in range(3)) / 3
        for start in STARTS
    }

    # With 600 small images more units miss every one of them than with 60,000: half against a fifth here.
    assert last["default"] > 0.4
    assert all(share < 0.3 for start, share in last.items() if start != "default")


def test_the_profile_agrees_with_the_mask(digits):
    which = {"network": "ten", "start": "default", "seed": 1}

    profile = profile_at_start(digits, **which)

    assert profile["dead"] == dead_at_start(digits, **which)
    assert all(len(layers) == len(NETWORKS["ten"]) for layers in profile.values())


def test_training_is_followed_from_before_the_first_step(digits, fresh):
    found = follow_training(digits, fresh, activation="ReLU", lr=0.01, epochs=2, seed=0)

    assert len(found["dead"]) == len(found["born_dead"]) == 3
    assert found["born_dead"][0] == sum(found["dead"][0])
    assert all(still <= found["born_dead"][0] for still in found["born_dead"])
    assert len(found["test_accuracy"]) == 2


def test_nobody_comes_back_above_frozen_layers(digits, fresh):
    found = spike(digits, fresh, seed=0, lr=1.0, steps=1, epochs=3, freeze_below=4)

    killed = found["killed_still_dead"]
    assert sum(killed[0]) > 0
    assert all(later == killed[0] for later in killed)


def test_a_spike_is_counted_before_after_and_after_each_epoch(digits, fresh):
    found = spike(digits, fresh, seed=0, lr=1.0, steps=1, epochs=2)

    assert len(found["dead"]) == len(found["test_accuracy"]) == 4
    assert len(found["killed_still_dead"]) == 3


@pytest.mark.parametrize("name", CURES)
def test_every_cure_is_looked_at_and_trained(name, digits, fresh):
    found = cure(digits, fresh, name=name, start="He weights, zero biases", lr=0.003, epochs=1, seed=0)

    assert 0 <= found["accuracy"] <= 1
    assert (found["dead"] > 0) <= ("ReLU" in name and name != "Leaky ReLU")


def test_a_cure_that_diverges_says_so(digits, fresh):
    found = cure(digits, fresh, name="SELU", start="He weights, zero biases", lr=1e3, epochs=1, seed=0)

    assert found["accuracy"] is None


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("dead_start", {"networks": NETWORKS, "starts": STARTS}),
        ("dead_big", {"network": NETWORKS["seven"]}),
        ("dead_training", {"network": NETWORKS["four"], "epochs": 15}),
        ("dead_spike", {"network": NETWORKS["four"], "spikes": SPIKES, "afterwards": AFTERWARDS}),
        ("dead_cures", {"cures": CURES, "starts": STARTS, "learning_rates": LEARNING_RATES}),
        ("dead_cures", {"network": NETWORKS["ten"], "tuning_seeds": TUNING_SEEDS}),
    ],
)
def test_a_result_was_made_with_the_settings_of_today(name, settings):
    made = load_result(name)["provenance"]

    stored = {key: made["config"][key] for key in settings}
    assert stored == json.loads(json.dumps(settings))
    assert name == "dead_big" or made["seeds"] == list(SEEDS)


def test_an_unknown_experiment_is_named_on_the_command_line():
    command = [sys.executable, "-m", "labs.experiments", "dead_neurons", "nonsense"]

    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == 2
    assert "unknown experiment 'nonsense'; choose from: start, big, spike, training, cures" in done.stderr
