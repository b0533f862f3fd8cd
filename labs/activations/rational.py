r"""A quotient of two polynomials whose coefficients are learned, and whose denominator cannot vanish."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import inf

import torch
from torch import Tensor, nn

from labs.activations.info import ActivationInfo, Properties
from labs.activations.precision import at_least_single
from labs.activations.sharing import along_channels, start


class Rational(nn.Module):
    r"""Quotient :math:`P(x) / Q(x)` of two polynomials.

    .. math:: P(x) = c + a_1 x + a_2 x^2 + a_3 x^3 + a_4 x^4 + a_5 x^5, \qquad Q(x) = 1 + (b_1 x)^2 + (b_2 x^2)^2

    :math:`Q` is at least 1 whatever is learned. The safe form of Padé activation units,
    :math:`1 + |\sum_i b_i x^i|`, is so too, but the absolute value puts a kink wherever its polynomial
    crosses zero; a sum of squares is smooth. Here :math:`c` is the value at 0, and far out the function is nearly a
    straight line of slope :math:`a_5 / b_2^2` on both sides.

    It starts as SiLU to within 1e-5 for :math:`|x| \le 4`.

    Args:
        num_parameters: 1, or the number of channels for a set of 8 numbers each.

    Shape:
        - Input: :math:`(*)`, any shape; :math:`(N, C, *)` with ``num_parameters`` :math:`C`.
        - Output: same shape as the input.

    Raises:
        ValueError: ``num_parameters`` is below 1, or does not fit the input.

    Source: Molina, Schramowski & Kersting (2020), arXiv:1907.06732, for the degrees 5 and 4; Boullé, Nakatsukasa &
    Townsend (2020), arXiv:2004.01902, for rational functions in networks. The denominator is ours.

    Example:
        >>> Rational()(torch.tensor([-1.0, 0.0, 1.0])).detach()
        tensor([-0.2689,  0.0000,  0.7311])
    """

    def __init__(self, num_parameters: int = 1) -> None:
        super().__init__()
        c, a, b = _fit_to_silu()
        self.c = nn.Parameter(start(c, num_parameters))
        self.a = nn.Parameter(start(a, num_parameters))
        self.b = nn.Parameter(start(b, num_parameters))
        self.num_parameters = num_parameters

    def forward(self, x: Tensor) -> Tensor:
        wide = at_least_single(x)
        c = along_channels(self.c, wide)
        a, b = (along_channels(p, wide, series=True).unbind(-1) for p in (self.a, self.b))
        # Beyond 1 both polynomials are divided by x^4 and evaluated in u = 1/x: no power leaves the range of the
        # dtype. where() hides a NaN of the branch not taken, but not from the gradient; so each branch gets
        # numbers that are safe for it.
        inside = wide.clamp(-1, 1)
        near = _horner([c, *a], inside) / (1 + (b[0] * inside) ** 2 + (b[1] * inside**2) ** 2)
        outside = torch.where(wide.abs() > 1, wide, 1)
        u = 1 / outside
        far = outside * (_horner([*a[::-1], c], u) / (b[1] ** 2 + (b[0] * u) ** 2 + u**4))
        return torch.where(wide.abs() > 1, far, near).to(x.dtype)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


@cache
def _fit_to_silu() -> tuple[float, tuple[float, ...], tuple[float, ...]]:
    """Solve P - SiLU (Q - 1) = SiLU on [-4, 4] for c = 0, a and b^2, in which it is linear, by least squares."""
    x = torch.linspace(-4, 4, 121, dtype=torch.float64)
    y = nn.functional.silu(x)
    columns = [x**i for i in range(1, 6)] + [-y * x**2, -y * x**4]
    solution = torch.linalg.lstsq(torch.stack(columns, 1), y[:, None]).solution
    *a, b1_squared, b2_squared = solution[:, 0].tolist()
    return 0.0, tuple(a), (b1_squared**0.5, b2_squared**0.5)


def _horner(coefficients: Sequence[Tensor], x: Tensor) -> Tensor:
    """The polynomial with these coefficients, the constant one first."""
    value = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        value = value * x + coefficient
    return value


def _rational_slope(
    x: Tensor, c: Tensor | None = None, a: Tensor | None = None, b: Tensor | None = None
) -> Tensor:
    if c is None:
        c, a, b = (start(value).to(x) for value in _fit_to_silu())
    a1, a2, a3, a4, a5 = a
    b1, b2 = b**2
    t = x.clamp(-1, 1)
    q = 1 + b1 * t**2 + b2 * t**4
    near = _horner([a1, 2 * a2, 3 * a3, 4 * a4, 5 * a5], t)
    near = (near - _horner([c, *a], t) / q * (2 * b1 * t + 4 * b2 * t**3)) / q
    u = 1 / torch.where(x.abs() > 1, x, 1)  # f = x n(u) / d(u), so f' = n/d - u (n/d)'
    d = b2 + b1 * u**2 + u**4
    ratio = _horner([a5, a4, a3, a2, a1, c], u) / d
    far = _horner([a4, 2 * a3, 3 * a2, 4 * a1, 5 * c], u)
    far = ratio - u * ((far - ratio * (2 * b1 * u + 4 * u**3)) / d)
    return torch.where(x.abs() > 1, far, near)


# P, Q and their derivatives, as the formulas spell them.
_P = (
    r"c + \sum_{i=1}^{5} a_i x^{i}",
    r"\sum_{i=1}^{5} i\,a_i x^{i - 1}",
    r"\sum_{i=1}^{5} i\,(i - 1)\,a_i x^{i - 2}",
)
_Q = (
    r"1 + \sum_{i=1}^{2} (b_i x^{i})^{2}",
    r"\sum_{i=1}^{2} 2 i\,b_i^{2} x^{2 i - 1}",
    r"\sum_{i=1}^{2} 2 i\,(2 i - 1)\,b_i^{2} x^{2 i - 2}",
)

ROWS = (
    ActivationInfo(
        name="Rational",
        family="learnable",
        formula=rf"\frac{{{_P[0]}}}{{{_Q[0]}}}",
        derivative_formula=(
            rf"\frac{{{_P[1]}}}{{{_Q[0]}}} - \frac{{({_P[0]}) ({_Q[1]})}}{{({_Q[0]})^{{2}}}}"
        ),
        second_derivative_formula=(
            rf"\frac{{{_P[2]}}}{{{_Q[0]}}}"
            rf" - \frac{{2 ({_P[1]}) ({_Q[1]}) + ({_P[0]}) ({_Q[2]})}}{{({_Q[0]})^{{2}}}}"
            rf" + \frac{{2 ({_P[0]}) ({_Q[1]})^{{2}}}}{{({_Q[0]})^{{3}}}}"
        ),
        symbols={"c": "c", "a_i": "a", "b_i": "b"},
        learnable=True,
        factory=Rational,
        slope=_rational_slope,
        source=("molina2020pade", "boulle2020rational"),
        properties=Properties(
            range=(-inf, inf), left=-inf, right=inf, lipschitz=1.0998251312824, gain=1.676533851717
        ),
    ),
)
