"""The networks behind ``SignalFit``: one number in, one out, an activation of its own in each hidden layer.

Networks that fit different signals with the same activation learn together, as one batched network: a step costs
hardly more than that of a single one.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from labs.activations import make_activation
from labs.networks import SimpleNetwork
from labs.seeds import make_generator

#: The activations to choose from, with their settings; those with parameters get a set for each layer.
ACTIVATIONS: dict[str, dict[str, float]] = {
    "ReLU": {},
    "PReLU": {},
    "Tanh": {},
    "Swish": {},
    "Sine": {},
    "Snake": {},
    "STAF": {"tau": 5},
    "Rational": {},
    "BSpline": {},
}
WIDTH = 32
LAYERS = 2


def signal_network(activation: str, seed: int) -> SimpleNetwork:
    """Return the network that a training starts from: 1-32-32-1, with PyTorch's default weights.

    Args:
        activation: a key of ``ACTIVATIONS``.
        seed: decides weights, biases and what STAF draws.

    Returns:
        The network, one activation module for each layer. torch's random state stays what it was.

    Raises:
        ValueError: an unknown activation, or a seed out of range.

    Example:
        >>> signal_network("PReLU", 1)(torch.zeros(5, 1)).shape
        torch.Size([5, 1])
    """
    if activation not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise ValueError(f"unknown activation {activation!r}; choose one of: {known}")
    make = partial(make_activation, activation, **ACTIVATIONS[activation])
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(
            make_generator(seed).get_state()
        )  # set_seed would reach Python's and numpy's chance too
        return SimpleNetwork(make, in_features=1, hidden_features=[WIDTH] * LAYERS, out_features=1)


class Ensemble(nn.Module):
    """Copies of one network that learn side by side, each with its own weights and activations.

    Args:
        activation, seed: as in :func:`signal_network`; all copies start alike.
        copies: how many.

    Shape:
        - Input: :math:`(N)`, the same numbers for every copy.
        - Output: :math:`(B, N)` with :math:`B` = ``copies``.

    Raises:
        ValueError: an unknown activation, or a seed out of range.

    Example:
        >>> Ensemble("Snake", 1, copies=4)(torch.zeros(5)).shape
        torch.Size([4, 5])
    """

    def __init__(self, activation: str, seed: int, *, copies: int) -> None:
        super().__init__()
        self.copies, self._fresh = copies, partial(signal_network, activation, seed)
        one = self._fresh()
        self.weights = nn.ParameterList(e.weight.detach().T.repeat(copies, 1, 1) for e in one.linear_layers)
        self.biases = nn.ParameterList(e.bias.detach().repeat(copies, 1, 1) for e in one.linear_layers)
        self.acts = nn.ModuleList()
        for act in _activations(one):
            # To the activation a copy is a channel.
            own = {"num_parameters": copies} if list(act.parameters()) else {}
            with torch.random.fork_rng(devices=[]):  # STAF draws its numbers, which are replaced below
                self.acts.append(make_activation(activation, **ACTIVATIONS[activation], **own))
            for many, p in zip(self.acts[-1].parameters(), act.parameters(), strict=True):
                many.data = p.detach().reshape(1, -1).repeat(copies, 1).reshape(many.shape)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)[-1][..., 0]

    def layers(self, x: Tensor) -> list[Tensor]:
        """Return the outputs of all linear layers: the pre-activations, and last what the networks put out.

        Args:
            x: inputs.

        Returns:
            One tensor per linear layer.

        Shape:
            - x: :math:`(N)`.
            - Output: :math:`(B, N, C)` with the width :math:`C` of the layer.

        Example:
            >>> [z.shape[-1] for z in Ensemble("ReLU", 1, copies=4).layers(torch.zeros(5))]
            [32, 32, 1]
        """
        h, found = x[:, None].expand(self.copies, -1, 1), []
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            h = torch.baddbmm(bias, h if i == 0 else self.acts[i - 1](h[None])[0], weight)
            found.append(h)
        return found

    def shapes(self, z: Tensor) -> Tensor:
        """Return what the activation of each layer makes of the numbers ``z``.

        Args:
            z: pre-activations, the same for every copy.

        Returns:
            The activations.

        Shape:
            - z: :math:`(K)`.
            - Output: :math:`(B, 2, K)`.

        Example:
            >>> Ensemble("ReLU", 1, copies=1).shapes(torch.tensor([-1.0, 2.0]))
            tensor([[[0., 2.],
                     [0., 2.]]])
        """
        return torch.stack([act(z.expand(1, self.copies, -1))[0] for act in self.acts], 1)

    @torch.no_grad()
    def network(self, copy: int) -> SimpleNetwork:
        """Return one copy as a plain network, with the numbers it has now.

        Args:
            copy: which, from 0.

        Returns:
            A new network.

        Example:
            >>> ensemble, x = Ensemble("Snake", 1, copies=2), torch.rand(5)
            >>> torch.allclose(ensemble.network(1)(x[:, None])[:, 0], ensemble(x)[1], atol=1e-6)
            True
        """
        one = self._fresh()
        for linear, weight, bias in zip(one.linear_layers, self.weights, self.biases, strict=True):
            linear.weight.copy_(weight[copy].T)
            linear.bias.copy_(bias[copy, 0])
        for act, acts in zip(_activations(one), self.acts, strict=True):
            for p, many in zip(act.parameters(), acts.parameters(), strict=True):
                p.copy_(many.reshape(self.copies, -1)[copy].reshape(p.shape))
        return one


def _activations(network: SimpleNetwork) -> list[nn.Module]:
    return [network.get_submodule(f"act{layer}") for layer in range(1, LAYERS + 1)]
