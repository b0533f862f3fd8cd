"""A headless Chromium for what only a browser can do: set formulas, draw a picture, print."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class DownloadError(RuntimeError):
    """Something that a download needs is missing or broken; the text says what came, was wanted, and to do."""


def find_chromium() -> str:
    """Return the path of a Chromium: ``$CHROMIUM``, else the system's.

    Raises:
        DownloadError: there is none.
    """
    wanted = os.environ.get("CHROMIUM")
    names = (wanted,) if wanted is not None else NAMES
    path = next(filter(None, map(shutil.which, filter(None, names))), None)
    if path is None:
        raise DownloadError(
            f"no Chromium found as {' or '.join(repr(name) for name in names)}; it sets the formulas and prints. "
            "Install it (Debian, Ubuntu: apt install chromium), or set CHROMIUM to its path"
        )
    return path


@contextmanager
def blank_page(**options: Any) -> Iterator[Any]:
    """Give an empty page of a Chromium that asks no other host for anything, in a ``with`` block.

    Args:
        options: what Playwright's ``new_page`` takes, such as ``viewport``.

    Raises:
        DownloadError: Chromium or Playwright is missing.
    """
    path = find_chromium()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise DownloadError("playwright is not installed; run: make .venv/compute.stamp") from error
    # As root, Chromium refuses to start inside its own sandbox.
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    offline = [
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--no-proxy-server",
        "--disable-background-networking",
    ]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=[*offline, *sandbox])
        page = browser.new_page(**options)
        page.set_default_timeout(0)  # a whole book takes its time
        yield page
        browser.close()
