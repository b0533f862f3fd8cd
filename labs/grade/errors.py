"""Put an error of a submission into words.

An error is made by the submission, and so may be what it says of itself: ask only within a limit of time.
"""

from __future__ import annotations

import traceback

LONGEST = 500  # characters of one line


class TimeUp(BaseException):
    """One statement or one check took too long. No :class:`Exception`, so that few clauses catch it."""


def why_not_checked(error: BaseException, step: float) -> tuple[str, str]:
    """Return why a check came to no verdict, and the limit that the error tells of, if any.

    Args:
        error: what came out of the check.
        step: seconds that it might have taken.

    Example:
        >>> why_not_checked(NameError("name 'a' is not defined"), 15.0)
        ("name 'a' is not defined: its cell stopped, or is missing", '')
    """
    why = f"the check stopped with {type(error).__name__}: {str(error)[:LONGEST]}"
    if isinstance(error, NameError):
        why = f"{error}: its cell stopped, or is missing"
    if isinstance(error, TimeUp):
        why = f"the check was stopped after {step:g} seconds: does your code loop for ever?"
    return why, _limit(error, why)


def tell(error: BaseException, step: float) -> tuple[str, str, str]:
    """Return an error in one line, the limit it tells of, if any, and the end of its traceback.

    Args:
        error: what came out of a cell.
        step: not needed; with it all questions about an error are asked alike.

    Example:
        >>> tell(MemoryError(), 15.0)[:2]
        ('MemoryError', 'memory')
    """
    short = traceback.format_exception_only(type(error), error)[-1].strip()[:LONGEST]
    short = short.removeprefix(f"{__name__}.")
    return short, _limit(error, short), _last_lines(error)


def _limit(error: BaseException, text: str) -> str:
    """Return which limit the error tells of, or nothing."""
    if isinstance(error, TimeUp):
        return "time"
    memory = isinstance(error, MemoryError) or "can't allocate memory" in text  # so says torch
    return "memory" if memory else ""


def _last_lines(error: BaseException) -> str:
    """Return the end of the traceback: the frames of the notebook, and the last one wherever it is."""
    if isinstance(error, SyntaxError):
        return "".join(traceback.format_exception_only(type(error), error))
    frames = traceback.extract_tb(error.__traceback__)
    kept = [f for f in frames if f.filename.startswith("cell ")][-3:]
    if frames and frames[-1] not in kept and not isinstance(error, TimeUp):
        kept.append(frames[-1])
    lines = traceback.format_list(kept) + traceback.format_exception_only(type(error), error)
    return "".join(line[:LONGEST] + ("\n" if len(line) > LONGEST else "") for line in lines)
