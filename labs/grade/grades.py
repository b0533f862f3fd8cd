"""What a submission has earned, and the table of all grades, which is whole at every moment."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from labs.files import replacing
from labs.grade.exercises import Exercise
from labs.grade.submissions import Submission

#: What ``status`` says.
STATUSES = {
    "ok": "every cell ran to its end",
    "errors": "some cells stopped with an error; all others were run and checked",
    "time": "the whole, or a part of it, was stopped at a limit of time",
    "memory": "the whole, or a part of it, met the limit of memory",
    "crashed": "the process ended before the notebook did; what was checked until then counts",
    "unreadable": "no notebook, or none of a known exercise: nothing was run",
    "not graded": "the grader failed, not the submission; run the same command again",
}
_FIRST = ("file", "student", "exercise", "points", "out_of", "status", "seconds", "message")
_LAST = ("fingerprint",)
_FORMULA = re.compile(r"^[\s']*[=+\-@|]|^[\t\r]")


@dataclass(frozen=True)
class PartGrade:
    """What became of one part.

    Args:
        name: of its check.
        heading: of its exercise.
        passed: whether it earned its point.
        lines: what the check said.
    """

    name: str
    heading: str
    passed: bool
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Grade:
    """What a submission has earned.

    Args:
        submission: what was handed in.
        parts: one point each.
        status: one of :data:`STATUSES`.
        seconds: that it ran.
        message: in one line, what stopped it or looks odd.
        errors: ends of tracebacks.
        printed: the end of what it printed, where the process crashed.
        confinement: by what it was shut in.
    """

    submission: Submission
    parts: tuple[PartGrade, ...]
    status: str
    seconds: float = 0.0
    message: str = ""
    errors: tuple[str, ...] = ()
    printed: str = ""
    confinement: str = ""

    @property
    def points(self) -> int:
        """How many parts are right."""
        return sum(part.passed for part in self.parts)


def fingerprint(submission: Submission, exercise: Exercise | None) -> str:
    """Return what changes when a submission, its exercise or the code of the checks does.

    Args:
        submission: what was handed in.
        exercise: which it is of, if known.
    """
    return f"{submission.digest[:20]}-{exercise.digest[:20] if exercise else ''}"


def harmless(text: str) -> str:
    """Return text that no spreadsheet takes for a formula, in one line.

    Args:
        text: anything a student may have written.

    Example:
        >>> harmless("=1+1"), harmless("Ada")
        ("'=1+1", 'Ada')
    """
    line = "".join(c if c.isprintable() else " " for c in text)
    return f"'{line}" if _FORMULA.match(line) else line


class GradeTable:
    """The file ``grades.csv``: one row per submission, written anew and renamed after each.

    Args:
        path: of the file.
        columns: how many parts an exercise has at most.

    Raises:
        ValueError: there is a file of that name that is no such table.
    """

    def __init__(self, path: Path, columns: int) -> None:
        self.path = path
        self._fields = [*_FIRST, *(f"part_{n + 1}" for n in range(columns)), *_LAST]
        self._rows: dict[str, dict[str, str]] = {}
        self._order: list[str] = []

    def read(self) -> dict[str, dict[str, str]]:
        """Return the rows that an earlier run left, by file.

        Raises:
            ValueError: the file is no table of grades, or somebody has added to it.
        """
        if not self.path.exists():
            return {}
        try:
            with open(self.path, encoding="utf-8-sig", newline="") as file:
                rows = csv.DictReader(file)
                if set(rows.fieldnames or ()) - set(self._fields) or not set(_FIRST) <= set(
                    rows.fieldnames or ()
                ):
                    raise ValueError("it has other columns")
                return {row["file"]: row for row in rows}
        except (ValueError, csv.Error) as error:
            raise ValueError(
                f"{str(self.path)!r} is not the table this command would write ({error}); "
                "it is left as it is: move it away, or name another folder with --output"
            ) from None

    def begin(self, files: Sequence[str]) -> None:
        """Say which rows there will be, and in which order.

        Args:
            files: of all submissions.
        """
        self._order = [harmless(file) for file in files]

    def keep(self, row: Mapping[str, str], *, outdated: bool = False) -> None:
        """Take over a row of an earlier run.

        Args:
            row: as :meth:`read` returns it.
            outdated: it stays only until there is a new grade; the message says so.
        """
        if outdated and row["fingerprint"]:
            message = "; ".join(filter(None, ("of an earlier run", row["message"])))
            row = {**row, "fingerprint": "", "message": message}
        self._rows[row["file"]] = dict(row)

    def add(self, grade: Grade, fingerprint: str) -> None:
        """Add a grade; :meth:`write` puts it into the file.

        Args:
            grade: of one submission.
            fingerprint: as :func:`fingerprint` returns it.
        """
        told = grade.submission
        row = {
            "file": told.file,
            "student": told.student,
            "exercise": told.exercise,
            "message": grade.message,
        }
        row = {name: harmless(text) for name, text in row.items()}
        row |= {"points": str(grade.points), "out_of": str(len(grade.parts)), "status": grade.status}
        row |= {f"part_{n}": str(int(part.passed)) for n, part in enumerate(grade.parts, 1)}
        self._rows[row["file"]] = row | {"seconds": f"{grade.seconds:.1f}", "fingerprint": fingerprint}

    def write(self) -> None:
        """Write all rows there are so far; those of files that are gone come last.

        Raises:
            OSError: it cannot be written; the file then is as it was.
        """
        with (
            replacing(self.path) as temporary,
            open(temporary, "w", encoding="utf-8-sig", newline="") as file,
        ):
            table = csv.DictWriter(file, self._fields, restval="", extrasaction="ignore")
            table.writeheader()
            table.writerows(self._rows[name] for name in self._order if name in self._rows)
            table.writerows(self.gone())

    def gone(self) -> list[dict[str, str]]:
        """Return the rows of an earlier run whose files are not there any more."""
        there = set(self._order)
        return [row for name, row in self._rows.items() if name not in there]

    def statuses(self) -> dict[str, int]:
        """Return how many of the submissions that are there have which status."""
        found = [self._rows[name]["status"] for name in self._order if name in self._rows]
        return {status: found.count(status) for status in STATUSES if status in found}
