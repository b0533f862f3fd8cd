"""Smooth relatives of ReLU: a soft gate instead of a hard one."""

from __future__ import annotations

import math
from math import inf

import torch
from torch import Tensor, nn

from labs.activations.classical import sigmoid_slope
from labs.activations.info import ActivationInfo, Properties
from labs.activations.rectifier import relu_slope
from labs.activations.sharing import along_channels, start


class Swish(nn.Module):
    r"""Swish, :math:`x\,\sigma(\beta x)`; with :math:`\beta = 1` it is ``nn.SiLU``.

    Args:
        beta: where :math:`\beta` starts.
        trainable: False keeps :math:`\beta` fixed.
        num_parameters: 1 for one :math:`\beta`, or the number of channels (the length of dimension 1 of the input)
            for one :math:`\beta` per channel, as in ``nn.PReLU``.

    Shape:
        - Input: :math:`(*)`, any shape; :math:`(N, C, *)` with one :math:`\beta` per channel.
        - Output: same shape as the input.

    Raises:
        ValueError: ``num_parameters`` is below one, or the input has another number of channels.

    Source: Ramachandran, Zoph & Le (2017), arXiv:1710.05941.

    Example:
        >>> Swish(beta=2.0)(torch.tensor([-1.0, 0.0, 1.0])).detach()
        tensor([-0.1192,  0.0000,  0.8808])
        >>> Swish(num_parameters=3).beta.shape
        torch.Size([3])
    """

    def __init__(self, beta: float = 1.0, trainable: bool = True, num_parameters: int = 1) -> None:
        super().__init__()
        beta = start(beta, num_parameters)
        if trainable:
            self.beta = nn.Parameter(beta)
        else:
            self.register_buffer("beta", beta)
        self.num_parameters = num_parameters
        self.trainable = trainable

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(along_channels(self.beta, x) * x)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}, trainable={self.trainable}"


class Mish(nn.Mish):
    r"""Mish, :math:`x \tanh(\ln(1 + e^x))`.

    It is ``nn.Mish`` with a second derivative everywhere: torch's is NaN where :math:`e^x` overflows.

    Args:
        inplace: as for ``nn.Mish``.

    Shape:
        - Input: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as the input.

    Source: Misra (2020), arXiv:1908.08681.

    Example:
        >>> Mish()(torch.tensor([-1.0, 0.0, 1.0, 1e4]))
        tensor([-3.0340e-01,  0.0000e+00,  8.6510e-01,  1.0000e+04])
    """

    def forward(self, x: Tensor) -> Tensor:
        if torch.compiler.is_compiling():
            return super().forward(x)
        if self.inplace:
            return x.copy_(_MishTwiceDifferentiable.apply(x.clone()))  # backward needs what x was
        return _MishTwiceDifferentiable.apply(x)


class _MishTwiceDifferentiable(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return nn.functional.mish(x)

    @staticmethod
    def setup_context(ctx, inputs: tuple[Tensor], output: Tensor) -> None:
        (x,) = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        if torch.is_grad_enabled():  # somebody wants to differentiate again
            return g * mish_slope(x)
        return torch.ops.aten.mish_backward(g, x)

    @staticmethod
    def jvp(ctx, tangent: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return mish_slope(x) * tangent


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


class SwiGELU(nn.Module):
    r"""The mean of SiLU and GELU, :math:`\frac{x}{2} (\sigma(x) + \Phi(x))`.

    No paper proposes it: it shows that the mean of two activation functions is one, and that a name proves nothing.

    Shape:
        - Input: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as the input.

    Source: its parents, Elfwing, Uchibe & Doya (2018) and Hendrycks & Gimpel (2016).

    Example:
        >>> SwiGELU()(torch.tensor([-1.0, 0.0, 1.0]))
        tensor([-0.2138,  0.0000,  0.7862])
    """

    def forward(self, x: Tensor) -> Tensor:
        # Not F.gelu: its second derivative is NaN in float16 from 256 on, where the square of x overflows.
        return x * ((torch.sigmoid(x) + torch.special.ndtr(x)) / 2)


def make_softplus(beta: float = 1.0, threshold: float = 40.0) -> nn.Softplus:
    r"""Return ``nn.Softplus`` with a threshold that keeps it exact in float64.

    Above :math:`\beta x` = ``threshold`` torch returns :math:`x` itself. With torch's own threshold, 20, the value
    there is wrong by 2e-9; at 40 the difference is below the last bit of a double.

    Args:
        beta: sharpness of the bend, above zero.
        threshold: where :math:`\beta x` is large enough to leave the logarithm out.

    Returns:
        A new module.

    Raises:
        ValueError: ``beta`` is not above zero.

    Source: Dugas et al. (2000).

    Example:
        >>> exact, torchs = make_softplus(), nn.Softplus()
        >>> x = torch.tensor(20.5, dtype=torch.float64)
        >>> (exact(x) - x).item(), (torchs(x) - x).item()
        (1.2501...e-09, 0.0)
    """
    if not beta > 0:
        raise ValueError(f"Softplus: beta must be above zero, got {beta!r}; try the default, 1.0")
    return nn.Softplus(beta=beta, threshold=threshold)


def make_gelu_tanh() -> nn.GELU:
    """Return ``nn.GELU(approximate="tanh")``, the approximation of GELU that came with the paper.

    Returns:
        A new module.

    Source: Hendrycks & Gimpel (2016), arXiv:1606.08415.

    Example:
        >>> x = torch.linspace(-6, 6, 1001)
        >>> (make_gelu_tanh()(x) - nn.GELU()(x)).abs().max() < 5e-4
        tensor(True)
    """
    return nn.GELU(approximate="tanh")


def gelu_slope(x: Tensor, approximate: str = "none") -> Tensor:
    """Return the slope of GELU, which stays differentiable where torch's has NaN for a derivative.

    Args:
        x: where to take the slope.
        approximate: ``"none"`` or ``"tanh"``, as for ``nn.GELU``.

    Returns:
        The slope, in the graph of ``x``.

    Shape:
        - x: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as ``x``.

    Example:
        >>> gelu_slope(torch.tensor([-1e4, 0.0, 1e4]))
        tensor([0.0000, 0.5000, 1.0000])
    """
    if approximate == "tanh":
        scale = math.sqrt(2 / math.pi)
        near = x.clamp(
            -10, 10
        )  # from 6.4 on the gate is 0 or 1 in float64; the cube of 1e4 overflows in float16
        gate = torch.tanh(scale * (near + 0.044715 * near**3))
        return (1 + gate) / 2 + near / 2 * ((1 - gate**2) * scale * (1 + 0.134145 * near**2))
    density = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return torch.special.ndtr(x) + x * density


def mish_slope(x: Tensor) -> Tensor:
    """Return the slope of Mish, which stays differentiable where torch's has NaN for a derivative.

    Args:
        x: where to take the slope.

    Returns:
        The slope, in the graph of ``x``.

    Shape:
        - x: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as ``x``.

    Example:
        >>> mish_slope(torch.tensor([-1e4, 0.0, 1e4]))
        tensor([0.0000, 0.6000, 1.0000])
    """
    gate = torch.tanh(nn.functional.softplus(x))
    return gate + x * torch.sigmoid(x) * (1 - gate**2)


def _softplus_slope(x: Tensor, beta: float = 1.0) -> Tensor:
    return torch.sigmoid(beta * x)


def _gelu_tanh_slope(x: Tensor) -> Tensor:
    return gelu_slope(x, approximate="tanh")


def _swish_slope(x: Tensor, beta: float | Tensor = 1.0) -> Tensor:
    z = along_channels(beta, x) * x if isinstance(beta, Tensor) else beta * x
    return torch.sigmoid(z) + z * sigmoid_slope(z)


def _silu_slope(x: Tensor) -> Tensor:
    return torch.sigmoid(x) + x * sigmoid_slope(x)


def _hardswish_slope(x: Tensor) -> Tensor:
    return torch.where(x.abs() < 3, (2 * x + 3) / 6, relu_slope(x))


def _telu_slope(x: Tensor) -> Tensor:
    power = torch.exp(x.clamp(max=10))
    gate = torch.tanh(power)
    return gate + x * (power * (1 - gate**2))


def _swigelu_slope(x: Tensor) -> Tensor:
    return (_silu_slope(x) + gelu_slope(x)) / 2


# The formulas of GELUTanh are long; these are their common parts.
_CUBIC = r"\sqrt{\frac{2}{\pi}}\,(x + 0.044715\,x^{3})"
_GATE = rf"\tanh\left({_CUBIC}\right)"
_GATE_SQUARED = rf"\tanh^2\left({_CUBIC}\right)"
_GATE_SLOPE = r"\sqrt{\frac{2}{\pi}}\,(1 + 0.134145\,x^{2})"

ROWS = (
    ActivationInfo(
        name="Softplus",
        family="smooth",
        formula=r"\frac{1}{\beta} \ln(1 + e^{\beta x})",
        derivative_formula=r"\sigma(\beta x)",
        second_derivative_formula=r"\beta\,\sigma(\beta x)\,(1 - \sigma(\beta x))",
        symbols={r"\beta": "beta"},
        factory=make_softplus,
        slope=_softplus_slope,
        source=("dugas2000incorporating",),
        properties=Properties(
            range=(0.0, inf),
            left=0.0,
            right=inf,
            lipschitz=1.0,
            gain=1.0418668355353018,
            monotonic=True,
            convex=True,
            zero_at_zero=False,
        ),
    ),
    ActivationInfo(
        name="GELU",
        family="smooth",
        formula=r"x\,\Phi(x)",
        derivative_formula=r"\Phi(x) + x\,\varphi(x)",
        second_derivative_formula=r"(2 - x^{2})\,\varphi(x)",
        factory=nn.GELU,
        slope=gelu_slope,
        source=("hendrycks2016gaussian",),
        properties=Properties(
            range=(-0.16997120747990366, inf),
            left=0.0,
            right=inf,
            lipschitz=1.1289041451851547,
            gain=1.5335304411955353,
        ),
    ),
    ActivationInfo(
        name="GELUTanh",
        family="smooth",
        formula=rf"\frac{{x}}{{2}}\,\left(1 + {_GATE}\right)",
        derivative_formula=(
            rf"\frac{{1}}{{2}}\,\left(1 + {_GATE}\right)"
            rf" + \frac{{x}}{{2}}\,\left(1 - {_GATE_SQUARED}\right) {_GATE_SLOPE}"
        ),
        second_derivative_formula=(
            rf"\left(1 - {_GATE_SQUARED}\right)\,\left({_GATE_SLOPE}"
            rf" + 0.134145 \sqrt{{\frac{{2}}{{\pi}}}}\,x^{{2}}"
            rf" - \frac{{2}}{{\pi}}\,x\,(1 + 0.134145\,x^{{2}})^{{2}}\,{_GATE}\right)"
        ),
        factory=make_gelu_tanh,
        slope=_gelu_tanh_slope,
        source=("hendrycks2016gaussian",),
        properties=Properties(
            range=(-0.17004075057125406, inf),
            left=0.0,
            right=inf,
            lipschitz=1.1289930686587717,
            gain=1.533580521666147,
        ),
    ),
    ActivationInfo(
        name="SiLU",
        family="smooth",
        formula=r"x\,\sigma(x)",
        derivative_formula=r"\sigma(x)\,(1 + x\,(1 - \sigma(x)))",
        second_derivative_formula=r"\sigma(x)\,(1 - \sigma(x))\,(2 + x\,(1 - 2\,\sigma(x)))",
        factory=nn.SiLU,
        slope=_silu_slope,
        source=("hendrycks2016gaussian", "elfwing2018sigmoid"),
        properties=Properties(
            range=(-0.2784645427610738, inf),
            left=0.0,
            right=inf,
            lipschitz=1.099839320128867,
            gain=1.676532470331091,
        ),
    ),
    ActivationInfo(
        name="Swish",
        family="smooth",
        formula=r"x\,\sigma(\beta x)",
        derivative_formula=r"\sigma(\beta x) + \beta x\,\sigma(\beta x)\,(1 - \sigma(\beta x))",
        second_derivative_formula=(
            r"\beta\,\sigma(\beta x)\,(1 - \sigma(\beta x))\,(2 + \beta x\,(1 - 2\,\sigma(\beta x)))"
        ),
        symbols={r"\beta": "beta"},
        learnable=True,
        factory=Swish,
        slope=_swish_slope,
        source=("ramachandran2017searching",),
        properties=Properties(
            range=(-0.2784645427610738, inf),
            left=0.0,
            right=inf,
            lipschitz=1.099839320128867,
            gain=1.676532470331091,
        ),
    ),
    ActivationInfo(
        name="Mish",
        family="smooth",
        formula=r"x \tanh(\ln(1 + e^{x}))",
        derivative_formula=(
            r"\tanh(\ln(1 + e^{x})) + x\,\sigma(x)\,\left(1 - \tanh^2(\ln(1 + e^{x}))\right)"
        ),
        second_derivative_formula=(
            r"\sigma(x)\,\left(1 - \tanh^2(\ln(1 + e^{x}))\right)"
            r"\,\left(2 + x\,(1 - \sigma(x) - 2\,\sigma(x) \tanh(\ln(1 + e^{x})))\right)"
        ),
        factory=Mish,
        slope=mish_slope,
        source=("misra2020mish",),
        properties=Properties(
            range=(-0.30884341301725041, inf),
            left=0.0,
            right=inf,
            lipschitz=1.088498161251728,
            gain=1.486847581273208,
        ),
    ),
    ActivationInfo(
        name="Hardswish",
        family="smooth",
        formula=r"\frac{x}{6} \min(\max(x + 3, 0), 6)",
        derivative_formula=(
            r"\begin{cases} 0 & x < -3 \\ \frac{2x + 3}{6} & -3 < x < 3 \\ 1 & x > 3 \end{cases}"
        ),
        second_derivative_formula=(
            r"\begin{cases} 0 & x < -3 \\ \frac{1}{3} & -3 < x < 3 \\ 0 & x > 3 \end{cases}"
        ),
        factory=nn.Hardswish,
        slope=_hardswish_slope,
        source=("howard2019searching",),
        properties=Properties(
            range=(-0.375, inf),
            left=0.0,
            right=inf,
            lipschitz=1.5,
            gain=1.7366572127665416,
            kinks=(-3.0, 3.0),
            smooth=False,
        ),
    ),
    ActivationInfo(
        name="TeLU",
        family="smooth",
        formula=r"x \tanh(e^{x})",
        derivative_formula=r"\tanh(e^{x}) + x\,e^{x}\,\left(1 - \tanh^2(e^{x})\right)",
        second_derivative_formula=(
            r"e^{x}\,\left(1 - \tanh^2(e^{x})\right)"
            r"\,\left(2 + x\,(1 - 2 e^{x} \tanh(e^{x}))\right)"
        ),
        factory=TeLU,
        slope=_telu_slope,
        source=("fernandez2024telu",),
        properties=Properties(
            range=(-0.35328577784821125, inf),
            left=0.0,
            right=inf,
            lipschitz=1.061975308717916,
            gain=1.3747815760227697,
        ),
    ),
    ActivationInfo(
        name="SwiGELU",
        family="smooth",
        formula=r"\frac{x}{2}\,(\sigma(x) + \Phi(x))",
        derivative_formula=(
            r"\frac{1}{2}\,\left(\sigma(x)\,(1 + x\,(1 - \sigma(x))) + \Phi(x) + x\,\varphi(x)\right)"
        ),
        second_derivative_formula=(
            r"\frac{1}{2}\,\left(\sigma(x)\,(1 - \sigma(x))\,(2 + x\,(1 - 2\,\sigma(x)))"
            r" + (2 - x^{2})\,\varphi(x)\right)"
        ),
        factory=SwiGELU,
        slope=_swigelu_slope,
        source=("hendrycks2016gaussian", "elfwing2018sigmoid"),
        properties=Properties(
            range=(-0.2138530782357462, inf),
            left=0.0,
            right=inf,
            lipschitz=1.0918220139144619,
            gain=1.605350862735482,
        ),
    ),
)
