"""The derivative of any activation, by automatic differentiation."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from labs.activations.make import make_activation


def derivative(activation: str | nn.Module | Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return the derivative of ``activation`` at every point of ``x``, by automatic differentiation.

    At a kink the result is torch's choice: ReLU gives 0 at 0.
    A module is evaluated in evaluation mode. Its mode, its parameters' ``.grad`` and ``x`` stay as they were.

    Args:
        activation: a key of ``ACTIVATIONS`` (a fresh module in the dtype of ``x``), a module, or a function
            of one tensor. It must work elementwise: PReLU with a weight per channel does, softmax does not.
        x: floating-point tensor, on the device of the module.

    Returns:
        The derivative, detached from any graph.

    Shape:
        - x: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as ``x``.

    Raises:
        TypeError: ``x`` is no floating-point tensor, or ``activation`` cannot be called.
        ValueError: the name is unknown, or the output has another shape than ``x``.

    Example:
        >>> derivative("ReLU", torch.tensor([-1.0, 2.0]))
        tensor([0., 1.])
        >>> derivative(nn.Tanh(), torch.tensor([[0.0], [20.0]]))
        tensor([[1.],
                [0.]])
    """
    if not isinstance(x, Tensor) or not x.is_floating_point():
        got = f"a tensor of {x.dtype}" if isinstance(x, Tensor) else type(x).__name__
        raise TypeError(f"x must be a floating-point tensor, got {got}; try torch.tensor([-1.0, 2.0])")
    function = make_activation(activation).to(x) if isinstance(activation, str) else activation
    if not callable(function):
        raise TypeError(
            "activation must be a name, a module or a function, "
            f"got {type(activation).__name__}: {activation!r}"
        )

    modules = list(function.modules()) if isinstance(function, nn.Module) else []
    modes = [module.training for module in modules]
    try:
        for module in modules:
            module.training = False
        with torch.inference_mode(False), torch.enable_grad():
            leaf = x.detach().clone().requires_grad_()
            y = function(leaf.clone())  # the clone lets modules with inplace=True through
            return _slope_through_graph(y, leaf)
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode


def _slope_through_graph(y: Tensor, x: Tensor) -> Tensor:
    if y.shape != x.shape:
        raise ValueError(
            "derivative needs an elementwise activation, but an input of shape "
            f"{tuple(x.shape)} gave an output of shape {tuple(y.shape)}"
        )
    if not y.requires_grad:  # nothing in y that autograd could trace back to x, as in `(x > 0).float()`
        return torch.zeros_like(x).detach()
    # autograd.grad hands the slope back; backward() would also add to the parameters' .grad
    (slope,) = torch.autograd.grad(
        y, x, grad_outputs=torch.ones_like(y), allow_unused=True, materialize_grads=True
    )
    return slope
