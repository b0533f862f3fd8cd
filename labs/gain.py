"""The constants that keep a standard Gaussian signal standard: a gain for any activation, and SELU's two numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from labs.gaussian import gaussian_mean
from labs.mean_field import Activation, variance_map


class SELUConstants(NamedTuple):
    r"""The two constants of SELU, under the names of torch's source.

    Attributes:
        alpha: :math:`\alpha`, minus the limit towards minus infinity before scaling (no unit).
        scale: :math:`\lambda`, the slope on the positive side (no unit).

    Source: Klambauer et al. 2017 (arXiv:1706.02515).

    Example:
        >>> round(selu_fixed_point().scale, 4)
        1.0507
    """

    alpha: float
    scale: float


def gaussian_gain(activation: Activation, *, kinks: Sequence[float] | None = None) -> float:
    r"""Return the factor :math:`g` with :math:`g^2\, E f(z)^2 = 1` for a standard normal :math:`z`.

    Weights of variance :math:`g^2 / n` keep the length one. For ReLU this is He's square root of two.

    Args:
        activation, kinks: as for :func:`labs.mean_field.variance_map`.

    Returns:
        The gain (no unit), above zero.

    Raises:
        TypeError: as for :func:`labs.mean_field.variance_map`.
        ValueError: the function is zero everywhere, or as for :func:`labs.mean_field.variance_map`.

    Source: He et al. 2015 (arXiv:1502.01852) for ReLU.

    Example:
        >>> round(gaussian_gain("ReLU"), 10) == round(math.sqrt(2), 10)
        True
    """
    second_moment = variance_map(activation, 1.0, weight_variance=1.0, kinks=kinks)
    if second_moment == 0:
        raise ValueError("the activation is zero for every Gaussian input: no factor makes its length one")
    return 1 / math.sqrt(second_moment)


def selu_fixed_point(mean: float = 0.0, variance: float = 1.0) -> SELUConstants:
    r"""Return the constants of SELU from its definition: mean and variance of a layer stay as they are.

    SELU is :math:`\lambda x` for positive and :math:`\lambda \alpha (e^x - 1)` for negative :math:`x`. For weights
    that sum to zero and have variance :math:`1/n`, a unit's input is standard normal if mean and variance before
    were 0 and 1; the two constants make the output's so again.

    Args:
        mean: what :math:`E f(z)` shall be for a standard normal :math:`z`.
        variance: what the variance of :math:`f(z)` shall be, above zero.

    Returns:
        The pair ``(alpha, scale)``, :math:`\alpha` and :math:`\lambda`.

    Raises:
        ValueError: no constants were found for that mean and variance.

    Source: Klambauer et al. 2017 (arXiv:1706.02515).

    Example:
        >>> alpha, scale = selu_fixed_point()
        >>> f"{alpha:.6f} {scale:.6f}"
        '1.673263 1.050701'
    """
    from scipy import optimize  # here, for only the search needs it

    def misses(constants: Sequence[float]) -> tuple[float, float]:
        alpha, scale = (float(constant) for constant in constants)

        def selu(x: Tensor) -> Tensor:
            return scale * torch.where(x > 0, x, alpha * torch.expm1(x.clamp(max=0)))

        return gaussian_mean(selu) - mean, gaussian_mean(lambda x: (selu(x) - mean) ** 2) - variance

    found = optimize.root(misses, x0=(1.0, 1.0), tol=1e-13)
    if max(map(abs, misses(found.x))) > 1e-9:
        raise ValueError(f"found no constants for mean={mean}, variance={variance}: {found.message}")
    return SELUConstants(*map(float, found.x))
