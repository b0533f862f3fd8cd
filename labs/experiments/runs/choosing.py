"""The experiments of chapter 18 in full, written to ``results/choosing_*.json``. This text is the protocol.

**Mixture** (``mixture``). Five candidates in the network 784-64-64-10, He weights, zero biases, on the first 6,000
training images of Fashion-MNIST: four epochs in batches of 64 at a constant learning rate with momentum 0.9. The
learning rate alone is tuned, for each candidate by itself, with two tuning seeds that are not used again: the rate
with the highest mean accuracy on the last 5,000 training images wins, and a run that diverged counts as chance, 0.1.
Then come ten fresh seeds at this rate, measured on the 10,000 test images. Four comparisons, the mixture with each of
the others, paired by seed, the p-values of the t tests corrected by Holm for four.

**Sparsity** (``sparsity``). Three networks with two hidden layers, five seeds, on the first 8,000 training images:
five epochs with Adam at 0.001, not tuned, for each network is compared with itself alone. Thresholds come from 2,000
held-out training images, layer by layer, without thresholds in the layers before; accuracy is that on the test images.

A first look at both, with one or two seeds and other settings, came before this text, and chose the size of the
networks and the rates.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from pathlib import Path

from labs.data import ImageData, load_fashion_mnist
from labs.experiments import choosing
from labs.experiments.choosing import CANDIDATES, SPARSE, mixture_trial, sparsity_trial
from labs.experiments.trial import trial
from labs.fashion_mnist import CHECKSUMS
from labs.networks import SimpleNetwork
from labs.results import save_result
from labs.sweeps import Sweep
from labs.training import evaluate, fit

SEEDS = tuple(range(10))
TUNING_SEEDS = (100, 101)
RATES = (0.003, 0.01, 0.03, 0.1)
EPOCHS = 4
CHANCE = 0.1
SPARSE_SEEDS = tuple(range(5))
SPARSE_EPOCHS = 5
SHARES = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
BATCHES = (1, 2, 4, 8, 16, 32, 64)


@lru_cache
def images(which: str) -> ImageData:
    """Return one of the sets of images of the protocol.

    Args:
        which: ``"trial"``, ``"sparsity"`` (to learn from), ``"tuning"``, ``"held out"`` or ``"test"``.

    Returns:
        The images.

    Raises:
        KeyError: another name.
    """
    if which == "test":
        return load_fashion_mnist("test")
    parts = {
        "trial": slice(6_000),
        "sparsity": slice(8_000),
        "held out": slice(50_000, 52_000),
        "tuning": slice(55_000, None),
    }
    return load_fashion_mnist("train").subset(parts[which])


def _mixture_task(other: str, **settings) -> dict:
    return mixture_trial(images("trial"), images(other), **settings)


def _sparsity_task(**settings) -> dict:
    return dict(sparsity_trial(images("sparsity"), images("held out"), images("test"), **settings))


def run_mixture(sweep: Sweep) -> Path:
    """The mixture, its parents, their mean and ReLU: ``results/choosing_mixture.json``."""
    tries = list(itertools.product(CANDIDATES, RATES, TUNING_SEEDS))
    settings = [{"other": "tuning", "name": n, "lr": lr, "epochs": EPOCHS, "seed": k} for n, lr, k in tries]
    found = sweep.run(_mixture_task, settings, data_md5=CHECKSUMS, description="tuning")
    accuracy: dict = {name: {lr: [] for lr in RATES} for name in CANDIDATES}
    for (name, lr, _), one in zip(tries, found, strict=True):
        accuracy[name][lr].append(CHANCE if one["accuracy"] is None else one["accuracy"])
    best = {name: max(tried, key=lambda lr: sum(tried[lr])) for name, tried in accuracy.items()}

    cells = list(itertools.product(CANDIDATES, SEEDS))
    settings = [{"other": "test", "name": n, "lr": best[n], "epochs": EPOCHS, "seed": k} for n, k in cells]
    found = sweep.run(_mixture_task, settings, data_md5=CHECKSUMS, description="seeds")
    data: dict = {
        name: {
            "lr": best[name],
            "tuning": {f"{lr:g}": values for lr, values in accuracy[name].items()},
            "runs": [one for (label, _), one in zip(cells, found, strict=True) if label == name],
        }
        for name in CANDIDATES
    }
    config = {"rates": RATES, "epochs": EPOCHS, "tuning_seeds": TUNING_SEEDS}
    return _save("choosing_mixture", data, config, SEEDS)


def run_sparsity(sweep: Sweep) -> Path:
    """Accuracy against the share of activations left out: ``results/choosing_sparsity.json``."""
    cells = list(itertools.product(SPARSE, SPARSE_SEEDS))
    same = {"epochs": SPARSE_EPOCHS, "shares": SHARES, "batches": BATCHES}
    settings = [{"name": name, "seed": seed, **same} for name, seed in cells]
    found = sweep.run(_sparsity_task, settings, data_md5=CHECKSUMS, description="sparsity")
    data = {
        name: [one for (label, _), one in zip(cells, found, strict=True) if label == name] for name in SPARSE
    }
    return _save("choosing_sparsity", data, {**same, "networks": SPARSE}, SPARSE_SEEDS)


def _save(name: str, data: dict, config: dict, seeds: tuple[int, ...]) -> Path:
    # The whole module: the candidates in it decide the outcome as much as its functions do.
    functions = [choosing, trial, SimpleNetwork, fit, evaluate]
    return save_result(name, data, config=config, seeds=seeds, functions=functions, data_md5=CHECKSUMS)


EXPERIMENTS = {"mixture": run_mixture, "sparsity": run_sparsity}
