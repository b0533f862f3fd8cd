"""Chapter 8: gated against plain feed-forward layers at equal parameters, and whether a dip on the left matters.

Each experiment is a function of one seed. ``labs.experiments.runs.gated`` runs them in full, and its docstring is the
protocol.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from labs.activations import make_activation
from labs.activations.gated import inputs_per_output
from labs.data import ImageData
from labs.networks import SimpleNetwork
from labs.seeds import set_seed
from labs.training import evaluate, fit

#: Where SiLU has its minimum, and the value there (``ACTIVATIONS["SiLU"]`` holds the value).
SILU_MINIMUM = (-1.2784645427610738, -0.2784645427610738)


class Gated(nn.Module):
    """A value times a function of a gate: the first half of the last dimension times ``gate`` of the second half.

    Args:
        gate: applied to the second half, entry by entry.

    Shape:
        - Input: :math:`(*, 2H)`, first half value, second half gate.
        - Output: :math:`(*, H)`.

    Source: Shazeer (2020), arXiv:2002.05202.

    Example:
        >>> Gated(nn.ReLU())(torch.tensor([2.0, 3.0, -1.0, 100.0]))
        tensor([ 0., 300.])
    """

    inputs_per_output = 2

    def __init__(self, gate: nn.Module) -> None:
        super().__init__()
        self.gate = gate

    def forward(self, x: Tensor) -> Tensor:
        value, gate = x.chunk(2, dim=-1)
        return value * self.gate(gate)


class MonotoneSiLU(nn.Module):
    """SiLU to the right of its minimum, and something that never falls to the left of it.

    With ``left="flat"`` the function stays at its minimum there. With ``left="mirrored"`` what SiLU climbs back on
    the left is subtracted instead, so that the slope has the size of SiLU's at every point and only its sign differs.

    Args:
        left: ``"flat"`` or ``"mirrored"``.

    Shape:
        - Input: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as the input.

    Raises:
        ValueError: ``left`` is neither of the two.

    Example:
        >>> x = torch.tensor([-100.0, -1.0, 2.0])
        >>> MonotoneSiLU("flat")(x), MonotoneSiLU("mirrored")(x)
        (tensor([-0.2785, -0.2689,  1.7616]), tensor([-0.5569, -0.2689,  1.7616]))
    """

    def __init__(self, left: str) -> None:
        super().__init__()
        if left not in ("flat", "mirrored"):
            raise ValueError(f"left is {left!r}; choose 'flat' or 'mirrored'")
        self.left = left

    def forward(self, x: Tensor) -> Tensor:
        place, lowest = SILU_MINIMUM
        if self.left == "flat":
            return nn.functional.silu(x.clamp(min=place))
        silu = nn.functional.silu(x)
        return torch.where(x < place, 2 * lowest - silu, silu)

    def extra_repr(self) -> str:
        return f"left={self.left!r}"


#: The feed-forward layers that are compared: what makes the activation of each.
LAYERS: dict[str, Callable[[], nn.Module]] = {
    "ReLU": nn.ReLU,
    "GELU": nn.GELU,
    "SiLU": nn.SiLU,
    "SquaredReLU": partial(make_activation, "SquaredReLU"),
    "Bilinear": lambda: Gated(nn.Identity()),
    "GLU": nn.GLU,
    "ReGLU": lambda: Gated(nn.ReLU()),
    "GEGLU": partial(make_activation, "GEGLU"),
    "SwiGLU": partial(make_activation, "SwiGLU"),
}

#: SiLU and its two monotone counterparts.
DIPS: dict[str, Callable[[], nn.Module]] = {
    "SiLU": nn.SiLU,
    "flat": lambda: MonotoneSiLU("flat"),
    "mirrored": lambda: MonotoneSiLU("mirrored"),
}

FEATURES, HIDDEN_FEATURES, BLOCKS = 64, 192, 2


class FeedForward(nn.Module):
    """The feed-forward part of a Transformer block, without biases: normalise, widen, activate, narrow, add.

    Args:
        features: numbers that come in and go out.
        hidden_features: numbers that the activation puts out.
        activation: a fresh module; one that takes two numbers for each it returns gets them.

    Shape:
        - Input: :math:`(*, D)` with :math:`D` = ``features``.
        - Output: same shape.

    Example:
        >>> count = lambda layer: sum(p.numel() for p in (*layer.up.parameters(), *layer.down.parameters()))
        >>> count(FeedForward(64, 192, nn.ReLU())), count(FeedForward(64, 128, nn.GLU()))
        (24576, 24576)
    """

    def __init__(self, features: int, hidden_features: int, activation: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(features)
        self.up = nn.Linear(features, inputs_per_output(activation) * hidden_features, bias=False)
        self.activation = activation
        self.down = nn.Linear(hidden_features, features, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(self.activation(self.up(self.norm(x))))


def feed_forward_network(name: str, *, seed: int) -> nn.Sequential:
    """Return a classifier of 28x28 images made of feed-forward blocks; all names give the same number of parameters.

    Args:
        name: a key of ``LAYERS``. Gated layers have two thirds of the hidden width of the others.
        seed: decides the weights.

    Returns:
        A fresh network on the CPU, which returns ten logits.

    Raises:
        KeyError: an unknown name.

    Example:
        >>> {sum(p.numel() for p in feed_forward_network(name, seed=0).parameters()) for name in LAYERS}
        {100426}
    """
    make = LAYERS[name]
    width = HIDDEN_FEATURES if inputs_per_output(make()) == 1 else HIDDEN_FEATURES * 2 // 3
    set_seed(seed)
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, FEATURES),
        *(FeedForward(FEATURES, width, make()) for _ in range(BLOCKS)),
        nn.LayerNorm(FEATURES),
        nn.Linear(FEATURES, 10),
    )


def layer_trial(
    train: ImageData, other: ImageData, *, name: str, lr: float, epochs: int, seed: int
) -> dict[str, float | None]:
    """Train a network of feed-forward blocks with Adam.

    Args:
        train: what to learn from.
        other: measured at the end: held-out training images to tune on, or the test images to report.
        name: a key of ``LAYERS``.
        lr: learning rate of Adam.
        epochs: passes through the training data, in batches of 128.
        seed: decides weights and batches.

    Returns:
        ``accuracy`` (0..1) and ``loss`` [nats] on ``other``, and ``train_loss`` [nats], a running mean over the last
        epoch; all None if the loss was no longer finite.

    Raises:
        KeyError: an unknown name.

    Example:
        >>> data = ImageData(torch.rand(40, 1, 28, 28), torch.arange(40) % 10, tuple("0123456789"))
        >>> 0 <= layer_trial(data, data, name="SwiGLU", lr=1e-3, epochs=1, seed=0)["accuracy"] <= 1
        True
    """
    model = feed_forward_network(name, seed=seed)
    adam = partial(torch.optim.Adam, lr=lr)
    return _learned(model, train, other, epochs=epochs, seed=seed, optimizer=adam)


def dip_trial(
    train: ImageData, other: ImageData, *, name: str, lr: float, epochs: int, seed: int
) -> dict[str, float | None]:
    """Train a SimpleNetwork with SiLU or one of its monotone counterparts, from He weights and zero biases.

    Args:
        train: what to learn from.
        other: measured at the end: held-out training images to tune on, or the test images to report.
        name: a key of ``DIPS``.
        lr: learning rate of gradient descent with momentum 0.9.
        epochs: passes through the training data, in batches of 128.
        seed: decides weights and batches.

    Returns:
        As :func:`layer_trial`, and ``left_before`` and ``left_after``: the share (0..1) of the pre-activations of
        the hidden units, on the first 1000 training images, that lie to the left of the minimum of SiLU.

    Raises:
        KeyError: an unknown name.

    Example:
        >>> data = ImageData(torch.rand(40, 1, 28, 28), torch.arange(40) % 10, tuple("0123456789"))
        >>> found = dip_trial(data, data, name="mirrored", lr=1e-3, epochs=1, seed=0)
        >>> 0 < found["left_before"] < 0.5
        True
    """
    set_seed(seed)
    model = SimpleNetwork(DIPS[name], hidden_features=(128, 128), init="he", zero_bias=True)
    before = _share_left(model, train)
    found = _learned(model, train, other, epochs=epochs, seed=seed, lr=lr)
    return {**found, "left_before": before, "left_after": _share_left(model, train)}


def _learned(model: nn.Module, train: ImageData, other: ImageData, **settings) -> dict[str, float | None]:
    try:
        history = fit(model, train, progress=False, **settings)
    except FloatingPointError:
        return {"accuracy": None, "loss": None, "train_loss": None}
    measured = evaluate(model, other)
    return {
        "accuracy": measured.accuracy,
        "loss": measured.loss,
        "train_loss": history.train_loss[-1],
    }


@torch.no_grad()
def _share_left(model: SimpleNetwork, data: ImageData) -> float:
    # By hand and not with labs.hooks, which knows the activations of torch and of labs.activations only.
    signal, left = data.images[:1000], []
    for name, layer in model.named_children():
        if name.startswith("act"):
            left.append((signal < SILU_MINIMUM[0]).float().mean())
        signal = layer(signal)
    return torch.stack(left).mean().item()
