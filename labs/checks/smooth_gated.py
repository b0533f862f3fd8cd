"""Checks for the exercises of chapter 8, on smooth and gated functions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from labs.activations import TeLU, derivative
from labs.checks import Feedback, Sheet, is_missing
from labs.checks.answers import as_number, as_tensor, quietly

# --- exercise 1: Hardswish by hand

#: Where exercise 1 asks for value and slope.
POINTS = (-4.0, -1.5, 0.0, 2.0, 4.0)


def hardswish_by_hand(answer: Sequence[tuple[float, float]]) -> Feedback:
    """Exercise 1: value and slope of Hardswish at five points, without a computer."""
    sheet = Sheet()
    if is_missing(answer):
        return sheet.not_yet()
    given = as_tensor(answer)
    if given is None or given.shape != (len(POINTS), 2):
        sheet.wrong(f"got {answer!r}", "give five pairs (value, slope), such as [(1, 2), (3, 4), ...]")
        return sheet.hand_back()
    x = torch.tensor(POINTS, dtype=torch.float64)
    gate, inside = F.relu6(x + 3) / 6, (x.abs() < 3).double()
    wrong_values = {
        "this is the gate alone": (gate, "the gate is multiplied by x"),
        "the 6 below is missing": (6 * x * gate, "the gate goes from 0 to 1, so far on the right the function is x"),
        "the parabola goes on outside": (x * (x + 3) / 6, "x + 3 is cut off at 0 and at 6: outside of -3 and 3 the gate is 0 or 1"),
        "the 3 is missing": (x * F.relu6(x) / 6, "the gate is open by half at x = 0"),
        "negative inputs give zero": (F.relu(x * gate), "that is so for a ReLU; at -1.5 the gate is still open by a quarter"),
    }  # fmt: skip
    wrong_slopes = {
        "this is the gate": (gate, "x times the gate is a product: gate + x / 6 inside, by the product rule"),
        "this is the slope of the gate": (inside / 6, "x times the gate is a product: gate + x / 6 inside, by the product rule"),
        "the 6 below is missing": (torch.where(inside > 0, 2 * x + 3, (x > 0).double()), "the slope of (x^2 + 3x) / 6 keeps its 6"),
        "inside, only half of the square": (torch.where(inside > 0, (x + 3) / 6, (x > 0).double()), "x^2 has the slope 2x"),
        "the parabola goes on outside": ((2 * x + 3) / 6, "left of -3 the function is 0, right of 3 it is x"),
        "negative inputs have the slope zero": (F.relu((2 * x + 3) / 6).clamp(max=1) * (x > 0), "that is so for a ReLU; at 0 the slope is that of (x^2 + 3x) / 6"),
    }  # fmt: skip
    columns = (
        ("value", given[:, 0], F.hardswish(x), wrong_values),
        ("slope", given[:, 1], derivative(nn.Hardswish(), x), wrong_slopes),
    )
    for what, column, right, mistakes in columns:
        if torch.allclose(column, right, atol=6e-3):
            sheet.right(f"every {what}: {', '.join(f'{number:.4g}' for number in (right + 0.0).tolist())}")
            continue
        for finding, (wrong, hint) in mistakes.items():
            if torch.allclose(column, wrong, atol=6e-3):
                sheet.wrong(f"{what}: {finding}", hint)
                break
        else:
            off = ", ".join(
                f"{p:g}" for p, c, r in zip(POINTS, column, right, strict=True) if not abs(c - r) < 6e-3
            )
            sheet.wrong(
                f"{what}: not right at {off}",
                "left of -3 the gate is 0, right of 3 it is 1, between them (x + 3) / 6",
            )
    return sheet.hand_back()


# --- exercise 2: the lowest point

#: Place of the minimum and of the steepest fall, which a test compares with mpmath.
LOWEST = {
    "GELU": (-0.7517915246935645, -1.414213562373095),
    "SiLU": (-1.2784645427610738, -2.3993572805154),
    "Mish": (-1.192431214515495, -2.2563763963),
    "TeLU": (-1.0788600584646241, -2.0659718961),
}
_MODULES = {"GELU": nn.GELU, "SiLU": nn.SiLU, "Mish": nn.Mish, "TeLU": TeLU}


def lowest_point(function: Callable[[nn.Module, float, float], float]) -> Feedback:
    """Exercise 2: where a function is lowest, to six digits, by looking for the zero of its slope."""
    sheet = Sheet()
    if is_missing(function) or is_missing(quietly(function, nn.GELU(), -3.0, -0.1)):
        return sheet.not_yet()
    for name, (place, steepest) in LOWEST.items():
        module, left, right = _MODULES[name](), -3.0, -0.1
        found = as_number(sheet.call(function, module, left, right))
        if found is None:
            sheet.wrong(f"{name}: that is not a number", "return x, the place of the lowest point")
        elif abs(found - place) < 1e-6:
            value = module(torch.tensor(place, dtype=torch.float64)).item()
            sheet.right(f"{name} is lowest at {place:.6f}, with the value {value:.6f}")
        else:
            sheet.wrong(
                f"{name}: {found:.6f} is not the place",
                _lowest_hint(module, found, place, steepest, left, right),
            )
    return sheet.hand_back()


def _lowest_hint(
    module: nn.Module, found: float, place: float, steepest: float, left: float, right: float
) -> str:
    """Return what probably went wrong when ``found`` came out instead of ``place``."""
    value = module(torch.tensor(place, dtype=torch.float64)).item()
    slope = derivative(module, torch.tensor(found, dtype=torch.float64)).item()
    if abs(found - value) < 1e-3:
        return f"that is how low the function goes; asked is where, and it is near {place:.1f}"
    if abs(found - steepest) < 1e-2:
        return "that is where the slope is lowest; the function is lowest where its slope is zero"
    if min(abs(found - left), abs(found - right)) < 1e-3:
        return "that is an end of the interval: the slope is negative left of the lowest point and positive right of it"
    if abs(found - place) < 2e-3:
        return "nearly: near its lowest point a function is flat, so its values know only half of the digits of x; look for the zero of the slope"
    if abs(found - place) < 0.06:
        return (
            "a grid finds only its own points: halve an interval at whose ends the slope has different signs"
        )
    return f"the slope at your point is {slope:.3f}, and at the lowest point it is zero"


# --- exercise 3: TeLU by hand


def telu(function: Callable[[Tensor], Tensor]) -> Feedback:
    """Exercise 3: x tanh(e^x) whose value and gradient survive any input."""
    sheet = Sheet()
    near = torch.tensor([-3.0, -1.5, -1.0, -0.2, 0.0, 0.4, 1.0, 2.0, 3.5], dtype=torch.float64)
    if is_missing(function) or is_missing(quietly(function, near.clone())):
        return sheet.not_yet()
    given = as_tensor(sheet.call(function, near.clone()))
    if given is None or given.shape != near.shape:
        sheet.wrong("that is not one number for each x", "return a tensor of the shape of x")
        return sheet.hand_back()
    if not torch.allclose(given, TeLU()(near), rtol=1e-5, atol=1e-6):
        sheet.wrong(*_telu_mistake(near, given))
        return sheet.hand_back()
    sheet.right("x tanh(e^x) between -3 and 3.5")
    for point in (-1e30, -1e4, -100.0, 12.0, 100.0, 1e4, 1e30):
        x = torch.tensor([point], requires_grad=True)
        value, wanted = quietly(function, x), max(point, 0.0)
        if not isinstance(value, Tensor) or not torch.allclose(value, torch.tensor([wanted]), rtol=1e-5):
            text = f"{value.item():g}" if isinstance(value, Tensor) and value.numel() == 1 else "no number"
            hint = (
                "clamp only what goes into exp, and leave the x in front alone; inf - inf and 0 * inf are nan"
            )
            sheet.wrong(f"at {point:g} the value is {text}, wanted {wanted:g}", hint)
            return sheet.hand_back()
        if not value.requires_grad:
            sheet.wrong(
                "autograd cannot follow", "stay with operations of torch on x, without .item() or NumPy"
            )
            return sheet.hand_back()
        slope, wanted = torch.autograd.grad(value.sum(), x)[0].item(), float(point > 0)
        if not math.isclose(slope, wanted, abs_tol=1e-5):
            hint = "backward multiplies 1 - tanh^2 = 0 by e^x = inf, in the unused half of torch.where as well: clamp x before exp"
            sheet.wrong(
                f"the value at {point:g} is right, its gradient is {slope:g}, wanted {wanted:g}", hint
            )
            return sheet.hand_back()
    sheet.right("far out the values are 0 and x, without a nan")
    sheet.right("and so are the gradients, 0 and 1")
    return sheet.hand_back()


def _telu_mistake(x: Tensor, given: Tensor) -> tuple[str, str]:
    """Return the finding and the hint for values that are not those of TeLU."""
    mistakes = {
        "this is an ELU": (F.elu(x), "some tutorials call an ELU with a trainable alpha TeLU; here it is x tanh(e^x)"),
        "this is Mish": (F.mish(x), "the tanh is taken of e^x, not of ln(1 + e^x)"),
        "the tanh is taken of x": (x * torch.tanh(x), "TeLU is x tanh(e^x)"),
        "this is the gate alone": (torch.tanh(torch.exp(x)), "multiply the gate by x"),
        "tanh and exp have changed places": (x * torch.exp(torch.tanh(x)), "first e^x, then tanh"),
        "e^x lies outside of the tanh": (torch.tanh(x) * torch.exp(x), "first e^x, then tanh, then times x"),
        "the tanh is taken of e^-x": (x * torch.tanh(torch.exp(-x)), "on the right the gate has to open: e^x"),
        "this is SiLU": (F.silu(x), "TeLU is x tanh(e^x)"),
    }  # fmt: skip
    for finding, (wrong, hint) in mistakes.items():
        if torch.allclose(given, wrong, rtol=1e-5, atol=1e-6):
            return finding, hint
    off = ~torch.isclose(given, TeLU()(x), rtol=1e-5, atol=1e-6)
    if not off[x < 1].any():
        return (
            f"right below 1, but at {x[off][0]:g} it gives {given[off][0]:.6g}",
            "a clamp comes too early: tanh(e^1) is 0.9913, and only from x = 3 on is tanh(e^x) equal to 1",
        )
    return f"at {x[off][0]:g} this gives {given[off][0]:.6g}", "first e^x, then tanh, then times x"


# --- exercise 4: the nearest Swish

_GRID = torch.linspace(-12, 12, 24_001, dtype=torch.float64)
_TARGETS = {"GELU": F.gelu, "Mish": F.mish, "TeLU": TeLU(), "Hardswish": F.hardswish}
#: The beta that makes something smallest between -12 and 12; a test computes all of them.
NEAREST = {
    "largest difference": {"GELU": 1.77293, "Mish": 1.25251, "TeLU": 1.46429, "Hardswish": 1.04865},
    "largest difference of the gates": {
        "GELU": 1.70174,
        "Mish": 1.27997,
        "TeLU": 1.67992,
        "Hardswish": 0.94127,
    },
    "mean square": {"GELU": 1.78008, "Mish": 1.22597, "TeLU": 1.31567, "Hardswish": 1.02582},
    "mean difference": {"GELU": 1.79455, "Mish": 1.19145, "TeLU": 2.78408, "Hardswish": 1.10103},
    "largest difference without its sign": {"GELU": 1.09017},
}


def nearest_beta(function: Callable[[Callable[[Tensor], Tensor]], float]) -> Feedback:
    """Exercise 4: for which beta does x sigmoid(beta x) come closest to a given function everywhere?"""
    sheet = Sheet()
    if is_missing(function) or is_missing(quietly(function, F.gelu)):
        return sheet.not_yet()
    for name, target in _TARGETS.items():
        beta = as_number(sheet.call(function, target))
        if beta is None or not math.isfinite(beta):
            sheet.wrong(f"{name}: that is not a number", "return one number, beta")
            continue
        right = NEAREST["largest difference"][name]
        if abs(beta - right) < 2e-3:
            sheet.right(
                f"{name}: beta = {right:.3f} stays within {_largest_error(target, right):.3f} everywhere"
            )
        else:
            sheet.wrong(f"{name}: beta = {beta:.4f} is not the nearest", _beta_hint(name, beta))
    return sheet.hand_back()


def _largest_error(target: Callable[[Tensor], Tensor], beta: float) -> float:
    return (_GRID * torch.sigmoid(beta * _GRID) - target(_GRID)).abs().max().item()


def _beta_hint(name: str, beta: float) -> str:
    """Return what was probably made smallest, or measured, in place of the largest difference."""
    aims = {
        "largest difference of the gates": "that brings the gates together; the functions differ by x times that, which makes the parts far from zero count more",
        "mean square": "that makes the mean square of the difference smallest; asked is the largest difference",
        "mean difference": "that makes the mean size of the difference smallest; asked is the largest",
        "largest difference without its sign": "take abs() before max(): a difference below counts as well",
    }  # fmt: skip
    right, target = NEAREST["largest difference"][name], _TARGETS[name]
    for aim, hint in aims.items():
        if abs(beta - NEAREST[aim].get(name, math.inf)) < 2e-3:
            return hint
    if abs(beta - NEAREST["largest difference"]["GELU"]) < 2e-3:
        return "that is the answer for GELU: use the function that is passed in"
    if abs(beta - _largest_error(target, right)) < 1e-3:
        return "that is how small the largest difference gets; asked is the beta that does it"
    if abs(beta - 1) < 2e-3:
        return "that is SiLU; another beta comes closer"
    if abs(beta - right) < 0.03:
        return "nearly: the step of your search is too wide, three decimals are wanted"
    direction = "larger" if beta < right else "smaller"
    return f"there the largest difference is {_largest_error(target, beta):.3f}; a {direction} beta is better"


# --- exercise 5: a gated block at equal parameters


def gated_block(block: Callable[[int, int], nn.Module]) -> Feedback:
    """Exercise 5: a SwiGLU block with as many parameters as a plain block of the given hidden width."""
    sheet = Sheet()
    untouched = isinstance(block, type) and not {"__init__", "forward"} & set(vars(block))
    if is_missing(block) or untouched or is_missing(quietly(block, 12, 48)):
        return sheet.not_yet()
    with torch.random.fork_rng(devices=[]):  # leaves the student's random numbers as they were
        torch.manual_seed(0)
        for features, hidden in ((12, 48), (10, 50)):
            module = sheet.call(block, features, hidden)
            if not isinstance(module, nn.Module):
                sheet.wrong("that gives no module", "block(features, hidden) has to give an nn.Module")
                break
            if not (_judge_size(sheet, module, features, hidden) and _judge_gate(sheet, module, features)):
                break
    return sheet.hand_back()


def _judge_size(sheet: Sheet, module: nn.Module, features: int, hidden: int) -> bool:
    """Note whether ``module`` has three matrices without biases and the right width."""
    parameters = list(module.parameters())
    count, plain = sum(p.numel() for p in parameters), 2 * features * hidden
    if any(p.dim() != 2 for p in parameters):
        sheet.wrong(
            "there are biases, or other parameters that are no matrices", "bias=False in each nn.Linear"
        )
        return False
    widths = {math.floor(2 * hidden / 3), math.ceil(2 * hidden / 3)}
    if count in {3 * features * width for width in widths}:
        sheet.right(f"{count:,} parameters, the plain block of width {hidden} has {plain:,}")
        return True
    mistakes = {
        3 * features * hidden: ("half more than the plain block", "there are three matrices instead of two, so the width has to shrink to two thirds"),
        3 * features * (hidden // 2): ("a quarter less than the plain block", "half the width is too little: 3 d w = 2 d h gives w = 2 h / 3"),
        2 * features * round(2 * hidden / 3): ("one matrix is missing", "gate, value and output: three of them"),
        3 * features * round(3 * hidden / 2): ("more than twice as many as the plain block", "the width shrinks by the factor 2/3, it does not grow by 3/2"),
    }  # fmt: skip
    finding, hint = mistakes.get(
        count, ("not as many as the plain block", "3 d w = 2 d h, where d is features and h is hidden")
    )
    sheet.wrong(f"{count:,} parameters against {plain:,}: {finding}", hint)
    return False


def _judge_gate(sheet: Sheet, module: nn.Module, features: int) -> bool:
    """Note whether ``module`` computes W_out (SiLU(W_gate x) * W_value x), whatever the names of its matrices."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_()
    x = torch.randn(2, 5, features)
    given = sheet.call(module, x)
    if not isinstance(given, Tensor) or given.shape != x.shape:
        sheet.wrong("the output has not the shape of the input", "the last matrix leads back to features")
        return False
    roles = _gate_value_out([p.detach() for p in module.parameters()], features)
    if not roles:
        sheet.wrong(
            "that is not three matrices that fit",
            "gate and value lead from features to the width, output leads back",
        )
        return False

    def agrees(combine: Callable[[Tensor, Tensor], Tensor]) -> bool:
        results = (combine(x @ gate, x @ value) @ out for gate, value, out in roles)
        return any(torch.allclose(given.detach(), wanted, rtol=1e-4, atol=1e-4) for wanted in results)

    if agrees(lambda g, v: F.silu(g) * v):
        sheet.right(f"SiLU opens the gate, and the value passes through it ({features} features)")
        return True
    mistakes = {
        "this is GLU, with a sigmoid for a gate": (lambda g, v: torch.sigmoid(g) * v, "SwiGLU has SiLU, x sigmoid(x), in its place"),
        "this is GEGLU": (lambda g, v: F.gelu(g) * v, "SwiGLU has SiLU in the place of GELU"),
        "this is ReGLU": (lambda g, v: F.relu(g) * v, "SwiGLU has SiLU in the place of ReLU"),
        "there is no activation function": (lambda g, v: g * v, "SiLU of one of the two"),
        "the value goes through SiLU too": (lambda g, v: F.silu(g) * F.silu(v), "one half stays linear"),
        "SiLU comes after the product": (lambda g, v: F.silu(g * v), "first SiLU of the gate, then the product"),
        "gate and value are added": (lambda g, v: F.silu(g) + v, "a gate multiplies"),
        "one matrix is never used": (lambda g, v: F.silu(g), "the gate multiplies a second linear map of x"),
    }  # fmt: skip
    for finding, (combine, hint) in mistakes.items():
        if agrees(combine):
            sheet.wrong(finding, hint)
            return False
    sheet.wrong(
        "the output is not W_out (SiLU(W_gate x) * W_value x)", "try it with one feature and a width of one"
    )
    return False


def _gate_value_out(matrices: list[Tensor], features: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Return every way to see gate, value and output in ``matrices``, as factors on the right of x.

    nn.Linear holds its factor transposed, a bare parameter may hold it as it is, and gate and value may lie side
    by side in one matrix.
    """
    found = []
    for *inner, out in itertools.permutations(matrices):
        inner = [m if m.shape[0] == features else m.T for m in inner]
        out = out if out.shape[1] == features else out.T
        if len(inner) == 1:
            inner = list(inner[0].chunk(2, dim=1))
        if len(inner) == 2 and inner[0].shape == inner[1].shape == out.T.shape:
            found += [(inner[0], inner[1], out), (inner[1], inner[0], out)]
    return found


# --- exercise 6: monotone or not

_RISING = {
    "Softplus": F.softplus,
    "ReLU": F.relu,
    "ELU": F.elu,
    "Sigmoid": torch.sigmoid,
    "x + sin(x)": lambda x: x + torch.sin(x),
}
_FALLING = {
    "-x": (lambda x: -x, "it falls everywhere"),
    "SiLU": (F.silu, "it falls left of -1.28"),
    "GELU": (F.gelu, "it falls left of -0.75"),
    "Hardswish": (F.hardswish, "it falls between -3 and -1.5"),
    "Swish with beta 0.1": (lambda x: x * torch.sigmoid(0.1 * x), "its lowest point is at -12.8: look further out, to -20 and 20"),
    "2 - tanh(x - 9)": (lambda x: 2 - torch.tanh(x - 9), "it falls around 9: look on both sides of zero"),
    "x + sin(40 x) / 20": (lambda x: x + torch.sin(40 * x) / 20, "it has small ripples: look in steps of 0.01 or finer, at neighbours"),
}  # fmt: skip


def counterexample(function: Callable[[Callable[[Tensor], Tensor]], tuple[float, float] | None]) -> Feedback:
    """Exercise 6: two points that prove a function not monotone, or None if there seem to be none."""
    sheet = Sheet()
    if is_missing(function) or all(is_missing(quietly(function, f)) for f, _ in _FALLING.values()):
        return sheet.not_yet()
    for name, (falling, hint) in _FALLING.items():
        pair = sheet.call(function, falling)
        problem = "found none", hint
        if pair is not None:
            problem = _no_witness(falling, pair)
        if problem is None:
            sheet.right(f"{name}: from {float(pair[0]):.3f} to {float(pair[1]):.3f} it falls")
        else:
            sheet.wrong(f"{name}: {problem[0]}", problem[1])
    for name, rising in _RISING.items():
        pair = sheet.call(function, rising)
        if pair is None:
            sheet.right(f"{name}: no counterexample, as it should be")
        else:
            finding, hint = _no_witness(rising, pair) or (
                "these two points are no witness",
                "compare in float64",
            )
            sheet.wrong(f"{name}: {finding}", hint)
    return sheet.hand_back()


def _no_witness(function: Callable[[Tensor], Tensor], pair: object) -> tuple[str, str] | None:
    """Return why ``pair`` does not prove that ``function`` falls somewhere, or ``None`` if it does."""
    points = as_tensor(pair)
    if isinstance(pair, bool) or points is None or points.shape != (2,):
        return f"got {pair!r}", "a verdict can be believed or not; return the two points, or None"
    left, right = points.tolist()
    if not left < right:
        return f"{left:g} is not left of {right:g}", "return the left point first"
    low, high = function(points).tolist()
    if low > high + 1e-9:
        return None
    if low > high:
        return (
            f"the fall from {left:g} to {right:g} is one of rounding, {low - high:.0e}",
            "ask for a fall of more than 1e-9",
        )
    if low == high:
        return (
            f"from {left:g} to {right:g} it stays level",
            "level is not falling: compare with >, not with >=",
        )
    return (
        f"f({left:g}) = {low:.4g} is not above f({right:g}) = {high:.4g}",
        "a witness is x1 < x2 with f(x1) > f(x2)",
    )
