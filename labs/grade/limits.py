"""What one submission may use: time, memory, disk, processes and output."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass

GIB = 2**30
_HEADROOM = GIB // 2  # of memory, kept for the grader's own code after a submission has used up its share


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The most that one submission may use.

    Args:
        timeout: seconds for the whole notebook; one statement or one check may take a quarter of it.
        memory: bytes that a submission may take beyond what its imports take.
        disk: bytes of one file, and where the kernel allows of all files together.
        processes: processes at a time.
        output: bytes of what is printed that are kept; the rest is thrown away.

    Raises:
        ValueError: a limit is not above zero.

    Example:
        >>> Limits(timeout=60).step
        15.0
    """

    timeout: float = 900.0
    memory: int = 4 * GIB
    disk: int = GIB
    processes: int = 64
    output: int = 20_000

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(f"{name} is {value}; wanted a number above zero")

    @property
    def step(self) -> float:
        """Seconds for one statement of a cell, or for one check."""
        return self.timeout / 4


def parse_size(text: str) -> int:
    """Return the bytes that a size such as ``4G``, ``500M`` or ``1.5 GiB`` means.

    Args:
        text: a number and a unit, K, M, G or T, in powers of 1024.

    Returns:
        A number of bytes.

    Raises:
        ValueError: the text is no size.

    Example:
        >>> parse_size("1.5G")
        1610612736
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT])(?:i?B)?\s*", text, re.IGNORECASE)
    if not found:
        raise ValueError(f"{text!r} is no size; wanted a number with its unit, like 4G or 500M")
    return int(float(found[1]) * 1024 ** (1 + "KMGT".index(found[2].upper())))


def limit_this_process(limits: Limits) -> list[str]:
    """Put the limits of the operating system on this process and on all that it starts.

    Args:
        limits: what a submission may use.

    Returns:
        Which limits this system lacks, in words.

    Example:
        >>> limit_this_process(Limits())  # doctest: +SKIP
        []
    """
    import resource

    missing = []
    # The clock outside comes first; this is for what should outlive whoever looks at the clock.
    seconds = int(limits.timeout) + 60
    wanted = {
        "RLIMIT_CPU": (seconds, seconds),
        "RLIMIT_FSIZE": (limits.disk, limits.disk),
        "RLIMIT_CORE": (0, 0),
    }
    for name, pair in wanted.items():
        try:
            resource.setrlimit(getattr(resource, name), pair)
        except (ValueError, OSError):
            missing.append(name)
    try:
        # torch reserves much more address space than it uses, so what counts is what comes on top.
        with open("/proc/self/statm", encoding="ascii") as file:
            now = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (now + limits.memory, now + limits.memory + _HEADROOM))
    except (ValueError, OSError):
        missing.append("RLIMIT_AS: memory is watched from outside only")
    return missing


def use_headroom(allowed: bool) -> None:
    """Let this process use the memory kept for the grader's own code, or stop it from doing so.

    Args:
        allowed: True before the grader's own code, False before the submission's.
    """
    if not sys.platform.startswith("linux"):
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_AS, (hard if allowed else hard - _HEADROOM, hard))
