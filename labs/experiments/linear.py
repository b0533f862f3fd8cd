"""Chapter 5: a linear classifier, and deeper networks with and without activation, over a range of learning rates.

The experiment is a function of one seed. ``labs.experiments.runs.linear`` runs it in full, and its docstring is the
protocol.
"""

from __future__ import annotations

from labs.data import ImageData
from labs.experiments.trial import trial
from labs.networks import SimpleNetwork
from labs.seeds import set_seed

#: The networks that are compared: activation and hidden widths. The first is softmax regression.
MODELS: dict[str, tuple[str | None, tuple[int, ...]]] = {
    "one layer": (None, ()),
    "five layers, no activation": (None, (256, 192, 128, 64)),
    "five layers, ReLU": ("ReLU", (256, 192, 128, 64)),
}


def rate_trial(
    train: ImageData, valid: ImageData, test: ImageData, *, name: str, lr: float, epochs: int, seed: int
) -> dict[str, float | None]:
    """Train one of ``MODELS`` from PyTorch's default start, by gradient descent with momentum 0.9.

    Args:
        train: what to learn from.
        valid: held-out images, on which a learning rate may be chosen.
        test: images to report.
        name: a key of ``MODELS``.
        lr: learning rate.
        epochs: passes through the training data, in batches of 128.
        seed: decides weights and batches.

    Returns:
        ``accuracy`` (0..1) and ``loss`` [nats] on ``test``, ``valid_accuracy``, and ``train_loss`` [nats], a running
        mean over the last epoch; all None if the loss was no longer finite.

    Raises:
        KeyError: an unknown name.

    Example:
        >>> from labs.data import load_digits
        >>> digits = load_digits("train", limit=200)
        >>> rate_trial(digits, digits, digits, name="one layer", lr=1e-2, epochs=3, seed=0)["accuracy"] > 0.5
        True
    """
    activation, hidden_features = MODELS[name]
    set_seed(seed)
    model = SimpleNetwork(activation, hidden_features=hidden_features)
    train_loss, (held_out, final) = trial(model, train, valid, test, lr=lr, epochs=epochs, seed=seed)
    return {**final, "valid_accuracy": held_out["accuracy"], "train_loss": train_loss}
