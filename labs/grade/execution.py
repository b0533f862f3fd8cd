"""Run one submitted notebook in this process, and the grader's own checks at their places.

This is the inside of the process that may be ended at any time, so everything found is reported at once.
"""

from __future__ import annotations

import ast
import linecache
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from labs.grade.errors import LONGEST, TimeUp, tell, why_not_checked
from labs.grade.limits import use_headroom
from labs.grade.placement import place_checks
from labs.grade.pristine import Pristine

_MOST_LINES, _MOST_ERRORS = 40, 10


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
                why, limit = self._ask(why_not_checked, error) or ("the check stopped with an error", "")
                passed, lines = False, [f"[--] {why}"]
            lines = [line[:LONGEST] for line in lines[:_MOST_LINES]]
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
            _reopen_streams()
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
            short, limit, text = self._ask(tell, error) or ("an error that cannot be shown", "", "")
            self._report("error", cell=cell, limit=limit, short=short, text=text)

    def _ask(self, question: Callable[[BaseException, float], Any], error: BaseException) -> Any:
        """Ask about an error; what answers may be code of the submission, so it may fail or take for ever."""
        try:
            with self._time_limit():
                return question(error, self._step)
        except BaseException:
            return None


def _make_shell() -> Any:
    """Return an IPython without history: notebooks have magics, and the names ``display`` and ``get_ipython``."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class Shell(InteractiveShell):
        def enable_gui(self, gui: str | None = None) -> None:
            """Show no window."""

        def ask_exit(self) -> None:
            raise SystemExit

    quiet = Config()
    quiet.HistoryManager.enabled = False
    return Shell.instance(config=quiet)


def _is_call(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)


def _reopen_streams() -> None:
    """Make printing possible again where the submission has closed or removed what it goes to."""
    for name in ("stdout", "stderr"):
        if getattr(getattr(sys, name, None), "closed", True):
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
