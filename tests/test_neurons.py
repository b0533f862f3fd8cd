"""The dead-neuron mask against a plain loop, and the measures for smooth functions against their definitions."""

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from labs.data import ImageData
from labs.networks import SimpleNetwork
from labs.neurons import FLAT_SLOPE, activity, dead_fractions, dead_neuron_masks

FIRST = torch.tensor([[0, 1.5, 0, 1, 1], [0, 0, 0, 0, 1], [0, 1, 0, 1.2, 1]])
SECOND = torch.tensor([[1.1, 1, 0, 1, 1], [1, 0, 0, 0, 1], [0, 1, 0, 1, 1]])

NETWORKS = {
    "deep ReLU": lambda: SimpleNetwork(hidden_features=[40] * 8),
    "shared PReLU": lambda: SimpleNetwork("PReLU", share_activation=True),
    "batch norm": lambda: SimpleNetwork(hidden_features=[40] * 4, norm="batch"),
    "in place": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(784, 30), nn.ReLU(inplace=True), nn.Linear(30, 20), nn.ReLU()
    ),
    "convolution": lambda: nn.Sequential(
        nn.Conv2d(1, 6, 5),
        nn.ReLU(),
        nn.MaxPool2d(4),
        nn.Conv2d(6, 12, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(192, 10),
    ),
}


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(11)
    labels = torch.randint(10, (150,), generator=generator)
    pictures = torch.rand(150, 1, 28, 28, generator=generator) * 2 - 1
    return ImageData(pictures, labels, tuple("0123456789"))


def plain_loop(model, images):
    """One image at a time; a unit is dead if no image ever made it leave zero."""
    model.eval()
    masks = {}
    for image in images.images:
        x = image[None]
        for name, layer in model._modules.items():  # named_children() skips a shared layer
            x = layer(x)
            if "ReLU" in type(layer).__name__:
                units = x.detach().clone().transpose(0, 1).flatten(1)
                awake = torch.tensor([bool((unit != 0).any()) for unit in units])
                masks[name] = masks.get(name, torch.ones(len(units), dtype=torch.bool)) & ~awake
    return masks


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("batch_size", [1, 7, 150, 5000])
def test_the_mask_equals_a_plain_loop_over_the_images(name, batch_size, images):
    torch.manual_seed(2)
    model = NETWORKS[name]()

    masks = dead_neuron_masks(model, images, batch_size=batch_size)

    expected = plain_loop(model, images)
    assert list(masks) == list(expected)
    assert all(torch.equal(masks[layer], expected[layer]) for layer in masks)


def test_the_deep_network_of_that_test_has_dead_units_to_find(images):
    torch.manual_seed(2)

    masks = dead_neuron_masks(NETWORKS["deep ReLU"](), images)

    assert sum(int(mask.sum()) for mask in masks.values()) > 20


def test_the_two_batches_by_hand():
    mask = dead_neuron_masks(nn.ReLU(), [FIRST, SECOND])["ReLU"]

    assert mask.tolist() == [False, False, True, False, False]


def test_a_neuron_awake_in_one_batch_is_alive():
    alone = dead_neuron_masks(nn.Identity(), FIRST)["Identity"]
    both = dead_neuron_masks(nn.Identity(), [FIRST, SECOND])["Identity"]

    assert alone[0]
    assert not both[0]


def test_a_neuron_awake_with_a_negative_value_is_alive():
    mask = dead_neuron_masks(nn.LeakyReLU(), torch.tensor([[-1.0, 0.0]]))["LeakyReLU"]

    assert mask.tolist() == [False, True]


def test_every_kind_of_data_gives_the_same_mask(images):
    torch.manual_seed(2)
    model = NETWORKS["deep ReLU"]()
    pairs = TensorDataset(images.images, images.labels)

    kinds = [images, images.images, pairs, DataLoader(pairs, batch_size=64), list(images.images.split(50))]
    masks = [dead_neuron_masks(model, data) for data in kinds]

    assert all(torch.equal(m["act8"], masks[0]["act8"]) for m in masks)


def test_mode_hooks_and_gradients_survive_an_exception(images):
    model = SimpleNetwork(norm="batch")
    model(images.images[:8]).sum().backward()
    gradient = model.linear1.weight.grad.clone()
    bad = [images.images[:4], torch.zeros(3, 5)]

    with pytest.raises(ValueError, match="784 numbers"):
        dead_neuron_masks(model, bad)

    assert all(m.training for m in model.modules())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert torch.equal(model.linear1.weight.grad, gradient)


def test_nan_is_an_error_and_not_a_living_neuron():
    with pytest.raises(ValueError, match="NaN in the activations of layer 'ReLU'"):
        dead_neuron_masks(nn.ReLU(), torch.tensor([[1.0, float("nan")]]))


@pytest.mark.parametrize("empty", [torch.zeros(0, 784), []])
def test_an_empty_data_set_is_an_error(empty):
    with pytest.raises(ValueError, match="no examples"):
        dead_neuron_masks(SimpleNetwork(), empty)


def test_fractions_are_shares_from_zero_to_one():
    masks = {"act1": torch.tensor([True, True, False, False]), "act2": torch.tensor([False])}

    assert dead_fractions(masks) == {"act1": 0.5, "act2": 0.0}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu_the_masks_come_back_on_the_cpu(images):
    masks = dead_neuron_masks(SimpleNetwork().cuda(), images)

    assert all(mask.device.type == "cpu" for mask in masks.values())


@pytest.mark.parametrize("activation", ["ReLU", "GELU", "Tanh"])
def test_activity_equals_its_definition(activation, images):
    torch.manual_seed(4)
    model = SimpleNetwork(activation, hidden_features=(30,))

    report = activity(model, images, batch_size=77)["act1"]

    z = model.linear1(images.images.flatten(1)).detach().requires_grad_()
    a = model.act1(z)
    (slope,) = torch.autograd.grad(a.sum(), z)
    torch.testing.assert_close(report.mean, z.mean(0))
    torch.testing.assert_close(report.std, z.std(0, unbiased=False))
    torch.testing.assert_close(report.output_std, a.std(0, unbiased=False))
    assert torch.equal(report.high, z.amax(0))
    assert torch.equal(report.positive_share, (z > 0).float().mean(0))
    assert torch.equal(report.flat_share, (slope.abs() <= FLAT_SLOPE).float().mean(0))
    assert torch.equal(report.zero_share, (a == 0).float().mean(0))


def test_dead_in_the_report_is_dead_in_the_mask(images):
    torch.manual_seed(2)
    model = NETWORKS["deep ReLU"]()

    report, masks = activity(model, images), dead_neuron_masks(model, images)

    assert all(torch.equal(report[name].dead, masks[name]) for name in masks)


def test_a_gelu_far_to_the_left_is_near_dead_though_never_zero():
    z = torch.linspace(-6, -4, 50)[:, None]

    report = activity(nn.GELU(), z)["GELU"]

    assert not report.dead[0]
    assert report.near_dead()[0]
    assert not report.saturated()[0]


def test_a_tanh_far_to_the_right_is_saturated_and_not_near_dead():
    report = activity(nn.Tanh(), torch.linspace(4, 6, 50)[:, None])["Tanh"]

    assert report.saturated()[0]
    assert not report.near_dead()[0]


def test_a_tanh_at_both_ends_is_saturated_though_its_mean_is_zero():
    report = activity(nn.Tanh(), torch.tensor([[-9.0], [9.0]]))["Tanh"]

    assert report.saturated()[0]
    assert not report.near_dead()[0]


def test_a_unit_that_hardly_moves_is_bias_dominated():
    z = torch.tensor([[10.0, 0.0], [10.1, 1.0]])

    report = activity(nn.Tanh(), z)["Tanh"]

    assert report.bias_dominated().tolist() == [True, False]


def test_activity_without_activation_modules_is_an_error():
    with pytest.raises(ValueError, match="measured at Linear, and that is none"):
        activity(SimpleNetwork(None), torch.zeros(2, 784))
