r"""Averages of a function of one Gaussian variable, or of two that are correlated, to about ten digits.

Gauss-Hermite quadrature with :math:`n` points is excellent for polynomials and poor for what networks use: its error
falls like :math:`1/n` at the kink of a ReLU, more slowly at the jump of a step, and for a tanh of a long signal it
needs thousands of points. Here the real line is cut at the kinks and, in steps that double, around each of them;
every piece gets its own Gauss-Legendre rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache

import torch
from torch import Tensor

_REACH = 12.0  # standard deviations; what lies beyond weighs less than 1e-32
_POINTS = 12  # Gauss-Legendre points in each piece
_WIDEST = 2.0  # standard deviations; the widest piece, narrower where a deviation spans many units
_CHUNK = 400_000  # points of the plane that are evaluated at once


def gaussian_mean(
    function: Callable[[Tensor], Tensor], variance: float = 1.0, *, kinks: Sequence[float] = ()
) -> float:
    r"""Return :math:`E f(x)` for a Gaussian :math:`x` with mean zero.

    Args:
        function: takes and returns a float64 tensor, elementwise.
        variance: of :math:`x`, above zero.
        kinks: where the function has a kink, a jump, or two formulas that meet; zero always counts as one.

    Returns:
        The mean; exact to about 1e-12 of the size of the function where all ``kinks`` are named, if its waves are no
        shorter than one unit and the variance no larger than 10,000. A kink without a name costs up to 1e-3 of its
        change of slope times the standard deviation, a jump up to 1e-1 of its height.

    Shape:
        - argument of ``function``: :math:`(M)`; its result: the same.

    Raises:
        ValueError: ``variance`` is not above zero, or the function returns NaN or another shape.

    Example:
        >>> round(gaussian_mean(torch.relu), 10) == round(1 / math.sqrt(2 * math.pi), 10)
        True
    """
    root = _root(variance)
    centres = torch.tensor(sorted({0.0, *kinks}), dtype=torch.float64) / root
    z, weight = _nodes(centres, 1 / root, max(2 / root, 0.02))
    return _weighted(function(root * z), weight)


def gaussian_pair_mean(
    function: Callable[[Tensor, Tensor], Tensor],
    variance: float = 1.0,
    *,
    apart: float,
    kinks: Sequence[float] = (),
) -> float:
    r"""Return :math:`E f(u, v)` for two Gaussians of mean zero, equal variance and correlation ``1 - apart``.

    The pair is written as :math:`u, v = \sqrt{q}\,(a x \pm b y)` with independent :math:`x` and :math:`y`. For each
    :math:`y` the line of the :math:`x` is cut where :math:`u` or :math:`v` meets a kink; the line of the :math:`y`
    is cut where two kinks meet. So no digits are lost when ``apart`` is tiny.

    Args:
        function: takes two float64 tensors, elementwise.
        variance: :math:`q`, above zero.
        apart: one minus the correlation, from 0 to 2.
        kinks: of the function in :math:`u` and equally in :math:`v`; zero always counts as one.

    Returns:
        The mean, with the accuracy of :func:`gaussian_mean`; for waves as short as a few units it needs a variance
        of at most about 10.

    Shape:
        - each argument of ``function``: :math:`(N, M)`; its result: the same.

    Raises:
        ValueError: ``variance`` or ``apart`` out of range, or the function returns NaN or another shape.

    Example:
        >>> round(gaussian_pair_mean(lambda u, v: u * v, 2.0, apart=0.75), 10)
        0.5
    """
    root = _root(variance)
    if not 0 <= apart <= 2:
        raise ValueError(f"got apart={apart}; wanted one minus a correlation, from 0 to 2")
    first = torch.tensor(sorted({0.0, *kinks}), dtype=torch.float64) / root
    if apart > 1:  # u and -v are the closer pair
        sign, second, apart = -1.0, -first, 2 - apart
    else:
        sign, second = 1.0, first
    a, b = math.sqrt(1 - apart / 2), math.sqrt(apart / 2)
    if b:
        meetings = ((first[:, None] - second) / (2 * b)).unique()
        y, y_weight = _nodes(meetings, 1 / (2 * b * root), max(4 / (b * root), 1.0))
    else:
        y, y_weight = torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    steps = 1 / (a * root), max(4 / (a * root), 1.0)
    per_row = _nodes(torch.cat([first, second]), *steps)[0].numel()
    total = 0.0
    for rows, row_weight in zip(
        *(part.split(max(1, _CHUNK // per_row)) for part in (y, y_weight)), strict=True
    ):
        rows = rows[:, None]
        x, weight = _nodes(torch.cat([first - b * rows, second + b * rows], dim=1) / a, *steps)
        u, v = root * (a * x + b * rows), sign * root * (a * x - b * rows)
        total += _weighted(function(u, v), weight * row_weight[:, None])
    return total


def _root(variance: float) -> float:
    if not (variance > 0 and math.isfinite(variance)):
        raise ValueError(f"got variance={variance}; wanted a finite number above zero")
    return math.sqrt(variance)


def _weighted(values: Tensor, weight: Tensor) -> float:
    if values.shape != weight.shape:
        raise ValueError(
            f"the function made {tuple(values.shape)} of {tuple(weight.shape)}; wanted one that acts on each "
            "number alone"
        )
    # A piece of no width lies on a kink, where the function need not have a value.
    total = torch.where(weight > 0, values, 0.0).mul(weight).sum().item()
    if not math.isfinite(total):
        raise ValueError("the function returned NaN or infinity; wanted finite values")
    return total


@cache
def _legendre() -> tuple[Tensor, Tensor]:
    """Points and weights of the Gauss-Legendre rule on (-1, 1)."""
    from numpy.polynomial.legendre import leggauss

    points, weights = leggauss(_POINTS)
    return torch.from_numpy(points), torch.from_numpy(weights)


def _nodes(centres: Tensor, scale: float, widest: float) -> tuple[Tensor, Tensor]:
    """Points and weights for E over a standard normal, with pieces that double from ``scale`` around each centre.

    Shape:
        - centres: :math:`(*, K)`; points and weights: :math:`(*, M)`.
    """
    scale, widest = max(scale, 1e-9), min(widest, _WIDEST)
    levels = max(0, math.ceil(math.log2(widest / scale)) + 1)  # pieces any wider come from the even grid
    steps = scale * 2.0 ** torch.arange(levels, dtype=torch.float64)
    offsets = torch.cat([-steps.flip(0), torch.zeros(1), steps]).to(torch.float64)
    around = (centres[..., None] + offsets).flatten(-2)
    even = torch.linspace(-_REACH, _REACH, math.ceil(2 * _REACH / widest) + 1, dtype=torch.float64)
    even = even.expand(*around.shape[:-1], -1)
    edges = torch.cat([around, even], dim=-1).clamp(-_REACH, _REACH).sort(dim=-1).values
    points, weights = _legendre()
    half = edges.diff(dim=-1)[..., None] / 2
    z = (edges[..., :-1, None] + half * (1 + points)).flatten(-2)
    weight = (half * weights).flatten(-2) * torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return z, weight
