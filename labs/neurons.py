"""Which units are dead, and what every unit does, measured over a whole data set.

*Dead* means: the activation is exactly zero on every example given, at this moment.
For functions that are never exactly zero the honest question is how much gradient a unit lets through, and that is
what :func:`activity` answers for every elementwise activation.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from labs.activations import derivative
from labs.activity import FLAT_SLOPE, Activity
from labs.observe import activation_names, is_elementwise, watch_data


def dead_neuron_masks(model: nn.Module, data, *, batch_size: int = 2000) -> dict[str, Tensor]:
    """Return, for each activation layer, which units put out exactly zero on every example of ``data``.

    The result is exact: it is the logical AND, over all examples, of "this unit puts out zero". The size of the
    batches does not matter, up to the rounding of the matrix products. For convolutional layers a channel is a unit.

    Args:
        model: any module; see :func:`labs.observe.activation_names` for the layers that are looked at.
        data: a data set with ``inputs`` (``ImageData``, ``PointData``), a tensor of inputs, or an iterable of
            batches; a batch is a tensor of inputs or a pair ``(inputs, labels)``.
        batch_size: examples per forward pass, for data that does not come in batches.

    Returns:
        The masks by layer name, in the order of the layers; True means that the unit never left zero.

    Shape:
        - each mask: :math:`(C)`, bool, on the CPU.

    Raises:
        ValueError: no examples, or NaN among the activations.

    Example:
        The two batches of chapter 16, five units, three examples each. Only the third unit is silent in both.

        >>> first = torch.tensor([[0, 1.5, 0, 1, 1], [0, 0, 0, 0, 1], [0, 1, 0, 1.2, 1]])
        >>> second = torch.tensor([[1.1, 1, 0, 1, 1], [1, 0, 0, 0, 1], [0, 1, 0, 1, 1]])
        >>> dead_neuron_masks(nn.ReLU(), [first, second])
        {'ReLU': tensor([False, False,  True, False, False])}
    """
    masks: dict[str, Tensor] = {}

    def see(name: str, _: Tensor, after: Tensor) -> None:
        # amax of |a| is zero exactly where every a is zero; one pass, and NaN stays NaN instead of becoming "alive".
        largest = _examples_by_units(after).abs().amax(dim=0)
        _refuse_nan(largest, name)
        silent = largest == 0
        masks[name] = masks[name] & silent if name in masks else silent

    watch_data(model, data, see, batch_size=batch_size)
    return {name: mask.cpu() for name, mask in masks.items()}


def dead_fractions(masks: dict[str, Tensor]) -> dict[str, float]:
    """Return the share of dead units of each layer, from 0 to 1.

    Args:
        masks: what :func:`dead_neuron_masks` returned, True for a dead unit.

    Returns:
        The shares by layer name, in the order of the masks.

    Shape:
        - each mask: :math:`(C)`, bool.

    Example:
        >>> dead_fractions({"act1": torch.tensor([True, False, False, False])})
        {'act1': 0.25}
    """
    return {name: mask.float().mean().item() for name, mask in masks.items()}


def activity(model: nn.Module, data, *, batch_size: int = 2000) -> dict[str, Activity]:
    """Return what every unit of every activation layer does over ``data``, as :class:`labs.activity.Activity`.

    Works for every elementwise activation, kinked or smooth, through its slope at each pre-activation.

    Args:
        model, data, batch_size: as for :func:`dead_neuron_masks`.

    Returns:
        One :class:`Activity` per layer, in the order of the layers.

    Raises:
        ValueError: no examples, NaN among the activations, or a model whose activations are not elementwise
            modules, such as a linear network or one with GLU.

    Example:
        >>> x = torch.tensor([[-1.0, 5.0], [-2.0, 6.0], [-3.0, 7.0]])
        >>> report = activity(nn.Tanh(), x)["Tanh"]
        >>> report.positive_share, report.saturated()
        (tensor([0., 1.]), tensor([False,  True]))
    """
    modules = {name: module for module, names in activation_names(model).items() for name in names}
    others = sorted({type(module).__name__ for module in modules.values() if not is_elementwise(module)})
    if others:
        raise ValueError(
            f"slopes exist for elementwise activation modules; {type(model).__name__} would have to be measured at "
            f"{', '.join(others)}, and that is none: use labs.hooks.layer_outputs to see its values"
        )
    sums: dict[str, dict[str, Tensor]] = {}

    def see(name: str, before: Tensor, after: Tensor) -> None:
        slope = _examples_by_units(derivative(modules[name], before))
        z, a = _examples_by_units(before).double(), _examples_by_units(after).double()
        _refuse_nan(a.sum(dim=0), name)
        new = {
            "n": torch.tensor(float(len(z)), dtype=torch.float64, device=z.device),
            "z": z.sum(0), "zz": (z**2).sum(0), "a": a.sum(0), "aa": (a**2).sum(0),
            "zero": (a == 0).sum(0), "positive": (z > 0).sum(0), "flat": (slope.abs() <= FLAT_SLOPE).sum(0),
        }  # fmt: skip
        low, high = z.amin(0), z.amax(0)
        if name not in sums:
            sums[name] = {**new, "low": low, "high": high}
            return
        old = sums[name]
        for key, value in new.items():
            old[key] = old[key] + value
        old["low"], old["high"] = torch.minimum(old["low"], low), torch.maximum(old["high"], high)

    watch_data(model, data, see, batch_size=batch_size)
    return {name: _summarise(s) for name, s in sums.items()}


def _summarise(s: dict[str, Tensor]) -> Activity:
    s = {key: value.cpu() for key, value in s.items()}
    n = s["n"]
    mean, output_mean = s["z"] / n, s["a"] / n
    spread = (s["zz"] / n - mean**2).clamp(min=0).sqrt()
    output_spread = (s["aa"] / n - output_mean**2).clamp(min=0).sqrt()
    shares = (s["zero"] / n, s["positive"] / n, s["flat"] / n)
    numbers = (mean, spread, s["low"], s["high"], output_mean, output_spread, *shares)
    return Activity(*(value.float() for value in numbers))


def _examples_by_units(a: Tensor) -> Tensor:
    """Make ``(N, C, ...)`` into ``(N * ..., C)``: a channel of a convolution counts as one unit."""
    if a.dim() <= 1:
        return a.reshape(-1, 1)
    return a.transpose(1, -1).reshape(-1, a.shape[1])


def _refuse_nan(per_unit: Tensor, name: str) -> None:
    if torch.isnan(per_unit).any():
        raise ValueError(
            f"NaN in the activations of layer {name!r}: check the data and the weights for NaN or overflow"
        )
