"""A model held still while its loss is looked at: what may vary, and everything else left alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from labs.data import ImageData, PointData
from labs.evaluation import checked_data, checked_logits, leaving_modes
from labs.observe import device_of


@contextmanager
def measuring(model: nn.Module) -> Iterator[None]:
    """Hold ``model`` in eval mode for a block; its modes and buffers are afterwards what they were.

    Args:
        model: any module.

    Example:
        >>> model = nn.Dropout()
        >>> with measuring(model):
        ...     model.training
        False
        >>> model.training
        True
    """
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    with leaving_modes(model), torch.enable_grad():
        model.eval()
        try:
            yield
        finally:
            for buffer, value in buffers:
                # Written only where needed: a graph that somebody still holds may have saved this buffer.
                if not torch.equal(buffer, value):
                    buffer.data.copy_(value)


def trainable_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters that require a gradient by name; laid end to end they are the vectors of this book.

    Args:
        model: any module.

    Returns:
        Name to parameter, in the order of ``model.named_parameters()``.

    Raises:
        ValueError: no parameter requires a gradient.

    Example:
        >>> {name: tuple(p.shape) for name, p in trainable_parameters(nn.Linear(2, 3)).items()}
        {'weight': (3, 2), 'bias': (3,)}
    """
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not parameters:
        raise ValueError(
            f"no parameter of this {type(model).__name__} requires a gradient, so its loss has no landscape; "
            "wanted at least one: unfreeze some with requires_grad_()"
        )
    return parameters


def matching_examples(model: nn.Module, data: ImageData | PointData) -> tuple[Tensor, Tensor]:
    """Return inputs and labels of ``data`` on the device and in the floating-point type of ``model``.

    Args:
        model: a classifier that returns logits.
        data: a labelled data set.

    Returns:
        The inputs and the labels, ready for the model; two examples were tried.

    Shape:
        - inputs: :math:`(N, *)`; labels: :math:`(N)`.

    Raises:
        TypeError: ``data`` is no data set.
        ValueError: no examples, examples that the model cannot take, or a label without a logit.

    Example:
        >>> from labs.data import make_moons
        >>> matching_examples(nn.Linear(2, 2).double(), make_moons(100))[0].dtype
        torch.float64
    """
    data = checked_data(data, "data")
    device = device_of(model)
    inputs, labels = matching_inputs(model, data.inputs), data.labels.to(device)
    with measuring(model), torch.no_grad():
        checked_logits(model, inputs[:2], int(labels.max()))
    return inputs, labels


def matching_inputs(model: nn.Module, inputs: Tensor) -> Tensor:
    """Return ``inputs`` on the device and in the floating-point type of ``model``.

    Args:
        model: any module.
        inputs: one row per example.

    Returns:
        The inputs, not copied where they fit already; whole numbers keep their type.

    Shape:
        - inputs and output: :math:`(N, *)`.

    Example:
        >>> matching_inputs(nn.Linear(2, 2).double(), torch.zeros(1, 2)).dtype
        torch.float64
    """
    dtype = next((p.dtype for p in model.parameters() if p.is_floating_point()), inputs.dtype)
    return inputs.to(device_of(model), dtype if inputs.is_floating_point() else inputs.dtype)
