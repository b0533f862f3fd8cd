"""Shut a submission in, with the strongest means that this system offers without root."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from labs.grade import audit, landlock, namespaces

MEANS = ("namespaces", "landlock", "python")


@dataclass(frozen=True)
class Confinement:
    """By what a submission is kept from the network and from other people's files.

    Args:
        network: what cuts off the network, in words.
        files: what keeps it from writing outside its folder, in words.

    Example:
        >>> Confinement("a network namespace", "a read-only view of the files").files
        'a read-only view of the files'
    """

    network: str
    files: str


_IN_PYTHON = "Python alone, which C code can get around"
_FOUND = {
    "namespaces": Confinement("a network namespace of the kernel", "a read-only view of the kernel"),
    "landlock": Confinement(
        f"Landlock of the kernel for TCP, for the rest {_IN_PYTHON}", "Landlock of the kernel"
    ),
    "python": Confinement(_IN_PYTHON, _IN_PYTHON),
}


@cache
def strongest() -> str:
    """Return the strongest of :data:`MEANS` that works here, found by trying in a process of its own.

    ``$LABS_GRADE_CONFINEMENT`` names another one, to try it out.

    Example:
        >>> strongest() in MEANS
        True
    """
    asked = os.environ.get("LABS_GRADE_CONFINEMENT")
    if asked and asked not in MEANS:
        raise ValueError(f"LABS_GRADE_CONFINEMENT is {asked!r}; choose one of: {', '.join(MEANS)}")
    return asked or next(means for means in MEANS if means == "python" or _works(means))


def confine(
    work: Path, note: Callable[[str], object], *, hidden: Iterable[Path] = (), disk: int = 2**30
) -> Confinement:
    """Shut this process in, for good; with namespaces it returns in a child.

    Args:
        work: the folder of the submission, the only one it may write in.
        note: called with a sentence for each thing refused.
        hidden: folders that shall look empty, where namespaces allow it.
        disk: bytes of all files together, where namespaces allow it.

    Returns:
        What was used.

    Raises:
        OSError: the means that :func:`strongest` found do not work after all.
    """
    means = strongest()
    tcp = True
    if means == "namespaces":
        namespaces.enter(work, hidden, disk=disk)
    elif means == "landlock":
        tcp = landlock.lock(work)
    alone = means == "python"
    audit.refuse(work, note, programs=alone, signals=means != "namespaces")
    found = _FOUND[means]
    return found if tcp else Confinement(_IN_PYTHON, found.files)


def _works(means: str) -> bool:
    """Try in a process that is thrown away: what is half done cannot be undone."""
    with tempfile.TemporaryDirectory(prefix="grade-") as folder:
        child = os.fork()
        if not child:
            code = 1
            try:
                if means == "namespaces":
                    namespaces.enter(Path(folder), (), disk=2**20)
                else:
                    landlock.lock(Path(folder))
                # Root without its privileges may no longer be able to read what belongs to others.
                Path(folder, "trial").touch()
                code = 0 if os.access(__file__, os.R_OK) else 1
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        return status == 0
