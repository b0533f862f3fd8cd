"""The derivative of any activation, by automatic differentiation."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from labs.activations.classical import HardSigmoid
from labs.activations.gated import inputs_per_output
from labs.activations.make import make_activation
from labs.activations.smooth import gelu_slope, mish_slope

Function = Callable[[Tensor], Tensor]


def derivative(activation: str | nn.Module | Function, x: Tensor, *, order: int = 1) -> Tensor:
    """Return the first or second derivative of ``activation`` at every point of ``x``, by automatic differentiation.

    At a kink the result is torch's choice: ReLU gives 0 at 0.
    A module is evaluated in evaluation mode. Its mode, its parameters' ``.grad`` and ``x`` stay as they were.

    Args:
        activation: a key of ``ACTIVATIONS`` (a fresh module in the dtype of ``x``), a module, or a function
            of one tensor. It must work elementwise: PReLU with a weight per channel does, softmax does not,
            and neither do GLU and Maxout, which have one partial derivative per input.
        x: floating-point tensor, on the device of the module.
        order: 1 for the slope, 2 for the curvature.

    Returns:
        The derivative, detached from any graph.

    Shape:
        - x: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as ``x``.

    Raises:
        TypeError: ``x`` is no floating-point tensor, or ``activation`` cannot be called.
        ValueError: the name is unknown, ``order`` is neither 1 nor 2, or the output has another shape than ``x``.

    Example:
        >>> derivative("ReLU", torch.tensor([-1.0, 2.0]))
        tensor([0., 1.])
        >>> derivative(nn.Tanh(), torch.tensor([[0.0], [20.0]]))
        tensor([[1.],
                [0.]])
        >>> derivative("SquaredReLU", torch.tensor([-1.0, 2.0]), order=2)
        tensor([0., 2.])
    """
    if not isinstance(x, Tensor) or not x.is_floating_point():
        got = f"a tensor of {x.dtype}" if isinstance(x, Tensor) else type(x).__name__
        raise TypeError(f"x must be a floating-point tensor, got {got}; try torch.tensor([-1.0, 2.0])")
    if order not in (1, 2):
        raise ValueError(f"order must be 1 for the slope or 2 for the curvature, got {order!r}")
    function = make_activation(activation).to(x) if isinstance(activation, str) else activation
    if not callable(function):
        raise TypeError(
            "activation must be a name, a module or a function, "
            f"got {type(activation).__name__}: {activation!r}"
        )
    if isinstance(function, nn.Module) and inputs_per_output(function) != 1:
        raise ValueError(
            f"{type(function).__name__} takes {inputs_per_output(function)} numbers for each one it returns, so it "
            "has a partial derivative for each of them instead of one slope; take torch.func.jacrev"
        )

    modules = list(function.modules()) if isinstance(function, nn.Module) else []
    modes = [module.training for module in modules]
    try:
        for module in modules:
            module.training = False
        with torch.inference_mode(False), torch.enable_grad():
            leaf = x.detach().clone().requires_grad_()
            if order == 1:
                return _slope_through_graph(function, leaf).detach()
            by_hand = _slope_that_torch_can_differentiate(function)
            if by_hand is not None:
                return _slope_through_graph(by_hand, leaf).detach()
            return _slope_through_graph(
                lambda z: _slope_through_graph(function, z, again=True), leaf
            ).detach()
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode


def _slope_that_torch_can_differentiate(function: Function) -> Function | None:
    """Return the slope written by hand for those of torch's modules whose second derivative is missing or breaks."""
    if (
        type(function) is nn.Mish
    ):  # torch: 0 * inf where e^x overflows, from 89 in float32 and from 12 in float16
        return mish_slope
    if type(function) is nn.GELU:  # torch: 0 * inf where x^2 overflows, from 256 in float16
        return lambda x: gelu_slope(x, function.approximate)
    if type(function) is nn.Hardsigmoid:  # torch: not implemented
        return lambda x: _slope_through_graph(HardSigmoid(), x, again=True)
    return None


def _slope_through_graph(function: Function, x: Tensor, *, again: bool = False) -> Tensor:
    """Return the slope at ``x``; with ``again`` it stays in the graph, so that it can be differentiated in turn."""
    y = function(x.clone())  # the clone lets modules with inplace=True through
    if y.shape != x.shape:
        raise ValueError(
            "derivative needs an elementwise activation, but an input of shape "
            f"{tuple(x.shape)} gave an output of shape {tuple(y.shape)}"
        )
    if not y.requires_grad:  # nothing in y that autograd could trace back to x, as in `(x > 0).float()`
        return torch.zeros_like(x)
    # autograd.grad hands the slope back; backward() would also add to the parameters' .grad
    (slope,) = torch.autograd.grad(
        y, x, torch.ones_like(y), create_graph=again, allow_unused=True, materialize_grads=True
    )
    return slope
