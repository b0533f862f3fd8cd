"""The bytes in which a table of the neuron ward travels to the page; ``neuron_ward.js`` reads them.

A table becomes base64 text: fourteen bytes per unit, layer by layer, little-endian.

====== ===== =======================================================================================
bytes  field what it holds
====== ===== =======================================================================================
0-1    mean  mean pre-activation: the upper half of a float32, about three significant digits
2-3    std   standard deviation of the pre-activation, likewise
4      below how far the smallest pre-activation lies below the mean, in sixteenths of std
5      above how far the largest lies above it, likewise; an end never moves across zero
6-7    open  examples on which the unit lets gradient through, scaled to 0..65535
8-13   bars  twelve half bytes, the low half first: the state, then eleven bins between smallest and
             largest; a bar has the height (half byte / 15) squared, the fullest 1, only empty ones 0
====== ===== =======================================================================================
"""

from __future__ import annotations

import base64

import numpy as np
import torch
from torch import Tensor

from labs.widgets.ward_table import BINS, WardTable

RECORD = np.dtype(
    [("mean", "<u2"), ("std", "<u2"), ("below", "u1"), ("above", "u1"), ("open", "<u2"), ("bars", "u1", (6,))]
)
MOST_EXAMPLES = 65535  # so that the count of open examples comes back exactly


def pack(table: WardTable) -> str:
    """Return ``table`` as base64 text.

    Args:
        table: the units of one network; see the module for what of it travels.

    Returns:
        The text, about 19 characters per unit.

    Raises:
        ValueError: the table is about more than 65,535 examples.

    Example:
        >>> from labs.widgets.ward_table import ward_network, ward_table
        >>> class Data: inputs = torch.linspace(-1, 1, 100).reshape(100, 1)
        >>> table = ward_table(ward_network("ReLU", "torch", 1, in_features=1, layers=3), Data)
        >>> len(pack(table))
        1792
    """
    if table.examples > MOST_EXAMPLES:
        raise ValueError(f"got {table.examples} examples, wanted at most {MOST_EXAMPLES}; use fewer")
    records = np.zeros(table.state.numel(), RECORD)
    records["mean"], records["std"] = _upper_half(table.mean), _upper_half(table.std)
    mean, std = _whole(records["mean"]), _whole(records["std"])
    low, high = _flat(table.low), _flat(table.high)
    records["below"] = _sixteenths(mean - low, std, outwards=low <= 0)
    records["above"] = _sixteenths(high - mean, std, outwards=high > 0)
    records["open"] = np.rint(_flat(table.open) * (MOST_EXAMPLES / table.examples))
    bars = table.bars.reshape(-1, BINS).numpy()
    height = np.rint(15 * np.sqrt(bars / bars.max(axis=1, keepdims=True)))
    height[(height == 0) & (bars > 0)] = 1
    halves = np.column_stack([_flat(table.state), height]).astype("u1")
    records["bars"] = halves[:, 0::2] | halves[:, 1::2] << 4
    return base64.b64encode(records.tobytes()).decode()


def unpack(text: str, examples: int, width: int = 32) -> WardTable:
    """Return the table that :func:`pack` wrote, rounded by it; ``bars`` come back as heights from 0 to 1.

    Args:
        text: what ``pack`` returned.
        examples: number of examples of that table, which the text does not hold.
        width: units per layer.

    Returns:
        The table, one row per layer.

    Raises:
        ValueError: ``text`` does not hold whole layers of ``width`` units.

    Example:
        >>> from labs.widgets.ward_table import ward_network, ward_table
        >>> class Data: inputs = torch.linspace(-1, 1, 100).reshape(100, 1)
        >>> table = ward_table(ward_network("ReLU", "torch", 1, in_features=1, layers=3), Data)
        >>> torch.equal(unpack(pack(table), 100).state, table.state)
        True
    """
    raw, layer = base64.b64decode(text), RECORD.itemsize * width
    if len(raw) % layer:
        raise ValueError(f"got {len(raw)} bytes, wanted a multiple of {layer}: a layer of {width} units")
    records = np.frombuffer(raw, RECORD).reshape(-1, width)
    mean, std = _whole(records["mean"]), _whole(records["std"])
    halves = np.stack([records["bars"] & 15, records["bars"] >> 4], axis=-1)
    halves = halves.reshape(*records.shape, BINS + 1)
    columns = {
        "mean": mean,
        "std": std,
        "low": mean - records["below"] * std / 16,
        "high": mean + records["above"] * std / 16,
        "open": np.rint(records["open"] * (examples / MOST_EXAMPLES)).astype("int64"),
        "bars": (halves[..., 1:] / 15) ** 2,
        "state": halves[..., 0].copy(),
    }
    return WardTable(examples, **{name: torch.from_numpy(column) for name, column in columns.items()})


def _flat(column: Tensor) -> np.ndarray:
    return column.flatten().double().numpy()


def _upper_half(column: Tensor) -> np.ndarray:
    """Round float32 numbers to sixteen bits: sign, exponent and seven digits of the fraction."""
    bits = column.flatten().float().numpy().view("u4")
    return ((bits.astype("u8") + 0x8000) >> 16).astype("u2")


def _whole(halves: np.ndarray) -> np.ndarray:
    return (halves.astype("u4") << 16).view("f4").astype("f8")


def _sixteenths(distance: np.ndarray, std: np.ndarray, *, outwards: np.ndarray) -> np.ndarray:
    """Measure ``distance`` in sixteenths of ``std``; rounding inwards keeps an end on its side of zero."""
    steps = np.divide(16 * distance, std, out=np.zeros_like(std), where=std > 0)
    return np.where(outwards, np.ceil(steps), np.floor(steps)).clip(0, 255)
