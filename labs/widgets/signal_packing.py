"""The bytes in which a trained network of ``SignalFit`` travels to the page; ``signal_fit.js`` reads them.

A network becomes base64 text, a sequence of curves. A curve of ``n`` numbers is its smallest and its largest one as
float32, and then ``n`` times how far a number lies from the one to the other, from 0 to 65,535; all little-endian.
With ``E`` epochs looked at, the curves are

======================= =====================================================================================
curves                  what they hold
======================= =====================================================================================
1 of ``S``              training error at the steps noted, as decimal logarithm
2 of ``E``              error on the examples and beyond them, as decimal logarithm
4 of ``E``              reach: smallest and largest pre-activation of layer 1, then of layer 2
``E`` of ``fit``        output of the network, epoch by epoch
2 ``E`` or 2 of ``shape`` activation of layers 1 and 2, epoch by epoch, or once if it has no parameter
======================= =====================================================================================
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from labs.widgets.signal_network import LAYERS
from labs.widgets.signal_training import PREACTIVATIONS, SHOWN, SignalRun, noted_steps

_LEVELS = 65535
_LEAST = 1e-12  # an error of zero has no logarithm


def pack(run: SignalRun) -> str:
    """Return ``run`` as base64 text.

    Args:
        run: one network; every number in it finite.

    Returns:
        The text, about 10 kB for thirteen epochs of an activation that learns.

    Example:
        >>> from labs.widgets.signal_training import train_signals
        >>> len(pack(train_signals("ReLU", ["hill"], 1, epochs=(0, 3))[0]))
        1292
    """
    errors = (one.clamp(min=_LEAST).log10() for one in (run.error, run.train, run.outside))
    reach = run.reach.flatten(1).T
    curves = [*errors, *reach, *run.fit, *run.shape.flatten(0, 1)]
    return base64.b64encode(b"".join(map(_bytes, curves))).decode()


def unpack(text: str, epochs: Sequence[int]) -> SignalRun:
    """Return the network that :func:`pack` wrote, each curve rounded to 65,536 levels.

    Args:
        text: what ``pack`` returned.
        epochs: when the network was looked at, which the text does not hold.

    Returns:
        The network, its numbers in float64.

    Raises:
        ValueError: ``text`` does not hold these many epochs.

    Example:
        >>> from labs.widgets.signal_training import train_signals
        >>> run, = train_signals("ReLU", ["hill"], 1, epochs=(0, 3))
        >>> bool((unpack(pack(run), (0, 3)).fit - run.fit).abs().max() < 1e-4)
        True
    """
    steps, count = noted_steps(epochs[-1]), len(epochs)
    lengths = [len(steps), *[count] * (2 + 2 * LAYERS), *[len(SHOWN)] * count]
    raw, one = base64.b64decode(text), 8 + 2 * len(PREACTIVATIONS)
    rest = len(raw) - sum(8 + 2 * length for length in lengths)
    if rest not in (LAYERS * one, LAYERS * one * count):
        raise ValueError(
            f"got {len(raw)} bytes, which is not a network looked at in {count} epochs; pack it anew"
        )
    curves = list(_curves(raw, [*lengths, *[len(PREACTIVATIONS)] * (rest // one)]))
    error, train, outside = (10**curve for curve in curves[:3])
    reach, fit, shape = (
        torch.stack(part) for part in (curves[3:7], curves[7 : 7 + count], curves[7 + count :])
    )
    return SignalRun(
        steps, error, train, outside, reach.T.unflatten(1, (LAYERS, 2)), fit, shape.unflatten(0, (-1, LAYERS))
    )


def _bytes(curve: Tensor) -> bytes:
    values = curve.double().numpy()
    low, high = np.float32(values.min()), np.float32(values.max())
    span = float(high) - float(low)
    levels = np.rint((values - float(low)) * (_LEVELS / span if span else 0.0)).clip(0, _LEVELS)
    return np.array([low, high], "<f4").tobytes() + levels.astype("<u2").tobytes()


def _curves(raw: bytes, lengths: Sequence[int]) -> Iterator[Tensor]:
    at = 0
    for length in lengths:
        low, high = np.frombuffer(raw, "<f4", 2, at).astype("f8")
        levels = np.frombuffer(raw, "<u2", length, at + 8)
        yield torch.from_numpy(low + levels * ((high - low) / _LEVELS))
        at += 8 + 2 * length
