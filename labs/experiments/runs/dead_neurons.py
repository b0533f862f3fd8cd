"""The experiments of chapter 16 in full: all networks, starts and seeds, written to ``results/dead_*.json``."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from labs.data import ImageData, load_fashion_mnist
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
from labs.fashion_mnist import CHECKSUMS
from labs.networks import SimpleNetwork
from labs.neurons import activity, dead_neuron_masks
from labs.results import save_result
from labs.sweeps import Sweep
from labs.training import fit

SEEDS = (0, 1, 2, 3, 4)
TUNING_SEEDS = (100, 101, 102)
CURE_STARTS = {name: STARTS[name] for name in ("default", "He weights, zero biases")}
LEARNING_RATES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)


@lru_cache
def _data(split: str) -> ImageData:
    return load_fashion_mnist(split)


def _learning_split(tuning: bool) -> tuple[ImageData, ImageData]:
    """The first 50,000 training images to learn from; the other 10,000 to tune on, or the test images to report."""
    train = _data("train")
    return train.subset(slice(50_000)), train.subset(slice(50_000, None)) if tuning else _data("test")


def _run(sweep: Sweep, description: str, task: Callable, settings: Sequence[dict]) -> list:
    return sweep.run(task, settings, data_md5=CHECKSUMS, description=description)


def _start_task(network: str, start: str, seed: int) -> dict:
    look = profile_at_start if network in ("ten", "twenty") else _dead_only
    return look(_data("train"), network=network, start=start, seed=seed)


def _dead_only(data: ImageData, **which) -> dict[str, list[float]]:
    return {"dead": dead_at_start(data, **which)}


def run_start(sweep: Sweep) -> Path:
    """Every network from every start, five seeds: ``results/dead_start.json``."""
    cells = list(itertools.product(NETWORKS, STARTS, SEEDS))
    found = _run(sweep, "start", _start_task, [{"network": n, "start": s, "seed": k} for n, s, k in cells])
    data: dict = {n: {s: {} for s in STARTS} for n in NETWORKS}
    for (network, start, _), layers in zip(cells, found, strict=True):
        for quantity, values in layers.items():
            data[network][start].setdefault(quantity, []).append(values)
    config = {"networks": NETWORKS, "starts": STARTS, "examples": 60_000}
    return _save("dead_start", data, config, [dead_at_start, profile_at_start])


def _training_task(**settings) -> dict:
    return follow_training(_data("train"), _data("test"), **settings)


def run_big(sweep: Sweep) -> Path:
    """The big network of the tutorials with PyTorch's default start, twenty seeds: ``results/dead_big.json``."""
    seeds = range(20)
    settings = [{"network": "seven", "start": "default", "seed": k} for k in seeds]
    data = {"dead": [one["dead"] for one in _run(sweep, "big network", _start_task, settings)]}
    config = {"network": NETWORKS["seven"], "start": "default", "examples": 60_000}
    return _save("dead_big", data, config, [dead_at_start], seeds)


def run_training(sweep: Sweep) -> Path:
    """ReLU and Swish, two learning rates, fifteen epochs, five seeds: ``results/dead_training.json``."""
    cells = list(itertools.product(("ReLU", "Swish"), (1e-3, 1e-2), SEEDS))
    settings = [{"activation": a, "lr": lr, "epochs": 15, "seed": k} for a, lr, k in cells]
    data: dict = {}
    for (activation, lr, _), found in zip(
        cells, _run(sweep, "training", _training_task, settings), strict=True
    ):
        data.setdefault(activation, {}).setdefault(f"lr {lr:g}", []).append(found)
    config = {
        "network": NETWORKS["four"],
        "epochs": 15,
        "momentum": 0.9,
        "batch_size": 128,
        "start": "default",
    }
    return _save("dead_training", data, config, [follow_training, fit])


def _spike_task(**settings) -> dict:
    return spike(_data("train"), _data("test"), **settings)


def run_spike(sweep: Sweep) -> Path:
    """Two spikes, with all layers learning afterwards and with the lower three frozen: ``results/dead_spike.json``."""
    cells = list(itertools.product(SPIKES, AFTERWARDS, SEEDS))
    settings = [{**SPIKES[what], **AFTERWARDS[then], "seed": k} for what, then, k in cells]
    data: dict = {what: {then: [] for then in AFTERWARDS} for what in SPIKES}
    for (what, then, _), found in zip(cells, _run(sweep, "spike", _spike_task, settings), strict=True):
        data[what][then].append(found)
    config = {"network": NETWORKS["four"], "lr": 0.01, "momentum": 0.9, "epochs": 5, "spikes": SPIKES}
    return _save("dead_spike", data, {**config, "afterwards": AFTERWARDS}, [spike, fit])


def _cure_task(tuning: bool, **settings) -> dict:
    return cure(*_learning_split(tuning), **settings)


def run_cures(sweep: Sweep) -> Path:
    """Every cure from two starts, learning rate tuned on held-out images, five seeds: ``results/dead_cures.json``."""
    # For ReLU also the two single changes: they separate dead units from signals that fade.
    pairs = [*itertools.product(CURES, CURE_STARTS), ("ReLU", "zero biases"), ("ReLU", "He weights")]
    epochs = 2
    # From a bad start one seed learns and the next does not: one tuning seed would choose by chance.
    tries = list(itertools.product(pairs, LEARNING_RATES, TUNING_SEEDS))
    settings = [
        {"tuning": True, "name": n, "start": s, "lr": lr, "epochs": epochs, "seed": k}
        for (n, s), lr, k in tries
    ]
    tuning: dict = {pair: {lr: [] for lr in LEARNING_RATES} for pair in pairs}
    for (pair, lr, _), one in zip(tries, _run(sweep, "tuning", _cure_task, settings), strict=True):
        tuning[pair][lr].append(one["accuracy"])
    best = {
        pair: max(rates, key=lambda lr: sum(a or 0.0 for a in rates[lr])) for pair, rates in tuning.items()
    }

    cells = list(itertools.product(pairs, SEEDS))
    settings = [
        {"tuning": False, "name": n, "start": s, "lr": best[n, s], "epochs": epochs, "seed": k}
        for (n, s), k in cells
    ]
    data: dict = {n: {} for n in CURES}
    for (name, start), lr in best.items():
        tried = {f"{rate:g}": accuracy for rate, accuracy in tuning[name, start].items()}
        data[name][start] = {"lr": lr, "tuning": tried}
    for ((name, start), _), one in zip(cells, _run(sweep, "cures", _cure_task, settings), strict=True):
        for quantity, value in one.items():
            data[name][start].setdefault(quantity, []).append(value)
    config = {
        "network": NETWORKS["ten"],
        "epochs": epochs,
        "learning_rates": LEARNING_RATES,
        "tuning_seeds": TUNING_SEEDS,
    }
    return _save("dead_cures", data, {**config, "cures": CURES, "starts": STARTS}, [cure, fit])


def _save(name: str, data: dict, config: dict, functions: list, seeds: Sequence[int] = SEEDS) -> Path:
    functions = [*functions, SimpleNetwork, dead_neuron_masks, activity]
    return save_result(name, data, config=config, seeds=seeds, functions=functions, data_md5=CHECKSUMS)


EXPERIMENTS = {
    "start": run_start,
    "big": run_big,
    "spike": run_spike,
    "training": run_training,
    "cures": run_cures,
}
