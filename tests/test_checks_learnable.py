"""The checks of chapter 9 accept what is right, turn the starter away kindly, and know the usual mistakes."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from labs.activations import STAF, BSpline, Rational, TrainableELU
from labs.checks import Feedback
from labs.checks import learnable as check
from labs.networks import SimpleNetwork

ON_MODULES = [check.prelu, check.trainable_elu, check.staf, check.series, check.rational]


class Starter(nn.Module):
    """What a student finds: a class in which nothing is written yet."""

    ...


def silent(*_):
    """What the starter of a function does: nothing."""


@pytest.mark.parametrize("function", [*ON_MODULES, check.distinct_slopes])
@pytest.mark.parametrize("untouched", ["starter", None, ...])
def test_the_starter_is_turned_away_kindly(function, untouched, capsys):
    starter = silent if function is check.distinct_slopes else Starter

    feedback = function(starter if untouched == "starter" else untouched)

    assert isinstance(feedback, Feedback)
    assert not feedback.passed
    assert "Nothing to check yet" in capsys.readouterr().out


class Raising(nn.Module):
    def forward(self, x):
        raise ZeroDivisionError("by zero")


class Unbuildable(nn.Module):
    def __init__(self, *_):
        self.slope = nn.Parameter(torch.tensor(0.25))

    def forward(self, x):
        return self.slope * x


@pytest.mark.parametrize("function", ON_MODULES)
def test_an_answer_that_raises_is_reported_and_not_passed_on(function, capsys):
    assert not function(lambda *_: Raising()).passed
    assert "ZeroDivisionError" in capsys.readouterr().out
    assert not function(Unbuildable).passed
    assert "call super().__init__() first" in capsys.readouterr().out


def test_a_function_that_raises_is_reported_and_not_passed_on(capsys):
    assert not check.distinct_slopes(lambda model: 1 / 0).passed
    assert "ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize("function", [*ON_MODULES, check.distinct_slopes])
@pytest.mark.parametrize("nonsense", ["text", 3, [1, 2], object(), torch.zeros(7), True, nn.ReLU, nn.ReLU()])
def test_nonsense_is_answered_and_not_passed(function, nonsense, capsys):
    assert not function(nonsense).passed
    assert not function(lambda *_: nonsense).passed
    assert "[--]" in capsys.readouterr().out


def test_a_finished_module_is_asked_for_its_class(capsys):
    assert not check.prelu(nn.PReLU()).passed
    assert "give the class itself" in capsys.readouterr().out


def test_a_check_leaves_chance_alone():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)

    check.staf(STAF)
    check.rational(Rational)
    check.distinct_slopes(lambda model: [])

    assert torch.equal(torch.rand(4), expected)


def module(forward, parameters=lambda n: {}, **more):
    """A class with these parameters, made from the number it is built with, and this forward."""

    class Answer(nn.Module):
        def __init__(self, n=None):
            super().__init__()
            for name, value in parameters(n).items():
                setattr(self, name, value)

    Answer.forward = forward
    for name, value in more.items():
        setattr(Answer, name, value)
    return Answer


def number(name, value):
    return lambda n: {name: nn.Parameter(torch.tensor(value))}


def with_(**values):
    """The same values whatever the class is built with."""
    return lambda n: {name: make() for name, make in values.items()}


# --- 1. PReLU

slope = number("slope", 0.25)


@pytest.mark.parametrize(
    "right",
    [
        nn.PReLU,
        module(lambda self, x: torch.where(x > 0, x, self.slope * x), slope),
        module(lambda self, x: x.clamp(min=0) + self.slope * x.clamp(max=0), slope),
        module(lambda self, x: x.relu() - self.slope * (-x).relu(), slope),
        module(lambda self, x: F.prelu(x, self.a), with_(a=lambda: nn.Parameter(torch.full((1,), 0.25)))),
        module(lambda self, x: x * ((x > 0) + self.slope * (x <= 0)), slope),
    ],
)
def test_a_right_prelu_passes(right):
    assert check.prelu(right).passed


def made_in_forward(self, x):
    self.slope = nn.Parameter(torch.tensor(0.25))
    return torch.where(x > 0, x, self.slope * x)


def in_place(self, x):
    x[x < 0] *= self.slope.item()
    return x + 0 * self.slope


where = lambda self, x: torch.where(x > 0, x, self.slope * x)  # noqa: E731


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (module(where, with_(slope=lambda: torch.tensor(0.25, requires_grad=True))), "plain tensor"),
        (module(where, with_(slope=lambda: 0.25)), "nothing of it learns"),
        (module(lambda self, x: where(self, x) if hasattr(self, "slope") else x), "nothing of it learns"),
        (module(made_in_forward), "made in forward"),
        (module(made_in_forward, slope), "made in forward"),
        (
            module(
                lambda self, x: F.prelu(x, self.a[0].reshape(1)),
                with_(a=lambda: [nn.Parameter(torch.tensor(0.25))]),
            ),
            "ParameterList",
        ),
        (module(where, with_(slope=lambda: nn.Parameter(torch.tensor(0.25), False))), "requires_grad=False"),
        (module(where, with_(slope=lambda: nn.Parameter(torch.full((6,), 0.25)))), "6 numbers learn"),
        (module(lambda self, x: torch.where(x > 0, x, self.slope.detach() * x), slope), "drop the gradient"),
        (module(lambda self, x: torch.where(x > 0, x, self.slope.data * x), slope), "drop the gradient"),
        (module(lambda self, x: F.leaky_relu(x, self.slope.item()), slope), "drop the gradient"),
        (module(lambda self, x: torch.where(x > 0, self.slope * x, x), slope), "acts on the positive side"),
        (
            module(lambda self, x: torch.maximum(x, self.slope * x), slope),
            "only while the slope is at most 1",
        ),
        (module(lambda self, x: self.slope * x, slope), "multiplies everything"),
        (module(lambda self, x: x.relu() + self.slope * (-x).relu(), slope), "rises to the left"),
        (module(lambda self, x: torch.where(x > 0, x, self.slope), slope), "the slope itself"),
        (module(lambda self, x: F.leaky_relu(x, 0.25) + 0 * self.slope, slope), "is not used"),
        (module(lambda self, x: x.relu() + 0 * self.slope, slope), "this is a ReLU"),
        (module(where, number("slope", 0.01)), "starts at 0.01"),
        (module(lambda self, x: x**2 * self.slope, slope), "not those of the formula"),
        (module(lambda self, x: None, slope), "returns nothing"),
        (module(lambda self, x: where(self, x).sum(), slope), "keeps the shape"),
        (module(lambda self, x: where(self, x).tolist(), slope), "returns a list"),
        (module(in_place, slope), "writes into its input"),
        (
            module(lambda self, x: torch.where(x > 0, x, self.slope * x.detach()), slope),
            "gradient for the layer below",
        ),
    ],
)
def test_each_wrong_prelu_gets_its_message(answer, message, capsys):
    assert not check.prelu(answer).passed
    assert message in capsys.readouterr().out


class Buffered(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("slope", torch.tensor(0.25))

    forward = where


def test_a_buffer_is_told_from_a_parameter(capsys):
    assert not check.prelu(Buffered).passed
    assert "is a buffer" in capsys.readouterr().out


# --- 2. The trainable ELU

alpha = number("alpha", 1.0)


def elu(negative):
    return module(lambda self, x: torch.where(x > 0, x, negative(x, self.alpha)), alpha)


@pytest.mark.parametrize(
    "right",
    [
        TrainableELU,
        elu(lambda x, a: a * torch.expm1(x.clamp(max=0))),
        elu(lambda x, a: a * (torch.exp(-x.abs()) - 1)),
        elu(lambda x, a: a * (torch.exp(torch.minimum(x, torch.zeros_like(x))) - 1)),
        module(lambda self, x: x.relu() + self.alpha * F.elu(x.clamp(max=0)), alpha),
    ],
)
def test_a_right_trainable_elu_passes(right):
    assert check.trainable_elu(right).passed


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (elu(lambda x, a: a * (torch.exp(x) - 1)), "the gradient is nan"),
        (elu(lambda x, a: a * (torch.exp(x).clamp(max=1) - 1)), "the gradient is nan"),
        (elu(lambda x, a: torch.nan_to_num(a * torch.expm1(x))), "the gradient is nan"),
        (
            module(lambda self, x: (x > 0) * x + (x <= 0) * self.alpha * torch.expm1(x), alpha),
            "far out this gives",
        ),
        (module(lambda self, x: self.alpha * F.elu(x), alpha), "acts on the positive side too"),
        (elu(lambda x, a: a * x), "a straight line"),
        (elu(lambda x, a: a * torch.exp(x.clamp(max=0))), "jumps at zero"),
        (elu(lambda x, a: torch.expm1(a * x)), "inside the exponential"),
        (elu(lambda x, a: a * torch.expm1(x.clamp(min=0))), "clamp(max=0)"),
        (module(lambda self, x: F.elu(x) + 0 * self.alpha, alpha), "is not used"),
        (module(lambda self, x: F.elu(x, self.alpha.item()), alpha), "drop the gradient"),
        (
            module(lambda self, x: F.elu(x) * self.alpha, with_(alpha=lambda: torch.tensor(1.0))),
            "plain tensor",
        ),
        (
            module(
                lambda self, x: torch.where(x > 0, x, self.alpha * torch.expm1(x.clamp(max=0))),
                number("alpha", 0.5),
            ),
            "alpha starts at 0.5",
        ),
        (
            module(
                lambda self, x: torch.where(x > 0, x, self.alpha * torch.expm1(x.detach().clamp(max=0))),
                alpha,
            ),
            "gradient for the layer below",
        ),
    ],
)
def test_each_wrong_trainable_elu_gets_its_message(answer, message, capsys):
    assert not check.trainable_elu(answer).passed
    assert message in capsys.readouterr().out


# --- 3. STAF


def sines(term, **changed):
    """A STAF whose terms are ``term(x, C, omega, phi)``, with some of its parameters changed."""

    def parameters(tau):
        made = {name: nn.Parameter(torch.randn(tau)) for name in ("C", "omega", "phi")}
        return {**made, **{name: make(tau) for name, make in changed.items()}}

    return module(lambda self, x: term(x[..., None], self.C, self.omega, self.phi).sum(-1), parameters)


def plain(x, C, w, p):
    return C * torch.sin(w * x + p)


def loop(self, x):
    y = torch.zeros_like(x)
    for i in range(len(self.C)):
        y = y + self.C[i] * torch.sin(self.omega[i] * x + self.phi[i])
    return y


def three(tau):
    return {name: nn.Parameter(torch.randn(tau)) for name in ("C", "omega", "phi")}


def columns(tau):
    return {name: nn.Parameter(torch.randn(tau, 1)) for name in ("C", "omega", "phi")}


@pytest.mark.parametrize(
    "right",
    [
        STAF,
        sines(plain),
        module(
            lambda self, x: torch.sin(x.unsqueeze(-1) * self.omega + self.phi) @ self.C,
            three,
        ),
        module(
            lambda self, x: (
                (self.C * torch.sin(self.omega * x.reshape(1, -1) + self.phi)).sum(0).reshape(x.shape)
            ),
            columns,
        ),
    ],
)
def test_a_right_staf_passes(right):
    assert check.staf(right).passed


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (sines(plain, phi=lambda tau: nn.Parameter(torch.zeros(1))), "one phase is shared by all 5 sines"),
        (sines(plain, omega=lambda tau: nn.Parameter(torch.ones(()))), "one frequency is shared"),
        (sines(plain, C=lambda tau: nn.Parameter(torch.ones(1))), "one amplitude is shared"),
        (module(loop, three), "this is a loop"),
        (sines(plain, omega=lambda tau: torch.arange(1.0, tau + 1)), "omega is a plain tensor"),
        (
            module(
                lambda self, x: sum(
                    c * torch.sin(w * x + p) for c, w, p in zip(self.C, self.omega, self.phi, strict=True)
                ),
                lambda tau: {k: [nn.Parameter(torch.randn(())) for _ in range(tau)] for k in three(1)},
            ),
            "nn.ParameterList",
        ),
        (
            module(
                lambda self, x: plain(x[..., None], self.C, self.Omega, self.phi).sum(-1),
                lambda tau: {k: nn.Parameter(torch.randn(tau)) for k in ("C", "Omega", "phi")},
            ),
            "the parameters are called C, Omega, phi",
        ),
        (sines(plain, C=lambda tau: nn.Parameter(torch.randn(tau + 1)[:-1].repeat(2))), "must match"),
        (sines(plain, **{k: (lambda tau: nn.Parameter(torch.ones(tau))) for k in ("omega", "phi")}), "alike"),
        (sines(lambda x, C, w, p: C * torch.sin(w * (x + p))), "stretched with the input"),
        (sines(lambda x, C, w, p: C * torch.cos(w * x + p)), "these are cosines"),
        (sines(lambda x, C, w, p: torch.sin(w * x + p) + 0 * C), "amplitudes are missing"),
        (sines(lambda x, C, w, p: C * torch.sin(x + p) + 0 * w), "frequencies are missing"),
        (sines(lambda x, C, w, p: C * torch.sin(w * x) + 0 * p), "phases are missing"),
        (sines(lambda x, C, w, p: torch.sin(C * (w * x + p))), "inside the sine"),
        (sines(lambda x, C, w, p: plain(x, C, w, p) / len(C)), "the mean of the terms"),
        (sines(lambda x, C, w, p: plain(x, C, w, p) ** 2), "not those of the formula"),
        (
            module(lambda self, x: plain(x[..., None], self.C, self.omega, self.phi), three),
            "keeps the shape",
        ),
        (module(lambda self, x: plain(x, self.C, self.omega, self.phi).sum(-1), three), "x[..., None]"),
        (sines(lambda x, C, w, p: plain(x, C, w.detach(), p)), "no gradient reaches omega"),
        (sines(lambda x, C, w, p: plain(x, C.data, w.data, p.data)), "cut off"),
        (sines(lambda x, C, w, p: plain(x.detach(), C, w, p)), "gradient for the layer below"),
    ],
)
def test_each_wrong_staf_gets_its_message(answer, message, capsys):
    assert not check.staf(answer).passed
    assert message in capsys.readouterr().out


# --- 4. A spline, or a Fourier sum


def hats(x, knots):
    return (1 - (x[..., None] - knots).abs() / (knots[1] - knots[0])).clamp(min=0)


def coefficients(n):
    return {"coefficients": nn.Parameter(torch.randn(n)), "knots": torch.linspace(-3, 3, n)}


def summed(basis):
    return module(
        lambda self, x: basis(x, self.knots.to(x.dtype)).to(self.coefficients) @ self.coefficients,
        coefficients,
    )


def waves(x, knots):
    return torch.sin(x[..., None] * torch.arange(1, len(knots) + 1) / 2 + 0.3)


def spline_with_lines(self, x):
    inside = x.clamp(-3, 3)
    return hats(inside, self.knots.to(x.dtype)).to(self.coefficients) @ self.coefficients + (x - inside)


def gathered(self, x):
    place = ((x + 3) / 6 * (len(self.coefficients) - 1)).clamp(0, len(self.coefficients) - 1.001)
    left = place.floor().long()
    share = place - left
    return (1 - share) * self.coefficients[left] + share * self.coefficients[left + 1]


class LabsBSpline(BSpline):
    def __init__(self, n):
        super().__init__(intervals=n - 3)


@pytest.mark.parametrize(
    "right",
    [
        summed(hats),
        summed(waves),
        module(spline_with_lines, coefficients),
        module(gathered, coefficients),
        LabsBSpline,
        module(  # frequencies that learn as well
            lambda self, x: torch.sin(x[..., None] * self.w) @ self.coefficients,
            lambda n: {
                "coefficients": nn.Parameter(torch.randn(n)),
                "w": nn.Parameter(torch.arange(1, n + 1) / 2),
            },
        ),
    ],
)
def test_a_right_series_passes(right):
    assert check.series(right).passed


def by_numpy(self, x):
    y = hats(x.detach(), self.knots.to(x.dtype)).numpy() @ self.coefficients.detach().to(x.dtype).numpy()
    return torch.tensor(y, dtype=x.dtype) * self.coefficients.mean()


def steps(self, x):
    index = ((x + 3) / 6 * len(self.coefficients)).long().clamp(0, len(self.coefficients) - 1)
    return self.coefficients[index] + 0 * x


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (module(by_numpy, coefficients), "no gradient reaches x"),
        (
            module(
                lambda self, x: hats(x, self.knots.to(x.dtype)).sum(-1) * self.coefficients.mean(),
                coefficients,
            ),
            "all coefficients get the same gradient",
        ),
        (module(lambda self, x: steps(self, x) + x, coefficients), "the function jumps"),
        (module(steps, coefficients), "zero everywhere"),
        (
            module(
                lambda self, x: hats(x, self.knots.to(x.dtype)) @ torch.tensor(self.coefficients.tolist()),
                coefficients,
            ),
            "cut off",
        ),
        (
            module(
                lambda self, x: (
                    hats(x, self.knots.to(x.dtype)) @ self.coefficients.data.to(x) + self.coefficients.mean()
                ),
                coefficients,
            ),
            "do not get the gradient of what they do",
        ),
        (
            module(
                lambda self, x: (hats(x.detach(), self.knots.to(x.dtype)) @ self.coefficients.to(x)) * x,
                coefficients,
            ),
            "not the slope of what comes out",
        ),
        (
            module(
                lambda self, x: hats(x, 4 * self.knots.to(x.dtype)) @ self.coefficients.to(x), coefficients
            ),
            "change nothing between",
        ),
        (
            module(
                lambda self, x: sum(c * x**i for i, c in enumerate(self.coefficients)),
                lambda n: {"coefficients": [nn.Parameter(torch.randn(())) for _ in range(n)]},
            ),
            "nn.ParameterList",
        ),
        (
            module(
                lambda self, x: hats(x, self.knots) @ self.coefficients,
                lambda n: {"coefficients": torch.randn(n), "knots": torch.linspace(-3, 3, n)},
            ),
            "plain tensor",
        ),
        (
            module(
                lambda self, x: hats(x, self.knots) @ self.c,
                lambda n: {"c": nn.Parameter(torch.randn(n)), "knots": torch.linspace(-3, 3, n)},
            ),
            "the parameters are called c",
        ),
        (
            module(
                lambda self, x: spline_with_lines(self, x) + torch.where(x.abs() > 3.5, torch.inf, 0.0),
                coefficients,
            ),
            "outside the knots",
        ),
        (
            module(
                lambda self, x: self.coefficients[0] + self.coefficients.sum() * x + 0 * x**2, coefficients
            ),
            "only 2 of 8 directions",
        ),
        (module(lambda self, x: x.detach().numpy() @ 1, coefficients), "stopped with"),
        (
            module(lambda self, x: torch.from_numpy(self.coefficients.numpy()[0] * x.numpy()), coefficients),
            "numpy leaves autograd",
        ),
    ],
)
def test_each_wrong_series_gets_its_message(answer, message, capsys):
    assert not check.series(answer).passed
    assert message in capsys.readouterr().out


# --- 5. The rational function


def polynomial(a, x):
    return sum(c * x**i for i, c in enumerate(a))


def quotient(denominator, a=(0.0, 0.5, 0.4, 0.1), b=(0.1, 0.3), forward=None):
    def divide(self, x):
        return polynomial(self.a, x) / self.denominator(x)

    parameters = with_(a=lambda: nn.Parameter(torch.tensor(a)), b=lambda: nn.Parameter(torch.tensor(b)))
    return module(forward or divide, parameters, denominator=denominator)


def safe(self, x):
    return 1 + (self.b[0] * x + self.b[1] * x**2).abs()


class LabsRational(Rational):
    def denominator(self, x):
        return 1 + (self.b[0] * x) ** 2 + (self.b[1] * x**2) ** 2


@pytest.mark.parametrize(
    "right",
    [
        LabsRational,
        quotient(safe),
        quotient(lambda self, x: 1 + (self.b[0] * x) ** 2 + (self.b[1] * x**2) ** 2),
        quotient(lambda self, x: 1 + (self.b[0] * x).abs() + (self.b[1] * x**2).abs()),
        quotient(lambda self, x: 1 + F.softplus(self.b[0]) * x**2 + self.b[1].exp() * x**4, b=(0.0, 0.0)),
        quotient(lambda self, x: 1 + (self.b[0] + self.b[1] * x) ** 2),
    ],
)
def test_a_right_rational_passes(right):
    assert check.rational(right).passed


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (quotient(lambda self, x: 1 + polynomial(self.b, x)), "a pole"),
        (quotient(lambda self, x: 1 + self.b[0] * x.abs() + self.b[1] * x.abs() ** 2), "|x| in place of x"),
        (quotient(lambda self, x: (polynomial(self.b, x) * x).abs() + 1e-3), "a division by almost nothing"),
        (
            quotient(lambda self, x: (1 + self.b[0] * x + self.b[1] * x**2).clamp(min=1)),
            "flat where they cut",
        ),
        (quotient(safe, b=(0.0, 0.0)), "b starts where its gradient is zero"),
        (quotient(lambda self, x: 1 + x**2 + 0 * self.b.detach().sum()), "no gradient reaches b"),
        (quotient(lambda self, x: 1 + (self.b.detach()[0] * x) ** 2), "no gradient reaches b"),
        (
            quotient(safe, forward=lambda self, x: polynomial(self.a, x) / (1 + x.abs())),
            "no gradient reaches b",
        ),
        (
            quotient(
                safe,
                forward=lambda self, x: polynomial(self.a, x) / (1 + (self.b[0] * x + self.b[1]) ** 2),
            ),
            "is not a polynomial",
        ),
        (
            quotient(safe, forward=lambda self, x: self.a.sum() / self.denominator(x)),
            "the numerator is a constant",
        ),
        (
            quotient(safe, forward=lambda self, x: polynomial(self.a, x.detach()) / self.denominator(x)),
            "the gradient for x is not the slope",
        ),
        (
            module(
                lambda self, x: polynomial(self.a, x) / (1 + x**2),
                with_(a=lambda: nn.Parameter(torch.ones(3))),
            ),
            "no method denominator",
        ),
        (
            quotient(safe, forward=lambda self, x: torch.polyval(self.a, x)),
            "torch has no polyval",
        ),
        (quotient(lambda self, x: 1 + self.b.square().sum()), "one number for each x"),
        (
            module(
                lambda self, x: polynomial(self.a, x) / safe(self, x),
                with_(
                    a=lambda: nn.Parameter(torch.tensor([0.0, 0.5])),
                    b=lambda: [nn.Parameter(torch.tensor(0.1)), nn.Parameter(torch.tensor(0.3))],
                ),
                denominator=safe,
            ),
            "nn.ParameterList",
        ),
        (
            module(
                lambda self, x: polynomial(self.a, x) / (1 + x**2),
                with_(a=lambda: nn.Parameter(torch.tensor([0.0, 0.5]))),
                denominator=lambda self, x: 1 + x**2,
            ),
            "the denominator does not learn",
        ),
        (
            module(
                lambda self, x: polynomial(self.a, x) / safe(self, x),
                with_(a=lambda: nn.Parameter(torch.tensor([0.0, 0.5])), b=lambda: torch.tensor([0.1, 0.3])),
                denominator=safe,
            ),
            "b is a plain tensor",
        ),
    ],
)
def test_each_wrong_rational_gets_its_message(answer, message, capsys):
    assert not check.rational(answer).passed
    assert message in capsys.readouterr().out


# --- 6. Shared or own


@pytest.mark.parametrize(
    "right",
    [
        lambda model: [m.weight.item() for m in model.modules() if isinstance(m, nn.PReLU)],
        lambda model: [m.weight for m in model.children() if isinstance(m, nn.PReLU)],
        lambda model: torch.tensor([p.item() for n, p in model.named_parameters() if n.startswith("act")]),
    ],
)
def test_the_right_slopes_pass(right):
    assert check.distinct_slopes(right).passed


def wreck(model):
    with torch.no_grad():
        model.linear1.bias.zero_()
    return [m.weight.item() for m in model.modules() if isinstance(m, nn.PReLU)]


def by_place(model):
    return [getattr(model, f"act{i}").weight.item() for i in range(1, len(model.linear_layers))]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (by_place, "one module in four places is one number"),
        (lambda model: [model.act1.weight.item()], "the slope of one layer"),
        (lambda model: [p.item() for p in model.parameters() if p.numel() == 1], "numbers of other layers"),
        (
            lambda model: [0.25 for m in model.modules() if isinstance(m, nn.PReLU)],
            "0.25 is where they start",
        ),
        (lambda model: 0.3, "give a list of numbers"),
        (lambda model: [], "go through model.modules()"),
        (wreck, "only look at it"),
    ],
)
def test_each_wrong_list_of_slopes_gets_its_hint(answer, message, capsys):
    assert not check.distinct_slopes(answer).passed
    assert message in capsys.readouterr().out


def test_a_network_is_looked_at_and_not_changed():
    model = SimpleNetwork("PReLU", in_features=2, hidden_features=(3,), out_features=2)
    before = [p.clone() for p in model.parameters()]

    check.distinct_slopes(lambda _: [m.weight.item() for m in model.modules() if isinstance(m, nn.PReLU)])

    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))
