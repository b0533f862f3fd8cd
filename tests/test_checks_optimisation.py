"""The checks of chapter 11 accept what is right, turn the starter away kindly, and know the usual mistakes."""

import itertools
import math

import numpy as np
import pytest
import torch

from labs.checks import Feedback
from labs.checks import optimisation as check

R = check.RATES
FIVE = {
    "plain": {0.002, 0.02, 0.039},
    "fastest plain": {0.039},
    "momentum": {0.002, 0.02, 0.039, 0.05},
    "fastest momentum": {0.02, 0.039, 0.05},
}
LENGTHS = {"longer": 10, "rate": 0.003, "ninety": 22, "turning": 0.526}
NOISE = {"exponent": -0.5, "images": 400, "half": 0.71}
DECAY = {"agree": {"descent"}, "strength": 0.01}
ANSWERS = {
    check.five_rates: FIVE,
    check.step_lengths: LENGTHS,
    check.batch_noise: NOISE,
    check.penalty_or_decay: DECAY,
}
FUNCTIONS = (
    check.lion,
    check.largest_rate,
    check.largest_rate_of_average,
    check.batch_error,
    check.with_penalty,
    check.with_decay,
)


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
        (check.lion, lambda *_: (..., None)),
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


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_error_in_the_answer_is_told_and_not_raised(function, capsys):
    assert not function(raises).passed
    assert "ZeroDivisionError" in capsys.readouterr().out


NAN = float("nan")
NONSENSE = [
    "text", "raised", "", 0, 1, 0.5, True, [], [1, 2], (1, 2), (None, None), (..., ...), {"a": 1}, object(), NAN,
    (NAN, NAN), 1j, (1j, 1j), np.zeros(7), np.array(["a"]), np.array(None), torch.zeros(2), torch.ones(3, 4),
    torch.zeros(3), torch.zeros(0), torch.full((5,), NAN), [torch.zeros(3), torch.full((3,), NAN)], 10**400,
    math.inf, itertools.count(), set(), [[1], [2, 3]],
]  # fmt: skip
PIECES = (
    "a", NAN, math.inf, -math.inf, 1e300, object(), 1j, np.zeros(2), np.array(["a"]), [0.5, "a"], set(), {},
    {"sign", 3}, torch.tensor([NAN]), True, (...,), [None, 1], itertools.count(), b"a", torch.zeros(0),
)  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_returns_nonsense_does_not_pass(function):
    assert not [nonsense for nonsense in NONSENSE if function(lambda *_, n=nonsense: n).passed]


@pytest.mark.parametrize("function", [*ANSWERS, *FUNCTIONS])
def test_nonsense_in_place_of_the_answer_does_not_pass(function):
    assert not [nonsense for nonsense in NONSENSE if function(nonsense).passed]


@pytest.mark.parametrize("function", ANSWERS)
def test_nonsense_in_the_parts_of_an_answer_does_not_pass(function):
    right = ANSWERS[function]

    for part, piece in itertools.product(right, PIECES):
        assert not function({**right, part: piece}).passed


@pytest.mark.parametrize("function", ANSWERS)
def test_each_part_is_needed(function, capsys):
    assert function(ANSWERS[function]).passed
    for part in ANSWERS[function]:
        assert not function({**ANSWERS[function], part: ...}).passed
        assert f"{part}: no answer yet" in capsys.readouterr().out


# --- exercise 1


def size_after(lr, h, momentum, steps=4000):
    w, v = 1.0, 0.0
    for _ in range(steps):
        v = momentum * v + h * w
        w -= lr * v
        if abs(w) > 1e12:
            return math.inf
    return abs(w)


def test_the_groups_are_those_that_converge():
    for part, momentum in (("plain", 0.0), ("momentum", 0.8)):
        arrived = {lr for lr in R if max(size_after(lr, h, momentum) for h in (1.0, 50.0)) < 0.01}
        assert arrived == FIVE[part]

    def largest_root(lr, h):
        return max(abs(np.roots([1, -(1.8 - lr * h), 0.8])))

    plain = {lr: max(abs(1 - lr), abs(1 - 50 * lr)) for lr in R}
    ball = {lr: max(largest_root(lr, 1), largest_root(lr, 50)) for lr in R}
    assert {lr for lr in R if plain[lr] == min(plain.values())} == FIVE["fastest plain"]
    assert {lr for lr in R if ball[lr] < min(ball.values()) + 1e-9} == FIVE["fastest momentum"]


def test_rates_may_come_in_any_collection():
    lists = {part: sorted(rates) for part, rates in FIVE.items()}

    assert check.five_rates(lists).passed
    assert check.five_rates({part: np.array(rates) for part, rates in lists.items()}).passed
    assert check.five_rates({part: torch.tensor(rates) for part, rates in lists.items()}).passed
    assert check.five_rates({**FIVE, "fastest plain": 0.039}).passed


@pytest.mark.parametrize(
    ("part", "rates", "message"),
    [
        ("plain", R[:2], "jumps across the bottom diverges"),
        ("plain", R[:1], "jumps across the bottom diverges"),
        ("plain", R[:4], "the mean curvature sets the limit"),
        ("plain", R, "the limit of the flat direction"),
        ("plain", R[3:], "not 0.05, 0.08"),
        ("plain", (), "not none of them"),
        ("plain", (0.1,), "no set of the five rates"),
        ("fastest plain", 0.02, "one over the largest curvature"),
        ("fastest plain", 0.002, "the slowest"),
        ("fastest plain", 0.05, "this one diverges"),
        ("momentum", R[:1], "so the limit is a fifth"),
        ("momentum", R[:3], "the limit of plain descent"),
        ("momentum", R, "does not rescue every rate"),
        ("fastest momentum", 0.05, "the largest rate that converges is the fastest"),
        ("fastest momentum", 0.039, "this is one of them"),
        ("fastest momentum", R[:4], "one of these is slower"),
    ],
)
def test_each_wrong_group_gets_its_message(part, rates, message, capsys):
    assert not check.five_rates({**FIVE, part: rates}).passed
    assert message in capsys.readouterr().out


# --- exercise 2


def velocities(gradients, momentum):
    return list(itertools.accumulate(gradients, lambda v, g: momentum * v + g))


def test_the_lengths_are_those_of_the_recursion():
    constant, turning = velocities([1.0] * 400, 0.9), velocities([1.0, -1.0] * 200, 0.9)
    ninety = next(k for k, v in enumerate(constant, start=1) if v >= 0.9 * constant[-1])
    measured = {
        "longer": constant[-1],
        "rate": 0.03 / constant[-1],
        "ninety": ninety,
        "turning": abs(turning[-1]),
    }

    assert check.step_lengths(measured).passed
    assert check.step_lengths({part: np.array([number]) for part, number in measured.items()}).passed
    assert check.step_lengths({part: torch.tensor(number) for part, number in measured.items()}).passed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"longer": 1}, "longer: \"momentum is a moving average"),
        ({"longer": 1.9}, "the second step"),
        ({"longer": 5}, "a momentum of 0.8"),
        ({"longer": 0.1}, "this is 1 - mu"),
        ({"longer": 9}, "the first step is left out"),
        ({"longer": 0.3}, "the length of the steps"),
        ({"longer": 77}, "77 is not what comes out"),
        ({"longer": 5, "rate": 0.006}, "follows from your first answer"),
        ({"rate": 0.03}, "rate: \"momentum is a moving average"),
        ({"rate": 0.3}, "a hundred times as long"),
        ({"rate": 0.027}, "not what is added to it"),
        ({"ninety": 10}, "steps the velocity is full"),
        ({"ninety": 21}, "one step short"),
        ({"turning": 0}, "opposite gradients cancel"),
        ({"turning": 10}, "along a constant gradient"),
        ({"turning": 1 / 10}, "the second step"),
        ({"turning": 1.9}, "upside down"),
        ({"turning": -0.526}, "without the sign"),
    ],
)  # fmt: skip
def test_each_wrong_length_gets_its_message(change, message, capsys):
    assert not check.step_lengths({**LENGTHS, **change}).passed
    assert message in capsys.readouterr().out


# --- exercise 3


def lion_like(
    direction=lambda c, new, g, m: c.sign(),
    new=lambda g, m, b: b[1] * m + (1 - b[1]) * g,
    end=lambda w, step, lr, omega: w - lr * (step + omega * w),
    gradient=lambda w, g, omega: g,
):
    def function(w, g, m, lr, betas, weight_decay):
        g = gradient(w, g, weight_decay)
        c, after = betas[0] * m + (1 - betas[0]) * g, new(g, m, betas)
        return end(w, direction(c, after, g, m), lr, weight_decay), after

    return function


def in_place(w, g, m, lr, betas, weight_decay):
    w -= lr * (betas[0] * m + (1 - betas[0]) * g).sign() + lr * weight_decay * w
    return w, betas[1] * m + (1 - betas[1]) * g


def swapped(w, g, m, lr, betas, weight_decay):
    return lion_like()(w, g, m, lr, betas[::-1], weight_decay)


def no_pull(w, step, lr, omega):
    return w - lr * step


def test_the_right_lion_passes():
    assert check.lion(lion_like()).passed
    assert check.lion(lion_like(end=lambda w, step, lr, omega: w * (1 - lr * omega) - lr * step)).passed
    assert check.lion(lambda *a: [part.numpy() for part in lion_like()(*a)]).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lion_like(lambda c, new, g, m: new, lambda g, m, b: b[0] * m + (1 - b[0]) * g.sign()), "Lion averages signs"),
        (lion_like(lambda c, new, g, m: new, lambda g, m, b: b[1] * m + (1 - b[1]) * g.sign()), "Lion averages signs"),
        (lion_like(new=lambda g, m, b: b[1] * m + (1 - b[1]) * g.sign()), "the momentum takes in signs"),
        (lion_like(lambda c, new, g, m: new.sign()), "the sign of the new momentum"),
        (lion_like(lambda c, new, g, m: g.sign()), "the sign of the gradient alone"),
        (lion_like(lambda c, new, g, m: m.sign()), "the sign of the old momentum"),
        (swapped, "changed places"),
        (lion_like(new=lambda g, m, b: b[0] * m + (1 - b[0]) * g), "the momentum is set to c"),
        (lion_like(new=lambda g, m, b: b[1] * m + g), "the momentum is a sum"),
        (lion_like(new=lambda g, m, b: m), "the momentum stays as it was"),
        (lion_like(lambda c, new, g, m: c), "the sign is missing"),
        (lion_like(end=lambda w, step, lr, omega: w + lr * step - lr * omega * w), "uphill"),
        (lion_like(end=no_pull), "the weight decay is missing"),
        (lion_like(end=lambda w, step, lr, omega: w - lr * step - omega * w), "lacks the rate"),
        (lion_like(end=lambda w, step, lr, omega: w - lr * step + lr * omega * w), "grow instead"),
        (lion_like(end=no_pull, gradient=lambda w, g, omega: g + omega * w), "weight decay and L2 are the same"),
        (lion_like(end=lambda w, step, lr, omega: (w - lr * step) * (1 - lr * omega)), "the new weight decays"),
        (lion_like(lambda c, new, g, m: torch.where(c > 0, 1.0, -1.0)), "at c = 0"),
        (lion_like(lambda c, new, g, m: c / c.abs()), "NaN"),
        (lambda *a: lion_like()(*a)[::-1], "in the wrong order"),
        (lambda *a: lion_like()(*a)[0], "return two tensors"),
        (lambda *a: [part.sum() for part in lion_like()(*a)], "the shapes are () and ()"),
        (lambda w, g, m, *_: (w, m), "is not right"),
        (in_place, "changes what it is given"),
    ],
)  # fmt: skip
def test_each_wrong_lion_gets_its_message(function, message, capsys):
    assert not check.lion(function).passed
    assert message in capsys.readouterr().out


# --- exercise 4


@pytest.mark.parametrize(("h", "mu"), [(50.0, 0.8), (1.0, 0.0), (6.0, 0.5), (2.0, 0.9)])
def test_the_largest_rates_are_where_the_recursion_stops_converging(h, mu):
    limit = 2 * (1 + mu) / h

    assert size_after(0.99 * limit, h, mu) < 1e-3
    assert size_after(1.01 * limit, h, mu) == math.inf


def test_the_right_rates_pass():
    assert check.largest_rate(lambda h, mu: 2 * (1 + mu) / h).passed
    assert check.largest_rate(lambda h, mu: torch.tensor(2 * (1 + mu) / h)).passed
    assert check.largest_rate_of_average(lambda h, mu: 2 * (1 + mu) / (1 - mu) / h).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda h, mu: 2 / h, "momentum is left out"),
        (lambda h, mu: 2 * (1 - mu) / h, "the limit is that of the effective rate"),
        (lambda h, mu: 2 / (1 - mu) / h, "the wrong way with the effective rate"),
        (lambda h, mu: (1 + mu**0.5) ** 2 / h, "beyond the window it diverges"),
        (lambda h, mu: (1 - mu**0.5) ** 2 / h, "where the window begins"),
        (lambda h, mu: (1 + mu) / h, "half of it"),
        (lambda h, mu: 2 * (1 + mu), "the curvature is forgotten"),
        (lambda h, mu: 2 * (1 + mu) * h, "the wrong side"),
        (lambda h, mu: 2 * (1 + mu**0.5) / h, "a root too much"),
        (lambda h, mu: 2 * (1 + mu) / (1 - mu) / h, "for the averaged velocity"),
        (lambda h, mu: 0.072, "this gives 0.072"),
    ],
)
def test_each_wrong_rate_gets_its_message(function, message, capsys):
    assert not check.largest_rate(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda h, mu: 2 * (1 + mu) / h, "the limit for the sum"),
        (lambda h, mu: 2 * (1 + mu) * (1 - mu) / h, "on the wrong side"),
        (lambda h, mu: 2 / h, "momentum is left out"),
        (lambda h, mu: 2 / (1 - mu) / h, "the effective rate alone"),
        (lambda h, mu: (1 + mu**0.5) ** 2 / (1 - mu) / h, "beyond the window it diverges"),
        (lambda h, mu: 2 * (1 + mu) / (1 - mu), "the curvature is forgotten"),
        (lambda h, mu: 7, "this gives 7"),
    ],
)
def test_each_wrong_rate_of_the_average_gets_its_message(function, message, capsys):
    assert not check.largest_rate_of_average(function).passed
    assert message in capsys.readouterr().out


# --- exercise 5


def measured(
    combine=lambda rows: rows.mean(1),
    centre=lambda gradients: gradients.mean(0),
    length=lambda errors: errors.square().sum(1),
    end=lambda lengths: lengths.mean().sqrt().item(),
    pick=lambda n, size, draws, generator: torch.randint(n, (draws, size), generator=generator),
):
    def function(gradients, size, draws, generator):
        picks = pick(len(gradients), size, draws, generator)
        return end(length(combine(gradients[picks]) - centre(gradients)))

    return function


def shuffled(n, size, draws, generator):
    return torch.stack([torch.randperm(n, generator=generator)[:size] for _ in range(draws)])


def the_same(n, size, draws, generator):
    return torch.randint(n, (1, size), generator=generator).expand(draws, size)


def tau(gradients):
    return (gradients - gradients.mean(0)).square().sum(1).mean().sqrt().item()


def test_the_right_error_passes():
    assert check.batch_error(measured()).passed
    assert check.batch_error(lambda *a: torch.tensor(measured()(*a))).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (measured(end=lambda lengths: lengths.mean().item()), "without the root"),
        (measured(pick=shuffled), "drawn without replacement"),
        (measured(length=lambda errors: errors.square().mean(1)), "averaged over the coordinates"),
        (measured(combine=lambda rows: rows.sum(1)), "added up, not averaged"),
        (measured(centre=lambda gradients: 0.0), "not of its error"),
        (measured(pick=the_same), "all draws pick the same batch"),
        (measured(end=lambda lengths: lengths.sqrt().mean().item()), "one rare, large gradient"),
        (measured(end=lambda lengths: lengths.sum().sqrt().item()), "added up over the draws"),
        (lambda g, size, draws, _: tau(g) / size**0.5, "nothing was drawn"),
        (lambda g, size, draws, _: tau(g) / size, "twice the images, half the error"),
        (lambda g, size, *rest: measured()(g, 1, *rest), "the error of a single example"),
        (lambda g, *rest: measured()(g, *rest) / g.mean(0).norm().item(), "relative to the full gradient"),
        (lambda g, size, _, generator: measured()(g, size, 2000, generator), "use the number of draws"),
        (lambda g, *rest: 100.0, "batches of three: 100"),
        (lambda g, *rest: measured()(g.mul_(2), *rest), "changes the gradients"),
    ],
)
def test_each_wrong_error_gets_its_message(function, message, capsys):
    assert not check.batch_error(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"exponent": -1}, "exponent: \"twice the images, half the error"),
        ({"exponent": 0.5}, "the sign is turned round"),
        ({"exponent": -2}, "the wrong way round"),
        ({"exponent": 0}, "does not depend on its size"),
        ({"images": 40}, "ten times the images, a tenth of the error"),
        ({"images": 100}, "this is the factor"),
        ({"images": 4000}, "enough for a thirtieth"),
        ({"half": 1}, "replacement makes no difference"),
        ({"half": 0.5}, "the ratio of the squares"),
        ({"half": 0}, "only at B = N"),
        ({"half": 1.41}, "upside down"),
        ({"half": 7}, "7 is not what comes out"),
    ],
)  # fmt: skip
def test_each_wrong_noise_gets_its_message(change, message, capsys):
    assert not check.batch_noise({**NOISE, **change}).passed
    assert message in capsys.readouterr().out


# --- exercise 6


def penalty(step, w, g, state, lr, omega):
    return step(w, g + omega * w, state, lr)


def decay(step, w, g, state, lr, omega):
    return step(w * (1 - lr * omega), g, state, lr)


def twice(step, w, g, state, lr, omega):
    step(w, g + omega * w, state, lr)
    return step(w, g + omega * w, state, lr)


def forgetful(step, w, g, state, lr, omega):
    return step(w, g + omega * w, {}, lr)


def test_the_right_wrappers_pass():
    assert check.with_penalty(penalty).passed
    assert check.with_decay(decay).passed
    assert check.with_decay(lambda step, w, g, s, lr, o: step(w, g, s, lr) - lr * o * w).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (decay, "this is the decay"),
        (lambda step, w, g, s, lr, o: step(w, g + 2 * o * w, s, lr), "twice the pull"),
        (lambda step, w, g, s, lr, o: step(w, g - o * w, s, lr), "the wrong way"),
        (lambda step, w, g, s, lr, o: step(w, g + lr * o * w, s, lr), "the rate comes in twice"),
        (lambda step, w, g, s, lr, o: step(w, g, s, lr), "the penalty is missing"),
        (lambda step, w, g, s, lr, o: step(w, o * w, s, lr), "the loss is missing"),
        (lambda step, w, g, s, lr, o: step(w, g + o / 2 * w**2, s, lr), "not its gradient"),
        (lambda step, w, g, s, lr, o: w, "called once"),
        (lambda step, w, g, s, lr, o: step(w, g + 3 * o * w, s, lr), "the new weights are not right"),
        (twice, "called once"),
        (forgetful, "called once"),
    ],
)
def test_each_wrong_penalty_gets_its_message(function, message, capsys):
    assert not check.with_penalty(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (penalty, "weight decay and L2 are the same"),
        (lambda step, w, g, s, lr, o: step(w, g, s, lr) - o * w, "the rate is missing"),
        (lambda step, w, g, s, lr, o: (1 - lr * o) * step(w, g, s, lr), "the new weight decays"),
        (lambda step, w, g, s, lr, o: step(w + lr * o * w, g, s, lr), "the weights grow"),
        (lambda step, w, g, s, lr, o: step(w, g, s, lr), "the decay is missing"),
        (lambda step, w, g, s, lr, o: step((1 - 2 * lr * o) * w, g, s, lr), "twice the decay"),
        (lambda step, w, g, s, lr, o: decay(step, w, g + o * w, s, lr, o), "at once"),
        (lambda step, w, g, s, lr, o: step(w, g, s, lr)[:2], "return the new weights"),
    ],
)
def test_each_wrong_decay_gets_its_message(function, message, capsys):
    assert not check.with_decay(function).passed
    assert message in capsys.readouterr().out


def test_momentum_with_a_tenth_of_the_penalty_settles_where_the_decay_does():
    def momentum(w, g, state, lr):
        state["v"] = 0.9 * state.get("v", 0.0) + g
        return w - lr * state["v"]

    def end(rule, omega):
        w, state = 0.0, {}
        for _ in range(400):
            w = rule(momentum, w, w - 1, state, 0.1, omega)
        return w

    assert end(penalty, 0.01) == pytest.approx(end(decay, 0.1), abs=1e-6)
    assert end(penalty, 0.1) < end(decay, 0.1) - 0.05


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"agree": set(check.NAMES)}, "weight decay and L2 are the same"),
        ({"agree": {"descent", "momentum 0.9"}}, "momentum only adds gradients up"),
        ({"agree": {"descent", "Adam", "momentum 0.9"}}, "are the same\" for momentum 0.9, Adam"),
        ({"agree": ["Adam"]}, "plain descent is missing"),
        ({"agree": set()}, "plain descent is missing"),
        ({"agree": {"SGD"}}, "no set of the names"),
        ({"strength": 0.1}, "with momentum the two agree"),
        ({"strength": 1}, "the wrong way round"),
        ({"strength": 0.09}, "what is left of the velocity"),
        ({"strength": 5}, "5 is not what comes out"),
    ],
)  # fmt: skip
def test_each_wrong_comparison_gets_its_message(change, message, capsys):
    assert not check.penalty_or_decay({**DECAY, **change}).passed
    assert message in capsys.readouterr().out


def test_the_names_may_come_as_a_list_or_as_one_word():
    assert check.penalty_or_decay({**DECAY, "agree": ["descent"]}).passed
    assert check.penalty_or_decay({**DECAY, "agree": "descent"}).passed
