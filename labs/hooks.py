"""Look inside a network while it runs: what each layer receives, puts out, and gets back as gradient.

Every function leaves the model as it found it: training mode, hooks and gradients, also after an exception.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from labs.observe import device_of, watching


def layer_outputs(model: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Return what each activation of ``model`` puts out for the inputs ``x``, in the order of the calls.

    Args:
        model: any module; it is run in eval mode and without gradients.
        x: a batch of inputs; it is moved to where the model lives.

    Returns:
        The outputs by layer name; see :func:`labs.observe.activation_names` for the layers that are looked at.

    Shape:
        - x: :math:`(N, *)`
        - each output: :math:`(N, *)`, half as wide behind GLU, on the device of the model.

    Example:
        >>> model = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1))
        >>> [(name, tuple(a.shape)) for name, a in layer_outputs(model, torch.ones(3, 1)).items()]
        [('1', (3, 2))]
    """
    return {name: after for name, (_, after) in layer_values(model, x).items()}


def layer_values(model: nn.Module, x: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Return, for each activation of ``model``, what goes in (the pre-activations) and what comes out.

    Same rules as :func:`layer_outputs`.

    Args:
        model: any module; it is run in eval mode and without gradients.
        x: a batch of inputs; it is moved to where the model lives.

    Returns:
        The pairs ``(before, after)`` by layer name, in the order of the calls.

    Shape:
        - x: :math:`(N, *)`
        - before, after: :math:`(N, *)`, on the device of the model.

    Example:
        >>> layer_values(nn.ReLU(), torch.tensor([[-1.0, 2.0]]))
        {'ReLU': (tensor([[-1.,  2.]]), tensor([[0., 2.]]))}
    """
    values: dict[str, tuple[Tensor, Tensor]] = {}

    def see(name: str, before: Tensor, after: Tensor) -> None:
        values[name] = (before, after.clone())  # clone: a later in-place layer would overwrite what came out

    with torch.no_grad(), watching(model, see):
        model(x.to(device_of(model)))
    return values


def layer_gradients(model: nn.Module, x: Tensor, y: Tensor) -> dict[str, Tensor]:
    """Return the gradient of the mean cross-entropy [nats] with respect to each weight matrix, input side first.

    The model runs in the mode it is in. Its ``.grad`` fields and its buffers (the running means of a batch
    normalisation, say) are the same afterwards.

    Args:
        model: a classifier that returns logits.
        x: a batch of inputs.
        y: the labels, ``int64``.

    Returns:
        The gradients [nats per unit of the weight] by parameter name, for every parameter that requires a gradient and
        has two dimensions or more; zeros for one that the loss does not depend on.

    Shape:
        - x: :math:`(N, *)`; y: :math:`(N)`
        - each gradient: the shape of its weight, on the device of the model.

    Example:
        >>> model = nn.Sequential(nn.Linear(2, 3))
        >>> gradients = layer_gradients(model, torch.ones(4, 2), torch.zeros(4).long())
        >>> {name: tuple(g.shape) for name, g in gradients.items()}
        {'0.weight': (3, 2)}
    """
    device = device_of(model)
    weights = {name: p for name, p in model.named_parameters() if p.requires_grad and p.dim() >= 2}
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    try:
        with torch.enable_grad():
            loss = F.cross_entropy(model(x.to(device)), y.to(device))
            gradients = torch.autograd.grad(loss, list(weights.values()), allow_unused=True)
    finally:
        for buffer, value in buffers:
            buffer.copy_(value)
    return {
        n: torch.zeros_like(w) if g is None else g
        for (n, w), g in zip(weights.items(), gradients, strict=False)
    }
