"""Where the MyST notebooks lie, how they are read, and how their twins are written."""

import hashlib
from pathlib import Path

import jupytext
import nbformat

from labs.files import replacing

FOLDERS = ("book", "solutions")
HEADER = "---\njupytext:"  # other pages are plain text and have no twin


class NotebookError(Exception):
    """A source that cannot become a twin; the text says which, why, and what to do."""


def find_sources(names: list[str], root: Path) -> list[Path]:
    """Return the sources called ``names`` (a stem or a path), or all of them; unknown name: NotebookError."""
    pages = [path for folder in FOLDERS for path in sorted((root / folder).glob("*.md"))]
    known = [path for path in pages if path.read_text(encoding="utf-8").startswith(HEADER)]
    chosen = []
    for name in names:
        found = [p for p in known if p.stem == name] or [p for p in [root / name] if p.is_file()]
        if not found:
            stems = ", ".join(sorted({p.stem for p in known})) or "none yet"
            raise NotebookError(f"no notebook source called {name!r}; there are: {stems}")
        chosen += found
    return chosen if names else known


def read_source(source: Path) -> nbformat.NotebookNode:
    """Return the cells of a MyST notebook, with ids that depend on nothing but place and text."""
    if not source.is_file():
        raise NotebookError(f"{source}: there is no such file")
    notebook = jupytext.read(source)
    header = notebook.metadata
    if header.get("jupytext", {}).get("text_representation", {}).get("format_name") != "myst":
        raise NotebookError(f"{source}: no MyST notebook header (format_name: myst)")
    if header.get("kernelspec", {}).get("language") != "python":
        raise NotebookError(f"{source}: the kernelspec in the header needs `language: python`")
    # Without the pairing header no editor writes into the source behind its author's back.
    header.pop("jupytext")
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"c{number:03d}-{hashlib.sha1(cell.source.encode()).hexdigest()[:8]}"
    return notebook


def write(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write ``notebook`` to ``path`` whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def read_twin(twin: Path) -> nbformat.NotebookNode:
    """Return a stored notebook; raises NotebookError when it is missing, truncated or none."""
    remedy = f"run: make notebook NAME={twin.stem}"
    if not twin.is_file():
        raise NotebookError(f"{twin}: missing; {remedy}")
    try:
        return nbformat.read(twin, as_version=4)
    except Exception as error:  # nbformat has no error of its own for what is no notebook
        reason = " ".join(str(error).split())[:80]
        raise NotebookError(f"{twin}: truncated, or no notebook ({reason}); {remedy}") from error
