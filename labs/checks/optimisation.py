"""Checks for the exercises of chapter 11, on gradient descent and its kin."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from labs.checks import Feedback, Sheet, is_missing
from labs.checks.answers import as_number, as_tensor, quietly

_State = dict[str, object]
_Step = Callable[[Tensor, Tensor, _State, float], Tensor]

# --- exercise 1: five rates

#: Exercise 1: the five learning rates, for a bowl with curvatures 1 and 50.
RATES = (0.002, 0.02, 0.039, 0.05, 0.08)
_GROUPS = {
    "plain": ({0.002, 0.02, 0.039}, "below 2/50 = 0.04"),
    "fastest plain": ({0.039}, "nearest to 2/(1 + 50), where the two factors are equal in size"),
    "momentum": ({0.002, 0.02, 0.039, 0.05}, "below 2(1 + 0.8)/50 = 0.072"),
    "fastest momentum": ({0.02, 0.039, 0.05}, "both directions inside the window: the root of 0.8 for all three"),
}  # fmt: skip
_WRONG_GROUPS: dict[str, dict[frozenset[float], tuple[str, str]]] = {
    "plain": {
        frozenset(RATES[:2]): ('"a step that jumps across the bottom diverges"', "between 1/h and 2/h each jump ends nearer to the bottom: what is |1 - 0.039 * 50|?"),
        frozenset(RATES[:1]): ('"a step that jumps across the bottom diverges"', "at 1/h a single step arrives, and up to 2/h each jump ends nearer"),
        frozenset(RATES[:4]): ('"the mean curvature sets the limit"', "each direction has a factor of its own, and all of them have to be below 1: take the steepest"),
        frozenset(RATES): ("the limit of the flat direction is taken for all", "each direction has a factor of its own, and all of them have to be below 1: take the steepest"),
    },
    "fastest plain": {
        frozenset(RATES[1:2]): ('"the best rate is one over the largest curvature"', "the steep direction arrives at once, and the flat one keeps 0.98 per step; compare the larger of the two factors, rate by rate"),
        frozenset(RATES[:1]): ("the smallest rate is the safest, and the slowest", "the flat direction keeps 0.998 per step"),
        frozenset(RATES[3:4]): ("this one diverges", "the limit is 2/50"),
        frozenset(RATES[4:]): ("this one diverges", "the limit is 2/50"),
    },
    "momentum": {
        frozenset(RATES[:1]): ('"momentum makes the steps five times as long, so the limit is a fifth"', "only along a constant gradient; across the valley the gradient changes its sign, and the velocity cancels"),
        frozenset(RATES[:3]): ("this is the limit of plain descent", "with momentum the root reaches -1 at lr * h = 2(1 + mu)"),
        frozenset(RATES): ("momentum does not rescue every rate", "the root reaches -1 at lr * h = 2(1 + mu)"),
    },
    "fastest momentum": {
        frozenset(RATES[3:4]): ('"the largest rate that converges is the fastest"', "inside the window both roots have the size of the root of mu, whatever the rate: which rates have both directions inside?"),
        frozenset(RATES[2:3]): ("this is one of them", "inside the window the factor does not depend on the rate: which rates have both directions inside?"),
        frozenset(RATES[1:2]): ("this is one of them", "inside the window the factor does not depend on the rate: which rates have both directions inside?"),
        frozenset(RATES[:4]): ("one of these is slower", "at 0.002 the flat direction has lr * h = 0.002, below the window, which begins at 0.011"),
    },
}  # fmt: skip


def five_rates(answer: Mapping[str, object]) -> Feedback:
    """Exercise 1: which rates converge, and which do so fastest, without momentum and with 0.8."""
    sheet = Sheet()
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'give a dictionary such as {"plain": {0.002, 0.08}, ...}')
        return sheet.hand_back()
    for part, (right, reason) in _GROUPS.items():
        given = answer.get(part)
        rates = _members(given, RATES)
        if is_missing(given):
            sheet.wrong(f"{part}: no answer yet", "a set of rates, such as {0.002, 0.08}")
        elif rates is None:
            sheet.wrong(f"{part}: {_shown(given)} is no set of the five rates", "such as {0.002, 0.08}")
        elif rates == right:
            sheet.right(f"{part}: {reason}")
        else:
            finding = ", ".join(f"{rate:g}" for rate in sorted(rates)) or "none of them"
            hint = "two factors for each rate, one per direction, and the larger in size decides"
            finding, hint = _WRONG_GROUPS[part].get(frozenset(rates), (f"not {finding}", hint))
            sheet.wrong(f"{part}: {finding}", hint)
    return sheet.hand_back()


# --- exercise 2: the length of the steps

_LENGTHS = {
    "longer": (9.95, 10.05, "1/(1 - 0.9): the velocity is a sum"),
    "rate": (0.00298, 0.00302, "a tenth of the rate for steps that become ten times as long"),
    "ninety": (21.8, 22.0, "1 - 0.9^k passes 0.9 between 21 and 22"),
    "turning": (0.52, 0.535, "1/(1 + 0.9): opposite gradients cancel about half, not all"),
}
_AVERAGE = '"momentum is a moving average of the gradients"'
_WRONG_LENGTHS: dict[str, list[tuple[float, str, str]]] = {
    "longer": [
        (1.0, _AVERAGE, "the weights 1, 0.9, 0.81, ... do not add up to one"),
        (1.9, "this is the second step", "go on: 1 + 0.9 + 0.81 + ..."),
        (5.0, "this is the factor of a momentum of 0.8", "1/(1 - mu)"),
        (0.1, "this is 1 - mu", "the steps become longer, not shorter"),
        (9.0, "the first step is left out", "1 + 0.9 + 0.81 + ..., with the 1"),
        (0.3, "this is the length of the steps", "by which factor are they longer than before?"),
        (0.9, "this is the momentum itself", "1 + 0.9 + 0.81 + ..."),
    ],
    "rate": [
        (0.03, f"{_AVERAGE}: with the old rate the steps are ten times as long", "divide by what they have grown by"),
        (0.3, "this makes the steps a hundred times as long", "a smaller rate is needed, not a larger one"),
        (0.027, "0.9 is what is left of the velocity, not what is added to it", "divide by the factor of the first question"),
        (0.1, "this is a factor", "0.03 times that"),
    ],
    "ninety": [
        (10.0, '"after 1/(1 - mu) steps the velocity is full"', "1 - 0.9^10 is 0.65: after ten steps two thirds are there"),
        (21.0, "one step short: 0.891", "the first step at which nine tenths are passed"),
        (1.0, _AVERAGE, "the first step is a tenth of the last one"),
        (9.0, "the sum grows, but ever more slowly", "after k steps 1 - 0.9^k is there"),
    ],
    "turning": [
        (0.0, '"opposite gradients cancel"', "the last one always counts more than the one before: 1 - 0.9 + 0.81 - ..."),
        (10.0, "this is the factor along a constant gradient", "the signs change: 1 - 0.9 + 0.81 - ..."),
        (1.9, "upside down", "1 - 0.9 + 0.81 - ... is a geometric series with the ratio -0.9"),
        (0.1, "this is the second step: 1 - 0.9", "go on: + 0.81 - ..."),
        (1.0, _AVERAGE, "1 - 0.9 + 0.81 - ..."),
        (-0.526, "the size is asked for", "without the sign"),
        (0.0158, "this is the length of the steps", "relative to 0.03, the length without momentum"),
    ],
}  # fmt: skip


def step_lengths(answer: Mapping[str, object]) -> Feedback:
    """Exercise 2: what a momentum of 0.9 does to steps along constant and along turning gradients."""
    sheet = Sheet()
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'give a dictionary such as {"longer": 2, ...}')
        return sheet.hand_back()
    longer = _finite(answer.get("longer"))
    for part, (low, high, reason) in _LENGTHS.items():
        given = answer.get(part)
        number = _finite(given)
        astray = part == "rate" and number is not None and longer and not 9.95 <= longer <= 10.05
        if astray and math.isclose(number, 0.03 / longer, rel_tol=0.01):  # type: ignore[operator, arg-type]
            sheet.wrong("rate: it follows from your first answer, which is not right", "mend that first")
            continue
        _judge(
            sheet,
            part,
            given,
            (low, high),
            reason,
            _WRONG_LENGTHS[part],
            "print a few steps and look at them",
        )
    return sheet.hand_back()


# --- exercise 3: Lion

_Lion = Callable[[Tensor, Tensor, Tensor, float, tuple[float, float], float], tuple[Tensor, Tensor]]


def _lion_cases() -> list[tuple[str, tuple]]:
    """A promise, and the arguments (w, g, m, lr, betas, weight_decay)."""
    generator = torch.Generator().manual_seed(11)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    usual, zero = (0.9, 0.99), torch.zeros(3, dtype=torch.float64)
    start = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
    large_and_small = torch.tensor([1000.0, 0.001, -3.0], dtype=torch.float64)
    return [
        ("the first step, for gradients large and small", (start, large_and_small, zero, 0.1, usual, 0.0)),
        ("a gradient that has turned against its momentum", (draw(40), -0.15 * draw(40), draw(40), 0.1, usual, 0.0)),
        ("other factors", (draw(40), draw(40), draw(40), 0.1, (0.5, 0.7), 0.0)),
        ("with weight decay", (5 * draw(40), draw(40), draw(40), 0.02, usual, 0.3)),
        ("a gradient of zero at rest: only the decay moves", (start, zero, zero, 0.1, usual, 0.5)),
        ("a matrix", (draw(4, 3), draw(4, 3), draw(4, 3), 0.3, usual, 0.1)),
    ]  # fmt: skip


def _lion_with(
    direction: Callable[..., Tensor] = lambda c, new, g, m, b: c.sign(),
    update: Callable[..., Tensor] = lambda g, m, b: b[1] * m + (1 - b[1]) * g,
    pull: Callable[[Tensor, float, float], Tensor] = lambda w, lr, omega: lr * omega * w,
    gradient: Callable[[Tensor, Tensor, float], Tensor] = lambda w, g, omega: g,
    betas: slice = slice(None),
    uphill: bool = False,
) -> _Lion:
    """Lion with one of its pieces exchanged."""

    def step(w, g, m, lr, b, omega):  # type: ignore[no-untyped-def]
        b, g = b[betas], gradient(w, g, omega)
        c, new = b[0] * m + (1 - b[0]) * g, update(g, m, b)
        move = lr * direction(c, new, g, m, b)
        return (w + move if uphill else w - move) - pull(w, lr, omega), new

    return step


def _no_pull(w: Tensor, lr: float, omega: float) -> Tensor:
    return torch.zeros_like(w)


def _signs_averaged(by: int) -> dict[str, Callable[..., Tensor]]:
    def update(g: Tensor, m: Tensor, b: Sequence[float]) -> Tensor:
        return b[by] * m + (1 - b[by]) * g.sign()

    return {"direction": lambda c, new, g, m, b: new, "update": update}


_LION = _lion_with()
_WRONG_LIONS: list[tuple[str, _Lion, str]] = [
    ('"Lion averages signs"', _lion_with(**_signs_averaged(0)), "the gradients go into m as they are; the sign is taken of c, at the end"),
    ('"Lion averages signs"', _lion_with(**_signs_averaged(1)), "the gradients go into m as they are; the sign is taken of c, at the end"),
    ("the momentum takes in signs", _lion_with(update=lambda g, m, b: b[1] * m + (1 - b[1]) * g.sign()), "m is updated with g itself"),
    ("this is the sign of the new momentum", _lion_with(lambda c, new, g, m, b: new.sign()), "the step takes c, mixed with beta 1; m is mixed with beta 2, and only the next step sees it"),
    ("the new momentum is mixed with the gradient once more", _lion_with(lambda c, new, g, m, b: (b[0] * new + (1 - b[0]) * g).sign()), "c is mixed from the OLD m: compute c first"),
    ("this is the sign of the gradient alone", _lion_with(lambda c, new, g, m, b: g.sign()), "mix it with m first: c = beta 1 m + (1 - beta 1) g"),
    ("this is the sign of the old momentum", _lion_with(lambda c, new, g, m, b: m.sign()), "mix it with g first: c = beta 1 m + (1 - beta 1) g"),
    ("the two factors have changed places", _lion_with(betas=slice(None, None, -1)), "beta 1 is for the step, beta 2 for the momentum"),
    ("the momentum is set to c", _lion_with(update=lambda g, m, b: b[0] * m + (1 - b[0]) * g), "m has a factor of its own, beta 2"),
    ("the momentum is a sum", _lion_with(update=lambda g, m, b: b[1] * m + g), "here it is an average, with (1 - beta 2) before g"),
    ("the momentum stays as it was", _lion_with(update=lambda g, m, b: m), "return the updated m"),
    ("the sign is missing", _lion_with(lambda c, new, g, m, b: c), "every coordinate moves by the full rate"),
    ("the steps go uphill", _lion_with(uphill=True), "minus"),
    ("the weight decay is missing", _lion_with(pull=_no_pull), "the sign, plus weight_decay times w, and the rate times both"),
    ("the weight decay lacks the rate", _lion_with(pull=lambda w, lr, omega: omega * w), "the rate multiplies both, the sign and weight_decay times w"),
    ("the weights grow instead of decaying", _lion_with(pull=lambda w, lr, omega: -lr * omega * w), "they should become smaller"),
    ('"weight decay and L2 are the same": the decay goes through the sign', _lion_with(gradient=lambda w, g, omega: g + omega * w, pull=_no_pull), "add weight_decay times w behind the sign, not to the gradient"),
    ('"weight decay and L2 are the same": the decay goes through the sign', lambda w, g, m, lr, b, omega: (w - lr * (b[0] * m + (1 - b[0]) * g + omega * w).sign(), b[1] * m + (1 - b[1]) * g), "add weight_decay times w behind the sign, not before it"),
    ("the new weight decays", lambda w, g, m, lr, b, omega: ((1 - lr * omega) * _LION(w, g, m, lr, b, 0.0)[0], _LION(w, g, m, lr, b, 0.0)[1]), "the equation has the old w behind the sign"),
    ("at c = 0 there should be no step", _lion_with(lambda c, new, g, m, b: torch.where(c > 0, 1.0, -1.0)), "the sign of zero is zero: torch.sign"),
    ("at c = 0 there should be no step", _lion_with(lambda c, new, g, m, b: torch.where(c >= 0, 1.0, -1.0)), "the sign of zero is zero: torch.sign"),
]  # fmt: skip


def lion(function: _Lion) -> Feedback:
    """Exercise 3: one step of Lion, from the weights, the gradient and the momentum to new weights and momentum."""
    sheet, cases = Sheet(), _lion_cases()
    if is_missing(function) or _nothing(quietly(function, *map(_copy, cases[0][1]))):
        return sheet.not_yet()
    results = []
    for promise, arguments in cases:
        copies = [_copy(argument) for argument in arguments]
        result = sheet.call(function, *copies)
        if not all(torch.equal(a, b) for a, b in zip(copies[:3], arguments[:3], strict=True)):
            sheet.wrong("your function changes what it is given", "write m = ..., not m *= ... or m[:] = ...")
            return sheet.hand_back()
        parts = _several(result, 2)
        if parts is None:
            if result is not None:
                sheet.wrong(f"got {_shown(result)}", "return two tensors: the new w and the new m")
            else:
                sheet.wrong(promise, "return two tensors: the new w and the new m")
            return sheet.hand_back()
        if any(part.shape != arguments[0].shape for part in parts):
            shapes = " and ".join(str(tuple(part.shape)) for part in parts)
            sheet.wrong(f"the shapes are {shapes}", f"both have that of w, {tuple(arguments[0].shape)}")
            return sheet.hand_back()
        results.append(parts)
    wanted = [_LION(*arguments) for _, arguments in cases]
    right = [_both_near(result, pair) for result, pair in zip(results, wanted, strict=True)]
    if all(right):
        for promise, _ in cases:
            sheet.right(promise)
        return sheet.hand_back()
    if all(_both_near(result[::-1], pair) for result, pair in zip(results, wanted, strict=True)):
        sheet.wrong("the two are in the wrong order", "first the weights, then the momentum")
        return sheet.hand_back()
    for finding, formula, hint in _WRONG_LIONS:
        if all(_both_near(r, formula(*arguments)) for r, (_, arguments) in zip(results, cases, strict=True)):
            sheet.wrong(finding, hint)
            return sheet.hand_back()
    place = right.index(False)
    if bool(results[place][0].isnan().any()):
        sheet.wrong(f"{cases[place][0]}: the weights are NaN", "c / |c| is nothing at zero: torch.sign")
        return sheet.hand_back()
    which = "m" if _near(results[place][0], wanted[place][0], 1e-6) else "w"
    hint = {
        "m": "m = beta 2 m + (1 - beta 2) g",
        "w": "w minus the rate times (sign of c plus weight_decay w)",
    }
    sheet.wrong(f"{cases[place][0]}: {which} is not right", hint[which])
    return sheet.hand_back()


def _both_near(given: Sequence[Tensor], wanted: Sequence[Tensor]) -> bool:
    return all(_near(a, b, 1e-6) for a, b in zip(given, wanted, strict=True))


def _copy(value: object) -> object:
    return value.clone() if isinstance(value, Tensor) else value


# --- exercise 4: the largest rate

_Formula = Callable[[float, float], float]
_BOWLS = ((50.0, 0.8), (1.0, 0.0), (600.0, 0.9), (6.0, 0.5), (0.01, 0.99), (2.0, 0.25))
_SUM: list[tuple[str, _Formula, str]] = [
    ("momentum is left out", lambda h, mu: 2 / h, "put z = -1 into the equation of the roots"),
    ('"the limit is that of the effective rate lr/(1 - mu)"', lambda h, mu: 2 * (1 - mu) / h, "the effective rate is for gradients that do not change; at the limit they turn at every step"),
    ("this goes the wrong way with the effective rate", lambda h, mu: 2 / (1 - mu) / h, "put z = -1 into the equation of the roots"),
    ('"beyond the window it diverges"', lambda h, mu: (1 + math.sqrt(mu)) ** 2 / h, "there the roots become real; they are still smaller than 1 in size for a while"),
    ("this is where the window begins", lambda h, mu: (1 - math.sqrt(mu)) ** 2 / h, "the largest rate is asked for"),
    ("this is half of it", lambda h, mu: (1 + mu) / h, "1 + (1 + mu - lr h) + mu = 0 at z = -1"),
    ("the curvature is forgotten", lambda h, mu: 2 * (1 + mu), "what you have is lr times h"),
    ("the curvature is on the wrong side", lambda h, mu: 2 * (1 + mu) * h, "a steeper bowl allows a smaller rate"),
    ("a root too much", lambda h, mu: 2 * (1 + math.sqrt(mu)) / h, "the root of mu is the size of the complex pair; at the limit the roots are real"),
    ("this is the limit for the averaged velocity", lambda h, mu: 2 * (1 + mu) / ((1 - mu) * h), "here the velocity is the sum, without (1 - mu)"),
]  # fmt: skip
_MEAN: list[tuple[str, _Formula, str]] = [
    ("this is the limit for the sum", lambda h, mu: 2 * (1 + mu) / h, "lr (1 - mu) now stands where lr stood"),
    ("(1 - mu) is on the wrong side", lambda h, mu: 2 * (1 + mu) * (1 - mu) / h, "the averaged velocity is smaller, so the rate may be larger"),
    ("momentum is left out", lambda h, mu: 2 / h, '"an average changes nothing": it smooths, and turning gradients cancel in it'),
    ("the effective rate alone is not enough", lambda h, mu: 2 / ((1 - mu) * h), "1 + mu stays as it was"),
    ('"beyond the window it diverges"', lambda h, mu: (1 + math.sqrt(mu)) ** 2 / ((1 - mu) * h), "there the roots become real; they are still smaller than 1 in size for a while"),
    ("the curvature is forgotten", lambda h, mu: 2 * (1 + mu) / (1 - mu), "what you have is lr times h"),
]  # fmt: skip


def largest_rate(function: _Formula) -> Feedback:
    """Exercise 4: the learning rate up to which momentum converges, for the velocity that is a sum."""
    return _formula(
        function, lambda h, mu: 2 * (1 + mu) / h, _SUM, "put z = -1 into the equation of the roots"
    )


def largest_rate_of_average(function: _Formula) -> Feedback:
    """Exercise 4: the same for the velocity that is an average."""
    return _formula(
        function,
        lambda h, mu: 2 * (1 + mu) / ((1 - mu) * h),
        _MEAN,
        "by which number differ the velocity that averages and the one that sums?",
    )


def _formula(
    function: _Formula, right: _Formula, mistakes: Sequence[tuple[str, _Formula, str]], advice: str
) -> Feedback:
    """Compare a student's formula with the right one and with known slips, at all bowls."""
    sheet = Sheet()
    if is_missing(function) or is_missing(quietly(function, *_BOWLS[0])):
        return sheet.not_yet()
    given = [_finite(sheet.call(function, *bowl)) for bowl in _BOWLS]

    def agrees(formula: _Formula) -> bool:
        wanted = [formula(*bowl) for bowl in _BOWLS]
        return all(
            g is not None and math.isclose(g, w, rel_tol=1e-5) for g, w in zip(given, wanted, strict=True)
        )

    if agrees(right):
        sheet.right("without momentum, 2/h")
        sheet.right("with momentum, for five other bowls")
        return sheet.hand_back()
    for finding, formula, hint in mistakes:
        if agrees(formula):
            sheet.wrong(finding, hint)
            return sheet.hand_back()
    shown = "no number" if given[0] is None else f"{given[0]:.3g}"
    sheet.wrong(f"for h = 50 and mu = 0.8 this gives {shown}", advice)
    return sheet.hand_back()


# --- exercise 5: the error of a batch

_DRAWS = 1000


def batch_error(function: Callable[[Tensor, int, int, torch.Generator], float]) -> Feedback:
    """Exercise 5: the root of the mean squared distance of a mini-batch gradient from the full one, measured."""
    sheet = Sheet()
    two = torch.tensor([[0.0], [2.0]], dtype=torch.float64)
    if is_missing(function) or is_missing(quietly(function, two.clone(), 1, 3, _generator())):
        return sheet.not_yet()

    def ask(gradients: Tensor, size: int, draws: int) -> float | None:
        copy = gradients.clone()
        result = sheet.call(function, copy, size, draws, _generator())
        number = _finite(result)
        if number is None and result is not None:
            sheet.wrong(f"got {_shown(result)}", "return one number")
        elif number is None:
            sheet.wrong("got nothing", "return one number")
        elif not torch.equal(copy, gradients):
            sheet.wrong("your function changes the gradients", "write a new tensor")
            return None
        return number

    six = 2.5 * torch.randn(6, 4, generator=_generator(), dtype=torch.float64) + 4
    full, size = six.mean(0), 3
    tau = float((six - full).square().sum(1).mean().sqrt())
    wanted, found = tau / math.sqrt(size), ask(six, size, _DRAWS)
    if found is None:
        return sheet.hand_back()
    picks = itertools.combinations_with_replacement(range(6), size)
    single = [float((six[list(pick)].mean(0) - full).norm()) for pick in picks]
    if math.isclose(found, wanted, rel_tol=1e-9):
        hint = (
            "this is the equation, without a draw; measure it, so that there is something to compare it with"
        )
        sheet.wrong("nothing was drawn", hint)
        return sheet.hand_back()
    if any(math.isclose(found, distance, rel_tol=1e-6) for distance in single):
        hint = "draw again each time; a generator that is made anew in the loop gives the same numbers again"
        sheet.wrong("all draws pick the same batch", hint)
        return sheet.hand_back()
    if not math.isclose(found, wanted, rel_tol=0.12):  # the mean of the distances is told apart below
        away = float(six.square().sum(1).mean() / size + (1 - 1 / size) * full.square().sum())
        known = [
            ("this is the mean square, without the root", wanted**2, "the root of the mean squared distance"),
            ("drawn without replacement", wanted * math.sqrt(3 / 5), "torch.randint draws each example independently; randperm does not"),
            ("the squares are averaged over the coordinates", wanted / 2, "the squared distance of two vectors is a sum over the coordinates"),
            ("the gradients are added up, not averaged", size * math.sqrt(wanted**2 + (1 - 1 / size) ** 2 * float(full.square().sum())), "the gradient of a batch is the mean over its examples"),
            ("the error is multiplied by the size", size * wanted, "the mean over the batch, not the sum"),
            ('"twice the images, half the error"', tau / size, "squares of independent errors add up: 1/B in the square, so the root of that in the error"),
            ("this is the error of a single example", tau, "average the batch first, then take the distance"),
            ("this is the length of the gradient, not of its error", math.sqrt(away), "subtract the full gradient first"),
            ("this is relative to the full gradient", wanted / float(full.norm()), "the distance itself is asked for"),
            ("the squares are added up over the draws", wanted * math.sqrt(_DRAWS), "take their mean"),
        ]  # fmt: skip
        for finding, number, hint in known:
            if math.isclose(found, number, rel_tol=0.06):
                sheet.wrong(finding, hint)
                return sheet.hand_back()
        hint = "for each draw: pick, average, subtract the full gradient, square the length; then the mean, then the root"
        sheet.wrong(f"six gradients, batches of three: {found:.3g}, expected about {wanted:.3g}", hint)
        return sheet.hand_back()
    sheet.right("six gradients of four numbers, batches of three")
    rare = torch.zeros(20, 1, dtype=torch.float64)
    rare[7] = 20.0
    for promise, gradients, size, draws, low, high, hint in (
        ("one rare, large gradient", rare, 1, _DRAWS, 3.5, 5.2, "square the distances first, then average them: the mean of the distances themselves is 1.9 here"),
        ("two gradients, one at a time: exactly 1", two, 1, 5, 1 - 1e-9, 1 + 1e-9, "the full gradient is the mean of all, here 1"),
        ("gradients that agree have no error", torch.ones(5, 3, dtype=torch.float64), 2, 5, -1e-9, 1e-9, "the full gradient is the mean of all, and here each batch has it"),
        ("a batch larger than the data", two, 8, _DRAWS, 0.33, 0.38, "with replacement a batch may be as large as one likes"),
    ):  # fmt: skip
        number = ask(gradients, size, draws)
        if number is None or not low <= number <= high:
            sheet.wrong(promise, hint)
        else:
            sheet.right(promise)
    number = ask(six, 3, 1)
    if number is not None and any(math.isclose(number, distance, rel_tol=1e-5) for distance in single):
        sheet.right("a single draw")
    else:
        sheet.wrong("a single draw", "use the number of draws that was passed in")
    return sheet.hand_back()


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


_NOISE = {
    "exponent": (-0.56, -0.44, "one over the root of the size"),
    "images": (340.0, 460.0, "a hundred times the images for one more digit"),
    "half": (0.66, 0.76, "the root of (N - B)/(N - 1)"),
}
_WRONG_NOISE: dict[str, list[tuple[float, str, str]]] = {
    "exponent": [
        (-1.0, '"twice the images, half the error"', "that is the exponent of the squared error; look at your errors at 4 and at 16"),
        (0.5, "the sign is turned round", "the error falls"),
        (-2.0, "the logarithms are divided the wrong way round", "log of the ratio of errors over log of the ratio of sizes"),
        (0.0, '"the error of a batch does not depend on its size"', "look at your errors at 4 and at 64"),
        (1.0, "the error does not grow", "log of the ratio of errors over log of the ratio of sizes"),
    ],
    "images": [
        (40.0, '"ten times the images, a tenth of the error"', "the error falls with the root: ten squared"),
        (100.0, "this is the factor", "how many images, if one begins with 4?"),
        (13.0, "this would divide the error by less than two", "the error falls with the root: ten squared"),
        (4000.0, "that would be enough for a thirtieth", "the error falls with the root: ten squared"),
    ],
    "half": [
        (1.0, '"replacement makes no difference"', "with B = N it makes all the difference; look at B = N/2 with torch.randperm"),
        (0.5, "this is the ratio of the squares", "the factor (N - B)/(N - 1) belongs to the squared error"),
        (0.0, "it is zero only at B = N", "half of the images have not been seen"),
        (1.41, "upside down", "without replacement the error is the smaller one"),
        (0.29, "one minus it", "the ratio is asked for"),
    ],
}  # fmt: skip


def batch_noise(answer: Mapping[str, object]) -> Feedback:
    """Exercise 5: the exponent of the error, the images for a tenth of it, and what replacement does at half of the data."""
    sheet = Sheet()
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'give a dictionary such as {"exponent": 2, ...}')
        return sheet.hand_back()
    for part, (low, high, reason) in _NOISE.items():
        hint = "use at least a hundred draws"
        _judge(sheet, part, answer.get(part), (low, high), reason, _WRONG_NOISE[part], hint)
    return sheet.hand_back()


# --- exercise 6: penalty or decay

_Wrapped = Callable[[_Step, Tensor, Tensor, _State, float, float], Tensor]


def _descent(w: Tensor, g: Tensor, state: _State, lr: float) -> Tensor:
    return w - lr * g


def _momentum(w: Tensor, g: Tensor, state: _State, lr: float) -> Tensor:
    state["v"] = 0.9 * state.get("v", 0.0) + g  # type: ignore[operator]
    state["steps"] = state.get("steps", 0) + 1  # type: ignore[operator]
    return w - lr * state["v"]  # type: ignore[operator]


def _sign(w: Tensor, g: Tensor, state: _State, lr: float) -> Tensor:
    return w - lr * g.sign()


def _wrapped_cases() -> list[tuple[str, _Step, Tensor, Tensor, float, float]]:
    """A promise, a step, weights, two gradients, a rate and a strength."""
    generator = torch.Generator().manual_seed(6)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    return [
        ("plain descent", _descent, draw(5), draw(2, 5), 0.1, 0.5),
        ("momentum, two steps with one state", _momentum, draw(5), draw(2, 5), 0.2, 0.3),
        ("a step by the sign", _sign, draw(30), 0.2 * draw(2, 30), 0.1, 0.7),
        ("a strength of zero", _momentum, draw(4), draw(2, 4), 0.3, 0.0),
        ("a matrix of weights", _sign, draw(4, 3), 0.2 * draw(2, 4, 3), 0.05, 1.0),
    ]


def _penalty(step, w, g, state, lr, omega):  # type: ignore[no-untyped-def]
    return step(w, g + omega * w, state, lr)


def _decay(step, w, g, state, lr, omega):  # type: ignore[no-untyped-def]
    return step(w, g, state, lr) - lr * omega * w


_WRONG_PENALTIES: list[tuple[str, _Wrapped, str]] = [
    ("this is the decay", _decay, "the penalty changes the gradient, before the step sees it"),
    ("twice the pull", lambda step, w, g, s, lr, o: step(w, g + 2 * o * w, s, lr), "the penalty is omega/2 times the square: its gradient is omega w"),
    ("the pull goes the wrong way", lambda step, w, g, s, lr, o: step(w, g - o * w, s, lr), "the gradient of omega/2 |w|^2 is + omega w; the step turns the sign"),
    ("the rate comes in twice", lambda step, w, g, s, lr, o: step(w, g + lr * o * w, s, lr), "the step multiplies by the rate, you need not"),
    ("the penalty is missing", lambda step, w, g, s, lr, o: step(w, g, s, lr), "add its gradient to g"),
    ("the loss is missing", lambda step, w, g, s, lr, o: step(w, o * w, s, lr), "g plus the gradient of the penalty"),
    ("the penalty itself is added, not its gradient", lambda step, w, g, s, lr, o: step(w, g + o / 2 * w * w, s, lr), "derive omega/2 |w|^2 with respect to w"),
]  # fmt: skip
_WRONG_DECAYS: list[tuple[str, _Wrapped, str]] = [
    ('"weight decay and L2 are the same": this is the penalty', _penalty, "the decay leaves the gradient alone and pulls the weight itself"),
    ("the rate is missing", lambda step, w, g, s, lr, o: step(w, g, s, lr) - o * w, "the factor is 1 - lr omega"),
    ("the new weight decays", lambda step, w, g, s, lr, o: (1 - lr * o) * step(w, g, s, lr), "the old weight is multiplied by 1 - lr omega, and the step comes on top"),
    ("the weights grow", lambda step, w, g, s, lr, o: step((1 + lr * o) * w, g, s, lr), "minus: they should become smaller"),
    ("the decay is missing", lambda step, w, g, s, lr, o: step(w, g, s, lr), "multiply the weight by 1 - lr omega"),
    ("the step is missing", lambda step, w, g, s, lr, o: (1 - lr * o) * w, "and then the step"),
    ("twice the decay", lambda step, w, g, s, lr, o: step((1 - 2 * lr * o) * w, g, s, lr), "the factor is 1 - lr omega"),
    ("penalty and decay at once", lambda step, w, g, s, lr, o: step((1 - lr * o) * w, g + o * w, s, lr), "the decay leaves the gradient alone"),
]  # fmt: skip


def with_penalty(function: _Wrapped) -> Feedback:
    """Exercise 6: any step, with an L2 penalty in the loss."""
    return _wrapped(function, _penalty, _WRONG_PENALTIES, "call step once, with g + omega w in place of g")


def with_decay(function: _Wrapped) -> Feedback:
    """Exercise 6: any step, with decoupled weight decay."""
    return _wrapped(function, _decay, _WRONG_DECAYS, "call step once, with g as it is")


def _wrapped(
    function: _Wrapped, right: _Wrapped, mistakes: Sequence[tuple[str, _Wrapped, str]], advice: str
) -> Feedback:
    """Compare what a student's wrapper makes of three optimisers with the right one and with known slips."""
    sheet, cases = Sheet(), _wrapped_cases()

    def two_steps(wrapped: _Wrapped, case: tuple, call: Callable[..., object]) -> list[object]:
        _, step, w, gradients, lr, omega = case
        state: _State = {}
        first = call(wrapped, step, w.clone(), gradients[0].clone(), state, lr, omega)
        return [
            first,
            call(wrapped, step, 2 * w, gradients[1].clone(), state, lr, omega),
            state.get("steps", 0),
        ]

    if is_missing(function) or is_missing(two_steps(function, cases[0], quietly)[0]):
        return sheet.not_yet()
    results = []
    for case in cases:
        *pair, calls = two_steps(function, case, sheet.call)
        parts = [as_tensor(part) for part in pair]
        if any(part is None or part.shape != case[2].shape for part in parts):
            sheet.wrong(f"{case[0]}: got {_shown(pair[0])}", "return the new weights, what step gives back")
            return sheet.hand_back()
        if case[1] is _momentum and calls != 2:
            sheet.wrong("step has to be called once, with the state you were given", advice)
            return sheet.hand_back()
        results.append(parts)

    def agrees(wrapped: _Wrapped, result: Sequence[Tensor | None], case: tuple) -> bool:
        wanted = two_steps(wrapped, case, lambda f, *arguments: f(*arguments))[:2]
        return all(_near(a, b, 1e-9) for a, b in zip(result, wanted, strict=True))  # type: ignore[arg-type]

    fits = [agrees(right, result, case) for result, case in zip(results, cases, strict=True)]
    if all(fits):
        for case in cases:
            sheet.right(case[0])
        return sheet.hand_back()
    for finding, wrapped, hint in mistakes:
        if all(agrees(wrapped, result, case) for result, case in zip(results, cases, strict=True)):
            sheet.wrong(finding, hint)
            return sheet.hand_back()
    sheet.wrong(f"{cases[fits.index(False)][0]}: the new weights are not right", advice)
    return sheet.hand_back()


#: Exercise 6: the names of the optimisers.
NAMES = ("descent", "momentum 0.9", "AdaGrad", "RMSProp", "Adam", "sign")
_STRENGTH = (0.0095, 0.0105, "a tenth: the velocity adds the pull of the penalty up")
_WRONG_STRENGTHS = [
    (0.1, '"with momentum the two agree"', "the pull of the penalty goes through the velocity, which is a sum; look where the two settle"),
    (1.0, "the wrong way round", "the velocity makes the pull of the penalty larger, so the penalty has to be smaller"),
    (0.09, "0.9 is what is left of the velocity", "the sum 1 + 0.9 + 0.81 + ... decides"),
    (0.053, "this is for a pull that changes its sign", "the pull is nearly constant: 1 + 0.9 + 0.81 + ..."),
]  # fmt: skip


def penalty_or_decay(answer: Mapping[str, object]) -> Feedback:
    """Exercise 6: the optimisers for which the two agree, and the penalty that ends where momentum with decay does."""
    sheet = Sheet()
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'give a dictionary such as {"agree": {"Adam"}, "strength": 2}')
        return sheet.hand_back()
    given = answer.get("agree")
    names = _members(given, NAMES)
    if is_missing(given):
        sheet.wrong("agree: no answer yet", f"a set of names out of {', '.join(NAMES)}")
    elif names is None:
        sheet.wrong(f"agree: {_shown(given)} is no set of the names", f"some of {', '.join(NAMES)}")
    elif names == {"descent"}:
        sheet.right("agree: plain descent, and no other")
    elif names == set(NAMES):
        hint = "for which of them is your largest difference zero?"
        sheet.wrong('agree: "weight decay and L2 are the same"', hint)
    elif "descent" not in names:
        sheet.wrong("agree: plain descent is missing", "w - lr (g + omega w) = (1 - lr omega) w - lr g")
    elif names == {"descent", "momentum 0.9"}:
        hint = "the pull of the penalty goes through the velocity, and that of the decay does not"
        sheet.wrong('agree: "momentum only adds gradients up, so the two agree"', hint)
    else:
        extra = ", ".join(name for name in NAMES if name in names and name != "descent")
        hint = "the pull of the penalty is averaged and divided with the gradient, that of the decay is not"
        sheet.wrong(f'agree: "weight decay and L2 are the same" for {extra}', hint)
    low, high, reason = _STRENGTH
    hint = "change the strength of the penalty until the two settle at one place"
    _judge(sheet, "strength", answer.get("strength"), (low, high), reason, _WRONG_STRENGTHS, hint)
    return sheet.hand_back()


# --- small things


def _judge(
    sheet: Sheet,
    part: str,
    given: object,
    bounds: tuple[float, float],
    reason: str,
    mistakes: Sequence[tuple[float, str, str]],
    advice: str,
) -> None:
    """Note whether one number lies within its bounds, or which known mistake it is."""
    number = _finite(given)
    if is_missing(given):
        sheet.wrong(f"{part}: no answer yet", "a number")
    elif number is None:
        sheet.wrong(f"{part}: {_shown(given)} is no number", "a number")
    elif bounds[0] <= number <= bounds[1]:
        sheet.right(f"{part}: {reason}")
    else:
        for wrong, finding, hint in mistakes:
            if math.isclose(number, wrong, rel_tol=0.05, abs_tol=1e-6):
                sheet.wrong(f"{part}: {finding}", hint)
                return
        sheet.wrong(f"{part}: {number:g} is not what comes out", advice)


def _untouched(answer: object) -> bool:
    """Whether a dictionary holds nothing but gaps."""
    return isinstance(answer, Mapping) and all(is_missing(value) for value in answer.values())


def _members(given: object, choices: Sequence[object]) -> set | None:
    """Return which of the choices an answer holds, or ``None`` if it holds anything else or is no collection."""
    if isinstance(given, (np.ndarray, Tensor)):
        given = quietly(given.flatten().tolist)
    if isinstance(given, (str, float, int)):
        given = [given]
    if not isinstance(given, (set, frozenset, list, tuple)):
        return None
    found = set()
    for item in given:
        number = _finite(item)
        match = [
            choice
            for choice in choices
            if (isinstance(choice, str) and isinstance(item, str) and choice == item.strip())
            or (
                number is not None
                and isinstance(choice, float)
                and math.isclose(number, choice, rel_tol=1e-6)
            )
        ]
        if not match:
            return None
        found.add(match[0])
    return found


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
    return is_missing(result) or (
        isinstance(result, (tuple, list)) and len(result) > 0 and all(map(is_missing, result))
    )


def _near(given: Tensor, wanted: Tensor, tolerance: float) -> bool:
    """Whether two tensors have the same shape and differ by no more than a part of the largest number."""
    if given.shape != wanted.shape:
        return False
    room = tolerance * max(1.0, float(wanted.abs().max()))
    return bool(((given - wanted).abs() <= room).all())


def _shown(value: object) -> str:
    """Return an answer as text, short, whatever it is."""
    text = quietly(repr, value)
    text = text if isinstance(text, str) else "something"
    return text if len(text) <= 60 else text[:57] + "..."
