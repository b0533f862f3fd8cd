"""The numbers that travel from torch to the activation explorer: learned coefficients, and sampled modules."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from labs.activations import derivative, make_activation

STAF_SEED = 0
#: The functions with series of learned numbers, and what each series is called in the module.
SERIES = {
    "STAF": ("C", "omega", "phi"),
    "Rational": ("a", "b"),
    "BSpline": ("coefficients",),
    "Fourier": ("a", "b"),
}
_SINGLE = {"STAF": (), "Rational": ("c",), "BSpline": ("grid", "step"), "Fourier": ("omega", "m", "c")}
# Where a module of the reader's own is sampled.
_REACH, _POINTS = 12.0, 1201


def coefficients_of(module: nn.Module) -> dict[str, Any]:
    """Return the learned numbers of a STAF, Rational, BSpline or Fourier, for ``ActivationExplorer(coefficients=...)``.

    Args:
        module: one of these four, with one set of numbers for the layer.

    Returns:
        Numbers and lists of numbers by their names in the module; what is learned is rounded to six significant digits.

    Raises:
        ValueError: the module is another one, or has a set of numbers for each channel.

    Example:
        >>> coefficients_of(make_activation("BSpline", intervals=2))
        {'grid': 3.0, 'step': 3.0, 'coefficients': [-1.5, -0.75, 0.0, 3.0, 6.0]}
    """
    name = type(module).__name__
    if name not in SERIES:
        raise ValueError(f"{name} has no series of learned numbers; wanted one of: {', '.join(SERIES)}")
    if module.num_parameters != 1:
        raise ValueError(
            f"{name} has a set of numbers for each of {module.num_parameters} channels; "
            "the explorer shows one: build it with num_parameters=1"
        )
    found = {}
    for key in (*_SINGLE[name], *SERIES[name]):
        value = getattr(module, key)
        numbers = _rounded(value) if isinstance(value, torch.Tensor) else [value]
        found[key] = numbers if key in SERIES[name] else numbers[0]
    return found


def sampled(module: nn.Module) -> dict[str, Any]:
    """Return values and slopes of ``module`` at 1,201 points from -12 to 12, to six significant digits.

    Args:
        module: elementwise; it is computed in float64 and evaluation mode, on a copy.

    Returns:
        Where the points begin, their distance, values, slopes, and a note for the reader.

    Raises:
        ValueError: the output has another shape than the input.

    Example:
        >>> table = sampled(nn.Tanh())
        >>> table["from"], table["step"], table["f"][600], table["slope"][600]
        (-12.0, 0.02, 0.0, 1.0)
    """
    exact = copy.deepcopy(module).double().eval()
    step = 2 * _REACH / (_POINTS - 1)
    x = step * (torch.arange(_POINTS, dtype=torch.float64) - _POINTS // 2)  # the middle one is zero, exactly
    slope = derivative(exact, x)
    with torch.no_grad():
        values = exact(x.clone())
    note = f"{type(module).__name__}, computed by torch at {_POINTS:,} points from −{_REACH:g} to {_REACH:g}."
    return {"from": -_REACH, "step": step, "f": _rounded(values), "slope": _rounded(slope), "note": note}


def _rounded(numbers: torch.Tensor) -> list[float]:
    return [float(f"{number:.6g}") for number in numbers.detach().double().flatten().tolist()]


def start_coefficients() -> dict[str, Any]:
    """Return the numbers with which STAF, Rational, BSpline and Fourier start; STAF is drawn with seed 0.

    Returns:
        Numbers by the names of the functions.

    Example:
        >>> len(start_coefficients()["STAF"]["omega"])
        25
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(STAF_SEED)
        return {name: coefficients_of(make_activation(name)) for name in SERIES}


def origin_of(name: str, *, own: bool) -> str:
    """Return in words where the numbers of a function come from.

    Args:
        name: one of the four functions.
        own: whether the reader gave them.

    Returns:
        A few words for the page.

    Example:
        >>> origin_of("STAF", own=False)
        'Its numbers, drawn with seed 0'
    """
    if own:
        return "Its numbers, given by hand or by training"
    return f"Its numbers, drawn with seed {STAF_SEED}" if name == "STAF" else "Its numbers at the start"
