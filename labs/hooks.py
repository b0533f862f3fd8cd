"""Look inside a network while it runs: what each layer receives, puts out, and gets back as gradient.

Every function leaves the model as it found it: training mode, hooks and gradients, also after an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

# torch.nn.modules.activation also holds modules that mix features (softmax, attention); those are no activations here.
_MIXING = (nn.MultiheadAttention, nn.Softmax, nn.LogSoftmax, nn.Softmax2d, nn.Softmin, nn.GLU)


def is_activation(module: nn.Module) -> bool:
    """Return whether ``module`` is an activation function: one of torch's, or one of ``labs.activations``.

    Example:
        >>> is_activation(nn.ReLU()), is_activation(nn.Linear(2, 2)), is_activation(nn.Softmax(dim=1))
        (True, False, False)
    """
    home = type(module).__module__
    return home in ("torch.nn.modules.activation", "labs.activations") and not isinstance(module, _MIXING)


def activation_names(model: nn.Module) -> dict[nn.Module, list[str]]:
    """Return the layers to look at, each with its names in ``model``.

    These are the activation modules. A module that stands in several places (a shared activation) has several names.
    A model without activation modules is looked at after each linear or convolutional layer but the last, and a
    model without those at its output, under the name of its class.
    """
    names: dict[nn.Module, list[str]] = {}
    for name, module in model.named_modules(remove_duplicate=False):
        if is_activation(module):
            names.setdefault(module, []).append(name or type(module).__name__)
    if names:
        return names
    layers = [(name, m) for name, m in model.named_modules() if isinstance(m, nn.Linear | nn.modules.conv._ConvNd)]
    return {m: [name] for name, m in layers[:-1]} or {model: [type(model).__name__]}


@contextmanager
def watching(model: nn.Module, see: Callable[[str, Tensor, Tensor], None]) -> Iterator[None]:
    """Call ``see(name, input, output)`` at every activation while the block runs, with the model in eval mode.

    Mode and hooks are restored at the end of the block, whatever happens inside.
    A shared activation is seen once per place, under the name of that place.
    """
    modes = {module: module.training for module in model.modules()}
    names = activation_names(model)
    calls = dict.fromkeys(names, 0)
    came_in: dict[nn.Module, Tensor] = {}
    seeing = False  # ``see`` may call an activation itself, to take its slope; that call is none of the network's

    def before(module: nn.Module, args: tuple) -> None:
        if seeing:
            return
        # An in-place activation overwrites its input: keep a copy of that one, and spare the others the copy.
        came_in[module] = args[0].clone() if getattr(module, "inplace", False) else args[0]

    def after(module: nn.Module, args: tuple, output: Tensor) -> None:
        nonlocal seeing
        if seeing:
            return
        known = names[module]
        name = known[calls[module] % len(known)]
        calls[module] += 1
        seeing = True
        try:
            see(name, came_in.pop(module), output)
        finally:
            seeing = False

    handles = []
    try:
        for module in names:
            handles += [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
        model.eval()
        yield
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode


def watch_data(model: nn.Module, data, see: Callable[[str, Tensor, Tensor], None], *, batch_size: int = 2000) -> None:
    """Run every example of ``data`` through ``model`` and call ``see(name, input, output)`` at every activation.

    Args:
        model: any module; it runs in eval mode and without gradients.
        data: a data set with ``inputs`` (``ImageData``, ``PointData``), a torch ``Dataset``, a tensor of inputs, or
            an iterable of batches; a batch is a tensor of inputs or a pair ``(inputs, labels)``.
        see: what to do with the values of one layer for one batch.
        batch_size: examples per forward pass, for data that does not come in batches.

    Raises:
        ValueError: no examples at all, or ``batch_size`` below one.
        TypeError: data of another kind.
    """
    device, examples = device_of(model), 0
    with torch.no_grad(), watching(model, see):
        for inputs in _input_batches(data, batch_size):
            examples += len(inputs)
            if len(inputs):
                model(inputs.to(device))
    if examples == 0:
        raise ValueError("got no examples, so there is nothing to observe; give at least one")


def _input_batches(data, batch_size: int) -> Iterator[Tensor]:
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    data = getattr(data, "inputs", data)
    if isinstance(data, Tensor):
        yield from data.split(batch_size)
        return
    if isinstance(data, Dataset):
        data = DataLoader(data, batch_size=batch_size)
    if not isinstance(data, Iterable):
        raise TypeError(f"got data of type {type(data).__name__}; give a data set, a tensor or an iterable of batches")
    for batch in data:
        yield batch[0] if isinstance(batch, tuple | list) else getattr(batch, "inputs", batch)


def layer_outputs(model: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Return what each activation of ``model`` puts out for the inputs ``x``, in the order of the calls.

    Args:
        model: any module; it is run in eval mode and without gradients.
        x: a batch of inputs; it is moved to where the model lives.

    Shape:
        - x: :math:`(N, *)`
        - each output: :math:`(N, *)`, on the device of the model.

    Example:
        >>> model = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1))
        >>> [(name, tuple(a.shape)) for name, a in layer_outputs(model, torch.ones(3, 1)).items()]
        [('1', (3, 2))]
    """
    return {name: after for name, (_, after) in layer_values(model, x).items()}


def layer_values(model: nn.Module, x: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Return, for each activation of ``model``, what goes in (the pre-activations) and what comes out.

    Same rules as :func:`layer_outputs`.
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

    Shape:
        - x: :math:`(N, *)`; y: :math:`(N)`
        - each gradient: the shape of its weight, on the device of the model.

    Example:
        >>> model = nn.Sequential(nn.Linear(2, 3))
        >>> {name: tuple(g.shape) for name, g in layer_gradients(model, torch.ones(4, 2), torch.zeros(4).long()).items()}
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
    return {n: torch.zeros_like(w) if g is None else g for (n, w), g in zip(weights.items(), gradients)}


def device_of(model: nn.Module) -> torch.device:
    """Return the device of the first parameter or buffer, or the CPU for a model that has none."""
    tensors = [*model.parameters(), *model.buffers()]
    return tensors[0].device if tensors else torch.device("cpu")
