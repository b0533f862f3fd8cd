"""How signals and gradients change from layer to layer, measured and predicted.

Measured, for any network: :func:`forward_statistics` on the way in, :func:`gradient_statistics` and
:func:`backward_statistics` on the way back.
Predicted, for infinitely wide random networks: the maps of ``labs.mean_field`` and what follows from them in
``labs.fixed_points``, all to be had from here as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from labs.fixed_points import (
    DepthScales,
    EdgeOfChaos,
    FixedPoint,
    depth_scale,
    depth_scales,
    edge_of_chaos,
    fixed_points,
    variance_slope,
)
from labs.gain import SELUConstants, gaussian_gain, selu_fixed_point
from labs.hooks import layer_gradients
from labs.mean_field import chi_1, correlation_map, gradient_growth, mean_field, variance_map
from labs.observe import device_of, is_activation, watch_data, watching

__all__ = [
    "DepthScales",
    "EdgeOfChaos",
    "FixedPoint",
    "LayerGradient",
    "LayerSignal",
    "SELUConstants",
    "backward_statistics",
    "chi_1",
    "correlation_map",
    "depth_scale",
    "depth_scales",
    "edge_of_chaos",
    "fixed_points",
    "forward_statistics",
    "gaussian_gain",
    "gradient_growth",
    "gradient_statistics",
    "mean_field",
    "selu_fixed_point",
    "variance_map",
    "variance_slope",
]


@dataclass(frozen=True)
class LayerSignal:
    """The signal at one layer over a data set: its pre-activations, or what the activation puts out.

    Attributes:
        mean: mean over units and examples.
        length: mean square over units and examples, :math:`q` in the book.
        input_variance: variance over the examples, averaged over the units: what the layer knows of its input.
        squared_mean: squared mean over the examples, averaged over the units: what is the same for every input.

    Example:
        >>> LayerSignal(mean=0.0, length=4.0, input_variance=1.0, squared_mean=3.0).correlation
        0.75
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


class LayerGradient(NamedTuple):
    """The gradient of one example's loss at one layer, as mean squares over units and examples.

    Attributes:
        before: with respect to the pre-activation.
        after: with respect to the activation.

    Example:
        >>> LayerGradient(before=0.25, after=1.0).before
        0.25
    """

    before: float
    after: float


def forward_statistics(
    model: nn.Module, data, *, after: bool = False, batch_size: int = 2000
) -> dict[str, LayerSignal]:
    """Return the signal in front of every activation of ``model``, over all examples of ``data``.

    Any network will do: dense or convolutional, with normalisation layers or without, of ``labs`` or not.
    A model without activation modules (it calls ``torch.relu`` or the like) is measured behind each of its linear
    or convolutional layers but the last. In a convolution each channel at each place counts as one unit, so the
    variance is the one over the inputs alone.

    Args:
        model: any module; it runs in eval mode and without gradients.
        data: a data set with ``inputs``, a tensor of inputs, or an iterable of batches; see
            :func:`labs.observe.watch_data`.
        after: measure what the activations put out instead of what goes in.
        batch_size: examples per forward pass, for data that does not come in batches.

    Returns:
        The signal by layer name, in the order of the layers, in the units of the activations.

    Shape:
        - each batch of ``data``: :math:`(N, *)`, the same :math:`*` in every batch.

    Raises:
        ValueError: no examples, batches of different shapes, or NaN or infinity among the values.

    Example:
        >>> forward_statistics(nn.Tanh(), torch.tensor([[1.0], [3.0]]))["Tanh"]
        LayerSignal(mean=2.0, length=5.0, input_variance=1.0, squared_mean=4.0)
    """
    behind = after or not _has_activations(model)
    sums: dict[str, _Sums] = {}

    def see(name: str, before: Tensor, output: Tensor) -> None:
        values = (output if behind else before).detach().double().flatten(1)
        if not values.isfinite().all():
            raise ValueError(
                f"NaN or infinity at layer {name!r}: check the data and the weights for NaN or overflow"
            )
        sums.setdefault(name, _Sums(values[0])).add(values, name)

    watch_data(model, data, see, batch_size=batch_size)
    return {name: s.signal() for name, s in sums.items()}


def gradient_statistics(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
) -> dict[str, LayerGradient]:
    r"""Return the gradient of the loss in front of and behind every activation of ``model``, as mean squares.

    From layer to layer the mean square of a wide random network grows by :math:`\chi_1` on the way back; compare with
    :func:`labs.mean_field.gradient_growth`. The model runs in the mode it is in; its mode, its buffers and the
    ``.grad`` of its parameters are the same afterwards.

    Args:
        model: any module, looked at where :func:`forward_statistics` looks.
        x: one batch of inputs; moved to where the model lives, as is ``y``.
        y: what the loss compares the outputs with, such as labels.
        loss: called with outputs and ``y``, returns the mean loss over the batch, in nats for cross-entropy.

    Returns:
        The gradients of the loss of *one* example, by layer name, in the order of the layers. A layer that the loss
        does not depend on has zeros. Without activation modules both numbers are those behind the linear layer.

    Shape:
        - x: :math:`(N, *)`; y: as the loss wants it, :math:`(N)` for labels.

    Raises:
        ValueError: no examples, a loss that is not one number, or one that depends on nothing that has a gradient.

    Source: Glorot & Bengio 2010, Schoenholz et al. 2017 (arXiv:1611.01232).

    Example:
        >>> gradient_statistics(nn.Tanh(), torch.zeros(1, 2), torch.tensor([0]))["Tanh"]
        LayerGradient(before=0.25, after=0.25)
    """
    if len(x) == 0:
        raise ValueError("got no examples, so there is no gradient; give at least one")
    device = device_of(model)
    watched = _has_activations(model)
    squares: dict[str, tuple[list[float], list[float]]] = {}

    def keep(tensor: Tensor, found: list[float]) -> None:
        if tensor.requires_grad:  # the loss is a mean: times the examples it is the loss of each one
            tensor.register_hook(lambda g: found.append((g.double() * len(x)).square().mean().item()))

    def see(name: str, before: Tensor, after: Tensor) -> None:
        found = squares.setdefault(name, ([], []))
        keep(before if watched else after, found[0])
        keep(after, found[1])

    modes = {module: module.training for module in model.modules()}
    in_place = [module for module in model.modules() if getattr(module, "inplace", False)]
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    try:
        for module in in_place:
            module.inplace = False  # else what went in would be gone before its gradient comes
        with torch.inference_mode(False), torch.enable_grad(), watching(model, see):
            for module, mode in modes.items():
                module.training = (
                    mode  # watching is for eval mode; here batch statistics belong to the question
                )
            leaf = x.detach().to(device, copy=True)
            leaf.requires_grad_(leaf.is_floating_point())
            value = loss(model(leaf.clone()), y.to(device))  # a clone may be changed in place, a leaf not
            if value.dim() or not value.requires_grad:
                raise ValueError(
                    f"the loss has shape {tuple(value.shape)} and requires_grad={value.requires_grad}; wanted one "
                    "number, the mean over the batch, that depends on the inputs or on weights to learn"
                )
            leaves = [p for p in (leaf, *model.parameters()) if p.requires_grad]
            torch.autograd.grad(value, leaves, allow_unused=True)
    finally:
        for module in in_place:
            module.inplace = True
        with torch.no_grad():
            for buffer, kept in buffers:
                buffer.copy_(kept)
    return {name: LayerGradient(*(sum(g) / max(1, len(g)) for g in pair)) for name, pair in squares.items()}


def backward_statistics(model: nn.Module, x: Tensor, y: Tensor) -> dict[str, float]:
    """Return the root mean square of the loss gradient of each weight matrix, input side first.

    The loss is the mean cross-entropy of the batch [nats]; see :func:`labs.hooks.layer_gradients`.

    Args:
        model: a classifier that returns logits.
        x, y: one batch of inputs and labels.

    Returns:
        The root mean squares [nats per unit of the weight] by parameter name.

    Shape:
        - x: :math:`(N, *)`; y: :math:`(N)`, ``int64``.

    Source: Glorot & Bengio 2010.

    Example:
        >>> model = nn.Linear(1, 2, bias=False)
        >>> _ = nn.init.zeros_(model.weight)
        >>> backward_statistics(model, torch.ones(3, 1), torch.zeros(3).long())
        {'weight': 0.5}
    """
    return {
        name: g.double().square().mean().sqrt().item() for name, g in layer_gradients(model, x, y).items()
    }


def _has_activations(model: nn.Module) -> bool:
    return any(is_activation(module) for module in model.modules())


class _Sums:
    """Sums over the examples, taken relative to the first example so that no digits are lost to a large mean."""

    def __init__(self, origin: Tensor) -> None:
        self.origin, self.count = origin, 0
        self.first, self.second = torch.zeros_like(origin), torch.zeros_like(origin)

    def add(self, values: Tensor, name: str) -> None:
        if values.shape[1:] != self.origin.shape:
            raise ValueError(
                f"layer {name!r} has {values.shape[1]} units in this batch and {len(self.origin)} in an earlier "
                "one; wanted inputs of one shape"
            )
        away = values - self.origin
        self.count += len(away)
        self.first += away.sum(0)
        self.second += away.square().sum(0)

    def signal(self) -> LayerSignal:
        shift = self.first / self.count
        mean = self.origin + shift
        variance = (self.second / self.count - shift**2).clamp(min=0).mean().item()
        squared = mean.square().mean().item()
        return LayerSignal(mean.mean().item(), variance + squared, variance, squared)
