"""The forge: a formula typed by the reader, drawn with its slope, and what it would do in a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent
REFERENCES = ("ReLU", "GELU", "SiLU", "tanh", "sigmoid")
NOTHING = "nothing"
LONGEST = 200

#: What the reader can start from, by name.
PRESETS = {
    "Swish-GELU mixture": "a * x * sigmoid(x) + (1 - a) * x * Phi(x)",
    "ReLU": "relu(x)",
    "leaky ReLU": "max(x, 0.1 * x)",
    "GELU": "x * Phi(x)",
    "SiLU": "x * sigmoid(x)",
    "Mish": "x * tanh(softplus(x))",
    "tanh": "tanh(x)",
    "sine": "sin(x)",
    "Gaussian bump": "exp(-x^2)",
    "square": "x^2",
    "logarithm": "log(x)",
}


class Forge(StaticPage, anywidget.AnyWidget):
    """Type a formula; see the curve, its slope, and what both would do in a network.

    The formula is read by a small parser and never executed as code. Its slope is computed by forward-mode
    differentiation; beside the picture stand the numbers of the sanity battery: range, mean and mean square for
    standard normal inputs, the gain, what a layer does to gradients, flat parts and the number of steps.
    All of it happens in the browser.

    Args:
        traits: where the reader starts, for example ``formula="x * sin(x)", other="GELU"``.

    Attributes:
        formula: in ``x`` and the parameter ``a``, at most 200 characters; see the note below the input for the names
            that it may use. A formula that cannot be read is answered with what was wanted, and where.
        a: the parameter, 0 to 1.
        other: a reference to compare with, or ``"nothing"``.
        presets: name to formula.

    Raises:
        traitlets.TraitError: an attribute is given a value that is not to choose from.

    Example:
        >>> Forge(formula="x * tanh(exp(x))").formula
        'x * tanh(exp(x))'
    """

    _esm = "\n".join(
        (HERE / name).read_text(encoding="utf-8")
        for name in ("activation_functions.js", "curve_drawing.js", "formula.js", "forge.js")
    )
    _css = "\n".join((HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.css", "forge.css"))
    address = "forge"
    address_traits = ("formula", "a", "other")

    presets = traitlets.Dict(PRESETS).tag(sync=True)
    formula = traitlets.Unicode(PRESETS["Swish-GELU mixture"]).tag(sync=True)
    a = traitlets.Float(0.5).tag(sync=True)
    other = traitlets.Enum((NOTHING, *REFERENCES), "ReLU").tag(sync=True)

    @traitlets.validate("formula")
    def _short(self, proposal: dict[str, Any]) -> str:
        if len(proposal["value"]) > LONGEST:
            raise traitlets.TraitError(
                f"formula has {len(proposal['value'])} characters; wanted at most {LONGEST}"
            )
        return proposal["value"]

    @traitlets.validate("a")
    def _within(self, proposal: dict[str, Any]) -> float:
        if not 0 <= proposal["value"] <= 1:
            raise traitlets.TraitError(f"a is {proposal['value']}; wanted a number from 0 to 1")
        return proposal["value"]
