"""Find the submitted notebooks in a folder, and read them before anything runs."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from labs.grade.exercises import Exercise, cells_of

LARGEST = 50 * 2**20  # bytes; a notebook full of figures has five million
_SEPARATORS = " \t_-.,"


@dataclass(frozen=True)
class Submission:
    """One submitted file, read.

    Args:
        file: path below the folder, with forward slashes.
        student: the sub-folder it is in, or what its name says beside the exercise.
        exercise: name of the exercise, or empty.
        cells: what is in it; ``None`` if it is no notebook.
        problem: why it cannot be run, or empty.
        digest: of its bytes.
    """

    file: str
    student: str
    exercise: str
    cells: tuple[Mapping[str, str], ...] | None
    problem: str
    digest: str


def find_submissions(folder: Path, exercises: Mapping[str, Exercise], default: str = "") -> list[Submission]:
    """Return everything in ``folder`` that ends in ``.ipynb``, also what cannot be read.

    Args:
        folder: with one file per submission, or a sub-folder per student.
        exercises: all there are.
        default: the exercise of a file that does not say its own.

    Returns:
        In the order of their names. Hidden files and folders are left out; links are followed inside ``folder`` only.
    """
    return [_read(folder, path, exercises, default) for path in sorted(_walk(folder))]


def shown(path: str | os.PathLike) -> str:
    """Return a path as text that every file can hold, whatever bytes its name is made of.

    Args:
        path: any path.

    Example:
        >>> shown("a/b.ipynb"), shown("two\\nlines.ipynb")
        ('a/b.ipynb', 'two\\\\nlines.ipynb')
    """
    text = os.fsencode(path).decode("utf-8", "backslashreplace").replace(os.sep, "/")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def student_of(file: str, exercise: str) -> str:
    """Return whose file this is: the sub-folder, or what the name says beside the exercise.

    Args:
        file: path below the folder of the submissions.
        exercise: name of the exercise, or empty.

    Example:
        >>> student_of("Ada Byron_16-dead-neurons.ipynb", "16-dead-neurons")
        'Ada Byron'
        >>> student_of("ada/16-dead-neurons.ipynb", "16-dead-neurons")
        'ada'
    """
    folder, _, name = file.rpartition("/")
    if folder:
        return folder.split("/")[0]
    stem = name[: -len(".ipynb")]
    rest = re.sub(re.escape(exercise), "", stem, flags=re.IGNORECASE) if exercise else stem
    return rest.strip(_SEPARATORS) or stem


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        # A linked folder is not gone into; one that looks like a notebook is told of.
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        names = files + [name for name in folders if os.path.islink(os.path.join(place, name))]
        linked = [name for name in names if not name.lower().endswith(".ipynb") and name in folders]
        yield from (
            Path(place, name) for name in names if name.lower().endswith(".ipynb") and not _is_hidden(name)
        )
        yield from (Path(place, name) for name in linked)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _read(folder: Path, path: Path, exercises: Mapping[str, Exercise], default: str) -> Submission:
    file = shown(path.relative_to(folder))
    data, cells, problem = b"", None, ""
    try:
        data = _bytes_of(path, folder)
        cells = _cells(data)
    except (OSError, ValueError, RuntimeError, MemoryError) as error:  # RuntimeError: links in a circle
        problem = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    exercise = _recognise(file, cells or (), exercises) or default
    if not problem and not exercise:
        known = "neither its name nor its checks say of which exercise it is; name one with --exercise"
        problem = f"unknown exercise: {known}"
    digest = hashlib.sha256(data or file.encode()).hexdigest()
    return Submission(file, student_of(file, exercise), exercise, cells, problem, digest)


def _bytes_of(path: Path, folder: Path) -> bytes:
    """Read a file without waiting for a pipe, and without following a link out of the folder."""
    real = path.resolve(strict=True)
    if not real.is_relative_to(folder.resolve()):
        raise ValueError("it is a link that leads out of the folder, and is not followed")
    handle = os.open(real, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
    about = os.fstat(handle)
    if not stat.S_ISREG(about.st_mode):
        os.close(handle)
        raise ValueError("it is no file but a folder, a pipe or a device")
    with open(handle, "rb") as file:
        if about.st_size > LARGEST:
            raise ValueError(f"it has {about.st_size:,} bytes, more than {LARGEST:,}; clear its outputs")
        return file.read(LARGEST)


def _cells(data: bytes) -> tuple[Mapping[str, str], ...]:
    if not data.strip():
        raise ValueError("it is empty")
    try:
        content = json.loads(data)
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not text in UTF-8: {error.reason} at byte {error.start}") from None
    except ValueError as error:
        raise ValueError(f"it is not JSON, the format of notebooks: {error}") from None
    try:
        if "worksheets" in content or content.get("nbformat") in (1, 2, 3):
            import nbformat

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                content = nbformat.convert(nbformat.from_dict(content), 4)
        return tuple(cells_of(content))
    except Exception:  # whatever an older format may stumble over
        raise ValueError("it is JSON, but no notebook: a list of cells, each of a type, is missing") from None


def _recognise(file: str, cells: Iterable[Mapping[str, str]], exercises: Mapping[str, Exercise]) -> str:
    """Return the exercise whose checks are imported; where that is not one, the one the name tells."""
    code = "\n".join(cell["source"] for cell in cells if cell["kind"] == "code")
    topics = set(re.findall(r"\blabs\.checks(?:\.|\s+import\s+)(\w+)", code))
    found = [name for name, exercise in exercises.items() if exercise.topic in topics]
    told = [name for name in exercises if name.lower() in file.lower()]
    both = [name for name in found if name in told]
    for candidates in (both, found, told):
        if len(candidates) == 1:
            return candidates[0]
    return ""
