"""The activation explorer: a function, its slope, its flat ground, and what it makes of a Gaussian input."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from torch import nn

from labs.activations import ACTIVATIONS, make_activation
from labs.widgets.explorer_numbers import SERIES, origin_of, sampled, start_coefficients
from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent
#: Half of the x-axis, as far as the reader can choose it.
SPANS = (3.0, 5.0, 10.0, 30.0)

# What stands in for a second input: the gate, or the second straight piece of Maxout.
_SECOND_INPUT = {"Maxout": ("w", "c"), "GLU": ("b",), "GEGLU": ("b",), "SwiGLU": ("b",)}
_LIMITS = {"mu": (-5.0, 5.0), "sigma": (0.1, 4.0), "threshold": (0.01, 0.5), "x": (-30.0, 30.0)}


class ActivationExplorer(StaticPage, anywidget.AnyWidget):
    """Look at a function of ``ACTIVATIONS``, alone or beside a second one.

    It shows the curve and its slope, shades where the slope is nearly flat, and pushes Gaussian inputs through: the
    density of the output, its mean and standard deviation, and the values it takes exactly, such as the zeros of
    ReLU. GLU and its relatives are shown as functions of the value ``a``, with a slider for the gate ``b``; Maxout
    takes the larger of ``x`` and ``w x + c``. STAF, Rational, BSpline and Fourier are shown with the numbers in
    ``coefficients``. All sums are done in the browser, and need no kernel.

    Args:
        first: a key of ``ACTIVATIONS``.
        second: another one to compare with, or ``"none"``.
        custom: an elementwise module of your own, trained or not; it can be chosen under the name ``"Custom"``. torch
            computes its values and slopes at 1,201 points from -12 to 12, which travel with the page. Beyond them
            the explorer goes on straight.
        traits: further attributes to start with.

    Attributes:
        first, second: what is shown.
        first_settings, second_settings: parameters that differ from the defaults, such as ``"alpha=0.5"`` or
            ``"k=2 theta=-1"``, under the names that ``make_activation`` knows; for the functions of two inputs
            ``"b=1"``, for Maxout ``"w=-1 c=0"``.
        x: where the values are read.
        span: the x-axis goes from ``-span`` to ``span``; one of 3, 5, 10 and 30.
        mu, sigma: mean and standard deviation of the input.
        threshold: a slope below it, in absolute value, counts as nearly flat.
        coefficients: the numbers of STAF, Rational, BSpline and Fourier, by their names in the module; those of
            STAF are drawn with seed 0. :func:`~labs.widgets.explorer_numbers.coefficients_of` takes them from a
            trained module.
        families: what can be chosen from, by family.
        custom: what torch computed of the module of your own.
        origin: where the ``coefficients`` come from, in words.

    Raises:
        traitlets.TraitError: an attribute is given a value that is not to choose from.
        ValueError: ``custom`` is not elementwise.

    Example:
        >>> explorer = ActivationExplorer(first="ELU", second="Tanh", first_settings="alpha=0.5", sigma=2.0)
        >>> explorer.second
        'Tanh'
        >>> explorer.second = "Relu"
        Traceback (most recent call last):
        traitlets.traitlets.TraitError: unknown second 'Relu'; choose 'none' or one of: Step, Sigmoid, ...
    """

    _esm = "\n".join(
        (HERE / name).read_text(encoding="utf-8")
        for name in ("activation_functions.js", "curve_drawing.js", "activation_explorer.js")
    )
    _css = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.css", "activation_explorer.css")
    )
    address = "explorer"
    # fmt: off
    address_traits = (
        "first", "second", "first_settings", "second_settings", "x", "mu", "sigma", "threshold", "span",
    )
    # fmt: on

    first = traitlets.Unicode("Sigmoid").tag(sync=True)
    second = traitlets.Unicode("none").tag(sync=True)
    first_settings = traitlets.Unicode("").tag(sync=True)
    second_settings = traitlets.Unicode("").tag(sync=True)
    x = traitlets.Float(1.0).tag(sync=True)
    span = traitlets.Float(5.0).tag(sync=True)
    mu = traitlets.Float(0.0).tag(sync=True)
    sigma = traitlets.Float(1.0).tag(sync=True)
    threshold = traitlets.Float(0.1).tag(sync=True)
    coefficients = traitlets.Dict().tag(sync=True)
    families = traitlets.Dict().tag(sync=True)
    origin = traitlets.Dict().tag(sync=True)
    custom = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        first: str = "Sigmoid",
        second: str = "none",
        *,
        custom: nn.Module | None = None,
        **traits: Any,
    ) -> None:
        own = traits.pop("coefficients", {})
        super().__init__(
            first=first,
            second=second,
            custom={} if custom is None else sampled(custom),
            families=_families() if custom is None else {"your own": ["Custom"], **_families()},
            coefficients={**start_coefficients(), **own},
            origin={name: origin_of(name, own=name in own) for name in SERIES},
            **traits,
        )
        self.observe(self._forget_settings, ["first", "second"])

    @traitlets.validate("first", "second")
    def _known(self, proposal: dict[str, Any]) -> str:
        trait, name = proposal["trait"].name, proposal["value"]
        if (trait == "second" and name == "none") or (name == "Custom" and self.custom):
            return name
        if name not in ACTIVATIONS:
            also = "'none' or " if trait == "second" else ""
            known = ", ".join(ACTIVATIONS)
            raise traitlets.TraitError(f"unknown {trait} {name!r}; choose {also}one of: {known}")
        return ACTIVATIONS[name].name

    @traitlets.validate("first_settings", "second_settings")
    def _takes(self, proposal: dict[str, Any]) -> str:
        trait = proposal["trait"].name
        problem = _problem(getattr(self, trait.removesuffix("_settings")), proposal["value"])
        if problem:
            raise traitlets.TraitError(f"{trait} is {proposal['value']!r}: {problem}")
        return proposal["value"]

    @traitlets.validate("mu", "sigma", "threshold", "x", "span")
    def _within(self, proposal: dict[str, Any]) -> float:
        trait, value = proposal["trait"].name, proposal["value"]
        if trait == "span":
            if value not in SPANS:
                raise traitlets.TraitError(f"span is {value}; choose one of: 3, 5, 10, 30")
            return value
        low, high = _LIMITS[trait]
        if not low <= value <= high:
            raise traitlets.TraitError(f"{trait} is {value}; wanted a number from {low:g} to {high:g}")
        return value

    def _forget_settings(self, change: dict[str, Any]) -> None:
        """Settings of the function before mean nothing to the new one."""
        trait = f"{change['name']}_settings"
        if _problem(change["new"], getattr(self, trait)):
            setattr(self, trait, "")


def _families() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, info in ACTIVATIONS.items():
        found.setdefault(info.family, []).append(name)
    return found


def _problem(name: str, text: str) -> str:
    """Return what is wrong with ``text`` as settings of the function, and an empty string if nothing is."""
    settings: dict[str, float] = {}
    for word in text.split():
        if not re.fullmatch(r"\w+=-?(\d+\.?\d*|\.\d+)(e-?\d+)?", word):
            return f"cannot read {word!r}; write it like 'alpha=0.5'"
        key, number = word.split("=")
        settings[key] = float(number)
    if name in _SECOND_INPUT:
        known = " and ".join(_SECOND_INPUT[name])
        unknown = [key for key in settings if key not in _SECOND_INPUT[name]]
        return f"{name} takes {known} here, got {', '.join(unknown)}" if unknown else ""
    return _problem_of_module(name, settings) if settings else ""


def _problem_of_module(name: str, settings: Mapping[str, float]) -> str:
    if name in SERIES or name not in ACTIVATIONS:
        return f"{name} takes no settings here"
    try:
        make_activation(name, **settings)
    except (TypeError, ValueError) as error:
        return str(error)
    return ""
