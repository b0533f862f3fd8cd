r"""The empirical neural tangent kernel: how alike two inputs are to a network that is about to learn.

A small step on the example :math:`x'` changes the outputs at :math:`x` by the kernel
:math:`\Theta(x, x') = J(x)\, J(x')^T`, with :math:`J` the Jacobian of the outputs in the parameters.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from labs.measuring import matching_inputs, measuring, trainable_parameters

_KINDS = ("full", "trace", "sum")
# What one block of a Jacobian may take.
_MEMORY = 2**28  # bytes


def empirical_ntk(model: nn.Module, x1, x2=None, *, outputs: str = "trace", batch_size: int = 500) -> Tensor:
    r"""Return the tangent kernel of ``model`` between the inputs ``x1`` and ``x2``, at its present parameters.

    Only the trainable parameters count. The Jacobian of a linear layer is an outer product, its gradient at the
    output times its input, so such layers contribute products of two small matrices and their Jacobian is never
    formed. For all other parameters it is, one example after the other, in blocks of bounded size.

    Args:
        model: a module that returns one row of outputs per example; measured in eval mode and left as it was.
        x1: inputs, or a data set that has them.
        x2: the same; by default ``x1``.
        outputs: what to do with the :math:`C` outputs. ``"full"`` keeps them all. ``"trace"`` is the mean of
            the diagonal, :math:`\frac{1}{C} \sum_c \Theta_{cc}`. ``"sum"`` is the kernel of the one function
            :math:`\frac{1}{\sqrt{C}} \sum_c f_c`, about :math:`C` times cheaper.
        batch_size: examples per pass; changes nothing but memory and time.

    Returns:
        The kernel, in the floating-point type of the model, on its device.

    Shape:
        - x1: :math:`(N_1, *)`; x2: :math:`(N_2, *)`
        - Output: :math:`(N_1, N_2, C, C)` for ``"full"``, else :math:`(N_1, N_2)`.

    Raises:
        ValueError: an unknown ``outputs``, no examples, a batch size below one, outputs that are not one row per
            example, or no trainable parameter.
        FloatingPointError: the kernel is not finite.

    Source: Jacot, Gabriel, Hongler (2018), arXiv:1806.07572; products in place of Jacobians: Novak,
    Sohl-Dickstein, Schoenholz (2022), arXiv:2206.08720; the sum of the outputs: Mohamadi, Bae, Sutherland (2023),
    arXiv:2206.12543.

    Example:
        For a linear model the kernel is that of the inputs, plus one for the bias.

        >>> x = torch.tensor([[1.0, 0.0], [1.0, 2.0]])
        >>> empirical_ntk(nn.Linear(2, 3), x)
        tensor([[2., 2.],
                [2., 6.]])
    """
    if outputs not in _KINDS:
        raise ValueError(f"unknown outputs {outputs!r}; choose one of: {', '.join(_KINDS)}")
    if operator.index(batch_size) < 1:
        raise ValueError(f"batch_size is {batch_size}; wanted at least 1")
    parameters = trainable_parameters(model)
    sides = [_checked_inputs(model, x) for x in ([x1] if x2 is None else [x1, x2])]
    project = _summed if outputs == "sum" else lambda y: y

    with measuring(model):
        layers = _plain_linears(model, sides[0][:4])
        factors = [_factors(model, layers, x, project, batch_size) if layers else [] for x in sides]
        kernel = 0
        for i, layer in enumerate(layers):
            (a1, d1), (a2, d2) = factors[0][i], factors[-1][i]
            gram = a1 @ a2.T + (layer.bias is not None)  # (N1, N2)
            gram = gram[:, :, None, None] if outputs == "full" else gram
            kernel = kernel + _contract(d1, d2, outputs) * gram
        done = {id(p) for layer in layers for p in layer.parameters()}
        rest = [p for p in parameters.values() if id(p) not in done]
        if rest:
            kernel = kernel + _by_jacobians(model, rest, sides, project, outputs)
    if not torch.isfinite(kernel).all():
        raise FloatingPointError(
            "the tangent kernel holds NaN or infinity; wanted finite numbers: look for them in the weights and inputs"
        )
    return kernel


class KernelDrift(NamedTuple):
    r"""How far a kernel has moved.

    Attributes:
        distance: :math:`\lVert \Theta' - \Theta \rVert / \lVert \Theta \rVert`, Frobenius norms; 0 is no change.
        alignment: :math:`\langle \Theta, \Theta' \rangle / (\lVert \Theta \rVert \lVert \Theta' \rVert)`, at most 1;
            1 is no change but of scale.

    Source: for the alignment Cristianini, Shawe-Taylor, Elisseeff, Kandola (2001), "On kernel-target alignment".

    Example:
        >>> ntk_drift(nn.Linear(2, 3), nn.Linear(2, 3), torch.ones(5, 2)).distance
        0.0
    """

    distance: float
    alignment: float


def ntk_drift(
    before: nn.Module, after: nn.Module, x, *, outputs: str = "trace", batch_size: int = 500
) -> KernelDrift:
    """Return how far the tangent kernel moved from one model to another, for example over a training.

    Args:
        before, after: two modules for the same inputs.
        x, outputs, batch_size: as for :func:`empirical_ntk`.

    Returns:
        The pair ``(distance, alignment)``, without unit.

    Shape:
        - x: :math:`(N, *)`

    Raises:
        ValueError, FloatingPointError: as for :func:`empirical_ntk`.
        ValueError: kernels of different shape, or one that is zero throughout.

    Source: for the alignment Cristianini, Shawe-Taylor, Elisseeff, Kandola (2001), "On kernel-target alignment";
    for the drift Fort et al. (2020), arXiv:2010.15110.

    Example:
        A linear model has the same kernel whatever its weights are.

        >>> drift = ntk_drift(nn.Linear(2, 3), nn.Linear(2, 3), torch.ones(5, 2))
        >>> drift.distance, round(drift.alignment, 6)
        (0.0, 1.0)
    """
    first, second = (
        empirical_ntk(model, x, outputs=outputs, batch_size=batch_size).cpu().double()
        for model in (before, after)
    )
    if first.shape != second.shape:
        raise ValueError(
            f"the kernels have shapes {tuple(first.shape)} and {tuple(second.shape)}; wanted the same: give two "
            "models with as many outputs"
        )
    lengths = first.norm(), second.norm()
    if not all(lengths):
        raise ValueError(
            "a kernel is zero throughout, so there is nothing to compare; wanted a model whose outputs depend on "
            "its trainable parameters"
        )
    distance = float((second - first).norm() / lengths[0])
    return KernelDrift(distance, float((first * second).sum() / (lengths[0] * lengths[1])))


def _checked_inputs(model: nn.Module, x) -> Tensor:
    x = getattr(x, "inputs", x)
    if not isinstance(x, Tensor) or len(x) == 0:
        got = f"no examples, shape {tuple(x.shape)}" if isinstance(x, Tensor) else f"a {type(x).__name__}"
        raise ValueError(f"got {got}; wanted a tensor of inputs, or a data set, with at least one example")
    x = matching_inputs(model, x)
    with measuring(model), torch.no_grad():
        y = model(x[:2])
    if y.dim() != 2 or len(y) != len(x[:2]):
        raise ValueError(f"the model returned shape {tuple(y.shape)}; wanted ({len(x[:2])}, outputs)")
    return x


def _summed(y: Tensor) -> Tensor:
    return y.sum(dim=1, keepdim=True) / math.sqrt(y.shape[1])


def _contract(left: Tensor, right: Tensor, outputs: str) -> Tensor:
    """Sum over the last index of (N1, C, P) and (N2, C, P); without "full" also over the outputs, by mean."""
    if outputs == "full":
        return torch.einsum("icp,jdp->ijcd", left, right)
    return left.flatten(1) @ right.flatten(1).T / left.shape[1]


@contextmanager
def _tapped(layers: list[nn.Linear]) -> Iterator[dict[nn.Linear, list[tuple[Tensor, Tensor]]]]:
    """Note for each call of a layer its input, and a zero added to its output: the gradient of that is its delta."""
    taps = {layer: [] for layer in layers}

    def tap(layer: nn.Linear, args: tuple, kwargs: dict, output: Tensor) -> Tensor:
        nudge = torch.zeros_like(output, requires_grad=True)
        taps[layer].append(((args[0] if args else kwargs["input"]).detach(), nudge))
        return output + nudge

    handles = [layer.register_forward_hook(tap, with_kwargs=True) for layer in layers]
    try:
        yield taps
    finally:
        for handle in handles:
            handle.remove()


def _plain_linears(model: nn.Module, x: Tensor) -> list[nn.Linear]:
    """Return the linear layers whose gradient is delta times input and nothing else: called once, tied to nothing."""
    found = [
        m for m in model.modules() if type(m) is nn.Linear and all(p.requires_grad for p in m.parameters())
    ]
    with _tapped(found) as taps:
        y = model(x)
    mixed = (y * torch.linspace(1, 2, y.numel(), dtype=y.dtype, device=y.device).view_as(y)).sum()
    plain = []
    for layer in found:
        if len(taps[layer]) != 1 or taps[layer][0][0].dim() != 2:
            continue
        came_in, nudge = taps[layer][0]
        wanted = [nudge, *layer.parameters()]
        delta, *gradients = torch.autograd.grad(mixed, wanted, retain_graph=True, materialize_grads=True)
        # Weights that the model also uses elsewhere show here. The tolerance is for float32 sums in another order;
        # a layer refused by mistake is only slower.
        expected = (delta.T @ came_in, delta.sum(dim=0))
        if all((g - e).norm() <= 1e-3 * e.norm() for g, e in zip(gradients, expected, strict=False)):
            plain.append(layer)
    return plain


def _factors(
    model: nn.Module, layers: list[nn.Linear], x: Tensor, project: Callable, batch_size: int
) -> list[tuple[Tensor, Tensor]]:
    """Return for each layer its inputs (N, n) and the gradients of all outputs at its output (N, C, m)."""
    parts = [[] for _ in layers]
    for batch in x.split(batch_size):
        with _tapped(layers) as taps:
            y = project(model(batch))
        nudges = [taps[layer][0][1] for layer in layers]
        deltas = [
            torch.autograd.grad(column.sum(), nudges, retain_graph=True, materialize_grads=True)
            for column in y.unbind(dim=1)
        ]
        for part, layer, *delta in zip(parts, layers, *deltas, strict=True):
            part.append((taps[layer][0][0], torch.stack(delta, dim=1)))
    return [tuple(map(torch.cat, zip(*part, strict=True))) for part in parts]


def _by_jacobians(
    model: nn.Module, parameters: list[nn.Parameter], sides: list[Tensor], project: Callable, outputs: str
) -> Tensor:
    """Multiply Jacobians in the given parameters, a block of examples against a block of examples."""
    width = project(model(sides[0][:1])).shape[1]
    row = width * sum(p.numel() * p.element_size() for p in parameters)
    blocks = [side.split(max(1, _MEMORY // row)) for side in sides]
    bands = []
    for part in blocks[0]:
        left = _jacobian(model, parameters, part, project)
        rights = (
            left if other is part else _jacobian(model, parameters, other, project) for other in blocks[-1]
        )
        bands.append(torch.cat([_contract(left, right, outputs) for right in rights], dim=1))
    return torch.cat(bands)


def _jacobian(model: nn.Module, parameters: list[nn.Parameter], x: Tensor, project: Callable) -> Tensor:
    """Return the derivatives of all outputs, (N, C, P), one example and one output at a time."""
    # torch.func would do many at once, but vmap(jacrev(...)) is wrong for nn.PReLU (torch 2.13), and silently so
    # where there are as many examples as outputs; RReLU it refuses.
    rows = []
    for example in x.split(1):
        y = project(model(example))[0]
        for value in y:
            if not value.requires_grad:  # parameters that the outputs do not depend on
                gradients = [torch.zeros_like(p) for p in parameters]
            else:
                gradients = torch.autograd.grad(value, parameters, retain_graph=True, materialize_grads=True)
            rows.append(torch.cat([g.reshape(-1) for g in gradients]))
    return torch.stack(rows).view(len(x), -1, rows[0].numel())
