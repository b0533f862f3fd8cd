"""Chapter 6: no activation, ReLU and tanh in networks of one to eight hidden layers with equally many parameters.

The experiment is a function of one seed. ``labs.experiments.runs.depth`` runs it in full, and its docstring is the
protocol.
"""

from __future__ import annotations

from labs.data import ImageData
from labs.experiments.trial import trial
from labs.networks import SimpleNetwork
from labs.seeds import set_seed

#: Activation and law of the weights by the name in the results: weights that suit the function.
KINDS: dict[str, tuple[str | None, str]] = {
    "none": (None, "xavier"),
    "ReLU": ("ReLU", "he"),
    "tanh": ("Tanh", "xavier"),
}

#: Width of every hidden layer by their number: 59,119 to 59,851 parameters.
WIDTHS = {1: 75, 2: 69, 4: 61, 8: 51}


def network(name: str, *, seed: int) -> SimpleNetwork:
    """Return one of the networks that are compared, before training.

    Args:
        name: a key of ``KINDS`` and a key of ``WIDTHS``, such as ``"ReLU 4"``.
        seed: decides the weights; biases are zero.

    Returns:
        A fresh network on the CPU, for 28x28 images and ten classes.

    Raises:
        KeyError: an unknown name.

    Example:
        >>> [sum(p.numel() for p in network(f"ReLU {n}", seed=0).parameters()) for n in WIDTHS]
        [59635, 59695, 59851, 59119]
    """
    kind, hidden_layers = name.split()
    activation, init = KINDS[kind]
    width = WIDTHS[int(hidden_layers)]
    set_seed(seed)
    return SimpleNetwork(activation, hidden_features=(width,) * int(hidden_layers), init=init, zero_bias=True)


def depth_trial(
    train: ImageData, other: ImageData, *, name: str, lr: float, epochs: int, seed: int
) -> dict[str, float | None]:
    """Train one network by gradient descent with momentum 0.9.

    Args:
        train: what to learn from.
        other: measured at the end: held-out training images to tune on, or the test images to report.
        name: as for :func:`network`.
        lr: learning rate.
        epochs: passes through the training data, in batches of 128.
        seed: decides weights and batches.

    Returns:
        ``accuracy`` (0..1) and ``loss`` [nats] on ``other``, and ``train_loss`` [nats], a running mean over the last
        epoch; all None if the loss was no longer finite.

    Raises:
        KeyError: an unknown name.

    Example:
        >>> from labs.data import load_digits
        >>> digits = load_digits("train", limit=200)
        >>> depth_trial(digits, digits, name="tanh 2", lr=1e-2, epochs=3, seed=0)["accuracy"] > 0.5
        True
    """
    train_loss, (final,) = trial(network(name, seed=seed), train, other, lr=lr, epochs=epochs, seed=seed)
    return {**final, "train_loss": train_loss}
