"""Quadrature and mean-field maps against closed forms, against Gauss-Hermite, and against wide random networks."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from labs import mean_field as maps
from labs.activations import ACTIVATIONS
from labs.fixed_points import (
    depth_scale,
    depth_scales,
    edge_of_chaos,
    fixed_points,
    variance_slope,
)
from labs.gain import gaussian_gain, selu_fixed_point
from labs.gaussian import gaussian_mean, gaussian_pair_mean
from labs.mean_field import chi_1, correlation_map, gradient_growth, mean_field, variance_map
from labs.networks import SimpleNetwork
from labs.signals import forward_statistics, gradient_statistics

# One number in, one out; STAF draws its parameters anew each time.
ELEMENTWISE = [name for name, row in ACTIVATIONS.items() if row.inputs_per_output == 1 and name != "STAF"]
CORRELATIONS = [-1.0, -0.9, -0.3, 0.0, 0.3, 0.9, 0.999999, 1.0]
LENGTHS = [1e-4, 0.3, 1.0, 25.0, 1e4]
EXACT = 1e-10  # closed forms below hold to rounding; the quadrature promises ten digits


def relu_kernel(c):
    """E[relu(u) relu(v)] / q: the arc-cosine kernel of degree one (Cho & Saul 2009)."""
    return (math.sqrt(1 - c * c) + (math.pi - math.acos(c)) * c) / (2 * math.pi)


def step_kernel(c):
    """E[step(u) step(v)]: the arc-cosine kernel of degree zero."""
    return (math.pi - math.acos(c)) / (2 * math.pi)


def hermite_mean(function, variance=1.0, points=200):
    z, weight = np.polynomial.hermite_e.hermegauss(points)
    values = function(torch.from_numpy(z) * math.sqrt(variance))
    return (values * torch.from_numpy(weight)).sum().item() / math.sqrt(2 * math.pi)


# --- quadrature


@pytest.mark.parametrize("variance", [0.01, 1.0, 9.0])
@pytest.mark.parametrize("power", [0, 1, 2, 3, 4, 8])
def test_moments_of_a_gaussian_are_exact(power, variance):
    expected = 0.0 if power % 2 else math.prod(range(1, power, 2)) * variance ** (power / 2)

    assert gaussian_mean(lambda x: x**power, variance) == pytest.approx(expected, rel=EXACT, abs=EXACT)


@pytest.mark.parametrize("kink", [-2.0, 0.0, 0.7, 3.0])
def test_a_named_kink_costs_no_digits_and_one_without_a_name_as_much_as_documented(kink):
    density = math.exp(-kink * kink / 2) / math.sqrt(2 * math.pi)
    tail = math.erfc(kink / math.sqrt(2)) / 2

    ramp = gaussian_mean(lambda x: (x - kink).relu(), kinks=(kink,))
    jump = gaussian_mean(lambda x: (x > kink).double(), kinks=(kink,))
    unnamed_ramp = gaussian_mean(lambda x: (x - kink).relu())
    unnamed_jump = gaussian_mean(lambda x: (x > kink).double())

    assert ramp == pytest.approx(density - kink * tail, abs=1e-13)
    assert jump == pytest.approx(tail, abs=1e-13)
    assert unnamed_ramp == pytest.approx(density - kink * tail, abs=1e-3)
    assert unnamed_jump == pytest.approx(tail, abs=1e-1)


def test_plain_gauss_hermite_is_as_poor_at_a_kink_as_the_docstring_says():
    errors = [abs(hermite_mean(torch.relu, points=n) - 1 / math.sqrt(2 * math.pi)) for n in (50, 100, 200)]

    # Like 1/n: twice the points, half the error; ours is at 1e-13 with about as many.
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("function", [torch.tanh, torch.sigmoid, F.gelu, F.silu, torch.sin])
def test_smooth_functions_agree_with_gauss_hermite(function):
    # At variance 1 the nearest pole of these lies so far off that 200 points give ten digits.
    assert gaussian_mean(lambda x: function(x) ** 2) == pytest.approx(
        hermite_mean(lambda x: function(x) ** 2), abs=1e-10
    )


@pytest.mark.parametrize("q", LENGTHS)
@pytest.mark.parametrize("c", CORRELATIONS)
def test_pairs_follow_the_arc_cosine_kernels(c, q):
    ramps = gaussian_pair_mean(lambda u, v: u.relu() * v.relu(), q, apart=1 - c)
    steps = gaussian_pair_mean(lambda u, v: (u > 0).double() * (v > 0), q, apart=1 - c)

    assert ramps / q == pytest.approx(relu_kernel(c), abs=EXACT)
    assert steps == pytest.approx(step_kernel(c), abs=EXACT)


@pytest.mark.parametrize("q", LENGTHS)
@pytest.mark.parametrize("c", CORRELATIONS)
def test_pairs_follow_the_erf_kernel(c, q):
    # Williams 1996: 2/pi arcsin(2 cov / (1 + 2 var)).
    expected = 2 / math.pi * math.asin(2 * c * q / (1 + 2 * q))

    found = gaussian_pair_mean(lambda u, v: torch.erf(u) * torch.erf(v), q, apart=1 - c)

    assert found == pytest.approx(expected, abs=EXACT)


@pytest.mark.parametrize("c", [-0.9, 0.0, 0.5, 0.99999])
def test_the_slope_in_the_correlation_of_hardtanh_is_the_probability_of_its_middle(c):
    """Price's theorem: d/dc E f(u) f(v) = q E f'(u) f'(v), for Hardtanh q P(|u| < 1, |v| < 1)."""
    from scipy import stats

    def mean(c):
        return gaussian_pair_mean(lambda u, v: F.hardtanh(u) * F.hardtanh(v), 2.0, apart=1 - c, kinks=(-1, 1))

    step = 1e-6
    slope = (mean(c + step) - mean(c - step)) / (2 * step)
    normal = stats.multivariate_normal(cov=[[2.0, 2 * c], [2 * c, 2.0]])
    inside = normal.cdf([1.0, 1.0], lower_limit=[-1.0, -1.0])

    # A difference quotient of values with ten digits over 2e-6, and scipy's cdf: about 1e-5 of the whole.
    assert slope == pytest.approx(2 * inside, abs=1e-4)


@pytest.mark.parametrize("c", [-0.95, 0.2, 0.999])
@pytest.mark.parametrize("q", [0.05, 1.0, 400.0])
def test_finer_pieces_change_nothing(c, q, monkeypatch):
    def hardtanh():
        return gaussian_pair_mean(lambda u, v: F.hardtanh(u) * F.hardtanh(v), q, apart=1 - c, kinks=(-1, 1))

    def tanh():
        return gaussian_pair_mean(lambda u, v: torch.tanh(u) * torch.tanh(v), q, apart=1 - c)

    coarse = hardtanh(), tanh()
    monkeypatch.setattr("labs.gaussian._WIDEST", 0.7)
    fine = hardtanh(), tanh()

    assert coarse == pytest.approx(fine, abs=EXACT)


@pytest.mark.parametrize("variance", [0.0, -1.0, math.inf, math.nan])
def test_a_variance_that_is_none_is_refused(variance):
    with pytest.raises(ValueError, match="wanted a finite number above zero"):
        gaussian_mean(torch.relu, variance)


@pytest.mark.parametrize("apart", [-0.1, 2.1, math.nan])
def test_a_correlation_that_is_none_is_refused(apart):
    with pytest.raises(ValueError, match="from 0 to 2"):
        gaussian_pair_mean(lambda u, v: u * v, apart=apart)


def test_functions_that_mix_or_give_nan_are_refused():
    with pytest.raises(ValueError, match="acts on each"):
        variance_map(lambda x: x.sum(), 1.0, weight_variance=1.0)
    with pytest.raises(ValueError, match="NaN or infinity"):
        variance_map(torch.log, 1.0, weight_variance=1.0)


# --- maps


@pytest.mark.parametrize("q", LENGTHS)
def test_the_variance_map_of_relu_is_half_the_length(q):
    found = variance_map("ReLU", q, weight_variance=1.6, bias_variance=0.3)

    assert found == pytest.approx(0.8 * q + 0.3, rel=EXACT)


@pytest.mark.parametrize("c", CORRELATIONS)
def test_the_correlation_map_of_relu_is_the_normalised_kernel(c):
    found = correlation_map("ReLU", c, weight_variance=1.6, bias_variance=0.3, length=2.0)

    assert found == pytest.approx((1.6 * 2 * relu_kernel(c) + 0.3) / (1.6 + 0.3), abs=EXACT)


@pytest.mark.parametrize("c", CORRELATIONS)
def test_the_correlation_map_of_a_linear_layer_without_bias_is_the_identity(c):
    assert correlation_map(lambda x: 3 * x, c, weight_variance=0.7) == pytest.approx(c, abs=EXACT)


def test_the_correlation_one_stays_one_for_every_activation():
    found = {name: correlation_map(name, 1.0, weight_variance=1.0, bias_variance=0.1) for name in ELEMENTWISE}

    assert found == dict.fromkeys(ELEMENTWISE, 1.0)


@pytest.mark.parametrize("name", ["ReLU", "Tanh", "GELU", "SELU", "Hardswish", "Sigmoid", "ELU"])
def test_chi_is_the_slope_of_the_correlation_map_at_one(name):
    point = next(p for p in fixed_points(name, weight_variance=0.9, bias_variance=0.2) if p.stable)
    setting = {"weight_variance": 0.9, "bias_variance": 0.2, "length": point.length}

    step = 1e-4
    secant = (1 - correlation_map(name, 1 - step, **setting)) / step

    # Where the slope jumps the map has a term in step^(3/2), which changes the secant by about sqrt(step) / 2.
    assert secant == pytest.approx(chi_1(name, point.length, weight_variance=0.9), rel=5e-3)


@pytest.mark.parametrize("name", ["ReLU", "Tanh", "SiLU", "Hardswish", "Step", "SELU"])
@pytest.mark.parametrize("q", [0.2, 1.0, 8.0])
def test_the_slope_of_the_variance_map_is_its_difference_quotient(name, q):
    up, down = (variance_map(name, q * (1 + h), weight_variance=1.3) for h in (1e-5, -1e-5))

    # Ten digits over a step of 2e-5, and a third derivative of order one: 1e-5 at worst.
    assert variance_slope(name, q, weight_variance=1.3) == pytest.approx((up - down) / (2e-5 * q), abs=1e-5)


def test_a_module_a_name_and_a_function_are_the_same():
    module = nn.Hardswish()
    found = [
        variance_map(f, 2.0, weight_variance=1.0, kinks=kinks)
        for f, kinks in [("Hardswish", None), (module, None), (F.hardswish, (-3, 3))]
    ]

    assert found == pytest.approx([found[0]] * 3, abs=1e-15)


def test_a_module_stays_as_it_is():
    module = nn.RReLU(inplace=True).train()

    found = variance_map(module, 1.0, weight_variance=1.0)

    mean_slope = (1 / 8 + 1 / 3) / 2  # what it does in evaluation mode
    assert found == pytest.approx((1 + mean_slope**2) / 2, rel=1e-6)
    assert module.training
    assert module.inplace


def test_a_learnable_module_counts_with_its_present_weight():
    module = nn.PReLU(init=0.5)

    assert variance_map(module, 1.0, weight_variance=1.0) == pytest.approx((1 + 0.25) / 2, rel=1e-6)
    assert module.weight.dtype == torch.float32
    assert module.weight.grad is None


def test_gradients_grow_by_chi_at_each_length():
    growth = gradient_growth("Tanh", 4, weight_variance=2.0, bias_variance=0.1, length=3.0)

    lengths = [q for q, _ in mean_field("Tanh", 3, weight_variance=2.0, bias_variance=0.1, length=3.0)]
    chi = [chi_1("Tanh", q, weight_variance=2.0) for q in lengths]
    assert growth == pytest.approx([chi[0] * chi[1] * chi[2], chi[1] * chi[2], chi[2], 1.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: variance_map("ReLU", 1.0, weight_variance=-1.0), "not below zero"),
        (lambda: variance_map("Relu", 1.0, weight_variance=1.0), "did you mean ReLU"),
        (lambda: correlation_map("ReLU", 1.5, weight_variance=1.0), "from -1 to 1"),
        (lambda: correlation_map("ReLU", 0.5, weight_variance=0.0), "all zero"),
        (lambda: gradient_growth("ReLU", 0, weight_variance=1.0), "at least 1"),
        (lambda: depth_scale(math.inf), "finite"),
        (lambda: gaussian_gain(lambda x: 0 * x), "zero for every"),
    ],
)
def test_bad_input_gets_a_clear_error(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_something_that_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match="a name, a module or a function"):
        variance_map(3.0, 1.0, weight_variance=1.0)


# --- what follows from the maps


def test_relu_and_its_relatives_have_one_critical_point():
    leaky = 0.01

    assert edge_of_chaos("ReLU") == (2.0, 0.0, None)
    assert edge_of_chaos("LeakyReLU").weight_variance == pytest.approx(2 / (1 + leaky**2), rel=1e-9)
    assert edge_of_chaos("ReLU", weight_variance=2.0) == (2.0, 0.0, None)


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("ReLU", {"bias_variance": 0.1}),  # the length would grow by the bias in each layer
        ("ReLU", {"weight_variance": 1.9}),
        ("Step", {}),
        ("SiLU", {"bias_variance": 0.01}),
        ("Tanh", {"weight_variance": 0.5}),
    ],
)
def test_where_there_is_no_edge_of_chaos_it_is_said(name, setting):
    with pytest.raises(ValueError, match=r"no edge of chaos|jumps or is constant"):
        edge_of_chaos(name, **setting)


def test_both_variances_at_once_are_refused():
    with pytest.raises(ValueError, match="one of them"):
        edge_of_chaos("Tanh", bias_variance=0.0, weight_variance=1.0)


def test_the_edge_of_chaos_of_tanh_is_the_published_line():
    # Schoenholz et al. 2017 work at sigma_b^2 = 0.05, where the line passes sigma_w^2 = 1.76.
    assert edge_of_chaos("Tanh") == (pytest.approx(1.0, abs=1e-9), 0.0, 0.0)
    assert edge_of_chaos("Tanh", bias_variance=0.05).weight_variance == pytest.approx(1.76, abs=5e-3)


@pytest.mark.parametrize("name", ["Tanh", "Sigmoid", "ELU", "SELU"])
def test_a_point_on_the_edge_is_critical_fixed_and_found_from_either_side(name):
    point = edge_of_chaos(name, bias_variance=0.1)
    back = edge_of_chaos(name, weight_variance=point.weight_variance)

    weights = {"weight_variance": point.weight_variance}
    assert chi_1(name, point.length, **weights) == pytest.approx(1, abs=1e-9)
    assert variance_map(name, point.length, bias_variance=0.1, **weights) == pytest.approx(
        point.length, rel=1e-9
    )
    assert back == pytest.approx(point, rel=1e-6)


def test_gelu_has_a_half_stable_point_below_which_its_critical_lengths_are_unstable():
    """On the line chi_1 = 1 the slope of GELU's variance map crosses one at q = 3.56, where sigma_b^2 = 0.173."""
    low, high = (1 / chi_1("GELU", q, weight_variance=1.0) for q in (3.0, 4.0))

    assert variance_slope("GELU", 3.0, weight_variance=low) > 1
    assert variance_slope("GELU", 4.0, weight_variance=high) < 1
    with pytest.raises(ValueError, match="none of them is stable"):
        edge_of_chaos("GELU", bias_variance=0.1)
    assert edge_of_chaos("GELU", bias_variance=0.2).length > 3.56


@pytest.mark.parametrize(
    ("name", "weight", "bias"),
    [("Tanh", 1.5, 0.0), ("Tanh", 3.0, 0.1), ("SELU", 1.0, 0.0), ("ReLU", 1.0, 0.5)],
)
def test_iterating_the_map_ends_at_its_stable_fixed_point(name, weight, bias):
    q = 0.7
    for _ in range(200):
        q = variance_map(name, q, weight_variance=weight, bias_variance=bias)

    stable = [p for p in fixed_points(name, weight_variance=weight, bias_variance=bias) if p.stable]

    assert [p.length for p in stable] == [pytest.approx(q, rel=1e-8)]


def test_relu_grows_without_a_fixed_point_and_stays_everywhere_at_two():
    assert [p.length for p in fixed_points("ReLU", weight_variance=3.0)] == [0.0]
    assert fixed_points("ReLU", weight_variance=3.0, bias_variance=1.0) == []
    with pytest.raises(ValueError, match="any length is a fixed point"):
        fixed_points("ReLU", weight_variance=2.0)


def test_the_distance_to_the_fixed_point_shrinks_with_the_depth_scale():
    setting = {"weight_variance": 1.3, "bias_variance": 0.05}
    scales = depth_scales("Tanh", **setting)

    apart = 1e-4
    for _ in range(20):
        apart = 1 - correlation_map("Tanh", 1 - apart, length=scales.length, **setting)

    assert scales.correlation == 1.0
    assert math.log(apart / 1e-4) == pytest.approx(-20 / scales.correlation_scale, rel=1e-2)


def test_in_chaos_the_correlation_settles_below_one():
    setting = {"weight_variance": 9.0, "bias_variance": 0.05}
    scales = depth_scales("Tanh", **setting)

    c, distances = 0.9, []
    for _ in range(80):
        c = correlation_map("Tanh", c, length=scales.length, **setting)
        distances.append(c - scales.correlation)

    assert scales.chi_1 > 1
    assert 0 < scales.correlation < 1
    assert abs(distances[-1]) < 1e-6
    assert math.log(distances[14] / distances[9]) == pytest.approx(-5 / scales.correlation_scale, rel=2e-2)


def test_a_signal_that_dies_has_no_depth_scales():
    with pytest.raises(ValueError, match="no stable length above zero"):
        depth_scales("Tanh", weight_variance=0.9)


def test_selus_constants_follow_from_its_definition():
    alpha, scale = selu_fixed_point()

    # torch computes with these; the numbers are not written down in the module under test.
    x = torch.tensor([1.0, -40.0], dtype=torch.float64)
    torchs_scale, bottom = F.selu(x).tolist()
    assert scale == pytest.approx(torchs_scale, abs=1e-6)
    assert alpha == pytest.approx(-bottom / torchs_scale, abs=1e-6)


def test_other_fixed_points_than_selus_hold_too():
    alpha, scale = selu_fixed_point(mean=0.1, variance=2.0)
    z = torch.randn(2_000_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    values = scale * F.elu(z, alpha=alpha)

    # Standard errors of two million draws: 0.001 for the mean and 0.003 for the variance; three of them.
    assert values.mean().item() == pytest.approx(0.1, abs=0.004)
    assert values.var().item() == pytest.approx(2.0, abs=0.01)


def test_impossible_wishes_for_selu_are_refused():
    with pytest.raises(ValueError, match="no constants"):
        selu_fixed_point(mean=0.0, variance=-1.0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ReLU", math.sqrt(2)),
        ("LeakyReLU", math.sqrt(2 / (1 + 0.01**2))),
        ("Step", math.sqrt(2)),
        ("SELU", 1.0),
    ],
)
def test_known_gains_come_out(name, expected):
    assert gaussian_gain(name) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_every_gain_makes_a_simulated_mean_square_one(name):
    z = torch.randn(1_000_000, generator=torch.Generator().manual_seed(1))
    f, _ = maps.elementwise(name)

    simulated = f(z.double()).square().mean().item()

    # The mean square of a million draws is right to 0.2 %; the extra factor is for heavy tails.
    assert gaussian_gain(name) ** 2 * simulated == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_every_gain_agrees_with_the_table_where_it_has_one(name):
    known = ACTIVATIONS[name].properties.gain

    # The table's numbers come from elsewhere; BSpline is held to five digits because of its many knots.
    if known is not None:
        assert gaussian_gain(name) == pytest.approx(known, rel=1e-5 if name == "BSpline" else 1e-9)


@pytest.mark.parametrize("name", ["GLU", "Maxout"])
def test_functions_of_several_inputs_are_refused(name):
    with pytest.raises(ValueError, match="acts on each"):
        gaussian_gain(name)


# --- theory against wide networks


def gaussian_network(name, weight_variance, bias_variance, *, depth=6, width=800, out=10):
    """A SimpleNetwork whose weights and biases have the variances of the theory, in every layer."""
    model = SimpleNetwork(name, in_features=width, hidden_features=[width] * depth, out_features=out)
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=math.sqrt(weight_variance / layer.in_features))
            nn.init.normal_(layer.bias, std=math.sqrt(bias_variance))
    return model


def correlated_inputs(c, width, pairs=40):
    """Two sets of inputs whose partners have correlation c and mean square one."""
    first, noise = torch.randn(2, pairs, width)
    second = c * first + math.sqrt(1 - c * c) * noise
    return first, second


@pytest.mark.parametrize(
    ("name", "weight", "bias"),
    [
        ("ReLU", 2.0, 0.0),
        ("Tanh", 1.76, 0.05),
        ("GELU", 1.8, 0.1),
        ("Hardswish", 2.0, 0.1),
        ("Step", 2.0, 0.1),
    ],
)
def test_lengths_and_correlations_of_wide_networks_follow_the_maps(name, weight, bias):
    measured = []
    for seed in range(3):
        torch.manual_seed(seed)
        model = gaussian_network(name, weight, bias)
        first, second = correlated_inputs(0.5, 800)
        values = []

        def see(module, args, values=values):
            values.append(args[0])

        hooks = [m.register_forward_pre_hook(see) for n, m in model.named_children() if n.startswith("act")]
        with torch.no_grad():
            model(torch.cat([first, second]))
        for hook in hooks:
            hook.remove()
        measured.append(
            [
                (z.square().mean().item(), (z[:40] * z[40:]).mean().item() / z.square().mean().item())
                for z in values
            ]
        )

    q, c = weight + bias, (0.5 * weight + bias) / (weight + bias)
    mean = np.array(measured).mean(axis=0)
    predicted = []
    for _ in mean:
        predicted.append((q, c))
        c = correlation_map(name, c, weight_variance=weight, bias_variance=bias, length=q)
        q = variance_map(name, q, weight_variance=weight, bias_variance=bias)

    # One ReLU layer scatters the length by sqrt(5/800) = 8 %, the other functions by less; five layers and three seeds
    # make 10 % of it, and the tolerance is three times that. The correlations scatter by about 0.02.
    np.testing.assert_allclose(mean[:, 0], [p[0] for p in predicted], rtol=0.3)
    np.testing.assert_allclose(mean[:, 1], [p[1] for p in predicted], atol=0.05)


@pytest.mark.parametrize(
    ("name", "weight", "bias"),
    [("ReLU", 2.0, 0.0), ("ReLU", 1.2, 0.0), ("Tanh", 3.0, 0.05), ("GELU", 1.5, 0.1)],
)
def test_gradients_of_wide_networks_grow_as_predicted(name, weight, bias):
    measured = []
    for seed in range(4):
        torch.manual_seed(10 + seed)
        model = gaussian_network(name, weight, bias, out=800)
        x, y = torch.randn(64, 800), torch.randint(800, (64,))
        before = [g.before for g in gradient_statistics(model, x, y).values()]
        measured.append([math.log(g / before[-1]) for g in before])

    predicted = gradient_growth(name, 6, weight_variance=weight, bias_variance=bias, length=weight + bias)

    # One layer scatters the logarithm by about sqrt(5/800) = 0.08; five layers and four seeds make 0.09 of it, and
    # the tolerance is three times that. Between the cases the growth differs by far more.
    np.testing.assert_allclose(np.mean(measured, axis=0), np.log(predicted), atol=0.27)


def test_at_the_edge_of_chaos_simulated_differences_neither_grow_nor_shrink():
    """chi_1 = 1, recomputed: two inputs that differ by little, through one wide layer at the fixed length."""
    weight, bias, q = edge_of_chaos("Tanh", bias_variance=0.05)
    torch.manual_seed(0)
    z = math.sqrt(q) * torch.randn(2000, 1000, dtype=torch.float64)
    nudge = 1e-4 * torch.randn_like(z)
    w = torch.randn(1000, 1000, dtype=torch.float64) * math.sqrt(weight / 1000)

    after = (torch.tanh(z + nudge) - torch.tanh(z)) @ w.T

    # A mean over two million entries, of which the weights correlate a thousand each: about 0.2 %; five of them.
    chi = (after.square().mean() / nudge.square().mean()).item()
    assert chi == pytest.approx(1, abs=0.01)
    # And the length is fixed there; the same for the mean square.
    assert weight * torch.tanh(z).square().mean().item() + bias == pytest.approx(q, rel=0.01)


def test_the_ratio_of_a_deep_tanh_network_is_the_one_predicted():
    x = torch.randn(100, 800, generator=torch.Generator().manual_seed(0))
    ratios = []
    for seed in range(3):
        torch.manual_seed(seed)
        signals = forward_statistics(gaussian_network("Tanh", 1.3, 0.1), x)
        ratios.append([s.ratio for s in signals.values()])

    predicted = mean_field(
        "Tanh", 6, weight_variance=1.3, bias_variance=0.1, length=1.4, correlation=0.1 / 1.4
    )

    # Averages over 100 inputs of correlation c + (1 - c)/100, for each input is its own partner once: about 10 % at
    # c = 0.1 and less below. The width adds 5 %.
    np.testing.assert_allclose(np.mean(ratios, axis=0), [ratio for _, ratio in predicted], rtol=0.15)
