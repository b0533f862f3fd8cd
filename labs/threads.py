"""Share the cores of a busy machine instead of waiting for them.

torch splits a product over all cores, and each thread spins while it waits for the slowest. That is fast on an idle
machine. When another program holds a core, the others spin for as long as that program runs: beside four such programs
on two cores, a training loop with two threads came out between three and thirty times slower than with one
(``python -m benchmarks busy``). So a long loop watches its own clock and steps down to one thread in time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

_WINDOW = 0.25  # seconds between two looks: some hundred steps of an idle machine, one or two of a choked one
# Threads that spin look busy to the clock, so an idle machine gives a share of 0.9 and more; one other program
# on two cores makes it 0.6.
_ENOUGH = 0.75


@contextmanager
def sharing_cores() -> Iterator[Callable[[], None]]:
    """Give a function to call once per step; it goes on with one thread when others need the cores.

    The sign is that this process gets less than three quarters of the processor time of its threads. The number of
    threads is put back at the end of the block. With another number of threads torch adds in another order, which
    changes the last digits; where these matter, call ``torch.set_num_threads(1)`` first: then nothing happens here.

    Returns:
        The function to call; it costs a microsecond.

    Example:
        >>> with sharing_cores() as look_around:
        ...     for _ in range(2):
        ...         look_around()
    """
    threads = torch.get_num_threads()
    if threads == 1:
        yield lambda: None
        return
    wall, busy = time.perf_counter(), time.process_time()

    def look_around() -> None:
        nonlocal wall, busy
        now = time.perf_counter()
        if now - wall < _WINDOW:
            return
        spent = time.process_time()
        if spent - busy < _ENOUGH * threads * (now - wall) and torch.get_num_threads() > 1:
            torch.set_num_threads(1)
        wall, busy = now, spent

    try:
        yield look_around
    finally:
        torch.set_num_threads(threads)
