"""Intervals and comparisons against scipy, closed forms, and simulated coverage."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from labs import results
from labs.statistics import (
    accuracy_intervals,
    bootstrap_interval,
    holm,
    interval,
    paired_comparison,
    prediction_interval,
    proportion_interval,
    rank_probabilities,
)

VALUES = [0.81, 0.84, 0.80, 0.86, 0.83]
OTHER = [0.80, 0.85, 0.78, 0.82, 0.80]


def coverage(make_interval, hits, trials):
    """How often ``hits`` says that the interval of a fresh sample holds what it should."""
    random = np.random.default_rng(0)
    return np.mean([hits(make_interval, random) for _ in range(trials)])


# --- intervals


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_the_interval_of_a_mean_is_scipys(confidence):
    mean, low, high = interval(VALUES, confidence)

    expected = stats.ttest_1samp(VALUES, 0.0).confidence_interval(confidence)
    assert (low, high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert mean == pytest.approx(np.mean(VALUES))


def test_the_prediction_interval_is_wider_by_the_root_of_n_plus_one():
    for_mean, for_next = interval(VALUES), prediction_interval(VALUES)

    assert for_next.mean == for_mean.mean
    assert for_next.high - for_next.mean == pytest.approx((for_mean.high - for_mean.mean) * math.sqrt(5 + 1))


def test_the_prediction_interval_holds_the_next_value_as_often_as_it_says():
    def hits(make, random):
        *seen, following = random.normal(3.0, 2.0, size=6)
        _, low, high = make(seen, 0.8)
        return low <= following <= high

    # 4000 trials at 0.8 have a standard error of 0.006; three of them.
    assert coverage(prediction_interval, hits, 4000) == pytest.approx(0.8, abs=0.019)


def test_results_still_offers_the_interval():
    assert results.interval is interval


@pytest.mark.parametrize("function", [interval, prediction_interval, bootstrap_interval])
@pytest.mark.parametrize(
    ("values", "message"),
    [([0.8], "at least 2"), ([], "at least 2"), ([0.8, math.nan], "NaN"), ([1, math.inf], "NaN")],
)
def test_too_few_values_and_nan_are_refused(function, values, message):
    with pytest.raises(ValueError, match=message):
        function(values)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95])
def test_a_confidence_in_per_cent_is_refused(confidence):
    for call in (
        lambda: interval(VALUES, confidence),
        lambda: prediction_interval(VALUES, confidence),
        lambda: bootstrap_interval(VALUES, confidence=confidence),
        lambda: proportion_interval(1, 2, confidence),
        lambda: paired_comparison(VALUES, OTHER, confidence=confidence),
    ):
        with pytest.raises(ValueError, match=r"fraction between 0 and 1"):
            call()


# --- bootstrap


def test_the_bootstrap_is_seeded_and_leaves_the_global_generators_alone():
    np.random.seed(3)
    torch.manual_seed(3)
    states = np.random.get_state()[1].copy(), torch.get_rng_state()

    first, again, other = (bootstrap_interval(VALUES, seed=seed) for seed in (0, 0, 1))

    assert first == again != other
    assert (np.random.get_state()[1] == states[0]).all()
    assert torch.equal(torch.get_rng_state(), states[1])


def test_the_bootstrap_of_many_gaussian_values_agrees_with_theory():
    values = np.random.default_rng(0).normal(size=400)

    low, high = bootstrap_interval(values, confidence=0.9)[1:]

    # 9999 resamples place each end within 2 % of the standard error 0.05; and BCa differs from t by O(1/n).
    expected = interval(values, 0.9)
    assert (low, high) == pytest.approx(expected[1:], abs=0.004)


def test_the_bootstrap_of_right_and_wrong_agrees_with_wilson():
    right = torch.tensor([1.0] * 870 + [0.0] * 130)

    share, low, high = bootstrap_interval(right, resamples=4999)

    # Shares come in steps of 0.001; two of them.
    assert (share, low, high) == pytest.approx(proportion_interval(870, 1000), abs=2e-3)


def test_the_bootstrap_works_for_other_statistics():
    values = np.random.default_rng(1).exponential(size=200)

    median, low, high = bootstrap_interval(values, np.median, resamples=999)

    assert median == np.median(values)
    assert low < median < high


def test_bca_covers_the_mean_of_skewed_values():
    def hits(make, random):
        _, low, high = make(random.exponential(size=30), confidence=0.9, resamples=400)
        return low <= 1 <= high

    # Known to cover a little less than it says at n = 30 (here about 0.87); 300 trials have a standard error of 0.02.
    assert 0.81 <= coverage(bootstrap_interval, hits, 300) <= 0.95


def test_too_few_resamples_are_refused():
    with pytest.raises(ValueError, match="at least 100"):
        bootstrap_interval(VALUES, resamples=10)


# --- proportions


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (8721, 10_000)])
def test_the_wilson_interval_is_scipys(successes, trials):
    p, low, high = proportion_interval(successes, trials, 0.9)

    expected = stats.binomtest(successes, trials).proportion_ci(0.9, method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= low <= p <= high <= 1


def test_the_wilson_interval_holds_the_true_share_about_as_often_as_it_says():
    def hits(make, random):
        _, low, high = make(int(random.binomial(200, 0.9)), 200)
        return low <= 0.9 <= high

    # The exact coverage at n = 200, p = 0.9, and three standard errors of 3000 trials.
    k = np.arange(201)
    inside = [low <= 0.9 <= high for _, low, high in (proportion_interval(int(i), 200) for i in k)]
    exact = stats.binom.pmf(k, 200, 0.9)[inside].sum()
    assert exact == pytest.approx(0.95, abs=0.02)
    assert coverage(proportion_interval, hits, 3000) == pytest.approx(exact, abs=0.012)


@pytest.mark.parametrize(("successes", "trials"), [(1, 0), (-1, 5), (6, 5), (0.5, 5)])
def test_counts_that_do_not_fit_are_refused(successes, trials):
    with pytest.raises(ValueError, match="0 <= successes <= trials"):
        proportion_interval(successes, trials)


def test_accuracy_by_class_counts_each_true_class():
    labels = torch.tensor([0] * 50 + [1] * 30 + [2] * 20)
    predicted = labels.clone()
    predicted[:10] = 1

    shares = accuracy_intervals(predicted, labels)

    assert shares["all"] == proportion_interval(90, 100)
    assert shares[0] == proportion_interval(40, 50)
    assert shares[1] == proportion_interval(30, 30)
    assert list(shares) == ["all", 0, 1, 2]


def test_predictions_without_labels_are_refused():
    with pytest.raises(ValueError, match="one each"):
        accuracy_intervals([0, 1], [0])
    with pytest.raises(ValueError, match="at least one"):
        accuracy_intervals([], [])


# --- paired comparisons


def test_a_paired_comparison_agrees_with_scipy():
    found = paired_comparison(VALUES, OTHER, confidence=0.9)

    t = stats.ttest_rel(VALUES, OTHER)
    ends = t.confidence_interval(0.9)
    d = np.subtract(VALUES, OTHER)
    assert found.difference == pytest.approx((d.mean(), ends.low, ends.high), rel=1e-9)
    assert found.t_p == pytest.approx(t.pvalue, rel=1e-9)
    assert found.effect_size == pytest.approx(d.mean() / d.std(ddof=1))
    assert (found.wins, found.losses, found.ties) == (4, 1, 0)
    assert found.sign_p == pytest.approx(stats.binomtest(4, 5).pvalue)


def test_the_permutation_p_value_counts_all_sign_patterns():
    """Differences 1, 2, 4: of the eight sums only +7 and -7 are as far from zero as 7; -1 + 2 + 4 = 5 has more."""
    three = paired_comparison([1.0, 2.0, 4.0], [0.0, 0.0, 0.0])
    mixed = paired_comparison([0.0, 2.0, 4.0], [1.0, 0.0, 0.0])

    assert three.permutation_p == 2 / 8
    assert mixed.permutation_p == 4 / 8  # 7, 5 and their negatives


def test_many_pairs_use_random_patterns_and_never_reach_zero():
    random = np.random.default_rng(0)
    noise = random.normal(size=40)

    clear = paired_comparison(5 + noise, 0 * noise)
    none = paired_comparison(noise - noise.mean() + 0.1, 0 * noise)

    assert 0 < clear.permutation_p < 1e-3
    # For Gaussian differences the sign-flip test agrees with the t test; 16384 patterns give 0.004.
    assert none.permutation_p == pytest.approx(none.t_p, abs=0.03)
    assert paired_comparison(5 + noise, 0 * noise) == clear


def test_without_a_difference_false_alarms_are_as_rare_as_promised():
    random = np.random.default_rng(0)
    p = [paired_comparison(*random.normal(size=(2, 7))).permutation_p for _ in range(800)]

    # Exact test: P(p <= 12/128) = 12/128 = 0.094; 800 trials have a standard error of 0.01.
    assert np.mean(np.array(p) <= 12 / 128) == pytest.approx(12 / 128, abs=0.031)


def test_seeds_pair_the_values_whatever_their_order():
    first = dict(enumerate(VALUES))
    second = dict(reversed(list(enumerate(OTHER))))

    assert paired_comparison(first, second) == paired_comparison(VALUES, OTHER)
    assert paired_comparison(torch.tensor(VALUES, dtype=torch.float64), OTHER) == paired_comparison(
        VALUES, OTHER
    )


def test_equal_and_constant_differences_have_clear_ends():
    same = paired_comparison(VALUES, VALUES)
    shifted = paired_comparison([v + 0.1 for v in VALUES], VALUES)

    assert (same.t_p, same.sign_p, same.permutation_p, same.effect_size, same.ties) == (1, 1, 1, 0, 5)
    assert shifted.effect_size == math.inf
    assert shifted.permutation_p == 2 / 2**5


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([1, 2, 3], [1, 2], "different numbers of values"),
        ({0: 1.0, 1: 2.0}, {0: 1.0, 2: 2.0}, r"differ in the seeds \[1, 2\]"),
        ({0: 1.0, 1: 2.0}, [1.0, 2.0], "for all or for none"),
        ([1.0], [2.0], "at least 2"),
        ([1.0, math.nan], [2.0, 3.0], "NaN"),
    ],
)
def test_values_that_do_not_pair_are_refused(first, second, message):
    with pytest.raises(ValueError, match=message):
        paired_comparison(first, second)


# --- many comparisons


def test_holm_multiplies_step_by_step_and_never_falls():
    # Worked by hand: 4 * 0.005, 3 * 0.01, 2 * 0.03, and 0.04 lifted to the one before it.
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02}
    )
    assert holm({"a": 0.7, "b": 0.9}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}


def test_holm_keeps_the_chance_of_any_false_alarm_small():
    random = np.random.default_rng(0)
    alarms = [min(holm(dict(enumerate(random.uniform(size=10)))).values()) <= 0.05 for _ in range(4000)]

    # 1 - (1 - 0.005)^10 = 0.0489 for ten independent true hypotheses; three standard errors of 4000 trials.
    assert np.mean(alarms) == pytest.approx(0.0489, abs=0.0105)


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_numbers_that_are_no_p_values_are_refused(p):
    with pytest.raises(ValueError, match="from 0 to 1"):
        holm({"a": 0.5, "b": p})


# --- ranks


def test_the_rank_of_one_fresh_seed_is_counted_over_all_pairs_of_values():
    a, b = [1.0, 3.0, 5.0], [2.0, 4.0]

    found = rank_probabilities({"a": a, "b": b}, of="seed", resamples=40_000)

    exact = np.mean([x > y for x in a for y in b])  # 3 of 6
    # Standard error 0.0025; three of them.
    assert found["a"][0] == pytest.approx(exact, abs=0.0075)


def test_pairing_sees_a_method_that_is_better_on_every_seed():
    base = {seed: value for seed, value in enumerate([0.70, 0.80, 0.90, 0.75])}
    better = {seed: value + 0.01 for seed, value in base.items()}

    paired = rank_probabilities({"base": base, "better": better}, of="seed")
    apart = rank_probabilities({"base": base, "better": better}, of="seed", paired=False)

    assert paired == {"base": [0.0, 1.0], "better": [1.0, 0.0]}
    assert 0.5 < apart["better"][0] < 0.7  # exactly 10 of 16 pairs of seeds


def test_the_rank_of_the_mean_agrees_with_the_normal_distribution():
    random = np.random.default_rng(0)
    a, b = random.normal(0.3, 1.0, size=60), random.normal(0.0, 1.0, size=60)

    found = rank_probabilities({"a": a, "b": b}, resamples=20_000)

    # Means of 60 are nearly normal; the standard deviations are those of the samples, with n and not n - 1.
    z = (a.mean() - b.mean()) / math.sqrt((a.var() + b.var()) / 60)
    assert found["a"][0] == pytest.approx(stats.norm.cdf(z), abs=0.015)


def test_probabilities_add_up_over_ranks_and_over_methods():
    random = np.random.default_rng(1)
    samples = {name: random.integers(0, 4, size=6).tolist() for name in "abcd"}  # whole numbers: many ties

    table = np.array(list(rank_probabilities(samples, of="seed").values()))

    np.testing.assert_allclose(table.sum(axis=0), 1)
    np.testing.assert_allclose(table.sum(axis=1), 1)


def test_methods_that_tie_share_their_ranks():
    found = rank_probabilities({"a": [1, 1], "b": [1, 1], "c": [0, 0]})

    assert found == {"a": [0.5, 0.5, 0.0], "b": [0.5, 0.5, 0.0], "c": [0.0, 0.0, 1.0]}


def test_for_a_loss_the_lowest_is_first_and_the_same_seed_repeats():
    samples = {"a": [0.2, 0.3, 0.4], "b": [0.25, 0.35, 0.3]}

    high, low = (rank_probabilities(samples, best=best) for best in ("highest", "lowest"))

    assert high["a"] == pytest.approx(low["a"][::-1])
    assert rank_probabilities(samples, best="lowest") == low
    assert rank_probabilities(samples, best="lowest", seed=1) != low


@pytest.mark.parametrize(
    ("samples", "setting", "message"),
    [
        ({"a": [1, 2]}, {}, "at least 2"),
        ({"a": [1, 2], "b": [1]}, {}, "at least 2"),
        ({"a": [1, 2], "b": [1, math.nan]}, {}, "NaN"),
        ({"a": [1, 2], "b": [1, 2, 3]}, {"paired": True}, "different numbers"),
        ({"a": [1, 2], "b": [1, 2]}, {"of": "median"}, "'seed' or 'mean'"),
        ({"a": [1, 2], "b": [1, 2]}, {"best": "largest"}, "'highest' or 'lowest'"),
    ],
)
def test_ranks_of_nothing_sensible_are_refused(samples, setting, message):
    with pytest.raises(ValueError, match=message):
        rank_probabilities(samples, **setting)


def test_a_difference_of_one_rounding_is_a_tie():
    result = paired_comparison([0.3, 0.3], [0.1 + 0.2, 0.3])

    assert (result.wins, result.losses, result.ties) == (0, 0, 2)
    assert (result.t_p, result.sign_p, result.permutation_p, result.effect_size) == (1.0, 1.0, 1.0, 0.0)
