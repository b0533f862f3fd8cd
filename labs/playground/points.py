"""The points of a run: six shapes with noise, or the reader's own; and which of them are for testing."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from labs.playground.own import unpack_points
from labs.playground.setup import Setup
from labs.playground.streams import Stream, bell_shaped

_TURNS = 0.75  # how often an arm of a spiral goes round


def make_points(setup: Setup) -> tuple[Tensor, Tensor]:
    """Return what goes into the network and what should come out, for all points in the order in which they are drawn.

    Args:
        setup: the settings.

    Returns:
        Inputs and targets: both coordinates with the class, or for a regression the first coordinate with the second.

    Shape:
        - inputs: :math:`(N, 2)`, ``float64``; targets: :math:`(N)`, ``int64``. For a regression both are
          :math:`(N, 1)`, ``float64``.

    Raises:
        ValueError: there are no points.

    Example:
        >>> inputs, targets = make_points(Setup(data="moons", noise=0))
        >>> inputs[:2], targets[:2]
        (tensor([[ 0.3333, -0.1667],
                 [-0.3333,  0.1667]], dtype=torch.float64), tensor([0, 1]))
    """
    points, labels = unpack_points(setup.own) if setup.data == "own" else _shaped(setup)
    if not len(points):
        raise ValueError("there are no own points; labs.playground.pack_points makes the text of some")
    if setup.regression:
        return points[:, :1], points[:, 1:]
    return points, labels


def split(setup: Setup, count: int) -> tuple[Tensor, Tensor]:
    """Return which points are for training and which for testing.

    Args:
        setup: the settings; ``test`` is the share for testing.
        count: how many points there are.

    Returns:
        The places of both parts among the points, in random order; at least one is for training.

    Shape:
        - both: :math:`(M)`, ``int64``.

    Example:
        >>> train, test = split(Setup(test=0.25), 10)
        >>> len(train), len(test)
        (7, 3)
    """
    order = Stream(setup.seed, "split").permutation(count)
    kept = max(1, count - math.floor(setup.test * count + 0.5))
    return order[:kept], order[kept:]


def _shaped(setup: Setup) -> tuple[Tensor, Tensor]:
    n, classes = setup.points, setup.out_features
    labels = torch.arange(n) % classes
    place = torch.div(torch.arange(n), classes, rounding_mode="floor").double() / max(1, (n - 1) // classes)
    # Point by point a shape takes its even draws, and then a normal one for each coordinate that gets noise. A normal
    # draw is made of two even ones, so every point takes the same number of bits.
    even = {"circles": 1, "xor": 2, "sine": 1}.get(setup.data, 0)
    normal = 1 if setup.data == "sine" else 2
    draws = Stream(setup.seed, "data").uniform(n, even + 2 * normal)
    u, pairs = draws[:, :even], draws[:, even:].unflatten(1, (normal, 2))
    noise = bell_shaped(pairs) * ((0.15 if setup.data == "gaussians" else 0.0) + setup.noise)

    if setup.data == "circles":
        points = torch.tensor([[0.4], [0.9]], dtype=torch.float64)[labels] * _circle(u[:, 0])
    elif setup.data == "xor":
        points = 2 * u - 1
        labels = (points.prod(1) < 0).long()
    elif setup.data == "gaussians":
        points = 0.6 * _circle(labels.double() / classes)
    elif setup.data == "spirals":
        points = place[:, None] * _circle(labels.double() / classes + _TURNS * place)
    elif setup.data == "moons":
        upper = (_circle(place / 2) - torch.tensor([0.5, 0.25])) / 1.5
        points = torch.where(labels[:, None] == 0, upper, -upper)
    else:
        x = 2 * u[:, 0] - 1
        points = torch.stack((x, 0.8 * torch.sin(2 * math.pi * x)), 1)
        noise = torch.cat((torch.zeros_like(noise), noise), 1)
    return points + noise, labels


def _circle(turns: Tensor) -> Tensor:
    angle = 2 * math.pi * turns
    return torch.stack((torch.cos(angle), torch.sin(angle)), -1)
