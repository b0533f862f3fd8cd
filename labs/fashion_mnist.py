"""The files of Fashion-MNIST: where they are, whether they are whole, and how they get here."""

from __future__ import annotations

import errno
import hashlib
import http.client
import importlib
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

#: MD5 of the four uncompressed files.
CHECKSUMS = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}

CLASS_NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip

_SILENCE = 60.0  # seconds without an answer until a download gives up; torchvision would wait for ever
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MISSING_OPERATORS = ("nms", "qnms")
_schemas: list[torch.library.Library] = []  # a definition lasts as long as its Library object


def data_root() -> Path:
    """Return the folder that holds ``FashionMNIST/raw``: ``$LABS_DATA`` if set, else the user's cache.

    The cache is ``$XDG_CACHE_HOME/nonlinear``, by default ``~/.cache/nonlinear``. The folder need not exist.

    Returns:
        The path.

    Example:
        >>> from unittest import mock
        >>> with mock.patch.dict(os.environ, LABS_DATA="clothes"):
        ...     data_root().as_posix()
        'clothes'
    """
    given = os.environ.get("LABS_DATA")
    return Path(given).expanduser() if given else _cache()


def read_split(split: str, root: str | os.PathLike | None = None) -> tuple[Tensor, Tensor]:
    """Return the pixels and labels of one split as they are in the files.

    Where ``root`` and ``$LABS_DATA`` are both silent and the cache is empty, the files are downloaded first.

    Args:
        split: ``"train"`` or ``"test"``.
        root: a folder that holds ``FashionMNIST/raw``; nothing is ever written there.

    Returns:
        The pixels and the labels, on the CPU, in the order of the files.

    Shape:
        - pixels: :math:`(N, 28, 28)`, ``uint8``, 0 to 255.
        - labels: :math:`(N)`, ``int64``.

    Raises:
        FileNotFoundError: ``root`` or ``$LABS_DATA`` is given and the files are not there.
        ValueError: a file is truncated or altered.
        ConnectionError: the download failed.
        OSError: there is no room for the files.
        PermissionError: the cache cannot be written.
    """
    given = root is not None or bool(os.environ.get("LABS_DATA"))
    folder = data_root() if root is None else Path(root).expanduser()
    missing = _missing_files(folder)
    if missing and given:
        name = "root" if root is not None else "LABS_DATA"
        way_out = "leave root out" if root is not None else "unset LABS_DATA"
        raise FileNotFoundError(
            f"no Fashion-MNIST in {str(folder)!r}, given by {name}: {', '.join(missing)} not found in "
            f"{str(_raw(folder))!r}; either give a folder that holds FashionMNIST/raw with the four "
            f"uncompressed files, or {way_out} to let labs look in its own cache and download"
        )
    if missing:
        _download(folder)
    verify(folder, replace_hint="put the original there" if given else "load again to download it anew")
    datasets = import_torchvision().datasets
    dataset = datasets.FashionMNIST(root=str(folder), train=split == "train", download=False)
    return dataset.data, dataset.targets


def verify(folder: Path, *, replace_hint: str = "load again") -> None:
    """Raise ``ValueError`` unless the four files in ``folder`` are, byte for byte, the published ones.

    Args:
        folder: holds ``FashionMNIST/raw``.
        replace_hint: what to do about a bad file, the end of the message.

    Raises:
        ValueError: a file is truncated or altered; the message names it and both checksums.
        FileNotFoundError: a file is missing.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     verify(Path(folder))
        Traceback (most recent call last):
        FileNotFoundError: ...
    """
    for name, wanted in CHECKSUMS.items():
        path = _raw(folder) / name
        found = _md5(path)
        if found != wanted:
            raise ValueError(
                f"{str(path)!r} is truncated or altered: its MD5 is {found} "
                f"({path.stat().st_size} bytes), wanted {wanted}; delete that file and {replace_hint}"
            )


def import_torchvision():
    """Import torchvision, also beside a CPU-only torch, and return it.

    A torchvision built for CUDA cannot load its compiled operators beside a CPU-only torch, and then stops at
    "operator torchvision::nms does not exist", although reading a data set needs none of them. Giving torch
    the signatures of the two operators it asks for lets the import go through; calling them still fails.

    Returns:
        The module ``torchvision``.

    Raises:
        ImportError: torchvision is not installed.
        RuntimeError: it fails for another reason than the missing operators.

    Example:
        >>> import_torchvision().datasets.FashionMNIST.__name__
        'FashionMNIST'
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        # Only after a failure: defining what a working torchvision brings itself would break that one.
        known = any(f"torchvision::{name} does not exist" in str(error) for name in _MISSING_OPERATORS)
        if _schemas or not known:
            raise
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in _MISSING_OPERATORS:
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _schemas.append(library)
    return importlib.import_module("torchvision")


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "nonlinear"


def _raw(folder: Path) -> Path:
    return folder / "FashionMNIST" / "raw"


def _missing_files(folder: Path) -> list[str]:
    return [name for name in CHECKSUMS if not (_raw(folder) / name).is_file()]


def _md5(path: Path) -> str:
    # usedforsecurity=False: machines in FIPS mode refuse MD5 otherwise; here it only finds damage.
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _download(folder: Path) -> None:
    """Fetch the files into a folder of their own, check them there, and only then move them into place."""
    with _explaining_a_read_only(folder):
        _raw(folder).mkdir(parents=True, exist_ok=True)
        workshop = tempfile.TemporaryDirectory(
            dir=_raw(folder), prefix=".download-", ignore_cleanup_errors=True
        )
    datasets = import_torchvision().datasets
    with workshop as temporary:
        temporary = Path(temporary)
        try:
            with _giving_up_after(_SILENCE):
                datasets.FashionMNIST(root=str(temporary), train=True, download=True)
            verify(temporary)
        except (OSError, RuntimeError, EOFError, ValueError, http.client.HTTPException) as error:
            if getattr(error, "errno", None) in _NO_ROOM:
                raise OSError(
                    error.errno,
                    f"no room for Fashion-MNIST ({error.strerror}), and nothing of it was kept; wanted are 90 MB: make "
                    "room and load again, or name another cache in XDG_CACHE_HOME",
                    str(folder),
                ) from error
            reason = " ".join(str(error).split())  # torchvision's has several lines
            raise ConnectionError(
                f"Fashion-MNIST could not be downloaded, and nothing of it was kept ({reason}); check the "
                "network and load again, or set LABS_DATA to a folder that holds FashionMNIST/raw with the "
                "four uncompressed files, or work with labs.data.load_digits(), which needs no download"
            ) from error
        for name in _missing_files(folder):
            os.replace(_raw(temporary) / name, _raw(folder) / name)


@contextmanager
def _explaining_a_read_only(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PermissionError(
            f"Fashion-MNIST must be downloaded, but {str(folder)!r} cannot be written ({error}); make that "
            "folder writable, name another cache in XDG_CACHE_HOME, or set LABS_DATA to a folder that holds "
            "FashionMNIST/raw"
        ) from error


@contextmanager
def _giving_up_after(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
