"""Checks for the exercises of chapter 2, on losses for classification."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from labs.checks import Feedback, Sheet, is_missing
from labs.checks.answers import as_number, as_tensor, quietly
from labs.training import calibration_error

Loss = Callable[[Tensor, Tensor], Tensor]

#: The four rows of exercise 1, five classes each; the true class of every row is the first.
ROWS = {
    "A": (2.0, 2.0, 2.0, 2.0, 2.0),
    "B": (0.0, 2.5, -4.0, -4.0, -4.0),
    "C": (3.0, 2.0, 2.0, 2.0, 2.0),
    "D": (3.0, 2.5, -3.0, -3.0, -3.0),
}

#: The scores of exercise 2: cat and dog stay, that of the bird, the true class, may be moved.
CAT, DOG = 1.0, 3.2


# --- exercise 1: four rows


def which_row(answer: Mapping[str, object]) -> Feedback:
    """Exercise 1: which row has the largest and smallest of each loss, and where is a loss exactly zero?"""
    sheet = Sheet()
    wanted = {
        "largest hinge": "A", "largest cross-entropy": "B", "smallest cross-entropy": "D",
        "hinge exactly zero": "C", "cross-entropy exactly zero": "",
    }  # fmt: skip
    if is_missing(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", f"give a dictionary with the keys {', '.join(wanted)}")
        return sheet.hand_back()
    given = {key: answer.get(key, ...) for key in wanted}
    if all(is_missing(value) for value in given.values()):
        return sheet.not_yet()
    praise = {
        "largest hinge": "A has the largest hinge loss: four ties cost 1 each",
        "largest cross-entropy": "B has the largest cross-entropy: the true class has the smallest share there",
        "smallest cross-entropy": "D has the smallest cross-entropy: one close rival is less than four at a distance of 1",
        "hinge exactly zero": "the hinge loss is exactly zero for C alone: each margin is 1, and that is enough",
        "cross-entropy exactly zero": "the cross-entropy is exactly zero for no row",
    }
    mistakes = {
        "largest hinge": {
            "B": ("B has the largest single term of the hinge loss, 3.5, but not the largest sum", "the four terms of A are all the same: how large is each?"),
        },
        "largest cross-entropy": {
            "A": ("A has the largest hinge loss, not the largest cross-entropy: the two losses rank differently", "in A the true class has a share of 1/5; in B its odds against the second class alone are exp(-2.5)"),
        },
        "smallest cross-entropy": {
            "C": ('misconception "the smaller hinge, the smaller cross-entropy": C has the smaller hinge loss, D the smaller cross-entropy', "compare the sums of exp(s_j - s_y) over the wrong classes: 4 exp(-1) against little more than exp(-0.5)"),
        },
        "hinge exactly zero": {
            "CD": ('misconception "a right answer costs nothing": D is right, but its nearest rival is only 0.5 below', "zero needs a margin of at least 1 against each wrong class"),
            "": ("a margin of exactly 1 is enough", "max(0, 2 - 3 + 1) is zero: look at row C"),
            "D": ("D is right, but its nearest rival is only 0.5 below", "zero needs a margin of at least 1 against each wrong class"),
        },
        "cross-entropy exactly zero": {
            key: ('misconception "a right answer costs nothing": the cross-entropy is never exactly zero', "-ln p is zero only for p = 1, and a softmax of finite scores leaves something for every class")
            for key in ("C", "D", "CD")
        },
    }  # fmt: skip
    for key, right in wanted.items():
        letters = _letters(given[key])
        if is_missing(given[key]):
            sheet.wrong(f"{key}: no answer yet")
        elif letters is None:
            sheet.wrong(
                f"{key}: got {_shown(given[key])}", 'give letters, such as "A" or ["A", "B"], or [] for none'
            )
        elif letters == right:
            sheet.right(praise[key])
        else:
            first = "for one class after the other: what is max(0, s_j - s_y + 1)?"
            hint = (
                first
                if "hinge" in key
                else "the share of the true class decides: exp(s_y) over the sum of all five"
            )
            sheet.wrong(*mistakes[key].get(letters, (f"{key}: not {letters or 'none'}", hint)))
    return sheet.hand_back()


def _letters(value: object) -> str | None:
    """Return "CD" for "CD", "d, c", ["C", "D"] or {"D", "C"}; "" for an empty list; ``None`` for anything else."""
    if isinstance(value, str):
        value = (
            [letter for letter in value if letter not in " ,"]
            if value.strip().lower() not in ("none", "no")
            else []
        )
    if not isinstance(value, (list, tuple, set, frozenset)):
        return None
    letters = {letter.strip().upper() if isinstance(letter, str) else None for letter in value}
    return "".join(sorted(letters)) if letters <= set(ROWS) else None


# --- exercise 2: change one score


def score_without_hinge(answer: float) -> Feedback:
    """Exercise 2: the smallest score of the bird at which its hinge loss is zero."""
    mistakes = (
        (DOG, "there the bird is level with the dog, and the dog still costs 1", "the margin has to be 1 against every wrong class"),
        (CAT + 1, "this keeps the margin against the cat alone", "the nearest rival is the dog"),
        (CAT + DOG + 2, "this adds up the margins", "each rival has its own margin; the same score can keep both"),
        (CAT + DOG + 1, "this adds up the scores of the rivals", "each rival has its own term in the hinge loss"),
    )  # fmt: skip
    hint = "set both terms, max(0, 1.0 - s + 1) and max(0, 3.2 - s + 1), to zero"
    return _one_score(
        answer, DOG + 1, "at 4.2 the nearest rival, the dog, is exactly 1 below", mistakes, hint
    )


def score_for_one_half(answer: float) -> Feedback:
    """Exercise 2: the score of the bird at which its softmax is one half."""
    mistakes = (
        (DOG, "level with the dog is not one half: the cat takes its share too", "the exponential of the bird has to equal the sum of the other two"),
        (DOG + 1, "at 4.2 the hinge loss is zero, and the share of the bird is 0.71", "softmax knows no margin; and the scores of the rivals do not add up, their exponentials do"),
        ((CAT + DOG) / 2, "this is the mean of the rivals", "the exponential of the bird has to equal the sum of the other two"),
        (math.exp(CAT) + math.exp(DOG), "this is exp(s), not s", "take the logarithm"),
        (math.log((math.exp(CAT) + math.exp(DOG)) / 2), "this makes the bird the mean of the others, a share of one third", "the exponential of the bird has to equal their sum"),
    )  # fmt: skip
    praise = "one half is where the bird equals the log-sum-exp of the others, a little above the dog"
    hint = "p = exp(s) / (exp(s) + exp(1.0) + exp(3.2)); set it to 1/2 and solve for s"
    return _one_score(answer, _rivals(), praise, mistakes, hint)


def score_for_nine_tenths(answer: float) -> Feedback:
    """Exercise 2: the score of the bird at which its softmax is nine tenths."""
    rivals = _rivals()
    mistakes = (
        (rivals + math.log(0.9), "there the share of the bird is 0.47, below one half", "neither level with the dog nor 0.9 times the others is 0.9 of the whole: the odds are 0.9 to 0.1"),
        (rivals - math.log(9), "there the bird has one tenth", "the odds are nine to one for the bird"),
        (rivals + math.log10(9), "the logarithm is the natural one", "softmax has base e"),
        (rivals + 9, "odds multiply the exponential, and add their logarithm to the score", "nine times as much is ln 9 more"),
        (rivals * 1.8, "probabilities do not grow in proportion to scores", "write down the odds p / (1 - p) and take the logarithm"),
        (DOG + math.log(9), "that is nine to one against the dog alone", "the cat takes its share too"),
        (rivals, "there the bird has one half", "which odds does nine tenths mean?"),
    )  # fmt: skip
    praise = "nine tenths is nine to one against the others together, ln 9 above one half"
    hint = "odds p / (1 - p) of 9 are a difference of ln 9 against the log-sum-exp of the others"
    return _one_score(answer, rivals + math.log(9), praise, mistakes, hint)


def _rivals() -> float:
    """Return the log-sum-exp of the scores of cat and dog."""
    return math.log(math.exp(CAT) + math.exp(DOG))


def _one_score(
    answer: object, right: float, praise: str, mistakes: Iterable[tuple[float, str, str]], hint: str
) -> Feedback:
    """Compare one number with the right one and with those we know; two decimals are enough."""
    sheet = Sheet()
    if is_missing(answer):
        return sheet.not_yet()
    number = as_number(answer)
    if number is None or not math.isfinite(number):
        sheet.wrong(f"got {_shown(answer)}", "give one number, with two decimals")
    elif abs(number - right) < 0.011:
        sheet.right(praise)
    else:
        known = [(finding, advice) for wrong, finding, advice in mistakes if abs(number - wrong) < 0.011]
        sheet.wrong(*(known or [(f"it is not {number:g}", hint)])[0])
    return sheet.hand_back()


# --- exercise 3: a cross-entropy that survives


def cross_entropy(function: Loss) -> Feedback:
    """Exercise 3: the cross-entropy of each row of scores, also far from zero."""
    sheet = Sheet()
    scores = torch.tensor([[3.0, 1.0, -2.5], [3.0, -5.0, 1.5], [1.0, 3.2, -5.0], [0.5, 0.2, 0.1]])
    labels = torch.tensor([1, 0, 2, 2])
    if is_missing(function) or is_missing(quietly(function, scores.clone(), labels.clone())):
        return sheet.not_yet()
    mine = scores.clone()
    result = as_tensor(sheet.call(function, mine, labels.clone()))
    if result is None:
        sheet.wrong("that is no tensor of numbers", "return one loss per row, a tensor of shape (N,)")
        return sheet.hand_back()
    wanted = _losses(scores, labels)
    if not _close(result, wanted):
        sheet.wrong(*_loss_mistake(result, scores, labels))
        return sheet.hand_back()
    sheet.right("the three images of the chapter, and a fourth, one loss per row")
    if not torch.equal(mine, scores):
        sheet.wrong(
            "your function changed the scores it was given",
            "write scores - m, which makes a new tensor, not scores -= m",
        )
    overflow = "exp(1000) is inf, and inf / inf is nan: subtract the largest score of the row first"
    late = "its probability underflows to zero, and ln 0 is not finite: take ln of the sum of exponentials, and subtract s_y, with no probability in between"
    trials = (
        ("a single row", [[0.2, -0.3]], [1], "use dim=1 and keep the shape (N,), also for N = 1"),
        ("ten classes, and more classes than rows", [[0.1 * k * k for k in range(10)], [1.0] * 10], [3, 9], "one sum over the classes for each row: dim=1"),
        ("a score of 1000", [[1000.0, 999.0, 0.0]], [1], overflow),
        ("all scores at -1000", [[-1000.0, -999.0, -1002.0]], [0], "every exponential is zero there: subtract the largest score of the row, not its size"),
        ("a true class 1000 below the highest", [[1000.0, 999.0, 0.0]], [2], late),
        ("a true class 300 below the highest", [[300.0, 0.0]], [1], "a small number added inside the logarithm caps the loss: " + late),
        ("1000 and -1000 in the same batch", [[1000.0, 999.0], [-1000.0, -999.0]], [0, 0], "each row needs its own shift: its own largest score, dim=1"),
        ("a confident right answer costs nothing", [[1000.0, -1000.0]], [0], overflow),
    )  # fmt: skip
    for promise, rows, true, hint in trials:
        found = as_tensor(sheet.call(function, torch.tensor(rows), torch.tensor(true)))
        if found is not None and _close(found, _losses(torch.tensor(rows), torch.tensor(true))):
            sheet.right(promise)
        else:
            sheet.wrong(promise, hint)
    return sheet.hand_back()


def _losses(scores: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(scores.double(), labels, reduction="none")


def _loss_mistake(result: Tensor, scores: Tensor, labels: Tensor) -> tuple[str, str]:
    """Return finding and hint for a cross-entropy that is wrong already for small scores."""
    s, wanted = scores.double(), _losses(scores, labels)
    p, rows = s.softmax(dim=1), range(len(s))
    true, lse = s[rows, labels], s.logsumexp(dim=1)
    if result.numel() == 1:
        return "one number for the whole batch", "leave out the mean: one loss per row, shape (N,)"
    if result.shape == (len(s), len(s)):
        return (
            "every row with every label",
            "scores[:, labels] pairs all with all; take scores.gather(1, labels[:, None])",
        )
    if result.shape == (len(s), 1):
        return (
            "the shape is (N, 1)",
            "take the last dimension off with .squeeze(1): (N, 1) minus (N,) would give (N, N)",
        )
    if result.shape != wanted.shape:
        return f"the shape is {tuple(result.shape)}", f"one loss per row: {tuple(wanted.shape)} for these"
    hinge = F.multi_margin_loss(s, labels, reduction="none") * s.shape[1]
    known = (
        (-wanted, "the sign is turned round", "a probability below 1 has a negative logarithm; a loss is its negative"),
        (p[rows, labels], "these are the probabilities of the true classes", "and the loss is the negative logarithm of them"),
        (wanted / math.log(2), "these are bits", "torch.log is the natural logarithm; nats are asked for"),
        (lse, "this is the log-sum-exp alone", "subtract the score of the true class"),
        (lse - s.amax(dim=1) - true, "the shift was not added back", "ln sum exp(s) = m + ln sum exp(s - m)"),
        (true - s.amax(dim=1), "this compares with the hard maximum", "the log-sum-exp is the soft one"),
        (s.amax(dim=1) - true, "this compares with the hard maximum", "the log-sum-exp is the soft one"),
        (-s.softmax(dim=0).log()[rows, labels], "the softmax runs over the examples", "the classes of one row compete: dim=1"),
        (_losses(p, labels), 'misconception "a softmax first": this is a softmax twice', "the loss takes scores, and contains the softmax"),
        (lse - s[:, 0], "this takes the first class for the true one in every row", "use labels"),
        (hinge, "this is the hinge loss", "cross-entropy: ln sum exp(s_j) - s_y"),
        ((1 - p[rows, labels]).log().neg(), "this is -ln(1 - p)", "the surprise is that of the class that is true"),
    )  # fmt: skip
    for wrong, finding, hint in known:
        if _close(result, wrong):
            return finding, hint
    found = [round(value, 2) for value in result.flatten().tolist()[:4]]
    return (
        f"got {found}, wanted {[round(value, 2) for value in wanted.tolist()]}",
        "ln sum exp(s_j) - s_y, row by row",
    )


# --- exercise 4: three gradients

_SCORES = ([3.0, 1.0, -2.5], [0.0, 0.0, 0.0], [-1.0, 0.5, 2.0, 0.3], [6.0, -6.0])
_SOFT = ([0.2, 0.7, 0.1], [0.5, 0.25, 0.25], [0.1, 0.2, 0.3, 0.4], [0.1, 0.9])
_HARD = ([0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 1.0])


def gradients(function: Callable[[Tensor, Tensor, float], Sequence[Tensor]]) -> Feedback:
    """Exercise 4: three gradients at the scores, for a soft target, with a temperature, and of the squared error."""
    example = (torch.tensor(_SCORES[0]).double(), torch.tensor(_SOFT[0]).double(), 2.0)
    parts = _parts(function, 3, example, "return three gradients, such as `return a, b, c`")
    if isinstance(parts, Feedback):
        return parts
    soft, warm, squared = parts
    return _together(
        soft_target_gradient(lambda s, q: soft(s, q, 1.0)),
        temperature_gradient(warm),
        squared_gradient(lambda s, q: squared(s, q, 1.0)),
    )


def soft_target_gradient(function: Callable[[Tensor, Tensor], Tensor]) -> Feedback:
    """Exercise 4a: the gradient of the cross-entropy at the scores, for a target that is a distribution."""

    def hardened(s: Tensor, q: Tensor) -> Tensor:
        return s.softmax(0) - F.one_hot(q.argmax(), len(q))

    mistakes = (
        (lambda s, q: q - s.softmax(0), "the sign is turned round", "training steps against the gradient, so a class that has too little probability needs a negative entry"),
        (hardened, "this makes the soft target hard", "each q_k enters with its size, not only the largest"),
        (lambda s, q: -q / s.softmax(0), "this is the gradient at the probabilities", "go on to the scores: the chain rule with the slope of the softmax"),
        (lambda s, q: s - q, "this compares scores with probabilities", "put the scores through the softmax"),
        (lambda s, q: s.softmax(0), "this leaves the target out", "differentiate the sum over k of q_k (ln sum exp(s_j) - s_k)"),
        (lambda s, q: q * (s.softmax(0) - 1), "this takes the entry of the true class for every class", "the log-sum-exp depends on every score, whatever its q_k"),
        (lambda s, q: (s.softmax(0) - q) * s.softmax(0) * (1 - s.softmax(0)), "the slope of the softmax is in there twice", "with -q_j / p_j the slope cancels"),
    )  # fmt: skip
    cases = [*zip(_SCORES, _SOFT, strict=True), *zip(_SCORES, _HARD, strict=True)]
    praise = (
        "p - q for soft targets: what I said minus what was right",
        "and for one-hot targets, which are a special case",
    )
    hint = "L = ln sum exp(s_j) - sum of q_k s_k, since the q_k add up to one; differentiate both parts"
    return _gradient(function, cases, lambda s, q: s.softmax(0) - q, praise, mistakes, hint, "soft target")


def temperature_gradient(function: Callable[[Tensor, Tensor, float], Tensor]) -> Feedback:
    """Exercise 4b: the gradient at the scores of the cross-entropy of a softmax with temperature T."""

    def p(s: Tensor, t: float) -> Tensor:
        return (s / t).softmax(0)

    mistakes = (
        (lambda s, q, t: p(s, t) - q, "the inner derivative is missing", "the scores enter as s_k / T: what does the chain rule add?"),
        (lambda s, q, t: s.softmax(0) - q, "the temperature does nothing here", "p is the softmax of s / T, and the chain rule adds a factor"),
        (lambda s, q, t: (s.softmax(0) - q) / t, "the softmax has lost its temperature", "p is the softmax of s / T"),
        (lambda s, q, t: (p(s, t) - q) * t, "the factor is upside down", "the derivative of s / T with respect to s is 1 / T"),
        (lambda s, q, t: (p(s, t) - q) / t**2, "one factor 1 / T too many", "it comes from the inner derivative once"),
        (lambda s, q, t: (p(s, 1 / t) - q) * t, "this multiplies the scores by T", "temperature divides: a large T flattens"),
        (lambda s, q, t: (q - p(s, t)) / t, "the sign is turned round", "p - q, not q - p"),
    )  # fmt: skip
    cases = [(s, q, t) for s, q, t in zip(_SCORES, _SOFT, (2.0, 0.5, 3.0, 1.0), strict=True)]
    cases += [(_SCORES[0], _HARD[0], 0.25), (_SCORES[2], _HARD[2], 10.0)]
    praise = ("(p - q) / T, with p at the temperature", "the hotter, the weaker the push")
    hint = "write u = s / T, find the gradient at u, and go on to s"
    return _gradient(
        function, cases, lambda s, q, t: (p(s, t) - q) / t, praise, mistakes, hint, "temperature"
    )


def squared_gradient(function: Callable[[Tensor, Tensor], Tensor]) -> Feedback:
    """Exercise 4c: the gradient at the scores of half the squared error between softmax and target."""

    def right(s: Tensor, q: Tensor) -> Tensor:
        p = s.softmax(0)
        return p * (p - q - ((p - q) * p).sum())

    def diagonal(s: Tensor, q: Tensor) -> Tensor:
        p = s.softmax(0)
        return (p - q) * p * (1 - p)

    mistakes = (
        (lambda s, q: s.softmax(0) - q, 'misconception "every loss has the gradient p - y": this is the gradient at the probabilities, or that of the cross-entropy', "the chain rule still has to pass the softmax, and here nothing cancels its slope"),
        (diagonal, 'misconception "a softmax is a sigmoid per class": this takes the slope of the softmax for p (1 - p)', "p_j depends on every score: sum over j, with dp_j / ds_k = p_j ([j = k] - p_k)"),
        (lambda s, q: 2 * right(s, q), "twice too large", "the loss is halved"),
        (lambda s, q: -right(s, q), "the sign is turned round", "p - q, not q - p"),
        (lambda s, q: s.softmax(0) * (s.softmax(0) - q), "the sum over the other classes is missing", "dp_j / ds_k = p_j ([j = k] - p_k) has a second part, for every j"),
        (lambda s, q: right(s, q) / 2, "half of what is needed", "the 1/2 of the loss and the 2 of the square cancel"),
    )  # fmt: skip
    cases = [*zip(_SCORES, _SOFT, strict=True), *zip(_SCORES, _HARD, strict=True)]
    praise = (
        "p_k times (error of k minus the mean error under p)",
        "nearly zero for a confident mistake, as in the last row",
    )
    hint = "sum over j of (p_j - q_j) p_j ([j = k] - p_k), for each k"
    return _gradient(function, cases, right, praise, mistakes, hint, "squared error")


def _gradient(
    function: Callable[..., Tensor],
    cases: Sequence[tuple[Any, ...]],
    right: Callable[..., Tensor],
    praise: Sequence[str],
    mistakes: Sequence[tuple[Callable[..., Tensor], str, str]],
    hint: str,
    which: str,
) -> Feedback:
    """Compare a student's gradient with the right one on all cases, and if it differs with the mistakes we know."""
    sheet = Sheet()

    def fresh() -> list[list[Any]]:
        return [
            [torch.tensor(a, dtype=torch.float64) if isinstance(a, list) else a for a in case]
            for case in cases
        ]

    if is_missing(function) or is_missing(quietly(function, *fresh()[0])):
        return sheet.not_yet()
    found = []
    for case in fresh():
        found.append(as_tensor(sheet.call(function, *case)))
        if found[-1] is None or found[-1].shape != case[0].shape:
            shape = "no tensor of numbers" if found[-1] is None else f"the shape {tuple(found[-1].shape)}"
            sheet.wrong(f"{which}: for {len(case[0])} scores this gives {shape}", "give one entry per score")
            return sheet.hand_back()

    def agrees(candidate: Callable[..., Tensor]) -> bool:
        return all(_close(f, candidate(*case).double()) for f, case in zip(found, fresh(), strict=True))

    if agrees(right):
        for finding in praise:
            sheet.right(f"{which}: {finding}")
        return sheet.hand_back()
    for wrong, finding, advice in mistakes:
        if agrees(wrong):
            sheet.wrong(f"{which}: {finding}", advice)
            return sheet.hand_back()
    sums = [abs(float(f.sum())) for f in found]
    if not max(sums) < 1e-5:
        sheet.wrong(
            f"{which}: the entries do not add up to zero",
            "raising all scores by the same amount changes no probability; " + hint,
        )
    else:
        sheet.wrong(
            f"{which}: the entries add up to zero, as they should, but they are not the gradient", hint
        )
    return sheet.hand_back()


# --- exercise 5: one temperature


def mend(
    function: Callable[[tuple[Tensor, Tensor], tuple[Tensor, Tensor]], Sequence[float]],
) -> Feedback:
    """Exercise 5: from held-out and test (logits, labels) the temperature, both calibration errors and the changes."""
    held_out, test = _drawn(2.5, 10), _drawn(4.0, 11)
    parts = _parts(function, 4, (held_out, test), "return temperature, error before, error after, changes")
    if isinstance(parts, Feedback):
        return parts
    chosen = best_temperature(lambda z, y: parts[0]((z, y), (z.clone(), y.clone())))
    return _together(chosen, mended([quietly(part, held_out, test) for part in parts], held_out, test))


def best_temperature(function: Callable[[Tensor, Tensor], float]) -> Feedback:
    """Exercise 5: the temperature between 0.1 and 10 at which the cross-entropy is smallest, to within 0.1."""
    sheet = Sheet()
    trials = [_drawn(true, seed) for seed, true in enumerate((2.5, 1.4, 0.6, 4.0))]
    names = (
        "over-confident scores",
        "scores that are a little too sure",
        "scores that are not sure enough: T below 1",
        "scores that are far too sure",
    )
    if is_missing(function) or is_missing(quietly(function, *(part.clone() for part in trials[0]))):
        return sheet.not_yet()
    given = [as_number(sheet.call(function, z.clone(), y.clone())) for z, y in trials]
    if any(number is None for number in given):
        sheet.wrong("that is not one number", "return the temperature as a float")
        return sheet.hand_back()
    best = [_right_temperature(z, y) for z, y in trials]

    def agrees(wanted: Sequence[float], within: float = 0.1) -> bool:
        return all(abs(g - w) <= within for g, w in zip(given, wanted, strict=True))

    at_best = [_loss_at(t, z, y) for t, (z, y) in zip(best, trials, strict=True)]
    if not agrees(best):
        known = (
            ([1 / t for t in best], "this multiplies the scores by the temperature", "the scores are divided by T: logits / T"),
            ([max(t, 1.0) for t in best], "right where T is above 1, but T may be below it", "look between 0.1 and 10"),
            ([1.0] * len(best), "this leaves every score as it is", "try many temperatures, and keep the one with the smallest loss"),
            ([_best_calibrated(z, y) for z, y in trials], "this minimises the calibration error", "that error jumps from bin to bin, and is not what was asked for: minimise the cross-entropy"),
            (at_best, "this is the smallest loss, not the temperature at which it is reached", "return the T, not the value"),
        )  # fmt: skip
        for wanted, finding, hint in known:
            if agrees(wanted, 0.02 if wanted is at_best else 0.1):
                sheet.wrong(finding, hint)
                return sheet.hand_back()
        if max(given) - min(given) < 0.01:
            hint = "the accuracy is the same for every T, so it cannot choose; and against its own decisions a classifier is best cold: take the cross-entropy with the labels"
            sheet.wrong(f"always {given[0]:.2f}, whatever the scores and labels", hint)
            return sheet.hand_back()
    for name, g, t, (z, y), lowest in zip(names, given, best, trials, at_best, strict=True):
        if abs(g - t) <= 0.1:
            sheet.right(name)
        elif not (math.isfinite(g) and g > 0):
            sheet.wrong(f"{name}: {g} is no temperature", "a temperature is positive")
        else:
            here = (
                f"at T = {g:.2f} the loss is {_loss_at(g, z, y):.3f} nats, and there is a T with {lowest:.3f}"
            )
            sheet.wrong(
                f"{name}: {here}",
                "minimise F.cross_entropy(logits / T, labels) over many T between 0.1 and 10",
            )
    return sheet.hand_back()


def _drawn(temperature: float, seed: int) -> tuple[Tensor, Tensor]:
    """Return scores, and labels drawn from their softmax at ``temperature``."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(500, 4, generator=generator) * 3 * max(temperature, 0.4) ** 0.5
    return logits, (logits / temperature).softmax(dim=1).multinomial(1, generator=generator).squeeze(1)


def _loss_at(temperature: float, logits: Tensor, labels: Tensor) -> float:
    return float(F.cross_entropy(logits.double() / temperature, labels))


def _best_calibrated(logits: Tensor, labels: Tensor) -> float:
    return min((0.1 * i for i in range(1, 101)), key=lambda t: calibration_error(logits / t, labels))


def _right_temperature(logits: Tensor, labels: Tensor) -> float:
    """Return the temperature of smallest loss: the loss is convex in 1/T, so its slope there is bisected."""
    z = logits.double()
    true = z.gather(1, labels[:, None]).mean()
    low, high = 0.1, 10.0
    for _ in range(50):
        middle = (low * high) ** 0.5
        slope = ((z / middle).softmax(dim=1) * z).sum(dim=1).mean() - true  # of the loss, with respect to 1/T
        low, high = (low, middle) if slope < 0 else (middle, high)
    return low


def mended(answer: Sequence[float], held_out: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]) -> Feedback:
    """Exercise 5: temperature, calibration error on the test examples before and after, and decisions it changed."""
    sheet = Sheet()
    if is_missing(answer):
        return sheet.not_yet()
    values = quietly(list, answer) if hasattr(answer, "__len__") else []
    if isinstance(values, list) and values and all(is_missing(value) for value in values):
        return sheet.not_yet()
    given = [as_number(value) for value in values] if isinstance(values, list) else []
    if len(given) != 4 or any(value is None or not math.isfinite(value) for value in given):
        sheet.wrong(
            f"got {_shown(answer)}",
            "give four numbers: temperature, error before, error after, decisions changed",
        )
        return sheet.hand_back()
    temperature, before, after, changed = given
    try:
        wanted, on_test = _right_temperature(*held_out), _right_temperature(*test)
        plain = calibration_error(*test)
    except Exception:
        sheet.wrong(
            "logits and labels do not fit together",
            "give (logits, labels) of the held-out and of the test examples",
        )
        return sheet.hand_back()
    if abs(temperature - wanted) <= 0.1:
        sheet.right("the temperature is the best one for the held-out examples")
    elif abs(temperature - on_test) <= 0.1:
        sheet.wrong(
            "this temperature was chosen on the test examples",
            "then they cannot judge it any more: choose it on the held-out ones",
        )
    else:
        sheet.wrong(
            f"{temperature:.2f} is not the best temperature for the held-out examples",
            "use your function on the held-out logits and labels",
        )
    _judge_error(sheet, "before", before, plain, test, held_out, 1.0)
    if temperature > 0:
        wanted_after = calibration_error(test[0] / temperature, test[1])
        _judge_error(sheet, "after", after, wanted_after, test, held_out, temperature)
    decided, truth = test[0].argmax(dim=1), test[1]
    if changed == 0:
        sheet.right("not one decision has changed: dividing by T keeps the order of the scores")
    elif changed in (float((decided != truth).sum()), float((decided == truth).sum())):
        sheet.wrong("this counts by the labels", "compare the decisions before with the decisions after")
    else:
        sheet.wrong(
            'misconception "a better calibrated network decides differently"',
            "which score is the highest after all have been divided by T?",
        )
    return sheet.hand_back()


def _judge_error(
    sheet: Sheet, when: str, given: float, wanted: float, test: tuple[Tensor, Tensor],
    held_out: tuple[Tensor, Tensor], temperature: float,
) -> None:  # fmt: skip
    """Note whether a calibration error is that of the test examples at a temperature."""
    if abs(given - wanted) < 6e-3:
        sheet.right(f"the calibration error {when}: {wanted:.2f}")
        return
    known = (
        (calibration_error((test[0] / temperature).softmax(dim=1), test[1]), 'misconception "a softmax first": these are probabilities, put through a second softmax', "calibration_error takes logits"),
        (calibration_error(test[0] * temperature, test[1]), "the scores are multiplied by the temperature", "logits / T"),
        (calibration_error(held_out[0] / temperature, held_out[1]), "this is the error on the held-out examples", "those chose the temperature; judge it on the test examples"),
        (100 * wanted, "this is in per cent", "give a fraction from 0 to 1"),
        (_loss_at(temperature, *test), "this is the cross-entropy", "calibration_error(logits, labels)"),
    )  # fmt: skip
    for wrong, finding, hint in known:
        if abs(given - wrong) < 6e-3 * max(1.0, wrong):
            sheet.wrong(f"error {when}: {finding}", hint)
            return
    sheet.wrong(
        f"error {when}: {given:.3f} is not it",
        "calibration_error(logits / T, labels), on the test examples; T = 1 is before",
    )


# --- exercise 6: a softmax too many


def double_softmax(function: Callable[[Tensor, Tensor], tuple[float, Tensor, Tensor]]) -> Feedback:
    """Exercise 6: the smallest loss behind a softmax too many, and the length of the gradient without it and with it."""
    parts = _parts(
        function,
        3,
        (torch.tensor([[0.0, 8.0, -1.0], [2.0, 1.0, 0.0]]), torch.tensor([0, 0])),
        "return the smallest loss, the lengths for one softmax, and those for two",
    )
    if isinstance(parts, Feedback):
        return parts
    smallest, once, twice = parts
    return _together(
        smallest_double_loss(lambda c: smallest(torch.zeros(2, c), torch.tensor([0, 1]))),
        gradient_length(lambda loss, s, y: (once if loss is F.cross_entropy else twice)(s, y)),
    )


def smallest_double_loss(function: Callable[[int], float]) -> Feedback:
    """Exercise 6: the smallest cross-entropy that C classes can have if a softmax too many stands in front."""
    sheet = Sheet()
    cases = (10, 2, 3, 1000)
    if is_missing(function) or is_missing(quietly(function, cases[0])):
        return sheet.not_yet()
    given = [as_number(sheet.call(function, c)) for c in cases]
    if any(number is None for number in given):
        sheet.wrong("that is not one number", "return the smallest loss, in nats, for a number of classes")
        return sheet.hand_back()
    e = math.e
    mistakes = (
        (lambda c: 0.0, 'misconception "a perfect answer costs nothing": the loss cannot reach zero', "it sees scores between 0 and 1, the true one at most 1 above the rest"),
        (lambda c: math.log(c), "that is the loss of an undecided network", "how low does it get if the first softmax is one-hot on the true class?"),
        (lambda c: math.log(e + c - 1), "that is the largest loss, for a one-hot mistake", "put the one on the true class: what is s_y then?"),
        (lambda c: math.log(e + c) - 1, "one class too many", "one class has the score 1, and C - 1 have the score 0"),
        (lambda c: math.log(1 + c) - 1, "exp(1) is e, not 1", "one class has the score 1, and C - 1 have the score 0: exp of these"),
        (lambda c: e / (e + c - 1), "that is the largest probability", "and the loss is its negative logarithm"),
        (lambda c: 1 - math.log(e + c - 1), "the sign is turned round", "a loss is not negative"),
        (lambda c: math.log(e + 9) - 1, "right for ten classes only", "let C enter"),
        (lambda c: math.log2(e + c - 1) - math.log2(e), "these are bits", "use the natural logarithm"),
        (lambda c: math.log(1 + (c - 1) * math.exp(-2)), "the scores lie between 0 and 1, not between -1 and 1", "a one-hot vector has zeros"),
    )  # fmt: skip

    def agrees(candidate: Callable[[int], float]) -> bool:
        return all(abs(g - candidate(c)) < 6e-3 for g, c in zip(given, cases, strict=True))

    if agrees(lambda c: math.log(e + c - 1) - 1):
        sheet.right("1.46 nats for ten classes, for an answer that could not be better")
        sheet.right("0.31 nats for two, and nearly the ln C of an undecided network for a thousand")
        return sheet.hand_back()
    hint = "the loss sees the scores 1, 0, ..., 0 at best: put them into ln sum exp(s_j) - s_y"
    found = [(finding, advice) for wrong, finding, advice in mistakes if agrees(wrong)]
    shown = ", ".join(f"{g:.3g}" for g in given)
    sheet.wrong(*(found or [(f"for {', '.join(map(str, cases))} classes this gives {shown}", hint)])[0])
    return sheet.hand_back()


def gradient_length(function: Callable[[Loss, Tensor, Tensor], Tensor]) -> Feedback:
    """Exercise 6: for each row, the length of the gradient of a loss at its scores, without and with a softmax too many."""
    sheet = Sheet()
    scores = torch.tensor([[0.0, 8.0, -1.0], [2.0, 1.0, 0.0], [0.5, 0.0, 0.3], [-3.0, 3.0, 4.0]])
    labels = torch.tensor([0, 0, 2, 1])
    if is_missing(function) or is_missing(quietly(function, F.cross_entropy, scores.clone(), labels.clone())):
        return sheet.not_yet()
    mine = scores.clone()
    found = as_tensor(sheet.call(function, F.cross_entropy, mine, labels.clone()))
    if found is None or found.shape != (4,):
        joint = found is not None and found.numel() == 1
        sheet.wrong(
            "one length for the whole batch" if joint else "that is not one number per row",
            "norm(dim=1) gives one length per row, shape (N,)",
        )
        return sheet.hand_back()
    p, y = scores.double().softmax(dim=1), F.one_hot(labels, 3).double()
    wanted = (p - y).norm(dim=1)
    twice = _lengths(_double, scores, labels)
    known = (
        (wanted / 4, "the gradient of a mean over N rows is N times too short", "give each row a loss of its own: multiply by N, or go row by row"),
        (wanted**2, "this is the square of the length", "take the root"),
        ((p - y).abs().sum(dim=1), "this adds up the sizes of the entries", "the length is the root of the sum of squares"),
        ((p - y).sum(dim=1), "this adds up the entries, which cancel", "norm(dim=1)"),
        ((p - y).abs().amax(dim=1), "this is the largest entry", "the length is the root of the sum of squares"),
        ((y / p).norm(dim=1), "this is the gradient at the probabilities", "ask for the gradient at the scores"),
        (_losses(scores, labels), "this is the loss itself", "backward(), and then .grad"),
        (twice, "these are the lengths with a softmax too many", "without it first: F.cross_entropy of the scores as they are"),
    )  # fmt: skip
    if not _close(found, wanted):
        hint = "s = scores.clone().requires_grad_(), then the loss of each row, backward(), s.grad"
        mistakes = [(finding, advice) for wrong, finding, advice in known if _close(found, wrong)]
        sheet.wrong(
            *(
                mistakes
                or [
                    (
                        f"got {[round(v, 3) for v in found.tolist()]}, wanted {[round(v, 3) for v in wanted.tolist()]}",
                        hint,
                    )
                ]
            )[0]
        )
        return sheet.hand_back()
    sheet.right("the cross-entropy of four rows")
    if not torch.equal(mine, scores) or mine.requires_grad or mine.grad is not None:
        sheet.wrong("your function changed the scores it was given", "work on scores.clone()")
    trials = (
        ("a softmax too many", _double, scores, labels, "F.cross_entropy(s.softmax(dim=1), labels), and the gradient at s, not at the probabilities"),
        ("a softmax too many, and a single row", _double, scores[:1], labels[:1], "the factor N is the number of rows, not a constant"),
        ("a single row", F.cross_entropy, scores[:1], labels[:1], "the factor N is the number of rows, not a constant"),
        ("seven rows", F.cross_entropy, torch.linspace(-2, 3, 14).reshape(7, 2), torch.tensor([0, 1, 0, 1, 1, 0, 0]), "the factor N is the number of rows, not a constant"),
    )  # fmt: skip
    for promise, loss, s, t, hint in trials:
        result = as_tensor(sheet.call(function, loss, s.clone(), t.clone()))
        if result is not None and _close(result, _lengths(loss, s, t)):
            sheet.right(promise)
        else:
            sheet.wrong(promise, hint)
    return sheet.hand_back()


def _double(scores: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(scores.softmax(dim=1), labels)


def _lengths(loss: Loss, scores: Tensor, labels: Tensor) -> Tensor:
    """Return the length of the gradient of ``loss`` at each row, taken alone."""
    s = scores.detach().double().requires_grad_()
    with torch.enable_grad():
        total = sum(loss(s[i : i + 1], labels[i : i + 1]) for i in range(len(s)))
    return torch.autograd.grad(total, s)[0].norm(dim=1)


# --- common to all


def _parts(
    function: Callable[..., Any], count: int, example: tuple[Any, ...], hint: str
) -> list[Callable[..., Any]] | Feedback:
    """Return one function for each of the ``count`` things that ``function`` returns, or what is wrong with it."""
    sheet = Sheet()
    if is_missing(function) or is_missing(quietly(function, *example)):
        return sheet.not_yet()
    found = sheet.call(function, *example)
    if not hasattr(found, "__len__") or quietly(len, found) != count or isinstance(found, (str, dict)):
        sheet.wrong(f"that is not {count} things", hint)
        return sheet.hand_back()

    def part(number: int) -> Callable[..., Any]:
        def your_function(*arguments: Any) -> Any:
            return function(*arguments)[number]

        return your_function

    return [part(number) for number in range(count)]


def _together(*findings: Feedback) -> Feedback:
    return Feedback(all(findings), tuple(line for one in findings for line in one.lines))


def _close(found: Tensor, wanted: Tensor) -> bool:
    """Whether both have the same shape and, to a ten-thousandth, the same finite entries."""
    return found.shape == wanted.shape and torch.allclose(found, wanted.double(), rtol=1e-4, atol=1e-5)


def _shown(answer: object) -> str:
    """Return ``repr(answer)``, short, and whatever it is."""
    text = quietly(repr, answer)
    return text if isinstance(text, str) and len(text) <= 80 else f"{type(answer).__name__}"
