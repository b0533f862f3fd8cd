"""The decision guide: four questions, and which activation functions are used there, with reason, source and year."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anywidget
import torch
import traitlets

from labs.activations import ACTIVATIONS, make_activation
from labs.guide import DOMAINS, GUIDE, NOT_ELEMENTWISE
from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent
ALL = "all"
LAYERS = (ALL, "hidden", "gate", "output")
HARDWARE = ("any", "small")
DEPTHS = ("any", "deep")
POINTS, SPAN = 33, 4.0


class DecisionGuide(StaticPage, anywidget.AnyWidget):
    """Ask :mod:`labs.guide` by domain, kind of layer, hardware and depth.

    Each answer shows the functions with a small picture, where they stand in the network, the reason, whether they
    were used, proposed, advised or follow by definition, and in which work. The browser chooses and sorts as
    :func:`labs.guide.advise` does.

    Args:
        traits: where the reader starts, for example ``domain="language models"``.

    Attributes:
        domain: one of :data:`labs.guide.DOMAINS`, or ``"all"``.
        layer: ``"hidden"``, ``"gate"``, ``"output"`` or ``"all"``.
        hardware: ``"small"`` to see what was made for small devices as well, else ``"any"``.
        depth: ``"deep"`` to see what was made for many layers without normalisation as well, else ``"any"``.
        data: the lines of the guide, and the curves of its functions.

    Raises:
        traitlets.TraitError: an attribute is given a value that is not to choose from.

    Example:
        >>> DecisionGuide(domain="language models").layer
        'all'
    """

    _esm = (HERE / "decision_guide.js").read_text(encoding="utf-8")
    _css = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.css", "decision_guide.css")
    )
    address = "guide"
    address_traits = ("domain", "layer", "hardware", "depth")

    data = traitlets.Dict().tag(sync=True)
    domain = traitlets.Enum((ALL, *DOMAINS), ALL).tag(sync=True)
    layer = traitlets.Enum(LAYERS, ALL).tag(sync=True)
    hardware = traitlets.Enum(HARDWARE, "any").tag(sync=True)
    depth = traitlets.Enum(DEPTHS, "any").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        lines = [{**asdict(line), "source": _author(line.source)} for line in GUIDE]
        names = sorted({name for line in GUIDE for name in line.functions} - set(NOT_ELEMENTWISE))
        curves = {name: _curve(name) for name in names if ACTIVATIONS[name].inputs_per_output == 1}
        super().__init__(
            data={"lines": lines, "domains": list(DOMAINS), "curves": curves, "span": SPAN}, **traits
        )


def _author(key: str) -> str:
    """Return the first author of a key of the bibliography, which begins with the surname."""
    return re.match("[a-z]+", key)[0].capitalize()


def _curve(name: str) -> list[float]:
    """Return the values of a function as it starts, from -4 to 4."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)  # some start at random
        values = make_activation(name)(torch.linspace(-SPAN, SPAN, POINTS)[:, None])
    return [round(value, 2) for value in values.flatten().tolist()]
