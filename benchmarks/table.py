"""The thirteen networks of the great comparison, fifteen epochs each, from start to finish."""

from __future__ import annotations

import time
from functools import partial

from labs.activations import make_activation
from labs.data import load_fashion_mnist
from labs.training import compare

ROWS = {
    **{name: {"activation": name} for name in (
        "Sigmoid", "Tanh", "ReLU", "GELU", "Mish", "LeakyReLU", "SiLU", "Hardswish", "RReLU",
    )},
    "Swish": {"activation": partial(make_activation, "Swish", trainable=False)},  # as in the tutorial
    **{name: {"activation": name, "share_activation": True} for name in ("PReLU", "TrainableELU", "STAF")},
}  # fmt: skip


def thirteen_rows(epochs: int = 15, jobs: int = -1) -> dict:
    """Wall time of the whole table from one seed, one process with one thread per core; and its accuracies."""
    train, test = load_fashion_mnist("train"), load_fashion_mnist("test")
    started = time.perf_counter()
    table = compare(ROWS, train, test, seeds=(7,), epochs=epochs, momentum=0.8, jobs=jobs)
    seconds = time.perf_counter() - started
    return {
        "minutes": seconds / 60,
        "epochs": epochs,
        "seconds of each row": {label: runs[0].seconds for label, runs in table.items()},
        "accuracy": {label: runs[0].accuracy for label, runs in table.items()},
    }
