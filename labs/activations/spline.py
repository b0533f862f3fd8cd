"""A smooth curve of cubic pieces whose course is set by learned coefficients."""

from __future__ import annotations

from math import inf

import torch
from torch import Tensor, nn

from labs.activations.info import ActivationInfo, Properties
from labs.activations.precision import at_least_single
from labs.activations.sharing import along_channels, start


class BSpline(nn.Module):
    r"""Cubic spline :math:`\sum_i c_i\,B(\frac{x + G}{h} + 2 - i)` on :math:`[-G, G]`, a straight line on each side.

    :math:`B` is the cubic B-spline, a bump on :math:`[-2, 2]`, and :math:`h` the distance between two knots. At
    every point of the grid four of the :math:`c_i` have a say, so what is learned in one place stays there.
    Beyond the grid the function goes on with the value and the slope it has at the end: no jump, no kink, and no
    region without gradient unless an end has learned to be flat.

    It starts as a LeakyReLU with a rounded corner: :math:`c_i` is the LeakyReLU at the centre of its bump. Splines
    made like that repeat straight lines exactly and overshoot nowhere.

    Args:
        intervals: number of cubic pieces, at least 2; there are 3 coefficients more.
        grid: :math:`G`, in units of :math:`x`.
        negative_slope: slope on the left at the start; the default is where PReLU starts.
        num_parameters: 1, or the number of channels for a set of coefficients each.

    Shape:
        - Input: :math:`(*)`, any shape; :math:`(N, C, *)` with ``num_parameters`` :math:`C`.
        - Output: same shape as the input.

    Raises:
        ValueError: ``intervals`` is below 2, ``grid`` not above 0, ``num_parameters`` below 1, or the latter does
            not fit the input.

    Source: Liu et al. (2025), arXiv:2404.19756, for splines as activations. They add the spline to a SiLU, and it
    fades to zero beyond its grid; the straight continuation is ours.

    Example:
        >>> BSpline()(torch.tensor([-100.0, -1.0, 0.0, 1.0, 100.0])).tolist()
        [-25.0, -0.25, 0.0625, 1.0, 100.0]
        >>> BSpline(intervals=12).coefficients.shape
        torch.Size([15])
    """

    def __init__(
        self, intervals: int = 12, grid: float = 3.0, negative_slope: float = 0.25, num_parameters: int = 1
    ) -> None:
        super().__init__()
        if intervals < 2:
            raise ValueError(f"BSpline needs at least two intervals, got intervals={intervals}; try 12")
        if not 0 < grid < inf:
            raise ValueError(f"BSpline needs a grid from -grid to grid, got grid={grid}; try 3.0")
        self.grid = float(grid)
        self.step = 2 * self.grid / intervals
        centres = torch.arange(-1, intervals + 2, dtype=torch.float64) * self.step - self.grid
        values = nn.functional.leaky_relu(centres, negative_slope)
        self.coefficients = nn.Parameter(start(values, num_parameters))
        self.num_parameters = num_parameters
        self.intervals = intervals

    def forward(self, x: Tensor) -> Tensor:
        wide = at_least_single(x)
        ends = along_channels(self.coefficients, wide, series=True)
        inside = wide.clamp(-self.grid, self.grid)
        c, u = _piece(inside, self.coefficients, self.grid, self.step)
        on_grid = (c * _cubics(u)).sum(-1)
        rise = torch.where(wide < 0, ends[..., 2] - ends[..., 0], ends[..., -1] - ends[..., -3])
        return (on_grid + rise / (2 * self.step) * (wide - inside)).to(x.dtype)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}, intervals={self.intervals}, grid={self.grid}"


def _piece(x: Tensor, coefficients: Tensor, grid: float, step: float) -> tuple[Tensor, Tensor]:
    """The four coefficients that matter at each point of the grid, and how far through its interval it is, 0 to 1."""
    windows = coefficients.unfold(-1, 4, 1)  # ([C,] intervals, 4)
    place = (x + grid) / step
    index = place.long().clamp(0, windows.shape[-2] - 1)  # as integers: a NaN finds a place too
    u = place - index
    if coefficients.dim() > 1:
        first = torch.arange(len(windows), device=x.device) * windows.shape[-2]
        windows, index = windows.flatten(0, 1), index + along_channels(first, index)
    return nn.functional.embedding(index, windows).to(u.dtype), u


def _cubics(u: Tensor) -> Tensor:
    """The four bumps over one interval, from the one that ends there to the one that begins."""
    v = 1 - u
    return torch.stack((v**3, 3 * u**2 * (u - 2) + 4, 3 * v**2 * (v - 2) + 4, u**3), -1) / 6


def _bspline_slope(
    x: Tensor, coefficients: Tensor | None = None, grid: float = 3.0, step: float = 0.5
) -> Tensor:
    if coefficients is None:
        coefficients = BSpline().coefficients.detach().to(x)
    c, u = _piece(x.clamp(-grid, grid), coefficients, grid, step)
    v = 1 - u
    squares = torch.stack((v**2, 1 + 2 * u * v, u**2), -1) / 2  # the bumps of degree 2
    return (c.diff(dim=-1) / step * squares).sum(-1)


ROWS = (
    ActivationInfo(
        name="BSpline",
        family="learnable",
        formula=(
            r"\begin{cases} f(-G) + f'(-G)\,(x + G) & x < -G \\"
            r" \sum_{i=1}^{n} c_i\,B\left(\frac{x + G}{h} + 2 - i\right) & -G \le x \le G \\"
            r" f(G) + f'(G)\,(x - G) & x > G \end{cases}"
        ),
        derivative_formula=(
            r"\begin{cases} f'(-G) & x < -G \\"
            r" \frac{1}{h} \sum_{i=1}^{n} c_i\,B'\left(\frac{x + G}{h} + 2 - i\right) & -G \le x \le G \\"
            r" f'(G) & x > G \end{cases}"
        ),
        second_derivative_formula=(
            r"\begin{cases} \frac{1}{h^{2}} \sum_{i=1}^{n} c_i\,B''\left(\frac{x + G}{h} + 2 - i\right)"
            r" & -G < x < G \\ 0 & x < -G \\ 0 & x > G \end{cases}"
        ),
        symbols={"c_i": "coefficients", "G": "grid", "h": "step"},
        learnable=True,
        factory=BSpline,
        slope=_bspline_slope,
        source=("liu2025kan",),
        properties=Properties(
            range=(-inf, inf),
            left=-inf,
            right=inf,
            lipschitz=1.0,
            gain=1.371109954111,
            monotonic=True,
            convex=True,
            zero_at_zero=False,
            smooth=False,
        ),
    ),
)
