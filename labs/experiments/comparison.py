"""Chapter 15: the table of a tutorial made again by its own recipe, and a comparison that is fair.

Each experiment is a function of one seed. ``labs.experiments.runs.comparison`` runs them in full, and its docstring
is the protocol.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import nn

from labs.activations import make_activation
from labs.data import ImageData
from labs.networks import SimpleNetwork
from labs.neurons import dead_fractions, dead_neuron_masks
from labs.seeds import set_seed
from labs.training import calibration_error, fit

#: What the tutorial prints for its thirteen networks: test accuracy [%], test loss [nats], time [s].
PRINTED = {
    "Sigmoid": (10.0, 2.30, 115.6),
    "Tanh": (82.3, 0.50, 114.3),
    "ReLU": (81.3, 0.52, 115.2),
    "GELU": (80.5, 0.54, 115.2),
    "Mish": (81.9, 0.51, 113.4),
    "LeakyReLU": (80.8, 0.55, 114.4),
    "SiLU": (78.3, 0.59, 114.3),
    "Hardswish": (76.7, 0.64, 114.5),
    "Swish": (78.5, 0.59, 116.1),
    "PReLU": (86.0, 0.40, 114.9),
    "RReLU": (81.5, 0.52, 114.6),
    "TeLU": (86.2, 0.39, 119.6),
    "STAF": (85.4, 0.44, 270.2),
}

#: The rows made again: the activation, whether one module serves all layers, and how the network starts.
#: What the tutorial calls TeLU is an ELU with a trainable alpha, and its Swish has no parameter.
ROWS = {
    **{name: {"activation": name, "shared": True, "start": "default"} for name in PRINTED},
    "TeLU": {"activation": "TrainableELU", "shared": True, "start": "default"},
    "no activation": {"activation": None, "shared": False, "start": "default"},
    "PReLU, one per layer": {"activation": "PReLU", "shared": False, "start": "default"},
    "TeLU, one per layer": {"activation": "TrainableELU", "shared": False, "start": "default"},
    "Sigmoid, started like tanh": {"activation": "Sigmoid", "shared": False, "start": "fitting"},
}

#: The recipe of the tutorial; its text gives a momentum of 0.9, its code 0.8.
RECIPE = {"epochs": 15, "lr": 1e-3, "batch_size": 128}

#: The candidates of the fair comparison, each with the weights that fit it (all with zero biases): Xavier for
#: functions bounded on both sides and for none at all, He for the others, and what its authors ask for with SELU.
CANDIDATES = {
    "no activation": "xavier",
    "Sigmoid": "xavier",
    "Tanh": "xavier",
    "Softsign": "xavier",
    "ReLU": "he",
    "LeakyReLU": "he",
    "PReLU": "he",
    "ELU": "he",
    "SELU": "lecun",
    "GELU": "he",
    "SiLU": "he",
    "Mish": "he",
    "Hardswish": "he",
    "TeLU": "he",
    "SquaredReLU": "he",
    "TrainableELU": "he",
    "Snake": "he",
    "STAF": "xavier",
}
STARTS = ("default", "fitting")


def network(activation: str | None, *, start: str, seed: int, shared: bool = False) -> SimpleNetwork:
    """Return a fresh network of the comparison.

    Args:
        activation: a name of ``ACTIVATIONS``, or None for a linear network. Swish has its beta fixed at 1.
        start: ``"default"`` for PyTorch's weights and biases, ``"fitting"`` for the weights of ``CANDIDATES`` with
            zero biases; a sigmoid network then starts as the tanh network that it can be written as.
        seed: decides the weights, and what STAF draws.
        shared: one module for all layers.

    Returns:
        The network, on the CPU.

    Raises:
        ValueError: an unknown start or activation.
        KeyError: no fitting start is known for this activation.

    Example:
        >>> x = torch.rand(5, 784)
        >>> tanh, sigmoid = (network(name, start="fitting", seed=0) for name in ("Tanh", "Sigmoid"))
        >>> torch.allclose(tanh(x), sigmoid(x), atol=1e-5)
        True
    """
    if start not in STARTS:
        raise ValueError(f"unknown start {start!r}; choose one of: {', '.join(STARTS)}")
    init = {"init": "torch"}
    if start == "fitting":
        init = {"init": CANDIDATES[activation or "no activation"], "zero_bias": True}
    make = partial(make_activation, "Swish", trainable=False) if activation == "Swish" else activation
    set_seed(seed)
    model = SimpleNetwork(make, share_activation=shared, **init)
    if start == "fitting" and activation == "Sigmoid":
        _write_tanh_as_sigmoid(model)
    return model


def table_row(
    train: ImageData, test: ImageData, *, row: str, momentum: float, seed: int, epochs: int
) -> dict:
    """Train one row of the tutorial's table by the tutorial's recipe.

    Args:
        train: what to learn from.
        test: measured after each epoch.
        row: a key of ``ROWS``.
        momentum: 0.8 as in the code of the tutorial, or 0.9 as in its text.
        seed: decides weights, batches and what random layers draw.
        epochs: passes through the training data; 15 in the tutorial.

    Returns:
        ``accuracy`` (0..1) and ``loss`` [nats] on ``test`` at the end; ``curves``: train and test accuracy and loss
        per epoch; ``learned``: the parameters of the activations by name; ``dead``: share of dead units per layer.

    Raises:
        KeyError: an unknown row.
        FloatingPointError: the loss is no longer finite.

    Example:
        >>> data = ImageData(torch.rand(40, 1, 28, 28), torch.arange(40) % 10, tuple("0123456789"))
        >>> found = table_row(data, data, row="PReLU", momentum=0.8, seed=0, epochs=1)
        >>> list(found["learned"]), len(found["dead"]), len(found["curves"]["test_accuracy"])
        (['act1.weight'], 4, 1)
    """
    settings = ROWS[row]
    model = network(settings["activation"], start=settings["start"], shared=settings["shared"], seed=seed)
    recipe = {**RECIPE, "epochs": epochs}
    history = fit(model, train, test, **recipe, momentum=momentum, seed=seed, progress=False)
    dead = dead_fractions(dead_neuron_masks(model, train)) if settings["activation"] else {}
    return {
        "accuracy": history.test_accuracy[-1],
        "loss": history.test_loss[-1],
        "curves": vars(history),
        "learned": _learned(model),
        "dead": list(dead.values()),
    }


def trial(
    train: ImageData, other: ImageData, *, name: str, start: str, lr: float, epochs: int, seed: int
) -> dict:
    """Train one candidate of the fair comparison.

    Args:
        train: what to learn from.
        other: measured after each epoch: held-out training images to tune on, or the test images to report.
        name: a key of ``CANDIDATES``.
        start: ``"default"`` or ``"fitting"``.
        lr: learning rate; the momentum is 0.9 and the batch 128.
        epochs: passes through the training data.
        seed: decides weights, batches and what random layers draw.

    Returns:
        ``accuracy`` (0..1), ``loss`` [nats] and ``calibration`` (expected calibration error, 0..1) on ``other`` at the
        end; ``curves`` and ``dead`` as in :func:`table_row`. If the training loss was no longer finite, ``accuracy``,
        ``loss`` and ``calibration`` are None and the curves end before.

    Raises:
        KeyError: an unknown name.
        ValueError: an unknown start.

    Example:
        >>> data = ImageData(torch.rand(40, 1, 28, 28), torch.arange(40) % 10, tuple("0123456789"))
        >>> found = trial(data, data, name="Tanh", start="fitting", lr=0.01, epochs=1, seed=0)
        >>> 0 <= found["calibration"] <= 1, found["dead"]
        (True, [0.0, 0.0, 0.0, 0.0])
    """
    activation = None if name == "no activation" else name
    model = network(activation, start=start, seed=seed)
    curves: dict = {}
    try:
        fit(
            model, train, other, epochs=epochs, lr=lr, seed=seed, progress=False,
            on_epoch=lambda epoch, model, history: curves.update({k: list(v) for k, v in vars(history).items()}),
        )  # fmt: skip
    except FloatingPointError:
        return {"accuracy": None, "loss": None, "calibration": None, "curves": _finite(curves), "dead": []}
    with torch.no_grad():
        logits = torch.cat([model.eval()(inputs) for inputs in other.inputs.split(2000)])
    if not logits.isfinite().all():
        return {"accuracy": None, "loss": None, "calibration": None, "curves": _finite(curves), "dead": []}
    dead = dead_fractions(dead_neuron_masks(model, train)) if activation else {}
    return {
        "accuracy": curves["test_accuracy"][-1],
        "loss": curves["test_loss"][-1],
        "calibration": calibration_error(logits, other.labels),
        "curves": _finite(curves),
        "dead": list(dead.values()),
    }


def bytes_kept(name: str, *, batch_size: int = 128) -> int:
    """Return how many bytes a training step of a candidate keeps for its backward pass.

    Args:
        name: a key of ``CANDIDATES``.
        batch_size: examples in the step.

    Returns:
        Bytes of all tensors that autograd keeps, each storage counted once, the parameters left out.

    Raises:
        KeyError: an unknown name.

    Example:
        >>> bytes_kept("ReLU", batch_size=1) < bytes_kept("Mish", batch_size=1)
        True
    """
    CANDIDATES[name]
    model = network(None if name == "no activation" else name, start="default", seed=0)
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    images, labels = torch.rand(batch_size, 784), torch.zeros(batch_size, dtype=torch.long)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        nn.functional.cross_entropy(model(images), labels)
    return sum(kept.values())


@torch.no_grad()
def _write_tanh_as_sigmoid(model: SimpleNetwork) -> None:
    # tanh(z) = 2 sigmoid(2 z) - 1: twice the weights into a unit, twice the weights out of it, and the -1 goes
    # into the biases of the layer above. The network then computes what the tanh network with the old weights did.
    layers = model.linear_layers
    for i, layer in enumerate(layers):
        if i > 0:
            layer.bias -= layer.weight.sum(dim=1)
            layer.weight *= 2
        if i < len(layers) - 1:
            layer.weight *= 2
            layer.bias *= 2


def _learned(model: SimpleNetwork) -> dict[str, list[float]]:
    """The parameters of the activations; a shared module is named once."""
    return {
        name: parameter.detach().flatten().tolist()
        for name, parameter in model.named_parameters()
        if name.startswith("act")
    }


def _finite(curves: dict) -> dict:
    """The curves, cut before the first epoch with a number that JSON has no form for."""
    length = min((len(values) for values in curves.values()), default=0)
    for i in range(length):
        if not all(math.isfinite(values[i]) for values in curves.values()):
            length = i
            break
    return {name: values[:length] for name, values in curves.items()}
