"""The data sets of the book: clothes, digits, and points of the plane."""

from __future__ import annotations

import math
import operator
import os

import torch
from torch import Tensor
from torch.nn import functional as F

from labs import fashion_mnist
from labs.examples import ImageData, PointData, batches
from labs.fashion_mnist import data_root
from labs.seeds import make_generator

__all__ = [
    "ImageData", "PointData", "batches", "data_root",
    "load_digits", "load_fashion_mnist", "make_moons", "make_spirals",
]  # fmt: skip

_SPLITS = ("train", "test")


def load_fashion_mnist(
    split: str = "train", *, root: str | os.PathLike | None = None, limit: int | None = None
) -> ImageData:
    """Load Fashion-MNIST into memory, pixels scaled to -1..1.

    The four raw files are looked for in ``root``; without it in ``$LABS_DATA``; without that in the user's
    cache, where they are downloaded once, with a progress bar. Every time their checksums are compared.

    Args:
        split: ``"train"`` (60,000 images) or ``"test"`` (10,000).
        root: a folder that holds ``FashionMNIST/raw``.
        limit: take only the first so many images; the files are in random order.

    Returns:
        The images in the order of the files, ``float32`` on the CPU, with their labels and the ten class names.

    Shape:
        - images: :math:`(N, 1, 28, 28)`; labels: :math:`(N)`.

    Raises:
        ValueError: an unknown split, a limit out of range, or a truncated or altered file.
        FileNotFoundError: ``root`` or ``$LABS_DATA`` is given, but the files are not there.
        ConnectionError: the download failed.
        PermissionError: the cache cannot be written.

    Source:
        Xiao, Rasul, Vollgraf (2017), "Fashion-MNIST: a novel image dataset for benchmarking machine learning
        algorithms", arXiv:1708.07747.
    """
    _check_split(split)
    pixels, labels = fashion_mnist.read_split(split, root)
    count = _checked_limit(limit, len(labels), split)
    images = pixels[:count].float().div_(255).sub_(0.5).div_(0.5).unsqueeze(1)  # (N, 1, 28, 28)
    return ImageData(images, labels[:count].clone(), fashion_mnist.CLASS_NAMES)


def load_digits(split: str = "train", *, limit: int | None = None) -> ImageData:
    """Load the small handwritten digits that come with scikit-learn, in the format of Fashion-MNIST.

    They need no download, which makes them the stand-in for quick tries. The 8x8 images are scaled up to
    28x28 (bilinear) and to -1..1; which of them are for training is fixed.

    Args:
        split: ``"train"`` (1,437 images) or ``"test"`` (360).
        limit: take only the first so many images; they are in random order.

    Returns:
        The images, ``float32`` on the CPU, with their labels and the digits as class names.

    Shape:
        - images: :math:`(N, 1, 28, 28)`; labels: :math:`(N)`.

    Raises:
        ValueError: an unknown split or a limit out of range.

    Source:
        Alpaydin, Kaynak (1998), "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository.

    Example:
        >>> load_digits("test")
        ImageData(360 images of 1x28x28, 10 classes, cpu)
    """
    from sklearn import datasets  # here, for it is slow to import and most chapters do without

    _check_split(split)
    digits = datasets.load_digits()
    order = torch.randperm(len(digits.target), generator=make_generator(0))
    chosen = order[:1437] if split == "train" else order[1437:]
    chosen = chosen[: _checked_limit(limit, len(chosen), split)]
    small = torch.as_tensor(digits.images, dtype=torch.float32)[chosen].unsqueeze(1)  # (N, 1, 8, 8), 0 to 16
    images = F.interpolate(small / 8 - 1, size=(28, 28), mode="bilinear", align_corners=False)
    return ImageData(images, torch.as_tensor(digits.target).long()[chosen], tuple("0123456789"))


def make_spirals(
    examples: int = 300,
    *,
    classes: int = 3,
    turns: float = 0.75,
    noise: float = 0.03,
    seed: int = 0,
    generator: torch.Generator | None = None,
) -> PointData:
    """Make points on interleaved spiral arms, one arm per class; no straight line separates them.

    Args:
        examples: number of points; the classes take turns, so every class gets its share.
        classes: number of arms.
        turns: how often an arm goes round, from the centre to radius 1.
        noise: standard deviation of what is added to both coordinates.
        seed: fixes the noise.
        generator: draws the noise instead, where given.

    Returns:
        The points on the CPU, in an order in which the classes take turns.

    Shape:
        - points: :math:`(N, 2)`, ``float32``; labels: :math:`(N)`, ``int64``.

    Raises:
        ValueError: fewer points than classes, no class, or negative noise.

    Example:
        >>> make_spirals(300, classes=3)
        PointData(300 points of 2, 3 classes, cpu)
    """
    _check_sizes(examples, classes, noise)
    labels, place = _taking_turns(examples, classes)
    angle = 2 * math.pi * (labels / classes + turns * place)
    points = place.unsqueeze(1) * torch.stack([angle.cos(), angle.sin()], dim=1)
    return _noisy(points, labels, noise, seed, generator)


def make_moons(
    examples: int = 200, *, noise: float = 0.1, seed: int = 0, generator: torch.Generator | None = None
) -> PointData:
    """Make two half circles that reach into each other, one per class.

    Args:
        examples: number of points, the classes taking turns.
        noise: standard deviation of what is added to both coordinates.
        seed: fixes the noise.
        generator: draws the noise instead, where given.

    Returns:
        The points on the CPU, in an order in which the classes take turns.

    Shape:
        - points: :math:`(N, 2)`, ``float32``; labels: :math:`(N)`, ``int64``.

    Raises:
        ValueError: fewer than two points, or negative noise.

    Example:
        >>> make_moons(200)
        PointData(200 points of 2, 2 classes, cpu)
    """
    _check_sizes(examples, 2, noise)
    labels, place = _taking_turns(examples, 2)
    angle = math.pi * place
    upper = torch.stack([angle.cos(), angle.sin()], dim=1)
    lower = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], dim=1)
    points = torch.where(labels.unsqueeze(1) == 0, upper, lower)
    return _noisy(points, labels, noise, seed, generator)


def _check_split(split: str) -> None:
    if split not in _SPLITS:
        raise ValueError(f"unknown split {split!r}; choose one of: {', '.join(_SPLITS)}")


def _checked_limit(limit: int | None, available: int, split: str) -> int:
    if limit is None:
        return available
    if isinstance(limit, bool) or not 1 <= operator.index(limit) <= available:
        raise ValueError(f"limit is {limit}; wanted 1 to {available}, or None for all of the {split} split")
    return limit


def _check_sizes(examples: int, classes: int, noise: float) -> None:
    if classes < 1 or examples < classes:
        raise ValueError(f"got {examples} examples of {classes} classes; wanted a point in each class")
    if not (math.isfinite(noise) and noise >= 0):
        raise ValueError(f"noise is {noise}; wanted a standard deviation of 0 or more")


def _taking_turns(examples: int, classes: int) -> tuple[Tensor, Tensor]:
    """Return labels 0, 1, 2, 0, 1, ... and the place of each point on its curve, from 0 to 1."""
    labels = torch.arange(examples) % classes
    step = torch.arange(examples) // classes
    return labels, step / max(1, int(step.max()))


def _noisy(
    points: Tensor, labels: Tensor, noise: float, seed: int, generator: torch.Generator | None
) -> PointData:
    generator = make_generator(seed) if generator is None else generator
    points = points + noise * torch.randn(points.shape, generator=generator)
    names = tuple(f"class {i}" for i in range(int(labels.max()) + 1))
    return PointData(points, labels, names)
