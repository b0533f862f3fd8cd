"""Chapter 17: slices through the loss around trained networks, and the curvature there, for several activations.

Every experiment is a function of one seed. ``labs.experiments.runs.landscape`` runs them in full, and its docstring is
the protocol.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from labs.data import ImageData
from labs.evaluation import evaluate
from labs.fitting import History, fit
from labs.landscape import filter_normalized, loss_slice, random_direction, top_eigenvalues, trace
from labs.measuring import trainable_parameters
from labs.networks import SimpleNetwork
from labs.seeds import make_generator, set_seed

#: Six functions: two that are homogeneous, four that are smooth almost or wholly everywhere.
ACTIVATIONS = ("ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Tanh")

#: A factor on the input of these is a factor on their output, so that layers can trade it.
HOMOGENEOUS = ("ReLU", "LeakyReLU")


def network(activation: str, *, seed: int) -> SimpleNetwork:
    """Return the network 784-32-32-10 with He weights and zero biases, before training.

    Args:
        activation: a name from ``ACTIVATIONS``.
        seed: decides the weights, which are the same for every activation.

    Returns:
        A fresh network on the CPU.

    Example:
        >>> sum(p.numel() for p in network("ReLU", seed=0).parameters())
        26506
    """
    set_seed(seed)
    return SimpleNetwork(activation, hidden_features=(32, 32), init="he", zero_bias=True)


@torch.no_grad()
def rescaled(model: SimpleNetwork, factor: float) -> SimpleNetwork:
    """Return a copy with ``factor`` times the first layer and its bias, and the second weights divided by it.

    Args:
        model: a network with at least two linear layers.
        factor: any positive number.

    Returns:
        The copy. With an activation from ``HOMOGENEOUS`` it computes the same function.

    Raises:
        ValueError: a factor that is not positive.

    Example:
        >>> model, x = network("ReLU", seed=0), torch.randn(5, 784)
        >>> torch.allclose(model(x), rescaled(model, 4.0)(x))
        True
    """
    if not factor > 0:
        raise ValueError(f"factor is {factor}; wanted a positive number, for a sign would not pass a ReLU")
    other = copy.deepcopy(model)
    first, second, *_ = other.linear_layers
    first.weight.mul_(factor)
    first.bias.mul_(factor)
    second.weight.div_(factor)
    return other


def plain_direction(direction: dict[str, Tensor], model: SimpleNetwork) -> dict[str, Tensor]:
    """Return ``direction`` without biases, at the length of all weights together: no filter has a length of its own.

    Args:
        direction: parameter name to tensor.
        model: whose weights give the length.

    Returns:
        A new direction.

    Example:
        >>> from labs.landscape import random_direction
        >>> model = network("ReLU", seed=0)
        >>> found = plain_direction(random_direction(model), model)
        >>> float(found["linear1.bias"].abs().max())
        0.0
    """
    weights = {name: p for name, p in trainable_parameters(model).items() if p.dim() > 1}
    want = sum(p.detach().square().sum() for p in weights.values()).sqrt()
    have = sum(direction[name].square().sum() for name in weights).sqrt()
    return {
        name: d * (want / have) if name in weights else torch.zeros_like(d) for name, d in direction.items()
    }


def curvature(model: SimpleNetwork, data: ImageData, *, k: int = 5, probes: int = 30) -> dict:
    """Measure the Hessian of the mean cross-entropy on ``data``.

    Args:
        model: the network.
        data: the examples that the loss is averaged over.
        k: number of eigenvalues from the top.
        probes: random vectors for the trace.

    Returns:
        ``loss`` [nats], ``eigenvalues`` from the largest, ``trace`` and its ``trace_error`` [nats per squared
        parameter].

    Example:
        >>> from labs.data import load_digits
        >>> found = curvature(network("Tanh", seed=0), load_digits("train", limit=50), k=2)
        >>> found["eigenvalues"][0] > found["eigenvalues"][1] > 0
        True
    """
    found = trace(model, data, probes=probes, progress=False)
    return {
        "loss": evaluate(model, data).loss,
        "eigenvalues": top_eigenvalues(model, data, k, progress=False).tolist(),
        "trace": found.estimate,
        "trace_error": found.standard_error,
    }


def curvature_trial(
    train: ImageData, test: ImageData, *, activation: str, level: float, epochs: int, lr: float, seed: int
) -> dict:
    """Train once and measure the curvature twice: at a loss that all networks reach, and at the end.

    Args:
        train: what to learn from, and to measure the curvature on.
        test: images to report the accuracy on.
        activation: a name from ``ACTIVATIONS``.
        level: the first measurement is after the first epoch whose loss on ``train`` is at most this [nats].
        epochs: passes through the training data.
        lr: learning rate, with momentum 0.9.
        seed: decides weights and batches.

    Returns:
        ``level``, what :func:`curvature` gives at that moment with the ``epoch`` (None if the loss was never
        reached), ``end``, the same after the last epoch, and for both the test ``accuracy``.

    Example:
        >>> from labs.data import load_digits
        >>> digits = load_digits("train", limit=100)
        >>> found = curvature_trial(digits, digits, activation="ReLU", level=0.0, epochs=1, lr=0.01, seed=0)
        >>> found["level"] is None, found["end"]["epoch"]
        (True, 1)
    """
    model, kept = network(activation, seed=seed), {}

    def look(epoch: int, model: SimpleNetwork, history: History) -> None:
        if not kept and evaluate(model, train).loss <= level:
            kept.update(epoch=len(history), model=copy.deepcopy(model))

    fit(model, train, epochs=epochs, lr=lr, seed=seed, progress=False, on_epoch=look)
    moments = {"level": kept, "end": {"epoch": epochs, "model": model}}
    return {
        name: None
        if not one
        else {
            "epoch": one["epoch"],
            "accuracy": evaluate(one["model"], test).accuracy,
            **curvature(one["model"], train),
        }
        for name, one in moments.items()
    }


def slice_trial(
    train: ImageData, test: ImageData, *, activation: str, epochs: int, lr: float, factor: float, seed: int,
    steps: int = 31, radius: float = 1.0,
) -> dict:  # fmt: skip
    """Train once and walk over a square grid around the end.

    Args:
        train: what to learn from, and what the loss of the grid is averaged over.
        test: images to report the accuracy on.
        activation: a name from ``ACTIVATIONS``.
        epochs: passes through the training data.
        lr: learning rate, with momentum 0.9.
        factor: see :func:`rescaled`.
        seed: decides weights, batches and directions; the directions are the same for every activation.
        steps: places along each direction.
        radius: of the grid, in lengths of the weights.

    Returns:
        What :func:`curvature` gives with the test ``accuracy``, the same for the ``rescaled`` network, and the grids
        of losses [nats, four digits]: ``filter`` with filter-normalised directions and, for ``HOMOGENEOUS``
        functions, ``plain`` and ``plain_rescaled`` with :func:`plain_direction` for both networks.

    Example:
        >>> from labs.data import load_digits
        >>> digits = load_digits("train", limit=50)
        >>> found = slice_trial(digits, digits, activation="Tanh", epochs=1, lr=0.01, factor=2.0, seed=0, steps=3)
        >>> len(found["grids"]["filter"]), list(found["grids"])
        (3, ['filter'])
    """
    model = network(activation, seed=seed)
    fit(model, train, epochs=epochs, lr=lr, seed=seed, progress=False)
    other = rescaled(model, factor)
    generator = make_generator(seed)
    directions = [random_direction(model, generator=generator) for _ in range(2)]

    def grid(network: SimpleNetwork, scaled) -> list[list[float]]:
        chosen = [scaled(direction, network) for direction in directions]
        losses = loss_slice(network, train, chosen, radius=radius, steps=steps, progress=False)
        return [[float(f"{loss:.4g}") for loss in row] for row in losses.tolist()]

    grids = {"filter": grid(model, filter_normalized)}
    if activation in HOMOGENEOUS:
        grids["plain"] = grid(model, plain_direction)
        grids["plain_rescaled"] = grid(other, plain_direction)
    measured = [{"accuracy": evaluate(one, test).accuracy, **curvature(one, train)} for one in (model, other)]
    return {**measured[0], "rescaled": measured[1], "grids": grids}
