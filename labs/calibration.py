"""Ask whether a classifier is as often right as it says."""

from __future__ import annotations

import torch
from torch import Tensor


def calibration_error(logits: Tensor, labels: Tensor, *, bins: int = 15) -> float:
    """Return the expected calibration error: how far confidence and accuracy lie apart, on average.

    The confidence of a prediction is its largest softmax probability. The examples are sorted into ``bins``
    intervals of equal width by confidence; of each bin counts the distance between the mean confidence and the
    share that is right, weighted by the examples in it.

    Args:
        logits: what the classifier puts out.
        labels: the right classes, from 0.
        bins: intervals between 0 and 1.

    Returns:
        The error, from 0 to 1; 0 for a classifier that is right as often as it says.

    Shape:
        - logits: :math:`(N, C)`
        - labels: :math:`(N)`

    Raises:
        ValueError: no examples, shapes that do not fit, or fewer than one bin.

    Source: Guo et al. (2017), arXiv:1706.04599.

    Example:
        Nine tenths sure both times, and right once:

        >>> logits = torch.tensor([[0.9, 0.1], [0.9, 0.1]]).log()
        >>> round(calibration_error(logits, torch.tensor([0, 1])), 3)
        0.4
    """
    if logits.dim() != 2 or labels.shape != logits.shape[:1] or len(labels) == 0 or bins < 1:
        raise ValueError(
            f"got logits of shape {tuple(logits.shape)}, labels of shape {tuple(labels.shape)} and bins={bins}; "
            "wanted (N, C), (N) with N of at least 1, and at least one bin"
        )
    confidence, predicted = logits.double().softmax(dim=1).max(dim=1)
    gap = (predicted == labels).double() - confidence  # (N,)
    which = (confidence * bins).ceil().long().clamp(1, bins) - 1
    sums = torch.zeros(bins, dtype=gap.dtype, device=gap.device).index_add_(0, which, gap)
    return float(sums.abs().sum()) / len(labels)
