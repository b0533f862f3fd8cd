"""Keep what one cell of a sweep gave, and know when it must not be believed any more."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import torch

from labs.files import replacing
from labs.provenance import code_hash, qualified_name
from labs.results import checksum, plain


def cells_folder() -> Path:
    """Return where finished cells are kept unless told otherwise: ``sweeps`` in the user's cache, beside the data.

    The cache is ``$XDG_CACHE_HOME/nonlinear``, by default ``~/.cache/nonlinear``. While no sweep runs, the folder may
    be deleted: that costs the time to compute its cells again, and nothing else.

    Returns:
        The path; the folder need not exist.

    Example:
        >>> from unittest import mock
        >>> with mock.patch.dict(os.environ, XDG_CACHE_HOME="cache"):
        ...     cells_folder().as_posix()
        'cache/nonlinear/sweeps'
    """
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "nonlinear" / "sweeps"


@dataclass
class Cell:
    """One setting of a sweep, the file for what comes out, and once it is ``known`` the ``value``.

    Attributes:
        setting: keyword arguments of the task.
        path: the file.
        key: checksum of everything that decides the value.
        value: what came out, in JSON's types; ``None`` while it is not known.
        known: whether the value is there.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Cell({"seed": 0}, Path(folder) / "cell.json", key="k").keep([1.0, 2.0])
        ...     later = Cell({"seed": 0}, Path(folder) / "cell.json", key="k")
        ...     later.look(), later.value
        (True, [1.0, 2.0])
    """

    setting: dict
    path: Path
    key: str
    value: object = None
    known: bool = False

    def look(self) -> bool:
        """Take the value from the file, if that is there, whole, unchanged and made under the same key.

        Returns:
            Whether the value is known now. A file that cannot be read counts as missing.

        Example:
            >>> Cell({"seed": 0}, Path("nowhere") / "cell.json", key="k").look()
            False
        """
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            wanted = kept.pop("checksum")
            self.known = kept["key"] == self.key and checksum(kept) == wanted
            self.value = kept["value"] if self.known else None
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            self.known = False
        return self.known

    def keep(self, value: object) -> None:
        """Write a value of plain types to the file, and take it in the form in which a later look finds it.

        Args:
            value: numbers, text, lists, or dicts with text as keys.

        Raises:
            TypeError, ValueError: the value has no form in JSON, or the setting has none.

        Example:
            >>> import tempfile
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     cell = Cell({"seed": 0}, Path(folder) / "cell.json", key="k")
            ...     cell.keep((1.0, 2.0))
            >>> cell.value
            [1.0, 2.0]
        """
        content = {"key": self.key, "setting": plain(self.setting, "setting"), "value": value}
        text = json.dumps({**content, "checksum": checksum(content)}, ensure_ascii=False)
        self.path.parent.mkdir(parents=True, exist_ok=True)  # somebody may have emptied the cache meanwhile
        with replacing(self.path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        self.value, self.known = json.loads(text)["value"], True


def make_cells(
    task: Callable,
    settings: Iterable[Mapping],
    *,
    folder: Path,
    functions: Iterable[Callable | ModuleType] = (),
    data_md5: str | Mapping[str, str] | None = None,
) -> list[Cell]:
    """Return one cell per setting, under a key of everything that decides its value.

    Args:
        task: the function that computes a cell, with a name.
        settings: keyword arguments of ``task``, one mapping per cell, with a form in JSON.
        folder: where the files of the cells are; need not exist yet.
        functions: further functions, classes or modules whose code decides the outcome.
        data_md5: checksum of the data set, or one per file.

    Returns:
        The cells in the order of ``settings``; none has looked for its value yet.

    Raises:
        TypeError: a setting is no dict.
        ValueError: a setting without a form in JSON, or a function without a name or without Python source.

    Example:
        >>> cells = make_cells(checksum, [{"content": {}}], folder=Path("cells"))
        >>> cells[0].setting, cells[0].known
        ({'content': {}}, False)
    """
    made_of = {
        "task": name_of(task),
        "code": _code_behind([task, *functions]),
        "data_md5": plain(data_md5, "data_md5"),
        "torch": torch.__version__,
    }
    cells = []
    for i, setting in enumerate(settings):
        if not isinstance(setting, Mapping):
            raise TypeError(f"settings[{i}] is {setting!r}; wanted a dict of keyword arguments")
        key = checksum({**made_of, "setting": plain(setting, f"settings[{i}]")})
        cells.append(Cell(dict(setting), folder / f"{task.__name__}-{key[:32]}.json", key))
    return cells


def name_of(function: Callable | ModuleType) -> str:
    """Return the :func:`labs.provenance.qualified_name`, or ``__main__.name`` at the top of a script or notebook.

    Args:
        function: a function, class or module.

    Returns:
        The name with its module.

    Raises:
        ValueError: there is none, as for a lambda or a function within a function.

    Example:
        >>> name_of(checksum)
        'labs.results.checksum'
    """
    # No other process finds that by its name, but joblib sends it along.
    name = getattr(function, "__qualname__", "<")
    if getattr(function, "__module__", None) == "__main__" and "<" not in name:
        return f"__main__.{name}"
    return qualified_name(function)


def _code_behind(functions: Iterable[Callable | ModuleType]) -> dict[str, str]:
    """Return the hashes of the functions, of their modules, and of what these import from ``labs`` or their own."""
    code = {name_of(function): code_hash(function) for function in functions}
    modules = [f.__name__ if isinstance(f, ModuleType) else f.__module__ for f in functions]
    packages = {"labs"} | {name.split(".")[0] for name in modules}
    seen = set()
    while modules:
        name = modules.pop()
        if name in seen or name not in sys.modules or name.split(".")[0] not in packages:
            continue
        seen.add(name)
        try:
            code[f"module {name}"] = code_hash(sys.modules[name])
        except ValueError:  # a notebook has no file
            continue
        modules += _imports_at_the_top(sys.modules[name])
    return code


def _imports_at_the_top(module: ModuleType) -> Iterator[str]:
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            relative = "." * node.level + (node.module or "")
            base = importlib.util.resolve_name(relative, module.__package__)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
