r"""What an infinitely wide random network does to signals and gradients, layer by layer, computed and not simulated.

A layer :math:`z = W f(z_{\text{before}}) + b` with independent weights of variance :math:`\sigma_w^2 / n` (:math:`n`
inputs) and biases of variance :math:`\sigma_b^2` makes its pre-activations Gaussian as :math:`n` grows. Then two
numbers tell all: their length :math:`q`, the mean square, and the correlation :math:`c` of those of two inputs.

Every function takes the activation as a name of :data:`labs.activations.ACTIVATIONS`, as a module, or as an
elementwise function. The expectations are exact to about ten digits if the kinks are known: they are for a name, and
for a module of that class with default settings; otherwise give them as ``kinks=``. Zero always counts as a kink.
What an unnamed kink costs stands at :func:`labs.gaussian.gaussian_mean`. A ``BSpline``, whose cubic pieces meet
smoothly at many knots, comes out to about five digits.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from labs.activations import ACTIVATIONS, derivative, make_activation
from labs.gaussian import gaussian_mean, gaussian_pair_mean

Activation = str | nn.Module | Callable[[Tensor], Tensor]


def variance_map(
    activation: Activation,
    length: float,
    *,
    weight_variance: float,
    bias_variance: float = 0.0,
    kinks: Sequence[float] | None = None,
) -> float:
    r"""Return the length of the next layer's pre-activations, :math:`q' = \sigma_w^2 E f(\sqrt{q} z)^2 + \sigma_b^2`.

    Args:
        activation: :math:`f`, a name, a module or an elementwise function.
        length: :math:`q`, mean square of the pre-activations, above zero.
        weight_variance: :math:`\sigma_w^2`, variance of a weight times the number of inputs of its layer.
        bias_variance: :math:`\sigma_b^2`, variance of a bias.
        kinks: where :math:`f` has a kink or a jump; by default those that the table of activations knows.

    Returns:
        :math:`q'` (no unit).

    Raises:
        TypeError: the activation is no name, no module and cannot be called.
        ValueError: a length of zero or less, a negative variance, an unknown name, or a function that is not
            elementwise or returns NaN.

    Source: Poole et al. 2016 (arXiv:1606.05340).

    Example:
        >>> round(variance_map("ReLU", 3.0, weight_variance=2.0), 10)
        3.0
    """
    _check_variances(weight_variance, bias_variance)
    f, kinks = elementwise(activation, kinks)
    return weight_variance * gaussian_mean(lambda x: f(x) ** 2, length, kinks=kinks) + bias_variance


def correlation_map(
    activation: Activation,
    correlation: float,
    *,
    weight_variance: float,
    bias_variance: float = 0.0,
    length: float = 1.0,
    kinks: Sequence[float] | None = None,
) -> float:
    r"""Return the correlation :math:`c'` of two inputs' pre-activations one layer on.

    .. math:: c' = \bigl(\sigma_w^2\, E[f(u) f(v)] + \sigma_b^2\bigr) / q'

    Here :math:`u, v` are Gaussian with variance :math:`q` and correlation :math:`c`, and :math:`q'` is what
    :func:`variance_map` gives. Iterate the map at the fixed point of the lengths, see
    :func:`labs.fixed_points.fixed_points`.

    Args:
        activation, weight_variance, bias_variance, length, kinks: as for :func:`variance_map`.
        correlation: :math:`c`, from -1 to 1.

    Returns:
        :math:`c'`, from -1 to 1.

    Raises:
        TypeError: as for :func:`variance_map`.
        ValueError: as for :func:`variance_map`; a correlation outside -1..1, or a next layer without any signal.

    Source: Poole et al. 2016 (arXiv:1606.05340); for ReLU Cho & Saul 2009.

    Example:
        Two independent inputs are no longer so after a ReLU: their correlation becomes 1/pi.

        >>> round(correlation_map("ReLU", 0.0, weight_variance=2.0) * math.pi, 10)
        1.0
    """
    if not -1 <= correlation <= 1:
        raise ValueError(f"got correlation={correlation}; wanted a number from -1 to 1")
    f, kinks = elementwise(activation, kinks)
    following = variance_map(
        f, length, weight_variance=weight_variance, bias_variance=bias_variance, kinks=kinks
    )
    if following == 0:
        raise ValueError("the next layer's pre-activations are all zero, so they have no correlation")
    apart = 1 - correlation
    if correlation < 0:
        product = gaussian_pair_mean(lambda u, v: f(u) * f(v), length, apart=apart, kinks=kinks)
        return (weight_variance * product + bias_variance) / following
    half = gaussian_pair_mean(lambda u, v: (f(u) - f(v)) ** 2 / 2, length, apart=apart, kinks=kinks)
    return 1 - weight_variance * half / following


def chi_1(
    activation: Activation,
    length: float = 1.0,
    *,
    weight_variance: float,
    kinks: Sequence[float] | None = None,
) -> float:
    r"""Return :math:`\chi_1 = \sigma_w^2 E f'(\sqrt{q} z)^2`: by how much one layer multiplies small differences.

    It is the slope of the correlation map at :math:`c = 1` if ``length`` is a fixed point, and the factor by which
    the mean square of the gradient grows per layer on the way back. Below one, inputs become alike and gradients
    vanish; above one, near inputs part and gradients explode.

    Args:
        activation, length, weight_variance, kinks: as for :func:`variance_map`.

    Returns:
        The factor per layer; ``inf`` for a function that jumps, such as ``"Step"``.

    Raises:
        TypeError: as for :func:`variance_map`.
        ValueError: as for :func:`variance_map`.

    Source: Schoenholz et al. 2017 (arXiv:1611.01232).

    Example:
        >>> round(chi_1("ReLU", weight_variance=2.0), 10), chi_1("Step", weight_variance=2.0)
        (1.0, inf)
    """
    _check_variances(weight_variance, 0.0)
    f, kinks = elementwise(activation, kinks)
    near = torch.tensor(sorted({0.0, *kinks}), dtype=torch.float64)
    # A kink changes f by about 1e-9 across this gap, a jump by its height.
    gap = 1e-9 * near.abs().clamp(min=1)
    if ((f(near + gap) - f(near - gap)).abs() > 1e-5).any():
        return math.inf if weight_variance else 0.0
    return weight_variance * gaussian_mean(lambda x: derivative(f, x) ** 2, length, kinks=kinks)


def gradient_growth(
    activation: Activation,
    depth: int,
    *,
    weight_variance: float,
    bias_variance: float = 0.0,
    length: float = 1.0,
    kinks: Sequence[float] | None = None,
) -> list[float]:
    r"""Predict the mean square of the gradient in front of each activation, as a multiple of the last layer's.

    Each layer on the way back multiplies it by :math:`\chi_1` at its own length; at a fixed point that makes
    :math:`\chi_1^{\,\text{layers}}`. This holds for layers of one width, wide enough, and it assumes that the
    weights of the way back are independent of those of the way forward; it is what
    :func:`labs.signals.gradient_statistics` measures as ``before``.

    Args:
        activation, weight_variance, bias_variance, kinks: as for :func:`variance_map`.
        depth: number of hidden layers, at least 1.
        length: :math:`q` of the first layer's pre-activations.

    Returns:
        One factor per hidden layer, the first layer first; the last is 1.

    Raises:
        TypeError: as for :func:`variance_map`.
        ValueError: ``depth`` below one, or as for :func:`variance_map`.

    Source: Schoenholz et al. 2017 (arXiv:1611.01232).

    Example:
        >>> [round(g, 6) for g in gradient_growth("ReLU", 3, weight_variance=1.0)]
        [0.25, 0.5, 1.0]
    """
    if depth < 1:
        raise ValueError(f"got depth={depth}; wanted at least 1")
    f, kinks = elementwise(activation, kinks)
    factors = []
    for _ in range(depth - 1):
        factors.append(chi_1(f, length, weight_variance=weight_variance, kinks=kinks))
        length = variance_map(
            f, length, weight_variance=weight_variance, bias_variance=bias_variance, kinks=kinks
        )
    return [math.prod(factors[layer:], start=1.0) for layer in range(depth)]


def mean_field(
    activation: Activation,
    depth: int,
    *,
    weight_variance: float,
    bias_variance: float = 0.0,
    length: float = 1.0,
    correlation: float = 0.0,
    kinks: Sequence[float] | None = None,
) -> list[tuple[float, float]]:
    r"""Predict length and ratio of the pre-activations in each layer of an infinitely wide random network.

    With :math:`q` the length and :math:`c` the correlation of the pre-activations of two inputs, the next layer has

    .. math::

        q' = \sigma_w^2\, E[f(u)^2] + \sigma_b^2, \qquad
        q'(1 - c') = \tfrac{1}{2} \sigma_w^2\, E[(f(u) - f(v))^2]

    where :math:`u, v` are Gaussian with variance :math:`q` and correlation :math:`c`. The second form keeps its
    digits when :math:`c` is close to one.

    Args:
        activation: a name, a module or an elementwise function.
        depth: number of layers to predict, the first included.
        weight_variance: :math:`\sigma_w^2`, variance of a weight times the number of inputs of its layer.
        bias_variance: :math:`\sigma_b^2`, variance of a bias.
        length, correlation: :math:`q` and :math:`c` of the first layer's pre-activations.
        kinks: as for :func:`variance_map`.

    Returns:
        For each layer the pair (length :math:`q`, ratio :math:`(1 - c)/c`); the ratio is what
        :attr:`labs.signals.LayerSignal.ratio` measures.

    Raises:
        TypeError: as for :func:`variance_map`.
        ValueError: ``depth`` below one, a length of zero or less, or a correlation outside 0..1.

    Source: Poole et al. 2016 (arXiv:1606.05340), Schoenholz et al. 2017 (arXiv:1611.01232).

    Example:
        A ReLU halves the mean square, and He's factor two makes up for it.

        >>> [round(q, 3) for q, _ in mean_field("ReLU", 3, weight_variance=2.0)]
        [1.0, 1.0, 1.0]
    """
    if depth < 1 or length <= 0 or not 0 <= correlation < 1:
        raise ValueError(
            f"got depth={depth}, length={length}, correlation={correlation}; wanted depth >= 1, length > 0 and "
            "0 <= correlation < 1"
        )
    _check_variances(weight_variance, bias_variance)
    f, kinks = elementwise(activation, kinks)
    q, apart = length, 1 - correlation  # apart = 1 - c
    layers = []
    for layer in range(depth):
        layers.append((q, apart / (1 - apart) if apart < 1 else math.inf))
        if layer + 1 < depth:
            half = gaussian_pair_mean(lambda u, v: (f(u) - f(v)) ** 2 / 2, q, apart=apart, kinks=kinks)
            q = weight_variance * gaussian_mean(lambda x: f(x) ** 2, q, kinks=kinks) + bias_variance
            apart = weight_variance * half / q
    return layers


def elementwise(
    activation: Activation, kinks: Sequence[float] | None = None
) -> tuple[Callable[[Tensor], Tensor], tuple[float, ...]]:
    """Return ``activation`` as a function of float64 tensors, in evaluation mode, with its kinks.

    Args:
        activation: a name, a module (it is copied and stays as it is) or an elementwise function.
        kinks: where it has a kink or a jump; by default those that the table of activations knows.

    Returns:
        The function, and the places of its kinks in units of its argument.

    Shape:
        - argument and result of the function: :math:`(*)`, float64, on the CPU.

    Raises:
        ValueError: the name is unknown.
        TypeError: ``activation`` cannot be called.

    Example:
        >>> f, kinks = elementwise("ReLU")
        >>> f(torch.tensor([-1.0, 2.0], dtype=torch.float64)), kinks
        (tensor([0., 2.], dtype=torch.float64), (0.0,))
    """
    name = activation if isinstance(activation, str) else type(activation).__name__
    if isinstance(activation, str):
        activation = make_activation(activation)
        known = ACTIVATIONS[name].properties.kinks
    elif name in ACTIVATIONS and repr(activation) == repr(make_activation(name)):
        known = ACTIVATIONS[name].properties.kinks
    else:
        known = ()
    if not callable(activation):
        raise TypeError(f"activation must be a name, a module or a function, got {name}: {activation!r}")
    if isinstance(activation, nn.Module):
        activation = copy.deepcopy(activation).to("cpu", torch.float64).eval().requires_grad_(False)
    # The clone keeps the points safe from a function that works in place.
    return lambda x: activation(x.clone()), tuple(known if kinks is None else kinks)


def _check_variances(weight_variance: float, bias_variance: float) -> None:
    if not (0 <= weight_variance < math.inf and 0 <= bias_variance < math.inf):
        raise ValueError(
            f"got weight_variance={weight_variance}, bias_variance={bias_variance}; wanted finite numbers, not "
            "below zero"
        )
