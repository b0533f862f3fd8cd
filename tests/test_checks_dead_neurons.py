"""The checks of chapter 16 accept what is right, turn the starter away kindly, and know the usual mistakes."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from labs.checks import Feedback
from labs.checks import dead_neurons as check
from labs.hooks import layer_values


def silent(*_):
    """What a starter does: nothing."""


@pytest.mark.parametrize(
    ("function", "starter"),
    [
        (check.mask_by_hand, ...),
        (check.dead_mask, silent),
        (check.critical_weight_variance, silent),
        (check.predicted_dead_share, silent),
        (check.blocked_share, silent),
        (check.kill_unit, silent),
    ],
)
@pytest.mark.parametrize("untouched", ["starter", None, ...])
def test_the_starter_is_turned_away_kindly(function, starter, untouched, capsys):
    feedback = function(starter if untouched == "starter" else untouched)

    assert isinstance(feedback, Feedback)
    assert not feedback.passed
    assert "Nothing to check yet" in capsys.readouterr().out


def raises(*_):
    raise ZeroDivisionError("by zero")


@pytest.mark.parametrize(
    "function",
    [
        check.dead_mask,
        check.critical_weight_variance,
        check.predicted_dead_share,
        check.blocked_share,
        check.kill_unit,
    ],
)
def test_an_answer_that_raises_is_reported_and_not_passed_on(function, capsys):
    feedback = function(raises)

    assert not feedback.passed
    assert "ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize(
    "nonsense", ["yes", "1000", 3, [True], object(), [None, 1, 2, 3], [float("nan"), 0, 0, 0]]
)
def test_nonsense_is_answered_and_not_passed(nonsense, capsys):
    assert not check.mask_by_hand(nonsense).passed
    assert "[--]" in capsys.readouterr().out


@pytest.mark.parametrize("function", [check.dead_mask, check.critical_weight_variance, check.blocked_share])
@pytest.mark.parametrize("nonsense", ["text", [1, 2], object(), torch.zeros(7), True])
def test_a_function_that_returns_nonsense_does_not_pass(function, nonsense):
    assert not function(lambda *_: nonsense).passed


def test_the_right_mask_passes():
    assert check.mask_by_hand([True, False, False, False]).passed
    assert check.mask_by_hand(torch.tensor([True, False, False, False])).passed


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([False, True, True, True], "marks the living"),
        ([True, True, False, True], "OR in batch 2"),
        ([True, False, False, True], "mask of batch 1 alone"),
        ([True, True, False, False], "mask of batch 2 alone"),
        ([True, True, True, True], "zero at least once"),
        ([False, False, False, False], "not the mask"),
    ],
)
def test_each_wrong_mask_gets_its_own_message(answer, message, capsys):
    assert not check.mask_by_hand(answer).passed
    assert message in capsys.readouterr().out


def mask_of(one_batch, combine=torch.logical_and):
    def function(batches):
        mask = one_batch(batches[0])
        for batch in batches[1:]:
            mask = combine(mask, one_batch(batch))
        return mask

    return function


def test_the_right_function_for_the_mask_passes():
    assert check.dead_mask(mask_of(lambda batch: (batch == 0).all(dim=0))).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda batches: (batches[-1] == 0).all(dim=0), "afresh with each batch"),
        (lambda batches: (batches[0] == 0).all(dim=0), "look at all batches"),
        (mask_of(lambda batch: (batch == 0).any(dim=0)), ".all(dim=0), not .any(dim=0)"),
        (mask_of(lambda batch: (batch <= 0).all(dim=0)), "not with <= 0"),
        (mask_of(lambda batch: batch.sum(dim=0) == 0), "a sum or a mean can be zero"),
        (mask_of(lambda batch: (batch.abs() < 1e-9).all(dim=0)), "a threshold measures something else"),
        (lambda batches: torch.cat(batches).amax(dim=0) == 0, "compare each output with == 0"),
        (lambda batches: ((batches[0] == 0) & (batches[-1] == 0)).all(dim=0), "the first and the last"),
        (mask_of(lambda batch: (batch != 0).any(dim=0), torch.logical_or), "start with True"),
    ],
)
def test_each_wrong_function_for_the_mask_gets_its_hint(function, message, capsys):
    assert not check.dead_mask(function).passed
    assert message in capsys.readouterr().out


def test_the_right_weight_variance_passes():
    assert check.critical_weight_variance(lambda a: 2 / (1 + a**2)).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda a: 2, "2 for every slope"),
        (lambda a: math.sqrt(2 / (1 + a * a)), "standard deviation"),
        (lambda a: 2 / (1 + a), "without its square"),
        (lambda a: 1 / (1 + a * a), "one half of what is needed"),
        (lambda a: (1 + a * a) / 2, "upside down"),
        (lambda a: 7.0, "this gives"),
    ],
)
def test_each_wrong_weight_variance_gets_its_message(function, message, capsys):
    assert not check.critical_weight_variance(function).passed
    assert message in capsys.readouterr().out


def phi(t):
    return torch.special.ndtr(torch.tensor(t)).item()


def test_the_right_share_passes():
    assert check.predicted_dead_share(lambda k, r: phi(-k * r**0.5)).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda k, r: phi(-k * r), "without its root"),
        (lambda k, r: phi(k * r**0.5), "grows with r"),
        (lambda k, r: phi(-1 / r**0.5), "inactive examples of one unit"),
        (lambda k, r: 0.5, "this gives"),
    ],
)
def test_each_wrong_share_gets_its_message(function, message, capsys):
    assert not check.predicted_dead_share(function).passed
    assert message in capsys.readouterr().out


def slope(activation, z):
    z = z.clone().requires_grad_()
    return torch.autograd.grad(activation(z).sum(), z)[0]


def test_the_right_blocked_share_passes_also_as_a_list():
    assert check.blocked_share(lambda f, z: (slope(f, z).abs() <= 0.05).float().mean(dim=0)).passed
    assert check.blocked_share(lambda f, z: (slope(f, z).abs() <= 0.05).float().mean(dim=0).tolist()).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda f, z: (f(z) == 0).float().mean(0), "exactly zero"),
        (lambda f, z: (z < 0).float().mean(0), "counts negative pre-activations"),
        (lambda f, z: (f(z).abs() <= 0.05).float().mean(0), "counts small outputs"),
        (lambda f, z: (slope(f, z).abs() > 0.05).float().mean(0), "do get through"),
        (lambda f, z: (slope(f, z) <= 0.05).float().mean(0), "absolute value"),
        (lambda f, z: torch.full((4,), 0.3), "wanted"),
        (
            lambda f, z: (slope(nn.GELU(), z).abs() <= 0.05).float().mean(0),
            "the activation that was passed in",
        ),
        (lambda f, z: (slope(f, z).abs() <= 0.07).float().mean(0), "flat is up to 0.05"),
        (lambda f, z: (slope(f, z).abs() <= 0.03).float().mean(0), "flat is up to 0.05"),
        (lambda f, z: 0.5, "one number per unit"),
    ],
)
def test_each_wrong_blocked_share_gets_its_message(function, message, capsys):
    assert not check.blocked_share(function).passed
    assert message in capsys.readouterr().out


def lower_by(amount):
    def function(model, unit, inputs):
        z, _ = layer_values(model, inputs)["act1"]
        with torch.no_grad():
            model.linear1.bias[unit] -= amount(z[:, unit])

    return function


def test_the_smallest_push_passes():
    assert check.kill_unit(lower_by(lambda z: z.max() + 1e-6)).passed


def wipe(model, unit, inputs):
    with torch.no_grad():
        nn.init.zeros_(model.linear1.weight)


def freeze_and_kill(model, unit, inputs):
    model.linear1.requires_grad_(False)
    lower_by(lambda z: z.max() + 1e-6)(model, unit, inputs)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lower_by(lambda z: 100.0), "further down than needed"),
        (lower_by(lambda z: z.mean()), "not the mean"),
        (lower_by(lambda z: z.max() / 2), "still speaks"),
        (wipe, "nothing else"),
        (lambda model, unit, inputs: lower_by(lambda z: z.max() + 1e-6)(model, 2, inputs), "nothing else"),
        (freeze_and_kill, "leave requires_grad as it was"),
        (lambda model, unit, inputs: model.linear1.bias[unit].sub_(9.0), "torch.no_grad()"),
    ],
)
def test_each_wrong_way_to_kill_gets_its_message(function, message, capsys):
    assert not check.kill_unit(function).passed
    assert message in capsys.readouterr().out


def test_a_check_never_changes_what_it_is_given():
    z = torch.tensor([[1.0]])

    check.blocked_share(lambda f, z: F.gelu(z).mul_(0))

    assert torch.equal(z, torch.tensor([[1.0]]))
