r"""Activation functions by name: the module, its formula, its slope, and what is known about it.

``ACTIVATIONS`` is the table of the book; each row is an ``ActivationInfo``.
Where torch has a function, the row is named after torch's class and uses it; those that torch lacks
are written here, one module per family.

To add a function, add one ``ActivationInfo`` to the ``ROWS`` of its family.
The tests read the table: they compare its formulas, its slope and its properties with the module.

Example:
    >>> import torch
    >>> module = make_activation("LeakyReLU", negative_slope=0.1)
    >>> module(torch.tensor([-2.0, 3.0]))
    tensor([-0.2000,  3.0000])
    >>> derivative(module, torch.tensor([-2.0, 3.0]))
    tensor([0.1000, 1.0000])
    >>> derivative(module, torch.tensor([-2.0, 3.0]), order=2)
    tensor([0., 0.])
    >>> ACTIVATIONS["Tanh"].derivative_formula
    '1 - \\tanh^2(x)'
"""

from __future__ import annotations

from labs.activations.classical import HardSigmoid, Step
from labs.activations.gated import GEGLU, Maxout, SwiGLU, inputs_per_output
from labs.activations.info import ActivationInfo, Family, Properties
from labs.activations.learnable import AdaptiveSigmoid, TrainableELU
from labs.activations.make import make_activation
from labs.activations.periodic import Fourier, Sine, Snake
from labs.activations.rational import Rational
from labs.activations.rectifier import CELU, RReLU, SquaredReLU
from labs.activations.slope import derivative
from labs.activations.smooth import Mish, SwiGELU, Swish, TeLU
from labs.activations.spline import BSpline
from labs.activations.staf import STAF
from labs.activations.summary import property_table
from labs.activations.table import ACTIVATIONS

__all__ = [
    "ACTIVATIONS",
    "CELU",
    "GEGLU",
    "STAF",
    "ActivationInfo",
    "AdaptiveSigmoid",
    "BSpline",
    "Family",
    "Fourier",
    "HardSigmoid",
    "Maxout",
    "Mish",
    "Properties",
    "RReLU",
    "Rational",
    "Sine",
    "Snake",
    "SquaredReLU",
    "Step",
    "SwiGELU",
    "SwiGLU",
    "Swish",
    "TeLU",
    "TrainableELU",
    "derivative",
    "inputs_per_output",
    "make_activation",
    "property_table",
]
