"""Checks for the exercises of chapter 3, on judging a classifier."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from labs.checks import Feedback, Sheet, is_missing
from labs.checks.answers import as_number, as_pair, as_tensor, quietly
from labs.statistics import interval, prediction_interval

#: The matrix of exercise 1, as ``sklearn.metrics.confusion_matrix`` prints it for the classes 0 and 1.
MATRIX = np.array([[900, 60], [10, 30]])

#: What a known mistake looks like: what it is, what it would give, and what to look at next.
Mistakes = dict[str, tuple[Callable[..., float], str]]

#: A promise, the arguments that test it, and what to look at if it is not kept.
Edges = Sequence[tuple[str, tuple, str]]

# --- exercise 1: a confusion matrix

_COUNTS, _RATES = ("TP", "FN", "FP", "TN"), ("precision", "recall")


def read_matrix(answer: Mapping[str, float]) -> Feedback:
    """Exercise 1: the four counts of ``MATRIX``, and its precision and recall."""
    sheet = Sheet()
    if is_missing(answer) or (isinstance(answer, Mapping) and all(map(is_missing, answer.values()))):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        hint = 'keep the dictionary: {"TP": ..., "FN": ..., "FP": ..., "TN": ..., "precision": ..., "recall": ...}'
        sheet.wrong(f"got {answer!r}", hint)
        return sheet.hand_back()
    given = {key: as_number(answer.get(key)) for key in (*_COUNTS, *_RATES)}
    absent = [key for key, value in given.items() if value is None or not math.isfinite(value)]
    if absent:
        sheet.wrong(f"no number yet for {', '.join(absent)}", "six numbers are needed")
        return sheet.hand_back()
    _judge_counts(sheet, tuple(given[key] for key in _COUNTS))
    _judge_rates(sheet, given["precision"], given["recall"])
    return sheet.hand_back()


def _judge_counts(sheet: Sheet, given: tuple[float, ...]) -> None:
    (tn, fp), (fn, tp) = MATRIX.tolist()
    mistakes = {
        (tn, fp, fn, tp): ("the first cell is taken for TP", "scikit-learn sorts the classes: 0 comes before 1, so the negatives come first"),
        (tn, fn, fp, tp): ("the first cell is taken for TP, and the columns for the truth", "the classes stand in the order 0, 1, and each row is one true class"),
        (tp, fp, fn, tn): ("FN and FP have changed places: the columns are taken for the truth", "a row holds the examples of one true class, a column those of one answer"),
    }  # fmt: skip
    if given == (tp, fn, fp, tn):
        sheet.right("the four counts: rows are the truth, and the negatives come first")
    elif given in mistakes:
        sheet.wrong(*mistakes[given])
    elif sorted(given) == sorted((tp, fn, fp, tn)):
        sheet.wrong("the four numbers stand in other places", "which row holds the true positives' class, 1?")
    else:
        sheet.wrong("these are not the four entries of the matrix", "each entry is one of the four counts")


def _judge_rates(sheet: Sheet, precision: float, recall: float) -> None:
    (tn, fp), (fn, tp) = MATRIX.tolist()
    right = (tp / (tp + fp), tp / (tp + fn))
    if _near(precision, right[1]) and _near(recall, right[0]):
        hint = "precision is a share of the alarms, recall a share of the positives: most of the sick are found, but most of those found are healthy"
        sheet.wrong("precision and recall have changed places", hint)
        return
    others = {
        "this is the accuracy": ((tp + tn) / (tp + tn + fp + fn), "the true negatives count in neither precision nor recall"),
        "this is the precision of the negatives": (tn / (tn + fn), "the positive class is 1, in the second row and column"),
        "this is the recall of the negatives, the specificity": (tn / (tn + fp), "the positive class is 1, in the second row and column"),
        "this is the false positive rate": (fp / (fp + tn), "it divides by the negatives, along the first row"),
        "this is the share of false alarms among the alarms": (fp / (tp + fp), "precision is what is left of it"),
        "this is the share of positives that were missed": (fn / (tp + fn), "recall is what is left of it"),
        "this is the prevalence": ((tp + fn) / (tp + tn + fp + fn), "which share of what was asked for?"),
        "this is F1": (2 * tp / (2 * tp + fp + fn), "that combines the two"),
    }  # fmt: skip
    hints = ("which share of the 90 alarms is right?", "which share of the 40 positives was found?")
    for name, value, wanted, hint in zip(_RATES, (precision, recall), right, hints, strict=True):
        if _near(value, wanted):
            sheet.right(f"{name} {wanted:.2f}")
        elif _near(value, 100 * wanted, 0.5):
            sheet.wrong(f"{name}: this is a percentage", "give a fraction from 0 to 1")
        else:
            known = next(((text, h) for text, (v, h) in others.items() if _near(value, v)), None)
            text, hint = known or (f"{value:.3g} is not it", hint)
            sheet.wrong(f"{name}: {text}", hint)


def _near(value: float, wanted: float, tolerance: float = 0.005) -> bool:
    return abs(value - wanted) <= tolerance + 1e-12


# --- exercises 2, 3 and 4: one number from a few


def prevalence_for_half(function: Callable[[float, float], float]) -> Feedback:
    """Exercise 2: the prevalence at which half of the alarms are right, from the two rates of the test."""
    mistakes: Mistakes = {
        "one half, whatever the rates: that is right only for TPR = FPR": (lambda t, f: 0.5, "half of the alarms shall be right, not half of the people ill"),
        "these are the odds, not the share": (lambda t, f: f / t, "sick : healthy = FPR : TPR; which share of all people are the sick?"),
        "this is the share of the healthy": (lambda t, f: t / (t + f), "the better the test, the rarer the disease may be: did you solve for 1 - prevalence?"),
        "this is a percentage": (lambda t, f: 100 * f / (t + f), "give a fraction from 0 to 1"),
        "this is the precision at a prevalence of 1 %": (lambda t, f: 0.01 * t / (0.01 * t + 0.99 * f), "set the precision to one half and solve for the prevalence"),
        "this is a false positive rate": (lambda t, f: f, "that is given; how many sick per healthy make the right and the wrong alarms equally many?"),
        "this balances the wrong pair": (lambda t, f: (1 - t) / (1 - t + f), "that makes misses and false alarms equally many; the alarms are the true and the false positives"),
        "this is the prevalence at which as many alarms as sick are expected": (lambda t, f: f / (1 - t + f), "the alarms shall be half right: TP = FP"),
    }  # fmt: skip
    edges: Edges = (
        ("a test without false alarms needs no sick people at all", (0.7, 0.0), "for FPR = 0 the prevalence is 0; do not divide by FPR"),
        ("a test that says nothing (TPR = FPR) needs one half", (0.3, 0.3), "an alarm then changes nothing: precision is the prevalence"),
        ("a test that says the opposite needs more than one half", (0.2, 0.6), "do not cut the search off at one half"),
    )  # fmt: skip
    return _formula(
        function,
        cases=((0.9, 0.09), (0.8, 0.02), (0.5, 0.2), (0.99, 0.3)),
        right=lambda t, f: f / (t + f),
        mistakes=mistakes,
        praise="the right and the wrong alarms are equally many",
        hint="set precision = prevalence * TPR / (prevalence * TPR + (1 - prevalence) * FPR) to one half",
        edges=edges,
        tolerance=1e-3,  # a search over a thousand prevalences is welcome
    )


def share_of_pairs(function: Callable[[np.ndarray, np.ndarray], float]) -> Feedback:
    """Exercise 3: the area under the ROC curve as the share of the pairs in the right order."""
    rng = np.random.default_rng(0)
    ten = (
        np.array([1, 1, 0, 1, 0, 1, 0, 1, 0, 0]),
        np.array([0.9, 0.8, 0.7, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]),
    )
    many = (rng.random(60) < 0.2).astype(int)
    tied = np.round(rng.normal(size=60) + 0.5 * many, 1)
    down = (rng.random(40) < 0.4).astype(int)
    low = np.round(rng.normal(size=40) - down, 1)

    def ordered(y: np.ndarray, s: np.ndarray, tie: float) -> float:
        difference = np.subtract.outer(s[y == 1], s[y == 0])
        return float(np.mean((difference > 0) + tie * (difference == 0)))

    def pairs(y: np.ndarray) -> int:
        return int(np.sum(y == 1) * np.sum(y == 0))

    mistakes: Mistakes = {
        "ties count nothing here": (lambda y, s: ordered(y, s, 0.0), "a positive and a negative with the same score count one half"),
        "ties count as if they were in order": (lambda y, s: ordered(y, s, 1.0), "a positive and a negative with the same score count one half; `>=` gives them one"),
        "this is a number of pairs": (lambda y, s: ordered(y, s, 0.5) * pairs(y), "divide by how many pairs of a positive and a negative there are"),
        "this counts the pairs in the wrong order": (lambda y, s: ordered(y, -s, 0.5), "the positive shall have the higher score"),
        "an area below one half is turned up": (lambda y, s: max(ordered(y, s, 0.5), ordered(y, -s, 0.5)), "a score that is worse than chance has an area below one half: leave it there"),
        "this divides by all pairs of examples": (lambda y, s: ordered(y, s, 0.5) * pairs(y) / (len(y) * (len(y) - 1) / 2), "two examples of the same class are no pair: N+ * N- are"),
        "this divides by the square of the number of examples": (lambda y, s: ordered(y, s, 0.5) * pairs(y) / len(y) ** 2, "two examples of the same class are no pair: N+ * N- are"),
        "this is the share in order minus the share in the wrong order": (lambda y, s: 2 * ordered(y, s, 0.5) - 1, "count the pairs in order only, and half of the ties"),
        "this is an accuracy": (lambda y, s: float(np.mean((s >= 0.5) == (y == 1))), "no threshold is needed: an area of 0.9 is not 90 % right"),
        "this is the average precision": (_average_precision, "that is the other curve; count pairs"),
        "tied examples move one after the other": (_steps_one_by_one, "how the examples happen to be sorted decides then; ties move together"),
    }  # fmt: skip
    one = np.array([0, 1]), np.array([-7.0, -3.0])
    edges: Edges = (
        ("all in order gives 1, also for negative scores", one, "compare the two scores, not each of them with a threshold"),
        ("all in the wrong order gives 0", (np.array([1, 0, 0]), np.array([0.1, 0.6, 0.9])), "an area below one half is possible"),
        ("all tied gives one half", (np.array([1, 0, 1, 0, 0]), np.full(5, 0.2)), "a pair with the same score counts one half"),
        ("a thousand times the scores give the same", (many, 1000 * tied), "only the order of the scores may enter"),
    )  # fmt: skip
    return _formula(
        function,
        cases=(ten, (many, tied), (down, low)),
        right=lambda y, s: ordered(y, s, 0.5),
        mistakes=mistakes,
        praise="the ten examples of the chapter, and two samples with ties in no particular order",
        hint="scores[labels == 1][:, None] - scores[labels == 0][None, :] is the table of all differences",
        edges=edges,
        tolerance=1e-6,
    )


def _average_precision(y: np.ndarray, s: np.ndarray) -> float:
    found, gained, area = 0, 0.0, 0.0
    for value in np.unique(s)[::-1]:
        yes = s >= value
        found = int(np.sum(y[yes]))
        area += (found / y.sum() - gained) * found / yes.sum()
        gained = found / y.sum()
    return area


def _steps_one_by_one(y: np.ndarray, s: np.ndarray) -> float:
    """Return the area below the staircase if tied examples move in the order of a stable sort."""
    climbed = np.cumsum(y[np.argsort(-s, kind="stable")])
    return float(np.sum(climbed[y[np.argsort(-s, kind="stable")] == 0]) / (y.sum() * (1 - y).sum()))


def precision_elsewhere(function: Callable[[float, float, float], float]) -> Feedback:
    """Exercise 4: from the precision on a balanced test set to that where positives are rare."""

    def from_fpr(r: float, fpr: float, q: float) -> float:
        return q * r / (q * r + (1 - q) * fpr)

    mistakes: Mistakes = {
        "precision is taken for a property of the classifier": (lambda p, r, q: p, "TPR and FPR stay when the mix of the classes changes; precision does not"),
        "1 - precision is taken for the false positive rate": (lambda p, r, q: from_fpr(r, 1 - p, q), "1 - precision is a share of the alarms, FPR a share of the negatives: which FPR gives this precision in a balanced set?"),
        "precision is taken for the true positive rate": (lambda p, r, q: from_fpr(p, 1 - r, q), "recall is the TPR; find the FPR from both at a prevalence of one half"),
        "1 - recall is taken for the false positive rate": (lambda p, r, q: from_fpr(r, 1 - r, q), "1 - recall is the share of positives that were missed; FPR is about the negatives"),
        "this multiplies by the prevalence": (lambda p, r, q: p * q, "the odds are multiplied, not the shares"),
        "this scales with the prevalence": (lambda p, r, q: 2 * p * q, "the odds are multiplied, not the shares: precision / (1 - precision) = odds of the prevalence * TPR / FPR"),
        "these are the odds, not the share": (lambda p, r, q: p / (1 - p) * q / (1 - q), "odds o are a share of o / (1 + o)"),
        "the prevalence is taken for its odds": (lambda p, r, q: (p / (1 - p) * q) / (1 + p / (1 - p) * q), "one in fifty is 1 : 49, not 1 : 50"),
        "this is the share of false alarms among the alarms": (lambda p, r, q: 1 - from_fpr(r, r * (1 - p) / p, q), "precision is what is left of it"),
        "the conversion goes the wrong way": (lambda p, r, q: from_fpr(r, r * (1 - p) / p, 1 - q), "positives are rarer than in the balanced set, so precision has to fall"),
        "this is the false positive rate": (lambda p, r, q: r * (1 - p) / p, "that is the first half of the way: put it into the formula of Bayes, with the new prevalence"),
        "this is a percentage": (lambda p, r, q: 100 * from_fpr(r, r * (1 - p) / p, q), "give a fraction from 0 to 1"),
    }  # fmt: skip
    edges: Edges = (
        ("where half are positive nothing changes", (0.7, 0.6, 0.5), "at a prevalence of one half the old precision has to come out"),
        ("without false alarms precision stays 1", (1.0, 0.4, 0.01), "precision 1 means FPR = 0: do not divide by 1 - precision, or by FPR"),
        ("alarms that say nothing (precision one half) are right as often as the prevalence", (0.5, 0.3, 0.02), "TPR = FPR there"),
        ("where positives are the rule precision rises", (0.6, 0.9, 0.8), "the formula holds for every prevalence"),
        ("a better recall at the same precision changes nothing", (0.9, 0.2, 0.02), "recall drops out: FPR is in proportion to it"),
    )  # fmt: skip
    return _formula(
        function,
        cases=((0.9, 0.8, 0.02), (0.75, 0.5, 0.1), (0.95, 0.6, 0.001)),
        right=lambda p, r, q: from_fpr(r, r * (1 - p) / p, q),
        mistakes=mistakes,
        praise="0.9 in the balanced set is about 0.16 where one in fifty is positive",
        hint="in a balanced set precision = TPR / (TPR + FPR): find FPR, then use the formula of Bayes",
        edges=edges,
        tolerance=1e-4,
    )


def _formula(
    function: Callable[..., float],
    *,
    cases: Sequence[tuple],
    right: Callable[..., float],
    mistakes: Mistakes,
    praise: str,
    hint: str,
    edges: Edges,
    tolerance: float,
) -> Feedback:
    """Compare a student's function with the right one, and if it differs with the mistakes we know."""
    sheet = Sheet()
    if is_missing(function) or is_missing(quietly(function, *_fresh(cases[0]))):
        return sheet.not_yet()
    given = []
    for case in cases:
        if _stops(function, *_fresh(case)):
            sheet.call(function, *_fresh(case))
            return sheet.hand_back()
        given.append(as_number(sheet.call(function, *_fresh(case))))

    def agrees(candidate: Callable[..., float]) -> bool:
        wanted = [candidate(*_fresh(case)) for case in cases]
        limits = [tolerance * max(1.0, abs(w)) for w in wanted]
        return all(g is not None and abs(g - w) <= at for g, w, at in zip(given, wanted, limits, strict=True))

    if not agrees(right):
        known = next((found for found, (wrong, _) in mistakes.items() if agrees(wrong)), None)
        if known:
            sheet.wrong(known, mistakes[known][1])
        elif None in given:
            sheet.wrong("that is not one number", "return a single number")
        else:
            sheet.wrong(
                f"this gives {', '.join(f'{value:.4g}' for value in given)}, not what is asked for", hint
            )
        return sheet.hand_back()
    sheet.right(praise)
    for promise, case, advice in edges:
        found = as_number(quietly(function, *_fresh(case)))
        if found is not None and abs(found - right(*_fresh(case))) <= tolerance:
            sheet.right(promise)
        else:
            sheet.wrong(promise, advice)
    return sheet.hand_back()


def _stops(function: Callable, *arguments: object) -> bool:
    """Return whether the student's function raises."""
    result = quietly(function, *arguments)
    return isinstance(result, str) and result == "raised"


def _fresh(case: tuple) -> tuple:
    """Return copies, so that a student's function cannot spoil what comes after it."""
    return tuple(value.copy() if isinstance(value, np.ndarray) else value for value in case)


# --- exercise 5: a threshold from costs


class _Part(NamedTuple):
    """One part of the data, with the two costs."""

    labels: np.ndarray
    scores: np.ndarray
    miss: float
    alarm: float

    def cost(self, threshold: float, *, strictly: bool = False) -> float:
        """Mean cost per example if everybody from ``threshold`` on is called positive."""
        yes = self.scores > threshold if strictly else self.scores >= threshold
        return float(np.mean(np.where(self.labels == 1, self.miss * ~yes, self.alarm * yes)))

    def least(self, *, within: bool = False) -> float:
        """The least cost that any threshold gives; ``within``: that says yes to somebody."""
        ends = [] if within else [np.inf]
        return min(map(self.cost, [*np.unique(self.scores), *ends]))

    def is_cheapest(self, threshold: float) -> bool:
        return self.cost(threshold) <= self.least() + 1e-9

    def at_best_f1(self, threshold: float) -> bool:
        def f1(t: float) -> float:
            yes = self.scores >= t
            return 2 * np.sum(yes & (self.labels == 1)) / max(1, yes.sum() + self.labels.sum())

        return f1(threshold) >= max(map(f1, np.unique(self.scores))) - 1e-9


def cheapest_threshold(function: Callable[..., tuple[float, float]]) -> Feedback:
    """Exercise 5: the threshold that is cheapest on one part of the data, and what it costs on another."""
    sheet = Sheet()
    worlds = _worlds()
    if is_missing(function) or is_missing(quietly(function, *_arguments(*worlds[0][1:]))):
        return sheet.not_yet()
    for promise, tune, judge in worlds:
        if _stops(function, *_arguments(tune, judge)):
            sheet.call(function, *_arguments(tune, judge))
            return sheet.hand_back()
        pair = as_pair(sheet.call(function, *_arguments(tune, judge)))
        if pair is None or math.isnan(pair[0]) or not math.isfinite(pair[1]):
            sheet.wrong(f"{promise}: that is not a threshold and a cost", "return the pair: threshold, cost")
            return sheet.hand_back()
        wrong = _wrong_threshold(tune, judge, pair[0]) or _wrong_cost(tune, judge, *pair)
        if wrong:
            sheet.wrong(f"{promise}: {wrong[0]}", wrong[1])
            return sheet.hand_back()
        sheet.right(promise)
    return sheet.hand_back()


def _worlds() -> list[tuple[str, _Part, _Part]]:
    """Samples on which the mistakes we know give other answers than the right one."""
    rng = np.random.default_rng(2)

    def sample(n: int, share: float, shift: float, miss: float, alarm: float, squeeze: Callable) -> _Part:
        labels = (rng.random(n) < share).astype(int)
        return _Part(labels, squeeze(rng.normal(size=n) + shift * labels), miss, alarm)

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x - 1))  # higher than the probability: not calibrated

    two = [sample(n, 0.25, 1.3, 5, 1, sigmoid) for n in (160, 200)]
    logits = [sample(n, 0.4, 1.5, 2, 1, lambda x: 8 * x - 3) for n in (150, 120)]
    points = [sample(n, 0.4, 2.0, 2.3, 3.1, lambda x: np.clip(np.round(x + 2), 0, 6)) for n in (200, 90)]
    labels = np.array([0, 1, 0, 1, 0, 0])
    silent = _Part(labels, np.array([0.9, 0.7, 0.6, 0.3, 0.2, 0.1]), 1, 30)
    always = _Part(labels, np.array([0.9, 0.7, 0.6, 0.05, 0.2, 0.1]), 90, 1)
    return [
        ("probabilities that are not calibrated", *two),
        ("scores that are no probabilities", *logits),
        ("scores with many ties, from 0 to 6", *points),
        ("where silence is cheapest", silent, silent._replace(labels=labels[::-1].copy())),
        ("where saying yes to all is cheapest", always, always._replace(labels=labels[::-1].copy())),
    ]


def _arguments(tune: _Part, judge: _Part) -> tuple:
    """What the student's function is called with: two pairs, and the two costs."""
    parts = [(part.labels.copy(), part.scores.copy()) for part in (tune, judge)]
    return (*parts, tune.miss, tune.alarm)


def _wrong_threshold(tune: _Part, judge: _Part, t: float) -> tuple[str, str] | None:
    if tune.is_cheapest(t):
        return None
    bayes = tune.alarm / (tune.alarm + tune.miss)
    swapped, equal = (part.is_cheapest(t) for part in (tune._replace(miss=tune.alarm, alarm=tune.miss), tune._replace(miss=1, alarm=1)))  # fmt: skip
    # A threshold that holds for `>` only is the score just below the right one.
    strict = min(tune.cost(s, strictly=True) for s in (*np.unique(tune.scores), -np.inf))
    known = (
        (tune.least() < tune.least(within=True) - 1e-9, "this still alarms for somebody", "silence is a choice too: try one threshold above all scores"),
        (judge.is_cheapest(t), "the threshold is the cheapest on the part that judges", "choose on the first part only; what is chosen on the judging part picks its luck as well"),
        (_is(t, 0.5), "the threshold is 0.5, whatever the costs", "0.5 is right for calibrated probabilities and equal costs"),
        (_is(t, bayes), "this is the Bayes threshold, and these scores are no calibrated probabilities", "try the scores of the first part as thresholds, and take the cheapest"),
        (_is(t, 1 - bayes), "this is the Bayes threshold with the costs exchanged, and these scores are no calibrated probabilities", "try the scores of the first part as thresholds, and take the cheapest"),
        (tune.cost(t, strictly=True) <= strict + 1e-9, "right for `>`", "the chapter says yes from the threshold on, `score >= t`: with ties that is another decision"),
        (swapped, "a miss and a false alarm have exchanged their costs", "a miss is a positive, label 1, that is not called one"),
        (equal, "this is the threshold with the fewest errors", "the errors have different costs here"),
        (tune.at_best_f1(t), "this is the threshold with the best F1", "F1 knows nothing of your costs"),
        (tune.cost(t) <= 1.25 * tune.least(), "near, but another threshold is cheaper", "the cost changes at the scores only: try each of them, not a grid, and one above all"),
    )  # fmt: skip
    hint = "for each score t of the first part: the mean of miss * (positive and score < t) + alarm * (negative and score >= t)"
    return next(
        ((finding, advice) for found, finding, advice in known if found),
        (f"{t:.4g} is not the cheapest threshold on the first part", hint),
    )


def _wrong_cost(tune: _Part, judge: _Part, t: float, paid: float) -> tuple[str, str] | None:
    right = judge.cost(t)
    if _is(paid, right):
        return None
    errors = judge._replace(miss=1, alarm=1).cost(t)
    known = (
        (tune.cost(t), "this cost is that of the part on which you chose", "the chosen threshold looks better there than it is: pay on the second part"),
        (judge.least(), "this is the least cost on the judging part", "a threshold that nobody could have known before: use the one chosen on the first part"),
        (right * len(judge.labels), "this is the total cost", "divide by the number of examples"),
        (right * 1000, "this is the cost per 1000 examples", "the exercise asks for the mean cost per example"),
        (judge._replace(miss=judge.alarm, alarm=judge.miss).cost(t), "the threshold is right, but the bill exchanges the two costs", "a miss is a positive, label 1, below the threshold"),
        (errors, "this is the share of errors", "each error has its cost"),
        (judge.cost(t, strictly=True), "the bill says yes for `score > t`", "whoever stands at the threshold is called positive: `>=`"),
    )  # fmt: skip
    return next(
        ((finding, advice) for value, finding, advice in known if _is(paid, value)),
        (f"{paid:.4g} is not the mean cost at {t:.4g} on the second part", "sum up the costs of its errors and divide by its size"),
    )  # fmt: skip


def _is(value: float, wanted: float) -> bool:
    return abs(value - wanted) <= 1e-6 * max(1.0, abs(wanted))


# --- exercise 6: two kinds of chance

_P, _INTERVAL = "McNemar's p-values", "the interval over the seeds"


def compare_twice(function: Callable[..., tuple]) -> Feedback:
    """Exercise 6: a p-value over the images for each seed, and the interval of the difference over the seeds."""
    sheet = Sheet()
    rng = np.random.default_rng(2)
    level = np.array([0.86, 0.70, 0.81, 0.65])[:, None]
    first, second = ((rng.random((4, 240)) < level + more).astype(int) for more in (0.04, 0.0))
    rare = np.ones((3, 150), dtype=int), np.ones((3, 150), dtype=int)
    rare[1][0, :2], rare[1][1, 5:8], rare[0][2, 9] = 0, 0, 0
    cases = (
        ("four seeds of two methods", first, second),
        ("the same with the methods exchanged", second, first),
        ("networks that disagree on a few images only", *rare),
        ("two seeds are enough for an interval", first[:2], second[:2]),
        ("where nothing differs there is no evidence: p = 1", first, first.copy()),
    )
    if is_missing(function) or is_missing(quietly(function, first.copy(), second.copy())):
        return sheet.not_yet()
    for promise, one, other in cases:
        answer = quietly(function, one.copy(), other.copy())
        if _stops(function, one.copy(), other.copy()):
            sheet.call(function, one.copy(), other.copy())
            if np.array_equal(one, other):
                sheet.wrong(promise, "binomtest(0, 0) is not defined: return 1.0 where b + c = 0")
            return sheet.hand_back()
        parts = _p_values_and_ends(answer)
        if parts is None:
            hint = "return the pair: one p-value per seed, and (lower end, upper end)"
            sheet.wrong(f"{promise}: that is not a list of p-values and an interval", hint)
            return sheet.hand_back()
        wrong = _wrong_p(one, other, parts[0]), _wrong_interval(one, other, parts[1])
        for name, finding in zip((_P, _INTERVAL), wrong, strict=True):
            if finding:
                sheet.wrong(f"{promise}, {name}: {finding[0]}", finding[1])
        if any(wrong):
            return sheet.hand_back()
        sheet.right(promise)
    return sheet.hand_back()


def _p_values_and_ends(answer: object) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the p-values and the two ends of the interval (its mean may stand before them), or ``None``."""
    try:
        p, ends = answer  # type: ignore[misc]
    except Exception:
        return None
    tensors = as_tensor(list(p) if isinstance(p, tuple) else p), as_tensor(ends)
    if tensors[0] is None or tensors[1] is None:
        return None
    values = tensors[0].reshape(-1).cpu().numpy(), tensors[1].reshape(-1).cpu().numpy()
    if len(values[1]) not in (2, 3) or not all(np.isfinite(v).all() for v in values):
        return None
    return values[0], values[1][-2:]


def _exact(b: int, c: int) -> float:
    """McNemar's exact two-sided p-value: ``b`` of ``b + c`` fair coins."""
    n = b + c
    return min(1.0, 2 * sum(math.comb(n, k) for k in range(min(b, c) + 1)) / 2**n)


def _wrong_p(one: np.ndarray, other: np.ndarray, given: np.ndarray) -> tuple[str, str] | None:
    b, c = ((x > y).sum(axis=1).tolist() for x, y in ((one, other), (other, one)))
    n, counts = one.shape[1], list(zip(b, c, strict=True))
    right = [_exact(*pair) for pair in counts]
    pooled = _exact(sum(b), sum(c))
    if len(given) == 1 < len(b) or (
        len(given) == len(b) and _all(given, [pooled] * len(b)) and not _all(given, right)
    ):
        if _is(float(given[0]), pooled):
            hint = "the same images were counted once per seed, as if they were new ones: test each seed by itself"
            return "all seeds are thrown together", hint
        return "one number for all seeds", "one p-value per seed, in a list"
    if len(given) != len(b):
        return f"got {len(given)} values for {len(b)} seeds", "one p-value per seed"
    if _all(given, right):
        return None
    hint = "scipy.stats.binomtest(b, b + c).pvalue, with b and c the images that only the one or only the other gets right"
    z = [(x - y) / math.sqrt(max(1, x + y)) for x, y in counts]
    corrected = [max(0.0, abs(x - y) - 1) / math.sqrt(max(1, x + y)) for x, y in counts]
    shares = list(zip(one.mean(axis=1), other.mean(axis=1), strict=True))
    apart = [(x - y) / math.sqrt(max(1e-12, (x + y) * (1 - (x + y) / 2) / n)) for x, y in shares]
    known = (
        ([p / 2 for p in right], "these are one-sided", "nobody said before which one would win: two sides"),
        ([_one_sided(*pair) for pair in counts], "these are one-sided", "nobody said before which one would win: two sides"),
        ([_one_sided(y, x) for x, y in counts], "these are one-sided", "nobody said before which one would win: two sides"),
        ([_two_sided(value) for value in z], "this is the approximation by chi squared", "with few images of disagreement it is off: use the exact binomial test"),
        ([_two_sided(value) for value in corrected], "this is the approximation by chi squared", "with few images of disagreement it is off: use the exact binomial test"),
        ([_two_sided(value) for value in apart], "this compares two accuracies as if they came from different images", "the images are the same: those that both get right, or both wrong, say nothing"),
        ([_exact(x, n - x) for x in b], "all images are counted as trials", "only the b + c images of disagreement are coins that may fall to either side"),
        ([1 - p for p in right], "this is 1 - p", "p is small where equal methods would hardly ever differ as much"),
    )  # fmt: skip
    found = next(((text, advice) for values, text, advice in known if _all(given, values)), None)
    return found or (f"got {np.round(given, 3).tolist()}", hint)


def _one_sided(b: int, c: int) -> float:
    return sum(math.comb(b + c, k) for k in range(b, b + c + 1)) / 2 ** (b + c)


def _two_sided(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))


def _wrong_interval(one: np.ndarray, other: np.ndarray, given: np.ndarray) -> tuple[str, str] | None:
    difference = one.mean(axis=1) - other.mean(axis=1)
    wanted = interval(difference.tolist())
    right = (wanted.low, wanted.high)
    if _all(given, right):
        return None
    middle, spread, seeds = wanted.mean, float(difference.std(ddof=1)), len(difference)
    images = (one - other).reshape(-1)
    apart = math.sqrt((one.mean(axis=1).var(ddof=1) + other.mean(axis=1).var(ddof=1)) / seeds)
    per_image = (one - other).mean(axis=0)
    fresh = prediction_interval(difference.tolist())
    pooled, by_image = (
        float(images.std()) / math.sqrt(images.size),
        float(per_image.std(ddof=1)) / math.sqrt(per_image.size),
    )
    degrees = {"over seeds": seeds - 1, "of two groups": 2 * seeds - 2}

    def around(half: float) -> tuple[float, float]:
        return middle - half, middle + half

    known = (
        ((-wanted.high, -wanted.low), "this is second minus first", "subtract the second from the first"),
        ((100 * wanted.low, 100 * wanted.high), "these are percentage points", "give fractions, from -1 to 1"),
        (around(1.96 * spread / math.sqrt(seeds)), "this takes 1.96 for the quantile", "the spread comes from a handful of seeds: Student's t is wider; labs.statistics.interval knows it"),
        (around(1.96 * spread), "this is the scatter of single seeds", "the interval is for the mean: divide by the root of the number of seeds, and use Student's t"),
        ((fresh.low, fresh.high), "this is the interval for one further seed", "the question is for the mean difference: labs.statistics.interval"),
        (around(1.96 * pooled), "this counts every image of every seed as a new one", "the seeds are the repetitions here: one difference per seed"),
        (around(1.96 * by_image), "this is an interval over the images", "it is blind to the seed: take one difference per seed"),
        *((around(_t(df) * apart), "this forgets that the seeds are pairs", "take the difference seed by seed, and the interval of these differences") for df in degrees.values()),
        ((float(difference.min()), float(difference.max())), "this is the range from the lowest to the highest seed", "labs.statistics.interval(differences)"),
    )  # fmt: skip
    found = next(((text, advice) for ends, text, advice in known if _all(given, ends, 2e-4)), None)
    hint = "one difference of the accuracies per seed, then labs.statistics.interval of these"
    return found or (f"got {given[0]:.4f} to {given[1]:.4f}", hint)


def _t(degrees: int) -> float:
    from scipy import stats  # here, for only this exercise needs it

    return float(stats.t.ppf(0.975, degrees))


def _all(given: Sequence[float], wanted: Sequence[float], tolerance: float = 1e-5) -> bool:
    return len(given) == len(wanted) and bool(np.allclose(given, wanted, rtol=0, atol=tolerance))
