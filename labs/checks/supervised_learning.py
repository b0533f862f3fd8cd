"""Checks for the exercises of chapter 1, on supervised learning."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from labs.checks import Feedback, Sheet, is_missing
from labs.checks.answers import as_number, as_pair

#: What a known mistake looks like: what it is, what it would give, and what to look at next.
Mistakes = dict[str, tuple[Callable[..., float], str]]

# --- what several exercises need


def _numbers(sheet: Sheet, answer: object, keys: Sequence[str]) -> dict[str, float] | None:
    """Return the numbers of a student's dictionary, or note what is not one and return ``None``."""
    if not isinstance(answer, Mapping):
        hint = f"keep the dictionary with its keys {', '.join(map(repr, keys))}"
        sheet.wrong(f"got {type(answer).__name__} in place of the dictionary", hint)
        return None
    found = {key: as_number(answer.get(key)) for key in keys}
    absent = [key for key, value in found.items() if value is None or not math.isfinite(value)]
    if absent:
        sheet.wrong(f"no number yet for: {', '.join(absent)}", f"{len(keys)} numbers are needed")
        return None
    return found


def _is_untouched(answer: object) -> bool:
    return is_missing(answer) or (isinstance(answer, Mapping) and all(map(is_missing, answer.values())))


def _near(value: float, wanted: float, tolerance: float = 0.005) -> bool:
    return abs(value - wanted) <= tolerance + 1e-12


def _is(value: float, wanted: float) -> bool:
    return abs(value - wanted) <= 1e-5 * max(1.0, abs(wanted))


def _fresh(case: object) -> object:
    """Return a copy, so that a student's function cannot spoil what comes after it."""
    if isinstance(case, np.ndarray):
        return case.copy()
    return tuple(map(_fresh, case)) if isinstance(case, tuple) else case


def _run(sheet: Sheet, function: Callable, cases: Sequence[tuple]) -> list | None:
    """Return what the student's function gives for each case; after an error note it and return ``None``."""
    found = []
    for case in cases:
        try:
            found.append(function(*_fresh(case)))
        except Exception as error:
            name = getattr(function, "__name__", "your function")
            finding = f"{name} stopped with {type(error).__name__}: {error}"
            sheet.wrong(finding, "call it yourself on a small example")
            return None
    return found


# --- exercise 1: the memoriser at another noise

_FLIPPED = 0.2
_NOISE_KEYS = ("training error", "best possible", "nearest neighbour")


def where_it_ends(answer: Mapping[str, float]) -> Feedback:
    """Exercise 1: three shares of mistakes where one label in five is flipped."""
    sheet = Sheet()
    if _is_untouched(answer):
        return sheet.not_yet()
    given = _numbers(sheet, answer, _NOISE_KEYS)
    if given is None:
        return sheet.hand_back()
    r = _FLIPPED
    limit = 2 * r * (1 - r)
    known = {
        "training error": (
            0.0,
            "the memoriser finds every training point again: no mistake on them",
            {
                r: ("the flipped labels are stored too", "asked about a training point it gives the label it has kept for it, right or wrong"),
                limit: ("that is on fresh points", "asked about a training point it finds that very point"),
            },
            "what is the nearest stored point to a stored point?",
        ),
        "best possible": (
            r,
            "nobody can be right about a flipped label: the Bayes risk is 0.2",
            {
                0.0: ("no classifier gets there", "a fresh point has its label flipped too, one time in five"),
                limit: ("that is what the nearest neighbour reaches", "who knows the border is wrong about the flipped labels only"),
                1 - r: ("that is the share of right answers", "count the mistakes"),
                0.1: ("that is the Bayes risk of the chapter", "here one label in five is flipped"),
                0.5: ("that is a guess", "four labels in five tell the truth"),
            },
            "min(p, 1 - p) at every point, with p = 0.8 or 0.2",
        ),
        "nearest neighbour": (
            limit,
            "two labels, each flipped one time in five, differ in 0.32 of the cases",
            {
                0.0: ('"zero training error is good": it is zero on the points that are stored, and says nothing about fresh ones', "the label of the neighbour and the fresh label may both be flipped, independently"),
                r: ("that is the Bayes risk: only one of the two labels is taken for unreliable", "the stored label of the neighbour can be the flipped one, and so can the fresh label"),
                2 * r: ("that is 2 R*, an upper bound", "where both labels are flipped they agree again: subtract that"),
                1 - (1 - r) ** 2: ("this counts two flips as a mistake", "where both labels are flipped they agree"),
                r * (1 - r): ("that is one of two ways to disagree", "stored right and fresh flipped, or the other way round"),
                r**2: ("this is how often both labels are flipped", "then they agree; when do they differ?"),
                1 - limit: ("that is how often it is right", "count the mistakes"),
                0.18: ("that is the limit for one label in ten", "here it is one in five"),
                0.5: ("that is a guess", "four labels in five tell the truth; the neighbour is better than a coin"),
            },
            "the limit is 2 p (1 - p) at every point",
        ),
    }  # fmt: skip
    for key, (wanted, praise, mistakes, hint) in known.items():
        _judge_number(sheet, key, given[key], wanted, praise, mistakes, hint)
    return sheet.hand_back()


def _judge_number(
    sheet: Sheet,
    key: str,
    given: float,
    wanted: float,
    praise: str,
    mistakes: dict[float, tuple[str, str]],
    hint: str,
) -> None:
    """Note whether a share is the wanted one, one of those we know, or something else."""
    if _near(given, wanted):
        sheet.right(f"{key}: {praise}")
    elif wanted and _near(given, 100 * wanted, 0.5):
        sheet.wrong(f"{key}: this is a percentage", "give a fraction from 0 to 1")
    else:
        found = next((text for value, text in mistakes.items() if _near(given, value)), None)
        text, advice = found or (f"{given:.3g} is not it", hint)
        sheet.wrong(f"{key}: {text}", advice)


# --- exercise 2: the best of many coins

_COINS, _EXAMPLES, _TARGET = 1000, 50, 0.55
_COIN_KEYS = ("validation accuracy", "fresh accuracy", "examples needed")


@lru_cache(maxsize=64)
def _best_of(coins: int, examples: int) -> float:
    """The expected accuracy of the best of many coins on the examples it was chosen with."""
    from scipy import stats  # here, for only two exercises need it

    below = stats.binom.cdf(np.arange(examples), examples, 0.5)
    return float(np.sum(1 - below**coins) / examples)


def best_coin(answer: Mapping[str, float]) -> Feedback:
    """Exercise 2: how good the best of a thousand coins looks, how good it is, and how many examples show that."""
    sheet = Sheet()
    if _is_untouched(answer):
        return sheet.not_yet()
    given = _numbers(sheet, answer, _COIN_KEYS)
    if given is None:
        return sheet.hand_back()
    looks, fresh, needed = (given[key] for key in _COIN_KEYS)
    _judge_looks(sheet, looks)
    if _near(fresh, 0.5, 0.015):
        sheet.right("on fresh examples it is a coin: 0.5")
    elif _near(fresh, 50, 1.5):
        sheet.wrong("fresh accuracy: this is a percentage", "give a fraction from 0 to 1")
    elif _near(fresh, looks, 0.015):
        finding = (
            '"the validation error of the model I chose is its risk": it is the luck of the best of many'
        )
        sheet.wrong(finding, "nothing about the coin has changed by choosing it: toss it again")
    elif fresh < 0.5:
        hint = "a coin does not remember: earlier luck is not paid back"
        sheet.wrong(f"fresh accuracy: {fresh:.3g} is worse than a coin", hint)
    else:
        sheet.wrong(f"fresh accuracy: {fresh:.3g} is not it", "what can a coin know about fresh examples?")
    _judge_needed(sheet, needed)
    return sheet.hand_back()


def _judge_looks(sheet: Sheet, looks: float) -> None:
    wanted, hundred = _best_of(_COINS, _EXAMPLES), _best_of(100, _EXAMPLES)
    mistakes = (
        (hundred, "that is the best of a hundred coins", "change the number of coins to 1000"),
        (0.5, "that is the mean over the coins", "the best of the thousand is chosen: the largest of their accuracies"),
        (1 - wanted, "that is the worst coin", "the largest accuracy, not the smallest"),
        (_best_of(50, 1000), "coins and examples have changed places", "a thousand coins, fifty examples"),
        (_best_of(_COINS, 500), "that is with 500 examples", "leave the fifty examples as they are"),
        (0.5 + 10 * (hundred - 0.5), "ten times as many coins are not ten times as lucky", "run it; the luck of the best grows far more slowly than their number"),
        (1.0, "so lucky is not even the best of a thousand", "take the mean over the tries, not the largest of all"),
    )  # fmt: skip
    if _near(looks, wanted, 0.01):
        sheet.right(f"the best of a thousand coins looks {wanted:.2f} good on fifty examples")
    elif _near(looks, 100 * wanted, 1):
        sheet.wrong("validation accuracy: this is a percentage", "give a fraction from 0 to 1")
    else:
        known = next(((text, hint) for value, text, hint in mistakes if _near(looks, value, 0.008)), None)
        text, hint = known or (f"{looks:.3g} is not it", "best_of(1000, 50), the mean over many tries")
        sheet.wrong(f"validation accuracy: {text}", hint)


def _judge_needed(sheet: Sheet, needed: float) -> None:
    hint = "the luck of an average shrinks with the root of the number of examples"
    if needed < 1 or needed != round(needed):
        sheet.wrong("examples needed: this is not a number of examples", "give a whole number, at least 1")
        return
    if needed > 100_000:
        sheet.wrong("examples needed: far more than that", hint)
        return
    shown = _best_of(_COINS, int(needed))
    excess = _best_of(_COINS, _EXAMPLES) - 0.5
    linear, ten = _EXAMPLES * excess / (_TARGET - 0.5), 10 * _EXAMPLES
    if _near(shown, _TARGET):
        sheet.right(f"on {needed:.0f} examples the best of a thousand looks no better than {shown:.3f}")
    elif _near(needed, linear, 0.12 * linear):
        finding = f"examples needed: that is as if luck shrank with the number of examples; on {needed:.0f} the best still looks {shown:.3f}"
        sheet.wrong(finding, hint)
    elif _near(needed, ten, 1):
        finding = f"examples needed: ten times the coins do not ask for ten times the examples; on {needed:.0f} the best still looks {shown:.3f}"
        sheet.wrong(finding, hint)
    elif shown > _TARGET:
        sheet.wrong(f"examples needed: on {needed:.0f} the best still looks {shown:.3f}", hint)
    else:
        sheet.wrong(f"examples needed: on {needed:.0f} the best looks {shown:.3f}, fewer will do", hint)


# --- exercise 3: hinge loss and mistakes


def hinge_and_mistakes(function: Callable[[np.ndarray, np.ndarray], tuple[float, float]]) -> Feedback:
    """Exercise 3: the mean hinge loss and the share of mistakes, from labels and scores."""
    sheet = Sheet()
    if is_missing(function):
        return sheet.not_yet()
    rng = np.random.default_rng(3)
    label = np.where(rng.random(41) < 0.3, 1, -1)
    score = np.round(2 * rng.normal(size=41) + 0.7 * label) / 2
    score[[0, 1, 2]], label[[0, 1, 2]] = 0.0, (1, -1, -1)
    right = rng.choice([-1, 1], 8)
    cases = [
        (np.array([1, 1, -1, -1]), np.array([2.0, 0.5, 0.3, -4.0])),
        (label, score),
        (right, right * rng.uniform(1.5, 60, 8)),
        (np.array([-1]), np.array([0.25])),
        (np.array([1, -1]), np.array([0.0, 0.0])),
    ]
    found = _run(sheet, function, cases)
    if found is None:
        return sheet.hand_back()
    if all(map(is_missing, found)):
        return sheet.not_yet()
    pairs = [as_pair(answer) for answer in found]
    if None in pairs:
        sheet.wrong("that is not a pair of numbers", "return mean hinge loss, share of mistakes")
        return sheet.hand_back()
    losses, shares = zip(*pairs, strict=True)
    _judge_part(sheet, cases, losses, shares, _HINGE)
    _judge_part(sheet, cases, shares, losses, _SHARE)
    return sheet.hand_back()


def _hinge(y: np.ndarray, s: np.ndarray) -> float:
    return float(np.mean(np.maximum(0, 1 - y * s)))


def _share(y: np.ndarray, s: np.ndarray) -> float:
    return float(np.mean(y * s <= 0))


class _Part(NamedTuple):
    """One of the two numbers: what it is called, how it is found, and what one may find instead."""

    name: str
    right: Callable[[np.ndarray, np.ndarray], float]
    other: Callable[[np.ndarray, np.ndarray], float]
    praise: str
    hint: str
    mistakes: Mistakes


_HINGE = _Part(
    "mean hinge loss",
    _hinge,
    _share,
    "the mean of max(0, 1 - y s), also where the sign is right and the margin small",
    "one margin y * s per example; max(0, 1 - margin); the mean",
    {
        "a margin above one is paid back": (lambda y, s: np.mean(1 - y * s), "there is nothing below zero: np.maximum(0, ...)"),
        "the maximum is taken of the mean, not of each example": (lambda y, s: max(0.0, np.mean(1 - y * s)), "a good example must not pay for a bad one: np.maximum first, then the mean"),
        "the labels do not enter": (lambda y, s: np.mean(np.maximum(0, 1 - s)), "the margin is the label times the score"),
        "a margin of zero is taken for enough": (lambda y, s: np.mean(np.maximum(0, -y * s)), "the hinge loss asks for a margin of at least one"),
        "the sign of the margin is turned round": (lambda y, s: np.mean(np.maximum(0, 1 + y * s)), "a large positive margin costs nothing: 1 - y * s"),
        "labels 0 and 1 are used": (lambda y, s: np.mean(np.maximum(0, 1 - (y + 1) / 2 * s)), "with y = 0 every example of that class costs 1, whatever its score: use -1 and +1"),
        "the scores are turned into signs first": (lambda y, s: np.mean(np.maximum(0, 1 - y * np.sign(s))), "the size of the score is what the loss is about"),
        "this is a sum": (lambda y, s: np.sum(np.maximum(0, 1 - y * s)), "divide by the number of examples"),
        "this is the mean over those that pay": (lambda y, s: np.sum(np.maximum(0, 1 - y * s)) / max(1, np.sum(y * s < 1)), "divide by the number of all examples"),
        "this is the squared hinge": (lambda y, s: np.mean(np.maximum(0, 1 - y * s) ** 2), "without the square"),
        "this is the squared loss": (lambda y, s: np.mean((y - s) ** 2), "that one charges a score of 3 on the right side as well"),
        "this is the distance of the margin from one": (lambda y, s: np.mean(np.abs(1 - y * s)), "a margin above one costs nothing: a maximum with zero, not an absolute value"),
        "this is the logistic loss": (lambda y, s: np.mean(np.logaddexp(0, -y * s)), "max(0, 1 - y s)"),
        "this is the largest loss": (lambda y, s: np.max(np.maximum(0, 1 - y * s)), "take the mean"),
    },
)  # fmt: skip
_SHARE = _Part(
    "share of mistakes",
    _share,
    _hinge,
    "a mistake is a margin that is not positive, a score of zero included",
    "the mean of y * s <= 0",
    {
        "this is the share of right answers": (lambda y, s: np.mean(y * s > 0), "count the mistakes"),
        "a score of zero is taken for right": (lambda y, s: np.mean(y * s < 0), "its sign decides nothing, so the chapter counts it as a mistake: y * s <= 0"),
        "a score of zero is taken for class -1": (lambda y, s: np.mean(np.where(s > 0, 1, -1) != y), "its sign decides nothing: a mistake for both classes"),
        "a score of zero is taken for class +1": (lambda y, s: np.mean(np.where(s >= 0, 1, -1) != y), "its sign decides nothing: a mistake for both classes"),
        "this counts every margin below one": (lambda y, s: np.mean(y * s < 1), "right with a small margin costs hinge loss, but it is right"),
        "this counts every margin that is at most one": (lambda y, s: np.mean(y * s <= 1), "right with a small margin is right"),
        "this compares the score with the label": (lambda y, s: np.mean(s != y), "compare the sign of the score with the label"),
        "this is a number of mistakes": (lambda y, s: np.sum(y * s <= 0), "divide by the number of examples"),
        "this is a percentage": (lambda y, s: 100 * np.mean(y * s <= 0), "give a fraction from 0 to 1"),
        "this counts the negative scores": (lambda y, s: np.mean(s < 0), "for the examples of class -1 a negative score is right"),
    },
)  # fmt: skip


def _judge_part(
    sheet: Sheet, cases: Sequence[tuple], given: Sequence[float], beside: Sequence[float], part: _Part
) -> None:
    """Note whether one of the two numbers is right on all cases, and if not which mistake fits."""

    def agrees(candidate: Callable[..., float], values: Sequence[float]) -> bool:
        return all(_is(v, float(candidate(*case))) for v, case in zip(values, cases, strict=True))

    if agrees(part.right, given):
        sheet.right(f"{part.name}: {part.praise}")
        return
    if agrees(part.other, given) and agrees(part.right, beside):
        sheet.wrong(f"{part.name}: the two numbers have changed places", "the hinge loss comes first")
        return
    known = next((text for text, (wrong, _) in part.mistakes.items() if agrees(wrong, given)), None)
    if known:
        sheet.wrong(f"{part.name}: {known}", part.mistakes[known][1])
    else:
        first = next(i for i, case in enumerate(cases) if not _is(given[i], part.right(*case)))
        labels, scores = (values[:5].tolist() for values in cases[first])
        what = f"for labels {labels} and scores {scores}" if len(cases[first][0]) < 6 else "for many examples"
        sheet.wrong(
            f"{part.name}: {what} this gives {given[first]:.4g}, not {part.right(*cases[first]):.4g}",
            part.hint,
        )


# --- exercise 4: the Bayes risk of two clouds


def bayes_risk(function: Callable[[float, float], float]) -> Feedback:
    """Exercise 4: the Bayes risk of two clouds, from the distance of their centres and their width."""

    def phi(t: float) -> float:
        return 0.5 * math.erfc(-t / math.sqrt(2))

    def right(d: float, w: float) -> float:
        return phi(-d / (2 * w))

    mistakes: Mistakes = {
        "this does not depend on the distance": (lambda d, w: phi(-1.0), "0.159 is right for centres that lie 2 apart, with standard deviation 1"),
        "the width does not enter": (lambda d, w: phi(-d / 2), "how far from the border is a centre, in standard deviations?"),
        "this goes the whole way to the other centre": (lambda d, w: phi(-d / w), "the border lies half-way between the centres"),
        "this is the share of right answers": (lambda d, w: phi(d / (2 * w)), "it errs where a point lands beyond the border: mind the sign"),
        "both clouds are counted in full": (lambda d, w: 2 * phi(-d / (2 * w)), "each class is only half of the points: 1/2 of the one error and 1/2 of the other"),
        "this is the error of one class, counted half": (lambda d, w: phi(-d / (2 * w)) / 2, "the other class errs as often, and makes up the other half"),
        "the variance is used where the standard deviation belongs": (lambda d, w: phi(-d / (2 * w * w)), "Phi asks for a distance in standard deviations"),
        "this asks for the order of two points, one of each class": (lambda d, w: phi(-d / (w * math.sqrt(2))), "one point is judged, not the difference of two; its standard deviation is that of one"),
        "this is the limit of the nearest neighbour with the same noise everywhere": (lambda d, w: 2 * right(d, w) * (1 - right(d, w)), "the best classifier is the sign of the side"),
        "this is an upper bound": (lambda d, w: math.exp(-((d / w) ** 2) / 8) / 2, "the share beyond the border itself is a value of Phi"),
        "this is a height of the density, not a share": (lambda d, w: math.exp(-((d / (2 * w)) ** 2) / 2) / math.sqrt(2 * math.pi), "the share beyond the border is the area below the density: Phi"),
        "this is a percentage": (lambda d, w: 100 * right(d, w), "give a fraction from 0 to 1"),
        "the width multiplies the distance": (lambda d, w: phi(-d * w / 2), "wider clouds overlap more: divide"),
    }  # fmt: skip
    edges = (
        ("centres that coincide leave a guess: 0.5", (0.0, 1.3), "for d = 0 no classifier is better than a coin"),
        ("only the ratio of distance and width counts", (60.0, 30.0), "in other units of length the same has to come out"),
        ("far apart hardly a mistake is left", (14.0, 1.0), "at seven standard deviations the risk is practically zero"),
        ("very narrow clouds are no problem", (1.0, 0.05), "10 standard deviations to the border: practically zero"),
    )  # fmt: skip
    sheet = Sheet()
    if is_missing(function):
        return sheet.not_yet()
    cases = [(2.0, 1.0), (1.0, 1.0), (3.0, 0.8), (1.0, 1.7)]
    found = _run(sheet, function, [*cases, *(case for _, case, _ in edges)])
    if found is None:
        return sheet.hand_back()
    if all(map(is_missing, found)):
        return sheet.not_yet()
    given = [as_number(value) for value in found]

    def agrees(candidate: Callable[..., float]) -> bool:
        pairs = zip(given, (candidate(*case) for case in cases), strict=False)
        return all(g is not None and abs(g - w) <= 1e-3 * max(1.0, abs(w)) for g, w in pairs)

    if not agrees(right):
        known = next((text for text, (wrong, _) in mistakes.items() if agrees(wrong)), None)
        if known:
            sheet.wrong(known, mistakes[known][1])
        elif None in given[: len(cases)]:
            sheet.wrong("that is not one number", "return a single number")
        else:
            shown = ", ".join(f"{value:.4g}" for value in given[: len(cases)])
            sheet.wrong(f"this gives {shown} for {cases}", "how far is a centre from the border?")
        return sheet.hand_back()
    sheet.right("0.159 for the clouds of the chapter, and other distances and widths")
    for (promise, case, advice), value in zip(edges, given[len(cases) :], strict=True):
        if value is not None and abs(value - right(*case)) <= 1e-3:
            sheet.right(promise)
        else:
            sheet.wrong(promise, advice)
    return sheet.hand_back()


# --- exercise 5: a strength from validation data


class _World(NamedTuple):
    """Three parts of some data, each a pair of features and targets, and the strengths to try."""

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    strengths: np.ndarray


def _ridge(
    world: _World,
    choose: str = "validation",
    report: str = "test",
    *,
    times_n: bool = True,
    intercept: bool = False,
    refit: bool = False,
    worst: bool = False,
) -> tuple[float, float]:
    """The strength and the error that one gets by choosing and judging on the named parts."""

    def fit(part: tuple[np.ndarray, np.ndarray], strength: float) -> Callable[[str], float]:
        design, target = part
        # An intercept that is left free is the same as centring by the means of what is fitted.
        across, up = (design.mean(axis=0), target.mean()) if intercept else (0.0, 0.0)
        x, y = design - across, target - up
        penalty = (len(y) if times_n else 1) * strength * np.eye(x.shape[1])
        theta = np.linalg.solve(x.T @ x + penalty, x.T @ y)

        def error(name: str) -> float:
            features, wanted = getattr(world, name)
            return float(np.mean((wanted - up - (features - across) @ theta) ** 2))

        return error

    errors = [fit(world.train, strength)(choose) for strength in world.strengths]
    best = float(world.strengths[int(np.argmax(errors) if worst else np.argmin(errors))])
    both = tuple(np.concatenate(pair) for pair in zip(world.train, world.validation, strict=True))
    return best, fit(both if refit else world.train, best)(report)


_RIDGE_MISTAKES: dict[str, tuple[dict, str]] = {
    '"training minimises the risk": the strength with the smallest training error is taken': (
        {"choose": "train"}, "the training error is always smallest for the weakest penalty: choose on the validation data"),
    "the strength with the smallest test error is taken": (
        {"choose": "test"}, "test data that choose have become validation data: choose on the second part, judge on the third"),
    '"the validation error of the model I chose is its risk": the error reported is that of the validation data': (
        {"report": "validation"}, "it is the smallest of many: report the error on the test data"),
    "the error reported is that of the training data": (
        {"report": "train"}, "report the error on the test data"),
    "both choice and error come from the training data": (
        {"choose": "train", "report": "train"}, "choose on the validation data, judge on the test data"),
    "validation and test data have changed places": (
        {"choose": "test", "report": "validation"}, "choose on the second part, judge on the third"),
    "the factor N is missing": (
        {"times_n": False}, "the chapter averages the squares, scikit-learn adds them up: alpha is N times the strength"),
    "an intercept is fitted": (
        {"intercept": True}, "the formula of the chapter has none: Ridge(alpha=..., fit_intercept=False)"),
    "an intercept is fitted, and the factor N is missing": (
        {"intercept": True, "times_n": False}, "Ridge(alpha=len(y) * strength, fit_intercept=False)"),
    "fitted once more on training and validation data together": (
        {"refit": True}, "that is often done and no mistake, but here the error of the fit to the training data is asked for"),
    "the strength with the largest error is taken": (
        {"worst": True}, "`score` of scikit-learn is better when larger, an error when smaller"),
}  # fmt: skip


def _worlds() -> list[tuple[str, _World]]:
    """Samples on which the mistakes we know give other answers than the right one."""
    rng = np.random.default_rng(5)

    def curve(size: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.uniform(-1, 1, size)
        design = np.polynomial.legendre.legvander(x, 15)[:, 1:]
        return design, 1.0 + np.sin(np.pi * x) + 0.4 * rng.normal(size=size)

    true = rng.normal(size=40) * (rng.random(40) < 0.3)

    def wide(size: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.normal(size=(size, 40)) + 0.3
        return x, x @ true + 2.0 * rng.normal(size=size)

    grid = np.logspace(-4, 2, 13)
    return [
        ("a polynomial of degree 15", _World(curve(24), curve(30), curve(50), grid)),
        ("more features than examples", _World(wide(30), wide(25), wide(60), grid)),
        ("strengths in no particular order", _World(wide(150), wide(40), wide(35), rng.permutation(grid))),
        ("a single strength", _World(curve(24), curve(20), curve(40), np.array([0.3]))),
    ]


def choose_ridge(function: Callable[..., tuple[float, float]]) -> Feedback:
    """Exercise 5: the strength that the validation data choose, and the mean squared error on the test data."""
    sheet = Sheet()
    if is_missing(function):
        return sheet.not_yet()
    names, worlds = zip(*_worlds(), strict=True)
    found = _run(sheet, function, worlds)
    if found is None:
        return sheet.hand_back()
    if all(map(is_missing, found)):
        return sheet.not_yet()
    pairs = [as_pair(answer) for answer in found]
    if None in pairs:
        sheet.wrong("that is not a pair of numbers", "return the pair: strength, test error")
        return sheet.hand_back()
    wanted = [_ridge(world) for world in worlds]
    matched = [_same(pair, right) for pair, right in zip(pairs, wanted, strict=True)]
    if all(matched):
        for name in names:
            sheet.right(name)
        return sheet.hand_back()
    known = _known_ridge(worlds, pairs, wanted)
    if known:
        sheet.wrong(*known)
        return sheet.hand_back()
    for name, pair, right, fine in zip(names, pairs, wanted, matched, strict=True):
        if fine:
            sheet.right(name)
        elif not _is(pair[0] / right[0], 1):
            hint = "one fit per strength, on the training data; the one with the smallest mean squared error on the validation data"
            sheet.wrong(f"{name}: the strength is not the one the validation data choose", hint)
        else:
            hint = "the mean of the squared distances on the test data, with the fit of that strength"
            sheet.wrong(f"{name}: the strength is right, {pair[1]:.4g} is not its test error", hint)
    return sheet.hand_back()


def _same(given: tuple[float, float], wanted: tuple[float, float]) -> bool:
    return all(abs(g - w) <= 1e-5 * max(abs(w), 1e-9) for g, w in zip(given, wanted, strict=True))


def _known_ridge(
    worlds: Sequence[_World], pairs: Sequence[tuple[float, float]], wanted: Sequence[tuple[float, float]]
) -> tuple[str, str] | None:
    """Return the finding and the hint of the mistake that fits all worlds, if we know it."""

    def fits(candidates: Sequence[tuple[float, float]]) -> bool:
        return all(_same(pair, other) for pair, other in zip(pairs, candidates, strict=True))

    for finding, (options, hint) in _RIDGE_MISTAKES.items():
        if fits([_ridge(world, **options) for world in worlds]):
            return finding, hint
    sizes = [len(world.test[1]) for world in worlds]
    spreads = [float(world.test[1].var()) for world in worlds]
    places = [
        float(np.argmin(np.abs(w.strengths - right[0]))) for w, right in zip(worlds, wanted, strict=True)
    ]
    strengths, errors = zip(*wanted, strict=True)
    others = (
        (zip(errors, strengths, strict=True), "strength and error have changed places", "the strength comes first"),
        (zip(places, errors, strict=True), "this is the place of the strength in the list", "return the strength itself: strengths[place]"),
        (((s, math.sqrt(e)) for s, e in wanted), "the strength is right, the error is the root of the mean square", "the loss is the squared one: without the root"),
        (((s, e * n) for (s, e), n in zip(wanted, sizes, strict=True)), "the strength is right, the error is a sum", "divide by the number of test examples"),
        (((s, 1 - e / v) for (s, e), v in zip(wanted, spreads, strict=True)), "the strength is right, the error is the R^2 of scikit-learn's `score`", "the mean of the squared distances on the test data"),
    )  # fmt: skip
    return next(((finding, hint) for other, finding, hint in others if fits(list(other))), None)


# --- exercise 6: whole patients


def held_out(function: Callable[[np.ndarray, int], np.ndarray]) -> Feedback:
    """Exercise 6: one truth value per scan, true for all scans of a quarter of the patients."""
    sheet = Sheet()
    if is_missing(function):
        return sheet.not_yet()
    cohorts = _cohorts()
    found = _run(sheet, function, [(who, seed) for _, who in cohorts for seed in (0, 1)])
    if found is None:
        hint = "patients may have any names and any number of scans, in any order: np.unique(who)"
        sheet.wrong("it has to work for every list of patients", hint)
        return sheet.hand_back()
    if all(map(is_missing, found)):
        return sheet.not_yet()
    masks = []
    for answer, who in zip(found, (who for _, who in cohorts for _ in (0, 1)), strict=True):
        problem = _no_mask(answer, len(who))
        if problem:
            sheet.wrong(*problem)
            return sheet.hand_back()
        masks.append(np.asarray(answer))
    for number, (promise, who) in enumerate(cohorts):
        wrong = next(
            filter(None, (_wrong_split(mask, who) for mask in masks[2 * number : 2 * number + 2])), None
        )
        if wrong:
            sheet.wrong(f"{promise}: {wrong[0]}", wrong[1])
            return sheet.hand_back()
        sheet.right(promise)
    _judge_seeds(sheet, function, masks)
    return sheet.hand_back()


def _cohorts() -> list[tuple[str, np.ndarray]]:
    rng = np.random.default_rng(6)
    names = np.array(["Ada", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Hal"])
    return [
        ("sixty patients with five scans each", np.repeat(np.arange(60), 5)),
        ("scans in no particular order", rng.permutation(np.repeat(np.arange(40), 3))),
        ("numbers with gaps", np.repeat([3, 17, 40, 41, 98, 120, 121, 400], 4)),
        ("one patient with far more scans than the others", np.repeat(np.arange(12), [60] + 11 * [2])),
        ("names in place of numbers", rng.permutation(np.repeat(names, [1, 2, 3, 4, 5, 6, 2, 1]))),
    ]


def _no_mask(answer: object, size: int) -> tuple[str, str] | None:
    """Say why an answer is not one truth value per scan."""
    hint = "a bool array as long as `who`, true for the scans of the test data"
    try:
        values = np.asarray(answer)
        kind, shape = values.dtype.kind, values.shape
    except Exception:
        return f"got {type(answer).__name__}, not one truth value per scan", hint
    if kind == "b" and shape == (size,):
        return None
    if kind in "iu" and values.ndim == 1:
        if shape == (size,) and set(values.tolist()) <= {0, 1}:
            return "these are zeros and ones", "make them truth values: .astype(bool)"
        return (
            "these are numbers of rows or of patients",
            "np.isin(who, chosen) is true for the scans of the chosen patients",
        )
    if isinstance(answer, (tuple, list)) and len(answer) == 2:
        return "these are two things", "return one mask, true for the test data"
    return f"got {type(answer).__name__} of shape {shape}, not one truth value per scan", hint


def _wrong_split(mask: np.ndarray, who: np.ndarray) -> tuple[str, str] | None:
    """Say what is wrong with a split of the scans, if anything is."""
    everybody, tested, learned = (set(values.tolist()) for values in (who, who[mask], who[~mask]))
    quarter = len(everybody) / 4
    if not tested or not learned:
        where = "test" if not tested else "training"
        return f"nobody is left in the {where} data", "a quarter of the patients belongs to the test data"
    both = len(tested & learned)
    if both:
        finding = (
            f'"a random split is a fair split": {both} of {len(everybody)} patients have scans on both sides'
        )
        if len(tested) == len(everybody):
            finding = f'"a random split is a fair split": all {both} patients have scans on both sides'
        return finding, "draw patients, not rows: choose among np.unique(who), then take all of their scans"
    count = len(tested)
    if math.floor(quarter) <= count <= math.ceil(quarter):
        return None
    if math.floor(3 * quarter) <= count <= math.ceil(3 * quarter):
        return "this marks the training data", "true means: put aside for testing"
    finding = f"{count} of {len(everybody)} patients are put aside, not a quarter"
    scans = np.unique(who, return_counts=True)[1]
    if scans.max() > 10 * scans.min():
        return f"{finding}: the scans are counted", "a quarter of the patients, however many scans they have"
    hint = "a coin for each patient gives a varying number: draw a quarter of them without replacement"
    return finding, hint


def _judge_seeds(sheet: Sheet, function: Callable, masks: Sequence[np.ndarray]) -> None:
    """Note whether the seed decides, alone, and fairly."""
    who = np.repeat(np.arange(8), 3)
    draws = _run(sheet, function, [(who, seed) for seed in (*range(120), 7)])
    again = _run(sheet, function, [(_cohorts()[0][1], 0)])
    if draws is None or again is None:
        return
    if any(_no_mask(draw, len(who)) or _wrong_split(np.asarray(draw), who) for draw in draws):
        sheet.wrong("for some seeds the split is not one of whole patients", "try it with many seeds")
        return
    chosen = np.array([np.asarray(draw)[::3] for draw in draws])
    if not np.array_equal(chosen[7], chosen[-1]) or not np.array_equal(masks[0], np.asarray(again[0])):
        hint = "rng = np.random.default_rng(seed), and draw from rng only"
        sheet.wrong("the same seed gives another split when asked again", hint)
    elif len(np.unique(chosen[:-1], axis=0)) == 1:
        sheet.wrong(
            "the seed changes nothing", "patients often come in an order that means something: draw them"
        )
    elif chosen[:-1].sum(axis=0).min() < 12 or chosen[:-1].sum(axis=0).max() > 52:
        sheet.wrong("some patients are drawn much more often than others", "each should have the same chance")
    else:
        sheet.right("the seed decides, and every patient has the same chance")
