"""Half precision is for storing: sines and polynomials of it are computed in single precision."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor


def in_single(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Let a function of ``x`` and parameters compute half precision in float32, and return the dtype of ``x``.

    Args:
        function: takes ``x`` and further tensors or numbers by keyword.

    Returns:
        A function of the same arguments.

    Shape:
        - argument and result of the function: as those of ``function``.

    Example:
        >>> in_single(lambda x: x**2 / x)(torch.tensor([300.0], dtype=torch.float16))  # 90000 would overflow
        tensor([300.], dtype=torch.float16)
    """

    @functools.wraps(function)
    def computed(x: Tensor, **parameters: float | Tensor) -> Tensor:
        wide = {k: at_least_single(v) if isinstance(v, Tensor) else v for k, v in parameters.items()}
        return function(at_least_single(x), **wide).to(x.dtype)

    return computed


def at_least_single(x: Tensor) -> Tensor:
    """Return ``x`` itself, or a float32 copy of it if it is float16 or bfloat16.

    Between 4096 and 8192 the numbers of float16 stand 4 apart, those of bfloat16 32: too far for the phase of a
    sine. And the square of 300 is beyond the end of float16, 65504.

    Args:
        x: floating-point tensor.

    Returns:
        ``x`` in float32 or float64.

    Shape:
        - x: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape.

    Example:
        >>> at_least_single(torch.ones(2, dtype=torch.bfloat16))
        tensor([1., 1.])
        >>> at_least_single(torch.ones(2, dtype=torch.float64)).dtype
        torch.float64
    """
    return x.to(torch.promote_types(x.dtype, torch.float32))
