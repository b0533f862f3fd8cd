"""The landscape viewer: slices through the loss around trained networks, and the curvature at their centre."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent
NOTHING = "nothing"

#: Name of a grid in the results -> what the reader chooses.
KINDS = {"filter": "", "plain": " plain", "plain_rescaled": " rescaled"}


class LandscapeViewer(StaticPage, anywidget.AnyWidget):
    """See the loss around trained networks as a map, and along a line through the map.

    The reader chooses a slice, one to compare it with, the line through the centre and a window. Beside the picture
    stand the curvatures that were measured at the centre, so that the eye can be held against the numbers.

    Make one with :meth:`from_results`.

    Args:
        data: what travels with the page, see :meth:`from_results`.
        traits: where the reader starts.

    Attributes:
        data: axis, losses and measured numbers of each slice.
        slice: name of the slice that is shown as a map, for example ``"ReLU"`` or ``"ReLU rescaled"``.
        other: name of the slice whose section is drawn beside it, or ``"nothing"``.
        angle: of the line through the centre, from the first direction [degrees], 0 to 179.
        place: on the line, -1 to 1 in lengths of the directions.
        window: half the width of what is shown, 0.2 to 1.

    Raises:
        traitlets.TraitError: an attribute is given a value that is not to choose from.

    Example:
        >>> grid = [[2.0, 1.0, 2.0], [1.0, 0.0, 1.0], [2.0, 1.0, 2.0]]
        >>> measured = {"accuracy": 0.9, "loss": 0.0, "eigenvalues": [2.0], "trace": 4.0}
        >>> results = {"axis": [-1, 0, 1], "factor": 5.0}
        >>> results["activations"] = {"Tanh": {**measured, "grids": {"filter": grid}}}
        >>> LandscapeViewer.from_results(results).slice
        'Tanh'
    """

    _esm = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.js", "landscape_viewer.js")
    )
    _css = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.css", "landscape_viewer.css")
    )
    address = "landscape"
    address_traits = ("slice", "other", "angle", "place", "window")

    data = traitlets.Dict().tag(sync=True)
    slice = traitlets.Unicode().tag(sync=True)
    other = traitlets.Unicode(NOTHING).tag(sync=True)
    angle = traitlets.Float(0.0).tag(sync=True)
    place = traitlets.Float(0.0).tag(sync=True)
    window = traitlets.Float(1.0).tag(sync=True)

    def __init__(self, data: dict[str, Any], **traits: Any) -> None:
        super().__init__(data=data, **{"slice": next(iter(data["slices"])), **traits})

    @classmethod
    def from_results(cls, results: Mapping[str, Any], **traits: Any) -> LandscapeViewer:
        """Return the viewer of what ``labs.experiments.landscape.slice_trial`` measured.

        Args:
            results: ``axis``, ``factor``, and ``activations``: name to losses on square grids, accuracy, loss,
                eigenvalues and trace, as in ``results/landscape_slices.json``.
            traits: where the reader starts, for example ``slice="ReLU plain", other="ReLU rescaled"``.

        Returns:
            The widget.

        Raises:
            ValueError: a grid that does not fit the axis.

        Example:
            >>> from labs.results import load_result
            >>> viewer = LandscapeViewer.from_results(load_result("landscape_slices")["data"])
            >>> list(viewer.data["slices"])[:3]
            ['ReLU', 'ReLU plain', 'ReLU rescaled']
        """
        axis, slices = list(results["axis"]), {}
        for name, found in results["activations"].items():
            for kind, grid in found["grids"].items():
                if [len(row) for row in grid] != [len(axis)] * len(axis):
                    raise ValueError(
                        f"the grid {kind!r} of {name} does not fit the axis; wanted {len(axis)} rows of {len(axis)}"
                    )
                measured = found["rescaled"] if kind == "plain_rescaled" else found
                slices[name + KINDS[kind]] = {
                    "grid": grid,
                    "loss": round(measured["loss"], 4),
                    "accuracy": round(measured["accuracy"], 4),
                    "largest": round(measured["eigenvalues"][0], 2),
                    "trace": round(measured["trace"], 1),
                }
        return cls({"axis": axis, "factor": results["factor"], "slices": slices}, **traits)

    @traitlets.validate("slice", "other")
    def _known(self, proposal: dict[str, Any]) -> str:
        name, value = proposal["trait"].name, proposal["value"]
        names = [*self.data["slices"], *([NOTHING] if name == "other" else [])]
        if value not in names:
            raise traitlets.TraitError(f"{name} is {value!r}; wanted one of {', '.join(names)}")
        return value

    @traitlets.validate("angle", "place", "window")
    def _within(self, proposal: dict[str, Any]) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        low, high = {"angle": (0, 179), "place": (-1, 1), "window": (0.2, 1)}[name]
        if not low <= value <= high:
            raise traitlets.TraitError(f"{name} is {value}; wanted a number from {low:g} to {high:g}")
        return value
