"""The results explorer: every network of the great comparison with its seeds, intervals, curves and ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from labs.experiments.comparison import STARTS
from labs.widgets.results_packing import CURVES, MEASURES, pack_results
from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent
MOST_SELECTED = 6
SEPARATOR = "~"

_CHOICES = {"measure": tuple(MEASURES), "curve": tuple(CURVES), "ranks": ("selected", "shown")}


class ResultsExplorer(StaticPage, anywidget.AnyWidget):
    """Look at the great comparison from all sides: sort it, filter it, compare curves and ranks.

    Make one with :meth:`from_results`. All numbers travel with the page; what depends on the reader's choice (means,
    intervals, ranks) is computed in the browser and tested against :mod:`labs.statistics`.

    Args:
        data: as in the attributes below.
        traits: attributes to start with.

    Attributes:
        data: the experiments with their networks; per network the final values per seed (``None`` for a diverged
            run), and the curves as whole numbers of ten-thousandths.
        experiment: what is shown: ``"momentum-0.8"`` and ``"momentum-0.9"`` for the recipe of the tutorial,
            ``"fair-default"``, ``"fair-fitting"`` and ``"fair-both"`` for the fair comparison.
        measure: ``"accuracy"``, ``"loss"``, ``"calibration"``, ``"dead"`` or ``"bytes"``.
        family: a family of ``ACTIVATIONS``, ``"linear"``, or ``"all"``.
        find: text that the name of a network has to contain.
        sort: the column to sort by, with a minus in front to begin with the highest: ``"-mean"``, ``"name"``.
        selected: up to six names with ``~`` between them, whose curves are shown.
        curve: ``"test_accuracy"``, ``"test_loss"``, ``"train_accuracy"`` or ``"train_loss"``.
        epoch: at which the curves are read off, from 1; 0 is the last.
        ranks: ``"selected"`` ranks the selected networks among themselves, ``"shown"`` all in the table.

    Raises:
        traitlets.TraitError: an attribute is given a value that is not to choose from.

    Example:
        >>> curves = {name: [0.5, 0.75] for name in CURVES}
        >>> run = {"accuracy": 0.75, "loss": 0.7, "curves": curves, "learned": {}, "dead": [0, 0, 0, 0.5]}
        >>> config = {"rows": {"ReLU": {"activation": "ReLU"}}}
        >>> table = {"data": {"ReLU": {"momentum 0.8": [run, run]}}, "provenance": {"config": config, "seeds": [7, 8]}}
        >>> ResultsExplorer.from_results(table, selected="ReLU")
        ResultsExplorer()
    """

    _esm = HERE / "results_explorer.js"
    _css = HERE / "results_explorer.css"
    address = "results"
    address_traits = (
        "experiment", "measure", "family", "find", "sort", "selected", "curve", "epoch", "ranks",
    )  # fmt: skip

    data = traitlets.Dict().tag(sync=True)
    experiment = traitlets.Unicode("").tag(sync=True)
    measure = traitlets.Unicode("accuracy").tag(sync=True)
    family = traitlets.Unicode("all").tag(sync=True)
    find = traitlets.Unicode("").tag(sync=True)
    sort = traitlets.Unicode("-mean").tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)
    curve = traitlets.Unicode("test_accuracy").tag(sync=True)
    epoch = traitlets.Int(0).tag(sync=True)
    ranks = traitlets.Unicode("shown").tag(sync=True)

    def __init__(self, data: dict[str, Any], **traits: Any) -> None:
        super().__init__(data=data, **{"experiment": data["experiments"][0]["key"], **traits})

    @classmethod
    def from_results(
        cls, table: Mapping | None = None, fair: Mapping | None = None, **traits: Any
    ) -> ResultsExplorer:
        """Return the widget for one or both results of the great comparison.

        Args:
            table: the tutorial's rows, ``load_result("comparison_table")``, or ``None``.
            fair: the fair comparison, ``load_result("comparison_fair")``, or ``None``.
            traits: where the reader starts, for example ``experiment="fair-fitting", selected="ReLU~Tanh"``.

        Returns:
            The widget; it needs no kernel.

        Raises:
            ValueError: neither result is given, or one is not what ``load_result`` returns.

        Example:
            >>> ResultsExplorer.from_results()
            Traceback (most recent call last):
            ValueError: got no result; wanted load_result("comparison_table"), load_result("comparison_fair"), or both
        """
        if table is None and fair is None:
            raise ValueError(
                'got no result; wanted load_result("comparison_table"), load_result("comparison_fair"), or both'
            )
        for name, result in (("table", table), ("fair", fair)):
            if result is not None and not {"data", "provenance"} <= set(result):
                raise ValueError(f"{name} has the keys {list(result)}; wanted what load_result returned")
        return cls({**pack_results(table, fair), "most": MOST_SELECTED}, **traits)

    @traitlets.validate("experiment", "family", "selected", *_CHOICES)
    def _known(self, proposal: dict[str, Any]) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        choices: dict[str, Sequence[str]] = {
            **_CHOICES,
            "experiment": [one["key"] for one in self.data.get("experiments", [])],
            "family": ["all", *self.data.get("families", [])],
        }
        if name == "selected":
            picked, known = value.split(SEPARATOR) if value else [], self._names()
            if len(picked) > MOST_SELECTED or not set(picked) <= known:
                unknown = ", ".join(sorted(set(picked) - known)) or f"{len(picked)} networks"
                raise traitlets.TraitError(
                    f"selected has {unknown}; choose at most {MOST_SELECTED} of: {', '.join(sorted(known))}"
                )
        elif value not in choices[name]:
            raise traitlets.TraitError(f"unknown {name} {value!r}; choose one of: {', '.join(choices[name])}")
        return value

    def _names(self) -> set[str]:
        alone = {n["name"] for one in self.data.get("experiments", []) for n in one.get("networks", [])}
        return alone | {f"{name}, {start} start" for name in alone for start in STARTS}
