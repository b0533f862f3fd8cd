"""The playground: a small network that trains in the reader's browser, with all its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from labs.playground import Setup, start_numbers
from labs.playground.setup import LAST_STEP
from labs.widgets.playground_presets import PRESETS
from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent
# In this order they make one module: none of them imports another.
MODULES = (
    "activation_functions.js",
    "activation_gradients.js",
    "playground_random.js",
    "playground_setup.js",
    "playground_data.js",
    "playground_network.js",
    "playground_steps.js",
    "playground_run.js",
    "playground_code.js",
    "curve_drawing.js",
    "playground_words.js",
    "playground_drawing.js",
    "playground_points.js",
    "playground.js",
)
STYLES = ("curve_drawing.css", "playground.css")


class Playground(StaticPage, anywidget.AnyWidget):
    r"""Train a small network on points of the plane, in the browser, step by step, and watch each of its units.

    Up to six hidden layers of up to sixteen units learn to tell classes apart, or to follow a curve. Each layer has
    its own activation. All sums are done in the browser, in double precision, and need no kernel;
    :class:`labs.playground.Run` does the same run in torch.

    Args:
        preset_or_setup: the name of a preset, a :class:`labs.playground.Setup`, or the text of one as it stands in
            the link of a playground.
        controls: whether all settings can be changed on the page; without them there is the network, its map, and
            what runs it.
        traits: further attributes to start with.

    Attributes:
        data: the presets, and the numbers with which some activations start.
        setup: the text of the settings.
        step: how many steps are done when the playground opens, or have been done since.
        controls: whether the settings are shown.

    Raises:
        traitlets.TraitError: neither a preset nor a setup, or a step out of range.

    Example:
        >>> Playground("moons").setup
        'data.moons~noise.0.05~method.momentum'
        >>> Playground("mooons")
        Traceback (most recent call last):
        traitlets.traitlets.TraitError: unknown preset 'mooons'; choose one of: circles, xor, ...
    """

    _esm = "\n".join((HERE / name).read_text(encoding="utf-8") for name in MODULES)
    _css = "\n".join((HERE / name).read_text(encoding="utf-8") for name in STYLES)
    library = "playground"
    address = "playground"
    address_traits = ("setup", "step")

    data = traitlets.Dict().tag(sync=True)
    setup = traitlets.Unicode("").tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    controls = traitlets.Bool(True).tag(sync=True)

    def __init__(
        self, preset_or_setup: str | Setup = "circles", *, controls: bool = True, **traits: Any
    ) -> None:
        text = preset_or_setup.text() if isinstance(preset_or_setup, Setup) else preset_or_setup
        if text in PRESETS:
            text = PRESETS[text]["setup"]
        elif isinstance(text, str) and text and "." not in text:
            raise traitlets.TraitError(f"unknown preset {text!r}; choose one of: {', '.join(PRESETS)}")
        super().__init__(setup=text, controls=controls, **traits)

    @traitlets.default("data")
    def _presets_and_numbers(self) -> dict[str, Any]:
        return {"presets": PRESETS, "numbers": start_numbers()}

    @traitlets.validate("setup")
    def _readable(self, proposal: dict[str, Any]) -> str:
        try:
            Setup.read(proposal["value"])
        except (TypeError, ValueError) as error:
            raise traitlets.TraitError(str(error)) from None
        return proposal["value"]

    @traitlets.validate("step")
    def _within_a_run(self, proposal: dict[str, Any]) -> int:
        if not 0 <= proposal["value"] <= LAST_STEP:
            raise traitlets.TraitError(
                f"step is {proposal['value']}; wanted a whole number from 0 to {LAST_STEP}"
            )
        return proposal["value"]
