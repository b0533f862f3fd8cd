"""Chapter 18: does a mixture of SiLU and GELU beat its parents, and how many activations can a network do without?

Each experiment is a function of one seed. ``labs.experiments.runs.choosing`` runs them in full, and its docstring is
the protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from labs.activations import make_activation
from labs.data import ImageData
from labs.experiments.trial import trial
from labs.networks import SimpleNetwork
from labs.seeds import set_seed


class Mixture(nn.Module):
    r"""A mixture of SiLU and GELU, :math:`x\,(\lambda\,\sigma(x) + (1 - \lambda)\,\Phi(x))`, with a learned share.

    Args:
        share: :math:`\lambda` at the start; nothing keeps it between 0 and 1.

    Shape:
        - Input: :math:`(*)`, any shape.
        - Output: :math:`(*)`, same shape as the input.

    Example:
        >>> Mixture()(torch.tensor([-1.0, 0.0, 1.0])).detach()
        tensor([-0.2138,  0.0000,  0.7862])
    """

    def __init__(self, share: float = 0.5) -> None:
        super().__init__()
        self.share = nn.Parameter(torch.tensor(share))

    def forward(self, x: Tensor) -> Tensor:
        return x * (self.share * torch.sigmoid(x) + (1 - self.share) * torch.special.ndtr(x))


#: The candidates of the trial: what makes the activation of each layer.
CANDIDATES: dict[str, Callable[[], nn.Module]] = {
    "ReLU": nn.ReLU,
    "SiLU": nn.SiLU,
    "GELU": nn.GELU,
    "half and half": partial(make_activation, "SwiGELU"),
    "mixture": Mixture,
}

#: The networks of the sparsity experiment: an activation and the widths of its two hidden layers.
SPARSE: dict[str, tuple[str, tuple[int, ...]]] = {
    "ReLU": ("ReLU", (128, 128)),
    "GELU": ("GELU", (128, 128)),
    "SwiGLU": ("SwiGLU", (72, 72)),
}


def mixture_trial(
    train: ImageData, other: ImageData, *, name: str, lr: float, epochs: int, seed: int
) -> dict[str, float | None | list[float]]:
    """Train a 784-64-64-10 network with one of the candidates, from He weights and zero biases.

    Args:
        train: what to learn from, in batches of 64.
        other: measured at the end: held-out training images to tune on, or the test images to report.
        name: a key of ``CANDIDATES``.
        lr: learning rate of gradient descent with momentum 0.9.
        epochs: passes through the training data.
        seed: decides weights and batches.

    Returns:
        ``accuracy`` (0..1) and ``loss`` [nats] on ``other``, None if the training diverged, and ``shares``, what the
        mixture of each layer has learned (empty for the other candidates).

    Raises:
        KeyError: an unknown name.

    Example:
        >>> from labs.data import load_digits
        >>> digits = load_digits("train", limit=100)
        >>> len(mixture_trial(digits, digits, name="mixture", lr=0.01, epochs=1, seed=0)["shares"])
        2
    """
    set_seed(seed)
    model = SimpleNetwork(CANDIDATES[name], hidden_features=(64, 64), init="he", zero_bias=True)
    _, (measured,) = trial(model, train, other, lr=lr, epochs=epochs, batch_size=64, seed=seed)
    shares = [module.share.item() for module in model.modules() if isinstance(module, Mixture)]
    return {**measured, "shares": shares}


@torch.no_grad()
def thresholds(model: SimpleNetwork, images: Tensor, share: float) -> list[float]:
    """Return, for each hidden layer, the size below which the given share of its outputs lies.

    Args:
        model: a trained network, which stays as it is.
        images: what to look at; not the test images.
        share: of the outputs, from 0 to below 1. At 0 every threshold is 0.

    Returns:
        One threshold per hidden layer, the first layer first.

    Shape:
        - images: :math:`(N, *)`

    Example:
        >>> model = SimpleNetwork("ReLU", in_features=4, hidden_features=(8,), out_features=2)
        >>> thresholds(model, torch.ones(3, 4), 0.0)
        [0.0]
    """
    found = []
    for name, layer in model.named_children():
        images = layer(images)
        if name.startswith("act"):
            sizes = images.abs().flatten()
            rank = int(share * sizes.numel())
            found.append(sizes.kthvalue(rank).values.item() if rank else 0.0)
    return found


@torch.no_grad()
def thin(model: SimpleNetwork, images: Tensor, limits: Sequence[float]) -> tuple[Tensor, list[Tensor]]:
    """Run a network and replace every hidden output that is no larger than its layer's threshold by zero.

    Args:
        model: a trained network, which stays as it is.
        images: the inputs.
        limits: one threshold per hidden layer, as :func:`thresholds` returns them.

    Returns:
        The logits, and for each hidden layer what is left of its outputs.

    Shape:
        - images: :math:`(N, *)`
        - logits: :math:`(N, C)`; outputs of a layer: :math:`(N, H)`.

    Example:
        >>> model = SimpleNetwork("ReLU", in_features=4, hidden_features=(8,), out_features=2)
        >>> x = torch.ones(3, 4)
        >>> torch.equal(thin(model, x, [0.0])[0], model(x))
        True
    """
    limits, kept = list(limits), []
    for name, layer in model.named_children():
        images = layer(images)
        if name.startswith("act"):
            images = torch.where(images.abs() > limits[len(kept)], images, 0.0)
            kept.append(images)
    return images, kept


def sparsity_trial(
    train: ImageData,
    held_out: ImageData,
    test: ImageData,
    *,
    name: str,
    epochs: int,
    seed: int,
    shares: Sequence[float],
    batches: Sequence[int],
) -> Mapping[str, list]:
    """Train a network with two hidden layers, then leave out ever more of its activations.

    Args:
        train: what to learn from, with Adam at a learning rate of 0.001, in batches of 64.
        held_out: images from which the thresholds are taken.
        test: what to measure on.
        name: a key of ``SPARSE``.
        epochs: passes through the training data.
        seed: decides weights and batches.
        shares: of the activations that are to be left out, from 0 to 1.
        batches: numbers of examples for which to count the units that at least one of them needs, at a share of 0.5.

    Returns:
        ``accuracy`` (0..1) on the test images and ``zeros``, the share of zeros among their hidden outputs, layer by
        layer, both for each of ``shares``; ``needed``, the share of units that are not zero for all examples of a
        batch, mean over both layers, for each of ``batches``.

    Raises:
        KeyError: an unknown name.

    Example:
        >>> from labs.data import load_digits
        >>> digits = load_digits("train", limit=100)
        >>> sets = (digits, digits, digits)
        >>> found = sparsity_trial(*sets, name="GELU", epochs=1, seed=0, shares=[0.0, 0.5], batches=[1, 10])
        >>> found["needed"][0] < found["needed"][1]
        True
    """
    activation, widths = SPARSE[name]
    set_seed(seed)
    model = SimpleNetwork(activation, hidden_features=widths)
    trial(model, train, epochs=epochs, batch_size=64, seed=seed, optimizer=partial(torch.optim.Adam, lr=1e-3))
    found: dict[str, list] = {"accuracy": [], "zeros": [], "needed": []}
    for share in shares:
        logits, kept = thin(model, test.images, thresholds(model, held_out.images, share))
        found["accuracy"].append((logits.argmax(1) == test.labels).double().mean().item())
        found["zeros"].append([(layer == 0).double().mean().item() for layer in kept])
    _, kept = thin(model, test.images, thresholds(model, held_out.images, 0.5))
    for size in batches:
        groups = [layer[: len(layer) // size * size].unflatten(0, (-1, size)) for layer in kept]
        needed = [(group != 0).any(dim=1).double().mean().item() for group in groups]
        found["needed"].append(sum(needed) / len(needed))
    return found
