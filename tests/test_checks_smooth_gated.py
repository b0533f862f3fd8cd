"""The checks of chapter 8 accept what is right, turn the starter away kindly, and know the usual mistakes."""

import math

import mpmath
import pytest
import torch
from scipy.optimize import minimize_scalar
from torch import nn
from torch.nn import functional as F

from labs.activations import TeLU, derivative
from labs.checks import Feedback
from labs.checks import smooth_gated as check


class Untouched(nn.Module):  # as the starter of exercise 5
    ...


def silent(*_):
    """What a starter does: nothing."""


STARTERS = [
    (check.hardswish_by_hand, ...),
    (check.lowest_point, silent),
    (check.telu, silent),
    (check.nearest_beta, silent),
    (check.gated_block, Untouched),
    (check.counterexample, silent),
]
FUNCTIONS = [check.lowest_point, check.telu, check.nearest_beta, check.gated_block, check.counterexample]


def raises(*_):
    raise ZeroDivisionError("by zero")


@pytest.mark.parametrize(("function", "starter"), STARTERS)
@pytest.mark.parametrize("untouched", ["starter", None, ...])
def test_the_starter_is_turned_away_kindly(function, starter, untouched, capsys):
    feedback = function(starter if untouched == "starter" else untouched)

    assert isinstance(feedback, Feedback)
    assert not feedback.passed
    assert "Nothing to check yet" in capsys.readouterr().out


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_answer_that_raises_is_reported_and_not_passed_on(function, capsys):
    feedback = function(raises)

    assert not feedback.passed
    assert "ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize(
    "nonsense",
    [
        "yes",
        [True],
        object(),
        {},
        [(1, 2)] * 4,
        torch.zeros(7),
        float("nan"),
        [(1, "a")] * 5,
        [(math.nan, 0)] * 5,
    ],
)
def test_nonsense_is_answered_and_not_passed(nonsense, capsys):
    assert not check.hardswish_by_hand(nonsense).passed
    assert "[--]" in capsys.readouterr().out


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    "nonsense", ["text", [1, "2"], object(), torch.zeros(7), True, float("nan"), {}, nn.Identity()]
)
def test_a_function_that_returns_nonsense_does_not_pass(function, nonsense):
    assert not function(lambda *_: nonsense).passed


# --- exercise 1

VALUES, SLOPES = (0, -0.375, 0, 5 / 3, 4), (0, 0, 0.5, 7 / 6, 1)


def test_the_right_pairs_pass_also_rounded_and_as_a_tensor():
    assert check.hardswish_by_hand(list(zip(VALUES, SLOPES, strict=True))).passed
    assert check.hardswish_by_hand([(0, 0), (-0.375, 0), (0, 0.5), (1.67, 1.17), (4, 1)]).passed
    assert check.hardswish_by_hand(torch.tensor([VALUES, SLOPES]).T).passed


@pytest.mark.parametrize(
    ("values", "slopes", "message"),
    [
        ((0, 0.25, 0.5, 5 / 6, 1), SLOPES, "value: this is the gate alone"),
        ((0, -2.25, 0, 10, 24), SLOPES, "value: the 6 below is missing"),
        ((2 / 3, -0.375, 0, 5 / 3, 14 / 3), SLOPES, "value: the parabola goes on"),
        ((0, 0, 0, 2 / 3, 8 / 3), SLOPES, "value: the 3 is missing"),
        ((0, 0, 0, 5 / 3, 4), SLOPES, "value: negative inputs give zero"),
        ((0, 7, 0, 5 / 3, 4), SLOPES, "value: not right at -1.5"),
        (VALUES, (0, 0.25, 0.5, 5 / 6, 1), "slope: this is the gate"),
        (VALUES, (0, 1 / 6, 1 / 6, 1 / 6, 0), "slope: this is the slope of the gate"),
        (VALUES, (0, 0, 3, 7, 1), "slope: the 6 below is missing"),
        (VALUES, (-5 / 6, 0, 0.5, 7 / 6, 11 / 6), "slope: the parabola goes on"),
        (VALUES, (0, 0, 0.5, 1, 1), "slope: not right at 2"),
    ],
)
def test_each_wrong_pair_gets_its_message(values, slopes, message, capsys):
    assert not check.hardswish_by_hand(list(zip(values, slopes, strict=True))).passed
    printed = capsys.readouterr().out
    assert message in printed
    assert printed.count("[--]") == 1


# --- exercise 2


def slope(f, x):
    return derivative(f, torch.tensor(x, dtype=torch.float64)).item()


def bisect(f, left, right, *, steps=60, of=slope, keep_left=lambda s: s > 0):
    for _ in range(steps):
        middle = (left + right) / 2
        left, right = (left, middle) if keep_left(of(f, middle)) else (middle, right)
    return left


def grid(f, left, right, *, points=30_001, dtype=torch.float64, of=lambda f, x: f(x)):
    x = torch.linspace(left, right, points, dtype=dtype)
    return x[of(f, x).argmin()].item()


def golden(f, left, right):
    return minimize_scalar(
        lambda x: f(torch.tensor(x, dtype=torch.float64)).item(), bounds=(left, right), method="bounded",
        options={"xatol": 1e-9},
    ).x  # fmt: skip


def test_bisection_and_a_minimiser_pass_also_as_tensors():
    assert check.lowest_point(bisect).passed
    assert check.lowest_point(golden).passed
    assert check.lowest_point(lambda *given: torch.tensor(bisect(*given))).passed


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda f, *ends: f(torch.tensor(bisect(f, *ends))), "how low the function goes"),
        (lambda f, *ends: grid(f, *ends, points=41), "a grid finds only its own points"),
        (lambda f, *ends: bisect(f, *ends) + 3e-4, "only half of the digits"),
        (lambda f, *ends: grid(f, *ends, of=derivative), "where the slope is lowest"),
        (lambda f, *ends: bisect(f, *ends, keep_left=lambda s: s < 0), "an end of the interval"),
        (lambda f, *ends: 0.0, "the slope at your point is 0.5"),
        (lambda f, *ends: [1, 2], "that is not a number"),
    ],
)
def test_each_wrong_lowest_point_gets_its_hint(answer, message, capsys):
    assert not check.lowest_point(answer).passed
    assert message in capsys.readouterr().out


def test_the_stored_lowest_points_are_those_of_mpmath():
    formulas = {
        "GELU": lambda x: x * mpmath.ncdf(x),
        "SiLU": lambda x: x / (1 + mpmath.exp(-x)),
        "Mish": lambda x: x * mpmath.tanh(mpmath.log1p(mpmath.exp(x))),
        "TeLU": lambda x: x * mpmath.tanh(mpmath.exp(x)),
    }
    for name, (place, steepest) in check.LOWEST.items():
        f = formulas[name]
        assert math.isclose(mpmath.findroot(lambda x, f=f: mpmath.diff(f, x), -1), place, abs_tol=1e-12)
        assert math.isclose(mpmath.findroot(lambda x, f=f: mpmath.diff(f, x, 2), -2), steepest, abs_tol=1e-6)


# --- exercise 3


def test_ways_to_a_stable_telu_pass():
    assert check.telu(TeLU()).passed
    assert check.telu(lambda x: x * torch.tanh(torch.exp(x.clamp(max=80)))).passed
    assert check.telu(lambda x: x * torch.tanh(torch.exp(torch.where(x > 4, 4.0, x)))).passed


def naive(x):
    return x * torch.tanh(torch.exp(x))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (naive, "the value at 100 is right, its gradient is nan"),
        (lambda x: torch.where(x > 10, x, naive(x)), "in the unused half of torch.where"),
        (lambda x: naive(x.clamp(max=10)), "at 12 the value is 10"),
        (lambda x: x * torch.tanh(torch.exp(x.clamp(max=1))), "a clamp comes too early"),
        (lambda x: F.elu(x), "this is an ELU"),
        (lambda x: F.mish(x), "this is Mish"),
        (lambda x: F.silu(x), "this is SiLU"),
        (lambda x: x * torch.tanh(x), "the tanh is taken of x"),
        (lambda x: torch.tanh(torch.exp(x)), "the gate alone"),
        (lambda x: x * torch.exp(torch.tanh(x)), "changed places"),
        (lambda x: torch.tanh(x) * torch.exp(x), "outside of the tanh"),
        (lambda x: x * torch.tanh(torch.exp(-x)), "the tanh is taken of e^-x"),
        (lambda x: 0.5 * x, "first e^x, then tanh, then times x"),
        (lambda x: x * (torch.exp(x) - torch.exp(-x)) / (torch.exp(x) + torch.exp(-x)), "the tanh is taken of x"),
        (lambda x: x * (1 - 2 / (torch.exp(2 * torch.exp(x)) + 1)), "its gradient is nan"),
        (lambda x: TeLU()(x.detach()), "autograd cannot follow"),
    ],
)  # fmt: skip
def test_each_wrong_telu_gets_its_message(answer, message, capsys):
    assert not check.telu(answer).passed
    assert message in capsys.readouterr().out


# --- exercise 4

X = torch.linspace(-12, 12, 24_001, dtype=torch.float64)
TARGETS = {"GELU": F.gelu, "Mish": F.mish, "TeLU": TeLU(), "Hardswish": F.hardswish}
MEASURES = {
    "largest difference": lambda difference, x: difference.abs().max(),
    "largest difference of the gates": lambda difference, x: difference.div(x).abs().max(),
    "mean square": lambda difference, x: difference.square().mean(),
    "mean difference": lambda difference, x: difference.abs().mean(),
    "largest difference without its sign": lambda difference, x: difference.max(),
}


def nearest(measure="largest difference", low=0.5, high=3.0):
    def function(f):
        x = X[X != 0] if "gates" in measure else X
        y = f(x)

        def score(beta):
            return MEASURES[measure](x * torch.sigmoid(beta * x) - y, x).item()

        return minimize_scalar(score, bounds=(low, high), method="bounded", options={"xatol": 1e-7}).x

    return function


def test_the_stored_betas_are_the_best():
    for measure, betas in check.NEAREST.items():
        for name, beta in betas.items():
            assert math.isclose(nearest(measure)(TARGETS[name]), beta, abs_tol=2e-4), (measure, name)


def test_minimisers_pass_with_scipy_and_on_a_grid_of_betas():
    def tried(f):
        betas = torch.arange(0.9, 2, 0.001, dtype=torch.float64)
        x = X[::10]
        return betas[torch.stack([(x * torch.sigmoid(b * x) - f(x)).abs().max() for b in betas]).argmin()]

    assert check.nearest_beta(nearest()).passed
    assert check.nearest_beta(tried).passed


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (nearest("largest difference of the gates"), "brings the gates together"),
        (lambda f: 1.702, "brings the gates together"),
        (nearest("mean square"), "the mean square of the difference"),
        (nearest("mean difference"), "the mean size of the difference"),
        (nearest("largest difference without its sign"), "take abs() before max()"),
        (lambda f: nearest()(F.gelu), "use the function that is passed in"),
        (lambda f: (X * torch.sigmoid(nearest()(f) * X) - f(X)).abs().max(), "the beta that does it"),
        (lambda f: 1.0, "that is SiLU"),
        (lambda f: round(nearest()(f), 1), "three decimals are wanted"),
        (nearest(low=2.0), "a smaller beta is better"),
        (nearest(low=0.1, high=0.9), "a larger beta is better"),
        (lambda f: "1.7 or so", "that is not a number"),
    ],
)
def test_each_wrong_beta_gets_its_hint(answer, message, capsys):
    assert not check.nearest_beta(answer).passed
    assert message in capsys.readouterr().out


def test_silu_is_further_from_gelu_than_relu_is():
    relu, silu = ((f(X) - F.gelu(X)).abs().max() for f in (F.relu, F.silu))

    assert silu > relu


# --- exercise 5


class Block(nn.Module):
    """A gated block with every choice that a student may get wrong."""

    def __init__(self, features, hidden, *, width=lambda h: round(2 * h / 3), bias=False, combine=None):
        super().__init__()
        w = width(hidden)
        self.value = nn.Linear(features, w, bias=bias)
        self.gate = nn.Linear(features, w, bias=bias)
        self.out = nn.Linear(w, features, bias=bias)
        self.combine = combine or (lambda g, v: F.silu(g) * v)

    def forward(self, x):
        return self.out(self.combine(self.gate(x), self.value(x)))


def block(**choices):
    return lambda features, hidden: Block(features, hidden, **choices)


class Fused(nn.Module):
    def __init__(self, features, hidden):
        super().__init__()
        self.out = nn.Linear(2 * hidden // 3, features, bias=False)
        self.both = nn.Linear(features, 2 * (2 * hidden // 3), bias=False)

    def forward(self, x):
        value, gate = self.both(x).chunk(2, dim=-1)
        return self.out(value * F.silu(gate))


class Bare(nn.Module):
    """Plain parameters, as factors on the right of x."""

    def __init__(self, features, hidden):
        super().__init__()
        w = math.ceil(2 * hidden / 3)
        self.w = nn.Parameter(torch.randn(features, w))
        self.v = nn.Parameter(torch.randn(features, w))
        self.w2 = nn.Parameter(torch.randn(w, features))

    def forward(self, x):
        return (F.silu(x @ self.w) * (x @ self.v)) @ self.w2


def test_gated_blocks_pass_however_they_hold_their_matrices():
    for answer in (Block, block(width=lambda h: math.ceil(2 * h / 3)), Fused, Bare):
        assert check.gated_block(answer).passed


class Plain(nn.Module):
    def __init__(self, features, hidden):
        super().__init__()
        self.up = nn.Linear(features, hidden, bias=False)
        self.down = nn.Linear(hidden, features, bias=False)

    def forward(self, x):
        return self.down(F.silu(self.up(x)))


class NarrowPlain(Plain):
    def __init__(self, features, hidden):
        super().__init__(features, round(2 * hidden / 3))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (block(width=lambda h: h), "half more than the plain block"),
        (block(width=lambda h: h // 2), "a quarter less"),
        (block(width=lambda h: round(3 * h / 2)), "more than twice as many"),
        (block(width=lambda h: 7), "3 d w = 2 d h"),
        (block(bias=True), "there are biases"),
        (Plain, "not three matrices that fit"),
        (NarrowPlain, "one matrix is missing"),
        (block(combine=lambda g, v: torch.sigmoid(g) * v), "this is GLU"),
        (block(combine=lambda g, v: F.gelu(g) * v), "this is GEGLU"),
        (block(combine=lambda g, v: F.relu(g) * v), "this is ReGLU"),
        (block(combine=lambda g, v: g * v), "no activation function"),
        (block(combine=lambda g, v: F.silu(g) * F.silu(v)), "the value goes through SiLU too"),
        (block(combine=lambda g, v: F.silu(g * v)), "SiLU comes after the product"),
        (block(combine=lambda g, v: F.silu(g) + v), "gate and value are added"),
        (block(combine=lambda g, v: F.silu(g)), "one matrix is never used"),
        (block(combine=lambda g, v: F.silu(g) * v + 1), "the output is not"),
        (block(combine=lambda g, v: torch.cat([g, v], dim=-1)), "RuntimeError"),
        (lambda features, hidden: 3, "that gives no module"),
    ],
)  # fmt: skip
def test_each_wrong_block_gets_its_message(answer, message, capsys):
    assert not check.gated_block(answer).passed
    assert message in capsys.readouterr().out


# --- exercise 6


def detector(*, low=-20.0, high=20.0, points=40_001, least=1e-9, answer=lambda a, b: (a, b), level=False):
    def function(f):
        x = torch.linspace(low, high, points, dtype=torch.float64)
        y = f(x)
        falls = torch.nonzero(y[:-1] >= y[1:] if level else y[:-1] > y[1:] + least)
        if len(falls) == 0:
            return None
        first = falls[0].item()
        return answer(x[first].item(), x[first + 1].item())

    return function


def extremes(f):
    """Another way: the highest point so far against the points to its right."""
    x = torch.linspace(-20, 20, 9_001, dtype=torch.float64)
    y = f(x)
    drop = y.cummax(0).values - y
    if drop.max() <= 1e-9:
        return None
    last = drop.argmax()
    return torch.stack([x[y[: last + 1].argmax()], x[last]])


def test_detectors_pass_also_with_a_tensor_for_a_pair():
    assert check.counterexample(detector()).passed
    assert check.counterexample(
        detector(answer=lambda a, b: torch.tensor([a, b], dtype=torch.float64))
    ).passed
    assert check.counterexample(extremes).passed


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (detector(answer=lambda a, b: True), "a verdict can be believed or not"),
        (detector(answer=lambda a, b: (b, a)), "return the left point first"),
        (detector(low=-5, high=5), "look further out, to -20 and 20"),
        (detector(high=0), "look on both sides of zero"),
        (detector(points=41), "look in steps of 0.01"),
        (detector(least=-1e-9), "stays level"),
        (detector(level=True), "it stays level"),
        (lambda f: (0.0, 1.0), "is not above"),
        (lambda f: (-3.0, -2.0), "a witness is x1 < x2"),
        (lambda f: None if f(torch.zeros(1)).item() == 0 else (0.0, 1.0), "found none"),
    ],
)
def test_each_wrong_detector_gets_its_message(answer, message, capsys):
    assert not check.counterexample(answer).passed
    assert message in capsys.readouterr().out


def test_a_fall_by_rounding_is_no_witness(capsys):
    def rounding(f):
        """The largest fall that float64 makes of a rising function, if there is one."""
        x = torch.linspace(20, 40, 40_001, dtype=torch.float64)
        y = f(x)
        i = (y[:-1] - y[1:]).argmax().item()
        return (x[i].item(), x[i + 1].item()) if y[i] > y[i + 1] else None

    assert not check.counterexample(rounding).passed
