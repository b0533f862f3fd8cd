"""The table of activations: what is displayed is what is computed."""

import copy
import re
from collections.abc import Callable
from typing import get_args

import pytest
import torch
from mpmath import mp
from torch import nn
from torch.func import jacrev, vmap
from torch.nn import functional as F

from labs.activations import (
    ACTIVATIONS,
    STAF,
    Family,
    Maxout,
    Step,
    Swish,
    TeLU,
    TrainableELU,
    derivative,
    inputs_per_output,
    make_activation,
)
from tests.activation_cases import (
    CASES,
    DETERMINED,
    ELEMENTWISE,
    GATED,
    LEARNABLE,
    NAMES,
    OFF_KINKS,
    PAIRS,
    WITH_KINKS,
    double_module,
    parameters_of,
)
from tests.latex_reader import Latex, evaluate_latex


def tolerance(name: str) -> float:
    """Return how far apart two correct float64 results may be."""
    # A sine at x = 1e4 turns a rounding of 1e-16 in its frequency into a phase error of 1e-12, in up to 25 terms.
    return 1e-9 if name in ("STAF", "Sine", "Snake", "Fourier") else 1e-12


# --- The reader of the LaTeX --------------------------------------------------------------------------


def test_the_latex_reader_knows_the_rules_of_precedence():
    formula = Latex(r"-2x^{2} + \frac{x + 1}{4}\,\left(3 - x\right) e^{-x} \tanh^2(x)")

    with mp.workdps(30):
        x = mp.mpf("0.7")
        expected = -2 * x * x + (x + 1) / 4 * (3 - x) * mp.exp(-x) * mp.tanh(x) * mp.tanh(x)
        assert mp.almosteq(formula(x=x), expected)


def test_the_latex_reader_picks_the_one_case_that_holds():
    formula = Latex(r"\begin{cases} 1 & x < -3 \\ \max(x, 2) & -3 \le x < 3 \\ 5 & x \ge 3 \end{cases}")

    assert [formula(x=mp.mpf(x)) for x in (-4, -3, 2.5, 3)] == [1, 2, 2.5, 5]


def test_the_latex_reader_knows_fractions_roots_bars_and_matrices():
    formula = Latex(r"\begin{pmatrix} x / \sqrt{4} & \lvert -x \rvert \\ \pi & 2 \end{pmatrix}")

    assert formula(x=mp.mpf(3)) == [[1.5, 3], [mp.pi, 2]]


# --- Values, formulas, slopes -------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_the_displayed_formula_is_what_the_module_computes(name, settings):
    module = double_module(name, **settings)

    displayed = evaluate_latex(ACTIVATIONS[name].formula, name, module, WITH_KINKS)

    torch.testing.assert_close(module(WITH_KINKS), displayed, rtol=1e-12, atol=tolerance(name))


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_the_displayed_derivative_is_the_slope_of_the_module(name, settings):
    module = double_module(name, **settings)

    displayed = evaluate_latex(ACTIVATIONS[name].derivative_formula, name, module, OFF_KINKS)

    torch.testing.assert_close(derivative(module, OFF_KINKS), displayed, rtol=1e-12, atol=tolerance(name))


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_the_displayed_second_derivative_is_the_curvature_of_the_module(name, settings):
    module = double_module(name, **settings)

    displayed = evaluate_latex(ACTIVATIONS[name].second_derivative_formula, name, module, OFF_KINKS)

    curvature = derivative(module, OFF_KINKS, order=2)
    torch.testing.assert_close(curvature, displayed, rtol=1e-12, atol=tolerance(name))


@pytest.mark.parametrize("name", GATED)
def test_the_displayed_formula_of_two_inputs_is_what_the_module_computes(name):
    displayed = evaluate_latex(ACTIVATIONS[name].formula, name, double_module(name), PAIRS)

    torch.testing.assert_close(double_module(name)(PAIRS)[:, 0], displayed, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", GATED)
def test_the_displayed_partial_derivatives_are_those_of_the_module(name):
    module, info = double_module(name), ACTIVATIONS[name]

    gradient = vmap(jacrev(lambda pair: module(pair)[0]))(PAIRS)
    hessian = vmap(jacrev(jacrev(lambda pair: module(pair)[0])))(PAIRS)

    first = evaluate_latex(info.derivative_formula, name, module, PAIRS).squeeze(-1)
    second = evaluate_latex(info.second_derivative_formula, name, module, PAIRS).expand_as(hessian)
    torch.testing.assert_close(gradient, first, rtol=1e-12, atol=1e-12)
    # The value 1e4 multiplies the rounding of the gate's curvature, 1e-16.
    torch.testing.assert_close(hessian, second, rtol=1e-12, atol=3e-12)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_the_slope_written_by_hand_agrees_with_autograd(name, settings):
    module = double_module(name, **settings)

    by_hand = ACTIVATIONS[name].slope(OFF_KINKS, **parameters_of(name, module))

    torch.testing.assert_close(by_hand, derivative(module, OFF_KINKS), rtol=1e-12, atol=tolerance(name))


@pytest.mark.parametrize("name", DETERMINED)
def test_the_slope_without_parameters_is_the_one_at_the_defaults(name):
    by_hand = ACTIVATIONS[name].slope(OFF_KINKS)

    torch.testing.assert_close(by_hand, derivative(double_module(name), OFF_KINKS), rtol=1e-12, atol=1e-12)


def function_of_everything(name: str, module: nn.Module) -> tuple[Callable, tuple]:
    """Return the module as a function of its input and its parameters, and a point that no kink is near."""
    names = [key for key, _ in module.named_parameters()]
    points = [-4.1, -2.3, -0.6, 0.4, 1.7, 2.9, 5.2, -1.2]
    x = torch.tensor(points, dtype=torch.float64, requires_grad=True)

    def function(x, *parameters):
        return torch.func.functional_call(module, dict(zip(names, parameters, strict=True)), (x,))

    return function, (x, *module.parameters())


EVERY_CASE = CASES + [(name, {}) for name in GATED] + [("Maxout", {"pieces": 4})]


@pytest.mark.parametrize(("name", "settings"), EVERY_CASE)
def test_autograd_agrees_with_finite_differences_in_the_input_and_the_parameters(name, settings):
    function, point = function_of_everything(name, double_module(name, **settings))

    assert torch.autograd.gradcheck(function, point)


@pytest.mark.parametrize(("name", "settings"), EVERY_CASE)
def test_the_gradient_can_be_differentiated_again(name, settings):
    function, point = function_of_everything(name, double_module(name, **settings))

    assert torch.autograd.gradgradcheck(function, point)


@pytest.mark.parametrize("name", [name for name in NAMES if hasattr(nn, name)])
def test_a_name_of_torch_gives_the_module_of_torch(name):
    module = make_activation(name)

    # CELU mends the slope of torch's, Mish its curvature, RReLU its behaviour under vmap; else they are the same.
    assert type(module) is getattr(nn, name) or (
        name in ("CELU", "Mish", "RReLU") and isinstance(module, getattr(nn, name))
    )


def test_rrelu_draws_the_same_slopes_as_torchs():
    x = -torch.ones(20)
    torch.manual_seed(3)
    expected = nn.RReLU()(x)

    torch.manual_seed(3)

    assert torch.equal(make_activation("RReLU")(x), expected)
    torch.testing.assert_close(make_activation("RReLU").eval()(x), nn.RReLU().eval()(x), rtol=1e-7, atol=0)


def test_celu_works_in_place_like_torchs():
    x = torch.tensor([-1.0, 2.0])

    y = make_activation("CELU", alpha=0.7, inplace=True)(x)

    assert y is x
    torch.testing.assert_close(y, F.celu(torch.tensor([-1.0, 2.0]), alpha=0.7))


def test_gelu_tanh_and_softplus_are_modules_of_torch_with_other_settings():
    assert type(make_activation("GELUTanh")) is nn.GELU
    assert make_activation("GELUTanh").approximate == "tanh"
    assert type(make_activation("Softplus")) is nn.Softplus


def test_softplus_is_exact_where_torchs_default_cuts_it_off():
    x = torch.tensor([20.5, 25.0, 35.0], dtype=torch.float64)
    with mp.workdps(40):
        expected = [float(mp.log1p(mp.exp(-mp.mpf(point)))) for point in x.tolist()]

    above_the_line = make_activation("Softplus")(x) - x

    # Near 35 a double cannot tell two numbers apart that differ by less than 7e-15.
    torch.testing.assert_close(
        above_the_line, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=7e-15
    )
    assert (nn.Softplus()(x) == x).all()


def test_hard_sigmoid_is_torchs_with_a_second_derivative():
    module = make_activation("HardSigmoid")

    torch.testing.assert_close(module(WITH_KINKS), F.hardsigmoid(WITH_KINKS), rtol=0, atol=1e-15)
    slope = derivative(module, WITH_KINKS)
    # torch's slope is 1/6 rounded to float32.
    torch.testing.assert_close(slope, derivative(nn.Hardsigmoid(), WITH_KINKS), rtol=0, atol=1e-8)
    assert isinstance(module, nn.Hardsigmoid)


def test_torchs_spelling_of_hardsigmoid_is_understood_but_not_listed():
    assert type(make_activation("Hardsigmoid")) is type(make_activation("HardSigmoid"))
    assert ACTIVATIONS["Hardsigmoid"] is ACTIVATIONS["HardSigmoid"]
    assert "Hardsigmoid" not in list(ACTIVATIONS)
    assert len(ACTIVATIONS) == len(list(ACTIVATIONS))


def test_squared_relu_is_the_square_of_relu():
    assert torch.equal(make_activation("SquaredReLU")(WITH_KINKS), torch.relu(WITH_KINKS) ** 2)


def test_swigelu_is_the_mean_of_its_parents():
    expected = (F.silu(WITH_KINKS) + F.gelu(WITH_KINKS)) / 2

    torch.testing.assert_close(make_activation("SwiGELU")(WITH_KINKS), expected, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize(("name", "gate"), [("GLU", torch.sigmoid), ("GEGLU", F.gelu), ("SwiGLU", F.silu)])
def test_the_first_half_is_the_value_and_the_second_half_the_gate(name, gate):
    value, gated_by = torch.randn(2, 3, 4), torch.randn(2, 3, 4)

    output = make_activation(name)(torch.cat([value, gated_by], dim=-1))

    torch.testing.assert_close(output, value * gate(gated_by))


@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_maxout_takes_the_largest_of_its_blocks(pieces):
    blocks = torch.randn(pieces, 3, 4)

    output = make_activation("Maxout", pieces=pieces)(torch.cat(list(blocks), dim=-1))

    assert torch.equal(output, blocks.max(dim=0).values)


def test_a_width_that_cannot_be_cut_is_refused_with_the_way_out():
    with pytest.raises(
        ValueError, match=r"cuts the last dimension into 3 blocks, got .* \(2, 4\); make the layer"
    ):
        make_activation("Maxout", pieces=3)(torch.ones(2, 4))
    for name in ("GEGLU", "SwiGLU"):
        with pytest.raises(ValueError, match=rf"{name} cuts the last dimension into 2 blocks, got .* \(7,\)"):
            make_activation(name)(torch.ones(7))
    with pytest.raises(RuntimeError, match="must be even"):  # torch's own words
        make_activation("GLU")(torch.ones(7))


def test_maxout_made_directly_needs_a_piece():
    with pytest.raises(ValueError, match="at least one piece, got pieces=0"):
        Maxout(pieces=0)


@pytest.mark.parametrize("name", NAMES)
def test_inputs_per_output_is_the_ratio_of_the_widths(name):
    module = make_activation(name).eval()

    ratio = inputs_per_output(module)

    assert ratio == ACTIVATIONS[name].inputs_per_output
    assert module(torch.ones(2, 6 * ratio)).shape == (2, 6)


def test_inputs_per_output_follows_the_pieces_of_maxout():
    assert inputs_per_output(make_activation("Maxout", pieces=5)) == 5


def test_each_channel_of_swish_has_its_own_beta_along_dimension_one():
    module = Swish(num_parameters=3)
    with torch.no_grad():
        module.beta.copy_(torch.tensor([0.5, 1.0, 2.0]))
    x = torch.randn(2, 3, 4)

    y = module(x)

    for channel, beta in enumerate([0.5, 1.0, 2.0]):
        torch.testing.assert_close(y[:, channel], Swish(beta=beta)(x[:, channel]))
    torch.testing.assert_close(ACTIVATIONS["Swish"].slope(x, beta=module.beta), derivative(module, x))


def test_swish_needs_at_least_one_beta():
    with pytest.raises(ValueError, match="num_parameters must be a whole number of at least 1, got 0"):
        Swish(num_parameters=0)


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
    module = TrainableELU(alpha=alpha).double()
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


# --- The table ----------------------------------------------------------------------------------------


PROMISED = """
    Step Sigmoid HardSigmoid Tanh Hardtanh Softsign
    ReLU ReLU6 LeakyReLU PReLU RReLU ELU CELU SELU Maxout
    Softplus GELU GELUTanh SiLU Swish Mish Hardswish TeLU SquaredReLU
    GLU GEGLU SwiGLU
    TrainableELU AdaptiveSigmoid Sine Snake STAF Rational BSpline Fourier SwiGELU
"""


def test_the_functions_promised_to_readers_are_all_there_in_their_order():
    assert list(ACTIVATIONS) == PROMISED.split()


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
    assert all(re.fullmatch(r"[a-z]+(18|19|20)\d\d[a-z]+", key) for key in sources)


@pytest.mark.parametrize("name", NAMES)
def test_the_slope_is_left_out_only_where_there_are_several_inputs(name):
    info = ACTIVATIONS[name]

    assert (info.slope is None) == (info.inputs_per_output > 1)
    assert info.second_derivative_formula


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
        (
            "Hardtanh",
            {"min_val": 2.0},
            ValueError,
            "min_val must not exceed max_val, got min_val=2.0, max_val=1.0",
        ),
        ("Softplus", {"beta": 0.0}, ValueError, "beta must be above zero, got 0.0"),
        ("CELU", {"alpha": 0.0}, ValueError, "alpha must not be zero"),
        ("Maxout", {"pieces": 0}, ValueError, "pieces must be at least 1"),
        ("GELUTanh", {"approximate": "none"}, TypeError, "no setting 'approximate'; it takes: none"),
    ],
)
def test_a_bad_setting_is_refused_before_it_can_do_harm(name, settings, error, message):
    with pytest.raises(error, match=f"{name}.*{re.escape(message)}"):
        make_activation(name, **settings)


def test_staf_made_directly_needs_a_term_too():
    with pytest.raises(ValueError, match="at least one sine term, got tau=0"):
        STAF(tau=0)


# --- derivative ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 3, 4)])
@pytest.mark.parametrize("order", [1, 2])
def test_the_derivative_has_the_shape_and_dtype_of_x_and_no_graph(name, shape, order):
    x = torch.randn(shape, dtype=torch.float64)

    slope = derivative(name, x, order=order)

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
    module = nn.Sequential(nn.RReLU().eval(), nn.RReLU(), nn.Unflatten(0, (2, 2)))
    modes = [m.training for m in module.modules()]

    with pytest.raises(ValueError, match=r"shape \(4,\) gave an output of shape \(2, 2\)"):
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


@pytest.mark.parametrize("name", GATED)
def test_the_derivative_of_a_function_of_several_inputs_is_refused(name):
    with pytest.raises(
        ValueError, match="takes 2 numbers for each one it returns, so it has a partial derivative"
    ):
        derivative(name, torch.zeros(4))


@pytest.mark.parametrize("order", [0, 3, None, "2"])
def test_an_order_other_than_one_or_two_is_refused(order):
    with pytest.raises(ValueError, match="order must be 1 for the slope or 2 for the curvature, got"):
        derivative("Tanh", torch.zeros(1), order=order)


def test_the_curvature_is_there_where_torchs_own_breaks_or_is_missing():
    x = torch.tensor([-1e4, -100.0, 0.0, 100.0, 1e4])

    expected = {
        nn.Mish(): 0.64,
        nn.GELU(): 0.7979,
        nn.GELU(approximate="tanh"): 0.7979,
        nn.Hardsigmoid(): 0.0,
    }
    for module, at_zero in expected.items():
        for dtype in (torch.float32, torch.float16):
            curvature = derivative(module, x.to(dtype), order=2)

            torch.testing.assert_close(
                curvature.float(), torch.tensor([0, 0, at_zero, 0, 0]), rtol=2e-3, atol=1e-7
            )


def test_the_curvature_leaves_parameters_mode_and_x_alone():
    module, x = nn.Sequential(nn.RReLU(), nn.PReLU(), nn.SiLU()), torch.randn(5)
    before = x.clone()

    derivative(module, x, order=2)

    assert module.training
    assert all(p.grad is None for p in module.parameters())
    assert torch.equal(x, before)


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
    for name in ELEMENTWISE:
        module = double_module(name)
        for order in (1, 2):
            expected = derivative(module, OFF_KINKS, order=order)

            slope = derivative(copy.deepcopy(module).cuda(), OFF_KINKS.cuda(), order=order)

            assert slope.is_cuda
            torch.testing.assert_close(slope.cpu(), expected, rtol=1e-10, atol=1e-9)
        assert derivative(name, OFF_KINKS.cuda()).is_cuda


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_differentiating_a_module_twice_by_oneself_gives_no_nan(name, dtype):
    module = make_activation(name).to(dtype).eval()
    x = torch.tensor([0.0, *(s * size for s in (-1, 1) for size in (12, 89, 100, 1e4))], dtype=dtype)

    curvature = torch.func.vmap(torch.func.grad(torch.func.grad(module)))(x)

    assert curvature.isfinite().all()


@pytest.mark.parametrize(("name", "settings"), [("CELU", {"alpha": 0.5}), ("Mish", {}), ("ReLU", {})])
def test_a_module_that_works_in_place_learns_like_one_that_does_not(name, settings):
    torch.manual_seed(0)
    layer, x = nn.Linear(2, 3), torch.randn(4, 2)
    gradients = []

    for inplace in (False, True):
        before = layer(x)
        y = make_activation(name, **settings, inplace=inplace)(before)
        gradients.append(torch.autograd.grad(y.square().sum(), layer.weight)[0])
        assert (y is before) == inplace

    assert torch.equal(*gradients)


@pytest.mark.parametrize("name", ["Sine", "Snake", "Fourier"])
def test_the_slope_of_a_wave_is_right_far_out_in_half_precision_too(name):
    x = torch.tensor([-1e4, 777.0, 1e4]).to(torch.float16)

    by_hand = ACTIVATIONS[name].slope(x)

    exact = ACTIVATIONS[name].slope(x.double())
    torch.testing.assert_close(by_hand.double(), exact, rtol=0, atol=2e-3)
