"""Streams of random numbers that a browser and Python draw alike: what is random in the playground comes from one."""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: What a stream is for; the numbers are part of every link, so they never change.
PURPOSES = {
    "data": 1,
    "split": 2,
    "weights": 3,
    "biases": 4,
    "batches": 5,
    "dropout": 6,
    "activations": 7,
    "slopes": 8,
}
_32_BITS = 0xFFFFFFFF
_WEYL = 0x6D2B79F5


class Stream:
    """A stream of random numbers, named by a seed, a purpose and up to two counters.

    The generator is Mulberry32 over 32-bit integers. It starts from a hash of the four numbers, so that streams
    of neighbouring seeds or steps have nothing to do with each other. No stream depends on how much another has given.

    Args:
        seed: a whole number from 0 to :math:`2^{32} - 1`.
        purpose: a key of ``PURPOSES``.
        i: the first counter, such as the layer, the epoch or the step.
        j: the second counter, such as the hidden layer.

    Raises:
        ValueError: an unknown purpose, or a number that does not fit into 32 bits.

    Example:
        >>> Stream(0, "data").uniform(2)
        tensor([0.0838, 0.4688], dtype=torch.float64)
        >>> Stream(0, "weights", 1).normal(1, 2)
        tensor([[0.4037, 1.8792]], dtype=torch.float64)
        >>> Stream(0, "batches").permutation(5).tolist()
        [2, 4, 0, 3, 1]
    """

    def __init__(self, seed: int, purpose: str, i: int = 0, j: int = 0) -> None:
        if purpose not in PURPOSES:
            raise ValueError(f"unknown purpose {purpose!r}; choose one of: {', '.join(PURPOSES)}")
        state = 0x9E3779B9
        for word in (seed, PURPOSES[purpose], i, j):
            if not 0 <= word <= _32_BITS:
                raise ValueError(
                    f"got {word} for a seed or counter; wanted a whole number from 0 to 2**32 - 1"
                )
            state = (state ^ word) * 0x85EBCA6B & _32_BITS
            state ^= state >> 13
            state = state * 0xC2B2AE35 & _32_BITS
            state ^= state >> 16
        self._state = state

    def bits(self, count: int) -> Tensor:
        """Return the next whole numbers of 32 random bits.

        Args:
            count: how many.

        Returns:
            The numbers, from 0 to :math:`2^{32} - 1`.

        Shape:
            - Output: :math:`(N)`, ``int64``, where :math:`N` is ``count``.

        Example:
            >>> Stream(0, "data").bits(2)
            tensor([ 359962401, 1451862881])
        """
        # The state only counts up, so all numbers can be made at once; products wrap around modulo 2**64, which
        # leaves their lowest 32 bits right.
        a = self._state + _WEYL * torch.arange(1, count + 1) & _32_BITS
        self._state = self._state + _WEYL * count & _32_BITS
        t = (a ^ a >> 15) * (a | 1) & _32_BITS
        t = t ^ (t + ((t ^ t >> 7) * (t | 61) & _32_BITS) & _32_BITS)
        return t ^ t >> 14

    def uniform(self, *shape: int) -> Tensor:
        """Return draws that are even on [0, 1), with all 53 bits of a double.

        Args:
            shape: of the result, filled row by row.

        Returns:
            The draws.

        Shape:
            - Output: ``shape``, ``float64``.

        Example:
            >>> Stream(0, "split").uniform(1, 2)
            tensor([[0.7393, 0.8387]], dtype=torch.float64)
        """
        high, low = self.bits(2 * math.prod(shape)).view(-1, 2).unbind(1)
        return (((high >> 5) * 2**26 + (low >> 6)).double() / 2**53).view(shape)

    def normal(self, *shape: int) -> Tensor:
        """Return draws from the standard normal distribution, each from two even ones.

        Args:
            shape: of the result, filled row by row.

        Returns:
            The draws.

        Shape:
            - Output: ``shape``, ``float64``.

        Example:
            >>> Stream(0, "biases").normal(2)
            tensor([ 0.1167, -0.9245], dtype=torch.float64)
        """
        return bell_shaped(self.uniform(*shape, 2))

    def permutation(self, count: int) -> Tensor:
        """Return the numbers from 0 to ``count - 1`` in random order (Fisher and Yates).

        Args:
            count: how many.

        Returns:
            The order.

        Shape:
            - Output: :math:`(N)`, ``int64``, where :math:`N` is ``count``.

        Example:
            >>> Stream(0, "split").permutation(4).tolist()
            [1, 0, 3, 2]
        """
        order = list(range(count))
        for k, u in zip(range(count - 1, 0, -1), self.uniform(max(0, count - 1)).tolist(), strict=True):
            j = math.floor(u * (k + 1))
            order[k], order[j] = order[j], order[k]
        return torch.tensor(order, dtype=torch.int64)


def bell_shaped(pairs: Tensor) -> Tensor:
    """Return one draw from the standard normal for each pair of even draws, by the cosine of Box and Muller.

    Args:
        pairs: draws that are even on [0, 1).

    Returns:
        The normal draws.

    Shape:
        - pairs: :math:`(*, 2)`.
        - Output: :math:`(*)`.

    Example:
        >>> bell_shaped(torch.tensor([[0.5, 0.0], [0.5, 0.5]]))
        tensor([ 1.1774, -1.1774])
    """
    u, v = pairs.unbind(-1)
    return torch.sqrt(-2 * torch.log1p(-u)) * torch.cos(2 * math.pi * v)
