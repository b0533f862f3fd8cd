"""ReLU and its family: functions that treat the two sides of zero differently."""

from __future__ import annotations

from math import inf

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from labs.activations.info import ActivationInfo, Properties
from labs.activations.sharing import along_channels


class RReLU(nn.RReLU):
    r"""Randomised leaky ReLU: each negative element draws its slope in training; evaluation takes the mean slope.

    It is ``nn.RReLU`` with an evaluation mode that works under ``torch.func.vmap``, which torch's does not.

    Args:
        lower: the smallest slope on the negative side.
        upper: the largest slope on the negative side.
        inplace: as for ``nn.RReLU``.

    Shape:
        - Input: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as the input.

    Source: Xu et al. (2015), arXiv:1505.00853.

    Example:
        >>> RReLU(lower=0.1, upper=0.3).eval()(torch.tensor([-1.0, 2.0]))
        tensor([-0.2000,  2.0000])
    """

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        return F.leaky_relu(x, (self.lower + self.upper) / 2, self.inplace)


class CELU(nn.CELU):
    r"""Continuously differentiable ELU: :math:`x` if :math:`x > 0`, else :math:`\alpha (e^{x/\alpha} - 1)`.

    It is ``nn.CELU`` with an exact slope: torch rounds :math:`1/\alpha` to float32 on the way back, which costs
    half of the digits of a float64.

    Args:
        alpha: minus the limit for x towards minus infinity, not zero.
        inplace: as for ``nn.CELU``.

    Shape:
        - Input: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as the input.

    Source: Barron (2017), arXiv:1704.07483.

    Example:
        >>> CELU(alpha=0.5)(torch.tensor([-1e4, -0.5, 0.0, 2.0]))
        tensor([-0.5000, -0.3161,  0.0000,  2.0000])
    """

    def forward(self, x: Tensor) -> Tensor:
        if self.alpha == 1:  # nothing to round
            return super().forward(x)
        before = x.clone() if self.inplace else x  # backward needs what x was
        # where() evaluates both branches: without the clamp, 0 * inf gives a NaN gradient at large x.
        y = torch.where(before > 0, before, self.alpha * torch.expm1(before.clamp(max=0.0) / self.alpha))
        return x.copy_(y) if self.inplace else y


class SquaredReLU(nn.Module):
    r"""The square of ReLU, :math:`\max(0, x)^2`.

    It grows faster than its input: in float16 the result overflows from 256 on.

    Shape:
        - Input: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as the input.

    Source: So et al. (2021), arXiv:2109.08668.

    Example:
        >>> SquaredReLU()(torch.tensor([-2.0, 0.5, 3.0]))
        tensor([0.0000, 0.2500, 9.0000])
    """

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x).square()


def relu_slope(x: Tensor) -> Tensor:
    """Return the slope of ReLU: 1 where ``x`` is positive and 0 elsewhere.

    Args:
        x: where to take the slope.

    Returns:
        The slope, in the graph of ``x``.

    Shape:
        - x: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as ``x``.

    Example:
        >>> relu_slope(torch.tensor([-2.0, 0.0, 3.0]))
        tensor([0., 0., 1.])
    """
    return torch.where(x > 0, torch.ones_like(x), 0.0)


def _relu6_slope(x: Tensor) -> Tensor:
    return torch.where((x > 0) & (x < 6), torch.ones_like(x), 0.0)


def _leaky_relu_slope(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    return torch.where(x > 0, torch.ones_like(x), negative_slope)


def _prelu_slope(x: Tensor, weight: float | Tensor = 0.25) -> Tensor:
    weight = along_channels(weight, x) if isinstance(weight, Tensor) else weight
    return torch.where(x > 0, torch.ones_like(x), weight)


def _rrelu_slope(x: Tensor, lower: float = 1 / 8, upper: float = 1 / 3) -> Tensor:
    return torch.where(x > 0, torch.ones_like(x), (lower + upper) / 2)


def elu_slope(x: Tensor, alpha: float | Tensor = 1.0) -> Tensor:
    r"""Return the slope of ELU: 1 where ``x`` is positive, :math:`\alpha e^x` elsewhere.

    Args:
        x: where to take the slope.
        alpha: minus the limit of ELU for x towards minus infinity; a tensor must broadcast with ``x``.

    Returns:
        The slope, in the graph of ``x``.

    Shape:
        - x: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as ``x``.

    Example:
        >>> elu_slope(torch.tensor([-1e4, 0.0, 1e4]), alpha=0.5)
        tensor([0.0000, 0.5000, 1.0000])
    """
    return torch.where(x > 0, 1.0, alpha * torch.exp(x.clamp(max=0)))


def _celu_slope(x: Tensor, alpha: float = 1.0) -> Tensor:
    return torch.where(x > 0, 1.0, torch.exp(x.clamp(max=0) / alpha))


_SELU_SCALE = 1.0507009873554804934
_SELU_ALPHA = 1.6732632423543772848


def _selu_slope(x: Tensor) -> Tensor:
    return _SELU_SCALE * elu_slope(x, alpha=_SELU_ALPHA)


def _squared_relu_slope(x: Tensor) -> Tensor:
    return 2 * torch.relu(x)


ROWS = (
    ActivationInfo(
        name="ReLU",
        family="rectifier",
        formula=r"\max(0, x)",
        derivative_formula=r"\begin{cases} 1 & x > 0 \\ 0 & x < 0 \end{cases}",
        second_derivative_formula="0",
        factory=nn.ReLU,
        slope=relu_slope,
        source=("householder1941theory", "fukushima1969visual", "nair2010rectified", "glorot2011deep"),
        properties=Properties(
            range=(0.0, inf),
            left=0.0,
            right=inf,
            lipschitz=1.0,
            gain=1.4142135623730951,
            monotonic=True,
            convex=True,
            homogeneous=True,
            kinks=(0.0,),
            smooth=False,
        ),
    ),
    ActivationInfo(
        name="ReLU6",
        family="rectifier",
        formula=r"\min(\max(0, x), 6)",
        derivative_formula=r"\begin{cases} 0 & x < 0 \\ 1 & 0 < x < 6 \\ 0 & x > 6 \end{cases}",
        second_derivative_formula="0",
        factory=nn.ReLU6,
        slope=_relu6_slope,
        source=("krizhevsky2010convolutional",),
        properties=Properties(
            range=(0.0, 6.0),
            left=0.0,
            right=6.0,
            lipschitz=1.0,
            gain=1.4142135650950736,
            monotonic=True,
            kinks=(0.0, 6.0),
            smooth=False,
        ),
    ),
    ActivationInfo(
        name="LeakyReLU",
        family="rectifier",
        formula=r"\begin{cases} x & x > 0 \\ a\,x & x \le 0 \end{cases}",
        derivative_formula=r"\begin{cases} 1 & x > 0 \\ a & x < 0 \end{cases}",
        second_derivative_formula="0",
        symbols={"a": "negative_slope"},
        factory=nn.LeakyReLU,
        slope=_leaky_relu_slope,
        source=("maas2013rectifier",),
        properties=Properties(
            range=(-inf, inf),
            left=-inf,
            right=inf,
            lipschitz=1.0,
            gain=1.4141428569978354,
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
        second_derivative_formula="0",
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
            gain=1.3719886811400708,
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
        second_derivative_formula="0",
        symbols={"l": "lower", "u": "upper"},
        factory=RReLU,
        slope=_rrelu_slope,
        source=("xu2015empirical",),
        properties=Properties(
            range=(-inf, inf),
            left=-inf,
            right=inf,
            lipschitz=1.0,
            gain=1.378479664546057,
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
        second_derivative_formula=r"\begin{cases} 0 & x > 0 \\ \alpha\,e^{x} & x < 0 \end{cases}",
        symbols={r"\alpha": "alpha"},
        factory=nn.ELU,
        slope=elu_slope,
        source=("clevert2016fast",),
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
        name="CELU",
        family="rectifier",
        formula=r"\begin{cases} x & x > 0 \\ \alpha\,(e^{x / \alpha} - 1) & x \le 0 \end{cases}",
        derivative_formula=r"\begin{cases} 1 & x > 0 \\ e^{x / \alpha} & x \le 0 \end{cases}",
        second_derivative_formula=(
            r"\begin{cases} 0 & x > 0 \\ \frac{1}{\alpha}\,e^{x / \alpha} & x < 0 \end{cases}"
        ),
        symbols={r"\alpha": "alpha"},
        factory=CELU,
        slope=_celu_slope,
        source=("barron2017continuously",),
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
        name="SELU",
        family="rectifier",
        formula=r"\begin{cases} \lambda\,x & x > 0 \\ \lambda\,\alpha\,(e^{x} - 1) & x \le 0 \end{cases}",
        derivative_formula=r"\begin{cases} \lambda & x > 0 \\ \lambda\,\alpha\,e^{x} & x < 0 \end{cases}",
        second_derivative_formula=r"\begin{cases} 0 & x > 0 \\ \lambda\,\alpha\,e^{x} & x < 0 \end{cases}",
        symbols={r"\lambda": _SELU_SCALE, r"\alpha": _SELU_ALPHA},
        factory=nn.SELU,
        slope=_selu_slope,
        source=("klambauer2017self",),
        properties=Properties(
            range=(-1.7580993408473769, inf),
            left=-1.7580993408473769,
            right=inf,
            lipschitz=1.7580993408473769,
            gain=1.0,
            monotonic=True,
            kinks=(0.0,),
            smooth=False,
        ),
    ),
    ActivationInfo(
        name="SquaredReLU",
        family="rectifier",
        formula=r"\max(0, x)^{2}",
        derivative_formula=r"2 \max(0, x)",
        second_derivative_formula=r"\begin{cases} 2 & x > 0 \\ 0 & x < 0 \end{cases}",
        factory=SquaredReLU,
        slope=_squared_relu_slope,
        source=("so2021primer",),
        properties=Properties(
            range=(0.0, inf),
            left=0.0,
            right=inf,
            lipschitz=inf,
            gain=0.816496580927726,
            monotonic=True,
            convex=True,
            smooth=False,
        ),
    ),
)
