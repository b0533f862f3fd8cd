"""STAF: a sum of sines whose amplitudes, frequencies and phases are learned."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from labs.activations.info import ActivationInfo, Properties


class STAF(nn.Module):
    r"""Sinusoidal trainable activation, :math:`\sum_{i=1}^{\tau} C_i \sin(\Omega_i x + \Phi_i)`.

    All :math:`3\tau` numbers start as independent standard normal draws, ``C`` first, then ``omega``, then
    ``phi``. This is the start common in tutorials; the paper derives another one, for signal fitting.

    Args:
        tau: number of sine terms, at least 1.

    Shape:
        - Input: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as the input.

    Source: Morsali et al. (2025), arXiv:2502.00869.

    Example:
        >>> sum(p.numel() for p in STAF().parameters())
        75
        >>> STAF(tau=5)(torch.zeros(2, 3)).shape
        torch.Size([2, 3])
    """

    def __init__(self, tau: int = 25) -> None:
        super().__init__()
        if tau < 1:
            raise ValueError(f"STAF needs at least one sine term, got tau={tau}; try the default, 25")
        self.tau = tau
        self.C = nn.Parameter(torch.randn(tau))
        self.omega = nn.Parameter(torch.randn(tau))
        self.phi = nn.Parameter(torch.randn(tau))

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(self.omega * x[..., None] + self.phi) @ self.C  # (*, tau) @ (tau,)

    def extra_repr(self) -> str:
        return f"tau={self.tau}"


def _staf_slope(x: Tensor, C: Tensor, omega: Tensor, phi: Tensor) -> Tensor:
    return torch.cos(omega * x[..., None] + phi) @ (C * omega)


ROWS = (
    ActivationInfo(
        name="STAF",
        family="learnable",
        formula=r"\sum_{i=1}^{\tau} C_i \sin(\Omega_i x + \Phi_i)",
        derivative_formula=r"\sum_{i=1}^{\tau} C_i\,\Omega_i \cos(\Omega_i x + \Phi_i)",
        symbols={r"\tau": "tau", "C_i": "C", r"\Omega_i": "omega", r"\Phi_i": "phi"},
        learnable=True,
        factory=STAF,
        slope=_staf_slope,
        source=("morsali2025staf",),
        properties=Properties(range=None, left=None, right=None, lipschitz=None, zero_at_zero=False),
    ),
)
