"""Time several ways of doing the same thing side by side, so that a change of the machine's mood hits all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

Seconds = dict[str, list[float]]


def side_by_side(ways: Mapping[str, Callable[[], object]], *, rounds: int, warm_up: int = 1) -> Seconds:
    """Return the wall time of every way in every round [s].

    Each round calls every way once; every other round goes backwards, so that none always follows the same one.

    Args:
        ways: what to call, by label.
        rounds: calls of each way that count.
        warm_up: rounds before, that do not count.

    Example:
        >>> seconds = side_by_side({"a": lambda: None, "b": lambda: None}, rounds=3)
        >>> [len(values) for values in seconds.values()]
        [3, 3]
    """
    seconds: Seconds = {label: [] for label in ways}
    for number in range(warm_up + rounds):
        for label in reversed(ways) if number % 2 else ways:
            started = time.perf_counter()
            ways[label]()
            if number >= warm_up:
                seconds[label].append(time.perf_counter() - started)
    return seconds


def ratio(seconds: Seconds, label: str, base: str) -> dict[str, float]:
    """Return how often the time of ``base`` goes into that of ``label``: median over the rounds, and quartiles.

    Example:
        >>> ratio({"slow": [4.0, 6.0, 5.0], "fast": [2.0, 2.0, 2.0]}, "slow", "fast")
        {'median': 2.5, 'low': 2.0, 'high': 3.0}
    """
    ratios = [a / b for a, b in zip(seconds[label], seconds[base], strict=True)]
    if len(ratios) < 2:
        return {"median": ratios[0], "low": ratios[0], "high": ratios[0]}
    low, median, high = statistics.quantiles(ratios, n=4)
    return {"median": median, "low": low, "high": high}


def best(seconds: Seconds, label: str) -> float:
    """Return the time below which one call in twenty stays [s]: what the code needs when nobody disturbs it."""
    values = sorted(seconds[label])
    return values[len(values) // 20]
