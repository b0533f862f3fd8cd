"""The experiment of chapter 6 in full, written to ``results/depth_equal.json``. This text is the protocol.

**Equal parameters** (``equal``). Twelve networks for Fashion-MNIST: no activation, ReLU or tanh, with one, two, four
or eight hidden layers of one width, chosen so that all have 59,500 parameters within 0.7 per cent. He weights for
ReLU, Xavier weights for the others, zero biases; momentum 0.9, batches of 128, 5 epochs at a constant learning rate
on the first 50,000 training images.

The learning rate alone is tuned, for each network by itself, with two tuning seeds that are not used again: the rate
with the highest mean accuracy on the last 10,000 training images wins, and a run that diverged counts as chance, 0.1.
The grid is not extended; a rate at its end is reported as such. Then come ten fresh seeds at this rate, measured on
the 10,000 test images.

Eleven comparisons were fixed before the first run, paired by seed, their p-values corrected by Holm for eleven: ReLU
with none and tanh with none at each of the four depths, and eight hidden layers with one for each of the three.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from pathlib import Path

from labs.data import ImageData, load_fashion_mnist
from labs.experiments import depth, trial
from labs.experiments.depth import KINDS, WIDTHS, depth_trial, network
from labs.fashion_mnist import CHECKSUMS
from labs.networks import SimpleNetwork
from labs.results import save_result
from labs.sweeps import Sweep
from labs.training import evaluate, fit

SEEDS = tuple(range(10))
TUNING_SEEDS = (100, 101)
RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
EPOCHS = 5
LEARN_FROM = 50_000
CHANCE = 0.1
NAMES = tuple(f"{kind} {hidden_layers}" for kind in KINDS for hidden_layers in WIDTHS)

#: What is compared with what, in this order.
COMPARISONS = (
    *((f"ReLU {n}", f"none {n}") for n in WIDTHS),
    *((f"tanh {n}", f"none {n}") for n in WIDTHS),
    *((f"{kind} 8", f"{kind} 1") for kind in KINDS),
)


@lru_cache
def learning_split(tuning: bool) -> tuple[ImageData, ImageData]:
    """Return the images to learn from, and those to measure on.

    Args:
        tuning: True for the last 10,000 training images to measure on, False for the test images.

    Returns:
        50,000 and 10,000 images of Fashion-MNIST.
    """
    train = load_fashion_mnist("train")
    other = train.subset(slice(LEARN_FROM, None)) if tuning else load_fashion_mnist("test")
    return train.subset(slice(LEARN_FROM)), other


def _task(tuning: bool, **settings) -> dict:
    return depth_trial(*learning_split(tuning), **settings)


def run_equal(sweep: Sweep) -> Path:
    """Twelve networks with equally many parameters: ``results/depth_equal.json``."""
    tries = list(itertools.product(NAMES, RATES, TUNING_SEEDS))
    settings = [{"tuning": True, "name": n, "lr": lr, "epochs": EPOCHS, "seed": k} for n, lr, k in tries]
    found = sweep.run(_task, settings, data_md5=CHECKSUMS, description="tuning")
    tuned: dict = {name: {lr: [] for lr in RATES} for name in NAMES}
    for (name, lr, _), one in zip(tries, found, strict=True):
        tuned[name][lr].append(CHANCE if one["accuracy"] is None else one["accuracy"])
    best = {name: max(tried, key=lambda lr: sum(tried[lr])) for name, tried in tuned.items()}

    cells = list(itertools.product(NAMES, SEEDS))
    settings = [{"tuning": False, "name": n, "lr": best[n], "epochs": EPOCHS, "seed": k} for n, k in cells]
    found = sweep.run(_task, settings, data_md5=CHECKSUMS, description="seeds")
    data: dict = {name: _described(name, best[name], tuned[name]) for name in NAMES}
    for (name, _), one in zip(cells, found, strict=True):
        data[name]["runs"].append(one)

    config = {
        "kinds": KINDS,
        "widths": {str(hidden_layers): width for hidden_layers, width in WIDTHS.items()},
        "rates": RATES,
        "tuning_seeds": TUNING_SEEDS,
        "epochs": EPOCHS,
        "learn_from": LEARN_FROM,
        "comparisons": COMPARISONS,
    }
    functions = [depth, trial, SimpleNetwork, fit, evaluate]
    return save_result(
        "depth_equal", data, config=config, seeds=SEEDS, functions=functions, data_md5=CHECKSUMS
    )


def _described(name: str, lr: float, tried: dict[float, list[float]]) -> dict:
    model = network(name, seed=0)
    return {
        "widths": [layer.out_features for layer in model.linear_layers[:-1]],
        "parameters": sum(p.numel() for p in model.parameters()),
        "lr": lr,
        "tuning": {f"{rate:g}": values for rate, values in tried.items()},
        "runs": [],
    }


EXPERIMENTS = {"equal": run_equal}
