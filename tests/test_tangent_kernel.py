"""The tangent kernel against the explicit Jacobian, J times J transposed."""

import copy

import pytest
import torch
from torch import nn
from torch.func import functional_call, jacrev
from torch.nn import functional as F

from labs import tangent_kernel
from labs.activations import make_activation
from labs.data import make_spirals
from labs.landscape import empirical_ntk, ntk_drift
from labs.networks import SimpleNetwork

POINTS = make_spirals(11).points.double()
OTHERS = make_spirals(6, seed=1).points.double()


def small_network(activation="GELU", **settings):
    torch.manual_seed(0)
    sizes = {"in_features": 2, "hidden_features": (5, 4), "out_features": 3}
    return SimpleNetwork(activation, **sizes, **settings).double().eval()


class Tied(nn.Module):
    """One weight at work in four ways: twice as a layer, once by hand, and in another layer."""

    def __init__(self):
        super().__init__()
        self.first, self.twice, self.tied, self.by_hand = (nn.Linear(2, 2) for _ in range(4))
        self.tied.weight = self.first.weight
        self.plain = nn.Linear(2, 3)

    def forward(self, x):
        x = self.twice(torch.tanh(self.twice(self.first(x))))
        x = F.silu(self.by_hand(self.tied(x))) + F.linear(x, self.by_hand.weight)
        return self.plain(x)


class Sequence(nn.Module):
    """Its linear layer sees three axes."""

    def __init__(self):
        super().__init__()
        self.layer, self.last = nn.Linear(1, 4), nn.Linear(4, 3)

    def forward(self, x):
        return self.last(input=torch.tanh(self.layer(x.unsqueeze(-1))).mean(dim=1))


def convolution():
    return nn.Sequential(
        nn.Unflatten(1, (1, 1, 2)), nn.Conv2d(1, 3, (1, 2)), nn.ReLU(), nn.Flatten(), nn.Linear(3, 3)
    ).double()


def partly_frozen():
    model = small_network()
    model.linear2.weight.requires_grad_(False)
    model.linear1.bias.requires_grad_(False)
    return model


def without_bias():
    return nn.Sequential(
        nn.Linear(2, 4, bias=False), nn.ReLU(inplace=True), nn.Linear(4, 3, bias=False)
    ).double()


NETWORKS = {
    **{
        name: lambda name=name: small_network(name)
        for name in ("ReLU", "GELU", "PReLU", "SELU", "Step", "Swish")
    },
    "STAF": lambda: small_network(lambda: make_activation("STAF", tau=3)),
    "batch norm": lambda: small_network(norm="batch"),
    "layer norm": lambda: small_network("Tanh", norm="layer"),
    "shared": lambda: small_network("PReLU", share_activation=True),
    "tied": lambda: Tied().double(),
    "three axes": lambda: Sequence().double(),
    "convolution": convolution,
    "partly frozen": partly_frozen,
    "without bias": without_bias,
}


def explicit_jacobian(model, x):
    """All derivatives of all outputs, (N, C, P)."""
    model = copy.deepcopy(model)  # functional_call spoils a shared activation
    parameters = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
    pieces = jacrev(lambda p: functional_call(model, p, (x,)))(parameters)
    return torch.cat([piece.reshape(len(x), 3, -1) for piece in pieces.values()], dim=2)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_kernel_is_the_jacobian_times_its_transpose(name):
    torch.manual_seed(3)
    model = NETWORKS[name]()
    left, right = explicit_jacobian(model, POINTS), explicit_jacobian(model, OTHERS)
    expected = torch.einsum("icp,jdp->ijcd", left, right)

    full = empirical_ntk(model, POINTS, OTHERS, outputs="full", batch_size=4)
    traced, summed = (empirical_ntk(model, POINTS, OTHERS, outputs=kind) for kind in ("trace", "sum"))

    assert expected.abs().max() > 0.1
    torch.testing.assert_close(full, expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(traced, expected.diagonal(dim1=2, dim2=3).mean(dim=2), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(summed, expected.sum(dim=(2, 3)) / 3, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("name", "plain"), [("GELU", 3), ("PReLU", 3), ("tied", 1), ("three axes", 1)])
def test_products_stand_in_for_jacobians_only_where_that_is_right(name, plain):
    model = NETWORKS[name]()

    assert len(tangent_kernel._plain_linears(model, POINTS[:4])) == plain


def test_the_kernel_with_itself_is_symmetric_and_has_no_negative_eigenvalue():
    kernel = empirical_ntk(small_network(), POINTS)

    torch.testing.assert_close(kernel, kernel.T)
    assert torch.linalg.eigvalsh(kernel)[0] > -1e-12
    torch.testing.assert_close(kernel, empirical_ntk(small_network(), POINTS, POINTS))


@pytest.mark.parametrize("name", ["GELU", "PReLU", "convolution"])
@pytest.mark.parametrize("kind", ["full", "trace", "sum"])
def test_neither_batches_nor_bounded_memory_show_in_the_kernel(name, kind, monkeypatch):
    model = NETWORKS[name]()
    whole = empirical_ntk(model, POINTS, OTHERS, outputs=kind)

    monkeypatch.setattr(tangent_kernel, "_MEMORY", 1)  # one example at a time
    parts = empirical_ntk(model, POINTS, OTHERS, outputs=kind, batch_size=3)

    torch.testing.assert_close(parts, whole, rtol=1e-12, atol=1e-14)


def test_a_small_step_of_gradient_descent_moves_the_outputs_by_the_kernel():
    # df(x) = -lr * sum over x' of Theta(x, x') dL/df(x'), to first order in lr.
    model, lr = small_network(), 1e-6
    labels = torch.arange(11) % 3
    before = model(POINTS)
    pull = torch.autograd.grad(F.cross_entropy(before, labels), before, retain_graph=True)[0]
    kernel = empirical_ntk(model, POINTS, outputs="full")

    F.cross_entropy(before, labels).backward()
    with torch.no_grad():
        for p in model.parameters():
            p -= lr * p.grad
        moved = (model(POINTS) - before) / -lr

    torch.testing.assert_close(moved, torch.einsum("ijcd,jd->ic", kernel, pull), rtol=1e-4, atol=1e-6)


def test_a_float32_kernel_agrees_with_float64_and_a_data_set_will_do():
    model = small_network()
    rounded = copy.deepcopy(model).float()

    kernel = empirical_ntk(rounded, make_spirals(11))

    assert kernel.dtype == torch.float32
    torch.testing.assert_close(kernel.double(), empirical_ntk(model, POINTS), rtol=1e-5, atol=1e-5)


def test_parameters_that_nothing_depends_on_have_a_kernel_of_zero():
    model = small_network().requires_grad_(False)
    model.unused = nn.Identity()
    model.unused.weight = nn.Parameter(torch.ones(2, dtype=torch.float64))

    assert not empirical_ntk(model, POINTS).any()


# --- drift


def test_drift_is_zero_without_change_and_a_matter_of_scale_under_rescaling():
    model = nn.Linear(2, 3).double()
    scaled = nn.Sequential(nn.Linear(2, 3).double(), Doubled())

    same, doubled = ntk_drift(model, copy.deepcopy(model), POINTS), ntk_drift(model, scaled, POINTS)

    assert same.distance == 0
    assert same.alignment == pytest.approx(1)
    assert doubled.distance == pytest.approx(3)  # four times the kernel
    assert doubled.alignment == pytest.approx(1)


class Doubled(nn.Module):
    """Twice the input."""

    def forward(self, x):
        return 2 * x


@pytest.mark.parametrize("kind", ["full", "trace", "sum"])
def test_drift_equals_its_definition(kind):
    before, after = small_network(), small_network("Tanh")

    drift = ntk_drift(before, after, POINTS, outputs=kind)

    a, b = (empirical_ntk(model, POINTS, outputs=kind).reshape(-1) for model in (before, after))
    assert drift.distance == pytest.approx(float((b - a).norm() / a.norm()))
    assert drift.alignment == pytest.approx(float(F.cosine_similarity(a, b, dim=0)))


def test_what_has_no_kernel_is_an_error():
    model = small_network()
    dead = small_network("Step")
    dead.linear3.requires_grad_(False)
    wide = SimpleNetwork(in_features=2, hidden_features=(3,), out_features=4).double()

    with pytest.raises(ValueError, match="choose one of: full, trace, sum"):
        empirical_ntk(model, POINTS, outputs="mean")
    with pytest.raises(ValueError, match="no examples"):
        empirical_ntk(model, POINTS[:0])
    with pytest.raises(ValueError, match="got a list"):
        empirical_ntk(model, [1.0, 2.0])
    with pytest.raises(ValueError, match="batch_size is 0"):
        empirical_ntk(model, POINTS, batch_size=0)
    with pytest.raises(ValueError, match=r"returned shape \(2, 1, 2\)"):
        empirical_ntk(nn.Sequential(nn.Linear(2, 2), nn.Unflatten(1, (1, 2))).double(), POINTS)
    with pytest.raises(ValueError, match="zero throughout"):
        ntk_drift(model, dead, POINTS)
    with pytest.raises(ValueError, match="as many outputs"):
        ntk_drift(model, wide, POINTS, outputs="full")
    with pytest.raises(FloatingPointError, match="tangent kernel"):
        empirical_ntk(model, POINTS * float("inf"))
