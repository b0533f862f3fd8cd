"""Step, sigmoid, tanh and their relatives: the functions of the first decades."""

from __future__ import annotations

from math import inf

import torch
from torch import Tensor, nn

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


def _step_slope(x: Tensor) -> Tensor:
    return torch.zeros_like(x)


def _sigmoid_slope(x: Tensor) -> Tensor:
    s = torch.sigmoid(x)
    return s * (1 - s)


def _tanh_slope(x: Tensor) -> Tensor:
    return 1 - torch.tanh(x) ** 2


ROWS = (
    ActivationInfo(
        name="Step",
        family="classical",
        formula=r"\begin{cases} 1 & x > 0 \\ 0 & x \le 0 \end{cases}",
        derivative_formula=r"\begin{cases} 0 & x > 0 \\ 0 & x < 0 \end{cases}",
        factory=Step,
        slope=_step_slope,
        source=("mcculloch1943logical",),
        properties=Properties(
            range=(0.0, 1.0), left=0.0, right=1.0, lipschitz=inf, monotonic=True, kinks=(0.0,), smooth=False
        ),
    ),
    ActivationInfo(
        name="Sigmoid",
        family="classical",
        formula=r"\frac{1}{1 + e^{-x}}",
        derivative_formula=r"\sigma(x)\,(1 - \sigma(x))",
        factory=nn.Sigmoid,
        slope=_sigmoid_slope,
        source=("wilson1972excitatory",),
        properties=Properties(
            range=(0.0, 1.0), left=0.0, right=1.0, lipschitz=0.25, monotonic=True, zero_at_zero=False
        ),
    ),
    ActivationInfo(
        name="Tanh",
        family="classical",
        formula=r"\frac{e^{x} - e^{-x}}{e^{x} + e^{-x}}",
        derivative_formula=r"1 - \tanh^2(x)",
        factory=nn.Tanh,
        slope=_tanh_slope,
        source=("glorot2010understanding",),
        properties=Properties(range=(-1.0, 1.0), left=-1.0, right=1.0, lipschitz=1.0, monotonic=True),
    ),
)
