"""Functions that repeat themselves, with or without a straight line on top."""

from __future__ import annotations

import math
from math import inf

import torch
from torch import Tensor, nn

from labs.activations.info import ActivationInfo, Properties
from labs.activations.precision import at_least_single, in_single
from labs.activations.sharing import along_channels, start


class Sine(nn.Module):
    r"""Sine, :math:`\sin(\omega x)`.

    SIREN, the network that made it popular, uses :math:`\omega = 30` in the first layer and starts the weights
    to suit. With the usual weights :math:`\omega = 1` is the tame choice.

    Args:
        omega: :math:`\omega` in radians per unit of :math:`x`, or where it starts.
        trainable: True to learn :math:`\omega`.
        num_parameters: 1, or the number of channels for an :math:`\omega` each.

    Shape:
        - Input: :math:`(*)`, any shape; :math:`(N, C, *)` with ``num_parameters`` :math:`C`.
        - Output: same shape as the input.

    Raises:
        ValueError: ``num_parameters`` is below 1, or does not fit the input.

    Source: Sitzmann et al. (2020), arXiv:2006.09661.

    Example:
        >>> Sine(omega=2.0)(torch.tensor([-1.0, 0.0, 1.0]))
        tensor([-0.9093,  0.0000,  0.9093])
    """

    def __init__(self, omega: float = 1.0, trainable: bool = False, num_parameters: int = 1) -> None:
        super().__init__()
        omega = start(omega, num_parameters)
        if trainable:
            self.omega = nn.Parameter(omega)
        else:
            self.register_buffer("omega", omega)
        self.num_parameters = num_parameters
        self.trainable = trainable

    def forward(self, x: Tensor) -> Tensor:
        wide = at_least_single(x)
        return torch.sin(along_channels(self.omega, wide) * wide).to(x.dtype)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}, trainable={self.trainable}"


class Snake(nn.Module):
    r"""Snake, :math:`x + \sin^2(a x) / a`: a straight line with a learned ripple.

    The ripple fades as :math:`a` goes to 0, where the function is :math:`x`; :math:`a` can cross 0 in training.

    Args:
        a: where :math:`a` starts, in radians per unit of :math:`x`.
        num_parameters: 1, or the number of channels for an :math:`a` each.

    Shape:
        - Input: :math:`(*)`, any shape; :math:`(N, C, *)` with ``num_parameters`` :math:`C`.
        - Output: same shape as the input.

    Raises:
        ValueError: ``num_parameters`` is below 1, or does not fit the input.

    Source: Ziyin, Hartwig & Ueda (2020), arXiv:2006.08195.

    Example:
        >>> Snake()(torch.tensor([-1.0, 0.0, 1.0])).detach()
        tensor([-0.2919,  0.0000,  1.7081])
        >>> Snake(a=0.0)(torch.tensor([-1.0, 0.0, 1.0])).detach()
        tensor([-1.,  0.,  1.])
    """

    def __init__(self, a: float = 1.0, num_parameters: int = 1) -> None:
        super().__init__()
        self.a = nn.Parameter(start(a, num_parameters))
        self.num_parameters = num_parameters

    def forward(self, x: Tensor) -> Tensor:
        wide = at_least_single(x)
        a = along_channels(self.a, wide)
        a = a + 1e-20 * (a == 0)  # no 0/0; added and not chosen by where(), so that a keeps its gradient
        sine = torch.sin(a * wide)
        return (wide + sine * (sine / a)).to(x.dtype)  # the square alone would underflow for small a

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Fourier(nn.Module):
    r"""Trigonometric polynomial on a line, :math:`m x + c + \sum_{i=1}^{n} a_i \cos(i\omega x) + b_i \sin(i\omega x)`.

    Without the line :math:`m x`, two inputs a period apart could not be told from each other, however far the
    training goes; with it the function can grow, and the sum shapes it. Snake is the case of :math:`n = 1`,
    :math:`m = 1`, :math:`\omega = 2a` and :math:`c = -a_1 = 1/(2a)`.

    It starts as ReLU on :math:`[-\pi, \pi]`, cut off after :math:`n` harmonics: :math:`x/2` and the first terms of
    the Fourier series of :math:`|x|/2`. Farther out it goes on as a staircase of ramps and landings.

    Args:
        harmonics: :math:`n`, the number of harmonics.
        num_parameters: 1, or the number of channels for a set of numbers each.

    Shape:
        - Input: :math:`(*)`, any shape; :math:`(N, C, *)` with ``num_parameters`` :math:`C`.
        - Output: same shape as the input.

    Raises:
        ValueError: ``harmonics`` or ``num_parameters`` is below 1, or the latter does not fit the input.

    Source: no paper has exactly this function; a line with one learned ripple is in Ziyin, Hartwig & Ueda (2020),
    arXiv:2006.08195.

    Example:
        >>> [round(y, 3) for y in Fourier()(torch.tensor([-3.0, -1.0, 0.0, 1.0, 3.0])).tolist()]
        [-0.001, 0.004, 0.053, 1.004, 2.999]
        >>> sum(p.numel() for p in Fourier(harmonics=5).parameters())
        13
    """

    def __init__(self, harmonics: int = 5, num_parameters: int = 1) -> None:
        super().__init__()
        if harmonics < 1:
            raise ValueError(f"Fourier needs at least one harmonic, got harmonics={harmonics}; try 5")
        for name, value in _relu_series(harmonics).items():
            self.register_parameter(name, nn.Parameter(start(value, num_parameters)))
        self.num_parameters = num_parameters
        self.harmonics = harmonics

    def forward(self, x: Tensor) -> Tensor:
        wide = at_least_single(x)
        omega, m, c = (along_channels(p, wide) for p in (self.omega, self.m, self.c))
        a, b = (along_channels(p, wide, series=True) for p in (self.a, self.b))
        angles = _harmonics(omega * wide, self.harmonics)
        return (m * wide + c + (a * torch.cos(angles) + b * torch.sin(angles)).sum(-1)).to(x.dtype)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}, harmonics={self.harmonics}"


def _relu_series(harmonics: int) -> dict[str, float | list[float]]:
    """The Fourier series of ReLU on [-pi, pi]: |x| has the cosines 4 / (pi i^2) of odd i, and no sines."""
    cosines = [-2 / (math.pi * i**2) if i % 2 else 0.0 for i in range(1, harmonics + 1)]
    return {"omega": 1.0, "m": 0.5, "c": math.pi / 4, "a": cosines, "b": [0.0] * harmonics}


def _harmonics(angle: Tensor, count: int) -> Tensor:
    return angle[..., None] * torch.arange(1, count + 1, dtype=angle.dtype, device=angle.device)


@in_single
def _sine_slope(x: Tensor, omega: float | Tensor = 1.0) -> Tensor:
    return omega * torch.cos(omega * x)


@in_single
def _snake_slope(x: Tensor, a: float | Tensor = 1.0) -> Tensor:
    return 1 + torch.sin(2 * a * x)


@in_single
def _fourier_slope(x: Tensor, **parameters: Tensor) -> Tensor:
    known = parameters or {key: start(value).to(x) for key, value in _relu_series(5).items()}
    omega, m, a, b = (known[key] for key in ("omega", "m", "a", "b"))
    angles = _harmonics(omega * x, len(a))
    rates = _harmonics(omega, len(a))  # i omega
    return m + (rates * (b * torch.cos(angles) - a * torch.sin(angles))).sum(-1)


ROWS = (
    ActivationInfo(
        name="Sine",
        family="learnable",
        formula=r"\sin(\omega x)",
        derivative_formula=r"\omega \cos(\omega x)",
        second_derivative_formula=r"-\omega^{2} \sin(\omega x)",
        symbols={r"\omega": "omega"},
        factory=Sine,
        slope=_sine_slope,
        source=("sitzmann2020implicit",),
        properties=Properties(
            range=(-1.0, 1.0), left=None, right=None, lipschitz=1.0, gain=1.5208666231788148, symmetry="odd"
        ),
    ),
    ActivationInfo(
        name="Snake",
        family="learnable",
        formula=r"x + \frac{\sin^2(a x)}{a}",
        derivative_formula=r"1 + \sin(2 a x)",
        second_derivative_formula=r"2 a \cos(2 a x)",
        symbols={"a": "a"},
        learnable=True,
        factory=Snake,
        slope=_snake_slope,
        source=("ziyin2020neural",),
        properties=Properties(
            range=(-inf, inf), left=-inf, right=inf, lipschitz=2.0, gain=0.8745809829313702, monotonic=True
        ),
    ),
    ActivationInfo(
        name="Fourier",
        family="learnable",
        formula=r"m x + c + \sum_{i=1}^{n} \left(a_i \cos(i\,\omega x) + b_i \sin(i\,\omega x)\right)",
        derivative_formula=(
            r"m + \sum_{i=1}^{n} i\,\omega\,\left(b_i \cos(i\,\omega x) - a_i \sin(i\,\omega x)\right)"
        ),
        second_derivative_formula=(
            r"-\sum_{i=1}^{n} (i\,\omega)^{2} \left(a_i \cos(i\,\omega x) + b_i \sin(i\,\omega x)\right)"
        ),
        symbols={r"\omega": "omega", "m": "m", "c": "c", "a_i": "a", "b_i": "b", "n": "harmonics"},
        learnable=True,
        factory=Fourier,
        slope=_fourier_slope,
        source=("ziyin2020neural",),
        properties=Properties(
            range=(-inf, inf),
            left=-inf,
            right=inf,
            lipschitz=0.5 + 28 / (15 * math.pi),
            gain=1.4165714810173,
            zero_at_zero=False,
        ),
    ),
)
