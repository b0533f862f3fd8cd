"""The double-descent explorer: noisy points, random ReLU features, and the error of every width."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent
WIDTHS = (*range(1, 25), 26, 28, 30, 35, 40, 50, 60, 80, 100, 150, 200, 300, 500, 1000)
SEEDS = range(8)
LIMITS = {"points": (6, 24), "noise": (0, 0.6), "ridge": (0, 1), "seed": (0, len(SEEDS) - 1)}
CUT = 1e-10  # directions this much weaker than the strongest are not fitted: they are rounding
_PARTS = 16383  # a bias travels as a whole number of such parts of 1


class DoubleDescentExplorer(StaticPage, anywidget.AnyWidget):
    r"""Fit random ReLU features to noisy points of :math:`\sin(\pi x)`, with few features, as many as points, and more.

    Feature :math:`j` is :math:`\max(0, d_j x + b_j)/\sqrt p`, with :math:`d_j` drawn from plus and minus one and
    :math:`b_j` uniform from -1 to 1; a wider layer contains the narrower ones of the same seed. Its coefficients
    make the training error plus :math:`\lambda \sum_j \theta_j^2` smallest. Without a penalty they are those of
    least norm. The browser computes the fit, and training error and excess risk of all widths.

    Args:
        traits: where the reader starts, for example ``width=1000``.

    Attributes:
        width: how many features; one of 1 to 24 and of some more up to 1000.
        points: how many training points, 6 to 24, at equal distances from -0.92 to 0.92.
        noise: standard deviation of what is added to their heights, 0 to 0.6.
        ridge: the strength :math:`\lambda`, 0 to 1.
        seed: which draw of the features, 0 to 7.
        data: the widths, the noise of the points, and the features of all seeds.

    Raises:
        traitlets.TraitError: an attribute is given a value that is not to choose from.

    Example:
        >>> explorer = DoubleDescentExplorer(width=300)
        >>> x, y = explorer.sample()
        >>> bool(np.allclose(explorer.features(x) @ explorer.coefficients(), y))
        True
    """

    _esm = "\n".join(
        (HERE / name).read_text(encoding="utf-8")
        for name in ("polynomial_fit.js", "random_features.js", "curve_drawing.js", "double_descent.js")
    )
    _css = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.css", "double_descent.css")
    )
    address = "descent"
    address_traits = ("width", "points", "noise", "ridge", "seed")

    data = traitlets.Dict().tag(sync=True)
    width = traitlets.Enum(WIDTHS, 12).tag(sync=True)
    points = traitlets.Int(12).tag(sync=True)
    noise = traitlets.Float(0.2).tag(sync=True)
    ridge = traitlets.Float(0.0).tag(sync=True)
    seed = traitlets.Int(0).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        data = {
            "widths": list(WIDTHS),
            "noise": np.random.default_rng(4).standard_normal(LIMITS["points"][1]).round(6).tolist(),
            "units": [base64.b64encode(_draw(seed)).decode() for seed in SEEDS],
        }
        super().__init__(data=data, **traits)

    def sample(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the training points.

        Returns:
            Their places and their heights.

        Example:
            >>> x, y = DoubleDescentExplorer(points=6, noise=0).sample()
            >>> bool(np.allclose(y, np.sin(np.pi * x)))
            True
        """
        x = np.linspace(-0.92, 0.92, self.points)
        return x, np.sin(np.pi * x) + self.noise * np.array(self.data["noise"][: self.points])

    def features(self, x: np.ndarray) -> np.ndarray:
        """Return the features at the places ``x``.

        Args:
            x: places, of shape :math:`(N)`.

        Returns:
            One row per place, one column per feature.

        Example:
            >>> DoubleDescentExplorer(width=5).features(np.zeros(3)).shape
            (3, 5)
        """
        units = np.frombuffer(base64.b64decode(self.data["units"][self.seed]), "<i2")[: self.width]
        direction, bias = np.where(units & 1, 1, -1), (units >> 1) / _PARTS
        return np.maximum(0, x[:, None] * direction + bias) / np.sqrt(self.width)

    def coefficients(self) -> np.ndarray:
        """Return the coefficients of the fit that is shown.

        Returns:
            One number per feature.

        Example:
            >>> DoubleDescentExplorer(width=5, ridge=0.1).coefficients().shape
            (5,)
        """
        x, y = self.sample()
        u, s, vt = np.linalg.svd(self.features(x), full_matrices=False)
        filtered = np.where(s > CUT * s[0], s, 0) / (s**2 + self.points * self.ridge + np.finfo(float).tiny)
        return vt.T @ (filtered * (u.T @ y))

    @traitlets.validate(*LIMITS)
    def _within(self, proposal: dict[str, Any]) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        low, high = LIMITS[name]
        if not low <= value <= high:
            raise traitlets.TraitError(f"{name} is {value}; wanted a number from {low:g} to {high:g}")
        return value


def _draw(seed: int) -> bytes:
    """Return the units of a seed: the bias in whole parts, doubled, plus one where the unit looks to the right."""
    slope, bias = np.random.default_rng(seed).uniform(-1, 1, (2, WIDTHS[-1]))
    return (2 * np.rint(_PARTS * bias) + (slope > 0)).astype("<i2").tobytes()
