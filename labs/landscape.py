"""The loss as a landscape over the parameters: slices through it, its curvature, and the tangent kernel.

The slices are made here. The Hessian is in ``labs.hessian``, its outermost eigenvalues in ``labs.eigenvalues``,
density and trace in ``labs.spectrum``, the kernel in ``labs.tangent_kernel``; this module offers all their names.

A *direction* is a dictionary that holds, for each trainable parameter, a tensor of its shape.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from labs.data import ImageData, PointData
from labs.eigenvalues import top_eigenpairs, top_eigenvalues
from labs.hessian import HessianOperator, hessian_vector_product
from labs.measuring import matching_examples, measuring, trainable_parameters
from labs.observe import is_activation
from labs.progress import track
from labs.spectrum import SpectralDensity, TraceEstimate, lanczos_quadrature, spectral_density, trace
from labs.tangent_kernel import KernelDrift, empirical_ntk, ntk_drift

__all__ = [
    "HessianOperator", "KernelDrift", "SpectralDensity", "TraceEstimate", "as_direction", "empirical_ntk",
    "filter_normalized", "hessian_vector_product", "lanczos_quadrature", "loss_slice", "ntk_drift", "random_direction",
    "slice_positions", "spectral_density", "top_eigenpairs", "top_eigenvalues", "trace", "trainable_parameters",
]  # fmt: skip

Direction = Mapping[str, Tensor]
_BIASES = ("zero", "scale")


def random_direction(model: nn.Module, *, generator: torch.Generator | None = None) -> dict[str, Tensor]:
    """Draw a direction whose every component is standard normal.

    Args:
        model: any module with trainable parameters.
        generator: draws the numbers; torch's global one by default, so that two calls differ.

    Returns:
        A direction: parameter name to tensor, where the model lives.

    Shape:
        - each tensor: the shape of its parameter.

    Raises:
        ValueError: no trainable parameter.

    Example:
        >>> direction = random_direction(nn.Linear(2, 3), generator=torch.Generator().manual_seed(0))
        >>> {name: tuple(d.shape) for name, d in direction.items()}
        {'weight': (3, 2), 'bias': (3,)}
    """
    where = generator.device if generator is not None else "cpu"  # a seed means the same on every device
    return {
        name: torch.randn(p.shape, generator=generator, device=where).to(p.device, p.dtype)
        for name, p in trainable_parameters(model).items()
    }


def as_direction(vector: Tensor, model: nn.Module) -> dict[str, Tensor]:
    """Cut a flat vector, such as an eigenvector of the Hessian, into a direction.

    Args:
        vector: one number for each trainable parameter, in the order of :func:`trainable_parameters`.
        model: the module that the vector belongs to.

    Returns:
        A direction, where the model lives.

    Shape:
        - vector: :math:`(P)`; each tensor: the shape of its parameter.

    Raises:
        ValueError: a vector of another length, or no trainable parameter.

    Example:
        >>> as_direction(torch.tensor([1.0, 2.0, 3.0]), nn.Linear(2, 1))
        {'weight': tensor([[1., 2.]]), 'bias': tensor([3.])}
    """
    parameters = trainable_parameters(model)
    sizes = [p.numel() for p in parameters.values()]
    if vector.shape != (sum(sizes),):
        raise ValueError(
            f"got a vector of shape {tuple(vector.shape)}; wanted ({sum(sizes)},), one number for each "
            "trainable parameter"
        )
    pieces = zip(parameters.items(), vector.split(sizes), strict=True)
    return {name: piece.view_as(p).to(p.device, p.dtype) for (name, p), piece in pieces}


def filter_normalized(direction: Direction, model: nn.Module, *, biases: str = "zero") -> dict[str, Tensor]:
    r"""Return ``direction`` with each filter at the length of the same filter of the weights.

    .. math::

        d_{i,j} \leftarrow \frac{d_{i,j}}{\lVert d_{i,j} \rVert}\, \lVert w_{i,j} \rVert

    A filter is what makes one output: a row of a weight matrix, a kernel block of a convolution. A step of length
    one is then as large as the weights themselves, whatever scale the layers have, so slices of two ReLU networks
    that differ only in scale look alike.

    Args:
        direction: parameter name to tensor, for example from :func:`random_direction`.
        model: whose weights give the lengths.
        biases: what becomes of parameters that have no filters: those with at most one dimension, such as biases
            and the parameters of norms, and those of learnable activations. ``"zero"`` leaves them where they
            are, as the authors' own code does; ``"scale"`` treats each such parameter as one filter.

    Returns:
        A new direction. A filter of length zero, in weights or direction, gives zero.

    Shape:
        - each tensor: the shape of its parameter.

    Raises:
        ValueError: an unknown ``biases``, or a direction that does not fit the model.

    Source: Li, Xu, Taylor, Studer, Goldstein (2018), arXiv:1712.09913.

    Example:
        >>> model = nn.Linear(2, 1)
        >>> with torch.no_grad():
        ...     _ = model.weight.copy_(torch.tensor([[0.0, 10.0]]))
        >>> filter_normalized({"weight": torch.tensor([[3.0, 4.0]]), "bias": torch.ones(1)}, model)
        {'weight': tensor([[6., 8.]]), 'bias': tensor([0.])}
    """
    if biases not in _BIASES:
        raise ValueError(f"unknown biases {biases!r}; choose one of: {', '.join(_BIASES)}")
    parameters = trainable_parameters(model)
    _check_direction(direction, parameters)
    result = {}
    for name, p in parameters.items():
        d = direction[name].to(p.device, p.dtype)
        has_filters = p.dim() > 1 and not is_activation(model.get_submodule(name.rpartition(".")[0]))
        if not has_filters and biases == "zero":
            result[name] = torch.zeros_like(d)
            continue
        rows = (p.shape[0], -1) if has_filters else (1, -1)
        have, want = (
            d.reshape(rows).norm(dim=1, keepdim=True),
            p.detach().reshape(rows).norm(dim=1, keepdim=True),
        )
        unit = d.reshape(rows) / torch.where(have > 0, have, 1)
        result[name] = (unit * want).view_as(d)
    return result


def slice_positions(radius: float = 1.0, steps: int = 21) -> Tensor:
    """Return the places at which :func:`loss_slice` looks: evenly from ``-radius`` to ``radius``.

    Args:
        radius: the farthest place, in lengths of the direction.
        steps: number of places; an odd number has zero in the middle, exactly.

    Returns:
        The places in ascending order, in lengths of the direction.

    Shape:
        - Output: (steps), float64.

    Raises:
        ValueError: a radius that is not positive, or fewer than two steps.

    Example:
        >>> slice_positions(1.0, 5)
        tensor([-1.0000, -0.5000,  0.0000,  0.5000,  1.0000], dtype=torch.float64)
    """
    if not (math.isfinite(radius) and radius > 0) or operator.index(steps) < 2:
        raise ValueError(f"got radius={radius}, steps={steps}; wanted a positive radius and at least 2 steps")
    return radius * torch.arange(1 - steps, steps, 2, dtype=torch.float64) / (steps - 1)


def loss_slice(
    model: nn.Module,
    data: ImageData | PointData,
    directions: Direction | Sequence[Direction],
    *,
    radius: float = 1.0,
    steps: int = 21,
    batch_size: int = 2000,
    progress: bool = True,
) -> Tensor:
    r"""Return the mean cross-entropy [nats] on a line or a square grid through the parameters of ``model``.

    On a line the loss is taken at :math:`\theta + a\,d`, on a grid at :math:`\theta + a\,d_1 + b\,d_2`, with
    :math:`a` and :math:`b` from :func:`slice_positions`. Afterwards the parameters are the very same tensors again.

    Args:
        model: a classifier that returns logits; measured in eval mode, with the buffers it has (the running
            means of a batch normalisation stay those of the centre).
        data: the examples that the loss is averaged over.
        directions: one direction for a line, a pair for a grid.
        radius: farthest place, in lengths of the direction.
        steps: number of places along each direction.
        batch_size: examples per forward pass.
        progress: show a bar when it takes more than two seconds.

    Returns:
        The losses [nats] in the order of the places.

    Shape:
        - Output: (steps) or (steps, steps), first index along the first direction; float64 on the CPU.

    Raises:
        TypeError: ``data`` is no data set.
        ValueError: no examples, no trainable parameter, a direction that does not fit the model, more than two
            directions, or a setting out of range.
        FloatingPointError: the loss is not finite somewhere on the slice.

    Source: Li, Xu, Taylor, Studer, Goldstein (2018), arXiv:1712.09913.

    Example:
        >>> from labs.data import make_moons
        >>> model = nn.Linear(2, 2)
        >>> direction = filter_normalized(random_direction(model), model)
        >>> loss_slice(model, make_moons(100), direction, steps=5).shape
        torch.Size([5])
        >>> loss_slice(model, make_moons(100), [direction, random_direction(model)], steps=5).shape
        torch.Size([5, 5])
    """
    directions = [directions] if isinstance(directions, Mapping) else list(directions)
    if len(directions) not in (1, 2) or operator.index(batch_size) < 1:
        raise ValueError(
            f"got {len(directions)} directions and batch_size={batch_size}; wanted one or two and at least 1"
        )
    parameters = trainable_parameters(model)
    for direction in directions:
        _check_direction(direction, parameters)
    directions = [
        {n: direction[n].to(p.device, p.dtype) for n, p in parameters.items()} for direction in directions
    ]
    positions = slice_positions(radius, steps)
    inputs, labels = matching_examples(model, data)
    places = list(itertools.product(positions.tolist(), repeat=len(directions)))
    losses = []
    with measuring(model), torch.no_grad():
        for place in track(places, "loss slice", progress):
            moved = [
                sum((a * d[name] for a, d in zip(place, directions, strict=True)), start=p.data)
                for name, p in parameters.items()
            ]
            with _at(list(parameters.values()), moved):
                batches = zip(inputs.split(batch_size), labels.split(batch_size), strict=True)
                losses.append(sum(F.cross_entropy(model(x), y, reduction="sum").double() for x, y in batches))
    losses = torch.stack(losses).cpu() / len(labels)
    if not losses.isfinite().all():
        first = int((~losses.isfinite()).nonzero()[0])
        raise FloatingPointError(
            f"the loss is {losses[first]:.4g} at {places[first]} along the directions; wanted a finite loss: "
            "choose a smaller radius, or look for NaN in the weights"
        )
    return losses.reshape([steps] * len(directions))


@contextmanager
def _at(parameters: list[nn.Parameter], values: list[Tensor]) -> Iterator[None]:
    """Let the parameters have other values for a block."""
    # torch.func.functional_call would be the tool, but it leaves a module that stands in two places, such as a
    # shared activation, with the borrowed tensor in place of its parameter (torch 2.13).
    kept = [p.data for p in parameters]
    try:
        for p, value in zip(parameters, values, strict=True):
            p.data = value
        yield
    finally:
        for p, value in zip(parameters, kept, strict=True):
            p.data = value


def _check_direction(direction: Direction, parameters: dict[str, nn.Parameter]) -> None:
    got = {name: tuple(d.shape) for name, d in direction.items()}
    wanted = {name: tuple(p.shape) for name, p in parameters.items()}
    if got != wanted:
        name = next(n for n in [*wanted, *got] if got.get(n) != wanted.get(n))
        raise ValueError(
            f"the direction has {got.get(name, 'nothing')} for {name!r}, the trainable parameters of the model "
            f"{wanted.get(name, 'nothing')}; wanted the same names and shapes: make it with random_direction(model)"
        )
