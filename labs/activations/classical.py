"""Step, sigmoid, tanh and their relatives: the functions of the first decades."""

from __future__ import annotations

from math import inf

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from labs.activations.info import ActivationInfo, Properties


class Step(nn.Module):
    r"""The threshold of the first model neurons: 1 if :math:`x > 0`, else 0; also 0 at :math:`x = 0`.

    Its slope is zero wherever there is one, so nothing below it learns by gradient descent.

    Shape:
        - Input: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as the input.

    Source: McCulloch & Pitts (1943).

    Example:
        >>> Step()(torch.tensor([-2.0, 0.0, 3.0]))
        tensor([0., 0., 1.])
    """

    def forward(self, x: Tensor) -> Tensor:
        # Unlike `x > 0`, sign stays in the graph: backward gives zeros instead of an error.
        return torch.sign(x).relu()


class HardSigmoid(nn.Hardsigmoid):
    r"""The sigmoid in three straight pieces, :math:`\min(\max(x + 3, 0), 6) / 6`.

    It is ``nn.Hardsigmoid`` with exact derivatives: torch's own rounds the slope 1/6 to float32, in float64 too, and
    has no second derivative, which a Hessian needs.

    Shape:
        - Input: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as the input.

    Source: Howard et al. (2019), arXiv:1905.02244.

    Example:
        >>> HardSigmoid()(torch.tensor([-4.0, 0.0, 1.5]))
        tensor([0.0000, 0.5000, 0.7500])
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(x + 3) / 6


def _step_slope(x: Tensor) -> Tensor:
    return torch.zeros_like(x)


def sigmoid_slope(x: Tensor) -> Tensor:
    r"""Return the slope of the sigmoid as :math:`\sigma(x)\,\sigma(-x)`.

    Far to the right it keeps its digits, where :math:`1 - \sigma(x)` has lost them.

    Args:
        x: where to take the slope.

    Returns:
        The slope, in the graph of ``x``.

    Shape:
        - x: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as ``x``.

    Example:
        >>> sigmoid_slope(torch.tensor([0.0, 30.0]))
        tensor([2.5000e-01, 9.3576e-14])
    """
    return torch.sigmoid(x) * torch.sigmoid(-x)


def _tanh_slope(x: Tensor) -> Tensor:
    return 1 - torch.tanh(x) ** 2


def _hard_sigmoid_slope(x: Tensor) -> Tensor:
    return torch.where(x.abs() < 3, torch.full_like(x, 1 / 6), 0.0)


def _hardtanh_slope(x: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    return torch.where((min_val < x) & (x < max_val), torch.ones_like(x), 0.0)


def _softsign_slope(x: Tensor) -> Tensor:
    return (1 / (1 + x.abs())) ** 2  # square last: in float16 the square of 1e4 is infinite


ROWS = (
    ActivationInfo(
        name="Step",
        family="classical",
        formula=r"\begin{cases} 1 & x > 0 \\ 0 & x \le 0 \end{cases}",
        derivative_formula=r"\begin{cases} 0 & x > 0 \\ 0 & x < 0 \end{cases}",
        second_derivative_formula="0",
        factory=Step,
        slope=_step_slope,
        source=("mcculloch1943logical",),
        properties=Properties(
            range=(0.0, 1.0),
            left=0.0,
            right=1.0,
            lipschitz=inf,
            gain=1.4142135623730951,
            monotonic=True,
            kinks=(0.0,),
            smooth=False,
        ),
    ),
    ActivationInfo(
        name="Sigmoid",
        family="classical",
        formula=r"\frac{1}{1 + e^{-x}}",
        derivative_formula=r"\sigma(x)\,(1 - \sigma(x))",
        second_derivative_formula=r"\sigma(x)\,(1 - \sigma(x))\,(1 - 2\,\sigma(x))",
        factory=nn.Sigmoid,
        slope=sigmoid_slope,
        source=("wilson1972excitatory",),
        properties=Properties(
            range=(0.0, 1.0),
            left=0.0,
            right=1.0,
            lipschitz=0.25,
            gain=1.8462285453386054,
            monotonic=True,
            zero_at_zero=False,
        ),
    ),
    ActivationInfo(
        name="HardSigmoid",
        family="classical",
        formula=r"\frac{1}{6} \min(\max(x + 3, 0), 6)",
        derivative_formula=(r"\begin{cases} 0 & x < -3 \\ \frac{1}{6} & -3 < x < 3 \\ 0 & x > 3 \end{cases}"),
        second_derivative_formula="0",
        factory=HardSigmoid,
        slope=_hard_sigmoid_slope,
        source=("howard2019searching",),
        properties=Properties(
            range=(0.0, 1.0),
            left=0.0,
            right=1.0,
            lipschitz=1 / 6,
            gain=1.897840424729559,
            monotonic=True,
            zero_at_zero=False,
            kinks=(-3.0, 3.0),
            smooth=False,
        ),
    ),
    ActivationInfo(
        name="Tanh",
        family="classical",
        formula=r"\frac{e^{x} - e^{-x}}{e^{x} + e^{-x}}",
        derivative_formula=r"1 - \tanh^2(x)",
        second_derivative_formula=r"-2 \tanh(x)\,\left(1 - \tanh^2(x)\right)",
        factory=nn.Tanh,
        slope=_tanh_slope,
        source=("glorot2010understanding",),
        properties=Properties(
            range=(-1.0, 1.0),
            left=-1.0,
            right=1.0,
            lipschitz=1.0,
            gain=1.5925374197228315,
            monotonic=True,
            symmetry="odd",
        ),
    ),
    ActivationInfo(
        name="Hardtanh",
        family="classical",
        formula=r"\min(\max(x, l), u)",
        derivative_formula=r"\begin{cases} 0 & x < l \\ 1 & l < x < u \\ 0 & x > u \end{cases}",
        second_derivative_formula="0",
        symbols={"l": "min_val", "u": "max_val"},
        factory=nn.Hardtanh,
        slope=_hardtanh_slope,
        source=("collobert2011natural",),
        properties=Properties(
            range=(-1.0, 1.0),
            left=-1.0,
            right=1.0,
            lipschitz=1.0,
            gain=1.3920361404483097,
            monotonic=True,
            symmetry="odd",
            kinks=(-1.0, 1.0),
            smooth=False,
        ),
    ),
    ActivationInfo(  # the slope has a kink at zero, where the curvature jumps from 2 to -2
        name="Softsign",
        family="classical",
        formula=r"\frac{x}{1 + \lvert x \rvert}",
        derivative_formula=r"\frac{1}{(1 + \lvert x \rvert)^{2}}",
        second_derivative_formula=(
            r"\begin{cases} -\frac{2}{(1 + x)^{3}} & x > 0 \\ \frac{2}{(1 - x)^{3}} & x < 0 \end{cases}"
        ),
        factory=nn.Softsign,
        slope=_softsign_slope,
        source=("elliott1993better", "bergstra2009quadratic"),
        properties=Properties(
            range=(-1.0, 1.0),
            left=-1.0,
            right=1.0,
            lipschitz=1.0,
            gain=2.3375333631085398,
            monotonic=True,
            symmetry="odd",
            smooth=False,
        ),
    ),
)
