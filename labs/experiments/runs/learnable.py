"""The experiments of chapter 9 in full, written to ``results/learnable_*.json``.

**Sharing** (``sharing``). SimpleNetwork, 60,000 images, three epochs, batches of 128, momentum 0.9, lr 0.004; each row
of ``ROWS`` from PyTorch's default, those of ``HE_ROWS`` from He weights, and those of ``AGAIN`` from the default once
more with five times the rate. No rate is tuned: the question is what the parameter does, not which row
is best.

**Extrapolation** (``extrapolate``). Each row of ``PERIODIC`` with the learning rate, of two, that had the lower mean
error inside the data for two seeds that are not used again; the error beyond the data chooses nothing.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from pathlib import Path

from labs.data import ImageData, load_fashion_mnist
from labs.experiments.learnable import (
    FAR,
    HIDDEN,
    INSIDE,
    NEAR,
    PERIODIC,
    ROWS,
    STARTS,
    extrapolate,
    fit_signal,
    sharing,
    siren_start,
    staf_start,
)
from labs.fashion_mnist import CHECKSUMS
from labs.networks import SimpleNetwork
from labs.results import save_result
from labs.sweeps import Sweep
from labs.training import fit

SEEDS = (0, 1, 2, 3, 4)
TUNING_SEEDS = (100, 101)
EPOCHS, LR, LARGER_LR = 3, 0.004, 0.02
HE_ROWS = (
    "slope fixed at 1/4",
    "slope fixed at sqrt 5",
    "PReLU, one for the network",
    "PReLU, one per layer",
    "ELU",
    "trainable ELU, one for the network",
    "trainable ELU, one per layer",
)
AGAIN = ("slope fixed at 1/4", "PReLU, one for the network", "PReLU, one per layer")
STEPS, RATES = 1200, (1e-3, 1e-2)


@lru_cache
def _data(split: str) -> ImageData:
    return load_fashion_mnist(split)


def _sharing_task(**settings) -> dict:
    return sharing(_data("train"), _data("test"), **settings)


def run_sharing(sweep: Sweep) -> Path:
    """The rows from their starts and at their rates, five seeds: ``results/learnable_sharing.json``."""
    default, he = STARTS
    cases = [(row, default, LR) for row in ROWS] + [(row, he, LR) for row in HE_ROWS]
    cases += [(row, default, LARGER_LR) for row in AGAIN]
    cells = list(itertools.product(cases, SEEDS))
    settings = [{"row": r, "start": s, "lr": lr, "epochs": EPOCHS, "seed": k} for (r, s, lr), k in cells]
    found = sweep.run(_sharing_task, settings, data_md5=CHECKSUMS, description="sharing")
    data: dict = {row: {} for row in ROWS}
    for ((row, start, lr), _), one in zip(cells, found, strict=True):
        name = start if lr == LR else f"{start}, lr {lr:g}"
        data[row].setdefault(name, []).append(one)
    config = {"rows": ROWS, "starts": STARTS, "epochs": EPOCHS, "lr": LR, "larger_lr": LARGER_LR}
    config |= {"he_rows": HE_ROWS, "again": AGAIN}
    functions = [sharing, SimpleNetwork, fit]
    return save_result(
        "learnable_sharing", data, config=config, seeds=SEEDS, functions=functions, data_md5=CHECKSUMS
    )


def run_periodic(sweep: Sweep) -> Path:
    """Every row of ``PERIODIC`` inside and beyond its data, five seeds: ``results/learnable_periodic.json``."""
    tries = list(itertools.product(PERIODIC, RATES, TUNING_SEEDS))
    settings = [{"name": n, "lr": lr, "steps": STEPS, "seed": k} for n, lr, k in tries]
    tuning: dict = {name: {lr: [] for lr in RATES} for name in PERIODIC}
    for (name, lr, _), one in zip(tries, _extrapolations(sweep, "tuning", settings), strict=True):
        tuning[name][lr].append(one["inside"])
    best = {
        name: min(rates, key=lambda lr: sum(e or 9.0 for e in rates[lr])) for name, rates in tuning.items()
    }

    cells = list(itertools.product(PERIODIC, SEEDS))
    settings = [{"name": n, "lr": best[n], "steps": STEPS, "seed": k} for n, k in cells]
    data: dict = {
        name: {"lr": best[name], "tuning": {f"{lr:g}": errors for lr, errors in rates.items()}}
        for name, rates in tuning.items()
    }
    for (name, _), one in zip(cells, _extrapolations(sweep, "extrapolation", settings), strict=True):
        for place, error in one.items():
            data[name].setdefault(place, []).append(error)
    config = {
        "rows": PERIODIC,
        "hidden": HIDDEN,
        "steps": STEPS,
        "rates": RATES,
        "tuning_seeds": TUNING_SEEDS,
    }
    config |= {"inside": INSIDE, "near": NEAR, "far": FAR}
    functions = [extrapolate, fit_signal, siren_start, staf_start, SimpleNetwork]
    return save_result(
        "learnable_periodic", data, config=config, seeds=SEEDS, functions=functions, data_md5="generated"
    )


def _extrapolations(sweep: Sweep, description: str, settings: list[dict]) -> list[dict]:
    return sweep.run(extrapolate, settings, data_md5="generated", description=description)


EXPERIMENTS = {"sharing": run_sharing, "periodic": run_periodic}
