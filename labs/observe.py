"""Watch the activations of a network while data run through it.

The model is afterwards as it was: mode and hooks, also when something raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from labs.activations import inputs_per_output

# torch.nn.modules.activation also holds modules that mix features (softmax, attention); those are no activations here.
_MIXING = (nn.MultiheadAttention, nn.Softmax, nn.LogSoftmax, nn.Softmax2d, nn.Softmin)


def is_activation(module: nn.Module) -> bool:
    """Return whether ``module`` is an activation function: one of torch's, or one of ``labs.activations``.

    Maxout and the gated functions are among them, although they return fewer numbers than they take.

    Args:
        module: any module; what it contains does not count.

    Returns:
        True for an activation function. Softmax and attention, which mix the features, are none.

    Example:
        >>> is_activation(nn.ReLU()), is_activation(nn.GLU()), is_activation(nn.Softmax(dim=1))
        (True, True, False)
    """
    home = type(module).__module__
    known = home == "torch.nn.modules.activation" or home.startswith("labs.activations.")
    return known and not isinstance(module, _MIXING)


def is_elementwise(module: nn.Module) -> bool:
    """Return whether ``module`` is an activation function that works on each number alone, so that it has a slope.

    Args:
        module: any module; what it contains does not count.

    Returns:
        True for an activation function of one number, such as ReLU; False for GLU, Maxout and everything else.

    Example:
        >>> is_elementwise(nn.ReLU()), is_elementwise(nn.GLU())
        (True, False)
    """
    return is_activation(module) and inputs_per_output(module) == 1


def activation_names(model: nn.Module) -> dict[nn.Module, list[str]]:
    """Return the layers to look at, each with its names in ``model``.

    These are the activation modules. A module that stands in several places (a shared activation) has several names.
    A model without activation modules is looked at after each linear or convolutional layer but the last, and a
    model without those at its output, under the name of its class.

    Args:
        model: any module.

    Returns:
        The layers in the order of their names in ``model``, each with its names.

    Example:
        >>> act = nn.ReLU()
        >>> activation_names(nn.Sequential(nn.Linear(2, 2), act, nn.Linear(2, 2), act))
        {ReLU(): ['1', '3']}
    """
    names: dict[nn.Module, list[str]] = {}
    for name, module in model.named_modules(remove_duplicate=False):
        if is_activation(module):
            names.setdefault(module, []).append(name or type(module).__name__)
    if names:
        return names
    layers = [
        (name, m) for name, m in model.named_modules() if isinstance(m, nn.Linear | nn.modules.conv._ConvNd)
    ]
    return {m: [name] for name, m in layers[:-1]} or {model: [type(model).__name__]}


@contextmanager
def watching(model: nn.Module, see: Callable[[str, Tensor, Tensor], None]) -> Iterator[None]:
    """Call ``see(name, input, output)`` at every activation while the block runs, with the model in eval mode.

    Mode and hooks are restored at the end of the block, whatever happens inside.
    A shared activation is seen once per place, under the name of that place.

    Args:
        model: any module.
        see: what to do with the name of a layer, what goes into it and what comes out.

    Shape:
        - input and output, as ``see`` gets them: :math:`(N, *)`; behind GLU the output is half as wide.

    Example:
        >>> model, widths = nn.Sequential(nn.Linear(2, 6), nn.GLU()), {}
        >>> with watching(model, lambda name, x, y: widths.update({name: (x.shape[1], y.shape[1])})):
        ...     _ = model(torch.ones(5, 2))
        >>> widths
        {'1': (6, 3)}
    """
    modes = {module: module.training for module in model.modules()}
    names = activation_names(model)
    calls = dict.fromkeys(names, 0)
    came_in: dict[nn.Module, Tensor] = {}
    seeing = (
        False  # ``see`` may call an activation itself, to take its slope; that call is none of the network's
    )

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


def watch_data(
    model: nn.Module, data, see: Callable[[str, Tensor, Tensor], None], *, batch_size: int = 2000
) -> None:
    """Run every example of ``data`` through ``model`` and call ``see(name, input, output)`` at every activation.

    Args:
        model: any module; it runs in eval mode and without gradients.
        data: a data set with ``inputs`` (``ImageData``, ``PointData``), a torch ``Dataset``, a tensor of inputs, or
            an iterable of batches; a batch is a tensor of inputs or a pair ``(inputs, labels)``.
        see: what to do with the values of one layer for one batch.
        batch_size: examples per forward pass, for data that does not come in batches.

    Shape:
        - input and output, as ``see`` gets them: :math:`(N, *)`; behind GLU the output is half as wide.

    Raises:
        ValueError: no examples at all, or ``batch_size`` below one.
        TypeError: data of another kind.

    Example:
        >>> counts = []
        >>> watch_data(nn.ReLU(), torch.ones(5, 3), lambda name, x, y: counts.append(len(y)), batch_size=2)
        >>> counts
        [2, 2, 1]
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
        raise TypeError(
            f"got data of type {type(data).__name__}; give a data set, a tensor or an iterable of batches"
        )
    for batch in data:
        yield batch[0] if isinstance(batch, tuple | list) else getattr(batch, "inputs", batch)


def device_of(model: nn.Module) -> torch.device:
    """Return the device of the first parameter or buffer, or the CPU for a model that has none.

    Args:
        model: any module.

    Returns:
        The device.

    Example:
        >>> device_of(nn.Linear(2, 2))
        device(type='cpu')
    """
    tensors = [*model.parameters(), *model.buffers()]
    return tensors[0].device if tensors else torch.device("cpu")
