"""The neuron ward: the condition of every hidden unit of an untrained network, at a glance and one by one."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from labs.data import ImageData
from labs.networks import SimpleNetwork
from labs.progress import progress_bar
from labs.widgets.static_page import StaticPage
from labs.widgets.ward_packing import pack, unpack
from labs.widgets.ward_table import INITS, STATES, WardTable, first_layer, ward_network, ward_table

HERE = Path(__file__).parent
ACTIVATIONS = ("ReLU", "LeakyReLU", "ELU", "SELU", "GELU", "Tanh")
LAYERS, WIDTH = 10, 32

_INIT_LABELS = {
    "torch": "PyTorch default",
    "torch0": "PyTorch weights, zero biases",
    "he": "He weights, PyTorch biases",
    "he0": "He weights, zero biases",
}


class NeuronWard(StaticPage, anywidget.AnyWidget):
    """Pick activation, initialisation, depth and seed; see which hidden units are dead, and why.

    Make one with :meth:`precompute`. Everything it computed travels with the page; in a live notebook other
    seeds follow when the reader asks for them.

    Args:
        data: as in the attributes below.
        train: the images for other seeds; ``None`` shows what was computed ahead and nothing more.
        traits: attributes to start with.

    Attributes:
        data: what was computed ahead: the choices, and one packed table per network under ``"ReLU,torch,1"``
            (see :mod:`labs.widgets.ward_packing`).
        activation, init, depth, seed: what is shown; ``depth`` counts hidden layers.
        unit: the unit whose histogram is shown, as ``"layer.number"``, both counted from 1.
        computed: the tables that were computed on request.
        live: whether the kernel can compute other seeds.
        progress: how far the running computation is, from 0 to 1.
        problem: why the last request failed; empty if it did not.

    Raises:
        traitlets.TraitError: an attribute is given a value that is not to choose from.

    Example:
        >>> import torch
        >>> data = ImageData(torch.rand(20, 1, 28, 28), torch.zeros(20).long(), ("shirt",))
        >>> ward = NeuronWard.precompute(data, seeds=[1], activations=["ReLU"], inits=["torch"], progress=False)
        >>> ward
        NeuronWard()
    """

    _esm = HERE / "neuron_ward.js"
    _css = HERE / "neuron_ward.css"
    address = "ward"
    address_traits = ("activation", "init", "depth", "seed", "unit")

    data = traitlets.Dict().tag(sync=True)
    activation = traitlets.Unicode("ReLU").tag(sync=True)
    init = traitlets.Unicode("torch").tag(sync=True)
    depth = traitlets.Int(LAYERS).tag(sync=True)
    seed = traitlets.Int(1).tag(sync=True)
    unit = traitlets.Unicode("1.1").tag(sync=True)
    computed = traitlets.Dict().tag(sync=True)
    live = traitlets.Bool(False).tag(sync=True)
    progress = traitlets.Float(0.0).tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)

    def __init__(self, data: dict[str, Any], *, train: ImageData | None = None, **traits: Any) -> None:
        self._train = train
        super().__init__(data=data, live=train is not None, **traits)
        self.observe(self._answer, ["activation", "init", "seed"])
        self._answer()

    @classmethod
    def precompute(
        cls,
        train: ImageData,
        *,
        seeds: Sequence[int] = (1, 2, 3),
        activations: Sequence[str] = ACTIVATIONS,
        inits: Sequence[str] = tuple(INITS),
        progress: bool = True,
        **traits: Any,
    ) -> NeuronWard:
        """Measure every combination over all of ``train`` and return the widget that shows them.

        All networks have ten hidden layers of 32 units. A network with fewer layers and the same seed is the
        lower part of that one, so the widget shows ``depth`` rows of it. With 60,000 images and the default
        choices this takes some twenty seconds, and 430 kB on the page.

        Args:
            train: the images; at most 65,535.
            seeds, activations, inits: what the reader can choose from; the first of each is shown first.
            progress: show a progress bar.
            traits: where the reader starts, for example ``depth=10, unit="5.17"``.

        Returns:
            The widget, with the kernel ready to compute other seeds.

        Raises:
            ValueError: an unknown activation or initialisation, a seed out of range, or too many images.

        Example:
            >>> import torch
            >>> data = ImageData(torch.rand(20, 1, 28, 28), torch.zeros(20).long(), ("shirt",))
            >>> ward = NeuronWard.precompute(data, seeds=[1], activations=["ReLU"], inits=["torch"], progress=False)
            >>> list(ward.data["tables"])
            ['ReLU,torch,1']
        """
        tables = {}
        total = len(seeds) * len(inits) * len(activations)
        with progress_bar(total, "neuron ward", progress=progress) as tick:
            for key, table in _measure_all(train, seeds, inits, activations):
                tables[key] = pack(table)
                tick()
        data = {
            "examples": len(train.inputs),
            "layers": LAYERS,
            "width": WIDTH,
            "states": list(STATES),
            "seeds": list(seeds),
            "activations": list(activations),
            "inits": [[key, _INIT_LABELS[key]] for key in inits],
            "tables": tables,
        }
        first = {"activation": activations[0], "init": inits[0], "seed": seeds[0]}
        return cls(data, train=train, **{**first, **traits})

    def table(self) -> WardTable:
        """Return what is shown now, in numbers, to the precision of the packing.

        Returns:
            The table of all ten layers, whatever ``depth`` is; ``bars`` are heights from 0 to 1.

        Raises:
            KeyError: that network was not computed.

        Example:
            >>> import torch
            >>> data = ImageData(torch.rand(20, 1, 28, 28), torch.zeros(20).long(), ("shirt",))
            >>> ward = NeuronWard.precompute(data, seeds=[1], activations=["ReLU"], inits=["torch"], progress=False)
            >>> ward.table().state.shape
            torch.Size([10, 32])
        """
        key = f"{self.activation},{self.init},{self.seed}"
        tables = {**self.data["tables"], **self.computed}
        return unpack(tables[key], self.data["examples"], self.data["width"])

    @traitlets.validate("activation", "init", "seed", "depth", "unit")
    def _known(self, proposal: dict[str, Any]) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        choices = {
            "activation": self.data.get("activations", [value]),
            "init": [key for key, _ in self.data.get("inits", [[value, ""]])],
            "depth": range(1, LAYERS + 1),
            "seed": range(2**32) if self.live else self.data.get("seeds", [value]),
        }
        if name == "unit" and not _is_unit(value):
            raise traitlets.TraitError(f"unit is {value!r}; wanted layer and number from 1, such as '5.17'")
        if name in choices and value not in choices[name]:
            known = choices[name]
            listed = f"{known[0]} to {known[-1]}" if isinstance(known, range) else ", ".join(map(str, known))
            raise traitlets.TraitError(f"unknown {name} {value!r}; choose one of: {listed}")
        return value

    def _answer(self, _change: object = None) -> None:
        """Compute the network that is asked for, unless it is there already."""
        key = f"{self.activation},{self.init},{self.seed}"
        if self._train is None or key in self.data["tables"] or key in self.computed:
            return
        self.progress, self.problem = 0.0, ""

        def on_layer(number: int) -> None:
            self.progress = number / LAYERS

        try:
            network = _network(self._train, self.activation, self.init, self.seed)
            table = ward_table(network, self._train, on_layer=on_layer)
        except Exception as error:  # shown in the widget; a traceback here would vanish unseen
            self.problem = f"{key}: {error}"
            return
        self.computed = {**self.computed, key: pack(table)}


def _measure_all(
    train: ImageData, seeds: Sequence[int], inits: Sequence[str], activations: Sequence[str]
) -> Iterator[tuple[str, WardTable]]:
    for seed in seeds:
        for init in inits:
            first = None  # the same for every activation: the images and the first weights alone decide it
            for activation in activations:
                network = _network(train, activation, init, seed)
                first = first_layer(network, train) if first is None else first
                yield f"{activation},{init},{seed}", ward_table(network, train, first=first)


def _network(train: ImageData, activation: str, init: str, seed: int) -> SimpleNetwork:
    pixels = math.prod(train.inputs.shape[1:])
    return ward_network(activation, init, seed, in_features=pixels, layers=LAYERS, width=WIDTH)


def _is_unit(text: str) -> bool:
    found = re.fullmatch(r"(\d{1,2})\.(\d{1,2})", text, re.ASCII)
    return bool(found) and 1 <= int(found[1]) <= LAYERS and 1 <= int(found[2]) <= WIDTH
