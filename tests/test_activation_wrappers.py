"""What torch does with a module besides calling it, and what happens far from zero, in every precision."""

import copy
import math
import pickle
import shutil

import pytest
import torch
from mpmath import mp
from torch import nn
from torch.func import functional_call, grad, vmap

from labs.activations import ACTIVATIONS, derivative, make_activation
from tests.activation_cases import (
    CASES,
    ELEMENTWISE,
    GATED,
    LEARNABLE,
    NAMES,
    OFF_KINKS,
    PAIRS,
    double_module,
    parameters_of,
)
from tests.latex_reader import evaluate_latex

EVERY_CASE = CASES + [(name, {}) for name in GATED]


def points_for(name: str) -> torch.Tensor:
    """Return points in float64: single numbers, or pairs in the last dimension."""
    return PAIRS if name in GATED else OFF_KINKS


# --- Transforms ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "settings"), EVERY_CASE)
def test_vmap_gives_what_a_call_gives(name, settings):
    module, x = double_module(name, **settings), torch.randn(3, 5, 4, dtype=torch.float64)

    # In another order of summation the last bits may differ.
    torch.testing.assert_close(vmap(module)(x), module(x), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(vmap(vmap(module))(x), module(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_slope_of_each_example_comes_out_of_vmap_and_grad(name):
    module, x = double_module(name), OFF_KINKS[::5]

    slopes = vmap(grad(module))(x)

    torch.testing.assert_close(slopes, derivative(module, x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", LEARNABLE)
def test_a_stack_of_parameters_runs_as_a_stack_of_modules(name):
    modules = [make_activation(name).double() for _ in range(3)]
    for i, module in enumerate(modules):
        with torch.no_grad():
            [p.add_(0.1 * i) for p in module.parameters()]
    parameters, buffers = torch.func.stack_module_state(modules)
    x = torch.randn(4, 2, dtype=torch.float64)

    together = vmap(lambda p, b: functional_call(modules[0], (p, b), (x,)))(parameters, buffers)

    expected = torch.stack([module(x) for module in modules])
    torch.testing.assert_close(together, expected, rtol=1e-12, atol=1e-12)


def values_and_gradients(function, module: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    x = x.clone().requires_grad_()
    y = function(x)
    return [y.detach(), *torch.autograd.grad(y.square().sum(), [x, *module.parameters()])]


@pytest.mark.parametrize("name", NAMES)
def test_the_module_compiles_into_one_graph_forward_and_backward(name):
    torch._dynamo.reset()
    module, x = double_module(name), torch.randn(6, 4, dtype=torch.float64)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")

    results = values_and_gradients(compiled, module, x)

    torch.testing.assert_close(results, values_and_gradients(module, module, x), rtol=1e-12, atol=1e-12)


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler, which inductor needs")
@pytest.mark.parametrize("name", ["TeLU", "Swish"])
def test_the_compiled_kernel_computes_the_same(name):
    torch._dynamo.reset()
    module, x = double_module(name), torch.randn(6, 4, dtype=torch.float64)

    results = values_and_gradients(torch.compile(module, fullgraph=True), module, x)

    torch.testing.assert_close(results, values_and_gradients(module, module, x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "settings"), EVERY_CASE)
def test_autocast_stays_in_bfloat16_behind_a_linear_layer(name, settings):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 8), make_activation(name, **settings))

    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = network(torch.randn(5, 4))
    y.float().square().sum().backward()

    assert y.dtype == torch.bfloat16
    assert y.isfinite().all()
    gradients = [p.grad for p in network.parameters()]
    assert all(g.dtype == torch.float32 and g.isfinite().all() for g in gradients)


# --- Copies -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
@pytest.mark.parametrize("name", NAMES)
def test_a_copy_computes_the_same_and_shares_nothing(name, copied):
    module = double_module(name)

    other = copied(module)

    assert torch.equal(other(points_for(name)), module(points_for(name)))
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


# --- Far from zero ------------------------------------------------------------------------------------

DTYPES = [torch.float32, torch.bfloat16, torch.float16, torch.float64]
EXTREMES = [0.0, *(sign * size for sign in (-1, 1) for size in (1e-30, 12.0, 88.0, 90.0, 100.0, 1e4))]


def fits(name: str, exact: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return which of the exact values the dtype can hold: the square of 1e4 is above the largest float16."""
    return exact.abs() < torch.finfo(dtype).max


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_values_slopes_and_gradients_stay_finite_far_from_zero(name, dtype):
    torch.manual_seed(0)
    module = make_activation(name).to(dtype).eval()
    x = torch.tensor(EXTREMES, dtype=dtype, requires_grad=True)
    holds = fits(name, copy.deepcopy(module).double()(x.detach().double()).detach(), dtype)

    y = module(x)
    y.backward(torch.full_like(y, 1e-3))  # small, so that a sum over float16 does not overflow by itself

    assert y[holds].isfinite().all()
    assert not y.isnan().any()
    assert holds.all() or (name, dtype) == ("SquaredReLU", torch.float16)
    assert x.grad.isfinite().all()
    assert all(p.grad.isfinite().all() for p in module.parameters())
    assert derivative(module, x).isfinite().all()
    assert derivative(module, x, order=2).isfinite().all()
    by_hand = ACTIVATIONS[name].slope(x.detach(), **parameters_of(name, module))
    assert by_hand.isfinite().all()
    assert y.dtype == by_hand.dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", GATED)
def test_two_inputs_stay_finite_far_from_zero(name, dtype):
    module = make_activation(name)
    x = torch.cartesian_prod(*[torch.tensor(EXTREMES)] * 2).to(dtype).requires_grad_()
    exact = double_module(name)(x.detach().double())

    y = module(x)
    (gradient,) = torch.autograd.grad(y, x, torch.full_like(y, 1e-3))

    assert y[fits(name, exact, dtype)].isfinite().all()
    assert not y.isnan().any()
    assert gradient.isfinite().all()


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_at_infinity_a_value_that_exists_is_the_limit_or_nan_but_never_wrong(name):
    properties = ACTIVATIONS[name].properties

    at_ends = double_module(name)(torch.tensor([-math.inf, math.inf], dtype=torch.float64)).tolist()

    for value, limit in zip(at_ends, (properties.left, properties.right), strict=True):
        assert math.isnan(value) or limit is None or value == pytest.approx(limit)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_negative_zero_is_zero(name):
    module = double_module(name)

    plus, minus = module(torch.tensor([0.0, -0.0], dtype=torch.float64)).tolist()

    # The 25 sines of STAF are added in an order that depends on the place in the tensor: the last bits may differ.
    assert plus == (pytest.approx(minus, abs=1e-13) if name == "STAF" else minus)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_float32_loses_no_more_than_rounding_takes(name):
    module = double_module(name)
    x = torch.linspace(-12, 12, 97)

    single = copy.deepcopy(module).float()(x)

    exact = evaluate_latex(ACTIVATIONS[name].formula, name, module, x.double())
    # A few roundings of 6e-8 each, in numbers of size 1 to 100.
    torch.testing.assert_close(single.double(), exact, rtol=2e-6, atol=2e-6)


TEXTBOOK = {
    "Tanh": lambda x: (torch.exp(x) - torch.exp(-x)) / (torch.exp(x) + torch.exp(-x)),
    "Sigmoid": lambda x: torch.exp(x) / (1 + torch.exp(x)),
    "ELU": lambda x: torch.where(x > 0, x, torch.exp(x) - 1),
    "TrainableELU": lambda x: torch.where(x > 0, x, torch.exp(x) - 1),
}


@pytest.mark.parametrize("name", TEXTBOOK)
def test_the_textbook_form_gives_nan_far_out_and_ours_does_not(name):
    far = torch.tensor([-100.0, 100.0])

    by_the_book = torch.stack([TEXTBOOK[name](far), derivative(TEXTBOOK[name], far)])
    ours = torch.stack([make_activation(name)(far).detach(), derivative(name, far)])

    assert by_the_book.isnan().any()
    assert ours.isfinite().all()
    with mp.workdps(60):
        expected = {"Tanh": [-1.0, 1.0], "Sigmoid": [float(mp.exp(-100)), 1.0]}.get(
            name, [float(mp.expm1(-100)), 100.0]
        )
    torch.testing.assert_close(ours[0], torch.tensor(expected))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_gpu_computes_what_the_cpu_computes(name, dtype):
    torch.manual_seed(0)
    module = make_activation(name).to(dtype).eval()
    x = torch.tensor(EXTREMES, dtype=dtype)

    on_gpu = copy.deepcopy(module).cuda()

    for order in (1, 2):
        assert derivative(on_gpu, x.cuda(), order=order).isfinite().all()
    # A few roundings of the dtype apart. A sine of a large argument may differ by more, so it is not compared.
    if name not in ("STAF", "Sine", "Snake", "Fourier"):
        precision, near = 16 * torch.finfo(dtype).eps, x[x.abs() < 1e3]
        torch.testing.assert_close(on_gpu(near.cuda()).cpu(), module(near), rtol=precision, atol=precision)
