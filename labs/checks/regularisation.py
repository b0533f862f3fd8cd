"""Checks for the exercises of chapter 13, on normalisation and regularisation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from labs.checks import Feedback, Sheet, is_missing
from labs.checks.answers import as_number, as_pair, as_tensor, quietly

#: The three batches of exercise 1, one unit and two examples each, and the rho of the layer.
BATCHES = ((1.0, 3.0), (2.0, 6.0), (0.0, 8.0))
RHO = 0.2

#: The price that dropout on the inputs shall have in exercise 2: the penalty is this times the sum of w_i^2 x_i^2.
PRICE = 0.25

_Mistakes = Mapping[str, tuple[Callable, str]]

# --- exercise 1: running statistics


def running_statistics(answer: Sequence[float]) -> Feedback:
    """Exercise 1: running mean and variance after the three batches, and the output for 8 in both modes."""
    sheet = Sheet()
    if is_missing(answer):
        return sheet.not_yet()
    given = as_tensor(answer)
    if given is None or given.shape != (4,) or not bool(torch.isfinite(given).all()):
        sheet.wrong(
            "that is not four numbers", "running mean, running variance, output in training, output in use"
        )
        return sheet.hand_back()
    mean, variance, training, use = given.tolist()
    momentum = (
        "torch's momentum is the weight of the NEW batch: 0.8 times the old value plus 0.2 times the new one"
    )
    _one_of(sheet, mean, 1.696, "running mean 1.70", {
        "the running mean gives the old value a weight of 0.2": (3.904, momentum),
        "this is the mean over all batches": (10 / 3, "a running mean forgets: each batch enters with weight 0.2"),
        "this is the mean of the last batch": (4.0, "it enters with weight 0.2 only"),
        "this running mean starts at the first batch": (2.72, "it starts at 0"),
        "the old running mean is not shrunk": (2.0, "0.8 times the old value plus 0.2 times the new one"),
    }, "start at 0, and take 0.8 of the old value plus 0.2 of the mean, batch by batch")  # fmt: skip
    _one_of(sheet, variance, 8.448, "running variance 8.45, from the unbiased variances", {
        'misconception "one variance for both": this is the running average of the variances with divisor B': (4.48, "the batch is normalised with the divisor B, the running average takes the one with B - 1"),
        "the running variance gives the old value a weight of 0.2": (26.952, momentum),
        "divisor B, and a weight of 0.2 for the old value": (13.48, momentum),
        "this running variance starts at 0": (7.936, "it starts at 1: a layer that has seen nothing shall change nothing"),
        "this running variance starts at the first batch": (8.96, "it starts at 1"),
        "this is the mean of the variances": (14.0, "a running average forgets: each batch enters with weight 0.2"),
        "this is the variance of the last batch": (32.0, "it enters with weight 0.2 only"),
    }, "start at 1; the unbiased variances of the batches are 2, 8 and 32")  # fmt: skip
    _one_of(sheet, training, 1.0, "in training 8 is one standard deviation above the mean of its batch", {
        'misconception "running statistics in training": a batch is normalised by its own mean and variance': (2.169, "in training mode the layer looks at [0, 8] alone"),
        "this divides by the root of the unbiased variance": (0.7071, "the batch itself is normalised with the divisor B"),
        "this divides by the variance": (0.25, "divide by its root"),
        "the sign is wrong": (-1.0, "8 is the larger of the two"),
    }, "in training mode the layer looks at [0, 8] alone: mean 4, variance with divisor B")  # fmt: skip
    own = (8 - mean) / math.sqrt(variance) if variance > 0 else math.nan
    if not _near(use, 2.169) and _near(use, own):
        sheet.right("the output in use fits your running statistics; it will be right when they are")
        return sheet.hand_back()
    _one_of(sheet, use, 2.169, "in use 8 is 2.17 running standard deviations above the running mean", {
        'misconception "the batch counts in use too": this is the output in training mode': (1.0, "in eval mode the layer subtracts the running mean, whatever stands beside 8"),
        "this divides by the running variance": (0.746, "divide by its root"),
    }, "(8 - running mean) / root of the running variance")  # fmt: skip
    return sheet.hand_back()


def _one_of(
    sheet: Sheet,
    value: float,
    right: float,
    praise: str,
    mistakes: Mapping[str, tuple[float, str]],
    hint: str,
) -> None:
    """Note whether ``value`` is the right number, one that we know as a mistake, or neither."""
    if _near(value, right):
        sheet.right(praise)
        return
    for finding, (wrong, advice) in mistakes.items():
        if _near(value, wrong):
            sheet.wrong(finding, advice)
            return
    sheet.wrong(f"not {value:.3g}", hint)


def _near(value: float, wanted: float) -> bool:
    return abs(value - wanted) < 0.006  # two decimals


# --- exercise 2: a price and a factor


def price_and_factor(answer: Sequence[float]) -> Feedback:
    """Exercise 2: the probability of dropping an input that has the price 1/4, and the factor in use."""
    sheet = Sheet()
    if is_missing(answer):
        return sheet.not_yet()
    pair = as_pair(answer)
    if pair is None or not all(math.isfinite(value) for value in pair):
        sheet.wrong("that is not a pair of numbers", "give (p, factor), such as (0.5, 0.5)")
        return sheet.hand_back()
    if any(is_missing(value) for value in answer):
        return sheet.not_yet()
    p, factor = pair
    if not 0 < p < 1:
        sheet.wrong(
            f"p = {p:g} is no probability of dropping that would cost anything",
            "it lies between 0 and 1, both excluded",
        )
        return sheet.hand_back()
    odds = p / (1 - p)
    known = {
        'misconception "p is the probability of keeping": a p of 0.8 drops four inputs of five, at a price of 4': (0.8, "the book's p, and torch's, is the probability of DROPPING"),
        "a p of 0.25 takes the price for the probability": (0.25, "its price is 0.25 / 0.75 = 1/3: solve p / (1 - p) = 1/4"),
        "with 0.5 the variance of the mask itself is 1/4": (0.5, "the mask is divided by 1 - p, and its variance by (1 - p)^2: the price of 0.5 is 1"),
    }  # fmt: skip
    finding = next((text for text, (wrong, _) in known.items() if math.isclose(p, wrong, abs_tol=1e-3)), None)
    if math.isclose(odds, PRICE, abs_tol=1e-3):
        sheet.right("p / (1 - p) is 1/4")
    elif finding:
        sheet.wrong(finding, known[finding][1])
    else:
        sheet.wrong(f"the price of p = {p:g} is {odds:.3g}", "solve p / (1 - p) = 1/4")
    factors = {
        'misconception "in use, dropout multiplies by p"': (p, "of each input a share of 1 - p was there, so that is the factor"),
        "this is the factor of inverted dropout in training": (1 / (1 - p), "here nothing was divided in training, so use has to make up for it"),
        "a factor of 1 is right for torch, which divides in training": (1.0, "here nothing was divided in training, so use has to make up for it"),
        "the factor is not the price": (odds, "on average a share of 1 - p was there in training"),
    }  # fmt: skip
    if math.isclose(factor, 1 - p, abs_tol=1e-3):
        sheet.right("the factor is 1 - p, the share that was there in training")
        return sheet.hand_back()
    for text, (wrong, hint) in factors.items():
        if math.isclose(factor, wrong, abs_tol=1e-3):
            sheet.wrong(text, hint)
            return sheet.hand_back()
    sheet.wrong(f"the factor {factor:g} does not belong to p = {p:g}", "which share was there in training?")
    return sheet.hand_back()


# --- exercises 3 and 4: backwards through a normalisation


def batch_norm_backward(function: Callable[[Tensor, Tensor, Tensor, float], Tensor]) -> Feedback:
    """Exercise 3: the gradient with respect to z of batch normalisation, for z of shape (B, n)."""
    mistakes: _Mistakes = {
        'misconception "the examples of a batch are independent": this takes mean and variance as constants': (_batch(shift=False, stretch=False), "both depend on every z: two terms are missing"),
        "the term with the mean of the gradients is missing": (_batch(shift=False), "what shifts the whole batch does not get through"),
        "the term along z-hat is missing": (_batch(stretch=False), "what stretches the whole batch does not get through"),
        "this takes sums where means are needed": (_batch(total=True), "both sums of the formula have 1/B in front"),
        "this averages over the units of an example, as layer normalisation does": (_batch(axis=1), "batch normalisation averages down the columns: dim=0"),
        "this averages over the whole matrix": (_batch(axis=None), "each unit has its own mean and variance: dim=0"),
        "this divides by B - 1 in the variance": (_batch(correction=1), "the batch is normalised with the divisor B: correction=0"),
        "epsilon is left out": (_batch(no_eps=True), "s = sqrt(v + eps)"),
        "gamma is left out": (_batch(no_gamma=True), "the gradient that reaches z-hat is gamma * g"),
        "this divides by the variance, not by its root": (_batch(square=True), "s = sqrt(v + eps)"),
        "the part along z-hat uses z - m without dividing by s": (_batch(raw=True), "z-hat = (z - m) / s, in both places"),
        "the part along z-hat uses z itself": (_batch(raw=None), "z-hat = (z - m) / s, in both places"),
        "the two terms have the wrong sign": (_batch(sign=1), "they are taken away from what arrives"),
    }  # fmt: skip
    praise = (
        "a batch of six with three units agrees with autograd",
        "also for two examples, for one unit, and for a negative gamma",
        "also with a large epsilon, and for a unit that is the same on all examples",
    )
    hint = "work column by column: what arrives, minus its mean, minus z-hat times the mean of g * z-hat"
    return _judged(function, _batches(), _batch(), mistakes, praise, hint)


def rms_norm_backward(function: Callable[[Tensor, Tensor, Tensor, float], Tensor]) -> Feedback:
    """Exercise 4: the gradient with respect to z of RMS normalisation, for z of shape (B, n)."""
    mistakes: _Mistakes = {
        "this takes away the mean of the gradients, as for layer normalisation": (_rms(shift=True), "RMS normalisation subtracts no mean, so none comes back"),
        "this is the gradient of layer normalisation": (_layer, "RMS normalisation subtracts no mean: z-hat = z / s"),
        "gamma stands in front of the bracket": (_rms(outside=True), "gamma_i varies within the sum: first g_i * gamma_i, then the mean"),
        'misconception "the scale is a constant": the root mean square depends on every z of the row': (_rms(stretch=False), "one term is missing, the part along z-hat"),
        "this takes a sum where a mean is needed": (_rms(total=True), "the derivative of the mean square has 1/n in front"),
        "this averages over the batch": (_rms(axis=0), "RMS normalisation averages over the units of an example: dim=1, keepdim=True"),
        "epsilon is left out": (_rms(no_eps=True), "s = sqrt(mean of z^2 + eps)"),
        "gamma is left out": (_rms(no_gamma=True), "the gradient that reaches z-hat is gamma * g"),
        "this divides by the mean square, not by its root": (_rms(square=True), "s = sqrt(mean of z^2 + eps)"),
        "the part along z-hat uses z itself": (_rms(raw=True), "z-hat = z / s, in both places"),
        "the term along z-hat has the wrong sign": (_rms(sign=1), "it is taken away from what arrives"),
    }  # fmt: skip
    praise = (
        "six examples with three units agree with autograd",
        "also for two examples, for one unit, and for negative gammas",
        "also with a large epsilon, where the part along z-hat is not removed completely",
    )
    hint = "work row by row: gamma * g, minus z-hat times the mean of gamma * g * z-hat, all divided by s"
    return _judged(function, _batches(), _rms(), mistakes, praise, hint)


def _batches() -> list[tuple[Tensor, Tensor, Tensor, float]]:
    """Return cases ``(z, g, gamma, eps)``."""
    generator = torch.Generator().manual_seed(0)

    def case(rows: int, units: int, eps: float) -> tuple[Tensor, Tensor, Tensor, float]:
        z, g = torch.randn(2, rows, units, generator=generator, dtype=torch.float64)
        gamma = torch.randn(units, generator=generator, dtype=torch.float64)
        return 2 * z + 1, g, gamma, eps

    constant = case(5, 4, 0.1)
    constant[0][:, 1] = 3.0
    return [case(6, 3, 1e-5), case(2, 3, 1e-5), case(7, 1, 1e-5), case(4, 5, 0.5), constant]


def _batch(
    axis: int | None = 0,
    shift: bool = True,
    stretch: bool = True,
    total: bool = False,
    correction: int = 0,
    no_eps: bool = False,
    no_gamma: bool = False,
    square: bool = False,
    raw: bool | None = False,
    sign: float = -1,
) -> Callable[[Tensor, Tensor, Tensor, float], Tensor]:
    """Return the backward pass of batch normalisation, or a slip of it."""

    def backward(z: Tensor, g: Tensor, gamma: Tensor, eps: float) -> Tensor:
        axes = {"dim": (0, 1) if axis is None else axis, "keepdim": True}
        add = torch.sum if total else torch.mean
        eps = 1e-300 if no_eps else eps
        centred, s = z - z.mean(**axes), (z.var(correction=correction, **axes) + eps).sqrt()
        s = s**2 if square else s
        hat = z if raw is None else centred if raw else centred / s
        rest = shift * add(g, **axes) + stretch * hat * add(g * hat, **axes)
        return (1 if no_gamma else gamma) * (g + sign * rest) / s

    return backward


def _rms(
    axis: int = 1,
    shift: bool = False,
    stretch: bool = True,
    outside: bool = False,
    total: bool = False,
    no_eps: bool = False,
    no_gamma: bool = False,
    square: bool = False,
    raw: bool = False,
    sign: float = -1,
) -> Callable[[Tensor, Tensor, Tensor, float], Tensor]:
    """Return the backward pass of RMS normalisation, or a slip of it."""

    def backward(z: Tensor, g: Tensor, gamma: Tensor, eps: float) -> Tensor:
        axes = {"dim": axis, "keepdim": True}
        add = torch.sum if total else torch.mean
        s = ((z**2).mean(**axes) + (0 if no_eps else eps)).sqrt()
        s = s**2 if square else s
        hat, front = z if raw else z / s, gamma if outside else 1
        g = g if outside or no_gamma else g * gamma
        rest = shift * g.mean(**axes) + stretch * hat * add(g * hat, **axes)
        return front * (g + sign * rest) / s

    return backward


def _layer(z: Tensor, g: Tensor, gamma: Tensor, eps: float) -> Tensor:
    g, s = g * gamma, (z.var(1, correction=0, keepdim=True) + eps).sqrt()
    hat = (z - z.mean(1, keepdim=True)) / s
    return (g - g.mean(1, keepdim=True) - hat * (g * hat).mean(1, keepdim=True)) / s


# --- exercise 5: stopping against a penalty


def closest_steps(function: Callable[[Tensor, Tensor, float, float, int], int]) -> Feedback:
    """Exercise 5: after how many steps gradient descent is closest to the minimum with penalty."""
    mistakes: _Mistakes = {
        'misconception "stopping early IS the penalty": this is 1 / (2 nu lr), whatever the loss': (lambda c, w, nu, lr, most: round(1 / (2 * nu * lr)), "that is where the two agree along directions of small curvature; measure where they are closest together"),
        'misconception "stopping early IS the penalty": this is 1 / (2 nu lr), rounded down': (lambda c, w, nu, lr, most: int(1 / (2 * nu * lr)), "that is where the two agree along directions of small curvature; measure where they are closest together"),
        "the penalised minimum has nu where 2 nu belongs": (_closest(penalty=1), "the gradient of nu w^2 is 2 nu w: the share kept is curvature / (curvature + 2 nu)"),
        "one step too few": (lambda *case: _closest()(*case) - 1, "step 0 is the start, w = 0: a list that begins with step 1 has step t at place t - 1"),
        "one step too many": (lambda *case: _closest()(*case) + 1, "step 0 is the start, w = 0, and it counts"),
        "this compares the shares kept, and forgets the optimum": (_closest(weighted=False), "a direction in which the optimum is small counts little: multiply by the optimum"),
        "this looks at the largest difference, not at the distance": (_closest(order=math.inf), "closest is the Euclidean distance"),
        "this adds up the differences, not their squares": (_closest(order=1), "closest is the Euclidean distance"),
        "this is the last step": (lambda c, w, nu, lr, most: most, "gradient descent without penalty goes on to the optimum, and passes by: where is it closest?"),
        "this uses the error that is left, not the share that is reached": (_closest(left=True), "after t steps (1 - lr * curvature)^t of the error is LEFT, and the start is w = 0"),
    }  # fmt: skip
    praise = (
        "three directions, and the sum of their squares decides",
        "also one direction, and twenty",
        "no step at all is closest where the penalty is very large",
    )
    hint = (
        "for t = 0, 1, ..., most: the distance between (1 - (1 - lr c)^t) w and c / (c + 2 nu) w; then argmin"
    )
    return _judged(function, _quadratics(), _closest(), mistakes, praise, hint)


def _quadratics() -> list[tuple[Tensor, Tensor, float, float, int]]:
    """Return cases ``(curvatures, optimum, nu, lr, most)``."""
    double = {"dtype": torch.float64}
    return [
        (torch.tensor([1.0, 0.1, 0.01], **double), torch.tensor([1.0, -0.5, 3.0], **double), 0.05, 0.5, 300),
        (torch.tensor([0.2], **double), torch.tensor([3.0], **double), 0.01, 0.3, 500),
        (torch.logspace(-2, 0, 20, **double), torch.linspace(1.5, -0.5, 20, **double), 0.02, 0.4, 400),
        (torch.tensor([1.0, 0.5], **double), torch.tensor([1.0, 1.0], **double), 10.0, 0.9, 50),
    ]


def _closest(
    penalty: float = 2, weighted: bool = True, order: float = 2, left: bool = False
) -> Callable[..., Tensor]:
    """Return a function for the step at which the path is closest to the penalised minimum, or a slip of it."""

    def steps(curvatures: Tensor, optimum: Tensor, nu: float, lr: float, most: int) -> Tensor:
        t = torch.arange(most + 1, dtype=torch.float64)[:, None]
        rest = (1 - lr * curvatures) ** t
        shares = (rest if left else 1 - rest) - curvatures / (curvatures + penalty * nu)
        return torch.linalg.vector_norm(shares * optimum if weighted else shares, order, dim=1).argmin()

    return steps


# --- exercise 6: the length of the weights


def new_length(function: Callable[[float, float, float, float], float]) -> Feedback:
    """Exercise 6a: the length of the weights in front of batch normalisation after a step with decay."""

    def right(length: float, gradient: float, lr: float, decay: float) -> float:
        return math.hypot((1 - lr * decay) * length, lr * gradient)

    mistakes: _Mistakes = {
        "the gradient is taken to point along the weights": (lambda w, g, lr, d: (1 - lr * d) * w + lr * g, "it is at right angles to them: use Pythagoras"),
        'misconception "a gradient step makes weights shorter": it is at right angles to them': (lambda w, g, lr, d: abs((1 - lr * d) * w - lr * g), "use Pythagoras: the step makes them longer"),
        "the square of the step is subtracted": (lambda w, g, lr, d: math.sqrt(max(((1 - lr * d) * w) ** 2 - (lr * g) ** 2, 0)), "at right angles the squares add up"),
        "the decay is left out": (lambda w, g, lr, d: math.hypot(w, lr * g), "decay first multiplies the weights by 1 - lr * decay"),
        "this is the square of the length": (lambda w, g, lr, d: ((1 - lr * d) * w) ** 2 + (lr * g) ** 2, "take the root"),
        "the decay is doubled": (lambda w, g, lr, d: math.hypot((1 - 2 * lr * d) * w, lr * g), "torch's weight_decay is 2 nu already: the factor is 1 - lr * decay"),
        "the decay is not multiplied by the learning rate": (lambda w, g, lr, d: math.hypot((1 - d) * w, lr * g), "the factor is 1 - lr * decay"),
        "only the decay is there": (lambda w, g, lr, d: (1 - lr * d) * w, "the gradient moves the weights as well, at right angles"),
    }  # fmt: skip
    cases = [(1.0, 0.5, 0.1, 0.3), (3.0, 2.0, 0.5, 0.1), (2.0, 0.0, 0.1, 0.5), (1.0, 1.0, 1.0, 0.0)]
    praise = (
        "without decay the weights grow with every step",
        "without gradient they shrink by 1 - lr * decay",
        "and Pythagoras for the rest",
    )
    hint = "the weights are shrunk, then moved at right angles by lr times the gradient"
    return _judged(function, cases, right, mistakes, praise, hint)


def resting_length(function: Callable[[float, float, float], float]) -> Feedback:
    """Exercise 6b: the length at which growth and decay balance, for a gradient of length c / length."""
    mistakes: _Mistakes = {
        "this is the square of the length, or takes the gradient to be c for every length": (lambda c, lr, d: c * math.sqrt(lr / (2 * d)), "the gradient is c / length: then the length appears to the fourth power"),
        "the 2 is missing": (lambda c, lr, d: (lr * c * c / d) ** 0.25, "(1 - lr d)^2 is nearly 1 - 2 lr d"),
        "the learning rate is missing": (lambda c, lr, d: (c * c / (2 * d)) ** 0.25, "growth has lr squared, decay has lr: one of them stays"),
        "upside down": (lambda c, lr, d: (2 * d / (lr * c * c)) ** 0.25, "more decay means shorter weights"),
        'misconception "decay shrinks the weights to zero"': (lambda c, lr, d: 0.0, "short weights in front of batch normalisation have large gradients, and large gradients make them grow"),
        "the learning rate is squared": (lambda c, lr, d: (lr * lr * c * c / (2 * d)) ** 0.25, "decay has one lr as well: only one is left"),
        "c enters without its square": (lambda c, lr, d: (lr * c / (2 * d)) ** 0.25, "Pythagoras squares the gradient, and with it c"),
        "this is the length to the fourth power": (lambda c, lr, d: lr * c * c / (2 * d), "take the fourth root"),
    }  # fmt: skip
    cases = [(1.0, 0.1, 0.01), (3.0, 0.1, 0.01), (3.0, 0.5, 0.001), (0.2, 0.01, 0.1)]
    praise = (
        "four times the learning rate, longer weights by a factor of the root of two",
        "and more decay, shorter weights",
    )
    hint = "set the new length equal to the old one, and drop what is of second order in lr * decay"
    return _judged(
        function, cases, lambda c, lr, d: (lr * c * c / (2 * d)) ** 0.25, mistakes, praise, hint, 2e-3
    )


# --- for all


def _judged(
    function: Callable,
    cases: Sequence[tuple],
    right: Callable,
    mistakes: _Mistakes,
    praise: Sequence[str],
    hint: str,
    tolerance: float = 1e-6,
) -> Feedback:
    """Compare what ``function`` returns with ``right`` on all cases, then with the mistakes we know."""
    sheet = Sheet()
    if is_missing(function) or is_missing(quietly(function, *_copies(cases[0]))):
        return sheet.not_yet()
    given = []
    for case in cases:
        handed = _copies(case)
        result = _called(sheet, function, *handed)
        if result is None:
            return sheet.hand_back()
        if not all(torch.equal(torch.as_tensor(a), torch.as_tensor(b)) for a, b in zip(handed, case, strict=True)):  # fmt: skip
            sheet.wrong("your function changes what it is given", "write g - x, not g -= x")
            return sheet.hand_back()
        wanted, value = torch.as_tensor(right(*case)), as_tensor(result[0])
        if value is not None and wanted.dim() == 0 and as_number(value) is not None:
            value = value.reshape(())
        if value is None or value.shape != wanted.shape or not bool(torch.isfinite(value).all()):
            kind = f"a tensor of shape {tuple(wanted.shape)}" if wanted.dim() else "one finite number"
            sheet.wrong(f"got {_shown(result[0])}", f"return {kind} here")
            return sheet.hand_back()
        given.append(value)

    def agrees(candidate: Callable) -> bool:
        wanted = [torch.as_tensor(candidate(*case), dtype=torch.float64) for case in cases]
        return all(_close(a, b, tolerance) for a, b in zip(given, wanted, strict=True))

    if agrees(right):
        for finding in praise:
            sheet.right(finding)
        return sheet.hand_back()
    for finding, (wrong, advice) in mistakes.items():
        if agrees(wrong):
            sheet.wrong(finding, advice)
            return sheet.hand_back()
    off = [
        number
        for number, (a, case) in enumerate(zip(given, cases, strict=True), 1)
        if not _close(a, torch.as_tensor(right(*case), dtype=torch.float64), tolerance)
    ]
    finding = f"right on {len(cases) - len(off)} of {len(cases)} examples; "
    case = cases[off[0] - 1]
    if given[off[0] - 1].dim() == 0:
        shown = ", ".join(_shown(a.tolist() if isinstance(a, Tensor) else a) for a in case)
        finding += f"for {shown} this gives {given[off[0] - 1].item():.4g}, not {float(right(*case)):.4g}"
    else:
        finding += f"wrong for a matrix of shape {tuple(case[0].shape)} with eps = {case[3]:g}"
    sheet.wrong(finding, hint)
    return sheet.hand_back()


def _close(given: Tensor, wanted: Tensor, tolerance: float) -> bool:
    return given.shape == wanted.shape and torch.allclose(given, wanted, rtol=tolerance, atol=tolerance / 10)


def _copies(case: tuple) -> tuple:
    return tuple(value.clone() if isinstance(value, Tensor) else value for value in case)


def _called(sheet: Sheet, function: Callable, *arguments: object) -> tuple[object] | None:
    """Return what ``function`` returns as a tuple of one; ``None`` only if it raised, which the sheet then tells."""

    def wrapped(*given: object) -> tuple[object]:
        return (function(*given),)

    name = quietly(getattr, function, "__name__", None)
    wrapped.__name__ = name if isinstance(name, str) and name != "raised" else "your function"
    return sheet.call(wrapped, *arguments)


def _shown(value: object) -> str:
    """Return ``value`` in a few characters, whatever it is."""
    text = quietly(repr, value)
    text = text if isinstance(text, str) else type(value).__name__
    return text if len(text) <= 60 else text[:57] + "..."
