"""Derive the student notebooks in ``exercises/`` from the executable ``solutions/``.

``python -m tools.exercises [NAME ...]`` writes them; ``--check`` only says which are out of date.
What stands between ``# BEGIN SOLUTION`` and ``# END SOLUTION`` becomes a gap to fill; cells tagged
``solution-only`` go; outputs are cleared.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import nbformat

from tools.sources import NotebookError, find_sources, read_source, write

BEGIN, END, GAP = "# BEGIN SOLUTION", "# END SOLUTION", ("# YOUR CODE HERE", "...")


def hide_solution(code: str) -> str:
    """Return ``code`` with each marked solution replaced by a gap of the same indentation.

    Raises:
        NotebookError: a BEGIN without its END, an END without its BEGIN, or one solution inside another.

    Example:
        >>> print(hide_solution("a = 1\\n# BEGIN SOLUTION\\nb = 2\\n# END SOLUTION\\nprint(a)"))
        a = 1
        # YOUR CODE HERE
        ...
        print(a)
    """
    kept, inside = [], False
    for line in code.splitlines():
        mark = line.strip()
        if mark in (BEGIN, END) and inside == (mark == BEGIN):
            raise NotebookError(f"`{mark}` where `{BEGIN if mark == END else END}` should come first")
        if mark == BEGIN:
            inside = True
            kept += [line[: len(line) - len(line.lstrip())] + text for text in GAP]
        elif mark == END:
            inside = False
        elif not inside:
            kept.append(line)
    if inside:
        raise NotebookError(f"`{BEGIN}` without `{END}`")
    return "\n".join(kept)


def derive(source: Path) -> nbformat.NotebookNode:
    """Return the student notebook of the solutions ``source``; a source that hides nothing is an error."""
    notebook, gaps = read_source(source), 0
    notebook.cells = [c for c in notebook.cells if "solution-only" not in c.metadata.get("tags", [])]
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            try:
                student = hide_solution(cell.source)
            except NotebookError as error:
                first = cell.source.splitlines()[0]
                raise NotebookError(f"{source}, the cell that begins {first!r}: {error}") from None
            gaps += student != cell.source
            cell.source, cell.outputs, cell.execution_count = student, [], None
        cell["id"] = f"c{number:03d}-{hashlib.sha1(cell.source.encode()).hexdigest()[:8]}"
    if not gaps:
        raise NotebookError(f"{source}: nothing between `{BEGIN}` and `{END}`, so there is nothing to do")
    return notebook


def is_current(source: Path, student: Path) -> bool:
    """Return whether ``student`` is exactly what ``source`` gives today."""
    return student.is_file() and student.read_bytes() == f"{nbformat.writes(derive(source))}\n".encode()


def main(arguments: list[str] | None = None, root: Path | None = None) -> int:
    """Run the command line; returns the exit status."""
    root = root or Path()
    parser = argparse.ArgumentParser(prog="python -m tools.exercises", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="stem such as 16-dead-neurons; default: all")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when one is out of date")
    options = parser.parse_args(arguments)
    try:
        sources = [s for s in find_sources(options.names, root) if s.parent.name == "solutions"]
        if options.names and not sources:
            raise NotebookError(f"{', '.join(options.names)}: not in solutions/, so it has no exercises")
        for source in sources:
            student = root / "exercises" / f"{source.stem}.ipynb"
            if options.check and not is_current(source, student):
                raise NotebookError(f"{student}: not what {source} gives; run: make exercises")
            if not options.check:
                student.parent.mkdir(exist_ok=True)
                write(derive(source), student)
                print(student)
    except (NotebookError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
