"""The Hessian of the loss as something that multiplies a vector, never written down as a matrix."""

from __future__ import annotations

import math
import operator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from labs.data import ImageData, PointData
from labs.measuring import matching_examples, measuring, trainable_parameters


# Why no library: curvlinops does all this well and much more, but is one more thing to pin, with what it brings, for
# four Pythons, while the double backward pass below is a dozen lines that a reader can check. Why no subclass of
# scipy's LinearOperator: it would load scipy with labs, and scipy takes whatever has shape, dtype and matvec.
class HessianOperator:
    r"""The Hessian :math:`H` of the mean cross-entropy of ``model`` on ``data``; ``hessian @ v`` is :math:`Hv`.

    Exact up to rounding: the gradient is differentiated once more along :math:`v`, which costs about as much as
    two gradients and never forms the matrix. The rows and columns are the trainable parameters, laid end to end
    in the order of :func:`labs.landscape.trainable_parameters`.

    With kinked activations (ReLU and its family) this is the Hessian wherever it exists, that is almost
    everywhere. Such a network is piecewise linear in the weights of any one layer, so within a layer only the
    Gauss-Newton part of the curvature is left; between layers the network's own second derivatives count. What
    the kinks themselves bend is invisible to any second derivative.

    scipy's sparse solvers take the object as it is, as ``scipy.sparse.linalg.aslinearoperator`` does.

    Args:
        model: a classifier that returns logits; it is measured in eval mode and left as it was. Its parameters
            are read at each product.
        data: the examples that the loss is averaged over.
        batch_size: examples per pass; bounds the memory and changes nothing else.

    Shape:
        - ``hessian @ v``: :math:`(P)` or :math:`(P, k)` for a ``v`` of that shape, with :math:`P` trainable
          parameters; in the floating-point type of ``v``, on the device of the model.

    Raises:
        TypeError: ``data`` is no data set.
        ValueError: no examples, no trainable parameter, a batch size below one, or a vector of another length.
        FloatingPointError: the loss or the product is not finite.

    Source: Pearlmutter (1994), "Fast exact multiplication by the Hessian", Neural Computation 6.

    Example:
        >>> from labs.data import make_moons
        >>> hessian = HessianOperator(nn.Linear(2, 2), make_moons(100))
        >>> hessian.shape
        (6, 6)
        >>> matrix = hessian @ torch.eye(6)
        >>> torch.allclose(matrix, matrix.T)
        True
    """

    def __init__(self, model: nn.Module, data: ImageData | PointData, *, batch_size: int = 2000) -> None:
        if operator.index(batch_size) < 1:
            raise ValueError(f"batch_size is {batch_size}; wanted at least 1")
        self.model, self.batch_size = model, batch_size
        self._size = sum(p.numel() for p in trainable_parameters(model).values())
        self._inputs, self._labels = matching_examples(model, data)

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows and that of columns, both that of the trainable parameters."""
        return (self._size, self._size)

    @property
    def dtype(self):
        """The number type in which scipy calculates, float64 for every model."""
        import numpy

        return numpy.dtype(float)

    @property
    def device(self) -> torch.device:
        """Where the model was when this was made, and where the products are."""
        return self._inputs.device

    def __matmul__(self, other: Tensor) -> Tensor:
        if not isinstance(other, Tensor):
            raise TypeError(
                f"got a {type(other).__name__}; wanted a tensor, or call matvec for a numpy array"
            )
        if other.dim() == 2 and len(other) == self._size:
            return torch.stack([self._product(column) for column in other.unbind(dim=1)], dim=1)
        return self._product(other)

    def matvec(self, vector):
        """Return :math:`Hv` as a numpy array of float64, for scipy.

        Args:
            vector: a numpy array.

        Shape:
            - vector: :math:`(P)` or :math:`(P, 1)`; output: :math:`(P)`.

        Raises:
            ValueError, FloatingPointError: as for the class.

        Example:
            >>> from labs.data import make_moons
            >>> import numpy
            >>> HessianOperator(nn.Linear(2, 2), make_moons(100)).matvec(numpy.ones(6)).shape
            (6,)
        """
        flat = torch.as_tensor(vector, dtype=torch.float64).reshape(-1)
        return self._product(flat).cpu().numpy()

    rmatvec = matvec  # a Hessian is symmetric

    def _product(self, vector: Tensor) -> Tensor:
        if vector.shape != (self._size,):
            raise ValueError(
                f"got a vector of shape {tuple(vector.shape)}; wanted ({self._size},), one number for each "
                "trainable parameter"
            )
        parameters = list(trainable_parameters(self.model).values())
        pieces = vector.to(self.device, parameters[0].dtype).split([p.numel() for p in parameters])
        # Sums over batches in float64, so that the batch size cannot be seen in the result.
        total = torch.zeros(self._size, dtype=torch.float64, device=self.device)
        loss_sum = torch.zeros((), dtype=torch.float64, device=self.device)
        with measuring(self.model):
            for inputs, labels in zip(
                self._inputs.split(self.batch_size), self._labels.split(self.batch_size), strict=True
            ):
                loss = F.cross_entropy(self.model(inputs), labels, reduction="sum")
                loss_sum += loss.detach()
                total += _differentiate_twice(loss, parameters, pieces)
        if not math.isfinite(loss_sum) or not math.isfinite(total.sum()):
            raise FloatingPointError(
                f"the loss is {loss_sum / len(self._labels):.4g} nats and its Hessian product is "
                f"{'finite' if math.isfinite(total.sum()) else 'not finite'}; wanted both finite: "
                "look for NaN or overflow in the weights and the vector"
            )
        return (total / len(self._labels)).to(vector.dtype)


def _differentiate_twice(loss: Tensor, parameters: list[nn.Parameter], pieces: tuple[Tensor, ...]) -> Tensor:
    along = loss
    if loss.requires_grad:
        gradients = torch.autograd.grad(loss, parameters, create_graph=True, materialize_grads=True)
        along = sum((g * v.view_as(g)).sum() for g, v in zip(gradients, pieces, strict=True))
    if not along.requires_grad:  # nothing depends on the parameters, as behind a step function
        return torch.cat([torch.zeros_like(v) for v in pieces])
    products = torch.autograd.grad(along, parameters, materialize_grads=True)
    return torch.cat([p.reshape(-1) for p in products])


def hessian_vector_product(
    model: nn.Module, data: ImageData | PointData, vector: Tensor, *, batch_size: int = 2000
) -> Tensor:
    r"""Return :math:`Hv`, with :math:`H` the Hessian of the mean cross-entropy [nats] of ``model`` on ``data``.

    For several products with the same Hessian make a :class:`HessianOperator` once.

    Args:
        model, data, batch_size: as for :class:`HessianOperator`.
        vector: one number for each trainable parameter, or several such columns.

    Returns:
        The product [nats per squared parameter, times the unit of ``vector``], in the floating-point type of
        ``vector``, on the device of the model.

    Shape:
        - vector and output: :math:`(P)` or :math:`(P, k)`.

    Raises:
        TypeError, ValueError, FloatingPointError: as for :class:`HessianOperator`.

    Source: Pearlmutter (1994), "Fast exact multiplication by the Hessian", Neural Computation 6.

    Example:
        Equal steps on all logits change no probability: the loss is flat along them.

        >>> from labs.data import make_moons
        >>> hessian_vector_product(nn.Linear(2, 2), make_moons(100), torch.ones(6)).abs().max() < 1e-6
        tensor(True)
    """
    return HessianOperator(model, data, batch_size=batch_size) @ vector
