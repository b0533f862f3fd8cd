"""Fixtures for every test: what a machine can lack is looked for here, and skipped with one line."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RAW_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
NO_FASHION_MNIST = (
    "no Fashion-MNIST on this machine (set LABS_DATA to the folder that holds FashionMNIST/raw)"
)
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


def find_fashion_mnist() -> Path | None:
    """Return the folder that holds ``FashionMNIST/raw``, or None; never download.

    ``$LABS_DATA`` decides alone when it is set; otherwise the folder where ``labs`` keeps its downloads.
    """
    if os.environ.get("LABS_DATA"):
        folder = Path(os.environ["LABS_DATA"]).expanduser()
    else:
        from labs.data import data_root

        folder = data_root()
    raw = folder / "FashionMNIST" / "raw"
    complete = all((raw / name).is_file() for name in RAW_FILES)
    return folder if complete else None


@pytest.fixture(scope="session")
def fashion_mnist_root() -> Path:
    """The folder that holds ``FashionMNIST/raw``; skips the test where the data is not on this machine."""
    folder = find_fashion_mnist()
    if folder is None:
        pytest.skip(NO_FASHION_MNIST)
    return folder


def find_chromium() -> str | None:
    """Return the path of a Chromium: ``$CHROMIUM``, else the system's; None where there is none."""
    wanted = os.environ.get("CHROMIUM")
    if wanted is not None:
        return shutil.which(wanted) if wanted else None
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the system's Chromium; skips the test where there is none."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on this machine (install the package chromium, or set CHROMIUM to its path)")
    return path


@pytest.fixture
def full_disk():
    """A context manager within which no file of this process can grow beyond some bytes, as on a full disk."""
    resource = pytest.importorskip("resource", reason="this system does not limit the size of files")

    @contextmanager
    def limited(size):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited


@pytest.fixture(scope="module")
def one_thread():
    """One thread for torch: small networks gain nothing from a second one, and lose much on a busy machine."""
    import torch  # here, for many tests do without

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
