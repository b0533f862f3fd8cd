"""The template viewer: a linear image classifier taken apart, pixel by pixel, with an image one can paint on."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import torch
import traitlets
from torch import Tensor, nn

from labs.data import ImageData
from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent
SIDE = 28


class TemplateViewer(StaticPage, anywidget.AnyWidget):
    """See where the ten scores of a linear classifier come from, and change the image while you watch.

    The reader chooses an image and a class, or the difference of two classes, and sees the template and what every
    pixel contributes to the score. Pixels are counted from 0, the darkest value of the images, to 1, so that the
    dark background contributes nothing: what it adds stands in the bias. All sums are done in the browser.

    Make one with :meth:`from_layer`.

    Args:
        data: what travels with the page, see :meth:`from_layer`.
        traits: where the reader starts.

    Attributes:
        data: weights, biases, images and names.
        image: which image is shown, from 1.
        plus: the class whose template is shown, from 0.
        minus: the class that is subtracted, from 0; -1 subtracts nothing.

    Raises:
        traitlets.TraitError: an attribute is given a value that is not to choose from.

    Example:
        >>> images = ImageData(torch.rand(3, 1, 28, 28), torch.tensor([0, 1, 1]), ("shirt", "shoe"))
        >>> TemplateViewer.from_layer(nn.Linear(784, 2), images, plus=1)
        TemplateViewer()
    """

    _esm = (HERE / "template_viewer.js").read_text(encoding="utf-8")
    _css = (HERE / "template_viewer.css").read_text(encoding="utf-8")
    address = "template"
    address_traits = ("image", "plus", "minus")

    data = traitlets.Dict().tag(sync=True)
    image = traitlets.Int(1).tag(sync=True)
    plus = traitlets.Int(0).tag(sync=True)
    minus = traitlets.Int(-1).tag(sync=True)

    def __init__(self, data: dict[str, Any], **traits: Any) -> None:
        super().__init__(data=data, **traits)

    @classmethod
    def from_layer(
        cls, layer: nn.Linear, images: ImageData, *, hits: Sequence[float] | None = None, **traits: Any
    ) -> TemplateViewer:
        """Return the viewer of a trained layer.

        Args:
            layer: from the 784 pixels of an image to one logit per class, with a bias.
            images: what to choose from; some twenty make a page no heavier than 90 kB.
            hits: the accuracy of each class on some set of images, 0..1, shown beside its name; None shows none.
            traits: where the reader starts, for example ``image=3, plus=9``.

        Returns:
            The widget.

        Raises:
            ValueError: a layer of another size or without bias, images that are all one grey, or not one
                of ``hits`` per class.

        Example:
            >>> images = ImageData(torch.rand(3, 1, 28, 28), torch.tensor([0, 1, 1]), ("shirt", "shoe"))
            >>> viewer = TemplateViewer.from_layer(nn.Linear(784, 2), images)
            >>> viewer.data["names"], viewer.data["labels"]
            (['shirt', 'shoe'], [0, 1, 1])
        """
        classes = len(images.class_names)
        if layer.weight.shape != (classes, SIDE * SIDE) or layer.bias is None:
            raise ValueError(
                f"the layer is {layer}; wanted one from 784 pixels to {classes} classes, with a bias"
            )
        if hits is not None and len(hits) != classes:
            raise ValueError(f"{len(hits)} hits for {classes} classes; wanted one per class, or None")
        low, high = images.images.min().item(), images.images.max().item()
        if low == high:
            raise ValueError(f"all pixels are {low:g}; wanted images with light and dark")
        grey = ((images.images - low) / (high - low) * 255).round().to(torch.uint8)
        data = {
            "side": SIDE,
            "names": list(images.class_names),
            "labels": images.labels.tolist(),
            "low": low,
            "high": high,
            "weight": _text(layer.weight),
            "bias": _text(layer.bias),
            "images": _text(grey),
            "hits": None if hits is None else [round(float(hit), 4) for hit in hits],
        }
        return cls(data, **traits)

    @traitlets.validate("image", "plus", "minus")
    def _known(self, proposal: dict[str, Any]) -> int:
        name, value = proposal["trait"].name, proposal["value"]
        last = len(self.data["names"]) - 1
        limits = {"image": (1, len(self.data["labels"])), "plus": (0, last), "minus": (-1, last)}
        low, high = limits[name]
        if not low <= value <= high:
            raise traitlets.TraitError(f"{name} is {value}; wanted a whole number from {low} to {high}")
        return value


def _text(values: Tensor) -> str:
    """Return the bytes of the numbers as base64: float32 or uint8, little-endian, row by row."""
    numbers = values.detach().cpu().contiguous().numpy()
    return base64.b64encode(numbers.astype(numbers.dtype.newbyteorder("<")).tobytes()).decode()
