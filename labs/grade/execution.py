"""Run one submitted notebook in this process, and the grader's own checks at their places.

This is the inside of the process that may be ended at any time, so everything found is reported at once.
"""

from __future__ import annotations

import ast
import linecache
import os
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from labs.grade.limits import use_headroom
from labs.grade.placement import place_checks
from labs.grade.pristine import Pristine

_MOST_LINES, _LONGEST, _MOST_ERRORS = 40, 500, 10


class TimeUp(BaseException):
    """One statement or one check took too long. No :class:`Exception`, so that few clauses catch it."""


def run_notebook(request: Mapping, report: Callable[..., object], step: float) -> None:
    """Run the cells of a student and the checks of the grader.

    Args:
        request: ``exercise`` and the submitted ``cells``.
        report: called with the kind of each finding and its details by keyword.
        step: seconds that one statement or one check may take.
    """
    Run(request["exercise"], request["cells"], report, step).all_cells()
    report("end")


class Run:
    """One notebook while it runs.

    Args:
        exercise: the released exercise, as :meth:`labs.grade.exercises.Exercise.as_request` gives it.
        cells: of the student.
        report: called with the kind of each finding and its details by keyword.
        step: seconds that one statement or one check may take.
    """

    def __init__(
        self, exercise: Mapping, cells: list[dict], report: Callable[..., object], step: float
    ) -> None:
        self._parts = {part["name"]: part for part in exercise["parts"]}
        self._cells, self._report, self._step, self._errors = cells, report, step, 0
        self._places = place_checks(exercise["parts"], exercise["cells"], cells)
        self._pristine = Pristine(exercise["topic"])
        self._shell = _make_shell()
        self._names: dict[str, Any] = self._shell.user_ns
        self._process = os.getpid()

    def all_cells(self) -> None:
        """Run every cell; one that fails does not stop the next."""
        with self._shell.builtin_trap:
            for number, cell in enumerate(self._cells):
                if cell["kind"] == "code":
                    self._report("cell", cell=number + 1)
                    checked = self._cell(number, cell["source"])
                    self._check_all(name for name in self._places[number] if name not in checked)
                else:
                    self._check_all(self._places[number])
            self._check_all(self._places[-1])

    def _cell(self, number: int, source: str) -> set[str]:
        """Run one cell up to its first error; return the parts that were checked in it."""
        checked: set[str] = set()
        file = f"cell {number + 1}"
        try:
            with self._submission():
                code = self._shell.transform_cell(source)
                linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
                statements = ast.parse(code, file).body
            for statement in statements:
                name = self._part_called(statement)
                if name:
                    self._check_all([name])
                    checked.add(name)
                    continue
                with self._submission():
                    exec(compile(ast.Module([statement], []), file, "exec"), self._names)
        except BaseException as error:
            self._report_error(number + 1, error)
        return checked

    def _part_called(self, statement: ast.stmt) -> str | None:
        """Return the part whose check this statement is a call of: the grader's own is run in its place."""
        function = statement.value.func if _is_call(statement) else None  # type: ignore[attr-defined]
        if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name):
            return None
        owner = self._names.get(function.value.id)
        theirs = isinstance(owner, ModuleType) and str(owner.__name__).startswith("labs.checks")
        return function.attr if function.attr in self._parts and (theirs or owner is None) else None

    def _check_all(self, names: Iterator[str] | list[str]) -> None:
        for name in names:
            try:
                replaced = self._pristine.put_back()
                if replaced:
                    self._report(
                        "note", text=f"put back what was replaced: {', '.join(sorted(replaced)[:5])}"
                    )
                check = self._pristine.fresh()
                call = compile(ast.parse(self._parts[name]["call"], mode="eval"), "the check", "eval")
                with self._time_limit():
                    feedback = eval(call, self._names, {"check": check})
                self._end_copies()
                passed, lines = self._pristine.is_passed(feedback), [str(line) for line in feedback.lines]
                limit = ""
            except BaseException as error:
                why = _why_not_checked(error, self._step)
                passed, lines, limit = False, [f"[--] {why}"], _limit(error, why)
            lines = [line[:_LONGEST] for line in lines[:_MOST_LINES]]
            self._report("part", name=name, passed=passed, lines=lines, limit=limit)

    @contextmanager
    def _submission(self) -> Iterator[None]:
        """Code of the submission: without the grader's share of memory, and not for ever."""
        use_headroom(False)
        try:
            with self._time_limit():
                yield
        finally:
            self._pristine.put_back_builtins()
            use_headroom(True)
            self._end_copies()

    def _end_copies(self) -> None:
        """End here a process that the submission forked: it must not go on as a second grader."""
        if os.getpid() != self._process:
            os._exit(0)

    @contextmanager
    def _time_limit(self) -> Iterator[None]:
        def stop(number: int, frame: object) -> None:
            raise TimeUp(f"stopped after {self._step:g} seconds: does it loop for ever?")

        signal.signal(signal.SIGALRM, stop)
        # Again every second: the first may be swallowed by a clause that catches everything.
        signal.setitimer(signal.ITIMER_REAL, self._step, 1.0)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _report_error(self, cell: int, error: BaseException) -> None:
        self._errors += 1
        if self._errors <= _MOST_ERRORS:
            short = traceback.format_exception_only(type(error), error)[-1].strip()[:_LONGEST]
            short = short.removeprefix(f"{__name__}.")
            self._report("error", cell=cell, limit=_limit(error, short), short=short, text=_last_lines(error))


def _make_shell() -> Any:
    """Return an IPython without history: notebooks have magics, and the names ``display`` and ``get_ipython``."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class Shell(InteractiveShell):
        def enable_gui(self, gui: str | None = None) -> None:
            """Show no window."""

    quiet = Config()
    quiet.HistoryManager.enabled = False
    return Shell.instance(config=quiet)


def _is_call(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)


def _why_not_checked(error: BaseException, step: float) -> str:
    if isinstance(error, NameError):
        return f"{error}: its cell stopped, or is missing"
    if isinstance(error, TimeUp):
        return f"the check was stopped after {step:g} seconds: does your code loop for ever?"
    return f"the check stopped with {type(error).__name__}: {str(error)[:_LONGEST]}"


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
    return "".join(line[:_LONGEST] + ("\n" if len(line) > _LONGEST else "") for line in lines)
