"""The graph stepper: the graph of (xy + max(z, w))², forwards and then backwards, one node at a time."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent
FARTHEST = 8.0  # the sliders end there
LAST_STEP = 9  # four steps forwards, and five backwards


class GraphStepper(StaticPage, anywidget.AnyWidget):
    r"""Go through the graph of :math:`f = (xy + \max(z, w))^2` step by step, and read each rule as it is applied.

    Four steps forwards compute :math:`p = xy`, :math:`q = \max(z, w)`, :math:`m = p + q` and :math:`f = m^2`; five
    steps backwards begin with :math:`\partial f/\partial f = 1` and let the square, the sum, the product and the
    maximum pass their gradients on. At a tie the maximum gives half to each, as ``torch.maximum`` does. What has
    been computed follows the sliders. All sums are done in the browser, and need no kernel.

    Args:
        x, y, z, w: the inputs to start with.
        step: how many steps are done at the start.
        traits: further attributes to start with.

    Attributes:
        x, y, z, w: the inputs, from -8 to 8.
        step: 0 to 9; up to 4 forwards, after that backwards.

    Raises:
        traitlets.TraitError: an attribute is given a value out of range.

    Example:
        >>> stepper = GraphStepper(z=5, w=5)
        >>> stepper.step = 10
        Traceback (most recent call last):
        traitlets.traitlets.TraitError: step is 10; wanted a number from 0 to 9
    """

    _esm = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.js", "graph_stepper.js")
    )
    _css = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.css", "graph_stepper.css")
    )
    address = "graph"
    address_traits = ("x", "y", "z", "w", "step")

    x = traitlets.Float(4.0).tag(sync=True)
    y = traitlets.Float(-2.0).tag(sync=True)
    z = traitlets.Float(5.0).tag(sync=True)
    w = traitlets.Float(-1.0).tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)

    def __init__(
        self, x: float = 4.0, y: float = -2.0, z: float = 5.0, w: float = -1.0, step: int = 0, **traits: Any
    ) -> None:
        super().__init__(x=x, y=y, z=z, w=w, step=step, **traits)

    @traitlets.validate("x", "y", "z", "w", "step")
    def _within(self, proposal: dict[str, Any]) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        low, high = (0, LAST_STEP) if name == "step" else (-FARTHEST, FARTHEST)
        if math.isnan(value) or not low <= value <= high:
            raise traitlets.TraitError(f"{name} is {value}; wanted a number from {low:g} to {high:g}")
        return value
