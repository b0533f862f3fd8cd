"""The experiment of chapter 5 in full, written to ``results/linear_rates.json``. This text is the protocol.

**Rates** (``rates``). Softmax regression, the network 784-256-192-128-64-10 without activation, and the same with
ReLU, all from PyTorch's default start, learn from the first 50,000 training images of Fashion-MNIST in batches of 128
for 8 epochs, with momentum 0.9 and a constant learning rate. Nine rates from 0.0001 to 1, five seeds each; a run whose
loss is no longer finite is stored as None and counts as chance, 0.1, in means. Every network is measured on the last
10,000 training images, on which a rate is chosen for each network (highest mean accuracy), and on the 10,000 test
images, which are reported.

Networks, rates and seeds were fixed before the first run.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from pathlib import Path

from labs.data import ImageData, load_fashion_mnist
from labs.experiments import linear, trial
from labs.experiments.linear import MODELS, rate_trial
from labs.fashion_mnist import CHECKSUMS
from labs.networks import SimpleNetwork
from labs.results import save_result
from labs.sweeps import Sweep
from labs.training import evaluate, fit

SEEDS = tuple(range(5))
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
EPOCHS = 8
LEARN_FROM = 50_000


@lru_cache
def splits() -> tuple[ImageData, ImageData, ImageData]:
    """Return the images to learn from, those to choose on, and the test images.

    Returns:
        50,000, 10,000 and 10,000 images of Fashion-MNIST.
    """
    train = load_fashion_mnist("train")
    return (
        train.subset(slice(LEARN_FROM)),
        train.subset(slice(LEARN_FROM, None)),
        load_fashion_mnist("test"),
    )


def _task(**settings) -> dict:
    return rate_trial(*splits(), **settings)


def run_rates(sweep: Sweep) -> Path:
    """Three networks over nine learning rates: ``results/linear_rates.json``."""
    cells = list(itertools.product(MODELS, RATES, SEEDS))
    settings = [{"name": name, "lr": lr, "epochs": EPOCHS, "seed": seed} for name, lr, seed in cells]
    data: dict = {name: {f"{lr:g}": [] for lr in RATES} for name in MODELS}
    found = sweep.run(_task, settings, data_md5=CHECKSUMS, description="rates")
    for (name, lr, _), one in zip(cells, found, strict=True):
        data[name][f"{lr:g}"].append(one)
    config = {"models": MODELS, "rates": RATES, "epochs": EPOCHS, "learn_from": LEARN_FROM}
    functions = [linear, trial, SimpleNetwork, fit, evaluate]
    return save_result(
        "linear_rates", data, config=config, seeds=SEEDS, functions=functions, data_md5=CHECKSUMS
    )


EXPERIMENTS = {"rates": run_rates}
