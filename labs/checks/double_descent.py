"""Checks for the exercises of chapter 14, on capacity and double descent."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from labs.checks import Feedback, Sheet, is_missing
from labs.checks.answers import as_number, as_tensor, quietly

# --- exercise 1: five models

_INTERPOLATES = {"polynomial": True, "digits": False, "copies": False, "wide": True, "ridge": False}
_PEAK = "at the peak"
_MODELS = {
    "polynomial": ("polynomial: degree 24 has 25 coefficients, one for each point",
                   "degree 24 means powers 0 to 24; count them"),
    "digits": ("digits: each of the ten columns has 150 coefficients for its 1200 labels",
               '"parameters are counted against examples": there are 1500 coefficients, but also ten columns of 1200 labels; what does a single column have?'),
    "copies": ("copies: 200 columns, and 40 directions",
               '"each parameter adds capacity": a copy of a feature adds nothing that the features did not have; ask for the rank'),
    "wide": ("wide: far more features than points",
             "at the threshold interpolation begins; it does not end there"),
    "ridge": ("ridge: with a penalty nothing is fitted exactly",
              '"as many features as points means interpolation": the filter s^2 / (s^2 + N lambda) is below one for every singular value'),
}  # fmt: skip
_PEAKS = {
    "digits": "150 features are far from 1200 points; the ten columns do not help each other",
    "copies": "its rank is 40, far below 100 points",
    "wide": "2000 features are far beyond 500 points",
    "ridge": "as many features as points, but the penalty takes the small singular values away, and the peak with them",
}


def five_models(answer: Mapping[str, object]) -> Feedback:
    """Exercise 1: which of five models fit their labels exactly, and which is at its peak?"""
    sheet = Sheet()
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'give a dictionary such as {"polynomial": True, ...}')
        return sheet.hand_back()
    for name, right in _INTERPOLATES.items():
        given = answer.get(name)
        finding, hint = _MODELS[name]
        if is_missing(given):
            sheet.wrong(f"{name}: no answer yet", "True if it fits its labels exactly, else False")
        elif not isinstance(given, (bool, np.bool_)):
            sheet.wrong(f"{name}: {_shown(given)} is no truth value", "True or False")
        elif bool(given) == right:
            sheet.right(finding)
        else:
            sheet.wrong(f"{name}: it does {'' if right else 'not '}fit its labels exactly", hint)
    peak = answer.get(_PEAK)
    if is_missing(peak):
        sheet.wrong(f"{_PEAK}: no answer yet", f"one of: {', '.join(_INTERPOLATES)}")
    elif not isinstance(peak, str) or peak.strip().lower() not in _INTERPOLATES:
        sheet.wrong(f"{_PEAK}: {_shown(peak)} is no model", f"one of: {', '.join(_INTERPOLATES)}")
    elif peak.strip().lower() == "polynomial":
        sheet.right(f"{_PEAK}: the polynomial, which can just fit its points")
    else:
        sheet.wrong(f"{_PEAK}: not {peak.strip().lower()}", _PEAKS[peak.strip().lower()])
    return sheet.hand_back()


# --- exercise 2: twice as many points

_COURSES = {
    "error at 200 features": ("rises", "200 features: it rises, since now they can just fit the points", {
        "falls": '"more data never hurt": where do 200 features stand now, with 200 points?',
        "stays": "the features are the same, the number of points is not: where do 200 features stand now?",
    }),
    "error at 2000 features": ("falls", "2000 features: it falls, far beyond both thresholds", {
        "rises": "2000 features are far beyond the threshold, before and after",
        "stays": "far beyond the threshold more points are what they usually are",
    }),
    "peak without noise": ("stays", "without noise: the peak stays; what the features cannot express acts like noise", {
        "goes": '"the peak shows that the labels are noisy": set sigma to zero and look; the target is no sum of so many features',
        "moves": "the noise has no part in where a matrix is nearly singular",
    }),
}  # fmt: skip


def twice_the_points(answer: Mapping[str, object]) -> Feedback:
    """Exercise 2: what happens to the peak and to two errors when the training set is doubled."""
    sheet = Sheet()
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'give a dictionary such as {"peak at": 150, ...}')
        return sheet.hand_back()
    given = answer.get("peak at")
    place = _finite(given)
    if is_missing(given):
        sheet.wrong("peak at: no answer yet", "a number of features")
    elif place is None:
        sheet.wrong(f"peak at: {_shown(given)} is no number of features", "such as 150")
    elif 197 <= place <= 203:
        sheet.right("the peak is at 200 features now: it goes with the number of points")
    elif place == 100:
        sheet.wrong(
            'peak at: "the peak belongs to the model", and stays where it was',
            "it is where the features can just fit the points, and there are more points now",
        )
    elif place == 50:
        sheet.wrong("peak at: it has gone the other way", "more points need more features to be fitted")
    elif place == 400:
        sheet.wrong(
            "peak at: that is twice too far", "as many features as points: how many points are there?"
        )
    else:
        sheet.wrong(
            f"peak at: not {place:g}", "change N in the cell, and look at more widths near your guess"
        )
    for part, (right, praise, reasons) in _COURSES.items():
        word = answer.get(part)
        tidy = word.strip().lower() if isinstance(word, str) else None
        words = ", ".join((right, *reasons))
        if is_missing(word):
            sheet.wrong(f"{part}: no answer yet", f"one of: {words}")
        elif tidy == right:
            sheet.right(praise)
        elif tidy in reasons:
            sheet.wrong(f"{part}: not {tidy!r}", reasons[tidy])
        else:
            sheet.wrong(f"{part}: {_shown(word)} is no answer", f"one of: {words}")
    return sheet.hand_back()


# --- exercise 3: two interpolants

_Case = tuple[str, tuple[np.ndarray, ...]]


def _interpolation_cases() -> list[_Case]:
    """A promise, and (A, y, v), for each interpolation that is tried."""
    rng = np.random.default_rng(3)

    def draw(N: int, p: int, size: float = 1.0) -> tuple[np.ndarray, ...]:
        return size * rng.standard_normal((N, p)), rng.standard_normal(N), rng.standard_normal(p)

    square = (np.array([[2.0, 1.0], [0.0, 1.0]]), np.array([3.0, -1.0]), np.array([5.0, 6.0]))
    return [
        ("four points, nine features", draw(4, 9)),
        ("one point", draw(1, 5)),
        ("features a thousand times as large", draw(3, 6, 1000.0)),
        ("as many features as points, where there is no choice", square),
        ("thirty points, two hundred features", draw(30, 200)),
    ]


def min_norm(function: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Feedback:
    """Exercise 3: the shortest solution of A theta = y."""
    return _interpolant(function, lambda A, y, v: (A, y), _wrong_shortest)


def nearest_interpolant(function: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> Feedback:
    """Exercise 3: the solution of A theta = y at which gradient descent from v ends."""
    return _interpolant(function, lambda A, y, v: (A, y, v), _wrong_nearest)


def _interpolant(function: Callable, pick: Callable, judge: Callable) -> Feedback:
    """Run a student's function on every case, and judge what it returns."""
    sheet, cases = Sheet(), _interpolation_cases()
    if is_missing(function) or is_missing(quietly(function, *_copies(pick(*cases[0][1])))):
        return sheet.not_yet()
    for promise, (A, y, v) in cases:
        inputs = pick(A, y, v)
        copies = _copies(inputs)
        result = sheet.call(function, *copies)
        if not all(np.array_equal(a, b) for a, b in zip(copies, inputs, strict=True)):
            sheet.wrong("your function changes what it is given", "work with new arrays, not with -= or +=")
            return sheet.hand_back()
        theta = _array(result)
        if theta is None:
            if result is not None:
                sheet.wrong(f"got {_shown(result)}", "an array with one coefficient for each feature")
            return sheet.hand_back()
        trouble = judge(theta, A, y, v)
        if trouble:
            sheet.wrong(f"{promise}: {trouble[0]}", trouble[1])
            return sheet.hand_back()
        sheet.right(promise)
    return sheet.hand_back()


def _wrong_shortest(theta: np.ndarray, A: np.ndarray, y: np.ndarray, v: np.ndarray) -> tuple[str, str] | None:
    """Say what is wrong with a shortest interpolant, if anything is."""
    N, p = A.shape
    weights = np.linalg.solve(A @ A.T, y)
    if theta.shape != (p,):
        if _near(theta, weights):
            return (
                "this is one weight for each point",
                "the solution is a combination of the rows: A^T times these weights",
            )
        return f"the shape is {theta.shape}", f"one coefficient for each of the {p} features, ({p},)"
    if _near(theta, A.T @ weights):
        return None
    hint = "A^T (A A^T)^-1 y: solve A A^T w = y, then combine the rows with w"
    known = {
        "the inverse is missing": (A.T @ y, hint),
        "A A^T is there, its inverse is not": (A.T @ (A @ A.T @ y), "solve A A^T w = y, do not multiply"),
        "this is twice as long": (2 * A.T @ weights, hint),
        "the sign is turned round": (-A.T @ weights, hint),
        "this is ridge regression": (A.T @ np.linalg.solve(A @ A.T + np.eye(N), y), "without a penalty: lambda is zero"),
    }  # fmt: skip
    for finding, (wrong, advice) in known.items():
        if _near(theta, wrong):
            return finding, advice
    if not _fits(theta, A, y):
        return "A theta is not y", hint
    used = int((np.abs(theta) > 1e-9).sum())
    if used <= N < p:
        return (
            f'"one interpolant is as good as another": this one uses {used} of {p} features and is longer than it needs to be',
            "the shortest one is a combination of the rows of A",
        )
    return (
        "this fits the points and is not the shortest",
        "it has a part that no point can see; the shortest is a combination of the rows of A",
    )


def _wrong_nearest(theta: np.ndarray, A: np.ndarray, y: np.ndarray, v: np.ndarray) -> tuple[str, str] | None:
    """Say what is wrong with the interpolant at which the descent from v ends, if anything is."""
    p = A.shape[1]
    if theta.shape != (p,):
        return f"the shape is {theta.shape}", f"one coefficient for each of the {p} features, ({p},)"
    shortest = A.T @ np.linalg.solve(A @ A.T, y)
    seen = A.T @ np.linalg.solve(A @ A.T, A @ v)
    if _near(theta, shortest + v - seen):
        return None
    what = "no step ever changes the part of the start that the points cannot see, v - A^+ A v"
    known = {
        '"descent always ends at the shortest": this is where it ends from zero': (shortest, what),
        "the whole of v is added": (shortest + v, "then A theta is y + A v: only the part that A cannot see may stay"),
        "the part that the points CAN see is added": (shortest + seen, what),
        "this is what is left of v, without the solution": (v - seen, "the points have to be fitted as well"),
        "what is left of v is taken away": (shortest - v + seen, "it stays, with its sign"),
        "this is the start": (v, "and where does the descent end?"),
    }  # fmt: skip
    for finding, (wrong, advice) in known.items():
        if _near(theta, wrong):
            return finding, advice
    if not _fits(theta, A, y):
        return "A theta is not y", "shortest solution, plus v - A^+ A v, to which A is blind"
    return "this fits the points, and the descent from v does not end there", what


def _fits(theta: np.ndarray, A: np.ndarray, y: np.ndarray) -> bool:
    with np.errstate(all="ignore"):
        return bool(np.allclose(A @ theta, y, rtol=1e-5, atol=1e-6))


# --- exercise 4: the best number of examples


def best_count(function: Callable[[float, float, float], float]) -> Feedback:
    """Exercise 4: the number of examples below the threshold with the smallest excess risk."""
    sheet = Sheet()
    cases = (
        (100, 0.3, 1.0),
        (100, 0.1, 1.0),
        (50, 0.3, 2.0),
        (400, 0.5, 0.8),
        (100, 2.0, 1.0),
        (30, 0.6, 0.5),
    )
    if is_missing(function) or is_missing(quietly(function, *cases[0])):
        return sheet.not_yet()
    given = [_finite(sheet.call(function, *case)) for case in cases]
    if given[0] is None:
        sheet.wrong(
            "that is no number of examples", "a number, for p = 100, sigma = 0.3 and length 1 about 70"
        )
        return sheet.hand_back()

    def stationary(p: float, sigma: float, length: float) -> float:
        return p - 1 - sigma / length * math.sqrt(p * (p - 1))

    def right(p: float, sigma: float, length: float) -> float:
        return max(0.0, stationary(p, sigma, length))

    def agrees(formula: Callable[[float, float, float], float], *, whole: bool = False) -> bool:
        for g, case in zip(given, cases, strict=True):
            good = g is not None and (
                math.isclose(g, formula(*case), rel_tol=1e-6, abs_tol=1e-6)
                or (whole and g == _best_whole(*case))
            )
            if not good:
                return False
        return True

    if agrees(right, whole=True):
        sheet.right("about 70 for 100 features, noise 0.3 and length 1, as in the figure of the chapter")
        sheet.right("other numbers of features, other noise, other lengths")
        sheet.right(
            "none at all where the noise is too strong: the formula would be negative, a number of examples is not"
        )
        return sheet.hand_back()

    def floor(formula: Callable[[float, float, float], float]) -> Callable[[float, float, float], float]:
        return lambda *case: max(0.0, formula(*case))

    mistakes: dict[str, tuple[Callable[[float, float, float], float], str]] = {
        "this becomes negative where the noise is strong": (stationary, "then the risk rises from the first example on: the answer there is 0"),
        "the noise enters with its square": (lambda p, s, b: p - 1 - (s / b) ** 2 * math.sqrt(p * (p - 1)), "(p - N - 1)^2 is sigma^2 p (p - 1) / length^2: take the root of all of it"),
        "this is the limit for large p": (lambda p, s, b: p * (1 - s / b), "exactly: differentiate N / (p - N - 1), mind the -1"),
        "the -1 is lost": (lambda p, s, b: p - s / b * math.sqrt(p * (p - 1)), "the pole is at N = p - 1"),
        "the sign of the root is the wrong one": (lambda p, s, b: p - 1 + s / b * math.sqrt(p * (p - 1)), "this lies beyond the pole, where the formula does not hold"),
        "the length does not enter": (lambda p, s, b: p - 1 - s * math.sqrt(p * (p - 1)), "the bias term is (1 - N/p) times the squared length of beta"),
        "the length enters with its square": (lambda p, s, b: p - 1 - s / b**2 * math.sqrt(p * (p - 1)), "the argument is the length of beta, its square stands in the formula"),
        "the p of the numerator is lost": (lambda p, s, b: p - 1 - s / b * math.sqrt(p - 1), "the derivative of (1 - N/p) length^2 is -length^2 / p"),
        "noise and length have changed places": (lambda p, s, b: p - 1 - b / s * math.sqrt(p * (p - 1)), "more noise makes it turn earlier"),
    }  # fmt: skip
    for finding, (formula, hint) in mistakes.items():
        if agrees(formula) or agrees(floor(formula)):
            sheet.wrong(finding, hint)
            return sheet.hand_back()
    if all(g is not None and abs(g - case[0]) <= 2 for g, case in zip(given, cases, strict=True)):
        sheet.wrong('"more data never hurt": this is as near to the threshold as one can get',
                    "the noise term has its pole there")  # fmt: skip
        return sheet.hand_back()
    if any(g is None for g in given):
        sheet.wrong("for some noise this gives no number", "try p = 100, sigma = 2, length 1")
        return sheet.hand_back()
    finding = f"for p = 100, sigma = 0.3, length 1 this gives {given[0]:.4g}"
    sheet.wrong(finding, "differentiate the risk with respect to N, set it to zero, and solve for p - N - 1")
    return sheet.hand_back()


def _best_whole(p: float, sigma: float, length: float) -> int:
    def risk(N: int) -> float:
        return (1 - N / p) * length**2 + sigma**2 * N / (p - N - 1)

    return min(range(int(p) - 1), key=risk)


# --- exercise 5: stopped descent


def stopped_descent(function: Callable[[np.ndarray, np.ndarray, int], np.ndarray]) -> Feedback:
    """Exercise 5: where gradient descent from zero stands after a number of steps, at the rate 1 / s_1^2."""
    sheet, rng = Sheet(), np.random.default_rng(14)
    tall, square, flat = (rng.standard_normal(shape) for shape in ((6, 3), (5, 5), (3, 8)))
    cases = [
        ("five points, five features, seven steps", square, 7),
        ("no step at all", square, 0),
        ("a single step", square, 1),
        ("fewer features than points", tall, 4),
        ("more features than points", flat, 4),
        ("a million steps, which end at the shortest solution", flat, 10**6),
    ]
    y_all = rng.standard_normal(6)
    if is_missing(function) or is_missing(quietly(function, square.copy(), y_all[:5].copy(), 7)):
        return sheet.not_yet()
    for promise, A, steps in cases:
        y = y_all[: len(A)]
        copies = _copies((A, y))
        result = sheet.call(function, *copies, steps)
        if not all(np.array_equal(a, b) for a, b in zip(copies, (A, y), strict=True)):
            sheet.wrong("your function changes what it is given", "work with new arrays, not with -= or +=")
            return sheet.hand_back()
        theta = _array(result)
        if theta is None:
            if result is not None:
                sheet.wrong(f"got {_shown(result)}", "an array with one coefficient for each feature")
            return sheet.hand_back()
        trouble = _wrong_descent(theta, A, y, steps)
        if trouble:
            sheet.wrong(f"{promise}: {trouble[0]}", trouble[1])
            return sheet.hand_back()
        sheet.right(promise)
    return sheet.hand_back()


def _wrong_descent(theta: np.ndarray, A: np.ndarray, y: np.ndarray, steps: int) -> tuple[str, str] | None:
    """Say what is wrong with a stopped descent, if anything is."""
    if theta.shape != A.shape[1:]:
        return f"the shape is {theta.shape}", f"one coefficient for each feature, {A.shape[1:]}"
    u, s, vt = np.linalg.svd(A, full_matrices=False)
    c = u.T @ y / s

    def filtered(kept: np.ndarray) -> np.ndarray:
        return vt.T @ (kept * c)

    left = 1 - (s / s[0]) ** 2
    if _near(theta, filtered(1 - left**steps)):
        return None
    lr = "the learning rate is 1 / s_1^2, with s_1 the largest singular value"
    known = {
        "this is the end of the descent": (filtered(np.ones_like(s)), "stop after the steps asked for: the filter is 1 - (1 - eta s^2)^t"),
        "this is what is still missing": (filtered(left**steps), "the filter is 1 - (1 - eta s^2)^t: nothing at t = 0, everything at the end"),
        "this is one step more": (filtered(1 - left ** (steps + 1)), "after t steps from zero the power is t"),
        "this is one step less": (filtered(1 - left ** max(steps - 1, 0)), "after t steps from zero the power is t"),
        "the singular values lack their square": (filtered(1 - (1 - s / s[0]) ** steps), "A^T A has the eigenvalues s^2"),
        "the learning rate is 1 / s_1": (filtered(1 - (1 - s**2 / s[0]) ** steps), lr),
        "this takes the mean over the points": (filtered(1 - (1 - (s / s[0]) ** 2 / len(A)) ** steps), "the loss is half the SUM of the squares"),
        "the gradient has a factor 2 too many": (filtered(1 - (1 - 2 * (s / s[0]) ** 2) ** steps), "the loss is HALF the sum of the squares"),
        "the division by s is missing": (vt.T @ ((1 - left**steps) * (u.T @ y)), "the solution is the sum of v_i (u_i^T y) / s_i, each filtered"),
    }  # fmt: skip
    for finding, (wrong, advice) in known.items():
        if _near(theta, wrong):
            return finding, advice
    return (
        "that is not where the descent stands",
        "sum over i: v_i times the filter 1 - (1 - s_i^2 / s_1^2)^t times (u_i^T y) / s_i",
    )


def when_to_stop(answer: Mapping[str, object]) -> Feedback:
    """Exercise 5: the best number of steps at p = N, and the number from which the descent is worse than its start."""
    sheet, parts = Sheet(), ("best", "worse than nothing")
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(
            f"got {_shown(answer)}", 'give a dictionary such as {"best": 10, "worse than nothing": 20}'
        )
        return sheet.hand_back()
    for part, low, high, praise in (
        (parts[0], 25, 220, "best: about a hundred steps"),
        (parts[1], 9500, 30000, "worse than nothing: from somewhat more than ten thousand steps on"),
    ):
        given = answer.get(part)
        steps = _finite(given)
        if is_missing(given):
            sheet.wrong(f"{part}: no answer yet", "a number of steps")
        elif steps is None or steps < 0:
            sheet.wrong(f"{part}: {_shown(given)} is no number of steps", "a number, zero or more")
        elif low <= steps <= high:
            sheet.right(praise)
        elif part == parts[0] and steps >= 10**5:
            hint = "at p = N the last steps fit what belongs to the smallest singular values, and that is mostly noise"
            sheet.wrong('best: "train until the loss no longer falls"', hint)
        elif part == parts[0]:
            direction = "more" if steps < low else "fewer"
            sheet.wrong(f"best: {steps:g} steps are not the best", f"try {direction}, on all twenty seeds")
        elif steps < low:
            sheet.wrong(
                f"{part}: after {steps:g} steps it is still better than zero steps",
                "compare with the median at 0 steps, about 2",
            )
        else:
            sheet.wrong(f"{part}: that happens sooner", "compare with the median at 0 steps, about 2")
    return sheet.hand_back()


# --- exercise 6: other features


def most_points(function: Callable[[int, int, int], int]) -> Feedback:
    """Exercise 6: the rank of p random features (w x)^k in d dimensions, for as many points as you like."""
    sheet = Sheet()
    cases = (
        (2, 20, 100),
        (2, 20, 1000),
        (1, 20, 100),
        (1, 20, 7),
        (3, 20, 5000),
        (3, 4, 30),
        (4, 2, 9),
        (2, 1, 5),
        (5, 3, 21),
    )
    if is_missing(function) or is_missing(quietly(function, *cases[0])):
        return sheet.not_yet()
    given = [_finite(sheet.call(function, *case)) for case in cases]

    def monomials(k: int, d: int) -> int:
        return math.comb(d + k - 1, k)

    def agrees(formula: Callable[[int, int, int], float]) -> bool:
        return all(
            g is not None and abs(g - formula(*case)) < 1e-6 for g, case in zip(given, cases, strict=True)
        )

    if agrees(lambda k, d, p: min(p, monomials(k, d))):
        sheet.right("100 squares in 20 dimensions: as many points as features")
        sheet.right("a thousand squares: 210 points and no more")
        sheet.right("the identity: never more than there are inputs")
        sheet.right("other powers, other dimensions")
        return sheet.hand_back()
    mistakes: dict[str, tuple[Callable[[int, int, int], float], str]] = {
        '"the number of parameters decides"': (lambda k, d, p: p, "a sum of features is a polynomial in which every term has degree k, and there are only so many of those"),
        "that is the number of inputs": (lambda k, d, p: min(p, d), "for the identity; for a square there are also products of two inputs"),
        "the number of features is missing": (lambda k, d, p: monomials(k, d), "a few features cannot have a larger rank than there are"),
        "products of different inputs are counted twice": (lambda k, d, p: min(p, d**k), "x1 x2 and x2 x1 are the same: count sets with repetition, C(d + k - 1, k)"),
        "squares of an input are missing": (lambda k, d, p: min(p, math.comb(d, k)), "an input may occur more than once: sets with repetition, C(d + k - 1, k)"),
        "lower powers are counted too": (lambda k, d, p: min(p, math.comb(d + k, k)), "without a bias each term has exactly the degree k"),
        "the larger of the two": (lambda k, d, p: max(p, monomials(k, d)), "the smaller one is the bottleneck"),
        "only pure powers are counted": (lambda k, d, p: min(p, k * d), "there are products of different inputs as well"),
        "this is right for the square only": (lambda k, d, p: min(p, d * (d + 1) // 2), "the power is an argument: C(d + k - 1, k) terms"),
    }  # fmt: skip
    for finding, (formula, hint) in mistakes.items():
        if agrees(formula):
            sheet.wrong(finding, hint)
            return sheet.hand_back()
    wanted = [min(p, monomials(k, d)) for k, d, p in cases]
    for (k, d, p), g, w in zip(cases, given, wanted, strict=True):
        if g is None or abs(g - w) > 1e-6:
            shown = "no number" if g is None else f"{g:g}"
            sheet.wrong(f"for the power {k}, {d} inputs and {p} features this gives {shown}", "how many different products of k inputs are there?")  # fmt: skip
            break
    return sheet.hand_back()


_PLACES = {
    "ReLU": (300.0, "as many features as points: nothing limits their rank"),
    "tanh": (300.0, "its features are as independent as those of ReLU, though they express the target worse"),
    "identity": (None, "sums of sums of the inputs are sums of the inputs: the rank is 20 and 300 points are never fitted"),
    "square": (None, "the rank is at most 210, and 300 points are never fitted"),
    "cube": (300.0, "the rank can be 1540, so 300 features can just fit 300 points"),
}  # fmt: skip


def where_is_the_peak(answer: Mapping[str, object]) -> Feedback:
    """Exercise 6: the number of features at the peak for each activation and 300 points, or "none"."""
    sheet = Sheet()
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'give a dictionary such as {"ReLU": 100, "tanh": "none", ...}')
        return sheet.hand_back()
    for name, (place, reason) in _PLACES.items():
        given = answer.get(name)
        none = isinstance(given, str) and given.strip().lower() == "none"
        number = None if none else _finite(given)
        if is_missing(given):
            sheet.wrong(f"{name}: no answer yet", 'a number of features, or "none"')
        elif not none and number is None:
            sheet.wrong(f"{name}: {_shown(given)} is no place", 'a number of features, or "none"')
        elif none and place is None:
            sheet.right(f"{name}: none")
        elif none:
            sheet.wrong(f"{name}: there is one", reason)
        elif place is not None and abs(number - place) <= 5:
            sheet.right(f"{name}: at 300 features")
        elif place is None and abs(number - 300) <= 5:
            sheet.wrong(f'{name}: "the peak is where p = N, whatever the features compute"', reason)
        elif place is None:
            sheet.wrong(f"{name}: at {number:g} features the rank is full, and that is no peak", reason)
        elif number == 100:
            sheet.wrong(f"{name}: that was with 100 points", "here there are 300")
        else:
            sheet.wrong(f"{name}: not at {number:g}", reason)
    return sheet.hand_back()


# --- small things


def _untouched(answer: object) -> bool:
    """Whether a dictionary holds nothing but gaps."""
    return isinstance(answer, Mapping) and all(is_missing(value) for value in answer.values())


def _finite(value: object) -> float | None:
    """Return a student's number if it is one and finite; a truth value is none."""
    number = None if isinstance(value, (bool, str, bytes, complex)) else as_number(value)
    return number if number is not None and math.isfinite(number) else None


def _array(value: object) -> np.ndarray | None:
    """Return a student's numbers as an array of doubles, or ``None`` if they are none, or not finite."""
    tensor = as_tensor(value)
    if tensor is None:
        return None
    array = tensor.cpu().numpy()
    return array if np.isfinite(array).all() else None


def _copies(arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    return tuple(array.copy() for array in arrays)


def _near(given: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether two arrays have the same shape and differ by a millionth of the largest number at most."""
    if given.shape != wanted.shape:
        return False
    return bool(np.abs(given - wanted).max(initial=0.0) <= 1e-6 * np.abs(wanted).max(initial=1e-12))


def _shown(value: object) -> str:
    """Return an answer as text, short, whatever it is."""
    text = quietly(repr, value)
    text = text if isinstance(text, str) else "something"
    return text if len(text) <= 60 else text[:57] + "..."
