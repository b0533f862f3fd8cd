"""SimpleNetwork: structure, laws of the start, and what it says to bad input."""

import math

import pytest
import torch
from torch import nn

from labs.activations import make_activation
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


@pytest.mark.parametrize("name", ["GLU", "GEGLU", "SwiGLU", "Maxout"])
@pytest.mark.parametrize("norm", [None, "batch", "layer"])
def test_a_width_changing_activation_gets_a_wider_layer_in_front_and_gives_the_hidden_width(name, norm):
    model = SimpleNetwork(name, in_features=5, hidden_features=(8, 6), out_features=3, norm=norm)

    assert [(layer.in_features, layer.out_features) for layer in model.linear_layers] == [
        (5, 16),
        (8, 12),
        (6, 3),
    ]
    assert model.act1(torch.zeros(4, 16)).shape == (4, 8)
    assert model(torch.zeros(4, 5)).shape == (4, 3)


def test_maxout_with_three_pieces_needs_three_times_the_width():
    model = SimpleNetwork(
        lambda: make_activation("Maxout", pieces=3), in_features=5, hidden_features=(8,), out_features=3
    )

    assert model.linear1.out_features == 24


def test_looking_at_the_width_of_an_activation_draws_no_random_numbers():
    torch.manual_seed(3)
    model = SimpleNetwork("STAF", in_features=5, hidden_features=(4,), out_features=2)

    torch.manual_seed(3)
    first, staf, last = nn.Linear(5, 4), make_activation("STAF"), nn.Linear(4, 2)

    assert torch.equal(model.linear1.weight, first.weight)
    assert torch.equal(model.act1.C, staf.C)
    assert torch.equal(model.linear2.weight, last.weight)


@pytest.mark.parametrize("name", ["PReLU", "Swish", "TrainableELU", "Snake"])
def test_parameters_are_shared_by_the_network_the_layer_or_not_at_all(name):
    sizes = {"in_features": 5, "hidden_features": (4, 3), "out_features": 2}
    linear = sum(p.numel() for p in SimpleNetwork(None, **sizes).parameters())

    def own(**how):
        return sum(p.numel() for p in SimpleNetwork(name, **sizes, **how).parameters()) - linear

    assert own(share_activation=True) == 1
    assert own() == 2
    assert own(per_channel=True) == 4 + 3


def test_the_parameter_of_a_unit_moves_that_unit_alone():
    model = SimpleNetwork("PReLU", in_features=5, hidden_features=(4,), out_features=2, per_channel=True)
    z = -torch.ones(1, 4)

    with torch.no_grad():
        model.act1.weight[2] = 9.0

    assert model.act1(z).tolist() == [[-0.25, -0.25, -9.0, -0.25]]


def test_one_set_for_all_and_one_for_each_is_a_contradiction():
    with pytest.raises(ValueError, match="choose one"):
        SimpleNetwork("PReLU", share_activation=True, per_channel=True)


def test_per_channel_wants_an_activation_with_parameters():
    with pytest.raises(TypeError, match="ReLU has no setting 'num_parameters'"):
        SimpleNetwork("ReLU", per_channel=True)


def test_a_linear_network_has_no_parameters_for_its_channels():
    with pytest.raises(TypeError, match="a linear network"):
        SimpleNetwork(None, per_channel=True)
