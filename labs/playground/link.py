"""The text of a setup, as it stands in the link of a playground: ``data.moons~layers.8ReLU*8Tanh~rate.0.03``.

Entries are joined by ``~``; a key ends at the first dot, the items of a list are joined by ``*``. What is as the
playground starts is left out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

_WORDS = ("data", "task", "init", "bias", "method", "schedule", "own")
_NUMBER = re.compile(r"\d+(\.\d+)?(e-?\d+)?", re.ASCII)


def fields_of(text: str, known: Collection[str]) -> dict[str, Any]:
    """Return what a text says about a setup; whether the values fit, the setup will check.

    Args:
        text: entries as in a link.
        known: the fields that there are.

    Returns:
        The fields that the text names.

    Raises:
        ValueError: an unknown field, one that comes twice, or a value that cannot be read.

    Example:
        >>> fields_of("layers.8ReLU*3none~rate.0.03", ("layers", "rate"))
        {'layers': ((8, 'ReLU'), (3, 'none')), 'rate': 0.03}
    """
    found: dict[str, Any] = {}
    for entry in filter(None, text.split("~")):
        key, _, value = entry.partition(".")
        if key not in known:
            raise ValueError(f"the text has {key!r}, which is no setting; choose from: {', '.join(known)}")
        if key in found:
            raise ValueError(f"the text has {key} twice")
        if key == "layers":
            found[key] = () if value == "0" else tuple(map(_layer, value.split("*")))
        elif key == "changes":
            found[key] = tuple(map(_change, value.split("*")))
        else:
            found[key] = value if key in _WORDS else _number(value)
    return found


def text_of(fields: Mapping[str, Any], usual: Mapping[str, Any]) -> str:
    """Return the text of a setup.

    Args:
        fields: its values, in the order of the text.
        usual: the values that are left out.

    Returns:
        The entries that differ.

    Example:
        >>> text_of({"layers": (), "rate": 1e-6, "l2": 0.0}, {"layers": ((8, "ReLU"),), "rate": 0.1, "l2": 0})
        'layers.0~rate.0.000001'
    """
    return "~".join(f"{key}.{_written(key, value)}" for key, value in fields.items() if value != usual[key])


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"the text has {text!r} where a number such as 0.03 should stand")
    value = float(text)
    return int(value) if value.is_integer() else value


def _layer(item: str) -> tuple[int, str]:
    match = re.fullmatch(r"(\d+)([A-Za-z]\w*)", item, re.ASCII)
    if not match:
        raise ValueError(f"the text has {item!r} where a layer such as 8ReLU should stand")
    return int(match[1]), match[2]


def _change(item: str) -> tuple[int, str, float]:
    match = re.fullmatch(r"(\d+)-([a-z0-9]+)-(.+)", item, re.ASCII)
    if not match:
        raise ValueError(f"the text has {item!r} where a change such as 120-rate-0.01 should stand")
    return int(match[1]), match[2], _number(match[3])


def _written(key: str, value: Any) -> str:
    if key == "layers":
        return "*".join(f"{units}{activation}" for units, activation in value) or "0"
    if key == "changes":
        return "*".join(f"{step}-{name}-{_digits(number)}" for step, name, number in value)
    return value if isinstance(value, str) else _digits(value)


def _digits(value: float) -> str:
    """The shortest digits that give the number back, as JavaScript writes them."""
    if float(value).is_integer():
        return str(int(value))
    digits = repr(float(value))
    if "e" not in digits:
        return digits
    return f"{Decimal(digits):f}" if value >= 1e-6 else re.sub("e-0*", "e-", digits)
