"""The checks of chapter 4 accept what is right, turn the starter away kindly, and know the usual mistakes."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from labs.checks import Feedback
from labs.checks import neuron as check

ON_FUNCTIONS = (check.at_least, check.at_least_unless, check.perceptron, check.as_tanh, check.agreement)
ON_VALUES = (check.which_rules, check.what_changes, check.width_factor)
NONSENSE = (
    "yes", "", 3, math.nan, math.inf, True, [], [1], {}, {"A": 1}, object(), [None, 1], [math.nan] * 4, ["A", ...],
    np.zeros(3), torch.zeros(2, 3), (1, 2), ("same", "same"), 1j, b"ACDF", [[1], [1, 2]],
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
    assert not function(lambda *_: (nonsense,) * 3).passed
    assert not function(lambda *_: (nonsense,) * 4).passed


# --- exercise 1

RULES = {
    "A": lambda p, q, r: p and not q,
    "B": lambda p, q, r: p != q,
    "C": lambda p, q, r: q or not p,
    "D": lambda p, q, r: p + q + r >= 2,
    "E": lambda p, q, r: (p + q + r) % 2,
    "F": lambda p, q, r: p and (q or r),
    "G": lambda p, q, r: p == q == r,
    "H": lambda p, q, r: q if p else r,
}


def separable(rule):
    corners = list(product((0, 1), repeat=3))
    signed = [[(1 if rule(*x) else -1) * value for value in (1, *x)] for x in corners]
    return linprog(np.zeros(4), A_ub=-np.array(signed), b_ub=-np.ones(8), bounds=(None, None)).status == 0


def test_the_linear_program_gives_the_same_rules():
    possible = "".join(letter for letter, rule in RULES.items() if separable(rule))

    assert check.which_rules(possible).passed


@pytest.mark.parametrize("answer", ["ACDF", "a, c, d, f", ["A", "C", "D", "F"], {"F", "D", "C", "A"}])
def test_the_right_rules_pass_however_they_are_written(answer):
    assert check.which_rules(answer).passed


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("CDF", "all weights are positive"),
        ("ADF", "all weights are positive"),
        ("ABCDF", "B is XOR"),
        ("ACF", "D counts"),
        ("ACDEFGH", "XOR is the only exception"),
        ("ACD", "weights of different size"),
        ("ACDFG", "in G the corners"),
        ("ACDFH", "in H two corners"),
        ("BEGH", "can NOT compute"),
        ("ABCDEFGH", "all of them"),
        ("", "none of them"),
        ("ACDFX", "from A to H"),
    ],
)
def test_each_wrong_choice_of_rules_gets_its_message(answer, message, capsys):
    assert not check.which_rules(answer).passed
    assert message in capsys.readouterr().out


# --- exercise 2


def counting(bias, weight=lambda k, n: 1.0):
    return lambda k, n: ([weight(k, n)] * n, bias(k, n))


@pytest.mark.parametrize(
    "function",
    [
        counting(lambda k, n: 0.5 - k),
        counting(lambda k, n: 0.9 - k),
        counting(lambda k, n: (0.5 - k) / n, lambda k, n: 1 / n),
        lambda k, n: (np.full(n, 2), torch.tensor(1 - 2 * k)),
        lambda k, n: [torch.ones(n), np.array([0.5 - k])],
    ],
)
def test_the_right_counting_neuron_passes_whatever_its_scale_and_type(function):
    assert check.at_least(function).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (counting(lambda k, n: k - 0.5, lambda k, n: -1.0), "no where it should say yes"),
        (counting(lambda k, n: -k), "f(0) = 0 says no"),
        (counting(lambda k, n: 1 - k), "wrong if it is 1 there"),
        (counting(lambda k, n: -k - 0.5), "more than k"),
        (counting(lambda k, n: 1.5 - k), "k - 1 already"),
        (counting(lambda k, n: k - 0.5), "the bias is the threshold"),
        (counting(lambda k, n: -20.0), "never says yes"),
        (counting(lambda k, n: -0.5), "this is OR"),
        (counting(lambda k, n: 0.5 - n), "this is AND"),
        (counting(lambda k, n: -1.5), "at least two"),
        (counting(lambda k, n: -n / 2 - 0.1), "the majority"),
        (counting(lambda k, n: 0.5 - k, lambda k, n: 1 / n), "divided by n"),
        (lambda k, n: ([1.0, 0.0] * n, 0.5 - k), "the weights have the shape"),
        (lambda k, n: (1.0, 0.5 - k), "the weights have the shape"),
        (lambda k, n: 0.5 - k, "not a pair"),
        (lambda k, n: ([math.nan] * n, 0.5 - k), "finite"),
        (lambda k, n: ([1.0] * (n - 1) + [3.0], 0.5 - k), "inputs at 1 give a"),
        (lambda k, n: ([1.0] * 3, -1.5), "the weights have the shape"),
    ],
)
def test_each_wrong_counting_neuron_gets_its_message(function, message, capsys):
    assert not check.at_least(function).passed
    assert message in capsys.readouterr().out


def with_veto(weight, bias=lambda k, n: 0.5 - k):
    return lambda k, n: ([1.0] * n + [weight(k, n)], bias(k, n))


@pytest.mark.parametrize("weight", [lambda k, n: -n, lambda k, n: -100, lambda k, n: k - n - 1])
def test_a_veto_that_is_strong_enough_passes(weight):
    assert check.at_least_unless(with_veto(weight)).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (with_veto(lambda k, n: 0), "changes nothing"),
        (with_veto(lambda k, n: 1), "votes with the others"),
        (with_veto(lambda k, n: -1), "a veto is one vote against"),
        (with_veto(lambda k, n: -k), "not against n"),
        (with_veto(lambda k, n: k - n), "just too weak"),
        (with_veto(lambda k, n: 20, lambda k, n: -19.5 - k), "only if the last input is 1"),
        (lambda k, n: ([-1.0] * n + [float(n)], k - 0.5), "no where it should say yes"),
        (with_veto(lambda k, n: -n, lambda k, n: -30), "never says yes"),
        (with_veto(lambda k, n: -n, lambda k, n: -k), "f(0) = 0 says no"),
        (with_veto(lambda k, n: -3), "and the last one at 1, give a yes"),
        (lambda k, n: ([1.0] * n, 0.5 - k), "the weights have the shape"),
    ],
)
def test_each_wrong_veto_gets_its_message(function, message, capsys):
    assert not check.at_least_unless(function).passed
    assert message in capsys.readouterr().out


# --- exercise 3


def learns(
    *, wrong=lambda side: side <= 0, step=lambda x, t: (t * x, t), report=list, endless=False, early=True
):
    def perceptron(x, t, passes):
        w, b, counts = np.zeros(x.shape[1]), 0.0, []
        while endless or len(counts) < passes:
            counts.append(0)
            for xi, ti in zip(x, t, strict=True):
                if wrong(ti * (w @ xi + b)):
                    dw, db = step(xi, ti)
                    w, b, counts[-1] = w + dw, b + db, counts[-1] + 1
            if early and counts[-1] == 0:
                break
        return w, b, report(counts)

    return perceptron


def all_at_once(x, t, passes):
    w, b, counts = np.zeros(x.shape[1]), 0.0, []
    for _ in range(passes):
        wrong = t * (x @ w + b) <= 0
        counts.append(int(wrong.sum()))
        w, b = w + (t[wrong, None] * x[wrong]).sum(axis=0), b + t[wrong].sum()
        if not wrong.any():
            break
    return w, b, counts


def one_per_pass(x, t, passes):
    w, b, counts = np.zeros(x.shape[1]), 0.0, []
    for _ in range(passes):
        wrong = np.flatnonzero(t * (x @ w + b) <= 0)
        counts.append(min(len(wrong), 1))
        if not len(wrong):
            break
        w, b = w + t[wrong[0]] * x[wrong[0]], b + t[wrong[0]]
    return w, b, counts


def every_example(x, t, passes):
    w, b, counts = np.zeros(x.shape[1]), 0.0, []
    for _ in range(passes):
        counts.append(0)
        for xi, ti in zip(x, t, strict=True):
            counts[-1] += int(ti * (w @ xi + b) <= 0)
            w, b = w + ti * xi, b + ti
        if counts[-1] == 0:
            break
    return w, b, counts


def in_torch(x, t, passes):
    w, b, counts = learns()(x, t, passes)
    return torch.tensor(w), torch.tensor([b]), torch.tensor(counts)


def in_place(x, t, passes):
    x *= t[:, None]
    return learns()(x, t, passes)


@pytest.mark.parametrize("function", [learns(), in_torch, learns(report=tuple)])
def test_the_rule_passes(function):
    assert check.perceptron(function).passed


def test_a_learning_rate_from_zero_changes_nothing_and_passes(capsys):
    assert check.perceptron(learns(step=lambda x, t: (0.5 * t * x, 0.5 * t))).passed
    assert "0.5 times as large" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (learns(wrong=lambda side: side < 0), "on the border is right"),
        (learns(step=lambda x, t: (t * x, 0)), "the bias is not learned"),
        (learns(step=lambda x, t: (t * x, 1)), "the bias always grows"),
        (learns(step=lambda x, t: (x, 1)), "adds x, whatever t is"),
        (learns(wrong=lambda side: True), "every example is added, and counted"),
        (every_example, "every example is added, whether"),
        (learns(step=lambda x, t: (0.1 * t * x, 0.1 * t)), "a learning rate of 0.1 leaves"),
        (learns(step=lambda x, t: (0.01 * t * x, 0.01 * t)), "a learning rate of 0.01 leaves"),
        (learns(step=lambda x, t: (-t * x, -t)), "wrong sign"),
        (all_at_once, "by the weights from its start"),
        (lambda x, t, passes: learns()(x, t, 1), "only the first pass"),
        (one_per_pass, "at most one correction"),
        (learns(endless=True), "the perceptron rule always stops"),
        (learns(endless=True, early=False), "does not come to an end"),
        (learns(report=sum), "in all passes together"),
        (learns(report=len), "the number of passes"),
        (learns(report=lambda c: c[:-1] if c[-1] == 0 else c), "is missing from the list"),
        (learns(early=False), "goes on after a pass"),
        (learns(report=lambda c: np.cumsum(c)), "not set back to 0"),
        (learns(report=lambda c: [99]), "the mistakes per pass are"),
        (in_place, "changes x or t"),
        (lambda x, t, passes: learns()(x[::-1], t[::-1], passes), "in the order given"),
        (lambda x, t, passes: learns()(x, t, passes)[:2], "not three things"),
        (lambda x, t, passes: (np.zeros(7), 0.0, [0]), "w has the shape"),
        (lambda x, t, passes: (x[0] * np.nan, 0.0, [0]), "not finite"),
        (lambda x, t, passes: ("w", 0.0, [0]), "have to be numbers"),
        (lambda x, t, passes: (np.zeros(x.shape[1]), 0.0, [0]), "on the border is right"),
    ],
)
def test_each_wrong_rule_gets_its_message(function, message, capsys):
    assert not check.perceptron(function).passed
    assert message in capsys.readouterr().out


def test_counting_the_examples_that_were_right_gets_its_message(capsys):
    def function(x, t, passes):
        w, b, counts = learns()(x, t, passes)
        return w, b, [len(x) - count for count in counts]

    assert not check.perceptron(function).passed
    assert "that were right" in capsys.readouterr().out


# --- exercise 4


def translated(first=0.5, bias=0.5, second=0.5, shift=0.5):
    return lambda W1, b1, W2, b2: (first * W1, bias * b1, second * W2, b2 + shift * W2.sum(dim=1))


def mirrored(W1, b1, W2, b2):
    """The same function again: tanh is odd, so both layers may change their sign."""
    return -W1 / 2, -b1 / 2, -W2 / 2, b2 + W2.sum(dim=1) / 2


@pytest.mark.parametrize(
    "function",
    [
        translated(),
        mirrored,
        lambda *parts: list(translated()(*parts)),
        lambda *parts: tuple(p.numpy() for p in translated()(*parts)),
        lambda *parts: tuple(p.float() for p in translated()(*parts)),
    ],
)
def test_every_tanh_network_with_the_same_function_passes(function):
    assert check.as_tanh(function).passed


def halves_in_place(W1, b1, W2, b2):
    W1 /= 2
    return W1, b1 / 2, W2 / 2, b2 + W2.sum(dim=1) / 2


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda *parts: parts, "sigmoid and tanh are interchangeable"),
        (translated(shift=0), "shift of the last bias is missing"),
        (translated(2, 2, 2, -1), "leads from tanh to sigmoid"),
        (translated(bias=1), "first bias is not halved"),
        (translated(1, 1), "first layer is not halved"),
        (translated(2, 2), "first layer is doubled"),
        (translated(second=1), "second matrix is not halved"),
        (translated(shift=1), "twice as large"),
        (translated(shift=0.25), "half as large"),
        (translated(shift=-0.5), "wrong sign"),
        (lambda W1, b1, W2, b2: (W1 / 2, b1 / 2, W2 / 2, b2 + 0.5), "one half, whatever the weights are"),
        (lambda W1, b1, W2, b2: (W1 / 2, b1 / 2, W2 / 2, (b2 + W2.sum(dim=1)) / 2), "the old bias is halved"),
        (lambda W1, b1, W2, b2: (W1 / 2, b1 / 2, W2 / 2, b2 + W2.sum() / 2), "one number for all outputs"),
        (lambda W1, b1, W2, b2: (W1 / 2, b1 / 2, W2.T / 2, b2), "the shapes are"),
        (lambda *parts: parts[0], "the shapes are"),
        (lambda *parts: tuple(torch.zeros_like(p) for p in parts), "the outputs differ"),
        (lambda *parts: tuple(p * math.nan for p in parts), "the outputs differ"),
        (halves_in_place, "changes the weights"),
    ],
)
def test_each_wrong_translation_gets_its_message(function, message, capsys):
    assert not check.as_tanh(function).passed
    assert message in capsys.readouterr().out


# --- exercise 5


def gradients(a, delta, size):
    return torch.stack(
        [d.T @ x / len(x) for x, d in zip(a.split(size), delta.split(size), strict=True)]
    )  # batches, units, weights


def share(g):
    up, down = (g > 0).sum(dim=-1), (g < 0).sum(dim=-1)
    some = up + down > 0
    return (torch.maximum(up, down)[some] / (up + down)[some]).mean()


def right(a, delta, size):
    return share(gradients(a, delta, size)).item()


def majority_with(g, up):
    positive = up(g).double().mean(dim=-1)
    return torch.maximum(positive, 1 - positive).mean()


def with_nan(a, delta, size):
    g = gradients(a, delta, size)
    up, down = (g > 0).sum(dim=-1), (g < 0).sum(dim=-1)
    return (torch.maximum(up, down) / (up + down)).mean()


def silent_as(value):
    def function(a, delta, size):
        g = gradients(a, delta, size)
        up, down = (g > 0).sum(dim=-1), (g < 0).sum(dim=-1)
        return torch.where(up + down > 0, torch.maximum(up, down) / (up + down).clamp(min=1), value).mean()

    return function


def over_all_weights(a, delta, size):
    g = gradients(a, delta, size)
    return torch.maximum((g > 0).double().mean(dim=-1), (g < 0).double().mean(dim=-1)).mean()


def strided(a, delta, size):
    order = torch.arange(len(a)).reshape(size, -1).T.flatten()
    return right(a[order], delta[order], size)


def test_the_right_share_passes_as_number_and_as_tensor():
    assert check.agreement(right).passed
    assert check.agreement(lambda *case: torch.tensor(right(*case))).passed
    assert check.agreement(lambda a, d, size: right(a.float(), d.float(), size)).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda a, d, size: right(a, d, 1), "holds for a batch"),
        (lambda a, d, size: share(gradients(a.sign(), d.sign(), size)), "of each example, and averaged"),
        (lambda a, d, size: right(a, d, len(a)), "one batch"),
        (lambda a, d, size: (gradients(a, d, size) > 0).double().mean(), "share of positive gradients"),
        (lambda a, d, size: 1 - right(a, d, size), "minority"),
        (lambda a, d, size: gradients(a, d, size).sign().mean(dim=-1).abs().mean(), "the difference"),
        (lambda a, d, size: share(gradients(a, d, size).mT), "units of each weight"),
        (lambda a, d, size: share(gradients(a, d, size).flatten(1)), "for the whole layer"),
        (lambda a, d, size: share(gradients(a, d, size).flatten()[None]), "all batches and units together"),
        (strided, "not made of neighbours"),
        (lambda a, d, size: right(a, d, len(a) // size), "number of batches"),
        (lambda a, d, size: right(a[:size], d[:size], size), "only the first batch"),
        (lambda a, d, size: share(torch.stack([x.mean(0) for x in a.split(size)])), "inputs alone"),
        (over_all_weights, "counted among the weights"),
        (lambda a, d, size: majority_with(gradients(a, d, size), lambda g: g > 0), "counted as negative"),
        (lambda a, d, size: majority_with(gradients(a, d, size), lambda g: g >= 0), "counted as positive"),
        (with_nan, "makes the mean nan"),
        (silent_as(0.0), "with a share of 0"),
        (silent_as(1.0), "with a share of 1"),
        (lambda a, d, size: 1.0, "wanted"),
        (lambda a, d, size: gradients(a, d, size), "return one number"),
    ],
)
def test_each_wrong_share_gets_its_message(function, message, capsys):
    assert not check.agreement(function).passed
    assert message in capsys.readouterr().out


# --- exercise 6

CHANGES = {
    "all doubled": ("same", "same"),
    "inputs doubled, the 1 not": ("may change", "may change"),
    "one input scaled": ("may change", "may change"),
    "rate halved": ("same", "same"),
    "rate halved, other start": ("same", "may change"),
}


def test_the_right_changes_pass():
    assert check.what_changes(CHANGES).passed
    assert check.what_changes({key: [word.upper() for word in pair] for key, pair in CHANGES.items()}).passed


@pytest.mark.parametrize("word", ["same", "may change"])
def test_one_word_for_everything_does_not_pass(word):
    assert not check.what_changes(dict.fromkeys(CHANGES, (word, word))).passed


@pytest.mark.parametrize(
    ("key", "pair", "message"),
    [
        ("all doubled", ("may change", "same"), "larger inputs, larger bound"),
        ("all doubled", ("same", "may change"), "no sign of w.x_i changes"),
        ("inputs doubled, the 1 not", ("same", "may change"), "scaling never matters"),
        ("inputs doubled, the 1 not", ("may change", "same"), "learns more slowly"),
        ("one input scaled", ("same", "may change"), "the weights make up for a scale"),
        ("one input scaled", ("may change", "same"), "learns faster"),
        ("rate halved", ("may change", "same"), "knows the data only"),
        ("rate halved", ("same", "may change"), "makes more careful steps"),
        ("rate halved, other start", ("may change", "may change"), "neither the start nor the rate"),
        ("rate halved, other start", ("same", "same"), "twice the start"),
        ("rate halved", ..., "no answer yet"),
        ("rate halved", "same", "give a pair"),
        ("rate halved", ("same", 3), "give a pair"),
    ],
)
def test_each_wrong_change_gets_its_message(key, pair, message, capsys):
    assert not check.what_changes({**CHANGES, key: pair}).passed
    assert message in capsys.readouterr().out


def test_a_dictionary_of_dots_is_a_starter(capsys):
    assert not check.what_changes(dict.fromkeys(CHANGES, ...)).passed
    assert "Nothing to check yet" in capsys.readouterr().out


def test_the_bound_is_that_of_known_margins():
    # The unit vectors of chapter 4: margin 1 / sqrt(n), so the bound is n.
    assert check.margin_bound(np.eye(10)) == pytest.approx(10)
    assert check.margin_bound(7 * np.eye(10)) == pytest.approx(10)
    assert check.margin_bound(np.array([[1e4, 0.0], [0.0, 1e4]])) == pytest.approx(2)


def test_without_a_margin_the_bound_is_infinite():
    assert check.margin_bound(np.array([[1.0, 0.0], [-1.0, 0.0]])) == math.inf
    xor = np.array([[-1.0, 0, 0], [1, 0, 1], [1, 1, 0], [-1, -1, -1]])
    assert check.margin_bound(xor) == math.inf


def test_the_bound_agrees_with_a_brute_search_over_directions():
    rows = np.array([[1.0, 0.3], [0.4, 1.2], [2.0, 0.1]])
    angles = np.linspace(0, 2 * np.pi, 200_001)
    margin = (rows @ np.stack([np.cos(angles), np.sin(angles)])).min(axis=0).max()

    assert check.margin_bound(rows) == pytest.approx((rows**2).sum(axis=1).max() / margin**2, rel=1e-4)


@pytest.mark.parametrize("factor", [0.01, 0.008, 0.015, torch.tensor(0.01), np.float32(0.01)])
def test_a_factor_that_makes_the_inputs_alike_passes(factor):
    assert check.width_factor(factor).passed


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (1, "changes nothing"),
        (0, "throws the widths away"),
        (100, "larger still"),
        (1e9, "larger still"),
        (1e200, "larger still"),
        (-1e308, "larger still"),
        (0.1, "not far enough"),
        (0.0001, "too far"),
        (1e-300, "too far"),
        (math.nan, "give one number"),
        ("0.01", "give one number"),
    ],
)
def test_each_wrong_factor_gets_its_message(factor, message, capsys):
    assert not check.width_factor(factor).passed
    assert message in capsys.readouterr().out
