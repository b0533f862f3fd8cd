"""The limit: nothing but the matrix products of a training step, written into memory that is there already."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

WIDTHS = (784, 256, 192, 128, 64, 10)  # of SimpleNetwork


def products(images: Tensor) -> Callable[[], None]:
    """Return a function that multiplies the matrices of one step, forward and backward through SimpleNetwork.

    Each call takes the next batch of 128 images, as a training step does: none of them is in the cache yet.
    """
    batch_size = 128
    batches = itertools.cycle(images.flatten(1).split(batch_size)[: len(images) // batch_size])
    first, *others = itertools.pairwise(WIDTHS)
    weight, gradient = torch.randn(first[::-1]), torch.randn(batch_size, first[1])
    forward_out, weight_out = torch.empty(batch_size, first[1]), torch.empty(first[::-1])
    calls = []
    for n, m in others:
        x, w, g = torch.randn(batch_size, n), torch.randn(m, n), torch.randn(batch_size, m)
        calls.append((x, w.t(), torch.empty(batch_size, m)))  # what goes forward
        calls.append((g.t(), x, torch.empty(m, n)))  # the gradient of the weights
        calls.append((g, w, torch.empty(batch_size, n)))  # the gradient of what came in

    def step() -> None:
        x = next(batches)
        torch.mm(x, weight.t(), out=forward_out)
        torch.mm(gradient.t(), x, out=weight_out)  # and nobody asks for the gradient of the images
        for left, right, out in calls:
            torch.mm(left, right, out=out)

    return step


def work(batch_size: int = 128) -> int:
    """Return the floating-point operations of one step, a multiplication and an addition counted as two."""
    pairs = list(itertools.pairwise(WIDTHS))
    return 2 * batch_size * (2 * sum(n * m for n, m in pairs) + sum(n * m for n, m in pairs[1:]))
