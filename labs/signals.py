"""How signals and gradients change from layer to layer, measured and predicted.

Measured: :func:`forward_statistics` and :func:`backward_statistics` of a given network on given data.
Predicted: :func:`mean_field`, what an infinitely wide random network does to the length of a signal and to the
correlation between the signals of two inputs (Poole et al. 2016, Schoenholz et al. 2017).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from labs.activations import make_activation
from labs.hooks import layer_gradients
from labs.neurons import activity


@dataclass(frozen=True)
class LayerSignal:
    """The pre-activations of one layer over a data set.

    Attributes:
        mean: mean over units and examples.
        length: mean square over units and examples, :math:`q` in the book.
        input_variance: variance over the examples, averaged over the units: what the layer knows of its input.
        squared_mean: squared mean over the examples, averaged over the units: what is the same for every input.
    """

    mean: float
    length: float
    input_variance: float
    squared_mean: float

    @property
    def ratio(self) -> float:
        """``input_variance / squared_mean``: far below one, the layer hardly sees which input it was given."""
        return self.input_variance / self.squared_mean if self.squared_mean else math.inf

    @property
    def correlation(self) -> float:
        """Correlation between the pre-activations of two different inputs, :math:`c` in the book."""
        return self.squared_mean / self.length if self.length else math.nan


def forward_statistics(model: nn.Module, data, *, batch_size: int = 2000) -> dict[str, LayerSignal]:
    """Return the signal in front of every activation of ``model``, over all examples of ``data``.

    Args, errors: as for :func:`labs.neurons.activity`.

    Example:
        >>> forward_statistics(nn.Tanh(), torch.tensor([[1.0], [3.0]]))["Tanh"]
        LayerSignal(mean=2.0, length=5.0, input_variance=1.0, squared_mean=4.0)
    """
    signals = {}
    for name, unit in activity(model, data, batch_size=batch_size).items():
        variance, squared = (
            unit.std.double().square().mean().item(),
            unit.mean.double().square().mean().item(),
        )
        signals[name] = LayerSignal(unit.mean.mean().item(), variance + squared, variance, squared)
    return signals


def backward_statistics(model: nn.Module, x: Tensor, y: Tensor) -> dict[str, float]:
    """Return the root mean square of the loss gradient of each weight matrix, input side first.

    Args:
        model: a classifier that returns logits.
        x, y: one batch of inputs and labels.

    Example:
        >>> model = nn.Linear(1, 2, bias=False)
        >>> _ = nn.init.zeros_(model.weight)
        >>> backward_statistics(model, torch.ones(3, 1), torch.zeros(3).long())
        {'weight': 0.5}
    """
    return {
        name: g.double().square().mean().sqrt().item() for name, g in layer_gradients(model, x, y).items()
    }


def mean_field(
    activation: str | Callable[[Tensor], Tensor],
    depth: int,
    *,
    weight_variance: float,
    bias_variance: float = 0.0,
    length: float = 1.0,
    correlation: float = 0.0,
) -> list[tuple[float, float]]:
    r"""Predict length and ratio of the pre-activations in each layer of an infinitely wide random network.

    With :math:`q` the length and :math:`c` the correlation of the pre-activations of two inputs, the next layer has

    .. math::

        q' = \sigma_w^2\, E[f(u)^2] + \sigma_b^2, \qquad
        q'(1 - c') = \tfrac{1}{2} \sigma_w^2\, E[(f(u) - f(v))^2]

    where :math:`u, v` are Gaussian with variance :math:`q` and correlation :math:`c`. The second form keeps its
    digits when :math:`c` is close to one.

    Args:
        activation: a name or an elementwise function.
        depth: number of layers to predict, the first included.
        weight_variance: :math:`\sigma_w^2`, variance of a weight times the number of inputs of its layer.
        bias_variance: :math:`\sigma_b^2`, variance of a bias.
        length, correlation: :math:`q` and :math:`c` of the first layer's pre-activations.

    Returns:
        For each layer the pair (length :math:`q`, ratio :math:`(1 - c)/c`); the ratio is what
        :attr:`LayerSignal.ratio` measures.

    Raises:
        ValueError: ``depth`` below one, a length of zero or less, or a correlation outside 0..1.

    Source: Poole et al. 2016 (arXiv:1606.05340), Schoenholz et al. 2017 (arXiv:1611.01232).

    Example:
        A ReLU halves the mean square, and He's factor two makes up for it.

        >>> [round(q, 3) for q, _ in mean_field("ReLU", 3, weight_variance=2.0)]
        [1.0, 1.0, 1.0]
    """
    if depth < 1 or length <= 0 or not 0 <= correlation < 1:
        raise ValueError(
            f"got depth={depth}, length={length}, correlation={correlation}; wanted depth >= 1, length > 0 and "
            "0 <= correlation < 1"
        )
    f = make_activation(activation).double() if isinstance(activation, str) else activation
    z, weight = _normal_grid()
    q, apart = length, 1 - correlation  # apart = 1 - c
    layers = []
    for _ in range(depth):
        layers.append((q, apart / (1 - apart) if apart < 1 else math.inf))
        u = math.sqrt(q) * z[:, None]
        v = math.sqrt(q) * ((1 - apart) * z[:, None] + math.sqrt(apart * (2 - apart)) * z[None, :])
        with torch.no_grad():
            fu, fv = f(u), f(v)
        second_moment = (weight * fu[:, 0] ** 2).sum().item()
        difference = (weight[:, None] * weight[None, :] * (fu - fv) ** 2).sum().item()
        q_next = weight_variance * second_moment + bias_variance
        apart = 0.5 * weight_variance * difference / q_next
        q = q_next
    return layers


def _normal_grid(points: int = 801, reach: float = 8.0) -> tuple[Tensor, Tensor]:
    """Points and weights of the trapezoidal rule for E over a standard normal; exact enough for kinked functions."""
    z = torch.linspace(-reach, reach, points, dtype=torch.float64)
    weight = torch.exp(-(z**2) / 2)
    return z, weight / weight.sum()
