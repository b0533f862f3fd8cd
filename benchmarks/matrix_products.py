"""The limit: nothing but the matrix products of a training step, written into memory that is there already."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch

WIDTHS = (784, 256, 192, 128, 64, 10)  # of SimpleNetwork


def products(batch_size: int = 128) -> Callable[[], None]:
    """Return a function that multiplies the matrices of one step forward and backward through SimpleNetwork."""
    calls = []
    for number, (n, m) in enumerate(itertools.pairwise(WIDTHS)):
        x, weight, gradient = torch.randn(batch_size, n), torch.randn(m, n), torch.randn(batch_size, m)
        calls.append((x, weight.t(), torch.empty(batch_size, m)))  # what goes forward
        calls.append((gradient.t(), x, torch.empty(m, n)))  # the gradient of the weights
        if number:  # nobody asks for the gradient of the images
            calls.append((gradient, weight, torch.empty(batch_size, n)))

    def step() -> None:
        for left, right, out in calls:
            torch.mm(left, right, out=out)

    return step


def work(batch_size: int = 128) -> int:
    """Return the floating-point operations of one step, a multiplication and an addition counted as two."""
    pairs = list(itertools.pairwise(WIDTHS))
    return 2 * batch_size * (2 * sum(n * m for n, m in pairs) + sum(n * m for n, m in pairs[1:]))
