"""SimpleNetwork: structure, laws of the start, and what it says to bad input."""

import math

import pytest
import torch
from torch import nn

from labs.networks import INITS, SimpleNetwork


def test_the_default_network_is_the_one_of_the_book():
    model = SimpleNetwork()

    shapes = [tuple(layer.weight.shape) for layer in model.linear_layers]
    assert shapes == [(256, 784), (192, 256), (128, 192), (64, 128), (10, 64)]
    assert sum(p.numel() for p in model.parameters()) == 283_914
    assert [name for name, _ in model.named_children()][:3] == ["flatten", "linear1", "act1"]


def test_images_and_flat_vectors_give_the_same_logits():
    model = SimpleNetwork()
    images = torch.randn(3, 1, 28, 28)

    assert torch.equal(model(images), model(images.flatten(1)))


@pytest.mark.parametrize(
    ("init", "variance"),
    [("torch", 1 / 3), ("lecun", 1.0), ("he", 2.0), ("xavier", 2 * 1000 / 1500), ("orthogonal", 2.0)],
)
def test_each_init_has_the_variance_it_promises(init, variance):
    torch.manual_seed(0)

    layer = SimpleNetwork(in_features=1000, hidden_features=(500, 400), init=init).linear_layers[0]

    # 500,000 weights: the standard error of a variance is about 0.2 %, so 2 % is ten of them.
    assert layer.weight.var().item() * 1000 == pytest.approx(variance, rel=0.02)


def test_the_output_layer_of_he_has_no_factor_for_a_relu():
    torch.manual_seed(0)

    last = SimpleNetwork(hidden_features=(1000,), out_features=200, init="he").linear_layers[-1]

    assert last.weight.var().item() * 1000 == pytest.approx(1.0, rel=0.05)


def test_torch_init_is_exactly_what_nn_linear_draws():
    torch.manual_seed(3)
    model = SimpleNetwork(hidden_features=(5,), in_features=4, out_features=2)
    torch.manual_seed(3)
    plain = [nn.Linear(4, 5), nn.Linear(5, 2)]

    assert all(torch.equal(a.weight, b.weight) for a, b in zip(model.linear_layers, plain, strict=True))
    assert all(torch.equal(a.bias, b.bias) for a, b in zip(model.linear_layers, plain, strict=True))


@pytest.mark.parametrize("init", INITS)
def test_zero_bias_changes_the_biases_and_nothing_else(init):
    torch.manual_seed(3)
    free = SimpleNetwork(init=init)
    torch.manual_seed(3)
    zero = SimpleNetwork(init=init, zero_bias=True)

    assert all(
        torch.equal(a.weight, b.weight) for a, b in zip(free.linear_layers, zero.linear_layers, strict=True)
    )
    assert all((layer.bias == 0).all() for layer in zero.linear_layers)
    assert all((layer.bias != 0).any() for layer in free.linear_layers)


def test_he_keeps_the_default_biases_so_that_one_thing_changes_at_a_time():
    torch.manual_seed(3)
    default = SimpleNetwork(init="torch")
    torch.manual_seed(3)
    he = SimpleNetwork(init="he")

    assert torch.equal(default.linear_layers[0].bias, he.linear_layers[0].bias)
    assert not torch.equal(default.linear_layers[0].weight, he.linear_layers[0].weight)


@pytest.mark.parametrize("init", INITS)
def test_a_shallow_network_is_the_beginning_of_a_deep_one(init):
    torch.manual_seed(5)
    shallow = SimpleNetwork(hidden_features=(8, 8), init=init)
    torch.manual_seed(5)
    deep = SimpleNetwork(hidden_features=(8, 8, 8, 8), init=init)

    assert all(
        torch.equal(a.weight, b.weight)
        for a, b in zip(shallow.linear_layers[:2], deep.linear_layers[:2], strict=True)
    )


def test_a_shared_prelu_is_one_parameter_and_own_ones_are_four():
    assert sum(p.numel() == 1 for p in SimpleNetwork("PReLU", share_activation=True).parameters()) == 1
    assert sum(p.numel() == 1 for p in SimpleNetwork("PReLU").parameters()) == 4


def test_without_activation_the_network_is_affine():
    torch.manual_seed(0)
    model = SimpleNetwork(None).double()
    a, b = torch.randn(2, 784, dtype=torch.float64)

    middle = model(((a + b) / 2)[None])

    torch.testing.assert_close(middle, (model(a[None]) + model(b[None])) / 2)


def test_norm_stands_between_the_linear_layer_and_the_activation():
    names = [name for name, _ in SimpleNetwork(norm="batch", hidden_features=(4,)).named_children()]

    assert names == ["flatten", "linear1", "norm1", "act1", "linear2"]


def test_a_function_may_make_the_activation():
    model = SimpleNetwork(lambda: nn.LeakyReLU(0.3), hidden_features=(4, 4))

    assert model.act1.negative_slope == 0.3
    assert model.act1 is not model.act2


def test_the_forward_pass_stays_finite_for_huge_inputs():
    assert SimpleNetwork()(torch.full((1, 784), 1e4)).isfinite().all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"init": "kaiming"}, "unknown init 'kaiming'; choose one of: torch, lecun"),
        ({"norm": "group"}, "unknown norm 'group'"),
        ({"hidden_features": (0,)}, "every width must be a whole number"),
        ({"out_features": 2.5}, "every width must be a whole number"),
        ({"activation": "Relu"}, "ReLU"),
    ],
)
def test_a_wrong_setting_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        SimpleNetwork(**settings)


def test_a_ready_made_module_is_refused_because_all_layers_would_share_it():
    with pytest.raises(ValueError, match="share_activation"):
        SimpleNetwork(nn.PReLU())


@pytest.mark.parametrize("shape", [(3, 1, 27, 28), (784,), (3, 785)])
def test_an_input_of_the_wrong_shape_is_refused_with_both_shapes(shape):
    with pytest.raises(ValueError, match="784 numbers per example"):
        SimpleNetwork()(torch.zeros(shape))


def test_he_variance_is_six_times_pytorchs():
    torch.manual_seed(0)
    default, he = (SimpleNetwork(init=init).linear_layers[0].weight.std() for init in ("torch", "he"))

    assert (he / default).item() == pytest.approx(math.sqrt(6), rel=0.02)
