"""Drag the points: a polynomial follows them, and its errors on training and test points follow the hand."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import torch
import traitlets
from torch import Tensor

from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent
HIGHEST_DEGREE = 12
HIGHEST_RIDGE = 100.0
_MOVED = re.compile(r"(\d+_-?\d+_-?\d+(~\d+_-?\d+_-?\d+)*)?")


class PointFit(StaticPage, anywidget.AnyWidget):
    r"""Fit a polynomial to points that the reader drags, and compare its errors on training and test points.

    The fit is :math:`\sum_k \theta_k P_k`, with the Legendre polynomials :math:`P_k` on the interval. It makes the
    mean squared error on the training points plus :math:`\lambda \sum_k \theta_k^2` smallest. Without a ridge, and with
    more coefficients than points, it is the solution with the smallest sum of squares, as in ``numpy.linalg.lstsq``.

    Make one with :meth:`precompute`. The samples and the test points travel with the page and need no kernel.

    Args:
        data: as in the attributes below.
        traits: attributes to start with.

    Attributes:
        data: the interval, the limits of the picture, the samples, the test points and the true curve.
        degree: of the polynomial, from 0 to 12.
        ridge: the strength :math:`\lambda` of the penalty, from 0 to 100.
        sample: which sample, counted from 1.
        moved: the points that were dragged, in thousandths: ``"3_250_-100"`` puts point 3, counted from 0, at
            (0.25, -0.1); several are joined by ``~``.
        truth: whether the true curve is ``"shown"`` or ``"hidden"``.

    Raises:
        traitlets.TraitError: an attribute is out of range.

    Example:
        >>> fit = PointFit.precompute(degree=9, ridge=0.01)
        >>> fit.degree = 13
        Traceback (most recent call last):
        traitlets.traitlets.TraitError: degree is 13; wanted a number from 0 to 12
    """

    _esm = "\n".join(
        (HERE / name).read_text(encoding="utf-8")
        for name in ("polynomial_fit.js", "curve_drawing.js", "point_fit.js")
    )
    _css = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.css", "point_fit.css")
    )
    address = "points"
    address_traits = ("degree", "ridge", "sample", "moved", "truth")

    data = traitlets.Dict().tag(sync=True)
    degree = traitlets.Int(3).tag(sync=True)
    ridge = traitlets.Float(0.0).tag(sync=True)
    sample = traitlets.Int(1).tag(sync=True)
    moved = traitlets.Unicode("").tag(sync=True)
    truth = traitlets.Enum(("shown", "hidden"), "shown").tag(sync=True)

    def __init__(self, data: dict[str, Any], **traits: Any) -> None:
        super().__init__(data=data, **traits)

    @classmethod
    def precompute(
        cls,
        truth: Callable[[Tensor], Tensor] = lambda x: torch.sin(math.pi * x),
        *,
        noise: float = 0.3,
        points: int = 12,
        test_points: int = 40,
        samples: int = 12,
        interval: tuple[float, float] = (-1.0, 1.0),
        **traits: Any,
    ) -> PointFit:
        """Draw samples around a true curve, with Gaussian noise on y, and return the widget.

        The training points of a sample have one x in each of as many equal parts of the interval, uniform in its
        part, so that no sample has a wide gap; the x of the test points are uniform in the whole interval. Sample
        ``k`` is drawn with seed ``k``, the test points with seed 0: a sample is the same wherever it is drawn.

        Args:
            truth: the true curve, a function of a tensor of points.
            noise: standard deviation of the noise.
            points: training points of each sample.
            test_points: points of the one test set.
            samples: how many samples the page carries.
            interval: where x lies.
            traits: where the reader starts, for example ``degree=9, ridge=0.01``.

        Returns:
            The widget.

        Raises:
            ValueError: no points, no samples, or an interval without extent.

        Example:
            >>> fit = PointFit.precompute(torch.cos, noise=0.1, interval=(0, 6), samples=2)
            >>> len(fit.data["samples"])
            2
        """
        low, high = interval
        if min(points, test_points, samples) < 1 or not low < high:
            raise ValueError(
                f"got {points} points, {test_points} test points, {samples} samples on {interval}; "
                "wanted at least one of each, and an interval that rises"
            )

        def drawn(count: int, seed: int) -> list[list[float]]:
            generator = torch.Generator().manual_seed(seed)
            place = torch.rand(count, generator=generator, dtype=torch.float64)
            if seed:
                place = (torch.arange(count) + place) / count
            x = low + (high - low) * place.sort().values
            y = truth(x) + noise * torch.randn(count, generator=generator, dtype=torch.float64)
            return [_rounded(x), _rounded(y)]

        curve = truth(torch.linspace(low, high, 401, dtype=torch.float64))
        room = [curve.min().item() - 4 * noise, curve.max().item() + 4 * noise]
        data = {
            "interval": [low, high],
            "limits": [math.floor(2 * room[0]) / 2, math.ceil(2 * room[1]) / 2],
            "samples": [drawn(points, seed) for seed in range(1, samples + 1)],
            "test": drawn(test_points, 0),
            "truth": [round(y, 4) for y in curve.tolist()],
        }
        return cls(data, **traits)

    def points(self) -> Tensor:
        """Return the training points as they are shown now.

        Returns:
            One point per row.

        Shape:
            - Output: :math:`(N, 2)`.

        Example:
            >>> PointFit.precompute(moved="0_-500_250").points()[0]
            tensor([-0.5000,  0.2500], dtype=torch.float64)
        """
        points = torch.tensor(self.data["samples"][self.sample - 1], dtype=torch.float64).T.clone()
        for word in filter(None, self.moved.split("~")):
            i, x, y = map(int, word.split("_"))
            points[i] = torch.tensor([x / 1000, y / 1000], dtype=torch.float64)
        (x0, x1), (y0, y1) = self.data["interval"], self.data["limits"]
        return torch.stack([points[:, 0].clamp(x0, x1), points[:, 1].clamp(y0, y1)], dim=1)

    @traitlets.validate("degree", "ridge", "sample")
    def _within(self, proposal: dict[str, Any]) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        highest = {
            "degree": HIGHEST_DEGREE,
            "ridge": HIGHEST_RIDGE,
            "sample": len(self.data.get("samples", [])) or value,
        }[name]
        lowest = 1 if name == "sample" else 0
        if not lowest <= value <= highest:
            raise traitlets.TraitError(f"{name} is {value}; wanted a number from {lowest} to {highest:g}")
        return value

    @traitlets.validate("moved")
    def _readable(self, proposal: dict[str, Any]) -> str:
        value = proposal["value"]
        known = range(len(self.data["samples"][0][0])) if self.data else range(10**6)
        words = [word.split("_")[0] for word in value.split("~") if word]
        if not _MOVED.fullmatch(value) or any(int(i) not in known for i in words):
            raise traitlets.TraitError(f"moved is {value!r}; wanted words like 3_250_-100, joined by ~")
        return value


def _rounded(values: Tensor) -> list[float]:
    return [round(value, 3) for value in values.tolist()]
