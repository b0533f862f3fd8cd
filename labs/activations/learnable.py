"""Old functions with one or two of their numbers set free: they are trained with the weights."""

from __future__ import annotations

from math import inf

import torch
from torch import Tensor, nn

from labs.activations.info import ActivationInfo, Properties
from labs.activations.rectifier import elu_slope
from labs.activations.sharing import along_channels, start


class TrainableELU(nn.Module):
    r"""ELU whose :math:`\alpha` is learned: :math:`x` if :math:`x > 0`, else :math:`\alpha (e^x - 1)`.

    Args:
        alpha: where :math:`\alpha` starts.
        num_parameters: 1, or the number of channels for an :math:`\alpha` each.

    Shape:
        - Input: :math:`(*)`, any shape; :math:`(N, C, *)` with ``num_parameters`` :math:`C`.
        - Output: same shape as the input.

    Raises:
        ValueError: ``num_parameters`` is below 1, or does not fit the input.

    Source: a relative of the parametric ELU of Trottier, Giguère & Chaib-draa (2016), arXiv:1605.09332.

    Example:
        >>> TrainableELU(alpha=0.5)(torch.tensor([-1.0, 0.0, 100.0])).detach()
        tensor([ -0.3161,   0.0000, 100.0000])
    """

    def __init__(self, alpha: float = 1.0, num_parameters: int = 1) -> None:
        super().__init__()
        self.alpha = nn.Parameter(start(alpha, num_parameters))
        self.num_parameters = num_parameters

    def forward(self, x: Tensor) -> Tensor:
        # where() evaluates both branches: without the clamp, 0 * inf gives a NaN gradient at large x.
        return torch.where(x > 0, x, along_channels(self.alpha, x) * torch.expm1(x.clamp(max=0.0)))

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class AdaptiveSigmoid(nn.Module):
    r"""Logistic function whose steepness and place are learned, :math:`1 / (1 + e^{-k (x - \theta)})`.

    Behind a linear layer neither is new: :math:`k` could be part of the weights and :math:`\theta` of the bias.
    What changes is the path of the training, and how many weights one number moves at once.

    Args:
        k: where the steepness :math:`k` starts; the slope in the middle is :math:`k / 4`.
        theta: where the middle :math:`\theta` starts, in units of :math:`x`.
        num_parameters: 1, or the number of channels for a pair each.

    Shape:
        - Input: :math:`(*)`, any shape; :math:`(N, C, *)` with ``num_parameters`` :math:`C`.
        - Output: same shape as the input.

    Raises:
        ValueError: ``num_parameters`` is below 1, or does not fit the input.

    Source: the logistic function is from Verhulst (1838); the survey of Apicella et al. (2021) tells of networks
    that learned its shape.

    Example:
        >>> AdaptiveSigmoid(k=2.0, theta=1.0)(torch.tensor([-1e4, 0.0, 1.0, 1e4])).detach()
        tensor([0.0000, 0.1192, 0.5000, 1.0000])
    """

    def __init__(self, k: float = 1.0, theta: float = 0.0, num_parameters: int = 1) -> None:
        super().__init__()
        self.k = nn.Parameter(start(k, num_parameters))
        self.theta = nn.Parameter(start(theta, num_parameters))
        self.num_parameters = num_parameters

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(along_channels(self.k, x) * (x - along_channels(self.theta, x)))

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


def _adaptive_sigmoid_slope(x: Tensor, k: float | Tensor = 1.0, theta: float | Tensor = 0.0) -> Tensor:
    s = torch.sigmoid(k * (x - theta))
    return k * s * (1 - s)


ROWS = (
    ActivationInfo(
        name="TrainableELU",
        family="learnable",
        formula=r"\begin{cases} x & x > 0 \\ \alpha\,(e^{x} - 1) & x \le 0 \end{cases}",
        derivative_formula=r"\begin{cases} 1 & x > 0 \\ \alpha\,e^{x} & x \le 0 \end{cases}",
        second_derivative_formula=r"\begin{cases} 0 & x > 0 \\ \alpha\,e^{x} & x < 0 \end{cases}",
        symbols={r"\alpha": "alpha"},
        learnable=True,
        factory=TrainableELU,
        slope=elu_slope,
        source=("trottier2016parametric",),
        properties=Properties(
            range=(-1.0, inf),
            left=-1.0,
            right=inf,
            lipschitz=1.0,
            gain=1.2451983007007066,
            monotonic=True,
            convex=True,
            smooth=False,
        ),
    ),
    ActivationInfo(
        name="AdaptiveSigmoid",
        family="learnable",
        formula=r"\frac{1}{1 + e^{-k (x - \theta)}}",
        derivative_formula=r"k\,\sigma(k (x - \theta))\,(1 - \sigma(k (x - \theta)))",
        second_derivative_formula=(
            r"k^{2}\,\sigma(k (x - \theta))\,(1 - \sigma(k (x - \theta)))\,(1 - 2 \sigma(k (x - \theta)))"
        ),
        symbols={"k": "k", r"\theta": "theta"},
        learnable=True,
        factory=AdaptiveSigmoid,
        slope=_adaptive_sigmoid_slope,
        source=("verhulst1838notice", "apicella2021survey"),
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
)
