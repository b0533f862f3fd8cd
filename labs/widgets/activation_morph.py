r"""The activation morph: :math:`x\,\sigma(\beta x)` from a straight line over SiLU and nearly GELU to almost ReLU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent
HIGHEST_BETA = 50.0


class ActivationMorph(StaticPage, anywidget.AnyWidget):
    r"""Turn SiLU, nearly GELU and nearly ReLU into each other with the :math:`\beta` of :math:`x\,\sigma(\beta x)`.

    At 0 it is the line :math:`x/2`, at 1 SiLU, near 1.7 it comes closest to GELU, and as :math:`\beta` grows it goes
    to ReLU. The widget draws the curve and its slope over the three references, and says how far it is from each of
    them and where its lowest point lies. All sums are done in the browser, and need no kernel.

    Args:
        beta: where the reader starts.
        traits: further attributes to start with.

    Attributes:
        beta: what is shown, from 0 to 50.

    Raises:
        traitlets.TraitError: ``beta`` is out of range.

    Example:
        >>> morph = ActivationMorph(beta=1.702)
        >>> morph.beta = 51
        Traceback (most recent call last):
        traitlets.traitlets.TraitError: beta is 51.0; wanted a number from 0 to 50
    """

    _esm = "\n".join(
        (HERE / name).read_text(encoding="utf-8")
        for name in ("activation_functions.js", "curve_drawing.js", "activation_morph.js")
    )
    _css = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.css", "activation_morph.css")
    )
    address = "morph"
    address_traits = ("beta",)

    beta = traitlets.Float(1.0).tag(sync=True)

    def __init__(self, beta: float = 1.0, **traits: Any) -> None:
        super().__init__(beta=beta, **traits)

    @traitlets.validate("beta")
    def _within(self, proposal: dict[str, Any]) -> float:
        beta = proposal["value"]
        if not 0 <= beta <= HIGHEST_BETA:
            raise traitlets.TraitError(f"beta is {beta}; wanted a number from 0 to {HIGHEST_BETA:g}")
        return beta
