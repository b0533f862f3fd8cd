"""Smooth relatives of ReLU: a soft gate instead of a hard one."""

from __future__ import annotations

import math
from math import inf

import torch
from torch import Tensor, nn

from labs.activations.info import ActivationInfo, Properties
from labs.activations.rectifier import relu_slope


class Swish(nn.Module):
    r"""Swish, :math:`x\,\sigma(\beta x)`; with :math:`\beta = 1` it is ``nn.SiLU``.

    Args:
        beta: where :math:`\beta` starts.
        trainable: False keeps :math:`\beta` fixed.

    Shape:
        - Input: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as the input.

    Source: Ramachandran, Zoph & Le (2017), arXiv:1710.05941.

    Example:
        >>> Swish(beta=2.0)(torch.tensor([-1.0, 0.0, 1.0])).detach()
        tensor([-0.1192,  0.0000,  0.8808])
    """

    def __init__(self, beta: float = 1.0, trainable: bool = True) -> None:
        super().__init__()
        beta = torch.tensor(float(beta))
        if trainable:
            self.beta = nn.Parameter(beta)
        else:
            self.register_buffer("beta", beta)
        self.trainable = trainable

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.beta * x)

    def extra_repr(self) -> str:
        return f"trainable={self.trainable}"


class TeLU(nn.Module):
    r"""Hyperbolic tangent exponential linear unit, :math:`x \tanh(e^x)`; it has nothing to train.

    Some tutorials call an ELU with trainable :math:`\alpha` "TeLU"; that one is ``TrainableELU`` here.

    Shape:
        - Input: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as the input.

    Source: Fernandez & Mali (2024), arXiv:2412.20269.

    Example:
        >>> TeLU()(torch.tensor([-1.0, 0.0, 1.0, 1e4]))
        tensor([-3.5214e-01,  0.0000e+00,  9.9133e-01,  1.0000e+04])
    """

    def forward(self, x: Tensor) -> Tensor:
        # tanh(e^3) is 1 to the last bit of a double. Without the clamp e^x overflows at 89 (11 in float16),
        # and backward multiplies that infinity by zero.
        return x * torch.tanh(torch.exp(x.clamp(max=10.0)))


def _gelu_slope(x: Tensor) -> Tensor:
    cumulative = torch.special.ndtr(x)
    density = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return cumulative + x * density


def _swish_slope(x: Tensor, beta: float | Tensor = 1.0) -> Tensor:
    s = torch.sigmoid(beta * x)
    return s + beta * x * s * (1 - s)


def _silu_slope(x: Tensor) -> Tensor:
    s = torch.sigmoid(x)
    return s * (1 + x * (1 - s))


def _mish_slope(x: Tensor) -> Tensor:
    gate = torch.tanh(nn.functional.softplus(x))
    return gate + x * torch.sigmoid(x) * (1 - gate**2)


def _hardswish_slope(x: Tensor) -> Tensor:
    return torch.where(x.abs() < 3, (2 * x + 3) / 6, relu_slope(x))


def _telu_slope(x: Tensor) -> Tensor:
    power = torch.exp(x.clamp(max=10))
    gate = torch.tanh(power)
    return gate + x * (power * (1 - gate**2))


ROWS = (
    ActivationInfo(
        name="GELU",
        family="smooth",
        formula=r"x\,\Phi(x)",
        derivative_formula=r"\Phi(x) + x\,\varphi(x)",
        factory=nn.GELU,
        slope=_gelu_slope,
        source=("hendrycks2016gaussian",),
        properties=Properties(
            range=(-0.16997120747990366, inf), left=0.0, right=inf, lipschitz=1.1289041451851548
        ),
    ),
    ActivationInfo(
        name="SiLU",
        family="smooth",
        formula=r"x\,\sigma(x)",
        derivative_formula=r"\sigma(x)\,(1 + x\,(1 - \sigma(x)))",
        factory=nn.SiLU,
        slope=_silu_slope,
        source=("hendrycks2016gaussian", "elfwing2018sigmoid"),
        properties=Properties(
            range=(-0.27846454276107380, inf), left=0.0, right=inf, lipschitz=1.0998393201288669
        ),
    ),
    ActivationInfo(
        name="Swish",
        family="smooth",
        formula=r"x\,\sigma(\beta x)",
        derivative_formula=r"\sigma(\beta x) + \beta x\,\sigma(\beta x)\,(1 - \sigma(\beta x))",
        symbols={r"\beta": "beta"},
        learnable=True,
        factory=Swish,
        slope=_swish_slope,
        source=("ramachandran2017searching",),
        properties=Properties(
            range=(-0.27846454276107380, inf), left=0.0, right=inf, lipschitz=1.0998393201288669
        ),
    ),
    ActivationInfo(
        name="Mish",
        family="smooth",
        formula=r"x \tanh(\ln(1 + e^{x}))",
        derivative_formula=(
            r"\tanh(\ln(1 + e^{x})) + x\,\sigma(x)\,\left(1 - \tanh^2(\ln(1 + e^{x}))\right)"
        ),
        factory=nn.Mish,
        slope=_mish_slope,
        source=("misra2020mish",),
        properties=Properties(
            range=(-0.30884341301725041, inf), left=0.0, right=inf, lipschitz=1.0884981612517279
        ),
    ),
    ActivationInfo(
        name="Hardswish",
        family="smooth",
        formula=r"\frac{x}{6} \min(\max(x + 3, 0), 6)",
        derivative_formula=(
            r"\begin{cases} 0 & x < -3 \\ \frac{2x + 3}{6} & -3 < x < 3 \\ 1 & x > 3 \end{cases}"
        ),
        factory=nn.Hardswish,
        slope=_hardswish_slope,
        source=("howard2019searching",),
        properties=Properties(
            range=(-0.375, inf), left=0.0, right=inf, lipschitz=1.5, kinks=(-3.0, 3.0), smooth=False
        ),
    ),
    ActivationInfo(
        name="TeLU",
        family="smooth",
        formula=r"x \tanh(e^{x})",
        derivative_formula=r"\tanh(e^{x}) + x\,e^{x}\,\left(1 - \tanh^2(e^{x})\right)",
        factory=TeLU,
        slope=_telu_slope,
        source=("fernandez2024telu",),
        properties=Properties(
            range=(-0.35328577784821127, inf), left=0.0, right=inf, lipschitz=1.0619753087179159
        ),
    ),
)
