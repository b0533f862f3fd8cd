"""The outermost eigenvalues of the loss Hessian, and the directions that belong to them."""

from __future__ import annotations

import operator

import torch
from torch import Tensor, nn

from labs.data import ImageData, PointData
from labs.hessian import HessianOperator
from labs.measuring import trainable_parameters
from labs.progress import progress_bar
from labs.seeds import make_generator

_ENDS = {"largest": "LA", "smallest": "SA", "both": "BE"}
# Restarts of the eigenvalue solver, of some twenty products each; scipy's own limit, ten per parameter, is days.
_RESTARTS = 300


def top_eigenpairs(
    model: nn.Module,
    data: ImageData | PointData,
    k: int = 1,
    *,
    which: str = "largest",
    generator: torch.Generator | None = None,
    batch_size: int = 2000,
    progress: bool = True,
) -> tuple[Tensor, Tensor]:
    """Return the outermost eigenvalues of the loss Hessian [nats per squared parameter] with their eigenvectors.

    Found by the implicitly restarted Lanczos method of ``scipy.sparse.linalg.eigsh`` on a
    :class:`HessianOperator`. A float64 model gives about eight digits, a float32 model four or five.

    Args:
        model, data, batch_size: as for :class:`HessianOperator`.
        k: how many; with ``which="both"`` from each end.
        which: ``"largest"``, ``"smallest"`` (the most negative) or ``"both"``.
        generator: draws the start vector; by default the same one each time.
        progress: show a bar when it takes more than two seconds.

    Returns:
        The eigenvalues from the largest to the smallest, float64 on the CPU, and the unit eigenvectors, whose
        largest component is made positive, as the model's floating-point type on its device.

    Shape:
        - values: :math:`(k)`; vectors: :math:`(P, k)`; with ``which="both"`` :math:`2k` in place of :math:`k`.

    Raises:
        TypeError, ValueError, FloatingPointError: as for :class:`HessianOperator`.
        ValueError: an unknown ``which``, or ``k`` below one or too large for the number of parameters.
        RuntimeError: the solver did not converge.

    Source: Sagun, Bottou, LeCun (2016), arXiv:1611.07476.

    Example:
        >>> from labs.data import make_moons
        >>> values, vectors = top_eigenpairs(nn.Linear(2, 2), make_moons(100), k=2)
        >>> values.shape, vectors.shape
        (torch.Size([2]), torch.Size([6, 2]))
    """
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

    if which not in _ENDS:
        raise ValueError(f"unknown which {which!r}; choose one of: {', '.join(_ENDS)}")
    hessian = HessianOperator(model, data, batch_size=batch_size)
    size = hessian.shape[0]
    most = (size - 1) // 2 if which == "both" else size - 1
    if not 1 <= operator.index(k) <= most:
        raise ValueError(
            f"k is {k}; wanted 1 to {most} for {size} trainable parameters and which={which!r}: the whole "
            f"spectrum of a tiny model is torch.linalg.eigvalsh(HessianOperator(model, data) @ torch.eye({size}))"
        )
    parameter = next(iter(trainable_parameters(model).values()))
    # The same start each time unless somebody wants another: a measurement should give the same number twice.
    generator = make_generator(0) if generator is None else generator
    start = torch.randn(size, dtype=torch.float64, generator=generator, device=generator.device)
    with progress_bar(None, "Hessian products", progress=progress) as tick:

        def product(vector):
            tick()
            return hessian.matvec(vector)

        try:
            values, vectors = eigsh(
                LinearOperator(hessian.shape, product, dtype=hessian.dtype),
                k=2 * k if which == "both" else k,
                which=_ENDS[which],
                v0=start.cpu().numpy(),
                tol=1e-8 if parameter.dtype == torch.float64 else 1e-5,
                maxiter=_RESTARTS,
            )
        except ArpackNoConvergence as error:
            raise RuntimeError(
                f"only {len(error.eigenvalues)} of the wanted eigenvalues converged in {_RESTARTS} restarts; "
                "ask for fewer, or convert the model with model.double()"
            ) from error
    order = values.argsort()[::-1].copy()
    values, vectors = torch.from_numpy(values[order]), torch.from_numpy(vectors[:, order])
    peaks = vectors.gather(0, vectors.abs().argmax(dim=0, keepdim=True))
    return values, (vectors * peaks.sign()).to(parameter.device, parameter.dtype)


def top_eigenvalues(
    model: nn.Module,
    data: ImageData | PointData,
    k: int = 1,
    *,
    which: str = "largest",
    generator: torch.Generator | None = None,
    batch_size: int = 2000,
    progress: bool = True,
) -> Tensor:
    """Return the outermost eigenvalues of the loss Hessian [nats per squared parameter], largest first.

    The largest one is the *sharpness* of the loss at this point.

    Args:
        model, data, k, which, generator, batch_size, progress: as for :func:`top_eigenpairs`.

    Returns:
        The eigenvalues that :func:`top_eigenpairs` gives.

    Shape:
        - Output: :math:`(k)`, with ``which="both"`` :math:`(2k)`; float64 on the CPU.

    Raises:
        TypeError, ValueError, FloatingPointError, RuntimeError: as for :func:`top_eigenpairs`.

    Source: Sagun, Bottou, LeCun (2016), arXiv:1611.07476.

    Example:
        The loss of a linear classifier is convex: nothing below zero, up to rounding.

        >>> from labs.data import make_moons
        >>> high, low = top_eigenvalues(nn.Linear(2, 2), make_moons(100), which="both")
        >>> bool(high > 0.1), bool(abs(low) < 1e-6)
        (True, True)
    """
    settings = {"which": which, "generator": generator, "batch_size": batch_size, "progress": progress}
    return top_eigenpairs(model, data, k, **settings)[0]
