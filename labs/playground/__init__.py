"""The playground's runs in torch: what the page of that name does in the browser, step for step, in ``float64``.

The page hands out a notebook cell with its settings, as in the example. Everything random comes from streams that
both sides draw alike (``labs.playground.streams``): points, start, batches, dropout masks and the slopes of RReLU.
The rest is torch's own: gradients, losses, ``torch.optim``. So the losses of both agree up to rounding.

Example:
    >>> setup = Setup.read("layers.8Tanh*8Tanh~method.adam~rate.0.01")
    >>> run = Run(setup)
    >>> for step in range(300):
    ...     loss = run.step()
    >>> run.accuracy("test") > 0.9
    True
"""

from labs.playground.model import make_model, start_numbers
from labs.playground.own import pack_points, unpack_points
from labs.playground.points import make_points, split
from labs.playground.run import Run
from labs.playground.setup import Change, Layer, Setup
from labs.playground.streams import Stream

__all__ = [
    "Change",
    "Layer",
    "Run",
    "Setup",
    "Stream",
    "make_model",
    "make_points",
    "pack_points",
    "split",
    "start_numbers",
    "unpack_points",
]
