"""Functions whose shape is learned: a few numbers of their own, trained with the weights."""

from __future__ import annotations

from math import inf

import torch
from torch import Tensor, nn

from labs.activations.info import ActivationInfo, Properties
from labs.activations.rectifier import elu_slope


class TrainableELU(nn.Module):
    r"""ELU whose :math:`\alpha` is learned: :math:`x` if :math:`x > 0`, else :math:`\alpha (e^x - 1)`.

    Args:
        alpha: where :math:`\alpha` starts.

    Shape:
        - Input: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as the input.

    Source: a relative of the parametric ELU of Trottier, Giguère & Chaib-draa (2016), arXiv:1605.09332.

    Example:
        >>> TrainableELU(alpha=0.5)(torch.tensor([-1.0, 0.0, 100.0])).detach()
        tensor([ -0.3161,   0.0000, 100.0000])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.tensor(float(alpha)))

    def forward(self, x: Tensor) -> Tensor:
        # where() evaluates both branches: without the clamp, 0 * inf gives a NaN gradient at large x.
        return torch.where(x > 0, x, self.alpha * torch.expm1(x.clamp(max=0.0)))




ROWS = (
    ActivationInfo(
        name="TrainableELU",
        family="learnable",
        formula=r"\begin{cases} x & x > 0 \\ \alpha\,(e^{x} - 1) & x \le 0 \end{cases}",
        derivative_formula=r"\begin{cases} 1 & x > 0 \\ \alpha\,e^{x} & x \le 0 \end{cases}",
        symbols={r"\alpha": "alpha"},
        learnable=True,
        factory=TrainableELU,
        slope=elu_slope,
        source=("trottier2016parametric",),
        properties=Properties(
            range=(-1.0, inf), left=-1.0, right=inf, lipschitz=1.0, monotonic=True, convex=True, smooth=False
        ),
    ),
)
