"""The line folder: a small ReLU network of one input, its straight pieces counted while it grows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import torch
import traitlets
from torch import nn

from labs.seeds import make_generator
from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent
MOST_UNITS, MOST_LAYERS = 8, 5
SEEDS = (1, 2, 3, 4, 5, 6)
WEIGHTS = ("fold", *(str(seed) for seed in SEEDS))
ACTIVATIONS = ("ReLU", "identity")


class LineFolder(StaticPage, anywidget.AnyWidget):
    r"""Send the number line through layers of ReLU units and count the straight pieces that come out.

    The weights are random, or those of the fold: two units that map the interval from 0 to 1 up to 1 and back down,
    so that every further layer doubles the number of pieces. Switch the activation to the identity, and one straight
    line is left, whatever the depth. The pieces are computed exactly, in the browser, over the whole line.

    Args:
        traits: where the reader starts, for example ``weights="fold", layers=4``.

    Attributes:
        weights: ``"fold"``, or the seed of the random weights, ``"1"`` to ``"6"``.
        units: in each hidden layer, 1 to 8; the fold has 2.
        layers: hidden layers, 1 to 5.
        activation: ``"ReLU"`` or ``"identity"``.
        gain: standard deviation of the random weights over that of He, :math:`\sqrt{2/n}`; 0.5 to 2.
        bias: standard deviation of the random biases, 0 to 2.
        data: the standard normal numbers behind the random weights.

    Raises:
        traitlets.TraitError: an attribute is given a value that is not to choose from.

    Example:
        >>> folder = LineFolder(weights="fold", layers=2)
        >>> folder.network()(torch.tensor([[0.0], [0.25], [0.5], [0.75], [1.0]])).detach().flatten()
        tensor([0., 1., 0., 1., 0.])
    """

    _esm = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.js", "line_folder.js")
    )
    _css = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.css", "line_folder.css")
    )
    address = "fold"
    address_traits = ("weights", "units", "layers", "activation", "gain", "bias")

    data = traitlets.Dict().tag(sync=True)
    weights = traitlets.Enum(WEIGHTS, "1").tag(sync=True)
    units = traitlets.Int(4).tag(sync=True)
    layers = traitlets.Int(2).tag(sync=True)
    activation = traitlets.Enum(ACTIVATIONS, "ReLU").tag(sync=True)
    gain = traitlets.Float(1.0).tag(sync=True)
    bias = traitlets.Float(0.5).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        data = {
            "units": MOST_UNITS,
            "layers": MOST_LAYERS,
            "draws": {str(seed): _draws(seed) for seed in SEEDS},
        }
        super().__init__(data=data, **traits)

    def network(self) -> nn.Sequential:
        """Return the network that is shown, as a torch module in float32.

        Returns:
            Linear layers with the chosen activation between them; from :math:`(N, 1)` to :math:`(N, 1)`.

        Example:
            >>> [type(layer).__name__ for layer in LineFolder(layers=1).network()]
            ['Linear', 'ReLU', 'Linear']
        """
        stack: list[nn.Module] = []
        for weight, bias in self._matrices():
            layer = nn.Linear(weight.shape[1], weight.shape[0])
            with torch.no_grad():
                layer.weight.copy_(weight)
                layer.bias.copy_(bias)
            stack += [layer, nn.ReLU() if self.activation == "ReLU" else nn.Identity()]
        return nn.Sequential(*stack[:-1])

    def _matrices(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        if self.weights == "fold":
            first = (torch.tensor([[1.0], [1.0]]), torch.tensor([0.0, -0.5]))
            middle = (torch.tensor([[2.0, -4.0], [2.0, -4.0]]), torch.tensor([0.0, -0.5]))
            return [first, *[middle] * (self.layers - 1), (torch.tensor([[2.0, -4.0]]), torch.zeros(1))]
        draws, n = self.data["draws"][self.weights], self.units
        he, found = (2 / n) ** 0.5, []
        for layer in range(self.layers):
            bias = self.bias * torch.tensor(draws["bias"][layer][:n])
            if layer == 0:
                found.append((self.gain * torch.tensor(draws["first"][:n])[:, None], bias))
            else:
                middle = torch.tensor(draws["middle"][layer - 1])[:n, :n]
                found.append((self.gain * he * middle, bias))
        last = torch.tensor(draws["last"][:n])[None] / n**0.5
        return [*found, (last, torch.zeros(1))]

    @traitlets.validate("units", "layers", "gain", "bias")
    def _within(self, proposal: dict[str, Any]) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        limits = {"units": (1, MOST_UNITS), "layers": (1, MOST_LAYERS), "gain": (0.5, 2), "bias": (0, 2)}
        low, high = limits[name]
        if not low <= value <= high:
            raise traitlets.TraitError(f"{name} is {value}; wanted a number from {low:g} to {high:g}")
        return value


def _draws(seed: int) -> dict[str, list]:
    """Return standard normal numbers for the largest network; a smaller one takes the first of each."""
    generator = make_generator(seed)
    shapes = {
        "first": (MOST_UNITS,),
        "bias": (MOST_LAYERS, MOST_UNITS),
        "middle": (MOST_LAYERS - 1, MOST_UNITS, MOST_UNITS),
        "last": (MOST_UNITS,),
    }
    return {
        name: _rounded(torch.randn(shape, generator=generator).tolist()) for name, shape in shapes.items()
    }


def _rounded(numbers: list | float) -> list | float:
    return [_rounded(one) for one in numbers] if isinstance(numbers, list) else round(numbers, 3)
