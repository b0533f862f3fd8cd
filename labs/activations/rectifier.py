"""ReLU and its family: functions that treat the two sides of zero differently."""

from __future__ import annotations

from math import inf

import torch
from torch import Tensor, nn

from labs.activations.info import ActivationInfo, Properties


def relu_slope(x: Tensor) -> Tensor:
    return torch.where(x > 0, torch.ones_like(x), 0.0)


def _leaky_relu_slope(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    return torch.where(x > 0, torch.ones_like(x), negative_slope)


def _prelu_slope(x: Tensor, weight: float | Tensor = 0.25) -> Tensor:
    return torch.where(x > 0, torch.ones_like(x), weight)


def _rrelu_slope(x: Tensor, lower: float = 1 / 8, upper: float = 1 / 3) -> Tensor:
    return torch.where(x > 0, torch.ones_like(x), (lower + upper) / 2)


def elu_slope(x: Tensor, alpha: float | Tensor = 1.0) -> Tensor:
    return torch.where(x > 0, 1.0, alpha * torch.exp(x.clamp(max=0)))


_SELU_SCALE = 1.0507009873554804934
_SELU_ALPHA = 1.6732632423543772848


def _selu_slope(x: Tensor) -> Tensor:
    return _SELU_SCALE * elu_slope(x, alpha=_SELU_ALPHA)


ROWS = (
    ActivationInfo(
        name="ReLU",
        family="rectifier",
        formula=r"\max(0, x)",
        derivative_formula=r"\begin{cases} 1 & x > 0 \\ 0 & x < 0 \end{cases}",
        factory=nn.ReLU,
        slope=relu_slope,
        source=("householder1941theory", "fukushima1969visual", "nair2010rectified", "glorot2011deep"),
        properties=Properties(
            range=(0.0, inf),
            left=0.0,
            right=inf,
            lipschitz=1.0,
            monotonic=True,
            convex=True,
            homogeneous=True,
            kinks=(0.0,),
            smooth=False,
        ),
    ),
    ActivationInfo(
        name="LeakyReLU",
        family="rectifier",
        formula=r"\begin{cases} x & x > 0 \\ a\,x & x \le 0 \end{cases}",
        derivative_formula=r"\begin{cases} 1 & x > 0 \\ a & x < 0 \end{cases}",
        symbols={"a": "negative_slope"},
        factory=nn.LeakyReLU,
        slope=_leaky_relu_slope,
        source=("maas2013rectifier",),
        properties=Properties(
            range=(-inf, inf),
            left=-inf,
            right=inf,
            lipschitz=1.0,
            monotonic=True,
            convex=True,
            homogeneous=True,
            kinks=(0.0,),
            smooth=False,
        ),
    ),
    ActivationInfo(
        name="PReLU",
        family="rectifier",
        formula=r"\begin{cases} x & x > 0 \\ a\,x & x \le 0 \end{cases}",
        derivative_formula=r"\begin{cases} 1 & x > 0 \\ a & x < 0 \end{cases}",
        symbols={"a": "weight"},
        learnable=True,
        factory=nn.PReLU,
        slope=_prelu_slope,
        source=("he2015delving",),
        properties=Properties(
            range=(-inf, inf),
            left=-inf,
            right=inf,
            lipschitz=1.0,
            monotonic=True,
            convex=True,
            homogeneous=True,
            kinks=(0.0,),
            smooth=False,
        ),
    ),
    ActivationInfo(  # in evaluation mode; in training each element draws its slope between l and u
        name="RReLU",
        family="rectifier",
        formula=r"\begin{cases} x & x > 0 \\ \frac{l + u}{2}\,x & x \le 0 \end{cases}",
        derivative_formula=r"\begin{cases} 1 & x > 0 \\ \frac{l + u}{2} & x < 0 \end{cases}",
        symbols={"l": "lower", "u": "upper"},
        factory=nn.RReLU,
        slope=_rrelu_slope,
        source=("xu2015empirical",),
        properties=Properties(
            range=(-inf, inf),
            left=-inf,
            right=inf,
            lipschitz=1.0,
            monotonic=True,
            convex=True,
            homogeneous=True,
            kinks=(0.0,),
            smooth=False,
        ),
    ),
    ActivationInfo(
        name="ELU",
        family="rectifier",
        formula=r"\begin{cases} x & x > 0 \\ \alpha\,(e^{x} - 1) & x \le 0 \end{cases}",
        derivative_formula=r"\begin{cases} 1 & x > 0 \\ \alpha\,e^{x} & x \le 0 \end{cases}",
        symbols={r"\alpha": "alpha"},
        factory=nn.ELU,
        slope=elu_slope,
        source=("clevert2016fast",),
        properties=Properties(
            range=(-1.0, inf), left=-1.0, right=inf, lipschitz=1.0, monotonic=True, convex=True, smooth=False
        ),
    ),
    ActivationInfo(
        name="SELU",
        family="rectifier",
        formula=r"\begin{cases} \lambda\,x & x > 0 \\ \lambda\,\alpha\,(e^{x} - 1) & x \le 0 \end{cases}",
        derivative_formula=r"\begin{cases} \lambda & x > 0 \\ \lambda\,\alpha\,e^{x} & x < 0 \end{cases}",
        symbols={r"\lambda": _SELU_SCALE, r"\alpha": _SELU_ALPHA},
        factory=nn.SELU,
        slope=_selu_slope,
        source=("klambauer2017self",),
        properties=Properties(
            range=(-1.7580993408473769, inf),
            left=-1.7580993408473769,
            right=inf,
            lipschitz=1.7580993408473769,
            monotonic=True,
            kinks=(0.0,),
            smooth=False,
        ),
    ),
)
