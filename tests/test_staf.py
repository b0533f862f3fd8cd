"""STAF: one pass in blocks that keeps only its input, held against the formula as it stands."""

import copy
import os
import pickle
import shutil

import pytest
import torch
from mpmath import mp
from torch import nn
from torch.autograd import gradcheck, gradgradcheck
from torch.func import functional_call, grad, jacfwd, jacrev, vmap

from labs.activations import derivative
from labs.activations.staf import _BLOCK, STAF

DTYPES = [torch.float32, torch.bfloat16, torch.float16, torch.float64]


@pytest.fixture(autouse=True)
def _same_draws():
    torch.manual_seed(0)


def as_function(module: nn.Module):
    """The module as a function of the input and its parameters."""
    names = [name for name, _ in module.named_parameters()]
    return lambda x, *values: functional_call(module, dict(zip(names, values, strict=True)), (x,))


def results(call, module: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """Values, slope and parameter gradients of a weighted sum, so that every number counts differently."""
    x = x.detach().clone().requires_grad_()
    y = call(x)
    weights = torch.linspace(-1, 2, y.numel(), dtype=torch.float64).to(y.dtype).reshape(y.shape)
    return [y, *torch.autograd.grad((y * weights).sum(), (x, *module.parameters()))]


# More inputs than one block, a rest that fills none, channels in the middle, more channels than a block.
SHAPES = {
    "a number": ((), 1),
    "a vector": ((5,), 1),
    "several blocks and a rest": ((2 * _BLOCK + 17,), 1),
    "images": ((2, 3, 5, 7), 1),
    "units": ((4, 3), 3),
    "feature maps": ((2, 3, 50, 41), 3),
    "more channels than a block": ((2, _BLOCK + 1), _BLOCK + 1),
}


@pytest.mark.parametrize(("shape", "channels"), SHAPES.values(), ids=SHAPES)
def test_the_blocks_give_what_the_formula_gives_in_value_slope_and_parameter_gradients(shape, channels):
    module = STAF(tau=4, num_parameters=channels).double()
    x = 3 * torch.randn(shape, dtype=torch.float64)

    blocks, plain = results(module, module, x), results(module.plain, module, x)

    # The sum over 8000 inputs, taken in another order.
    torch.testing.assert_close(blocks, plain, rtol=1e-10, atol=1e-11)


def test_the_formula_holds_against_mpmath_at_ordinary_and_at_far_points():
    module = STAF(tau=25).double()
    x = torch.tensor([-1e4, -20.3, -3.1, -0.7, 0.0, 1e-3, 0.4, 2.9, 20.3, 1e4], dtype=torch.float64)
    numbers = [[mp.mpf(v) for v in p.tolist()] for p in module.parameters()]

    with mp.workdps(40):
        terms = list(zip(*numbers, strict=True))
        value = [float(sum(c * mp.sin(w * t + p) for c, w, p in terms)) for t in map(mp.mpf, x.tolist())]
        slope = [float(sum(c * w * mp.cos(w * t + p) for c, w, p in terms)) for t in map(mp.mpf, x.tolist())]
    y = module(x).detach()
    dx = derivative(module, x)

    # A phase of 1e4 is rounded by 1e-12, in 25 terms of size one to three.
    tolerance = torch.where(x.abs() > 100, 1e-10, 1e-12)
    assert ((y - y.new_tensor(value)).abs() <= tolerance).all()
    assert ((dx - y.new_tensor(slope)).abs() <= tolerance).all()


@pytest.mark.parametrize(("shape", "channels"), [((6,), 1), ((2, 3), 3)])
def test_first_and_second_derivatives_agree_with_finite_differences(shape, channels):
    module = STAF(tau=3, num_parameters=channels).double()
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    inputs = (x, *module.parameters())

    assert gradcheck(as_function(module), inputs, check_forward_ad=True)
    assert gradgradcheck(as_function(module), inputs)


def test_the_second_derivative_goes_through_every_block():
    module = STAF(tau=2).double()
    x = torch.linspace(-3, 3, _BLOCK + 50, dtype=torch.float64, requires_grad=True)

    (slope,) = torch.autograd.grad(module(x).sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), x)

    C, omega, phi = module.C, module.omega, module.phi
    expected = -(C * omega**2 * torch.sin(omega * x[:, None] + phi)).sum(-1)
    torch.testing.assert_close(curvature, expected.detach(), rtol=0, atol=1e-12)


def test_the_transforms_of_torch_func_go_through():
    module = STAF(tau=3).double()
    x = torch.randn(4, 6, dtype=torch.float64)
    values = tuple(p.detach() for p in module.parameters())

    per_example = vmap(
        grad(lambda row, *v: as_function(module)(row, *v).square().sum()), (0, None, None, None)
    )
    expected = torch.stack(
        [torch.autograd.functional.jacobian(lambda r: module(r).square().sum(), r) for r in x]
    )

    torch.testing.assert_close(vmap(module)(x), module(x))
    torch.testing.assert_close(per_example(x, *values), expected)
    torch.testing.assert_close(jacfwd(module)(x[0]), jacrev(module)(x[0]))
    torch.testing.assert_close(
        jacfwd(jacrev(lambda r: module(r).sum()))(x[0]).diagonal(), _curvature(module, x[0])
    )


def _curvature(module: STAF, x: torch.Tensor) -> torch.Tensor:
    C, omega, phi = (p.detach() for p in module.parameters())
    return -(C * omega**2 * torch.sin(omega * x[:, None] + phi)).sum(-1)


def test_many_networks_with_their_own_parameters_can_be_stacked():
    modules = [STAF(tau=3).double() for _ in range(4)]
    stacked = [torch.stack(p).detach() for p in zip(*(m.parameters() for m in modules), strict=True)]
    x = torch.randn(4, 7, dtype=torch.float64)

    together = vmap(as_function(modules[0]))(x, *stacked)

    torch.testing.assert_close(together, torch.stack([m(row) for m, row in zip(modules, x, strict=True)]))


@pytest.mark.parametrize("channels", [1, 3])
def test_torch_compile_takes_it_whole_and_changes_nothing(channels):
    module = STAF(tau=3, num_parameters=channels).double()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    x = torch.randn(5, 3, dtype=torch.float64)

    torch.testing.assert_close(results(compiled, module, x), results(module, module, x))


@pytest.mark.skipif(shutil.which(os.environ.get("CXX", "g++")) is None, reason="no C++ compiler here")
def test_the_compiled_formula_gives_the_same_and_keeps_no_more_than_the_blocks():
    module = STAF()
    compiled = torch.compile(module, fullgraph=True)
    x = torch.randn(8, 256, requires_grad=True)

    kept = bytes_kept(compiled, x)

    # The compiler, too, computes the sines again instead of keeping them.
    assert kept == bytes_kept(module, x)
    # Sums over 2048 inputs in float32, in another order.
    for ours, theirs in zip(results(module, module, x), results(compiled, module, x), strict=True):
        torch.testing.assert_close(theirs, ours, rtol=1e-4, atol=1e-4 * ours.abs().max().item())


@pytest.mark.parametrize("dtype", DTYPES)
def test_everything_stays_finite_far_from_zero(dtype):
    module = STAF().to(dtype)
    x = torch.tensor([0.0, 1e-30, -12.0, 88.0, 100.0, -1e4, 1e4], dtype=dtype, requires_grad=True)

    y = module(x)
    y.backward(torch.full_like(y, 1e-3))

    for number in (y, x.grad, *(p.grad for p in module.parameters())):
        assert number.isfinite().all()
        assert number.dtype == dtype


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_rounds_the_result_and_not_the_phases(dtype):
    module = STAF()
    x = torch.tensor([-1000.0, -3.0, 0.5, 1000.0], dtype=dtype)

    # Half of the last place: 2^-9 for bfloat16; a phase in bfloat16 would be off by radians.
    torch.testing.assert_close(module(x).float(), module(x.float()), rtol=torch.finfo(dtype).eps, atol=1e-6)


def test_autocast_leaves_the_sines_alone_and_the_dtype_of_the_layer_before():
    module, layer = STAF(), nn.Linear(4, 4)
    x = torch.randn(3, 4)

    with torch.autocast("cpu", torch.bfloat16):
        hidden = layer(x)
        y = module(hidden)
        (y.sum() + module(x).sum()).backward()
        in_single = module(x)

    assert hidden.dtype == y.dtype == torch.bfloat16
    torch.testing.assert_close(y, module(hidden))
    torch.testing.assert_close(in_single, module(x))
    assert all(p.grad.isfinite().all() for p in (*module.parameters(), *layer.parameters()))


@pytest.mark.parametrize(("shape", "channels"), [((0,), 1), ((0, 3), 1), ((0, 3), 3), ((2, 3, 0), 3)])
def test_an_empty_input_gives_an_empty_output_and_zero_gradients(shape, channels):
    module = STAF(num_parameters=channels)
    x = torch.zeros(shape, requires_grad=True)

    module(x).sum().backward()

    assert module(x).shape == x.grad.shape == shape
    assert all((p.grad == 0).all() for p in module.parameters())


# --- Memory -------------------------------------------------------------------------------------------


def bytes_kept(module: nn.Module, x: torch.Tensor) -> int:
    """Bytes of the distinct tensors that ``module`` keeps for backward."""
    kept = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        y = module(x)  # held, so that no storage is freed and its address given out again
    assert y.requires_grad
    return sum(kept.values())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("shape", "channels"), [((128, 256), 1), ((128, 256), 256), ((8, 16, 20, 20), 16)])
def test_a_layer_keeps_as_much_as_relu_and_its_own_parameters(shape, channels, dtype):
    module, x = STAF(num_parameters=channels), torch.randn(shape, dtype=dtype, requires_grad=True)
    parameters = sum(p.numel() * p.element_size() for p in module.parameters())

    assert bytes_kept(module, x) <= bytes_kept(nn.ReLU(), x) + parameters


@pytest.mark.parametrize("activation", [STAF, lambda: STAF(num_parameters=256)])
def test_a_network_keeps_at_most_twice_what_it_keeps_with_relu(activation):
    def network(make):
        return nn.Sequential(nn.Linear(64, 256), make(), nn.Linear(256, 256), make(), nn.Linear(256, 10))

    x = torch.randn(2000, 64)
    # The parameters of the linear layers and the input are kept anyway.
    staf, relu = network(activation), network(nn.ReLU)
    fixed = sum(p.numel() * 4 for p in relu.parameters()) + x.numel() * 4

    assert bytes_kept(staf, x) - fixed <= 2.1 * (bytes_kept(relu, x) - fixed)  # 0.1 for its 3 tau numbers


def test_the_plain_formula_keeps_tau_times_as_much():
    module, x = STAF(tau=25), torch.randn(1000, requires_grad=True)

    class Plain(nn.Module):
        forward = staticmethod(module.plain)

    assert bytes_kept(Plain(), x) > 25 * bytes_kept(module, x)


# --- Learning -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_every_number_gets_a_gradient_and_moves(channels):
    module, layer = STAF(num_parameters=channels), nn.Linear(4, 3)
    optimiser = torch.optim.SGD(module.parameters(), lr=1e-2)
    before = copy.deepcopy(module.state_dict())

    for _ in range(3):
        optimiser.zero_grad()
        module(layer(torch.randn(20, 4))).square().mean().backward()
        assert all(p.grad.isfinite().all() and (p.grad != 0).all() for p in module.parameters())
        optimiser.step()

    assert all((value != before[name]).all() for name, value in module.state_dict().items())


def test_each_channel_follows_its_own_numbers():
    module = STAF(tau=5, num_parameters=3)
    x = torch.randn(2, 3, 4)

    y = module(x)

    for channel in range(3):
        alone = STAF(tau=5)
        alone.load_state_dict({name: value[channel] for name, value in module.state_dict().items()})
        torch.testing.assert_close(y[:, channel], alone(x[:, channel]))


def test_the_draws_come_as_amplitudes_frequencies_phases_also_per_channel():
    torch.manual_seed(7)
    expected = [torch.randn(3, 4) for _ in range(3)]

    torch.manual_seed(7)
    module = STAF(tau=4, num_parameters=3)

    assert all(map(torch.equal, (module.C, module.omega, module.phi), expected))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
def test_a_copy_per_channel_computes_the_same_and_shares_nothing(copied):
    module, x = STAF(num_parameters=2), torch.randn(5, 2)

    other = copied(module)
    same = torch.equal(other(x), module(x))
    with torch.no_grad():
        other.C.zero_()

    assert same
    assert (module.C != 0).all()


@pytest.mark.parametrize("shape", [(5,), (5, 2), (3, 5, 4)])
def test_another_number_of_channels_is_refused_with_a_way_out(shape):
    with pytest.raises(ValueError, match=r"wanted \(N, 3, \.\.\.\).*num_parameters=1"):
        STAF(num_parameters=3)(torch.zeros(shape))


@pytest.mark.parametrize(("settings", "message"), [({"tau": 0}, "tau=0"), ({"num_parameters": 0}, "got 0")])
def test_no_terms_or_no_channels_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        STAF(**settings)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_the_blocks_run_on_a_gpu_as_well():
    module = STAF(num_parameters=3).double()
    x = torch.randn(5, 3, 40, dtype=torch.float64)
    expected = results(module, module, x)

    on_gpu = copy.deepcopy(module).cuda()
    there = results(lambda t: on_gpu(t.cuda()).cpu(), on_gpu, x)

    torch.testing.assert_close([t.cpu() for t in there], expected)
