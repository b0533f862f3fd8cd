"""Labelled examples that live in memory as tensors and are checked when they are made."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor


class _Examples:
    """What images and points share: as many labels as inputs, and names for the classes."""

    labels: Tensor
    class_names: Sequence[str]

    @property
    def inputs(self) -> Tensor:
        """What goes into a network: the images or the points."""
        return getattr(self, fields(self)[0].name)

    @property
    def device(self) -> torch.device:
        """Where the tensors live."""
        return self.labels.device

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: str | torch.device):
        """Return the same data on ``device``; tensors that are there already are not copied.

        Args:
            device: such as ``"cpu"`` or ``"cuda"``.

        Returns:
            A data set of the same class.

        Example:
            >>> PointData(torch.zeros(1, 2), torch.tensor([0]), ("all",)).to("cpu")
            PointData(1 points of 2, 1 classes, cpu)
        """
        return self._with(self.inputs.to(device), self.labels.to(device))

    def subset(self, indices: slice | Sequence[int] | Tensor):
        """Return the examples chosen by a slice, by indices, or by a mask of booleans.

        Args:
            indices: a slice, whole numbers from 0, or one boolean per example.

        Returns:
            A data set of the same class, with the same class names.

        Shape:
            - indices, if a tensor: :math:`(M)`, or :math:`(N)` for a mask.

        Raises:
            ValueError: no example is chosen, or ``indices`` has more than one dimension.
            IndexError: an index out of range, or a mask of another length.

        Example:
            >>> points = PointData(torch.zeros(4, 2), torch.tensor([0, 1, 1, 1]), ("left", "right"))
            >>> len(points.subset(slice(2))), len(points.subset([0])), len(points.subset(points.labels == 1))
            (2, 1, 3)
        """
        if not isinstance(indices, slice):
            indices = torch.as_tensor(indices, device=self.device)
            if indices.dim() != 1:
                raise ValueError(f"got indices {tuple(indices.shape)}; wanted a slice, a list or a mask")
            indices = indices if indices.numel() else indices.long()  # an empty list comes as float
        return self._with(self.inputs[indices], self.labels[indices])

    def _with(self, inputs: Tensor, labels: Tensor):
        return replace(self, **{fields(self)[0].name: inputs, "labels": labels})

    def __repr__(self) -> str:
        what = f"{len(self)} {fields(self)[0].name} of {'x'.join(str(n) for n in self.inputs.shape[1:])}"
        return f"{type(self).__name__}({what}, {len(self.class_names)} classes, {self.device})"


@dataclass(frozen=True, eq=False, repr=False)
class ImageData(_Examples):
    """Grey images with their classes.

    Args:
        images: the pixels, usually scaled to -1..1.
        labels: the class of each image, from 0.
        class_names: one name per class.

    Shape:
        - images: :math:`(N, 1, 28, 28)`, ``float32``.
        - labels: :math:`(N)`, ``int64``.

    Raises:
        ValueError: no images, another shape or dtype, not one label per image, a label without a class name,
            NaN or infinity.
        TypeError: images or labels are no tensors.

    Example:
        >>> ImageData(torch.zeros(5, 1, 28, 28), torch.tensor([0, 1, 1, 0, 1]), ("shirt", "shoe"))
        ImageData(5 images of 1x28x28, 2 classes, cpu)
    """

    images: Tensor
    labels: Tensor
    class_names: Sequence[str]

    def __post_init__(self) -> None:
        _check(self, (1, 28, 28))


@dataclass(frozen=True, eq=False, repr=False)
class PointData(_Examples):
    """Points of the plane with their classes.

    Args:
        points: the coordinates.
        labels: the class of each point, from 0.
        class_names: one name per class.

    Shape:
        - points: :math:`(N, 2)`, ``float32``.
        - labels: :math:`(N)`, ``int64``.

    Raises:
        ValueError, TypeError: as for :class:`ImageData`.

    Example:
        >>> PointData(torch.zeros(3, 2), torch.tensor([0, 1, 1]), ("left", "right"))
        PointData(3 points of 2, 2 classes, cpu)
    """

    points: Tensor
    labels: Tensor
    class_names: Sequence[str]

    def __post_init__(self) -> None:
        _check(self, (2,))


def _check(data: _Examples, shape: tuple[int, ...]) -> None:
    name, inputs, labels = fields(data)[0].name, data.inputs, data.labels
    for what, value, dtype, cast in (
        (name, inputs, torch.float32, "float"),
        ("labels", labels, torch.int64, "long"),
    ):
        if not isinstance(value, Tensor):
            raise TypeError(f"{what} are a {type(value).__name__}; wanted a tensor: torch.as_tensor({what})")
        if value.dtype != dtype:
            raise ValueError(f"{what} are {value.dtype}; wanted {dtype}: convert them with {what}.{cast}()")
    wanted = ", ".join(str(n) for n in shape)
    if tuple(inputs.shape[1:]) != shape:
        raise ValueError(
            f"{name} have shape {tuple(inputs.shape)}; wanted (N, {wanted}): try {name}.reshape(-1, {wanted})"
        )
    if labels.dim() != 1:
        raise ValueError(f"labels have shape {tuple(labels.shape)}; wanted (N,): one class number each")
    if len(inputs) != len(labels):
        raise ValueError(f"got {len(inputs)} {name} and {len(labels)} labels; wanted as many: cut both alike")
    if len(inputs) == 0:
        raise ValueError(f"got no {name}; wanted at least one: look at the slice or mask that chose them")
    if inputs.device != labels.device:
        raise ValueError(f"{name} are on {inputs.device}, labels on {labels.device}; move them to one device")

    low, high = (float(extreme) for extreme in torch.aminmax(inputs.detach()))  # NaN wins both
    if not (math.isfinite(low) and math.isfinite(high)):
        bad = (~inputs.detach().flatten(1).isfinite().all(dim=1)).nonzero().flatten()
        raise ValueError(
            f"{len(bad)} of {len(inputs)} {name} hold NaN or infinity, the first at index {int(bad[0])}; "
            "wanted finite numbers: find out where they come from, or leave those examples out"
        )

    names = data.class_names
    if isinstance(names, str) or not all(isinstance(one, str) for one in names):
        raise ValueError(f"class_names is {names!r}; wanted a sequence of names such as ('cat', 'dog')")
    object.__setattr__(data, "class_names", tuple(names))
    wrong = ((labels < 0) | (labels >= len(names))).nonzero().flatten()
    if len(wrong):
        first = int(wrong[0])
        raise ValueError(
            f"label {int(labels[first])} at index {first} has no class; wanted 0 to {len(names) - 1} for the "
            f"{len(names)} class names: correct the label or name the class"
        )


def batches(
    data: ImageData | PointData,
    batch_size: int,
    *,
    generator: torch.Generator | None = None,
    shuffle: bool = True,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Give ``(inputs, labels)`` batch by batch until every example was there once.

    The last batch may be smaller than the others.

    Args:
        data: images or points.
        batch_size: examples per batch.
        generator: decides the order; torch's global one by default.
        shuffle: ``False`` keeps the order of the data, and copies nothing.

    Returns:
        An iterator over the batches; their number is that of the examples over ``batch_size``, rounded up.

    Shape:
        - inputs of a batch: :math:`(B, *)`; labels: :math:`(B)`, with :math:`B` at most ``batch_size``.

    Raises:
        ValueError: ``batch_size`` below one.

    Example:
        >>> points = PointData(torch.zeros(10, 2), torch.zeros(10).long(), ("all",))
        >>> [len(labels) for _, labels in batches(points, 4)]
        [4, 4, 2]
    """
    if operator.index(batch_size) < 1:
        raise ValueError(f"batch_size is {batch_size}; wanted at least 1")
    # The work is in a second function, so that the error above comes at the call and not at the first batch.
    return _batches(data, batch_size, generator, shuffle)


def _batches(data, batch_size: int, generator: torch.Generator | None, shuffle: bool):
    if not shuffle:
        yield from zip(data.inputs.split(batch_size), data.labels.split(batch_size), strict=True)
        return
    # The order is drawn where the generator lives: a seed then means the same batches on every device.
    where = generator.device if generator is not None else "cpu"
    order = torch.randperm(len(data), generator=generator, device=where).to(data.labels.device)
    for chosen in order.split(batch_size):  # index_select copies whole examples: half the time of data[chosen]
        yield data.inputs.index_select(0, chosen), data.labels.index_select(0, chosen)
