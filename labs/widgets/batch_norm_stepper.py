"""The batch-norm stepper: eight numbers through batch normalisation and back, and three norms on a small matrix."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import anywidget
import torch
import traitlets
from torch import Tensor, nn

from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent
START = (2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0)
MATRIX = ((1.0, 4.0, -2.0), (3.0, 0.0, 2.0), (2.0, 2.0, 5.0), (-2.0, 6.0, 3.0))
LOWEST, HIGHEST = -10.0, 30.0  # of the eight numbers
FARTHEST = 100.0  # from zero, of the numbers in the matrix
LIMITS = {"gamma": (-2, 2), "beta": (-2, 2), "batches": (0, 100), "step": (0, 8)}


def _written(numbers: tuple[float, ...]) -> str:
    """Return the numbers in tenths, as they stand in the address: ``"20_45"`` for 2 and 4.5."""
    return "_".join(f"{round(10 * number)}" for number in numbers)


class BatchNormStepper(StaticPage, anywidget.AnyWidget):
    r"""Go through batch normalisation of eight numbers step by step, forwards and backwards.

    Four steps forwards: mean, variance, :math:`\hat z = (z - m)/s`, and :math:`y = \gamma \hat z + \beta`. Four steps
    backwards send a gradient that arrives at one example through all of them. In eval mode running statistics, of so
    many batches like the one at the start, take the place of :math:`m` and :math:`v`. A second view normalises a
    small matrix by batch, layer or RMS, and says which of the three notices a change. All sums are done in the
    browser, and need no kernel.

    Args:
        traits: where the reader starts, for example ``mode="eval", step=8``.

    Attributes:
        view: ``"steps"`` or ``"matrix"``.
        values: the eight numbers in tenths, from -100 to 300, joined by ``_``.
        gamma, beta: the scale and the shift, from -2 to 2.
        mode: ``"training"`` or ``"eval"``.
        batches: how many batches the running statistics have seen, 0 to 100.
        upstream: the example at which a gradient of 1 arrives, ``"1"`` to ``"8"``, or ``"all"``.
        step: how many steps are done, 0 to 8; up to 4 forwards, after that backwards.
        norm: what the matrix is normalised by: ``"batch"``, ``"layer"`` or ``"RMS"``.
        matrix: its twelve numbers in tenths, row by row, from -1000 to 1000.
        data: the eight numbers and the matrix at the start.

    Raises:
        traitlets.TraitError: an attribute is given a value that is not to choose from.

    Example:
        >>> stepper = BatchNormStepper(gamma=2)
        >>> round(stepper.layer()(stepper.batch()[:, None])[0].item(), 4)
        -3.0
    """

    _esm = "\n".join(
        (HERE / name).read_text(encoding="utf-8")
        for name in ("curve_drawing.js", "normalisation.js", "batch_norm_stepper.js")
    )
    _css = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.css", "batch_norm_stepper.css")
    )
    address = "norm"
    address_traits = (
        "view", "values", "gamma", "beta", "mode", "batches", "upstream", "step", "norm", "matrix"
    )  # fmt: skip

    data = traitlets.Dict().tag(sync=True)
    view = traitlets.Enum(("steps", "matrix"), "steps").tag(sync=True)
    values = traitlets.Unicode(_written(START)).tag(sync=True)
    gamma = traitlets.Float(1.0).tag(sync=True)
    beta = traitlets.Float(0.0).tag(sync=True)
    mode = traitlets.Enum(("training", "eval"), "training").tag(sync=True)
    batches = traitlets.Int(100).tag(sync=True)
    upstream = traitlets.Enum((*(str(i) for i in range(1, len(START) + 1)), "all"), "1").tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    norm = traitlets.Enum(("batch", "layer", "RMS"), "batch").tag(sync=True)
    matrix = traitlets.Unicode(_written(sum(MATRIX, ()))).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(data={"values": list(START), "matrix": [list(row) for row in MATRIX]}, **traits)

    def batch(self) -> Tensor:
        """Return the eight numbers.

        Returns:
            A float64 tensor of shape :math:`(8)`.

        Example:
            >>> BatchNormStepper().batch().mean()
            tensor(5., dtype=torch.float64)
        """
        return torch.tensor([int(word) / 10 for word in self.values.split("_")], dtype=torch.float64)

    def layer(self) -> nn.BatchNorm1d:
        """Return the layer that is shown, in its mode, with its running statistics.

        Returns:
            A layer for inputs of shape :math:`(N, 1)`, in float64.

        Example:
            >>> BatchNormStepper(batches=10, mode="eval").layer().running_mean
            tensor([3.2566], dtype=torch.float64)
        """
        layer = nn.BatchNorm1d(1, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.fill_(self.gamma)
            layer.bias.fill_(self.beta)
            for _ in range(self.batches):
                layer(torch.tensor(START, dtype=torch.float64)[:, None])
        return layer.train(self.mode == "training")

    @traitlets.validate(*LIMITS)
    def _within(self, proposal: dict[str, Any]) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        low, high = LIMITS[name]
        if math.isnan(value) or not low <= value <= high:
            raise traitlets.TraitError(f"{name} is {value}; wanted a number from {low:g} to {high:g}")
        return value

    @traitlets.validate("values", "matrix")
    def _readable(self, proposal: dict[str, Any]) -> str:
        name, text = proposal["trait"].name, proposal["value"]
        many, low, high = (8, LOWEST, HIGHEST) if name == "values" else (12, -FARTHEST, FARTHEST)
        numbers = (
            [int(word) / 10 for word in text.split("_")] if re.fullmatch(r"-?\d+(_-?\d+)*", text) else []
        )
        if len(numbers) != many or not low <= min(numbers) <= max(numbers) <= high:
            raise traitlets.TraitError(
                f"{name} is {text!r}; wanted {many} numbers in tenths, {10 * low:g} to {10 * high:g}, joined by _"
            )
        return text
