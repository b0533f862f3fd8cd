"""Fit a signal: a small network learns a curve, and its activation changes shape on the way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from torch import Tensor

from labs.progress import progress_bar
from labs.widgets.signal_network import ACTIVATIONS, signal_network
from labs.widgets.signal_packing import pack, unpack
from labs.widgets.signal_training import (
    EPOCHS,
    EXAMPLES,
    INSIDE,
    OUTSIDE,
    PREACTIVATIONS,
    SHOWN,
    SIGNALS,
    SignalRun,
    noted_steps,
    train_signals,
)
from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent

_SIGNAL_LABELS = {
    "hill": "a hill and a valley",
    "waves": "two waves",
    "sawtooth": "a sawtooth",
    "chirp": "a chirp, faster and faster",
}


class SignalFit(StaticPage, anywidget.AnyWidget):
    """Pick a signal and an activation, move through the training, and watch fit, error and activation.

    Make one with :meth:`precompute`. Everything it computed travels with the page; in a live notebook other
    seeds follow when the reader asks for them.

    Args:
        data: as in the attributes below.
        traits: attributes to start with.

    Attributes:
        data: what was computed ahead: the choices, and one packed network under ``"waves,Snake,1"``
            (see :mod:`labs.widgets.signal_packing`).
        signal, activation, seed: what is shown.
        epoch: when; one of the epochs in ``data["epochs"]``.
        computed: the networks that were computed on request.
        live: whether the kernel may compute other seeds.
        progress: how far the running computation is, from 0 to 1.
        problem: why the last request failed; empty if it did not.

    Raises:
        traitlets.TraitError: an attribute is given a value that is not to choose from.

    Example:
        >>> SignalFit.precompute(signals=["hill"], activations=["ReLU"], epochs=(0, 5), progress=False)
        SignalFit()
    """

    _esm = HERE / "signal_fit.js"
    _css = HERE / "signal_fit.css"
    address = "fit"
    address_traits = ("signal", "activation", "epoch", "seed")

    data = traitlets.Dict().tag(sync=True)
    signal = traitlets.Unicode("waves").tag(sync=True)
    activation = traitlets.Unicode("Snake").tag(sync=True)
    seed = traitlets.Int(1).tag(sync=True)
    epoch = traitlets.Int(0).tag(sync=True)
    computed = traitlets.Dict().tag(sync=True)
    live = traitlets.Bool(False).tag(sync=True)
    progress = traitlets.Float(0.0).tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)

    def __init__(self, data: dict[str, Any], **traits: Any) -> None:
        super().__init__(data=data, **traits)
        self.observe(self._answer, ["signal", "activation", "seed"])
        self._answer()

    @classmethod
    def precompute(
        cls,
        *,
        signals: Sequence[str] = tuple(SIGNALS),
        activations: Sequence[str] = tuple(ACTIVATIONS),
        seeds: Sequence[int] = (1,),
        epochs: Sequence[int] = EPOCHS,
        progress: bool = True,
        **traits: Any,
    ) -> SignalFit:
        """Train a network for every combination and return the widget that shows them.

        With the default choices this takes fifteen to twenty seconds on one core, and 350 kB on the page.

        Args:
            signals, activations, seeds: what the reader can choose from; the first of each is shown first.
            epochs: when the networks are looked at, rising from 0; the last ends the training and is shown first.
            progress: show a progress bar.
            traits: where the reader starts, for example ``signal="waves", activation="Snake", epoch=0``.

        Returns:
            The widget, with the kernel ready to compute other seeds.

        Raises:
            ValueError: an unknown signal or activation, a seed out of range, or epochs that do not rise from 0.

        Example:
            >>> fit = SignalFit.precompute(signals=["hill"], activations=["ReLU"], epochs=(0, 5), progress=False)
            >>> list(fit.data["runs"])
            ['hill,ReLU,1']
        """
        runs = {}
        with progress_bar(len(seeds) * len(activations), "fitting signals", progress=progress) as tick:
            for seed in seeds:
                for activation in activations:
                    for signal, run in zip(
                        signals, train_signals(activation, signals, seed, epochs=epochs), strict=True
                    ):
                        runs[f"{signal},{activation},{seed}"] = pack(run)
                    tick()
        data = {
            "signals": [[name, _SIGNAL_LABELS[name]] for name in signals],
            "activations": list(activations),
            "parameters": {name: _parameters_per_layer(name) for name in activations},
            "seeds": list(seeds),
            "epochs": list(epochs),
            "steps": list(noted_steps(epochs[-1])),
            "truth": {name: _rounded(SIGNALS[name](SHOWN)) for name in signals},
            "points": {name: _rounded(SIGNALS[name](EXAMPLES)) for name in signals},
            "inside": INSIDE,
            "outside": OUTSIDE,
            "window": PREACTIVATIONS[-1].item(),
            "counts": [len(SHOWN), len(PREACTIVATIONS), len(EXAMPLES)],
            "runs": runs,
        }
        first = {"signal": signals[0], "activation": activations[0], "seed": seeds[0], "epoch": epochs[-1]}
        return cls(data, live=True, **{**first, **traits})

    def run(self) -> SignalRun:
        """Return what is shown now, in numbers, to the precision of the packing.

        Returns:
            The network at all epochs, whatever ``epoch`` is.

        Raises:
            KeyError: that network was not computed.

        Example:
            >>> fit = SignalFit.precompute(signals=["hill"], activations=["ReLU"], epochs=(0, 5), progress=False)
            >>> fit.run().fit.shape
            torch.Size([2, 161])
        """
        return unpack({**self.data["runs"], **self.computed}[self._key()], self.data["epochs"])

    @traitlets.validate("signal", "activation", "seed", "epoch")
    def _known(self, proposal: dict[str, Any]) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        choices = {
            "signal": [key for key, _ in self.data.get("signals", [[value, ""]])],
            "activation": self.data.get("activations", [value]),
            "seed": range(2**32) if self.live else self.data.get("seeds", [value]),
            "epoch": self.data.get("epochs", [value]),
        }[name]
        if value not in choices:
            listed = "0 to 4294967295" if isinstance(choices, range) else ", ".join(map(str, choices))
            raise traitlets.TraitError(f"unknown {name} {value!r}; choose one of: {listed}")
        return value

    def _key(self) -> str:
        return f"{self.signal},{self.activation},{self.seed}"

    def _answer(self, _change: object = None) -> None:
        """Train the network that is asked for, unless it is there already."""
        key, epochs = self._key(), self.data["epochs"]
        if not self.live or key in self.data["runs"] or key in self.computed:
            return
        self.progress, self.problem = 0.0, ""

        def on_look(epoch: int, _ensemble: object) -> None:
            self.progress = epoch / epochs[-1]

        try:
            (run,) = train_signals(self.activation, [self.signal], self.seed, epochs=epochs, on_look=on_look)
        except Exception as error:  # shown in the widget; a traceback here would vanish unseen
            self.problem = f"{key}: {error}"
            return
        self.computed = {**self.computed, key: pack(run)}


def _parameters_per_layer(activation: str) -> int:
    return sum(p.numel() for p in signal_network(activation, 0).act1.parameters())


def _rounded(curve: Tensor) -> list[float]:
    return [round(y, 3) for y in curve.tolist()]
