"""Where in a submitted notebook each check of the released one has its place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

Cell = Mapping[str, str]


def place_checks(
    parts: Sequence[Mapping], released: Sequence[Cell], submitted: Sequence[Cell]
) -> list[list[str]]:
    """Return for each submitted cell the parts to check there, and in one more entry those to check at the end.

    A check belongs to every cell that calls it, for the last answer is not always the one meant. One that nobody
    calls any more is made up for, before the first cell that follows it in the released notebook and is still there:
    ``answer`` has another meaning in the next exercise.

    Args:
        parts: as :class:`labs.grade.exercises.Part` has them.
        released: the cells of the released notebook.
        submitted: the cells of the student.

    Returns:
        Names of parts: one list per cell, with the parts after it, and a last one.

    Example:
        >>> cells = [{"id": "", "kind": "code", "source": source} for source in ("a = 1", "check.one(a)")]
        >>> place_checks([{"name": "one", "cell": 1}], cells, cells)
        [[], ['one'], []]
        >>> place_checks([{"name": "one", "cell": 1}], cells, cells[:1])
        [[], ['one']]
    """
    places: list[list[str]] = [[] for _ in range(len(submitted) + 1)]
    calls = {part["name"]: re.compile(rf"\w\.{part['name']}\s*\(") for part in parts}
    for part in parts:
        name = part["name"]
        found = [
            n for n, c in enumerate(submitted) if c["kind"] == "code" and calls[name].search(c["source"])
        ]
        if not found:
            following = _first_still_there(released[part["cell"] + 1 :], submitted)
            # After the cell before the one that follows; before the very first cell there is nothing to check.
            found = [max(following - 1, 0) if submitted else 0]
        for number in found:
            places[number].append(name)
    return places


def _first_still_there(following: Sequence[Cell], submitted: Sequence[Cell]) -> int:
    ids = {cell["id"]: number for number, cell in reversed(list(enumerate(submitted))) if cell["id"]}
    texts = {cell["source"].strip(): number for number, cell in reversed(list(enumerate(submitted)))}
    for cell in following:
        # A gap that the student filled keeps its id; in a program that renews the ids the prose is still the same.
        number = ids.get(cell["id"], texts.get(cell["source"].strip()))
        if number is not None:
            return number
    return len(submitted) + 1
