"""Measured signals against their definition, predicted ones against closed forms and against a wide network."""

import math

import pytest
import torch
from torch import nn

from labs.networks import SimpleNetwork
from labs.signals import backward_statistics, forward_statistics, mean_field


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
    assert q == pytest.approx(1.0, rel=1e-4)
    assert ratio == pytest.approx((1 - expected) / expected, rel=2e-3)


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
