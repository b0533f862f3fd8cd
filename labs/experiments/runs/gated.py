"""The experiments of chapter 8 in full, written to ``results/gated_*.json``. This text is the protocol.

Both learn from the first 10,000 training images of Fashion-MNIST in batches of 128, for 10 epochs at a constant
learning rate. The learning rate alone is tuned, for each candidate by itself, with three tuning seeds that are not
used again: the rate with the highest mean accuracy on the last 10,000 training images wins, and a run that diverged
counts as chance, 0.1. Then come ten fresh seeds at this rate, measured on the 10,000 test images.

Candidates, comparisons and corrections were fixed before the first run. Not so the number of seeds and the rates: the
first version of this text asked for twenty seeds and other rates at the ends of the grids, and both were changed when
some of the results had been seen.

**Layers** (``layers``). The nine feed-forward layers of ``LAYERS`` in a network of two residual blocks, all with
100,426 parameters, trained with Adam. Three comparisons were fixed beforehand, each gated layer with the
plain layer whose function it gates with: ReGLU with ReLU, GEGLU with GELU, SwiGLU with SiLU. They are paired by seed,
and the p-values of the t tests corrected by Holm for three.

**Dips** (``dips``). SiLU and its two monotone counterparts in the network 784-128-128-10, He weights, zero biases,
gradient descent with momentum 0.9. Two comparisons, with SiLU, corrected for two.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

from labs.data import ImageData, load_fashion_mnist
from labs.experiments import gated
from labs.experiments.gated import DIPS, LAYERS, dip_trial, layer_trial
from labs.fashion_mnist import CHECKSUMS
from labs.networks import SimpleNetwork
from labs.results import save_result
from labs.sweeps import Sweep
from labs.training import evaluate, fit

SEEDS = tuple(range(10))
TUNING_SEEDS = (100, 101, 102)
EPOCHS = 10
LEARN_FROM = 10_000
LAYER_RATES = (1.25e-4, 2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3, 8e-3)
DIP_RATES = (3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
CHANCE = 0.1


@lru_cache
def learning_split(tuning: bool) -> tuple[ImageData, ImageData]:
    """Return the images to learn from, and those to measure on.

    Args:
        tuning: True for the last 10,000 training images to measure on, False for the test images.

    Returns:
        Two sets of images, 10,000 each.
    """
    train = load_fashion_mnist("train")
    return train.subset(slice(LEARN_FROM)), train.subset(
        slice(50_000, None)
    ) if tuning else load_fashion_mnist("test")


def _layer_task(tuning: bool, **settings) -> dict:
    return layer_trial(*learning_split(tuning), **settings)


def _dip_task(tuning: bool, **settings) -> dict:
    return dip_trial(*learning_split(tuning), **settings)


def _tuned_and_run(sweep: Sweep, task: Callable, names: Iterable[str], rates: tuple[float, ...]) -> dict:
    """Tune the learning rate of every candidate, and run it with all seeds: the data of one results file."""
    tries = list(itertools.product(names, rates, TUNING_SEEDS))
    settings = [{"tuning": True, "name": n, "lr": lr, "epochs": EPOCHS, "seed": k} for n, lr, k in tries]
    found = sweep.run(task, settings, data_md5=CHECKSUMS, description="tuning")
    accuracy: dict = {name: {lr: [] for lr in rates} for name in names}
    for (name, lr, _), one in zip(tries, found, strict=True):
        accuracy[name][lr].append(CHANCE if one["accuracy"] is None else one["accuracy"])
    best = {name: max(tried, key=lambda lr: sum(tried[lr])) for name, tried in accuracy.items()}

    cells = list(itertools.product(names, SEEDS))
    settings = [{"tuning": False, "name": n, "lr": best[n], "epochs": EPOCHS, "seed": k} for n, k in cells]
    data: dict = {
        name: {
            "lr": best[name],
            "tuning": {f"{lr:g}": values for lr, values in accuracy[name].items()},
            "runs": [],
        }
        for name in names
    }
    found = sweep.run(task, settings, data_md5=CHECKSUMS, description="seeds")
    for (name, _), one in zip(cells, found, strict=True):
        data[name]["runs"].append(one)
    return data


def run_layers(sweep: Sweep) -> Path:
    """Nine feed-forward layers at equal parameters: ``results/gated_layers.json``."""
    data = _tuned_and_run(sweep, _layer_task, list(LAYERS), LAYER_RATES)
    config = {
        "layers": list(LAYERS),
        "features": gated.FEATURES,
        "hidden_features": gated.HIDDEN_FEATURES,
        "blocks": gated.BLOCKS,
    }
    return _save("gated_layers", data, {**config, "rates": LAYER_RATES})


def run_dips(sweep: Sweep) -> Path:
    """SiLU and two functions that follow it without its dip: ``results/gated_dips.json``."""
    data = _tuned_and_run(sweep, _dip_task, list(DIPS), DIP_RATES)
    return _save("gated_dips", data, {"functions": list(DIPS), "rates": DIP_RATES})


def _save(name: str, data: dict, config: dict) -> Path:
    config = {**config, "epochs": EPOCHS, "learn_from": LEARN_FROM, "tuning_seeds": TUNING_SEEDS}
    # The whole module: the lists of candidates in it decide the outcome as much as its functions do.
    functions = [gated, SimpleNetwork, fit, evaluate]
    return save_result(name, data, config=config, seeds=SEEDS, functions=functions, data_md5=CHECKSUMS)


EXPERIMENTS = {"layers": run_layers, "dips": run_dips}
