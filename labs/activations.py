r"""Activation functions by name: the module, its formula, its slope, and what is known about it.

``ACTIVATIONS`` is the table of the book; each row is an ``ActivationInfo``.
Where torch has a function, the row is named after torch's class and uses it; the few that torch lacks
(``Step``, ``Swish``, ``TeLU``, ``TrainableELU``, ``STAF``) are written here.

To add a function, add one ``ActivationInfo`` to ``_TABLE``.
The tests read the table: they compare its formulas, its slope and its properties with the module.

Example:
    >>> module = make_activation("LeakyReLU", negative_slope=0.1)
    >>> module(torch.tensor([-2.0, 3.0]))
    tensor([-0.2000,  3.0000])
    >>> derivative(module, torch.tensor([-2.0, 3.0]))
    tensor([0.1000, 1.0000])
    >>> ACTIVATIONS["Tanh"].derivative_formula
    '1 - \\tanh^2(x)'
"""

from __future__ import annotations

import difflib
import inspect
import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import Tensor, nn

__all__ = [
    "ACTIVATIONS",
    "STAF",
    "ActivationInfo",
    "Family",
    "Properties",
    "Step",
    "Swish",
    "TeLU",
    "TrainableELU",
    "derivative",
    "make_activation",
]

Family = Literal["classical", "rectifier", "smooth", "gated", "learnable"]


# --- What the table says about a function -------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Properties:
    """What holds for an activation function at its default parameters, in evaluation mode.

    ``None`` stands for "depends on the parameters drawn" or, for a limit, "does not exist".

    Args:
        range: infimum and supremum of the values.
        left: limit for x towards minus infinity; a finite value means that the function saturates there.
        right: limit for x towards plus infinity.
        lipschitz: the supremum of the absolute slope; ``inf`` where the value itself jumps.
        monotonic: True if the function never falls.
        convex: True if no chord runs below the graph.
        zero_at_zero: True if f(0) = 0.
        homogeneous: True if f(c x) = c f(x) for every c > 0.
        kinks: the points without a derivative.
        smooth: True if there are derivatives of every order everywhere.
    """

    range: tuple[float, float] | None
    left: float | None
    right: float | None
    lipschitz: float | None
    monotonic: bool = False
    convex: bool = False
    zero_at_zero: bool = True
    homogeneous: bool = False
    kinks: tuple[float, ...] = ()
    smooth: bool = True


@dataclass(frozen=True, kw_only=True, eq=False)
class ActivationInfo:
    r"""One row of ``ACTIVATIONS``.

    Args:
        name: the key in the table; torch's class name where torch has the function.
        family: the group under which the book treats it.
        formula: the right-hand side of f(x) = ..., in LaTeX. :math:`\sigma` is the logistic function,
            :math:`\Phi` the distribution function and :math:`\varphi` the density of the standard normal.
        derivative_formula: the right-hand side of f'(x) = ..., in LaTeX, away from the kinks.
        factory: called without arguments, returns a fresh module with the default parameters.
        slope: the derivative written out by hand. ``slope(x)`` is at the default parameters; others go by
            keyword, under their names in the module. STAF draws its parameters, so its slope needs them.
        source: keys of the bibliography, the oldest work first.
        properties: what holds at the default parameters.
        symbols: each parameter in the formulas, with the module's attribute of that value, or the value.
        learnable: True if training changes the shape of the function.

    Example:
        >>> info = ACTIVATIONS["Sigmoid"]
        >>> info.formula
        '\\frac{1}{1 + e^{-x}}'
        >>> info.slope(torch.tensor([0.0, 100.0]))
        tensor([0.2500, 0.0000])
        >>> info.properties.range
        (0.0, 1.0)
    """

    name: str
    family: Family
    formula: str
    derivative_formula: str
    factory: Callable[..., nn.Module]
    slope: Callable[..., Tensor]
    source: tuple[str, ...]
    properties: Properties
    symbols: Mapping[str, str | float] = field(default_factory=lambda: MappingProxyType({}))
    learnable: bool = False


# --- Modules that torch lacks -------------------------------------------------------------------------


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


class STAF(nn.Module):
    r"""Sinusoidal trainable activation, :math:`\sum_{i=1}^{\tau} C_i \sin(\Omega_i x + \Phi_i)`.

    All :math:`3\tau` numbers start as independent standard normal draws, ``C`` first, then ``omega``, then
    ``phi``. This is the start common in tutorials; the paper derives another one, for signal fitting.

    Args:
        tau: number of sine terms, at least 1.

    Shape:
        - Input: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as the input.

    Source: Morsali et al. (2025), arXiv:2502.00869.

    Example:
        >>> sum(p.numel() for p in STAF().parameters())
        75
        >>> STAF(tau=5)(torch.zeros(2, 3)).shape
        torch.Size([2, 3])
    """

    def __init__(self, tau: int = 25) -> None:
        super().__init__()
        if tau < 1:
            raise ValueError(f"STAF needs at least one sine term, got tau={tau}; try the default, 25")
        self.tau = tau
        self.C = nn.Parameter(torch.randn(tau))
        self.omega = nn.Parameter(torch.randn(tau))
        self.phi = nn.Parameter(torch.randn(tau))

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(self.omega * x[..., None] + self.phi) @ self.C  # (*, tau) @ (tau,)

    def extra_repr(self) -> str:
        return f"tau={self.tau}"


# --- Slopes, written out ------------------------------------------------------------------------------
# At a kink each takes the value from one side. Arguments of exp are clamped where e^x would overflow.


def _step_slope(x: Tensor) -> Tensor:
    return torch.zeros_like(x)


def _sigmoid_slope(x: Tensor) -> Tensor:
    s = torch.sigmoid(x)
    return s * (1 - s)


def _tanh_slope(x: Tensor) -> Tensor:
    return 1 - torch.tanh(x) ** 2


def _relu_slope(x: Tensor) -> Tensor:
    return torch.where(x > 0, torch.ones_like(x), 0.0)


def _leaky_relu_slope(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    return torch.where(x > 0, torch.ones_like(x), negative_slope)


def _prelu_slope(x: Tensor, weight: float | Tensor = 0.25) -> Tensor:
    return torch.where(x > 0, torch.ones_like(x), weight)


def _rrelu_slope(x: Tensor, lower: float = 1 / 8, upper: float = 1 / 3) -> Tensor:
    return torch.where(x > 0, torch.ones_like(x), (lower + upper) / 2)


def _elu_slope(x: Tensor, alpha: float | Tensor = 1.0) -> Tensor:
    return torch.where(x > 0, 1.0, alpha * torch.exp(x.clamp(max=0)))


_SELU_SCALE = 1.0507009873554804934
_SELU_ALPHA = 1.6732632423543772848


def _selu_slope(x: Tensor) -> Tensor:
    return _SELU_SCALE * _elu_slope(x, alpha=_SELU_ALPHA)


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
    return torch.where(x.abs() < 3, (2 * x + 3) / 6, _relu_slope(x))


def _telu_slope(x: Tensor) -> Tensor:
    power = torch.exp(x.clamp(max=10))
    gate = torch.tanh(power)
    return gate + x * (power * (1 - gate**2))


def _staf_slope(x: Tensor, C: Tensor, omega: Tensor, phi: Tensor) -> Tensor:
    return torch.cos(omega * x[..., None] + phi) @ (C * omega)


# --- The table ----------------------------------------------------------------------------------------

_TABLE = (
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
    ActivationInfo(
        name="ReLU",
        family="rectifier",
        formula=r"\max(0, x)",
        derivative_formula=r"\begin{cases} 1 & x > 0 \\ 0 & x < 0 \end{cases}",
        factory=nn.ReLU,
        slope=_relu_slope,
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
        slope=_elu_slope,
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
    ActivationInfo(
        name="TrainableELU",
        family="learnable",
        formula=r"\begin{cases} x & x > 0 \\ \alpha\,(e^{x} - 1) & x \le 0 \end{cases}",
        derivative_formula=r"\begin{cases} 1 & x > 0 \\ \alpha\,e^{x} & x \le 0 \end{cases}",
        symbols={r"\alpha": "alpha"},
        learnable=True,
        factory=TrainableELU,
        slope=_elu_slope,
        source=("trottier2016parametric",),
        properties=Properties(
            range=(-1.0, inf), left=-1.0, right=inf, lipschitz=1.0, monotonic=True, convex=True, smooth=False
        ),
    ),
    ActivationInfo(
        name="STAF",
        family="learnable",
        formula=r"\sum_{i=1}^{\tau} C_i \sin(\Omega_i x + \Phi_i)",
        derivative_formula=r"\sum_{i=1}^{\tau} C_i\,\Omega_i \cos(\Omega_i x + \Phi_i)",
        symbols={r"\tau": "tau", "C_i": "C", r"\Omega_i": "omega", r"\Phi_i": "phi"},
        learnable=True,
        factory=STAF,
        slope=_staf_slope,
        source=("morsali2025staf",),
        properties=Properties(range=None, left=None, right=None, lipschitz=None, zero_at_zero=False),
    ),
)

ACTIVATIONS: Mapping[str, ActivationInfo] = MappingProxyType({info.name: info for info in _TABLE})


# --- Using the table ----------------------------------------------------------------------------------


def make_activation(name: str, **settings: Any) -> nn.Module:
    """Return a fresh module for the activation function called ``name``.

    Every call makes a new module: two layers that shared one ``PReLU`` would share one weight.

    Args:
        name: a key of ``ACTIVATIONS``, such as ``"ReLU"``.
        settings: passed to the module's class, such as ``negative_slope=0.2`` for ``"LeakyReLU"``.

    Returns:
        A new module, in training mode as torch makes it, on the CPU.

    Raises:
        ValueError: ``name`` is not in the table, or a setting is out of its range.
        TypeError: ``name`` is no string, or a setting is unknown or of the wrong type.

    Example:
        >>> make_activation("ELU", alpha=0.5)
        ELU(alpha=0.5)
        >>> make_activation("Relu")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ValueError: unknown activation 'Relu'; did you mean ReLU, ...? list(labs.activations.ACTIVATIONS) ...
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a string such as 'ReLU', got {type(name).__name__}: {name!r}")
    if name not in ACTIVATIONS:
        by_lower_case = {known.lower(): known for known in ACTIVATIONS}
        near = [by_lower_case[key] for key in difflib.get_close_matches(name.lower(), by_lower_case)]
        hint = f"; did you mean {', '.join(near)}?" if near else ", and no name comes near it;"
        raise ValueError(
            f"unknown activation {name!r}{hint} "
            f"list(labs.activations.ACTIVATIONS) shows all {len(ACTIVATIONS)}"
        )
    info = ACTIVATIONS[name]
    _check_settings(info, settings)
    return info.factory(**settings)


def _check_settings(info: ActivationInfo, settings: Mapping[str, Any]) -> None:
    """Raise a clear error for settings that torch would accept now and trip over later."""
    parameters = inspect.signature(info.factory).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD}
    for key, value in settings.items():
        if key not in defaults:
            raise TypeError(f"{info.name} has no setting {key!r}; it takes: {', '.join(defaults) or 'none'}")
        default, got = defaults[key], f"got {type(value).__name__}: {value!r}"
        is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if isinstance(default, bool):
            if not isinstance(value, bool):
                raise TypeError(f"{info.name}: {key} must be True or False, {got}")
        elif isinstance(default, int):
            if not is_number or not isinstance(value, numbers.Integral):
                raise TypeError(f"{info.name}: {key} must be a whole number, {got}")
            if default > 0 and value < 1:  # a count
                raise ValueError(f"{info.name}: {key} must be at least 1, {got}")
        elif isinstance(default, float):
            if not is_number:
                raise TypeError(f"{info.name}: {key} must be a number, {got}")
            if not math.isfinite(value):
                raise ValueError(f"{info.name}: {key} must be finite, {got}")
    if settings.get("approximate", "none") not in ("none", "tanh"):
        got = repr(settings["approximate"])
        raise ValueError(f"{info.name}: approximate must be 'none' or 'tanh', got {got}")
    lower, upper = (settings.get(key, defaults.get(key, 0.0)) for key in ("lower", "upper"))
    if lower > upper:
        raise ValueError(f"{info.name}: lower must not exceed upper, got lower={lower}, upper={upper}")


def derivative(activation: str | nn.Module | Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return the derivative of ``activation`` at every point of ``x``, by automatic differentiation.

    At a kink the result is torch's choice: ReLU gives 0 at 0.
    A module is evaluated in evaluation mode. Its mode, its parameters' ``.grad`` and ``x`` stay as they were.

    Args:
        activation: a key of ``ACTIVATIONS`` (a fresh module in the dtype of ``x``), a module, or a function
            of one tensor. It must work elementwise: PReLU with a weight per channel does, softmax does not.
        x: floating-point tensor, on the device of the module.

    Returns:
        The derivative, detached from any graph.

    Shape:
        - x: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as ``x``.

    Raises:
        TypeError: ``x`` is no floating-point tensor, or ``activation`` cannot be called.
        ValueError: the name is unknown, or the output has another shape than ``x``.

    Example:
        >>> derivative("ReLU", torch.tensor([-1.0, 2.0]))
        tensor([0., 1.])
        >>> derivative(nn.Tanh(), torch.tensor([[0.0], [20.0]]))
        tensor([[1.],
                [0.]])
    """
    if not isinstance(x, Tensor) or not x.is_floating_point():
        got = f"a tensor of {x.dtype}" if isinstance(x, Tensor) else type(x).__name__
        raise TypeError(f"x must be a floating-point tensor, got {got}; try torch.tensor([-1.0, 2.0])")
    function = make_activation(activation).to(x) if isinstance(activation, str) else activation
    if not callable(function):
        raise TypeError(
            "activation must be a name, a module or a function, "
            f"got {type(activation).__name__}: {activation!r}"
        )

    modules = list(function.modules()) if isinstance(function, nn.Module) else []
    modes = [module.training for module in modules]
    try:
        for module in modules:
            module.training = False
        with torch.inference_mode(False), torch.enable_grad():
            leaf = x.detach().clone().requires_grad_()
            y = function(leaf.clone())  # the clone lets modules with inplace=True through
            return _slope_through_graph(y, leaf)
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode


def _slope_through_graph(y: Tensor, x: Tensor) -> Tensor:
    if y.shape != x.shape:
        raise ValueError(
            "derivative needs an elementwise activation, but an input of shape "
            f"{tuple(x.shape)} gave an output of shape {tuple(y.shape)}"
        )
    if not y.requires_grad:  # nothing in y that autograd could trace back to x, as in `(x > 0).float()`
        return torch.zeros_like(x).detach()
    # autograd.grad hands the slope back; backward() would also add to the parameters' .grad
    (slope,) = torch.autograd.grad(
        y, x, grad_outputs=torch.ones_like(y), allow_unused=True, materialize_grads=True
    )
    return slope
