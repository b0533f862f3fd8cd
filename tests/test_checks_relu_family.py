"""The checks of chapter 7 accept what is right, turn the starter away kindly, and know the usual mistakes."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from labs.activations import derivative
from labs.checks import Feedback
from labs.checks import relu_family as check

CHECKS = [
    check.whose_slope,
    check.six_functions,
    check.six_slopes,
    check.gradients,
    check.maxout,
    check.elu_or_leaky,
]
FUNCTIONS = [check.six_functions, check.six_slopes, check.gradients]


def silent(*_):
    """What a starter does: nothing."""


def raises(*_):
    raise ZeroDivisionError("by zero")


@pytest.mark.parametrize("function", CHECKS)
@pytest.mark.parametrize("untouched", ["starter", None, ...])
def test_the_starter_is_turned_away_kindly(function, untouched, capsys):
    starter = silent if function in FUNCTIONS else ...

    feedback = function(starter if untouched == "starter" else untouched)

    assert isinstance(feedback, Feedback)
    assert not feedback.passed
    assert "Nothing to check yet" in capsys.readouterr().out


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_answer_that_raises_is_reported_and_not_passed_on(function, capsys):
    feedback = function(raises)

    assert not feedback.passed
    assert "ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize("function", [check.whose_slope, check.maxout, check.elu_or_leaky])
@pytest.mark.parametrize(
    "nonsense", ["yes", 3, [True], object(), {}, {"A": [1]}, [None] * 8, torch.zeros(2), float("nan")]
)
def test_nonsense_is_answered_and_not_passed(function, nonsense, capsys):
    assert not function(nonsense).passed
    assert "[--]" in capsys.readouterr().out


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    "nonsense", ["text", [1, 2], object(), torch.zeros(7), True, {"Tanh": 3}, {"Tanh": "no"}, (1, 2, "x")]
)
def test_a_function_that_returns_nonsense_does_not_pass(function, nonsense):
    assert not function(lambda *_: nonsense).passed


# --- exercise 1

NAMES = {"A": "GELU", "B": "Sigmoid", "C": "LeakyReLU", "D": "SiLU", "E": "Tanh", "F": "ReLU"}


def test_the_right_names_pass_in_any_spelling():
    assert check.whose_slope(NAMES).passed
    assert check.whose_slope(NAMES | {"C": "leaky ReLU", "D": "Swish", "E": "tanh"}).passed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"B": "Tanh", "E": "Sigmoid"}, "never steeper than 1/4"),
        ({"A": "SiLU", "D": "GELU"}, "lowest near -1.4"),
        ({"C": "ReLU", "F": "LeakyReLU"}, "from where?"),
        ({"F": "Sigmoid"}, "a bump is the slope of an S"),
        ({"D": "Tanh"}, "a bump is the slope of an S"),
        ({"A": "ReLU"}, "does the slope jump"),
        ({"A": "Mish"}, "none of the six"),
        ({"A": ...}, "no name yet"),
    ],
)
def test_each_confusion_gets_its_message(change, message, capsys):
    assert not check.whose_slope(NAMES | change).passed
    assert message in capsys.readouterr().out


def test_the_slopes_shown_are_those_of_the_names():
    x = torch.linspace(-3, 3, 50)

    shown = check.disguised_slopes(x)

    modules = {"LeakyReLU": nn.LeakyReLU(0.1)}
    for letter, name in NAMES.items():
        assert torch.equal(shown[letter], derivative(modules.get(name, getattr(nn, name)()), x))


# --- exercise 2


def by_torch(x, a, alpha, beta):
    return {
        "Sigmoid": torch.sigmoid(x),
        "Tanh": torch.tanh(x),
        "LeakyReLU": F.leaky_relu(x, a),
        "ELU": F.elu(x, alpha),
        "GELU": F.gelu(x),
        "Swish": x * torch.sigmoid(beta * x),
    }


def by_hand(x, a, alpha, beta):
    def sigmoid(z):
        right, left = torch.exp(-z.clamp(min=0)), torch.exp(z.clamp(max=0))
        return torch.where(z > 0, 1 / (1 + right), left / (1 + left))

    e = torch.expm1(2 * x.clamp(-15, 15))
    return {
        "Sigmoid": torch.exp(-torch.logaddexp(0 * x, -x)),
        "Tanh": e / (e + 2),
        "LeakyReLU": torch.relu(x) - a * torch.relu(-x),
        "ELU": torch.relu(x) + alpha * torch.expm1(-torch.relu(-x)),
        "GELU": x * (1 + torch.erf(x / math.sqrt(2))) / 2,
        "Swish": x * sigmoid(beta * x),
    }


@pytest.mark.parametrize("answer", [by_torch, by_hand])
def test_torch_and_other_stable_ways_pass(answer):
    assert check.six_functions(answer).passed


def test_one_entry_is_judged_while_the_others_are_still_to_do(capsys):
    assert not check.six_functions(lambda *s: {"Tanh": torch.tanh(s[0])}).passed

    printed = capsys.readouterr().out
    assert "[ok] Tanh" in printed
    assert printed.count("still to do") == 5


def exp(x):
    return torch.exp(x)


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("Sigmoid", lambda x, *_: 1 / (1 + exp(x)), "falls instead of rising"),
        ("Sigmoid", lambda x, *_: torch.tanh(x), "between 0 and 1"),
        ("Sigmoid", lambda x, *_: 1 / (1 + exp(-x)), "the value at -1e+30 is right, its gradient is nan"),
        ("Sigmoid", lambda x, *_: 1 / (1 + exp(-x)), "let no exp overflow"),
        ("Sigmoid", lambda x, *_: exp(x) / (1 + exp(x)), "at 100 it gives nan"),
        ("Sigmoid", lambda x, *_: torch.where(x < 0, exp(-x.abs()), 1.0) / (1 + exp(-x.abs())), "abs() and sign()"),
        ("Sigmoid", lambda x, *_: torch.sigmoid(x.detach()), "autograd cannot follow"),
        ("Tanh", lambda x, *_: (exp(x) - exp(-x)) / (exp(x) + exp(-x)), "at -1e+30 it gives nan"),
        ("Tanh", lambda x, *_: 2 * torch.sigmoid(x) - 1, "this is tanh(x/2)"),
        ("Tanh", lambda x, *_: -torch.tanh(x), "falls instead of rising"),
        ("Tanh", lambda x, *_: 2 * torch.sigmoid(2 * x) - 1, "the digits are lost"),
        ("Tanh", lambda x, *_: 2 / (1 + exp(-2 * x)) - 1, "its gradient is nan"),
        ("LeakyReLU", lambda x, a, *_: torch.maximum(a * x, x), "this is max(a x, x)"),
        ("LeakyReLU", lambda x, a, *_: torch.where(x > 0, x, a), "the constant a"),
        ("LeakyReLU", lambda x, *_: torch.relu(x), "this is a ReLU"),
        ("LeakyReLU", lambda x, *_: F.leaky_relu(x), "always 0.01"),
        ("ELU", lambda x, a, alpha, beta: torch.where(x > 0, x, alpha * torch.expm1(x)), "backward visits both halves"),
        ("ELU", lambda x, a, alpha, beta: torch.where(x > 0, x, alpha * (exp(x.clamp(max=0)) - 1)), "expm1 does not"),
        ("ELU", lambda x, a, alpha, beta: (x > 0) * x + (x <= 0) * alpha * torch.expm1(x), "at 100 it gives nan"),
        ("ELU", lambda x, a, alpha, beta: torch.where(x > 0, x, alpha * exp(x)), "it jumps at zero"),
        ("ELU", lambda x, a, alpha, beta: torch.where(x > 0, x, alpha * exp(x) - 1), "mind the brackets"),
        ("ELU", lambda x, a, alpha, beta: torch.where(x > 0, x, exp(alpha * x) - 1), "alpha stands in the exponent"),
        ("ELU", lambda x, *_: F.elu(x), "alpha is not used"),
        ("ELU", lambda x, a, alpha, beta: F.celu(x, alpha), "this is CELU"),
        ("GELU", lambda x, *_: torch.special.ndtr(x), "this is Phi(x)"),
        ("GELU", lambda x, *_: F.gelu(x, approximate="tanh"), "approximation with tanh"),
        ("GELU", lambda x, *_: x * torch.sigmoid(1.702 * x), "approximation with a sigmoid"),
        ("GELU", lambda x, *_: x * (1 + torch.erf(x)) / 2, "lacks its root of 2"),
        ("GELU", lambda x, *_: x * exp(-x * x / 2) / math.sqrt(2 * math.pi), "x times the density"),
        ("Swish", lambda x, *_: F.silu(x), "beta is not used"),
        ("Swish", lambda x, a, alpha, beta: beta * F.silu(x), "outside of the sigmoid"),
        ("Swish", lambda x, a, alpha, beta: torch.sigmoid(beta * x), "the gate alone"),
        ("Swish", lambda x, a, alpha, beta: x / (1 + exp(-beta * x)), "its gradient is nan"),
        ("Swish", lambda x, a, alpha, beta: x * torch.sigmoid((beta * x).clamp(min=-60)), "it gives"),
        ("Swish", lambda x, *_: 0.3 * x, "the settings are"),
        ("Swish", lambda x, *_: x.sum(), "no number for each x"),
    ],
)  # fmt: skip
def test_each_wrong_function_gets_its_message(name, wrong, message, capsys):
    def answer(x, *setting):
        return by_torch(x, *setting) | {name: wrong(x, *setting)}

    assert not check.six_functions(answer).passed
    printed = capsys.readouterr().out
    assert message in printed
    assert printed.count("[--]") == 1


# --- exercise 3


def slopes(x, a, alpha, beta):
    """Central differences in float64, so independent of any formula."""
    step = 1e-6 * x.double().abs().clamp(min=1)
    low, high = (by_torch(x.double() + sign * step, a, alpha, beta) for sign in (-1, 1))
    return {name: (high[name] - low[name]) / (2 * step) for name in low}


def test_finite_differences_pass_as_slopes():
    assert check.six_slopes(slopes).passed


def s(x):
    return torch.sigmoid(x)


def density(x):
    return exp(-x * x / 2) / math.sqrt(2 * math.pi)


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("Sigmoid", lambda x, *_: s(s(x)) * (1 - s(s(x))), "taken at the output"),
        ("Sigmoid", lambda x, *_: x * (1 - x), "x stands where y should"),
        ("Sigmoid", lambda x, *_: exp(-x) / (1 + exp(-x)) ** 2, "a function of torch that never overflows"),
        ("Sigmoid", lambda x, *_: s(x), "this is y, the value"),
        ("Sigmoid", lambda x, *_: 1 - s(x) ** 2, "the rule of tanh"),
        ("Tanh", lambda x, *_: 1 - torch.tanh(x), "this is 1 - y"),
        ("Tanh", lambda x, *_: 1 - x * x, "x stands where y should"),
        ("Tanh", lambda x, *_: 1 - torch.tanh(torch.tanh(x)) ** 2, "taken at the output"),
        ("Tanh", lambda x, *_: torch.tanh(x) * (1 - torch.tanh(x)), "the rule of the sigmoid"),
        ("LeakyReLU", lambda x, *_: (x > 0).to(x), "the slope of a ReLU"),
        ("LeakyReLU", lambda x, a, *_: F.leaky_relu(x, a), "this is the value"),
        ("LeakyReLU", lambda x, a, *_: torch.where(x > 0, 1.0, -a), "the sign on the left"),
        ("LeakyReLU", lambda x, a, *_: torch.where(x > 0, a, 1.0), "exchanged"),
        ("ELU", lambda x, *_: torch.where(x > 0, 1.0, exp(x)), "alpha is missing"),
        ("ELU", lambda x, a, alpha, beta: torch.where(x > 0, 1.0, F.elu(x, alpha) + 1), "this is y + 1"),
        ("ELU", lambda x, a, alpha, beta: torch.where(x > 0, 1.0, alpha * (exp(x) - 1)), "the -1 is still there"),
        ("ELU", lambda x, a, alpha, beta: alpha * exp(x), "the right half is e^x too"),
        ("ELU", lambda x, a, alpha, beta: (x > 0) + (x <= 0) * alpha * exp(x), "0 * inf is nan"),
        ("GELU", lambda x, *_: torch.special.ndtr(x), "its first half"),
        ("GELU", lambda x, *_: density(x), "the density alone"),
        ("GELU", lambda x, *_: torch.special.ndtr(x) + density(x), "x in front of the density"),
        ("GELU", lambda x, *_: torch.special.ndtr(x) * (1 + x), "multiplied by Phi again"),
        ("Swish", lambda x, a, alpha, beta: s(beta * x), "its first half"),
        ("Swish", lambda x, a, alpha, beta: s(beta * x) + x * s(beta * x) * s(-beta * x), "the inner slope beta"),
        ("Swish", lambda x, *_: s(x) + x * s(x) * s(-x), "beta is not used"),
        ("Swish", lambda x, a, alpha, beta: beta * s(beta * x) * s(-beta * x), "the gate alone"),
        ("Swish", lambda x, a, alpha, beta: s(beta * x) + beta * s(beta * x) * s(-beta * x), "lacks its x"),
        ("Swish", lambda x, *_: 0 * x, "the settings are"),
    ],
)  # fmt: skip
def test_each_wrong_slope_gets_its_message(name, wrong, message, capsys):
    def answer(x, *setting):
        return slopes(x, *setting) | {name: wrong(x, *setting)}

    assert not check.six_slopes(answer).passed
    printed = capsys.readouterr().out
    assert message in printed
    assert printed.count("[--]") == 1


# --- exercise 4


def by_autograd(x, w, b, v, t, a):
    w, b, v = (torch.as_tensor(p).clone().requires_grad_() for p in (w, b, v))
    error = (v * F.leaky_relu(w @ x + b, a) - t) ** 2 / 2
    return torch.autograd.grad(error, (w, b, v))


def test_autograd_passes_as_backpropagation_also_as_plain_numbers():
    assert check.gradients(by_autograd).passed
    assert check.gradients(lambda *given: [part.tolist() for part in by_autograd(*given)]).passed


def backwards(
    *, error=lambda y, t: y - t, slope=lambda z, a: 1.0 if z > 0 else a, value=F.leaky_relu, down=lambda v: v,
    dw=lambda delta, x, w: delta * x, db=lambda delta, b: delta, seen=lambda z, f: f,
):  # fmt: skip
    def answer(x, w, b, v, t, a):
        z = w @ x + b
        f = value(z, a)
        e = error(v * f, t)
        delta = e * slope(z, a) * down(v)
        return dw(delta, x, w), db(delta, b), e * seen(z, f)

    return answer


def test_the_pieces_put_together_rightly_pass():
    assert check.gradients(backwards()).passed


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (backwards(error=lambda y, t: t - y), "all signs"),
        (backwards(error=lambda y, t: 2 * (y - t)), "twice too large"),
        (backwards(error=lambda y, t: 1.0), "the factor y - t"),
        (backwards(slope=lambda z, a: 1.0), "f'(z) is missing"),
        (backwards(down=lambda v: 1.0), "the weight v is missing"),
        (backwards(seen=lambda z, f: z), "dE/dv uses z"),
        (backwards(slope=lambda z, a: float(z > 0), value=lambda z, a: z.relu()), "whatever the leak"),
        (backwards(slope=lambda z, a: float(z > 0)), "its slope does not"),
        (backwards(value=lambda z, a: z.relu()), "the value does not"),
        (backwards(db=lambda delta, b: delta * b), "dE/db is not right"),
        (backwards(dw=lambda delta, x, w: delta * w), "dE/dw uses w"),
        (backwards(db=lambda delta, b: 0.0), "work backwards"),
        (lambda *_: (1.0, 2.0), "that is not (dE/dw, dE/db, dE/dv)"),
        (lambda *_: (1.0, 2.0, 3.0), "the shape of w"),
    ],
)
def test_each_slip_on_the_way_back_gets_its_message(answer, message, capsys):
    assert not check.gradients(answer).passed
    assert message in capsys.readouterr().out


# --- exercise 5

PIECES = {
    "identity": (1, 1),
    "ReLU": (0, 1),
    "LeakyReLU(0.1)": (0.1, 1),
    "LeakyReLU(2)": None,
    "abs": (-1, 1),
    "parameters": 401_920,
}


def test_the_right_pieces_pass_in_either_order_and_as_tensors():
    assert check.maxout(PIECES).passed
    assert check.maxout(PIECES | {"ReLU": (1, 0), "abs": [1.0, -1.0]}).passed
    assert check.maxout(PIECES | {"LeakyReLU(0.1)": torch.tensor([0.1, 1.0])}).passed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"LeakyReLU(2)": (1, 2)}, "-1 is larger than -2"),
        ({"LeakyReLU(0.1)": (0.1, 0.1)}, "the smaller slope wins"),
        ({"ReLU": None}, "ReLU can be built"),
        ({"abs": (0, 1)}, "at -1 and 1 these slopes give 0 and 1, wanted 1 and 1"),
        ({"abs": 3}, "give two slopes"),
        ({"identity": ...}, "identity: still to do"),
        ({"parameters": 200_960}, "the layer with ReLU"),
        ({"parameters": 401_408}, "the biases are missing"),
        ({"parameters": 401_664}, "only one set of biases"),
        ({"parameters": 200_704}, "one piece alone"),
        ({"parameters": 7}, "a bias for each of 256 units"),
        ({"parameters": "many"}, "got 'many'"),
    ],
)
def test_each_wrong_piece_gets_its_message(change, message, capsys):
    assert not check.maxout(PIECES | change).passed
    printed = capsys.readouterr().out
    assert message in printed
    assert printed.count("[--]") == 1


# --- exercise 6

TRUTH = [False, False, True, False, True, False, False, False]


def test_the_right_truth_values_pass():
    assert check.elu_or_leaky(TRUTH).passed
    assert check.elu_or_leaky(tuple(torch.tensor(TRUTH).tolist())).passed
    assert check.elu_or_leaky(torch.tensor(TRUTH)).passed


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (0, "nn.ELU(alpha=0.5)"),
        (1, "order=2"),
        (2, "at 1e6"),
        (3, "rows at -4 and -2"),
        (4, "rows at -6 and -8"),
        (5, "by which factor"),
        (6, "nn.SELU()"),
        (7, "tensor(-120.0)"),
    ],
)
def test_each_wrong_truth_value_gets_its_hint(statement, message, capsys):
    answer = [not truth if i == statement else truth for i, truth in enumerate(TRUTH)]

    assert not check.elu_or_leaky(answer).passed
    printed = capsys.readouterr().out
    assert message in printed
    assert printed.count("[--]") == 1


def test_the_truth_values_are_true():
    near = torch.tensor([-1e-6, 1e-6], dtype=torch.float64)

    left, right = derivative(nn.ELU(0.5), near)
    bend_left, bend_right = derivative(nn.ELU(), near, order=2)
    selu_left, selu_right = derivative(nn.SELU(), near)

    assert not math.isclose(left, right, rel_tol=0.1)
    assert not math.isclose(bend_left, bend_right, abs_tol=0.1)
    assert not math.isclose(selu_left, selu_right, rel_tol=0.1)
    assert derivative(nn.ELU(), torch.tensor(-2.0)) > 0.01 > derivative(nn.ELU(), torch.tensor(-5.0))
    assert derivative(nn.ELU(), torch.tensor(-120.0)) == 0
    assert derivative(nn.LeakyReLU(), torch.tensor(-1e6)) == pytest.approx(0.01)


def test_a_check_never_changes_what_it_is_given():
    answer = dict(PIECES)

    check.maxout(answer)

    assert answer == PIECES
