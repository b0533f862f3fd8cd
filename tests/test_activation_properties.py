"""What the table of activations claims about each function, measured."""

import math
from collections.abc import Callable

import mpmath
import numpy
import pytest
import torch
from mpmath import mp

from labs.activations import ACTIVATIONS, STAF, derivative, property_table
from tests.activation_cases import DETERMINED, ELEMENTWISE, FAR, GATED, NAMES, OFF_KINKS, double_module
from tests.latex_reader import Latex, evaluate_latex, symbols_of

# --- On a grid, in float64 ----------------------------------------------------------------------------

MARKS = sorted({point for name in ELEMENTWISE for point in ACTIVATIONS[name].properties.kinks})
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

    ends = double_module(name)(HUGE).tolist()

    for value, limit in zip(ends, (properties.left, properties.right), strict=True):
        assert limit is None or agrees(value, limit, 1e-12)


@pytest.mark.parametrize("name", DETERMINED)
def test_a_limit_that_is_left_out_does_not_exist(name):
    properties = ACTIVATIONS[name].properties
    far = torch.linspace(1e3, 1e3 + 20, 2001, dtype=torch.float64)

    for points, limit in ((-far, properties.left), (far, properties.right)):
        y = double_module(name)(points)
        assert limit is not None or (y.max() - y.min() > 0.1 and y.abs().max() < 100)


@pytest.mark.parametrize("name", DETERMINED)
def test_the_lipschitz_constant_bounds_every_chord_and_is_the_best_bound(name):
    claimed = ACTIVATIONS[name].properties.lipschitz

    points = torch.cat([HUGE[:1], GRID, HUGE[1:]])
    chords = (double_module(name)(points).diff() / points.diff()).abs()

    # Chords of length 1e-9 beside a kink carry rounding errors of 1e-7.
    assert chords.max() <= claimed + 1e-6
    assert agrees(chords.max().item(), claimed, 1e-6)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_monotonic_means_that_the_values_never_fall(name):
    never_falls = bool((double_module(name)(GRID).diff() >= -1e-12).all())

    assert never_falls == ACTIVATIONS[name].properties.monotonic


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_convex_means_that_no_midpoint_lies_above_its_chord(name):
    module = double_module(name)
    a = torch.linspace(-10, 10, 401, dtype=torch.float64)
    b = a[:, None]

    no_midpoint_above = bool((module((a + b) / 2) <= (module(a) + module(b)) / 2 + 1e-12).all())

    assert no_midpoint_above == ACTIVATIONS[name].properties.convex


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_zero_at_zero_is_as_claimed(name):
    value = double_module(name)(torch.zeros(1, dtype=torch.float64)).item()

    assert (value == 0) == ACTIVATIONS[name].properties.zero_at_zero


@pytest.mark.parametrize("name", ELEMENTWISE)
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


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_kinks_are_where_left_and_right_slope_differ(name):
    module = double_module(name)

    with torch.no_grad():
        assert rough_points(module) == set(ACTIVATIONS[name].properties.kinks)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_smooth_means_that_none_of_the_first_three_derivatives_jumps(name):
    module = double_module(name)

    with torch.no_grad():
        jumps = rough_points(module)
        jumps |= rough_points(lambda x: derivative(module, x))
        jumps |= rough_points(lambda x: derivative(module, x, order=2))

    assert (not jumps) == ACTIVATIONS[name].properties.smooth


def test_staf_has_no_range_of_its_own_because_two_draws_differ():
    torch.manual_seed(0)

    highest = [STAF().double()(GRID).max().item() for _ in range(2)]

    assert abs(highest[0] - highest[1]) > 0.1
    assert "STAF" not in DETERMINED


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_symmetry_is_as_claimed(name):
    module = double_module(name)

    right, left = module(OFF_KINKS), module(-OFF_KINKS)

    odd, even = (torch.allclose(left, sign * right, rtol=1e-12, atol=1e-12) for sign in (-1, 1))
    assert {"odd": odd, "even": even, None: not odd and not even}[ACTIVATIONS[name].properties.symmetry]


# --- The constants, to the last digit -----------------------------------------------------------------


def displayed(name: str, which: str) -> Callable[[mpmath.mpf], mpmath.mpf]:
    """Return a formula of the table as a function of x for mpmath."""
    formula, symbols = Latex(getattr(ACTIVATIONS[name], which)), symbols_of(name, double_module(name))
    return lambda x: formula(x=mp.mpf(x), **symbols)


def sign_changes(function: Callable, points: list) -> list[mpmath.mpf]:
    """Return where ``function`` changes its sign, a jump included, to 25 digits by bisection."""
    found = []
    values = [function(point) for point in points]
    for left, right, at_left, at_right in zip(points, points[1:], values, values[1:], strict=False):
        if at_left * at_right < 0:
            for _ in range(85):
                middle = (left + right) / 2
                left, right = (middle, right) if function(middle) * at_left > 0 else (left, middle)
            found.append(left)
    return found


# Far enough for every limit to be reached in a double, and for the formulas to be evaluated still.
LIMITS = (mp.mpf("-1e17"), mp.mpf("1e17"))
# Between the places where a formula changes its rule, which are all at multiples of one half.
BETWEEN = [mp.mpf(i) / 4 + mp.mpf("0.0123") for i in range(-50, 51)]
LAST_BIT = 4.5e-16  # two units in the last place of a number near one


def exactness(name: str) -> float:
    """Return how far a constant may be off: those of a fitted start follow the rounding of float32 parameters."""
    return 1e-7 if name in ("Rational", "BSpline", "Fourier") else 2 * LAST_BIT


def places_of_extremes(name: str, derivative_formula: str) -> list[mpmath.mpf]:
    """Return the candidates for an extreme value: stationary points, both sides of the kinks, both ends."""
    beside = [
        mp.mpf(k) + side * mp.mpf("1e-30") for k in ACTIVATIONS[name].properties.kinks for side in (-1, 1)
    ]
    return sign_changes(displayed(name, derivative_formula), BETWEEN) + beside + list(LIMITS)


@pytest.mark.parametrize("name", DETERMINED)
def test_the_range_is_exact_to_the_last_digit(name):
    with mp.workdps(40):
        f = displayed(name, "formula")
        values = [f(place) for place in places_of_extremes(name, "derivative_formula")]

    for measured, claimed in zip((min(values), max(values)), ACTIVATIONS[name].properties.range, strict=True):
        assert (
            abs(measured) > 1e6 if math.isinf(claimed) else abs(float(measured) - claimed) <= exactness(name)
        )


BOUNDED = [name for name in DETERMINED if math.isfinite(ACTIVATIONS[name].properties.lipschitz)]


@pytest.mark.parametrize("name", BOUNDED)  # that the others have no bound, their chords show
def test_the_lipschitz_constant_is_exact_to_the_last_digit(name):
    claimed = ACTIVATIONS[name].properties.lipschitz

    with mp.workdps(40):
        slope = displayed(name, "derivative_formula")
        steepest = max(abs(slope(place)) for place in places_of_extremes(name, "second_derivative_formula"))

    assert abs(float(steepest) - claimed) <= exactness(name) * max(1, claimed)


@pytest.mark.parametrize("name", DETERMINED)
def test_the_gaussian_gain_brings_the_mean_square_to_one(name):
    # Quadrature is exact where the integrand is smooth: split at the kinks, and a spline where its pieces meet.
    # Beyond 11 the density is below 1e-26.
    seams = {i / 2 for i in range(-6, 7)} if name == "BSpline" else set(ACTIVATIONS[name].properties.kinks)
    panels = sorted({-11, -4, 0, 4, 11} | {seam for seam in seams if abs(seam) < 11})

    with mp.workdps(25):
        f = displayed(name, "formula")
        mean_square = mp.quad(lambda z: f(z) ** 2 * mp.npdf(z), panels)
        exact = float(1 / mp.sqrt(mean_square))

    assert abs(exact - ACTIVATIONS[name].properties.gain) <= exactness(name)


def test_only_what_is_drawn_at_random_has_no_gain():
    without = {name for name, info in ACTIVATIONS.items() if info.properties.gain is None}

    assert without == set(ELEMENTWISE) - set(DETERMINED)


# --- Functions of two inputs --------------------------------------------------------------------------


def halves(name: str, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return f(a, b) for values ``a`` and gates ``b`` of the same shape."""
    return double_module(name)(torch.stack([a, b], dim=-1)).squeeze(-1)


@pytest.mark.parametrize("name", GATED)
def test_the_gain_of_two_inputs_brings_the_mean_square_to_one(name):
    # In the coordinates (a - b, a + b) the line a = b, where Maxout has its kink, lies between two panels.
    nodes, weights = (torch.from_numpy(array) for array in numpy.polynomial.legendre.leggauss(70))
    z = torch.cat([6 * nodes - 6, 6 * nodes + 6])
    weight = 6 * weights.repeat(2) * torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    across, along = z[:, None].expand(140, 140), z[None, :].expand(140, 140)
    values = halves(name, (along + across) / math.sqrt(2), (along - across) / math.sqrt(2))

    mean_square = (weight[:, None] * weight * values**2).sum().item()

    assert ACTIVATIONS[name].properties.gain == pytest.approx(mean_square**-0.5, rel=1e-10)


SQUARE = torch.cartesian_prod(*[torch.linspace(-8, 8, 41, dtype=torch.float64)] * 2).T  # (2, 1681)


@pytest.mark.parametrize("name", GATED)
def test_monotonic_in_two_inputs_means_that_raising_either_never_lowers_the_value(name):
    a, b = SQUARE
    before = halves(name, a, b)

    never_falls = bool(((halves(name, a + 0.3, b) >= before) & (halves(name, a, b + 0.3) >= before)).all())

    assert never_falls == ACTIVATIONS[name].properties.monotonic


@pytest.mark.parametrize("name", GATED)
def test_the_lipschitz_constant_in_two_inputs_bounds_the_gradient(name):
    points = torch.cat([SQUARE.T, 1e8 * SQUARE.T, torch.tensor([[1e8, 0.0]], dtype=torch.float64)])

    gradient = evaluate_latex(
        ACTIVATIONS[name].derivative_formula, name, double_module(name), off_line(points)
    )

    assert agrees(
        gradient.squeeze(-1).norm(dim=1).max().item(), ACTIVATIONS[name].properties.lipschitz, 1e-12
    )


def off_line(points: torch.Tensor) -> torch.Tensor:
    """Leave out the pairs of equal numbers, where Maxout has its kink."""
    return points[points[:, 0] != points[:, 1]]


@pytest.mark.parametrize("name", GATED)
def test_range_zero_convexity_and_homogeneity_in_two_inputs_are_as_claimed(name):
    properties, (a, b) = ACTIVATIONS[name].properties, SQUARE
    c, d = SQUARE[:, torch.randperm(1681, generator=torch.Generator().manual_seed(0))]
    one = torch.ones(1, dtype=torch.float64)
    values = halves(name, a, b)

    below_chords = (halves(name, (a + c) / 2, (b + d) / 2) <= (values + halves(name, c, d)) / 2 + 1e-12).all()
    scales = torch.allclose(halves(name, 3 * a, 3 * b), 3 * values)

    assert properties.range == (-math.inf, math.inf)
    assert halves(name, -1e9 * one, -1e9 * one if name == "Maxout" else one) < -1e8
    assert halves(name, 1e9 * one, one) > 1e8
    assert (halves(name, 0 * one, 0 * one) == 0) == properties.zero_at_zero
    assert bool(below_chords) == properties.convex
    assert scales == properties.homogeneous


def test_only_maxout_of_the_functions_of_two_inputs_has_a_kink():
    along = torch.tensor([-1e-6, 0.0, 1e-6], dtype=torch.float64)

    for name in GATED:
        below, at, above = halves(name, 0.7 + along, torch.full((3,), 0.7, dtype=torch.float64)).tolist()
        kinked = abs((above - at) - (at - below)) > 1e-7
        assert kinked == (not ACTIVATIONS[name].properties.smooth)


# --- The table that the book shows --------------------------------------------------------------------


def test_the_property_table_has_a_row_for_every_function_in_the_order_of_the_table():
    table = property_table()

    assert [row[0] for row in table.rows] == NAMES
    assert {"family", "range", "left", "right", "monotone", "symmetry", "Lipschitz", "gain", "kinks", "smooth",
            "learnable"} <= set(table.columns)  # fmt: skip


def test_the_property_table_rounds_and_writes_infinity_and_minus_as_readers_do():
    table = property_table(
        ["GELU", "Hardtanh", "STAF", "GLU"], columns=["range", "left", "Lipschitz", "kinks"]
    )

    assert table.rows == [
        ["GELU", "\u22120.17 to \u221e", "0", "1.129", "none"],
        ["Hardtanh", "\u22121 to 1", "\u22121", "1", "\u22121, 1"],
        ["STAF", "\u2013", "\u2013", "\u2013", "none"],
        ["GLU", "\u2212\u221e to \u221e", "\u2013", "\u221e", "\u2013"],
    ]


def test_the_property_table_keeps_the_order_asked_for_and_fits_on_a_phone():
    table = property_table(["Tanh", "ReLU"], columns=["learnable", "family", "gain"])

    assert table.columns == ["name", "learnable", "family", "gain"]
    assert [row[0] for row in table.rows] == ["Tanh", "ReLU"]
    assert max(map(len, repr(table).splitlines())) <= 40


def test_the_property_table_refuses_what_it_does_not_know():
    with pytest.raises(ValueError, match=r"unknown names \['Relu'\]; choose from: Step"):
        property_table(["Relu"])
    with pytest.raises(ValueError, match=r"unknown columns \['colour'\]; choose from: family"):
        property_table(columns=["colour"])
    with pytest.raises(TypeError, match=r"single string 'ReLU'; write \['ReLU'\]"):
        property_table("ReLU")
