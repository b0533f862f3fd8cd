"""All eigenvalues of the loss Hessian without computing any of them: their density and their sum."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from labs.data import ImageData, PointData
from labs.hessian import HessianOperator
from labs.progress import progress_bar
from labs.seeds import make_generator


@dataclass(frozen=True, eq=False)
class SpectralDensity:
    """An estimate of how the eigenvalues of a Hessian are spread.

    Attributes:
        grid: places on the axis of eigenvalues [nats per squared parameter].
        density: share of the eigenvalues per unit of that axis, each blurred to a Gaussian; integrates to one.
        nodes: for each probe the nodes of its quadrature, in ascending order.
        weights: the weights of those nodes; each row sums to one.
        width: standard deviation of the Gaussian.

    Shape:
        - grid, density: :math:`(G)`; nodes, weights: (probes, steps); float64 on the CPU.

    Source: Ghorbani, Krishnan, Xiao (2019), arXiv:1901.10159.

    Example:
        >>> from labs.data import make_moons
        >>> found = spectral_density(nn.Linear(2, 2), make_moons(100), steps=5, probes=2, points=500)
        >>> found.grid.shape, found.nodes.shape
        (torch.Size([500]), torch.Size([2, 5]))
    """

    grid: Tensor
    density: Tensor
    nodes: Tensor
    weights: Tensor
    width: float

    def moment(self, power: int) -> float:
        r"""Return the estimate of the mean of :math:`\lambda^p` over all eigenvalues, from nodes and weights.

        Args:
            power: :math:`p`, 0 or more.

        Returns:
            The mean [nats per squared parameter, to that power].

        Example:
            >>> one = torch.ones(1, 1)
            >>> SpectralDensity(one[0], one[0], 3 * one, one, 0.1).moment(2)
            9.0
        """
        return float((self.weights * self.nodes**power).sum(dim=1).mean())


def spectral_density(
    model: nn.Module,
    data: ImageData | PointData,
    *,
    steps: int = 60,
    probes: int = 4,
    width: float | None = None,
    points: int = 1000,
    generator: torch.Generator | None = None,
    batch_size: int = 2000,
    progress: bool = True,
) -> SpectralDensity:
    """Estimate the density of all eigenvalues of the loss Hessian by stochastic Lanczos quadrature.

    Takes ``probes * steps`` Hessian products, and memory for ``steps`` vectors in float64.

    Args:
        model, data, batch_size: as for :class:`HessianOperator`.
        steps: Lanczos steps per probe, at most one per parameter.
        probes: random vectors to average over.
        width: standard deviation of the Gaussian that blurs each node; by default a hundredth of the range
            of the nodes.
        points: places of the grid.
        generator: draws the probes; by default the same ones each time.
        progress: show a bar when it takes more than two seconds.

    Returns:
        A :class:`SpectralDensity`.

    Raises:
        TypeError, ValueError, FloatingPointError: as for :class:`HessianOperator`.
        ValueError: a number below one, or a width that the grid cannot show.

    Source: Ubaru, Chen, Saad (2017), "Fast estimation of tr(f(A)) via stochastic Lanczos quadrature"; for
    networks Ghorbani, Krishnan, Xiao (2019), arXiv:1901.10159.

    Example:
        >>> from labs.data import make_moons
        >>> found = spectral_density(nn.Linear(2, 2), make_moons(100), probes=2)
        >>> round(torch.trapezoid(found.density, found.grid).item(), 3)
        1.0
    """
    if min(operator.index(steps), operator.index(probes)) < 1 or operator.index(points) < 2:
        raise ValueError(f"got steps={steps}, probes={probes}, points={points}; wanted at least 1, 1 and 2")
    hessian = HessianOperator(model, data, batch_size=batch_size)
    size, generator = hessian.shape[0], _or_default(generator)
    steps = min(steps, size)
    nodes, weights = torch.zeros(2, probes, steps, dtype=torch.float64)
    with progress_bar(probes, "Lanczos probes", progress=progress) as tick:
        for row in range(probes):
            found, weight = lanczos_quadrature(hessian, _normal(size, generator), steps)
            nodes[row] = found[-1]  # a row that ends early is filled up with nodes of weight zero
            nodes[row, : len(found)], weights[row, : len(found)] = found, weight
            tick()
    low, high = nodes.min(), nodes.max()
    if width is None:
        largest = float(nodes.abs().max())
        # A multiple of the identity has one node: a blur that rounding cannot swallow, also around zero.
        width = max(float(high - low), 1e-3 * largest) / 100 or 0.01
    grid = torch.linspace(float(low) - 6 * width, float(high) + 6 * width, points, dtype=torch.float64)
    if not float(grid[1] - grid[0]) <= width:
        raise ValueError(
            f"width is {width:.3g}, but the {points} points of the grid are {float(grid[1] - grid[0]):.3g} "
            "apart; wanted a positive width of at least that: give more points or a larger width"
        )
    bells = torch.exp(-0.5 * ((grid[:, None] - nodes.reshape(-1)) / width) ** 2)
    density = bells @ weights.reshape(-1) / (probes * width * math.sqrt(2 * math.pi))
    return SpectralDensity(grid, density, nodes, weights, width)


def lanczos_quadrature(hessian: HessianOperator, start: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    r"""Return nodes and weights with :math:`\sum_i w_i \lambda_i^p = v^T H^p v` for every power below twice the steps.

    Here :math:`v` is ``start`` at length one. Every new Lanczos vector is made orthogonal to all before it, twice,
    since rounding would otherwise find the large eigenvalues again and again.

    Args:
        hessian: a :class:`HessianOperator`, or another symmetric operator that multiplies with ``@``.
        start: any vector but zero.
        steps: products to spend; fewer are made where the Krylov space is exhausted.

    Returns:
        The nodes in ascending order, in the unit of the eigenvalues, and their weights, which sum to one.

    Shape:
        - start: :math:`(P)`; nodes and weights: :math:`(m)` with :math:`m` up to ``steps``, float64 on the CPU.

    Raises:
        ValueError: a start vector of length zero, or not a single step.

    Source: Golub, Welsch (1969), "Calculation of Gauss quadrature rules", Mathematics of Computation 23; Ubaru,
    Chen, Saad (2017).

    Example:
        >>> matrix = torch.diag(torch.tensor([1.0, 3.0], dtype=torch.float64))
        >>> nodes, weights = lanczos_quadrature(matrix, torch.ones(2), 2)
        >>> [round(node, 6) for node in nodes.tolist()], [round(weight, 6) for weight in weights.tolist()]
        ([1.0, 3.0], [0.5, 0.5])
    """
    norm = float(start.double().norm())
    if steps < 1 or not (math.isfinite(norm) and norm > 0):
        raise ValueError(
            f"got {steps} steps from a vector of length {norm}; wanted at least 1 and a length above 0"
        )
    vector = start.to(hessian.device, torch.float64) / norm
    basis = vector.new_empty(min(steps, len(start)), len(start))  # (m, P)
    diagonal, beside = [], []
    for step in range(len(basis)):
        basis[step] = vector
        known = basis[: step + 1]
        image = hessian @ vector
        diagonal.append(float(vector @ image))
        for _ in range(2):
            image = image - known.T @ (known @ image)
        length = float(image.norm())
        if length <= 1e-12 * max(map(abs, diagonal + beside)):  # nothing new: the space is exhausted
            break
        beside.append(length)
        vector = image / length
    beside = torch.tensor(beside[: len(diagonal) - 1], dtype=torch.float64)
    matrix = torch.diag(torch.tensor(diagonal, dtype=torch.float64)) + beside.diag(1) + beside.diag(-1)
    nodes, vectors = torch.linalg.eigh(matrix)
    return nodes, vectors[0] ** 2


class TraceEstimate(NamedTuple):
    """The trace of a Hessian, estimated.

    Attributes:
        estimate: mean over the probes [nats per squared parameter].
        standard_error: of that mean, in the same unit.

    Source: Hutchinson (1989), "A stochastic estimator of the trace of the influence matrix for Laplacian smoothing
    splines".

    Example:
        >>> TraceEstimate(3.0, 0.1).estimate
        3.0
    """

    estimate: float
    standard_error: float


def trace(
    model: nn.Module,
    data: ImageData | PointData,
    *,
    probes: int | Tensor = 32,
    generator: torch.Generator | None = None,
    batch_size: int = 2000,
    progress: bool = True,
) -> TraceEstimate:
    r"""Estimate the trace of the loss Hessian, the sum of its eigenvalues, as the mean of :math:`v^T H v`.

    Args:
        model, data, batch_size: as for :class:`HessianOperator`.
        probes: how many vectors of random signs (Rademacher) to average over; or the vectors themselves, one
            per row. The unit vectors times the root of their number give the trace exactly.
        generator: draws the signs; by default the same ones each time.
        progress: show a bar when it takes more than two seconds.

    Returns:
        The pair ``(estimate, standard_error)`` [nats per squared parameter].

    Shape:
        - probes, where given: (probes, :math:`P`).

    Raises:
        TypeError, ValueError, FloatingPointError: as for :class:`HessianOperator`.
        ValueError: fewer than two probes, which have no standard error.

    Source: Hutchinson (1989), "A stochastic estimator of the trace of the influence matrix for Laplacian smoothing
    splines"; for networks Yao et al. (2020), arXiv:1912.07145.

    Example:
        >>> from labs.data import make_moons
        >>> found = trace(nn.Linear(2, 2), make_moons(100), probes=100)
        >>> found.estimate > 3 * found.standard_error > 0
        True
    """
    count = len(probes) if isinstance(probes, Tensor) else operator.index(probes)
    if count < 2:
        raise ValueError(f"got {count} probes; wanted at least 2, for one alone has no standard error")
    hessian, generator = HessianOperator(model, data, batch_size=batch_size), _or_default(generator)
    values = torch.empty(count, dtype=torch.float64)
    with progress_bar(count, "trace probes", progress=progress) as tick:
        for i in range(count):
            if isinstance(probes, Tensor):
                probe = probes[i].to(hessian.device, torch.float64)
            else:
                signs = torch.randint(2, (hessian.shape[0],), generator=generator, device=generator.device)
                probe = (2.0 * signs - 1).to(hessian.device, torch.float64)
            values[i] = probe @ (hessian @ probe)
            tick()
    return TraceEstimate(float(values.mean()), float(values.std()) / math.sqrt(count))


def _or_default(generator: torch.Generator | None) -> torch.Generator:
    # A measurement should give the same number twice; who wants other probes says so.
    return make_generator(0) if generator is None else generator


def _normal(size: int, generator: torch.Generator) -> Tensor:
    return torch.randn(size, dtype=torch.float64, generator=generator, device=generator.device)
