"""Checks for the exercises of chapter 4, on the artificial neuron."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from labs.checks import Feedback, Sheet, is_missing
from labs.checks.answers import as_number, as_tensor, quietly

# --- exercise 1: eight rules

#: What is wrong with each rule of exercise 1, if somebody puts it on the wrong side; four are possible, four are not.
_RULES = {
    "A": (True, 'misconception "all weights are positive": a weight may be negative', "which weight makes x2 = 1 speak against the yes?"),
    "B": (False, "B is XOR: the two corners of the yes and the two of the no share their midpoint", "add up the four demands on w and b in pairs, as the chapter does"),
    "C": (True, 'misconception "all weights are positive": C is no at one corner only', "one corner can always be cut off by a line: which one is it?"),
    "D": (True, "D counts, and counting is what a sum of equal weights does", "equal weights; where between one and two has the threshold to be?"),
    "E": (False, 'misconception "XOR is the only exception": with x3 = 0, E is XOR of x1 and x2', "a neuron for E would be one for XOR as soon as you keep one input at 0"),
    "F": (True, "F needs weights of different size, and that is allowed", "give x1 as much weight as x2 and x3 have together"),
    "G": (False, "in G the corners of the yes have corners of the no between them", "the midpoint of 000 and 111 is also the midpoint of 001 and 110: where would it lie?"),
    "H": (False, "in H two corners of the yes and two of the no share their midpoint", "with x1 = 0 only x3 counts, with x1 = 1 only x2: compare 001 and 110, yes, with 010 and 101, no"),
}  # fmt: skip


def which_rules(answer: Iterable[str]) -> Feedback:
    """Exercise 1: the letters of the rules that one neuron can compute."""
    sheet = Sheet()
    if is_missing(answer):
        return sheet.not_yet()
    given = _letters(answer)
    if given is None:
        sheet.wrong(
            f"got {_shown(answer)}", 'give the letters from A to H of the possible rules, such as "ABC"'
        )
        return sheet.hand_back()
    possible = {letter for letter, (able, _, _) in _RULES.items() if able}
    if given == set(_RULES) - possible:
        sheet.wrong("these are exactly the rules that one neuron can NOT compute", "give the others")
        return sheet.hand_back()
    if not given or given == set(_RULES):
        which = "none" if not given else "all"
        sheet.wrong(
            f"you say that {which} of them can be computed", "some can and some cannot: take them one by one"
        )
        return sheet.hand_back()
    for letter, (able, finding, hint) in _RULES.items():
        if (letter in given) == able:
            sheet.right(f"{letter} can{'' if able else 'not'} be computed by one neuron")
        else:
            sheet.wrong(f"{letter}: {finding}", hint)
    return sheet.hand_back()


def _letters(answer: object) -> set[str] | None:
    """Return the letters of ``answer``, a string or a collection of strings; ``None`` for anything else."""
    if isinstance(answer, str):
        answer = [letter for letter in answer if letter not in " ,;"]
    if not isinstance(answer, (list, tuple, set, frozenset)):
        return None
    letters = {letter.strip().upper() if isinstance(letter, str) else None for letter in answer}
    return letters if letters <= set(_RULES) else None


# --- exercise 2: at least k of n, and a veto

_COUNTS = tuple((k, n) for n in (1, 2, 3, 5, 8) for k in range(1, n + 1))
_Pattern = Callable[[np.ndarray, np.ndarray, int, int], np.ndarray]


def at_least(function: Callable[[int, int], tuple[Sequence[float], float]]) -> Feedback:
    """Exercise 2: weights and bias of a neuron that says yes if at least k of its n inputs are 1."""
    mistakes: dict[str, tuple[_Pattern, str]] = {
        "this says yes where it should say no, and no where it should say yes": (lambda s, v, k, n: s < k, "turn the signs of the weights and of the bias"),
        "this says yes to more than k, not to k": (lambda s, v, k, n: s > k, "the threshold has to lie between k - 1 and k"),
        "this says yes to k - 1 already": (lambda s, v, k, n: s >= k - 1, "the threshold has to lie between k - 1 and k"),
        "this always says yes": (lambda s, v, k, n: s >= 0, 'misconception "the bias is the threshold": it is the threshold with the sign turned round, z = w.x + b'),
        "this never says yes": (lambda s, v, k, n: s < 0, "with all inputs at 1 the sum of the weights has to win against the bias"),
        "this is OR, whatever k is": (lambda s, v, k, n: s >= 1, "the bias has to depend on k"),
        "this is AND, whatever k is": (lambda s, v, k, n: s >= n, "the bias has to depend on k, not on n"),
        "this is at least two, whatever k is": (lambda s, v, k, n: s >= 2, "-1.5 is right for k = 2: what is it for k?"),
        "this is the majority, whatever k is": (lambda s, v, k, n: 2 * s > n, "the bias has to depend on k, not on n"),
        "the weights are divided by n, and the threshold is not": (lambda s, v, k, n: s / n > k - 0.5, "a mean of zeros and ones is at most 1"),
    }  # fmt: skip
    praise = (
        "k = 1 is OR and k = n is AND",
        "right at all corners for every k of up to eight inputs",
        "no corner lies on the border: both conventions of the step agree",
    )
    hint = "let all weights be 1: then the weighted sum counts, and only the bias is left to choose"
    return _corners(function, 0, lambda s, v, k, n: s >= k, mistakes, praise, hint)


def at_least_unless(function: Callable[[int, int], tuple[Sequence[float], float]]) -> Feedback:
    """Exercise 2: the same with one more input, the last, that forbids the yes."""
    mistakes: dict[str, tuple[_Pattern, str]] = {
        "the last input changes nothing": (lambda s, v, k, n: s >= k, "its weight has to be negative"),
        "the last input votes with the others": (lambda s, v, k, n: s + v >= k, "its weight has to be negative"),
        'misconception "a veto is one vote against": one more vote outvotes it': (lambda s, v, k, n: s - v >= k, "even when all n others are 1, the sum has to stay below the threshold"),
        "the veto holds against k votes, but not against n": (lambda s, v, k, n: s - k * v >= k, "even when all n others are 1, the sum has to stay below the threshold"),
        "the veto is just too weak when all n others are 1": (lambda s, v, k, n: s - (n - k) * v >= k, "n votes minus the veto have to end below the threshold, not at it"),
        "this says yes only if the last input is 1": (lambda s, v, k, n: (s >= k) & (v == 1), "the last input shall forbid, not permit"),
        "this says yes where it should say no, and no where it should say yes": (lambda s, v, k, n: (s < k) | (v == 1), "turn the signs of the weights and of the bias"),
        "this never says yes": (lambda s, v, k, n: s < 0, "with the last input at 0 it is the neuron of the first part"),
    }  # fmt: skip
    praise = (
        "with the last input at 0 it counts as before",
        "with the last input at 1 it stays silent, even against all the others",
        "no corner lies on the border: both conventions of the step agree",
    )
    hint = "keep weights and bias of the first part; how negative must one more weight be to beat n ones?"
    return _corners(function, 1, lambda s, v, k, n: (s >= k) & (v == 0), mistakes, praise, hint)


def _corners(
    function: Callable,
    vetoes: int,
    right: _Pattern,
    mistakes: Mapping[str, tuple[_Pattern, str]],
    praise: Sequence[str],
    hint: str,
) -> Feedback:
    """Compare a neuron that depends on k and n with ``right`` at all corners, then with the mistakes we know."""
    sheet = Sheet()
    if is_missing(function) or is_missing(quietly(function, 2, 3)):
        return sheet.not_yet()
    found, on_the_border = [], []
    for k, n in _COUNTS:
        cube = torch.tensor(list(product((0.0, 1.0), repeat=n + vetoes)), dtype=torch.float64)
        result = _called(sheet, function, k, n)
        if result is None:
            return sheet.hand_back()
        neuron = _weights_and_bias(result[0], n + vetoes)
        if isinstance(neuron, str):
            sheet.wrong(
                f"for k = {k} and n = {n}: {neuron}", f"return a pair: {n + vetoes} weights, and the bias"
            )
            return sheet.hand_back()
        w, b = neuron
        z, scale = cube @ w + b, w.abs().sum() + abs(b)
        votes = cube[:, :n].sum(dim=1).numpy()
        veto = cube[:, n].numpy() if vetoes else np.zeros(len(cube))
        found.append((k, n, votes, veto, (z > 1e-9 * scale).numpy()))
        on_the_border.append(votes[(z.abs() <= 1e-9 * scale).numpy()] - k)

    def agrees(pattern: _Pattern) -> bool:
        return all((says == pattern(s, v, k, n)).all() for k, n, s, v, says in found)

    border = np.concatenate(on_the_border)
    if len(border) and agrees(right):
        sheet.wrong(
            "right if the step is 0 at the border, wrong if it is 1 there: some corners of the no lie on it",
            "leave room on both sides, as b = -1.5 does for two of three",
        )
    elif len(border) and (border == 0).all() and agrees(lambda s, v, k, n: right(s, v, k, n) & (s > k)):
        sheet.wrong(
            "where exactly k inputs are 1 the sum lies on the border, and a step with f(0) = 0 says no",
            "leave room on both sides, as b = -1.5 does for two of three",
        )
    elif agrees(right):
        for finding in praise:
            sheet.right(finding)
    else:
        for finding, (pattern, advice) in mistakes.items():
            if agrees(pattern):
                sheet.wrong(finding, advice)
                return sheet.hand_back()
        k, n, s, v, says = next(f for f in found if (f[4] != right(f[2], f[3], f[0], f[1])).any())
        at = int((says != right(s, v, k, n)).argmax())
        forbidden = ", and the last one at 1," if v[at] else ""
        verdict = "yes" if says[at] else "no"
        sheet.wrong(f"for k = {k} of n = {n}, {s[at]:.0f} inputs at 1{forbidden} give a {verdict}", hint)
    return sheet.hand_back()


def _weights_and_bias(result: object, inputs: int) -> tuple[Tensor, float] | str:
    """Return weights and bias, or what is wrong with them."""
    if is_missing(result):
        return "no answer"
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        return f"got {_shown(result)}, not a pair"
    w, b = as_tensor(result[0]), as_number(result[1])
    if w is None or b is None:
        return "these are not numbers"
    if w.dim() != 1 or len(w) != inputs:
        return f"the weights have the shape {tuple(w.shape)}"
    if not bool(torch.isfinite(w).all()) or not math.isfinite(b):
        return "weights and bias have to be finite"
    return w, b


# --- exercise 3: the perceptron rule


def _clouds() -> list[tuple[np.ndarray, np.ndarray, int]]:
    """Return cases ``(x, t, passes)`` in whole numbers: gates, a single point, one class, and twelve points."""
    square = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
    x = np.array(
        [[1, 4], [6, 2], [2, 5], [5, 1], [3, 6], [7, 3], [2, 2], [4, 2], [4, 6], [6, 5], [1, 1], [5, 3]]
    )
    t = np.where(x[:, 1] - x[:, 0] + 0.5 > 0, 1.0, -1.0)
    return [
        (square, np.array([-1.0, -1, -1, 1]), 50),
        (square[::-1], np.array([1.0, 1, 1, -1]), 50),
        (np.array([[2.0, -1, 3]]), np.array([-1.0]), 10),
        (square + 1, np.ones(4), 10),
        (x.astype(float), t, 200),
    ]


_XOR = (np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([-1.0, 1, 1, -1]), 7)


def perceptron(function: Callable[[np.ndarray, np.ndarray, int], tuple]) -> Feedback:
    """Exercise 3: the rule with its bias, and the number of mistakes in each pass."""
    sheet = Sheet()
    cases = [*_clouds(), _XOR]
    patient = _patiently(function)
    if is_missing(function) or is_missing(quietly(patient, *_copies(cases[0]))):
        return sheet.not_yet()
    given = []
    for number, case in enumerate(cases):
        x, t, passes = _copies(case)
        result = _called(sheet, patient, x, t, passes)
        if result is None:
            return sheet.hand_back()
        if result[0] is _ENDLESS:
            finding = "it does not come to an end"
            if number == len(cases) - 1:
                finding = 'misconception "the perceptron rule always stops": on XOR yours goes on for ever'
            sheet.wrong(finding, "end after `passes` passes, whatever happens")
            return sheet.hand_back()
        if not (np.array_equal(x, case[0]) and np.array_equal(t, case[1])):
            sheet.wrong(
                "your function changes x or t",
                "work on new arrays: x[i] = ... and x *= ... write into the data",
            )
            return sheet.hand_back()
        parts = _three(result[0], x.shape[1])
        if isinstance(parts, str):
            sheet.wrong(parts, "return w with one entry per input, b, and a list: the mistakes of each pass")
            return sheet.hand_back()
        given.append(parts)
    scale = _same_up_to_scale(given, [_rule(*case) for case in cases])
    if scale is None:
        for finding, (slip, hint) in _SLIPS.items():
            if _same_up_to_scale(given, [_rule(*case, **slip) for case in cases]) is not None:
                sheet.wrong(finding, hint)
                return sheet.hand_back()
        w, b, _ = given[0]
        wanted = _rule(*cases[0])
        sheet.wrong(
            f"on AND, in the order given, w = {w.tolist()} and b = {b:g}; the rule gives {wanted[0].tolist()} and {wanted[1]:g}",
            "start with zeros; example by example, in the order given: if t * (w.x + b) <= 0, add t * x to w and t to b",
        )
        return sheet.hand_back()
    sheet.right("weights and bias are those of the rule")
    if not math.isclose(scale, 1):
        sheet.right(f"yours are {scale:g} times as large: from w = 0 a learning rate changes no decision")
    _judge_counts(sheet, [part[2] for part in given], [_rule(*case)[2] for case in cases], cases)
    return sheet.hand_back()


_SLIPS: dict[str, tuple[dict[str, float], str]] = {
    'misconception "on the border is right": with w = 0 every example lies on the border, so nothing is ever learned': ({"border": False}, "a mistake is t * (w.x + b) <= 0, with the equal sign"),
    "the bias is not learned": ({"bias": False}, "the always-on unit is an input like the others: b grows by t * 1"),
    "the bias always grows": ({"bias_by_t": False}, "b grows by t, which is -1 for an example of the no"),
    "every correction adds x, whatever t is": ({"by_t": False}, "an example of the no is subtracted: add t * x"),
    "every example is added, whether it is wrong or not": ({"all": True}, "the rule corrects on mistakes only"),
    "every example is added, and counted, whether it is wrong or not": ({"all": True, "count": True}, "the rule corrects, and counts, mistakes only"),
    "the corrections have the wrong sign": ({"away": True}, "t * (w.x + b) has to grow: add t * x"),
    "all examples of a pass are judged by the weights from its start": ({"late": True}, "correct at once, and judge the next example by the new weights"),
    "only the first pass is made": ({"one": True}, "go on until a pass has no mistake, or `passes` passes are made"),
    "a learning rate of 0.1 leaves sums that should be zero a little above or below": ({"rate": 0.1}, "from w = 0 a learning rate changes nothing but the rounding: leave it out"),
    "a learning rate of 0.01 leaves sums that should be zero a little above or below": ({"rate": 0.01}, "from w = 0 a learning rate changes nothing but the rounding: leave it out"),
    "at most one correction is made in each pass": ({"leave": True}, "after a correction go on with the next example, not with the next pass"),
}  # fmt: skip


def _rule(x: np.ndarray, t: np.ndarray, passes: int, **slip: float) -> tuple[np.ndarray, float, list[int]]:
    """Follow the rule in the order given, or a slip of it."""
    w, b, mistakes = np.zeros(x.shape[1]), 0.0, []
    for _ in range(1 if "one" in slip else passes):
        mistakes.append(0)
        w0, b0 = w, b
        for xi, ti in zip(x, t, strict=True):
            side = ti * ((w0 @ xi + b0) if "late" in slip else (w @ xi + b))
            wrong = side < 0 if "border" in slip else side <= 0
            mistakes[-1] += bool(wrong) or "count" in slip
            if not wrong and "all" not in slip:
                continue
            size = -1 if "away" in slip else slip.get("rate", 1)
            w = w + size * xi * (1 if "by_t" in slip else ti)
            if "bias" not in slip:
                b = b + size * (1 if "bias_by_t" in slip or "by_t" in slip else ti)
            if "leave" in slip:
                break
        if mistakes[-1] == 0:
            break
    return w, b, mistakes


def _three(result: object, inputs: int) -> tuple[np.ndarray, float, list[float]] | str:
    """Return w, b and the mistakes per pass as plain numbers, or what is wrong with them."""
    if not isinstance(result, (tuple, list)) or len(result) != 3:
        return f"got {_shown(result)}, not three things"
    w, b, mistakes = as_tensor(result[0]), as_number(result[1]), as_tensor(result[2])
    if w is None or b is None or mistakes is None:
        return "w, b and the mistakes have to be numbers"
    if w.dim() == 0 or w.numel() != inputs:
        return f"w has the shape {tuple(w.shape)}, and there are {inputs} inputs"
    if not bool(torch.isfinite(w).all()) or not math.isfinite(b):
        return "w or b is not finite"
    return w.reshape(-1).numpy(), b, mistakes.reshape(-1).tolist()


def _same_up_to_scale(given: Sequence[tuple], wanted: Sequence[tuple]) -> float | None:
    """Return the positive factor by which all given weights and biases differ from the wanted, or ``None``."""
    mine, right = (np.concatenate([[*w, b] for w, b, _ in parts]) for parts in (given, wanted))
    size = np.abs(right).max()
    scale = np.abs(mine).max() / size if size else 1.0
    close = np.allclose(mine, scale * right, rtol=0, atol=1e-6 * max(scale * size, 1e-9))
    return float(scale) if close and scale > 0 else None


def _judge_counts(
    sheet: Sheet, given: Sequence[list[float]], wanted: Sequence[list[int]], cases: Sequence[tuple]
) -> None:
    """Say whether the mistakes per pass are right, and if not what was counted instead."""
    if list(given) == list(wanted):
        sheet.right("the mistakes are counted pass by pass, and the last pass of separable data has none")
        sheet.right("on XOR it ends after the passes that it was allowed, none of them without a mistake")
        return
    counted = {
        "this is the number of mistakes in all passes together": ([[sum(m)] for m in wanted], "keep a list with one number for each pass"),
        "this is the number of passes": ([[len(m)] for m in wanted], "count the corrections in each pass"),
        "the last pass, the one without a mistake, is missing from the list": ([m[:-1] if m[-1] == 0 else m for m in wanted], "a pass without a mistake is the proof that you may stop: count it too"),
        "it goes on after a pass without a mistake": ([m + [0] * (case[2] - len(m)) for m, case in zip(wanted, cases, strict=True)], "nothing can change any more: stop there"),
        "the count is not set back to 0 before each pass": ([np.cumsum(m).tolist() for m in wanted], "append a fresh 0 at the start of each pass"),
        "these are the examples that were right": ([[len(case[0]) - k for k in m] for m, case in zip(wanted, cases, strict=True)], "count the corrections"),
    }  # fmt: skip
    for finding, (numbers, hint) in counted.items():
        if list(given) == numbers:
            sheet.wrong(finding, hint)
            return
    sheet.wrong(
        f"on AND the mistakes per pass are {wanted[0]}, and you count {_shown(given[0])}",
        "one number per pass, the last one included",
    )


class _TooLong(BaseException):
    """Stops a function that does not end; no ``except Exception`` catches it."""


_ENDLESS = object()


def _patiently(function: Callable, steps: int = 100_000) -> Callable:
    """Return ``function``, ended after so many executed lines with ``_ENDLESS`` as its result."""

    def limited(*arguments: object) -> object:
        left, before = steps, sys.gettrace()

        def watch(frame: FrameType, event: str, argument: object) -> Callable:
            nonlocal left
            left -= 1
            if left < 0:
                raise _TooLong
            return watch

        sys.settrace(watch)
        try:
            return function(*arguments)
        except _TooLong:
            return _ENDLESS
        finally:
            sys.settrace(before)

    limited.__name__ = _name(function)
    return limited


def _copies(case: tuple[np.ndarray, np.ndarray, int]) -> tuple[np.ndarray, np.ndarray, int]:
    return case[0].copy(), case[1].copy(), case[2]


# --- exercise 4: from sigmoid to tanh


def as_tanh(function: Callable[[Tensor, Tensor, Tensor, Tensor], Sequence[Tensor]]) -> Feedback:
    """Exercise 4: weights and biases of the tanh network that computes what a sigmoid network computes."""
    sheet = Sheet()
    shapes = ((3, 5, 2), (2, 4, 4), (1, 1, 1), (4, 2, 3))
    networks = [_network(*shape, seed) for seed, shape in enumerate(shapes)]
    if is_missing(function) or is_missing(quietly(function, *(p.clone() for p in networks[0]))):
        return sheet.not_yet()
    given = []
    for network in networks:
        handed = [p.clone() for p in network]
        result = _called(sheet, function, *handed)
        if result is None:
            return sheet.hand_back()
        if not all(torch.equal(a, b) for a, b in zip(handed, network, strict=True)):
            sheet.wrong("your function changes the weights it is given", "write W1 / 2, not W1 /= 2")
            return sheet.hand_back()
        parts = [as_tensor(p) for p in result[0]] if isinstance(result[0], (tuple, list)) else []
        wanted = [tuple(p.shape) for p in network]
        found = [None if p is None else tuple(p.shape) for p in parts]
        if found != wanted:
            sheet.wrong(
                f"the shapes are {found}, wanted {wanted}",
                "return W1, b1, W2, b2 of the new network, shaped like the old",
            )
            return sheet.hand_back()
        given.append(parts)
    points = [torch.randn(64, shape[0], dtype=torch.float64, generator=_generator(9)) for shape in shapes]

    def agrees(candidates: Sequence[Sequence[Tensor]], f: Callable[[Tensor], Tensor]) -> bool:
        return all(
            torch.allclose(_forward(g, x, torch.tanh), _forward(c, x, f), rtol=1e-5, atol=1e-5)
            for g, c, x in zip(given, candidates, points, strict=True)
        )

    if agrees(networks, torch.sigmoid):
        sheet.right("the same function, on every point and for four networks of different shapes")
        return sheet.hand_back()
    for finding, (candidate, hint) in _TRANSLATIONS.items():
        translated = [quietly(candidate, *network) for network in networks]
        if "raised" not in translated and agrees(translated, torch.tanh):
            sheet.wrong(finding, hint)
            return sheet.hand_back()
    worst = max(
        (_forward(g, x, torch.tanh) - _forward(n, x, torch.sigmoid)).abs().max().item()
        for g, n, x in zip(given, networks, points, strict=True)
    )
    sheet.wrong(
        f"the outputs differ by up to {worst:.3g}",
        "put sigmoid(z) = (1 + tanh(z / 2)) / 2 into W2 sigmoid(z) + b2 and multiply out",
    )
    return sheet.hand_back()


_Translation = Callable[[Tensor, Tensor, Tensor, Tensor], Sequence[Tensor]]
_TRANSLATIONS: dict[str, tuple[_Translation, str]] = {
    'misconception "sigmoid and tanh are interchangeable": the weights are those of the sigmoid network': (lambda W1, b1, W2, b2: (W1, b1, W2, b2), "sigmoid(z) = (1 + tanh(z / 2)) / 2: three of the four have to be halved, one shifted"),
    "the shift of the last bias is missing": (lambda W1, b1, W2, b2: (W1 / 2, b1 / 2, W2 / 2, b2), "the 1 in (1 + tanh) / 2 contributes W2 / 2 times a vector of ones"),
    "this uses tanh(x) = 2 sigmoid(2x) - 1, which leads from tanh to sigmoid": (lambda W1, b1, W2, b2: (2 * W1, 2 * b1, 2 * W2, b2 - W2.sum(1)), "here the old network has sigmoids: start from sigmoid(z) = (1 + tanh(z / 2)) / 2"),
    "the first bias is not halved": (lambda W1, b1, W2, b2: (W1 / 2, b1, W2 / 2, b2 + W2.sum(1) / 2), "z / 2 = (W1 x + b1) / 2: both parts are halved"),
    "the first layer is not halved": (lambda W1, b1, W2, b2: (W1, b1, W2 / 2, b2 + W2.sum(1) / 2), "the argument of tanh is z / 2"),
    "the first layer is doubled": (lambda W1, b1, W2, b2: (2 * W1, 2 * b1, W2 / 2, b2 + W2.sum(1) / 2), "the argument of tanh is z / 2"),
    "the second matrix is not halved": (lambda W1, b1, W2, b2: (W1 / 2, b1 / 2, W2, b2 + W2.sum(1) / 2), "(1 + tanh) / 2: tanh is halved as well"),
    "the shift is twice as large as it should be": (lambda W1, b1, W2, b2: (W1 / 2, b1 / 2, W2 / 2, b2 + W2.sum(1)), "the 1 in (1 + tanh) / 2 is halved as well"),
    "the shift is half as large as it should be": (lambda W1, b1, W2, b2: (W1 / 2, b1 / 2, W2 / 2, b2 + W2.sum(1) / 4), "half the row sums of the OLD W2: here it was halved twice"),
    "the shift has the wrong sign": (lambda W1, b1, W2, b2: (W1 / 2, b1 / 2, W2 / 2, b2 - W2.sum(1) / 2), "the 1 in (1 + tanh) / 2 is added"),
    "the shift is one half, whatever the weights are": (lambda W1, b1, W2, b2: (W1 / 2, b1 / 2, W2 / 2, b2 + 0.5), "the 1 / 2 of each hidden unit passes through its weight in W2"),
    "the old bias is halved too": (lambda W1, b1, W2, b2: (W1 / 2, b1 / 2, W2 / 2, b2 / 2 + W2.sum(1) / 2), "b2 stands outside of W2 sigmoid(z): it stays"),
    "the shift is one number for all outputs": (lambda W1, b1, W2, b2: (W1 / 2, b1 / 2, W2 / 2, b2 + W2.sum() / 2), "each output has its own row of W2: sum over dim=1"),
}  # fmt: skip


def _network(inputs: int, hidden: int, outputs: int, seed: int) -> list[Tensor]:
    shapes = ((hidden, inputs), (hidden,), (outputs, hidden), (outputs,))
    generator = _generator(seed)
    return [2 * torch.randn(*shape, dtype=torch.float64, generator=generator) for shape in shapes]


def _forward(parts: Sequence[Tensor], x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
    W1, b1, W2, b2 = parts
    return f(x @ W1.T + b1) @ W2.T + b2


# --- exercise 5: who agrees in sign


def agreement(function: Callable[[Tensor, Tensor, int], float]) -> Feedback:
    """Exercise 5: the share of weight gradients with the majority sign of their unit, for batches of any size."""
    sheet = Sheet()
    plain, silent = _activations()
    if is_missing(function) or is_missing(quietly(function, *(_cloned(plain[0])))):
        return sheet.not_yet()
    for cases, mistakes, praise, hint in (
        (plain, _COUNTED, ("1 for a single example behind sigmoids, whatever delta is", "and the shares of larger batches, for inputs of both signs too"), "for each batch and each unit: mean of delta_i a_j over the batch, then the larger of the shares of + and -, then the mean"),
        (silent, _COUNTED_ZEROS, ("zeros have no sign: they are left out, and so are units without a gradient",), "of the gradients that are not zero: the larger of + and - over the sum of both, and no unit without any"),
    ):  # fmt: skip
        given = []
        for case in cases:
            result = _called(sheet, function, *_cloned(case))
            if result is None:
                return sheet.hand_back()
            number = as_number(result[0])
            if number is None:
                sheet.wrong(
                    f"got {_shown(result[0])}", "return one number, the mean over all batches and units"
                )
                return sheet.hand_back()
            given.append(number)

        def agrees(
            candidate: Callable[[Tensor, Tensor, int], float],
            cases: Sequence = cases,
            given: Sequence = given,
        ) -> bool:
            wanted = [candidate(*case) for case in cases]
            return bool(np.allclose(given, wanted, rtol=0, atol=1e-5, equal_nan=True))

        if agrees(_share):
            for finding in praise:
                sheet.right(finding)
            continue
        for finding, (candidate, advice) in mistakes.items():
            if agrees(candidate):
                sheet.wrong(finding, advice)
                return sheet.hand_back()
        wanted = [round(_share(*case), 3) for case in cases]
        about = f"batches of {', '.join(str(size) for *_, size in cases)}"
        sheet.wrong(f"{about} give {[round(n, 3) for n in given]}, wanted {wanted}", hint)
        return sheet.hand_back()
    return sheet.hand_back()


def _gradients(a: Tensor, delta: Tensor, size: int) -> Tensor:
    """Return the gradients of each batch, units and weights."""
    deltas, inputs = delta.unflatten(0, (-1, size)), a.unflatten(0, (-1, size))
    return torch.einsum("bei,bej->bij", deltas, inputs) / size


def _majority(g: Tensor) -> float:
    """Return the mean share of the majority sign along the last dimension, zeros left out."""
    up, down = (g > 0).sum(dim=-1), (g < 0).sum(dim=-1)
    some = up + down > 0
    return (torch.maximum(up, down)[some] / (up + down)[some]).double().mean().item()


def _share(a: Tensor, delta: Tensor, size: int) -> float:
    return _majority(_gradients(a, delta, size))


def _larger(share: Tensor) -> float:
    return torch.maximum(share, 1 - share).mean().item()


_Count = Callable[[Tensor, Tensor, int], float]
_COUNTED: dict[str, tuple[_Count, str]] = {
    'misconception "what holds for one example holds for a batch": the batch size is not used': (lambda a, d, size: _share(a, d, 1), "first the mean of delta_i a_j over the batch, then the sign"),
    "the signs are taken of each example, and averaged": (lambda a, d, size: _majority(torch.einsum("bei,bej->bij", d.sign().unflatten(0, (-1, size)), a.sign().unflatten(0, (-1, size)))), "a large delta counts more than a small one: first the mean of delta_i a_j, then the sign"),
    "all examples form one batch": (lambda a, d, size: _share(a, d, len(a)), "cut a and delta into batches of `size` rows"),
    "this is the share of positive gradients": (lambda a, d, size: (_gradients(a, d, size) > 0).double().mean().item(), "the majority of a unit may be negative"),
    "this is the share of the minority": (lambda a, d, size: 1 - _share(a, d, size), "take the larger of the two shares"),
    "this is the difference of the two shares": (lambda a, d, size: 2 * _share(a, d, size) - 1, "a majority of 60 per cent is 0.6, not 0.2"),
    "this compares the units of each weight, not the weights of each unit": (lambda a, d, size: _majority(_gradients(a, d, size).transpose(1, 2)), "one delta belongs to all weights of a unit: count along the inputs"),
    "this takes one majority for the whole layer": (lambda a, d, size: _majority(_gradients(a, d, size).flatten(1)), "each unit has a delta, and so a majority, of its own"),
    "this takes one majority for all batches and units together": (lambda a, d, size: _majority(_gradients(a, d, size).flatten()), "each unit has a majority of its own in each batch"),
    "the batches are not made of neighbours": (lambda a, d, size: _share(a.unflatten(0, (size, -1)).transpose(0, 1).flatten(0, 1), d.unflatten(0, (size, -1)).transpose(0, 1).flatten(0, 1), size), "the first batch holds the rows 0 to size - 1: unflatten(0, (-1, size))"),
    "`size` is the number of batches here": (lambda a, d, size: _share(a, d, len(a) // size), "each batch has `size` rows"),
    "only the first batch is used": (lambda a, d, size: _share(a[:size], d[:size], size), "take the mean over all batches"),
    "this looks at the signs of the inputs alone": (lambda a, d, size: _majority(a.unflatten(0, (-1, size)).mean(dim=1)), "a gradient is a mean of products delta_i a_j"),
}  # fmt: skip
_COUNTED_ZEROS: dict[str, tuple[_Count, str]] = {
    "gradients of zero are counted among the weights": (lambda a, d, size: torch.maximum(*((side(_gradients(a, d, size))).double().mean(dim=-1) for side in (lambda g: g > 0, lambda g: g < 0))).mean().item(), "divide by the number of gradients that are not zero"),
    "gradients of zero are counted as negative": (lambda a, d, size: _larger((_gradients(a, d, size) > 0).double().mean(dim=-1)), "a zero has no sign: divide by the number of gradients that are not zero"),
    "gradients of zero are counted as positive": (lambda a, d, size: _larger((_gradients(a, d, size) >= 0).double().mean(dim=-1)), "a zero has no sign: divide by the number of gradients that are not zero"),
    "a unit without any gradient makes the mean nan": (lambda a, d, size: math.nan, "0 / 0: leave such a unit out of the mean"),
    "a unit without any gradient is counted with a share of 0": (lambda a, d, size: _with_silent(a, d, size, 0.0), "it has no majority: leave it out of the mean"),
    "a unit without any gradient is counted with a share of 1": (lambda a, d, size: _with_silent(a, d, size, 1.0), "it has no majority: leave it out of the mean"),
}  # fmt: skip


def _with_silent(a: Tensor, delta: Tensor, size: int, value: float) -> float:
    """Return the share if a unit without a gradient counted as ``value``."""
    g = _gradients(a, delta, size)
    some = (g != 0).any(dim=-1).double().mean().item()
    return some * _majority(g) + (1 - some) * value


def _activations() -> tuple[list[tuple[Tensor, Tensor, int]], list[tuple[Tensor, Tensor, int]]]:
    """Return cases ``(a, delta, size)``: sigmoids and tanh first, then ReLUs with zeros and a silent unit."""
    generator = _generator(4)
    z, delta = (torch.randn(48, units, dtype=torch.float64, generator=generator) for units in (11, 5))
    delta = delta + 0.6 * torch.tensor([1, -1, 1, 0, -1])
    sigmoid, relu = torch.sigmoid(z), torch.relu(z - 0.5)
    plain = [
        (sigmoid, delta, 1),
        (sigmoid, delta, 4),
        (torch.tanh(z), delta, 8),
        (sigmoid, delta, 24),
        (torch.tanh(z), delta, 1),
    ]
    quiet = delta.clone()
    quiet[:, 3] = 0
    quiet[:16, 1] = 0
    return plain, [(relu, quiet, 2), (relu, quiet, 4)]


def _cloned(case: tuple[Tensor, Tensor, int]) -> tuple[Tensor, Tensor, int]:
    return case[0].clone(), case[1].clone(), case[2]


# --- exercise 6: what moves the bound

_CHANGES = {
    "all doubled": ("same", "same"),
    "inputs doubled, the 1 not": ("may change", "may change"),
    "one input scaled": ("may change", "may change"),
    "rate halved": ("same", "same"),
    "rate halved, other start": ("same", "may change"),
}
_WRONG_CHANGES = {
    ("all doubled", 0): ('misconception "larger inputs, larger bound": R doubles, and so does the margin', "u is a unit vector: what becomes of u.x_i when x_i is doubled?"),
    ("all doubled", 1): ("w doubles with the inputs, and no sign of w.x_i changes", "from w = 0, write down w after each correction"),
    ("inputs doubled, the 1 not", 0): ('misconception "scaling never matters": the always-on 1 is an input too, and it has stayed behind', "this is no common factor of the rows (1, x): compute the bound"),
    ("inputs doubled, the 1 not", 1): ("the bias now learns more slowly, in comparison, than the weights", "count the mistakes in several orders"),
    ("one input scaled", 0): ('misconception "the weights make up for a scale": they can, but R and the margin change', "multiply the widths by 10 and compute the bound"),
    ("one input scaled", 1): ("the rule adds the input as it is: a large one learns faster", "count the mistakes with the widths ten times as large"),
    ("rate halved", 0): ("the bound knows the data only", "where in R and in the margin would a learning rate appear?"),
    ("rate halved", 1): ('misconception "a smaller learning rate makes more careful steps": from w = 0 it halves all weights, and no sign depends on that', "write down w after each correction, with both rates"),
    ("rate halved, other start", 0): ("the number (R / margin)^2 knows neither the start nor the rate", "the data have stayed as they were"),
    ("rate halved, other start", 1): ("half the rate now is the same as twice the start", "count the mistakes with start=1 and both rates, in several orders"),
}  # fmt: skip


def what_changes(answer: Mapping[str, Sequence[str]]) -> Feedback:
    """Exercise 6: for five changes, whether the bound and the number of mistakes stay the same or may change."""
    sheet = Sheet()
    if is_missing(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", f"give a dictionary with the keys {', '.join(_CHANGES)}")
        return sheet.hand_back()
    if all(is_missing(answer.get(key)) for key in _CHANGES):
        return sheet.not_yet()
    for key, wanted in _CHANGES.items():
        pair = answer.get(key)
        words = [_word(value) for value in pair] if isinstance(pair, (tuple, list)) else []
        if is_missing(pair):
            sheet.wrong(f"{key}: no answer yet")
            continue
        if len(words) != 2 or None in words:
            sheet.wrong(
                f"{key}: got {_shown(pair)}",
                'give a pair such as ("same", "may change"), first for the bound, then for the mistakes',
            )
            continue
        for place, what in enumerate(("the bound", "the mistakes")):
            if words[place] == wanted[place]:
                stays = "stay" if place else "stays"
                outcome = f"{stays} the same" if wanted[place] == "same" else "may change"
                sheet.right(f"{key}: {what} {outcome}")
            else:
                finding, hint = _WRONG_CHANGES[key, place]
                sheet.wrong(f"{key}: {finding}", hint)
    return sheet.hand_back()


def _word(value: object) -> str | None:
    """Return "same" or "may change", or ``None`` if it is neither."""
    text = " ".join(value.lower().split()) if isinstance(value, str) else ""
    return {"same": "same", "the same": "same", "may change": "may change", "changes": "may change"}.get(text)


def flowers() -> tuple[np.ndarray, np.ndarray]:
    """Exercise 6: petal lengths in centimetres and widths in tenths of a millimetre; t = 1 for setosa, else -1."""
    from sklearn.datasets import load_iris

    iris = load_iris()
    return iris.data[:, 2:] * [1, 100], np.where(iris.target == 0, 1.0, -1.0)


def margin_bound(rows: np.ndarray) -> float:
    """Exercise 6: (R / margin)^2 for rows t_i x_i, with the largest margin; infinite if no margin exists.

    The vector w of least length with ``rows @ w >= 1`` has the length 1 / margin. Lawson and Hanson, *Solving Least
    Squares Problems*, chapter 23, find it by non-negative least squares.
    """
    from scipy.optimize import nnls

    rows = np.asarray(rows, dtype=float)
    rows = rows / np.abs(rows).max()  # no factor changes the bound, and this one keeps the squares small
    rows = rows / np.sqrt((rows**2).sum(axis=1).max())
    system = np.vstack([rows.T, np.ones(len(rows))])
    target = np.append(np.zeros(rows.shape[1]), 1.0)
    rest = system @ nnls(system, target)[0] - target
    if abs(rest[-1]) < 1e-12:
        return math.inf
    w = -rest[:-1] / rest[-1]
    return float(w @ w) if (rows @ w).min() > 0.999 else math.inf


def width_factor(answer: float) -> Feedback:
    """Exercise 6: a factor for the widths that brings the bound below 1,000."""
    sheet = Sheet()
    if is_missing(answer):
        return sheet.not_yet()
    factor = as_number(answer)
    if factor is None or not math.isfinite(factor):
        sheet.wrong(f"got {_shown(answer)}", "give one number by which all widths are multiplied")
        return sheet.hand_back()
    x, t = flowers()
    with np.errstate(all="ignore"):
        found = quietly(
            lambda: margin_bound(t[:, None] * np.column_stack([np.ones(len(x)), x * [1, factor]]))
        )
    bound = found if isinstance(found, float) else math.inf
    if bound < 1000:
        sheet.right(
            f"with the widths times {factor:g} the bound is {bound:,.0f}, and was {_first_bound():,.0f}"
        )
        return sheet.hand_back()
    if factor == 0:
        hint = "the lengths alone separate setosa, with a smaller margin: let both inputs help"
        sheet.wrong(f"a factor of 0 throws the widths away; the bound is {bound:,.0f}", hint)
    elif factor == 1:
        sheet.wrong(
            f"a factor of 1 changes nothing; the bound is {bound:,.0f}",
            "the widths are much larger than the lengths and the 1",
        )
    elif abs(factor) > 1:
        hint = "they are the largest input already, and R grows with them: which factor makes all inputs about as large?"
        sheet.wrong(f"this makes the widths larger still: the bound is {bound:,.0f}", hint)
    elif abs(factor) > 0.02:
        sheet.wrong(
            f"the right direction, and not far enough: the bound is {bound:,.0f}",
            "which factor makes all inputs about as large?",
        )
    else:
        sheet.wrong(
            f"too far: the widths hardly count any more, and the bound is {bound:,.0f}",
            "which factor makes all inputs about as large?",
        )
    return sheet.hand_back()


def _first_bound() -> float:
    x, t = flowers()
    return margin_bound(t[:, None] * np.column_stack([np.ones(len(x)), x]))


# --- for all


def _called(sheet: Sheet, function: Callable, *arguments: object) -> tuple[object] | None:
    """Return what ``function`` returns as a tuple of one; ``None`` only if it raised, which the sheet then tells."""

    def wrapped(*given: object) -> tuple[object]:
        return (function(*given),)

    wrapped.__name__ = _name(function)
    return sheet.call(wrapped, *arguments)


def _name(function: object) -> str:
    name = quietly(getattr, function, "__name__", None)
    return name if isinstance(name, str) and name != "raised" else "your function"


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _shown(value: Any) -> str:
    """Return ``value`` in a few characters, whatever it is."""
    text = quietly(repr, value)
    text = text if isinstance(text, str) else type(value).__name__
    return text if len(text) <= 60 else text[:57] + "..."
