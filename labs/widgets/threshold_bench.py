"""The threshold bench: two clouds of scores, one threshold, and every measure that follows from them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent
#: The lowest and the highest value of each slider; ``threshold_bench.js`` knows the same.
LIMITS = {"separation": (0, 3), "spread": (0.5, 2), "prevalence": (1, 99), "threshold": (-5, 8)}
MANY = 100  # dots per class; each stands for `prevalence` or `100 - prevalence` of 10,000 examples


def _draws() -> dict[str, list[float]]:
    # Python's own generator: unlike torch's, it gives the same digits on every processor.
    generator = random.Random(0)
    return {
        name: [round(generator.gauss(0, 1), 2) for _ in range(MANY)] for name in ("negatives", "positives")
    }


class ThresholdBench(StaticPage, anywidget.AnyWidget):
    r"""Move one threshold through two clouds of scores, and watch confusion matrix, measures, ROC and precision-recall.

    Each class has 100 fixed draws of a standard normal. A negative scores its draw :math:`z`, a positive
    :math:`\text{separation} + \text{spread} \cdot z`, and a score of at least the threshold is called positive. Of
    10,000 examples a share of ``prevalence`` is positive: each positive dot stands for ``prevalence`` of them and
    each negative dot for ``100 - prevalence``, so that another prevalence changes the mixture and neither cloud.
    All sums are done in the browser, and need no kernel.

    Args:
        separation: the middle of the positives; that of the negatives is 0.
        spread: the standard deviation of the positives; that of the negatives is 1.
        prevalence: the share of the positives, in whole per cent.
        threshold: the lowest score that is called positive.
        traits: further attributes to start with.

    Attributes:
        separation, spread, prevalence, threshold: what is shown: from 0 to 3, from 0.5 to 2, from 1 to 99, and
            from -5 to 8.
        draws: the draws of both classes, under ``"negatives"`` and ``"positives"``.

    Raises:
        traitlets.TraitError: an attribute is out of range.

    Example:
        >>> bench = ThresholdBench(prevalence=2)
        >>> bench.prevalence = 0
        Traceback (most recent call last):
        traitlets.traitlets.TraitError: prevalence is 0; wanted a number from 1 to 99
    """

    _esm = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.js", "threshold_bench.js")
    )
    _css = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.css", "threshold_bench.css")
    )
    address = "threshold"
    address_traits = ("separation", "spread", "prevalence", "threshold")

    draws = traitlets.Dict().tag(sync=True)
    separation = traitlets.Float(1.5).tag(sync=True)
    spread = traitlets.Float(1.0).tag(sync=True)
    prevalence = traitlets.Int(50).tag(sync=True)
    threshold = traitlets.Float(0.75).tag(sync=True)

    def __init__(
        self,
        separation: float = 1.5,
        spread: float = 1.0,
        prevalence: int = 50,
        threshold: float = 0.75,
        **traits: Any,
    ) -> None:
        super().__init__(
            draws=_draws(),
            separation=separation,
            spread=spread,
            prevalence=prevalence,
            threshold=threshold,
            **traits,
        )

    @traitlets.validate(*LIMITS)
    def _within(self, proposal: dict[str, Any]) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        low, high = LIMITS[name]
        if not low <= value <= high:
            raise traitlets.TraitError(f"{name} is {value}; wanted a number from {low:g} to {high:g}")
        return value
