"""What the neuron ward knows about each unit of one network, measured over a whole data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from labs.networks import SimpleNetwork
from labs.neurons import FLAT_SLOPE, Activity
from labs.seeds import make_generator

#: The conditions of a unit, from well to ill; the code of a condition is its place in this list.
STATES = ("alive", "bias-dominated", "saturated", "near-dead", "dead")

#: The beginnings a network of the ward can have: settings of ``SimpleNetwork``.
INITS = {
    "torch": {"init": "torch"},
    "torch0": {"init": "torch", "zero_bias": True},
    "he": {"init": "he"},
    "he0": {"init": "he", "zero_bias": True},
}

BINS = 11


@dataclass(frozen=True)
class WardTable:
    """Every unit of every hidden layer of one network, over a data set.

    Attributes:
        examples: number of examples that were looked at.
        mean, std, low, high: mean, standard deviation, minimum and maximum of the pre-activation.
        open: examples at which the slope is above ``labs.neurons.FLAT_SLOPE``, so that gradient passes.
        bars: examples in each of eleven equal bins from ``low`` to ``high``.
        state: index into :data:`STATES`.

    Shape:
        - bars: :math:`(L, W, 11)` for :math:`L` layers of :math:`W` units; all others :math:`(L, W)`.

    Example:
        >>> class Data: inputs = torch.linspace(-1, 1, 100).reshape(100, 1)
        >>> table = ward_table(ward_network("ReLU", "torch", 1, in_features=1, layers=3, width=4), Data)
        >>> table.bars.shape
        torch.Size([3, 4, 11])
    """

    examples: int
    mean: Tensor
    std: Tensor
    low: Tensor
    high: Tensor
    open: Tensor
    bars: Tensor
    state: Tensor

    def counts(self, layer: int) -> dict[str, int]:
        """Return how many units of ``layer`` (the first is 1) are in each state.

        Args:
            layer: counted from 1.

        Returns:
            The numbers by the name of the state, in the order of :data:`STATES`.

        Example:
            >>> class Data: inputs = torch.linspace(-1, 1, 100).reshape(100, 1)
            >>> table = ward_table(ward_network("ReLU", "torch", 1, in_features=1, layers=3, width=4), Data)
            >>> sum(table.counts(1).values())
            4
        """
        return {name: int((self.state[layer - 1] == code).sum()) for code, name in enumerate(STATES)}

    def summary(self, layer: int) -> str:
        """Say it in words, as the widget does: ``"14 of 32 dead, 3 bias-dominated"``.

        Args:
            layer: counted from 1.

        Returns:
            The states of the units that are not well, the worst first, or ``"all 32 alive"``.

        Example:
            >>> class Data: inputs = torch.linspace(-1, 1, 100).reshape(100, 1)
            >>> table = ward_table(ward_network("ReLU", "torch", 1, in_features=1, layers=3, width=4), Data)
            >>> " 4 " in table.summary(1)
            True
        """
        counts = self.counts(layer)
        ill = [f"{n} {name}" for name, n in reversed(counts.items()) if n and name != "alive"]
        width = self.state.shape[1]
        return ", ".join([ill[0].replace(" ", f" of {width} ", 1), *ill[1:]]) if ill else f"all {width} alive"


def ward_network(
    activation: str, init: str, seed: int, *, in_features: int = 784, layers: int = 10, width: int = 32
) -> SimpleNetwork:
    """Return the untrained network of the ward: the one that ``set_seed(seed)`` right above it would give.

    Torch's random state is afterwards what it was.

    Args:
        activation: a name from ``labs.activations.ACTIVATIONS``.
        init: a key of :data:`INITS`.
        seed: a whole number from 0 to :math:`2^{32} - 1`.
        in_features: numbers per example.
        layers, width: number of hidden layers and units in each.

    Returns:
        The network, in training mode, on the CPU.

    Raises:
        ValueError: an unknown activation or init, or a seed out of range.

    Example:
        >>> len(ward_network("ReLU", "he0", 1).linear_layers)
        11
    """
    if init not in INITS:
        raise ValueError(f"unknown init {init!r}; choose one of: {', '.join(INITS)}")
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(make_generator(seed).get_state())
        hidden = [width] * layers
        return SimpleNetwork(activation, in_features=in_features, hidden_features=hidden, **INITS[init])


@torch.no_grad()
def first_layer(network: SimpleNetwork, data) -> Tensor:
    """Return the pre-activations of the first layer, a row per unit; they do not depend on the activation.

    Args:
        network: all that counts is its first linear layer.
        data: a data set with ``inputs``.

    Returns:
        The pre-activations (no unit), without gradient.

    Shape:
        - Output: :math:`(W, N)`

    Example:
        >>> class Data: inputs = torch.zeros(100, 1)
        >>> first_layer(ward_network("ReLU", "torch", 1, in_features=1, width=4), Data).shape
        torch.Size([4, 100])
    """
    return network.linear1(data.inputs.flatten(1)).T.contiguous()


@torch.no_grad()
def ward_table(
    network: SimpleNetwork,
    data,
    *,
    first: Tensor | None = None,
    on_layer: Callable[[int], object] = lambda _: None,
) -> WardTable:
    """Push all of ``data`` through ``network`` and return what every hidden unit did.

    Args:
        network: for instance a :func:`ward_network`; all hidden layers have the same width.
        data: a data set with ``inputs``.
        first: what :func:`first_layer` returned, when it is known already.
        on_layer: called after each layer with its number, counted from 1.

    Returns:
        The table, on the CPU; ``bars`` are counts of examples.

    Shape:
        - first: :math:`(W, N)`

    Raises:
        ValueError: no examples.

    Example:
        >>> class Data: inputs = torch.linspace(-1, 1, 100).reshape(100, 1)
        >>> ward_table(ward_network("ReLU", "torch", 1, in_features=1, layers=3, width=4), Data).state.shape
        torch.Size([3, 4])
    """
    examples = len(data.inputs)
    if examples == 0:
        raise ValueError("got no examples, so there is nothing to measure; give at least one")
    layers = []
    with _one_thread():
        z = first_layer(network, data) if first is None else first  # (W, N)
        for number in range(1, len(network.linear_layers)):
            a, slope = _bend(network.get_submodule(f"act{number}"), z)
            layers.append(_measure(z, a, slope))
            on_layer(number)
            following = network.linear_layers[number]
            z = torch.addmm(following.bias[:, None], following.weight, a)
    return WardTable(examples, *(torch.stack(column) for column in zip(*layers, strict=True)))


@contextmanager
def _one_thread() -> Iterator[None]:
    # Each operation takes about a millisecond. On a busy machine several threads wait for one another at the
    # end of every one of them, which made the whole four times slower; alone they gain little.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _bend(activation: nn.Module, z: Tensor) -> tuple[Tensor, Tensor]:
    """Return the activation and its slope in one pass: ``labs.activations.derivative`` without its copies."""
    with torch.enable_grad():
        leaf = z.detach().requires_grad_()
        a = activation(leaf)
        (slope,) = torch.autograd.grad(a, leaf, torch.ones_like(a))
    return a.detach(), slope


def _measure(z: Tensor, a: Tensor, slope: Tensor) -> tuple[Tensor, ...]:
    # Rows are units, so every sum runs along memory. This is the inner loop: amin and amax apart are faster
    # than aminmax, and a sum of floats is faster than a count of bools.
    n = z.shape[1]
    low, high, mean = z.amin(dim=1), z.amax(dim=1), z.mean(dim=1)
    std = torch.linalg.vector_norm(z - mean[:, None], dim=1) / n**0.5
    flat = torch.le(slope.abs_(), FLAT_SLOPE, out=slope).sum(dim=1)
    unknown = torch.full_like(mean, float("nan"))
    unit = Activity(
        mean=mean, std=std, low=low, high=high, output_mean=a.mean(dim=1), output_std=unknown,
        zero_share=((a.amin(dim=1) == 0) & (a.amax(dim=1) == 0)).float(),  # only "always zero" counts here
        positive_share=torch.gt(z, 0).sum(dim=1) / n, flat_share=flat / n,
    )  # fmt: skip
    state = torch.zeros(len(z), dtype=torch.uint8)
    conditions = (unit.bias_dominated(), unit.saturated(), unit.near_dead(), unit.dead)
    for code, has_it in enumerate(conditions, start=1):  # from well to ill, so that the worst one stays
        state[has_it] = code
    return mean, std, low, high, n - flat.long(), _bars(z, low, high), state


def _bars(z: Tensor, low: Tensor, high: Tensor) -> Tensor:
    scale = BINS / (high - low).clamp(min=torch.finfo(z.dtype).tiny)
    place = (z - low[:, None]).mul_(scale[:, None]).clamp_(max=BINS - 1).to(torch.uint8).numpy()
    # Counting "at most bin k" eleven times on bytes is several times faster than one histogram.
    up_to = np.array([[np.count_nonzero(row <= k) for k in range(BINS)] for row in place])
    return torch.from_numpy(np.diff(up_to, axis=1, prepend=0))
