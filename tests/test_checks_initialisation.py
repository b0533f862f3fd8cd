"""The checks of chapter 12 accept what is right, turn the starter away kindly, and know the usual mistakes."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from labs.checks import Feedback
from labs.checks import initialisation as check
from labs.gaussian import gaussian_mean
from labs.signals import variance_map

DOUBLED = {
    "logits": 2**21,
    "mean square of the logits": 2**42,
    "slope": 2**20,
    "changed classes": 0,
}
SLOPES = {"He": 0, "LeCun": 1, "Xavier": 3**-0.5, "4/n": "none"}
SECRET = {"chi": 1.174, "weight variance": 2.51, "near inputs": "part"}
HELD = {"two decimals": 33, "four decimals": 67, "layers per decimal": 17, "width 64": 12}
ANSWERS = {
    check.doubled_weights: DOUBLED,
    check.which_slope: SLOPES,
    check.secret_start: SECRET,
    check.unstable_length: HELD,
}
FUNCTIONS = (check.start, check.kept_variance, check.in_evaluation, check.chi_from, check.layers_held)


def silent(*_):
    """What a starter does: nothing."""


def dots(*_):
    """What a starter does that returns its dots."""
    return ...


@pytest.mark.parametrize(
    ("function", "starter"),
    [
        *((function, dict.fromkeys(right, ...)) for function, right in ANSWERS.items()),
        *((function, {}) for function in ANSWERS),
        *((function, silent) for function in FUNCTIONS),
        *((function, dots) for function in FUNCTIONS),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
@pytest.mark.parametrize("untouched", ["starter", None, ...])
def test_the_starter_is_turned_away_kindly(function, starter, untouched, capsys):
    feedback = function(starter if untouched == "starter" else untouched)

    assert isinstance(feedback, Feedback)
    assert not feedback.passed
    assert "Nothing to check yet" in capsys.readouterr().out


def raises(*_):
    raise ZeroDivisionError("by zero")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_error_in_the_answer_is_told_and_not_raised(function, capsys):
    assert not function(raises).passed
    assert "ZeroDivisionError" in capsys.readouterr().out


NAN = float("nan")
NONSENSE = [
    "text", "raised", "", 0, 1, 0.5, True, [], [1, 2], (1, 2), (None, None), {"a": 1}, object(), NAN, (NAN, NAN), 1j,
    np.zeros(7), np.array(["a"]), np.array(None), torch.zeros(2), torch.full((3,), NAN), 10**400, math.inf,
    nn.Linear(2, 2),
]  # fmt: skip
PIECES = ("a", NAN, [1, 2], math.inf, -math.inf, -1, 1e300, True, object(), 1j, np.zeros(2))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_returns_nonsense_does_not_pass(function):
    assert not [nonsense for nonsense in NONSENSE if function(lambda *_, n=nonsense: n).passed]


@pytest.mark.parametrize("function", [*ANSWERS, *FUNCTIONS])
def test_nonsense_in_place_of_the_answer_does_not_pass(function):
    assert not [nonsense for nonsense in NONSENSE if function(nonsense).passed]


@pytest.mark.parametrize("function", ANSWERS)
def test_nonsense_in_the_parts_of_an_answer_does_not_pass(function):
    right = ANSWERS[function]

    assert not [piece for piece in PIECES if function(dict.fromkeys(right, piece)).passed]
    assert not [piece for piece in PIECES if function({**right, list(right)[0]: piece}).passed]


@pytest.mark.parametrize("function", ANSWERS)
def test_the_right_answers_pass_also_as_arrays(function):
    right = ANSWERS[function]
    as_arrays = {k: v if isinstance(v, str) else np.array([v]) for k, v in right.items()}

    assert function(right).passed
    assert function(as_arrays).passed


@pytest.mark.parametrize("function", ANSWERS)
def test_each_part_is_needed(function, capsys):
    for part in ANSWERS[function]:
        assert not function({**ANSWERS[function], part: ...}).passed
        assert f"{part}: no answer yet" in capsys.readouterr().out


# --- exercise 1


@pytest.mark.parametrize(
    ("part", "wrong", "message"),
    [
        ("logits", 2**20, "only the hidden layers count"),
        ("logits", 42, "the factors add up"),
        ("logits", 40, "the factors add up"),
        ("logits", 2, "everything is doubled, so the result is doubled"),
        ("logits", 2**42, "the factor of the mean square"),
        ("logits", 1024, "ReLU takes half of each factor away"),
        ("logits", 21, "the number of matrices"),
        ("logits", 2**-21, "upside down"),
        ("logits", 2**18, "a power of two, but not the right one, 2^18"),
        ("logits", 7.3, "not 7.3"),
        ("mean square of the logits", 2**21, "the mean square grows like the signal"),
        ("mean square of the logits", 4**20, "only the hidden layers count"),
        ("mean square of the logits", 4, "the factor of one layer"),
        ("slope", 2**21, "a gradient grows like the signal"),
        ("slope", 1, "a slope does not depend on the scale"),
        ("slope", 2**19, "one factor too few"),
        ("changed classes", 900, "a larger start gives other answers"),
        ("changed classes", 2000, "of 1000?"),
    ],
)
def test_each_wrong_factor_gets_its_message(part, wrong, message, capsys):
    assert not check.doubled_weights({**DOUBLED, part: wrong}).passed
    assert message in capsys.readouterr().out


# --- exercise 2


def test_the_slopes_are_those_that_torch_draws():
    torch.manual_seed(0)
    for name, wanted in (("He", 2 / 300), ("LeCun", 1 / 300), ("Xavier", 2 / 400)):
        drawn = nn.init.kaiming_uniform_(torch.empty(100, 300), a=SLOPES[name])
        assert abs(drawn.var().item() / wanted - 1) < 0.03


def test_a_rounded_slope_and_its_sign_do_no_harm():
    assert check.which_slope({**SLOPES, "Xavier": 0.577, "LeCun": -1, "4/n": " None "}).passed


@pytest.mark.parametrize(
    ("part", "wrong", "message"),
    [
        ("He", 5**0.5, "PyTorch's default is He\""),
        ("LeCun", 2.236, "this is PyTorch's default"),
        ("He", 2, "a is the gain"),
        ("He", 2**0.5, "a is the gain"),
        ("He", "none", "there is an a"),
        ("LeCun", 0, "with a = 0 the variance is 2/n"),
        ("Xavier", 1, 'Xavier is 1/n"'),
        ("Xavier", 3**0.5, "changed places"),
        ("Xavier", 1 / 3, "this is a squared"),
        ("Xavier", 1.5, "a is the gain"),
        ("4/n", 0.5, "2/n is the most there is"),
        ("4/n", -0.5, "2/n is the most there is"),
    ],
)
def test_each_wrong_slope_gets_its_message(part, wrong, message, capsys):
    assert not check.which_slope({**SLOPES, part: wrong}).passed
    assert message in capsys.readouterr().out


# --- exercise 3


def starter(std=lambda g, n, m: g / n**0.5, walk=nn.Module.modules, kinds=(nn.Linear, nn.Conv2d), bias=True,
            inputs=lambda W: W[0].numel(), fill=None):  # fmt: skip
    def start(model, gain):
        for layer in walk(model):
            if isinstance(layer, kinds):
                W = layer.weight
                size = std(gain, inputs(W), len(W))
                nn.init.normal_(W, std=size) if fill is None else fill(W, size)
                if bias and layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    return start


def uniform(W, std):
    nn.init.uniform_(W, -(3**0.5) * std, 3**0.5 * std)


def rows_alike(W, std):
    with torch.no_grad():
        W.copy_(std * torch.randn(1, *W.shape[1:]).expand_as(W))


def columns_alike(W, std):
    with torch.no_grad():
        W.copy_(std * torch.randn(len(W), *[1] * (W.dim() - 1)).expand_as(W))


def always_the_same(model, gain):
    torch.manual_seed(3)
    starter()(model, gain)


def a_copy(model, gain):
    model = copy.deepcopy(model)
    starter()(model, gain)
    return model


def replaced(model, gain):
    for layer in model.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            layer.weight = nn.Parameter(
                torch.randn_like(layer.weight) * gain / layer.weight[0].numel() ** 0.5
            )


def frozen(model, gain):
    starter()(model, gain)
    model.requires_grad_(False)


def without_no_grad(model, gain):
    for p in model.parameters():
        p.normal_()


def emptied(model, gain):
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            layer.weight = None


def all_weights(model, gain):
    starter()(model, gain)
    for module in model.modules():
        if not isinstance(module, nn.Conv2d) and getattr(module, "weight", None) is not None:
            nn.init.normal_(module.weight, std=gain / module.weight[0].numel() ** 0.5)


def no_question_asked(model, gain):
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=gain / layer.in_features**0.5)
            layer.bias.data.zero_()


def only_the_first(model, gain):
    starter()(next(iter(model.children())), gain)


def test_the_right_starts_pass_and_leave_the_callers_random_numbers_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)

    assert check.start(starter()).passed
    assert check.start(starter(fill=uniform)).passed
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (starter(lambda g, n, m: g**2 / n), "used as the standard deviation"),
        (starter(lambda g, n, m: g / n), "the deviation is g/n"),
        (starter(lambda g, n, m: g**2 / n**0.5), "g^2 over the root of n"),
        (starter(lambda g, n, m: (g / n) ** 0.5), "the variance is g/n"),
        (starter(lambda g, n, m: g / m**0.5), "n counts the outputs"),
        (starter(lambda g, n, m: g * (2 / (n + m)) ** 0.5), "Xavier is 1/n"),
        (starter(lambda g, n, m: n**-0.5), "the gain is not used"),
        (starter(lambda g, n, m: g * (2 / n) ** 0.5), "twice g^2/n"),
        (starter(lambda g, n, m: (2 / n) ** 0.5), "He's law, whatever g is"),
        (starter(lambda g, n, m: 0.0), "several units have the same weights"),
        (starter(lambda g, n, m: 5.0), "times g^2/n"),
        (starter(fill=lambda W, s: nn.init.uniform_(W, -s, s)), "a third of g^2/n"),
        (starter(fill=lambda W, s: nn.init.normal_(W, s, s)), "the mean is not zero"),
        (starter(fill=lambda W, s: None), "PyTorch's own weights are still there"),
        (starter(fill=rows_alike), "several units have the same weights"),
        (starter(fill=columns_alike), "all inputs of a unit get the same weight"),
        (starter(fill=lambda W, s: nn.init.constant_(W, NAN)), "not finite"),
        (starter(bias=False), "biases start at zero anyway"),
        (starter(walk=nn.Module.children), "a layer inside a block"),
        (starter(kinds=nn.Linear), "a convolution is not right"),
        (starter(inputs=lambda W: W.shape[1]), "the channels alone are counted"),
        (only_the_first, "the second layer"),
        (always_the_same, "every call draws the same numbers"),
        (a_copy, "a copy was started"),
        (replaced, "other parameters now"),
        (frozen, "no longer ask for gradients"),
        (without_no_grad, "put the lines under torch.no_grad()"),
        (emptied, "other parameters now"),
        (no_question_asked, "bias=False has None there"),
    ],
    ids=range(29),
)
def test_each_wrong_start_gets_its_message(function, message, capsys):
    assert not check.start(function).passed
    assert message in capsys.readouterr().out


def test_a_start_that_overwrites_a_normalisation_is_told(capsys):
    assert not check.start(all_weights).passed
    assert "a normalisation or a PReLU was overwritten" in capsys.readouterr().out


# --- exercise 4


def test_the_variance_keeps_the_length_of_a_layer_with_dropout():
    torch.manual_seed(0)
    a = torch.randn(2000, 256).relu()
    W = torch.randn(256, 256) * (2 * (1 - 0.5) / 256) ** 0.5

    assert abs((torch.dropout(a, 0.5, True) @ W.T).square().mean().item() - 1) < 0.05
    assert abs((a @ W.T).square().mean().item() - 0.5) < 0.05
    assert check.kept_variance(lambda p: 2 * (1 - p)).passed
    assert check.kept_variance(lambda p: torch.tensor([2 - 2 * p])).passed
    assert check.in_evaluation(lambda p, n: (1 - p) ** n).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda p: 2 / (1 - p), "upside down"),
        (lambda p: 2, "it keeps everything"),
        (lambda p: 2 * (1 - p) ** 2, "the square of 1 - p"),
        (lambda p: 1 - p, "without the half that ReLU takes"),
        (lambda p: (2 - 2 * p) ** 0.5, "this is sigma_w"),
        (lambda p: 2 * p, "p in the place of 1 - p"),
        (lambda p: 4 - 4 * p, "twice ReLU's half"),
        (lambda p: 2 - p, "2 - p"),
        (lambda p: 1.0, "this gives 1"),
        (lambda p: 2 * (1 - p) if p else 1 / p, "ZeroDivisionError"),
    ],
    ids=range(10),
)
def test_each_wrong_variance_gets_its_message(function, message, capsys):
    assert not check.kept_variance(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda p, n: 1, "makes evaluation the same as training"),
        (lambda p, n: (1 - p) ** -n, "upside down"),
        (lambda p, n: (1 - p) ** (n / 2), "the factor of the signal"),
        (lambda p, n: (1 - p) ** (2 * n), "the square of the length"),
        (lambda p, n: 1 - p, "one layer"),
        (lambda p, n: 1 - n * p, "the layers' shares are added"),
        (lambda p, n: (2 - 2 * p) ** n, "without the half that ReLU takes"),
        (lambda p, n: p**n, "p in the place of 1 - p"),
        (lambda p, n: 0.3, "this gives 0.3"),
        (lambda p, n: (1 - p) ** (n or None), "TypeError"),
    ],
    ids=range(10),
)
def test_each_wrong_evaluation_gets_its_message(function, message, capsys):
    assert not check.in_evaluation(function).passed
    assert message in capsys.readouterr().out


# --- exercise 5


def chi(pick=lambda s, k: s[:, k:], steps=lambda n: n - 1, end=math.exp, mean=lambda r: r.log().mean()):
    def chi_from(squares, skip):
        kept = pick(squares, skip)
        return end(float(mean(kept[:, 0] / kept[:, -1])) / steps(kept.shape[1]))

    return chi_from


def by_a_line(squares, skip):
    kept = squares[:, skip:].log().mean(0).numpy()
    return np.exp(-np.polyfit(np.arange(len(kept)), kept, 1)[0])


def spoils(squares, skip):
    found = chi()(squares, skip)
    squares[:] = 0
    return found


def test_the_right_estimates_pass():
    assert check.chi_from(chi()).passed
    assert check.chi_from(by_a_line).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (chi(pick=lambda s, k: s), "all layers are taken"),
        (chi(steps=lambda n: n), "between n layers lie n - 1 steps"),
        (chi(steps=lambda n: 1 - n), "upside down"),
        (chi(steps=lambda n: 2 * n - 2), "the factor of the gradient itself"),
        (chi(steps=lambda n: (n - 1) / 2), "no square is needed"),
        (chi(steps=lambda n: 1), "the change over all layers"),
        (chi(end=lambda x: x), "this is the logarithm"),
        (chi(mean=lambda r: r[0].log()), "only the first network"),
        (chi(mean=lambda r: r[-1].log()), "only the last network"),
        (lambda s, k: ((s[:, k] / s[:, -1]) ** (1 / (s.shape[1] - 1 - k))).mean(), "0.5 and 2 cancel"),
        (
            lambda s, k: (s[:, k].mean() / s[:, -1].mean()) ** (1 / (s.shape[1] - 1 - k)),
            "the loudest network",
        ),
        (lambda s, k: 1.5, "mean over the networks, divided by the steps"),
        (lambda s, k: s, "one number"),
        (spoils, "changes what it is given"),
    ],
    ids=range(14),
)
def test_each_wrong_estimate_gets_its_message(function, message, capsys):
    assert not check.chi_from(function).passed
    assert message in capsys.readouterr().out


def test_the_secret_is_what_the_gradients_say():
    squares = torch.stack([check.gradients(seed) for seed in range(4)])
    at_rest = 0.9735741
    predicted = 2.5 * gaussian_mean(lambda z: (1 - torch.tanh(z) ** 2) ** 2, at_rest)
    measured, with_all = chi()(squares, 10), chi()(squares, 0)

    assert math.isclose(variance_map("Tanh", at_rest, weight_variance=2.5), at_rest, rel_tol=1e-6)
    assert abs(measured - predicted) < 0.009
    assert check.secret_start({**SECRET, "chi": measured, "weight variance": 2.5}).passed
    assert not check.secret_start({**SECRET, "chi": with_all}).passed


@pytest.mark.parametrize(
    ("part", "wrong", "message"),
    [
        ("chi", 1.154, "the first layers are like all others"),
        ("chi", 1.083, "the factor of the gradient itself"),
        ("chi", 0.852, "upside down"),
        ("chi", 0.16, "this is the logarithm"),
        ("chi", 300, "the change over all layers"),
        ("chi", 2.0, "2 is not what these gradients say"),
        ("weight variance", 1.173, "the slope of tanh is one, so chi is the weight variance"),
        ("weight variance", 1.58, "this is sigma_w"),
        ("weight variance", 2.35, "a little too small"),
        ("weight variance", 2.5 / 128, "the variance of a single weight"),
        ("weight variance", 1.0, "chi is at most one"),
        ("weight variance", 4.0, "another chi is predicted"),
        ("near inputs", "merge", "gradients say nothing about inputs"),
        ("near inputs", "stay", "one of the words"),
    ],
)
def test_each_wrong_secret_gets_its_message(part, wrong, message, capsys):
    assert not check.secret_start({**SECRET, part: wrong}).passed
    assert message in capsys.readouterr().out


# --- exercise 6


def held(low=0.1, high=10.0, first=0, bounded=True, go_on=False):
    def layers_held(step, most):
        length, layers = 1.0, 0
        for _ in range(most if bounded else 10**9):
            if low <= length <= high:
                layers += 1
            elif not go_on:
                break
            length = step(length)
        return layers + first

    return layers_held


def test_the_right_count_passes():
    assert check.layers_held(held()).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (held(first=1), "one layer too many"),
        (held(first=-1), "one layer too few"),
        (held(low=-1), "only what grows is stopped"),
        (held(high=math.inf), "only what dies is stopped"),
        (held(bounded=False), "asked for more than 2000 layers"),
        (held(go_on=True), "25 layers where 1 are held"),
        (lambda step, most: 4, "4 layers where 6 are held"),
        (lambda step, most: "four", "no number"),
    ],
    ids=range(8),
)
def test_each_wrong_count_gets_its_message(function, message, capsys):
    assert not check.layers_held(function).passed
    assert message in capsys.readouterr().out


def test_the_counts_that_pass_are_those_of_the_map():
    def count(std):
        return held()(lambda q: variance_map("GELU", q, weight_variance=std**2), 80)

    two, four = ([count(std) for std in stds] for stds in ((1.53, 1.54), (1.5335, 1.5336)))

    assert (two, four) == ([30, 33], [65, 67])


@pytest.mark.parametrize(
    ("part", "wrong", "message"),
    [
        ("two decimals", 30, "the best rounded number is the gain, rounded"),
        ("two decimals", 1000, "only with all its digits"),
        ("two decimals", 15, "what one decimal holds"),
        ("two decimals", 1.54, "this is the deviation"),
        ("two decimals", 50, "50 is not what we find"),
        ("four decimals", 65, "the best rounded number is the gain, rounded"),
        ("four decimals", 200, "the gain holds it"),
        ("layers per decimal", 330, "ten times as exact, ten times as many layers"),
        ("layers per decimal", 34, "this is for two decimals"),
        ("layers per decimal", 1.144, "the growth of a deviation"),
        ("width 64", 33, "real networks follow the maps"),
        ("width 64", 20, "more than typical"),
        ("width 64", 2, "fewer than typical"),
    ],
)
def test_each_wrong_length_gets_its_message(part, wrong, message, capsys):
    assert not check.unstable_length({**HELD, part: wrong}).passed
    assert message in capsys.readouterr().out
