"""The optimiser race: five optimisers run from one start over a map of losses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent
OPTIMISERS = ("descent", "momentum", "Nesterov", "RMSProp", "Adam")
LAST_STEP = 300
LIMITS = {
    "rate": (0.0001, 3.0),
    "momentum": (0.0, 0.99),
    "adaptive": (0.0001, 3.0),
    "beta": (0.0, 0.999),
    "step": (0, LAST_STEP),
}
# Where each map lies, its lines and minima, and a start with rates at which most of the five arrive.
SURFACES: dict[str, dict[str, Any]] = {
    "valley": {
        "title": "narrow valley",
        "formula": "3x² + 300y²",
        "box": [[-1.2, 1.2], [-0.5, 0.5]],
        "levels": [0.1, 0.3, 1, 3, 10, 30],
        "minima": [[0, 0]],
        "start": {"x": 1.0, "y": 0.3, "rate": 0.003, "adaptive": 0.02},
    },
    "turned": {
        "title": "narrow valley, turned",
        "formula": "3u² + 300v² with u = (x + y)/√2 and v = (y − x)/√2",
        "box": [[-1, 1], [-1, 1]],
        "levels": [0.1, 0.3, 1, 3, 10, 30, 100],
        "minima": [[0, 0]],
        "start": {"x": 0.495, "y": 0.919, "rate": 0.003, "adaptive": 0.02},
    },
    "bend": {
        "title": "bent valley",
        "formula": "(1 − x)²/2 + 10(y − x²)²",
        "box": [[-2, 2], [-1, 3]],
        "levels": [0.1, 0.3, 1, 3, 10, 30, 100],
        "minima": [[1, 1]],
        "start": {"x": -1.2, "y": 1.0, "rate": 0.01, "adaptive": 0.03},
    },
    "saddle": {
        "title": "saddle",
        "formula": "x²/2 + (y² − 1)²/4, with a saddle at (0, 0)",
        "box": [[-2, 2], [-1.6, 1.6]],
        "levels": [0.01, 0.05, 0.1, 0.17, 0.25, 0.4, 0.7, 1.2, 2],
        "minima": [[0, -1], [0, 1]],
        "start": {"x": 1.6, "y": 0.01, "rate": 0.1, "adaptive": 0.03},
    },
    "plateau": {
        "title": "plateau",
        "formula": "1 − exp(−(x² + y²)/2)",
        "box": [[-3.5, 3.5], [-2.5, 2.5]],
        "levels": [0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999],
        "minima": [[0, 0]],
        "start": {"x": 3.0, "y": 1.5, "rate": 0.1, "adaptive": 0.03},
    },
}


class OptimiserRace(StaticPage, anywidget.AnyWidget):
    r"""Let descent, momentum, Nesterov, RMSProp and Adam run from one start, and count their steps.

    All take the steps of ``torch.optim.SGD``, ``RMSprop`` and ``Adam``, up to 300 of them. The first three share one
    learning rate and the other two another one. Momentum is the factor of momentum and Nesterov and the first of
    Adam's betas; beta is RMSProp's ``alpha`` and the second of Adam's. All sums are done in the browser, in double
    precision, and need no kernel.

    Args:
        surface: the map to start with.
        traits: further attributes to start with; start and rates are those that go with the map unless given.

    Attributes:
        data: the maps that travel with the page.
        surface: ``"valley"``, ``"turned"``, ``"bend"``, ``"saddle"`` or ``"plateau"``.
        x, y: the start; kept on the map.
        rate: learning rate of descent, momentum and Nesterov, from 0.0001 to 3.
        momentum: from 0 to 0.99.
        adaptive: learning rate of RMSProp and Adam, from 0.0001 to 3.
        beta: from 0 to 0.999.
        step: how many steps are shown, from 0 to 300.
        shown: the optimisers that are shown, joined by ``~``.

    Raises:
        traitlets.TraitError: an attribute is given a value out of range.

    Example:
        >>> race = OptimiserRace("saddle")
        >>> race.x, race.rate
        (1.6, 0.1)
        >>> race.momentum = 1.0
        Traceback (most recent call last):
        traitlets.traitlets.TraitError: momentum is 1.0; wanted a number from 0 to 0.99
    """

    _esm = "\n".join(
        (HERE / name).read_text(encoding="utf-8")
        for name in ("optimiser_steps.js", "curve_drawing.js", "optimiser_race.js")
    )
    _css = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.css", "optimiser_race.css")
    )
    address = "race"
    address_traits = ("surface", "x", "y", "rate", "momentum", "adaptive", "beta", "step", "shown")

    data = traitlets.Dict(SURFACES).tag(sync=True)
    surface = traitlets.Enum(tuple(SURFACES), "valley").tag(sync=True)
    x = traitlets.Float(1.0).tag(sync=True)
    y = traitlets.Float(0.3).tag(sync=True)
    rate = traitlets.Float(0.003).tag(sync=True)
    momentum = traitlets.Float(0.8).tag(sync=True)
    adaptive = traitlets.Float(0.02).tag(sync=True)
    beta = traitlets.Float(0.99).tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    shown = traitlets.Unicode("~".join(OPTIMISERS)).tag(sync=True)

    def __init__(self, surface: str = "valley", **traits: Any) -> None:
        suggested = SURFACES[surface]["start"] if surface in SURFACES else {}
        super().__init__(surface=surface, **{**suggested, **traits})

    @traitlets.validate(*LIMITS)
    def _within(self, proposal: dict[str, Any]) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        low, high = LIMITS[name]
        if math.isnan(value) or not low <= value <= high:
            raise traitlets.TraitError(f"{name} is {value}; wanted a number from {low:g} to {high:g}")
        return value

    @traitlets.validate("x", "y")
    def _finite(self, proposal: dict[str, Any]) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        if not math.isfinite(value):
            raise traitlets.TraitError(f"{name} is {value}; wanted a finite number")
        return value

    @traitlets.validate("shown")
    def _known(self, proposal: dict[str, Any]) -> str:
        unknown = set(filter(None, proposal["value"].split("~"))) - set(OPTIMISERS)
        if unknown:
            raise traitlets.TraitError(
                f"unknown optimiser {sorted(unknown)[0]!r}; choose from: {', '.join(OPTIMISERS)}"
            )
        return proposal["value"]
