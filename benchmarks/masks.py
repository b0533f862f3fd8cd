"""The exact dead-neuron mask over all 60,000 training images, against the definition carried out batch by batch."""

from __future__ import annotations

import statistics

import torch

from benchmarks.pairs import ratio, side_by_side
from benchmarks.plain_loop import dead_masks, loader
from labs.data import load_fashion_mnist
from labs.networks import SimpleNetwork
from labs.neurons import dead_neuron_masks
from labs.seeds import set_seed


def mask(rounds: int = 3) -> dict:
    """Time of the naive mask relative to ours, and whether both find the same units."""
    train = load_fashion_mnist("train")
    set_seed(7)
    model = SimpleNetwork()
    ways = {"naive": lambda: dead_masks(model, loader()), "ours": lambda: dead_neuron_masks(model, train)}
    seconds = side_by_side(ways, rounds=rounds)
    naive, ours = ways["naive"](), ways["ours"]()
    return {
        "speed-up over the naive mask": ratio(seconds, "naive", "ours"),
        "same masks": all(torch.equal(naive[name], ours[name]) for name in naive),
        "seconds": {label: statistics.median(values) for label, values in seconds.items()},
    }
