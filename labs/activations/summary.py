"""The table of properties that the book shows, made from ``ACTIVATIONS`` and nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from labs.activations.info import ActivationInfo
from labs.activations.table import ACTIVATIONS
from labs.tables import Table

_UNKNOWN = "\N{EN DASH}"  # what depends on the parameters drawn, or what does not exist


def _number(value: float | None) -> str:
    if value is None:
        return _UNKNOWN
    if math.isinf(value):
        return "\N{INFINITY}" if value > 0 else "\N{MINUS SIGN}\N{INFINITY}"
    return f"{value:.3f}".rstrip("0").rstrip(".").replace("-", "\N{MINUS SIGN}")


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _range(info: ActivationInfo) -> str:
    ends = info.properties.range
    return _UNKNOWN if ends is None else f"{_number(ends[0])} to {_number(ends[1])}"


def _kinks(info: ActivationInfo) -> str:
    if info.inputs_per_output > 1:  # not points, but lines
        return _UNKNOWN
    return ", ".join(map(_number, info.properties.kinks)) or "none"


#: What ``property_table`` can show: the header of each column, and how its cells are made.
_COLUMNS: dict[str, Callable[[ActivationInfo], str]] = {
    "family": lambda info: info.family,
    "range": _range,
    "left": lambda info: _number(info.properties.left),
    "right": lambda info: _number(info.properties.right),
    "monotone": lambda info: _yes(info.properties.monotonic),
    "convex": lambda info: _yes(info.properties.convex),
    "symmetry": lambda info: info.properties.symmetry or "none",
    "Lipschitz": lambda info: _number(info.properties.lipschitz),
    "gain": lambda info: _number(info.properties.gain),
    "kinks": _kinks,
    "smooth": lambda info: _yes(info.properties.smooth),
    "learnable": lambda info: _yes(info.learnable),
    "inputs": lambda info: str(info.inputs_per_output),
}


def property_table(names: Iterable[str] | None = None, *, columns: Iterable[str] | None = None) -> Table:
    """Return what ``ACTIVATIONS`` knows about the functions, one row each, rounded to three decimals.

    A dash stands for what depends on the parameters drawn, or for a limit that does not exist.

    Args:
        names: keys of ``ACTIVATIONS``, in the order of the rows; all of them if left out.
        columns: any of family, range, left and right (the limits for x towards minus and plus infinity), monotone,
            convex, symmetry, Lipschitz (the constant), gain (the Gaussian gain), kinks, smooth, learnable and inputs
            (numbers taken for each one returned). Three fit on a phone. All of them if left out.

    Returns:
        A table for the page and for the terminal.

    Raises:
        ValueError: a name or a column is unknown.
        TypeError: ``names`` or ``columns`` is a single string instead of several.

    Example:
        >>> property_table(["ReLU", "Tanh", "STAF"], columns=["range", "Lipschitz", "gain"])
        Properties of 3 activation functions
        name     range  Lipschitz   gain
        ReLU    0 to ∞          1  1.414
        Tanh   −1 to 1          1  1.593
        STAF         –          –      –
    """
    names = _several("names", names, ACTIVATIONS)
    columns = _several("columns", columns, _COLUMNS)
    rows = [[name, *(_COLUMNS[column](ACTIVATIONS[name]) for column in columns)] for name in names]
    many = "activation function" if len(names) == 1 else "activation functions"
    return Table(["name", *columns], rows, caption=f"Properties of {len(names)} {many}")


def _several(what: str, wanted: Iterable[str] | None, known: Iterable[str]) -> list[str]:
    if isinstance(wanted, str):
        raise TypeError(
            f"{what} must be several strings, got the single string {wanted!r}; write [{wanted!r}]"
        )
    wanted = list(known if wanted is None else wanted)
    if unknown := [one for one in wanted if one not in known]:
        raise ValueError(f"unknown {what} {unknown}; choose from: {', '.join(known)}")
    return wanted
