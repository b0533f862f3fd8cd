"""The checks of chapter 2 accept what is right, turn the starter away kindly, and know the usual mistakes."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from labs.checks import Feedback
from labs.checks import losses as check
from labs.training import calibration_error


def silent(*_):
    """What a starter does: nothing."""


def drawn(temperature, seed, examples=400):
    generator = torch.Generator().manual_seed(seed)
    z = 4 * torch.randn(examples, 5, generator=generator)
    return z, (z / temperature).softmax(dim=1).multinomial(1, generator=generator).squeeze(1)


HELD_OUT, TEST = drawn(2.5, 10), drawn(3.5, 11)


def mended(answer):
    return check.mended(answer, HELD_OUT, TEST)


FUNCTIONS = [
    check.cross_entropy,
    check.soft_target_gradient,
    check.temperature_gradient,
    check.squared_gradient,
    check.best_temperature,
    check.smallest_double_loss,
    check.gradient_length,
    check.gradients,
    check.mend,
    check.double_softmax,
]
VALUES = [
    check.which_row,
    check.score_without_hinge,
    check.score_for_one_half,
    check.score_for_nine_tenths,
    mended,
]
NONSENSE = [
    "text",
    3,
    True,
    object(),
    [1, 2],
    [None, 1],
    {"a": 1},
    float("nan"),
    float("inf"),
    -1.0,
    0,
    torch.zeros(7),
    torch.zeros(0),
    np.ones((3, 3)),
    np.array(["a"]),
    1j,
    "",
    [],
    {},
    [[1], [1, 2]],
    print,
    range(4),
    "abcd",
    [math.nan] * 4,
    torch.full((4,), torch.nan),
]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("untouched", [silent, lambda *_: ..., None, ...])
def test_the_starter_of_a_function_is_turned_away_kindly(function, untouched, capsys):
    feedback = function(untouched)

    assert isinstance(feedback, Feedback)
    assert not feedback.passed
    assert "Nothing to check yet" in capsys.readouterr().out


@pytest.mark.parametrize("function", VALUES)
@pytest.mark.parametrize("untouched", [None, ...])
def test_the_starter_of_a_value_is_turned_away_kindly(function, untouched, capsys):
    assert not function(untouched).passed
    assert "Nothing to check yet" in capsys.readouterr().out


def test_an_answer_of_dots_only_is_an_untouched_starter(capsys):
    assert not check.which_row({"largest hinge": ...}).passed
    assert not mended((..., ..., ..., ...)).passed
    assert capsys.readouterr().out.count("Nothing to check yet") == 2


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_answer_that_raises_is_reported_and_not_passed_on(function, capsys):
    def raises(*_):
        raise ZeroDivisionError("by zero")

    assert not function(raises).passed
    assert "ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize("function", VALUES)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda value: type(value).__name__)
def test_nonsense_is_answered_and_not_passed(function, nonsense, capsys):
    assert not function(nonsense).passed
    assert capsys.readouterr().out


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda value: type(value).__name__)
def test_a_function_that_returns_nonsense_does_not_pass(function, nonsense):
    assert not function(lambda *_: nonsense).passed
    assert not function(nonsense).passed


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize("function", FUNCTIONS + VALUES)
def test_an_answer_that_cannot_be_shown_is_answered_too(function):
    assert not function(Unprintable()).passed


# --- exercise 1


RIGHT = {
    "largest hinge": "A",
    "largest cross-entropy": "B",
    "smallest cross-entropy": "D",
    "hinge exactly zero": ["C"],
    "cross-entropy exactly zero": [],
}


def test_the_four_rows_are_what_their_losses_say():
    rows, labels = torch.tensor(list(check.ROWS.values())), torch.zeros(4, dtype=torch.long)
    hinge = F.multi_margin_loss(rows, labels, reduction="none")
    entropy = F.cross_entropy(rows, labels, reduction="none")

    assert "ABCD"[hinge.argmax()] == RIGHT["largest hinge"]
    assert "ABCD"[entropy.argmax()] == RIGHT["largest cross-entropy"]
    assert "ABCD"[entropy.argmin()] == RIGHT["smallest cross-entropy"]
    assert ["ABCD"[i] for i in (hinge == 0).nonzero()] == RIGHT["hinge exactly zero"]
    assert not (entropy == 0).any()


@pytest.mark.parametrize("form", [{}, {"hinge exactly zero": "c"}, {"cross-entropy exactly zero": "none"}])
def test_the_right_rows_pass_in_any_form(form):
    assert check.which_row(RIGHT | form).passed


@pytest.mark.parametrize(
    ("key", "letters", "message"),
    [
        ("largest hinge", "B", "largest single term"),
        ("largest hinge", "C", "not C"),
        ("largest hinge", "", "not none"),
        ("largest cross-entropy", ["A"], "rank differently"),
        ("smallest cross-entropy", "C", "the smaller hinge, the smaller cross-entropy"),
        ("hinge exactly zero", ["C", "D"], "a right answer costs nothing"),
        ("hinge exactly zero", "D, C", "a right answer costs nothing"),
        ("hinge exactly zero", [], "a margin of exactly 1 is enough"),
        ("hinge exactly zero", {"D"}, "only 0.5 below"),
        ("cross-entropy exactly zero", "CD", "a right answer costs nothing"),
        ("cross-entropy exactly zero", ["C"], "never exactly zero"),
        ("cross-entropy exactly zero", ..., "no answer yet"),
        ("largest hinge", ["A", 3, [None]], "give letters"),
        ("largest hinge", "E", "give letters"),
        ("largest hinge", 7, "give letters"),
    ],
)
def test_each_wrong_row_gets_its_message(key, letters, message, capsys):
    assert not check.which_row(RIGHT | {key: letters}).passed
    assert message in capsys.readouterr().out


# --- exercise 2


def share_of_bird(score):
    return torch.tensor([check.CAT, check.DOG, score]).softmax(dim=0)[2].item()


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        (check.score_without_hinge, 4.2),
        (check.score_for_one_half, math.log(math.exp(1) + math.exp(3.2))),
        (check.score_for_one_half, torch.tensor(3.31)),
        (check.score_for_nine_tenths, np.float64(5.5)),
    ],
)
def test_the_right_score_passes_to_two_decimals(function, answer):
    assert function(answer).passed


def test_the_right_scores_have_the_shares_they_promise():
    assert share_of_bird(3.3052) == pytest.approx(0.5, abs=1e-4)
    assert share_of_bird(5.5024) == pytest.approx(0.9, abs=1e-4)


@pytest.mark.parametrize(
    ("function", "answer", "message"),
    [
        (check.score_without_hinge, 3.2, "level with the dog"),
        (check.score_without_hinge, 2.0, "against the cat alone"),
        (check.score_without_hinge, 6.2, "adds up the margins"),
        (check.score_without_hinge, 5.2, "adds up the scores"),
        (check.score_without_hinge, 4.3, "it is not 4.3"),
        (check.score_for_one_half, 3.2, "the cat takes its share too"),
        (check.score_for_one_half, 2.1, "mean of the rivals"),
        (check.score_for_one_half, 4.2, "the share of the bird is 0.71"),
        (check.score_for_one_half, 27.25, "this is exp(s)"),
        (check.score_for_one_half, 2.61, "a share of one third"),
        (check.score_for_one_half, 3.0, "it is not 3"),
        (check.score_for_nine_tenths, 3.2, "below one half"),
        (check.score_for_nine_tenths, 3.3052 + math.log(0.9), "below one half"),
        (check.score_for_nine_tenths, 4.6, "it is not 4.6"),
        (check.score_for_nine_tenths, 3.3052 - math.log(9), "one tenth"),
        (check.score_for_nine_tenths, 3.3052 + math.log10(9), "natural one"),
        (check.score_for_nine_tenths, 12.3052, "odds multiply the exponential"),
        (check.score_for_nine_tenths, 1.8 * 3.3052, "in proportion"),
        (check.score_for_nine_tenths, 3.2 + math.log(9), "against the dog alone"),
        (check.score_for_nine_tenths, 3.31, "one half"),
    ],
)
def test_each_wrong_score_gets_its_message(function, answer, message, capsys):
    assert not function(answer).passed
    assert message in capsys.readouterr().out


# --- exercise 3


def pick(values, y):
    return values.gather(1, y[:, None]).squeeze(1)


def with_shift(shift):
    def function(s, y):
        m = shift(s)
        return m.squeeze(-1) + (s - m).exp().sum(dim=1).log() - pick(s, y)

    return function


def stable_softmax(s):
    shifted = (s - s.amax(dim=1, keepdim=True)).exp()
    return shifted / shifted.sum(dim=1, keepdim=True)


def in_place(s, y):
    s -= s.amax(dim=1, keepdim=True)
    return s.exp().sum(dim=1).log() - pick(s, y)


def test_the_right_cross_entropy_passes():
    assert check.cross_entropy(with_shift(lambda s: s.amax(dim=1, keepdim=True))).passed
    assert check.cross_entropy(lambda s, y: s.logsumexp(dim=1) - pick(s, y)).passed
    assert check.cross_entropy(lambda s, y: (s.logsumexp(dim=1) - pick(s, y)).numpy()).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda s, y: -pick(s.exp() / s.exp().sum(dim=1, keepdim=True), y).log(), "inf / inf is nan"),
        (lambda s, y: -pick(stable_softmax(s), y).log(), "no probability in between"),
        (lambda s, y: -(pick(stable_softmax(s), y) + 1e-9).log(), "caps the loss"),
        (with_shift(lambda s: s.amax()), "its own largest score"),
        (with_shift(lambda s: s.abs().amax(dim=1, keepdim=True)), "not its size"),
        (with_shift(lambda s: s.mean(dim=1, keepdim=True)), "inf / inf is nan"),
        (in_place, "changed the scores it was given"),
        (F.cross_entropy, "leave out the mean"),
        (lambda s, y: s.logsumexp(dim=1)[:, None] - s[:, y], "every row with every label"),
        (lambda s, y: s.logsumexp(dim=1, keepdim=True) - s.gather(1, y[:, None]), "(N, 1)"),
        (lambda s, y: s.log_softmax(dim=1), "the shape is (4, 3)"),
        (lambda s, y: pick(s.log_softmax(dim=1), y), "the sign is turned round"),
        (lambda s, y: pick(s.softmax(dim=1), y), "probabilities of the true classes"),
        (lambda s, y: -pick(s.softmax(dim=1), y).log2(), "these are bits"),
        (lambda s, y: s.logsumexp(dim=1), "log-sum-exp alone"),
        (lambda s, y: s.logsumexp(dim=1) - s.amax(dim=1) - pick(s, y), "not added back"),
        (lambda s, y: s.amax(dim=1) - pick(s, y), "hard maximum"),
        (lambda s, y: -pick(s.log_softmax(dim=0), y), "runs over the examples"),
        (lambda s, y: F.cross_entropy(s.softmax(dim=1), y, reduction="none"), "a softmax first"),
        (lambda s, y: s.logsumexp(dim=1) - s[:, 0], "takes the first class"),
        (lambda s, y: F.multi_margin_loss(s, y, reduction="none") * s.shape[1], "this is the hinge loss"),
        (lambda s, y: -(1 - pick(s.softmax(dim=1), y)).log(), "-ln(1 - p)"),
        (lambda s, y: torch.zeros(len(s)), "wanted"),
        (lambda s, y: torch.full((len(s),), torch.nan), "wanted"),
    ],
)
def test_each_wrong_cross_entropy_gets_its_message(function, message, capsys):
    assert not check.cross_entropy(function).passed
    assert message in capsys.readouterr().out


# --- exercise 4


def by_autograd(loss):
    def function(scores, *rest):
        s = scores.clone().requires_grad_()
        return torch.autograd.grad(loss(s, *rest), s)[0]

    return function


def entropy(s, q, temperature=1.0):
    return -(q * (s / temperature).log_softmax(dim=0)).sum()


def half_square(s, q):
    return (s.softmax(dim=0) - q).square().sum() / 2


def test_the_right_gradients_pass_and_are_those_of_autograd():
    assert check.soft_target_gradient(by_autograd(entropy)).passed
    assert check.soft_target_gradient(lambda s, q: s.softmax(0) - q).passed
    assert check.temperature_gradient(by_autograd(entropy)).passed
    assert check.temperature_gradient(lambda s, q, t: ((s / t).softmax(0) - q) / t).passed
    assert check.squared_gradient(by_autograd(half_square)).passed
    assert check.squared_gradient(lambda s, q: by_autograd(half_square)(s, q).tolist()).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda s, q: q - s.softmax(0), "the sign is turned round"),
        (lambda s, q: s.softmax(0) - F.one_hot(q.argmax(), len(q)), "makes the soft target hard"),
        (lambda s, q: -q / s.softmax(0), "gradient at the probabilities"),
        (lambda s, q: s - q, "compares scores with probabilities"),
        (lambda s, q: s.softmax(0), "leaves the target out"),
        (lambda s, q: q * (s.softmax(0) - 1), "entry of the true class for every class"),
        (lambda s, q: (s.softmax(0) - q) * s.softmax(0) * (1 - s.softmax(0)), "in there twice"),
        (lambda s, q: s.sigmoid() - q, "do not add up to zero"),
        (lambda s, q: torch.zeros_like(s), "not the gradient"),
        (lambda s, q: (s.softmax(0) - q).sum(), "one entry per score"),
        (lambda s, q: torch.full_like(s, torch.nan), "do not add up to zero"),
    ],
)
def test_each_wrong_gradient_for_a_soft_target_gets_its_message(function, message, capsys):
    assert not check.soft_target_gradient(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda s, q, t: (s / t).softmax(0) - q, "inner derivative is missing"),
        (lambda s, q, t: s.softmax(0) - q, "the temperature does nothing"),
        (lambda s, q, t: (s.softmax(0) - q) / t, "has lost its temperature"),
        (lambda s, q, t: ((s / t).softmax(0) - q) * t, "upside down"),
        (lambda s, q, t: ((s / t).softmax(0) - q) / t**2, "too many"),
        (lambda s, q, t: ((s * t).softmax(0) - q) * t, "multiplies the scores by T"),
        (lambda s, q, t: (q - (s / t).softmax(0)) / t, "the sign is turned round"),
        (lambda s, q, t: torch.ones_like(s), "do not add up to zero"),
    ],
)
def test_each_wrong_gradient_with_temperature_gets_its_message(function, message, capsys):
    assert not check.temperature_gradient(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda s, q: s.softmax(0) - q, "every loss has the gradient p - y"),
        (lambda s, q: (s.softmax(0) - q) * s.softmax(0) * (1 - s.softmax(0)), "a sigmoid per class"),
        (lambda s, q: 2 * by_autograd(half_square)(s, q), "twice too large"),
        (lambda s, q: -by_autograd(half_square)(s, q), "the sign is turned round"),
        (lambda s, q: (s.softmax(0) - q) * s.softmax(0), "sum over the other classes is missing"),
        (lambda s, q: by_autograd(half_square)(s, q) / 2, "half of what is needed"),
        (lambda s, q: torch.zeros_like(s), "not the gradient"),
    ],
)
def test_each_wrong_gradient_of_the_squared_error_gets_its_message(function, message, capsys):
    assert not check.squared_gradient(function).passed
    assert message in capsys.readouterr().out


def three_gradients(s, q, t):
    return (
        by_autograd(entropy)(s, q),
        by_autograd(lambda s: entropy(s, q, t))(s),
        by_autograd(half_square)(s, q),
    )


def test_the_three_gradients_pass_together_and_can_be_handed_in_one_by_one(capsys):
    assert check.gradients(three_gradients).passed
    assert not check.gradients(lambda s, q, t: (three_gradients(s, q, t)[0], None, None)).passed
    assert capsys.readouterr().out.count("Nothing to check yet") == 2


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda s, q, t: three_gradients(s, q, t)[::-1], "soft target: the entries add up to zero"),
        (lambda s, q, t: 3 * [s.softmax(0) - q], "every loss has the gradient p - y"),
        (lambda s, q, t: s.softmax(0)[:2], "not 3 things"),
    ],
)
def test_three_gradients_with_a_mistake_get_its_message(function, message, capsys):
    assert not check.gradients(function).passed
    assert message in capsys.readouterr().out


# --- exercise 5


def best_of(measure, grid=tuple(i / 10 for i in range(1, 101))):
    return lambda z, y: min(grid, key=lambda t: float(measure(z, y, t)))


right_temperature = best_of(lambda z, y, t: F.cross_entropy(z / t, y))


def test_the_right_temperature_passes_on_a_coarse_and_a_fine_grid():
    assert check.best_temperature(right_temperature).passed
    fine = [i / 50 for i in range(5, 501)]
    assert check.best_temperature(best_of(lambda z, y, t: F.cross_entropy(z / t, y), fine)).passed
    assert check.best_temperature(lambda z, y: torch.tensor([right_temperature(z, y)])).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (best_of(lambda z, y, t: F.cross_entropy(z * t, y)), "multiplies the scores"),
        (lambda z, y: max(1.0, right_temperature(z, y)), "T may be below it"),
        (lambda z, y: 1.0, "leaves every score as it is"),
        (lambda z, y: F.cross_entropy(z / right_temperature(z, y), y), "not the temperature at which"),
        (best_of(lambda z, y, t: calibration_error(z / t, y)), "minimises the calibration error"),
        (best_of(lambda z, y, t: -((z / t).argmax(1) == y).float().mean()), "cannot choose"),
        (best_of(lambda z, y, t: F.cross_entropy(z / t, z.argmax(1))), "against its own decisions"),
        (best_of(lambda z, y, t: -F.cross_entropy(z / t, y)), "always 0.10"),
        (lambda z, y: 2.5, "always 2.50"),
        (lambda z, y: right_temperature(z, y) + 0.4, "there is a T with"),
        (lambda z, y: -right_temperature(z, y), "no temperature"),
        (lambda z, y: math.nan, "no temperature"),
        (lambda z, y: [1.0, 2.0], "not one number"),
    ],
)
def test_each_wrong_temperature_gets_its_message(function, message, capsys):
    assert not check.best_temperature(function).passed
    assert message in capsys.readouterr().out


T = right_temperature(*HELD_OUT)
BEFORE, AFTER = calibration_error(*TEST), calibration_error(TEST[0] / T, TEST[1])


def test_the_right_measurement_passes():
    assert mended((T, BEFORE, AFTER, 0)).passed
    assert mended(torch.tensor([T, BEFORE, AFTER, 0])).passed
    assert mended(
        [round(T, 1), round(BEFORE, 3), calibration_error(TEST[0] / round(T, 1), TEST[1]), 0]
    ).passed


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((right_temperature(*TEST), BEFORE, AFTER, 0), "chosen on the test examples"),
        ((7.0, BEFORE, AFTER, 0), "not the best temperature"),
        ((-1.0, BEFORE, AFTER, 0), "not the best temperature"),
        ((0, BEFORE, AFTER, 0), "not the best temperature"),
        ((T, calibration_error(TEST[0].softmax(dim=1), TEST[1]), AFTER, 0), "a softmax first"),
        ((T, BEFORE, calibration_error((TEST[0] / T).softmax(dim=1), TEST[1]), 0), "a softmax first"),
        ((T, BEFORE, calibration_error(TEST[0] * T, TEST[1]), 0), "multiplied by the temperature"),
        ((T, calibration_error(*HELD_OUT), AFTER, 0), "the held-out examples"),
        ((T, 100 * BEFORE, 100 * AFTER, 0), "in per cent"),
        ((T, float(F.cross_entropy(*TEST)), AFTER, 0), "the cross-entropy"),
        ((T, BEFORE, 0.5, 0), "0.500 is not it"),
        ((T, BEFORE, AFTER, 12), "decides differently"),
        ((T, BEFORE, AFTER, int((TEST[0].argmax(1) != TEST[1]).sum())), "counts by the labels"),
        ((T, BEFORE, AFTER), "give four numbers"),
        ((T, BEFORE, AFTER, ...), "give four numbers"),
    ],
)
def test_each_wrong_measurement_gets_its_message(answer, message, capsys):
    assert not mended(answer).passed
    assert message in capsys.readouterr().out


def mend(held_out, test, choose=right_temperature):
    t, (z, y) = choose(*held_out), test
    return t, calibration_error(z, y), calibration_error(z / t, y), 0


def test_the_right_way_to_mend_passes():
    assert check.mend(mend).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda held_out, test: mend(test, test), "chosen on the test"),
        (lambda held_out, test: mend(held_out, held_out), "error on the held-out"),
        (lambda held_out, test: (*mend(held_out, test)[:3], 5), "decides differently"),
        (lambda held_out, test: mend(held_out, test, lambda z, y: 2.5), "always 2.50"),
        (lambda held_out, test: mend(held_out, test)[:3], "not 4 things"),
        (lambda held_out, test: (mend(held_out, test)[0], None, None, None), "give four numbers"),
    ],
)
def test_each_wrong_way_to_mend_gets_its_message(function, message, capsys):
    assert not check.mend(function).passed
    assert message in capsys.readouterr().out


def test_logits_that_do_not_fit_are_answered(capsys):
    assert not check.mended((T, BEFORE, AFTER, 0), (None, None), TEST).passed
    assert "do not fit together" in capsys.readouterr().out


# --- exercise 6


def double(s, y):
    return F.cross_entropy(s.softmax(dim=1), y)


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_the_smallest_double_loss_is_that_of_a_perfect_answer(classes):
    scores = torch.zeros(1, classes)
    scores[0, 0] = 200.0

    found = double(scores, torch.tensor([0])).item()

    assert found == pytest.approx(math.log(math.e + classes - 1) - 1, abs=1e-5)


def test_the_right_smallest_loss_passes():
    assert check.smallest_double_loss(lambda c: math.log(math.e + c - 1) - 1).passed
    assert check.smallest_double_loss(lambda c: torch.tensor(1 + (c - 1) / math.e).log()).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda c: 0.0, "a perfect answer costs nothing"),
        (lambda c: math.log(c), "undecided network"),
        (lambda c: math.log(math.e + c - 1), "the largest loss"),
        (lambda c: math.log(math.e + c) - 1, "one class too many"),
        (lambda c: math.log(1 + c) - 1, "exp(1) is e"),
        (lambda c: math.e / (math.e + c - 1), "largest probability"),
        (lambda c: 1 - math.log(math.e + c - 1), "the sign is turned round"),
        (lambda c: 1.46, "ten classes only"),
        (lambda c: math.log2(math.e + c - 1) - math.log2(math.e), "these are bits"),
        (lambda c: math.log(1 + (c - 1) * math.exp(-2)), "between 0 and 1"),
        (lambda c: math.nan, "this gives"),
        (lambda c: 5.0, "this gives"),
    ],
)
def test_each_wrong_smallest_loss_gets_its_message(function, message, capsys):
    assert not check.smallest_double_loss(function).passed
    assert message in capsys.readouterr().out


def gradient(loss, s, y):
    s = s.clone().requires_grad_()
    (len(s) * loss(s, y)).backward()
    return s.grad


def touched(loss, s, y):
    s.requires_grad_()
    (len(s) * loss(s, y)).backward()
    return s.grad.norm(dim=1)


def row_by_row(loss, s, y):
    return [float(gradient(loss, s[i : i + 1], y[i : i + 1]).norm()) for i in range(len(s))]


def test_the_right_length_passes():
    assert check.gradient_length(lambda loss, s, y: gradient(loss, s, y).norm(dim=1)).passed
    assert check.gradient_length(row_by_row).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda loss, s, y: gradient(loss, s, y).norm(dim=1) / len(s), "N times too short"),
        (lambda loss, s, y: gradient(loss, s, y).norm(), "one length for the whole batch"),
        (lambda loss, s, y: gradient(loss, s, y), "not one number per row"),
        (lambda loss, s, y: gradient(loss, s, y).square().sum(dim=1), "square of the length"),
        (lambda loss, s, y: gradient(loss, s, y).abs().sum(dim=1), "sizes of the entries"),
        (lambda loss, s, y: gradient(loss, s, y).sum(dim=1), "which cancel"),
        (lambda loss, s, y: gradient(loss, s, y).abs().amax(dim=1), "largest entry"),
        (lambda loss, s, y: 1 / pick(s.softmax(dim=1), y), "at the probabilities"),
        (lambda loss, s, y: F.cross_entropy(s, y, reduction="none"), "the loss itself"),
        (lambda loss, s, y: gradient(double, s, y).norm(dim=1), "with a softmax too many"),
        (lambda loss, s, y: gradient(F.cross_entropy, s, y).norm(dim=1), "s.softmax(dim=1), labels)"),
        (lambda loss, s, y: 4 * gradient(loss, s, y).norm(dim=1) / len(s), "not a constant"),
        (touched, "changed the scores"),
        (lambda loss, s, y: torch.ones(len(s)), "wanted"),
    ],
)
def test_each_wrong_length_gets_its_message(function, message, capsys):
    assert not check.gradient_length(function).passed
    assert message in capsys.readouterr().out


def test_a_softmax_too_many_as_a_whole():
    def right(s, y):
        lengths = [gradient(loss, s, y).norm(dim=1) for loss in (F.cross_entropy, double)]
        return math.log(math.e + s.shape[1] - 1) - 1, *lengths

    assert check.double_softmax(right).passed
    assert not check.double_softmax(lambda s, y: (0.0, *right(s, y)[1:])).passed
    assert not check.double_softmax(lambda s, y: (*right(s, y)[:2], right(s, y)[1])).passed


# --- all


def test_no_check_moves_the_random_numbers():
    torch.manual_seed(0)
    before = torch.get_rng_state()

    check.best_temperature(right_temperature)
    check.gradient_length(row_by_row)

    assert torch.equal(before, torch.get_rng_state())
