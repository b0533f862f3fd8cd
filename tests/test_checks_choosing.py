"""The checks of chapter 18 accept what is right, turn the starter away kindly, and know the usual mistakes."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn
from torch.autograd import gradcheck
from torch.nn import functional as F

from labs.checks import Feedback
from labs.checks import choosing as check
from labs.signals import chi_1, gaussian_gain, variance_slope
from labs.statistics import holm, paired_comparison

FIRST = dict(zip(check.IDEAS, check.CHECKS, strict=True))
DOUBLED = {"ReLU, factor": 2.0, "ReLU, share": 0.603, "GELU, factor": 2.44, "GELU, share": 0.603}
LARGEST = {"size": 0.193, "at": -1.966}
EIGHT = {"measured": 0.902, "one share": 0.996, "unit by unit": 0.9}
ANSWERS = {
    check.first_fault: FIRST,
    check.doubled: DOUBLED,
    check.largest: LARGEST,
    check.eight_examples: EIGHT,
}
FUNCTIONS = (
    check.threshold, check.three_numbers, check.at_zero, check.needed, check.predicted, check.own_function,
    check.verdicts, check.could_have_seen,
)  # fmt: skip


def silent(*_):
    """What a starter does: nothing."""


def dots(*_):
    """What a starter does that returns its dots."""
    return ...


class Starter(nn.Module):
    def forward(self, x): ...


@pytest.mark.parametrize(
    ("function", "starter"),
    [
        *((function, dict.fromkeys(right, ...)) for function, right in ANSWERS.items()),
        *((function, {}) for function in ANSWERS),
        *((function, silent) for function in FUNCTIONS if function != check.own_function),
        *((function, dots) for function in FUNCTIONS if function != check.own_function),
        (check.own_function, Starter),
        (check.three_numbers, lambda *_: (..., ..., ...)),
        (check.at_zero, lambda *_: (..., ...)),
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
    "text", "raised", "", 0, 1, 0.5, True, [], [1, 2], [1, 1, 1], (None, None), {}, {"a": 1}, {"one": "better"},
    object(), NAN, (NAN, NAN), (NAN, NAN, NAN), 1j, np.zeros(7), np.array(["a"]), np.array(None), torch.zeros(2),
    torch.ones(33), torch.zeros(3, 4), torch.full((3,), NAN), 10**400, math.inf, -math.inf, ["better"], {1: 2},
    {"base": "better"},
]  # fmt: skip
PIECES = ("a", NAN, [1, 2], math.inf, -1, 1e300, object(), 1j, np.zeros(2), torch.zeros(3), {}, True)


@pytest.mark.parametrize("function", [*ANSWERS, *FUNCTIONS])
def test_nonsense_in_place_of_the_answer_does_not_pass(function):
    assert not [nonsense for nonsense in NONSENSE if function(nonsense).passed]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_returns_nonsense_does_not_pass(function):
    assert not [nonsense for nonsense in NONSENSE if function(lambda *_, n=nonsense: n).passed]


@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda value: type(value).__name__)
def test_a_module_that_returns_nonsense_does_not_pass(nonsense):
    assert not check.own_function(lambda: lambda x: nonsense).passed


@pytest.mark.parametrize("function", ANSWERS)
def test_nonsense_in_the_parts_of_an_answer_does_not_pass(function):
    right = ANSWERS[function]

    assert not [piece for piece in PIECES if function({**right, list(right)[1]: piece}).passed]
    assert not [piece for piece in PIECES if function(dict.fromkeys(right, piece)).passed]


@pytest.mark.parametrize("function", ANSWERS)
def test_right_answers_pass_and_each_part_is_needed(function, capsys):
    assert function(ANSWERS[function]).passed
    for part in ANSWERS[function]:
        assert not function({**ANSWERS[function], part: ...}).passed
        assert f"{part}: no answer yet" in capsys.readouterr().out
    if function != check.first_fault:
        assert function({part: np.array([value]) for part, value in ANSWERS[function].items()}).passed
        assert function({part: torch.tensor(value) for part, value in ANSWERS[function].items()}).passed


# --- exercise 1


def test_the_battery_stops_each_formula_where_the_check_says():
    for name, f in check.IDEAS.items():
        far = torch.tensor([-1e4, -100.0, 0.0, 100.0, 1e4], requires_grad=True)
        value = f(far)
        (slope,) = torch.autograd.grad(value.sum(), far)
        points = torch.linspace(-4, 4, 33, dtype=torch.float64) + 0.013
        gain = gaussian_gain(f, kinks=())
        passes = {
            "value": value.isfinite().all(),
            "slope": slope.isfinite().all(),
            "gradcheck": gradcheck(f, points.requires_grad_(), raise_exception=False),
            "chi": 0.79 < chi_1(f, weight_variance=gain**2, kinks=()) < 1.26,
            "length": abs(variance_slope(f, 1.0, weight_variance=gain**2, kinks=())) <= 1.26,
        }
        faults = [stop for stop, passed in passes.items() if not passed]

        assert (faults or ["none"])[0] == FIRST[name]
        if name != "textbook tanh":
            assert len(faults) <= 1


@pytest.mark.parametrize(
    ("name", "word", "message"),
    [
        ("ELU by where", "none", "where takes one branch"),
        ("ELU by where", "value", "the value is finite"),
        ("textbook tanh", "none", "it is tanh, so it is bounded"),
        ("textbook tanh", "slope", "a check before it"),
        ("SiLU, gate detached", "none", "the value is right, so the slope is"),
        ("SiLU, gate detached", "chi", "within the limits"),
        ("centred ReLU", "none", "a mean of zero is harmless"),
        ("ReLU to the 1.5", "chi", "1.125"),
        ("two softplus", "length", "exactly 1"),
        ("two softplus", "speed", "is no check"),
    ],
)
def test_each_wrong_prediction_gets_its_message(name, word, message, capsys):
    assert not check.first_fault({**FIRST, name: word}).passed
    assert message in capsys.readouterr().out


def test_one_word_for_all_does_not_pass_and_capitals_do():
    assert not any(check.first_fault(dict.fromkeys(FIRST, word)).passed for word in check.CHECKS)
    assert check.first_fault({name: f" {word.upper()}" for name, word in FIRST.items()}).passed


# --- exercise 2


def test_right_thresholds_pass():
    assert check.threshold(lambda a, share: torch.quantile(a.abs().flatten(), share)).passed
    assert check.threshold(lambda a, share: np.quantile(np.abs(a.numpy()), share)).passed
    assert check.threshold(
        lambda a, share: a.abs().flatten().sort().values[min(int(share * a.numel()), a.numel() - 1)]
    ).passed


def spoil(a, share):
    a.abs_()
    return torch.quantile(a.flatten(), share)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda a, share: torch.quantile(a.flatten(), share), "signed numbers"),
        (lambda a, share: torch.quantile(a.abs().flatten(), 1 - share), "leaves out what should be kept"),
        (lambda a, share: share * a.abs().max(), "share of the largest"),
        (lambda a, share: share * a.abs().mean(), "multiple of the mean"),
        (lambda a, share: 0.5, "lie below 0.5, wanted 30%"),
        (lambda a, share: torch.quantile(a.abs().flatten(), 0.5), "50% lie below"),
        (lambda a, share: -1.0, "is not negative"),
        (lambda a, share: a > share, "one number: the threshold"),
        (spoil, "changes the activations"),
    ],
)
def test_each_wrong_threshold_gets_its_message(function, message, capsys):
    assert not check.threshold(function).passed
    assert message in capsys.readouterr().out


def test_the_numbers_for_doubled_inputs_are_those_of_the_normal_distribution():
    low = stats.norm.ppf(0.7)
    gelu = lambda z: z * stats.norm.cdf(z)  # noqa: E731

    assert gelu(low) > 0.17  # the dip of GELU lies below the threshold
    assert check.doubled(
        {
            "ReLU, factor": 2,
            "ReLU, share": stats.norm.cdf(low / 2),
            "GELU, factor": gelu(2 * low) / gelu(low),
            "GELU, share": stats.norm.cdf(low / 2),
        }
    ).passed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ReLU, factor": 1}, "the threshold belongs to the function"),
        ({"GELU, factor": 1}, "the threshold belongs to the function"),
        ({"GELU, factor": 2}, "the threshold grows with the inputs"),
        ({"ReLU, factor": 0.5}, "wrong way round"),
        ({"ReLU, factor": 3}, "3 is not it"),
        ({"ReLU, share": 0.7}, "the share stays"),
        ({"GELU, share": 0.35}, "twice as large, half as many"),
        ({"ReLU, share": 0.853}, "wrong way round"),
        ({"ReLU, share": 0.397}, "that is kept"),
        ({"GELU, share": 0.5}, "half is what ReLU leaves out"),
    ],
)
def test_each_wrong_doubling_gets_its_message(change, message, capsys):
    assert not check.doubled({**DOUBLED, **change}).passed
    assert message in capsys.readouterr().out


# --- exercise 3


def numbers(
    gain=lambda m: m["ff"] ** -0.5, chi=lambda m: m["dd"] / m["ff"], length=lambda m: m["zfd"] / m["ff"]
):
    def function(f, z):
        x = z.clone().requires_grad_()
        value = f(x)
        (slope,) = torch.autograd.grad(value.sum(), x)
        m = {"ff": (value**2).mean(), "dd": (slope**2).mean(), "zfd": (x * value * slope).mean()}
        m |= {"d": slope.mean(), "var": value.var(), "sum": (value**2).sum(), "fd": (value * slope).mean()}
        m = {name: number.item() for name, number in m.items()}
        return gain(m), chi(m), length(m)

    return function


def move(f, z):
    found = numbers()(f, z)
    z += 1
    return found


def test_right_numbers_pass_and_samples_that_ask_for_gradients_are_no_trouble():
    assert check.three_numbers(numbers()).passed
    assert check.three_numbers(lambda f, z: torch.tensor(numbers()(f, z))).passed
    assert check.three_numbers(lambda f, z: numbers()(f, z.requires_grad_().detach())).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (numbers(gain=lambda m: 1 / m["ff"]), "variance of the weights"),
        (numbers(gain=lambda m: m["ff"] ** 0.5), "upside down"),
        (numbers(gain=lambda m: m["sum"] ** -0.5), "a sum for a mean"),
        (numbers(gain=lambda m: math.sqrt(2)), "that of ReLU"),
        (numbers(gain=lambda m: 7.0), "the gain is 7"),
        (numbers(chi=lambda m: m["dd"]), "chi lacks the gain"),
        (numbers(chi=lambda m: m["dd"] * m["ff"] ** -0.5), "without its square"),
        (numbers(chi=lambda m: m["d"] ** 2 / m["ff"]), "the mean slope decides"),
        (numbers(chi=lambda m: m["ff"] / m["dd"]), "chi is upside down"),
        (numbers(chi=lambda m: 1.0), "the chi is 1"),
        (numbers(length=lambda m: m["zfd"]), "the length lacks the gain"),
        (numbers(length=lambda m: 2 * m["zfd"] / m["ff"]), "inner derivative"),
        (numbers(length=lambda m: m["zfd"] / m["ff"] / 2), "lost the 2"),
        (numbers(length=lambda m: m["fd"] / m["ff"]), "lacks the factor z"),
        (numbers(length=lambda m: m["dd"] / m["ff"]), "a slope squared"),
        (lambda f, z: numbers()(f, z)[::-1], "in another order"),
        (lambda f, z: numbers()(f, z)[:2], "three finite numbers"),
        (lambda f, z: numbers()(F.gelu, z), "cube"),
        (move, "changes the samples"),
    ],
)
def test_each_wrong_number_gets_its_message(function, message, capsys):
    assert not check.three_numbers(function).passed
    assert message in capsys.readouterr().out


def test_the_standard_deviation_in_place_of_the_mean_square_is_known(capsys):
    def function(f, z):
        found = numbers()(f, z)
        return (1 / f(z).std(unbiased=False).item(), *found[1:])

    assert not check.three_numbers(function).passed
    assert "one over the standard deviation" in capsys.readouterr().out


# --- exercise 4

PHI = 1 / math.sqrt(2 * math.pi)


def test_the_derivatives_are_those_of_autograd():
    def by_autograd(share):
        x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        f = x * (share * torch.sigmoid(x) + (1 - share) * torch.special.ndtr(x))
        (slope,) = torch.autograd.grad(f.sum(), x, create_graph=True)
        return slope, torch.autograd.grad(slope.sum(), x)[0]

    assert check.at_zero(by_autograd).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda s: (0.5, 0), "at its middle a gate has no curvature"),
        (lambda s: (0.5, s / 4 + (1 - s) * PHI), "the 2 of the product rule"),
        (lambda s: (0.5, (1 - s) / 2 + s * 2 * PHI), "the shares are exchanged"),
        (lambda s: (0.5, 0.5), "not that of sigma"),
        (lambda s: (0.5, 2 * PHI), "not that of Phi"),
        (lambda s: (0.5, s / 2 + 1 - s), "phi(0) is taken for one half"),
        (lambda s: (0, s / 2 + (1 - s) * 2 * PHI), "x is a factor"),
        (lambda s: (1, s / 2 + (1 - s) * 2 * PHI), "far on the right"),
        (lambda s: (s / 4 + (1 - s) * PHI, s / 2 + (1 - s) * 2 * PHI), "slope of the gate"),
        (lambda s: (s / 2, s / 2 + (1 - s) * 2 * PHI), "both gates are one half"),
        (lambda s: (0.5, 3.0), "the second derivative is 3"),
        (lambda s: 0.5, "two numbers"),
    ],
)
def test_each_wrong_derivative_gets_its_message(function, message, capsys):
    assert not check.at_zero(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": -0.193}, "a size has no sign"),
        ({"size": 0.117}, "the factor x is missing"),
        ({"size": 0}, "at zero the gates agree"),
        ({"size": 1}, "a share can get all of it"),
        ({"size": 0.0965}, "to the middle"),
        ({"size": 0.4}, "0.4 is not it"),
        ({"at": 1.32}, "there the gates differ most"),
        ({"at": 0}, "at zero the parents agree"),
        ({"at": 4}, "4 is not it"),
    ],
)
def test_each_wrong_maximum_gets_its_message(change, message, capsys):
    assert not check.largest({**LARGEST, **change}).passed
    assert message in capsys.readouterr().out


# --- exercise 5


def test_right_shares_pass():
    assert check.needed(lambda mask: mask.any(0).float().mean()).passed
    assert check.needed(lambda mask: (mask.sum(0) > 0).sum() / mask.shape[1]).passed
    assert check.predicted(lambda p, b: (1 - (1 - p) ** b).mean()).passed
    assert check.predicted(lambda p, b: 1 - np.mean((1 - p.numpy()) ** b)).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda m: m.all(0).float().mean(), "EVERY example"),
        (lambda m: m.float().mean(), "each example needs its share, so the batch does"),
        (lambda m: m.float().sum() / m.shape[1], "added up"),
        (lambda m: m.any(0).sum(), "not a share"),
        (lambda m: 1 - m.any(0).float().mean(), "nobody needs"),
        (lambda m: m.any(1).float().mean(), "of each example"),
        (lambda m: m[0].float().mean(), "only the first example"),
        (lambda m: 0.85, "should be"),
        (lambda m: m.any(0), "one number"),
    ],
)
def test_each_wrong_union_gets_its_message(function, message, capsys):
    assert not check.needed(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda p, b: 1 - (1 - p.mean()) ** b, "all units are alike"),
        (lambda p, b: (p**b).mean(), "ALL examples"),
        (lambda p, b: ((1 - p) ** b).mean(), "nobody needs"),
        (lambda p, b: b * p.mean(), "shares are added"),
        (lambda p, b: (b * p).clamp(max=1).mean(), "added up to one"),
        (lambda p, b: p.mean(), "the batch is left out"),
        (lambda p, b: (1 - (1 - p) ** b).sum(), "a sum over the units"),
        (lambda p, b: 0.875, "should be"),
        (lambda p, b: 1 - (1 - p) ** b, "one number"),
    ],
)
def test_each_wrong_expectation_gets_its_message(function, message, capsys):
    assert not check.predicted(function).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"measured": 0.5}, "each example needs its half"),
        ({"measured": 180}, "is no share"),
        ({"measured": 0.7}, "not what eight images need"),
        ({"one share": 0.0039}, "nobody needs"),
        ({"one share": 0.9}, "1 - (1 - p)^B"),
        ({"unit by unit": 0.996}, "all units are alike"),
        ({"unit by unit": 0.97}, "not what you measured"),
        ({"unit by unit": 0.5}, "predicted(often, 8)"),
    ],
)
def test_each_wrong_batch_of_eight_gets_its_message(change, message, capsys):
    assert not check.eight_examples({**EIGHT, **change}).passed
    assert message in capsys.readouterr().out


# --- exercise 6


def module(formula):
    """A class whose forward is a formula."""
    return type("Own", (nn.Module,), {"forward": lambda self, x: formula(x)})


class Learned(nn.Module):
    def __init__(self):
        super().__init__()
        self.share = nn.Parameter(torch.tensor(0.5))

    def forward(self, x):
        return x * (self.share * torch.sigmoid(x) + (1 - self.share) * torch.special.ndtr(x))


@pytest.mark.parametrize(
    "build",
    [
        module(lambda x: 0.5 * x * (1 + x / (1 + x.abs()))),
        module(lambda x: x + 0.5 * torch.sin(x)),
        module(torch.asinh),
        Learned,
        lambda: lambda x: x + 0.4 * torch.sin(x),
    ],
    ids=["softsign gate", "ripple", "asinh", "learned", "no module"],
)
def test_functions_of_many_kinds_pass(build):
    assert check.own_function(build).passed


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (lambda x: x * torch.exp(x) / (1 + torch.exp(x)), "value: not finite"),
        (lambda x: torch.where(x > 0, x, torch.exp(x) - 1), "slope: not finite"),
        (lambda x: torch.sign(x) * x.abs().sqrt(), "slope: not finite"),
        (lambda x: x * torch.sigmoid(x).detach(), "gradcheck"),
        (lambda x: torch.sigmoid(x).detach(), "no gradient comes through"),
        (lambda x: 3.0 * x - 1, "it passed the checks, so it is good"),
        (torch.relu, "this is ReLU"),
        (lambda x: x * torch.special.ndtr(x), "this is GELU"),
        (lambda x: torch.relu(x) - 0.4, "chi: gradients are multiplied by 1.47"),
        (lambda x: torch.relu(x) ** 1.5, "length: a deviation is multiplied by 1.50"),
        (lambda x: torch.softmax(x, 0), "depends on the others"),
        (lambda x: x - x.mean(), "depends on the others"),
        (lambda x: x * torch.rand_like(x), "another value each time"),
        (lambda x: x[:5], "one number for each"),
        (lambda x: x.sum(), "one number for each"),
    ],
)
def test_each_faulty_function_gets_its_message(formula, message, capsys):
    assert not check.own_function(module(formula)).passed
    assert message in capsys.readouterr().out


def judge(p_values=None, correct=holm):
    def function(accuracies, baseline):
        base = accuracies[baseline]
        rest = {name: a for name, a in accuracies.items() if name != baseline}
        mean = {name: sum(a) - sum(base) for name, a in rest.items()}
        p = correct({name: (p_values or paired)(a, base) for name, a in rest.items()})
        return {
            name: ("better" if mean[name] > 0 else "worse") if p[name] < 0.05 else "not told apart"
            for name in rest
        }

    return function


def paired(a, b):
    return paired_comparison(a, b).t_p


def by_means(accuracies, baseline):
    mean = {name: round(sum(a), 6) for name, a in accuracies.items()}
    words = {1: "better", -1: "worse", 0: "not told apart"}
    return {n: words[int(np.sign(m - mean[baseline]))] for n, m in mean.items() if n != baseline}


def by_wins(accuracies, baseline):
    words = {1: "better", -1: "worse", 0: "not told apart"}
    signs = {
        n: np.sign(np.array(a) - accuracies[baseline]).sum() for n, a in accuracies.items() if n != baseline
    }
    return {n: words[int(np.sign(s))] for n, s in signs.items()}


def turned(accuracies, baseline):
    swap = {"better": "worse", "worse": "better"}
    return {name: swap.get(word, word) for name, word in judge()(accuracies, baseline).items()}


def test_right_verdicts_pass():
    assert check.verdicts(judge()).passed
    assert check.verdicts(lambda *a: {n: f" {w.capitalize()}" for n, w in judge()(*a).items()}).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (by_means, "the higher mean wins"),
        (by_wins, "it won most of the seeds"),
        (judge(lambda a, b: stats.ttest_ind(a, b).pvalue), "the seeds are not paired"),
        (judge(correct=lambda p: p), "each comparison has its own five per cent"),
        (judge(correct=lambda p: {n: len(p) * v for n, v in p.items()}), "Bonferroni"),
        (turned, "exchanged"),
        (lambda a, b: {**judge()(a, b), b: "not told apart"}, "compared with itself"),
        (lambda a, b: {"one": "better"}, "not every candidate"),
        (lambda a, b: {n: "not told apart" for n in a if n != b}, "should be better"),
        (lambda a, b: judge()(a, "base"), "a baseline of another name"),
        (lambda a, b: {n: "good" for n in a if n != b}, "a dictionary"),
    ],
)
def test_each_shortcut_to_a_verdict_gets_its_message(function, message, capsys):
    assert not check.verdicts(function).passed
    assert message in capsys.readouterr().out


def seen(tail=lambda k: 0.025 / k, unbiased=True, root=0.5, quantile=lambda q, n: stats.t.ppf(q, df=n - 1)):
    def function(d, k):
        spread = torch.tensor(d, dtype=torch.float64).std(unbiased=unbiased).item()
        return quantile(1 - tail(k), len(d)) * spread / len(d) ** root

    return function


def test_the_right_smallest_difference_passes():
    assert check.could_have_seen(seen()).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (seen(tail=lambda k: 0.025), "number of comparisons is left out"),
        (seen(tail=lambda k: 0.05 / k), "one side only"),
        (seen(root=0.0), "spread of single seeds"),
        (seen(root=1.0), "not by its root"),
        (seen(unbiased=False), "divides by n"),
        (seen(quantile=lambda q, n: 1.96), "1.96 is for"),
        (seen(quantile=lambda q, n: stats.norm.ppf(q)), "the normal distribution"),
        (lambda d, k: abs(sum(d) / len(d)), "the difference that was found"),
        (lambda d, k: 0.1, "should be"),
    ],
)
def test_each_wrong_smallest_difference_gets_its_message(function, message, capsys):
    assert not check.could_have_seen(function).passed
    assert message in capsys.readouterr().out
