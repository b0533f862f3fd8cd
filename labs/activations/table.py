"""The table of all activation functions of the book, in the order in which the book treats them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from labs.activations import classical, gated, learnable, periodic, rational, rectifier, smooth, spline, staf
from labs.activations.info import ActivationInfo

_FAMILIES = (classical, rectifier, smooth, gated, learnable, periodic, staf, rational, spline)
_ORDER = (
    *("Step", "Sigmoid", "HardSigmoid", "Tanh", "Hardtanh", "Softsign"),
    *("ReLU", "ReLU6", "LeakyReLU", "PReLU", "RReLU", "ELU", "CELU", "SELU", "Maxout"),
    *("Softplus", "GELU", "GELUTanh", "SiLU", "Swish", "Mish", "Hardswish", "TeLU", "SquaredReLU"),
    *("GLU", "GEGLU", "SwiGLU"),
    *(
        "TrainableELU",
        "AdaptiveSigmoid",
        "Sine",
        "Snake",
        "STAF",
        "Rational",
        "BSpline",
        "Fourier",
        "SwiGELU",
    ),
)
_ALIASES = {"Hardsigmoid": "HardSigmoid"}  # torch's spelling, which differs from those of its relatives


class _Table(Mapping[str, ActivationInfo]):
    """Read-only; finds a row under its alias too, but lists each row once."""

    def __init__(self, rows: list[ActivationInfo]) -> None:
        self._rows = {info.name: info for info in rows}

    def __getitem__(self, name: str) -> ActivationInfo:
        return self._rows[_ALIASES.get(name, name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"ACTIVATIONS({', '.join(self)})"


def _place(info: ActivationInfo) -> int:
    return _ORDER.index(info.name) if info.name in _ORDER else len(_ORDER)  # a new row comes last


ACTIVATIONS: Mapping[str, ActivationInfo] = _Table(
    sorted((info for family in _FAMILIES for info in family.ROWS), key=_place)
)
