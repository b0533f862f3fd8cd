"""The functions, settings and points on which the tests of the activations run; not a test itself."""

import inspect

import torch
from torch import nn

from labs.activations import ACTIVATIONS, make_activation

NAMES = list(ACTIVATIONS)
LEARNABLE = [name for name, info in ACTIVATIONS.items() if info.learnable]
ELEMENTWISE = [name for name, info in ACTIVATIONS.items() if info.inputs_per_output == 1]
GATED = [name for name, info in ACTIVATIONS.items() if info.inputs_per_output > 1]
# Some draw their parameters at random: these have no range or limit that belongs in a table.
DETERMINED = [name for name in ELEMENTWISE if ACTIVATIONS[name].properties.lipschitz is not None]

# A second choice of parameters for every function that has some.
OTHER_SETTINGS = {
    "Hardtanh": {"min_val": -2.0, "max_val": 3.0},
    "LeakyReLU": {"negative_slope": 0.3},
    "PReLU": {"init": 0.6},
    "RReLU": {"lower": 0.1, "upper": 0.5},
    "ELU": {"alpha": 0.7},
    "CELU": {"alpha": 0.7},
    "Softplus": {"beta": 0.7},
    "Swish": {"beta": 2.5},
    "TrainableELU": {"alpha": 0.4},
    "AdaptiveSigmoid": {"k": 1.7, "theta": 0.3},
    "Sine": {"omega": 3.0},
    "Snake": {"a": 0.6},
    "BSpline": {"intervals": 7, "grid": 2.0, "negative_slope": 0.1},
    "Fourier": {"harmonics": 3},
    "STAF": {"tau": 3},
}
CASES = [(name, {}) for name in ELEMENTWISE] + list(OTHER_SETTINGS.items())

FAR = [-1e4, -100.0, -20.3, 20.3, 100.0, 1e4]
# Steps of 0.3 from -6.05 stay away from the kinks, which lie at whole numbers.
OFF_KINKS = torch.tensor([-6.05 + 0.3 * i for i in range(42)] + [-1e-3, 1e-3, *FAR], dtype=torch.float64)
WITH_KINKS = torch.cat([OFF_KINKS, torch.tensor([-6.0, -3.0, -1.0, 0.0, 1.0, 3.0, 6.0], dtype=torch.float64)])
# Pairs of a value and a gate, off the line on which they are equal.
_VALUES = torch.tensor([-100.0, -3.2, -0.4, 0.0, 1.3, 1e4], dtype=torch.float64)
_GATES = torch.tensor([-1e4, -20.3, -4.1, -0.7, 1e-3, 0.6, 2.9, 100.0], dtype=torch.float64)
PAIRS = torch.cartesian_prod(_VALUES, _GATES)  # (48, 2)


def double_module(name: str, **settings) -> nn.Module:
    """Return the module in float64 and evaluation mode; what is drawn at random is always the same."""
    torch.manual_seed(7)
    return make_activation(name, **settings).double().eval()


def parameters_of(name: str, module: nn.Module) -> dict:
    """Return the parameters that the slope takes, by the names they have in the module."""
    taken = inspect.signature(ACTIVATIONS[name].slope).parameters
    values = {
        where: getattr(module, where)
        for where in ACTIVATIONS[name].symbols.values()
        if isinstance(where, str)
    }
    if any(p.kind is p.VAR_KEYWORD for p in taken.values()):
        return {key: value for key, value in values.items() if isinstance(value, torch.Tensor)}
    return {key: value for key, value in values.items() if key in taken}
