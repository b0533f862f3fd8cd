"""The checks of chapter 13 accept what is right, turn the starter away kindly, and know the usual mistakes."""

import math

import numpy as np
import pytest
import torch

from labs.checks import Feedback
from labs.checks import regularisation as check

ON_FUNCTIONS = (
    check.batch_norm_backward, check.rms_norm_backward, check.closest_steps, check.new_length, check.resting_length,
)  # fmt: skip
ON_VALUES = (check.running_statistics, check.price_and_factor)
NONSENSE = (
    "yes", "", 3, math.nan, math.inf, True, [], [1], {}, {"A": 1}, object(), [None, 1], [math.nan] * 4, ["A", ...],
    np.zeros(3), torch.zeros(2, 3), (1, 2), ("same", "same"), 1j, b"ACDF", [[1], [1, 2]], [0.0] * 4, -1, (0, 0),
)  # fmt: skip


class Hostile:
    """Cannot even be printed."""

    def __repr__(self):
        raise ValueError("no")


def silent(*_):
    """What a starter does: nothing."""


def three_dots(*_):
    return ...


def raises(*_):
    raise ZeroDivisionError("by zero")


# --- what every check has to stand


@pytest.mark.parametrize("function", ON_FUNCTIONS + ON_VALUES)
@pytest.mark.parametrize("untouched", [None, ...])
def test_the_starter_is_turned_away_kindly(function, untouched, capsys):
    feedback = function(untouched)

    assert isinstance(feedback, Feedback)
    assert not feedback.passed
    assert "Nothing to check yet" in capsys.readouterr().out


@pytest.mark.parametrize("function", ON_FUNCTIONS)
@pytest.mark.parametrize("starter", [silent, three_dots])
def test_a_function_without_a_body_is_turned_away_kindly(function, starter, capsys):
    assert not function(starter).passed
    assert "Nothing to check yet" in capsys.readouterr().out


@pytest.mark.parametrize("function", ON_FUNCTIONS)
def test_an_answer_that_raises_is_reported_and_not_passed_on(function, capsys):
    assert not function(raises).passed
    assert "raises stopped with ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize("function", ON_VALUES)
@pytest.mark.parametrize("nonsense", [*NONSENSE, Hostile()], ids=lambda value: type(value).__name__)
def test_nonsense_is_answered_and_not_passed(function, nonsense):
    assert not function(nonsense).passed


@pytest.mark.parametrize("function", ON_FUNCTIONS)
@pytest.mark.parametrize("nonsense", [*NONSENSE, Hostile()], ids=lambda value: type(value).__name__)
def test_a_function_that_returns_nonsense_or_a_constant_does_not_pass(function, nonsense):
    assert not function(lambda *_: nonsense).passed
    assert not function(nonsense).passed
    assert not function(lambda *_: (nonsense, nonsense)).passed
    assert not function(lambda first, *_: first).passed


def spoils(z, g, gamma, eps):
    g -= g.mean(0)
    return g


def test_a_function_that_writes_into_its_arguments_is_told(capsys):
    assert not check.batch_norm_backward(spoils).passed
    assert "changes what it is given" in capsys.readouterr().out


# --- exercise 1


def test_what_torch_computes_passes():
    layer = torch.nn.BatchNorm1d(1, momentum=check.RHO, dtype=torch.float64)
    for batch in check.BATCHES:
        training = layer(torch.tensor(batch, dtype=torch.float64)[:, None])[1].item()
    use = layer.eval()(torch.tensor([[8.0]], dtype=torch.float64)).item()
    answer = [layer.running_mean.item(), layer.running_var.item(), training, use]

    assert check.running_statistics(answer).passed
    assert check.running_statistics([round(value, 2) for value in answer]).passed
    assert check.running_statistics(np.array(answer)).passed


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([1.70, 4.48, 1, 2.98], "one variance for both"),
        ([1.70, 4.48, 1, 2.98], "fits your running statistics"),
        ([3.904, 26.952, 1, 0.79], "the running mean gives the old value"),
        ([3.904, 26.952, 1, 0.79], "the running variance gives the old value"),
        ([3.904, 13.48, 1, 1.12], "divisor B, and a weight of 0.2"),
        ([10 / 3, 14, 1, 1.25], "the mean over all batches"),
        ([10 / 3, 14, 1, 1.25], "mean of the variances"),
        ([4, 32, 1, 0.71], "the mean of the last batch"),
        ([4, 32, 1, 0.71], "the variance of the last batch"),
        ([2.72, 8.96, 1, 1.76], "mean starts at the first batch"),
        ([2.72, 8.96, 1, 1.76], "variance starts at the first batch"),
        ([2.0, 8.45, 1, 2.17], "is not shrunk"),
        ([1.70, 7.936, 1, 2.24], "variance starts at 0"),
        ([1.70, 8.45, 2.17, 2.17], "running statistics in training"),
        ([1.70, 8.45, 0.707, 2.17], "root of the unbiased variance"),
        ([1.70, 8.45, 0.25, 2.17], "this divides by the variance"),
        ([1.70, 8.45, -1, 2.17], "the sign is wrong"),
        ([1.70, 8.45, 1, 1], "the batch counts in use too"),
        ([1.70, 8.45, 1, 0.746], "divides by the running variance"),
        ([7, 7, 7, 7], "not 7"),
        ([1.70, -1, 1, 2.17], "not -1"),
        ([1.70, 8.45], "not four numbers"),
    ],
)
def test_each_wrong_prediction_gets_its_message(answer, message, capsys):
    assert not check.running_statistics(answer).passed
    assert message in capsys.readouterr().out


# --- exercise 2


def test_the_right_pair_passes():
    assert check.price_and_factor((0.2, 0.8)).passed
    assert check.price_and_factor(torch.tensor([0.2, 0.8])).passed


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((0.2, 0.2), "in use, dropout multiplies by p"),
        ((0.2, 1.25), "inverted dropout in training"),
        ((0.2, 1.0), "right for torch"),
        ((0.2, 0.25), "not the price"),
        ((0.2, 0.6), "does not belong to p"),
        ((0.8, 0.2), "p is the probability of keeping"),
        ((0.8, 0.8), "in use, dropout multiplies by p"),
        ((0.25, 0.75), "takes the price for the probability"),
        ((0.5, 0.5), "the variance of the mask itself"),
        ((0.3, 0.7), "the price of p = 0.3 is 0.429"),
        ((1.0, 0.0), "no probability"),
        ((0.0, 1.0), "no probability"),
        ((-0.2, 0.8), "no probability"),
    ],
)
def test_each_wrong_pair_gets_its_message(answer, message, capsys):
    assert not check.price_and_factor(answer).passed
    assert message in capsys.readouterr().out


# --- exercises 3 and 4


def by_autograd(forward):
    def backward(z, g, gamma, eps):
        z = z.clone().requires_grad_()
        return torch.autograd.grad((forward(z, eps) * gamma * g).sum(), z)[0]

    return backward


def batch(z, eps, dim=0, correction=0):
    return (z - z.mean(dim, keepdim=True)) / (z.var(dim, correction=correction, keepdim=True) + eps).sqrt()


def rms(z, eps, dim=1):
    return z / ((z**2).mean(dim, keepdim=True) + eps).sqrt()


def test_the_gradients_of_autograd_pass():
    assert check.batch_norm_backward(by_autograd(batch)).passed
    assert check.rms_norm_backward(by_autograd(rms)).passed
    assert check.batch_norm_backward(lambda *case: by_autograd(batch)(*case).float()).passed


def test_numpy_arrays_and_lists_are_taken():
    assert check.batch_norm_backward(lambda *case: by_autograd(batch)(*case).numpy()).passed
    assert check.rms_norm_backward(lambda *case: by_autograd(rms)(*case).tolist()).passed


def bn(z, g, gamma, eps, shift=1.0, stretch=1.0, add=torch.mean):
    s = (z.var(0, correction=0) + eps).sqrt()
    hat = (z - z.mean(0)) / s
    return gamma / s * (g - shift * add(g, 0) - stretch * hat * add(g * hat, 0))


def batch_with_z(z, g, gamma, eps, of):
    s = (z.var(0, correction=0) + eps).sqrt()
    hat = of(z)
    return gamma / s * (g - g.mean(0) - hat * (g * hat).mean(0))


def whole(z, eps):
    return (z - z.mean()) / (z.var(correction=0) + eps).sqrt()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda z, g, gamma, eps: gamma * g / (z.var(0, correction=0) + eps).sqrt(), "are independent"),
        (lambda *case: bn(*case, shift=0.0), "the mean of the gradients is missing"),
        (lambda *case: bn(*case, stretch=0.0), "along z-hat is missing"),
        (lambda *case: bn(*case, add=torch.sum), "sums where means are needed"),
        (lambda z, g, gamma, eps: gamma * by_autograd(lambda z, e: batch(z, e, 1))(z, g, torch.ones(1), eps),
         "as layer normalisation does"),
        (lambda z, g, gamma, eps: gamma * by_autograd(whole)(z, g, torch.ones(1), eps), "the whole matrix"),
        (lambda z, g, gamma, eps: bn(z, g, torch.ones(1), eps), "gamma is left out"),
        (lambda z, g, gamma, eps: bn(z, g, gamma, eps, shift=-1.0, stretch=-1.0), "the wrong sign"),
        (lambda *case: batch_with_z(*case, lambda z: z - z.mean(0)), "without dividing by s"),
        (lambda *case: batch_with_z(*case, lambda z: z), "uses z itself"),
        (lambda z, g, gamma, eps: bn(z, g, gamma, 1e-300), "epsilon is left out"),
        (lambda z, g, gamma, eps: g + 1, "right on 0 of 5 examples"),
        (lambda z, g, gamma, eps: g[0], "return a tensor of shape (6, 3)"),
    ],
)  # fmt: skip
def test_each_wrong_backward_pass_of_batch_norm_gets_its_message(function, message, capsys):
    assert not check.batch_norm_backward(function).passed
    assert message in capsys.readouterr().out


def test_the_other_slips_of_batch_norm_are_known(capsys):
    def unbiased(z, g, gamma, eps):
        s = (z.var(0) + eps).sqrt()
        hat = (z - z.mean(0)) / s
        return gamma / s * (g - g.mean(0) - hat * (g * hat).mean(0))

    def squared(z, g, gamma, eps):
        s = z.var(0, correction=0) + eps
        hat = (z - z.mean(0)) / s
        return gamma / s * (g - g.mean(0) - hat * (g * hat).mean(0))

    assert not check.batch_norm_backward(unbiased).passed
    assert not check.batch_norm_backward(squared).passed
    printed = capsys.readouterr().out
    assert "B - 1 in the variance" in printed
    assert "the variance, not by its root" in printed


def rn(z, g, gamma, eps, shift=0.0, stretch=1.0, add=torch.mean, power=0.5):
    s = ((z**2).mean(1, keepdim=True) + eps) ** power
    hat, g = z / s, g * gamma
    return (g - shift * g.mean(1, keepdim=True) - stretch * hat * add(g * hat, 1, keepdim=True)) / s


def rms_with_z(z, g, gamma, eps):
    g = g * gamma
    return (g - z * (g * z).mean(1, keepdim=True)) / ((z**2).mean(1, keepdim=True) + eps).sqrt()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda *case: rn(*case, shift=1.0), "takes away the mean of the gradients"),
        (by_autograd(lambda z, eps: batch(z, eps, 1)), "gradient of layer normalisation"),
        (lambda z, g, gamma, eps: gamma * rn(z, g, torch.ones(1), eps), "in front of the bracket"),
        (lambda *case: rn(*case, stretch=0.0), "the scale is a constant"),
        (lambda *case: rn(*case, add=torch.sum), "a sum where a mean is needed"),
        (by_autograd(lambda z, eps: rms(z, eps, 0)), "averages over the batch"),
        (lambda z, g, gamma, eps: rn(z, g, gamma, 0.0), "epsilon is left out"),
        (lambda z, g, gamma, eps: rn(z, g, torch.ones(1), eps), "gamma is left out"),
        (lambda *case: rn(*case, power=1.0), "the mean square, not by its root"),
        (lambda *case: rn(*case, stretch=-1.0), "the wrong sign"),
        (rms_with_z, "uses z itself"),
        (lambda z, g, gamma, eps: g - 1, "wrong for a matrix of shape (6, 3)"),
    ],
)
def test_each_wrong_backward_pass_of_rms_norm_gets_its_message(function, message, capsys):
    assert not check.rms_norm_backward(function).passed
    assert message in capsys.readouterr().out


# --- exercise 5


def steps(c, w, nu, lr, most, *, penalty=2, first=0, distance=lambda d: d.norm(), start=0.0):
    ridge, current, distances = c / (c + penalty * nu) * w, start * w, []
    for t in range(most + 1):
        if t >= first:
            distances.append(distance(current - ridge))
        current = current - lr * c * (current - w)
    return int(torch.stack(distances).argmin())


def test_steps_by_a_loop_pass_in_every_form():
    assert check.closest_steps(steps).passed
    assert check.closest_steps(lambda *case: torch.tensor(steps(*case))).passed
    assert check.closest_steps(lambda *case: np.int64(steps(*case))).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda c, w, nu, lr, most: round(1 / (2 * nu * lr)), "whatever the loss"),
        (lambda c, w, nu, lr, most: int(1 / (2 * nu * lr)), "rounded down"),
        (lambda *case: steps(*case, penalty=1), "nu where 2 nu belongs"),
        (lambda *case: steps(*case) - 1, "one step too few"),
        (lambda *case: steps(*case) + 1, "one step too many"),
        (lambda c, w, *rest: steps(c, torch.ones_like(w), *rest), "forgets the optimum"),
        (lambda *case: steps(*case, distance=lambda d: d.abs().max()), "the largest difference"),
        (lambda *case: steps(*case, distance=lambda d: d.abs().sum()), "adds up the differences"),
        (lambda c, w, nu, lr, most: most, "the last step"),
        (lambda c, w, nu, lr, most: check._closest(left=True)(c, w, nu, lr, most), "the error that is left"),
        (lambda *case: 7, "right on 0 of 4"),
    ],
)
def test_each_wrong_number_of_steps_gets_its_message(function, message, capsys):
    assert not check.closest_steps(function).passed
    assert message in capsys.readouterr().out


# --- exercise 6


def test_the_right_lengths_pass():
    assert check.new_length(lambda w, g, lr, d: math.hypot((1 - lr * d) * w, lr * g)).passed
    assert check.resting_length(lambda c, lr, d: (lr * c * c / (2 * d)) ** 0.25).passed


def test_the_exact_and_the_simulated_resting_length_pass_too():
    def simulated(c, lr, d):
        length = 1.0
        for _ in range(int(10 / (lr * d))):
            length = math.hypot((1 - lr * d) * length, lr * c / length)
        return length

    assert check.resting_length(lambda c, lr, d: (lr * c * c / (d * (2 - lr * d))) ** 0.25).passed
    assert check.resting_length(simulated).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda w, g, lr, d: (1 - lr * d) * w + lr * g, "to point along the weights"),
        (lambda w, g, lr, d: abs((1 - lr * d) * w - lr * g), "makes weights shorter"),
        (lambda w, g, lr, d: max(((1 - lr * d) * w) ** 2 - (lr * g) ** 2, 0) ** 0.5, "is subtracted"),
        (lambda w, g, lr, d: math.hypot(w, lr * g), "the decay is left out"),
        (lambda w, g, lr, d: ((1 - lr * d) * w) ** 2 + (lr * g) ** 2, "square of the length"),
        (lambda w, g, lr, d: math.hypot((1 - 2 * lr * d) * w, lr * g), "the decay is doubled"),
        (lambda w, g, lr, d: math.hypot((1 - d) * w, lr * g), "not multiplied by the learning rate"),
        (lambda w, g, lr, d: (1 - lr * d) * w, "only the decay"),
        (lambda w, g, lr, d: w + g, "right on 0 of 4"),
    ],
)
def test_each_wrong_new_length_gets_its_message(function, message, capsys):
    assert not check.new_length(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda c, lr, d: c * math.sqrt(lr / (2 * d)), "the length appears to the fourth power"),
        (lambda c, lr, d: (lr * c * c / d) ** 0.25, "the 2 is missing"),
        (lambda c, lr, d: (c * c / (2 * d)) ** 0.25, "the learning rate is missing"),
        (lambda c, lr, d: (2 * d / (lr * c * c)) ** 0.25, "upside down"),
        (lambda c, lr, d: 0, "decay shrinks the weights to zero"),
        (lambda c, lr, d: (lr * lr * c * c / (2 * d)) ** 0.25, "is squared"),
        (lambda c, lr, d: (lr * c / (2 * d)) ** 0.25, "without its square"),
        (lambda c, lr, d: lr * c * c / (2 * d), "to the fourth power"),
        (lambda c, lr, d: c + lr, "right on 0 of 4"),
    ],
)
def test_each_wrong_resting_length_gets_its_message(function, message, capsys):
    assert not check.resting_length(function).passed
    assert message in capsys.readouterr().out
