"""The experiments of chapter 15 in full, written to ``results/comparison_*.json``. This text is the protocol.

**The table of the tutorial** (``table``). Each of its thirteen rows, and the four further rows of ``ROWS``, is trained
on the 60,000 training images by the tutorial's recipe: learning rate 0.001, batches of 128, 15 epochs, PyTorch's
default start, one activation module for all layers. Both momenta, five seeds each; seed 7 is the tutorial's.
The test images are measured after each epoch, and the last epoch counts.

**The fair comparison** (``fair``). Fixed before any run of it was started, but not blindly. Short trials of the code
came first, and one of them decided something: by the tutorial's recipe, four epochs, seed 7, on the test images, a
sigmoid network with plain Xavier weights stayed near chance and one started much like tanh learned. So its fitting
start is the latter; no other candidate had such a trial.

1. *Candidates.* The eighteen of ``CANDIDATES``, each with a module of its own in every layer and its default
   parameters, in the network 784-256-192-128-64-10, from two starts: PyTorch's default, and the fitting start of
   ``CANDIDATES`` with zero biases.
2. *Budget.* The same for all: 6 epochs of gradient descent with momentum 0.9 and batches of 128, at a constant
   learning rate. No schedule, no weight decay, no augmentation.
3. *Tuning.* The learning rate alone, for each candidate and start, over 3 epochs, half of the budget, with two tuning
   seeds that are not used again. It learns from the first 50,000 training images and is judged on the other 10,000:
   the highest mean accuracy wins; a diverged run counts as chance, 0.1. The grid begins as 0.003, 0.01, 0.03, 0.1;
   while the best rate lies at an end, the grid grows by one step of the same kind there, at most to 0.0003 and to 1.
4. *Finalists.* All 36, with their tuned rate and five fresh seeds. They learn from the same 50,000 images. The test
   images are looked at here for the first time, and the last epoch counts; the curves are shown and choose nothing.
   A diverged run is reported and counts as chance.
5. *Measures.* Test accuracy first. Beside it test loss, expected calibration error (15 bins), dead units over the
   50,000 images, bytes kept for backward, and time relative to ReLU from ``results/benchmarks.json``, since this run
   shares its machine.
6. *Verdicts.* Each candidate from its better start (the one with the higher validation accuracy) is compared with
   ReLU from its better start, paired by seed. We call two candidates different if the paired t test, corrected by Holm
   for all seventeen comparisons, gives less than 0.05; we call the difference worth having if it is also at least one
   point. Everything else is "not told apart by this experiment". The effect of the start is judged in the same way,
   within each candidate, corrected for eighteen. Rank probabilities come from the bootstrap over seeds.

**The gain** (``gain``). Fixed functions, and other starts, by the tutorial's recipe with momentum 0.8, five seeds: what
a shared learned slope does to the size of the signal, done without learning. Added when the learned slopes
were known, and tried on the same images; all but the multiple of ReLU had been tried with seed 7 before they were
listed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from labs.data import ImageData, load_fashion_mnist
from labs.experiments.comparison import (
    CANDIDATES,
    RECIPE,
    ROWS,
    STARTS,
    bytes_kept,
    network,
    table_row,
    trial,
)
from labs.experiments.start_gain import GAIN_ROWS, gain_row
from labs.fashion_mnist import CHECKSUMS
from labs.networks import SimpleNetwork
from labs.neurons import dead_neuron_masks
from labs.results import save_result
from labs.sweeps import Sweep
from labs.training import calibration_error, fit

MOMENTA = (0.8, 0.9)
TABLE_SEEDS = (7, 8, 9, 10, 11)
EPOCHS = 6
TUNING_EPOCHS = 3
GRID = (3e-3, 1e-2, 3e-2, 1e-1)
WIDEST_GRID = (3e-4, 1e-3, *GRID, 3e-1, 1.0)
TUNING_SEEDS = (100, 101)
SEEDS = (0, 1, 2, 3, 4)
CHANCE = 0.1


@lru_cache
def _data(split: str) -> ImageData:
    return load_fashion_mnist(split)


@lru_cache
def _learning_split() -> tuple[ImageData, ImageData]:
    """The first 50,000 training images to learn from, the other 10,000 to tune on."""
    train = _data("train")
    return train.subset(slice(50_000)), train.subset(slice(50_000, None))


def _run(sweep: Sweep, description: str, task: Callable, settings: Sequence[dict]) -> list:
    return sweep.run(task, settings, data_md5=CHECKSUMS, description=description)


def _table_task(**settings) -> dict:
    return table_row(_data("train"), _data("test"), **settings)


def run_table(sweep: Sweep) -> Path:
    """The tutorial's rows by its own recipe, both momenta, five seeds: ``results/comparison_table.json``."""
    cells = list(itertools.product(ROWS, MOMENTA, TABLE_SEEDS))
    settings = [{"row": r, "momentum": m, "seed": k, "epochs": RECIPE["epochs"]} for r, m, k in cells]
    data: dict = {row: {f"momentum {m:g}": [] for m in MOMENTA} for row in ROWS}
    for (row, momentum, _), found in zip(cells, _run(sweep, "table", _table_task, settings), strict=True):
        data[row][f"momentum {momentum:g}"].append(found)
    config = {"rows": ROWS, "recipe": RECIPE, "momenta": MOMENTA}
    return _save("comparison_table", data, config, [table_row], TABLE_SEEDS)


def _trial_task(tuning: bool, **settings) -> dict:
    learn, held_out = _learning_split()
    return trial(learn, held_out if tuning else _data("test"), **settings)


def next_rate(tried: dict[float, float]) -> float | None:
    """Return the learning rate by which the grid must grow, or None if the best of ``tried`` lies inside it.

    Args:
        tried: mean validation accuracy (0 to 1) by learning rate; at least the rates of ``GRID``.

    Returns:
        A neighbour from ``WIDEST_GRID``, or None.

    Example:
        >>> next_rate({0.003: 0.8, 0.01: 0.85, 0.03: 0.86, 0.1: 0.87}), next_rate({0.003: 0.8, 0.01: 0.9, 0.03: 0.7})
        (0.3, None)
    """
    best = max(tried, key=tried.__getitem__)
    place = WIDEST_GRID.index(best)
    for step in (-1, 1):
        beyond = place + step
        if 0 <= beyond < len(WIDEST_GRID) and WIDEST_GRID[beyond] not in tried:
            return WIDEST_GRID[beyond]
    return None


def _tune(sweep: Sweep) -> dict[tuple[str, str], dict[float, list[float]]]:
    """Validation accuracies per candidate and start, by learning rate, one per tuning seed."""
    tuning: dict = {pair: {} for pair in itertools.product(CANDIDATES, STARTS)}
    wanted = list(itertools.product(tuning, GRID))
    while wanted:
        cells = list(itertools.product(wanted, TUNING_SEEDS))
        settings = [
            {"tuning": True, "name": n, "start": s, "lr": lr, "epochs": TUNING_EPOCHS, "seed": k}
            for ((n, s), lr), k in cells
        ]
        for ((pair, lr), _), one in zip(cells, _run(sweep, "tuning", _trial_task, settings), strict=True):
            accuracy = CHANCE if one["accuracy"] is None else one["accuracy"]
            tuning[pair].setdefault(lr, []).append(accuracy)
        grown = {pair: next_rate(mean_by_rate(rates)) for pair, rates in tuning.items()}
        wanted = [(pair, rate) for pair, rate in grown.items() if rate is not None]
    return tuning


def mean_by_rate(rates: dict[float, list[float]]) -> dict[float, float]:
    """Return the mean accuracy for each learning rate.

    Args:
        rates: accuracies (0 to 1), one per tuning seed, by learning rate.

    Example:
        >>> mean_by_rate({0.01: [0.5, 0.75]})
        {0.01: 0.625}
    """
    return {lr: sum(values) / len(values) for lr, values in rates.items()}


def run_fair(sweep: Sweep) -> Path:
    """Every candidate from both starts, learning rate tuned, five seeds: ``results/comparison_fair.json``."""
    data: dict = {name: {} for name in CANDIDATES}
    for (name, start), rates in _tune(sweep).items():
        means = mean_by_rate(rates)
        best = max(means, key=means.__getitem__)
        tried = {f"{lr:g}": rates[lr] for lr in sorted(rates)}
        data[name][start] = {"lr": best, "validation": means[best], "tuning": tried, "runs": []}
    cells = [(name, start, seed) for name in data for start in STARTS for seed in SEEDS]
    settings = [
        {"tuning": False, "name": n, "start": s, "lr": data[n][s]["lr"], "epochs": EPOCHS, "seed": k}
        for n, s, k in cells
    ]
    for (name, start, _), one in zip(cells, _run(sweep, "finalists", _trial_task, settings), strict=True):
        data[name][start]["runs"].append(one)
    for name in data:
        data[name]["bytes kept"] = bytes_kept(name)
    config = {"candidates": CANDIDATES, "epochs": EPOCHS, "grid": GRID, "widest_grid": WIDEST_GRID}
    config |= {"tuning_seeds": TUNING_SEEDS, "tuning_epochs": TUNING_EPOCHS, "learn_from": 50_000}
    return _save("comparison_fair", data, config, [trial, calibration_error, bytes_kept, next_rate], SEEDS)


def _save(name: str, data: dict, config: dict, functions: list, seeds: Sequence[int]) -> Path:
    functions = [*functions, network, fit, SimpleNetwork, dead_neuron_masks]
    return save_result(name, data, config=config, seeds=seeds, functions=functions, data_md5=CHECKSUMS)


def _gain_task(**settings) -> dict:
    return gain_row(_data("train"), _data("test"), **settings)


def run_gain(sweep: Sweep) -> Path:
    """Fixed functions of the right gain, and other starts, five seeds: ``results/comparison_gain.json``."""
    cells = list(itertools.product(GAIN_ROWS, TABLE_SEEDS))
    settings = [{"row": r, "seed": k, "epochs": RECIPE["epochs"]} for r, k in cells]
    data: dict = {row: [] for row in GAIN_ROWS}
    for (row, _), found in zip(cells, _run(sweep, "gain", _gain_task, settings), strict=True):
        data[row].append(found)
    config = {"rows": GAIN_ROWS, "recipe": RECIPE, "momentum": 0.8}
    return _save("comparison_gain", data, config, [gain_row], TABLE_SEEDS)


EXPERIMENTS = {"table": run_table, "fair": run_fair, "gain": run_gain}
