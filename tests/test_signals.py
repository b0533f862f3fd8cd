"""Measured signals against their definition, predicted ones against closed forms and against a wide network."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from labs.networks import SimpleNetwork
from labs.signals import backward_statistics, forward_statistics, gradient_statistics, mean_field


def test_forward_statistics_equal_their_definition():
    torch.manual_seed(0)
    model = SimpleNetwork("Tanh", in_features=5, hidden_features=(7, 6))
    x = torch.randn(40, 5)

    signal = forward_statistics(model, x)["act2"]

    z = model.linear2(torch.tanh(model.linear1(x))).detach()
    assert signal.input_variance == pytest.approx(z.var(0, unbiased=False).mean().item(), rel=1e-5)
    assert signal.squared_mean == pytest.approx(z.mean(0).square().mean().item(), rel=1e-5)
    assert signal.length == pytest.approx(z.square().mean().item(), rel=1e-5)
    assert signal.ratio == pytest.approx(signal.input_variance / signal.squared_mean)


def test_backward_statistics_see_the_sigmoid_swallow_the_gradient():
    torch.manual_seed(0)
    x, y = torch.randn(64, 784), torch.randint(10, (64,))

    rms = backward_statistics(SimpleNetwork("Sigmoid"), x, y)

    assert list(rms) == [f"linear{i}.weight" for i in range(1, 6)]
    # Each layer multiplies by a slope of at most 1/4 and by small weights; five layers lose far more than 100-fold.
    assert rms["linear1.weight"] < rms["linear5.weight"] / 100


def relu_correlation(c):
    """E[relu(u) relu(v)] / E[relu(u)^2] for correlation c: the arc-cosine kernel (Cho & Saul 2009)."""
    return (math.sqrt(1 - c * c) + (math.pi - math.acos(c)) * c) / math.pi


@pytest.mark.parametrize("c", [0.0, 0.3, 0.9, 0.999])
def test_the_relu_map_equals_the_arc_cosine_kernel(c):
    (_, _), (q, ratio) = mean_field("ReLU", 2, weight_variance=2.0, correlation=c)

    expected = relu_correlation(c)
    assert q == pytest.approx(1.0, rel=1e-10)
    assert ratio == pytest.approx((1 - expected) / expected, rel=1e-9)


def test_pytorchs_default_settles_at_a_length_that_is_mostly_bias():
    n = 100
    *_, (q, ratio) = mean_field("ReLU", 20, weight_variance=1 / 3, bias_variance=1 / (3 * n), correlation=0.5)

    # q = q/6 + 1/(3n) has the solution 0.4/n, and 1 - c shrinks by the factor 1/6 per layer.
    assert q == pytest.approx(0.4 / n, rel=1e-3)
    assert ratio < 1e-9


def test_wide_networks_follow_the_prediction():
    x = torch.randn(200, 400, generator=torch.Generator().manual_seed(0))
    measured = []
    for seed in range(5):
        torch.manual_seed(seed)
        model = SimpleNetwork(in_features=400, hidden_features=[1000] * 4, init="he", zero_bias=True)
        measured.append([(s.length, s.ratio) for s in forward_statistics(model, x).values()])

    predicted = mean_field("ReLU", 4, weight_variance=2.0, length=2.0)

    # At width 1000 one layer multiplies the length by 1 +- 0.08; over three layers and five seeds that is 6 %.
    # The inputs of layer 1 have correlation zero, whose ratio is infinite in theory: compare from layer 2 on.
    mean = torch.tensor(measured).mean(dim=0)[1:]
    torch.testing.assert_close(mean, torch.tensor(predicted)[1:], rtol=0.2, atol=0)


def test_a_linear_function_keeps_the_correlation():
    layers = mean_field(lambda x: x, 4, weight_variance=1.0, correlation=0.25)

    assert all(ratio == pytest.approx(3.0, rel=1e-6) for _, ratio in layers)


@pytest.mark.parametrize("bad", [{"depth": 0}, {"length": 0.0}, {"correlation": 1.0}, {"correlation": -0.1}])
def test_impossible_statistics_are_refused(bad):
    with pytest.raises(ValueError, match="wanted depth >= 1"):
        mean_field("ReLU", **{"depth": 3, "weight_variance": 1.0, **bad})


def test_a_unit_without_any_input_variance_has_ratio_zero():
    signal = forward_statistics(nn.Tanh(), torch.full((3, 2), 0.5))["Tanh"]

    assert signal.ratio == 0.0
    assert signal.correlation == 1.0


# --- any network


class Plain(nn.Module):
    """A network of another author: functions instead of modules, a norm layer, a shortcut."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3)
        self.norm = nn.BatchNorm1d(8)

    def forward(self, x):
        h = torch.relu(self.norm(self.first(x)))
        return self.last(h + F.gelu(self.second(h)))


def convolutional(*, inplace=False):
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace), nn.MaxPool2d(2),
        nn.Conv2d(4, 5, 3), nn.LeakyReLU(0.1, inplace), nn.Flatten(), nn.Linear(5 * 3 * 3, 3),
    )  # fmt: skip


def test_a_network_without_activation_modules_is_measured_behind_its_linear_layers():
    torch.manual_seed(0)
    model, x = Plain(), torch.randn(30, 6)

    signals = forward_statistics(model, x)

    z = model.first(x).detach()
    assert list(signals) == ["first", "second"]
    assert signals["first"].mean == pytest.approx(z.mean().item(), abs=1e-6)
    assert signals["first"].input_variance == pytest.approx(z.var(0, unbiased=False).mean().item(), rel=1e-5)
    assert model.training


def test_in_a_convolution_the_variance_is_the_one_over_inputs_and_not_over_places():
    ramp = torch.linspace(-3, 3, 12 * 12).reshape(1, 1, 12, 12)
    model = convolutional()

    same = forward_statistics(model, ramp.expand(5, -1, -1, -1))
    different = forward_statistics(model, torch.randn(5, 1, 12, 12))

    assert list(same) == ["2", "5"]
    # Five times the same picture, float32: nothing but rounding is left of the variance.
    assert same["2"].input_variance < 1e-10
    assert same["2"].correlation == pytest.approx(1)
    assert different["2"].input_variance > 1e-3


def test_what_the_activation_puts_out_is_measured_on_request():
    torch.manual_seed(0)
    model, x = convolutional(inplace=True).eval(), torch.randn(6, 1, 12, 12)

    before, after = forward_statistics(model, x), forward_statistics(model, x, after=True)

    with torch.no_grad():
        z = model[1](model[0](x))
    assert before["2"].length == pytest.approx(z.square().mean().item(), rel=1e-5)
    assert after["2"].length == pytest.approx(z.relu().square().mean().item(), rel=1e-5)


def test_the_size_of_the_batches_does_not_matter():
    torch.manual_seed(0)
    model, x = SimpleNetwork("Tanh", in_features=5, hidden_features=(7, 6)), torch.randn(40, 5)

    whole, parts = forward_statistics(model, x), forward_statistics(model, x, batch_size=7)

    for name, signal in whole.items():
        assert vars(parts[name]) == pytest.approx(vars(signal), rel=1e-5)


def test_a_tiny_variance_beside_a_large_mean_keeps_its_digits():
    x = 1000 + 1e-6 * torch.tensor([[-1.0], [1.0]], dtype=torch.float64)

    signal = forward_statistics(nn.Tanh(), x)["Tanh"]

    # The spacing of float64 at 1000 is 1e-13; E z^2 - (E z)^2 would leave nothing of 1e-12.
    assert signal.input_variance == pytest.approx(1e-12, rel=1e-6)


def test_nan_and_batches_of_two_shapes_are_refused():
    with pytest.raises(ValueError, match="NaN or infinity at layer"):
        forward_statistics(nn.Tanh(), torch.tensor([[1.0], [math.nan]]))
    with pytest.raises(ValueError, match="inputs of one shape"):
        forward_statistics(nn.Tanh(), [torch.zeros(2, 3), torch.zeros(2, 4)])
    with pytest.raises(ValueError, match="no examples"):
        forward_statistics(nn.Tanh(), torch.zeros(0, 3))


# --- gradients at each layer


def test_gradients_equal_those_of_autograd_layer_by_layer():
    torch.manual_seed(0)
    model = SimpleNetwork("Tanh", in_features=5, hidden_features=(7, 6), out_features=3)
    x, y = torch.randn(10, 5), torch.randint(3, (10,))

    found = gradient_statistics(model, x, y)

    z1 = model.linear1(x)
    a1 = z1.tanh()
    z2 = model.linear2(a1)
    a2 = z2.tanh()
    loss = F.cross_entropy(model.linear3(a2), y, reduction="sum")
    expected = [g.square().mean().item() for g in torch.autograd.grad(loss, [z1, a1, z2, a2])]
    assert [n for pair in found.values() for n in pair] == pytest.approx(expected, rel=1e-5)
    assert list(found) == ["act1", "act2"]


@pytest.mark.parametrize("training", [True, False])
def test_in_place_activations_and_norm_layers_give_the_same_gradients_and_stay_as_they_were(training):
    torch.manual_seed(0)
    x, y = torch.randn(6, 1, 12, 12), torch.randint(3, (6,))
    plain, in_place = convolutional(), convolutional(inplace=True)
    in_place.load_state_dict(plain.state_dict())
    for model in (plain, in_place):
        model.train(training)

    found = gradient_statistics(in_place, x, y)

    z = plain[1](plain[0](x))
    z.retain_grad()
    F.cross_entropy(plain[2:](z), y, reduction="sum").backward()
    assert found["2"].before == pytest.approx(z.grad.square().mean().item(), rel=1e-4)
    assert in_place[2].inplace
    assert in_place.training == training
    assert in_place[1].num_batches_tracked == 0
    assert all(p.grad is None for p in in_place.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in in_place.modules())


def test_gradients_of_a_network_without_activation_modules_or_with_frozen_weights():
    torch.manual_seed(0)
    model = Plain().eval().requires_grad_(False)
    x, y = torch.randn(9, 6), torch.randint(3, (9,))

    found = gradient_statistics(model, x, y)

    z = model.first(x).requires_grad_()
    h = torch.relu(model.norm(z))
    loss = F.cross_entropy(model.last(h + F.gelu(model.second(h))), y, reduction="sum")
    (expected,) = torch.autograd.grad(loss, z)
    assert found["first"].before == pytest.approx(expected.square().mean().item(), rel=1e-4)


def test_another_loss_may_be_given():
    x, y = torch.tensor([[1.0], [3.0]]), torch.zeros(2, 1)

    found = gradient_statistics(nn.Sequential(nn.ReLU()), x, y, loss=F.mse_loss)

    # d/dz of z^2 is 2 z for each example: 2 and 6, mean square 20.
    assert found["0"] == (20.0, 20.0)


def test_a_step_stops_the_gradient():
    torch.manual_seed(0)
    model = SimpleNetwork("Step", in_features=5, hidden_features=(7, 6), out_features=3)

    found = gradient_statistics(model, torch.randn(10, 5), torch.randint(3, (10,)))

    assert found["act2"].after > 0
    assert found["act2"].before == found["act1"].after == found["act1"].before == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gradient_statistics(nn.Tanh(), torch.zeros(0, 2), torch.zeros(0).long()), "no examples"),
        (
            lambda: gradient_statistics(
                nn.Tanh(), torch.zeros(2, 2), torch.zeros(2).long(), loss=lambda a, b: a.sum(1)
            ),
            "wanted one number",
        ),
        (
            lambda: gradient_statistics(
                nn.Tanh(), torch.zeros(2, 2), torch.zeros(2).long(), loss=lambda a, b: a.detach().sum()
            ),
            "depends on the inputs",
        ),
    ],
)
def test_losses_that_have_no_gradient_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_public_names_of_the_maps_are_offered_here_too():
    from labs import fixed_points, gain, mean_field, signals

    homes = (fixed_points, gain, mean_field)
    missing = [
        name
        for home in homes
        for name, thing in vars(home).items()
        if getattr(thing, "__module__", "") == home.__name__ and not name.startswith("_")
        if getattr(signals, name, None) is not thing
    ]
    assert missing == ["elementwise"]  # for labs alone
