"""Say how sure a number is that was measured a few times, or on a few test examples."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from torch import Tensor


class Interval(NamedTuple):
    """A mean, or another estimate, with the ends of its interval, in the unit of the values.

    Attributes:
        mean: the estimate.
        low, high: lower and upper end of its interval.

    Example:
        >>> Interval(0.82, 0.77, 0.87).low
        0.77
    """

    mean: float
    low: float
    high: float


def interval(values: Sequence[float] | Tensor, confidence: float = 0.95) -> Interval:
    """Return the mean of ``values`` and its Student-t confidence interval.

    Args:
        values: independent measurements, for example one per seed; at least two.
        confidence: how often such an interval holds the true mean, above 0 and below 1.

    Returns:
        The mean and the two ends, in the unit of the values.

    Shape:
        - values: :math:`(N)`

    Raises:
        ValueError: fewer than two values, NaN or infinity among them, or a confidence out of range.

    Source: Student 1908.

    Example:
        >>> mean, low, high = interval([0.80, 0.82, 0.84])
        >>> round(mean, 3), round(low, 3), round(high, 3)
        (0.82, 0.77, 0.87)
    """
    return _t_interval(values, confidence, fresh=0)


def prediction_interval(values: Sequence[float] | Tensor, confidence: float = 0.95) -> Interval:
    """Return the mean of ``values`` and the interval in which *one further* measurement should fall.

    It is wider than :func:`interval`, and stays wide with many values: it says what to expect of the next seed, not
    where the mean lies. It trusts the values to be roughly Gaussian.

    Args:
        values: independent measurements, for example one per seed; at least two.
        confidence: how often such an interval holds the next value, above 0 and below 1.

    Returns:
        The mean and the two ends, in the unit of the values.

    Shape:
        - values: :math:`(N)`

    Raises:
        ValueError: as for :func:`interval`.

    Source: Student 1908, for the distribution.

    Example:
        >>> mean, low, high = prediction_interval([0.80, 0.82, 0.84])
        >>> round(low, 3), round(high, 3)
        (0.721, 0.919)
    """
    return _t_interval(values, confidence, fresh=1)


def bootstrap_interval(
    values: Sequence[float] | Tensor,
    statistic: Callable | None = None,
    *,
    confidence: float = 0.95,
    resamples: int = 9999,
    seed: int = 0,
) -> Interval:
    """Return a statistic of ``values`` with its bootstrap interval (BCa: corrected for bias and skewness).

    The values may be one per seed, or one per test example, such as right or wrong, or a loss. With fewer than about
    ten values the interval is too narrow: it cannot know of values that were not drawn.

    Args:
        values: independent measurements, at least two.
        statistic: called with a numpy array and ``axis=``, such as ``numpy.median``; by default the mean.
        confidence: how often such an interval should hold the true value, above 0 and below 1.
        resamples: samples drawn with replacement.
        seed: of the random generator; the same seed gives the same interval.

    Returns:
        The statistic of the values themselves and the ends of its interval.

    Shape:
        - values: :math:`(N)`

    Raises:
        ValueError: as for :func:`interval`, or fewer than 100 resamples.

    Source: Efron 1987.

    Example:
        >>> bootstrap_interval([3.0, 3.0, 3.0])
        Interval(mean=3.0, low=3.0, high=3.0)
    """
    import numpy as np
    from scipy import stats  # here, for only statistics need it

    numbers = np.asarray(checked(values, confidence))
    if resamples < 100:
        raise ValueError(
            f"got resamples={resamples}; wanted at least 100, for the ends of an interval are rare"
        )
    statistic = np.mean if statistic is None else statistic
    estimate = float(statistic(numbers, axis=-1))
    if (numbers == numbers[0]).all():  # nothing varies, and BCa would divide by zero
        return Interval(estimate, estimate, estimate)
    ends = stats.bootstrap(
        (numbers,),
        statistic,
        confidence_level=confidence,
        n_resamples=resamples,
        batch=max(1, 4_000_000 // len(numbers)),  # 32 MB at a time, also for 10,000 test examples
        vectorized=True,
        method="BCa",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(estimate, float(ends.low), float(ends.high))


def proportion_interval(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """Return a proportion and its Wilson interval, which stays within 0..1 and works for 0 of n and n of n.

    Args:
        successes: how often it happened, such as the number of images classified correctly.
        trials: out of how many, at least 1.
        confidence: how often such an interval holds the true proportion, above 0 and below 1.

    Returns:
        The proportion, from 0 to 1, and the ends of its interval, which is not symmetric.

    Raises:
        ValueError: counts that do not fit together, or a confidence out of range.

    Source: Wilson 1927.

    Example:
        >>> p, low, high = proportion_interval(90, 100)
        >>> p, round(low, 4), round(high, 4)
        (0.9, 0.8256, 0.9448)
    """
    from scipy import special

    if trials < 1 or not 0 <= successes <= trials or successes != int(successes):
        raise ValueError(
            f"got {successes} of {trials}; wanted whole numbers, at least 1 trial and 0 <= successes <= trials"
        )
    _check_confidence(confidence)
    z, p = float(special.ndtri((1 + confidence) / 2)), successes / trials
    centre = (p + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(p * (1 - p) / trials + (z / (2 * trials)) ** 2)
    # At 0 and n the end is exactly the proportion; rounding must not put it beside.
    return Interval(p, min(p, max(0.0, centre - half)), max(p, min(1.0, centre + half)))


def accuracy_intervals(
    predicted: Sequence[Hashable] | Tensor, labels: Sequence[Hashable] | Tensor, confidence: float = 0.95
) -> dict[Hashable, Interval]:
    """Return the accuracy of one classifier on its test set, over all examples and for each class.

    It speaks of the choice of test examples only, not of what another seed of the training would have given.

    Args:
        predicted: the class predicted for each example.
        labels: the true class of each example.
        confidence: of each interval by itself, above 0 and below 1.

    Returns:
        Wilson intervals of shares from 0 to 1: under ``"all"`` for all examples, under each label for the examples
        of that class (its recall), the classes in ascending order.

    Shape:
        - predicted and labels: :math:`(N)`.

    Raises:
        ValueError: no examples, different lengths, or a confidence out of range.

    Source: Wilson 1927.

    Example:
        >>> shares = accuracy_intervals([0, 0, 1, 1], [0, 0, 0, 1])
        >>> {name: round(share.mean, 3) for name, share in shares.items()}
        {'all': 0.75, 0: 0.667, 1: 1.0}
    """
    predicted, labels = (v.tolist() if isinstance(v, Tensor) else list(v) for v in (predicted, labels))
    if len(predicted) != len(labels) or not labels:
        raise ValueError(
            f"got {len(predicted)} predictions for {len(labels)} labels; wanted one each, at least one"
        )
    right = {"all": [guess == label for guess, label in zip(predicted, labels, strict=True)]}
    for label in sorted(set(labels)):
        right[label] = [
            guess == label for guess, true in zip(predicted, labels, strict=True) if true == label
        ]
    return {name: proportion_interval(sum(hits), len(hits), confidence) for name, hits in right.items()}


def checked(values: Sequence[float] | Tensor, confidence: float = 0.95) -> list[float]:
    """Return ``values`` as a list of floats, or say what is wrong with them.

    Args:
        values: independent measurements; at least two.
        confidence: of an interval around their mean, above 0 and below 1.

    Returns:
        The values in their order.

    Shape:
        - values: :math:`(N)`

    Raises:
        ValueError: fewer than two values, NaN or infinity among them, or a confidence out of range.

    Example:
        >>> checked([1, 2])
        [1.0, 2.0]
    """
    numbers = [float(value) for value in values]
    if len(numbers) < 2:
        raise ValueError(f"got {len(numbers)} values; wanted at least 2: one has no spread")
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"got NaN or infinity among the values {numbers}; wanted finite numbers")
    _check_confidence(confidence)
    return numbers


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; wanted a fraction between 0 and 1, for example 0.95")


def _t_interval(values: Sequence[float] | Tensor, confidence: float, *, fresh: int) -> Interval:
    """Mean +- t s sqrt(1/n), and sqrt(1/n + 1) if a fresh value is to fall into it."""
    from scipy import special  # here, for only results need it

    numbers = checked(values, confidence)
    count, mean = len(numbers), math.fsum(numbers) / len(numbers)
    variance = math.fsum((number - mean) ** 2 for number in numbers) / (count - 1)
    half = float(special.stdtrit(count - 1, (1 + confidence) / 2)) * math.sqrt(variance * (1 / count + fresh))
    return Interval(mean, mean - half, mean + half)
