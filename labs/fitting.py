"""Train one classifier by stochastic gradient descent."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from labs.data import ImageData, PointData, batches
from labs.evaluation import Evaluation, checked_data, checked_logits, evaluate, leaving_modes
from labs.observe import device_of
from labs.progress import progress_bar
from labs.seeds import make_generator
from labs.threads import sharing_cores


@dataclass(repr=False)
class History:
    """One entry per epoch: mean cross-entropy [nats] and accuracy (0 to 1).

    The training figures are running means over the epoch: every batch counts with what the model made of it
    just before the step. The test figures are measured after the epoch; without test data they stay empty.

    Attributes:
        train_loss: mean cross-entropy on the training data [nats].
        train_accuracy: share of the training data classified correctly, from 0 to 1.
        test_loss, test_accuracy: the same on the test data.

    Example:
        >>> History(train_loss=[0.9, 0.6], train_accuracy=[0.5, 0.75])
        History(2 epochs, train loss 0.6000, train accuracy 0.7500)
    """

    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    test_loss: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.train_loss)

    def __repr__(self) -> str:
        last = [f"{name} {values[-1]:.4f}" for name, values in vars(self).items() if values]
        return f"History({', '.join([f'{len(self)} epochs', *last])})".replace("_", " ")


def fit(
    model: nn.Module,
    train: ImageData | PointData,
    test: ImageData | PointData | None = None,
    *,
    epochs: int = 15,
    lr: float = 1e-3,
    momentum: float = 0.9,
    batch_size: int = 128,
    seed: int = 7,
    progress: bool = True,
    on_epoch: Callable[[int, nn.Module, History], object] | None = None,
    optimizer: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer] | None = None,
) -> History:
    """Train ``model`` in place by stochastic gradient descent on the cross-entropy.

    The work is done where the model lives; the data are moved there once. The same seed gives the same
    batches on every device. Mode, gradients and torch's random state are afterwards what they were.

    The data stay in memory, no number is read out before the end of an epoch, and on a busy machine the work goes on
    with one thread (``labs.threads``), which may change last digits; after ``torch.set_num_threads(1)`` they
    are the same every time.

    Args:
        model: a classifier that returns logits.
        train: what to learn from.
        test: measured after each epoch, never learned from.
        epochs: passes through the training data.
        lr: learning rate.
        momentum: of the gradient descent, from 0 to below 1.
        batch_size: examples per step.
        seed: decides the order of the examples and what random layers (dropout, RReLU) draw.
        progress: show a bar when it takes more than two seconds.
        on_epoch: called as ``on_epoch(epoch, model, history)`` after each epoch, counted from 1.
        optimizer: makes another optimiser from the parameters, for example ``torch.optim.Adam``; ``lr`` and
            ``momentum`` are then not used.

    Returns:
        The :class:`History` of this training; its length is ``epochs``.

    Shape:
        - logits of the model: :math:`(N, C)` with a :math:`C` above every label.

    Raises:
        TypeError: ``train`` or ``test`` is no data set.
        ValueError: a setting out of range, nothing to learn (no parameter requires a gradient), data without
            examples or that the model cannot take, or a label without a logit.
        FloatingPointError: the training loss is no longer finite.

    Example:
        >>> from labs.data import make_moons
        >>> _ = torch.manual_seed(0)
        >>> model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))
        >>> history = fit(model, make_moons(200), epochs=30, lr=0.1, batch_size=20)
        >>> history.train_loss[-1] < history.train_loss[0] / 2
        True
    """
    _check_settings(epochs, lr, momentum, batch_size)
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        raise ValueError(
            f"no parameter of this {type(model).__name__} requires a gradient, so it cannot learn; "
            "unfreeze some with requires_grad_()"
        )
    device = device_of(model)
    train = checked_data(train, "train").to(device)
    test = None if test is None else checked_data(test, "test").to(device)
    if optimizer is None:
        # Not fused: that saves a twentieth of a step, but then a loop written by hand gives other last digits.
        descent = torch.optim.SGD(parameters, lr=lr, momentum=momentum)
    else:
        descent = optimizer(parameters)

    history, generator = History(), make_generator(seed)
    gradients, top_label = [p.grad for p in parameters], int(train.labels.max())
    steps = epochs * math.ceil(len(train) / batch_size)
    with (
        leaving_modes(model),
        torch.random.fork_rng(devices=[device] if device.type == "cuda" else []),
        progress_bar(steps, "training", progress=progress) as tick,
    ):
        torch.manual_seed(seed)
        try:
            for epoch in range(1, epochs + 1):
                model.train()
                epoch_batches = batches(train, batch_size, generator=generator)
                result = _train_epoch(model, descent, epoch_batches, top_label, tick)
                if not math.isfinite(result.loss):
                    raise FloatingPointError(
                        f"the training loss became {result.loss} in epoch {epoch} "
                        f"(lr={descent.param_groups[0]['lr']}), which spoils the weights; wanted a finite "
                        "loss: make the model anew and train it with a smaller lr"
                    )
                history.train_loss.append(result.loss)
                history.train_accuracy.append(result.accuracy)
                if test is not None:
                    measured = evaluate(model, test)
                    history.test_loss.append(measured.loss)
                    history.test_accuracy.append(measured.accuracy)
                if on_epoch is not None:
                    on_epoch(epoch, model, history)
        finally:
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient
    return history


def _train_epoch(
    model: nn.Module,
    descent: torch.optim.Optimizer,
    epoch_batches: Iterator[tuple[Tensor, Tensor]],
    top_label: int,
    tick: Callable[[], object],
) -> Evaluation:
    loss_sum, correct, count = 0.0, 0, 0
    with sharing_cores() as look_around:
        for inputs, labels in epoch_batches:
            logits = checked_logits(model, inputs, top_label)
            loss = F.cross_entropy(logits, labels)
            descent.zero_grad()
            loss.backward()
            descent.step()
            # Sums stay tensors: reading a number out of a GPU in every step would make it wait for Python.
            loss_sum = loss_sum + loss.detach() * len(labels)
            correct = correct + (logits.detach().argmax(dim=1) == labels).sum()
            count += len(labels)
            tick()
            look_around()
    return Evaluation(float(loss_sum) / count, float(correct) / count)


def _check_settings(epochs: int, lr: float, momentum: float, batch_size: int) -> None:
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if operator.index(value) < 1:
            raise ValueError(f"{name} is {value}; wanted a whole number of at least 1")
    if not (math.isfinite(lr) and lr > 0):
        raise ValueError(f"lr is {lr}; wanted a learning rate above 0, for example 1e-3")
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum is {momentum}; wanted 0 to below 1, for example 0.9")
