"""Derivatives of scalars by the chain rule, backwards: what ``torch.autograd`` does, with numbers for tensors.

Each :class:`Value` remembers which values it was computed from, and its partial derivative with respect to each.
That is all :meth:`Value.backward` needs. Nothing but the standard library is used; the tests hold it against torch.
"""

from __future__ import annotations

import math


class Value:
    """A number that knows how it was made.

    Arithmetic with values and plain numbers gives values: ``+``, ``-``, ``*``, ``/`` and ``**`` with a number as
    exponent, and the methods below.

    Args:
        data: the number.
        inputs: pairs of a value that this one was computed from and the partial derivative with respect to it;
            a value that occurs twice has two pairs.
        rule: name of the operation; ``"input"`` for a number that nothing was computed for.

    Attributes:
        grad: derivative with respect to this value of what :meth:`backward` was called on; several calls add up, as
            in torch.

    Source: Baydin et al. 2018 (JMLR 18:153) for the method.

    Example:
        >>> x, y, z, w = Value(4.0), Value(-2.0), Value(5.0), Value(-1.0)
        >>> f = (x * y + z.maximum(w)) ** 2
        >>> f.backward()
        >>> f.data, x.grad, y.grad, z.grad, w.grad
        (9.0, 12.0, -24.0, -6.0, 0.0)
    """

    def __init__(
        self, data: float, inputs: tuple[tuple[Value, float], ...] = (), rule: str = "input"
    ) -> None:
        self.data, self.inputs, self.rule, self.grad = float(data), inputs, rule, 0.0

    def __repr__(self) -> str:
        return f"Value({self.data:g}, grad={self.grad:g})"

    def __add__(self, other: Value | float) -> Value:
        other = _value(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)), "+")

    def __mul__(self, other: Value | float) -> Value:
        other = _value(other)
        return Value(self.data * other.data, ((self, other.data), (other, self.data)), "*")

    def __pow__(self, exponent: float) -> Value:
        if isinstance(exponent, Value):
            raise TypeError("got a Value as exponent; wanted a number, write (b * a.log()).exp() for a ** b")
        slope = exponent * math.pow(self.data, exponent - 1) if exponent else 0.0
        return Value(math.pow(self.data, exponent), ((self, slope),), f"**{exponent:g}")

    def __truediv__(self, other: Value | float) -> Value:
        return self * _value(other) ** -1

    def __rtruediv__(self, other: float) -> Value:
        return _value(other) / self

    def __neg__(self) -> Value:
        return self * -1.0

    def __sub__(self, other: Value | float) -> Value:
        return self + -_value(other)

    def __rsub__(self, other: float) -> Value:
        return _value(other) - self

    __radd__ = __add__
    __rmul__ = __mul__

    def maximum(self, other: Value | float) -> Value:
        """Return the larger of two values; at a tie each gets half of the gradient, as in ``torch.maximum``.

        Args:
            other: a value or a number.

        Returns:
            The larger one, as a new value.

        Example:
            >>> a, b = Value(2.0), Value(2.0)
            >>> a.maximum(b).backward()
            >>> a.grad, b.grad
            (0.5, 0.5)
        """
        other = _value(other)
        first = 0.5 if self.data == other.data else float(self.data > other.data)
        return Value(max(self.data, other.data), ((self, first), (other, 1 - first)), "max")

    def relu(self) -> Value:
        """Return the value where it is positive, else zero; the slope at zero is 0, as in ``torch.relu``.

        Returns:
            A new value.

        Example:
            >>> Value(-3.0).relu().data
            0.0
        """
        return Value(max(self.data, 0.0), ((self, float(self.data > 0)),), "relu")

    def tanh(self) -> Value:
        """Return the hyperbolic tangent.

        Returns:
            A new value, between -1 and 1.

        Example:
            >>> Value(0.0).tanh().data
            0.0
        """
        t = math.tanh(self.data)
        return Value(t, ((self, 1 - t * t),), "tanh")

    def sigmoid(self) -> Value:
        """Return the logistic function, by way of tanh, which does not overflow.

        Returns:
            A new value, between 0 and 1.

        Example:
            >>> Value(0.0).sigmoid().data
            0.5
        """
        s = (1 + math.tanh(self.data / 2)) / 2
        return Value(s, ((self, s * (1 - s)),), "sigmoid")

    def exp(self) -> Value:
        """Return e to the power of the value.

        Returns:
            A new value.

        Raises:
            OverflowError: above 709.

        Example:
            >>> Value(0.0).exp().data
            1.0
        """
        e = math.exp(self.data)
        return Value(e, ((self, e),), "exp")

    def log(self) -> Value:
        """Return the natural logarithm.

        Returns:
            A new value.

        Raises:
            ValueError: zero or less.

        Example:
            >>> Value(1.0).log().data
            0.0
        """
        return Value(math.log(self.data), ((self, 1 / self.data),), "log")

    def graph(self) -> list[Value]:
        """Return the values this one was computed from, each once and after all of its inputs; itself last.

        Returns:
            The values in an order in which they can be computed. No recursion, so that long chains work too.

        Example:
            >>> x = Value(3.0)
            >>> [value.rule for value in (x * x + 1).graph()]
            ['input', 'input', '*', '+']
        """
        order, seen, waiting = [], set(), [(self, False)]
        while waiting:
            value, inputs_done = waiting.pop()
            if inputs_done:
                order.append(value)
            elif value not in seen:
                seen.add(value)
                waiting.append((value, True))
                waiting.extend((below, False) for below, _ in value.inputs)
        return order

    def backward(self) -> None:
        """Add the derivative of this value with respect to every value it was computed from to their ``grad``.

        Goes through the graph once, from the end to the inputs: when a value's turn comes, everything that uses it
        has already sent its share.

        Example:
            >>> x = Value(3.0)
            >>> (x * x + x).backward()
            >>> x.grad
            7.0
        """
        arrived = {self: 1.0}
        for value in reversed(self.graph()):
            gradient = arrived[value]
            value.grad += gradient
            for below, slope in value.inputs:
                arrived[below] = arrived.get(below, 0.0) + gradient * slope


def _value(x: Value | float) -> Value:
    return x if isinstance(x, Value) else Value(x)
