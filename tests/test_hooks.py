"""Looking into a network must not change it."""

import pytest
import torch
from torch import nn

from labs.activations import ACTIVATIONS, make_activation
from labs.hooks import layer_gradients, layer_outputs, layer_values
from labs.networks import SimpleNetwork
from labs.neurons import activity, dead_neuron_masks
from labs.observe import is_activation, is_elementwise, watch_data, watching


def state_of(model):
    return (
        [m.training for m in model.modules()],
        [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()],
        [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        [b.clone() for b in model.buffers()],
    )


def same(a, b):
    return a[:2] == b[:2] and all(
        (x is None and y is None) or torch.equal(x, y) for x, y in zip(a[2] + a[3], b[2] + b[3], strict=True)
    )


@pytest.fixture
def half_frozen():
    """A network with batch norm, one part in eval mode, and gradients from an earlier step."""
    torch.manual_seed(0)
    model = SimpleNetwork(in_features=6, hidden_features=(5, 4), norm="batch", out_features=3)
    model.norm1.eval()
    model(torch.randn(8, 6)).sum().backward()
    return model


def test_outputs_equal_a_forward_pass_by_hand():
    torch.manual_seed(0)
    model = SimpleNetwork(in_features=6, hidden_features=(5, 4))
    x = torch.randn(7, 6)

    outputs = layer_outputs(model, x)

    first = torch.relu(model.linear1(x))
    assert list(outputs) == ["act1", "act2"]
    assert torch.equal(outputs["act1"], first)
    assert torch.equal(outputs["act2"], torch.relu(model.linear2(first)))


def test_values_keep_what_an_in_place_activation_overwrites():
    linear = nn.Linear(3, 4)
    model = nn.Sequential(linear, nn.ReLU(inplace=True), nn.Hardtanh(inplace=True))
    x = torch.randn(5, 3)

    (before, after), _ = layer_values(model, x).values()

    torch.testing.assert_close(before, linear(x))
    torch.testing.assert_close(after, torch.relu(linear(x)))


def test_a_shared_activation_is_seen_once_per_place():
    model = SimpleNetwork("PReLU", share_activation=True, in_features=6, hidden_features=(5, 4, 3))

    outputs = layer_outputs(model, torch.randn(2, 6))

    assert [(name, a.shape[1]) for name, a in outputs.items()] == [("act1", 5), ("act2", 4), ("act3", 3)]


def test_a_linear_network_is_seen_after_each_hidden_layer():
    outputs = layer_outputs(SimpleNetwork(None, in_features=6, hidden_features=(5, 4)), torch.randn(2, 6))

    assert list(outputs) == ["linear1", "linear2"]


def test_softmax_is_not_an_activation_here():
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Softmax(dim=1))

    assert list(layer_outputs(model, torch.ones(1, 2))) == ["1"]


def gated_network(act: nn.Module) -> nn.Sequential:
    """A network whose activation takes two numbers for each one it returns."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), act, nn.Linear(4, 3))


@pytest.mark.parametrize("name", ["GLU", "GEGLU", "SwiGLU", "Maxout"])
def test_what_comes_out_of_a_gated_activation_is_half_as_wide_as_what_goes_in(name):
    model, x = gated_network(make_activation(name)), torch.randn(5, 6)

    ((seen, (before, after)),) = layer_values(model, x).items()

    assert seen == "1"
    torch.testing.assert_close(before, model[0](x))
    torch.testing.assert_close(after, model[1](model[0](x)))
    assert (before.shape, after.shape) == ((5, 8), (5, 4))


@pytest.mark.parametrize("name", ["GLU", "Maxout"])
def test_a_gated_unit_is_dead_if_it_returns_zero_for_every_example(name):
    model = gated_network(make_activation(name))
    with torch.no_grad():
        for row in (2, 6):  # the two inputs of the third unit
            model[0].weight[row] = 0
            model[0].bias[row] = 0

    masks = dead_neuron_masks(model, torch.randn(50, 6))

    assert masks["1"].tolist() == [False, False, True, False]


def test_slopes_of_a_gated_activation_are_refused():
    with pytest.raises(ValueError, match=r"slope"):
        activity(gated_network(nn.GLU()), torch.randn(5, 6))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_function_of_the_table_is_an_activation_and_one_with_several_inputs_is_not_elementwise(name):
    module = make_activation(name)

    assert is_activation(module)
    assert is_elementwise(module) == (ACTIVATIONS[name].inputs_per_output == 1)
    assert [m for m in module.modules() if is_activation(m)] == [
        module
    ]  # nothing inside is seen a second time


@pytest.mark.parametrize(
    "module", [nn.Softmax(dim=1), nn.MultiheadAttention(4, 2), nn.Linear(2, 2), nn.Identity()]
)
def test_what_mixes_features_is_no_activation(module):
    assert not is_activation(module)
    assert not is_elementwise(module)


@pytest.mark.parametrize(
    "look", [layer_outputs, layer_values, lambda m, x: layer_gradients(m, x, torch.zeros(8).long())]
)
def test_looking_leaves_mode_hooks_gradients_and_buffers_alone(half_frozen, look):
    before = state_of(half_frozen)

    look(half_frozen, torch.randn(8, 6))

    assert same(before, state_of(half_frozen))


@pytest.mark.parametrize(
    "look", [layer_outputs, layer_values, lambda m, x: layer_gradients(m, x, torch.zeros(8).long())]
)
def test_an_exception_inside_the_model_leaves_it_alone_too(half_frozen, look):
    before = state_of(half_frozen)

    with pytest.raises(ValueError, match="6 numbers per example"):
        look(half_frozen, torch.randn(8, 7))

    assert same(before, state_of(half_frozen))


def test_an_exception_in_the_observer_removes_the_hooks(half_frozen):
    before = state_of(half_frozen)

    def fall_over(*_):
        raise RuntimeError("observer")

    with pytest.raises(RuntimeError, match="observer"), watching(half_frozen, fall_over):
        half_frozen(torch.randn(8, 6))

    assert same(before, state_of(half_frozen))


def test_gradients_equal_those_of_backward():
    torch.manual_seed(0)
    model = SimpleNetwork("Tanh", in_features=6, hidden_features=(5,), out_features=3)
    x, y = torch.randn(9, 6), torch.randint(3, (9,))

    gradients = layer_gradients(model, x, y)

    nn.functional.cross_entropy(model(x), y).backward()
    assert list(gradients) == ["linear1.weight", "linear2.weight"]
    torch.testing.assert_close(gradients["linear1.weight"], model.linear1.weight.grad)


def test_gradients_work_inside_no_grad():
    model = SimpleNetwork(in_features=6, hidden_features=(5,))

    with torch.no_grad():
        gradients = layer_gradients(model, torch.randn(3, 6), torch.zeros(3).long())

    assert gradients["linear2.weight"].abs().sum() > 0


@pytest.mark.parametrize("empty", [torch.zeros(0, 6), [], [torch.zeros(0, 6)]])
def test_no_examples_is_an_error(empty):
    with pytest.raises(ValueError, match="no examples"):
        watch_data(SimpleNetwork(in_features=6), empty, print)


def test_data_of_an_unknown_kind_is_named():
    with pytest.raises(TypeError, match="got data of type int"):
        watch_data(SimpleNetwork(), 7, print)
