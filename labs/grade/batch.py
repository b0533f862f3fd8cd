"""Grade a folder: read everything, run each submission once, and keep each grade from the moment it is known."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from labs.grade.exercises import Exercise
from labs.grade.feedback import feedback_path, write_feedback
from labs.grade.grades import Grade, GradeTable, fingerprint, harmless
from labs.grade.judging import judge, not_graded, unreadable
from labs.grade.limits import Limits
from labs.grade.submissions import Submission
from labs.grade.workers import end_supervisor, grade_one
from labs.progress import progress_bar

_ROUNDS = 2  # a worker that is killed takes down what ran beside it, which is then run again


@dataclass(kw_only=True)
class Batch:
    """A folder of submissions and where their grades go.

    Args:
        submissions: all of them, read.
        exercises: by name.
        output: folder of ``grades.csv`` and ``feedback/``.
        limits: for each submission.
        hidden: folders that no submission may look into, where the kernel allows to hide them.
        jobs: processes at a time; a cluster decides for itself.
        fresh: grade again what has a grade.
    """

    submissions: Sequence[Submission]
    exercises: dict[str, Exercise]
    output: Path
    limits: Limits = field(default_factory=Limits)
    hidden: Sequence[Path] = ()
    jobs: int = 1
    fresh: bool = False

    def run(self) -> GradeTable:
        """Grade what has no grade yet.

        Returns:
            The table, complete.

        Raises:
            OSError: the output cannot be written; what was finished before is kept.
            ValueError: the table of an earlier run is not one.
        """
        self.output.mkdir(parents=True, exist_ok=True)
        table = GradeTable(self.output / "grades.csv", max(len(e.parts) for e in self.exercises.values()))
        earlier = table.read()
        table.begin([submission.file for submission in self.submissions])
        missing = []
        for submission in self.submissions:
            row = earlier.pop(harmless(submission.file), None)
            current = row and not self.fresh and self._is_current(submission, row)
            if row:
                table.keep(row, outdated=not current)
            if not current:
                missing.append(submission)
        for row in earlier.values():
            table.keep(row)
        table.write()
        with (
            warnings.catch_warnings(),
            progress_bar(len(missing), "grading") as tick,
            contextlib.closing(self._grades(missing)) as grades,
        ):
            # What is under way when we stop is graded by the next run, so joblib's word on it is no news.
            warnings.filterwarnings("ignore", "[0-9]+ tasks which were still being processed")
            for grade in grades:
                write_feedback(grade, self.output / "feedback")
                table.add(grade, self._fingerprint(grade.submission))
                table.write()
                tick()
        return table

    def _fingerprint(self, submission: Submission) -> str:
        return fingerprint(submission, self.exercises.get(submission.exercise))

    def _is_current(self, submission: Submission, row: dict[str, str]) -> bool:
        kept = feedback_path(self.output / "feedback", submission.file).is_file()
        same = (
            row.get("fingerprint") == self._fingerprint(submission) and row["exercise"] == submission.exercise
        )
        return kept and same and row["status"] != "not graded"

    def _grades(self, missing: Sequence[Submission]) -> Iterator[Grade]:
        twins = _twins(self.submissions)
        waiting = {}
        for number, submission in enumerate(missing):
            if submission.problem or submission.cells is None:
                yield unreadable(submission, self.exercises.get(submission.exercise))
            else:
                waiting[number] = submission
        trouble = ""
        for _ in range(_ROUNDS):
            try:
                for outcome in self._outcomes(waiting):
                    submission = waiting.pop(outcome["number"])
                    yield self._grade(submission, outcome, twins.get(submission.file, ""))
            except OSError:
                raise
            except Exception as error:  # joblib's and Dask's own, when a worker is lost
                trouble = f"{type(error).__name__}: {error}"
            if not waiting:
                return
        for submission in waiting.values():
            yield not_graded(
                submission, self.exercises[submission.exercise], trouble or "no answer came back"
            )

    def _outcomes(self, waiting: dict[int, Submission]) -> Iterator[dict]:
        from joblib import Parallel, delayed

        shared = {"hidden": [str(path) for path in self.hidden], "limits": asdict(self.limits)}
        requests = (
            {"number": n, "cells": s.cells, "exercise": self.exercises[s.exercise].as_request(), **shared}
            for n, s in list(waiting.items())
        )
        parallel = Parallel(
            n_jobs=self.jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs"
        )
        try:
            yield from parallel(delayed(grade_one)(request) for request in requests)
        finally:
            end_supervisor()  # with one job it is a child of this very process

    def _grade(self, submission: Submission, outcome: dict, twin: str) -> Grade:
        exercise = self.exercises[submission.exercise]
        if "trouble" in outcome:
            return not_graded(submission, exercise, outcome["trouble"])
        return judge(submission, exercise, outcome["reply"], asdict(self.limits), twin)


def _twins(submissions: Sequence[Submission]) -> dict[str, str]:
    """Say of each file that is not the only one of its content, or of its student, which others there are."""
    sentences: dict[str, str] = {}
    for submission in submissions:
        others = [s for s in submissions if s is not submission and not s.problem]
        same = [s.file for s in others if s.digest == submission.digest]
        again = [
            s.file for s in others if (s.student, s.exercise) == (submission.student, submission.exercise)
        ]
        for files, words in ((same, "the same file as"), (again, "this student also handed in")):
            if files and submission.file not in sentences:
                sentences[submission.file] = f"{words} {', '.join(files[:3])}"
    return sentences
