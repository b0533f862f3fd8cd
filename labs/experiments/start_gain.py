"""Chapter 15: is it the learning of the activation that helps, or only its gain? Fixed functions with the same gain."""

from __future__ import annotations

import math
from functools import partial

from torch import Tensor, nn

from labs.activations import make_activation
from labs.data import ImageData
from labs.networks import SimpleNetwork
from labs.seeds import set_seed
from labs.training import fit

_HE = {"init": "he", "zero_bias": True}

#: Networks trained by the recipe of the tutorial, momentum 0.8: the function, and how the network starts.
#: A slope of the square root of 5 for negative inputs keeps the mean square of a signal under PyTorch's weights.
GAIN_ROWS = {
    "slope \N{SQUARE ROOT}5, fixed": {"negative_slope": math.sqrt(5)},
    "slope \N{MINUS SIGN}\N{SQUARE ROOT}5, fixed": {"negative_slope": -math.sqrt(5)},
    "\N{SQUARE ROOT}6 times ReLU": {"scale": math.sqrt(6)},
    "ReLU, He start": {"start": _HE},
    "shared PReLU, He start": {"activation": "PReLU", "start": _HE},
    "no activation, Xavier start": {"activation": None, "start": {"init": "xavier", "zero_bias": True}},
}


class ScaledReLU(nn.Module):
    """A ReLU times a constant.

    Args:
        scale: the constant.

    Shape:
        - Input and output: :math:`(*)`, any shape.

    Example:
        >>> import torch
        >>> ScaledReLU(2.0)(torch.tensor([-1.0, 3.0]))
        tensor([0., 6.])
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x.relu()


def gain_row(train: ImageData, test: ImageData, *, row: str, seed: int, epochs: int) -> dict:
    """Train one of ``GAIN_ROWS`` by the tutorial's recipe: learning rate 0.001, momentum 0.8, batches of 128.

    Args:
        train: what to learn from.
        test: measured after each epoch.
        row: a key of ``GAIN_ROWS``.
        seed: decides weights and batches.
        epochs: passes through the training data; 15 in the tutorial.

    Returns:
        ``accuracy`` (0..1) and ``loss`` [nats] on ``test`` at the end; ``curve``: test accuracy per epoch;
        ``learned``: the slope of the shared PReLU, empty for the others.

    Raises:
        KeyError: an unknown row.
        FloatingPointError: the loss is no longer finite.

    Example:
        >>> import torch
        >>> data = ImageData(torch.rand(40, 1, 28, 28), torch.arange(40) % 10, tuple("0123456789"))
        >>> len(gain_row(data, data, row="shared PReLU, He start", seed=0, epochs=2)["curve"])
        2
    """
    settings = GAIN_ROWS[row]
    if "scale" in settings:
        make = partial(ScaledReLU, settings["scale"])
    elif "negative_slope" in settings:
        make = partial(make_activation, "LeakyReLU", negative_slope=settings["negative_slope"])
    else:
        make = settings.get("activation", "ReLU")
    set_seed(seed)
    model = SimpleNetwork(make, share_activation=make == "PReLU", **settings.get("start", {}))
    history = fit(model, train, test, epochs=epochs, lr=1e-3, momentum=0.8, seed=seed, progress=False)
    return {
        "accuracy": history.test_accuracy[-1],
        "loss": history.test_loss[-1],
        "curve": history.test_accuracy,
        "learned": [p.item() for name, p in model.named_parameters() if name.startswith("act")],
    }
