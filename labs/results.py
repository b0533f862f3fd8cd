"""Keep the outcome of a long experiment together with how it was obtained, and notice when the two part."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType

import torch

from labs.files import replacing
from labs.intervals import Interval, interval
from labs.provenance import code_hash, hash_of_name, qualified_name

__all__ = ["Interval", "code_hash", "interval", "load_result", "save_result", "stale"]

_PACKAGE = Path(__file__).resolve().parent
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def save_result(
    name: str,
    data: Mapping,
    *,
    config: Mapping,
    seeds: Sequence[int],
    functions: Iterable[Callable | ModuleType],
    data_md5: str | Mapping[str, str] | None = None,
    device: str | torch.device = "cpu",
    folder: str | os.PathLike | None = None,
) -> Path:
    """Write ``data`` and its provenance to ``<name>.json`` and return the path.

    Args:
        name: small letters, digits, ``-`` and ``_``.
        data: what came out: numbers, text, lists, dicts with text as keys; tensors become lists.
        config: every setting that another run would need.
        seeds: the seeds that were run.
        functions: functions, classes or modules whose code decides the outcome.
        data_md5: checksum of the data set, or one per file.
        device: where the experiment ran.
        folder: where to write; by default ``results/`` of the checkout.

    Returns:
        The path of the file.

    Raises:
        ValueError: a bad name, NaN or infinity, something JSON has no form for, or a function that another
            process could not find again.
        FileNotFoundError: the folder does not exist.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_result("dice", {"eyes": [3, 5]}, config={}, seeds=[0], functions=[interval], folder=folder).name
        'dice.json'
    """
    folder = _results_folder(folder)
    provenance = {
        "name": _checked_name(name),
        "config": plain(config, "config"),
        "seeds": plain(list(seeds), "seeds"),
        "code": {qualified_name(function): code_hash(function) for function in functions},
        "data_md5": plain(data_md5, "data_md5"),
        "device": _describe(torch.device(device)),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "date": datetime.now(timezone.utc).date().isoformat(),
    }
    result = {"data": plain(data, "data"), "provenance": provenance}
    result["checksum"] = checksum(result)
    path = folder / f"{name}.json"
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def load_result(name: str, *, folder: str | os.PathLike | None = None) -> dict:
    """Return the result ``name``: a dict with ``data``, ``provenance`` and ``checksum``.

    Args:
        name: as it was saved.
        folder: where to look; by default what was installed with ``labs``, or ``results/`` of the checkout.

    Returns:
        The dict; what was saved is under ``"data"``, in JSON's types.

    Raises:
        FileNotFoundError: there is no such folder or result; the message lists those that exist.
        ValueError: a bad name, or a file that is no result or was changed after it was written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = save_result("dice", {"eyes": (3, 5)}, config={}, seeds=[0], functions=[interval], folder=folder)
        ...     load_result("dice", folder=folder)["data"]
        {'eyes': [3, 5]}
    """
    folder = _results_folder(folder)
    path = folder / f"{_checked_name(name)}.json"
    if not path.is_file():
        known = ", ".join(sorted(other.stem for other in folder.glob("*.json"))) or "none yet"
        raise FileNotFoundError(f"no result {name!r} in {str(folder)!r}; choose one of: {known}")
    again = "; do not edit results by hand: run the experiment again, save_result writes the file anew"
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        wanted = result.pop("checksum")
        found = checksum(result)
        saved_name = result["provenance"]["name"]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{str(path)!r} is not a complete result ({error!r}){again}") from error
    if found != wanted:
        raise ValueError(
            f"{str(path)!r} was changed after it was written: its checksum is {found[:12]}..., wanted "
            f"{str(wanted)[:12]}...{again}"
        )
    if saved_name != name:
        raise ValueError(f"{str(path)!r} holds the result {saved_name!r} under another name{again}")
    return {**result, "checksum": wanted}


def stale(result: Mapping) -> list[str]:
    """Return the names of the functions whose code is no longer the code that made ``result``.

    Args:
        result: what :func:`load_result` returned.

    Returns:
        Their qualified names; empty if nothing has changed.

    Example:
        >>> known = {"labs.intervals.interval": code_hash(interval), "labs.gone": "0"}
        >>> stale({"provenance": {"code": known}})
        ['labs.gone']
    """
    return [name for name, wanted in result["provenance"]["code"].items() if hash_of_name(name) != wanted]


def _results_folder(folder: str | os.PathLike | None) -> Path:
    if folder is None:
        installed = _PACKAGE / "_results"  # a wheel brings the results along inside the package
        folder = installed if installed.is_dir() else _PACKAGE.parent / "results"
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {str(folder)!r}; make it, or name another with folder=")
    return folder


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"result name {name!r} does not do; wanted small letters, digits, '-' and '_' only")
    return name


def checksum(content: Mapping) -> str:
    """Return the SHA-256 of what JSON can hold, whatever the order of its keys.

    Args:
        content: numbers, text, lists, dicts with text as keys.

    Returns:
        64 hexadecimal digits.

    Raises:
        TypeError: a part that JSON has no form for.
        ValueError: NaN or infinity.

    Example:
        >>> checksum({"a": 1, "b": 2}) == checksum({"b": 2, "a": 1})
        True
    """
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def plain(value: object, where: str) -> object:
    """Return ``value`` in the types that JSON gives back unchanged, or say which part has no such form.

    Args:
        value: numbers, text, lists, tuples, dicts with text as keys, tensors, numpy arrays, or ``None``.
        where: what the caller knows it as, for the message.

    Returns:
        The same numbers and text; tensors, arrays and tuples become lists.

    Raises:
        ValueError: a key that is not text, NaN or infinity, or a part of another type.

    Example:
        >>> plain({"shares": torch.ones(2)}, "data")
        {'shares': [1.0, 1.0]}
        >>> plain({"loss": math.nan}, "data")
        Traceback (most recent call last):
        ValueError: data['loss'] is nan; wanted a finite number: leave it out, or put None
    """
    if hasattr(value, "tolist"):  # tensors, numpy arrays and numpy numbers
        value = value.tolist()
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise ValueError(f"{where} has the key {key!r}; wanted text: use str(key)")
        return {key: plain(part, f"{where}[{key!r}]") for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part, f"{where}[{i}]") for i, part in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where} is {value}; wanted a finite number: leave it out, or put None")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"{where} is a {type(value).__name__}; wanted numbers, text, lists, dicts or tensors")


def _describe(device: torch.device) -> str:
    if device.type == "cuda":
        return f"{device}: {torch.cuda.get_device_name(device)}"
    if device.type == "cpu":
        kind = torch.backends.cpu.get_cpu_capability()
        return f"cpu: {platform.machine()}, {kind}, {torch.get_num_threads()} threads"
    return str(device)
