"""From a name to a fresh module, with clear errors for wrong names and settings."""

from __future__ import annotations

import difflib
import inspect
import math
import numbers
from collections.abc import Mapping
from typing import Any

from torch import nn

from labs.activations.info import ActivationInfo
from labs.activations.table import ACTIVATIONS


def make_activation(name: str, **settings: Any) -> nn.Module:
    """Return a fresh module for the activation function called ``name``.

    Every call makes a new module: two layers that shared one ``PReLU`` would share one weight.

    Args:
        name: a key of ``ACTIVATIONS``, such as ``"ReLU"``. torch's spelling ``"Hardsigmoid"`` is understood too.
        settings: passed to the module's class, such as ``negative_slope=0.2`` for ``"LeakyReLU"`` or
            ``num_parameters=64`` for a ``"PReLU"`` with one weight per channel.

    Returns:
        A new module, in training mode as torch makes it, in float32 on the CPU. It works elementwise, except for
        Maxout and the gated functions: :func:`inputs_per_output` says how many numbers those take for each result.

    Shape:
        - Input of the module: :math:`(*)`, any shape; :math:`(*, kH)` if it takes :math:`k` numbers for one.
        - Output of the module: same shape as the input; :math:`(*, H)`.

    Raises:
        ValueError: ``name`` is not in the table, or a setting is out of its range.
        TypeError: ``name`` is no string, or a setting is unknown or of the wrong type.

    Example:
        >>> make_activation("ELU", alpha=0.5)
        ELU(alpha=0.5)
        >>> make_activation("Maxout", pieces=3)
        Maxout(pieces=3)
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
    defaults = {p.name: p.default for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
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
    if settings.get("alpha") == 0 and info.name == "CELU":
        raise ValueError("CELU: alpha must not be zero, because CELU divides by it; try 1.0")
    for low, high in (("lower", "upper"), ("min_val", "max_val")):
        if low in defaults:
            lower, upper = (settings.get(key, defaults[key]) for key in (low, high))
            if lower > upper or (lower == upper and low == "min_val"):
                got = f"{low}={lower}, {high}={upper}"
                raise ValueError(f"{info.name}: {low} must not exceed {high}, got {got}")
