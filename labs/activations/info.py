"""What the table of activations says about each function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from torch import Tensor, nn

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
