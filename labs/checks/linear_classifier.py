"""Checks for the exercises of chapter 5, on a linear image classifier."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from labs.checks import Feedback, Sheet, is_missing
from labs.checks.answers import as_number, as_tensor, quietly

# --- exercise 1: who wins?

#: Exercise 1: an image of two by two pixels, and a classifier with one row of weights and one bias per class.
CLASSES = ("cup", "hat", "key")
IMAGE = torch.tensor([[1.0, 2.0], [0.0, 1.0]])
WEIGHTS = torch.tensor([[2.0, 1.0, -3.0, -1.0], [1.0, -1.0, 4.0, 2.0], [-1.0, 2.0, 2.0, 1.0]])
BIASES = torch.tensor([-1.0, -0.5, -3.0])


def scores_by_hand(answer: Mapping[str, object]) -> Feedback:
    """Exercise 1: the three scores, the winner, and the winner after every pixel is brighter by one."""
    sheet, parts = Sheet(), ("scores", "winner", "brighter")
    given = _entries(answer, parts)
    if is_missing(answer) or _untouched(answer, parts):
        return sheet.not_yet()
    if given is None:
        example = '{"scores": [1, 2, 3], "winner": "cup", "brighter": "cup"}'
        sheet.wrong(f"got {_shown(answer)}", f"give a dictionary such as {example}")
        return sheet.hand_back()
    _judge_scores(sheet, given["scores"])
    _judge_winner(
        sheet, "winner", given["winner"], "cup",
        {"key": "key would win if there were no biases",
         "hat": "hat would win if the image were read column by column; it is read row by row: 1, 2, 0, 1"},
    )  # fmt: skip
    _judge_winner(
        sheet, "brighter", given["brighter"], "hat",
        {"cup": "every pixel gains the same, but not every score: a score gains the sum of its row of weights",
         "key": "key gains 4, the sum of its weights; who gains more? And mind the biases"},
    )  # fmt: skip
    return sheet.hand_back()


def _judge_scores(sheet: Sheet, given: object) -> None:
    """Note whether the three scores are right, or which usual slip they come from."""
    if is_missing(given):
        sheet.wrong("scores: no answer yet", "three numbers, in the order cup, hat, key")
        return
    scores = as_tensor(given)
    if scores is None or scores.shape != (3,):
        sheet.wrong(f"scores: got {_shown(given)}", "three numbers, in the order cup, hat, key")
        return
    x, W, b = IMAGE.flatten().double(), WEIGHTS.double(), BIASES.double()
    right = W @ x + b
    mistakes = {
        "these are the sums without the biases": (W @ x, "the bias of its class is added to each sum"),
        "here the biases are subtracted": (W @ x - b, "the biases are negative, and they are added"),
        "the image was read column by column": (W @ IMAGE.T.flatten().double() + b, "row by row it is 1, 2, 0, 1"),
        "these are probabilities": (right.softmax(0), "the scores are what goes into the softmax"),
        "these are the scores of the brighter image": (W @ (x + 1) + b, "first the image as it is"),
        "these are means over the pixels": (W @ x / 4 + b, "a score is a sum, not a mean"),
    }  # fmt: skip
    if _near(scores, right, 1e-6):
        sheet.right("the three scores, biases included")
        return
    for finding, (wrong, hint) in mistakes.items():
        if _near(scores, wrong, 6e-3):
            sheet.wrong(finding, hint)
            return
    off = [name for name, good in zip(CLASSES, (scores - right).abs() < 1e-6, strict=True) if not good]
    sheet.wrong(
        f"the score of {' and '.join(off)} is not right", "four products and the bias, one class at a time"
    )


def _judge_winner(sheet: Sheet, part: str, given: object, right: str, reasons: Mapping[str, str]) -> None:
    """Note whether a class was named, and whether it is the right one."""
    words = "the winner" if part == "winner" else "the winner after every pixel is brighter by one"
    if is_missing(given):
        sheet.wrong(f"{part}: no answer yet", f"one of: {', '.join(CLASSES)}")
    elif not isinstance(given, str) or given.strip().lower() not in CLASSES:
        sheet.wrong(
            f"{part}: {_shown(given)} is no class", f"answer with the name, one of: {', '.join(CLASSES)}"
        )
    elif given.strip().lower() == right:
        sheet.right(f"{words}: {right}")
    else:
        sheet.wrong(f"{words} is not {given.strip().lower()}", reasons[given.strip().lower()])


# --- exercise 2: scores times a number

#: Exercise 2: what can happen to a quantity while the factor of the scores grows.
WORDS = ("stays", "rises", "falls", "falls, then rises", "rises, then falls")
_COURSES = {
    "accuracy": ("stays", {
        "rises": "to be more sure is not to be right more often: the order of the scores of an image does not change",
        "falls": "multiplying by a positive number does not change which score is the highest",
        "falls, then rises": "multiplying by a positive number does not change which score is the highest",
        "rises, then falls": "there is a best factor for the loss; for the answers all are alike",
    }),
    "confidence": ("rises", {
        "stays": "the answers stay; how sure they are depends on the differences of the scores, and these grow",
        "falls": "larger differences of scores mean more unequal probabilities",
        "falls, then rises": "larger differences of scores mean more unequal probabilities, from the first factor to the last",
        "rises, then falls": "it has no reason to turn round: near 1 it comes to rest",
    }),
    "loss": ("falls, then rises", {
        "stays": "the loss looks at the probability of the right class, not at the answer",
        "falls": "this forgets the wrong answers: the surer they are, the more they cost, without limit",
        "rises": "for a factor near zero all classes have one tenth, and that costs 2.3 nats per image",
        "rises, then falls": "the other way round: both ends are bad, one because nothing is known, one because errors are made with certainty",
    }),
    "calibration": ("falls, then rises", {
        "stays": "it compares the confidence with the accuracy, and the confidence changes",
        "falls": "at the right end the confidence is 1 and the accuracy is not",
        "rises": "at the left end the confidence is one tenth and the accuracy is far above",
        "rises, then falls": "the error is large where confidence and accuracy lie apart: at which ends?",
    }),
}  # fmt: skip
_PRAISE = {
    "accuracy": "the accuracy stays: only the order of the scores decides the answer",
    "confidence": "the confidence rises, from one tenth towards one",
    "loss": "the loss falls, then rises: first it costs to know nothing, then to be wrong with certainty",
    "calibration": "the calibration error falls, then rises: too timid first, too sure at last",
}


def scaled_scores(answer: Mapping[str, object], scores: Tensor, labels: Tensor) -> Feedback:
    """Exercise 2: what a growing factor of the scores does, and the factor with the smallest loss."""
    sheet, parts = Sheet(), (*_COURSES, "best")
    given = _entries(answer, parts)
    if is_missing(answer) or _untouched(answer, parts):
        return sheet.not_yet()
    if given is None:
        example = '{"accuracy": "rises", ..., "best": 2.0}'
        sheet.wrong(f"got {_shown(answer)}", f"give a dictionary such as {example}")
        return sheet.hand_back()
    for part, (right, reasons) in _COURSES.items():
        word = given[part]
        tidy = ", ".join(w.strip() for w in word.lower().split(",")) if isinstance(word, str) else None
        if is_missing(word):
            sheet.wrong(f"{part}: no answer yet", f"choose one of: {'; '.join(WORDS)}")
        elif tidy not in WORDS:
            sheet.wrong(f"{part}: {_shown(word)} is no answer", f"choose one of: {'; '.join(WORDS)}")
        elif tidy == right:
            sheet.right(_PRAISE[part])
        else:
            sheet.wrong(f"{part}: not {tidy!r}", reasons[tidy])
    _judge_factor(sheet, given["best"], scores, labels)
    return sheet.hand_back()


def _judge_factor(sheet: Sheet, given: object, scores: object, labels: object) -> None:
    """Note whether the loss at the factor given is as good as the smallest, up to four per cent."""
    s, y = as_tensor(scores), as_tensor(labels)
    if (
        s is None
        or y is None
        or s.dim() != 2
        or y.shape != s.shape[:1]
        or not len(y)
        or not s.isfinite().all()
    ):
        sheet.wrong("these are not scores and labels", "pass the `scores` and `test.labels` of the notebook")
        return
    if not y.isfinite().all() or y.min() < 0 or y.max() >= s.shape[1]:
        sheet.wrong("these labels have no score each", "pass the `scores` and `test.labels` of the notebook")
        return
    factor = as_number(given)
    if is_missing(given):
        sheet.wrong("best: no answer yet", "a number: the factor at which the loss is smallest")
        return
    if isinstance(given, bool) or factor is None or not math.isfinite(factor) or factor <= 0:
        sheet.wrong(f"best: {_shown(given)} is no factor", "a number above zero")
        return
    y = y.long()
    tried = torch.logspace(-3, 3, 301, dtype=torch.float64)
    steps = tried.view(-1, 1, 1) * s.unsqueeze(0)  # (factors, N, C)
    losses = -steps.log_softmax(2)[:, torch.arange(len(y)), y].mean(1)
    smallest, best = losses.min(), tried[losses.argmin()]
    loss = F.cross_entropy(factor * s, y)
    if loss <= 1.04 * smallest + 1e-9:
        sheet.right(f"a factor of {factor:g}: a loss of {loss:.2f} nats, and there is hardly a smaller one")
    elif factor == 1:
        sheet.wrong(
            "best: not 1, the scores as they are",
            "training has seen to the scale for the images it was trained on; these are others",
        )
    elif factor < best:
        sheet.wrong(f"best: the loss at {factor:g} is {loss:.3f} nats, and falls further", "try a larger one")
    else:
        sheet.wrong(
            f"best: the loss at {factor:g} is {loss:.3f} nats, more than at a smaller factor",
            "try a smaller one",
        )


# --- exercise 3: the gradient without autograd


def gradient(function: Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]) -> Feedback:
    """Exercise 3: the gradient of the mean loss of a batch with respect to W and b."""
    sheet, cases = Sheet(), _gradient_cases()
    promise, first, _ = cases[0]
    if is_missing(function) or _nothing(quietly(function, *(t.clone() for t in first))):
        return sheet.not_yet()
    for promise, inputs, hint in cases:
        copies = [t.clone() for t in inputs]
        with torch.no_grad():
            result = quietly(function, *copies)
        if isinstance(result, str) and result == "raised":
            if not isinstance(quietly(function, *(t.clone() for t in inputs)), str):
                sheet.wrong(
                    "this asks autograd", "the exercise is to do without: start with the error p - e_y"
                )
            else:
                sheet.call(function, *(t.clone() for t in inputs))
                sheet.wrong(promise, hint)
            return sheet.hand_back()
        if not all(torch.equal(a, b) for a, b in zip(copies, inputs, strict=True)):
            sheet.wrong("your function changes what it is given", "work with copies, not with -= or [...] = on W, b, x, y")  # fmt: skip
            return sheet.hand_back()
        if not _judge_gradient(sheet, promise, inputs, result, hint):
            return sheet.hand_back()
    return sheet.hand_back()


def _gradient_cases() -> list[tuple[str, tuple[Tensor, ...], str]]:
    """A promise, the inputs ``(W, b, x, y)`` and a hint for each batch that is tried."""
    generator = torch.Generator().manual_seed(5)

    def numbers(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    x = numbers(4, 5)
    return [
        ("four images of five pixels, three classes", (numbers(3, 5), numbers(3), x, torch.tensor([0, 2, 1, 2])),
         "dW is the transposed errors times x, over the number of images"),
        ("a start at zero", (torch.zeros(3, 5).double(), torch.zeros(3).double(), x, torch.tensor([0, 2, 1, 2])),
         "with all scores zero each class has the probability 1/C"),
        ("a batch of one image", (numbers(3, 5), numbers(3), x[:1], torch.tensor([2])),
         "the softmax goes over the classes, dim=1, also when there is only one row"),
        ("classes that do not occur in the batch", (numbers(6, 4), numbers(6), numbers(7, 4), torch.tensor([0, 2, 2, 0, 4, 2, 0])),
         "the number of classes is the number of rows of W, and not in the labels: one_hot(y, len(W))"),
        ("scores in the thousands", (1000 * numbers(3, 5), numbers(3), x, torch.tensor([0, 2, 1, 2])),
         "exp(1000) is infinite: torch's softmax takes the largest score away first"),
    ]  # fmt: skip


def _judge_gradient(sheet: Sheet, promise: str, inputs: Sequence[Tensor], result: object, hint: str) -> bool:
    """Note whether a gradient is right, or which usual slip it comes from; returns whether it is right."""
    W, b, x, y = inputs
    given = _several(result, 2)
    if given is None:
        sheet.wrong(f"got {_shown(result)}", "return the pair: dW, db")
        return False
    p, target = (x @ W.T + b).softmax(1), F.one_hot(y, len(W)).double()
    error, batch = p - target, len(y)
    dW, db = error.T @ x / batch, error.sum(0) / batch
    if _near(given[0], dW) and _near(given[1], db):
        sheet.right(promise)
        return True
    if _near(given[0], db) and _near(given[1], dW):
        sheet.wrong("the two are in the wrong order", "return dW, db")
        return False
    if _near(given[0], dW):
        known = {
            "db is a sum over the batch": (batch * db, "the loss is a mean over the images"),
            "db is zero": (0 * db, "the bias is a weight for an input that is always 1"),
            "db is a mean over the classes too": (error.mean(), "one number per class: sum over the images only"),
        }  # fmt: skip
        finding, advice = _first(known, given[1], ("dW is right, db is not", "the derivative by b_k is p_k - [k = y]; take the mean over the images"))  # fmt: skip
        sheet.wrong(finding, advice)
        return False
    if _near(given[0], dW.T):
        sheet.wrong("dW is transposed", "a gradient has the shape of what it belongs to, here (C, n)")
        return False
    hard = F.one_hot(p.argmax(1), len(W)).double()
    errors = {
        "this is the sum over the batch": (batch * error, "the loss is a mean over the images: divide by their number"),
        "the sign is turned round": (-error, "what the classifier says, minus what it should have said"),
        "this is a mean over images and classes": (error / len(W), "divide by the number of images only"),
        "only the row of the right class learns here": (error * target, "each other row gets p_k times the image taken away: the label is missing from them, the gradient is not"),
        "only the rows of the wrong classes learn here": (error * (1 - target), "for k = y the error is p_y - 1"),
        "the labels are missing": (p, "what should it have said?"),
        "these are scores, where probabilities should be": (x @ W.T + b - target, "the softmax comes first"),
        "the softmax goes over the images": ((x @ W.T + b).softmax(0) - target, "the probabilities of one image add up to one: dim=1"),
        "the bias is missing from the scores": ((x @ W.T).softmax(1) - target, "s = W x + b"),
        "this counts only images that are classified wrongly": (hard - target, "the softmax gives an error to the right ones too; with argmax it is the rule of the perceptron"),
    }  # fmt: skip
    known = {name: (wrong.T @ x / batch, advice) for name, (wrong, advice) in errors.items()}
    if given[0].shape != dW.shape:
        sheet.wrong(f"dW has the shape {tuple(given[0].shape)}", f"W has {tuple(dW.shape)}, and so has its gradient")  # fmt: skip
        return False
    finding, advice = _first(known, given[0], (promise, hint))
    sheet.wrong(finding, advice)
    return False


# --- exercise 4: centred rows


def centred(function: Callable[[Tensor, Tensor], tuple[Tensor, Tensor, int]]) -> Feedback:
    """Exercise 4: rows and biases that add up to zero with the same probabilities, and the numbers that matter."""
    sheet, generator = Sheet(), torch.Generator().manual_seed(4)
    cases = []
    for classes, pixels in ((3, 4), (2, 5), (10, 7), (5, 1), (1, 3)):
        shape = (classes, pixels + 1)
        both = torch.randn(shape, generator=generator, dtype=torch.float64) + 0.7
        cases.append((both[:, :-1].contiguous(), both[:, -1].contiguous()))
    if is_missing(function) or _nothing(quietly(function, *(t.clone() for t in cases[0]))):
        return sheet.not_yet()
    answers = []
    for W, b in cases:
        copies = W.clone(), b.clone()
        result = sheet.call(function, *copies)
        answer = _several(result, 3)
        if answer is None:
            if result is not None:
                sheet.wrong(f"got {_shown(result)}", "return three things: W, b and a whole number")
            return sheet.hand_back()
        if not (torch.equal(copies[0], W) and torch.equal(copies[1], b)):
            sheet.wrong("your function changes the W and b it is given", "write W - ..., not W -= ...")
            return sheet.hand_back()
        answers.append(answer)
    rows, biases, counts = zip(*answers, strict=True)
    _judge_rows(sheet, [W for W, _ in cases], rows)
    _judge_biases(sheet, cases, biases)
    _judge_count(sheet, [W.shape for W, _ in cases], counts)
    return sheet.hand_back()


def _judge_rows(sheet: Sheet, given: Sequence[Tensor], found: Sequence[Tensor]) -> None:
    known = {
        "each template is centred by itself, over its pixels": (lambda W: W - W.mean(1, keepdim=True), "that takes another number from each class, and the probabilities change; take the same image from all: the mean over the classes"),
        "one number was taken from all weights": (lambda W: W - W.mean(), "that changes no probability, but the rows do not yet add up to zero: each pixel has a mean over the classes of its own"),
        "the last class is the reference": (lambda W: W - W[-1], "this too changes no probability, and statisticians do so; but here the rows are to add up to zero"),
        "the first class is the reference": (lambda W: W - W[0], "this too changes no probability, and statisticians do so; but here the rows are to add up to zero"),
        "the sum of the rows was taken away, not the mean": (lambda W: W - W.sum(0), "of C rows each has to give up one C-th of the sum"),
        "W is as it was": (lambda W: W, "take away from each row what is common to all"),
        "the weights are scaled as well": (lambda W: (W - W.mean(0)) / W.std(0), "another scale means other probabilities: subtract, do not divide"),
        "all weights are zero": (lambda W: 0 * W, "the rows add up to zero, but the classes cannot be told apart any more"),
    }  # fmt: skip
    if all(_near(new, W - W.mean(0)) for new, W in zip(found, given, strict=True)):
        sheet.right("the rows add up to zero, and differ from each other as before")
        return
    for finding, (wrong, hint) in known.items():
        if all(_near(new, wrong(W)) for new, W in zip(found[:3], given[:3], strict=True)):
            sheet.wrong(finding, hint)
            return
    if any(new.shape != W.shape for new, W in zip(found, given, strict=True)):
        sheet.wrong("W has another shape than before", "one row per class, as it was")
    elif not all(_near(new.sum(0), torch.zeros(W.shape[1])) for new, W in zip(found, given, strict=True)):
        sheet.wrong("the rows do not add up to zero", "subtract the mean of the rows, also when there are two classes or one")  # fmt: skip
    else:
        sheet.wrong("the differences between the rows have changed", "take the same image from every row")


def _judge_biases(sheet: Sheet, cases: Sequence[tuple[Tensor, Tensor]], found: Sequence[Tensor]) -> None:
    known = {
        "b is as it was": (lambda W, b: b, "what is common to all biases has no effect either"),
        "all biases are zero": (lambda W, b: 0 * b, "they add up to zero, but their differences count: the probabilities change"),
        "the mean image was taken from the biases": (lambda W, b: b - W.mean(1), "the biases have a common part of their own: their mean"),
        "the last class is the reference": (lambda W, b: b - b[-1], "the biases are to add up to zero"),
        "the first class is the reference": (lambda W, b: b - b[0], "the biases are to add up to zero"),
    }  # fmt: skip
    if all(_near(new, b - b.mean()) for new, (_, b) in zip(found, cases, strict=True)):
        sheet.right("the biases add up to zero, and differ from each other as before")
        return
    for finding, (wrong, hint) in known.items():
        if all(_near(new, wrong(W, b)) for new, (W, b) in zip(found[:3], cases[:3], strict=True)):
            sheet.wrong(finding, hint)
            return
    sheet.wrong("the biases are not centred, or their differences have changed", "subtract their mean from them")  # fmt: skip


def _judge_count(sheet: Sheet, shapes: Sequence[Sequence[int]], counts: Sequence[Tensor]) -> None:
    known = {
        "that counts all parameters": (lambda C, n: C * (n + 1), "how many of them can be chosen freely without any effect?"),
        "that counts all weights": (lambda C, n: C * n, "the biases are parameters too, and a common image has no effect"),
        "the biases are missing": (lambda C, n: (C - 1) * n, "C - 1 of the biases matter as well"),
        "that counts the free ones": (lambda C, n: n + 1, "these have no effect; how many are left?"),
        "one too few was taken off": (lambda C, n: C * (n + 1) - n, "the common part of the biases is free as well"),
        "one number was taken off": (lambda C, n: C * (n + 1) - 1, "the common image has one number per pixel"),
    }  # fmt: skip
    numbers = [as_number(count) for count in counts]

    def agree(formula: Callable[[int, int], float], cases: int) -> bool:
        pairs = list(zip(numbers, shapes, strict=True))[:cases]
        return all(number is not None and abs(number - formula(*shape)) < 1e-6 for number, shape in pairs)

    if agree(lambda C, n: (C - 1) * (n + 1), len(shapes)):
        sheet.right("(C - 1)(n + 1) numbers matter: one class is redundant")
        return
    for finding, (formula, hint) in known.items():
        if agree(formula, 3):
            sheet.wrong(finding, hint)
            return
    shown = ", ".join("no number" if number is None else f"{number:g}" for number in numbers[:3])
    sheet.wrong(
        f"for (C, n) = (3, 4), (2, 5) and (10, 7) the count is {shown}",
        "n + 1 of the C (n + 1) numbers have no effect; C and n are in W.shape",
    )


# --- exercise 5: the nearest class mean


def nearest_mean(function: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> Feedback:
    """Exercise 5: rows and biases with which the highest score belongs to the nearest class mean."""
    sheet, generator = Sheet(), torch.Generator().manual_seed(6)
    cases = []
    for pixels, labels in (
        (2, [0, 1, 2, 2, 1, 2, 2, 0, 2]),
        (5, [3, 0, 1, 2, 3, 3, 1, 0, 3, 3]),
        (3, [1, 0]),
        (4, [2, 2, 2, 2, 1, 1, 0]),
    ):
        y = torch.tensor(labels)
        noise = torch.randn(len(y), pixels, generator=generator, dtype=torch.float64)
        cases.append((noise + (y + 1).unsqueeze(1) * torch.arange(1, pixels + 1) / pixels, y))
    if is_missing(function) or _nothing(quietly(function, *(t.clone() for t in cases[0]))):
        return sheet.not_yet()
    found = []
    for x, y in cases:
        result = sheet.call(function, x.clone(), y.clone())
        answer = _several(result, 2)
        if answer is None:
            if result is not None:
                sheet.wrong(f"got {_shown(result)}", "return the pair: W, b")
            return sheet.hand_back()
        wanted = (int(y.max()) + 1, x.shape[1])
        if answer[0].shape != wanted or answer[1].shape != wanted[:1]:
            shapes = f"{tuple(answer[0].shape)} and {tuple(answer[1].shape)}"
            sheet.wrong(f"the shapes are {shapes}", f"for {wanted[0]} classes and {wanted[1]} pixels: W {wanted}, b {wanted[:1]}")  # fmt: skip
            return sheet.hand_back()
        found.append(answer)
    _judge_means(sheet, cases, found)
    return sheet.hand_back()


def _judge_means(
    sheet: Sheet, cases: Sequence[tuple[Tensor, Tensor]], found: Sequence[Sequence[Tensor]]
) -> None:
    """Note whether the classifiers are the right ones, whatever their scale and their common part."""

    def means(x: Tensor, y: Tensor) -> Tensor:
        return torch.stack([x[y == k].mean(0) for k in range(int(y.max()) + 1)])

    def share(x: Tensor, y: Tensor) -> Tensor:
        return means(x, y) * (y.bincount() / len(y)).unsqueeze(1)

    def half(m: Tensor) -> Tensor:
        return m.square().sum(1) / 2

    def with_bias(rows: Callable, bias: Callable) -> Callable:
        return lambda x, y: (rows(x, y), bias(rows(x, y)))

    def agree(candidate: Callable) -> bool:
        return all(_same_classifier(one, candidate(x, y)) for one, (x, y) in zip(found, cases, strict=True))

    if agree(with_bias(means, lambda m: -half(m))):
        sheet.right("the highest score belongs to the nearest class mean, in four small data sets")
        sheet.right("classes of unequal size, and classes of one image, do not disturb it")
        return
    known = {
        "the biases are zero: the highest product wins, not the smallest distance": (with_bias(means, lambda m: 0 * half(m)), "write out the square of x minus the mean: what else depends on the class?"),
        "the biases are twice too large": (with_bias(means, lambda m: -2 * half(m)), "the product comes with a 2, the square of the mean without: divide by it"),
        "the biases have the wrong sign": (with_bias(means, half), "a mean far from zero has large products with everything; the bias has to make up for it"),
        "the biases hold lengths, not their squares": (with_bias(means, lambda m: -m.norm(dim=1) / 2), "the square of the distance has the square of the length in it"),
        "this answers with the farthest mean": (lambda x, y: (-means(x, y), half(means(x, y))), "the smallest distance should become the highest score: turn the sign round"),
        "the sums were divided by the number of all images": (with_bias(share, lambda m: -half(m)), "each class by the number of its own: then the size of a class does not matter"),
        "the sums were not divided": (lambda x, y: (share(x, y) * len(y), -half(share(x, y) * len(y))), "the mean of a class is the sum over its images divided by their number"),
        "these are angles, not distances": (with_bias(lambda x, y: F.normalize(means(x, y), dim=1), lambda m: 0 * half(m)), "do not scale the means; the bias takes care of their lengths"),
        "the means were moved, the images were not": (with_bias(lambda x, y: means(x, y) - x.mean(0), lambda m: -half(m)), "a common image may be taken from the rows, but the biases belong to the means as they were"),
        "the frequencies of the classes are in it": (lambda x, y: (means(x, y), (y.bincount() / len(y)).log() - half(means(x, y))), "that is another good classifier; the nearest mean knows no frequencies"),
    }  # fmt: skip
    for finding, (candidate, hint) in known.items():
        if agree(candidate):
            sheet.wrong(finding, hint)
            return
    good = [_near(one[0], means(x, y)) for one, (x, y) in zip(found, cases, strict=True)]
    if all(good):
        sheet.wrong("the rows are the class means, the biases do not fit", "b_k is minus half the square of the length of row k")  # fmt: skip
    else:
        sheet.wrong("this is not the nearest class mean", "row k is the mean of x[y == k]; then write out the square of the distance")  # fmt: skip


def _same_classifier(given: Sequence[Tensor], wanted: Sequence[Tensor]) -> bool:
    """Whether two classifiers give the same answers: equal up to a positive factor and a part common to all classes."""
    one, other = (torch.cat([W, b.unsqueeze(1)], dim=1) for W, b in (given, wanted))
    one, other = one - one.mean(0), other - other.mean(0)
    size = one.norm() * other.norm()
    return bool(size > 1e-12 and (one * other).sum() / size > 1 - 1e-9)


# --- exercise 6: two pixels


def ratios(function: Callable[[float, float, float], tuple[float, float]]) -> Feedback:
    """Exercise 6: pixel 2 over pixel 1, for the weights and for the covariances with the score."""
    sheet = Sheet()
    cases = (
        (4.0, 0.25, 1.0),
        (1.0, 1.0, 1.0),
        (4.0, 0.25, 2.0),
        (2.0, 0.5, -0.5),
        (3.0, 0.1, 0.3),
        (0.0, 1.0, 1.0),
    )
    if is_missing(function) or _nothing(quietly(function, *cases[0])):
        return sheet.not_yet()
    weights, covariances = [], []
    for case in cases:
        result = sheet.call(function, *case)
        pair = _several(result, 2)
        if pair is None or any(part.numel() != 1 for part in pair):
            if result is not None:
                sheet.wrong(f"got {_shown(result)}", "return two numbers: weight ratio, covariance ratio")
            return sheet.hand_back()
        weights.append(pair[0].item())
        covariances.append(pair[1].item())

    def agree(given: Sequence[float], formula: Callable[[float, float, float], float]) -> bool:
        # Without a shadow nothing can be upside down, so the last case is for the right answer alone.
        return all(
            abs(number - formula(*case)) < 1e-6
            for number, case in zip(given, cases, strict=True)
            if case[0] > 0 or formula in (_weight_ratio, _zero)
        )

    wrong_weights = {
        "the weight of pixel 2 is zero here": (_zero, '"no information, no weight" is the intuition that fails: pixel 2 knows the shadow that disturbs pixel 1'),
        "the shadow is added, not taken away": (lambda v, e, c: c * v / (c * c * v + e), "what pixel 2 knows about the disturbance has to be subtracted"),
        "the noise is missing": (lambda v, e, c: -1 / c, "pixel 2 measures the shadow with noise, so it is trusted only in part"),
        "minus one, whatever the noise": (lambda v, e, c: -1.0, "that is right for a shadow without noise, and for c = 1"),
        "the shadow in pixel 2 is c times that in pixel 1, not the other way round": (lambda v, e, c: -c, "and there is noise, so pixel 2 is trusted only in part"),
        "the factor c is missing": (lambda v, e, c: -v / (v + e), "pixel 2 shows c times the shadow: put it into the covariance and into the variance"),
        "the factor c is not squared": (lambda v, e, c: -c * v / (c * v + e), "the variance of c times the shadow is c squared times v"),
        "this predicts pixel 2 from pixel 1": (lambda v, e, c: -c * v / (v + e), "pixel 1 is the one to be corrected: divide by the variance of pixel 2"),
        "the signal counts as a disturbance here": (lambda v, e, c: -c * v / (v + e + 1), "look within one class, where the signal is constant; and divide by the variance of pixel 2"),
        "upside down": (lambda v, e, c: -(c * c * v + e) / (c * v), "pixel 2 over pixel 1"),
        "this is the share of the shadow in pixel 2": (lambda v, e, c: -c * c * v / (c * c * v + e), "covariance over variance: c v above, c squared v + e below"),
    }  # fmt: skip
    wrong_covariances = {
        "the covariances are taken for the weights": (_weight_ratio, "to compute the score is one thing, what goes with it another: Cov(x2, x1 + r x2) for your ratio r"),
        "this is the covariance with pixel 1, not with the score": (lambda v, e, c: c * v / (v + e + 1), "the score is x1 + r x2, and pixel 2 has a part in it"),
        "this is the covariance within a class, and with pixel 1": (lambda v, e, c: c * v / (v + e), "the score is x1 + r x2, and pixel 2 has a part in it"),
        "this is the weight ratio with the sign turned round": (lambda v, e, c: -_weight_ratio(v, e, c), "work out Cov(x2, x1 + r x2) = Cov(x2, x1) + r Var(x2)"),
        "minus one": (lambda v, e, c: -1.0, "work out Cov(x2, x1 + r x2) = Cov(x2, x1) + r Var(x2)"),
    }  # fmt: skip
    if agree(weights, _weight_ratio):
        sheet.right("the weights: pixel 2 is subtracted, as far as it can be trusted")
    else:
        _name_mistake(sheet, "weights", weights, cases, wrong_weights, agree,
                      "subtract from pixel 1 the best guess of its disturbance from pixel 2: Cov / Var(x2)")  # fmt: skip
    if agree(covariances, _zero):
        sheet.right("the covariances: zero for pixel 2, which says nothing about the class")
    else:
        _name_mistake(sheet, "covariances", covariances, cases, wrong_covariances, agree,
                      "work out Cov(x2, x1 + r x2) = Cov(x2, x1) + r Var(x2)")  # fmt: skip
    return sheet.hand_back()


def _weight_ratio(v: float, e: float, c: float) -> float:
    return -c * v / (c * c * v + e)


def _zero(v: float, e: float, c: float) -> float:
    return 0.0


def _name_mistake(
    sheet: Sheet,
    part: str,
    given: Sequence[float],
    cases: Sequence[tuple[float, ...]],
    known: Mapping[str, tuple[Callable[..., float], str]],
    agree: Callable[[Sequence[float], Callable], bool],
    hint: str,
) -> None:
    """Note which usual slip the numbers come from; if none, the first number itself."""
    for finding, (formula, advice) in known.items():
        if agree(given, formula):
            sheet.wrong(f"{part}: {finding}", advice)
            return
    first = ", ".join(f"{name} = {value:g}" for name, value in zip("vec", cases[0], strict=True))
    sheet.wrong(f"{part}: for {first} this gives {given[0]:.3g}", hint)


# --- small things


def _entries(answer: object, parts: Sequence[str]) -> dict[str, object] | None:
    """Return the parts of a dictionary, ``None`` for each that is missing; ``None`` if it is no dictionary."""
    if not isinstance(answer, Mapping):
        return None
    return {part: answer.get(part) for part in parts}


def _untouched(answer: object, parts: Sequence[str]) -> bool:
    """Whether a dictionary holds nothing but gaps."""
    return isinstance(answer, Mapping) and all(key in parts and is_missing(answer[key]) for key in answer)


def _several(result: object, number: int) -> list[Tensor] | None:
    """Return what a function returned as so many tensors of doubles, or ``None`` if it is something else."""
    if not isinstance(result, (tuple, list)) or len(result) != number:
        return None
    parts = [as_tensor(part) for part in result]
    return None if any(part is None for part in parts) else parts


def _nothing(result: object) -> bool:
    """Whether a function returned nothing at all, or several times nothing."""
    if isinstance(result, (tuple, list)) and result:
        return all(is_missing(part) for part in result)
    return is_missing(result)


def _near(given: Tensor, wanted: Tensor, tolerance: float = 1e-5) -> bool:
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
