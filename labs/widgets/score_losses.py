"""Three class scores, their softmax probabilities, the hinge loss and the cross-entropy, and the slopes of both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent
CLASSES = ("cat", "dog", "bird")
HIGHEST_SCORE = 1000.0
TEMPERATURES = (0.05, 20.0)


class ScoreLosses(StaticPage, anywidget.AnyWidget):
    r"""Change the scores of three classes and see what softmax, hinge loss and cross-entropy make of them.

    The widget shows the softmax probabilities at a temperature :math:`T`, each term
    :math:`\max(0, s_j - s_y + 1)` of the hinge loss, the cross-entropy in nats, and the slope of both losses at each
    score; that of the cross-entropy is :math:`(p_j - [j = y]) / T`. Everything is computed in the browser, with the
    largest score subtracted before the exponential, and needs no kernel.

    Args:
        traits: attributes to start with.

    Attributes:
        cat, dog, bird: the scores, from -1000 to 1000.
        label: the true class, ``"cat"``, ``"dog"`` or ``"bird"``.
        temperature: divides the scores in the softmax, from 0.05 to 20.

    Raises:
        traitlets.TraitError: an attribute is out of range.

    Example:
        >>> losses = ScoreLosses(cat=1, dog=3.2, bird=-5, label="bird")
        >>> losses.cat = 1001
        Traceback (most recent call last):
        traitlets.traitlets.TraitError: cat is 1001.0; wanted a number from -1000 to 1000
    """

    _esm = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.js", "score_losses.js")
    )
    _css = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.css", "score_losses.css")
    )
    address = "scores"
    address_traits = ("cat", "dog", "bird", "label", "temperature")

    cat = traitlets.Float(3.0).tag(sync=True)
    dog = traitlets.Float(1.0).tag(sync=True)
    bird = traitlets.Float(-2.5).tag(sync=True)
    label = traitlets.Enum(CLASSES, "dog").tag(sync=True)
    temperature = traitlets.Float(1.0).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)

    @traitlets.validate("cat", "dog", "bird", "temperature")
    def _within(self, proposal: dict[str, Any]) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        low, high = TEMPERATURES if name == "temperature" else (-HIGHEST_SCORE, HIGHEST_SCORE)
        if not low <= value <= high:
            raise traitlets.TraitError(f"{name} is {value}; wanted a number from {low:g} to {high:g}")
        return value
