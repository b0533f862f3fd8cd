"""The learned functions against mpmath and scipy, far from zero, through torch's wrappers, and in training."""

import copy
import pickle

import pytest
import torch
from mpmath import mp
from scipy.interpolate import BSpline as ScipySpline
from torch import nn
from torch.autograd import gradcheck, gradgradcheck
from torch.func import functional_call, vmap
from torch.nn import functional as F

from labs.activations import learnable, periodic, rational, spline
from labs.activations.periodic import Fourier, Sine, Snake
from labs.activations.rational import Rational
from labs.activations.sharing import along_channels, start
from labs.activations.spline import BSpline

ROWS = {row.name: row for family in (learnable, periodic, rational, spline) for row in family.ROWS}
MAKERS = {
    **{name: row.factory for name, row in ROWS.items()},
    "Sine, trainable": lambda **settings: Sine(trainable=True, **settings),
    "Fourier, 2 harmonics": lambda **settings: Fourier(harmonics=2, **settings),
    "BSpline, 5 intervals": lambda **settings: BSpline(intervals=5, grid=2.0, **settings),
}
LEARNING = {name: make for name, make in MAKERS.items() if name != "Sine"}
DTYPES = [torch.float32, torch.bfloat16, torch.float16, torch.float64]
FAR = [-1e4, -100.0, -20.3, 20.3, 100.0, 1e4]
NEAR = [-6.05 + 0.3 * i for i in range(42)] + [-1.0, -1e-3, 0.0, 1e-30, 1.0, 3.0]
POINTS = torch.tensor(NEAR + FAR, dtype=torch.float64)


def each(makers: dict) -> pytest.MarkDecorator:
    """Run a test once per function."""
    return pytest.mark.parametrize("make", makers.values(), ids=makers)


def shaken(make, **settings) -> nn.Module:
    """A float64 module whose parameters are not those of the start any more, always the same."""
    torch.manual_seed(3)
    module = make(**settings).double()
    with torch.no_grad():
        for tensor in module.state_dict().values():
            tensor.add_(0.3 * torch.randn_like(tensor))
    return module


def as_function(module: nn.Module):
    """The module as a function of the input and its parameters."""
    names = [name for name, _ in module.named_parameters()]
    return lambda x, *values: functional_call(module, dict(zip(names, values, strict=True)), (x,))


# --- Against mpmath and scipy -------------------------------------------------------------------------


def numbers(module: nn.Module) -> dict:
    """The parameters as mpmath numbers, or as lists of them."""
    values = {}
    for name, tensor in module.state_dict().items():
        parts = [mp.mpf(v) for v in tensor.tolist()]
        values[name] = parts if tensor.numel() > 1 else parts[0]
    return values


def bump(t):
    """The cubic B-spline as the fourth difference of cubic ramps."""
    return sum((-1) ** j * mp.binomial(4, j) * max(t + 2 - j, mp.mpf(0)) ** 3 for j in range(5)) / 6


def spline_formula(x, coefficients):
    h = mp.mpf(1) / 2
    inside = min(max(x, mp.mpf(-3)), mp.mpf(3))
    s = (inside + 3) / h

    def sums(weight):
        return sum(c * weight(s + 2 - i) for i, c in enumerate(coefficients, start=1))

    # On the grid the second part is zero; at its ends only the bumps on the two sides of the end have a slope.
    slope = sums(lambda t: (abs(t) == 1) * -mp.sign(t) / 2) / h
    return sums(bump) + (slope * (x - inside) if x != inside else 0)


FORMULAS = {
    "TrainableELU": lambda x, alpha: x if x > 0 else alpha * mp.expm1(x),
    "AdaptiveSigmoid": lambda x, k, theta: 1 / (1 + mp.exp(-k * (x - theta))),
    "Sine": lambda x, omega: mp.sin(omega * x),
    "Snake": lambda x, a: x + mp.sin(a * x) ** 2 / a,
    "Rational": lambda x, c, a, b: (
        (c + sum(v * x**i for i, v in enumerate(a, start=1))) / (1 + (b[0] * x) ** 2 + (b[1] * x**2) ** 2)
    ),
    "Fourier": lambda x, omega, m, c, a, b: (
        m * x
        + c
        + sum(
            v * mp.cos(i * omega * x) + w * mp.sin(i * omega * x)
            for i, (v, w) in enumerate(zip(a, b, strict=True), start=1)
        )
    ),
    "BSpline": spline_formula,
}
# sin(1e4 omega): the rounded product omega x is off by up to 1e-12, five times that in the fifth harmonic.
TOLERANCES = {"Sine": 3e-12, "Snake": 3e-12, "Fourier": 2e-11}


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("name", ROWS)
def test_values_agree_with_mpmath_from_zero_to_ten_thousand(name, changed):
    module = shaken(MAKERS[name]) if changed else MAKERS[name]().double()

    with mp.workdps(40):
        known = numbers(module)
        expected = [float(FORMULAS[name](mp.mpf(x), **known)) for x in POINTS.tolist()]
    y = module(POINTS).detach()

    expected = torch.tensor(expected, dtype=torch.float64)
    # Near 0 the phases are small and 1e-12 holds for all.
    torch.testing.assert_close(y[: len(NEAR)], expected[: len(NEAR)], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(y, expected, rtol=1e-12, atol=TOLERANCES.get(name, 1e-12))


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("name", ROWS)
def test_slopes_and_curvatures_agree_with_mpmath(name, changed):
    module = shaken(MAKERS[name]) if changed else MAKERS[name]().double()
    # Off the knots and kinks, where mpmath can take differences with 60 digits.
    points = [-9.1, -3.3, -2.27, -1.1, -0.62, -0.03, 0.04, 0.81, 1.2, 2.6, 4.7, 12.3]
    x = torch.tensor(points, dtype=torch.float64, requires_grad=True)

    (slope,) = torch.autograd.grad(module(x).sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    with mp.workdps(60):
        known = numbers(module)
        first = [float(mp.diff(lambda t: FORMULAS[name](t, **known), p)) for p in points]
        second = [float(mp.diff(lambda t: FORMULAS[name](t, **known), p, 2)) for p in points]

    torch.testing.assert_close(slope.detach(), x.new_tensor(first), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(curvature, x.new_tensor(second), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("name", ROWS)
def test_the_slope_written_by_hand_is_that_of_autograd(name, changed):
    module = shaken(MAKERS[name]) if changed else MAKERS[name]().double()
    x = POINTS.clone().requires_grad_()
    (slope,) = torch.autograd.grad(module(x).sum(), x)

    known = module.state_dict() if changed else {}
    by_hand = ROWS[name].slope(POINTS, **known)

    torch.testing.assert_close(by_hand, slope, rtol=1e-12, atol=1e-11)


def scipy_spline(module: BSpline) -> ScipySpline:
    """The same coefficients on the same uniform knots, three more on each side."""
    knots = [module.step * j - module.grid for j in range(-3, module.intervals + 4)]
    return ScipySpline(knots, module.coefficients.tolist(), 3)


@pytest.mark.parametrize(("intervals", "grid"), [(12, 3.0), (2, 1.0), (7, 2.5)])
def test_the_spline_is_that_of_scipy_in_value_slope_and_coefficients(intervals, grid):
    torch.manual_seed(0)
    module = BSpline(intervals=intervals, grid=grid).double()
    nn.init.normal_(module.coefficients)
    reference = scipy_spline(module)
    x = torch.linspace(-grid, grid, 203, dtype=torch.float64, requires_grad=True)

    y = module(x)
    (slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope[1:-1].sum(), x)
    by_coefficient = torch.autograd.functional.jacobian(as_function(module), (x, module.coefficients))[1]

    points = x.detach().numpy()
    torch.testing.assert_close(y.detach(), x.new_tensor(reference(points)), rtol=0, atol=1e-12)
    torch.testing.assert_close(slope.detach(), x.new_tensor(reference(points, 1)), rtol=0, atol=1e-11)
    torch.testing.assert_close(curvature[1:-1], x.new_tensor(reference(points, 2)[1:-1]), rtol=0, atol=1e-10)
    matrix = ScipySpline.design_matrix(points, reference.t, 3).toarray()
    torch.testing.assert_close(by_coefficient, x.new_tensor(matrix), rtol=0, atol=1e-13)


def test_the_spline_leaves_its_grid_without_a_jump_or_a_kink_and_goes_on_straight():
    module = shaken(BSpline)
    reference = scipy_spline(module)
    x = torch.tensor([-1e4, -3 - 1e-9, -3.0, 3.0, 3 + 1e-9, 1e4], dtype=torch.float64, requires_grad=True)

    y = module(x)
    (slope,) = torch.autograd.grad(y.sum(), x)

    end, rise = reference([-3.0, 3.0]), reference([-3.0, 3.0], 1)
    expected = [end[0] + rise[0] * (-1e4 + 3), end[0], end[0], end[1], end[1], end[1] + rise[1] * (1e4 - 3)]
    torch.testing.assert_close(y.detach(), x.new_tensor(expected), rtol=1e-12, atol=1e-8)
    torch.testing.assert_close(slope, x.new_tensor([rise[0]] * 3 + [rise[1]] * 3), rtol=1e-12, atol=1e-12)


# --- Where they start ---------------------------------------------------------------------------------


def test_the_spline_starts_as_a_leaky_relu_but_for_the_corner():
    x = torch.tensor([-1e4, -5.0, -3.0, -1.0, 1.0, 2.2, 3.0, 77.0], dtype=torch.float64)

    y = BSpline(negative_slope=0.125).double()(x)

    torch.testing.assert_close(y, F.leaky_relu(x, 0.125), rtol=1e-14, atol=1e-14)


def test_the_rational_function_starts_as_silu_within_its_interval():
    x = torch.linspace(-4, 4, 801, dtype=torch.float64)

    assert (Rational().double()(x) - F.silu(x)).abs().max() < 1e-5


def test_more_harmonics_bring_the_fourier_sum_closer_to_relu():
    x = torch.linspace(-3, 3, 601)

    errors = [(Fourier(harmonics=n)(x) - x.relu()).abs().max().item() for n in (1, 5, 25, 125)]

    assert errors == sorted(errors, reverse=True)
    # The rest of the series at 0: 1/pi times the mean distance of odd squares, about 1 / (pi n).
    assert errors[-1] < 1 / (3.1 * 125)


def test_snake_is_a_fourier_sum_of_one_harmonic():
    snake, fourier = Snake(a=0.7).double(), Fourier(harmonics=1).double()
    with torch.no_grad():
        a = snake.a
        for name, value in {"omega": 2 * a, "m": 1, "c": 1 / (2 * a), "a": -1 / (2 * a), "b": 0}.items():
            getattr(fourier, name).copy_(torch.as_tensor(value))

    torch.testing.assert_close(snake(POINTS), fourier(POINTS), rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("a", [0.0, 1e-30, -1e-12, 1e-4])
def test_snake_with_a_vanishing_a_is_the_identity_and_can_leave_it(a):
    module, x = Snake(a=a), torch.tensor([-100.0, -1.0, 0.0, 2.0], requires_grad=True)

    y = module(x)
    y.sum().backward()

    # x + a x^2 is what is left of the function, and x^2 its derivative in a.
    torch.testing.assert_close(y, x + a * x**2, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(module.a.grad, torch.tensor([10005.0]), rtol=1e-3, atol=0)
    torch.testing.assert_close(x.grad, 1 + 2 * a * x.detach(), rtol=1e-4, atol=1e-6)


def test_the_denominator_of_the_rational_function_never_falls_below_one():
    for seed in range(20):
        torch.manual_seed(seed)
        module = Rational().double()
        with torch.no_grad():
            nn.init.normal_(module.b, std=10.0)
            module.a.zero_(), module.c.fill_(1.0)  # then the function is one over its denominator

        y = module(torch.linspace(-50, 50, 5001, dtype=torch.float64))

        assert 0 < y.min() <= y.max() <= 1


# --- Finite, in every dtype, through every wrapper ----------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@each(MAKERS)
def test_everything_stays_finite_far_from_zero(make, dtype):
    module = make().to(dtype)
    extremes = [0.0, *(sign * size for sign in (-1, 1) for size in (1e-30, 12.0, 88.0, 90.0, 100.0, 1e4))]
    x = torch.tensor(extremes, dtype=dtype, requires_grad=True)

    y = module(x)
    y.backward(torch.full_like(y, 1e-3))  # small, so that a sum over float16 does not overflow by itself

    for tensor in (y, x.grad, *(p.grad for p in module.parameters())):
        assert tensor.isfinite().all()
        assert tensor.dtype == dtype


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_slopes_by_hand_stay_finite_far_from_zero(name, dtype):
    module = MAKERS[name]().to(dtype)

    slope = ROWS[name].slope(POINTS.to(dtype), **module.state_dict())

    assert slope.isfinite().all()
    assert slope.dtype == dtype


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@each(MAKERS)
def test_half_precision_differs_from_single_by_a_rounding(make, dtype):
    module = make()
    x = torch.tensor([-1000.0, -2.3, -0.4, 0.7, 3.1, 1000.0], dtype=dtype)

    # Two roundings at most: in AdaptiveSigmoid and TrainableELU torch computes in the dtype itself.
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(module(x).float(), module(x.float()), rtol=2 * eps, atol=eps)


@each(MAKERS)
def test_first_and_second_derivatives_agree_with_finite_differences(make):
    x = torch.tensor([-4.1, -2.3, -0.6, 0.4, 1.7, 2.9, 5.2], dtype=torch.float64, requires_grad=True)
    module = shaken(make)

    assert gradcheck(as_function(module), (x, *module.parameters()))
    assert gradgradcheck(as_function(module), (x, *module.parameters()))


@each(LEARNING)
def test_channels_pass_the_check_of_their_derivatives_too(make):
    x = torch.tensor([[-4.1, 0.6], [0.4, 3.7]], dtype=torch.float64, requires_grad=True)
    module = shaken(make, num_parameters=2)

    assert gradcheck(as_function(module), (x, *module.parameters()))


@each(MAKERS)
def test_vmap_over_the_batch_changes_nothing(make):
    module, x = shaken(make), 2 * torch.randn(4, 3, dtype=torch.float64)

    torch.testing.assert_close(vmap(module)(x), module(x))


@each(MAKERS)
def test_vmap_over_stacked_networks_gives_each_its_own_function(make):
    modules = [make().double() for _ in range(3)]
    with torch.no_grad():
        for shift, module in enumerate(modules):
            for parameter in module.parameters():
                parameter.add_(0.1 * shift)
    stacked = [torch.stack(p).detach() for p in zip(*(m.parameters() for m in modules), strict=True)]
    x = 2 * torch.randn(3, 5, dtype=torch.float64)

    together = vmap(as_function(modules[0]))(x, *stacked)

    torch.testing.assert_close(together, torch.stack([m(row) for m, row in zip(modules, x, strict=True)]))


@each(MAKERS)
def test_torch_compile_takes_each_whole_and_changes_nothing(make):
    module = shaken(make)
    x = torch.linspace(-5, 5, 31, dtype=torch.float64, requires_grad=True)

    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    y = compiled(x)
    slopes = torch.autograd.grad(y.sum(), (x, *module.parameters()))

    torch.testing.assert_close(y, module(x))
    torch.testing.assert_close(slopes, torch.autograd.grad(module(x).sum(), (x, *module.parameters())))


@each(MAKERS)
def test_autocast_keeps_the_dtype_of_the_layer_before(make):
    module, layer = make(num_parameters=3), nn.Linear(4, 3)

    with torch.autocast("cpu", torch.bfloat16):
        hidden = layer(torch.randn(5, 4))
        y = module(hidden)
        y.sum().backward()

    assert hidden.dtype == y.dtype == torch.bfloat16
    assert all(p.grad.isfinite().all() and p.grad.dtype == p.dtype for p in module.parameters())


@pytest.mark.parametrize("shape", [(), (0,), (5,), (0, 3), (2, 3, 4)])
@each(MAKERS)
def test_any_shape_goes_in_and_comes_out(make, shape):
    assert make()(torch.randn(shape)).shape == shape


def test_a_nan_comes_out_as_a_nan_and_breaks_nothing():
    x = torch.tensor([1.0, float("nan"), 2.0])

    for make in MAKERS.values():
        assert make()(x).isnan().tolist() == [False, True, False]


# --- Copies and training ------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
@each(MAKERS)
def test_a_copy_computes_the_same_and_shares_nothing(make, copied, channels):
    module, x = shaken(make, num_parameters=channels), torch.randn(5, 3, dtype=torch.float64)

    other = copied(module)

    assert torch.equal(other(x), module(x))
    assert not {t.data_ptr() for t in other.state_dict().values()} & {
        t.data_ptr() for t in module.state_dict().values()
    }


@each(MAKERS)
def test_a_state_dict_carries_the_whole_function(make):
    module, fresh = shaken(make), make().double()

    before = torch.equal(fresh(POINTS), module(POINTS))
    fresh.load_state_dict(module.state_dict())

    assert not before
    assert torch.equal(fresh(POINTS), module(POINTS))


@pytest.mark.parametrize("channels", [1, 3])
@each(LEARNING)
def test_every_learned_number_gets_a_gradient_and_moves(make, channels):
    torch.manual_seed(0)
    module = make(num_parameters=channels)
    optimiser = torch.optim.SGD(module.parameters(), lr=1e-2)
    before = copy.deepcopy(module.state_dict())

    for _ in range(3):
        optimiser.zero_grad()
        # Spread wide enough to reach both ends of the spline.
        (module(2 * torch.randn(200, 3)) - 0.3).square().mean().backward()
        assert all(p.grad.isfinite().all() and (p.grad != 0).all() for p in module.parameters())
        optimiser.step()

    assert all((value != before[name]).all() for name, value in module.state_dict().items())


@each(LEARNING)
def test_a_set_of_numbers_for_a_channel_acts_on_that_channel_alone(make):
    module, x = shaken(make, num_parameters=3), torch.randn(2, 3, 4, dtype=torch.float64)

    y = module(x)

    for channel in range(3):
        alone = make().double()
        alone.load_state_dict(
            {
                name: value[channel].reshape(alone.state_dict()[name].shape)
                for name, value in module.state_dict().items()
            }
        )
        torch.testing.assert_close(y[:, channel], alone(x[:, channel]))


@each(LEARNING)
def test_the_loss_of_one_channel_reaches_only_its_own_numbers(make):
    module = make(num_parameters=3)

    module(torch.randn(50, 3))[:, 1].square().sum().backward()

    for parameter in module.parameters():
        assert (parameter.grad[[0, 2]] == 0).all()
        assert (parameter.grad[1] != 0).any()


# --- Sharing ------------------------------------------------------------------------------------------


def test_one_number_and_channels_broadcast_as_prelu_does():
    x = torch.randn(2, 3, 4, 5)
    prelu = nn.PReLU(3)
    nn.init.normal_(prelu.weight)

    by_hand = torch.where(x > 0, x, along_channels(prelu.weight, x) * x)

    torch.testing.assert_close(by_hand, prelu(x))


def test_the_parameters_take_the_dtype_of_the_input_or_the_one_asked_for():
    x = torch.ones(2, 3, dtype=torch.bfloat16)

    assert along_channels(torch.ones(3), x).dtype == torch.bfloat16
    assert along_channels(torch.ones(3, 4), x, series=True, dtype=torch.float32).dtype == torch.float32


@pytest.mark.parametrize("shape", [(), (3,), (5, 2), (3, 5, 4)])
@each(LEARNING)
def test_another_number_of_channels_is_refused_with_a_way_out(make, shape):
    with pytest.raises(ValueError, match=r"wanted \(N, 3, \.\.\.\).*num_parameters=1"):
        make(num_parameters=3)(torch.zeros(shape))


@pytest.mark.parametrize("count", [0, -1, 2.0, True])
def test_a_number_of_parameters_that_is_none_is_refused(count):
    with pytest.raises(ValueError, match="num_parameters must be a whole number of at least 1, got"):
        start(0.25, count)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Fourier(harmonics=0), "at least one harmonic, got harmonics=0"),
        (lambda: BSpline(intervals=1), "at least two intervals, got intervals=1"),
        (lambda: BSpline(grid=0.0), "grid=0.0; try 3.0"),
        (lambda: BSpline(grid=float("inf")), "grid=inf"),
        (lambda: Rational(num_parameters=0), "got 0"),
    ],
)
def test_settings_that_make_no_function_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
@each(MAKERS)
def test_each_follows_to_the_gpu(make):
    module = shaken(make, num_parameters=3)
    x = torch.randn(4, 3, dtype=torch.float64)

    there = copy.deepcopy(module).cuda()(x.cuda())

    assert there.is_cuda
    torch.testing.assert_close(there.cpu(), module(x), rtol=1e-10, atol=1e-10)
