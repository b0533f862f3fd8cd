"""Compare methods honestly over seeds: paired differences, corrections for many tests, probabilities of ranks.

Intervals for one method by itself stand in ``labs.intervals``; its functions are to be had from here too.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from labs.intervals import (
    Interval,
    accuracy_intervals,
    bootstrap_interval,
    checked,
    interval,
    prediction_interval,
    proportion_interval,
)

__all__ = [
    "Interval",
    "PairedComparison",
    "accuracy_intervals",
    "bootstrap_interval",
    "holm",
    "interval",
    "paired_comparison",
    "prediction_interval",
    "proportion_interval",
    "rank_probabilities",
]

Values = Mapping[Hashable, float] | Sequence[float] | Tensor

_EXACT_UP_TO = 14  # pairs: all 2^14 sign patterns are looked at; beyond, as many random ones


class PairedComparison(NamedTuple):
    """How a first method differs from a second over the same seeds.

    Attributes:
        difference: mean of first minus second with its Student-t interval, in the unit of the values.
        wins, losses, ties: seeds on which the first value is larger, smaller, equal.
        t_p: p-value of the paired t test, from 0 to 1; trusts the differences to be Gaussian.
        permutation_p: two-sided p-value of the sign-flip test of the mean, from 0 to 1; exact for up to 14 seeds, and
            never below 2 to the power of one minus the number of seeds.
        sign_p: exact two-sided p-value of the sign test, from 0 to 1; ties are left out.
        effect_size: mean difference in units of the standard deviation of the differences; infinite if that is zero
            and the mean is not.

    Example:
        >>> result = paired_comparison([0.81, 0.84, 0.80], [0.80, 0.82, 0.80])
        >>> result.wins, result.losses, result.ties
        (2, 0, 1)
    """

    difference: Interval
    wins: int
    losses: int
    ties: int
    t_p: float
    permutation_p: float
    sign_p: float
    effect_size: float


def paired_comparison(
    first: Values, second: Values, *, confidence: float = 0.95, seed: int = 0
) -> PairedComparison:
    """Compare two methods that were run with the same seeds.

    What a seed does to both, such as drawing the same batches, cancels in the differences; so this sees smaller
    differences than a comparison of two means.

    Args:
        first, second: a value per seed, as a mapping from seed to value, or as two sequences in the same order.
        confidence: of the interval of the mean difference, above 0 and below 1.
        seed: of the random sign patterns; matters beyond 14 seeds only.

    Returns:
        The difference first minus second, and how surprising it would be if there were none.

    Shape:
        - first and second: :math:`(n)`, at least 2 values each.

    Raises:
        ValueError: different seeds or lengths, fewer than two values, NaN or infinity, a confidence out of range.

    Source: Student 1908 for the t test.

    Example:
        >>> result = paired_comparison({0: 0.81, 1: 0.84, 2: 0.80}, {0: 0.80, 1: 0.82, 2: 0.77})
        >>> round(result.difference.mean, 3), result.wins, result.permutation_p
        (0.02, 3, 0.25)
    """
    from scipy import stats  # here, for only statistics need it

    a, b = _paired({"first": first, "second": second})
    # Values that are equal on paper differ by rounding, 1e-16 of their size; that is a tie.
    rounding = 1e-13 * max(map(abs, [*a, *b]))
    differences = [x - y for x, y in zip(checked(a), checked(b), strict=True)]
    differences = [d if abs(d) > rounding else 0.0 for d in differences]
    mean = interval(differences, confidence)
    spread = math.sqrt(math.fsum((d - mean.mean) ** 2 for d in differences) / (len(differences) - 1))
    wins, losses = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    if spread <= rounding:
        effect = math.copysign(math.inf, mean.mean) if wins + losses else 0.0
        t_p = 0.0 if wins + losses else 1.0
    else:
        effect = mean.mean / spread
        t_p = float(stats.ttest_1samp(differences, 0.0).pvalue)
    sign_p = float(stats.binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0
    ties = len(differences) - wins - losses
    return PairedComparison(mean, wins, losses, ties, t_p, _sign_flip_p(differences, seed), sign_p, effect)


def holm(p_values: Mapping[Hashable, float]) -> dict[Hashable, float]:
    """Return p-values corrected for being many, by Holm's step-down procedure.

    If each is compared with 0.05, the probability of even one false alarm among all stays at most 0.05.

    Args:
        p_values: one per comparison, each from 0 to 1.

    Returns:
        The corrected values under the same names, in the same order, from 0 to 1.

    Raises:
        ValueError: a value outside 0..1 or NaN.

    Source: Holm 1979.

    Example:
        >>> holm({"GELU": 0.01, "SiLU": 0.04, "Tanh": 0.03})
        {'GELU': 0.03, 'SiLU': 0.06, 'Tanh': 0.06}
    """
    wrong = {name: p for name, p in p_values.items() if not 0 <= p <= 1}
    if wrong:
        raise ValueError(f"got the p-values {wrong}; wanted numbers from 0 to 1")
    corrected, largest = {}, 0.0
    for place, name in enumerate(sorted(p_values, key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[name]))
        corrected[name] = largest
    return {name: corrected[name] for name in p_values}


def rank_probabilities(
    samples: Mapping[str, Values],
    *,
    of: Literal["seed", "mean"] = "mean",
    best: Literal["highest", "lowest"] = "highest",
    paired: bool | None = None,
    resamples: int = 10_000,
    seed: int = 0,
) -> dict[str, list[float]]:
    """Return, for each method, the probability of each rank, estimated by a bootstrap over the seeds.

    Args:
        samples: per method a value per seed, as a mapping from seed to value or as a sequence.
        of: ``"mean"`` ranks the means of a fresh set of as many seeds, ``"seed"`` the values of one fresh seed.
        best: which value is rank one, the ``"highest"`` (an accuracy) or the ``"lowest"`` (a loss).
        paired: draw the same seeds for all methods; by default where all are mappings with the same seeds. Sequences
            of one length may be paired too, in their order.
        resamples: how often ranks are drawn; each probability is right within about ``1 / sqrt(resamples)``.
        seed: of the random generator; the same seed gives the same probabilities.

    Returns:
        Per method its probabilities, from 0 to 1, of rank 1, 2, ...; they add up to one, over the ranks of a method
        and over the methods at a rank. Methods that tie share their ranks equally.

    Raises:
        ValueError: fewer than two methods, a method with fewer than two values, NaN or infinity, ``paired`` methods
            with different seeds, an unknown ``of`` or ``best``, or fewer than one resample.

    Example:
        >>> rank_probabilities({"ReLU": [0.80, 0.81, 0.82], "Sigmoid": [0.60, 0.65, 0.70]})
        {'ReLU': [1.0, 0.0], 'Sigmoid': [0.0, 1.0]}
    """
    if len(samples) < 2 or resamples < 1:
        raise ValueError(f"got {len(samples)} methods and resamples={resamples}; wanted at least 2 and 1")
    if of not in ("seed", "mean") or best not in ("highest", "lowest"):
        raise ValueError(f"got of={of!r}, best={best!r}; wanted 'seed' or 'mean', and 'highest' or 'lowest'")
    if paired is None:
        maps = [values for values in samples.values() if isinstance(values, Mapping)]
        paired = len(maps) == len(samples) and all(set(values) == set(maps[0]) for values in maps)
    if paired:
        columns = _paired(samples)
    else:
        columns = [list(v.values() if isinstance(v, Mapping) else v) for v in samples.values()]
    values = [torch.tensor(checked(column), dtype=torch.float64) for column in columns]
    generator = torch.Generator().manual_seed(seed)
    drawn, scores = None, []
    for column in values:
        if drawn is None or not paired:
            size = (resamples, len(column) if of == "mean" else 1)
            drawn = torch.randint(len(column), size, generator=generator)
        scores.append(column[drawn].mean(dim=1))
    score = torch.stack(scores, dim=1)  # (resamples, methods)
    if best == "lowest":
        score = -score
    above = (score[:, None, :] > score[:, :, None]).sum(dim=2)[..., None]
    level = (score[:, None, :] == score[:, :, None]).sum(dim=2)[..., None]
    ranks = torch.arange(len(samples))
    share = ((ranks >= above) & (ranks < above + level)) / level.double()  # (resamples, methods, ranks)
    return dict(zip(samples, share.mean(dim=0).tolist(), strict=True))


def _paired(samples: Mapping[str, Values]) -> list[list[float]]:
    """The values of each method in one common order of the seeds."""
    maps = {name: values for name, values in samples.items() if isinstance(values, Mapping)}
    if maps and len(maps) < len(samples):
        raise ValueError(f"got a mapping from seeds for {list(maps)} only; wanted it for all or for none")
    if maps:
        seeds = list(next(iter(maps.values())))
        for name, values in maps.items():
            if set(values) != set(seeds):
                odd = sorted(set(values) ^ set(seeds), key=str)
                raise ValueError(
                    f"{name!r} and {next(iter(maps))!r} differ in the seeds {odd}; wanted the same"
                )
        return [[float(values[seed]) for seed in seeds] for values in maps.values()]
    columns = [[float(value) for value in values] for values in samples.values()]
    if len({len(column) for column in columns}) > 1:
        sizes = {name: len(column) for name, column in zip(samples, columns, strict=True)}
        raise ValueError(
            f"got different numbers of values, {sizes}; wanted one per seed for each, in one order"
        )
    return columns


def _sign_flip_p(differences: list[float], seed: int) -> float:
    """Share of the sign patterns whose mean is at least as far from zero as the one seen."""
    import numpy as np
    from scipy import stats

    return float(
        stats.permutation_test(
            (np.asarray(differences),),
            np.mean,
            permutation_type="samples",
            n_resamples=2**_EXACT_UP_TO,
            vectorized=True,
            rng=np.random.default_rng(seed),
        ).pvalue
    )
