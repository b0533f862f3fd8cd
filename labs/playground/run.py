"""A run of the playground in torch: the browser's points, start, batches and masks; torch's gradients and steps."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from labs.playground.model import Drawn, Dropout, make_model
from labs.playground.points import make_points, split
from labs.playground.setup import Setup
from labs.playground.streams import Stream


class Run:
    """Train the network of a setup, step by step.

    Points, start weights, batches, dropout masks and the slopes of RReLU come from the streams from which the browser
    draws. Gradients are autograd's, steps are those of ``torch.optim``, all in ``float64``: so the losses are those
    of the browser up to rounding, and each checks the other.

    Args:
        setup: the settings, or their text as in the link of a playground.

    Attributes:
        setup: the settings.
        inputs, targets: all points, the order as drawn.
        train, test: the places of the training and the test points among them.
        model: the network; what it is called with is in ``float64``.
        optimiser: from ``torch.optim``.
        at: how many steps it has done.
        losses: the loss on the batch of each step, before the step.

    Raises:
        ValueError: a text that is no setup.

    Example:
        >>> run = Run(Setup(data="moons", method="adam", rate=0.03))
        >>> for step in range(100):
        ...     loss = run.step()
        >>> run.at, run.accuracy("test") > 0.8
        (100, True)
    """

    def __init__(self, setup: Setup | str) -> None:
        self.setup = setup = Setup.read(setup) if isinstance(setup, str) else setup
        self.inputs, self.targets = make_points(setup)
        self.train, self.test = split(setup, len(self.inputs))
        self.model = make_model(setup)
        self.optimiser = _optimiser(setup, self.model)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, setup.factor)
        self.at = 0
        self.losses: list[float] = []
        self._order = self.train

    def step(self) -> float:
        """Do one step on the next batch.

        Returns:
            The loss on the batch before the step: cross-entropy [nats], or the mean squared error.

        Example:
            >>> round(Run("").step(), 4) > 0
            True
        """
        for change in self.setup.changes:
            if change.step == self.at:
                self._apply(change.name, change.value)
        batch = self._batch()
        self.model.train()
        for module in self.model:
            if isinstance(module, Drawn):
                module.step = self.at
        loss = self._loss(self.model(self.inputs[batch]), batch)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.schedule.step()
        self.at += 1
        self.losses.append(loss.item())
        return self.losses[-1]

    @torch.no_grad()
    def loss(self, part: str = "train") -> float:
        """Return the loss on all training or test points, without dropout.

        Args:
            part: ``"train"`` or ``"test"``.

        Returns:
            Cross-entropy [nats], or the mean squared error.

        Raises:
            ValueError: an unknown part, or one without points.

        Example:
            >>> round(Run("").loss("test"), 1)
            0.7
        """
        chosen = self._part(part)
        return self._loss(self._outputs(chosen), chosen).item()

    @torch.no_grad()
    def accuracy(self, part: str = "train") -> float:
        """Return the share of the training or test points whose class has the largest logit, without dropout.

        Args:
            part: ``"train"`` or ``"test"``.

        Returns:
            A fraction from 0 to 1.

        Raises:
            ValueError: an unknown part, one without points, or a regression, which has no classes.

        Example:
            >>> 0 <= Run("").accuracy() <= 1
            True
        """
        if self.setup.regression:
            raise ValueError("a regression has no accuracy; look at the loss")
        chosen = self._part(part)
        return (self._outputs(chosen).argmax(1) == self.targets[chosen]).double().mean().item()

    def _part(self, part: str) -> Tensor:
        if part not in ("train", "test"):
            raise ValueError(f"unknown part {part!r}; choose 'train' or 'test'")
        chosen = getattr(self, part)
        if not len(chosen):
            raise ValueError("there are no test points; give the setup a test share above 0")
        return chosen

    def _outputs(self, chosen: Tensor) -> Tensor:
        mode = self.model.training
        found = self.model.eval()(self.inputs[chosen])
        self.model.train(mode)
        return found

    def _loss(self, found: Tensor, chosen: Tensor) -> Tensor:
        return (F.mse_loss if self.setup.regression else F.cross_entropy)(found, self.targets[chosen])

    def _batch(self) -> Tensor:
        size = self.setup.batch
        epoch, place = divmod(self.at, math.ceil(len(self.train) / size))
        if place == 0:
            self._order = self.train[Stream(self.setup.start, "batches", epoch).permutation(len(self.train))]
        return self._order[place * size : (place + 1) * size]

    def _apply(self, name: str, value: float) -> None:
        if name == "rate":
            self.schedule.base_lrs = [value]
            self.optimiser.param_groups[0]["lr"] = value * self.setup.factor(self.at)
        elif name == "l2":
            self.optimiser.param_groups[0]["weight_decay"] = value
        else:
            for module in self.model:
                if isinstance(module, Dropout):
                    module.p = value


def _optimiser(setup: Setup, model: nn.Module) -> torch.optim.Optimizer:
    common = {"params": model.parameters(), "lr": setup.rate, "weight_decay": setup.l2}
    if setup.method == "adam":
        return torch.optim.Adam(**common)
    return torch.optim.SGD(**common, momentum=setup.momentum if setup.method == "momentum" else 0.0)
