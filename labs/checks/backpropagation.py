"""Checks for the exercises of chapter 10, on backpropagation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from labs.autograd import Value
from labs.checks import Feedback, Sheet, is_missing
from labs.checks.answers import as_number, as_tensor, quietly

# --- exercise 1: six derivatives

#: Exercise 1: the inputs of the graph u = ab, v = max(a, c), s = u - v, f = s^2 + a.
INPUTS = {"a": 2.0, "b": 3.0, "c": -1.0}
_DERIVATIVES = {"s": 8.0, "u": 8.0, "v": -8.0, "a": 17.0, "b": 16.0, "c": 0.0}
_SLIPS = {
    "s": {
        4.0: ("this is s itself", "the slope of a square is twice what went in"),
        16.0: ("this is the square of s", "the slope of the square is asked for, at s = 4"),
        2.0: ("this is only the 2 of 2s", "the slope of s^2 at s = 4"),
        9.0: ("the a of s^2 + a has crept in", "a is another input of f; it does not change with s"),
        18.0: ("this is the value of f", "how much does f change when s does?"),
        1.0: ("this is the slope of a sum", "s goes through a square before the sum"),
    },
    "u": {
        -8.0: ("the sign is turned round", "s rises when u does"),
        1.0: ("this is the slope of one step only", "times what arrives from above"),
        0.0: ("u is not switched off", "only the maximum closes a way; u is an input of the difference"),
    },
    "v": {
        8.0: ("the minus sign is lost", "s = u - v falls when v rises"),
        -1.0: ("this is the slope of one step only", "times what arrives from above"),
        0.0: ("v is not switched off", "v is what the maximum gives, and s depends on it"),
    },
    "a": {
        1.0: ('"where paths meet, one of them counts": this is the way by the sum alone', "a is used three times; add up all three"),
        24.0: ('"where paths meet, one of them counts": this is the way by u alone', "a is used three times; add up all three"),
        -8.0: ('"where paths meet, one of them counts": this is the way by v alone', "a is used three times; add up all three"),
        25.0: ("the way by v is missing", "a is the larger input of the maximum, so it gets what arrives at v"),
        16.0: ("the way by the sum is missing", "a is also added to s^2 at the end"),
        -7.0: ("the way by u is missing", "a is a factor of u"),
        33.0: ("the minus sign is lost on the way by v", "s = u - v"),
        9.0: ("the product hands a its own value here", "it hands to each the gradient times the OTHER input"),
        -192.0: ("the three ways are multiplied", "along a path slopes are multiplied; different paths are added"),
        21.0: ("half of what arrives at v is given to c", "the halves are for a tie; here a is larger than c"),
    },
    "b": {
        24.0: ("the product hands b its own value here", "it hands to each the gradient times the OTHER input"),
        8.0: ("what arrives at u is handed on unchanged", "that is what a sum does; u is a product"),
        2.0: ("this is the slope of one step only", "times what arrives from above"),
    },
    "c": {
        -8.0: ('"the maximum hands the gradient to both"', "it sends it to the larger input and closes the way to the other"),
        -4.0: ("half each is for a tie", "a is larger than c, so c gets nothing"),
        8.0: ('"the maximum hands the gradient to both", and the sign is lost', "it sends it to the larger input and closes the way to the other"),
    },
}  # fmt: skip
_FROM_ABOVE: dict[str, Callable[[Mapping[str, float]], float]] = {
    "u": lambda g: g["s"],
    "v": lambda g: -g["s"],
    "a": lambda g: 1 + 3 * g["u"] + g["v"],
    "b": lambda g: 2 * g["u"],
}
_RIGHT = {
    "s": "s: twice what went into the square",
    "u": "u: a difference hands the gradient to its first input unchanged",
    "v": "v: and to its second with the sign turned",
    "a": "a: three paths, added up",
    "b": "b: what arrives at u, times the other factor",
    "c": "c: the smaller input of a maximum gets nothing",
}


def six_derivatives(answer: Mapping[str, object]) -> Feedback:
    """Exercise 1: the derivatives of f with respect to s, u, v, a, b and c, by hand."""
    sheet = Sheet()
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'give a dictionary such as {"s": 1, "u": 2, ...}')
        return sheet.hand_back()
    numbers = {name: _finite(answer.get(name)) for name in _DERIVATIVES}
    for name, right in _DERIVATIVES.items():
        given, number = answer.get(name), numbers[name]
        if is_missing(given):
            sheet.wrong(f"{name}: no answer yet", f"the derivative of f with respect to {name}")
        elif number is None:
            sheet.wrong(f"{name}: {_shown(given)} is no number", "one number for each derivative")
        elif abs(number - right) < 1e-9:
            sheet.right(_RIGHT[name])
        elif _follows(name, number, numbers):
            sheet.wrong(f"{name}: the rule is right, a number from above is not", "mend that one first")
        else:
            hint = "what arrives from above, times the slope of this one step"
            finding, hint = _SLIPS[name].get(number, (f"{number:g} is not the derivative", hint))
            sheet.wrong(f"{name}: {finding}", hint)
    return sheet.hand_back()


def _follows(name: str, number: float, numbers: Mapping[str, float | None]) -> bool:
    """Whether a wrong number is the right consequence of other wrong numbers."""
    if name not in _FROM_ABOVE or any(numbers[above] is None for above in "suv"):
        return False
    return abs(number - _FROM_ABOVE[name](numbers)) < 1e-9  # type: ignore[arg-type]


# --- exercise 2: four wishes

_START = {"x": 4.0, "y": -2.0, "z": 5.0, "w": -1.0}
_WISHES = ("twice", "turned", "y rests", "x leads")


def four_wishes(answer: Mapping[str, object]) -> Feedback:
    """Exercise 2: for each wish one input of the chapter's example, and the number to put there."""
    sheet = Sheet()
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'give a dictionary such as {"twice": ("w", 3), ...}')
        return sheet.hand_back()
    for wish in _WISHES:
        _judge_wish(sheet, wish, answer.get(wish))
    return sheet.hand_back()


def _judge_wish(sheet: Sheet, wish: str, given: object) -> None:
    """Note whether a change of one input grants a wish, or what it does instead."""
    if is_missing(given):
        sheet.wrong(f"{wish}: no answer yet", 'the name of an input and a number, such as ("w", 3)')
        return
    change = _change(given)
    if change is None:
        hint = 'one of the names "x", "y", "z", "w", and a number, such as ("w", 3)'
        sheet.wrong(f"{wish}: {_shown(given)} is not one changed input", hint)
        return
    name, number = change
    if abs(number) > 1e6:
        sheet.wrong(f"{wish}: {number:g} is far out", "a number of ordinary size will do")
        return
    if number == _START[name]:
        sheet.wrong(f"{wish}: {name} is {number:g} already", "another number")
        return
    before, after = _gradient(_START), _gradient({**_START, name: number})
    granted = {
        "twice": all(_close(after[k], 2 * before[k]) for k in after),
        "turned": all(_close(after[k], -before[k]) for k in after),
        "y rests": after["y"] == 0 and after["x"] != 0 and after["z"] != 0,
        "x leads": all(abs(after["x"]) > abs(after[k]) * (1 + 1e-12) for k in "yzw"),
    }[wish]
    shown = ", ".join(f"{k} {after[k] + 0.0:g}" for k in after)
    if granted:
        sheet.right(f"{wish}: with {name} = {number:g} the derivatives are {shown}")
    else:
        finding, hint = _instead(wish, name, number, after)
        sheet.wrong(f"{wish}: with {name} = {number:g} the derivatives are {shown}; {finding}", hint)


def _instead(wish: str, name: str, number: float, after: Mapping[str, float]) -> tuple[str, str]:
    """Say what a change does that does not grant the wish, and where to look."""
    if not any(after.values()):
        return "nobody learns", "here m is zero, and a zero at the top is a zero everywhere"
    if wish == "y rests":
        if name == "y" and number == 0:
            return (
                '"a zero stops its own gradient": it is x that rests',
                "a product hands to each input the gradient times the OTHER one",
            )
        return "y does not rest alone", "when is the gradient of y zero although m is not?"
    if wish == "x leads":
        if abs(after["x"]) == abs(after["y"]):
            return "x and y are level", "x has to lead"
        if name == "x":
            return (
                '"the larger number has the larger derivative": it is the other way round',
                "x gets the gradient times y, and y the gradient times x",
            )
        return "x does not lead", "whose value is the slope of the product in the direction of x?"
    size = 2 if wish == "twice" else 1
    if _close(abs(after["z"]), 6 * size) and name == "z":
        return (
            "the sizes are right, the signs are not",
            "which sign does m have now, and which should it have?",
        )
    if name in "xy":
        return (
            "they do not change alike",
            f"{name} does two things: it moves m, and it is the slope of the product for the other; find an input that only moves m",
        )
    if name == "w" and number > _START["z"]:
        return "w has taken the place of z", "the wish is about all four, so w has to stay the smaller one"
    if name == "w":
        return "nothing has changed", "w goes unnoticed as long as it is the smaller one"
    if number < _START["w"]:
        return "now w is the larger one, and z goes unnoticed", "stay above w"
    return "m is not what it has to be", "all of them have the factor 2m in common, and m is -3 at first"


def _change(given: object) -> tuple[str, float] | None:
    """Return the name of an input and a finite number, or ``None`` if the answer is something else."""
    try:
        name, number = given  # type: ignore[misc]
    except Exception:
        return None
    number = _finite(number)
    return (name, number) if isinstance(name, str) and name in _START and number is not None else None


def _gradient(inputs: Mapping[str, float]) -> dict[str, float]:
    values = {name: Value(number) for name, number in inputs.items()}
    ((values["x"] * values["y"] + values["z"].maximum(values["w"])) ** 2).backward()
    return {name: value.grad for name, value in values.items()}


def _close(given: float, wanted: float) -> bool:
    return math.isclose(given, wanted, rel_tol=1e-9, abs_tol=1e-9)


# --- exercise 3: three nodes

_Slopes = Callable[..., tuple[float, ...]]
_Case = tuple[str, tuple[float, ...], str]


def softplus(function: Callable[[Value], Value]) -> Feedback:
    """Exercise 3: softplus as a node."""
    mistakes: dict[str, tuple[_Slopes, str]] = {
        "the slope is 1 where it should be between 0 and 1": (lambda a: (1.0,), "the slope is the derivative at the value that went in"),
        "this slope is the value of softplus": (lambda a: (_softplus(a),), "only the exponential is its own slope"),
        "this slope is that of the sigmoid": (lambda a: (_sigmoid(a) * (1 - _sigmoid(a)),), "the derivative of softplus is the sigmoid itself"),
        "this slope falls where it should rise": (lambda a: (1 - _sigmoid(a),), "far on the right softplus is nearly the identity: which slope has it there?"),
        "this slope is that of ReLU": (lambda a: (float(a > 0),), "softplus is smooth, and so is its slope"),
    }  # fmt: skip
    far = "e^800 is more than a float can hold; softplus is max(a, 0) + log(1 + e^-|a|), with math.log1p"
    cases = [
        ("between -1 and 1", (0.5,), "log(1 + e^a), and its slope, the sigmoid"),
        ("at zero: log 2, and the slope one half", (0.0,), "log 2, and the slope one half"),
        ("on the left", (-3.0,), "log(1 + e^a), and its slope, the sigmoid"),
        ("on the right", (6.0,), "log(1 + e^a), and its slope, the sigmoid"),
        ("at 800 it neither overflows nor loses its slope", (800.0,), far),
        (
            "at -800 as well",
            (-800.0,),
            "e^800 is more than a float can hold; far on the left use e^a, not e^-a",
        ),
        (
            "at -40 it is small and not zero",
            (-40.0,),
            "1 + e^-40 rounds to 1: math.log1p(t) is log(1 + t) without that loss",
        ),
    ]
    return _node(function, _softplus, lambda a: (_sigmoid(a),), cases, mistakes)


def absolute(function: Callable[[Value], Value]) -> Feedback:
    """Exercise 3: the absolute value as a node; at zero any slope from -1 to 1."""
    mistakes: dict[str, tuple[_Slopes, str]] = {
        "the slope is 1 on both sides": (lambda a: (1.0,), "on the left |a| falls when a rises"),
        "the sign is turned round": (lambda a: (-math.copysign(1, a),), "on the right |a| is a"),
        "this slope is that of ReLU": (lambda a: (float(a > 0),), "on the left |a| is -a, and has the slope -1"),
        "this slope is a value": (lambda a: (a,), "the sign of a, not a: the slope of a straight line does not grow"),
    }  # fmt: skip
    kink = "at zero the left slope is -1 and the right one 1: any number from -1 to 1 is a convention, torch takes 0"
    cases = [
        ("on the right", (0.75,), "the slope is the sign of a"),
        ("on the left", (-2.5,), "the slope is the sign of a"),
        ("at zero it gives a slope between those of the two sides", (0.0,), kink),
        ("near zero it does not blow up", (-1e-200,), "divide by nothing that can be so small"),
        ("far out", (1e200,), "the square of 1e200 is more than a float can hold: use abs"),
    ]
    return _node(function, abs, lambda a: (math.copysign(1, a) if a else math.nan,), cases, mistakes)


def divide(function: Callable[[Value, Value], Value]) -> Feedback:
    """Exercise 3: a division as a node with two inputs."""
    mistakes: dict[str, tuple[_Slopes, str]] = {
        "the slope for b lacks the a": (lambda a, b: (1 / b, -1 / b**2), "a / b is a times 1/b, and a stays as a factor"),
        "the slope for b has the wrong sign": (lambda a, b: (1 / b, a / b**2), "a larger b makes a positive quotient smaller"),
        "b is taken for a constant": (lambda a, b: (1 / b, 0.0), "the node has two inputs, so it needs two pairs"),
        "a is taken for a constant": (lambda a, b: (0.0, -a / b**2), "the node has two inputs, so it needs two pairs"),
        "these are the slopes of a product": (lambda a, b: (b, a), "the quotient grows by 1/b with a"),
        "the slope for b lacks a square": (lambda a, b: (1 / b, -a / b), "1/b has the slope -1/b^2"),
        "the two slopes have changed places": (lambda a, b: (-a / b**2, 1 / b), "a pair belongs together: (a, slope in the direction of a)"),
        "these are the slopes of a sum": (lambda a, b: (1.0, 1.0), "the quotient grows by 1/b with a"),
    }  # fmt: skip
    hint = "the slopes are 1/b and -a/b^2"
    cases = [
        ("two positive numbers", (3.0, 4.0), hint),
        ("a negative divisor", (3.0, -0.5), hint),
        ("a negative dividend", (-1.5, 8.0), hint),
        ("nothing divided by something", (0.0, 5.0), "0 / b is 0, but it changes when a does"),
    ]
    return _node(function, lambda a, b: a / b, lambda a, b: (1 / b, -a / b**2), cases, mistakes)


def _node(
    function: Callable[..., Value],
    value: Callable[..., float],
    slopes: _Slopes,
    cases: Sequence[_Case],
    mistakes: Mapping[str, tuple[_Slopes, str]],
) -> Feedback:
    """Compare a student's node with its value and its slopes; a slope of NaN stands for one from -1 to 1."""
    sheet = Sheet()
    if is_missing(function) or is_missing(quietly(function, *map(Value, cases[0][1]))):
        return sheet.not_yet()
    for promise, at, hint in cases:
        inputs = [Value(number) for number in at]
        result = sheet.call(function, *inputs)
        if result is None:
            sheet.wrong(promise, hint)
            return sheet.hand_back()
        trouble = _no_node(result, inputs, at, value(*at), hint) or _wrong_slopes(
            result, inputs, at, slopes, mistakes, hint
        )
        if trouble:
            sheet.wrong(*trouble)
            return sheet.hand_back()
        sheet.right(promise)
    shared = Value(cases[0][1][0])
    result = quietly(function, *[shared] * len(cases[0][1]))
    at = [shared.data] * len(cases[0][1])
    ok = isinstance(result, Value) and not isinstance(quietly((result * shared).backward), str)
    if ok and _close(shared.grad, value(*at) + shared.data * sum(slopes(*at))):
        sheet.right("and what arrives is added up when a number is used more than once")
    else:
        sheet.wrong(
            "a number that is used more than once", "one pair for each use, and nothing written into grad"
        )
    return sheet.hand_back()


def _no_node(
    result: object, inputs: Sequence[Value], at: Sequence[float], wanted: float, hint: str
) -> tuple[str, str] | None:
    """Say why a result is no node with the right value, if it is not."""
    where = ", ".join(f"{number:g}" for number in at)
    if not isinstance(result, Value):
        if as_number(result) is not None:
            return (
                "this returns a plain number: the graph ends here, and no gradient comes past it",
                "return Value(number, ((a, slope),))",
            )
        return f"got {_shown(result)}, not a Value", "return Value(number, ((a, slope),))"
    if any(node.grad != 0 for node in inputs):
        return "grad is written on the way forward", "a node states its slopes; backward() does the rest"
    if any(node.data != number for node, number in zip(inputs, at, strict=True)):
        return "your function changes what it is given", "make a new Value"
    data = as_number(result.data)
    if data is None or not math.isclose(data, wanted, rel_tol=1e-9, abs_tol=0.0 if wanted else 1e-300):
        return f"at {where} the value is {_shown(result.data)}, and should be {wanted:g}", hint
    return None


def _wrong_slopes(
    result: Value,
    inputs: Sequence[Value],
    at: Sequence[float],
    slopes: _Slopes,
    mistakes: Mapping[str, tuple[_Slopes, str]],
    hint: str,
) -> tuple[str, str] | None:
    """Say which slip the slopes come from, if they are not right."""
    pairs = "the second argument of Value is a tuple of pairs, (value, slope), and a slope is a plain number"
    if isinstance(quietly((result * 3.0).backward), str):
        return "going back through this node stops with an error", pairs
    grads = [as_number(node.grad) for node in inputs]
    if None in grads:
        return "a slope is no plain number", "use a.data, not a, to compute it"
    found, wanted = [grad / 3 for grad in grads], slopes(*at)  # type: ignore[operator]
    where = ", ".join(f"{number:g}" for number in at)

    def same(candidate: Sequence[float]) -> bool:
        return all(
            -1 <= g <= 1 if math.isnan(w) else math.isclose(g, w, rel_tol=1e-7, abs_tol=1e-12)
            for g, w in zip(found, candidate, strict=True)
        )

    if same(wanted):
        return None
    for finding, (wrong, advice) in mistakes.items():
        if same(wrong(*at)):
            return finding, advice
    if not any(found) and any(wanted):
        return "no gradient comes through: the node does not know what it was computed from", pairs
    shown = " and ".join(f"{number:g}" for number in found)
    return f"at {where} the slope is {shown}", hint


def _softplus(a: float) -> float:
    return max(a, 0.0) + math.log1p(math.exp(-abs(a)))


def _sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a)) if a > 0 else math.exp(a) / (1 + math.exp(a))


# --- exercise 4: a layer with a skip connection

_Slope = Callable[[Tensor], Tensor]


def _tanh_slope(z: Tensor) -> Tensor:
    return 1 - torch.tanh(z) ** 2


def _relu_slope(z: Tensor) -> Tensor:
    return (z > 0).to(z.dtype)


def skip_backward(function: Callable[[Tensor, Tensor, Tensor, _Slope], tuple[Tensor, Tensor]]) -> Feedback:
    """Exercise 4: the backward pass of a layer with a skip connection, for a batch."""
    sheet, cases = Sheet(), _skip_cases()
    for promise, inputs, f, slope in cases:
        copies = [tensor.clone() for tensor in inputs]
        if promise == cases[0][0] and (
            is_missing(function) or _nothing(quietly(function, *[t.clone() for t in inputs], slope))
        ):
            return sheet.not_yet()
        result = sheet.call(function, *copies, slope)
        if not all(torch.equal(a, b) for a, b in zip(copies, inputs, strict=True)):
            sheet.wrong("your function changes what it is given", "write G + ..., not G += ...")
            return sheet.hand_back()
        given = _several(result, 2)
        if given is None:
            if result is not None:
                sheet.wrong(f"got {_shown(result)}", "return two tensors: for A, and for W")
            return sheet.hand_back()
        trouble = _wrong_skip(given, inputs, f, slope)
        if trouble:
            sheet.wrong(f"{promise}: {trouble[0]}", trouble[1])
            return sheet.hand_back()
        sheet.right(promise)
    return sheet.hand_back()


def _skip_cases() -> list[tuple[str, tuple[Tensor, ...], _Slope, _Slope]]:
    """A promise, the inputs (G, A, W), an activation and its slope, for each layer that is tried."""
    generator = torch.Generator().manual_seed(10)

    def layer(examples: int, units: int, size: float = 1.0) -> tuple[Tensor, ...]:
        shapes = (examples, units), (examples, units), (units, units)
        G, A, W = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)
        return G, A, size * W

    def identity(z: Tensor) -> Tensor:
        return z

    return [
        ("five examples, three tanh units", layer(5, 3), torch.tanh, _tanh_slope),
        ("another activation", layer(4, 6), torch.relu, _relu_slope),
        ("no activation: G + G W", layer(3, 4), identity, torch.ones_like),
        ("weights of zero, where only the skip is left", layer(4, 3, 0.0), torch.tanh, _tanh_slope),
        ("a batch of one", layer(1, 5), torch.tanh, _tanh_slope),
        ("a single unit", layer(4, 1), torch.tanh, _tanh_slope),
    ]


def _wrong_skip(
    given: Sequence[Tensor], inputs: Sequence[Tensor], f: _Slope, slope: _Slope
) -> tuple[str, str] | None:
    """Say which usual slip the two gradients come from, if they are not right."""
    G, A, W = inputs
    z = A @ W.T
    delta, N = G * slope(z), len(G)
    for_A, for_W = G + delta @ W, delta.T @ A
    if _near(given[0], for_A) and _near(given[1], for_W):
        return None
    if _near(given[0], for_W) and _near(given[1], for_A):
        return "the two are in the wrong order", "first the gradient of A, then that of W"
    if given[0].shape != for_A.shape or given[1].shape != for_W.shape:
        shapes = f"{tuple(given[0].shape)} and {tuple(given[1].shape)}"
        return (
            f"the shapes are {shapes}",
            f"a gradient has the shape of what it belongs to: {tuple(A.shape)} and {tuple(W.shape)}",
        )
    above = '"delta goes with the slope of the layer above"'
    at = "the slope is taken at what goes into f, A W^T"
    own = {
        f"{above}: the slope is taken at the output of the layer": (G * slope(A + f(z)), at),
        "the slope is taken at the output of f": (G * slope(f(z)), at),
        "the slope is taken at A": (G * slope(A), at),
        "the slope of f is missing": (G, "the way through f has the factor f'(z), entry by entry"),
        "the weights are transposed on the way forward already": (G * slope(A @ W), "z is A W^T: one example per row"),
    }  # fmt: skip
    if _near(given[0], for_A):
        known = {name: (wrong.T @ A, hint) for name, (wrong, hint) in own.items()} | {
            "the gradient of W is transposed": (for_W.T, "W_ij goes with delta_i and the input a_j: delta^T A"),
            "the gradient of W takes what comes out of f": (delta.T @ f(z), "what arrives times what went IN, and that is A"),
            "the gradient of W takes the output of the layer": (delta.T @ (A + f(z)), "what arrives times what went IN, and that is A"),
            "the gradient of W is a mean over the batch": (for_W / N, "the 1/N of the mean loss is in G already, once"),
            "the skip has come into the gradient of W": (for_W + G.T @ A, "the skip has no weights: W only sees the way through f"),
            "the gradient of A goes into that of W": (for_A.T @ A, "W gets delta, what arrives at z, and that is G times the slope"),
        }  # fmt: skip
        return _first(known, given[1], ("the gradient of W is not right", "delta^T A, with delta = G times the slope at z"))  # fmt: skip
    known = {
        "the skip is missing": (delta @ W, "A goes to the output in two ways, and where paths meet, gradients add"),
        "only the skip is there": (G, "A goes to the output in two ways, and where paths meet, gradients add"),
        "the skip is multiplied by the slope": (delta + delta @ W, "the path past f has no factor at all"),
        "the weights are transposed": (G + delta @ W.T, "z = A W^T forwards, so delta W backwards: the other way round"),
        "the slope comes after the weights": (G + slope(z) * (G @ W), "backwards f comes first, then the weights"),
        "the two ways are multiplied": (G * (delta @ W), "along a path slopes are multiplied; different paths are added"),
        "this is a mean over the batch": (for_A / N, "the 1/N of the mean loss is in G already, once"),
    } | {name: (G + wrong @ W, hint) for name, (wrong, hint) in own.items()}  # fmt: skip
    hint = "two paths: G for the one past f, delta W for the one through it"
    return _first(known, given[0], ("the gradient of A is not right", hint))


# --- exercise 5: difference quotients

_SHAPES = ((6, 4), (6,), (6, 6), (6,), (3, 6), (3,))


def _draw() -> tuple[Tensor, Tensor, Tensor]:
    """Twenty examples of four numbers with three classes, and the parameters of a 4-6-6-3 network in one vector."""
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(20, 4, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 3, (20,), generator=generator)
    sizes = [shape[1] ** -0.5 if len(shape) == 2 else 0.3 for shape in _SHAPES]
    parts = [
        size * torch.randn(shape, generator=generator, dtype=torch.float64).flatten()
        for size, shape in zip(sizes, _SHAPES, strict=True)
    ]
    return x, labels, torch.cat(parts)


_X, _LABELS, START = _draw()


def _parts(theta: Tensor) -> list[Tensor]:
    sizes = [math.prod(shape) for shape in _SHAPES]
    return [part.view(shape) for part, shape in zip(theta.split(sizes), _SHAPES, strict=True)]


def small_loss(theta: Tensor) -> Tensor:
    """Exercise 5: the mean cross-entropy of a small tanh network, as a function of its 93 parameters in one vector."""
    W1, b1, W2, b2, W3, b3 = _parts(theta)
    a = torch.tanh(torch.tanh(_X.to(theta.dtype) @ W1.T + b1) @ W2.T + b2)
    return F.cross_entropy(a @ W3.T + b3, _LABELS)


def _by_hand(theta: Tensor, careless: bool, by_cosh: bool) -> Tensor:
    """The gradient of ``small_loss`` by a backward pass; with ``careless`` the first biases lack their slope."""
    W1, b1, W2, b2, W3, b3 = _parts(theta)
    z1 = _X @ W1.T + b1
    a1 = torch.tanh(z1)
    z2 = a1 @ W2.T + b2
    a2 = torch.tanh(z2)
    d3 = ((a2 @ W3.T + b3).softmax(1) - F.one_hot(_LABELS, 3)) / len(_X)
    d2 = (d3 @ W3) * (torch.cosh(z2) ** -2 if by_cosh else 1 - a2**2)
    arrived = d2 @ W2
    d1 = arrived * (torch.cosh(z1) ** -2 if by_cosh else 1 - a1**2)
    for_b1 = (arrived if careless else d1).sum(0)
    parts = (d1.T @ _X, for_b1, d2.T @ a1, d2.sum(0), d3.T @ a2, d3.sum(0))
    return torch.cat([part.flatten() for part in parts])


#: Exercise 5: three backward passes for ``small_loss``; one of them is wrong.
SUSPECTS: dict[str, Callable[[Tensor], Tensor]] = {
    "A": lambda theta: _by_hand(theta, careless=False, by_cosh=False),
    "B": lambda theta: _by_hand(theta, careless=True, by_cosh=False),
    "C": lambda theta: _by_hand(theta, careless=False, by_cosh=True),
}


def central_difference(
    function: Callable[[Callable[[Tensor], Tensor], Tensor, float], Tensor],
) -> Feedback:
    """Exercise 5: the gradient of a loss at a vector of parameters, by central differences with the step h."""
    sheet = Sheet()
    theta, h = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64), 0.1
    if is_missing(function) or is_missing(quietly(function, _cubic, theta.clone(), h)):
        return sheet.not_yet()
    copy = theta.clone()
    result = sheet.call(function, _cubic, copy, h)
    if result is None:
        return sheet.hand_back()
    if not torch.equal(copy, theta):
        sheet.wrong(
            "your function leaves the parameters moved", "move a clone, or move each entry back exactly"
        )
        return sheet.hand_back()
    found = as_tensor(result)
    if found is None or found.shape != theta.shape:
        sheet.wrong(f"got {_shown(result)}", "a tensor with one number for each parameter")
        return sheet.hand_back()
    wanted, known = _quotients(theta, h)
    if not _near(found, wanted):
        hint = "(loss with one entry moved up, minus loss with it moved down) / (2 h)"
        sheet.wrong(*_first(known, found, ("a cubic with h = 0.1 gives other quotients", hint)))
        return sheet.hand_back()
    sheet.right("a cubic in three parameters, with a step that is far too large")
    for promise, loss, at, step, gradient, hint in (
        ("a single parameter", torch.sum, torch.tensor([2.0]), 1e-2, torch.tensor([1.0]),
         "one entry of theta at a time, however many there are"),
        ("a loss that does not depend on some of them", _first_entry, torch.ones(4), 1e-2, torch.tensor([2.0, 0, 0, 0]),
         "one entry of theta at a time, however many there are"),
        ("another step", _cubic, theta, 1e-3, _quotients(theta, 1e-3)[0], "use the h that was passed in"),
    ):  # fmt: skip
        found = as_tensor(sheet.call(function, loss, at.double(), step))
        if found is None or not _near(found, gradient.double(), 1e-6):
            sheet.wrong(promise, hint)
        else:
            sheet.right(promise)
    seen = set()

    def spy(t: Tensor) -> Tensor:
        seen.add(getattr(t, "dtype", None))
        return torch.sum(t)

    quietly(function, spy, torch.ones(2), 0.1)
    if seen == {torch.float32}:
        sheet.right("parameters in float32 stay in float32")
    else:
        sheet.wrong("the loss gets another kind of numbers than theta holds", "keep the dtype: theta.clone()")
    return sheet.hand_back()


def _cubic(theta: Tensor) -> Tensor:
    return (theta**3).sum() + 2 * theta[0] * theta[1]


def _first_entry(theta: Tensor) -> Tensor:
    return theta[0] ** 2


def _quotients(theta: Tensor, h: float) -> tuple[Tensor, dict[str, tuple[Tensor, str]]]:
    """The central quotients of the cubic, and those of the usual slips."""
    steps = h * torch.eye(len(theta), dtype=theta.dtype)

    def slope(up: Callable[[int], Tensor], down: Callable[[int], Tensor], width: float) -> Tensor:
        return torch.stack([(_cubic(up(i)) - _cubic(down(i))) / width for i in range(len(theta))])

    def higher(i: int) -> Tensor:
        return theta + steps[i]

    def lower(i: int) -> Tensor:
        return theta - steps[i]

    def here(i: int) -> Tensor:
        return theta

    crept = slope(lambda i: theta + steps[: i + 1].sum(0), lambda i: theta - steps[: i + 1].sum(0), 2 * h)
    central, forward = slope(higher, lower, 2 * h), slope(higher, here, h)
    exact = 3 * theta**2 + 2 * torch.cat([theta[1:2], theta[:1], torch.zeros(1, dtype=theta.dtype)])
    known = {
        "this is the forward difference": (forward, "go to both sides: then the error falls with the square of h"),
        "this is the backward difference": (slope(here, lower, h), "go to both sides: then the error falls with the square of h"),
        "this is twice the quotient": (2 * central, "the two points are 2h apart"),
        "this is half the quotient": (central / 2, "the two points are 2h apart: divide once"),
        "the sign is turned round": (-central, "up minus down"),
        "this is not divided by the step": (2 * h * central, "divide by 2h"),
        "all parameters are moved at once": (slope(lambda i: theta + h, lambda i: theta - h, 2 * h), "one entry at a time; the others stay where they are"),
        "the entries moved before stay moved": (crept, "start from a fresh clone of theta for each entry"),
        "this is the derivative itself, without any step": (exact, "here the quotient is asked for, with the h that was passed in"),
    }  # fmt: skip
    return central, known


def culprit(answer: Mapping[str, object]) -> Feedback:
    """Exercise 5: the wrong backward pass, and the best step of a central difference in float64 and in float32."""
    sheet, parts = Sheet(), ("wrong", "step in float64", "step in float32")
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'give a dictionary such as {"wrong": "A", ...}')
        return sheet.hand_back()
    name = answer.get("wrong")
    if is_missing(name):
        sheet.wrong("wrong: no answer yet", "A, B or C")
    elif not isinstance(name, str) or name.strip().upper() not in SUSPECTS:
        sheet.wrong(f"wrong: {_shown(name)} is none of the three", "A, B or C")
    elif name.strip().upper() == "B":
        sheet.right("B is wrong: its six first biases lack the slope, and training does not tell")
    else:
        hint = '"it trains, so the gradient is right", and so do all three: compare entry by entry with your quotients'
        sheet.wrong(f"wrong: {name} agrees with the quotients to many digits", hint)
    for part, low, best, high, kind in (
        (parts[1], 0.99e-6, "1e-5", 1.01e-4, "a third of sixteen digits"),
        (parts[2], 0.99e-3, "1e-2", 3.1e-2, "a third of seven digits"),
    ):
        given = answer.get(part)
        step = _finite(given)
        if is_missing(given):
            sheet.wrong(f"{part}: no answer yet", "the step with the smallest error, such as 1e-8")
        elif step is None or step <= 0:
            sheet.wrong(f"{part}: {_shown(given)} is no step", "a number above zero, such as 1e-8")
        elif low <= step <= high:
            sheet.right(f"{part}: {step:.0e}, near the cube root of the rounding error, {best}")
        elif step < low:
            exact = step <= 1e-7 if kind.endswith("sixteen digits") else step <= 1e-4
            finding = '"the smaller the step, the better"' if exact else "a larger step is better"
            hint = f"the difference of two nearly equal losses is rounding, divided by a small number; a step near 1 lost {kind}"
            sheet.wrong(f"{part}: {step:.0e}: {finding}", hint)
        else:
            sheet.wrong(f"{part}: at {step:.0e} the curvature still shows", "the error falls with h^2: go on")
    return sheet.hand_back()


# --- exercise 6: the size of the weights


def kept_size(function: Callable[[float, float], float]) -> Feedback:
    """Exercise 6: the size of the weights at which a function with two slopes keeps the mean square of gradients."""
    sheet = Sheet()
    cases = ((0.1, 1.0), (0.0, 1.0), (1.0, 1.0), (-1.0, 1.0), (0.25, 2.0), (3.0, -0.5))
    if is_missing(function) or is_missing(quietly(function, *cases[0])):
        return sheet.not_yet()
    plain = [_finite(quietly(function, *case)) for case in cases]
    if plain[3] is None and plain[0] is not None and _close(plain[0], 2 / 1.1):
        hint = "lengths add up as squares: the mean of f'^2, then the root; for slopes -1 and 1 your mean is zero"
        sheet.wrong("the slopes are averaged without their squares", hint)
        return sheet.hand_back()
    given = [_finite(sheet.call(function, *case)) for case in cases]

    def right(a: float, b: float) -> float:
        return math.sqrt(2 / (a * a + b * b))

    mistakes: dict[str, tuple[Callable[[float, float], float], str]] = {
        "this is the variance": (lambda a, b: right(a, b) ** 2, "sigma_w is the size, the root of the variance"),
        "upside down": (lambda a, b: 1 / right(a, b), "the weights have to make up for what the slopes take away"),
        '"the steepest slope decides"': (lambda a, b: 1 / max(abs(a), abs(b)), "that makes the bound one; on average half of the units have the other slope"),
        "the slopes are averaged without their squares": (lambda a, b: 2 / (abs(a) + abs(b)), "lengths add up as squares: the mean of f'^2, then the root"),
        "a sum of squares, not their mean": (lambda a, b: 1 / math.hypot(a, b), "each slope holds for half of the units"),
        "that is He's root of two for every slope": (lambda a, b: math.sqrt(2), "it is for slopes 0 and 1; a leak lets some of the gradient through"),
        "the slope of the right half is taken for 1": (lambda a, b: math.sqrt(2 / (1 + a * a)), "b is the slope there"),
        "1 for every slope": (lambda a, b: 1.0, "that keeps the gradient of a linear network only"),
    }  # fmt: skip

    def agrees(formula: Callable[[float, float], float]) -> bool:
        wanted = [formula(*case) for case in cases]
        return all(
            g is not None and (g == w or abs(g - w) < 1e-6) for g, w in zip(given, wanted, strict=True)
        )

    if agrees(right):
        sheet.right("the root of two for ReLU, slopes 0 and 1")
        sheet.right("1 for the identity, and for |z|, whose slopes are 1 in size on both sides")
        sheet.right("and everything between")
        return sheet.hand_back()
    for finding, (formula, hint) in mistakes.items():
        if agrees(formula):
            sheet.wrong(finding, hint)
            return sheet.hand_back()
    shown = "no number" if given[0] is None else f"{given[0]:.3g}"
    hint = "one layer multiplies the mean square by sigma_w^2 times the mean of f'^2, half a^2 and half b^2"
    sheet.wrong(f"for the slopes 0.1 and 1 this gives {shown}", hint)
    return sheet.hand_back()


def narrow_layers(answer: Mapping[str, object]) -> Feedback:
    """Exercise 6: what thirty layers of width 64 and of width 8 do to a typical gradient, and the size that keeps it."""
    sheet, parts = Sheet(), ("change at width 64", "change at width 8", "size at width 8")
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", f'give a dictionary such as {{"{parts[0]}": 0.5, ...}}')
        return sheet.hand_back()
    numbers = {part: _finite(answer.get(part)) for part in parts}
    for part in parts:
        given, number = answer.get(part), numbers[part]
        if is_missing(given):
            sheet.wrong(f"{part}: no answer yet", "a number from your measurement")
        elif number is None:
            sheet.wrong(f"{part}: {_shown(given)} is no number", "a number from your measurement")
        elif part == "size at width 8":
            _judge_narrow_size(sheet, number)
        else:
            _judge_change(sheet, part, number)
    return sheet.hand_back()


def _judge_change(sheet: Sheet, part: str, number: float) -> None:
    low, high = (-0.25, 0.15) if part.endswith("64") else (-2.4, -1.1)
    if low <= number <= high:
        wide = part.endswith("64")
        sheet.right(f"{part}: " + ("nearly kept" if wide else "some fifty times shorter, typically"))
    elif part.endswith(" 8") and abs(number) <= 0.3:
        hint = "the MEAN square is kept; a few seeds with long gradients carry it, and most are short"
        sheet.wrong(f'{part}: "if the mean square is kept, gradients keep their length"', hint)
    elif low <= -number <= high:
        sheet.wrong(
            f"{part}: the sign is turned round", "shorter at the first layer than at the last: below zero"
        )
    elif part.endswith(" 8") and 10**low <= number <= 10**high:
        sheet.wrong(f"{part}: this is the factor", "its logarithm to base ten is asked for")
    else:
        hint = "slopes 0.1 and 1, weights of the predicted size, the mean of log10 over twenty seeds or more"
        sheet.wrong(f"{part}: {number:g} is not what thirty layers do", hint)


def _judge_narrow_size(sheet: Sheet, number: float) -> None:
    if 1.53 <= number <= 1.70:
        sheet.right("size at width 8: about 1.6, larger than the formula says")
    elif 1.38 <= number <= 1.43:
        hint = "that is for wide layers; at width 8 a typical gradient shrinks there. What does another size do to it?"
        sheet.wrong('size at width 8: "the formula knows no width, so the size is the same"', hint)
    elif 1.15 <= number <= 1.3:
        sheet.wrong(
            "size at width 8: this makes it shrink twice", "larger weights are needed, not smaller ones"
        )
    elif number > 1.75:
        hint = "a factor g in the weights is a factor g^29 in the gradient: 10^(1.7 / 29)"
        sheet.wrong(f"size at width 8: {number:g} makes gradients explode", hint)
    else:
        hint = "a factor g in the weights is a factor g^29 in the gradient"
        sheet.wrong(f"size at width 8: a typical gradient is not kept at {number:g}", hint)


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


def _several(result: object, number: int) -> list[Tensor] | None:
    """Return what a function returned as so many tensors of doubles, or ``None`` if it is something else."""
    if not isinstance(result, (tuple, list)) or len(result) != number:
        return None
    parts = [as_tensor(part) for part in result]
    return None if any(part is None for part in parts) else parts  # type: ignore[return-value]


def _nothing(result: object) -> bool:
    """Whether a function returned nothing at all, or several times nothing."""
    return is_missing(result) or _gap(result)


def _near(given: Tensor, wanted: Tensor, tolerance: float = 1e-7) -> bool:
    """Whether two tensors have the same shape and differ by no more than a part of the largest number."""
    if given.shape != wanted.shape:
        return False
    room = tolerance * max(1.0, float(wanted.abs().max()) if wanted.numel() else 0.0)
    return bool(((given - wanted).abs() <= room).all())


def _first(
    known: Mapping[str, tuple[Tensor, str]], given: Tensor, otherwise: tuple[str, str]
) -> tuple[str, str]:
    """Return the finding and the hint of the first known mistake that gives the same numbers."""
    for finding, (wrong, hint) in known.items():
        if _near(given, wrong):
            return finding, hint
    return otherwise


def _shown(value: object) -> str:
    """Return an answer as text, short, whatever it is."""
    text = quietly(repr, value)
    text = text if isinstance(text, str) else "something"
    return text if len(text) <= 60 else text[:57] + "..."
