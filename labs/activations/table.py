"""The table of all activation functions of the book, in the order in which the book treats them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from labs.activations import classical, learnable, rectifier, smooth, staf
from labs.activations.info import ActivationInfo

_ROWS = (*classical.ROWS, *rectifier.ROWS, *smooth.ROWS, *learnable.ROWS, *staf.ROWS)

ACTIVATIONS: Mapping[str, ActivationInfo] = MappingProxyType({info.name: info for info in _ROWS})
