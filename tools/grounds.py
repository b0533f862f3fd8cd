"""Find what a statement rests on: the line of an output that holds its number, an equation, a reference, a figure."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from tools.chapters import Exhibit, formulas, prose
from tools.quantities import Quantity, numbers

POINTER = r"\{(cite:\w+|ref|eq|numref)\}`(?:[^`<]*<)?([^`>]*)>?`"
RELATION = r"[=<>]|\\(?:approx|leq?|geq?|sim|to|in|frac|mathbb)\b"
COMMON = r"(?:than|most|more|less|better|worse|best|worst|this|that|with|from|they|them|there|their|have|what|which)$"


class Ground(NamedTuple):
    """One thing that a statement rests on.

    Args:
        kind: evidence, source, link, output, assertion, equation, formula, setting, code, exhibit or relation.
        text: the id of the entry, the key of the source, the label, or the line that holds the number.
        number: the number that it grounds, as the statement writes it.
        exhibit: the cell or equation in which it stands.
    """

    kind: str
    text: str
    number: str = ""
    exhibit: Exhibit | None = None


def words_of(text: str) -> set[str]:
    """Return the beginnings of the words of a text that say what it is about."""
    found = re.findall(r"[a-z]{4,}", prose(text).lower())
    return {word[:6] for word in found if not re.match(COMMON, word)}


@cache
def _numbers(line: str) -> tuple[float, ...]:
    return tuple(numbers(line))


def number_grounds(
    figures: list[Quantity], sentence: str, paragraph: str, pool: list[Exhibit], settings: dict[str, str]
) -> dict[str, Ground | None]:
    """Return the best place for each number of a sentence, or None where there is no place.

    Outputs, assertions and equations come before formulas of the paragraph, and these before settings and code, where
    a number in words is too vague to be looked for. Among several exhibits that counts which holds most of the
    numbers, then that whose words are most like the sentence's, then the nearest number.

    Args:
        figures: the numbers, as the sentence writes them.
        sentence: the sentence.
        paragraph: the paragraph that it stands in, whose formulas count.
        pool: the exhibits that the sentence may speak of.
        settings: the configurations of results files, by name; those that the exhibits read count.
    """
    places = {figure: list(_places(figure, pool, settings)) for figure in figures}
    holds = Counter(
        id(one) for found in places.values() for one in {id(g.exhibit): g.exhibit for g in found}.values()
    )
    about = words_of(sentence)

    def rank(ground: Ground, figure: Quantity) -> tuple:
        line, around = ground.text.lower(), ground.exhibit.shown
        alike = sum(3 * (word in line) + (word in around) for word in about)
        result = ground.kind in ("output", "assertion", "equation")
        distance = figure.distance(_numbers(ground.text)) if ground.kind != "setting" else 0
        return holds[id(ground.exhibit)], result, ground.exhibit.compared, alike, -distance

    chosen = {}
    for figure, found in places.items():
        best = max(found, key=lambda ground: rank(ground, figure), default=None)
        if figure.occurs(_numbers(formulas(paragraph))) and (not best or best.kind in ("code", "setting")):
            best = Ground("formula", "", figure.written)
        chosen[figure.written] = best
    return chosen


def _places(figure: Quantity, pool: list[Exhibit], settings: dict[str, str]) -> Iterator[Ground]:
    """Go through all places that hold a number."""
    for exhibit in pool:
        lines = [("output" if exhibit.number else "equation", line) for line in exhibit.printed]
        lines += [("assertion", line) for line in exhibit.asserted]
        if figure.written[0].isdigit() and exhibit.number:
            lines += [("code", line) for line in exhibit.code.splitlines()]
            for name in exhibit.results:
                if figure.occurs(_numbers(settings.get(name, ""))):
                    yield Ground("setting", name, figure.written, exhibit)
        for kind, line in lines:
            if figure.occurs(_numbers(line)):
                yield Ground(kind, line.strip(), figure.written, exhibit)


def pointers(text: str) -> list[Ground]:
    """Return the citations and the references of a text."""
    found = []
    for role, target in dict.fromkeys(re.findall(POINTER, text)):
        kind = "source" if role.startswith("cite") else "link"
        found += [
            Ground(kind, one.strip() if kind == "source" else f"{role} {one}") for one in target.split(",")
        ]
    return found


def exhibit_ground(sentence: str, pool: list[Exhibit]) -> Ground | None:
    """Return the exhibit that shares the most words with a comparison, two at least."""
    about = words_of(sentence)
    shared = [(sum(word in exhibit.shown for word in about), exhibit) for exhibit in pool]
    most, exhibit = max(shared, key=lambda pair: pair[0], default=(0, None))
    return Ground("exhibit", "", "", exhibit) if most >= min(2, len(about)) > 0 else None
