"""The checks of chapter 17 accept what is right, turn the starter away kindly, and know the usual mistakes."""

import math

import numpy as np
import pytest
import torch

from labs.checks import Feedback
from labs.checks import landscape as check

KINDS = {"A": "minimum", "B": "saddle", "C": "undecided", "D": "saddle", "E": "maximum", "F": "undecided"}
RATES = {"largest": 2 / 7, "fastest": 2 / 9}
VECTORS = {"trace": 92, "vectors for 4": 310, "vectors for 1": 4960}
LEAVING = {"barrier": 2, "exponent": 2.1, "added per decade": 2.34}
ANSWERS = {
    check.critical_points: KINDS,
    check.learning_rates: RATES,
    check.vectors_needed: VECTORS,
    check.leaving: LEAVING,
}
FUNCTIONS = (
    check.filter_normalised,
    check.best_factor,
    check.smallest_trace,
    check.trace_until,
    check.fitted_exponent,
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
        (check.trace_until, lambda *_: (..., None, ...)),
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
NONSENSE = [
    "text", "raised", "", 0, 1, 0.5, True, [], [1, 2], (1, 2, 3), (None, None), (1, ..., None), (NAN, 1, 10), {"a": 1},
    object(), NAN, 1j, (1j, 1j, 1), np.zeros(7), np.array(["a"]), np.array(None), torch.zeros(2), torch.ones(3, 4),
    torch.zeros(3), torch.full((3, 4), NAN), torch.tensor(2.0), 10**400, math.inf, -math.inf, ("a", "b", "c"),
]  # fmt: skip
PIECES = (
    "a", NAN, [1, 2], math.inf, -math.inf, 0, -1, 1e300, object(), 1j, np.zeros(2), True, "saddle", "minimum", {}, b"1"
)  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_returns_nonsense_does_not_pass(function):
    assert not [nonsense for nonsense in NONSENSE if function(lambda *_, n=nonsense: n).passed]


@pytest.mark.parametrize("function", [*ANSWERS, *FUNCTIONS])
def test_nonsense_in_place_of_the_answer_does_not_pass(function):
    assert not [nonsense for nonsense in NONSENSE if function(nonsense).passed]


@pytest.mark.parametrize("function", ANSWERS)
def test_nonsense_in_the_parts_of_an_answer_does_not_pass(function):
    right = ANSWERS[function]

    assert not [piece for piece in PIECES if function(dict.fromkeys(right, piece)).passed]
    assert not [
        piece for piece in PIECES if function({**right, list(right)[0]: piece, list(right)[1]: piece}).passed
    ]


@pytest.mark.parametrize("function", ANSWERS)
def test_the_right_answers_pass_also_as_arrays(function):
    right = ANSWERS[function]

    assert function(right).passed
    if function is not check.critical_points:
        assert function({key: np.array([value]) for key, value in right.items()}).passed
        assert function({key: torch.tensor(float(value)) for key, value in right.items()}).passed


@pytest.mark.parametrize("function", ANSWERS)
def test_each_part_is_needed(function, capsys):
    for part in ANSWERS[function]:
        assert not function({**ANSWERS[function], part: ...}).passed
        assert f"{part}: no answer yet" in capsys.readouterr().out


# --- exercise 1


def test_the_six_kinds_follow_from_the_signs():
    def kind(values):
        if min(values) < 0 < max(values):
            return "saddle"
        return "undecided" if 0 in values else "minimum" if min(values) > 0 else "maximum"

    assert check.critical_points({name: kind(values) for name, values in check.LISTS.items()}).passed
    assert check.critical_points({**KINDS, "B": " Saddle point"}).passed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"A": "undecided"}, "0.003 is small and not zero"),
        ({"A": "saddle"}, "no eigenvalue is negative"),
        ({"B": "minimum"}, "a small negative eigenvalue is as good as none"),
        ({"B": "undecided"}, "-0.02 is small and not zero"),
        ({"C": "minimum"}, "no negative eigenvalue, so a minimum"),
        ({"C": "saddle"}, "a zero is no way down"),
        ({"D": "undecided"}, "one zero, and nothing is decided"),
        ({"D": "minimum"}, "there is a way down"),
        ({"E": "minimum"}, "falls in every direction"),
        ({"E": "saddle"}, "there is no way up"),
        ({"F": "maximum"}, "no positive eigenvalue, so a maximum"),
        ({"F": "saddle"}, "a zero is no way up"),
        ({"F": "minimum"}, "minimum does not fit the signs"),
        ({"E": "flat"}, "none of the four"),
    ],
)
def test_each_wrong_kind_gets_its_message(change, message, capsys):
    assert not check.critical_points({**KINDS, **change}).passed
    assert message in capsys.readouterr().out


# --- exercise 2


def test_the_learning_rates_are_those_of_the_eigenvalues():
    low, high = torch.linalg.eigvalsh(torch.tensor(check.QUADRATIC, dtype=torch.float64)).tolist()

    assert check.learning_rates({"largest": 2 / high, "fastest": 2 / (low + high)}).passed
    assert check.learning_rates({"largest": 0.28, "fastest": 0.22}).passed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"largest": 1.0}, "two over the smallest eigenvalue"),
        ({"largest": 1 / 7}, "one over the largest eigenvalue"),
        ({"largest": 2 / 9}, "two over the trace"),
        ({"largest": 1 / 3}, "largest entry of the diagonal"),
        ({"largest": 3.5}, "upside down"),
        ({"largest": 7}, "this is the eigenvalue"),
        ({"largest": 0.29}, "it falls at first, so it converges"),
        ({"largest": 0.32}, "it falls at first, so it converges"),
        ({"largest": 0.6}, "far too large"),
        ({"largest": 0.2}, "a larger one does as well"),
        ({"largest": -0.2}, "no learning rate"),
        ({"fastest": 2 / 7}, "the larger, the faster"),
        ({"fastest": 1 / 7}, "keeps 5/7 a step"),
        ({"fastest": 0.5}, "the steep one grows"),
        ({"fastest": 0.05}, "that can be smaller"),
        ({"fastest": 0}, "no learning rate"),
    ],
)
def test_each_wrong_learning_rate_gets_its_message(change, message, capsys):
    assert not check.learning_rates({**RATES, **change}).passed
    assert message in capsys.readouterr().out


# --- exercise 3


def rows(d, W, dim=1):
    return d / d.norm(dim=dim, keepdim=True).clamp(min=1e-30) * W.norm(dim=dim, keepdim=True)


def in_place(d, W):
    d *= W.norm(dim=1, keepdim=True) / d.norm(dim=1, keepdim=True)
    return d


def test_the_right_normalisation_passes_also_as_a_list_and_in_single_precision():
    assert check.filter_normalised(rows).passed
    assert check.filter_normalised(lambda d, W: rows(d, W).tolist()).passed
    assert check.filter_normalised(lambda d, W: rows(d.float(), W.float())).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda d, W: d / d.norm(), "filter normalisation divides the direction by its norm"),
        (lambda d, W: d / d.norm() * W.norm(), "one length for the whole matrix"),
        (lambda d, W: d / d.norm(dim=1, keepdim=True), "each row has the length one"),
        (lambda d, W: d * W.norm(dim=1, keepdim=True), "still in it"),
        (lambda d, W: rows(d, W, dim=0), "columns in place of rows"),
        (lambda d, W: rows(W, d), "changed places"),
        (lambda d, W: d * d.norm(dim=1, keepdim=True) / W.norm(dim=1, keepdim=True), "upside down"),
        (lambda d, W: d / d.square().sum(1, keepdim=True) * W.square().sum(1, keepdim=True), "squared lengths"),
        (lambda d, W: d.sign() * W.abs(), "weight by weight"),
        (lambda d, W: d / d.abs().sum(1, keepdim=True) * W.abs().sum(1, keepdim=True), "sums of sizes"),
        (lambda d, W: d.clone(), "nothing has happened"),
        (lambda d, W: W.clone(), "this is W"),
        (lambda d, W: d / d.norm(dim=1, keepdim=True) * W.norm(dim=1, keepdim=True), "stays zero"),
        (lambda d, W: torch.ones_like(d), "do not have the right lengths"),
        (lambda d, W: d.sum(), "the shape of d"),
        (in_place, "changes what it is given"),
    ],
)  # fmt: skip
def test_each_wrong_normalisation_gets_its_message(function, message, capsys):
    assert not check.filter_normalised(function).passed
    assert message in capsys.readouterr().out


# --- exercise 4


def test_the_right_formulas_pass_and_are_smallest():
    assert check.best_factor(lambda s, t: (s / t) ** 0.25).passed
    assert check.best_factor(lambda s, t: torch.tensor(s / t).double().sqrt().sqrt()).passed
    assert check.smallest_trace(lambda s, t, u: 2 * (s * t) ** 0.5 + u).passed
    a = torch.logspace(-1, 1, 2001, dtype=torch.float64)
    traces = 4 / a**2 + 9 * a**2 + 5
    assert abs(traces.min() - 17) < 1e-4
    assert abs(a[traces.argmin()] - (4 / 9) ** 0.25) < 1e-3


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda s, t: math.sqrt(s / t), "this is a squared"),
        (lambda s, t: s / t, "a to the fourth"),
        (lambda s, t: (t / s) ** 0.25, "upside down"),
        (lambda s, t: math.sqrt(t / s), "one over a squared"),
        (lambda s, t: 1, "the network as trained is the flattest"),
        (lambda s, t: 2 * math.sqrt(s * t), "the smallest trace"),
        (lambda s, t: (s * t) ** 0.25, "the product in place of the ratio"),
        (lambda s, t: (s / t) ** (1 / 3), "cube root"),
        (lambda s, t: 1.5, "for 16, 1 this gives 1.5"),
        (lambda s, t: -((s / t) ** 0.25), "a positive number"),
    ],
)
def test_each_wrong_factor_gets_its_message(function, message, capsys):
    assert not check.best_factor(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda s, t, u: 2 * math.sqrt(s * t), "t3 is missing"),
        (lambda s, t, u: math.sqrt(s * t) + u, "one of the two terms"),
        (lambda s, t, u: s + t + u, "trace at a = 1"),
        (lambda s, t, u: 2 * s * t + u, "the root is missing"),
        (lambda s, t, u: u, "some factor flattens everything away"),
        (lambda s, t, u: 0, "flattened to nothing"),
        (lambda s, t, u: 2 * min(s, t) + u, "one of the layers alone"),
        (lambda s, t, u: 2 * math.sqrt(s * t) * u, "t3 is stretched, too"),
        (lambda s, t, u: 17, "for 16, 1, 0 this gives 17"),
    ],
)
def test_each_wrong_trace_gets_its_message(function, message, capsys):
    assert not check.smallest_trace(function).passed
    assert message in capsys.readouterr().out


# --- exercise 5


def signs(size, generator):
    return 2.0 * torch.randint(0, 2, (size,), generator=generator).double() - 1


def estimator(
    draw=signs,
    least=10,
    estimate=lambda values: values.mean(),
    error=lambda values: values.std() / len(values) ** 0.5,
    stop=lambda values: values.std() / len(values) ** 0.5,
    report=len,
    every=1,
):
    def function(product, size, limit, generator):
        found, n = torch.zeros(5000, dtype=torch.float64), 0
        while n < least or n % every or not stop(found[:n]) <= limit:
            v = draw(size, generator)
            found[n] = v @ product(v)
            n += 1
        return float(estimate(found[:n])), float(error(found[:n])), report(found[:n])

    return function


def the_same(size, generator):
    return torch.tensor([1.0, -1.0] * size, dtype=torch.float64)[:size]


def test_the_right_estimator_passes():
    assert check.trace_until(estimator()).passed
    assert check.trace_until(estimator(error=lambda x: x.std(correction=0) / len(x) ** 0.5)).passed
    assert check.trace_until(estimator(every=5)).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (estimator(stop=lambda x: x.std()), "it does not stop"),
        (estimator(error=lambda x: x.std()), "the standard deviation is not the standard error"),
        (estimator(error=lambda x: x.std() / len(x)), "divided by n in place of its root"),
        (estimator(error=lambda x: x.var() / len(x)), "the variance of the mean"),
        (estimator(error=lambda x: x.var()), "this is the variance"),
        (estimator(error=lambda x: 1.96 * x.std() / len(x) ** 0.5), "a whole interval"),
        (estimator(error=lambda x: 0.0), "not that of these"),
        (estimator(estimate=lambda x: x.sum()), "the sum of the single estimates"),
        (estimator(estimate=lambda x: x[-1]), "the last single estimate"),
        (estimator(estimate=lambda x: x.mean() / 6), "the mean eigenvalue"),
        (estimator(estimate=lambda x: x.std() / len(x) ** 0.5), "the estimate is the standard error"),
        (estimator(estimate=lambda x: 3.0), "the mean of v^T H v is"),
        (estimator(least=2), "if they agree, we are done"),
        (estimator(report=lambda values: len(values) + 1), "and has used"),
        (estimator(stop=lambda x: x.std() / len(x) ** 0.5 / 2), "above the limit"),
        (estimator(least=1000), "were enough"),
        (estimator(the_same), "the same vector each time"),
        (estimator(lambda n, g: torch.randn(n, generator=g, dtype=torch.float64)), "not -1 and 1"),
        (estimator(lambda n, g: (signs(n, g) + 1) / 2), "zeros and ones"),
        (estimator(lambda n, g: signs(n, None)), "do not come from the generator"),
        (estimator(lambda n, g: signs(n + 1, g)), "wants a vector with 6 numbers"),
        (lambda product, *_: product(torch.ones(6)) and None, "RuntimeError"),
        (lambda product, *_: [product(torch.ones(6)), None][1], "it returns nothing"),
        (lambda *_: (1.0, 0.1, 100), "no product was asked for"),
        (lambda *_: (1.0, 0.1), "return three numbers"),
    ],
)
def test_each_wrong_estimator_gets_its_message(function, message, capsys):
    assert not check.trace_until(function).passed
    assert message in capsys.readouterr().out


def test_the_hidden_matrix_costs_what_its_entries_say():
    H = check.product(torch.eye(check.SIZE, dtype=torch.float64))
    variance = 2 * (H.square().sum() - H.diagonal().square().sum()).item()

    assert torch.allclose(H, H.T)
    assert check.vectors_needed(
        {"trace": H.trace(), "vectors for 4": variance / 16, "vectors for 1": variance}
    ).passed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trace": 0.47}, "the mean eigenvalue"),
        ({"trace": 40}, "the largest eigenvalue"),
        ({"trace": 200}, "more than four standard errors off"),
        ({"vectors for 4": 20}, "is not what the spread"),
        ({"vectors for 1": 1240}, "half the error costs twice as many vectors"),
        ({"vectors for 1": 620}, "the wrong side"),
        ({"vectors for 1": 100}, "a smaller error for fewer vectors"),
        ({"vectors for 1": 20000}, "20000 is not it"),
    ],
)
def test_each_wrong_number_of_vectors_gets_its_message(change, message, capsys):
    assert not check.vectors_needed({**VECTORS, **change}).passed
    assert message in capsys.readouterr().out


# --- exercise 6


def slope(x, y):
    x = x - x.mean()
    return float((x * y).sum() / x.square().sum())


def line(inverse, times):
    return slope(inverse, times.log())


def spoilt(inverse, times):
    return slope(inverse, times.log_())


def test_the_right_fit_passes():
    assert check.fitted_exponent(line).passed
    assert check.fitted_exponent(lambda b, t: np.polyfit(b.numpy(), np.log(t.numpy()), 1)[0]).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda b, t: slope(b, t.log10()), "logarithm to base ten"),
        (lambda b, t: slope(b, t), "the logarithm is missing"),
        (lambda b, t: slope(1 / b, t.log()), "fitted over T"),
        (lambda b, t: slope(b.log(), t.log()), "a power law"),
        (lambda b, t: (b * t.log()).sum() / (b * b).sum(), "through the origin"),
        (lambda b, t: (t.log()[-1] - t.log()[0]) / (b[-1] - b[0]), "only the first and the last"),
        (lambda b, t: t.log().mean() - line(b, t) * b.mean(), "this is the intercept"),
        (lambda b, t: math.exp(line(b, t)), "the factor per unit"),
        (lambda b, t: slope(t.log(), b), "axes have changed places"),
        (lambda b, t: -line(b, t), "the sign is turned round"),
        (lambda b, t: 1.0, "the slope is not 1"),
        (lambda b, t: t.log() / b, "one number, the slope"),
        (spoilt, "changes what it is given"),
    ],
)
def test_each_wrong_fit_gets_its_message(function, message, capsys):
    assert not check.fitted_exponent(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(("barrier", "exponent"), [(0.5, 0.5), (3, 2.9), (4, 4.6)])
def test_the_barrier_is_a_free_choice(barrier, exponent):
    assert check.leaving({**LEAVING, "barrier": barrier, "exponent": exponent}).passed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"barrier": 1, "exponent": 1}, "clearly another one than the 1 of the chapter"),
        ({"barrier": 20}, "takes too long"),
        ({"exponent": 1.03}, "each unit of 1/T multiplies the time by e, always"),
        ({"exponent": 0.88}, "logarithm to base ten"),
        ({"exponent": -2}, "the sign is turned round"),
        ({"exponent": 16}, "the curvature of the minimum"),
        ({"exponent": 7.4}, "the factor per unit"),
        ({"exponent": 4.2}, "4.2 does not fit the barrier 2"),
        ({"added per decade": 1.15}, "half the logarithm of ten, whatever the curvature"),
        ({"added per decade": 1.0}, "a factor of e in T"),
        ({"added per decade": 1.4}, "a ratio of times"),
        ({"added per decade": 4.6}, "twice what it is"),
        ({"added per decade": -2.3}, "the sign is turned round"),
        ({"added per decade": 1e4}, "a saddle point holds as a minimum does"),
        ({"added per decade": 0}, "it does depend on the temperature"),
        ({"added per decade": 6}, "6 is not it"),
    ],
)
def test_each_wrong_measurement_gets_its_message(change, message, capsys):
    assert not check.leaving({**LEAVING, **change}).passed
    assert message in capsys.readouterr().out
