"""What a run of the playground depends on, as one value: the data, the network, its start and the way it learns."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

from labs.activations import ACTIVATIONS
from labs.playground.link import fields_of, text_of
from labs.playground.own import unpack_points

#: The words that a field may have.
CHOICES = {
    "data": ("circles", "xor", "gaussians", "spirals", "moons", "sine", "own"),
    "task": ("classify", "regress"),
    "init": ("torch", "xavier", "he", "selu", "zero"),
    "bias": ("random", "zero"),
    "method": ("sgd", "momentum", "adam"),
    "schedule": ("constant", "step", "cosine", "warmup"),
}
#: The smallest and the largest number that a field may have; where both are whole, the number is too.
LIMITS = {
    "points": (10, 1000),
    "noise": (0.0, 1.0),
    "classes": (2, 5),
    "test": (0.0, 0.9),
    "seed": (0, 2**32 - 1),
    "start": (0, 2**32 - 1),
    "momentum": (0.0, 0.99),
    "rate": (1e-6, 100.0),
    "span": (1, 100_000),
    "batch": (1, 1000),
    "l2": (0.0, 1.0),
    "dropout": (0.0, 0.9),
}
#: What can be changed while a run goes on.
CHANGEABLE = ("rate", "l2", "dropout")
MOST_LAYERS, MOST_UNITS = 6, 16
LINEAR = "none"
LAST_STEP = 100_000


class Layer(NamedTuple):
    """A hidden layer.

    Attributes:
        units: how many, from 1 to 16.
        activation: a name from :data:`labs.activations.ACTIVATIONS` of a function that works elementwise, or
            ``"none"`` for a linear layer.
    """

    units: int
    activation: str


class Change(NamedTuple):
    """A setting that changes while a run goes on.

    Attributes:
        step: after so many steps.
        name: ``"rate"``, ``"l2"`` or ``"dropout"``.
        value: what it is from then on.
    """

    step: int
    name: str
    value: float


@dataclass(frozen=True)
class Setup:
    """The settings of a run; what is not given is as the playground starts.

    Args:
        data: ``"circles"``, ``"xor"``, ``"gaussians"``, ``"spirals"``, ``"moons"``, ``"sine"`` or ``"own"``.
        points: how many points, from 10 to 1000.
        noise: standard deviation of what is added to the coordinates, from 0 to 1.
        classes: from 2 to 5; only gaussians, spirals and own points have more than 2.
        test: share of the points that is kept for testing, from 0 to 0.9.
        task: ``"classify"`` or ``"regress"``: a choice for own points; the sine is a regression, the rest has classes.
        seed: of the data and of the split.
        start: seed of weights, biases, batches and masks.
        layers: up to 6 hidden layers, each with its units (1 to 16) and the name of its activation.
        init: law of the weights: ``"torch"``, ``"xavier"``, ``"he"``, ``"selu"`` or ``"zero"``.
        bias: ``"random"`` as torch has it, or ``"zero"``.
        method: ``"sgd"``, ``"momentum"`` or ``"adam"``.
        momentum: from 0 to 0.99; only the method of that name uses it.
        rate: the learning rate, from 0.000001 to 100.
        schedule: ``"constant"``, ``"step"``, ``"cosine"`` or ``"warmup"``.
        span: how many steps the schedule takes, from 1 to 100,000.
        batch: examples per step, from 1 to 1000.
        l2: torch's ``weight_decay``, from 0 to 1.
        dropout: share of the hidden units that is left out, from 0 to 0.9.
        own: the reader's own points as text, made by :func:`pack_points`.
        changes: what changes while the run goes on, in the order of the steps.

    Raises:
        ValueError: a value out of range, or an unknown name.
        TypeError: a value of another type.

    Example:
        >>> setup = Setup(data="moons", layers=[(8, "ReLU"), (8, "Tanh")], method="adam", rate=0.03)
        >>> setup.layers[1].activation
        'Tanh'
        >>> Setup(rate=0)
        Traceback (most recent call last):
        ValueError: rate is 0; wanted a number from 1e-06 to 100
    """

    data: str = "circles"
    points: int = 200
    noise: float = 0.1
    classes: int = 2
    test: float = 0.3
    task: str | None = None
    seed: int = 0
    start: int = 0
    layers: Sequence[Layer | tuple[int, str]] = (Layer(8, "ReLU"), Layer(8, "ReLU"))
    init: str = "torch"
    bias: str = "random"
    method: str = "sgd"
    momentum: float = 0.9
    rate: float = 0.1
    schedule: str = "constant"
    span: int = 1000
    batch: int = 32
    l2: float = 0.0
    dropout: float = 0.0
    own: str = ""
    changes: Sequence[Change | tuple[int, str, float]] = ()

    def __post_init__(self) -> None:
        natural = "regress" if self.data == "sine" else "classify"
        object.__setattr__(self, "task", natural if self.task is None else self.task)
        for name, words in CHOICES.items():
            if getattr(self, name) not in words:
                raise ValueError(f"{name} is {getattr(self, name)!r}; choose one of: {', '.join(words)}")
        if self.data != "own" and self.task != natural:
            raise ValueError(f"the data {self.data!r} can only {natural}, got task={self.task!r}")
        for name in LIMITS:
            _check_number(name, getattr(self, name), LIMITS[name])
        object.__setattr__(self, "layers", tuple(Layer(*layer) for layer in self.layers))
        object.__setattr__(self, "changes", tuple(Change(*change) for change in self.changes))
        if len(self.layers) > MOST_LAYERS:
            raise ValueError(f"got {len(self.layers)} hidden layers; wanted at most {MOST_LAYERS}")
        for layer in self.layers:
            _check_number("units", layer.units, (1, MOST_UNITS))
            if layer.activation not in activation_names():
                known = ", ".join(activation_names())
                raise ValueError(f"unknown activation {layer.activation!r}; choose one of: {known}")
        last = 0
        for change in self.changes:
            if change.name not in CHANGEABLE:
                raise ValueError(f"{change.name!r} cannot change in a run; only {', '.join(CHANGEABLE)} can")
            _check_number("the step of a change", change.step, (last, LAST_STEP))
            _check_number(change.name, change.value, LIMITS[change.name])
            last = change.step
        unpack_points(self.own)

    @classmethod
    def read(cls, text: str) -> Setup:
        """Return the setup of a text, such as the link of a playground has it.

        Args:
            text: what stands behind ``playground=`` in the link, without the step.

        Returns:
            The setup.

        Raises:
            ValueError, TypeError: the text is no setup; the message names what is wrong.

        Example:
            >>> Setup.read("data.xor~layers.4Tanh").layers
            (Layer(units=4, activation='Tanh'),)
        """
        return cls(**fields_of(text, [field.name for field in fields(cls)]))

    def text(self) -> str:
        """Return the setup as the text of a link; what is as the playground starts is left out.

        Returns:
            Letters, digits, ``.``, ``_``, ``~``, ``*`` and ``-``.

        Example:
            >>> Setup(rate=0.03, layers=[]).text()
            'layers.0~rate.0.03'
        """
        usual = {field.name: field.default for field in fields(self)}
        usual["task"] = "regress" if self.data == "sine" else "classify"
        return text_of({name: getattr(self, name) for name in usual}, usual)

    @property
    def regression(self) -> bool:
        """Whether the network learns a number instead of a class."""
        return self.task == "regress"

    @property
    def out_features(self) -> int:
        """How many numbers the network puts out, one per class."""
        if self.regression:
            return 1
        if self.data == "own":
            return max([self.classes, *(unpack_points(self.own)[1] + 1).tolist()])
        return self.classes if self.data in ("gaussians", "spirals") else 2

    def factor(self, step: int) -> float:
        """Return by what the schedule multiplies the learning rate.

        Args:
            step: the step, from 0.

        Returns:
            The factor, from 0 to 1.

        Example:
            >>> Setup(schedule="step", span=10).factor(25)
            0.010000000000000002
        """
        if self.schedule == "step":
            return 0.1 ** (step // self.span)
        if self.schedule == "cosine":
            return (1 + math.cos(math.pi * min(step, self.span) / self.span)) / 2
        if self.schedule == "warmup":
            return min(1.0, (step + 1) / self.span)
        return 1.0


def activation_names() -> tuple[str, ...]:
    """Return the activations that a layer can have: those of ``labs`` that work elementwise, and ``"none"``.

    Returns:
        The names, in the order of the book.

    Example:
        >>> len(activation_names()), "SwiGLU" in activation_names()
        (33, False)
    """
    return (*(name for name, info in ACTIVATIONS.items() if info.inputs_per_output == 1), LINEAR)


def _check_number(name: str, value: float, limits: tuple[float, float]) -> None:
    low, high = limits
    whole = isinstance(low, int)
    if isinstance(value, bool) or not isinstance(value, numbers.Integral if whole else numbers.Real):
        raise TypeError(f"{name} is {value!r}; wanted a {'whole ' * whole}number")
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}; wanted a {'whole ' * whole}number from {low:g} to {high:.10g}")
