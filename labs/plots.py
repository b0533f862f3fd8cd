"""Figures of the book: every function takes data and ``ax``, draws, and returns ``ax``.

Colour, line style and marker change together, so that a grey print and a colour-blind reader lose nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor, nn

from labs.activations import derivative, make_activation
from labs.activity import Activity
from labs.data import PointData

#: Okabe and Ito's palette in an order that keeps its contrast on white, with a style and a marker for each colour; the
#: last is a violet, since no sixth colour of theirs has contrast enough for a line.
STYLES = (
    {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    {"color": "#D55E00", "linestyle": "--", "marker": "s"},
    {"color": "#009E73", "linestyle": "-.", "marker": "^"},
    {"color": "#CC79A7", "linestyle": ":", "marker": "D"},
    {"color": "#000000", "linestyle": (0, (5, 1, 1, 1)), "marker": "v"},
    {"color": "#4B00D1", "linestyle": (0, (1, 1)), "marker": "P"},
)


def use_book_style() -> None:
    """Set sizes, fonts and grid as in the book; called by a notebook once, never on import.

    Example:
        >>> with plt.rc_context():
        ...     use_book_style()
        ...     plt.rcParams["axes.grid"]
        True
    """
    plt.rcParams.update({
        "figure.dpi": 110, "savefig.dpi": 110, "figure.figsize": (6.4, 3.6), "figure.constrained_layout.use": True,
        "font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
        "grid.alpha": 0.3, "lines.markersize": 5, "legend.frameon": False,
    })  # fmt: skip


def runs(ax: Axes, series: Mapping[str, Sequence[Sequence[float]]], x: Sequence[float] | None = None) -> Axes:
    """Draw one line per entry: the mean over the runs, with a band from the lowest to the highest run.

    Args:
        ax: where to draw.
        series: for each label the runs (one per seed), each a sequence over ``x``.
        x: positions; by default 1, 2, 3, ...

    Returns:
        ``ax``; it has a legend if there are several lines.

    Raises:
        ValueError: more lines than there are styles to tell them apart, or runs of unequal length.

    Example:
        >>> from matplotlib.figure import Figure
        >>> ax = runs(Figure().subplots(), {"ReLU": [[0.9, 0.6], [0.8, 0.5]]})
        >>> ax.lines[0].get_ydata().round(2).tolist()
        [0.85, 0.55]
    """
    if len(series) > len(STYLES):
        raise ValueError(
            f"got {len(series)} lines, but only {len(STYLES)} can be told apart; make two figures"
        )
    for (label, values), style in zip(series.items(), STYLES, strict=False):
        if len({len(run) for run in values}) != 1:
            raise ValueError(
                f"the runs of {label!r} differ in length: {sorted({len(run) for run in values})}"
            )
        run = np.asarray(values, dtype=float)
        place = np.arange(1, run.shape[1] + 1) if x is None else np.asarray(x)
        ax.plot(place, run.mean(axis=0), label=label, **style)
        ax.fill_between(
            place, run.min(axis=0), run.max(axis=0), color=style["color"], alpha=0.15, linewidth=0
        )
    if len(series) > 1:
        ax.legend()
    return ax


def histogram(ax: Axes, values: Tensor, *, bins: int = 60, label: str | None = None, style: int = 0) -> Axes:
    """Draw the distribution of ``values`` as a filled outline whose area is one.

    The axis ends at the 0.1 % and 99.9 % points, so that a few far values do not squeeze the rest.

    Args:
        ax: where to draw.
        values: finite numbers in any unit; the axis has the same.
        bins: number of bars in the outline.
        label: name for a legend.
        style: place in :data:`STYLES`, from 0; decides colour and line style.

    Returns:
        ``ax``, without ticks on the vertical axis.

    Shape:
        - values: :math:`(*)`, any shape.

    Example:
        >>> from matplotlib.figure import Figure
        >>> ax = histogram(Figure().subplots(), torch.linspace(0, 1, 1000), label="even")
        >>> ax.get_legend_handles_labels()[1]
        ['even']
    """
    flat = values.detach().flatten().double().cpu().numpy()
    low, high = np.quantile(flat, [0.001, 0.999])
    if low == high:
        low, high = low - 0.5, high + 0.5
    height, edges = np.histogram(flat, bins=bins, range=(low, high), density=True)
    ax.stairs(height, edges, fill=True, alpha=0.35, color=STYLES[style]["color"])
    ax.stairs(height, edges, color=STYLES[style]["color"], linestyle=STYLES[style]["linestyle"], label=label)
    ax.set_yticks([])
    return ax


def unit_ranges(ax: Axes, activity: Activity, *, most: int = 64) -> Axes:
    """Draw one horizontal bar per unit, from its smallest to its largest pre-activation over the data.

    Bars that end left of zero belong to units that a ReLU never lets through (dead); they are hatched. Bars that
    begin right of zero belong to units that a ReLU never cuts. The dot is the mean. Units are sorted by their mean;
    if there are more than ``most``, evenly spaced ones are shown.

    Args:
        ax: where to draw.
        activity: what the units of one layer did; see :func:`labs.neurons.activity`.
        most: largest number of units to show.

    Returns:
        ``ax``, with labels for a legend; the horizontal axis is the pre-activation (no unit).

    Example:
        >>> from matplotlib.figure import Figure
        >>> from labs.neurons import activity
        >>> report = activity(nn.ReLU(), torch.tensor([[-1.0, 5.0], [-2.0, 6.0]]))["ReLU"]
        >>> unit_ranges(Figure().subplots(), report).get_legend_handles_labels()[1]
        ['always negative', 'changes sign', 'always positive']
    """
    order = activity.mean.argsort()
    if len(order) > most:
        order = order[torch.linspace(0, len(order) - 1, most).round().long()]
    low, high, mean = (getattr(activity, name)[order].numpy() for name in ("low", "high", "mean"))
    kinds = {
        "always negative": (high <= 0, STYLES[1]["color"], "////"),
        "changes sign": ((high > 0) & (low <= 0), STYLES[0]["color"], None),
        "always positive": (low > 0, STYLES[2]["color"], "...."),
    }
    for label, (chosen, color, hatch) in kinds.items():
        where, look = np.flatnonzero(chosen), {"color": color, "alpha": 0.55, "hatch": hatch}
        ax.barh(where, (high - low)[where], left=low[where], height=0.8, **look)
        ax.fill_between([], [], label=label, **look)  # for the legend, also where no bar is of this kind
    ax.plot(mean, np.arange(len(mean)), ".", color="black", markersize=3)
    ax.axvline(0, color="black", linewidth=1)
    ax.set_yticks([])
    return ax


def decision_map(ax: Axes, model: nn.Module, data: PointData, *, points: int = 160) -> Axes:
    """Draw the class that ``model`` chooses in the plane, and the data on top.

    Class borders are drawn as black lines and the classes have their own markers, so colour is not needed.

    Args:
        ax: where to draw.
        model: a classifier of points that returns logits; it runs in the mode it is in.
        data: the points, at most six classes; the map reaches 0.4 beyond them.
        points: places of the grid along each axis.

    Returns:
        ``ax``, without ticks.

    Example:
        >>> from matplotlib.figure import Figure
        >>> from labs.data import make_moons
        >>> model = nn.Linear(2, 2)
        >>> _ = nn.init.eye_(model.weight), nn.init.zeros_(model.bias)
        >>> len(decision_map(Figure().subplots(), model, make_moons(20), points=10).lines)
        2
    """
    low, high = data.points.amin(0) - 0.4, data.points.amax(0) + 0.4
    x, y = (torch.linspace(float(low[i]), float(high[i]), points) for i in (0, 1))
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).reshape(-1, 2)
    device = next(model.parameters()).device
    with torch.no_grad():
        chosen = model(grid.to(device)).argmax(dim=1).reshape(points, points).cpu().numpy()
    classes = len(data.class_names)
    levels = np.arange(classes + 1) - 0.5
    ax.contourf(x, y, chosen, levels=levels, colors=[STYLES[c]["color"] for c in range(classes)], alpha=0.25)
    ax.contour(x, y, chosen, levels=levels[1:-1], colors="black", linewidths=1)
    for c in range(classes):
        here = data.points[data.labels == c].cpu()
        ax.plot(
            here[:, 0],
            here[:, 1],
            STYLES[c]["marker"],
            color=STYLES[c]["color"],
            markersize=3,
            linestyle="none",
        )
    ax.set_xticks([])
    ax.set_yticks([])
    return ax


def value_and_slope(
    axes: Sequence[Axes],
    functions: Mapping[str, nn.Module] | Sequence[str],
    *,
    low: float = -4.0,
    high: float = 4.0,
) -> Sequence[Axes]:
    """Draw functions of one variable on the first axes and their slopes, by autograd, on the second.

    Lines are interrupted where a function jumps or its slope does.

    Args:
        axes: two axes.
        functions: names of ``ACTIVATIONS``, at their default parameters; or modules by the label they get.
        low, high: ends of the horizontal axis.

    Returns:
        ``axes``; the first has a legend if there are several functions.

    Raises:
        ValueError: more functions than there are styles to tell them apart, or an unknown name.

    Example:
        >>> from matplotlib.figure import Figure
        >>> value, slope = value_and_slope(Figure().subplots(1, 2), ["ReLU", "Tanh"])
        >>> value.get_legend_handles_labels()[1], slope.get_ylabel()
        (['ReLU', 'Tanh'], 'slope f′(x)')
    """
    if not isinstance(functions, Mapping):
        functions = {name: make_activation(name) for name in functions}
    if len(functions) > len(STYLES):
        raise ValueError(
            f"got {len(functions)} functions, but only {len(STYLES)} can be told apart; make two figures"
        )
    x = torch.linspace(low, high, 2001, dtype=torch.float64)
    for (label, module), style in zip(functions.items(), STYLES, strict=False):
        module = copy.deepcopy(module).double().eval()
        line = {"color": style["color"], "linestyle": style["linestyle"], "label": label}
        with torch.no_grad():
            axes[0].plot(x, _interrupted(module(x)), **line)
        axes[1].plot(x, _interrupted(derivative(module, x)), **line)
    for ax, label in zip(axes, ("value f(x)", "slope f\N{PRIME}(x)"), strict=True):
        ax.set(xlabel="x", ylabel=label)
    if len(functions) > 1:
        axes[0].legend(fontsize=9)
    return axes


def sum_surface(axes: Sequence[Axes], activation: nn.Module, *, limit: float = 4.0) -> Sequence[Axes]:
    """Draw the surface f(x) + f(y) on the first axes, and the length of its gradient as a map on the second.

    Args:
        axes: one axes with ``projection="3d"`` and a plain one.
        activation: a function of one variable.
        limit: both variables go from minus to plus this.

    Returns:
        ``axes``.

    Example:
        >>> from matplotlib.figure import Figure
        >>> figure = Figure()
        >>> axes = figure.add_subplot(1, 2, 1, projection="3d"), figure.add_subplot(1, 2, 2)
        >>> surface, heat = sum_surface(axes, nn.ReLU())
        >>> heat.get_xlabel()
        'x'
    """
    x = torch.linspace(-limit, limit, 81, dtype=torch.float64)
    module = copy.deepcopy(activation).double().eval()
    with torch.no_grad():
        value = module(x)
    slope = derivative(module, x)
    surface = (value[:, None] + value[None, :]).numpy()
    length = (slope[:, None].square() + slope[None, :].square()).sqrt().numpy()
    plane = np.meshgrid(x.numpy(), x.numpy(), indexing="ij")
    axes[0].plot_surface(*plane, surface, cmap="cividis", rstride=2, cstride=2, linewidth=0)
    axes[0].set(xlabel="x", ylabel="y")
    image = axes[1].pcolormesh(*plane, length, cmap="cividis", shading="auto", rasterized=True)
    axes[1].set(xlabel="x", ylabel="y", aspect="equal")
    axes[1].grid(False)
    axes[1].figure.colorbar(image, ax=axes[1], shrink=0.8)
    return axes


def _interrupted(values: Tensor) -> np.ndarray:
    """The values with a gap at each step that is far out of line with the steps around it: a jump."""
    y = values.detach().numpy().copy()
    step = np.abs(np.diff(y))
    if step.max() > 20 * np.median(step) and step.max() > 0.05:
        y[1:][step > 0.5 * step.max()] = np.nan
    return y
