"""What each activation function costs, forward and there and back, relative to ReLU."""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmarks.pairs import ratio, side_by_side
from labs.activations import ACTIVATIONS, inputs_per_output, make_activation
from labs.seeds import set_seed

UNITS = 640  # the hidden units of SimpleNetwork: one training step sends a batch of 128 through them


def per_function(rounds: int = 60) -> dict:
    """Time of every function of the table relative to ReLU's, on one thread, for as many numbers out as ReLU's.

    ``ReLU again`` is ReLU measured a second time: what it differs from one is noise of the machine.
    """
    names = {name: name for name in ACTIVATIONS} | {"ReLU again": "ReLU"}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        forward = side_by_side(
            {k: _call(n, backward=False) for k, n in names.items()}, rounds=rounds, warm_up=3
        )
        both = side_by_side({k: _call(n, backward=True) for k, n in names.items()}, rounds=rounds, warm_up=3)
    finally:
        torch.set_num_threads(threads)
    return {
        "forward / ReLU's": {name: ratio(forward, name, "ReLU") for name in names if name != "ReLU"},
        "forward and backward / ReLU's": {
            name: ratio(both, name, "ReLU") for name in names if name != "ReLU"
        },
        "numbers out": 128 * UNITS,
    }


def _call(name: str, *, backward: bool) -> Callable[[], None]:
    set_seed(7)
    module = make_activation(name).train()
    x = torch.randn(128, UNITS * inputs_per_output(module), requires_grad=backward)
    wanted = [x, *module.parameters()]
    upstream = torch.ones(128, UNITS)

    def call() -> None:
        if backward:
            torch.autograd.grad(module(x), wanted, upstream, allow_unused=True)
        else:
            with torch.no_grad():
                module(x)

    return call
