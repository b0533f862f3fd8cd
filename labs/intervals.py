"""Say how sure a mean of a few measurements is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor


class Interval(NamedTuple):
    """A mean with the ends of its confidence interval, in the unit of the values."""

    mean: float
    low: float
    high: float


def interval(values: Sequence[float] | Tensor, confidence: float = 0.95) -> Interval:
    """Return the mean of ``values`` and its Student-t confidence interval.

    Args:
        values: independent measurements, for example one per seed; at least two.
        confidence: how often such an interval holds the true mean, above 0 and below 1.

    Raises:
        ValueError: fewer than two values, NaN or infinity among them, or a confidence out of range.

    Example:
        >>> mean, low, high = interval([0.80, 0.82, 0.84])
        >>> round(mean, 3), round(low, 3), round(high, 3)
        (0.82, 0.77, 0.87)
    """
    from scipy import special  # here, for only results need it

    numbers = [float(value) for value in values]
    if len(numbers) < 2:
        raise ValueError(f"got {len(numbers)} values; wanted at least 2: one has no spread")
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"got NaN or infinity among the values {numbers}; wanted finite numbers")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; wanted a fraction between 0 and 1, for example 0.95")
    count, mean = len(numbers), math.fsum(numbers) / len(numbers)
    variance = math.fsum((number - mean) ** 2 for number in numbers) / (count - 1)
    half = float(special.stdtrit(count - 1, (1 + confidence) / 2)) * math.sqrt(variance / count)
    return Interval(mean, mean - half, mean + half)
