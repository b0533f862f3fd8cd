"""The reader's own points as text: four bytes for each, in the base64 of addresses."""

from __future__ import annotations

import base64
import binascii
import re

import torch
from torch import Tensor

#: The map shows so much in all four directions.
REACH = 1.5
MOST_POINTS, MOST_CLASSES = 300, 5
_LEVELS = 4095  # 12 bits


def pack_points(points: Tensor, labels: Tensor) -> str:
    """Return the text of points for ``Setup(data="own", own=...)``; the map is a grid of 4096 by 4096 places.

    Args:
        points: their coordinates; what lies beyond the map comes to its edge.
        labels: their classes, from 0 to 4.

    Returns:
        Letters, digits, ``-`` and ``_``.

    Shape:
        - points: :math:`(N, 2)`; labels: :math:`(N)`.

    Raises:
        ValueError: more than 300 points, another shape, or a class that does not exist.

    Example:
        >>> pack_points(torch.tensor([[0.0, 0.0], [1.5, -1.5]]), torch.tensor([0, 1]))
        'gAgAAP_wAAE'
    """
    if points.dim() != 2 or points.shape[1] != 2 or labels.shape != points.shape[:1]:
        raise ValueError(
            f"got points {tuple(points.shape)} and labels {tuple(labels.shape)}; wanted (N, 2) and (N)"
        )
    if len(points) > MOST_POINTS:
        raise ValueError(f"got {len(points)} points; wanted at most {MOST_POINTS}")
    if len(labels) and not (labels.min() >= 0 and labels.max() < MOST_CLASSES):
        raise ValueError(
            f"got labels {sorted(set(labels.tolist()))}; wanted whole numbers from 0 to {MOST_CLASSES - 1}"
        )
    places = ((points.double().clamp(-REACH, REACH) + REACH) / (2 * REACH) * _LEVELS + 0.5).floor().long()
    content = b"".join(
        (x << 20 | y << 8 | label).to_bytes(4, "big")
        for (x, y), label in zip(places.tolist(), labels.tolist(), strict=True)
    )
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def unpack_points(text: str) -> tuple[Tensor, Tensor]:
    """Return the points of a text, and their classes.

    Args:
        text: what :func:`pack_points` or the page made.

    Returns:
        The coordinates and the classes.

    Shape:
        - coordinates: :math:`(N, 2)`, ``float64``; classes: :math:`(N)`, ``int64``.

    Raises:
        ValueError: no such text.

    Example:
        >>> unpack_points("gAgAAP_wAAE")
        (tensor([[ 3.6630e-04,  3.6630e-04],
                 [ 1.5000e+00, -1.5000e+00]], dtype=torch.float64), tensor([0, 1]))
    """
    try:
        if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
            raise ValueError("other signs than those of an address")
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        words = [int.from_bytes(content[i : i + 4], "big") for i in range(0, len(content), 4)]
        if len(content) % 4 or any(word & 255 >= MOST_CLASSES for word in words):
            raise ValueError("bytes that are no points")
        if len(words) > MOST_POINTS:
            raise ValueError(f"more than {MOST_POINTS} points")
    except (ValueError, binascii.Error) as error:
        raise ValueError(
            f"own is no text of points: {error}; labs.playground.pack_points makes one"
        ) from None
    places = torch.tensor([[word >> 20, word >> 8 & _LEVELS] for word in words], dtype=torch.float64)
    labels = torch.tensor([word & 255 for word in words], dtype=torch.int64)
    return -REACH + 2 * REACH * places.view(-1, 2) / _LEVELS, labels
