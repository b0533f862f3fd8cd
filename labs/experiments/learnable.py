"""Chapter 9: who shares a learned slope, and what periodic activations do beyond the data.

Each experiment is a function of one seed. ``labs.experiments.runs.learnable`` runs them in full.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial

import torch
from torch import Tensor, nn

from labs.activations import STAF, make_activation
from labs.data import ImageData
from labs.networks import SimpleNetwork
from labs.seeds import make_generator, set_seed
from labs.training import evaluate, fit

#: How a network starts.
STARTS = {"default": {}, "He weights, zero biases": {"init": "he", "zero_bias": True}}

#: Rows of the sharing experiment: the activation, its settings, how it is shared, and how much faster it learns.
ROWS = {
    "slope fixed at 1/4": {"activation": "LeakyReLU", "settings": {"negative_slope": 0.25}},
    "slope fixed at sqrt 5": {"activation": "LeakyReLU", "settings": {"negative_slope": math.sqrt(5)}},
    "PReLU, one for the network": {"activation": "PReLU", "share": "network"},
    "PReLU, one per layer": {"activation": "PReLU"},
    "PReLU, one per layer, four times as fast": {"activation": "PReLU", "faster": 4.0},
    "PReLU, one per channel": {"activation": "PReLU", "share": "channel"},
    "ELU": {"activation": "ELU"},
    "trainable ELU, one for the network": {"activation": "TrainableELU", "share": "network"},
    "trainable ELU, one per layer": {"activation": "TrainableELU"},
    "trainable ELU, one per channel": {"activation": "TrainableELU", "share": "channel"},
}

#: Rows of the extrapolation experiment: the activation, and its settings.
PERIODIC = {
    "ReLU": ("ReLU", {}),
    "Tanh": ("Tanh", {}),
    "Rational": ("Rational", {}),
    "B-spline": ("BSpline", {}),
    "Fourier": ("Fourier", {}),
    "Sine, frequency 1": ("Sine", {"omega": 1.0}),
    "Sine, frequency 10": ("Sine", {"omega": 10.0}),
    "SIREN, frequency 30": ("Sine", {"omega": 30.0}),
    "Snake, a from 1": ("Snake", {"a": 1.0}),
    "Snake, a from 10": ("Snake", {"a": 10.0}),
    "STAF, 25 normal draws": ("STAF", {"tau": 25}),
    "STAF, authors' start": ("STAF", {"tau": 5}),
}
HIDDEN = (32, 32)
#: Where a network sees the signal, and where it is asked for it beyond.
INSIDE = (-2.0, 2.0)
NEAR = (2.0, 3.0)
FAR = (3.0, 6.0)
_POINTS, _NOISE = 200, 0.1


def sharing(
    train: ImageData, test: ImageData, *, row: str, start: str, lr: float, epochs: int, seed: int
) -> dict:
    """Train one SimpleNetwork whose activation has a parameter that is shared, or fixed, and follow it.

    Args:
        train: what to learn from.
        test: what the accuracy is measured on, after the last epoch.
        row: a key of ``ROWS``.
        start: a key of ``STARTS``.
        lr: learning rate; the momentum is 0.9 and the batch 128.
        epochs: passes through ``train``.
        seed: decides weights and batches.

    Returns:
        ``accuracy`` (0 to 1) and ``loss`` [nats] on ``test``, or None if the training diverged; ``path``: for each
        learned tensor its mean before about thirty of the steps; ``learned``: its lowest, median and highest value at
        the end, layer by layer.

    Raises:
        KeyError: an unknown row or start.

    Example:
        >>> data = ImageData(torch.rand(40, 1, 28, 28), torch.arange(40) % 10, tuple("0123456789"))
        >>> found = sharing(data, data, row="PReLU, one per layer", start="default", lr=0.01, epochs=1, seed=0)
        >>> len(found["learned"]), found["path"][0]
        (4, [0.25])
    """
    settings = ROWS[row]
    share = settings.get("share", "layer")
    make = partial(make_activation, settings["activation"], **settings.get("settings", {}))
    set_seed(seed)
    model = SimpleNetwork(
        make, share_activation=share == "network", per_channel=share == "channel", **STARTS[start]
    )
    learned = [p for name, p in model.named_parameters() if name.startswith("act")]
    path: list[list[float]] = [[] for _ in learned]
    for p, seen in zip(learned, path, strict=True):  # a hook runs once per step, before the step
        p.register_hook(lambda gradient, p=p, seen=seen: seen.append(p.detach().mean().item()))
    optimizer = partial(_descent, learned=learned, lr=lr, faster=settings.get("faster", 1.0))
    try:
        fit(model, train, epochs=epochs, lr=lr, seed=seed, progress=False, optimizer=optimizer)
    except FloatingPointError:
        return {"accuracy": None, "loss": None, "path": [], "learned": []}
    result = evaluate(model, test)
    return {
        "accuracy": result.accuracy,
        "loss": result.loss,
        "path": [seen[:: max(1, len(seen) // 30)] for seen in path],
        "learned": [[p.min().item(), p.median().item(), p.max().item()] for p in learned],
    }


def signal(t: Tensor) -> Tensor:
    r"""Return a signal of period 1 with two harmonics, :math:`\sin 2\pi t + \frac12 \sin(4\pi t + 1)`.

    Args:
        t: times.

    Returns:
        The signal, with a root mean square of 0.79.

    Shape:
        - t: :math:`(*)`, any shape.
        - Output: same shape as ``t``.

    Example:
        >>> signal(torch.tensor([0.0, 1.0, 0.25]))
        tensor([0.4207, 0.4207, 0.5793])
    """
    return torch.sin(2 * math.pi * t) + 0.5 * torch.sin(4 * math.pi * t + 1)


def fit_signal(name: str, *, lr: float, steps: int, seed: int) -> nn.Sequential:
    """Train a small network on noisy values of :func:`signal` between -2 and 2, all of them in every step (Adam).

    Args:
        name: a key of ``PERIODIC``.
        lr: learning rate.
        steps: of Adam.
        seed: decides weights, what STAF draws, the 200 times and their noise (standard deviation 0.1).

    Returns:
        A network 1-32-32-1 with an activation of its own in both hidden layers; it may have diverged.

    Raises:
        KeyError: an unknown name.

    Example:
        >>> fit_signal("Tanh", lr=0.01, steps=1, seed=0)(torch.zeros(3, 1)).shape
        torch.Size([3, 1])
    """
    activation, settings = PERIODIC[name]
    set_seed(seed)
    model = SimpleNetwork(
        partial(make_activation, activation, **settings),
        in_features=1,
        hidden_features=HIDDEN,
        out_features=1,
    )
    if name.startswith("SIREN"):
        siren_start(model, settings["omega"])
    if name.startswith("STAF, authors"):
        for layer in range(1, 1 + len(HIDDEN)):
            staf_start(model.get_submodule(f"act{layer}"), omega_0=10.0)
    generator = make_generator(seed)
    low, high = INSIDE
    t = low + (high - low) * torch.rand(_POINTS, 1, generator=generator)
    wanted = signal(t) + _NOISE * torch.randn(t.shape, generator=generator)
    descent = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(steps):
        descent.zero_grad()
        (model(t) - wanted).square().mean().backward()
        descent.step()
    return model


def extrapolate(*, name: str, lr: float, steps: int, seed: int) -> dict[str, float | None]:
    """Return how far a network of :func:`fit_signal` is from the signal, inside its data and beyond.

    Args:
        name, lr, steps, seed: as in :func:`fit_signal`.

    Returns:
        ``inside`` (-2 to 2), ``near`` (2 to 3) and ``far`` (3 to 6): root mean square of the error over that of the
        signal, so that 1 is what a network that always says 0 would get; None if a value is not finite.

    Raises:
        KeyError: an unknown name.

    Example:
        >>> found = extrapolate(name="Snake, a from 10", lr=0.01, steps=200, seed=0)
        >>> found["inside"] < 0.5
        True
    """
    model = fit_signal(name, lr=lr, steps=steps, seed=seed)
    errors: dict[str, float | None] = {}
    for place, (low, high) in {"inside": INSIDE, "near": NEAR, "far": FAR}.items():
        t = torch.linspace(low, high, 801)[:, None]
        with torch.no_grad():
            ratio = ((model(t) - signal(t)).square().mean() / signal(t).square().mean()).sqrt().item()
        errors[place] = ratio if math.isfinite(ratio) else None
    return errors


@torch.no_grad()
def siren_start(model: SimpleNetwork, omega: float) -> None:
    r"""Give the weights of ``model`` the start of SIREN; the biases stay as they are.

    The first layer is uniform on :math:`\pm 1/n`, the others on :math:`\pm\sqrt{6/n}/\omega` for :math:`n` inputs.

    Args:
        model: changed in place.
        omega: the frequency of its sines.

    Source: Sitzmann et al. (2020), arXiv:2006.09661.

    Example:
        >>> model = SimpleNetwork("Sine", in_features=1, hidden_features=(4,), out_features=1)
        >>> siren_start(model, 30.0)
        >>> bool(model.linear2.weight.abs().max() <= (6 / 4) ** 0.5 / 30)
        True
    """
    first, *others = model.linear_layers
    first.weight.uniform_(-1 / first.in_features, 1 / first.in_features)
    for layer in others:
        bound = math.sqrt(6 / layer.in_features) / omega
        layer.weight.uniform_(-bound, bound)


@torch.no_grad()
def staf_start(staf: STAF, *, omega_0: float) -> None:
    r"""Draw the numbers of ``staf`` so that each value it returns is standard normal, as its authors derive.

    Frequencies uniform on :math:`[0, \omega_0]`, phases on :math:`[-\pi, \pi]`, and amplitudes of random sign whose
    squares are exponential with mean :math:`2/\tau`.

    Args:
        staf: changed in place.
        omega_0: the highest frequency, in radians per unit of the input.

    Source: Morsali et al. (2025), arXiv:2502.00869.

    Example:
        >>> staf = make_activation("STAF", tau=5)
        >>> staf_start(staf, omega_0=10.0)
        >>> bool(staf.omega.min() >= 0 and staf.omega.max() <= 10)
        True
    """
    staf.omega.uniform_(0, omega_0)
    staf.phi.uniform_(-math.pi, math.pi)
    squares = torch.distributions.Laplace(0.0, 2 / staf.tau).sample(staf.C.shape)  # with a sign
    staf.C.copy_(squares.sign() * squares.abs().sqrt())


def _descent(
    parameters: Iterable[nn.Parameter], *, learned: list[nn.Parameter], lr: float, faster: float
) -> torch.optim.Optimizer:
    special = {id(p) for p in learned}
    groups: list[dict] = [{"params": [p for p in parameters if id(p) not in special]}]
    if learned:
        groups.append({"params": learned, "lr": faster * lr})
    return torch.optim.SGD(groups, lr=lr, momentum=0.9)
