"""One place to fix chance: seeds for whole experiments, generators for single draws."""

from __future__ import annotations

import operator
import random
import sys

import torch

# numpy takes 32-bit seeds only; the same limit everywhere keeps one number good for all three libraries.
_SEED_LIMIT = 2**32


def set_seed(seed: int) -> None:
    """Seed Python's ``random``, numpy (where it is in use) and torch on every device.

    Args:
        seed: a whole number from 0 to :math:`2^{32} - 1`.

    Raises:
        TypeError: ``seed`` is not a whole number.
        ValueError: ``seed`` is negative or too large.

    Example:
        >>> set_seed(7)
        >>> first = torch.rand(3)
        >>> set_seed(7)
        >>> torch.equal(first, torch.rand(3))
        True
    """
    seed = _checked(seed)
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    torch.manual_seed(seed)


def make_generator(seed: int, device: str | torch.device = "cpu") -> torch.Generator:
    """Return a fresh torch generator, so that one draw can be repeated without touching the others.

    Args:
        seed: a whole number from 0 to :math:`2^{32} - 1`.
        device: where the generator draws.

    Returns:
        A generator that lives on ``device``.

    Raises:
        TypeError: ``seed`` is not a whole number.
        ValueError: ``seed`` is negative or too large.

    Example:
        >>> torch.randperm(5, generator=make_generator(7)).tolist()
        [0, 1, 3, 2, 4]
    """
    return torch.Generator(device).manual_seed(_checked(seed))


def _checked(seed: int) -> int:
    try:
        number = operator.index(seed)
    except TypeError:
        number = None
    if number is None or isinstance(seed, bool):
        raise TypeError(f"seed is {seed!r} of type {type(seed).__name__}; wanted a whole number such as 7")
    if not 0 <= number < _SEED_LIMIT:
        raise ValueError(f"seed is {number}; wanted 0 to {_SEED_LIMIT - 1}, choose a number in that range")
    return number
