"""The training behind ``SignalFit``: small networks learn signals and are looked at in chosen epochs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from labs.widgets.signal_network import Ensemble

#: What can be fitted, each at most about 1 high.
SIGNALS: dict[str, Callable[[Tensor], Tensor]] = {
    "hill": lambda x: torch.exp(-(x**2) / 2) - 0.6 * torch.exp(-((x - 2) ** 2)),
    "waves": lambda x: 0.7 * torch.sin(2 * x) + 0.35 * torch.sin(4 * x + 1),
    "sawtooth": lambda x: 0.8 * (2 * torch.remainder(x / 2, 1) - 1),
    "chirp": lambda x: 0.9 * torch.sin(0.5 * (x + 3) + 0.45 * (x + 3) ** 2),
}
#: After how many steps the networks are looked at; each step sees all examples, so it is an epoch.
EPOCHS = (0, 5, 15, 30, 60, 110, 180, 270, 390, 540, 720, 940, 1200)

LR = 5e-3
INSIDE = 3.0  # trained on [-3, 3] ...
OUTSIDE = 6.0  # ... and shown on [-6, 6]
EXAMPLES = torch.linspace(-INSIDE, INSIDE, 128)
SHOWN = torch.linspace(-OUTSIDE, OUTSIDE, 161)
PREACTIVATIONS = torch.linspace(-5.0, 5.0, 51)


@dataclass(frozen=True)
class SignalRun:
    """What was seen of one network while it learned one signal; errors are root mean squares.

    Attributes:
        steps: epochs at which the training error was noted, closer together at the start.
        error: training error at ``steps``.
        train, outside: errors on the examples, and beyond them, at each epoch looked at.
        reach: between which pre-activations the middle 98 % on the examples lie, for each layer.
        fit: output of the network on ``SHOWN``.
        shape: activation of each layer on ``PREACTIVATIONS``; one row if it has no parameter.

    Shape:
        - error: :math:`(S)`. train, outside: :math:`(E)`. reach: :math:`(E, 2, 2)`. fit: :math:`(E, 161)`.
          shape: :math:`(E, 2, 51)`, or :math:`(1, 2, 51)`.

    Example:
        >>> train_signals("ReLU", ["hill"], 1, epochs=(0, 3))[0].fit.shape
        torch.Size([2, 161])
    """

    steps: tuple[int, ...]
    error: Tensor
    train: Tensor
    outside: Tensor
    reach: Tensor
    fit: Tensor
    shape: Tensor


def train_signals(
    activation: str,
    signals: Sequence[str],
    seed: int,
    *,
    epochs: Sequence[int] = EPOCHS,
    on_look: Callable[[int, Ensemble], object] | None = None,
) -> list[SignalRun]:
    """Train one network per signal with Adam on all 128 examples at once, and look at it at each of ``epochs``.

    One thread does the work, so that the same call gives the same numbers again; threads would not help here.

    Args:
        activation: a key of ``labs.widgets.signal_network.ACTIVATIONS``.
        signals: keys of ``SIGNALS``.
        seed: decides how all the networks start.
        epochs: when to look, from 0 upwards; the last ends the training.
        on_look: called as ``on_look(epoch, ensemble)`` at each look.

    Returns:
        One :class:`SignalRun` per signal.

    Raises:
        ValueError: an unknown activation or signal, a seed out of range, or epochs that do not rise from 0.
        FloatingPointError: a loss is no longer finite.

    Example:
        >>> run, = train_signals("Snake", ["waves"], 1, epochs=(0, 20))
        >>> bool(run.train[1] < run.train[0])
        True
    """
    _check(signals, epochs)
    ensemble = Ensemble(activation, seed, copies=len(signals))
    targets = torch.stack([SIGNALS[name](EXAMPLES) for name in signals])
    descent = torch.optim.Adam(ensemble.parameters(), lr=LR, fused=True)
    losses, looks, threads = [], [], torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for epoch in range(epochs[-1] + 1):
            loss = (ensemble(EXAMPLES) - targets).square().mean(dim=1)
            losses.append(loss.detach())
            if epoch in epochs:
                looks.append(_look(ensemble, signals))
                if on_look is not None:
                    on_look(epoch, ensemble)
            descent.zero_grad()
            loss.sum().backward()  # no network has a say in the loss of another
            if epoch < epochs[-1]:
                descent.step()
    finally:
        torch.set_num_threads(threads)
    return _runs(ensemble, signals, epochs, torch.stack(losses).sqrt(), looks)


def noted_steps(last: int) -> tuple[int, ...]:
    """Return at which epochs the training error is kept: about sixty, evenly spread on a logarithmic axis.

    Args:
        last: the last epoch.

    Returns:
        The epochs, rising from 0 to ``last``.

    Example:
        >>> noted_steps(3)
        (0, 1, 2, 3)
    """
    return tuple(sorted({round(math.expm1(math.log1p(last) * i / 63)) for i in range(64)}))


@torch.no_grad()
def _look(ensemble: Ensemble, signals: Sequence[str]) -> dict[str, Tensor]:
    fit = ensemble(SHOWN)
    far = SHOWN.abs() > INSIDE
    wanted = torch.stack([SIGNALS[name](SHOWN[far]) for name in signals])
    edges = torch.tensor([0.01, 0.99])
    hidden = ensemble.layers(EXAMPLES)[:-1]
    return {
        "outside": (fit[:, far] - wanted).square().mean(dim=1).sqrt(),
        "reach": torch.stack([torch.quantile(z.flatten(1), edges, dim=1).T for z in hidden], 1),
        "fit": fit,
        "shape": ensemble.shapes(PREACTIVATIONS),
    }


def _runs(
    ensemble: Ensemble,
    signals: Sequence[str],
    epochs: Sequence[int],
    error: Tensor,
    looks: list[dict[str, Tensor]],
) -> list[SignalRun]:
    seen = {key: torch.stack([look[key] for look in looks], 1) for key in looks[0]}
    finite = error.isfinite().all(dim=0)
    for values in seen.values():
        finite &= values.isfinite().flatten(1).all(dim=1)
    if not finite.all():
        raise FloatingPointError(
            f"the network for {signals[int(finite.long().argmin())]} left the finite numbers; "
            "wanted a training that settles: try another seed"
        )
    if not list(ensemble.acts.parameters()):
        seen["shape"] = seen["shape"][:, :1]
    steps = noted_steps(epochs[-1])
    return [
        SignalRun(steps, error[list(steps), i], error[list(epochs), i], **{key: seen[key][i] for key in seen})
        for i in range(len(signals))
    ]


def _check(signals: Sequence[str], epochs: Sequence[int]) -> None:
    for name in signals:
        if name not in SIGNALS:
            raise ValueError(f"unknown signal {name!r}; choose one of: {', '.join(SIGNALS)}")
    if len(epochs) < 2 or epochs[0] != 0 or list(epochs) != sorted(set(epochs)):
        raise ValueError(
            f"epochs are {tuple(epochs)}; wanted at least two that rise from 0, such as (0, 50, 200)"
        )
