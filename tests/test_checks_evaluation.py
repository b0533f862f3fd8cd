"""The checks of chapter 3 accept what is right, turn the starter away kindly, and know the usual mistakes."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn import metrics

from labs.checks import Feedback
from labs.checks import evaluation as check
from labs.statistics import interval, paired_comparison, prediction_interval

RIGHT = {"TP": 30, "FN": 10, "FP": 60, "TN": 900, "precision": 1 / 3, "recall": 0.75}
FUNCTIONS = (
    check.prevalence_for_half,
    check.share_of_pairs,
    check.precision_elsewhere,
    check.cheapest_threshold,
    check.compare_twice,
)


def silent(*_):
    """What a starter does: nothing."""


def dots(*_):
    """What a starter does that returns its dots."""
    return ...


@pytest.mark.parametrize(
    ("function", "starter"),
    [
        (check.read_matrix, dict.fromkeys(RIGHT, ...)),
        (check.read_matrix, {}),
        *((function, silent) for function in FUNCTIONS),
        *((function, dots) for function in FUNCTIONS),
    ],
)
@pytest.mark.parametrize("untouched", ["starter", None, ...])
def test_the_starter_is_turned_away_kindly(function, starter, untouched, capsys):
    feedback = function(starter if untouched == "starter" else untouched)

    assert isinstance(feedback, Feedback)
    assert not feedback.passed
    assert "Nothing to check yet" in capsys.readouterr().out


def raises(*_):
    raise ZeroDivisionError("by zero")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_error_in_the_answer_is_told_and_not_raised(function, capsys):
    assert not function(raises).passed
    assert "ZeroDivisionError" in capsys.readouterr().out


NONSENSE = [
    "text", "raised", "", 0, 1, 0.5, True, [], [1, 2], (1, 2), (None, None), ([], []), ([0.5] * 4, (0, 0)), {"a": 1},
    object(), float("nan"), (float("nan"), float("nan")), ("a", "b"), 1j, np.zeros(7), np.array(["a"]),
    np.array([0.5, 0.5]), torch.zeros(2), torch.ones(3, 4), (torch.zeros(4), torch.zeros(2)), lambda *_: 1,
    (np.full(4, np.nan), (0, 1)), ([0.1] * 4, ("a", "b")), ([0.1] * 4, None),
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda value: type(value).__name__)
def test_a_function_that_returns_nonsense_does_not_pass(function, nonsense):
    assert not function(lambda *_: nonsense).passed


@pytest.mark.parametrize("function", [check.read_matrix, *FUNCTIONS])
@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda value: type(value).__name__)
def test_nonsense_in_place_of_the_answer_does_not_pass(function, nonsense):
    assert not function(nonsense).passed


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_takes_nothing_does_not_pass(function, capsys):
    assert not function(lambda: 0.5).passed
    assert "TypeError" in capsys.readouterr().out


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_spoils_what_it_is_given_does_not_spoil_the_check(function):
    def spoil(*arguments):
        for part in arguments:
            for array in part if isinstance(part, tuple) else [part]:
                if isinstance(array, np.ndarray):
                    array[:] = 0
        return 0.5

    before = check.MATRIX.copy()

    assert not function(spoil).passed
    assert np.array_equal(check.MATRIX, before)


# --- exercise 1


def test_the_right_reading_passes_also_rounded_and_as_arrays():
    assert check.read_matrix(RIGHT).passed
    assert check.read_matrix({**RIGHT, "precision": 0.33}).passed
    assert check.read_matrix({key: np.array([value]) for key, value in RIGHT.items()}).passed
    assert check.read_matrix({key: torch.tensor(value) for key, value in RIGHT.items()}).passed


def test_the_matrix_is_laid_out_as_scikit_learn_prints_it():
    truth, said = np.repeat([1, 1, 0, 0], [30, 10, 60, 900]), np.repeat([1, 0, 1, 0], [30, 10, 60, 900])

    assert np.array_equal(metrics.confusion_matrix(truth, said), check.MATRIX)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"TP": 900, "FN": 60, "FP": 10, "TN": 30}, "the first cell is taken for TP\n"),
        ({"TP": 900, "FN": 10, "FP": 60, "TN": 30}, "and the columns for the truth"),
        ({"FN": 60, "FP": 10}, "FN and FP have changed places"),
        ({"TP": 10, "FN": 30}, "in other places"),
        ({"TP": 31}, "not the four entries"),
        ({"precision": 0.75, "recall": 1 / 3}, "precision and recall have changed places"),
        ({"precision": 33.3}, "precision: this is a percentage"),
        ({"recall": 75}, "recall: this is a percentage"),
        ({"precision": 0.93}, "this is the accuracy"),
        ({"recall": 0.9375}, "the specificity"),
        ({"precision": 0.99}, "precision of the negatives"),
        ({"recall": 0.0625}, "false positive rate"),
        ({"precision": 0.67}, "false alarms among the alarms"),
        ({"recall": 0.25}, "that were missed"),
        ({"recall": 0.04}, "prevalence"),
        ({"precision": 0.46}, "F1"),
        ({"precision": 0.5}, "which share of the 90 alarms"),
        ({"recall": ...}, "no number yet for recall"),
        ({"TP": None, "recall": float("nan")}, "no number yet for TP, recall"),
        ({"TP": "thirty"}, "no number yet for TP"),
        ({"TP": [30, 10]}, "no number yet for TP"),
    ],
)
def test_each_wrong_reading_gets_its_message(change, message, capsys):
    assert not check.read_matrix({**RIGHT, **change}).passed
    assert message in capsys.readouterr().out


# --- exercise 2


def searched(tpr, fpr):
    prevalence = np.linspace(0, 1, 2001)[1:-1]
    precision = prevalence * tpr / (prevalence * tpr + (1 - prevalence) * fpr)
    return prevalence[np.abs(precision - 0.5).argmin()]


def test_the_right_prevalence_passes_by_algebra_and_by_search():
    assert check.prevalence_for_half(lambda tpr, fpr: fpr / (tpr + fpr)).passed
    assert check.prevalence_for_half(searched).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda t, f: 0.5, "whatever the rates"),
        (lambda t, f: f / t, "the odds, not the share"),
        (lambda t, f: t / (t + f), "the share of the healthy"),
        (lambda t, f: 100 * f / (t + f), "percentage"),
        (lambda t, f: 0.01 * t / (0.01 * t + 0.99 * f), "precision at a prevalence of 1 %"),
        (lambda t, f: f, "this is a false positive rate"),
        (lambda t, f: (1 - t) / (1 - t + f), "the wrong pair"),
        (lambda t, f: f / (1 - t + f), "as many alarms as sick"),
        (lambda t, f: 1 / 11, "this gives"),
        (lambda t, f: 1 / (1 + t / f), "do not divide by FPR"),
        (lambda t, f: min(0.5, f / (t + f)), "do not cut the search off"),
    ],
)
def test_each_wrong_prevalence_gets_its_message(function, message, capsys):
    assert not check.prevalence_for_half(function).passed
    assert message in capsys.readouterr().out


# --- exercise 3


def pairs(tie, scale=lambda y: np.sum(y == 1) * np.sum(y == 0)):
    def function(y, s):
        difference = s[y == 1][:, None] - s[y == 0][None, :]
        return np.sum((difference > 0) + tie * (difference == 0)) / scale(y)

    return function


def by_u(y, s):
    return stats.mannwhitneyu(s[y == 1], s[y == 0]).statistic / pairs(0, lambda y: 1)(y, 0 * y + y * 1.0)


@pytest.mark.parametrize(
    "function", [pairs(0.5), by_u, metrics.roc_auc_score, lambda y, s: torch.tensor([pairs(0.5)(y, s)])]
)
def test_the_right_area_passes_by_any_way(function):
    assert check.share_of_pairs(function).passed


def staircase(y, s):
    order = np.argsort(-s, kind="stable")
    x, up = np.cumsum(1 - y[order]) / np.sum(y == 0), np.cumsum(y[order]) / np.sum(y == 1)
    return np.trapezoid(np.append(0, up), np.append(0, x))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (pairs(0), "ties count nothing"),
        (pairs(1), "as if they were in order"),
        (pairs(0.5, lambda y: 1), "a number of pairs"),
        (lambda y, s: 1 - pairs(0.5)(y, s), "in the wrong order"),
        (lambda y, s: max(pairs(0.5)(y, s), 1 - pairs(0.5)(y, s)), "turned up"),
        (pairs(0.5, lambda y: len(y) * (len(y) - 1) / 2), "all pairs of examples"),
        (pairs(0.5, lambda y: len(y) ** 2), "square of the number"),
        (lambda y, s: 2 * pairs(0.5)(y, s) - 1, "minus the share in the wrong order"),
        (lambda y, s: np.mean((s >= 0.5) == y), "this is an accuracy"),
        (metrics.average_precision_score, "average precision"),
        (staircase, "one after the other"),
        (lambda y, s: 0.7, "this gives"),
        (lambda y, s: pairs(0.5)(y, np.clip(s, -9, 9)), "only the order"),
        (lambda y, s: pairs(0.5)(y, s) if len(y) > 2 else 0.0, "also for negative scores"),
        (lambda y, s: pairs(0.5)(y, s) if np.ptp(s) else math.nan, "all tied gives one half"),
    ],
)
def test_each_wrong_area_gets_its_message(function, message, capsys):
    assert not check.share_of_pairs(function).passed
    assert message in capsys.readouterr().out


# --- exercise 4


def bayes(tpr, fpr, prevalence):
    return prevalence * tpr / (prevalence * tpr + (1 - prevalence) * fpr)


def in_odds(p, r, q):
    return p * q / (p * q + (1 - p) * (1 - q))


def test_the_right_precision_passes_in_rates_and_in_odds():
    assert check.precision_elsewhere(lambda p, r, q: bayes(r, r * (1 - p) / p, q)).passed
    assert check.precision_elsewhere(in_odds).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda p, r, q: p, "property of the classifier"),
        (lambda p, r, q: bayes(r, 1 - p, q), "1 - precision is taken for the false positive rate"),
        (lambda p, r, q: bayes(p, 1 - r, q), "precision is taken for the true positive rate"),
        (lambda p, r, q: bayes(r, 1 - r, q), "1 - recall is taken"),
        (lambda p, r, q: p * q, "multiplies by the prevalence"),
        (lambda p, r, q: 2 * p * q, "scales with the prevalence"),
        (lambda p, r, q: p / (1 - p) * q / (1 - q), "the odds, not the share"),
        (lambda p, r, q: p * q / (1 - p + p * q), "1 : 49, not 1 : 50"),
        (lambda p, r, q: 1 - in_odds(p, r, q), "false alarms among the alarms"),
        (lambda p, r, q: in_odds(p, r, 1 - q), "goes the wrong way"),
        (lambda p, r, q: r * (1 - p) / p, "this is the false positive rate"),
        (lambda p, r, q: 100 * in_odds(p, r, q), "percentage"),
        (lambda p, r, q: 9 / 58, "this gives"),
        (lambda p, r, q: 1 / (1 + 1 / (p / (1 - p) * q / (1 - q))), "do not divide by 1 - precision"),
        (lambda p, r, q: min(p, in_odds(p, r, q)), "for every prevalence"),
    ],
)
def test_each_wrong_precision_gets_its_message(function, message, capsys):
    assert not check.precision_elsewhere(function).passed
    assert message in capsys.readouterr().out


# --- exercise 5


def bill(part, t, miss, alarm, above=np.greater_equal):
    labels, scores = part
    yes = above(scores, t)
    return np.mean(miss * ((labels == 1) & ~yes) + alarm * ((labels == 0) & yes))


def everything(scores):
    return np.append(np.unique(scores), np.inf)


def solve(
    choose=lambda tune, judge: tune,
    pay=lambda tune, judge: judge,
    costs=lambda miss, alarm: (miss, alarm),
    paid=lambda miss, alarm: (miss, alarm),
    candidates=everything,
    above=np.greater_equal,
    above_paid=np.greater_equal,
    times=lambda judge: 1,
):
    """A solution, of which any part may be replaced by a wrong one."""

    def function(tune, judge, miss, alarm):
        part = choose(tune, judge)
        t = min(candidates(part[1]), key=lambda t: bill(part, t, *costs(miss, alarm), above))
        return t, bill(pay(tune, judge), t, *paid(miss, alarm), above_paid) * times(judge)

    return function


def at(threshold):
    def function(tune, judge, miss, alarm):
        t = threshold(miss, alarm)
        return t, bill(judge, t, miss, alarm)

    return function


def best_f1(tune, judge, miss, alarm):
    t = max(np.unique(tune[1]), key=lambda t: metrics.f1_score(tune[0], tune[1] >= t))
    return t, bill(judge, t, miss, alarm)


def least_afterwards(tune, judge, miss, alarm):
    t, _ = solve()(tune, judge, miss, alarm)
    return t, min(bill(judge, s, miss, alarm) for s in everything(judge[1]))


def halfway(scores):
    values = np.unique(scores)
    return np.concatenate([[values[0] - 1], (values[1:] + values[:-1]) / 2, [values[-1] + 1]])


@pytest.mark.parametrize("candidates", [everything, halfway, lambda s: [-np.inf, *everything(s)]])
def test_the_cheapest_threshold_passes_wherever_between_two_scores_it_lies(candidates):
    assert check.cheapest_threshold(solve(candidates=candidates)).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (solve(choose=lambda tune, judge: judge), "cheapest on the part that judges"),
        (at(lambda miss, alarm: 0.5), "whatever the costs"),
        (at(lambda miss, alarm: alarm / (alarm + miss)), "this is the Bayes threshold, and"),
        (at(lambda miss, alarm: miss / (alarm + miss)), "with the costs exchanged"),
        (solve(costs=lambda miss, alarm: (alarm, miss)), "have exchanged their costs"),
        (solve(costs=lambda miss, alarm: (1, 1)), "fewest errors"),
        (best_f1, "the best F1"),
        (solve(above=np.greater), "right for `>`"),
        (solve(candidates=lambda s: np.linspace(0, 1, 11)), "not a grid"),
        (solve(candidates=lambda s: np.linspace(0, 1, 100_001)), "scores that are no probabilities"),
        (solve(candidates=np.unique), "silence is a choice too"),
        (solve(candidates=lambda s: everything(s)[1:]), "yes to all is cheapest"),
        (at(lambda miss, alarm: np.inf), "not the cheapest threshold on the first part"),
        (solve(pay=lambda tune, judge: tune), "the part on which you chose"),
        (least_afterwards, "the least cost on the judging part"),
        (solve(times=lambda judge: len(judge[0])), "the total cost"),
        (solve(times=lambda judge: 1000), "per 1000 examples"),
        (solve(paid=lambda miss, alarm: (alarm, miss)), "the bill exchanges the two costs"),
        (solve(paid=lambda miss, alarm: (1, 1)), "the share of errors"),
        (solve(above_paid=np.greater), "the bill says yes for"),
        (solve(times=lambda judge: 0), "is not the mean cost"),
        (lambda *_: (0.5, math.nan), "not a threshold and a cost"),
        (lambda *_: 0.5, "not a threshold and a cost"),
    ],
)
def test_each_wrong_threshold_or_bill_gets_its_message(function, message, capsys):
    assert not check.cheapest_threshold(function).passed
    assert message in capsys.readouterr().out


# --- exercise 6


def by_image(one, other):
    b, c = int(np.sum(one > other)), int(np.sum(one < other))
    return stats.binomtest(b, b + c).pvalue if b + c else 1.0


def over_seeds(first, second):
    return interval((first.mean(axis=1) - second.mean(axis=1)).tolist())[1:]


def answer(p=by_image, ends=over_seeds):
    return lambda first, second: ([p(a, b) for a, b in zip(first, second, strict=True)], ends(first, second))


def library(first, second):
    p = [by_image(*pair) for pair in zip(first, second, strict=True)]
    return np.array(p), paired_comparison(
        first.mean(axis=1).tolist(), second.mean(axis=1).tolist()
    ).difference


def test_the_right_comparison_passes_also_with_the_mean_before_the_ends():
    assert check.compare_twice(answer()).passed
    assert check.compare_twice(library).passed
    assert check.compare_twice(
        lambda *a: (tuple(torch.tensor(p) for p in answer()(*a)[0]), answer()(*a)[1])
    ).passed


def chi_squared(one, other, less=0):
    b, c = np.sum(one > other), np.sum(one < other)
    return stats.chi2.sf(max(0, abs(b - c) - less) ** 2 / max(1, b + c), 1)


def unpaired(one, other):
    n, a, b = len(one), one.mean(), other.mean()
    mean = (a + b) / 2
    spread = math.sqrt(max(1e-12, 2 * mean * (1 - mean) / n))
    return 2 * stats.norm.sf(abs(a - b) / spread)


def one_sided(one, other):
    b, c = int(np.sum(one > other)), int(np.sum(one < other))
    return stats.binomtest(b, b + c, alternative="greater").pvalue if b + c else 1.0


def pooled(first, second):
    return by_image(first.reshape(-1), second.reshape(-1))


def around(half):
    """Ends at a distance of the mean difference that ``half`` computes from all differences."""

    def ends(first, second):
        difference = first - second
        return difference.mean() - half(difference), difference.mean() + half(difference)

    return ends


def two_groups(first, second):
    a, b = first.mean(axis=1), second.mean(axis=1)
    return stats.ttest_ind(a, b).confidence_interval()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (answer(lambda a, b: by_image(a, b) / 2), "one-sided"),
        (answer(one_sided), "one-sided"),
        (answer(lambda a, b: one_sided(b, a)), "one-sided"),
        (answer(chi_squared), "chi squared"),
        (answer(lambda a, b: chi_squared(a, b, 1)), "chi squared"),
        (answer(unpaired), "as if they came from different images"),
        (answer(lambda a, b: stats.binomtest(int(np.sum(a > b)), len(a)).pvalue), "counted as trials"),
        (answer(lambda a, b: 1 - by_image(a, b)), "1 - p"),
        (answer(lambda a, b: 0.05), "got [0.05"),
        (lambda f, s: ([pooled(f, s)], over_seeds(f, s)), "thrown together"),
        (lambda f, s: (pooled(f, s), over_seeds(f, s)), "thrown together"),
        (lambda f, s: ([pooled(f, s)] * len(f), over_seeds(f, s)), "thrown together"),
        (lambda f, s: (by_image(f[0], s[0]), over_seeds(f, s)), "one number for all seeds"),
        (lambda f, s: ([0.5] * 240, over_seeds(f, s)), "got 240 values"),
        (answer(ends=lambda f, s: over_seeds(s, f)), "second minus first"),
        (answer(ends=lambda f, s: [100 * v for v in over_seeds(f, s)]), "percentage points"),
        (answer(ends=around(lambda d: 1.96 * d.mean(1).std(ddof=1) / math.sqrt(len(d)))), "1.96"),
        (answer(ends=around(lambda d: 1.96 * d.mean(1).std(ddof=1))), "scatter of single seeds"),
        (
            answer(ends=lambda f, s: prediction_interval((f - s).mean(axis=1).tolist())[1:]),
            "one further seed",
        ),
        (answer(ends=around(lambda d: 1.96 * d.std() / math.sqrt(d.size))), "counts every image"),
        (
            answer(ends=around(lambda d: 1.96 * d.mean(0).std(ddof=1) / math.sqrt(d.shape[1]))),
            "an interval over the images",
        ),
        (answer(ends=two_groups), "forgets that the seeds are pairs"),
        (answer(ends=lambda f, s: ((f - s).mean(1).min(), (f - s).mean(1).max())), "lowest to the highest"),
        (answer(ends=lambda f, s: (-1, 1)), "got -1.0000 to 1.0000"),
        (answer(ends=lambda f, s: (0.0, math.inf)), "not a list of p-values and an interval"),
        (lambda f, s: over_seeds(f, s), "not a list of p-values and an interval"),
        (
            answer(lambda a, b: stats.binomtest(int(np.sum(a > b)), int(np.sum(a != b))).pvalue),
            "return 1.0 where b + c = 0",
        ),
    ],
)
def test_each_wrong_comparison_gets_its_message(function, message, capsys):
    assert not check.compare_twice(function).passed
    assert message in capsys.readouterr().out
