"""The checks of chapter 10 accept what is right, turn the starter away kindly, and know the usual mistakes."""

import math

import numpy as np
import pytest
import torch

from labs.autograd import Value
from labs.checks import Feedback
from labs.checks import backpropagation as check

SIX = {"s": 8, "u": 8, "v": -8, "a": 17, "b": 16, "c": 0}
WISHES = {"twice": ("z", 2), "turned": ("z", 11), "y rests": ("x", 0), "x leads": ("y", -5)}
CULPRIT = {"wrong": "B", "step in float64": 1e-5, "step in float32": 1e-2}
NARROW = {"change at width 64": -0.05, "change at width 8": -1.7, "size at width 8": 1.61}
ANSWERS = {
    check.six_derivatives: SIX,
    check.four_wishes: WISHES,
    check.culprit: CULPRIT,
    check.narrow_layers: NARROW,
}
NODES = (check.softplus, check.absolute, check.divide)
FUNCTIONS = (*NODES, check.skip_backward, check.central_difference, check.kept_size)


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
        (check.four_wishes, dict.fromkeys(WISHES, (..., ...))),
        *((function, silent) for function in FUNCTIONS),
        *((function, dots) for function in FUNCTIONS),
        (check.skip_backward, lambda *_: (..., None)),
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
    "text", "raised", "", 0, 1, 0.5, True, [], [1, 2], (1, 2), (None, None), (..., ...), {"a": 1}, object(), NAN,
    (NAN, NAN), 1j, (1j, 1j), np.zeros(7), np.array(["a"]), np.array(None), torch.zeros(2), torch.ones(3, 4),
    torch.zeros(5, 3), torch.full((3,), NAN), [torch.zeros(5, 3), torch.zeros(3, 3)], 10**400, math.inf,
    Value(1.0), Value(NAN), Value(0.5, ((1, 2),)), Value(0.5, "ab"), Value(0.5, ((Value(1.0), Value(1.0)),)),
]  # fmt: skip


PIECES = (
    *("a", NAN, [1, 2], math.inf, -math.inf, 0, -1, 1e300, object(), 1j, Value(1.0), np.zeros(2)),
    *(("z", NAN), ("z", 1e300), ("z",), (1, "z"), ("z", "z"), "zz"),
)


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
    assert not [piece for piece in PIECES if function({**right, list(right)[1]: piece}).passed]


@pytest.mark.parametrize("function", ANSWERS)
def test_the_right_answers_pass_also_as_arrays(function):
    right = ANSWERS[function]

    assert function(right).passed
    if function in (check.six_derivatives, check.narrow_layers):
        assert function({key: np.array([value]) for key, value in right.items()}).passed
        assert function({key: torch.tensor(value) for key, value in right.items()}).passed


@pytest.mark.parametrize("function", ANSWERS)
def test_each_part_is_needed(function, capsys):
    for part in ANSWERS[function]:
        assert not function({**ANSWERS[function], part: ...}).passed
        assert f"{part}: no answer yet" in capsys.readouterr().out


# --- exercise 1


def test_the_six_derivatives_are_those_of_the_autograd():
    a, b, c = (Value(check.INPUTS[name]) for name in "abc")
    u, v = a * b, a.maximum(c)
    s = u - v
    (s**2 + a).backward()

    assert check.six_derivatives(
        {name: node.grad for name, node in zip("suvabc", (s, u, v, a, b, c), strict=True)}
    ).passed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *(({"a": wrong}, "where paths meet, one of them counts") for wrong in (1, 24, -8)),
        ({"a": 25}, "way by v is missing"),
        ({"a": 16}, "way by the sum is missing"),
        ({"a": -7}, "way by u is missing"),
        ({"a": -192}, "three ways are multiplied"),
        ({"a": 9}, "its own value"),
        ({"b": 24}, "its own value"),
        ({"b": 2}, "one step only"),
        ({"c": -8}, "the maximum hands the gradient to both"),
        ({"c": -4}, "half each is for a tie"),
        ({"s": 4}, "this is s itself"),
        ({"s": 18}, "value of f"),
        ({"u": 1}, "one step only"),
        ({"v": 8}, "the minus sign is lost"),
        ({"v": 3}, "3 is not the derivative"),
    ],
)
def test_each_wrong_derivative_gets_its_message(change, message, capsys):
    assert not check.six_derivatives({**SIX, **change}).passed
    assert message in capsys.readouterr().out


def test_what_follows_from_a_wrong_number_above_is_told_apart(capsys):
    assert not check.six_derivatives({"s": 4, "u": 4, "v": -4, "a": 9, "b": 8, "c": 0}).passed

    printed = capsys.readouterr().out
    assert printed.count("a number from above is not") == 4
    assert printed.count("[ok]") == 1


# --- exercise 2


@pytest.mark.parametrize("pair", [("y", -5), ("x", 1), ("x", 0.5), ("y", 100), ["x", torch.tensor(-1.0)]])
def test_the_last_wish_has_many_answers(pair):
    assert check.four_wishes({**WISHES, "x leads": pair}).passed


@pytest.mark.parametrize(
    ("wish", "pair", "message"),
    [
        ("y rests", ("y", 0), "a zero stops its own gradient"),
        ("y rests", ("z", 8), "nobody learns"),
        ("y rests", ("w", 6), "y does not rest alone"),
        ("x leads", ("x", 10), "the larger number has the larger derivative"),
        ("x leads", ("x", 2.5), "nobody learns"),
        ("x leads", ("x", 2), "x and y are level"),
        ("x leads", ("z", 100), "x does not lead"),
        ("twice", ("z", 14), "the signs are not"),
        ("twice", ("z", 10), "m is not what it has to be"),
        ("twice", ("y", -4), "y does two things"),
        ("twice", ("x", 5.5), "x does two things"),
        ("twice", ("z", -3), "now w is the larger one"),
        ("turned", ("w", 11), "w has taken the place of z"),
        ("turned", ("w", 2), "nothing has changed"),
        ("turned", ("x", -4), "x does two things"),
        ("turned", ("z", 5), "is 5 already"),
        ("turned", ("m", 3), "not one changed input"),
    ],
)
def test_each_wrong_change_gets_its_message(wish, pair, message, capsys):
    assert not check.four_wishes({**WISHES, wish: pair}).passed
    assert message in capsys.readouterr().out


# --- exercise 3


def node(value, slope):
    return lambda a: Value(value(a.data), ((a, slope(a.data)),))


def stable(a):
    return max(a, 0) + math.log1p(math.exp(-abs(a)))


def sigmoid(a):
    return (1 + math.tanh(a / 2)) / 2


def sign(a):
    return float(np.sign(a))


def quotient(slopes):
    return lambda a, b: Value(a.data / b.data, tuple(zip((a, b), slopes(a.data, b.data), strict=False)))


def test_the_right_nodes_pass():
    assert check.softplus(node(stable, sigmoid)).passed
    assert check.absolute(node(abs, sign)).passed
    assert check.absolute(node(abs, lambda a: 1.0 if a >= 0 else -1.0)).passed
    assert check.absolute(lambda a: a.maximum(-a)).passed
    assert check.divide(quotient(lambda a, b: (1 / b, -a / b**2))).passed
    assert check.divide(lambda a, b: a * b**-1).passed


def write_grad(a):
    a.grad += sigmoid(a.data)
    return Value(stable(a.data))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda a: (1 + a.exp()).log(), "OverflowError"),
        (lambda a: a if a.data > 20 else (1 + a.exp()).log(), "at -40"),
        (node(lambda a: math.log(1 + math.exp(min(a, 300))), sigmoid), "more than a float can hold"),
        (lambda a: stable(a.data), "a plain number: the graph ends here"),
        (lambda a: Value(stable(a.data)), "does not know what it was computed from"),
        (lambda a: Value(stable(a.data), ((Value(a.data), sigmoid(a.data)),)), "does not know what"),
        (lambda a: Value(stable(a.data), ((a, a.sigmoid()),)), "a slope is no plain number"),
        (lambda a: Value(stable(a.data), (a, sigmoid(a.data))), "stops with an error"),
        (write_grad, "grad is written on the way forward"),
        (node(stable, lambda a: 1.0), "slope is 1"),
        (node(stable, stable), "is the value of softplus"),
        (node(stable, lambda a: sigmoid(a) * (1 - sigmoid(a))), "that of the sigmoid"),
        (node(stable, lambda a: 1 - sigmoid(a)), "falls where it should rise"),
        (node(stable, lambda a: float(a > 0)), "slope is 1"),
        (node(sigmoid, sigmoid), "the value is"),
        (node(stable, lambda a: 0.3), "the slope is 0.3"),
    ],
)
def test_each_wrong_softplus_gets_its_message(function, message, capsys):
    assert not check.softplus(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (node(abs, lambda a: a / abs(a)), "ZeroDivisionError"),
        (node(abs, lambda a: 1.0), "1 on both sides"),
        (node(abs, lambda a: -sign(a)), "sign is turned round"),
        (node(abs, lambda a: float(a > 0)), "that of ReLU"),
        (node(abs, lambda a: a), "this slope is a value"),
        (node(abs, abs), "this slope is a value"),
        (node(abs, lambda a: sign(a) or NAN), "any number from -1 to 1 is a convention"),
        (node(abs, lambda a: sign(a) or 2.0), "any number from -1 to 1 is a convention"),
        (node(lambda a: a, lambda a: 1.0), "the value is"),
        (lambda a: (a * a) ** 0.5, "at zero"),
    ],
)
def test_each_wrong_absolute_value_gets_its_message(function, message, capsys):
    assert not check.absolute(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("slopes", "message"),
    [
        (lambda a, b: (1 / b, -1 / b**2), "lacks the a"),
        (lambda a, b: (1 / b, a / b**2), "wrong sign"),
        (lambda a, b: (1 / b,), "b is taken for a constant"),
        (lambda a, b: (0.0, -a / b**2), "a is taken for a constant"),
        (lambda a, b: (b, a), "slopes of a product"),
        (lambda a, b: (1 / b, -a / b), "lacks a square"),
        (lambda a, b: (-a / b**2, 1 / b), "changed places"),
        (lambda a, b: (1.0, 1.0), "slopes of a sum"),
        (lambda a, b: (5.0, 6.0), "the slope is 5 and 6"),
    ],
)
def test_each_wrong_division_gets_its_message(slopes, message, capsys):
    assert not check.divide(quotient(slopes)).passed
    assert message in capsys.readouterr().out


# --- exercise 4


def skip(for_A=lambda G, A, W, d: G + d @ W, for_W=lambda G, A, W, d: d.T @ A, at=lambda A, W: A @ W.T):
    def function(G, A, W, slope):
        delta = G * slope(at(A, W))
        return for_A(G, A, W, delta), for_W(G, A, W, delta)

    return function


def in_place(G, A, W, slope):
    delta = G * slope(A @ W.T)
    G += delta @ W
    return G, delta.T @ A


def test_the_right_backward_pass_agrees_with_torch_and_passes():
    torch.manual_seed(0)
    A, W = (torch.randn(s, dtype=torch.float64, requires_grad=True) for s in ((4, 3), (3, 3)))
    G = torch.randn(4, 3, dtype=torch.float64)
    by_torch = torch.autograd.grad(A + torch.tanh(A @ W.T), (A, W), G)

    with torch.no_grad():
        ours = skip()(G, A, W, lambda z: 1 - torch.tanh(z) ** 2)

    assert all(torch.allclose(a, b) for a, b in zip(ours, by_torch, strict=True))
    assert check.skip_backward(skip()).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (skip(lambda G, A, W, d: d @ W), "the skip is missing"),
        (skip(lambda G, A, W, d: G), "only the skip is there"),
        (skip(lambda G, A, W, d: d + d @ W), "the skip is multiplied by the slope"),
        (skip(lambda G, A, W, d: G + d @ W.T), "the weights are transposed"),
        (skip(lambda G, A, W, d: G * (d @ W)), "the two ways are multiplied"),
        (skip(lambda G, A, W, d: (G + d @ W) / len(G)), "a mean over the batch"),
        (skip(lambda G, A, W, d: G + G @ W), "the slope of f is missing"),
        (skip(at=lambda A, W: A), "the slope is taken at A"),
        (skip(at=lambda A, W: A + torch.tanh(A @ W.T)), "delta goes with the slope of the layer above"),
        (skip(at=lambda A, W: torch.tanh(A @ W.T)), "taken at the output of f"),
        (skip(at=lambda A, W: A @ W), "transposed on the way forward"),
        (lambda G, A, W, f: (G + f(A @ W.T) * (G @ W), (G * f(A @ W.T)).T @ A), "slope comes after the weights"),
        (skip(for_W=lambda G, A, W, d: A.T @ d), "gradient of W is transposed"),
        (skip(for_W=lambda G, A, W, d: d.T @ torch.tanh(A @ W.T)), "takes what comes out of f"),
        (skip(for_W=lambda G, A, W, d: d.T @ A / len(G)), "gradient of W is a mean over the batch"),
        (skip(for_W=lambda G, A, W, d: (G + d).T @ A), "the skip has come into the gradient of W"),
        (skip(for_W=lambda G, A, W, d: G.T @ A), "the slope of f is missing"),
        (skip(for_W=lambda G, A, W, d: (G + d @ W).T @ A), "goes into that of W"),
        (skip(for_W=lambda G, A, W, d: 0 * W), "the gradient of W is not right"),
        (skip(lambda G, A, W, d: 0 * G), "the gradient of A is not right"),
        (lambda *a: skip()(*a)[::-1], "in the wrong order"),
        (lambda *a: (skip()(*a)[1],) * 2, "the shapes are"),
        (in_place, "changes what it is given"),
        (lambda G, A, W, f: skip()(G, A, W, lambda z: 1 - torch.tanh(z) ** 2), "another activation"),
    ],
)  # fmt: skip
def test_each_wrong_backward_pass_gets_its_message(function, message, capsys):
    assert not check.skip_backward(function).passed
    assert message in capsys.readouterr().out


# --- exercise 5


def quotients(up=1.0, down=1.0, width=2.0, restore=True, convert=lambda t: t):
    def function(loss, theta, h):
        found, high, low = [], convert(theta).clone(), convert(theta).clone()
        for i in range(len(theta)):
            if restore:
                high, low = convert(theta).clone(), convert(theta).clone()
            high[i] += up * h
            low[i] -= down * h
            found.append((loss(high) - loss(low)) / (width * h))
        return torch.stack(found)

    return function


def leave_moved(loss, theta, h):
    found = quotients()(loss, theta, h)
    theta += h
    return found


def all_at_once(loss, theta, h):
    return ((loss(theta + h) - loss(theta - h)) / (2 * h)).repeat(len(theta))


def by_autograd(loss, theta, h):
    leaf = theta.clone().requires_grad_()
    return torch.autograd.grad(loss(leaf), leaf)[0]


def test_the_right_quotient_passes():
    assert check.central_difference(quotients()).passed
    assert check.central_difference(lambda *a: quotients()(*a).tolist()).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (quotients(down=0.0, width=1.0), "the forward difference"),
        (quotients(up=0.0, width=1.0), "the backward difference"),
        (quotients(width=1.0), "twice the quotient"),
        (quotients(width=4.0), "half the quotient"),
        (quotients(width=-2.0), "the sign is turned round"),
        (lambda loss, t, h: 2 * h * quotients()(loss, t, h), "not divided by the step"),
        (quotients(restore=False), "stay moved"),
        (all_at_once, "moved at once"),
        (by_autograd, "the derivative itself"),
        (leave_moved, "leaves the parameters moved"),
        (quotients(convert=lambda t: t.double()), "keep the dtype"),
        (lambda loss, t, h: quotients()(loss, t, 0.1), "another step"),
        (lambda loss, t, h: quotients()(loss, t, h).sum(), "one number for each parameter"),
        (lambda loss, t, h: torch.ones(3), "a cubic with h = 0.1 gives other quotients"),
    ],
)
def test_each_wrong_quotient_gets_its_message(function, message, capsys):
    assert not check.central_difference(function).passed
    assert message in capsys.readouterr().out


def test_one_of_the_three_suspects_is_wrong_and_training_does_not_tell():
    leaf = check.START.clone().requires_grad_()
    by_torch = torch.autograd.grad(check.small_loss(leaf), leaf)[0]

    off = {name: (f(check.START) - by_torch).abs() > 1e-12 for name, f in check.SUSPECTS.items()}

    assert {name: int(entries.sum()) for name, entries in off.items()} == {"A": 0, "B": 6, "C": 0}
    assert torch.cosine_similarity(check.SUSPECTS["B"](check.START), by_torch, dim=0) > 0.98


def test_the_steps_that_pass_are_those_with_small_errors():
    gradient = check.SUSPECTS["A"](check.START)
    picked = range(0, 93, 16)

    def error(step, dtype):
        steps = step * torch.eye(93, dtype=dtype)[picked]
        theta = check.START.to(dtype)
        low, high = (torch.stack([check.small_loss(theta + sign * s) for s in steps]) for sign in (-1, 1))
        return ((high - low) / (2 * step) / gradient[picked] - 1).abs().median().item()

    for dtype, part in ((torch.float64, "step in float64"), (torch.float32, "step in float32")):
        errors = {step: error(step, dtype) for step in (1e-8, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)}
        best = min(errors.values())
        for step, found in errors.items():
            if check.culprit({**CULPRIT, part: step}).passed:
                assert found < 40 * best
            else:
                assert found > 4 * best


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"wrong": "A"}, "it trains, so the gradient is right"),
        ({"wrong": "c"}, "it trains, so the gradient is right"),
        ({"wrong": "D"}, "none of the three"),
        ({"step in float64": 1e-12}, "the smaller the step, the better"),
        ({"step in float64": 1e-8}, "the smaller the step, the better"),
        ({"step in float64": 1e-2}, "the curvature still shows"),
        ({"step in float32": 1e-5}, "the smaller the step, the better"),
        ({"step in float32": 0.5}, "the curvature still shows"),
        ({"step in float32": -1}, "is no step"),
    ],
)
def test_each_wrong_culprit_or_step_gets_its_message(change, message, capsys):
    assert not check.culprit({**CULPRIT, **change}).passed
    assert message in capsys.readouterr().out


# --- exercise 6


def test_the_right_size_passes():
    assert check.kept_size(lambda a, b: math.sqrt(2 / (a**2 + b**2))).passed
    assert check.kept_size(lambda a, b: torch.tensor(2 / (a**2 + b**2)).double().sqrt()).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda a, b: 2 / (a**2 + b**2), "this is the variance"),
        (lambda a, b: math.sqrt((a**2 + b**2) / 2), "upside down"),
        (lambda a, b: 1 / max(abs(a), abs(b)), "the steepest slope decides"),
        (lambda a, b: 2 / (a + b), "averaged without their squares"),
        (lambda a, b: 2 / (abs(a) + abs(b)), "averaged without their squares"),
        (lambda a, b: 1 / math.sqrt(a**2 + b**2), "not their mean"),
        (lambda a, b: math.sqrt(2), "root of two for every slope"),
        (lambda a, b: math.sqrt(2 / (1 + a**2)), "taken for 1"),
        (lambda a, b: 1, "1 for every slope"),
        (lambda a, b: 7.0, "this gives 7"),
    ],
)
def test_each_wrong_size_gets_its_message(function, message, capsys):
    assert not check.kept_size(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"change at width 8": 0.0}, "gradients keep their length"),
        ({"change at width 8": 1.7}, "the sign is turned round"),
        ({"change at width 8": 0.02}, "gradients keep their length"),
        ({"change at width 8": -9}, "not what thirty layers do"),
        ({"change at width 64": -4.4}, "not what thirty layers do"),
        ({"size at width 8": 1.407}, "the formula knows no width"),
        ({"size at width 8": 1.23}, "shrink twice"),
        ({"size at width 8": 3.0}, "explode"),
        ({"size at width 8": 1.0}, "is not kept at 1"),
    ],
)
def test_each_wrong_measurement_gets_its_message(change, message, capsys):
    assert not check.narrow_layers({**NARROW, **change}).passed
    assert message in capsys.readouterr().out
