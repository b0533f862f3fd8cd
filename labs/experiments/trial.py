"""Train a classifier once and say how it came out: what the experiments of several chapters do with their networks."""

from __future__ import annotations

from torch import nn

from labs.data import ImageData
from labs.training import evaluate, fit


def trial(
    model: nn.Module, train: ImageData, *others: ImageData, **settings
) -> tuple[float | None, list[dict[str, float | None]]]:
    """Train ``model`` in place with :func:`labs.training.fit` and measure it on other data.

    A run whose loss is no longer finite is a result, not an error: its numbers are None.

    Args:
        model: the network to train, changed in place.
        train: what to learn from.
        others: the sets of examples to measure on, afterwards.
        settings: passed on to :func:`labs.training.fit`.

    Returns:
        The training loss [nats], a running mean over the last epoch, and for each of ``others`` a dictionary with
        ``accuracy`` (0..1) and ``loss`` [nats].

    Example:
        >>> from labs.data import load_digits
        >>> from labs.networks import SimpleNetwork
        >>> digits = load_digits("train", limit=100)
        >>> trial(SimpleNetwork("ReLU"), digits, digits, lr=1e9, epochs=3, seed=0)
        (None, [{'accuracy': None, 'loss': None}])
    """
    try:
        history = fit(model, train, progress=False, **settings)
    except FloatingPointError:
        return None, [{"accuracy": None, "loss": None} for _ in others]
    measured = [evaluate(model, other) for other in others]
    return history.train_loss[-1], [{"accuracy": m.accuracy, "loss": m.loss} for m in measured]
