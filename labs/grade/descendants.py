"""All processes that this one has started, and those that they have: count them, weigh them, end them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable

import psutil


def descendants() -> list[psutil.Process]:
    """Return them all; this goes through every process of the machine.

    Example:
        >>> isinstance(descendants(), list)
        True
    """
    return psutil.Process().children(recursive=True)


def take_more(processes: Iterable[psutil.Process], allowed: int) -> bool:
    """Say whether processes take more memory together, with what they share counted once where the system tells.

    Args:
        processes: any.
        allowed: bytes.

    Example:
        >>> take_more(descendants(), 2**60)
        False
    """

    def total(kind: str) -> int:
        found = 0
        for process in processes:
            with contextlib.suppress(psutil.Error):
                found += getattr(process.memory_full_info() if kind == "pss" else process.memory_info(), kind)
        return found

    # The cheap number is too large after a fork, the exact one takes a hundred times as long.
    return total("rss") > allowed and (not psutil.LINUX or total("pss") > allowed)


def end_all() -> None:
    """End them all, also those that have left their session."""
    for _ in range(1000):  # each round catches what was started during the last
        left = descendants()
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not left:
            return
        time.sleep(0.01)
