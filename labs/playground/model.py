"""The network of a run in torch: labs' activations between linear layers, everything random drawn from streams."""

from __future__ import annotations

import itertools
import math
from collections import OrderedDict

import torch
from torch import Tensor, nn

from labs.activations import make_activation
from labs.playground.setup import LINEAR, Setup
from labs.playground.streams import Stream


class Drawn(nn.Module):
    """A module that draws one number for each element of its input while it trains, from a stream per step.

    Args:
        seed: of the stream.
        purpose: of the stream.
        layer: the hidden layer, from 0.

    Attributes:
        step: which step's draws are used; whoever trains counts it up.
    """

    def __init__(self, seed: int, purpose: str, layer: int) -> None:
        super().__init__()
        self.seed, self.purpose, self.layer = seed, purpose, layer
        self.step = 0

    def draws(self, x: Tensor) -> Tensor:
        """Return even draws on [0, 1), one for each element of ``x``, example by example.

        Args:
            x: what comes in.

        Returns:
            The draws of this step.

        Shape:
            - x: :math:`(N, H)`.
            - Output: :math:`(N, H)`, ``float64``.
        """
        return Stream(self.seed, self.purpose, self.step, self.layer).uniform(*x.shape)


class Dropout(Drawn):
    """Dropout whose masks come from a stream; what is kept is divided by the share that is kept.

    Args:
        p: the share that is dropped, from 0 to 1.
        seed: of the stream.
        layer: the hidden layer, from 0.

    Shape:
        - Input: :math:`(N, H)`.
        - Output: :math:`(N, H)`.

    Example:
        >>> Dropout(0.5, seed=0, layer=0)(torch.ones(2, 3))
        tensor([[0., 0., 2.],
                [2., 2., 0.]])
    """

    def __init__(self, p: float, *, seed: int, layer: int) -> None:
        super().__init__(seed, "dropout", layer)
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        return torch.where(self.draws(x) >= self.p, x / (1 - self.p), 0.0)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class RReLU(Drawn):
    """RReLU whose slopes come from a stream; evaluation takes the mean slope.

    Args:
        lower: the smallest slope on the negative side.
        upper: the largest slope on the negative side.
        seed: of the stream.
        layer: the hidden layer, from 0.

    Shape:
        - Input: :math:`(N, H)`.
        - Output: :math:`(N, H)`.

    Example:
        >>> RReLU(0.1, 0.3, seed=0, layer=0).eval()(torch.tensor([[-1.0, 2.0]]))
        tensor([[-0.2000,  2.0000]])
    """

    def __init__(self, lower: float, upper: float, *, seed: int, layer: int) -> None:
        super().__init__(seed, "slopes", layer)
        self.lower, self.upper = lower, upper

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return nn.functional.leaky_relu(x, (self.lower + self.upper) / 2)
        slope = self.lower + (self.upper - self.lower) * self.draws(x)
        return torch.where(x > 0, x, slope * x)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}"


def make_model(setup: Setup) -> nn.Sequential:
    """Return the network of ``setup`` as it starts, in ``float64``.

    Args:
        setup: a playground's settings.

    Returns:
        Modules named ``linear1``, ``act1``, ``linear2``, ...; a hidden layer without activation has no ``act``, and
        where the setup or one of its changes asks for dropout, each hidden layer has a ``drop``.

    Shape:
        - Input of the network: :math:`(N, 2)`, or :math:`(N, 1)` for regression.
        - Output: :math:`(N, C)`: a logit for each class, or one number.

    Example:
        >>> make_model(Setup(layers=[(3, "Tanh")]))
        Sequential(
          (linear1): Linear(in_features=2, out_features=3, bias=True)
          (act1): Tanh()
          (linear2): Linear(in_features=3, out_features=2, bias=True)
        )
    """
    ends = (1, 1) if setup.regression else (2, setup.out_features)
    widths = [ends[0], *(layer.units for layer in setup.layers), ends[1]]
    drops = setup.dropout > 0 or any(change.name == "dropout" for change in setup.changes)
    children: OrderedDict[str, nn.Module] = OrderedDict()
    for i, (n, m) in enumerate(itertools.pairwise(widths)):
        children[f"linear{i + 1}"] = _linear(setup, i, n, m)
        if i < len(setup.layers):
            if setup.layers[i].activation != LINEAR:
                children[f"act{i + 1}"] = _activation(setup, i)
            if drops:
                children[f"drop{i + 1}"] = Dropout(setup.dropout, seed=setup.start, layer=i)
    return nn.Sequential(children)


def start_numbers() -> dict[str, dict[str, float | list[float]]]:
    """Return with which numbers the functions start that learn series of them, for the browser.

    Returns:
        For Rational, BSpline and Fourier the attributes of the module, with all their digits. STAF is not among
        them: it draws its numbers from a stream.

    Example:
        >>> start_numbers()["Fourier"]["m"]
        0.5
    """
    found: dict[str, dict[str, float | list[float]]] = {}
    for name in ("Rational", "BSpline", "Fourier"):
        module = make_activation(name)
        found[name] = {key: value.double().squeeze().tolist() for key, value in module.named_parameters()}
        if name == "BSpline":
            found[name] |= {"grid": module.grid, "step": module.step}
    return found


def _linear(setup: Setup, i: int, n: int, m: int) -> nn.Linear:
    layer = nn.utils.skip_init(nn.Linear, n, m, dtype=torch.float64)
    last = i == len(setup.layers)
    weights, biases = Stream(setup.start, "weights", i), Stream(setup.start, "biases", i)
    bound = 1 / math.sqrt(n)
    with torch.no_grad():
        if setup.init == "torch":
            layer.weight.copy_((2 * weights.uniform(m, n) - 1) * bound)
        else:
            variance = {"xavier": 2 / (n + m), "he": (1 if last else 2) / n, "selu": 1 / n, "zero": 0.0}
            layer.weight.copy_(weights.normal(m, n) * math.sqrt(variance[setup.init]))
        layer.bias.copy_((2 * biases.uniform(m) - 1) * (bound if setup.bias == "random" else 0.0))
    return layer


def _activation(setup: Setup, i: int) -> nn.Module:
    name = setup.layers[i].activation
    with torch.random.fork_rng(devices=[]):  # STAF draws when it is made
        module = make_activation(name).double()
    if name == "RReLU":
        return RReLU(module.lower, module.upper, seed=setup.start, layer=i)
    if name == "STAF":
        draws = Stream(setup.start, "activations", i).normal(3, module.tau)
        with torch.no_grad():
            for parameter, values in zip((module.C, module.omega, module.phi), draws, strict=True):
                parameter.copy_(values)
    return module
