"""Take what a student hands in, whatever it is, without stopping: what most checks begin with."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def quietly(function: Callable, *arguments: object) -> object:
    """Return what ``function`` returns, or the word "raised" if it raises.

    Args:
        function: what the student wrote.
        arguments: what to call it with, by position.

    Example:
        >>> quietly(len, [1, 2]), quietly(len, 3)
        (2, 'raised')
    """
    try:
        return function(*arguments)
    except Exception:
        return "raised"


def as_tensor(value: object) -> Tensor | None:
    """Return a student's numbers as a tensor of doubles, or ``None`` if they are none.

    Args:
        value: a number, a sequence of numbers, an array or a tensor.

    Shape:
        - Output: that of ``value``.

    Example:
        >>> as_tensor([1, 2]), as_tensor("two")
        (tensor([1., 2.], dtype=torch.float64), None)
    """
    try:
        return torch.as_tensor(value, dtype=torch.float64).detach()
    except Exception:
        return None


def as_number(value: object) -> float | None:
    """Return a student's number as a float, or ``None`` if it is none.

    Args:
        value: a number, or an array or tensor that holds a single one.

    Example:
        >>> as_number(torch.tensor([2])), as_number([1, 2])
        (2.0, None)
    """
    tensor = as_tensor(value)
    return tensor.item() if tensor is not None and tensor.numel() == 1 else None


def as_pair(answer: object) -> tuple[float, float] | None:
    """Return a student's two numbers, whatever holds them, or ``None`` if they are none.

    Args:
        answer: a sequence of two numbers, or an array or tensor that holds two.

    Example:
        >>> as_pair([1, torch.tensor(2)]), as_pair((1, "two")), as_pair(3)
        ((1.0, 2.0), None, None)
    """
    try:
        first, second = answer  # type: ignore[misc]
    except Exception:
        return None
    numbers = as_number(first), as_number(second)
    return None if None in numbers else numbers
