"""STAF: a sum of sines whose amplitudes, frequencies and phases are learned, without 25-fold memory."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from labs.activations.info import ActivationInfo, Properties
from labs.activations.precision import in_single
from labs.activations.sharing import along_channels, start

_BLOCK = 8192  # inputs at a time; their sines and cosines then fit in the cache of a core


class STAF(nn.Module):
    r"""Sinusoidal trainable activation, :math:`\sum_{i=1}^{\tau} C_i \sin(\Omega_i x + \Phi_i)`.

    All :math:`3\tau` numbers start as independent standard normal draws, ``C`` first, then ``omega``, then
    ``phi``. This is the start common in tutorials; the paper derives another one, for signal fitting.

    The formula as it stands would keep :math:`\tau` sines and as many arguments of each input until backward.
    Here only the input is kept: both passes go through it in blocks, and backward computes the sines again.
    That is also faster than the formula in one piece. ``torch.compile`` gets the formula as it stands: it fuses
    it into one loop, and keeps no more than the input either.

    Args:
        tau: number of sine terms, at least 1.
        num_parameters: 1, or the number of channels for :math:`3\tau` numbers each.

    Shape:
        - Input: :math:`(*)`, any shape; :math:`(N, C, *)` with ``num_parameters`` :math:`C`.
        - Output: same shape as the input.

    Raises:
        ValueError: ``tau`` or ``num_parameters`` is below 1, or the latter does not fit the input.

    Source: Morsali et al. (2025), arXiv:2502.00869.

    Example:
        >>> sum(p.numel() for p in STAF().parameters())
        75
        >>> STAF(tau=5)(torch.zeros(2, 3)).shape
        torch.Size([2, 3])
    """

    def __init__(self, tau: int = 25, num_parameters: int = 1) -> None:
        super().__init__()
        if tau < 1:
            raise ValueError(f"STAF needs at least one sine term, got tau={tau}; try the default, 25")
        shape = start(torch.zeros(tau), num_parameters).shape
        self.tau = tau
        self.num_parameters = num_parameters
        self.C = nn.Parameter(torch.randn(shape))
        self.omega = nn.Parameter(torch.randn(shape))
        self.phi = nn.Parameter(torch.randn(shape))

    def forward(self, x: Tensor) -> Tensor:
        if torch.compiler.is_compiling():
            return self.plain(x)
        numbers = self._numbers(x)
        if self.num_parameters == 1:
            return _SumOfSines.apply(x.flatten(), *numbers).view(x.shape)
        channels_first = x.movedim(1, 0)
        y = _SumOfSines.apply(channels_first.flatten(1), *(n.flatten(0, -2) for n in numbers))
        return y.view(channels_first.shape).movedim(0, 1)

    def plain(self, x: Tensor) -> Tensor:
        """Return the same as a call of the module, by the formula as it stands and in :math:`\\tau`-fold memory.

        Args:
            x: floating-point tensor.

        Returns:
            The sum of the sines, in the dtype of ``x``.

        Shape:
            - x, output: as for the module.

        Example:
            >>> staf, x = STAF(), torch.linspace(-3, 3, 7)
            >>> torch.allclose(staf.plain(x), staf(x), atol=1e-4)
            True
        """
        C, omega, phi = self._numbers(x)
        return (C * torch.sin(omega * x[..., None] + phi)).sum(-1).to(x.dtype)

    def _numbers(self, x: Tensor) -> list[Tensor]:
        # Half precision is for storing; the phase of a sine needs float32 at least.
        dtype = torch.promote_types(x.dtype, torch.float32)
        return [along_channels(p, x, series=True, dtype=dtype) for p in (self.C, self.omega, self.phi)]

    def extra_repr(self) -> str:
        return f"tau={self.tau}, num_parameters={self.num_parameters}"


class _SumOfSines(torch.autograd.Function):
    """Inputs (M) with parameters (tau), or (C, M) with (C, tau). Keeps its inputs and nothing else."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, C: Tensor, omega: Tensor, phi: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):  # it would round the sines to bfloat16
            # One place for all results, made beforehand: small ones kept between the large temporary ones would
            # leave the allocator with gaps as large as all sines together. Under vmap the sum has every dimension.
            y = (x + (C + omega + phi)[..., :1]).to(x.dtype)
            for place, block in zip(_blocks(y), _blocks(x), strict=True):
                place.copy_(_value(block, C, omega, phi))
            return y

    @staticmethod
    def setup_context(ctx, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, g: Tensor) -> tuple[Tensor, ...]:
        # Torch operations on what was saved: autograd can go through them again for the second derivative.
        x, C, omega, phi = ctx.saved_tensors
        with torch.autocast(x.device.type, enabled=False):
            pairs = zip(_blocks(g), _blocks(x), strict=True)
            if torch.is_grad_enabled():
                for_x, *for_numbers = zip(*(_gradients(g, x, C, omega, phi) for g, x in pairs), strict=True)
                return torch.cat(for_x, -1), *(sum(parts) for parts in for_numbers)
            for_x, for_numbers = (g * x).to(x.dtype), (0, 0, 0)  # a place for all results, as in forward
            for place, pair in zip(_blocks(for_x), pairs, strict=True):
                one, *others = _gradients(*pair, C, omega, phi)
                place.copy_(one)
                for_numbers = tuple(a + b for a, b in zip(for_numbers, others, strict=True))
            return for_x, *for_numbers

    @staticmethod
    def jvp(ctx, *tangents: Tensor | None) -> Tensor:
        inputs = ctx.saved_tensors
        dx, dC, domega, dphi = (
            torch.zeros_like(i) if t is None else t for i, t in zip(inputs, tangents, strict=True)
        )
        x, C, omega, phi = inputs
        angles = _angles(x, omega, phi)
        turns = _angles(x, domega, dphi) + _angles(dx, omega, torch.zeros_like(phi))
        parts = dC[..., None, :] * torch.sin(angles) + C[..., None, :] * torch.cos(angles) * turns
        return parts.sum(-1).to(x.dtype)


def _blocks(x: Tensor) -> tuple[Tensor, ...]:
    rows = x.shape[:-1].numel()
    return x.split(max(1, _BLOCK // max(1, rows)), -1)


def _angles(x: Tensor, omega: Tensor, phi: Tensor) -> Tensor:
    return torch.addcmul(phi[..., None, :], omega[..., None, :], x.to(phi.dtype)[..., None])  # (*, M, tau)


def _value(x: Tensor, C: Tensor, omega: Tensor, phi: Tensor) -> Tensor:
    return (_angles(x, omega, phi).sin_() @ C[..., None])[..., 0].to(x.dtype)


def _gradients(g: Tensor, x: Tensor, C: Tensor, omega: Tensor, phi: Tensor) -> tuple[Tensor, ...]:
    angles, wide = _angles(x, omega, phi), g.to(phi.dtype)
    cosines = torch.cos(angles)
    # In place where no second derivative can follow: one block of memory less to fetch.
    sines = torch.sin(angles) if torch.is_grad_enabled() else angles.sin_()
    for_x = wide * (cosines @ (C * omega)[..., None])[..., 0]
    for_C = (wide[..., None, :] @ sines)[..., 0, :]
    both = torch.stack((wide * x, wide), -2) @ cosines * C[..., None, :]
    return for_x.to(x.dtype), for_C, both[..., 0, :], both[..., 1, :]


@in_single
def _staf_slope(x: Tensor, C: Tensor, omega: Tensor, phi: Tensor) -> Tensor:
    return torch.cos(omega * x[..., None] + phi) @ (C * omega)


ROWS = (
    ActivationInfo(
        name="STAF",
        family="learnable",
        formula=r"\sum_{i=1}^{\tau} C_i \sin(\Omega_i x + \Phi_i)",
        derivative_formula=r"\sum_{i=1}^{\tau} C_i\,\Omega_i \cos(\Omega_i x + \Phi_i)",
        second_derivative_formula=r"-\sum_{i=1}^{\tau} C_i\,\Omega_i^{2} \sin(\Omega_i x + \Phi_i)",
        symbols={r"\tau": "tau", "C_i": "C", r"\Omega_i": "omega", r"\Phi_i": "phi"},
        learnable=True,
        factory=STAF,
        slope=_staf_slope,
        source=("morsali2025staf",),
        properties=Properties(range=None, left=None, right=None, lipschitz=None, zero_at_zero=False),
    ),
)
