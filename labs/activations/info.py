"""What the table of activations says about each function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from torch import Tensor, nn

Family = Literal["classical", "rectifier", "smooth", "gated", "learnable"]
Symmetry = Literal["odd", "even"]


# --- What the table says about a function -------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Properties:
    r"""What holds for an activation function at its default parameters, in evaluation mode.

    ``None`` stands for "depends on the parameters drawn" or, for a limit, "does not exist".

    The gated functions and Maxout take several numbers for each one they return. For them ``monotonic`` is meant
    in each input, ``lipschitz`` is with respect to the Euclidean length of the input, ``gain`` takes independent
    inputs; the limits are ``None``, and there are no single points to name as kinks.

    Args:
        range: infimum and supremum of the values.
        left: limit for x towards minus infinity; a finite value means that the function saturates there.
        right: limit for x towards plus infinity.
        lipschitz: the supremum of the absolute slope; ``inf`` where the value itself jumps or the slope grows
            without bound.
        gain: the Gaussian gain, the factor :math:`g` with :math:`g^2\,E[f(z)^2] = 1` for a standard normal
            :math:`z`. Weights of variance :math:`g^2/n` keep the mean square of such signals from layer to layer.
        monotonic: True if the function never falls.
        convex: True if no chord runs below the graph.
        symmetry: ``"odd"`` if f(-x) = -f(x), ``"even"`` if f(-x) = f(x), ``None`` if neither holds.
        zero_at_zero: True if f(0) = 0.
        homogeneous: True if f(c x) = c f(x) for every c > 0.
        kinks: the points without a derivative.
        smooth: True if there are derivatives of every order everywhere.

    Example:
        >>> from labs.activations import ACTIVATIONS
        >>> tanh = ACTIVATIONS["Tanh"].properties
        >>> tanh.range, tanh.symmetry, round(tanh.gain, 3)
        ((-1.0, 1.0), 'odd', 1.593)
    """

    range: tuple[float, float] | None
    left: float | None
    right: float | None
    lipschitz: float | None
    gain: float | None = None
    monotonic: bool = False
    convex: bool = False
    symmetry: Symmetry | None = None
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
            A function of two inputs is written as f(a, b): ``a`` is the value and ``b`` the gate.
        derivative_formula: the right-hand side of f'(x) = ..., in LaTeX, away from the kinks; for f(a, b) the
            two partial derivatives as a column.
        second_derivative_formula: the right-hand side of f''(x) = ..., in LaTeX, where it exists; for f(a, b) the
            Hessian matrix.
        factory: called without arguments, returns a fresh module with the default parameters.
        slope: the derivative written out by hand. ``slope(x)`` is at the default parameters; others go by
            keyword, under their names in the module, one set for all of ``x``. STAF draws its parameters, so its
            slope needs them.
            ``None`` for functions of several inputs.
        source: keys of the bibliography, the oldest work first.
        properties: what holds at the default parameters.
        symbols: each parameter in the formulas, with the module's attribute of that value, or the value.
        learnable: True if training changes the shape of the function.
        inputs_per_output: how many numbers go in for each one that comes out, at the default parameters.

    Example:
        >>> import torch
        >>> from labs.activations import ACTIVATIONS
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
    second_derivative_formula: str
    factory: Callable[..., nn.Module]
    slope: Callable[..., Tensor] | None
    source: tuple[str, ...]
    properties: Properties
    symbols: Mapping[str, str | float] = field(default_factory=lambda: MappingProxyType({}))
    learnable: bool = False
    inputs_per_output: int = 1
