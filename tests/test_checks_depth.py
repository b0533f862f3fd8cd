"""The checks of chapter 6 accept what is right, turn the starter away kindly, and know the usual mistakes."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from labs.checks import Feedback
from labs.checks import depth as check

FUNCTIONS = [check.fold, check.price, check.units_needed, check.error_floor, check.solved]
# The checks that take values, with the number of values.
VALUES = [
    (check.largest_ranks, 1),
    (check.same_family, 1),
    (check.zigzag, 2),
    (check.best_width, 1),
    (check.growth, 2),
    (check.cubes, 2),
    (check.xor_counts, 4),
]


def silent(*_):
    """What a starter does: nothing."""


def raises(*_):
    raise ZeroDivisionError("by zero")


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("untouched", [silent, None, ...])
def test_the_starter_of_a_function_is_turned_away_kindly(function, untouched, capsys):
    feedback = function(untouched)

    assert isinstance(feedback, Feedback)
    assert not feedback.passed
    assert "Nothing to check yet" in capsys.readouterr().out


@pytest.mark.parametrize(("function", "count"), VALUES)
@pytest.mark.parametrize("untouched", [None, ...])
def test_the_starter_of_a_value_is_turned_away_kindly(function, count, untouched, capsys):
    assert not function(*[untouched] * count).passed
    assert "Nothing to check yet" in capsys.readouterr().out


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_answer_that_raises_is_reported_and_not_passed_on(function, capsys):
    assert not function(raises).passed
    assert "ZeroDivisionError" in capsys.readouterr().out


NONSENSE = [
    "text", "", [], {}, [1, "2"], object(), torch.zeros(7), torch.zeros(3, 3), True, float("nan"), math.inf, -1, 0,
    1 + 2j, np.array(["a"]), [float("nan")] * 5, [None] * 3, nn.Identity(), [[1.0], [2.0, 3.0]], (None, None),
    (0, 0), len, [0.0, 0.0, 0.0],
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda value: type(value).__name__)
def test_a_function_that_returns_nonsense_or_a_constant_does_not_pass(function, nonsense):
    assert not function(lambda *_: nonsense).passed


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("nonsense", [3, "text", [1, 2], torch.zeros(3)])
def test_what_is_no_function_does_not_pass(function, nonsense):
    assert not function(nonsense).passed


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_of_too_few_arguments_does_not_pass(function):
    assert not function(lambda: 1).passed


@pytest.mark.parametrize(("function", "count"), VALUES)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda value: type(value).__name__)
def test_nonsense_is_answered_and_not_passed(function, count, nonsense, capsys):
    assert not function(*[nonsense] * count).passed
    assert "[--]" in capsys.readouterr().out


@pytest.mark.parametrize(("function", "count"), [one for one in VALUES if one[1] > 1])
@pytest.mark.parametrize("place", range(4))
def test_an_answer_with_a_gap_does_not_pass(function, count, place):
    right = {
        "zigzag": ([3, -6, 6], [0, 1 / 3, 2 / 3]),
        "growth": (2, 16),
        "cubes": (3, 9),
        "xor_counts": (6, 45, 6, "units"),
    }
    answers = list(right[function.__name__])
    answers[place % count] = ...

    assert not function(*answers).passed


# --- exercise 1


def test_the_right_ranks_pass_in_any_container():
    for ranks in (
        [5, 5, 3, 3, 5],
        (5, 5, 3, 3, 5),
        torch.tensor([5, 5, 3, 3, 5]),
        np.array([5.0, 5, 3, 3, 5]),
    ):
        assert check.largest_ranks(ranks).passed


def test_the_right_ranks_are_those_that_torch_finds():
    found = []
    for seed, widths in enumerate(check.WIDTHS.values()):
        weights = [layer.weight for layer in check._layers(widths, seed)]
        found.append(
            torch.linalg.matrix_rank(
                torch.linalg.multi_dot([*weights[::-1]]) if len(weights) > 1 else weights[0]
            )
        )

    assert check.largest_ranks(found).passed


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([45, 901, 47, 1352, 135], "counts the parameters"),
        ([8, 64, 8, 64, 8], "widest layer"),
        ([5, 5, 5, 5, 5], "overlooks the bottleneck"),
        ([8, 8, 3, 3, 5], "leaves out the output"),
        ([5, 5, 3, 5, 5], "last matrix only"),
        ([5, 8, 3, 8, 5], "first matrix only"),
        ([1, 2, 2, 4, 4], "counts the layers"),
        ([5, 64, 3, 3, 5], "narrowest HIDDEN layer"),
        ([5, 5, 3, 4, 5], "not right for D"),
        ([5, 5, 3], "one number per network"),
        ("55335", "one number per network"),
    ],
)
def test_each_wrong_list_of_ranks_gets_its_message(answer, message, capsys):
    assert not check.largest_ranks(answer).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    "groups",
    [
        ["ABE", "CD"],
        ("DC", "EBA"),
        [["A", "B", "E"], ["C", "D"]],
        [{"a", "b", "e"}, {"c", "d"}],
        {"ABE", "CD"},
    ],
)
def test_the_right_groups_pass_in_any_order(groups):
    assert check.same_family(groups).passed


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (["ABCDE"], "a bottleneck takes functions away"),
        (["A", "B", "C", "D", "E"], "the number of parameters is the capacity"),
        (["A", "BC", "DE"], "more layers are always more powerful"),
        (["AB", "CD", "E"], "E is not on its own"),
        (["ABE", "C", "D"], "C and D belong together"),
        (["A", "BE", "CD"], "A is not on its own"),
        (["AE", "B", "CD"], "B is not on its own"),
        (["ACE", "BD"], "WIDEST"),
        (["AC", "BDE"], "not the groups"),
        (["ABE"], "exactly one group"),
        (["ABE", "CDE"], "exactly one group"),
        ("ABE CD", "give a list of words"),
    ],
)
def test_each_wrong_grouping_gets_its_message(answer, message, capsys):
    assert not check.same_family(answer).passed
    assert message in capsys.readouterr().out


# --- exercise 2


def fold(layers, c, d):
    """Not by the formula: send zero and the unit vectors through the layers."""
    x = torch.cat([torch.zeros(1, layers[0].in_features), torch.eye(layers[0].in_features)])
    for layer in layers[:-1]:
        x = c * layer(x) + d
    images = layers[-1](x)
    return (images[1:] - images[0]).T, images[0]


def test_the_right_fold_passes_also_as_lists():
    assert check.fold(fold).passed
    assert check.fold(lambda *a: [part.tolist() for part in fold(*a)]).passed


def loop(step, start=lambda first: (first.weight, first.bias)):
    """A fold that goes wrong in its step: ``step(layer, weight, bias, c, d)``."""

    def function(layers, c, d):
        weight, bias = start(layers[0])
        for layer in layers[1:]:
            weight, bias = step(layer, weight, bias, c, d)
        return weight, bias

    return function


def fold_in_place(layers, c, d):
    answer = [part.detach().clone() for part in fold(layers, c, d)]
    with torch.no_grad():
        layers[0].bias.add_(1.0)
    return answer


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (loop(lambda s, w, b, c, d: (s.weight @ w, s.weight @ b + s.bias)), "c and d are not used"),
        (loop(lambda s, w, b, c, d: (s.weight @ (c * w), s.weight @ (c * b) + s.bias)), "d is not used"),
        (loop(lambda s, w, b, c, d: (s.weight @ w, s.weight @ (b + d) + s.bias)), "c is not used"),
        (lambda s, c, d: (c * fold(s, c, d)[0], c * fold(s, c, d)[1] + d), "after the last layer too"),
        (
            loop(lambda s, w, b, c, d: (s.weight @ (c * w), s.weight @ (c * b) + s.bias + d)),
            "behind the next W",
        ),
        (lambda s, c, d: (fold(s, c, d)[0], 0 * s[-1].bias), "the bias is zero"),
        (loop(lambda s, w, b, c, d: (s.weight @ (c * w), b + s.bias)), "added up as they are"),
        (loop(lambda s, w, b, c, d: (s.weight @ (c * w), c * b + d + s.bias)), "no W multiplies them"),
        (lambda s, c, d: (fold(s, c, d)[0], s[-1].bias), "only the last bias"),
        (loop(lambda s, w, b, c, d: (s.weight @ (c * w), s.weight @ (c * b + d))), "only the first bias"),
        (loop(lambda s, w, b, c, d: ((c * w) @ s.weight, s.weight @ (c * b + d) + s.bias)), "wrong order"),
        (loop(lambda s, w, b, c, d: (s.weight @ (c * w), s.weight @ (b + d) + s.bias)), "and not the biases"),
        (lambda s, c, d: (fold(s, c, d)[0].T, fold(s, c, d)[1]), "transposed"),
        (lambda s, c, d: fold(s, c, d)[::-1], "changed places"),
        (fold_in_place, "layers were changed"),
        (lambda s, c, d: fold(s, c, d)[0], "not a pair of shapes"),
        (lambda s, c, d: (fold(s, c, d)[0] + 1, fold(s, c, d)[1]), "wrong weight"),
    ],
)
def test_each_wrong_fold_gets_its_message(function, message, capsys):
    assert not check.fold(function).passed
    assert message in capsys.readouterr().out


def test_a_fold_of_two_layers_only_does_not_pass(capsys):
    assert not check.fold(lambda s, c, d: fold(s[:2], c, d)).passed
    assert "[ok] two layers" in capsys.readouterr().out


def test_the_checks_leave_the_seed_outside_alone():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)

    check.fold(fold)
    check.solved(solved)

    assert torch.equal(torch.rand(3), wanted)


# --- exercise 3


@pytest.mark.parametrize(
    ("coefficients", "thresholds"),
    [
        ([3, -6, 6], [0, 1 / 3, 2 / 3]),
        ([-6, 3, 6], [1 / 3, 0, 2 / 3]),
        ([3, -6, 6], [0, 0.33333, 0.66667]),
        (torch.tensor([3.0, -6.0, 6.0]), np.array([0, 1 / 3, 2 / 3])),
        ([4, -8, 6], [0, 0.25, 0.5]),
    ],
)
def test_a_zigzag_that_folds_twice_passes(coefficients, thresholds, capsys):
    assert check.zigzag(coefficients, thresholds).passed
    assert "3, 9, 27, 81, 243" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("coefficients", "thresholds", "message"),
    [
        ([3, -3, 3], [0, 1 / 3, 2 / 3], "these are the slopes"),
        ([-3, 6, -6], [0, 1 / 3, 2 / 3], "upside down"),
        ([1, -2, 2], [0, 1 / 3, 2 / 3], "wrong height, 0.33"),
        ([3, -6, 6], [0, -1 / 3, -2 / 3], "these are the biases"),
        ([2, -4, 0], [0, 0.5, 1], "2 pieces at most"),
        ([3, -6, 6], [0, 0.25, 0.5], "the heights should be"),
        ([0, 0, 0], [0, 0, 0], "1 pieces at most"),
        ([3, -6], [0, 1 / 3, 2 / 3], "three coefficients"),
        ([3, -6, math.nan], [0, 1 / 3, 2 / 3], "three coefficients"),
    ],
)
def test_each_wrong_zigzag_gets_its_message(coefficients, thresholds, message, capsys):
    assert not check.zigzag(coefficients, thresholds).passed
    assert message in capsys.readouterr().out


def test_the_right_price_passes_also_as_a_list():
    assert check.price(lambda k, n: (k * n, k**n - 1)).passed
    assert check.price(lambda k, n: [k * n, k**n - 1]).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda k, n: (k**n, k**n - 1), "their units add up"),
        (lambda k, n: (n, k**n - 1), "counts the layers"),
        (lambda k, n: (k * n, k**n), "one unit too many"),
        (lambda k, n: (k * n, (k + 1) ** n - 1), "takes the bound"),
        (lambda k, n: (k * n, k * n), "as many units as the tower"),
        (lambda k, n: (k * n, n**k - 1), "changed places"),
        (lambda k, n: (k * n, k**n + 1), "one kink more"),
        (lambda k, n: (k * n, 1023), "this gives"),
        (lambda k, n: k**n, "not a pair"),
    ],
)
def test_each_wrong_price_gets_its_message(function, message, capsys):
    assert not check.price(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (1, "more layers are always more powerful"),
        (2, "64 pieces"),
        (4, "64 pieces"),
        (6, "36 pieces"),
        (12, "here depth does pay"),
        (81, "number of pieces"),
        (5, "divisor of twelve"),
    ],
)
def test_each_wrong_width_gets_its_message(answer, message, capsys):
    assert check.best_width(3).passed
    assert not check.best_width(answer).passed
    assert message in capsys.readouterr().out


# --- exercise 4


def units(rounding, formula):
    return lambda m, length, error: max(1, rounding(formula(m, length, error)))


def right_units(m, length, error):
    return length * math.sqrt(m / (8 * error))


def test_the_right_number_of_units_passes_also_when_counted_up():
    def counted(m, length, error):
        h = 1
        while (length / h) ** 2 * m / 8 > error:
            h += 1
        return h

    assert check.units_needed(units(math.ceil, right_units)).passed
    assert check.units_needed(counted).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (right_units, "not a whole number"),
        (lambda *a: math.floor(right_units(*a)), "rounded down"),
        (units(math.floor, right_units), "rounded down"),
        (lambda *a: round(right_units(*a)), "nearest"),
        (lambda *a: math.floor(right_units(*a)) + 1, "where the root is a whole number"),
        (lambda *a: math.ceil(right_units(*a)) + 1, "one unit too many"),
        (units(math.ceil, lambda m, s, e: s * s * m / (8 * e)), "the root is missing"),
        (units(math.ceil, lambda m, s, e: math.sqrt(m / (8 * e))), "length of the interval is missing"),
        (units(math.ceil, lambda m, s, e: math.sqrt(s * m / (8 * e))), "under the root"),
        (units(math.ceil, lambda m, s, e: s * math.sqrt(m / e)), "the 8 is missing"),
        (units(math.ceil, lambda m, s, e: s * math.sqrt(m / (2 * e))), "2 in place of 8"),
        (lambda *a: math.ceil(right_units(*a)), "a slope needs a unit"),
        (lambda *a: 23, "this gives"),
    ],
)
def test_each_wrong_number_of_units_gets_its_message(function, message, capsys):
    assert not check.units_needed(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wave", "root", "message"),
    [
        (4, 16, "falls like 1 / h"),
        (16, 16, "wrong way round"),
        (0.5, 16, "has to grow"),
        (1.414, 16, "halves the error"),
        (2, 2, "rate for a bounded second derivative"),
        (2, 4, "the root: this halves"),
        (2, 8, "measure once more"),
        (2, 1 / 16, "the root: the number of units has to grow"),
        (2, 100, "100 is not it"),
        (2, ..., "no number yet"),
    ],
)
def test_each_wrong_growth_gets_its_message(wave, root, message, capsys):
    assert check.growth(2.01, 15.9).passed
    assert not check.growth(wave, root).passed
    assert message in capsys.readouterr().out


# --- exercise 5


def rest(f, degree, lowest=0, points=300):
    """What numpy's least squares leave."""
    x = np.linspace(-1, 1, points)
    y = f(torch.tensor(x)).numpy()
    if degree < lowest:
        return y
    design = np.stack([x**k for k in range(lowest, degree + 1)], axis=1)
    return y - design @ np.linalg.lstsq(design, y, rcond=None)[0]


def rms(values):
    return float(np.sqrt(np.mean(values**2)))


def test_the_right_floor_passes_on_a_coarser_grid_too():
    assert check.error_floor(lambda f, k: rms(rest(f, k))).passed
    assert check.error_floor(lambda f, k: torch.tensor(rms(rest(f, k, points=1000)))).passed


def test_the_floor_of_the_check_is_that_of_the_chapter():
    assert check._rms(check._rest(torch.abs, 2)) == pytest.approx(1 / math.sqrt(192), rel=1e-4)
    assert check._rms(check._rest(check._sine, 1)) == pytest.approx(math.sqrt(0.5 - 3 / math.pi**2), rel=1e-4)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda f, k: 0.0, "any nonlinear function will do"),
        (lambda f, k: rms(rest(f, k)) ** 2, "the root is missing"),
        (lambda f, k: abs(rest(f, k, points=2000)).max(), "largest error"),
        (lambda f, k: abs(rest(f, k)).mean(), "mean absolute error"),
        (lambda f, k: rms(rest(f, k - 1)), "highest power is missing"),
        (lambda f, k: rms(rest(f, k + 1)), "one power too many"),
        (lambda f, k: rms(rest(f, k, 1)), "constant is missing"),
        (lambda f, k: rms(rest(f, k, k)), "highest power alone"),
        (lambda f, k: rms(rest(f, -1)), "not what is left of it"),
        (lambda f, k: 0.0722, "wanted"),
        (lambda f, k: rms(rest(f, 2)), "wanted"),
    ],
)
def test_each_wrong_floor_gets_its_message(function, message, capsys):
    assert not check.error_floor(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("width", "degree", "message"),
    [
        (2, 9, "SQUARES"),
        (4, 9, "bias of its own"),
        (1, 9, "two columns"),
        (128, 9, "long before"),
        (7, 9, "width: 7 is not it"),
        (3, 6, "do not add"),
        (3, 8, "changed places"),
        (3, 3, "one layer"),
        (3, 27, "three layers"),
        (3, 4, "two layers of squares"),
        (3, 5, "degree: 5 is not it"),
    ],
)
def test_each_wrong_answer_about_cubes_gets_its_message(width, degree, message, capsys):
    assert check.cubes(3, 9).passed
    assert not check.cubes(width, degree).passed
    assert message in capsys.readouterr().out


# --- exercise 6


def leads(model, corners, wanted):
    logits = model(corners)
    return (logits[:, 1] - logits[:, 0]) * (2 * wanted - 1)


def solved(models, corners, wanted):
    return sum(bool((leads(model, corners, wanted) > 0.1).all()) for model in models)


def counting(rule):
    return lambda models, corners, wanted: sum(rule(leads(m, corners, wanted)) for m in models)


def first_class_leads(models, corners, wanted):
    return sum(bool((m(corners)[:, 1] - m(corners)[:, 0] > 0.1).all()) for m in models)


def test_the_right_count_passes_also_as_a_tensor():
    assert check.solved(solved).passed
    assert check.solved(lambda *a: torch.tensor(solved(*a))).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (counting(lambda lead: int((lead > 0.1).sum())), "counts corners"),
        (counting(lambda lead: bool(lead.mean() > 0.1)), "averages over the corners"),
        (counting(lambda lead: bool((lead > 0.1).any())), "one right corner"),
        (counting(lambda lead: bool((lead >= 0).all())), "every tie"),
        (counting(lambda lead: bool((lead > 0).all())), "any lead, however small"),
        (counting(lambda lead: not bool((lead > 0.1).all())), "NOT solved"),
        (first_class_leads, "lead of class 1 at every corner"),
        (lambda models, *_: len(models), "[--] three corners out of four"),
        (lambda models, corners, _: solved(models, corners, torch.tensor([0, 1, 1, 0])), "[--] other labels"),
        (lambda models, corners, wanted: [leads(m, corners, wanted) for m in models], "not a number"),
    ],
)
def test_each_wrong_count_gets_its_message(function, message, capsys):
    assert not check.solved(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ((6, 45, 6, "steps"), "universal approximation means that the network will learn it"),
        ((6, 45, 6, ...), "not one of the two words"),
        ((6, 45, 6, "both"), "not one of the two words"),
        ((6, 6, 45, "steps"), "changed places"),
        ((45, 45, 45, "units"), "far more than two units manage"),
        ((6, 10, 6, "units"), "more_units: 10"),
        ((6, 45, 40, "steps"), "one of them is off"),
        ((0.12, 0.9, 0.12, "units"), "counts, not shares"),
        ((6, 45, 51, "units"), "more_steps: not a count"),
        ((6, ..., 6, "units"), "more_units: not a count"),
    ],
)
def test_each_wrong_report_gets_its_message(answers, message, capsys):
    assert check.xor_counts(6, 45, 6, " Units ").passed
    assert not check.xor_counts(*answers).passed
    assert message in capsys.readouterr().out
