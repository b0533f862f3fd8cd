"""The signal tunnel: two inputs and a gradient go through a deep random network, layer by layer."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent
LIMITS = {"weight_std": (0.1, 3.0), "bias_std": (0.0, 1.0), "depth": (2, 60), "correlation": (0.0, 0.99)}
#: The functions to choose from, smooth or with a kink at zero, and their settings.
TUNNEL_ACTIVATIONS: dict[str, dict[str, float]] = {
    "ReLU": {},
    "LeakyReLU": {"negative_slope": 0.01},
    "ELU": {"alpha": 1.0},
    "SELU": {},
    "Sigmoid": {},
    "Tanh": {},
    "GELU": {},
    "SiLU": {},
}
_PYTORCH_WIDTH = 256
PRESETS = [
    {
        "name": "PyTorch",
        "note": f"the default of nn.Linear with {_PYTORCH_WIDTH} inputs (1/3 and 1/{3 * _PYTORCH_WIDTH})",
        "weight_std": math.sqrt(1 / 3),
        "bias_std": math.sqrt(1 / (3 * _PYTORCH_WIDTH)),
    },
    {
        "name": "Xavier",
        "note": "as LeCun's for equal widths (1 and 0)",
        "weight_std": 1.0,
        "bias_std": 0.0,
    },
    {"name": "He", "note": "made for ReLU (2 and 0)", "weight_std": math.sqrt(2), "bias_std": 0.0},
]


class SignalTunnel(StaticPage, anywidget.AnyWidget):
    r"""Send two inputs and a gradient through a deep random network, and see what arrives.

    For layers of infinite width the maps of :mod:`labs.signals` tell the length :math:`q` of the pre-activations,
    the correlation :math:`c` of those of two inputs, and the mean square of the gradient. They are drawn for the
    chosen start and for three usual ones. In the first layer :math:`q = 1`. All sums are done in the browser, and
    need no kernel.

    Args:
        activation: the function to start with.
        traits: further attributes to start with.

    Attributes:
        data: the functions and the usual starts.
        activation: one of ReLU, LeakyReLU, ELU, SELU, Sigmoid, Tanh, GELU and SiLU.
        weight_std: :math:`\sigma_w`, from 0.1 to 3.
        bias_std: :math:`\sigma_b`, from 0 to 1.
        depth: number of layers, from 2 to 60.
        correlation: :math:`c` in the first layer, from 0 to 0.99.

    Raises:
        traitlets.TraitError: an attribute is given a value out of range.

    Example:
        >>> tunnel = SignalTunnel("Tanh", weight_std=1.0)
        >>> tunnel.depth = 61
        Traceback (most recent call last):
        traitlets.traitlets.TraitError: depth is 61; wanted a number from 2 to 60
    """

    _esm = "\n".join(
        (HERE / name).read_text(encoding="utf-8")
        for name in ("activation_functions.js", "mean_field_maps.js", "curve_drawing.js", "signal_tunnel.js")
    )
    _css = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.css", "signal_tunnel.css")
    )
    address = "tunnel"
    address_traits = ("activation", "weight_std", "bias_std", "depth", "correlation")

    data = traitlets.Dict({"activations": TUNNEL_ACTIVATIONS, "presets": PRESETS}).tag(sync=True)
    activation = traitlets.Enum(tuple(TUNNEL_ACTIVATIONS), "ReLU").tag(sync=True)
    weight_std = traitlets.Float(math.sqrt(1 / 3)).tag(sync=True)
    bias_std = traitlets.Float(math.sqrt(1 / (3 * _PYTORCH_WIDTH))).tag(sync=True)
    depth = traitlets.Int(30).tag(sync=True)
    correlation = traitlets.Float(0.5).tag(sync=True)

    def __init__(self, activation: str = "ReLU", **traits: Any) -> None:
        super().__init__(activation=activation, **traits)

    @traitlets.validate(*LIMITS)
    def _within(self, proposal: dict[str, Any]) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        low, high = LIMITS[name]
        if math.isnan(value) or not low <= value <= high:
            raise traitlets.TraitError(f"{name} is {value}; wanted a number from {low:g} to {high:g}")
        return value
