"""Products, eigenvalues, density and trace against the explicit Hessian of tiny networks in float64."""

import copy

import pytest
import torch
from scipy.sparse.linalg import aslinearoperator, eigsh
from torch import nn
from torch.func import functional_call, hessian
from torch.nn import functional as F

from labs.activations import make_activation
from labs.data import ImageData, PointData, make_spirals
from labs.landscape import (
    HessianOperator,
    hessian_vector_product,
    lanczos_quadrature,
    spectral_density,
    top_eigenpairs,
    top_eigenvalues,
    trace,
)
from labs.networks import SimpleNetwork
from labs.seeds import make_generator

DATA = make_spirals(60)


def small_network(activation="GELU", **settings):
    torch.manual_seed(0)
    sizes = {"in_features": 2, "hidden_features": (5, 4), "out_features": 3}
    return SimpleNetwork(activation, **sizes, **settings).double().eval()


def with_norm():
    model = small_network("Tanh", norm="batch").train()
    model(DATA.inputs.double())  # running means that are not those of the start
    return model.eval()


def partly_frozen():
    model = small_network("SiLU")
    model.linear2.weight.requires_grad_(False)
    return model


NETWORKS = {
    **{
        name: lambda name=name: small_network(name)
        for name in ("ReLU", "GELU", "Tanh", "SELU", "PReLU", "Swish", "Mish", "TeLU", "Sigmoid", "LeakyReLU")
    },
    "STAF": lambda: small_network(lambda: make_activation("STAF", tau=3)),
    "in place": lambda: small_network(lambda: nn.ReLU(inplace=True)),
    "shared": lambda: small_network("TrainableELU", share_activation=True),
    "batch norm": with_norm,
    "partly frozen": partly_frozen,
    "linear": lambda: small_network(None),
}


def explicit_hessian(model):
    """The second derivative of the loss as a function of one flat vector, by torch.func."""
    model = copy.deepcopy(model)  # functional_call spoils a shared activation
    names = [name for name, p in model.named_parameters() if p.requires_grad]
    values = [model.get_parameter(name).detach() for name in names]

    def loss(flat):
        pieces = flat.split([v.numel() for v in values])
        moved = {n: piece.view_as(v) for n, piece, v in zip(names, pieces, values, strict=True)}
        return F.cross_entropy(functional_call(model, moved, (DATA.inputs.double(),)), DATA.labels)

    return hessian(loss)(torch.cat([v.reshape(-1) for v in values]))


# --- products


@pytest.mark.parametrize("name", NETWORKS)
def test_the_product_equals_that_with_the_explicit_hessian(name):
    model = NETWORKS[name]()
    matrix = explicit_hessian(model)
    vector = torch.randn(len(matrix), dtype=torch.float64, generator=make_generator(1))

    product = hessian_vector_product(model, DATA, vector, batch_size=17)

    assert matrix.abs().max() > 1e-3
    torch.testing.assert_close(product, matrix @ vector, rtol=1e-10, atol=1e-12)


def test_the_product_with_the_unit_vectors_is_the_hessian():
    model = small_network()
    matrix = explicit_hessian(model)

    columns = HessianOperator(model, DATA) @ torch.eye(len(matrix), dtype=torch.float64)

    torch.testing.assert_close(columns, matrix, rtol=1e-10, atol=1e-12)


def test_rrelu_has_the_hessian_of_its_mean_slope():
    model = small_network("RReLU")
    twin = small_network(lambda: nn.LeakyReLU((1 / 8 + 1 / 3) / 2))
    vector = torch.ones(54, dtype=torch.float64)

    product = hessian_vector_product(model.train(), DATA, vector)

    torch.testing.assert_close(product, explicit_hessian(twin) @ vector, rtol=1e-10, atol=1e-12)


def test_within_a_layer_a_relu_network_has_only_gauss_newton_curvature_and_between_layers_more():
    model = small_network("ReLU")
    x = DATA.inputs.double()
    names = dict(model.named_parameters())
    jacobian = torch.func.jacrev(lambda p: functional_call(model, p, (x,)))(
        {n: p.detach() for n, p in names.items()}
    )
    jacobian = torch.cat([j.flatten(2) for j in jacobian.values()], dim=2)  # (N, C, P)
    p = model(x).detach().softmax(dim=1)
    curvature = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    gauss_newton = torch.einsum("ncp,ncd,ndq->pq", jacobian, curvature, jacobian) / len(x)

    difference = (
        HessianOperator(model, DATA) @ torch.eye(len(gauss_newton), dtype=torch.float64) - gauss_newton
    )

    layers = difference.split([15, 24, 15])
    blocks = [[block.abs().max() for block in rows.split([15, 24, 15], dim=1)] for rows in layers]
    assert all(blocks[i][i] < 1e-12 for i in range(3))
    assert blocks[0][1] > 1e-3


def test_a_step_network_is_flat_in_all_but_its_last_layer():
    model = small_network("Step")

    product = hessian_vector_product(model, DATA, torch.ones(54, dtype=torch.float64))
    model.linear3.requires_grad_(False)
    flat = hessian_vector_product(model, DATA, torch.ones(39, dtype=torch.float64))

    assert not product[:39].any()
    assert not flat.any()


def test_the_loss_is_flat_along_parameters_that_it_does_not_depend_on():
    model = small_network().requires_grad_(False)
    model.unused = nn.Identity()
    model.unused.weight = nn.Parameter(torch.ones(2, dtype=torch.float64))

    assert not hessian_vector_product(model, DATA, torch.ones(2)).any()


@pytest.mark.parametrize("batch_size", [1, 7, 60, 1000])
def test_the_batch_size_does_not_show_in_the_product(batch_size):
    model = small_network()
    vector = torch.ones(54, dtype=torch.float64)

    product = hessian_vector_product(model, DATA, vector, batch_size=batch_size)

    torch.testing.assert_close(product, hessian_vector_product(model, DATA, vector), rtol=1e-12, atol=1e-14)


def test_a_float32_model_gives_float32_digits_and_the_type_of_the_vector():
    model = small_network()
    rounded = copy.deepcopy(model).float()
    vector = torch.randn(54, dtype=torch.float64, generator=make_generator(1))

    product = hessian_vector_product(rounded, DATA, vector.float())

    assert product.dtype == torch.float32
    assert hessian_vector_product(rounded, DATA, vector).dtype == torch.float64
    exact = hessian_vector_product(model, DATA, vector)
    torch.testing.assert_close(product.double(), exact, rtol=1e-4, atol=1e-6)


def test_a_convolutional_network_has_a_symmetric_hessian():
    model = nn.Sequential(nn.Conv2d(1, 2, 9, stride=4), nn.Tanh(), nn.Flatten(), nn.Linear(50, 2)).double()
    images = ImageData(torch.rand(6, 1, 28, 28, generator=make_generator(0)), torch.arange(6) % 2, ("a", "b"))
    operator = HessianOperator(model, images)
    u, v = torch.randn(2, operator.shape[0], dtype=torch.float64, generator=make_generator(1))

    torch.testing.assert_close(u @ (operator @ v), v @ (operator @ u), rtol=1e-10, atol=1e-12)


def test_scipy_takes_the_operator_as_it_is():
    model = small_network()
    operator = HessianOperator(model, DATA)

    value = eigsh(aslinearoperator(operator), k=1, which="LA", return_eigenvectors=False)
    same = eigsh(operator, k=1, which="LA", return_eigenvectors=False)

    assert value[0] == pytest.approx(float(torch.linalg.eigvalsh(explicit_hessian(model))[-1]), rel=1e-9)
    assert same[0] == pytest.approx(value[0], rel=1e-9)


@pytest.mark.parametrize("wrong", [torch.ones(53), torch.ones(1, 54), torch.ones(53, 2), torch.ones(())])
def test_a_vector_of_the_wrong_shape_is_an_error(wrong):
    with pytest.raises(ValueError, match=r"wanted \(54,\)"):
        hessian_vector_product(small_network(), DATA, wrong)


def test_a_batch_size_below_one_and_an_array_are_errors():
    with pytest.raises(ValueError, match="batch_size is 0"):
        HessianOperator(small_network(), DATA, batch_size=0)
    with pytest.raises(TypeError, match="call matvec"):
        HessianOperator(small_network(), DATA) @ [1.0]


# --- eigenvalues


@pytest.mark.parametrize("name", ["ReLU", "GELU", "STAF", "batch norm"])
def test_the_outermost_eigenvalues_are_those_of_the_explicit_hessian(name):
    model = NETWORKS[name]()
    exact = torch.linalg.eigvalsh(explicit_hessian(model)).flip(0)

    largest = top_eigenvalues(model, DATA, 3)
    smallest = top_eigenvalues(model, DATA, 2, which="smallest")
    both = top_eigenvalues(model, DATA, 2, which="both")

    torch.testing.assert_close(largest, exact[:3], rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(smallest, exact[-2:], rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(both, torch.cat([exact[:2], exact[-2:]]), rtol=1e-6, atol=1e-9)


def test_an_eigenvector_is_only_stretched_and_the_vectors_are_orthonormal():
    model = small_network()

    values, vectors = top_eigenpairs(model, DATA, 3)

    torch.testing.assert_close(HessianOperator(model, DATA) @ vectors, vectors * values, rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(vectors.T @ vectors, torch.eye(3, dtype=torch.float64))
    assert (vectors.gather(0, vectors.abs().argmax(dim=0, keepdim=True)) > 0).all()


def test_eigenvalues_come_out_the_same_twice_and_hardly_depend_on_the_start():
    model = small_network()

    first, second = top_eigenvalues(model, DATA, 2), top_eigenvalues(model, DATA, 2)
    other = top_eigenvalues(model, DATA, 2, generator=make_generator(9))

    assert torch.equal(first, second)
    torch.testing.assert_close(first, other, rtol=1e-7, atol=0)


def test_a_float32_model_gives_four_digits_of_the_sharpness():
    model = small_network()

    rounded = top_eigenvalues(copy.deepcopy(model).float(), DATA)

    torch.testing.assert_close(rounded, top_eigenvalues(model, DATA), rtol=1e-4, atol=0)


@pytest.mark.parametrize(("k", "which"), [(0, "largest"), (54, "largest"), (54, "smallest"), (27, "both")])
def test_a_k_out_of_range_is_an_error(k, which):
    with pytest.raises(ValueError, match=f"k is {k}; wanted 1 to"):
        top_eigenvalues(small_network(), DATA, k, which=which)


def test_the_largest_k_works_and_an_unknown_end_is_an_error():
    model = small_network()

    torch.testing.assert_close(
        top_eigenvalues(model, DATA, 53), torch.linalg.eigvalsh(explicit_hessian(model)).flip(0)[:53],
        rtol=1e-6, atol=1e-9,
    )  # fmt: skip
    with pytest.raises(ValueError, match="choose one of: largest, smallest, both"):
        top_eigenvalues(model, DATA, which="middle")


# --- density


def test_the_quadrature_reproduces_the_moments_of_the_start_vector():
    matrix = explicit_hessian(small_network())
    start = torch.randn(len(matrix), dtype=torch.float64, generator=make_generator(2))

    nodes, weights = lanczos_quadrature(HessianOperator(small_network(), DATA), start, 8)

    unit = start / start.norm()
    for power in range(16):  # a Gauss rule of 8 nodes is exact up to degree 15
        expected = unit @ torch.linalg.matrix_power(matrix, power) @ unit
        torch.testing.assert_close((weights * nodes**power).sum(), expected, rtol=1e-9, atol=1e-14)


def test_as_many_steps_as_parameters_find_every_eigenvalue():
    # Well-separated eigenvalues: those of a Hessian crowd at zero, where two cannot be told apart.
    exact = torch.linspace(-1, 3, 30, dtype=torch.float64)
    rotation = torch.linalg.qr(torch.randn(30, 30, dtype=torch.float64, generator=make_generator(0)))[0]
    start = torch.randn(30, dtype=torch.float64, generator=make_generator(1))

    nodes, weights = lanczos_quadrature(rotation * exact @ rotation.T, start, 100)

    torch.testing.assert_close(nodes, exact, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(weights, (rotation.T @ start / start.norm()) ** 2, rtol=1e-7, atol=1e-10)


def test_the_quadrature_stops_where_the_krylov_space_ends():
    matrix = torch.diag(torch.tensor([2.0, 2.0, 5.0, 5.0], dtype=torch.float64))

    nodes, weights = lanczos_quadrature(matrix, torch.ones(4), 4)

    torch.testing.assert_close(nodes, torch.tensor([2.0, 5.0], dtype=torch.float64))
    torch.testing.assert_close(weights, torch.tensor([0.5, 0.5], dtype=torch.float64))


@pytest.mark.parametrize("name", ["ReLU", "GELU"])
def test_the_density_integrates_to_one_and_is_nowhere_negative(name):
    found = spectral_density(NETWORKS[name](), DATA, steps=20, probes=3)

    assert found.nodes.shape == found.weights.shape == (3, 20)
    assert float(torch.trapezoid(found.density, found.grid)) == pytest.approx(1, abs=1e-6)
    torch.testing.assert_close(found.weights.sum(dim=1), torch.ones(3, dtype=torch.float64))
    assert (found.density >= 0).all()


def test_with_many_probes_the_density_is_the_blurred_histogram_of_the_eigenvalues():
    model = small_network()
    exact = torch.linalg.eigvalsh(explicit_hessian(model))
    width = 0.1 * float(exact[-1])

    found = spectral_density(model, DATA, steps=10, probes=40, width=width)

    bells = torch.distributions.Normal(exact, width).log_prob(found.grid[:, None]).exp().mean(dim=1)
    # Six seeds were off by 0.3 to 1.1 % of the peak, and by up to 18 % in the second moment.
    assert (found.density - bells).abs().max() < 0.03 * bells.max()
    assert found.moment(0) == pytest.approx(1)
    assert found.moment(2) == pytest.approx(float(exact.square().mean()), rel=0.3)


def test_a_density_of_one_single_eigenvalue_is_one_bell():
    model = nn.Linear(2, 2).double()
    model.weight.requires_grad_(False)
    # With logits far apart or equal, the Hessian of two biases has eigenvalues 0 and 1/2.
    nn.init.zeros_(model.weight), nn.init.zeros_(model.bias)
    points = PointData(torch.zeros(4, 2), torch.tensor([0, 1, 0, 1]), ("a", "b"))

    found = spectral_density(model, points, steps=10, probes=2)

    torch.testing.assert_close(found.nodes, torch.tensor([[0.0, 0.5]] * 2, dtype=torch.float64))


def test_a_flat_loss_has_its_whole_density_at_zero():
    model = small_network("Step")
    model.linear3.requires_grad_(False)

    found = spectral_density(model, DATA, steps=5, probes=2)

    assert not found.nodes.any()
    assert float(torch.trapezoid(found.density, found.grid)) == pytest.approx(1, abs=1e-6)


def test_settings_that_no_density_can_have_are_errors():
    model = small_network()

    with pytest.raises(ValueError, match="steps=0"):
        spectral_density(model, DATA, steps=0)
    with pytest.raises(ValueError, match="more points or a larger width"):
        spectral_density(model, DATA, steps=5, width=1e-6)
    with pytest.raises(ValueError, match="more points or a larger width"):
        spectral_density(model, DATA, steps=5, width=0.0)
    with pytest.raises(ValueError, match="length 0"):
        lanczos_quadrature(torch.eye(3), torch.zeros(3), 2)


# --- trace


def test_the_full_set_of_unit_vectors_gives_the_trace_exactly():
    model = small_network()
    matrix = explicit_hessian(model)
    probes = len(matrix) ** 0.5 * torch.eye(len(matrix), dtype=torch.float64)

    found = trace(model, DATA, probes=probes)

    assert found.estimate == pytest.approx(float(matrix.trace()), rel=1e-10)


@pytest.mark.parametrize("name", ["ReLU", "GELU", "Tanh"])
def test_the_trace_lies_within_three_standard_errors(name):
    model = NETWORKS[name]()

    found = trace(model, DATA, probes=200)

    # Three standard errors hold in 997 of 1000 draws; the seed is fixed.
    assert abs(found.estimate - float(explicit_hessian(model).trace())) < 3 * found.standard_error
    assert found.standard_error < 0.3 * found.estimate


def test_the_standard_error_is_the_spread_that_the_estimates_have():
    model = small_network("Tanh")
    # The variance of a Rademacher probe is twice the squared sum off the diagonal.
    matrix = explicit_hessian(model)
    spread = (2 * (matrix - matrix.diag().diag()).square().sum()).sqrt()

    found = trace(model, DATA, probes=400)

    # A standard deviation from 400 draws is known to a few per cent.
    assert found.standard_error == pytest.approx(float(spread) / 20, rel=0.2)


def test_one_probe_is_refused_since_it_has_no_standard_error():
    with pytest.raises(ValueError, match="at least 2"):
        trace(small_network(), DATA, probes=1)
