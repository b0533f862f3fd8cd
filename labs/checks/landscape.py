"""Checks for the exercises of chapter 17, on the landscape of the loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import torch
from torch import Tensor

from labs.checks import Feedback, Sheet, is_missing
from labs.checks.answers import as_number, as_tensor, quietly

# --- exercise 1: what eigenvalues decide

#: Exercise 1: the eigenvalues of the Hessian at six critical points.
LISTS = {
    "A": (9.0, 0.4, 0.003),
    "B": (120.0, 35.0, -0.02),
    "C": (5.0, 1.0, 0.0, 0.0),
    "D": (2.0, 0.0, -1.0),
    "E": (-0.5, -3.0, -7.0),
    "F": (0.0, -2.0, -4.0),
}
_KINDS = {"A": "minimum", "B": "saddle", "C": "undecided", "D": "saddle", "E": "maximum", "F": "undecided"}
_WHY = {
    "A": "all positive, however small: a minimum",
    "B": "one negative among positive ones: a saddle point of index 1",
    "C": "zeros, and no negative one: higher derivatives decide",
    "D": "a way up and a way down are there, whatever the zero does: a saddle point",
    "E": "all negative: a maximum",
    "F": "zeros, and no positive one: higher derivatives decide",
}
_KIND_SLIPS = {
    ("A", "undecided"): ("0.003 is small and not zero", "a positive eigenvalue decides, however small"),
    ("A", "saddle"): ("no eigenvalue is negative", "a saddle point needs a way down"),
    ("B", "minimum"): (
        '"a small negative eigenvalue is as good as none"',
        "that is approximate stationarity of second order; at a critical point one way down is enough",
    ),
    ("B", "undecided"): ("-0.02 is small and not zero", "a negative eigenvalue decides, however small"),
    ("C", "minimum"): (
        '"no negative eigenvalue, so a minimum"',
        "think of x^2 + y^3: the same eigenvalues in miniature, 2 and 0, and a way down",
    ),
    ("C", "saddle"): ("a zero is no way down", "compare x^2 + y^4 with x^2 - y^4: same eigenvalues at zero"),
    ("D", "undecided"): (
        '"one zero, and nothing is decided"',
        "the 2 is a way up and the -1 a way down; can the zero still change that?",
    ),
    ("D", "minimum"): ("there is a way down", "look at the smallest eigenvalue"),
    ("E", "minimum"): ("the loss falls in every direction from here", "negative means curved downwards"),
    ("E", "saddle"): ("there is no way up", "a saddle point needs eigenvalues of both signs"),
    ("F", "maximum"): (
        '"no positive eigenvalue, so a maximum"',
        "along the zero the loss may still rise: -x^2 + y^4",
    ),
    ("F", "saddle"): ("a zero is no way up", "compare -x^2 + y^4 with -x^2 - y^4"),
}


def critical_points(answer: Mapping[str, object]) -> Feedback:
    """Exercise 1: what the eigenvalues of six critical points decide, in one word each."""
    sheet = Sheet()
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'give a dictionary such as {"A": "saddle", ...}')
        return sheet.hand_back()
    for name, right in _KINDS.items():
        given = answer.get(name)
        kind = _kind(given)
        if is_missing(given):
            sheet.wrong(f"{name}: no answer yet", "minimum, saddle, maximum or undecided")
        elif kind is None:
            sheet.wrong(
                f"{name}: {_shown(given)} is none of the four", "minimum, saddle, maximum or undecided"
            )
        elif kind == right:
            sheet.right(f"{name}: {_WHY[name]}")
        else:
            hint = "look at the signs: are there positive ones, negative ones, zeros?"
            finding, hint = _KIND_SLIPS.get((name, kind), (f"{kind} does not fit the signs", hint))
            sheet.wrong(f"{name}: {finding}", hint)
    return sheet.hand_back()


def _kind(given: object) -> str | None:
    word = given.strip().lower().removesuffix(" point") if isinstance(given, str) else ""
    return word if word in set(_KINDS.values()) else None


# --- exercise 2: the learning rate of a quadratic

#: Exercise 2: the Hessian of the quadratic; its eigenvalues are 7 and 2.
QUADRATIC = ((6.0, 2.0), (2.0, 3.0))


def learning_rates(answer: Mapping[str, object]) -> Feedback:
    """Exercise 2: the learning rate at which gradient descent on the quadratic stops growing, and the fastest."""
    sheet, parts = Sheet(), ("largest", "fastest")
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'give a dictionary such as {"largest": 0.5, "fastest": 0.1}')
        return sheet.hand_back()
    for part in parts:
        given, number = answer.get(part), _finite(answer.get(part))
        if is_missing(given):
            sheet.wrong(f"{part}: no answer yet", "a learning rate")
        elif number is None or number <= 0:
            sheet.wrong(f"{part}: {_shown(given)} is no learning rate", "a number above zero")
        else:
            finding, hint = (_largest if part == "largest" else _fastest)(number)
            if hint:
                sheet.wrong(f"{part}: {finding}", hint)
            else:
                sheet.right(f"{part}: {finding}")
    return sheet.hand_back()


def _largest(rate: float) -> tuple[str, str]:
    """What is to be said of the largest learning rate; an empty hint if it is right."""
    if 0.28 <= rate <= 2 / 7 + 1e-4:
        return "2 / 7, two over the largest eigenvalue", ""
    for wrong, finding, hint in (
        (1.0, "this is two over the smallest eigenvalue", "the steepest direction grows first"),
        (1 / 7, "this is one over the largest eigenvalue", "there the steep parabola is at its bottom in one step; how far past it may a step go?"),
        (2 / 9, "this is two over the trace", "each direction has its own factor, 1 - eta lambda; the trace is their sum"),
        (1 / 3, "this is two over the largest entry of the diagonal", "the steepest direction need not be an axis: take eigenvalues"),
        (7 / 2, "upside down", "the steeper, the smaller the steps must be"),
        (7.0, "this is the eigenvalue", "the factor per step is 1 - eta lambda: when is it -1?"),
    ):  # fmt: skip
        if abs(rate - wrong) < 0.004:
            return finding, hint
    if 2 / 7 < rate <= 0.4:
        hint = f'"it falls at first, so it converges": here the steep part grows by {abs(1 - 7 * rate):.2f} a step; go on for 300'
        return f"{rate:g} is too large", hint
    if rate > 0.4:
        return f"{rate:g} is far too large", "the factor per step is 1 - eta lambda, for each eigenvalue"
    return f"at {rate:g} nothing grows, but a larger one does as well", "how large may eta times 7 become?"


def _fastest(rate: float) -> tuple[str, str]:
    """What is to be said of the fastest learning rate; an empty hint if it is right."""
    if 0.21 <= rate <= 0.234:
        return "2 / (7 + 2), where both directions shrink by 5/9 a step", ""
    if 0.27 <= rate <= 0.29:
        return (
            '"the larger, the faster"',
            "just below the limit the steep part swings to and fro and hardly shrinks",
        )
    if abs(rate - 1 / 7) < 0.004:
        return "the steep part is gone at once, the flat one keeps 5/7 a step", "let the two share the pain: what makes |1 - 7 eta| and |1 - 2 eta| equal?"  # fmt: skip
    if abs(rate - 0.5) < 0.004:
        return (
            "the flat part is gone at once, the steep one grows",
            "what makes |1 - 7 eta| and |1 - 2 eta| equal?",
        )
    slow = max(abs(1 - 7 * rate), abs(1 - 2 * rate))
    return f"the slower direction has the factor {slow:.2f} a step, and that can be smaller", "what makes |1 - 7 eta| and |1 - 2 eta| equal?"  # fmt: skip


# --- exercise 3: filter normalisation


def filter_normalised(function: Callable[[Tensor, Tensor], Tensor]) -> Feedback:
    """Exercise 3: a direction whose rows have the lengths of the rows of a weight matrix."""
    sheet = Sheet()
    generator = torch.Generator().manual_seed(17)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    first, weights = draw(3, 4), 2 * draw(3, 4)
    if is_missing(function) or is_missing(quietly(function, first.clone(), weights.clone())):
        return sheet.not_yet()
    silent, still = weights.clone(), first.clone()
    silent[1], still[2] = 0, 0
    for promise, d, W, hint in (
        ("three filters of four weights", first, weights, "row by row: divide by the length of d_i, multiply by that of W_i"),
        ("the length of the direction does not matter", 1000 * first, weights, "divide by the length that d_i has"),
        ("twice the weights, twice the direction", first, 2 * weights, "multiply by the length that W_i has"),
        ("more filters than weights in each", draw(5, 2), draw(5, 2), "a filter is a row; dim=1, keepdim=True"),
        ("a square matrix", draw(4, 4), draw(4, 4), "a filter is a row; dim=1, keepdim=True"),
        ("a single filter", draw(1, 6), draw(1, 6), "a filter is a row; dim=1, keepdim=True"),
        ("a filter whose weights are all zero", first, silent, "its direction has the length zero"),
        ("a row of the direction that is zero stays zero", still, weights, "0 / 0 is no number: clamp the length below"),
    ):  # fmt: skip
        copies = d.clone(), W.clone()
        result = sheet.call(function, *copies)
        if not (torch.equal(copies[0], d) and torch.equal(copies[1], W)):
            sheet.wrong("your function changes what it is given", "return a new tensor")
            return sheet.hand_back()
        found = as_tensor(result)
        if found is None or found.shape != d.shape:
            if result is not None:
                sheet.wrong(f"{promise}: got {_of(result)}", "return a tensor with the shape of d")
            return sheet.hand_back()
        if not _near(found, _rows(d, W)):
            known = _first(_filter_slips(d, W), found, ("the rows do not have the right lengths", hint))
            sheet.wrong(f"{promise}: {known[0]}", known[1])
            return sheet.hand_back()
        sheet.right(promise)
    return sheet.hand_back()


def _rows(d: Tensor, W: Tensor) -> Tensor:
    return d / d.norm(dim=1, keepdim=True).clamp(min=1e-300) * W.norm(dim=1, keepdim=True)


def _filter_slips(d: Tensor, W: Tensor) -> dict[str, tuple[Tensor, str]]:
    of_d, of_W = d.norm(dim=1, keepdim=True), W.norm(dim=1, keepdim=True)
    return {
        '"filter normalisation divides the direction by its norm"': (d / d.norm(), "it misses the filters and the factor ||W_i||: row by row"),
        "one length for the whole matrix": (d / d.norm() * W.norm(), "each filter has a length of its own: norm(dim=1, keepdim=True)"),
        "each row has the length one": (d / of_d, "the factor ||W_i|| is missing: the unit is the weights"),
        "the length of the direction is still in it": (d * of_W, "divide each row by its own length first"),
        "columns in place of rows": (_rows(d.T, W.T).T, "a filter is what makes one output: a row of the weight matrix"),
        "weights and direction have changed places": (W / of_W * of_d, "the direction of d, the length of W"),
        "upside down": (d * of_d / of_W, "divide by the length of d_i, multiply by that of W_i"),
        "these are squared lengths": (d / of_d**2 * of_W**2, "a length is the root of the sum of squares"),
        "normalised weight by weight": (d.sign() * W.abs(), "a filter as a whole gets the length; inside, d keeps its proportions"),
        "these are sums of sizes": (d / d.abs().sum(1, keepdim=True) * W.abs().sum(1, keepdim=True), "the length is the root of the sum of squares"),
        "nothing has happened to d": (d, "divide by the length of d_i, multiply by that of W_i"),
        "this is W": (W, "the direction is that of d, only the lengths come from W"),
    }  # fmt: skip


# --- exercise 4: the factor that makes the trace smallest


def best_factor(function: Callable[[float, float], float]) -> Feedback:
    """Exercise 4: the factor a at which t1 / a^2 + a^2 t2 is smallest."""
    mistakes: dict[str, tuple[Callable[..., float], str]] = {
        "this is a squared": (lambda s, t: math.sqrt(s / t), "the two terms are equal where a^4 = t1 / t2: one more root"),
        "this is a to the fourth": (lambda s, t: s / t, "the two terms are equal where a^4 = t1 / t2"),
        "upside down": (lambda s, t: (t / s) ** 0.25, "a large first layer's trace is divided by a^2: then a should be large"),
        "this is one over a squared": (lambda s, t: math.sqrt(t / s), "set the derivative -2 t1 / a^3 + 2 a t2 to zero"),
        '"the network as trained is the flattest"': (lambda s, t: 1.0, "training does not know of a; only for t1 = t2 is the answer 1"),
        "this is the smallest trace": (lambda s, t: 2 * math.sqrt(s * t), "the place is asked for, not the value"),
        "the product in place of the ratio": (lambda s, t: (s * t) ** 0.25, "set the derivative -2 t1 / a^3 + 2 a t2 to zero"),
        "this is a cube root": (lambda s, t: (s / t) ** (1 / 3), "-2 t1 / a^3 + 2 a t2 = 0: multiply by a^3"),
    }  # fmt: skip
    cases = ((81.0, 16.0), (16.0, 1.0), (1.0, 16.0), (3.0, 3.0), (2.5e6, 0.4), (1e-3, 7.0))
    promises = (
        "for t1 = t2 the factor is 1",
        "for t1 = 16 t2 it is 2, for the reverse one half",
        "far from balance, too",
    )
    return _formula(function, lambda s, t: (s / t) ** 0.25, cases, mistakes, promises, "a positive number; -2 t1 / a^3 + 2 a t2 = 0")  # fmt: skip


def smallest_trace(function: Callable[[float, float, float], float]) -> Feedback:
    """Exercise 4: the trace at the best factor."""
    mistakes: dict[str, tuple[Callable[..., float], str]] = {
        "t3 is missing": (lambda s, t, u: 2 * math.sqrt(s * t), "the last layer keeps its curvature"),
        "one of the two terms is missing": (lambda s, t, u: math.sqrt(s * t) + u, "at the best factor both are root(t1 t2)"),
        "this is the trace at a = 1": (lambda s, t, u: s + t + u, "put the best factor in; it is also what a^2 in place of a gives"),
        "the root is missing": (lambda s, t, u: 2 * s * t + u, "t1 / a^2 with a^2 = root(t1 / t2)"),
        '"some factor flattens everything away"': (lambda s, t, u: u, "what the first layer loses the second gains: the product of the two terms is t1 t2 for every a"),
        "flattened to nothing": (lambda s, t, u: 0.0, "what the first layer loses the second gains: the product of the two terms is t1 t2 for every a"),
        "one of the layers alone": (lambda s, t, u: 2 * min(s, t) + u, "both are root(t1 t2) at the best factor"),
        "t3 is stretched, too": (lambda s, t, u: 2 * math.sqrt(s * t) * u, "the last layer is not touched: t3 is added"),
    }  # fmt: skip
    cases = ((4.0, 9.0, 5.0), (16.0, 1.0, 0.0), (3.0, 3.0, 2.0), (1e6, 1e-4, 0.5), (0.02, 5.0, 11.0))
    promises = (
        "balanced layers: nothing to gain",
        "unbalanced ones: much to gain, and never more than down to t3",
    )
    return _formula(function, lambda s, t, u: 2 * math.sqrt(s * t) + u, cases, mistakes, promises, "t1 / a^2 + a^2 t2 + t3 at the best a")  # fmt: skip


def _formula(
    function: Callable[..., float],
    right: Callable[..., float],
    cases: Sequence[tuple[float, ...]],
    mistakes: Mapping[str, tuple[Callable[..., float], str]],
    promises: Sequence[str],
    hint: str,
) -> Feedback:
    """Compare a student's formula with the right one and the known wrong ones, at several places."""
    sheet = Sheet()
    if is_missing(function) or is_missing(quietly(function, *cases[0])):
        return sheet.not_yet()
    given = [_finite(sheet.call(function, *case)) for case in cases]

    def agrees(formula: Callable[..., float]) -> bool:
        pairs = zip(given, (formula(*case) for case in cases), strict=True)
        return all(g is not None and math.isclose(g, w, rel_tol=1e-6, abs_tol=1e-12) for g, w in pairs)

    if agrees(right):
        for promise in promises:
            sheet.right(promise)
        return sheet.hand_back()
    for finding, (formula, advice) in mistakes.items():
        if agrees(formula):
            sheet.wrong(finding, advice)
            return sheet.hand_back()
    for case, g in zip(cases, given, strict=True):
        if g is None or not math.isclose(g, right(*case), rel_tol=1e-6):
            shown = "no number" if g is None else f"{g:.4g}"
            sheet.wrong(f"for {', '.join(f'{number:g}' for number in case)} this gives {shown}", hint)
            break
    return sheet.hand_back()


# --- exercise 5: a trace from random signs

#: Exercise 5: the number of rows of the matrix behind :func:`product`.
SIZE = 200
_LEAST = 10


@cache
def _hessian() -> Tensor:
    """A matrix with a spectrum like that of a network: five outliers and a needle at zero."""
    generator = torch.Generator().manual_seed(3)
    Q = torch.linalg.qr(torch.randn(SIZE, SIZE, generator=generator, dtype=torch.float64)).Q
    values = 0.05 * torch.randn(SIZE, generator=generator, dtype=torch.float64)
    values[:5] = torch.tensor([40.0, 25.0, 15.0, 10.0, 5.0])
    return Q * values @ Q.T


def product(v: Tensor) -> Tensor:
    """Exercise 5: H v, for a symmetric matrix H with ``SIZE`` rows that nobody shows you."""
    return (_hessian() @ v.double()).to(v.dtype)


class _Enough(Exception):
    """Raised when a student's loop does not end."""


class _Spy:
    """A product that remembers which vectors it was given, and stops after too many."""

    def __init__(self, matrix: Tensor, most: int) -> None:
        self.matrix, self.most = matrix, most
        self.vectors: list[Tensor] = []

    def __call__(self, v: Tensor) -> Tensor:
        vector = as_tensor(v)
        if vector is None or vector.shape != (len(self.matrix),):
            shape = None if vector is None else tuple(vector.shape)
            raise ValueError(f"product wants a vector with {len(self.matrix)} numbers, got shape {shape}")
        if len(self.vectors) >= self.most:
            raise _Enough
        self.vectors.append(vector.clone())
        return (self.matrix @ vector).to(getattr(v, "dtype", torch.float64))


_Estimator = Callable[[Callable[[Tensor], Tensor], int, float, torch.Generator], "tuple[float, float, int]"]


def trace_until(function: _Estimator) -> Feedback:
    """Exercise 5: an estimate of a trace whose standard error is below a limit, and the number of vectors."""
    sheet = Sheet()
    if is_missing(function):
        return sheet.not_yet()
    generator = torch.Generator().manual_seed(6)
    some = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    some = some + some.T
    pair = torch.tensor([[1.0, 5.0], [5.0, 1.0]], dtype=torch.float64)
    diagonal = torch.arange(1.0, 6.0, dtype=torch.float64).diag()
    spread = math.sqrt(2 * float(some.square().sum() - some.diagonal().square().sum()))
    for promise, matrix, limit, seeds in (
        ("six rows, one limit", some, spread / 12, (0, 1)),
        ("half the limit", some, spread / 24, (0,)),
        ("a negative trace", -some - 9 * torch.eye(6, dtype=torch.float64), spread / 12, (2,)),
        ("two rows, where two estimates often agree by chance", pair, 1.0, (0, 1, 2, 3)),
        ("a diagonal matrix, where every vector gives the trace", diagonal, 0.1, (0,)),
    ):
        for seed in seeds:
            spy = _Spy(matrix, 1500)
            try:
                result = function(spy, len(matrix), limit, torch.Generator().manual_seed(seed))
            except _Enough:
                hint = "the standard deviation of the single estimates does not fall, however many there are; the standard error is that over the root of n"
                sheet.wrong(f"{promise}: it does not stop, after 1500 vectors", hint)
                return sheet.hand_back()
            except Exception as error:
                sheet.wrong(
                    f"{promise}: stopped with {type(error).__name__}: {error}"[:300],
                    "call it yourself with check.product",
                )
                return sheet.hand_back()
            if is_missing(result) or (_gap(result) and not spy.vectors):
                if not spy.vectors:
                    return sheet.not_yet()
                sheet.wrong(
                    "it returns nothing", "return the estimate, its standard error and the number of vectors"
                )
                return sheet.hand_back()
            trouble = _wrong_trace(result, spy, limit)
            if trouble:
                sheet.wrong(f"{promise}: {trouble[0]}", trouble[1])
                return sheet.hand_back()
        sheet.right(promise)
    again = [_Spy(some, 1500) for _ in range(3)]
    for spy, seed in zip(again, (0, 0, 5), strict=True):
        quietly(function, spy, 6, spread / 12, torch.Generator().manual_seed(seed))
    drawn = [
        torch.stack(spy.vectors[:_LEAST]) if len(spy.vectors) >= _LEAST else torch.zeros(0) for spy in again
    ]
    if torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2]):
        sheet.right("the vectors come from the generator")
    else:
        sheet.wrong("the vectors do not come from the generator", "pass generator=generator where you draw")
    return sheet.hand_back()


def _wrong_trace(result: object, spy: _Spy, limit: float) -> tuple[str, str] | None:
    """Say what is not right about a student's (estimate, standard error, count), if anything."""
    numbers = _numbers(result, 3)
    if numbers is None:
        return (
            f"got {_shown(result)}",
            "return three numbers: the estimate, its standard error, the number of vectors",
        )
    if not spy.vectors:
        return "no product was asked for", "v @ product(v), for random signs v"
    estimate, error, count = numbers
    vectors, n = torch.stack(spy.vectors), len(spy.vectors)
    if n > 5 and (vectors == vectors[0]).all():
        return "it is the same vector each time", "draw a fresh one inside the loop, and do not seed it anew"
    if not (vectors.abs() == 1).all():
        if ((vectors == 0) | (vectors == 1)).all():
            return "zeros and ones", "signs are -1 and 1: 2 * randint - 1"
        hint = "only then is v_i^2 = 1, and the diagonal brings no noise; a normal vector has the right mean and more variance"
        return "the entries are not -1 and 1", hint
    if (vectors == 1).all():
        return "only ones", "fair signs: 2 * randint(0, 2) - 1"
    singles = ((vectors @ spy.matrix) * vectors).sum(dim=1)
    mean = float(singles.mean())
    std = float(singles.std()) if n > 1 else math.nan
    room = 1e-4 * (1 + float(singles.abs().max()))
    if abs(estimate - mean) > room:
        return _first(
            {
                "this is the sum of the single estimates": (singles.sum(), "their mean"),
                "this is the last single estimate": (singles[-1], "their mean"),
                "this is the mean eigenvalue": (singles.mean() / len(spy.matrix), "v^T H v estimates the trace itself: no division by the number of rows"),
                "the estimate is the standard error": (torch.tensor(error).double(), "the estimate first, then its standard error"),
            },
            torch.tensor(estimate).double(),
            (f"the estimate is {estimate:.4g}, the mean of v^T H v is {mean:.4g}", "the mean of v @ product(v)"),
        )  # fmt: skip
    if count != n:
        return f"it says {count:g} vectors and has used {n}", "one product for each vector, counted"
    if n < _LEAST:
        hint = f"two or three that agree by chance have a standard error of zero: draw at least {_LEAST}"
        return f'{n} vectors: "if they agree, we are done"', hint
    if not any(
        abs(error - std * f / math.sqrt(n)) <= 1e-4 * (1 + std) / math.sqrt(n)
        for f in (1, math.sqrt(1 - 1 / n))
    ):
        return _first(
            {
                "the standard deviation is not the standard error": (torch.tensor(std), "the mean of n is surer than one: over the root of n"),
                "divided by n in place of its root": (torch.tensor(std / n), "variances add up, so the error falls with the root of n"),
                "this is the variance of the mean": (torch.tensor(std**2 / n), "its root is the standard error"),
                "this is the variance": (torch.tensor(std**2), "the standard error is the root of variance over n"),
                "this is a whole interval": (torch.tensor(1.96 * std / math.sqrt(n)), "one standard error is asked for"),
            },
            torch.tensor(error),
            (f"the standard error is {error:.3g}, not that of these {n} numbers", "their standard deviation over the root of n"),
        )  # fmt: skip
    if error > limit * (1 + 1e-9):
        return (
            f"it stops at a standard error of {error:.3g}, above the limit {limit:.3g}",
            "go on until it is below",
        )
    counts = torch.arange(1, n + 1, dtype=torch.float64)
    means = singles.cumsum(0) / counts
    variances = (
        (singles.square().cumsum(0) / counts - means**2).clamp(min=0) * counts / (counts - 1).clamp(min=1)
    )
    below = (variances.sqrt() / counts.sqrt() <= limit) & (counts >= _LEAST)
    first = int(below.nonzero()[0]) + 1 if below.any() else n
    if n > 1.5 * first + 10:
        return (
            f"{n} vectors, where {first} were enough",
            "look at the standard error after each vector, and stop when it is below",
        )
    return None


def vectors_needed(answer: Mapping[str, object]) -> Feedback:
    """Exercise 5: the trace of the hidden matrix, and how many vectors two standard errors cost."""
    sheet, parts = Sheet(), ("trace", "vectors for 4", "vectors for 1")
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", f'give a dictionary such as {{"{parts[0]}": 20, ...}}')
        return sheet.hand_back()
    numbers = {part: _finite(answer.get(part)) for part in parts}
    for part in parts:
        given, number = answer.get(part), numbers[part]
        if is_missing(given):
            sheet.wrong(f"{part}: no answer yet", "a number from your measurement")
        elif number is None:
            sheet.wrong(f"{part}: {_shown(given)} is no number", "a number from your measurement")
        elif part == "trace":
            _judge_trace(sheet, number)
        elif part == "vectors for 4":
            if 180 <= number <= 480:
                sheet.right(f"{part}: some three hundred")
            else:
                sheet.wrong(
                    f"{part}: {number:g} is not what the spread of about 70 costs",
                    "(70 / 4)^2 or so: run your function with check.product and the limit 4",
                )
        else:
            _judge_more(sheet, number, numbers["vectors for 4"])
    return sheet.hand_back()


def _judge_trace(sheet: Sheet, number: float) -> None:
    trace = float(_hessian().trace())
    if abs(number - trace) <= 16:
        sheet.right(f"trace: {number:.0f}, within a few standard errors of the truth, {trace:.0f}")
    elif abs(number - trace / SIZE) < 0.1:
        sheet.wrong("trace: this is the mean eigenvalue", "no division by the number of rows")
    elif 35 <= number <= 45:
        sheet.wrong("trace: this is the largest eigenvalue", "the sum of all of them is asked for")
    else:
        sheet.wrong(
            f"trace: {number:g} is more than four standard errors off",
            "your function, check.product, the limit 4",
        )


def _judge_more(sheet: Sheet, number: float, before: float | None) -> None:
    ratio = number / before if before and before > 0 else math.nan
    if 13 <= ratio <= 19 and 1800 <= number <= 9000 or 3700 <= number <= 6500:
        sheet.right("vectors for 1: sixteen times as many, some five thousand")
    elif 3.4 <= ratio <= 4.6:
        hint = "the standard error falls with the ROOT of the number: half the error costs four times as many"
        sheet.wrong('vectors for 1: "half the error costs twice as many vectors"', hint)
    elif 0 < ratio <= 1:
        sheet.wrong("vectors for 1: a smaller error for fewer vectors", "the limit 1 is the stricter one")
    elif 1.7 <= ratio <= 2.3:
        sheet.wrong(
            "vectors for 1: the root is taken on the wrong side",
            "a quarter of the error: n times the square of four",
        )
    else:
        sheet.wrong(
            f"vectors for 1: {number:g} is not it",
            "the standard error falls with the root of the number; from 4 to 1 is a factor of four",
        )


# --- exercise 6: leaving a minimum, and a saddle point


def fitted_exponent(function: Callable[[Tensor, Tensor], float]) -> Feedback:
    """Exercise 6: the slope of the logarithm of times over 1/T, by least squares."""
    sheet = Sheet()
    generator = torch.Generator().manual_seed(2)
    b = torch.tensor([0.5, 0.75, 1.25, 2.0, 2.5, 3.5], dtype=torch.float64)
    noise = torch.exp(0.2 * torch.randn(6, generator=generator, dtype=torch.float64))
    noisy = 3 * torch.exp(1.5 * b) * noise
    if is_missing(function) or is_missing(quietly(function, b.clone(), noisy.clone())):
        return sheet.not_yet()
    for promise, x, y, hint in (
        ("six times with noise", b, noisy, "the slope of the straight line through ln(times) over 1/T"),
        (
            "other units of time change nothing",
            b,
            1000 * noisy,
            "the factor in front is the intercept, not the slope",
        ),
        (
            "exact ones",
            b,
            0.5 * torch.exp(0.25 * b),
            "the slope of the straight line through ln(times) over 1/T",
        ),
        ("times that fall", b, 7 * torch.exp(-2 * b), "a slope may be negative"),
        ("times that stay", b, torch.full_like(b, 4.0), "the slope is zero"),
        ("two temperatures", b[:2], torch.exp(3 * b[:2]), "two points are a line"),
    ):
        copies = x.clone(), y.clone()
        result = sheet.call(function, *copies)
        if not (torch.equal(copies[0], x) and torch.equal(copies[1], y)):
            sheet.wrong("your function changes what it is given", "times.log(), not times.log_()")
            return sheet.hand_back()
        number = _finite(result)
        if number is None:
            if result is not None:
                sheet.wrong(f"{promise}: got {_shown(result)}", "one number, the slope")
            return sheet.hand_back()
        if abs(number - _slope(x, y.log())) > 1e-4:
            known = _first(
                _fit_slips(x, y), torch.tensor(number).double(), (f"the slope is not {number:.4g}", hint)
            )
            sheet.wrong(f"{promise}: {known[0]}", known[1])
            return sheet.hand_back()
        sheet.right(promise)
    return sheet.hand_back()


def _slope(x: Tensor, y: Tensor) -> float:
    centred = x - x.mean()
    return float((centred * y).sum() / centred.square().sum())


def _fit_slips(x: Tensor, y: Tensor) -> dict[str, tuple[Tensor, str]]:
    log, right = y.log(), _slope(x, y.log())
    numbers = {
        "this is the logarithm to base ten": (right / math.log(10), "e to the barrier over T: the natural logarithm"),
        "the logarithm is missing": (_slope(x, y), "an exponential is a straight line only in ln(times)"),
        "fitted over T": (_slope(1 / x, log), "the law is straight over 1/T"),
        "this fits a power law": (_slope(x.log(), log), "ln(times) over 1/T itself, not over its logarithm"),
        "a line through the origin": (float((x * log).sum() / x.square().sum()), "the factor in front needs an intercept"),
        "only the first and the last": (float((log[-1] - log[0]) / (x[-1] - x[0])), "least squares through all points: scipy.stats.linregress"),
        "this is the intercept": (float(log.mean()) - right * float(x.mean()), "the slope is asked for"),
        "this is the factor per unit of 1/T": (math.exp(right) if right < 50 else math.inf, "its logarithm, the slope itself"),
        "the axes have changed places": (_slope(log, x) if float(log.var()) > 0 else math.nan, "1/T is the first argument, ln(times) the second"),
        "the sign is turned round": (-right, "times grow with 1/T"),
    }  # fmt: skip
    return {finding: (torch.tensor(wrong).double(), hint) for finding, (wrong, hint) in numbers.items()}


def leaving(answer: Mapping[str, object]) -> Feedback:
    """Exercise 6: the exponent for a barrier of the student's choice, and what a decade of T adds at a saddle point."""
    sheet, parts = Sheet(), ("barrier", "exponent", "added per decade")
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'give a dictionary such as {"barrier": 3, ...}')
        return sheet.hand_back()
    numbers = {part: _finite(answer.get(part)) for part in parts}
    for part in parts:
        given, number = answer.get(part), numbers[part]
        if is_missing(given):
            sheet.wrong(f"{part}: no answer yet", "a number")
        elif number is None:
            sheet.wrong(f"{part}: {_shown(given)} is no number", "a number")
        elif part == "barrier":
            if 0.3 <= number <= 0.7 or 1.5 <= number <= 5:
                sheet.right(f"barrier: {number:g}")
            else:
                sheet.wrong(
                    f"barrier: {number:g} tells too little, or takes too long",
                    "from 0.3 to 0.7 or from 1.5 to 5: clearly another one than the 1 of the chapter",
                )
        elif part == "exponent":
            _judge_exponent(sheet, number, numbers["barrier"])
        else:
            _judge_decade(sheet, number)
    return sheet.hand_back()


def _judge_exponent(sheet: Sheet, number: float, barrier: float | None) -> None:
    if barrier is None or not (0.3 <= barrier <= 0.7 or 1.5 <= barrier <= 5):
        sheet.wrong("exponent: it takes a barrier to judge it", "mend that one first")
        return
    ratio = number / barrier
    if 0.82 <= ratio <= 1.25:
        sheet.right(f"exponent: {number:.2f} for the barrier {barrier:g}")
    elif 0.9 <= number <= 1.15:
        hint = "e^(barrier / T): the 1 of the chapter is its barrier. Fit your own times"
        sheet.wrong('exponent: "each unit of 1/T multiplies the time by e, always"', hint)
    elif 0.36 <= ratio <= 0.53:
        sheet.wrong("exponent: this is the logarithm to base ten", "the natural one")
    elif -1.25 <= ratio <= -0.82:
        sheet.wrong("exponent: the sign is turned round", "the colder, the longer: over 1/T it rises")
    elif 0.85 <= number / (8 * barrier) <= 1.15:
        sheet.wrong(
            "exponent: this is the curvature of the minimum",
            "curvatures stand in the factor in front; the exponent is the height",
        )
    elif 0.8 <= number / math.exp(barrier) <= 1.25:
        sheet.wrong("exponent: this is the factor per unit of 1/T", "its logarithm is asked for")
    else:
        hint = "1/T from about 1.5 to 3.5 over the barrier, ln(times) over 1/T; if it is too warm the law does not hold yet"
        sheet.wrong(f"exponent: {number:g} does not fit the barrier {barrier:g}", hint)


def _judge_decade(sheet: Sheet, number: float) -> None:
    if 2.0 <= number <= 2.65:
        sheet.right("added per decade: ln 10 / (2 |lambda|) with the curvature -1/2, about 2.3")
    elif 1.08 <= number <= 1.25:
        hint = (
            "that is for the curvature -1; the loss -x^2 / 4 has another one, and the time is over |lambda|"
        )
        sheet.wrong('added per decade: "half the logarithm of ten, whatever the curvature"', hint)
    elif 0.9 <= number < 1.08:
        sheet.wrong(
            "added per decade: this is for a factor of e in T",
            "a decade is a factor of ten: times 2.3, or the slope over log10",
        )
    elif 1.25 < number < 1.8:
        sheet.wrong(
            "added per decade: this looks like a ratio of times",
            "the difference: it is the same for each decade, the ratio is not",
        )
    elif 4.2 <= number <= 5:
        sheet.wrong(
            "added per decade: twice what it is",
            "the variance grows with 2 |lambda|, the size with |lambda|: there is a half",
        )
    elif -2.65 <= number <= -2.0:
        sheet.wrong("added per decade: the sign is turned round", "the colder, the longer")
    elif number > 8:
        hint = "that is a minimum; from a saddle point one slides, and the noise gives the first push only"
        sheet.wrong('added per decade: "a saddle point holds as a minimum does"', hint)
    elif abs(number) < 0.1:
        sheet.wrong(
            "added per decade: it does depend on the temperature",
            "little, but by the same amount for each factor of ten: use a wide range of T",
        )
    else:
        sheet.wrong(
            f"added per decade: {number:g} is not it",
            "leave_saddle for 1/T from 1e2 to 1e6; the slope of the time over log10(1/T)",
        )


# --- small things


def _untouched(answer: object) -> bool:
    """Whether a dictionary holds nothing but gaps."""
    return isinstance(answer, Mapping) and all(is_missing(value) or _gap(value) for value in answer.values())


def _gap(value: object) -> bool:
    return isinstance(value, (tuple, list)) and len(value) > 0 and all(map(is_missing, value))


def _finite(value: object) -> float | None:
    """Return a student's number if it is one and finite; a truth value is none."""
    number = None if isinstance(value, (bool, str, bytes, complex)) else as_number(value)
    return number if number is not None and math.isfinite(number) else None


def _numbers(result: object, number: int) -> list[float] | None:
    """Return so many finite numbers, or ``None`` if the result is something else."""
    if not isinstance(result, (tuple, list, Tensor)) or quietly(len, result) != number:  # type: ignore[arg-type]
        return None
    found = [_finite(part) for part in result]
    return None if None in found else found  # type: ignore[return-value]


def _near(given: Tensor, wanted: Tensor, tolerance: float = 1e-5) -> bool:
    """Whether two tensors have the same shape and differ by no more than a part of the largest number."""
    if given.shape != wanted.shape:
        return False
    room = tolerance * max(1e-3, float(wanted.abs().max()) if wanted.numel() else 0.0)
    return bool(((given - wanted).abs() <= room).all())


def _first(
    known: Mapping[str, tuple[Tensor, str]], given: Tensor, otherwise: tuple[str, str]
) -> tuple[str, str]:
    """Return the finding and the hint of the first known mistake that gives the same numbers."""
    for finding, (wrong, hint) in known.items():
        if _near(given, wrong):
            return finding, hint
    return otherwise


def _of(value: object) -> str:
    tensor = as_tensor(value)
    return _shown(value) if tensor is None else f"the shape {tuple(tensor.shape)}"


def _shown(value: object) -> str:
    """Return an answer as text, short, whatever it is."""
    text = quietly(repr, value)
    text = text if isinstance(text, str) else "something"
    return text if len(text) <= 60 else text[:57] + "..."
