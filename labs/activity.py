"""What the units of one layer did over a data set, and the words for it: dead, near-dead, saturated, bias-dominated."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

#: Slopes up to this size count as "lets hardly any gradient through": a twentieth of ReLU's slope.
FLAT_SLOPE = 0.05


@dataclass(frozen=True)
class Activity:
    """What each unit of one layer did over a data set; every field holds one number per unit, on the CPU.

    Attributes:
        mean, std: mean and standard deviation of the pre-activation over the examples (no unit).
        low, high: smallest and largest pre-activation.
        output_mean, output_std: the same for the activation.
        zero_share: share of the examples, 0..1, on which the activation is exactly zero.
        positive_share: share of the examples, 0..1, with a positive pre-activation.
        flat_share: share of the examples, 0..1, at which the slope is at most ``FLAT_SLOPE`` in size.

    Shape:
        - each field: :math:`(C)`, ``float32``.

    Example:
        >>> import torch
        >>> from labs.neurons import activity
        >>> activity(torch.nn.ReLU(), torch.tensor([[-1.0, 5.0], [-2.0, 6.0]]))["ReLU"]
        Activity(2 units, 1 dead)
    """

    mean: Tensor
    std: Tensor
    low: Tensor
    high: Tensor
    output_mean: Tensor
    output_std: Tensor
    zero_share: Tensor
    positive_share: Tensor
    flat_share: Tensor

    def __repr__(self) -> str:
        return f"Activity({len(self.mean)} units, {int(self.dead.sum())} dead)"

    @property
    def dead(self) -> Tensor:
        """Exactly zero on every example.

        Shape:
            - Output: :math:`(C)`, bool.
        """
        return self.zero_share == 1

    def blocked(self, share: float = 0.99) -> Tensor:
        """Units whose slope is flat on at least ``share`` of the examples, dead ReLUs among them: they hardly learn.

        Args:
            share: smallest share of the examples, from 0 to 1.

        Returns:
            A mask, True for such a unit.

        Shape:
            - Output: :math:`(C)`, bool, on the CPU.

        Example:
            >>> import torch
            >>> from labs.neurons import activity
            >>> activity(torch.nn.Tanh(), torch.tensor([[0.0, 5.0], [1.0, 6.0]]))["Tanh"].blocked()
            tensor([False,  True])
        """
        return self.flat_share >= share

    def near_dead(self, share: float = 0.99) -> Tensor:
        """Blocked units that are not dead, stay on one side of zero, and put out next to nothing on average.

        Next to nothing: a mean below ``FLAT_SLOPE`` in size. One side: else a tanh that jumps between both of its
        ends would count, because its mean is zero.

        Args:
            share: smallest share of the examples, from 0 to 1, that counts as blocked and as one side.

        Returns:
            A mask, True for such a unit.

        Shape:
            - Output: :math:`(C)`, bool, on the CPU.

        Example:
            >>> import torch
            >>> from labs.neurons import activity
            >>> activity(torch.nn.GELU(), torch.tensor([[-4.0, 1.0], [-5.0, 2.0]]))["GELU"].near_dead()
            tensor([ True, False])
        """
        one_side = (self.positive_share <= 1 - share) | (self.positive_share >= share)
        return self.blocked(share) & ~self.dead & one_side & (self.output_mean.abs() < FLAT_SLOPE)

    def saturated(self, share: float = 0.99) -> Tensor:
        """Blocked units that sit on a level other than zero, like a tanh near one, or on two, like one at both ends.

        Args:
            share: smallest share of the examples, from 0 to 1, as for :meth:`blocked` and :meth:`near_dead`.

        Returns:
            A mask, True for such a unit.

        Shape:
            - Output: :math:`(C)`, bool, on the CPU.

        Example:
            >>> import torch
            >>> from labs.neurons import activity
            >>> activity(torch.nn.Tanh(), torch.tensor([[0.0, 5.0], [1.0, -6.0]]))["Tanh"].saturated()
            tensor([False,  True])
        """
        return self.blocked(share) & ~self.dead & ~self.near_dead(share)

    @property
    def input_ratio(self) -> Tensor:
        """Variance of the pre-activation over the examples, divided by its squared mean.

        Shape:
            - Output: :math:`(C)`.
        """
        return self.std**2 / self.mean**2

    def bias_dominated(self, ratio: float = 1 / 9) -> Tensor:
        """Units whose mean pre-activation exceeds three standard deviations: for them all examples look alike.

        Args:
            ratio: bound on :attr:`input_ratio` (no unit); 1/9 stands for three standard deviations.

        Returns:
            A mask, True for such a unit.

        Shape:
            - Output: :math:`(C)`, bool, on the CPU.

        Example:
            >>> import torch
            >>> from labs.neurons import activity
            >>> activity(torch.nn.Tanh(), torch.tensor([[0.0, 5.0], [1.0, 6.0]]))["Tanh"].bias_dominated()
            tensor([False,  True])
        """
        return self.input_ratio < ratio
