"""Who shares the learned numbers of an activation: the whole network, one layer, or one channel.

- A network: the same module stands in all places, as in ``SimpleNetwork(..., share_activation=True)``.
- A layer: each layer has a module of its own with ``num_parameters=1``, the default.
- A channel: ``num_parameters=C`` learns one set for each of the ``C`` entries of dimension 1 of the input,
  which are the units after ``nn.Linear`` and the feature maps after ``nn.Conv2d``.

``num_parameters`` means what it means in ``nn.PReLU``: :func:`start` makes the parameter and
:func:`along_channels` puts it beside the input.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def start(value: float | Sequence[float] | Tensor, num_parameters: int = 1) -> Tensor:
    """Return the start values of a learned number, or of a series of them, for a layer or for each channel.

    Args:
        value: where the number starts, or each number of the series.
        num_parameters: 1 for the layer, or the number of channels.

    Returns:
        A new tensor in torch's default dtype.

    Shape:
        - value: a number, or :math:`(k)` numbers of a series.
        - Output: :math:`(C)` for a number, where :math:`C` is ``num_parameters``; for a series :math:`(C, k)`,
          but :math:`(k)` if :math:`C = 1`.

    Raises:
        ValueError: ``num_parameters`` is not a whole number of at least 1.

    Example:
        >>> start(0.25, num_parameters=3)
        tensor([0.2500, 0.2500, 0.2500])
        >>> start([1.0, 2.0]), start([1.0, 2.0], num_parameters=3).shape
        (tensor([1., 2.]), torch.Size([3, 2]))
    """
    if isinstance(num_parameters, bool) or not isinstance(num_parameters, int) or num_parameters < 1:
        raise ValueError(
            f"num_parameters must be a whole number of at least 1, got {num_parameters!r}; 1 is for the layer, "
            "the number of channels for one set each"
        )
    one = torch.as_tensor(value, dtype=torch.get_default_dtype())
    if one.dim() and num_parameters == 1:
        return one.clone()
    return one.repeat(num_parameters, *[1] * one.dim())


def along_channels(
    parameter: Tensor, x: Tensor, *, series: bool = False, dtype: torch.dtype | None = None
) -> Tensor:
    """View ``parameter`` so that it broadcasts along dimension 1 of ``x``, in the dtype of ``x``.

    The cast keeps bfloat16 in bfloat16 when the parameters are float32, as they are under autocast.

    Args:
        parameter: one number for the layer, or one per channel.
        x: what the activation was called with.
        series: there are ``k`` numbers instead of one, such as the coefficients of a sum; they stay the last
            dimension of the result, which then broadcasts with ``x[..., None]``.
        dtype: of the result, if not that of ``x``.

    Returns:
        The parameter as it is, if it is for the layer; otherwise a view with a dimension of length 1 for each
        dimension of ``x`` behind the channels.

    Shape:
        - parameter: :math:`()`, :math:`(1)` or :math:`(C)`; with ``series`` :math:`(k)`, :math:`(1, k)` or
          :math:`(C, k)`.
        - x: :math:`(*)`, any shape, for a layer; :math:`(N, C, *)` for channels.

    Raises:
        ValueError: there are ``C`` sets of numbers, but dimension 1 of ``x`` is missing or has another length.

    Example:
        >>> import torch
        >>> x = torch.ones(2, 3, 4, 4)
        >>> along_channels(torch.ones(3), x).shape
        torch.Size([3, 1, 1])
        >>> along_channels(torch.ones(3, 7), x, series=True).shape
        torch.Size([3, 1, 1, 7])
        >>> along_channels(torch.ones(3), torch.ones(2, 5))
        Traceback (most recent call last):
        ValueError: got an input of shape (2, 5), wanted (N, 3, ...): there are parameters for 3 channels; ...
    """
    dtype = dtype or x.dtype
    numbers = parameter.shape[-1:] if series else parameter.shape[:0]
    channels = parameter.shape[: parameter.dim() - len(numbers)].numel()
    if channels == 1:
        return parameter.reshape(numbers).to(dtype)
    if x.dim() < 2 or x.shape[1] != channels:
        raise ValueError(
            f"got an input of shape {tuple(x.shape)}, wanted (N, {channels}, ...): there are parameters for "
            f"{channels} channels; build the activation with num_parameters=1 or the length of dimension 1"
        )
    return parameter.reshape(channels, *[1] * (x.dim() - 2), *numbers).to(dtype)
