r"""Where a deep random network settles: fixed lengths, the edge of chaos, and within how many layers.

Iterating the maps of ``labs.mean_field`` leads to a fixed length :math:`q^*`. There :math:`\chi_1` decides: below
one the network forgets which input it was given (order), above one it tears near inputs apart (chaos).
Activations are given as for ``labs.mean_field``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from labs.gaussian import gaussian_mean
from labs.mean_field import Activation, chi_1, correlation_map, elementwise, variance_map

_TINY = 1e-20  # a length small enough to stand for the limit zero


class FixedPoint(NamedTuple):
    r"""A length that a layer hands on unchanged.

    Attributes:
        length: :math:`q^*`, mean square of the pre-activations (no unit).
        slope: of the variance map at that length (no unit).

    Example:
        >>> FixedPoint(1.0, 0.5).stable
        True
    """

    length: float
    slope: float

    @property
    def stable(self) -> bool:
        """Whether lengths near by approach it, which is so where the slope is below one in size."""
        return abs(self.slope) < 1


class EdgeOfChaos(NamedTuple):
    r"""A point of the line :math:`\chi_1 = 1`.

    Attributes:
        weight_variance: :math:`\sigma_w^2`, variance of a weight times the number of inputs of its layer.
        bias_variance: :math:`\sigma_b^2`, variance of a bias.
        length: mean square of the pre-activations there, :math:`q^*`; ``None`` if every length stays.

    Source: Poole et al. 2016 (arXiv:1606.05340).

    Example:
        >>> EdgeOfChaos(2.0, 0.0, None) == edge_of_chaos("ReLU")
        True
    """

    weight_variance: float
    bias_variance: float
    length: float | None


class DepthScales(NamedTuple):
    r"""Where the maps settle, and within how many layers.

    Attributes:
        length: stable fixed point of the variance map, :math:`q^*`.
        correlation: stable fixed point of the correlation map at that length, :math:`c^*`.
        chi_1: slope of the correlation map at :math:`c = 1`.
        length_scale: layers in which the distance to ``length`` falls by the factor e, :math:`\xi_q`.
        correlation_scale: the same for ``correlation``, :math:`\xi_c`; ``inf`` at the edge of chaos.

    Source: Schoenholz et al. 2017 (arXiv:1611.01232).

    Example:
        >>> round(depth_scales("Tanh", weight_variance=1.3, bias_variance=0.05).length, 3)
        0.315
    """

    length: float
    correlation: float
    chi_1: float
    length_scale: float
    correlation_scale: float


def variance_slope(
    activation: Activation, length: float, *, weight_variance: float, kinks: Sequence[float] | None = None
) -> float:
    r"""Return the slope of the variance map, :math:`\sigma_w^2\, E[f(\sqrt{q} z)^2 (z^2 - 1)] / (2 q)`.

    This form differentiates the density instead of the function, so it holds for kinks and jumps too.

    Args:
        activation, length, weight_variance, kinks: as for :func:`labs.mean_field.variance_map`.

    Returns:
        The slope (no unit); where ``length`` is a fixed point, it is stable if the slope is below one in size.

    Raises:
        TypeError: as for :func:`labs.mean_field.variance_map`.
        ValueError: as for :func:`labs.mean_field.variance_map`.

    Example:
        >>> round(variance_slope("ReLU", 3.0, weight_variance=2.0), 10)
        1.0
    """
    f, kinks = elementwise(activation, kinks)
    moment = gaussian_mean(lambda x: f(x) ** 2 * (x**2 / length - 1), length, kinks=kinks)
    return weight_variance * moment / (2 * length)


def fixed_points(
    activation: Activation,
    *,
    weight_variance: float,
    bias_variance: float = 0.0,
    kinks: Sequence[float] | None = None,
) -> list[FixedPoint]:
    r"""Return all lengths between 1e-8 and 1e8, and zero, that the variance map leaves as they are.

    Args:
        activation, weight_variance, bias_variance, kinks: as for :func:`labs.mean_field.variance_map`.

    Returns:
        The fixed points, the smallest first; none if the signal grows without end. The slope at zero is
        :math:`q'/q` for :math:`q` = 1e-20. Two that lie within a quarter of each other may both be missed.

    Raises:
        TypeError: as for :func:`labs.mean_field.variance_map`.
        ValueError: every length is a fixed point (ReLU at weight variance 2), or as for
            :func:`labs.mean_field.variance_map`.

    Source: Poole et al. 2016 (arXiv:1606.05340).

    Example:
        >>> [point.stable for point in fixed_points("Tanh", weight_variance=1.5)]
        [False, True]
    """
    f, kinks = elementwise(activation, kinks)
    settings = {"weight_variance": weight_variance, "kinks": kinks}

    def growth(q: float) -> float:
        return variance_map(f, q, bias_variance=bias_variance, **settings) / q - 1

    if all(abs(growth(q)) < 1e-12 for q in (1e-3, 1.0, 1e3)):
        raise ValueError(
            f"with weight_variance={weight_variance} and bias_variance={bias_variance} the map leaves every length "
            "as it is: any length is a fixed point"
        )
    points = [FixedPoint(q, variance_slope(f, q, **settings)) for q in _roots(growth)]
    if bias_variance == 0 and f(torch.zeros(1, dtype=torch.float64)).item() == 0:
        points.insert(0, FixedPoint(0.0, growth(_TINY) + 1))
    return points


def edge_of_chaos(
    activation: Activation,
    *,
    bias_variance: float | None = None,
    weight_variance: float | None = None,
    kinks: Sequence[float] | None = None,
) -> EdgeOfChaos:
    r"""Return the point with :math:`\chi_1 = 1` at a stable length, for a given bias variance or weight variance.

    Both conditions together leave one equation for the length: :math:`q - E f^2 / E f'^2 = \sigma_b^2`, with
    :math:`\sigma_w^2 = 1 / E f'^2`.

    Args:
        activation, kinks: as for :func:`labs.mean_field.variance_map`.
        bias_variance: :math:`\sigma_b^2`; zero if neither is given.
        weight_variance: :math:`\sigma_w^2`; the bias variance is then sought.

    Returns:
        The point with the smallest length, where there are several.

    Raises:
        TypeError: as for :func:`labs.mean_field.variance_map`.
        ValueError: no such point exists, the function jumps or is constant, or both variances are given. GELU and
            SiLU have none for small biases: the lengths where :math:`\chi_1 = 1` are unstable, so no signal stays.

    Source: Poole et al. 2016 (arXiv:1606.05340), Schoenholz et al. 2017 (arXiv:1611.01232), Hayou et al. 2019
    (arXiv:1902.06853).

    Example:
        >>> edge_of_chaos("ReLU")
        EdgeOfChaos(weight_variance=2.0, bias_variance=0.0, length=None)
        >>> weight_variance, _, _ = edge_of_chaos("Tanh", bias_variance=0.05)
        >>> round(weight_variance, 3)
        1.761
    """
    if bias_variance is not None and weight_variance is not None:
        raise ValueError(
            "got both variances; wanted one of them, the other is what the edge of chaos decides"
        )
    bias_variance = 0.0 if bias_variance is None and weight_variance is None else bias_variance
    given = weight_variance if bias_variance is None else bias_variance
    if not 0 <= given < math.inf:
        raise ValueError(f"got the variance {given}; wanted a finite number, not below zero")
    f, kinks = elementwise(activation, kinks)

    def critical(q: float) -> float:  # the weight variance with chi_1 = 1, which is 1 / E f'^2
        return 1 / chi_1(f, q, weight_variance=1.0, kinks=kinks)

    def missing(q: float) -> float:  # the bias variance that makes q a fixed point then
        return q - variance_map(f, q, weight_variance=critical(q), kinks=kinks)

    if not 0 < chi_1(f, 1.0, weight_variance=1.0, kinks=kinks) < math.inf:
        raise ValueError(f"{activation!r} jumps or is constant: chi_1 is infinite or zero, never one")
    limit = _tidy(critical(_TINY))
    if bias_variance == 0 or (weight_variance is not None and math.isclose(limit, weight_variance)):
        if all(abs(missing(q)) < 1e-9 * q for q in (1e-3, 1.0, 1e3)):
            return EdgeOfChaos(limit, 0.0, None)
        # Length zero attracts if no small length grows.
        if all(variance_map(f, q, weight_variance=limit, kinks=kinks) <= q for q in (1e-8, 1e-4, 1e-3)):
            return EdgeOfChaos(limit, 0.0, 0.0)
    if bias_variance is None:
        lengths = _roots(lambda q: weight_variance / critical(q) - 1)
    else:
        lengths = _roots(lambda q: (missing(q) - bias_variance) / q)
    for q in lengths:
        found = EdgeOfChaos(critical(q), missing(q) if bias_variance is None else bias_variance, q)
        slope = variance_slope(f, q, weight_variance=found.weight_variance, kinks=kinks)
        if found.bias_variance >= 0 and abs(slope) < 1:
            return found
    name = "bias_variance" if weight_variance is None else "weight_variance"
    raise ValueError(
        f"{activation!r} has no edge of chaos with {name}={given}: chi_1 = 1 holds at the fixed lengths "
        f"{[round(q, 6) for q in lengths]}, and none of them is stable"
    )


def depth_scale(slope: float) -> float:
    r"""Return :math:`\xi = -1 / \ln |\text{slope}|`, the layers in which a distance changes by the factor e.

    Args:
        slope: factor per layer, such as :math:`\chi_1`; its sign does not matter.

    Returns:
        Layers; negative if the distance grows, ``inf`` at slope one, zero at slope zero.

    Raises:
        ValueError: the slope is NaN or infinite.

    Source: Schoenholz et al. 2017 (arXiv:1611.01232).

    Example:
        >>> round(depth_scale(0.9), 2), depth_scale(1.0)
        (9.49, inf)
    """
    if not math.isfinite(slope):
        raise ValueError(f"got slope={slope}; wanted a finite number")
    if slope == 0:
        return 0.0
    return -1 / math.log(abs(slope)) if abs(slope) != 1 else math.inf


def depth_scales(
    activation: Activation,
    *,
    weight_variance: float,
    bias_variance: float = 0.0,
    kinks: Sequence[float] | None = None,
) -> DepthScales:
    """Return where length and correlation settle in a deep random network, and after how many layers.

    Args:
        activation, weight_variance, bias_variance, kinks: as for :func:`labs.mean_field.variance_map`.

    Returns:
        The :class:`DepthScales` at the smallest stable length above zero.

    Raises:
        TypeError: as for :func:`labs.mean_field.variance_map`.
        ValueError: no stable length above zero (the signal dies out, grows, or keeps any length), or as for
            :func:`labs.mean_field.variance_map`.

    Source: Schoenholz et al. 2017 (arXiv:1611.01232).

    Example:
        >>> scales = depth_scales("Tanh", weight_variance=1.3, bias_variance=0.05)
        >>> scales.correlation, scales.chi_1 < 1
        (1.0, True)
    """
    from scipy import optimize  # here, for only the search needs it

    f, kinks = elementwise(activation, kinks)
    settings = {"weight_variance": weight_variance, "kinks": kinks}
    points = fixed_points(f, bias_variance=bias_variance, **settings)
    stable = [point for point in points if point.stable and point.length > 0]
    if not stable:
        raise ValueError(
            f"{activation!r} with weight_variance={weight_variance}, bias_variance={bias_variance} has no stable "
            f"length above zero, only {points}; change a variance"
        )
    q, slope = stable[0]

    def following(c: float) -> float:
        return correlation_map(f, c, length=q, bias_variance=bias_variance, **settings)

    chi = chi_1(f, q, **settings)
    if chi <= 1:
        return DepthScales(q, 1.0, chi, depth_scale(slope), depth_scale(chi))
    c = optimize.brentq(lambda c: following(c) - c, 0.0, 1 - 1e-9, xtol=1e-13)
    step = min(1e-4, (1 - c) / 2)
    correlation_slope = (following(c + step) - following(c - step)) / (2 * step)
    return DepthScales(q, c, chi, depth_scale(slope), depth_scale(correlation_slope))


def _roots(function: Callable[[float], float]) -> list[float]:
    """Lengths between 1e-8 and 1e8 where ``function`` changes its sign."""
    from scipy import optimize

    grid = [(q, function(q)) for q in (10 ** (k / 10) for k in range(-80, 81))]
    # Rounding around zero is no change of sign.
    grid = [(q, value) for q, value in grid if abs(value) > 1e-12]
    return [
        math.exp(optimize.brentq(lambda t: function(math.exp(t)), math.log(low), math.log(high), xtol=1e-13))
        for (low, before), (high, after) in zip(grid, grid[1:], strict=False)
        if before * after < 0
    ]


def _tidy(number: float) -> float:
    """Drop the last digits, which are rounding of the quadrature, if that leaves a short number."""
    return round(number, 9) if math.isclose(number, round(number, 9), rel_tol=1e-12) else number
