"""Progress bars that appear only when somebody is waiting."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

# A bar that flashes by for a short loop only disturbs the page.
_PATIENCE = 2.0  # seconds


def wanted(progress: bool = True) -> bool:
    """Return whether a bar would be seen: a terminal or a notebook, outside CI, and nobody said no.

    The environment variable ``LABS_PROGRESS=0`` switches all bars off, as ``CI`` does. Notebooks whose stored
    outputs are compared need that, for a bar is output too.

    Args:
        progress: ``False`` for silence.

    Returns:
        True if a bar would be shown.

    Example:
        >>> wanted(progress=False)
        False
    """
    # Variables set to nothing count as not set, the way shells treat them.
    if not progress or os.environ.get("LABS_PROGRESS") == "0" or os.environ.get("CI"):
        return False
    return _in_notebook() or (sys.stderr is not None and sys.stderr.isatty())


@contextmanager
def progress_bar(
    total: int | None, description: str, *, progress: bool = True
) -> Iterator[Callable[[], object]]:
    """Give a function to call once per finished step; the bar shows after two seconds and leaves no trace.

    Args:
        total: number of steps, if known.
        description: a word or two in front of the bar.
        progress: ``False`` for silence.

    Returns:
        The function to call, in a ``with`` block; where no bar is wanted it does nothing.

    Example:
        >>> with progress_bar(2, "two steps", progress=False) as tick:
        ...     for _ in range(2):
        ...         _ = tick()
    """
    if not wanted(progress):
        yield lambda: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=total, desc=description, leave=False, delay=_PATIENCE) as bar:
        yield bar.update


def track(
    iterable: Iterable, description: str, progress: bool = True, *, total: int | None = None
) -> Iterator:
    """Yield everything from ``iterable`` under a progress bar; see :func:`progress_bar`.

    Args:
        iterable: anything to go through.
        description: a word or two in front of the bar.
        progress: ``False`` for silence.
        total: how many there are, for an iterable that does not know.

    Returns:
        An iterator over the same things.

    Example:
        >>> [n * n for n in track([1, 2, 3], "squares", progress=False)]
        [1, 4, 9]
    """
    if total is None and hasattr(iterable, "__len__"):
        total = len(iterable)
    with progress_bar(total, description, progress=progress) as tick:
        for item in iterable:
            yield item
            tick()


def _in_notebook() -> bool:
    # Ask IPython only where it runs already: importing it would cost more than most loops that want a bar.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None
