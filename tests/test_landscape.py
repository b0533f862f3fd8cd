"""Directions and slices against the formula and against plain evaluation."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from labs.data import PointData, make_spirals
from labs.landscape import (
    HessianOperator,
    as_direction,
    empirical_ntk,
    filter_normalized,
    loss_slice,
    ntk_drift,
    random_direction,
    slice_positions,
    spectral_density,
    top_eigenpairs,
    trace,
)
from labs.networks import SimpleNetwork
from labs.seeds import make_generator

DATA = make_spirals(60)


def small_network(activation="GELU", **settings):
    torch.manual_seed(0)
    sizes = {"in_features": 2, "hidden_features": (5, 4), "out_features": 3}
    return SimpleNetwork(activation, **sizes, **settings).double()


def loss_at(model, direction, step):
    """Move a copy of the model by hand and evaluate it in one piece."""
    moved = copy.deepcopy(model).eval()
    with torch.no_grad():
        for name, p in moved.named_parameters():
            p += step * direction[name]
        return F.cross_entropy(moved(DATA.inputs.double()), DATA.labels)


def state_of(model):
    """Everything that a measurement must not change, copied."""
    return {
        "tensors": {name: t.clone() for name, t in model.state_dict().items()},
        "identity": [(id(p), p.data_ptr(), p._version) for p in model.parameters()],
        "gradients": [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        "modes": [m.training for m in model.modules()],
        "hooks": [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()],
    }


def assert_same_state(before, after):
    assert all(torch.equal(before["tensors"][n], after["tensors"][n]) for n in before["tensors"])
    assert all(torch.equal(a, b) for a, b in zip(before["gradients"], after["gradients"], strict=True))
    for key in ("identity", "modes", "hooks"):
        assert before[key] == after[key]


def used_network():
    """In training mode, one part in eval mode, with gradients and moved buffers."""
    model = small_network("PReLU", norm="batch", share_activation=True)
    F.cross_entropy(model(DATA.inputs.double()), DATA.labels).backward()
    model.act1.eval()
    return model


# --- directions


def test_each_filter_of_the_direction_gets_the_length_of_the_filter_of_the_weights():
    model = nn.Sequential(nn.Conv2d(1, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(12, 4))
    direction = filter_normalized(random_direction(model, generator=make_generator(1)), model)

    for name in ("0.weight", "3.weight"):
        for d, w in zip(direction[name], model.state_dict()[name], strict=True):
            torch.testing.assert_close(d.norm(), w.norm())


def test_a_filter_keeps_its_own_direction():
    model = small_network()
    direction = random_direction(model, generator=make_generator(1))

    normalized = filter_normalized(direction, model)

    cosine = F.cosine_similarity(direction["linear2.weight"], normalized["linear2.weight"])
    torch.testing.assert_close(cosine, torch.ones(4, dtype=torch.float64))


def test_biases_norms_and_activation_parameters_stay_where_they_are_unless_asked():
    model = small_network("PReLU", norm="layer")
    direction = random_direction(model, generator=make_generator(1))

    zeroed, scaled = filter_normalized(direction, model), filter_normalized(direction, model, biases="scale")

    for name in ("linear1.bias", "norm1.weight", "act1.weight"):
        assert not zeroed[name].any()
        torch.testing.assert_close(scaled[name].norm(), model.state_dict()[name].norm())


def test_a_filter_without_length_gives_zero_and_no_nan():
    model = nn.Linear(2, 2)
    with torch.no_grad():
        model.weight[0] = 0
    direction = {"weight": torch.tensor([[1.0, 1.0], [0.0, 0.0]]), "bias": torch.ones(2)}

    assert not filter_normalized(direction, model)["weight"].any()


def test_a_network_and_its_rescaled_twin_look_alike_along_normalized_directions():
    # Ten times the first layer and a tenth of the second are the same ReLU network.
    model = small_network("ReLU", zero_bias=True)
    twin = copy.deepcopy(model)
    with torch.no_grad():
        twin.linear1.weight *= 10
        twin.linear2.weight /= 10
    direction = random_direction(model, generator=make_generator(3))

    plain = [loss_slice(m, DATA, direction, steps=5) for m in (model, twin)]
    normalized = [loss_slice(m, DATA, filter_normalized(direction, m), steps=5) for m in (model, twin)]

    torch.testing.assert_close(*normalized)
    assert (plain[0] - plain[1]).abs().max() > 0.01


def test_the_same_seed_draws_the_same_direction_and_no_seed_another_each_time():
    model = small_network()

    first, second = (random_direction(model, generator=make_generator(5)) for _ in range(2))
    free = [random_direction(model)["linear1.weight"] for _ in range(2)]

    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(*free)


def test_a_vector_is_cut_in_the_order_of_torch():
    model = small_network()
    vector = torch.arange(sum(p.numel() for p in model.parameters())).double()

    direction = as_direction(vector, model)

    assert torch.equal(nn.utils.parameters_to_vector(direction.values()), vector)
    assert [d.shape for d in direction.values()] == [p.shape for p in model.parameters()]


def test_frozen_parameters_have_no_direction():
    model = small_network()
    model.linear1.requires_grad_(False)

    assert "linear1.weight" not in random_direction(model)


# --- slices


def test_an_odd_number_of_positions_has_zero_exactly_in_the_middle():
    for radius in (0.7, 1.0, 3.3):
        positions = slice_positions(radius, 21)
        assert positions[10] == 0
        assert torch.equal(positions, -positions.flip(0))
        assert positions[-1] == radius


@pytest.mark.parametrize("activation", ["ReLU", "GELU", "PReLU", "Step"])
@pytest.mark.parametrize("share", [False, True])
def test_a_line_equals_moving_the_weights_by_hand(activation, share):
    model = small_network(activation, share_activation=share)
    direction = filter_normalized(random_direction(model, generator=make_generator(1)), model)

    losses = loss_slice(model, DATA, direction, radius=2.0, steps=7)

    by_hand = torch.stack([loss_at(model, direction, a) for a in slice_positions(2.0, 7)])
    torch.testing.assert_close(losses, by_hand, rtol=1e-12, atol=0)


def test_a_grid_has_the_first_direction_first_and_the_loss_of_the_model_in_the_middle():
    model = small_network(norm="batch")
    first, second = (random_direction(model, generator=make_generator(seed)) for seed in (1, 2))

    grid = loss_slice(model, DATA, [first, second], radius=0.5, steps=5)

    torch.testing.assert_close(grid[:, 2], loss_slice(model, DATA, first, radius=0.5, steps=5))
    torch.testing.assert_close(grid[2], loss_slice(model, DATA, second, radius=0.5, steps=5))
    both = {name: first[name] - second[name] for name in first}
    torch.testing.assert_close(grid[4, 0], loss_at(model, both, 0.5), rtol=1e-12, atol=0)
    torch.testing.assert_close(grid[2, 2], loss_at(model, first, 0.0), rtol=1e-12, atol=0)


def test_the_batch_size_does_not_show_in_a_slice():
    model = small_network()
    direction = random_direction(model, generator=make_generator(1))

    small, large = (loss_slice(model, DATA, direction, steps=5, batch_size=n) for n in (7, 1000))

    torch.testing.assert_close(small, large, rtol=1e-13, atol=0)


def test_float32_slices_agree_with_float64():
    model = small_network()
    direction = random_direction(model, generator=make_generator(1))

    exact, rounded = (loss_slice(m, DATA, direction, steps=5) for m in (model, copy.deepcopy(model).float()))

    torch.testing.assert_close(rounded, exact, rtol=1e-5, atol=1e-5)


def test_a_slice_along_an_eigenvector_bends_as_its_eigenvalue_says():
    model = small_network()
    values, vectors = top_eigenpairs(model, DATA)
    step = 1e-3

    left, middle, right = loss_slice(model, DATA, as_direction(vectors[:, 0], model), radius=step, steps=3)

    # Central difference: the error is of order step squared, the rounding of order 1e-16 / step squared.
    torch.testing.assert_close((left - 2 * middle + right) / step**2, values[0], rtol=1e-3, atol=0)


# --- good manners


MEASUREMENTS = {
    "slice": lambda m, data: loss_slice(m, data, random_direction(m), steps=3),
    "product": lambda m, data: HessianOperator(m, data) @ torch.ones(HessianOperator(m, data).shape[0]),
    "eigenvalues": lambda m, data: top_eigenpairs(m, data),
    "density": lambda m, data: spectral_density(m, data, steps=3, probes=1),
    "trace": lambda m, data: trace(m, data, probes=2),
    "kernel": lambda m, data: empirical_ntk(m, data),
    "drift": lambda m, data: ntk_drift(m, copy.deepcopy(m), data),
}


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_a_measurement_leaves_the_model_as_it_was(name):
    model = used_network()
    before, random_state = state_of(model), torch.get_rng_state()

    with torch.no_grad():  # a caller's no_grad does not matter either
        MEASUREMENTS[name](model, DATA)

    assert_same_state(before, state_of(model))
    assert name == "slice" or torch.equal(random_state, torch.get_rng_state())


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_a_model_full_of_nan_is_an_error_and_is_left_as_it_was(name):
    model = used_network()
    before = state_of(model)
    weight = model.linear3.weight.data.clone()
    model.linear3.weight.data.fill_(float("nan"))

    with pytest.raises(FloatingPointError, match="finite"):
        MEASUREMENTS[name](model, DATA)

    model.linear3.weight.data.copy_(weight)
    assert_same_state(before, state_of(model))


class Restless(nn.Module):
    """Counts its calls in a buffer, also in eval mode, and gives up at the third."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 3)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        if self.calls > 2:
            raise RuntimeError("enough")
        return self.linear(x)


@pytest.mark.parametrize("name", ["slice", "product"])
def test_buffers_and_modes_survive_an_exception_in_the_model(name):
    model = Restless()
    measure = {
        "slice": lambda: loss_slice(model, DATA, random_direction(model), batch_size=10),
        "product": lambda: HessianOperator(model, DATA, batch_size=10) @ torch.ones(9),
    }[name]

    with pytest.raises(RuntimeError, match="enough"):
        measure()

    assert model.calls == 0
    assert model.training


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_a_model_without_trainable_parameters_is_an_error(name):
    model = small_network().requires_grad_(False)

    with pytest.raises(ValueError, match="requires_grad_"):
        MEASUREMENTS[name](model, DATA)


class NoExamples:
    """A data set that somebody else made, and that is empty."""

    inputs, labels = torch.zeros(0, 2), torch.zeros(0).long()

    def __len__(self):
        return 0


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_data_without_examples_is_an_error(name):
    with pytest.raises(ValueError, match="no examples"):
        MEASUREMENTS[name](small_network(), NoExamples())


def test_bad_input_is_told_what_was_wanted():
    model = small_network()
    direction = random_direction(model)
    other = random_direction(small_network(norm="layer"))
    four = PointData(torch.zeros(4, 2), torch.arange(4), ("a", "b", "c", "d"))

    with pytest.raises(ValueError, match="same names and shapes"):
        loss_slice(model, DATA, other)
    with pytest.raises(ValueError, match="same names and shapes"):
        filter_normalized({**direction, "linear1.weight": torch.zeros(2, 5)}, model)
    with pytest.raises(ValueError, match="one or two"):
        loss_slice(model, DATA, [direction] * 3)
    with pytest.raises(ValueError, match="positive radius"):
        loss_slice(model, DATA, direction, radius=-1.0)
    with pytest.raises(ValueError, match="at least 2 steps"):
        loss_slice(model, DATA, direction, steps=1)
    with pytest.raises(ValueError, match="unknown biases 'keep'"):
        filter_normalized(direction, model, biases="keep")
    with pytest.raises(ValueError, match=r"wanted \(54,\)"):
        as_direction(torch.ones(3), model)
    with pytest.raises(ValueError, match="labels up to 3"):
        loss_slice(model, four, direction)
    with pytest.raises(TypeError, match="wanted ImageData or PointData"):
        loss_slice(model, DATA.inputs, direction)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", MEASUREMENTS)
def test_everything_works_on_a_gpu_with_data_on_the_cpu(name):
    MEASUREMENTS[name](used_network().cuda(), DATA)


@pytest.mark.parametrize(
    "settings", [{"activation": "STAF"}, {"activation": "BSpline"}, {"activation": "PReLU"}]
)
@pytest.mark.parametrize("per_channel", [False, True])
def test_the_parameters_of_an_activation_are_no_filters(settings, per_channel):
    torch.manual_seed(0)
    model = SimpleNetwork(
        in_features=5, hidden_features=(4,), out_features=3, per_channel=per_channel, **settings
    )

    direction = filter_normalized(random_direction(model), model)

    assert all((d == 0).all() for name, d in direction.items() if name.startswith("act1."))
    assert (direction["linear1.weight"] != 0).all()
