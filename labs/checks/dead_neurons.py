"""Checks for the exercises of chapter 16, on dead neurons."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from labs.checks import Feedback, Sheet, is_missing
from labs.checks.answers import quietly
from labs.hooks import layer_values
from labs.networks import SimpleNetwork

#: The two batches of exercise 1: four units, three examples each.
BATCH_1 = torch.tensor([[0.0, 0.0, 2.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 3.0, 0.0]])
BATCH_2 = torch.tensor([[0.0, 0.0, 1.0, 0.5], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0]])


def mask_by_hand(answer: Sequence[bool]) -> Feedback:
    """Exercise 1: which of the four units are dead on both batches together?"""
    sheet = Sheet()
    if is_missing(answer):
        return sheet.not_yet()
    given = _truth_values(answer)
    if given is None:
        sheet.wrong(f"got {answer!r}", "give four truth values, such as [True, False, False, True]")
        return sheet.hand_back()
    first, second = (tuple((batch == 0).all(dim=0).tolist()) for batch in (BATCH_1, BATCH_2))
    dead = tuple(a and b for a, b in zip(first, second, strict=True))
    mistakes = {
        tuple(not value for value in dead): ("this marks the living", "True means dead here"),
        tuple(a or b for a, b in zip(first, second, strict=True)): (
            "this marks every unit that is silent in batch 1 OR in batch 2",
            "a single batch in which a unit speaks makes it alive: combine the batches with AND",
        ),
        first: ("this is the mask of batch 1 alone", "unit 4 speaks once in batch 2"),
        second: ("this is the mask of batch 2 alone", "unit 2 speaks once in batch 1"),
        tuple(((BATCH_1 == 0).any(dim=0) | (BATCH_2 == 0).any(dim=0)).tolist()): (
            "this marks every unit that is zero at least once",
            "that is inactive on an example; dead means zero on all of them",
        ),
    }
    if len(given) != len(dead):
        sheet.wrong(f"got {len(given)} values", "there are four units, so four truth values are needed")
    elif given == dead:
        sheet.right("only unit 1 is silent through both batches")
    else:
        sheet.wrong(
            *mistakes.get(given, ("this is not the mask", "go column by column through all six rows"))
        )
    return sheet.hand_back()


def dead_mask(function: Callable[[Sequence[Tensor]], Tensor]) -> Feedback:
    """Exercise 2: a function from a list of batches of activations to the mask of the dead units."""
    sheet = Sheet()
    if is_missing(function) or is_missing(quietly(function, [BATCH_1, BATCH_2])):
        return sheet.not_yet()

    def marks(*batches: Sequence[Sequence[float]]) -> list[bool] | None:
        result = sheet.call(function, [torch.tensor(batch) for batch in batches])
        try:
            return [bool(value) for value in result]
        except (TypeError, RuntimeError):
            return None

    if marks(BATCH_1.tolist(), BATCH_2.tolist()) == [True, False, False, False]:
        sheet.right("the two batches of exercise 1")
    else:
        sheet.wrong("the two batches of exercise 1 should give [True, False, False, False]")
    cases = (
        ("a unit that wakes up only in the first of three batches is alive", ([[1.0]], [[0.0]], [[0.0]]), [False],
         "the mask seems to start afresh with each batch: keep it, and combine it with AND"),
        ("a unit that wakes up only in the middle of three batches is alive", ([[0.0]], [[1.0]], [[0.0]]), [False],
         "look at all batches, not only at the first and the last"),
        ("negative outputs beside zeros are outputs too", ([[-1.0], [0.0]],), [False],
         "the largest output is zero here, the unit is not silent: compare each output with == 0"),
        ("a unit that wakes up only in the last of three batches is alive", ([[0.0]], [[0.0]], [[1.0]]), [False],
         "look at all batches, not only at the first ones"),
        ("a unit that is silent on some examples is not dead", ([[0.0], [2.0]],), [False],
         "all examples of a batch have to be zero: .all(dim=0), not .any(dim=0)"),
        ("a unit with negative outputs is alive, as in a leaky ReLU", ([[-0.3], [-0.1]],), [False],
         "dead is exactly zero: compare with == 0, not with <= 0"),
        ("outputs that cancel are not silence", ([[-1.0], [1.0]],), [False],
         "a sum or a mean can be zero although no output is: compare each output with zero"),
        ("a unit with tiny outputs is alive", ([[1e-12]],), [False],
         "dead is exactly zero; a threshold measures something else"),
        ("a unit that never speaks is dead", ([[0.0], [0.0]], [[0.0]]), [True],
         "start with True for every unit and take it away when one speaks"),
    )  # fmt: skip
    for promise, batches, wanted, hint in cases:
        if marks(*batches) == wanted:
            sheet.right(promise)
        else:
            sheet.wrong(promise, hint)
    return sheet.hand_back()


def critical_weight_variance(function: Callable[[float], float]) -> Feedback:
    """Exercise 3: the n Var[W] at which a leaky ReLU keeps the length of the signal from layer to layer."""
    mistakes = {
        "that is 2 for every slope": (lambda a: 2.0, "He's two is for a ReLU; a leak lets part of the left half through"),
        "this is the standard deviation": (lambda a: math.sqrt(2 / (1 + a * a)), "the exercise asks for the variance"),
        "the slope enters without its square": (lambda a: 2 / (1 + a), "E[f(u)^2]: the left half is scaled by a, and then squared"),
        "this is one half of what is needed": (lambda a: 1 / (1 + a * a), "E[f(u)^2] = q (1 + a^2) / 2: where did the 2 go?"),
        "upside down": (lambda a: (1 + a * a) / 2, "the variance has to make up for what f takes away"),
    }  # fmt: skip
    praise = (
        "2 for a ReLU (slope 0), as He found",
        "1 for the identity (slope 1): nothing is lost, nothing to make up for",
        "and everything between",
    )
    cases = ((0.0,), (0.01,), (0.5,), (1.0,))
    hint = "first find E[f(u)^2] for u with variance q"
    return _formula(function, cases, lambda a: 2 / (1 + a * a), praise, mistakes, hint)


def predicted_dead_share(function: Callable[[float, float], float]) -> Feedback:
    """Exercise 4: the share of dead units from the reach k and the ratio r."""

    def phi(t: float) -> float:
        return 0.5 * math.erfc(-t / math.sqrt(2))

    mistakes = {
        "the ratio enters without its root": (lambda k, r: phi(-k * r), "r is a ratio of variances; m and s are lengths"),
        "this grows with r": (lambda k, r: phi(k * math.sqrt(r)), "a unit is dead if even its largest value is negative: mind the sign"),
        "this is the share of inactive examples of one unit": (lambda k, r: phi(-1 / math.sqrt(r)), "that is Phi(-mu/sigma); where is k?"),
    }  # fmt: skip
    praise = ("one half as r goes to zero", "practically none at r = 1", "and the values between")
    cases = ((4.0, 0.1), (4.2, 0.02), (3.0, 1e-9), (4.0, 1.0))
    hint = "P(m + k s <= 0) for a Gaussian m; divide by its standard deviation"
    return _formula(function, cases, lambda k, r: phi(-k * math.sqrt(r)), praise, mistakes, hint)


def _formula(
    function: Callable[..., float],
    cases: Sequence[tuple[float, ...]],
    right: Callable[..., float],
    praise: Sequence[str],
    mistakes: dict[str, tuple[Callable[..., float], str]],
    hint: str,
) -> Feedback:
    """Compare a student's formula with the right one, and if it differs with the mistakes we know."""
    sheet = Sheet()
    if is_missing(function) or is_missing(quietly(function, *cases[0])):
        return sheet.not_yet()
    given = [_number(sheet.call(function, *case)) for case in cases]

    def agrees(candidate: Callable[..., float]) -> bool:
        wanted = [candidate(*case) for case in cases]
        return all(g is not None and abs(g - w) < 1e-5 for g, w in zip(given, wanted, strict=True))

    if agrees(right):
        for finding in praise:
            sheet.right(finding)
        return sheet.hand_back()
    for finding, (wrong, advice) in mistakes.items():
        if agrees(wrong):
            sheet.wrong(finding, advice)
            return sheet.hand_back()
    sheet.wrong(f"for {', '.join(map(str, cases))} this gives {given}", hint)
    return sheet.hand_back()


def blocked_share(function: Callable[[nn.Module, Tensor], Tensor]) -> Feedback:
    """Exercise 5: for each unit, the share of examples on which the slope is at most 0.05 in size."""
    sheet = Sheet()
    # Far left, around zero, at the minimum, and on both sides; -5.3 is as far as float32 keeps a GELU from zero.
    columns = (
        [-5.2, -5.0, -4.0, -4.5],
        [0.1, 2.0, -0.1, 1.0],
        [-0.7518, -0.7518, 1.0, 1.0],
        [3.0, -4.0, -5.3, -3.5],
    )
    z, gelu = torch.tensor(columns).T.contiguous(), nn.functional.gelu
    if is_missing(function) or is_missing(quietly(function, nn.GELU(), z)):
        return sheet.not_yet()
    wanted = torch.tensor([1.0, 0.0, 0.5, 0.75])
    result = _as_tensor(sheet.call(function, nn.GELU(), z.clone()))
    if result is None or result.shape != wanted.shape:
        sheet.wrong("that is not one number per unit", "give a tensor of shape (4,) for the (4, 4) example")
        return sheet.hand_back()
    mistakes = {
        "this counts outputs that are exactly zero": ((gelu(z) == 0).float().mean(0), "no output here is zero, yet most of these units are blocked: ask for the slope"),
        "this counts negative pre-activations": ((z < 0).float().mean(0), "a GELU at -0.1 has a slope of about 0.4: it learns"),
        "this counts small outputs": ((gelu(z).abs() <= 0.05).float().mean(0), "a small output can have a large slope, as near zero"),
        "this is the share of examples that do get through": (1 - wanted, "blocked is where the slope is small"),
    }  # fmt: skip
    if not torch.allclose(result, wanted, atol=1e-6):
        for finding, (wrong, hint) in mistakes.items():
            if torch.allclose(result, wrong, atol=1e-6):
                sheet.wrong(finding, hint)
                return sheet.hand_back()
        found = [round(value, 3) for value in result.tolist()]
        hint = "labs.activations.derivative(activation, z) is the slope at every entry"
        sheet.wrong(f"got {found}, wanted {wanted.tolist()}", hint)
        return sheet.hand_back()
    sheet.right("a unit far out on the left is blocked on all examples, though its output is never zero")
    sheet.right("a unit around zero is never blocked")
    sheet.right("the minimum of the GELU counts: flat is flat, wherever it is")
    trials = (
        (
            "a negative slope is a slope",
            nn.GELU(),
            -1.5,
            0.0,
            "at -1.5 the slope is -0.13: take the absolute value",
        ),
        (
            "another activation has another slope",
            nn.Tanh(),
            -1.5,
            0.0,
            "use the activation that was passed in",
        ),
        ("a saturated tanh is blocked", nn.Tanh(), 2.5, 1.0, "use the activation that was passed in"),
        ("a slope of 0.04 is flat", nn.Tanh(), math.atanh(math.sqrt(0.96)), 1.0, "flat is up to 0.05"),
        ("a slope of 0.06 is not", nn.Tanh(), math.atanh(math.sqrt(0.94)), 0.0, "flat is up to 0.05"),
    )
    for promise, activation, at, share, hint in trials:
        found = _as_tensor(sheet.call(function, activation, torch.tensor([[at]])))
        if found is not None and found.numel() == 1 and math.isclose(found.item(), share, abs_tol=1e-6):
            sheet.right(promise)
        else:
            sheet.wrong(promise, hint)
    return sheet.hand_back()


def kill_unit(function: Callable[[SimpleNetwork, int, Tensor], object]) -> Feedback:
    """Exercise 6: make one unit of the first layer dead on the given inputs by moving its bias as little as possible."""
    sheet = Sheet()
    if is_missing(function):
        return sheet.not_yet()
    torch.manual_seed(0)
    model = SimpleNetwork("ReLU", in_features=4, hidden_features=(6,), out_features=3)
    for unit, inputs in ((2, torch.randn(50, 4)), (4, torch.randn(30, 4))):
        changed = copy.deepcopy(model)
        try:
            function(changed, unit, inputs)
        except Exception as error:
            hint = "change parameters inside `with torch.no_grad():`"
            sheet.wrong(f"your function stopped with {type(error).__name__}: {error}", hint)
            return sheet.hand_back()
        if all(torch.equal(p, q) for p, q in zip(changed.parameters(), model.parameters(), strict=True)):
            return sheet.not_yet()
        _judge_push(sheet, model, changed, unit, inputs)
    return sheet.hand_back()


def _judge_push(
    sheet: Sheet, model: SimpleNetwork, changed: SimpleNetwork, unit: int, inputs: Tensor
) -> None:
    """Note whether ``unit`` was pushed just below zero, and nothing else was touched."""
    parameters = dict(changed.named_parameters())
    moved = [name for name, p in parameters.items() if not torch.equal(p, model.get_parameter(name))]
    others = torch.arange(len(model.linear1.bias)) != unit
    if moved == ["linear1.bias"] and torch.equal(changed.linear1.bias[others], model.linear1.bias[others]):
        sheet.right(f"only the bias of unit {unit} has moved")
    else:
        sheet.wrong(f"changed: {', '.join(moved)}", "move linear1.bias[unit] and nothing else")
    if not all(p.requires_grad for p in parameters.values()):
        sheet.wrong("some parameters cannot learn any more", "leave requires_grad as it was")
    before, after = (layer_values(m, inputs)["act1"][0][:, unit] for m in (model, changed))
    largest, step = after.max().item(), (changed.linear1.bias - model.linear1.bias)[unit].item()
    if largest > 0:
        by_mean = math.isclose(step, -before.mean().item(), abs_tol=1e-4)
        hint = "how far must it go until even the largest pre-activation is not positive?"
        hint = "the largest pre-activation decides, not the mean" if by_mean else hint
        sheet.wrong(f"unit {unit} still speaks: its largest pre-activation is {largest:.3f}", hint)
    elif largest < -1e-3:
        hint = "stop where the largest pre-activation is just zero; then a nudge can wake it"
        sheet.wrong(
            f"dead, but further down than needed: even its largest pre-activation is {largest:.3f}", hint
        )
    else:
        sheet.right("its largest pre-activation is zero: dead, and only just")


def _truth_values(answer: object) -> tuple[bool, ...] | None:
    """Return ``answer`` as truth values, or ``None`` if it is anything else than a sequence of them."""
    values = answer.tolist() if isinstance(answer, Tensor) else answer
    if not isinstance(values, (list, tuple)) or not all(value in (True, False) for value in values):
        return None
    return tuple(bool(value) for value in values)


def _as_tensor(value: object) -> Tensor | None:
    """Return a student's numbers as a float tensor, or ``None`` if they are none."""
    try:
        return torch.as_tensor(value).detach().float()
    except (TypeError, ValueError, RuntimeError):
        return None


def _number(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError):
        return None
