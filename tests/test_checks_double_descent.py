"""The checks of chapter 14 accept what is right, turn the starter away kindly, and know the usual mistakes."""

import math

import numpy as np
import pytest
import torch

from labs.checks import Feedback
from labs.checks import double_descent as check

MODELS = {"polynomial": True, "digits": False, "copies": False, "wide": True, "ridge": False}
MODELS["at the peak"] = "polynomial"
TWICE = {
    "peak at": 200,
    "error at 200 features": "rises",
    "error at 2000 features": "falls",
    "peak without noise": "stays",
}
STOP = {"best": 100, "worse than nothing": 13_000}
PEAKS = {"ReLU": 300, "tanh": 300, "identity": "none", "square": "none", "cube": 300}
ANSWERS = {
    check.five_models: MODELS,
    check.twice_the_points: TWICE,
    check.when_to_stop: STOP,
    check.where_is_the_peak: PEAKS,
}
FUNCTIONS = (
    check.min_norm,
    check.nearest_interpolant,
    check.best_count,
    check.stopped_descent,
    check.most_points,
)


def silent(*_):
    """What a starter does: nothing."""


def dots(*_):
    """What a starter does that returns its dots."""
    return ...


@pytest.mark.parametrize(
    ("function", "starter"),
    [
        *((function, dict.fromkeys(right, ...)) for function, right in ANSWERS.items()),
        *((function, {}) for function in ANSWERS),
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


NAN = float("nan")
NONSENSE = (
    *("text", "raised", "", 0, 1, 0.5, True, [], [1, 2], (1, 2), (None, None), {"a": 1}, object(), NAN, (NAN, NAN)),
    *(1j, np.zeros(7), np.zeros(9), np.full(9, NAN), np.full(9, math.inf), np.array(["a"]), np.array(None)),
    *(np.zeros((9, 1)), torch.zeros(9), torch.ones(3, 4), 10**400, math.inf, [[1], [1, 2]], silent, {}.keys()),
)  # fmt: skip
PIECES = ("a", NAN, [1, 2], math.inf, -1, 7, 1e300, object(), 1j, np.zeros(2), ("z",), {}, "", "maybe")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_returns_nonsense_does_not_pass(function):
    assert not [nonsense for nonsense in NONSENSE if function(lambda *_, n=nonsense: n).passed]


@pytest.mark.parametrize("function", [*ANSWERS, *FUNCTIONS])
def test_nonsense_in_place_of_the_answer_does_not_pass(function):
    assert not [nonsense for nonsense in NONSENSE if function(nonsense).passed]


@pytest.mark.parametrize("function", ANSWERS)
def test_nonsense_in_the_parts_of_an_answer_does_not_pass(function):
    right = ANSWERS[function]

    for part in right:
        assert not [piece for piece in PIECES if function({**right, part: piece}).passed]
    assert not [piece for piece in (*PIECES, 0, True) if function(dict.fromkeys(right, piece)).passed]


@pytest.mark.parametrize("function", ANSWERS)
def test_the_right_answers_pass(function):
    assert function(ANSWERS[function]).passed


@pytest.mark.parametrize("function", ANSWERS)
def test_each_part_is_needed(function, capsys):
    for part in ANSWERS[function]:
        assert not function({**ANSWERS[function], part: ...}).passed
        assert f"{part}: no answer yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("function", "change", "message"),
    [
        (check.five_models, {"digits": True}, "parameters are counted against examples"),
        (check.five_models, {"copies": True}, "each parameter adds capacity"),
        (check.five_models, {"ridge": True}, "as many features as points means interpolation"),
        (check.five_models, {"polynomial": False}, "degree 24 means powers 0 to 24"),
        (check.five_models, {"wide": False}, "it does not end there"),
        (check.five_models, {"wide": "yes"}, "is no truth value"),
        (check.five_models, {"at the peak": "ridge"}, "the peak with them"),
        (check.five_models, {"at the peak": "Digits "}, "not digits"),
        (check.five_models, {"at the peak": "forest"}, "is no model"),
        (check.twice_the_points, {"peak at": 100}, "the peak belongs to the model"),
        (check.twice_the_points, {"peak at": 50}, "the other way"),
        (check.twice_the_points, {"peak at": 400}, "twice too far"),
        (check.twice_the_points, {"peak at": 150}, "not 150"),
        (check.twice_the_points, {"error at 200 features": "falls"}, "more data never hurt"),
        (check.twice_the_points, {"error at 2000 features": "rises"}, "far beyond the threshold"),
        (check.twice_the_points, {"peak without noise": "Goes"}, "the peak shows that the labels are noisy"),
        (check.twice_the_points, {"peak without noise": "moves"}, "nearly singular"),
        (check.twice_the_points, {"peak without noise": "sinks"}, "is no answer"),
        (check.when_to_stop, {"best": 10**6}, "train until the loss no longer falls"),
        (check.when_to_stop, {"best": 2}, "try more"),
        (check.when_to_stop, {"best": 1000}, "try fewer"),
        (check.when_to_stop, {"worse than nothing": 1000}, "still better than zero steps"),
        (check.when_to_stop, {"worse than nothing": 10**6}, "sooner"),
        (check.where_is_the_peak, {"identity": 300}, "the peak is where p = N, whatever the features compute"),
        (check.where_is_the_peak, {"square": 300}, "the peak is where p = N, whatever the features compute"),
        (check.where_is_the_peak, {"square": 210}, "that is no peak"),
        (check.where_is_the_peak, {"cube": "none"}, "there is one"),
        (check.where_is_the_peak, {"tanh": 100}, "that was with 100 points"),
        (check.where_is_the_peak, {"ReLU": 150}, "not at 150"),
    ],
)  # fmt: skip
def test_each_wrong_part_gets_its_message(function, change, message, capsys):
    assert not function({**ANSWERS[function], **change}).passed
    assert message in capsys.readouterr().out


def test_numbers_may_come_in_arrays_and_words_in_capitals():
    assert check.where_is_the_peak({**PEAKS, "ReLU": np.array([300]), "square": " None"}).passed
    assert check.when_to_stop({key: torch.tensor(value) for key, value in STOP.items()}).passed
    assert check.five_models({**MODELS, "wide": np.bool_(True)}).passed


# --- exercise 3


def shortest(A, y):
    return A.T @ np.linalg.solve(A @ A.T, y)


def first_columns(A, y):
    N = len(A)
    theta = np.zeros(A.shape[1])
    theta[:N] = np.linalg.solve(A[:, :N], y)
    return theta


def unseen(A, v):
    return v - np.linalg.pinv(A) @ (A @ v)


def spoil(A, y, *_):
    y -= 1
    return shortest(A, y)


def test_the_right_interpolants_pass():
    assert check.min_norm(shortest).passed
    assert check.min_norm(lambda A, y: np.linalg.pinv(A) @ y).passed
    assert check.min_norm(lambda A, y: torch.tensor(np.linalg.lstsq(A, y, rcond=None)[0])).passed
    assert check.nearest_interpolant(lambda A, y, v: v + shortest(A, y - A @ v)).passed
    assert check.nearest_interpolant(lambda A, y, v: np.linalg.pinv(A) @ y + unseen(A, v)).passed


def test_the_second_interpolant_is_where_the_descent_ends():
    rng = np.random.default_rng(0)
    A, y, v = rng.standard_normal((4, 9)), rng.standard_normal(4), rng.standard_normal(9)

    theta = v.copy()
    for _ in range(5000):
        theta -= A.T @ (A @ theta - y) / np.linalg.norm(A, 2) ** 2

    assert np.allclose(theta, v + shortest(A, y - A @ v))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda A, y: np.linalg.solve(A @ A.T, y), "one weight for each point"),
        (lambda A, y: A.T @ y, "the inverse is missing"),
        (lambda A, y: A.T @ (A @ A.T @ y), "its inverse is not"),
        (lambda A, y: 2 * shortest(A, y), "twice as long"),
        (lambda A, y: -shortest(A, y), "sign is turned round"),
        (lambda A, y: A.T @ np.linalg.solve(A @ A.T + np.eye(len(A)), y), "ridge regression"),
        (first_columns, "one interpolant is as good as another"),
        (lambda A, y: shortest(A, y) + unseen(A, np.ones(A.shape[1])), "is not the shortest"),
        (lambda A, y: np.zeros(A.shape[1]), "A theta is not y"),
        (lambda A, y: np.linalg.inv(A.T @ A + 1e-3 * np.eye(A.shape[1])) @ A.T @ y, "A theta is not y"),
        (lambda A, y: np.zeros(3), "the shape is (3,)"),
        (lambda A, y: shortest(A, y)[:, None], "the shape is (9, 1)"),
        (spoil, "changes what it is given"),
    ],
)
def test_each_wrong_shortest_interpolant_gets_its_message(function, message, capsys):
    assert not check.min_norm(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda A, y, v: shortest(A, y), "descent always ends at the shortest"),
        (lambda A, y, v: shortest(A, y) + v, "the whole of v is added"),
        (lambda A, y, v: shortest(A, y) + v - unseen(A, v), "the part that the points CAN see"),
        (lambda A, y, v: unseen(A, v), "without the solution"),
        (lambda A, y, v: shortest(A, y) - unseen(A, v), "is taken away"),
        (lambda A, y, v: v, "this is the start"),
        (lambda A, y, v: 0 * v, "A theta is not y"),
        (lambda A, y, v: first_columns(A, y), "does not end there"),
        (lambda A, y, v: v[:2], "the shape is (2,)"),
        (spoil, "changes what it is given"),
    ],
)
def test_each_wrong_end_of_the_descent_gets_its_message(function, message, capsys):
    assert not check.nearest_interpolant(function).passed
    assert message in capsys.readouterr().out


# --- exercise 4


def stationary(p, s, b):
    return p - 1 - s / b * math.sqrt(p * (p - 1))


def by_search(p, s, b):
    return min(range(p - 1), key=lambda N: (1 - N / p) * b**2 + s**2 * N / (p - N - 1))


def test_the_right_count_passes_exactly_and_as_a_whole_number():
    assert check.best_count(lambda *case: max(0, stationary(*case))).passed
    assert check.best_count(lambda *case: np.array([max(0.0, stationary(*case))])).passed
    assert check.best_count(by_search).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (stationary, "becomes negative"),
        (lambda p, s, b: max(0, p - 1 - (s / b) ** 2 * math.sqrt(p * (p - 1))), "the noise enters with its square"),
        (lambda p, s, b: max(0, p * (1 - s / b)), "the limit for large p"),
        (lambda p, s, b: p * (1 - s / b), "the limit for large p"),
        (lambda p, s, b: stationary(p, s, b) + 1, "the -1 is lost"),
        (lambda p, s, b: p - 1 + s / b * math.sqrt(p * (p - 1)), "the sign of the root"),
        (lambda p, s, b: stationary(p, s, 1), "the length does not enter"),
        (lambda p, s, b: max(0, stationary(p, s, b**2)), "the length enters with its square"),
        (lambda p, s, b: p - 1 - s / b * math.sqrt(p - 1), "the p of the numerator"),
        (lambda p, s, b: max(0, stationary(p, b, s)), "changed places"),
        (lambda p, s, b: p - 2, "more data never hurt"),
        (lambda p, s, b: p / 2, "this gives 50"),
        (lambda p, s, b: 69.15, "this gives 69.15"),
        (lambda p, s, b: stationary(p, s, b) if s < 1 and b >= 0.8 else NAN, "gives no number"),
    ],
)  # fmt: skip
def test_each_wrong_count_gets_its_message(function, message, capsys):
    assert not check.best_count(function).passed
    assert message in capsys.readouterr().out


# --- exercise 5


def stopped(kept, divide=True):
    def function(A, y, steps):
        u, s, vt = np.linalg.svd(A, full_matrices=False)
        return vt.T @ (kept(s, steps, len(A)) * (u.T @ y) / (s if divide else 1))

    return function


def by_steps(A, y, steps):
    theta, lr = np.zeros(A.shape[1]), 1 / np.linalg.norm(A, 2) ** 2
    for _ in range(min(steps, 20_000)):
        theta -= lr * A.T @ (A @ theta - y)
    return theta


def ratio(s):
    return (s / s[0]) ** 2


def test_the_right_descent_passes_in_closed_form_and_step_by_step():
    assert check.stopped_descent(stopped(lambda s, t, N: 1 - (1 - ratio(s)) ** t)).passed
    assert check.stopped_descent(by_steps).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (stopped(lambda s, t, N: 1), "the end of the descent"),
        (stopped(lambda s, t, N: (1 - ratio(s)) ** t), "what is still missing"),
        (stopped(lambda s, t, N: 1 - (1 - ratio(s)) ** (t + 1)), "one step more"),
        (stopped(lambda s, t, N: 1 - (1 - ratio(s)) ** max(t - 1, 0)), "one step less"),
        (stopped(lambda s, t, N: 1 - (1 - s / s[0]) ** t), "lack their square"),
        (stopped(lambda s, t, N: 1 - (1 - s**2 / s[0]) ** t), "the learning rate is 1 / s_1"),
        (stopped(lambda s, t, N: 1 - (1 - ratio(s) / N) ** t), "the mean over the points"),
        (stopped(lambda s, t, N: 1 - (1 - 2 * ratio(s)) ** t), "a factor 2 too many"),
        (stopped(lambda s, t, N: 1 - (1 - ratio(s)) ** t, divide=False), "the division by s is missing"),
        (lambda A, y, t: np.zeros(A.shape[1]), "not where the descent stands"),
        (lambda A, y, t: A @ A.T @ y if t else y, "not where the descent stands"),
        (lambda A, y, t: np.zeros(2), "the shape is (2,)"),
        (lambda A, y, t: by_steps(A, y, 7), "no step at all"),
        (spoil, "changes what it is given"),
    ],
)
def test_each_wrong_descent_gets_its_message(function, message, capsys):
    assert not check.stopped_descent(function).passed
    assert message in capsys.readouterr().out


# --- exercise 6


def test_the_right_number_of_points_is_the_rank_and_passes():
    rng = np.random.default_rng(0)
    for power, d, p in ((1, 4, 9), (2, 4, 8), (2, 4, 30), (3, 3, 30)):
        features = (rng.standard_normal((200, d)) @ rng.standard_normal((d, p))) ** power
        assert np.linalg.matrix_rank(features) == min(p, math.comb(d + power - 1, power))

    assert check.most_points(lambda k, d, p: min(p, math.comb(d + k - 1, k))).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda k, d, p: p, "the number of parameters decides"),
        (lambda k, d, p: min(p, d), "the number of inputs"),
        (lambda k, d, p: math.comb(d + k - 1, k), "the number of features is missing"),
        (lambda k, d, p: min(p, d**k), "counted twice"),
        (lambda k, d, p: min(p, math.comb(d, k)), "squares of an input are missing"),
        (lambda k, d, p: min(p, math.comb(d + k, k)), "lower powers are counted too"),
        (lambda k, d, p: max(p, math.comb(d + k - 1, k)), "the larger of the two"),
        (lambda k, d, p: min(p, k * d), "only pure powers"),
        (lambda k, d, p: min(p, d * (d + 1) // 2), "right for the square only"),
        (lambda k, d, p: 100, "1000 features this gives 100"),
        (lambda k, d, p: "many", "this gives no number"),
    ],
)
def test_each_wrong_number_of_points_gets_its_message(function, message, capsys):
    assert not check.most_points(function).passed
    assert message in capsys.readouterr().out
