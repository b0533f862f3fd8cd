"""Functions that take several numbers for each one they return: Maxout, and a value times a gate.

They split the last dimension into equal blocks, as ``nn.GLU`` does, so the linear layer in front has to be that
many times wider: :func:`inputs_per_output` says how many.
"""

from __future__ import annotations

from math import inf

from torch import Tensor, nn
from torch.nn import functional as F

from labs.activations.info import ActivationInfo, Properties


class Maxout(nn.Module):
    r"""The largest of several numbers: the last dimension is cut into ``pieces`` blocks, of which it takes the maximum.

    A Maxout unit learns its own convex, piecewise linear function, because the linear layer in front learns the
    pieces. That layer has to be ``pieces`` times as wide as what comes out.

    Args:
        pieces: number of blocks, at least 1.

    Shape:
        - Input: :math:`(*, kH)` with :math:`k` = ``pieces``.
        - Output: :math:`(*, H)`.

    Raises:
        ValueError: ``pieces`` is below one, or the last dimension is no multiple of it.

    Source: Goodfellow et al. (2013), arXiv:1302.4389.

    Example:
        >>> import torch
        >>> Maxout(pieces=2)(torch.tensor([1.0, -2.0, 3.0, -4.0]))
        tensor([ 3., -2.])
    """

    def __init__(self, pieces: int = 2) -> None:
        super().__init__()
        if pieces < 1:
            raise ValueError(f"Maxout needs at least one piece, got pieces={pieces}; try the default, 2")
        self.pieces = pieces

    @property
    def inputs_per_output(self) -> int:
        """How many times wider the input is than the output."""
        return self.pieces

    def forward(self, x: Tensor) -> Tensor:
        return _blocks(x, self).amax(dim=-2)

    def extra_repr(self) -> str:
        return f"pieces={self.pieces}"


class GEGLU(nn.Module):
    r"""GLU with GELU in the place of the sigmoid: :math:`a\,b\,\Phi(b)` for the halves :math:`a` and :math:`b`.

    The linear layer in front has to be twice as wide as what comes out.

    Shape:
        - Input: :math:`(*, 2H)`, first half value, second half gate.
        - Output: :math:`(*, H)`.

    Raises:
        ValueError: the last dimension is odd.

    Source: Shazeer (2020), arXiv:2002.05202.

    Example:
        >>> import torch
        >>> GEGLU()(torch.tensor([2.0, 3.0, 0.0, 100.0]))
        tensor([  0., 300.])
    """

    inputs_per_output = 2

    def forward(self, x: Tensor) -> Tensor:
        value, gate = _blocks(x, self).unbind(dim=-2)
        return value * F.gelu(gate)


class SwiGLU(nn.Module):
    r"""GLU with SiLU in the place of the sigmoid: :math:`a\,b\,\sigma(b)` for the halves :math:`a` and :math:`b`.

    The linear layer in front has to be twice as wide as what comes out.

    Shape:
        - Input: :math:`(*, 2H)`, first half value, second half gate.
        - Output: :math:`(*, H)`.

    Raises:
        ValueError: the last dimension is odd.

    Source: Shazeer (2020), arXiv:2002.05202.

    Example:
        >>> import torch
        >>> SwiGLU()(torch.tensor([2.0, 3.0, 0.0, 100.0]))
        tensor([  0., 300.])
    """

    inputs_per_output = 2

    def forward(self, x: Tensor) -> Tensor:
        value, gate = _blocks(x, self).unbind(dim=-2)
        return value * F.silu(gate)


def inputs_per_output(module: nn.Module) -> int:
    """Return how many numbers ``module`` takes for each one it returns, counted along the last dimension.

    Args:
        module: any module.

    Returns:
        2 for ``nn.GLU``, ``GEGLU`` and ``SwiGLU``, the number of pieces for ``Maxout``, 1 for everything else.

    Example:
        >>> inputs_per_output(nn.GLU()), inputs_per_output(Maxout(pieces=5)), inputs_per_output(nn.ReLU())
        (2, 5, 1)
    """
    return 2 if isinstance(module, nn.GLU) else getattr(module, "inputs_per_output", 1)


def _blocks(x: Tensor, module: nn.Module) -> Tensor:
    """Return the blocks of ``x``, stacked along a new dimension before the last: ``(*, kH)`` to ``(*, k, H)``."""
    count = inputs_per_output(module)
    if x.dim() == 0 or x.shape[-1] % count:
        name = type(module).__name__
        raise ValueError(
            f"{name} cuts the last dimension into {count} blocks, got an input of shape {tuple(x.shape)}; "
            f"make the layer in front {count} times as wide as the output of {name}"
        )
    return x.unflatten(-1, (count, -1 if x.shape[-1] else 0))


ROWS = (
    ActivationInfo(
        name="Maxout",
        family="gated",
        formula=r"\max(a, b)",
        derivative_formula=(
            r"\begin{cases} \begin{pmatrix} 1 \\ 0 \end{pmatrix} & a > b \\"
            r" \begin{pmatrix} 0 \\ 1 \end{pmatrix} & a < b \end{cases}"
        ),
        second_derivative_formula=r"\begin{pmatrix} 0 & 0 \\ 0 & 0 \end{pmatrix}",
        factory=Maxout,
        slope=None,
        inputs_per_output=2,
        source=("goodfellow2013maxout",),
        properties=Properties(
            range=(-inf, inf),
            left=None,
            right=None,
            lipschitz=1.0,
            gain=1.0,
            monotonic=True,
            convex=True,
            homogeneous=True,
            smooth=False,
        ),
    ),
    ActivationInfo(
        name="GLU",
        family="gated",
        formula=r"a\,\sigma(b)",
        derivative_formula=r"\begin{pmatrix} \sigma(b) \\ a\,\sigma(b)\,(1 - \sigma(b)) \end{pmatrix}",
        second_derivative_formula=(
            r"\begin{pmatrix} 0 & \sigma(b)\,(1 - \sigma(b)) \\"
            r" \sigma(b)\,(1 - \sigma(b)) & a\,\sigma(b)\,(1 - \sigma(b))\,(1 - 2\,\sigma(b)) \end{pmatrix}"
        ),
        factory=nn.GLU,
        slope=None,
        inputs_per_output=2,
        source=("dauphin2017language",),
        properties=Properties(
            range=(-inf, inf), left=None, right=None, lipschitz=inf, gain=1.8462285453386054
        ),
    ),
    ActivationInfo(
        name="GEGLU",
        family="gated",
        formula=r"a\,b\,\Phi(b)",
        derivative_formula=(
            r"\begin{pmatrix} b\,\Phi(b) \\ a\,\left(\Phi(b) + b\,\varphi(b)\right) \end{pmatrix}"
        ),
        second_derivative_formula=(
            r"\begin{pmatrix} 0 & \Phi(b) + b\,\varphi(b) \\"
            r" \Phi(b) + b\,\varphi(b) & a\,(2 - b^{2})\,\varphi(b) \end{pmatrix}"
        ),
        factory=GEGLU,
        slope=None,
        inputs_per_output=2,
        source=("shazeer2020glu",),
        properties=Properties(
            range=(-inf, inf), left=None, right=None, lipschitz=inf, gain=1.5335304411955353
        ),
    ),
    ActivationInfo(
        name="SwiGLU",
        family="gated",
        formula=r"a\,b\,\sigma(b)",
        derivative_formula=(
            r"\begin{pmatrix} b\,\sigma(b) \\ a\,\sigma(b)\,(1 + b\,(1 - \sigma(b))) \end{pmatrix}"
        ),
        second_derivative_formula=(
            r"\begin{pmatrix} 0 & \sigma(b)\,(1 + b\,(1 - \sigma(b))) \\ \sigma(b)\,(1 + b\,(1 - \sigma(b)))"
            r" & a\,\sigma(b)\,(1 - \sigma(b))\,(2 + b\,(1 - 2\,\sigma(b))) \end{pmatrix}"
        ),
        factory=SwiGLU,
        slope=None,
        inputs_per_output=2,
        source=("shazeer2020glu",),
        properties=Properties(
            range=(-inf, inf), left=None, right=None, lipschitz=inf, gain=1.676532470331091
        ),
    ),
)
