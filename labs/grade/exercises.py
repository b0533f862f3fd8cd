"""The released exercise notebooks: what each asks for, and where its checks stand."""

from __future__ import annotations

import ast
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Part:
    """One thing that is checked, and one point.

    Args:
        name: of the check, like ``"dead_mask"``.
        heading: of the exercise it belongs to, like ``"2. A mask over batches"``.
        call: the check as the released notebook calls it.
        cell: the number of its cell there.
    """

    name: str
    heading: str
    call: str
    cell: int


@dataclass(frozen=True)
class Exercise:
    """The exercises of one chapter.

    Args:
        name: stem of the notebook, like ``"16-dead-neurons"``.
        topic: name of its module in :mod:`labs.checks`.
        parts: what is checked, in order.
        cells: of the released notebook, each with ``id``, ``kind`` and ``source``.
        imports: its import statements.
        digest: changes when the notebook or the code of the checks does.
    """

    name: str
    topic: str
    parts: tuple[Part, ...]
    cells: tuple[Mapping[str, str], ...]
    imports: str
    digest: str

    def as_request(self) -> dict:
        """Return the exercise in types that JSON knows.

        Example:
            >>> Exercise("01-a", "a", (), (), "", "").as_request()["topic"]
            'a'
        """
        return asdict(self)


def exercises_folder() -> Path:
    """Return the folder of the released notebooks: beside an installed ``labs``, or in its checkout.

    Raises:
        FileNotFoundError: there is none.

    Example:
        >>> exercises_folder().is_dir()
        True
    """
    candidates = (_PACKAGE / "_exercises", _PACKAGE.parent / "exercises")
    for folder in candidates:
        if any(folder.glob("*.ipynb")):
            return folder
    raise FileNotFoundError(
        f"no released exercise notebooks in {str(candidates[-1])!r}; name their folder with --exercises"
    )


def load_exercises(folder: str | os.PathLike | None = None) -> dict[str, Exercise]:
    """Return all exercises by name.

    Args:
        folder: of the released notebooks; by default :func:`exercises_folder`.

    Returns:
        One entry per notebook that calls checks.

    Raises:
        FileNotFoundError: there is no such folder, or nothing in it is an exercise.
        ValueError: a notebook in it is damaged.

    Example:
        >>> load_exercises()["16-dead-neurons"].parts[0].name
        'mask_by_hand'
    """
    folder = exercises_folder() if folder is None else Path(folder)
    found = {path.stem: _read(path) for path in sorted(folder.glob("*.ipynb"))}
    exercises = {name: exercise for name, exercise in found.items() if exercise}
    if not exercises:
        raise FileNotFoundError(
            f"no released exercise notebooks in {str(folder)!r}; name another with --exercises"
        )
    return exercises


def cells_of(notebook: Mapping) -> list[dict[str, str]]:
    """Return the cells of a notebook, cut down to what grading needs.

    Args:
        notebook: as nbformat 4 has it.

    Returns:
        For each cell its ``id`` (may be empty), ``kind`` and ``source``.

    Example:
        >>> cells_of({"cells": [{"cell_type": "code", "source": ["a = 1"]}]})
        [{'id': '', 'kind': 'code', 'source': 'a = 1'}]
    """
    cells = []
    for cell in notebook["cells"]:
        source = cell.get("source") or ""
        text = source if isinstance(source, str) else "".join(source)
        cells.append({"id": str(cell.get("id", "")), "kind": str(cell["cell_type"]), "source": text})
    return cells


def _read(path: Path) -> Exercise | None:
    try:
        return _parsed(path)
    except (ValueError, LookupError, TypeError, AttributeError, SyntaxError) as error:
        raise ValueError(
            f"{str(path)!r} is no released notebook, or a damaged one ({type(error).__name__}: {error}); "
            "take it from the book again, or name another folder with --exercises"
        ) from error


def _parsed(path: Path) -> Exercise | None:
    import json

    text = path.read_text(encoding="utf-8")
    cells, parts, imports, heading, topic, name = cells_of(json.loads(text)), [], [], "", "", ""
    for number, cell in enumerate(cells):
        if cell["kind"] == "markdown":
            found = re.findall(r"^## (\d+\. .+)$", cell["source"], re.MULTILINE)
            heading = found[-1].strip() if found else heading
        # The cell for Colab has a magic, which is no Python.
        if cell["kind"] != "code" or "google.colab" in cell["source"]:
            continue
        for node in ast.parse(cell["source"]).body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                imports.append(ast.unparse(node))
            if isinstance(node, ast.ImportFrom) and node.module == "labs.checks":
                topic, name = node.names[0].name, node.names[0].asname or node.names[0].name
            called = _called(node, name)
            if called:
                parts.append(Part(called, heading, ast.unparse(node), number))
    if not parts:
        return None
    checks = b"".join(file.read_bytes() for file in sorted((_PACKAGE / "checks").glob("*.py")))
    digest = hashlib.sha256(text.encode() + checks).hexdigest()
    return Exercise(path.stem, topic, tuple(parts), tuple(cells), "\n".join(imports), digest)


def _called(node: ast.stmt, module: str) -> str | None:
    """Return ``"dead_mask"`` for the statement ``check.dead_mask(dead_mask)``."""
    call = node.value if isinstance(node, ast.Expr) else None
    function = call.func if isinstance(call, ast.Call) else None
    if (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == module
    ):
        return function.attr
    return None
