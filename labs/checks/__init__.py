"""Checks for the exercises: they say what is right, what is not yet, and give a hint; they never raise.

One module per chapter holds one function per exercise. In a notebook::

    from labs.checks import dead_neurons as check
    check.mask_by_hand(answer)

A check prints, because a student wants to read it at once, and returns a :class:`Feedback`, because a grader wants
to count it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_NOT_YET = "Nothing to check yet: write your answer in place of the three dots, run the cell, and come back."


@dataclass(frozen=True)
class Feedback:
    """What a check found: whether everything is right, and the lines it printed.

    Attributes:
        passed: whether everything is right; also what the feedback is as a truth value.
        lines: what was printed, line by line.

    Example:
        >>> bool(Feedback(True, ("[ok] the shape is (5,)",)))
        True
    """

    passed: bool
    lines: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.passed

    def _ipython_display_(self) -> None:
        """Show nothing: the check has printed already."""


class Sheet:
    """Collects the findings of one check and prints them at the end.

    Example:
        >>> sheet = Sheet()
        >>> sheet.right("the shape is (5,)")
        >>> sheet.wrong("two entries differ", "look at the second batch")
        >>> feedback = sheet.hand_back()
        [ok] the shape is (5,)
        [--] two entries differ
             Hint: look at the second batch
        >>> feedback.passed
        False
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._passed = True

    def right(self, finding: str) -> None:
        """Note something that is as it should be.

        Args:
            finding: what is right, in a few words.

        Example:
            >>> sheet = Sheet()
            >>> sheet.right("the shape is (5,)")
            >>> sheet.hand_back().passed
            [ok] the shape is (5,)
            True
        """
        self._lines.append(f"[ok] {finding}")

    def wrong(self, finding: str, hint: str = "") -> None:
        """Note something that is not yet right, and how to go on.

        Args:
            finding: what is not right, in a few words.
            hint: what to look at next; printed below the finding, and left out if empty.

        Example:
            >>> sheet = Sheet()
            >>> sheet.wrong("two entries differ")
            >>> sheet.hand_back().passed
            [--] two entries differ
            False
        """
        self._passed = False
        self._lines.append(f"[--] {finding}")
        if hint:
            self._lines.append(f"     Hint: {hint}")

    def hand_back(self) -> Feedback:
        """Print the findings and return them. A sheet without findings has not been passed.

        Returns:
            The findings as a :class:`Feedback`; passed if there is at least one and none is wrong.

        Example:
            >>> feedback = Sheet().hand_back()
            Nothing to check yet: write your answer in place of the three dots, run the cell, and come back.
        """
        lines = tuple(self._lines) or (_NOT_YET,)
        print("\n".join(lines))
        return Feedback(self._passed and bool(self._lines), lines)

    def not_yet(self) -> Feedback:
        """Say kindly that there is no answer so far.

        Returns:
            A :class:`Feedback` that has not passed; earlier findings are dropped.

        Example:
            >>> feedback = Sheet().not_yet()
            Nothing to check yet: write your answer in place of the three dots, run the cell, and come back.
        """
        self._lines, self._passed = [_NOT_YET], False
        return self.hand_back()

    def call(self, function: Callable, *arguments: Any) -> Any:
        """Return what a student's function returns; if it raises, note the error and return ``None``.

        Args:
            function: what the student wrote.
            arguments: what to call it with, by position.

        Returns:
            What the function returned; ``None`` after an error, which makes the sheet not passed.

        Example:
            >>> Sheet().call(len, [1, 2])
            2
        """
        try:
            return function(*arguments)
        except Exception as error:
            name = getattr(function, "__name__", "your function")
            self.wrong(
                f"{name} stopped with {type(error).__name__}: {error}", "call it yourself on a small example"
            )
            return None


def is_missing(answer: Any) -> bool:
    """Return whether ``answer`` is the untouched starter: three dots, or nothing.

    Args:
        answer: what stands in the notebook where the student should write.

    Returns:
        True for ``...`` and ``None``, which a function whose body is ``...`` returns.

    Example:
        >>> is_missing(...), is_missing(0)
        (True, False)
    """
    return answer is ... or answer is None
