"""The table of activations: what is displayed is what is computed, and what is claimed is measured."""

import copy
import pickle
import re
from collections.abc import Callable
from typing import get_args

import mpmath
import pytest
import torch
from mpmath import mp
from torch import nn
from torch.nn import functional as F

from labs.activations import (
    ACTIVATIONS,
    STAF,
    Family,
    Step,
    Swish,
    TeLU,
    TrainableELU,
    derivative,
    make_activation,
)

NAMES = list(ACTIVATIONS)
LEARNABLE = [name for name, info in ACTIVATIONS.items() if info.learnable]
# STAF draws its parameters at random: it has no range or limit that belongs in a table.
DETERMINED = [name for name, info in ACTIVATIONS.items() if info.properties.range is not None]

# A second choice of parameters for every function that has some.
OTHER_SETTINGS = {
    "LeakyReLU": {"negative_slope": 0.3},
    "PReLU": {"init": 0.6},
    "RReLU": {"lower": 0.1, "upper": 0.5},
    "ELU": {"alpha": 0.7},
    "Swish": {"beta": 2.5},
    "TrainableELU": {"alpha": 0.4},
    "STAF": {"tau": 3},
}
CASES = [(name, {}) for name in NAMES] + list(OTHER_SETTINGS.items())

FAR = [-1e4, -100.0, -20.3, 20.3, 100.0, 1e4]
# Steps of 0.3 from -6.05 stay away from the kinks, which lie at whole numbers.
OFF_KINKS = torch.tensor([-6.05 + 0.3 * i for i in range(42)] + [-1e-3, 1e-3, *FAR], dtype=torch.float64)
WITH_KINKS = torch.cat([OFF_KINKS, torch.tensor([-6.0, -3.0, -1.0, 0.0, 1.0, 3.0, 6.0], dtype=torch.float64)])


def double_module(name: str, **settings) -> nn.Module:
    """Return the module in float64 and evaluation mode; STAF always with the same draws."""
    torch.manual_seed(7)
    return make_activation(name, **settings).double().eval()


def parameters_of(name: str, module: nn.Module) -> dict:
    """Return the parameters that the slope takes, by the names they have in the module."""
    attributes = [where for where in ACTIVATIONS[name].symbols.values() if isinstance(where, str)]
    return {key: getattr(module, key) for key in attributes if key != "tau"}


# --- A small reader of the LaTeX that the table displays ----------------------------------------------

TOKEN = re.compile(
    r"\\begin\{cases\}|\\end\{cases\}|\\\\|\\[,;! ]|\\[A-Za-z]+(?:_[a-z])?|[A-Za-z](?:_[a-z])?"
    r"|\d+(?:\.\d+)?|[-+^_{}(),&<>=]"
)
FUNCTIONS = {
    r"\sigma": lambda z: 1 / (1 + mp.exp(-z)),
    r"\Phi": mp.ncdf,
    r"\varphi": mp.npdf,
    r"\tanh": mp.tanh,
    r"\ln": mp.log,
    r"\sin": mp.sin,
    r"\cos": mp.cos,
    r"\max": max,
    r"\min": min,
}
RELATIONS = {
    "<": mpmath.mpf.__lt__,
    ">": mpmath.mpf.__gt__,
    r"\le": mpmath.mpf.__le__,
    r"\ge": mpmath.mpf.__ge__,
}
Value = Callable[[dict], mpmath.mpf]


class Latex:
    """Translate a formula into a function of a dictionary of values, by recursive descent."""

    def __init__(self, text: str) -> None:
        self.tokens = [t for t in TOKEN.findall(text) if t not in (r"\,", r"\left", r"\right")]
        skipped = TOKEN.sub("", text).strip()
        assert not skipped, f"unknown LaTeX {skipped!r} in {text!r}"
        self.value = self.sum()
        assert not self.tokens, f"could not read {text!r} from {' '.join(self.tokens)!r} on"

    def __call__(self, **values) -> mpmath.mpf:
        return self.value(values)

    def next_is(self, *options: str) -> bool:
        return bool(self.tokens) and self.tokens[0] in options

    def take(self, wanted: str | None = None) -> str:
        token = self.tokens.pop(0)
        assert wanted in (None, token), f"wanted {wanted!r}, found {token!r}"
        return token

    def braced(self) -> Value:
        self.take("{")
        inner = self.sum()
        self.take("}")
        return inner

    def sum(self) -> Value:
        sign = -1 if self.next_is("-") and self.take() else 1
        terms = [(sign, self.product())]
        while self.next_is("+", "-"):
            sign = 1 if self.take() == "+" else -1
            terms.append((sign, self.product()))
        return lambda v: sum(sign * term(v) for sign, term in terms)

    def product(self) -> Value:
        factors = [self.power()]
        stops = ("+", "-", ")", "}", ",", "&", "\\\\", r"\end{cases}", "=", *RELATIONS)
        while self.tokens and not self.next_is(*stops):
            factors.append(self.power())
        return lambda v: mp.fprod(factor(v) for factor in factors)

    def power(self) -> Value:
        base = self.atom()
        if not self.next_is("^"):
            return base
        self.take()
        exponent = self.braced()
        return lambda v: base(v) ** exponent(v)

    def atom(self) -> Value:
        token = self.take()
        if token == "(":
            inner = self.sum()
            self.take(")")
            return inner
        if token == r"\frac":
            top, bottom = self.braced(), self.braced()
            return lambda v: top(v) / bottom(v)
        if token == r"\begin{cases}":
            return self.cases()
        if token == r"\sum":
            return self.series()
        if token in FUNCTIONS:
            return self.call(FUNCTIONS[token])
        if token[0].isdigit():
            return lambda v: mp.mpf(token)
        if token == "e":
            return lambda v: mp.e
        if token.endswith("_i"):
            return lambda v: v[token][v["i"]]
        return lambda v: v[token]

    def call(self, function: Callable) -> Value:
        exponent = self.take() and int(self.take()) if self.next_is("^") else 1  # \tanh^2(x)
        self.take("(")
        arguments = [self.sum()]
        while self.next_is(","):
            self.take()
            arguments.append(self.sum())
        self.take(")")
        return lambda v: function(*(a(v) for a in arguments)) ** exponent

    def series(self) -> Value:
        for token in ("_", "{", "i", "=", "1", "}", "^"):
            self.take(token)
        last, term = self.braced(), self.product()
        return lambda v: mp.fsum(term({**v, "i": i}) for i in range(int(last(v))))

    def cases(self) -> Value:
        rows = []
        while not self.next_is(r"\end{cases}"):
            value = self.sum()
            self.take("&")
            rows.append((value, self.condition()))
            if self.next_is("\\\\"):
                self.take()
        self.take()

        def choose(v: dict) -> mpmath.mpf:
            hits = [value for value, holds in rows if holds(v)]
            assert len(hits) == 1, f"{len(hits)} cases hold at x = {v['x']}, wanted exactly one"
            return hits[0](v)

        return choose

    def condition(self) -> Callable[[dict], bool]:
        sides, relations = [self.sum()], []
        while self.next_is(*RELATIONS):
            relations.append(RELATIONS[self.take()])
            sides.append(self.sum())

        def holds(v: dict) -> bool:
            values = [mp.mpf(side(v)) for side in sides]
            return all(r(a, b) for r, a, b in zip(relations, values, values[1:], strict=False))

        return holds


def evaluate_latex(text: str, name: str, module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Return the displayed formula at every point of ``x``, computed with 40 digits by mpmath."""
    values = {}
    for symbol, where in ACTIVATIONS[name].symbols.items():
        value = getattr(module, where) if isinstance(where, str) else where
        if symbol.endswith("_i"):
            values[symbol] = [mp.mpf(v) for v in value.tolist()]
        else:
            values[symbol] = mp.mpf(value.item() if isinstance(value, torch.Tensor) else value)
    formula = Latex(text)
    with mp.workdps(40):
        results = [float(formula(x=mp.mpf(point), **values)) for point in x.tolist()]
    return torch.tensor(results, dtype=torch.float64)


def test_the_latex_reader_knows_the_rules_of_precedence():
    formula = Latex(r"-2x^{2} + \frac{x + 1}{4}\,\left(3 - x\right) e^{-x} \tanh^2(x)")

    with mp.workdps(30):
        x = mp.mpf("0.7")
        expected = -2 * x * x + (x + 1) / 4 * (3 - x) * mp.exp(-x) * mp.tanh(x) * mp.tanh(x)
        assert mp.almosteq(formula(x=x), expected)


def test_the_latex_reader_picks_the_one_case_that_holds():
    formula = Latex(r"\begin{cases} 1 & x < -3 \\ \max(x, 2) & -3 \le x < 3 \\ 5 & x \ge 3 \end{cases}")

    assert [formula(x=mp.mpf(x)) for x in (-4, -3, 2.5, 3)] == [1, 2, 2.5, 5]


# --- Values, formulas, slopes -------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_the_displayed_formula_is_what_the_module_computes(name, settings):
    module = double_module(name, **settings)

    displayed = evaluate_latex(ACTIVATIONS[name].formula, name, module, WITH_KINKS)

    # STAF at x = 1e4 turns a rounding of 1e-16 into a phase error of 1e-12, in up to 25 terms.
    torch.testing.assert_close(module(WITH_KINKS), displayed, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_the_displayed_derivative_is_the_slope_of_the_module(name, settings):
    module = double_module(name, **settings)

    displayed = evaluate_latex(ACTIVATIONS[name].derivative_formula, name, module, OFF_KINKS)

    torch.testing.assert_close(derivative(module, OFF_KINKS), displayed, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_the_slope_written_by_hand_agrees_with_autograd(name, settings):
    module = double_module(name, **settings)

    by_hand = ACTIVATIONS[name].slope(OFF_KINKS, **parameters_of(name, module))

    torch.testing.assert_close(by_hand, derivative(module, OFF_KINKS), rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("name", DETERMINED)
def test_the_slope_without_parameters_is_the_one_at_the_defaults(name):
    by_hand = ACTIVATIONS[name].slope(OFF_KINKS)

    torch.testing.assert_close(by_hand, derivative(double_module(name), OFF_KINKS), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_autograd_agrees_with_finite_differences_in_the_input_and_the_parameters(name, settings):
    module = double_module(name, **settings)
    names = [key for key, _ in module.named_parameters()]
    x = torch.tensor([-4.1, -2.3, -0.6, 0.4, 1.7, 2.9, 5.2], dtype=torch.float64, requires_grad=True)

    def function(x, *parameters):
        return torch.func.functional_call(module, dict(zip(names, parameters, strict=True)), (x,))

    assert torch.autograd.gradcheck(function, (x, *module.parameters()))


@pytest.mark.parametrize("name", [name for name in NAMES if hasattr(nn, name)])
def test_a_name_of_torch_gives_the_module_of_torch(name):
    assert type(make_activation(name)) is getattr(nn, name)


def test_step_is_one_above_zero_and_zero_at_and_below_zero():
    x = torch.tensor([-1e4, -1e-30, -0.0, 0.0, 1e-30, 1e4])

    assert Step()(x).tolist() == [0, 0, 0, 0, 1, 1]


def test_step_sends_back_zeros_instead_of_an_error():
    x = torch.randn(5, requires_grad=True)

    Step()(x).sum().backward()

    assert x.grad.tolist() == [0] * 5


def test_rrelu_draws_its_slopes_in_training_and_takes_their_mean_in_evaluation():
    torch.manual_seed(0)
    module, x = make_activation("RReLU"), -torch.ones(1000)

    drawn = -module.train()(x)
    fixed = -module.eval()(x)

    assert 1 / 8 <= drawn.min() < 0.15 < 0.3 < drawn.max() <= 1 / 3
    torch.testing.assert_close(fixed, torch.full((1000,), 11 / 48))


@pytest.mark.parametrize("trainable", [True, False])
def test_swish_with_beta_one_is_silu(trainable):
    torch.testing.assert_close(Swish(trainable=trainable).double()(WITH_KINKS), F.silu(WITH_KINKS))


def test_swish_with_fixed_beta_has_nothing_to_train_but_keeps_beta_in_its_state():
    module = Swish(beta=1.5, trainable=False)

    assert list(module.parameters()) == []
    assert module.state_dict()["beta"] == 1.5


@pytest.mark.parametrize("alpha", [0.3, 1.0, 2.0])
def test_trainable_elu_equals_elu_of_the_same_alpha(alpha):
    module = TrainableELU(alpha).double()
    expected = F.elu(WITH_KINKS, alpha=module.alpha.item())

    torch.testing.assert_close(module(WITH_KINKS), expected)


def test_telu_is_x_times_tanh_of_e_to_the_x():
    with mp.workdps(40):
        expected = [float(mp.mpf(x) * mp.tanh(mp.exp(mp.mpf(x)))) for x in WITH_KINKS.tolist()]

    torch.testing.assert_close(TeLU()(WITH_KINKS), torch.tensor(expected, dtype=torch.float64))


def test_staf_equals_the_loop_over_its_sines():
    torch.manual_seed(0)
    module = STAF(tau=4).double()
    x = torch.randn(2, 3, dtype=torch.float64)

    expected = torch.zeros_like(x)
    for c, omega, phi in zip(module.C, module.omega, module.phi, strict=True):
        expected += c * torch.sin(omega * x + phi)

    torch.testing.assert_close(module(x), expected)


def test_staf_draws_amplitudes_frequencies_and_phases_as_standard_normals_in_that_order():
    torch.manual_seed(7)
    expected = [torch.randn(25), torch.randn(25), torch.randn(25)]

    torch.manual_seed(7)
    module = make_activation("STAF")

    assert all(map(torch.equal, (module.C, module.omega, module.phi), expected))


def test_the_slope_of_gelu_vanishes_near_minus_three_quarters():
    x = torch.tensor([-0.7528, -0.75179152, -0.7508], dtype=torch.float64)

    slope = derivative("GELU", x)

    assert slope[0] < 0 < slope[2]
    assert abs(slope[1]) < 1e-8  # the zero is given to 8 digits


# --- Properties: each one measured --------------------------------------------------------------------

MARKS = sorted({point for info in ACTIVATIONS.values() for point in info.properties.kinks})
GRID = (
    torch.cat(
        [
            torch.linspace(-20, 20, 40_001, dtype=torch.float64),
            torch.tensor([kink + side for kink in MARKS for side in (-1e-9, 1e-9)], dtype=torch.float64),
            torch.tensor(FAR, dtype=torch.float64),
        ]
    )
    .sort()
    .values
)
# Where a kink or a jump in curvature could hide: the functions of this book change their rule at such points.
SUSPECTS = torch.arange(-16, 17, dtype=torch.float64) / 2
HUGE = torch.tensor([-1e15, 1e15], dtype=torch.float64)


def agrees(measured: float, claimed: float, tolerance: float) -> bool:
    """Return whether a value far out or an extreme value fits the claim; infinity means growth beyond 1e6."""
    if abs(claimed) == float("inf"):
        return measured * claimed > 0 and abs(measured) > 1e6
    return abs(measured - claimed) <= tolerance


@pytest.mark.parametrize("name", DETERMINED)
def test_the_range_is_as_claimed(name):
    low, high = ACTIVATIONS[name].properties.range

    y = double_module(name)(torch.cat([GRID, HUGE]))

    assert low - 1e-12 <= y.min() <= y.max() <= high + 1e-12
    # A grid of step 1e-3 meets a smooth minimum within 1e-7 in height.
    assert agrees(y.min().item(), low, 1e-6)
    assert agrees(y.max().item(), high, 1e-6)


@pytest.mark.parametrize("name", DETERMINED)
def test_the_limits_are_as_claimed(name):
    properties = ACTIVATIONS[name].properties

    left, right = double_module(name)(HUGE).tolist()

    assert agrees(left, properties.left, 1e-12)
    assert agrees(right, properties.right, 1e-12)


@pytest.mark.parametrize("name", DETERMINED)
def test_the_lipschitz_constant_bounds_every_chord_and_is_the_best_bound(name):
    claimed = ACTIVATIONS[name].properties.lipschitz

    chords = (double_module(name)(GRID).diff() / GRID.diff()).abs()

    # Chords of length 1e-9 beside a kink carry rounding errors of 1e-7.
    assert chords.max() <= claimed + 1e-6
    assert agrees(chords.max().item(), claimed, 1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_monotonic_means_that_the_values_never_fall(name):
    never_falls = bool((double_module(name)(GRID).diff() >= -1e-12).all())

    assert never_falls == ACTIVATIONS[name].properties.monotonic


@pytest.mark.parametrize("name", NAMES)
def test_convex_means_that_no_midpoint_lies_above_its_chord(name):
    module = double_module(name)
    a = torch.linspace(-10, 10, 401, dtype=torch.float64)
    b = a[:, None]

    no_midpoint_above = bool((module((a + b) / 2) <= (module(a) + module(b)) / 2 + 1e-12).all())

    assert no_midpoint_above == ACTIVATIONS[name].properties.convex


@pytest.mark.parametrize("name", NAMES)
def test_zero_at_zero_is_as_claimed(name):
    value = double_module(name)(torch.zeros(1, dtype=torch.float64)).item()

    assert (value == 0) == ACTIVATIONS[name].properties.zero_at_zero


@pytest.mark.parametrize("name", NAMES)
def test_homogeneous_means_that_positive_factors_pass_through(name):
    module = double_module(name)

    passes = all(torch.allclose(module(c * OFF_KINKS), c * module(OFF_KINKS)) for c in (0.5, 3.0))

    assert passes == ACTIVATIONS[name].properties.homogeneous


def rough_points(function: Callable, h: float = 1e-6) -> set[float]:
    """Return the suspects at which the slopes of the chords to the left and to the right disagree."""
    left = (function(SUSPECTS) - function(SUSPECTS - h)) / h
    right = (function(SUSPECTS + h) - function(SUSPECTS)) / h
    # On a smooth stretch they differ by h times the curvature, 1e-4 for the wildest STAF.
    return set(SUSPECTS[(left - right).abs() > 5e-3].tolist())


@pytest.mark.parametrize("name", NAMES)
def test_the_kinks_are_where_left_and_right_slope_differ(name):
    module = double_module(name)

    with torch.no_grad():
        assert rough_points(module) == set(ACTIVATIONS[name].properties.kinks)


@pytest.mark.parametrize("name", NAMES)
def test_smooth_means_that_neither_the_slope_nor_the_curvature_jumps(name):
    module = double_module(name)

    with torch.no_grad():
        jumps = rough_points(module) | rough_points(lambda x: derivative(module, x))

    assert (not jumps) == ACTIVATIONS[name].properties.smooth


def test_staf_has_no_range_of_its_own_because_two_draws_differ():
    torch.manual_seed(0)

    highest = [STAF().double()(GRID).max().item() for _ in range(2)]

    assert abs(highest[0] - highest[1]) > 0.1
    assert set(NAMES) - set(DETERMINED) == {"STAF"}


# --- The table ----------------------------------------------------------------------------------------


def test_the_functions_promised_to_readers_are_all_there():
    promised = (
        "Step Sigmoid Tanh ReLU GELU Mish LeakyReLU SiLU Hardswish Swish PReLU RReLU "
        "TrainableELU STAF ELU SELU TeLU"
    )

    assert set(promised.split()) <= set(NAMES)


def test_the_table_cannot_be_changed_by_accident():
    with pytest.raises(TypeError):
        ACTIVATIONS["ReLU"] = ACTIVATIONS["Tanh"]
    with pytest.raises(AttributeError):
        ACTIVATIONS["ReLU"].name = "Tanh"


@pytest.mark.parametrize("name", NAMES)
def test_each_row_is_filed_under_its_name_in_a_known_family(name):
    info = ACTIVATIONS[name]

    assert info.name == name
    assert info.family in get_args(Family)


@pytest.mark.parametrize("name", NAMES)
def test_each_row_names_sources_by_author_year_and_word(name):
    sources = ACTIVATIONS[name].source

    assert isinstance(sources, tuple)
    assert sources
    assert all(re.fullmatch(r"[a-z]+(19|20)\d\d[a-z]+", key) for key in sources)


@pytest.mark.parametrize("name", NAMES)
def test_learnable_says_whether_there_is_something_to_train(name):
    has_parameters = any(p.requires_grad for p in make_activation(name).parameters())

    assert has_parameters == ACTIVATIONS[name].learnable


# --- make_activation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_call_makes_a_fresh_module_with_its_own_parameters(name):
    first, second = make_activation(name), make_activation(name)

    assert first is not second
    assert not {id(p) for p in first.parameters()} & {id(p) for p in second.parameters()}


def test_training_one_prelu_leaves_the_other_alone():
    first, second = make_activation("PReLU"), make_activation("PReLU")

    with torch.no_grad():
        first.weight.fill_(9.0)

    assert second.weight.item() == 0.25


def test_settings_reach_the_module():
    assert make_activation("LeakyReLU", negative_slope=0.2).negative_slope == 0.2
    assert make_activation("PReLU", num_parameters=3).weight.shape == (3,)
    assert make_activation("STAF", tau=5).C.shape == (5,)


@pytest.mark.parametrize("name", LEARNABLE)
def test_every_learnable_number_gets_a_gradient(name):
    torch.manual_seed(0)
    module = make_activation(name)

    module(torch.randn(100)).square().sum().backward()

    for parameter in module.parameters():
        assert parameter.grad.isfinite().all()
        assert (parameter.grad != 0).all()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
@pytest.mark.parametrize("name", NAMES)
def test_a_copy_computes_the_same_and_shares_nothing(name, copied):
    module = double_module(name)

    other = copied(module)

    assert torch.equal(other(OFF_KINKS), module(OFF_KINKS))
    assert not {p.data_ptr() for p in other.parameters()} & {p.data_ptr() for p in module.parameters()}


@pytest.mark.parametrize(
    ("name", "settings"), [*((n, {}) for n in LEARNABLE), ("Swish", {"trainable": False})]
)
def test_a_state_dict_carries_everything_that_training_changed(name, settings):
    trained, fresh = make_activation(name, **settings), make_activation(name, **settings)
    with torch.no_grad():
        for tensor in trained.state_dict().values():
            tensor.add_(0.5)

    before = torch.equal(fresh(torch.linspace(-3, 3, 9)), trained(torch.linspace(-3, 3, 9)))
    fresh.load_state_dict(trained.state_dict())

    assert not before
    assert torch.equal(fresh(torch.linspace(-3, 3, 9)), trained(torch.linspace(-3, 3, 9)))


@pytest.mark.parametrize(
    ("wrong", "near"), [("Relu", "ReLU"), ("swish", "Swish"), ("Gelu", "GELU"), ("Sigmiod", "Sigmoid")]
)
def test_an_unknown_name_is_answered_with_the_near_ones_and_the_way_to_all(wrong, near):
    with pytest.raises(ValueError, match=rf"unknown activation '{wrong}'.*\b{near}\b.*ACTIVATIONS"):
        make_activation(wrong)


def test_a_name_near_to_nothing_is_answered_with_the_way_to_all():
    with pytest.raises(
        ValueError, match=r"unknown activation 'qqqq'.*list\(labs\.activations\.ACTIVATIONS\)"
    ):
        make_activation("qqqq")


@pytest.mark.parametrize("name", [None, 3, nn.ReLU])
def test_a_name_that_is_no_string_is_refused(name):
    with pytest.raises(TypeError, match="name must be a string such as 'ReLU'"):
        make_activation(name)


@pytest.mark.parametrize(
    ("name", "settings", "error", "message"),
    [
        ("LeakyReLU", {"slope": 0.1}, TypeError, "no setting 'slope'; it takes: negative_slope, inplace"),
        ("Sigmoid", {"alpha": 1.0}, TypeError, "no setting 'alpha'; it takes: none"),
        (
            "LeakyReLU",
            {"negative_slope": "0.1"},
            TypeError,
            "negative_slope must be a number, got str: '0.1'",
        ),
        ("LeakyReLU", {"negative_slope": True}, TypeError, "negative_slope must be a number, got bool"),
        ("ELU", {"alpha": float("nan")}, ValueError, "alpha must be finite"),
        ("Swish", {"beta": float("inf")}, ValueError, "beta must be finite"),
        ("Swish", {"trainable": 1}, TypeError, "trainable must be True or False"),
        ("STAF", {"tau": 2.5}, TypeError, "tau must be a whole number"),
        ("STAF", {"tau": 0}, ValueError, "tau must be at least 1"),
        ("PReLU", {"num_parameters": -1}, ValueError, "num_parameters must be at least 1"),
        ("GELU", {"approximate": "erf"}, ValueError, "approximate must be 'none' or 'tanh', got 'erf'"),
        ("RReLU", {"lower": 0.5}, ValueError, "lower must not exceed upper"),
    ],
)
def test_a_bad_setting_is_refused_before_it_can_do_harm(name, settings, error, message):
    with pytest.raises(error, match=f"{name}.*{re.escape(message)}"):
        make_activation(name, **settings)


def test_staf_made_directly_needs_a_term_too():
    with pytest.raises(ValueError, match="at least one sine term, got tau=0"):
        STAF(tau=0)


# --- Far from zero ------------------------------------------------------------------------------------

EXTREMES = [0.0, *(sign * size for sign in (-1, 1) for size in (1e-30, 12.0, 88.0, 90.0, 100.0, 1e4))]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("name", NAMES)
def test_values_slopes_and_gradients_stay_finite_far_from_zero(name, dtype):
    torch.manual_seed(0)
    module = make_activation(name).to(dtype).eval()
    x = torch.tensor(EXTREMES, dtype=dtype, requires_grad=True)

    y = module(x)
    y.backward(torch.full_like(y, 1e-3))  # small, so that a sum over float16 does not overflow by itself

    assert y.isfinite().all()
    assert x.grad.isfinite().all()
    assert all(p.grad.isfinite().all() for p in module.parameters())
    assert derivative(module, x).isfinite().all()
    by_hand = ACTIVATIONS[name].slope(x.detach(), **parameters_of(name, module))
    assert by_hand.isfinite().all()
    assert y.dtype == by_hand.dtype == dtype


# --- derivative ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 3, 4)])
def test_the_derivative_has_the_shape_and_dtype_of_x_and_no_graph(name, shape):
    x = torch.randn(shape, dtype=torch.float64)

    slope = derivative(name, x)

    assert slope.shape == x.shape
    assert slope.dtype == x.dtype
    assert not slope.requires_grad


def test_the_derivative_works_inside_somebody_elses_graph_and_leaves_it_intact():
    leaf = torch.tensor([0.5, -0.5], requires_grad=True)
    x = leaf * 2

    slope = derivative("Tanh", x)
    x.sum().backward()

    torch.testing.assert_close(slope, 1 - torch.tanh(x.detach()) ** 2)
    assert leaf.grad.tolist() == [2.0, 2.0]
    assert x.grad_fn is not None


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_the_derivative_works_where_gradients_are_switched_off(context):
    with context():
        slope = derivative("SiLU", torch.zeros(2))

    assert slope.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("name", LEARNABLE)
def test_the_derivative_leaves_the_gradients_of_parameters_untouched(name):
    module = make_activation(name)
    derivative(module, torch.randn(4))
    assert all(p.grad is None for p in module.parameters())

    for p in module.parameters():
        p.grad = torch.full_like(p, 3.0)
    derivative(module, torch.randn(4))
    assert all((p.grad == 3.0).all() for p in module.parameters())


@pytest.mark.parametrize("training", [True, False])
def test_the_derivative_of_rrelu_is_its_mean_slope_and_the_mode_stays(training):
    module = nn.RReLU().train(training)

    slope = derivative(module, torch.tensor([-2.0, 3.0]))

    torch.testing.assert_close(slope, torch.tensor([11 / 48, 1.0]))
    assert module.training is training


def test_the_mode_of_every_part_stays_also_after_an_error():
    module = nn.Sequential(nn.RReLU().eval(), nn.RReLU(), nn.GLU())
    modes = [m.training for m in module.modules()]

    with pytest.raises(ValueError, match=r"shape \(4,\) gave an output of shape \(2,\)"):
        derivative(module, torch.randn(4))

    assert [m.training for m in module.modules()] == modes


def test_a_module_that_works_in_place_does_not_change_x():
    x = torch.tensor([-1.0, 2.0])

    slope = derivative(nn.ReLU(inplace=True), x)

    assert slope.tolist() == [0.0, 1.0]
    assert x.tolist() == [-1.0, 2.0]


def test_the_derivative_of_a_slope_is_the_curvature():
    x = torch.linspace(-3, 3, 13, dtype=torch.float64)
    s = torch.sigmoid(x)

    curvature = derivative(ACTIVATIONS["Sigmoid"].slope, x)

    torch.testing.assert_close(curvature, s * (1 - s) * (1 - 2 * s))


@pytest.mark.parametrize("function", [Step(), lambda x: (x > 0).float(), lambda x: torch.ones_like(x)])
def test_the_derivative_of_a_piecewise_constant_function_is_zero(function):
    assert derivative(function, torch.randn(6)).tolist() == [0.0] * 6


def test_each_channel_of_a_prelu_has_its_own_slope():
    module = nn.PReLU(2)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([0.1, 0.2]))

    slope = derivative(module, -torch.ones(3, 2))

    torch.testing.assert_close(slope, torch.tensor([[0.1, 0.2]] * 3))


@pytest.mark.parametrize("x", [torch.arange(3), torch.ones(2, dtype=torch.complex64), [1.0, 2.0], 1.0])
def test_the_derivative_wants_a_floating_point_tensor(x):
    with pytest.raises(TypeError, match="x must be a floating-point tensor, got"):
        derivative("ReLU", x)


def test_the_derivative_of_an_unknown_name_or_thing_is_refused():
    with pytest.raises(ValueError, match="did you mean ReLU"):
        derivative("Relu", torch.zeros(1))
    with pytest.raises(TypeError, match="activation must be a name, a module or a function, got int: 3"):
        derivative(3, torch.zeros(1))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_the_derivative_follows_x_to_the_gpu():
    for name in NAMES:
        module = double_module(name)
        expected = derivative(module, OFF_KINKS)

        slope = derivative(copy.deepcopy(module).cuda(), OFF_KINKS.cuda())

        assert slope.is_cuda
        torch.testing.assert_close(slope.cpu(), expected, rtol=1e-10, atol=1e-9)
        assert derivative(name, OFF_KINKS.cuda()).is_cuda
