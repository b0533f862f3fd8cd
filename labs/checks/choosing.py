"""Checks for the exercises of chapter 18, on choosing and inventing an activation function."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import torch
from torch import Tensor, nn
from torch.autograd import gradcheck
from torch.nn import functional as F

from labs.checks import Feedback, Sheet, is_missing
from labs.checks.answers import as_number, as_pair, as_tensor, quietly
from labs.signals import chi_1, gaussian_gain, variance_slope
from labs.statistics import holm

Function = Callable[[Tensor], Tensor]

# --- exercise 1: the first check that stops each

#: Exercise 1: six formulas, typed as one would type them.
IDEAS: dict[str, Function] = {
    "textbook tanh": lambda x: (torch.exp(x) - torch.exp(-x)) / (torch.exp(x) + torch.exp(-x)),
    "ELU by where": lambda x: torch.where(x > 0, x, torch.exp(x) - 1),
    "SiLU, gate detached": lambda x: x * torch.sigmoid(x).detach(),
    "centred ReLU": lambda x: torch.relu(x) - 0.4,
    "ReLU to the 1.5": lambda x: torch.relu(x) ** 1.5,
    "two softplus": lambda x: F.softplus(x) - F.softplus(-x),
}
#: Exercise 1: the checks of the battery in their order, and what to say if all of them pass.
CHECKS = ("value", "slope", "gradcheck", "chi", "length", "none")

_FIRST = {
    "textbook tanh": ("value", "infinity over infinity at 100"),
    "ELU by where": ("slope", "finite everywhere, and a slope of nan far on the right"),
    "SiLU, gate detached": ("gradcheck", "the right value, half of the product rule, and all else in order"),
    "centred ReLU": ("chi", "the mean has gone, the slopes have stayed: gradients grow by half per layer"),
    "ReLU to the 1.5": ("length", "gradients are steady, and a deviation of the length grows by half per layer"),
    "two softplus": ("none", "it passes everything, and it is the identity"),
}  # fmt: skip
_WRONG_CHECK = {
    "textbook tanh": {
        "slope": ("the slope is nan as well, but a check before it stops the formula", "what is exp(100) in 32 bits?"),
        "none": ('"it is tanh, so it is bounded": on paper', "evaluate the formula at 100, as it is typed"),
        "length": ("there a deviation shrinks; something is worse", "evaluate the formula at 100, as it is typed"),
        "chi": ("that is 1.18, within the limits", "evaluate the formula at 100, as it is typed"),
    },
    "ELU by where": {
        "value": ("the value is finite: where takes x on the right", "what does autograd do with the branch that is not taken?"),
        "none": ('"where takes one branch": the value does, the gradient goes through both', "zero times the slope of exp at 100 is zero times infinity"),
        "gradcheck": ("between -4 and 4 the slope is right", "what happens at 100?"),
    },
    "SiLU, gate detached": {
        "value": ("the value is that of SiLU", "what does detach do on the way back?"),
        "slope": ("the slope is a finite number, only a wrong one", "which check compares it with anything?"),
        "none": ('"the value is right, so the slope is": detach cuts one of the two ways', "which check compares the slope with the value?"),
        "chi": ("made from the wrong slope, it is 0.82 and within the limits", "which check compares the slope with the value?"),
        "length": ("from values alone, it is that of SiLU, 1.17 and within the limits", "which check compares the slope with the value?"),
    },
    "centred ReLU": {
        "none": ('"a mean of zero is harmless": without its mean f(z) has a smaller mean square, and the gain makes up for it', "E f'^2 is still one half; what is E f^2 now?"),
        "length": ("that is 1 to three digits, by accident", "E f'^2 is still one half; what is E f^2 now?"),
        "gradcheck": ("a constant does not change the slope", "it does change the gain"),
    },
    "ReLU to the 1.5": {
        "chi": ("for the power p it is p^2 / (2p - 1), here 1.125", "what is z f f' / f^2?"),
        "slope": ("at zero the slope is zero, and at 10,000 it is 150", "what is z f f' / f^2?"),
        "value": ("10,000 to the 1.5 is a million, which is finite", "what is z f f' / f^2?"),
        "none": ("a power above one makes the large larger", "what is z f f' / f^2?"),
    },
    "two softplus": {
        "value": ("torch writes softplus so that it survives", "simplify the formula"),
        "chi": ("it is exactly 1", "simplify the formula"),
        "length": ("it is exactly 1", "simplify the formula"),
        "gradcheck": ("autograd is right here", "simplify the formula"),
        "slope": ("it is finite, and the same everywhere", "simplify the formula"),
    },
}  # fmt: skip


def first_fault(prediction: Mapping[str, object]) -> Feedback:
    """Exercise 1: for each of ``IDEAS`` the first of ``CHECKS`` that stops it."""
    sheet = Sheet()
    if is_missing(prediction) or _untouched(prediction):
        return sheet.not_yet()
    if not isinstance(prediction, Mapping):
        sheet.wrong(f"got {_shown(prediction)}", "a dictionary: the name of each formula, and a check")
        return sheet.hand_back()
    for name, (right, finding) in _FIRST.items():
        given = prediction.get(name)
        if is_missing(given):
            sheet.wrong(f"{name}: no answer yet", "one of " + ", ".join(CHECKS))
            continue
        word = given.strip().lower() if isinstance(given, str) else given
        if not isinstance(word, str) or word not in CHECKS:
            sheet.wrong(f"{name}: {_shown(given)} is no check", "one of " + ", ".join(CHECKS))
        elif word == right:
            sheet.right(f"{name}: {right}; {finding}")
        else:
            hint = "go through the checks in their order, and put in numbers"
            finding, hint = _WRONG_CHECK[name].get(word, ("it is not this check", hint))
            sheet.wrong(f"{name}: {word}: {finding}", hint)
    return sheet.hand_back()


# --- exercise 2: thresholds


def threshold(function: Callable[[Tensor, float], float]) -> Feedback:
    """Exercise 2: the threshold below which a given share of the activations lies in size."""
    sheet = Sheet()
    generator = torch.Generator().manual_seed(18)
    z = torch.randn(2001, generator=generator)
    cases = [
        ("positive numbers of every size", z.abs(), 0.3),
        ("numbers of both signs", z, 0.7),
        ("the outputs of ReLU, of which half are zero", torch.relu(z), 0.8),
        ("a share that ReLU leaves out by itself", torch.relu(z), 0.3),
        ("a matrix, one example per row", z[:2000].view(40, 50), 0.5),
        ("a layer with negative outputs only", -1 - z.abs(), 0.9),
        ("nothing left out", 1 + z.abs(), 0.0),
        ("nearly everything", z, 0.99),
    ]
    if is_missing(function) or is_missing(quietly(function, z.clone(), 0.5)):
        return sheet.not_yet()
    for promise, a, share in cases:
        copy = a.clone()
        result = sheet.call(function, copy, share)
        if result is None:
            return sheet.hand_back()
        if not torch.equal(copy, a):
            sheet.wrong("your function changes the activations", "work on a copy")
            return sheet.hand_back()
        given = _finite(result)
        if given is None:
            sheet.wrong(f"{promise}: got {_shown(result)}", "one number: the threshold")
            return sheet.hand_back()
        if not _leaves_out(a, given, share):
            sheet.wrong(*_wrong_threshold(promise, a, given, share))
            return sheet.hand_back()
        sheet.right(promise)
    return sheet.hand_back()


def _leaves_out(a: Tensor, limit: float, share: float) -> bool:
    """Whether ``limit`` leaves out ``share``, up to one number, and with ties on either side."""
    sizes, room = a.abs().flatten().double(), 1.5 / a.numel()
    below, up_to = ((sizes < limit - 1e-7).double().mean(), (sizes <= limit + 1e-7).double().mean())
    return bool(below <= share + room and up_to >= share - room)


def _wrong_threshold(promise: str, a: Tensor, given: float, share: float) -> tuple[str, str]:
    """Say which slip a threshold comes from."""
    sizes = a.abs().flatten()
    kept = sizes.sort().values[min(int((1 - share) * len(sizes)), len(sizes) - 1)].item()
    known = {
        "this is a quantile of the signed numbers": (
            torch.quantile(a.flatten(), share).item(),
            '"the smallest" means the smallest in size: a large negative output is worth keeping',
        ),
        "this leaves out what should be kept": (kept, "the share says how many go, and the small ones go"),
        "this is a share of the largest, not of the numbers": (
            share * sizes.max().item(),
            "count numbers: the quantile of the sizes",
        ),
        "this is a multiple of the mean": (share * sizes.mean().item(), "the quantile of the sizes"),
    }
    left = (sizes < given).double().mean().item()
    for finding, (wrong, hint) in known.items():
        if abs(given - wrong) < 0.02 * max(abs(wrong), 0.02):
            return f"{promise}: {finding}", hint
    if given < 0:
        return f"{promise}: a threshold for sizes is not negative", "the quantile of the sizes"
    return f"{promise}: {left:.0%} lie below {given:.3g}, wanted {share:.0%}", "the quantile of the sizes"


#: Exercise 2: what is asked for when the pre-activations are twice as large.
_DOUBLED = {"ReLU, factor": 2.0, "ReLU, share": 0.603, "GELU, factor": 2.437, "GELU, share": 0.603}
_WRONG_DOUBLED = {
    "ReLU, factor": {
        1.0: ('"the threshold belongs to the function": it belongs to a layer and its inputs', "what is ReLU of twice a number?"),
        4.0: ("that is what a square does", "what is ReLU of twice a number?"),
        0.5: ("the wrong way round: outputs grow, so the threshold has to", "the new threshold over the old one"),
        2.437: ("that is GELU's factor", "what is ReLU of twice a number?"),
    },
    "GELU, factor": {
        1.0: ('"the threshold belongs to the function": it belongs to a layer and its inputs', "measure it on GELU(2 z)"),
        2.0: ('"the threshold grows with the inputs": for ReLU, which is positively homogeneous; GELU of twice a number is not twice GELU of it', "measure it on GELU(2 z)"),
        4.0: ("that is what a square does", "measure it on GELU(2 z)"),
        0.41: ("the wrong way round: outputs grow, so the threshold has to", "the new threshold over the old one"),
    },
}  # fmt: skip
_WRONG_SHARE = {
    0.7: ('"the share stays": only if the threshold is set anew', "here the old threshold meets larger outputs"),
    0.35: ('"twice as large, half as many": a share is no length', "which z lie below the old threshold now?"),
    0.853: ("the wrong way round: larger outputs, fewer below the threshold", "which z lie below the old threshold now?"),
    0.397: ("this is the share that is kept", "the share that is left out"),
    0.5: ("half is what ReLU leaves out by itself", "some positive outputs lie below the threshold, too"),
}  # fmt: skip


def doubled(answer: Mapping[str, object]) -> Feedback:
    """Exercise 2: what becomes of a threshold for 70 % when the pre-activations are twice as large."""
    sheet = Sheet()
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'a dictionary such as {"ReLU, factor": 1.5, ...}')
        return sheet.hand_back()
    for part, right in _DOUBLED.items():
        room = 0.015 if "share" in part else 0.06 if "GELU" in part else 0.03
        number = _part(sheet, answer, part, "one number")
        if number is None:
            continue
        if abs(number - right) <= room:
            sheet.right(f"{part}: {number:.3g}")
        else:
            known = _WRONG_SHARE if "share" in part else _WRONG_DOUBLED[part]
            hint = "draw 100,000 standard normal numbers and count"
            found = [slip for wrong, slip in known.items() if abs(number - wrong) < 0.02]
            finding, hint = found[0] if found else (f"{number:g} is not it", hint)
            sheet.wrong(f"{part}: {finding}", hint)
    return sheet.hand_back()


# --- exercise 3: three numbers from samples


def _moments(f: Function, z: Tensor) -> dict[str, float]:
    x = z.detach().double().clone().requires_grad_()
    value = f(x)
    (slope,) = torch.autograd.grad(value.sum(), x)
    value, x = value.detach(), x.detach()
    return {
        "ff": value.square().mean().item(),
        "dd": slope.square().mean().item(),
        "zfd": (x * value * slope).mean().item(),
        "fd": (value * slope).mean().item(),
        "f": value.mean().item(),
        "d": slope.mean().item(),
        "var": value.var(unbiased=False).item(),
        "length": value.square().sum().sqrt().item(),
    }


def three_numbers(function: Callable[[Function, Tensor], Sequence[float]]) -> Feedback:
    """Exercise 3: gain, chi and slope of the length map of a function, from standard normal samples."""
    sheet = Sheet()
    z = torch.randn(500, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    cases: list[tuple[str, Function, Tensor]] = [
        ("GELU", F.gelu, z),
        ("a cube, where a deviation of the length grows threefold", lambda x: x**3, z),
        ("softplus, whose mean is far from zero", F.softplus, z),
        ("the identity: gain near 1, and 1, and 1", lambda x: 1.0 * x, z),
        ("ReLU, where the last two are equal", torch.relu, z[:101]),
        ("tanh, made twice as steep and half as high", lambda x: torch.tanh(2 * x) / 2, z[100:]),
        ("a matrix of samples", torch.sin, z.view(20, 25)),
    ]
    if is_missing(function) or _nothing(quietly(function, F.gelu, z.clone())):
        return sheet.not_yet()
    for promise, f, samples in cases:
        copy = samples.clone()
        result = sheet.call(function, f, copy)
        if result is None:
            return sheet.hand_back()
        if not torch.equal(copy.detach(), samples):
            sheet.wrong("your function changes the samples", "work on z.clone()")
            return sheet.hand_back()
        given = _several(result, 3)
        if given is None:
            sheet.wrong(f"got {_shown(result)}", "three finite numbers: gain, chi, length")
            return sheet.hand_back()
        trouble = _wrong_numbers(given, _moments(f, samples))
        if trouble:
            sheet.wrong(f"{promise}: {trouble[0]}", trouble[1])
            return sheet.hand_back()
        sheet.right(promise)
    return sheet.hand_back()


def _wrong_numbers(given: Sequence[float], m: Mapping[str, float]) -> tuple[str, str] | None:
    """Say which slip the first wrong of the three numbers comes from."""
    ff, dd, zfd = m["ff"], m["dd"], m["zfd"]
    right = (ff**-0.5, dd / ff, zfd / ff)
    if all(map(_close, given, right)):
        return None
    if sorted(map(_rounded, given)) == sorted(map(_rounded, right)):
        return "the three are in another order", "gain, chi, length"
    gain = {
        "the gain is the variance of the weights": (1 / ff, "g^2 E f^2 = 1, and g is asked for"),
        "the gain is upside down": (ff**0.5, "small outputs need large weights"),
        "the gain has the square on the wrong side": (ff, "g^2 E f^2 = 1"),
        '"the gain is one over the standard deviation": the mean counts as well': (m["var"] ** -0.5, "the mean SQUARE, not the variance"),
        "the gain takes a sum for a mean": (1 / m["length"], "the mean over the samples"),
        "the gain is that of ReLU": (math.sqrt(2), "it depends on f"),
    }  # fmt: skip
    chi = {
        "chi lacks the gain": (dd, "times g^2"),
        "chi has the gain without its square": (dd * ff**-0.5, "mean squares are multiplied by the variance of the weights, g^2"),
        '"the mean slope decides": chi takes the mean of the squares': (m["d"] ** 2 / ff, "square each slope, then average"),
        "chi takes slopes without squares": (m["d"] / ff, "square each slope, then average"),
        "chi is upside down": (ff / dd, "the slopes stand above"),
        "chi is its root": ((dd / ff) ** 0.5, "it multiplies the mean square, not the size"),
    }  # fmt: skip
    length = {
        "the length lacks the gain": (zfd, "times g^2"),
        "the length lacks the inner derivative": (2 * zfd / ff, "the root of q has the slope one half at q = 1"),
        "the length has lost the 2 of the square": (zfd / ff / 2, "the derivative of f^2 is 2 f f', and 2 times one half is 1"),
        "the length lacks the factor z": (m["fd"] / ff, "differentiate f(sqrt(q) z) by q: z comes out"),
        "the length has a slope squared": (dd / ff, "z f f', not f'^2"),
    }  # fmt: skip
    hints = (
        "one over the root of the mean square of f(z)",
        "g^2 times the mean of f'^2",
        "g^2 times the mean of z f f'",
    )
    for number, wanted, known, name, hint in zip(
        given, right, (gain, chi, length), ("gain", "chi", "length"), hints, strict=True
    ):
        if not _close(number, wanted):
            for finding, (wrong, advice) in known.items():
                if _close(number, wrong):
                    return finding, advice
            return f"the {name} is {number:.4g}, and should be {wanted:.4g}", hint
    return None


# --- exercise 4: the mixture at zero

_PHI_0 = 1 / math.sqrt(2 * math.pi)


def at_zero(function: Callable[[float], Sequence[float]]) -> Feedback:
    """Exercise 4: slope and second derivative of the mixture at zero, as a function of the share of SiLU."""
    sheet, shares = Sheet(), (0.0, 1.0, 0.5, 0.3, 0.85)
    if is_missing(function) or _nothing(quietly(function, 0.5)):
        return sheet.not_yet()
    results = [sheet.call(function, share) for share in shares]
    if any(result is None for result in results):
        return sheet.hand_back()
    pairs = [as_pair(result) for result in results]
    if any(pair is None or not all(map(math.isfinite, pair)) for pair in pairs):
        sheet.wrong(
            f"got {_shown(results[0])}", "two numbers: the slope at zero, and the second derivative there"
        )
        return sheet.hand_back()
    slopes, seconds = zip(*pairs, strict=True)  # type: ignore[arg-type]

    def second(share: float) -> float:
        return share / 2 + (1 - share) * 2 * _PHI_0

    by_slope: dict[str, tuple[Callable[[float], float], str]] = {
        '"x is a factor, so the slope is zero": the product rule has a second part': (lambda s: 0.0, "what is left of the slope at x = 0 when everything with the factor x is gone?"),
        "that is the slope far on the right": (lambda s: 1.0, "what are sigma and Phi at zero?"),
        "the slope of the gate in place of the gate": (lambda s: s / 4 + (1 - s) * _PHI_0, "at x = 0 only the part without x is left: the gate itself"),
        "both gates are one half, and the shares add up to one": (lambda s: s / 2, "the GELU part belongs to it as well"),
    }  # fmt: skip
    by_second: dict[str, tuple[Callable[[float], float], str]] = {
        '"at its middle a gate has no curvature, so the function has none": x times a gate has twice the slope of the gate': (lambda s: 0.0, "(x g)'' = 2 g' + x g''"),
        "the 2 of the product rule is missing": (lambda s: second(s) / 2, "(x g)'' = 2 g' + x g''"),
        "the shares are exchanged": (lambda s: second(1 - s), "lambda is the share of SiLU"),
        "Phi has the slope phi(0) = 0.399, not that of sigma": (lambda s: 0.5, "1 / sqrt(2 pi)"),
        "sigma has the slope 1/4, not that of Phi": (lambda s: 2 * _PHI_0, "sigma (1 - sigma) at one half"),
        "the slope of sigma at zero is taken for one half": (lambda s: s + (1 - s) * 2 * _PHI_0, "sigma (1 - sigma) = 1/4"),
        "phi(0) is taken for one half": (lambda s: s / 2 + (1 - s), "the density at zero is 1 / sqrt(2 pi)"),
    }  # fmt: skip
    for name, given, right, known, finding in (
        ("the slope", slopes, lambda s: 0.5, by_slope, "the slope is one half, whatever the share"),
        ("the second derivative", seconds, second, by_second, "the second derivative goes from 0.80 for GELU to 0.5 for SiLU"),
    ):  # fmt: skip
        if all(abs(g - right(s)) < 1e-3 for g, s in zip(given, shares, strict=True)):
            sheet.right(finding)
            continue
        for slip, (wrong, hint) in known.items():
            if all(abs(g - wrong(s)) < 1e-3 for g, s in zip(given, shares, strict=True)):
                sheet.wrong(f"{name}: {slip}", hint)
                break
        else:
            sheet.wrong(f"{name} is {given[3]:.4g} for a share of 0.3", "f = x g with the gate g: f' = g + x g', f'' = 2 g' + x g''")  # fmt: skip
    return sheet.hand_back()


def largest(answer: Mapping[str, object]) -> Feedback:
    """Exercise 4: how large the gradient of the share can be for one unit, and at which x."""
    sheet = Sheet()
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'a dictionary: {"size": ..., "at": ...}')
        return sheet.hand_back()
    size, at = (_part(sheet, answer, part, "one number") for part in ("size", "at"))
    if size is not None:
        if abs(size - 0.193) < 0.002:
            sheet.right("size: 0.193, and less everywhere else")
        elif abs(size + 0.193) < 0.002:
            sheet.wrong("size: a size has no sign", "SiLU lies below GELU; how far?")
        elif abs(size - 0.0965) < 0.001:
            sheet.wrong(
                "size: that is the distance from a parent to the middle", "the distance of the parents"
            )
        elif abs(size - 0.117) < 0.002:
            sheet.wrong("size: the factor x is missing", "the parents differ by x (sigma - Phi)")
        elif size == 0:
            sheet.wrong('size: "at zero the gates agree", but the maximum is elsewhere', "look beyond zero")
        elif size == 1:
            sheet.wrong('size: "a share can get all of it": it gets the difference of the parents', "SiLU and GELU are close everywhere")  # fmt: skip
        else:
            sheet.wrong(f"size: {size:g} is not it", "the largest |x (sigma(x) - Phi(x))|, on a fine grid")
    if at is not None:
        if abs(abs(at) - 1.966) < 0.03:
            sheet.right("at: 1.97 on both sides, for the difference is symmetric")
        elif abs(abs(at) - 1.324) < 0.05:
            sheet.wrong("at: there the gates differ most", "the factor x moves the maximum outwards")
        elif at == 0:
            sheet.wrong("at: at zero the parents agree", "far out they agree as well; look between")
        else:
            sheet.wrong(f"at: {at:g} is not it", "a grid from 0 to 5 with steps of 0.001 is enough")
    return sheet.hand_back()


# --- exercise 5: units of a batch


def needed(function: Callable[[Tensor], float]) -> Feedback:
    """Exercise 5: the share of the units that at least one example of a batch needs, from a mask."""
    sheet = Sheet()
    generator = torch.Generator().manual_seed(5)
    chance = torch.rand(3, 40, generator=generator) < 0.5
    cases = [
        ("three examples, forty units", chance, chance.any(0).double().mean().item()),
        ("examples that need the same units", chance[:1].repeat(6, 1), chance[0].double().mean().item()),
        ("examples that need different ones", torch.eye(4, 10).bool(), 0.4),
        ("a batch of one", torch.tensor([[True, False, False, True, False]]), 0.4),
        ("nobody needs anything", torch.zeros(5, 7).bool(), 0.0),
        ("one example needs everything", torch.eye(2)[:, :1].repeat(1, 9).bool(), 1.0),
    ]
    if is_missing(function) or is_missing(quietly(function, chance.clone())):
        return sheet.not_yet()
    results = [sheet.call(function, mask.clone()) for _, mask, _ in cases]
    if any(result is None for result in results):
        return sheet.hand_back()
    given = [_finite(result) for result in results]
    if None in given:
        sheet.wrong(f"got {_shown(results[given.index(None)])}", "one number: a share")
        return sheet.hand_back()
    slips: dict[str, tuple[Callable[[Tensor], float], str]] = {
        "these are the units that EVERY example needs": (lambda m: m.all(0).double().mean().item(), "a column can be skipped only if nobody needs it"),
        '"each example needs its share, so the batch does": that is the mean over the examples': (lambda m: m.double().mean().item(), "the examples need different units; unite them first"),
        "the needs are added up": (lambda m: m.double().sum(1).mean().item() * len(m) / m.shape[1], "a unit that two need is read once"),
        "that is a number of units, not a share": (lambda m: float(m.any(0).sum()), "divide by the number of units"),
        "these are the units that nobody needs": (lambda m: 1 - m.any(0).double().mean().item(), "one minus that"),
        "this unites the units of each example": (lambda m: m.any(1).double().mean().item(), "one row is one example: unite over the rows, dimension 0"),
        "only the first example is looked at": (lambda m: m[0].double().mean().item(), "all rows"),
    }  # fmt: skip
    for finding, (wrong, hint) in slips.items():
        if all(_close(g, wrong(mask)) for g, (_, mask, _) in zip(given, cases, strict=True)):  # type: ignore[arg-type]
            sheet.wrong(finding, hint)
            return sheet.hand_back()
    for (promise, _, right), number in zip(cases, given, strict=True):
        if abs(number - right) < 1e-5:  # type: ignore[operator]
            sheet.right(promise)
        else:
            sheet.wrong(
                f"{promise}: {number:.3g}, should be {right:.3g}", "the share of the columns with a True"
            )
    return sheet.hand_back()


def predicted(function: Callable[[Tensor, int], float]) -> Feedback:
    """Exercise 5: the share of units that a batch needs, predicted from how often each unit is needed."""
    sheet = Sheet()
    uneven = torch.tensor([0.0, 0.1, 0.5, 0.9, 1.0], dtype=torch.float64)
    cases = [
        ("units that are needed by chance, all alike: 1 - (1 - p)^B", torch.full((8,), 0.5).double(), 3),
        ("one example needs the mean share", uneven, 1),
        ("two examples and uneven units", uneven, 2),
        ("eight examples and uneven units", uneven, 8),
        (
            "units that always or never serve do not change with the batch",
            torch.tensor([0.0, 1.0]).double(),
            50,
        ),
        ("a single unit", torch.tensor([0.2]).double(), 4),
    ]
    if is_missing(function) or is_missing(quietly(function, uneven.clone(), 2)):
        return sheet.not_yet()
    results = [sheet.call(function, shares.clone(), size) for _, shares, size in cases]
    if any(result is None for result in results):
        return sheet.hand_back()
    given = [_finite(result) for result in results]
    if None in given:
        sheet.wrong(f"got {_shown(results[given.index(None)])}", "one number: the mean over the units")
        return sheet.hand_back()

    def right(p: Tensor, size: int) -> float:
        return (1 - (1 - p) ** size).mean().item()

    slips: dict[str, tuple[Callable[[Tensor, int], float], str]] = {
        '"all units are alike": the mean is taken before the power': (lambda p, b: 1 - (1 - p.mean().item()) ** b, "each unit has its own p; apply the formula to each, then average"),
        "this is the share that ALL examples need": (lambda p, b: (p**b).mean().item(), "needed by at least one: one minus needed by none"),
        "this is the share that nobody needs": (lambda p, b: ((1 - p) ** b).mean().item(), "one minus that"),
        "shares are added": (lambda p, b: b * p.mean().item(), "a unit that two need is read once"),
        "shares are added up to one": (lambda p, b: (b * p).clamp(max=1).mean().item(), "a unit that two need is read once"),
        "the batch is left out": (lambda p, b: p.mean().item(), "more examples need more units"),
        "this is a sum over the units": (lambda p, b: (1 - (1 - p) ** b).sum().item(), "the mean"),
    }  # fmt: skip

    def agrees(formula: Callable[[Tensor, int], float]) -> bool:
        return all(abs(g - formula(p, b)) < 1e-5 for g, (_, p, b) in zip(given, cases, strict=True))  # type: ignore[operator]

    if not agrees(right):
        for finding, (wrong, hint) in slips.items():
            if agrees(wrong):
                sheet.wrong(finding, hint)
                return sheet.hand_back()
    for (promise, p, b), number in zip(cases, given, strict=True):
        if abs(number - right(p, b)) < 1e-5:  # type: ignore[operator]
            sheet.right(promise)
        else:
            sheet.wrong(f"{promise}: {number:.3g}, should be {right(p, b):.3g}", "1 - (1 - p)^B for each unit, then the mean")  # fmt: skip
    return sheet.hand_back()


def eight_examples(answer: Mapping[str, object]) -> Feedback:
    """Exercise 5: the share of units that batches of eight need, measured and by two formulas."""
    sheet, parts = Sheet(), ("measured", "one share", "unit by unit")
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'a dictionary: {"measured": ..., ...}')
        return sheet.hand_back()
    measured, one, each = (_part(sheet, answer, part, "one number") for part in parts)
    if measured is not None:
        if 0.8 < measured < 0.985:
            sheet.right(f"measured: {measured:.2f}")
        elif abs(measured - 0.5) < 0.03:
            sheet.wrong(
                'measured: "each example needs its half, so the batch does"', "unite the examples of a batch"
            )
        elif measured > 1:
            sheet.wrong(f"measured: {measured:g} is no share", "the mean over the batches, not the sum")
        else:
            sheet.wrong(
                f"measured: {measured:.3g} is not what eight images need",
                "the mean of needed(batch) over random_batches(8)",
            )
    if one is not None:
        if abs(one - (1 - 0.5**8)) < 1e-3:
            sheet.right("one share: 0.996, so nearly every unit")
        elif abs(one - 0.5**8) < 1e-3:
            sheet.wrong("one share: this is the share that nobody needs", "one minus that")
        else:
            sheet.wrong(f"one share: {one:.3g} is not it", "1 - (1 - p)^B with p = 1/2 and B = 8")
    if each is not None:
        if abs(each - (1 - 0.5**8)) < 1e-3:
            sheet.wrong(
                'unit by unit: "all units are alike": this is the formula with one share',
                "the tensor often, not its mean",
            )
        elif measured is not None and 0.8 < measured < 0.985 and abs(each - measured) < 0.02:
            sheet.right(
                f"unit by unit: {each:.2f}, which meets the measurement: it is the unequal units that make the gap"
            )
        elif not 0.8 < each < 0.985:
            sheet.wrong(f"unit by unit: {each:.3g} is not it", "predicted(often, 8)")
        else:
            sheet.wrong(
                "unit by unit: this is not what you measured",
                "predicted(often, 8), and the mean over many random batches",
            )
    return sheet.hand_back()


# --- exercise 6: a trial of one's own

_KNOWN: dict[str, Function] = {
    "ReLU": torch.relu,
    "GELU": F.gelu,
    "SiLU": F.silu,
    "tanh": torch.tanh,
    "the sigmoid": torch.sigmoid,
    "Mish": F.mish,
    "ELU": F.elu,
    "SELU": F.selu,
    "softplus": F.softplus,
    "Leaky ReLU": F.leaky_relu,
    "Hardswish": F.hardswish,
    "ReLU6": F.relu6,
}


def own_function(build: Callable[[], nn.Module]) -> Feedback:
    """Exercise 6: an activation function of one's own that passes the battery and is no straight line."""
    sheet = Sheet()
    x = torch.linspace(-4, 4, 33, dtype=torch.float64) + 0.013
    if is_missing(build):
        return sheet.not_yet()
    module = sheet.call(build) if callable(build) else None
    if not callable(module):
        sheet.wrong(f"got {_shown(build)}", "a class: Own() is a module, and Own()(x) a tensor")
        return sheet.hand_back()
    if isinstance(module, nn.Module):
        module = quietly(module.double)
    if is_missing(quietly(module, x)):
        return sheet.not_yet()
    try:
        _judge_own(sheet, module, x)  # type: ignore[arg-type]
    except Exception as error:
        sheet.wrong(
            f"the battery stopped with {type(error).__name__}: {error}", "call Own()(x) on a few tensors"
        )
    return sheet.hand_back()


def _judge_own(sheet: Sheet, f: Function, x: Tensor) -> None:
    """Put a function through the checks of the battery, one after the other, up to the first that stops it."""
    value = sheet.call(f, x.clone())
    if not isinstance(value, Tensor) or value.shape != x.shape:
        sheet.wrong(f"got {_shown(value)} for 33 numbers", "one number for each")
        return
    if not torch.equal(value, f(x.clone())):
        sheet.wrong("the same x gives another value each time", "no random numbers inside")
        return
    apart = torch.cat([f(piece.clone()).flatten() for piece in x.split(11)])
    if not torch.allclose(value, apart, rtol=1e-9, atol=1e-12):
        sheet.wrong("what one unit says depends on the others", "work number by number")
        return
    far = torch.tensor([-1e4, -100.0, 0.0, 100.0, 1e4], dtype=torch.float64, requires_grad=True)
    out = f(far)
    if not out.isfinite().all():
        sheet.wrong("value: not finite somewhere from -10,000 to 10,000", "which exponential, root or quotient runs away?")  # fmt: skip
        return
    if not out.requires_grad:
        sheet.wrong("slope: no gradient comes through", "no detach, no numpy, no rounding")
        return
    (slope,) = torch.autograd.grad(out.sum(), far)
    if not slope.isfinite().all():
        sheet.wrong("slope: not finite somewhere from -10,000 to 10,000", "a root at zero, or a branch of where that is not taken?")  # fmt: skip
        return
    sheet.right("value and slope are finite far out")
    if not gradcheck(f, x.clone().requires_grad_(), raise_exception=False):
        sheet.wrong(
            "gradcheck: the slope is not that of the value", "a detach, or a backward written by hand?"
        )
        return
    sheet.right("the slope is the slope")
    second = value[2:] - 2 * value[1:-1] + value[:-2]
    if second.abs().max() < 1e-9:
        sheet.wrong('"it passed the checks, so it is good": a straight line passes them all', "bend it")
        return
    for name, known in _KNOWN.items():
        if (value - known(x)).abs().max() < 1e-6:
            sheet.wrong(f"this is {name}", "something of your own")
            return
    gain = gaussian_gain(f, kinks=())
    chi = chi_1(f, weight_variance=gain**2, kinks=())
    length = variance_slope(f, 1.0, weight_variance=gain**2, kinks=())
    if not 0.79 < chi < 1.26:
        sheet.wrong(f"chi: gradients are multiplied by {chi:.2f} per layer", "between 0.79 and 1.26")
    elif not abs(length) < 1.26:
        sheet.wrong(f"length: a deviation is multiplied by {length:.2f} per layer", "not more than 1.26")
    else:
        sheet.right(f"steady: gain {gain:.2f}, chi {chi:.2f}, length {length:.2f}")


_VERDICTS = ("better", "worse", "not told apart")
_PATTERN = (1.1, -0.4, 0.3, -1.3, 0.8, -0.9, 0.2, 1.5, -1.6, 0.3)
_BASE = (84.1, 81.9, 86.0, 83.2, 80.7, 85.4, 82.6, 84.8, 81.1, 83.5)


def _away(t: float, size: float = 0.3) -> list[float]:
    """Accuracies whose paired differences to ``_BASE`` have the t value ``t``."""
    pattern = torch.tensor(_PATTERN, dtype=torch.float64)
    pattern = (pattern - pattern.mean()) / pattern.std()
    return (torch.tensor(_BASE, dtype=torch.float64) + size * (pattern + t / len(_BASE) ** 0.5)).tolist()


def _trials() -> list[tuple[str, dict[str, list[float]]]]:
    base = list(_BASE)
    wins = [value + 0.1 for value in base[:9]] + [base[9] - 2.0]
    return [
        ("a small difference, the same for every seed", {"base": base, "one": _away(6.0)}),
        ("the same downwards", {"base": base, "one": _away(-6.0)}),
        ("nine wins of ten and one heavy loss", {"base": base, "one": wins}),
        ("three candidates, each of which alone would count", {"base": base, "a": _away(2.8), "b": _away(2.6), "c": _away(2.5)}),
        ("two candidates: Holm lets the second one in", {"base": base, "a": _away(2.9), "b": _away(2.5)}),
        ("one that is better, one that is worse, one that is neither", {"a": _away(7.0), "base": base, "b": _away(-7.0), "c": _away(0.4)}),
        ("a difference that nearly counts", {"base": base, "one": _away(2.0)}),
        ("a difference that nobody could miss", {"base": base, "one": _away(-20.0, 1.5)}),
        ("no difference at all", {"base": base, "one": list(base)}),
    ]  # fmt: skip


@cache
def _judgements(kind: str = "right") -> list[dict[str, str]]:
    """The verdicts of all trials, as they should be, or by one of the usual shortcuts."""
    return [_judged(trial, kind) for _, trial in _trials()]


def _judged(trial: Mapping[str, list[float]], kind: str) -> dict[str, str]:
    from scipy import stats  # here, for only this check needs it

    base = trial["base"]
    differences = {
        name: [value - other for value, other in zip(values, base, strict=True)]
        for name, values in trial.items()
        if name != "base"
    }
    means = {name: sum(d) / len(d) for name, d in differences.items()}
    if kind == "means":
        return {name: _word(m > 1e-9, m < -1e-9) for name, m in means.items()}
    if kind == "wins":
        ahead = {name: sum((v > 0) - (v < 0) for v in d) for name, d in differences.items()}
        return {name: _word(a > 0, a < 0) for name, a in ahead.items()}
    p = {name: float(stats.ttest_1samp(d, 0.0).pvalue) if any(d) else 1.0 for name, d in differences.items()}
    if kind == "unpaired":
        p = {name: float(stats.ttest_ind(trial[name], base).pvalue) for name in differences}
    if kind in ("right", "unpaired", "reversed"):
        p = holm(p)
    elif kind == "bonferroni":
        p = {name: len(p) * value for name, value in p.items()}
    sign = -1 if kind == "reversed" else 1
    return {
        name: _word(p[name] < 0.05 and sign * m > 0, p[name] < 0.05 and sign * m < 0)
        for name, m in means.items()
    }


def _word(better: bool, worse: bool) -> str:
    return "better" if better else "worse" if worse else "not told apart"


_SHORTCUTS = {
    "means": ('"the higher mean wins": a mean has an interval', "a p-value of the paired differences, corrected"),
    "wins": ('"it won most of the seeds": a win of a hundredth counts as much as a loss of two points', "decide by the paired differences, as the protocol says"),
    "unpaired": ("the seeds are not paired: what a seed does to both drowns the difference", "labs.statistics.paired_comparison"),
    "uncorrected": ('"each comparison has its own five per cent": with three of them one chance success in seven', "correct by labs.statistics.holm"),
    "bonferroni": ("that is Bonferroni's correction, which is right and stricter than need be; the protocol says Holm", "labs.statistics.holm"),
    "reversed": ("better and worse are exchanged", "candidate minus baseline"),
}  # fmt: skip


def verdicts(function: Callable[[Mapping[str, list[float]], str], Mapping[str, str]]) -> Feedback:
    """Exercise 6: the verdict on each candidate, from paired differences to the baseline and Holm's correction."""
    sheet, trials = Sheet(), _trials()
    if is_missing(function) or _nothing(quietly(function, _copy(trials[0][1]), "base")):
        return sheet.not_yet()
    results = [sheet.call(function, _copy(trial), "base") for _, trial in trials]
    if any(result is None for result in results):
        return sheet.hand_back()
    given = [_words(result) for result in results]
    for result, words, (_, trial) in zip(results, given, trials, strict=True):
        if words is None:
            sheet.wrong(
                f"got {_shown(result)}", 'a dictionary: name, and "better", "worse" or "not told apart"'
            )
            return sheet.hand_back()
        if "base" in words:
            sheet.wrong("the baseline is compared with itself", "leave it out")
            return sheet.hand_back()
        if set(words) != set(trial) - {"base"}:
            sheet.wrong("not every candidate has a verdict", "one for each name but the baseline")
            return sheet.hand_back()
    right = _judgements()
    for kind, slip in _SHORTCUTS.items():
        if given != right and given == _judgements(kind):
            sheet.wrong(*slip)
            return sheet.hand_back()
    for (promise, _), words, wanted in zip(trials, given, right, strict=True):
        if words == wanted:
            sheet.right(promise)
        else:
            sheet.wrong(
                f"{promise}: {', '.join(words.values())}; should be {', '.join(wanted.values())}",  # type: ignore[union-attr]
                "paired t test against the baseline, Holm over all candidates, 0.05",
            )
    odd = {"relu": list(_BASE), "new": _away(6.0)}
    if _words(quietly(function, odd, "relu")) == {"new": "better"}:
        sheet.right("and for a baseline of another name")
    else:
        sheet.wrong("a baseline of another name", "use the argument baseline")
    return sheet.hand_back()


def could_have_seen(function: Callable[[Sequence[float], int], float]) -> Feedback:
    """Exercise 6: the smallest mean difference that would have counted in the strictest step of Holm's procedure."""
    from scipy import stats  # here, for only this check needs it

    sheet = Sheet()
    cases = [
        ("ten seeds, one comparison", [0.3, -0.1, 0.2, 0.0, 0.4, -0.3, 0.1, 0.2, -0.2, 0.1], 1),
        ("the same with four", [0.3, -0.1, 0.2, 0.0, 0.4, -0.3, 0.1, 0.2, -0.2, 0.1], 4),
        ("three seeds", [1.0, 2.0, 4.0], 2),
        ("differences that are all alike, where the smallest thing would count", [0.5] * 6, 3),
        ("negative differences", [-1.0, -1.5, -0.7, -2.0, -1.1], 1),
    ]
    if is_missing(function) or is_missing(quietly(function, list(cases[0][1]), 1)):
        return sheet.not_yet()
    results = [sheet.call(function, list(differences), k) for _, differences, k in cases]
    if any(result is None for result in results):
        return sheet.hand_back()
    given = [_finite(result) for result in results]
    if None in given:
        sheet.wrong(f"got {_shown(results[given.index(None)])}", "one number, in points")
        return sheet.hand_back()

    def at(d: Sequence[float], tail: float, unbiased: bool = True, root: float = 0.5) -> float:
        spread = torch.tensor(d, dtype=torch.float64).std(unbiased=unbiased).item()
        return float(stats.t.ppf(1 - tail, df=len(d) - 1)) * spread / len(d) ** root

    slips: dict[str, tuple[Callable[[Sequence[float], int], float], str]] = {
        "the number of comparisons is left out": (lambda d, k: at(d, 0.025), "Holm's first step asks for 0.05 / k"),
        "one side only": (lambda d, k: at(d, 0.05 / k), "a difference may go either way: half of 0.05 / k on each side"),
        "the spread of single seeds, not of their mean": (lambda d, k: at(d, 0.025 / k, root=0.0), "divide by the root of the number of seeds"),
        "divided by the number of seeds, not by its root": (lambda d, k: at(d, 0.025 / k, root=1.0), "the standard error is s / sqrt(n)"),
        "the standard deviation divides by n": (lambda d, k: at(d, 0.025 / k, unbiased=False), "by n - 1: a sample"),
        "1.96 is for very many seeds": (lambda d, k: 1.96 * at(d, 0.025 / k) / float(stats.t.ppf(1 - 0.025 / k, df=len(d) - 1)), "with ten seeds the t distribution is wider"),
        "the normal distribution is for very many seeds": (lambda d, k: float(stats.norm.ppf(1 - 0.025 / k)) * at(d, 0.025 / k) / float(stats.t.ppf(1 - 0.025 / k, df=len(d) - 1)), "with ten seeds the t distribution is wider"),
        '"the difference that was found is what could have been seen"': (lambda d, k: abs(sum(d) / len(d)), "it depends on the spread, not on the mean"),
    }  # fmt: skip

    def agrees(formula: Callable[[Sequence[float], int], float]) -> bool:
        return all(abs(g - formula(d, k)) < 1e-6 for g, (_, d, k) in zip(given, cases, strict=True))  # type: ignore[operator]

    def right(d: Sequence[float], k: int) -> float:
        return at(d, 0.025 / k)

    if not agrees(right):
        for finding, (wrong, hint) in slips.items():
            if agrees(wrong):
                sheet.wrong(finding, hint)
                return sheet.hand_back()
    for (promise, d, k), number in zip(cases, given, strict=True):
        if abs(number - right(d, k)) < 1e-6:  # type: ignore[operator]
            sheet.right(promise)
        else:
            sheet.wrong(f"{promise}: {number:.3g}, should be {right(d, k):.3g}", "t quantile at 1 - 0.05 / (2 k), times s / sqrt(n)")  # fmt: skip
    return sheet.hand_back()


# --- what all of them need


def _copy(trial: Mapping[str, list[float]]) -> dict[str, list[float]]:
    return {name: list(values) for name, values in trial.items()}


def _words(result: object) -> dict[str, str] | None:
    """Return verdicts in plain lower case, or ``None`` if the answer is something else."""
    if not isinstance(result, Mapping) or not result:
        return None
    if not all(isinstance(key, str) and isinstance(word, str) for key, word in result.items()):
        return None
    words = {key: word.strip().lower() for key, word in result.items()}
    return words if set(words.values()) <= set(_VERDICTS) else None


def _part(sheet: Sheet, answer: Mapping[str, object], part: str, hint: str) -> float | None:
    """Return one number of an answer, or note what it is instead."""
    given = answer.get(part)
    number = _finite(given)
    if is_missing(given):
        sheet.wrong(f"{part}: no answer yet", hint)
    elif number is None:
        sheet.wrong(f"{part}: {_shown(given)} is no number", hint)
    return number


def _untouched(answer: object) -> bool:
    return isinstance(answer, Mapping) and all(map(is_missing, answer.values()))


def _nothing(result: object) -> bool:
    """Whether a result is missing, or a sequence of nothing but dots."""
    return is_missing(result) or (
        isinstance(result, (tuple, list)) and bool(result) and all(map(is_missing, result))
    )


def _several(result: object, many: int) -> list[float] | None:
    try:
        numbers = [_finite(value) for value in result]  # type: ignore[attr-defined]
    except Exception:
        return None
    return numbers if len(numbers) == many and None not in numbers else None  # type: ignore[return-value]


def _finite(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    number = as_number(value)
    return number if number is not None and math.isfinite(number) else None


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-5, abs_tol=1e-7)


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")


def _shown(value: object) -> str:
    """A short text for whatever was handed in."""
    tensor = as_tensor(value)
    if tensor is not None and tensor.ndim and tensor.numel() != 1:
        return f"numbers of the shape {tuple(tensor.shape)}"
    try:
        text = repr(value)
    except Exception:
        text = type(value).__name__
    return text if len(text) <= 40 else f"a {type(value).__name__}"
