"""Measure what a classifier achieves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from labs.data import ImageData, PointData, batches
from labs.observe import device_of


class Evaluation(NamedTuple):
    """What a model achieves on a data set.

    Attributes:
        loss: mean cross-entropy [nats].
        accuracy: share classified correctly, from 0 to 1.

    Example:
        >>> Evaluation(0.5, 0.25)
        Evaluation(loss=0.5000, accuracy=0.2500)
    """

    loss: float
    accuracy: float

    def __repr__(self) -> str:
        return f"Evaluation(loss={self.loss:.4f}, accuracy={self.accuracy:.4f})"


def evaluate(model: nn.Module, data: ImageData | PointData, *, batch_size: int = 2000) -> Evaluation:
    """Return the mean cross-entropy [nats] and the accuracy (0 to 1) of ``model`` on all of ``data``.

    The model runs in eval mode and without gradients, and is left in the mode it was in.

    Args:
        model: a classifier that returns logits.
        data: what to measure on.
        batch_size: examples per forward pass.

    Returns:
        The pair ``(loss, accuracy)``, over all examples and not over batches.

    Raises:
        TypeError: ``data`` is no data set.
        ValueError: data without examples or that the model cannot take, or a label without a logit.

    Example:
        >>> from labs.data import make_moons
        >>> always_first = nn.Linear(2, 2)
        >>> with torch.no_grad():
        ...     _ = always_first.weight.zero_(), always_first.bias.copy_(torch.tensor([1.0, 0.0]))
        >>> evaluate(always_first, make_moons(100))
        Evaluation(loss=0.8133, accuracy=0.5000)
    """
    data = checked_data(data, "data").to(device_of(model))
    loss, correct, top_label = 0.0, 0, int(data.labels.max())
    with leaving_modes(model), torch.no_grad():
        model.eval()
        for inputs, labels in batches(data, batch_size, shuffle=False):
            logits = checked_logits(model, inputs, top_label)
            loss = loss + F.cross_entropy(logits, labels, reduction="sum")
            correct = correct + (logits.argmax(dim=1) == labels).sum()
    return Evaluation(float(loss) / len(data), float(correct) / len(data))


@contextmanager
def leaving_modes(model: nn.Module) -> Iterator[None]:
    """Let a block switch the parts of ``model`` between training and evaluation, and switch them back.

    Args:
        model: any module.

    Example:
        >>> model = nn.Dropout()
        >>> with leaving_modes(model):
        ...     _ = model.eval()
        >>> model.training
        True
    """
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def checked_logits(model: nn.Module, inputs: Tensor, top_label: int) -> Tensor:
    """Return the logits of ``model``, or say why it cannot classify these inputs up to ``top_label``.

    Args:
        model: a classifier.
        inputs: one batch, on the device of the model.
        top_label: the largest label of the data, from 0.

    Returns:
        What the model returned for ``inputs``.

    Shape:
        - inputs: :math:`(N, *)`
        - Output: :math:`(N, C)` with a :math:`C` above ``top_label``.

    Raises:
        ValueError: inputs that do not fit the first linear layer, an output that is not one row per example, or a
            label without a logit.

    Example:
        >>> checked_logits(nn.Linear(2, 3), torch.ones(5, 2), top_label=2).shape
        torch.Size([5, 3])
    """
    try:
        logits = model(inputs)
    except RuntimeError as error:
        if "shapes cannot be multiplied" not in str(error):
            raise
        first = next((m for m in model.modules() if isinstance(m, nn.Linear)), None)
        wanted = f"; its first linear layer wants {first.in_features} numbers per example" if first else ""
        raise ValueError(
            f"the model cannot take inputs of shape {tuple(inputs.shape)}{wanted}: build it for this data, "
            "or begin it with nn.Flatten()"
        ) from error
    if logits.dim() != 2 or len(logits) != len(inputs):
        shape = tuple(logits.shape)
        raise ValueError(f"the model returned shape {shape}; wanted logits of ({len(inputs)}, classes)")
    if top_label >= logits.shape[1]:  # caught here, since on a GPU the loss would end the whole process
        raise ValueError(
            f"the data has labels up to {top_label}, but the model {logits.shape[1]} outputs; wanted one "
            f"per class: build it with {top_label + 1} or more"
        )
    return logits


def checked_data(data: ImageData | PointData, name: str) -> ImageData | PointData:
    """Return ``data`` if it is a data set with examples, or say under ``name`` what it is instead.

    Args:
        data: what should be a data set, with ``inputs`` and ``labels``.
        name: what the caller knows it as, for the message.

    Raises:
        TypeError: ``data`` is no data set.
        ValueError: it has no examples.

    Example:
        >>> checked_data([1, 2], "train")
        Traceback (most recent call last):
        TypeError: train is a list; wanted ImageData or PointData, see labs.data
    """
    if not (hasattr(data, "inputs") and hasattr(data, "labels")):
        raise TypeError(f"{name} is a {type(data).__name__}; wanted ImageData or PointData, see labs.data")
    if len(data) == 0:
        raise ValueError(f"{name} has no examples; wanted at least one")
    return data
