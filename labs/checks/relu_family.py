"""Checks for the exercises of chapter 7, on the classical functions and the ReLU family."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from labs.activations import derivative
from labs.checks import Feedback, Sheet, is_missing
from labs.checks.answers import as_number, as_tensor, quietly

# --- exercise 1: which slope is whose?

_DISGUISE = {
    "A": ("GELU", F.gelu),
    "B": ("Sigmoid", torch.sigmoid),
    "C": ("LeakyReLU", lambda x: F.leaky_relu(x, 0.1)),
    "D": ("SiLU", F.silu),
    "E": ("Tanh", torch.tanh),
    "F": ("ReLU", torch.relu),
}


def disguised_slopes(x: Tensor) -> dict[str, Tensor]:
    """Exercise 1: the slopes of six functions at ``x``, by a letter in place of the name."""
    return {letter: derivative(function, x) for letter, (_, function) in _DISGUISE.items()}


def whose_slope(answer: Mapping[str, str]) -> Feedback:
    """Exercise 1: which function has which of the six slopes?"""
    sheet = Sheet()
    if is_missing(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {answer!r}", 'give a dictionary, such as {"A": "Tanh", "B": ...}')
        return sheet.hand_back()
    known = {_plain(name): name for name, _ in _DISGUISE.values()} | {"swish": "SiLU"}
    s_shaped = "an S is what the sigmoid and tanh look like themselves; here you see slopes, and a bump is the slope of an S"
    hints = {
        frozenset({"Sigmoid", "Tanh"}): "both are bumps around zero: which function is never steeper than 1/4?",
        frozenset({"GELU", "SiLU"}): "both dip below zero and rise above 1: the slope of GELU does it earlier, lowest near -1.4, that of SiLU near -2.4",
        frozenset({"ReLU", "LeakyReLU"}): "both jump to 1 at zero: from where?",
        **{frozenset({bump, s}): s_shaped for bump in ("Sigmoid", "Tanh") for s in ("ReLU", "LeakyReLU", "GELU", "SiLU")},
    }  # fmt: skip
    for letter, (right, _) in _DISGUISE.items():
        given = known.get(_plain(answer.get(letter)))
        if answer.get(letter) in (None, ...):
            sheet.wrong(f"{letter}: no name yet")
        elif given is None:
            names = ", ".join(name for name, _ in _DISGUISE.values())
            sheet.wrong(f"{letter}: {answer[letter]!r} is none of the six", f"choose among {names}")
        elif given == right:
            sheet.right(f"{letter} is the slope of {right}")
        else:
            hint = "only one side of zero tells: does the slope jump, or pass smoothly?"
            sheet.wrong(f"{letter} is not the slope of {given}", hints.get(frozenset({given, right}), hint))
    return sheet.hand_back()


def _plain(name: object) -> str:
    """``leakyrelu`` for "Leaky ReLU", so that spelling does not decide."""
    return "".join(c for c in str(name).lower() if c.isalnum())


# --- exercises 2 and 3: six functions and their slopes

_NAMES = ("Sigmoid", "Tanh", "LeakyReLU", "ELU", "GELU", "Swish")
#: Values of negative_slope, alpha and beta. One negative slope above 1, because max(a x, x) would pass below.
_SETTINGS = ((0.1, 0.5, 2.0), (2.0, 1.5, 0.5))
_Formula = Callable[[Tensor, float, float, float], Tensor]


def _sigmoid_slope(x: Tensor) -> Tensor:
    return torch.sigmoid(x) * torch.sigmoid(-x)


def _density(x: Tensor) -> Tensor:
    return torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)


_Phi = torch.special.ndtr
_VALUES: dict[str, _Formula] = {
    "Sigmoid": lambda x, a, alpha, beta: torch.sigmoid(x),
    "Tanh": lambda x, a, alpha, beta: torch.tanh(x),
    "LeakyReLU": lambda x, a, alpha, beta: F.leaky_relu(x, a),
    "ELU": lambda x, a, alpha, beta: F.elu(x, alpha),
    "GELU": lambda x, a, alpha, beta: F.gelu(x),
    "Swish": lambda x, a, alpha, beta: x * torch.sigmoid(beta * x),
}
_SLOPES: dict[str, _Formula] = {
    "Sigmoid": lambda x, a, alpha, beta: _sigmoid_slope(x),
    "Tanh": lambda x, a, alpha, beta: 1 - torch.tanh(x) ** 2,
    "LeakyReLU": lambda x, a, alpha, beta: torch.where(x > 0, 1.0, a).to(x),
    "ELU": lambda x, a, alpha, beta: torch.where(x > 0, 1.0, alpha * x.clamp(max=0).exp()),
    "GELU": lambda x, a, alpha, beta: _Phi(x) + x * _density(x),
    "Swish": lambda x, a, alpha, beta: torch.sigmoid(beta * x) + beta * x * _sigmoid_slope(beta * x),
}
_WRONG_VALUES: dict[str, dict[str, tuple[_Formula, str]]] = {
    "Sigmoid": {
        "it falls instead of rising": (lambda x, a, alpha, beta: torch.sigmoid(-x), "the exponent has a minus sign: 1 / (1 + e^-x)"),
        "this is tanh": (lambda x, a, alpha, beta: torch.tanh(x), "a sigmoid stays between 0 and 1"),
    },
    "Tanh": {
        "this is tanh(x/2)": (lambda x, a, alpha, beta: torch.tanh(x / 2), "tanh(x) = 2 sigmoid(2x) - 1: the argument is doubled as well"),
        "it falls instead of rising": (lambda x, a, alpha, beta: torch.tanh(-x), "for large x only e^x counts, and the fraction has to be near 1"),
        "this is the sigmoid": (lambda x, a, alpha, beta: torch.sigmoid(x), "tanh lies between -1 and 1, and tanh(0) = 0"),
    },
    "LeakyReLU": {
        "this is max(a x, x)": (lambda x, a, alpha, beta: torch.maximum(a * x, x), "right for slopes up to 1; for a = 2 and x = -1 the larger of -2 and -1 is the wrong one: ask for the sign of x"),
        "for negative x this is the constant a": (lambda x, a, alpha, beta: torch.where(x > 0, x, a), "a is a slope: the value is a times x, and a constant would have no gradient"),
        "this is a ReLU": (lambda x, a, alpha, beta: torch.relu(x), "the left half is a times x, not 0"),
        "the slope is always 0.01": (lambda x, a, alpha, beta: F.leaky_relu(x, 0.01), "use negative_slope"),
    },
    "ELU": {
        "it jumps at zero": (lambda x, a, alpha, beta: torch.where(x > 0, x, alpha * x.exp()), "alpha e^x is alpha at 0: what has to be subtracted?"),
        "alpha stands in the exponent": (lambda x, a, alpha, beta: torch.where(x > 0, x, torch.expm1(alpha * x)), "alpha multiplies e^x - 1, so that the limit on the left is -alpha"),
        "alpha is not used": (lambda x, a, alpha, beta: F.elu(x), "the limit on the left is -alpha"),
        "this is CELU": (lambda x, a, alpha, beta: F.celu(x, alpha), "ELU has x, not x / alpha, in the exponent"),
        "the 1 is not multiplied by alpha": (lambda x, a, alpha, beta: torch.where(x > 0, x, alpha * x.exp() - 1), "mind the brackets: alpha (e^x - 1)"),
    },
    "GELU": {
        "this is Phi(x)": (lambda x, a, alpha, beta: _Phi(x), "GELU is x times Phi(x)"),
        "this is x times the density": (lambda x, a, alpha, beta: x * _density(x), "Phi is the distribution function, the area under the density up to x"),
        "this is the approximation with tanh": (lambda x, a, alpha, beta: F.gelu(x, approximate="tanh"), "it is off by up to 0.0005; Phi(x) = erfc(-x / sqrt(2)) / 2"),
        "this is the approximation with a sigmoid": (lambda x, a, alpha, beta: x * torch.sigmoid(1.702 * x), "it is off by up to 0.02; Phi(x) = erfc(-x / sqrt(2)) / 2"),
        "the argument of erf lacks its root of 2": (lambda x, a, alpha, beta: x * (1 + torch.erf(x)) / 2, "Phi(x) = (1 + erf(x / sqrt(2))) / 2"),
    },
    "Swish": {
        "beta is not used": (lambda x, a, alpha, beta: F.silu(x), "x * sigmoid(beta x)"),
        "beta stands outside of the sigmoid": (lambda x, a, alpha, beta: beta * F.silu(x), "beta belongs to the gate: x * sigmoid(beta x)"),
        "this is the gate alone": (lambda x, a, alpha, beta: torch.sigmoid(beta * x), "multiply the gate by x"),
        "beta stands at both places": (lambda x, a, alpha, beta: F.silu(beta * x), "only the gate sees beta x: x * sigmoid(beta x)"),
    },
}  # fmt: skip
_WRONG_SLOPES: dict[str, dict[str, tuple[_Formula, str]]] = {
    "Sigmoid": {
        "taken at the output instead of at x": (lambda x, a, alpha, beta: _sigmoid_slope(torch.sigmoid(x)), "y (1 - y) with y = sigmoid(x): the sigmoid is applied once"),
        "x stands where y should": (lambda x, a, alpha, beta: x * (1 - x), "the formula is y (1 - y) with y = sigmoid(x)"),
        "this is y, the value": (lambda x, a, alpha, beta: torch.sigmoid(x), "y (1 - y): the second factor is missing"),
        "this is 1 - y^2": (lambda x, a, alpha, beta: 1 - torch.sigmoid(x) ** 2, "that is the rule of tanh; the sigmoid has y (1 - y)"),
    },
    "Tanh": {
        "this is 1 - y": (lambda x, a, alpha, beta: 1 - torch.tanh(x), "1 - y^2: without its square the slope at -4 would be 2"),
        "x stands where y should": (lambda x, a, alpha, beta: 1 - x * x, "the formula is 1 - y^2 with y = tanh(x)"),
        "taken at the output instead of at x": (lambda x, a, alpha, beta: 1 - torch.tanh(torch.tanh(x)) ** 2, "1 - y^2 with y = tanh(x): tanh is applied once"),
        "this is y (1 - y)": (lambda x, a, alpha, beta: torch.tanh(x) * (1 - torch.tanh(x)), "that is the rule of the sigmoid; tanh has 1 - y^2"),
    },
    "LeakyReLU": {
        "this is the slope of a ReLU": (lambda x, a, alpha, beta: (x > 0).to(x), "on the left the slope is a, not 0"),
        "this is the value": (lambda x, a, alpha, beta: F.leaky_relu(x, a), "the slope of a straight line does not depend on x"),
        "the sign on the left is wrong": (lambda x, a, alpha, beta: torch.where(x > 0, 1.0, -a).to(x), "a x rises with x, so its slope is +a"),
        "the two sides are exchanged": (lambda x, a, alpha, beta: torch.where(x > 0, a, 1.0).to(x), "x > 0 is the side with slope 1"),
    },
    "ELU": {
        "alpha is missing": (lambda x, a, alpha, beta: torch.where(x > 0, 1.0, x.clamp(max=0).exp()), "alpha (e^x - 1) has the slope alpha e^x"),
        "this is y + 1": (lambda x, a, alpha, beta: torch.where(x > 0, 1.0, F.elu(x, alpha) + 1), "alpha e^x is y + alpha; the 1 is right for alpha = 1 only"),
        "the -1 is still there": (lambda x, a, alpha, beta: torch.where(x > 0, 1.0, alpha * torch.expm1(x.clamp(max=0))), "a constant has no slope"),
        "the right half is e^x too": (lambda x, a, alpha, beta: alpha * x.exp(), "for x > 0 the function is x itself"),
    },
    "GELU": {
        "x Phi(x) is a product, and this is its first half": (lambda x, a, alpha, beta: _Phi(x), "product rule: Phi(x) + x phi(x)"),
        "this is the density alone": (lambda x, a, alpha, beta: _density(x), "product rule: Phi(x) + x phi(x)"),
        "the x in front of the density is missing": (lambda x, a, alpha, beta: _Phi(x) + _density(x), "product rule: the first factor stays"),
        "x is multiplied by Phi again instead of by its slope": (lambda x, a, alpha, beta: _Phi(x) + x * _Phi(x), "the slope of Phi is the density phi"),
    },
    "Swish": {
        "x times the gate is a product, and this is its first half": (lambda x, a, alpha, beta: torch.sigmoid(beta * x), "product rule: the gate has a slope too"),
        "the inner slope beta is missing": (lambda x, a, alpha, beta: torch.sigmoid(beta * x) + x * _sigmoid_slope(beta * x), "chain rule: the slope of sigmoid(beta x) carries a factor beta"),
        "beta is not used": (lambda x, a, alpha, beta: torch.sigmoid(x) + x * _sigmoid_slope(x), "every sigmoid sees beta x"),
        "this is the slope of the gate alone": (lambda x, a, alpha, beta: beta * _sigmoid_slope(beta * x), "x times the gate is a product: product rule"),
        "the second half lacks its x": (lambda x, a, alpha, beta: torch.sigmoid(beta * x) + beta * _sigmoid_slope(beta * x), "product rule: the first factor stays"),
    },
}  # fmt: skip
# Mixed by hand: no zero, where slopes may jump, and no pair x, -x, which would hide a wrong sign.
_NEAR = torch.tensor(
    [-3.9, -2.5, -1.4, -0.8, -0.3, -0.05, 0.07, 0.4, 0.9, 1.6, 2.3, 3.7], dtype=torch.float64
)
_FAR = (-1e30, -1e4, -100.0, 100.0, 1e4, 1e30)
_SMOOTH_AT_ZERO = {"Sigmoid", "Tanh", "GELU", "Swish"}


def six_functions(function: Callable[[Tensor, float, float, float], Mapping[str, Tensor]]) -> Feedback:
    """Exercise 2: six functions by name that stay right, with their gradients, far out and near zero."""
    sheet = Sheet()
    if is_missing(function) or is_missing(quietly(function, _NEAR.clone(), *_SETTINGS[0])):
        return sheet.not_yet()
    for name in _NAMES:
        if not _is_formula(sheet, function, name, _VALUES, _WRONG_VALUES):
            continue
        found = _trouble_far_out(function, name) or _trouble_near_zero(function, name)
        if found:
            sheet.wrong(f"{name}: {found[0]}", found[1])
        else:
            sheet.right(f"{name}: value and gradient, from a hundred thousandth out to 1e30")
    return sheet.hand_back()


def six_slopes(function: Callable[[Tensor, float, float, float], Mapping[str, Tensor]]) -> Feedback:
    """Exercise 3: the slopes of the six functions by name, written by hand."""
    sheet = Sheet()
    if is_missing(function) or is_missing(quietly(function, _NEAR.clone(), *_SETTINGS[0])):
        return sheet.not_yet()
    for name in _NAMES:
        if not _is_formula(sheet, function, name, _SLOPES, _WRONG_SLOPES):
            continue
        x = torch.tensor([-1e4, -100.0, 100.0, 1e4])
        given = _entry(quietly(function, x.clone(), *_SETTINGS[0]), name)
        wanted = _SLOPES[name](x.double(), *_SETTINGS[0])
        if given is not None and _close(given.double(), wanted, 1e-6):
            sheet.right(f"{name}: agrees with autograd, far out too")
        else:
            hint = "0 * inf is nan: choose the half with torch.where, do not multiply by a mask"
            if name in _SMOOTH_AT_ZERO:
                hint = (
                    "e^100 is inf in float32: write the slope with a function of torch that never overflows"
                )
            sheet.wrong(
                f"{name}: right near zero, but at -1e4, -100, 100, 1e4 it gives {_short(given)}", hint
            )
    return sheet.hand_back()


def _is_formula(
    sheet: Sheet,
    function: Callable,
    name: str,
    right: Mapping[str, _Formula],
    wrong: Mapping[str, Mapping[str, tuple[_Formula, str]]],
) -> bool:
    """Return whether entry ``name`` is right near zero; if not, say which known mistake it is."""
    results = [sheet.call(function, _NEAR.clone(), *setting) for setting in _SETTINGS]
    given = [_entry(result, name) for result in results]
    if all(isinstance(result, Mapping) and is_missing(result.get(name)) for result in results):
        sheet.wrong(f"{name}: still to do")
        return False
    if any(value is None or value.shape != _NEAR.shape for value in given):
        sheet.wrong(
            f"{name}: no number for each x", f'return a dictionary with a tensor like x under "{name}"'
        )
        return False

    def agrees(candidate: _Formula) -> bool:
        wanted = [candidate(_NEAR, *setting) for setting in _SETTINGS]
        return all(_close(g.double(), w, 1e-6) for g, w in zip(given, wanted, strict=True))

    if agrees(right[name]):
        return True
    for finding, (candidate, hint) in wrong[name].items():
        if agrees(candidate):
            sheet.wrong(f"{name}: {finding}", hint)
            return False
    setting, x = _SETTINGS[0], _NEAR[[2, 9]]
    found, wanted = (_short(v) for v in (given[0][[2, 9]], right[name](x, *setting)))
    where = "negative_slope {}, alpha {}, beta {}".format(*setting)
    sheet.wrong(f"{name}: at -1.4 and 1.6 this gives {found}, wanted {wanted}", f"the settings are {where}")
    return False


def _trouble_far_out(function: Callable, name: str) -> tuple[str, str] | None:
    """Return what goes wrong with value or gradient in float32, far out or at zero, or ``None``."""
    setting = _SETTINGS[0]
    for point in (*_FAR, 0.0):
        if point == 0.0 and name not in _SMOOTH_AT_ZERO:
            continue
        x = torch.tensor([point], requires_grad=True)
        value = _entry(quietly(function, x, *setting), name)
        wanted = _VALUES[name](x.detach().double(), *setting)
        if value is None or not _close(value.detach().double(), wanted, 1e-6):
            hint = "e^89 is already inf in float32, and inf / inf is nan: which rearrangement never needs more than e^0?"
            return f"the formula is right, but at {point:g} it gives {_short(value)}", hint
        if not value.requires_grad:
            return "autograd cannot follow", "stay with operations of torch on x, without .item() or NumPy"
        slope = quietly(lambda v=value, p=x: torch.autograd.grad(v.sum(), p)[0])
        wanted = _SLOPES[name](x.detach().double(), *setting)
        if not isinstance(slope, Tensor) or not torch.isfinite(slope).all():
            hint = "backward multiplies the slope of 1/u, 0 where u is inf, by that of exp, inf: let no exp overflow"
            if name not in _SMOOTH_AT_ZERO:
                hint = "backward visits both halves of torch.where; 0 * inf is nan: clamp what goes into exp"
            return f"the value at {point:g} is right, its gradient is {_short(slope)}", hint
        if not _close(slope.double(), wanted, 1e-5):
            hint = "abs() and sign() have the slope 0 at zero, and clamp() beyond its end: clamp further out"
            return (
                f"the value at {point:g} is right, its gradient is {_short(slope)} instead of {_short(wanted)}",
                hint,
            )
    return None


def _trouble_near_zero(function: Callable, name: str) -> tuple[str, str] | None:
    """Return whether tiny inputs lose their digits to a subtraction, or ``None``."""
    x = torch.tensor([-1e-5, -2.5e-6])  # the negative side, where ELU has its exponential
    value = _entry(quietly(function, x.clone(), *_SETTINGS[0]), name)
    wanted = _VALUES[name](x.double(), *_SETTINGS[0])
    if value is not None and bool(((value.double() - wanted).abs() <= 1e-4 * wanted.abs()).all()):
        return None
    return (
        f"at -1e-5 the digits are lost: {_short(value, 8)} instead of {_short(wanted, 8)}",
        "e^x - 1 subtracts two numbers that are nearly equal; torch.expm1 does not",
    )


# --- exercise 4: backpropagation through one unit


def gradients(function: Callable[..., Sequence[Tensor]]) -> Feedback:
    """Exercise 4: the gradients of the squared error of a one-unit network, for ReLU and leaky ReLU."""
    sheet = Sheet()
    x, w = torch.tensor([0.5, -2.0, 1.5]), torch.tensor([1.0, 0.5, -0.4])
    # b, v, t, negative slope: z is -0.7 with the first two, 1.3 with the others
    cases = [(b, 0.8, 1.7, a) for b in (0.4, 2.4) for a in (0.0, 0.1)]
    if is_missing(function) or is_missing(quietly(function, x.clone(), w.clone(), *cases[0])):
        return sheet.not_yet()
    given = []
    for case in cases:
        result = sheet.call(function, x.clone(), w.clone(), *case)
        parts = [as_tensor(part) for part in result] if isinstance(result, (tuple, list)) else []
        if len(parts) != 3 or any(p is None for p in parts) or [p.numel() for p in parts] != [3, 1, 1]:
            sheet.wrong(
                "that is not (dE/dw, dE/db, dE/dv)", "return three results; the first has the shape of w"
            )
            return sheet.hand_back()
        given.append(torch.cat([part.reshape(-1) for part in parts]))

    def agrees(**slip: bool) -> bool:
        wanted = [_one_unit(x, w, *case, **slip) for case in cases]
        return all(_close(g, g_wanted.double(), 1e-5) for g, g_wanted in zip(given, wanted, strict=True))

    if agrees():
        sheet.right("ReLU with z < 0: every one of the gradients is zero")
        sheet.right("leaky ReLU with z < 0: none of them is")
        sheet.right("z > 0: the leak makes no difference")
        return sheet.hand_back()
    slips = {
        "flipped": ("all signs are turned round", "E = (y - t)^2 / 2 has the slope y - t, not t - y"),
        "no_slope": ("f'(z) is missing", "the error that arrives at z is (y - t) v f'(z); without f' a silent ReLU would go on learning"),
        "no_v": ("the weight v is missing on the way down", "the error passes v before it reaches the unit: (y - t) v f'(z)"),
        "v_sees_z": ("dE/dv uses z", "what v multiplies is the activation f(z)"),
        "no_error": ("the factor y - t is missing", "these are the gradients of y; E has y - t in front"),
        "no_leak": ("this is a ReLU, whatever the leak", "for z < 0 the value is a z and the slope is a"),
        "value_leaks_only": ("the value leaks, its slope does not", "for z < 0 the slope is a"),
        "slope_leaks_only": ("the slope leaks, the value does not", "for z < 0 the value is a z, in y and in dE/dv"),
        "fixed_bias": ("dE/db is not right", "b enters z with the factor 1: dE/db is the error at z itself"),
        "w_for_x": ("dE/dw uses w", "w_j is multiplied by x_j, so its gradient is the error at z times x_j"),
        "doubled": ("everything is twice too large", "E = (y - t)^2 / 2: the half and the 2 of the square cancel"),
    }  # fmt: skip
    for slip, (finding, hint) in slips.items():
        if agrees(**{slip: True}):
            sheet.wrong(finding, hint)
            return sheet.hand_back()
    wanted = _one_unit(x, w, *cases[3])
    hint = "work backwards: first dE/dy, then through v, then through f, then to w and b"
    sheet.wrong(f"for z = 1.3, a = 0.1 this gives {_short(given[3])}, wanted {_short(wanted)}", hint)
    return sheet.hand_back()


def _one_unit(
    x: Tensor, w: Tensor, b: float, v: float, t: float, a: float, **slip: bool
) -> Tensor:  # w, b and v in one row
    """Return the three gradients, with one of the usual slips if it is named."""
    z = w @ x + b
    leak = 0.0 if "no_leak" in slip else a
    value = z if z > 0 else z * (0.0 if "slope_leaks_only" in slip else leak)
    slope = 1.0 if z > 0 or "no_slope" in slip else (0.0 if "value_leaks_only" in slip else leak)
    error = 1.0 if "no_error" in slip else v * value - t
    error = error * (-1 if "flipped" in slip else 2 if "doubled" in slip else 1)
    delta = error * slope * (1.0 if "no_v" in slip else v)
    at_bias = delta * (b if "fixed_bias" in slip else 1.0)
    parts = (delta * (w if "w_for_x" in slip else x), at_bias, error * (z if "v_sees_z" in slip else value))
    return torch.cat([torch.as_tensor(part).reshape(-1).float() for part in parts])


# --- exercise 5: maxout

_MAXOUT = {
    "identity": (1.0, 1.0),
    "ReLU": (0.0, 1.0),
    "LeakyReLU(0.1)": (0.1, 1.0),
    "LeakyReLU(2)": None,
    "abs": (-1.0, 1.0),
}
_INPUTS, _UNITS = 784, 256


def maxout(answer: Mapping[str, object]) -> Feedback:
    """Exercise 5: two slopes whose maximum is the function, or None, and the parameters of a maxout layer."""
    sheet = Sheet()
    if is_missing(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {answer!r}", 'give a dictionary, such as {"ReLU": (1, 2), ..., "parameters": 1000}')
        return sheet.hand_back()
    for name, slopes in _MAXOUT.items():
        _judge_pieces(sheet, name, slopes, answer.get(name, ...))
    _judge_parameters(sheet, answer.get("parameters", ...))
    return sheet.hand_back()


def _judge_pieces(sheet: Sheet, name: str, slopes: tuple[float, float] | None, given: object) -> None:
    """Note whether max(s1 x, s2 x) with the ``given`` slopes is the function called ``name``."""
    if given is ...:
        sheet.wrong(f"{name}: still to do")
        return
    if given is None:
        if slopes is None:
            sheet.right(f"{name} bends downwards, and a maximum of straight lines never does")
        else:
            sheet.wrong(f"{name} can be built", "it does not bend downwards: one line for each side of zero")
        return
    pair = as_tensor(given)
    if pair is None or pair.numel() != 2:
        sheet.wrong(f"{name}: got {given!r}", "give two slopes, such as (0.5, 1.0), or None")
        return
    first, second = pair.reshape(-1).tolist()
    if slopes is None:
        hint = "max(x, 2x) takes x on the left, because -1 is larger than -2; a maximum of lines never bends downwards"
        sheet.wrong(f"{name}: at -1 these slopes give {max(-first, -second):g}, wanted -2", hint)
    elif all(abs(g - w) < 1e-6 for g, w in zip(sorted((first, second)), sorted(slopes), strict=True)):
        sheet.right(f"{name} is max({first:g} x, {second:g} x)")
    else:
        low, high = sorted(slopes)
        hint = "on the left of zero the smaller slope wins the maximum, on the right the larger one"
        found, wanted = (0.0 + max(-first, -second), max(first, second)), (0.0 - low, high)
        text = "at -1 and 1 these slopes give {:g} and {:g}, wanted {:g} and {:g}".format(*found, *wanted)
        sheet.wrong(f"{name}: {text}", hint)


def _judge_parameters(sheet: Sheet, given: object) -> None:
    """Note whether ``given`` is the number of parameters of the maxout layer."""
    weights, right = _INPUTS * _UNITS, 2 * (_INPUTS * _UNITS + _UNITS)
    mistakes = {
        weights + _UNITS: (
            "that is the layer with ReLU",
            "each unit holds two pieces, each with its own weights",
        ),
        2 * weights: ("the biases are missing", "each piece has its own"),
        2 * weights + _UNITS: ("only one set of biases", "each piece has its own"),
        weights: ("weights of one piece alone", "two pieces, each with weights and biases"),
    }
    number = as_number(given)
    if given is ... or given is None:
        sheet.wrong("parameters: still to do")
    elif number == right:
        sheet.right(f"{right:,} parameters, twice as many as the same layer with ReLU")
    else:
        default = (f"got {given!r}", f"one piece has {_INPUTS} weights and a bias for each of {_UNITS} units")
        finding, hint = mistakes.get(number, default) if number is not None else default
        sheet.wrong(f"parameters: {finding}", hint)


# --- exercise 6: ELU against leaky ReLU

_STATEMENTS = (
    (False, "the slope of ELU is alpha just left of zero and 1 just right of it: only alpha = 1 closes the gap",
     "compare derivative(nn.ELU(alpha=0.5), x) at -1e-6 and 1e-6"),
    (False, "the curvature of ELU jumps from 1 to 0: no kink, yet not smooth",
     "ask derivative(nn.ELU(), x, order=2) on both sides of zero"),
    (True, "a leaky ReLU has no bound on either side: 1e6 gives 1e6, and -1e6 gives -1e4",
     "try nn.LeakyReLU() at 1e6 and at -1e6"),
    (False, "ELU lets more noise through there: its slope e^x is above 0.01 down to x = -4.6",
     "read the rows at -4 and -2 of the table"),
    (True, "left of -4.6 the slope of ELU is the smaller one, and goes on shrinking",
     "read the rows at -6 and -8 of the table"),
    (False, "a leaky ReLU never enlarges a gradient: its slope is 0.01 or 1; what explodes are products of weights",
     "by which factor does the unit multiply a gradient that passes through it?"),
    (False, "SELU has a kink: slope 1.758 just left of zero, 1.051 just right of it",
     "compare derivative(nn.SELU(), x) at -1e-6 and 1e-6"),
    (False, "e^-120 is exactly zero in float32: an ELU can be as stuck as a ReLU",
     "derivative(nn.ELU(), torch.tensor(-120.0))"),
)  # fmt: skip


def elu_or_leaky(answer: Sequence[bool]) -> Feedback:
    """Exercise 6: which of eight statements about ELU, SELU and leaky ReLU are true?"""
    sheet = Sheet()
    if is_missing(answer):
        return sheet.not_yet()
    values = answer.tolist() if isinstance(answer, Tensor) else answer
    if not isinstance(values, (list, tuple)) or len(values) != len(_STATEMENTS):
        sheet.wrong(f"got {answer!r}", "give eight truth values, for the statements (a) to (h)")
        return sheet.hand_back()
    for letter, given, (truth, reason, hint) in zip("abcdefgh", values, _STATEMENTS, strict=True):
        if not isinstance(given, (bool, int)) or given not in (True, False):
            sheet.wrong(f"({letter}) got {given!r}", "write True or False")
        elif bool(given) == truth:
            sheet.right(f"({letter}) {reason}")
        else:
            sheet.wrong(f"({letter}) is not {bool(given)}", hint)
    return sheet.hand_back()


# --- reading what students write


def _entry(result: object, name: str) -> Tensor | None:
    """Return the tensor under ``name``, still in its graph, or ``None`` if there is none."""
    value = result.get(name) if isinstance(result, Mapping) else None
    return value if isinstance(value, Tensor) and value.is_floating_point() else None


def _close(given: Tensor, wanted: Tensor, tolerance: float) -> bool:
    return given.shape == wanted.shape and torch.allclose(given, wanted, rtol=10 * tolerance, atol=tolerance)


def _short(value: object, digits: int = 4) -> str:
    """Return a tensor as a few rounded numbers."""
    if not isinstance(value, Tensor):
        return "no numbers"
    return ", ".join(f"{number:.{digits}g}" for number in value.detach().reshape(-1).tolist())
