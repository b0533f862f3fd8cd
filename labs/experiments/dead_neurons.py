"""Chapter 16: where dead units come from, whether they come back, and what helps.

Each experiment is a function of one seed. ``labs.experiments.runs.dead_neurons`` runs them in full.
"""

from __future__ import annotations

import torch
from torch import Tensor

from labs.data import ImageData
from labs.networks import SimpleNetwork
from labs.neurons import activity, dead_fractions, dead_neuron_masks
from labs.seeds import set_seed
from labs.signals import LayerSignal
from labs.training import evaluate, fit

#: Widths of the hidden layers.
NETWORKS = {
    "four": (256, 192, 128, 64),
    "seven": (2048, 1024, 1024, 512, 512, 256, 128),
    "ten": (256,) * 5 + (128,) * 5,
    "twenty": (128,) * 20,
}

#: How a network starts: settings of SimpleNetwork, from PyTorch's default to He, one change at a time.
STARTS = {
    "default": {"init": "torch"},
    "zero biases": {"init": "torch", "zero_bias": True},
    "He weights": {"init": "he"},
    "He weights, zero biases": {"init": "he", "zero_bias": True},
}

#: Learning-rate spikes in the middle of training, and what learns after them.
SPIKES = {"one step, lr 2": {"lr": 2.0, "steps": 1}, "twenty steps, lr 0.2": {"lr": 0.2, "steps": 20}}
AFTERWARDS = {"all layers learn": {"freeze_below": 0}, "layers 1 to 3 frozen": {"freeze_below": 3}}

#: The cures that are compared: activation and normalisation.
CURES = {
    "ReLU": ("ReLU", None),
    "Leaky ReLU": ("LeakyReLU", None),
    "PReLU": ("PReLU", None),
    "ELU": ("ELU", None),
    "SELU": ("SELU", None),
    "GELU": ("GELU", None),
    "SiLU": ("SiLU", None),
    "Tanh": ("Tanh", None),
    "ReLU + batch norm": ("ReLU", "batch"),
    "ReLU + layer norm": ("ReLU", "layer"),
}


def dead_at_start(data: ImageData, *, network: str, start: str, seed: int) -> list[float]:
    """Return the share of dead units (0..1) in each hidden layer of an untrained ReLU network.

    Args:
        data: the images to count over.
        network: a key of ``NETWORKS``.
        start: a key of ``STARTS``.
        seed: decides the weights, from 0.

    Returns:
        One share per hidden layer, input side first.

    Raises:
        KeyError: an unknown network or start.

    Example:
        >>> data = ImageData(torch.rand(40, 1, 28, 28), torch.arange(40) % 10, tuple("0123456789"))
        >>> len(dead_at_start(data, network="four", start="default", seed=0))
        4
    """
    set_seed(seed)
    model = SimpleNetwork("ReLU", hidden_features=NETWORKS[network], **STARTS[start])
    return list(dead_fractions(dead_neuron_masks(model, data)).values())


def profile_at_start(data: ImageData, *, network: str, start: str, seed: int) -> dict[str, list[float]]:
    """Return what the units of an untrained ReLU network see, layer by layer.

    Args:
        data: the images to look at.
        network: a key of ``NETWORKS``.
        start: a key of ``STARTS``.
        seed: decides the weights, from 0.

    Returns:
        ``dead``, ``bias_dominated`` and ``always_positive``: shares of the units, 0..1; ``input_variance`` and
        ``squared_mean`` of the pre-activations; ``reach``: median over the units of how many standard deviations
        the largest pre-activation lies above the mean.

    Raises:
        KeyError: an unknown network or start.

    Example:
        >>> data = ImageData(torch.rand(40, 1, 28, 28), torch.arange(40) % 10, tuple("0123456789"))
        >>> profile = profile_at_start(data, network="four", start="He weights", seed=0)
        >>> {name: len(values) for name, values in profile.items()}["reach"]
        4
    """
    set_seed(seed)
    model = SimpleNetwork("ReLU", hidden_features=NETWORKS[network], **STARTS[start])
    layers = activity(model, data).values()
    return {
        "dead": [share(a.dead) for a in layers],
        "bias_dominated": [share(a.bias_dominated()) for a in layers],
        "always_positive": [share(a.low > 0) for a in layers],
        "input_variance": [a.std.square().mean().item() for a in layers],
        "squared_mean": [a.mean.square().mean().item() for a in layers],
        "reach": [((a.high - a.mean) / a.std).median().item() for a in layers],
    }


def follow_training(
    train: ImageData, test: ImageData, *, activation: str, lr: float, epochs: int, seed: int
) -> dict[str, list]:
    """Train a SimpleNetwork from PyTorch's default start and count its units before training and after each epoch.

    Args:
        train: what to learn from, and what the units are counted over.
        test: what the accuracy is measured on.
        activation: a name of the table of activations.
        lr: learning rate.
        epochs: passes through the training data.
        seed: decides weights and batches.

    Returns:
        ``dead``: dead units of each layer, per epoch from 0; ``born_dead``: how many of those dead at the start are
        dead still, per epoch, all layers together; ``blocked``: units of each layer that let hardly any gradient
        through, at the start and at the end; ``test_accuracy``: per epoch from 1.

    Raises:
        ValueError: an unknown activation or a setting out of range.
        FloatingPointError: the loss is no longer finite.

    Example:
        >>> data = ImageData(torch.rand(40, 1, 28, 28), torch.arange(40) % 10, tuple("0123456789"))
        >>> found = follow_training(data, data, activation="ReLU", lr=1e-3, epochs=1, seed=0)
        >>> len(found["dead"]), len(found["blocked"]), len(found["test_accuracy"])
        (2, 2, 1)
    """
    set_seed(seed)
    model = SimpleNetwork(activation)
    at_start = dead_neuron_masks(model, train)
    dead, born_dead = [counts(at_start)], [sum(counts(at_start))]
    blocked = [[int(a.blocked().sum()) for a in activity(model, train).values()]]

    def look(*_: object) -> None:
        now = dead_neuron_masks(model, train)
        dead.append(counts(now))
        born_dead.append(sum(counts({name: at_start[name] & now[name] for name in now})))

    history = fit(model, train, test, epochs=epochs, lr=lr, seed=seed, on_epoch=look, progress=False)
    blocked.append([int(a.blocked().sum()) for a in activity(model, train).values()])
    return {"dead": dead, "born_dead": born_dead, "blocked": blocked, "test_accuracy": history.test_accuracy}


def spike(
    train: ImageData,
    test: ImageData,
    *,
    seed: int,
    lr: float = 2.0,
    steps: int = 1,
    epochs: int = 5,
    freeze_below: int = 0,
) -> dict[str, list]:
    """Train well, take a few steps with a far too large learning rate, go on as before, and count dead units.

    The network is a ReLU SimpleNetwork with He weights and zero biases. It learns for one epoch (SGD, lr 0.01,
    momentum 0.9), then comes the spike (``steps`` steps of plain SGD with ``lr``), then ``epochs`` more epochs.

    Args:
        train: what to learn from, and what the units are counted over.
        test: what the accuracy is measured on.
        seed: decides weights and batches.
        lr: learning rate of the spike.
        steps: of the spike, with 128 examples each.
        epochs: passes through the training data after the spike.
        freeze_below: after the spike the linear layers 1 to ``freeze_below`` learn no more.

    Returns:
        ``dead``: dead units of each layer before the spike, after it, and after each further epoch;
        ``killed_still_dead``: per layer, those that the spike killed and that are still dead, from the spike on;
        ``test_accuracy``: at the same moments as ``dead``.

    Raises:
        FloatingPointError: the loss is no longer finite.

    Example:
        >>> data = ImageData(torch.rand(40, 1, 28, 28), torch.arange(40) % 10, tuple("0123456789"))
        >>> found = spike(data, data, seed=0, epochs=1)
        >>> len(found["dead"]), len(found["killed_still_dead"]), len(found["test_accuracy"])
        (3, 2, 3)
    """
    set_seed(seed)
    model = SimpleNetwork("ReLU", init="he", zero_bias=True)
    fit(model, train, epochs=1, lr=0.01, seed=seed, progress=False)
    before = dead_neuron_masks(model, train)
    dead, accuracy = [counts(before)], [evaluate(model, test).accuracy]

    few = train.subset(torch.randperm(len(train))[: steps * 128])
    fit(model, few, epochs=1, lr=lr, momentum=0.0, seed=seed, progress=False)
    after = dead_neuron_masks(model, train)
    killed = {name: after[name] & ~before[name] for name in after}
    dead.append(counts(after))
    accuracy.append(evaluate(model, test).accuracy)
    still_dead = [counts(killed)]

    def look(*_: object) -> None:
        now = dead_neuron_masks(model, train)
        dead.append(counts(now))
        still_dead.append(counts({name: killed[name] & now[name] for name in now}))
        accuracy.append(evaluate(model, test).accuracy)

    for layer in model.linear_layers[:freeze_below]:
        layer.requires_grad_(False)
    fit(model, train, epochs=epochs, lr=0.01, seed=seed + 1, on_epoch=look, progress=False)
    return {"dead": dead, "killed_still_dead": still_dead, "test_accuracy": accuracy}


def cure(
    train: ImageData, other: ImageData, *, name: str, start: str, lr: float, epochs: int, seed: int
) -> dict[str, float | None]:
    """Build the ten-layer network with one of the ``CURES``, look at its last hidden layer, and train it.

    Args:
        train: what to learn from; the units are looked at on its first 10,000 images.
        other: what the accuracy is measured on.
        name: a key of ``CURES``.
        start: a key of ``STARTS``.
        lr: learning rate.
        epochs: passes through the training data.
        seed: decides weights and batches.

    Returns:
        ``dead``, ``blocked`` and ``bias_dominated``: shares of the units of the last hidden layer before training;
        ``ratio``: input variance over squared mean of its pre-activations; ``accuracy`` on ``other`` after training
        (SGD with momentum 0.9), or ``None`` if the loss was no longer finite.

    Raises:
        KeyError: an unknown name or start.

    Example:
        >>> data = ImageData(torch.rand(40, 1, 28, 28), torch.arange(40) % 10, tuple("0123456789"))
        >>> found = cure(data, data, name="ReLU + batch norm", start="default", lr=0.01, epochs=1, seed=0)
        >>> 0 <= found["accuracy"] <= 1
        True
    """
    activation, norm = CURES[name]
    set_seed(seed)
    model = SimpleNetwork(activation, hidden_features=NETWORKS["ten"], norm=norm, **STARTS[start])
    if norm == "batch":  # its running statistics start at mean 0 and variance 1: let them settle on the data
        with torch.no_grad():
            for images in train.images.split(1000):
                model(images)
    last = list(activity(model, train.subset(slice(10_000))).values())[-1]
    signal = LayerSignal(0.0, 1.0, last.std.square().mean().item(), last.mean.square().mean().item())
    seen = {
        "dead": share(last.dead),
        "blocked": share(last.blocked()),
        "bias_dominated": share(last.bias_dominated()),
        "ratio": signal.ratio,
    }
    try:
        fit(model, train, epochs=epochs, lr=lr, seed=seed, progress=False)
    except FloatingPointError:
        return {**seen, "accuracy": None}
    return {**seen, "accuracy": evaluate(model, other).accuracy}


def share(units: Tensor) -> float:
    """Return the share of ``True``, 0..1.

    Args:
        units: a mask.

    Returns:
        The share.

    Shape:
        - units: :math:`(*)`, any shape, bool.

    Example:
        >>> share(torch.tensor([True, False, False, False]))
        0.25
    """
    return units.float().mean().item()


def counts(masks: dict[str, Tensor]) -> list[int]:
    """Return how many units each mask marks.

    Args:
        masks: one per layer.

    Returns:
        The numbers in the order of the masks.

    Shape:
        - each mask: :math:`(*)`, any shape, bool.

    Example:
        >>> counts({"act1": torch.tensor([True, False]), "act2": torch.tensor([True, True])})
        [1, 2]
    """
    return [int(mask.sum()) for mask in masks.values()]
