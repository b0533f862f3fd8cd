"""Half precision is for storing: sines and polynomials of it are computed in single precision."""

from __future__ import annotations

import torch
from torch import Tensor


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
