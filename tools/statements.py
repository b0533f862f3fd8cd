"""Find statements in the chapters that look measured or comparative and are bound to nothing.

1. A sentence is *measured* if it holds a decimal number, a number with a unit, a rounded number ("about 300"), a
   factor, a part ("a third") or "n of m"; it is *comparative* if it holds a word such as better, largest, most, than.
2. It is bound if a quote of ``book/evidence.yml`` covers it, or if it holds a citation or a reference.
3. If measured, also if each such number, as exactly as it is printed, stands in an output, an assertion or a display
   equation of its section, in a formula of its paragraph, or, written in digits, in the code of the section or in the
   settings of a results file that a cell of the section reads.
4. If only comparative, also if it holds a relation in mathematics, or shares two words with one exhibit of its
   section: a cell that shows something, with its caption and alternative text, or a display equation.
5. The opening and "What we learned" speak of the whole chapter. In other sections that show nothing numbers may come
   from the whole chapter, and a reference binds its paragraph.

Questions, tasks, definitions and refuted claims in bold are no statements. ``python -m tools.statements`` prints what
is bound to nothing and not excepted in ``tests/statements_allowed.yml``; ``--all`` says what binds each statement.
"""

import argparse
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tools.chapters import Chapter, Section, formulas, prose, read_chapter, sentences
from tools.grounds import RELATION, Ground, exhibit_ground, number_grounds, pointers
from tools.quantities import measured
from tools.sources import NotebookError, find_sources

FIELDS = {"chapter", "quote", "reason"}
COMPARATIVE = (
    r"\b(?:better|worse|best|worst|fast(?:er|est)|slow(?:er|est)|largest|smallest|highest|lowest|fewest|superior)\b"
    r"|\b(?:outperform\w*|beats?|wins|loses to|(?<!at )most)\b"
    r"|\b(?!rather|other|number|order)(?:more|less|fewer|\w{3,}er) (?:[\w-]+ ){0,3}than\b(?! (?:once|one|two)\b)"
)
TASK = (
    r'\*\*"|\*\*Heard|\W*(?:Before you|Choose|Compare|Double|Find|Guess|Imagine|Let|Look|Move|Push|Set|Sort|Start|Stay'
    r"|Suppose|Take|Watch|Write)\b"
)
KINDS = {"source": "reference", "link": "reference", "relation": "mathematics", "exhibit": "shown"}


class Statement(NamedTuple):
    """A sentence that needs a ground.

    Args:
        chapter: the stem of its chapter.
        section: the title of its section, or "opening".
        label: the label of the section, or the nearest before it.
        text: the sentence, as the source has it.
        grounds: what it rests on; empty if nothing was found, or not all.
        missing: the numbers of the sentence that were found nowhere.
    """

    chapter: str
    section: str
    label: str
    text: str
    grounds: list[Ground]
    missing: list[str]

    @property
    def bound(self) -> str:
        """What binds it, in one word; empty if nothing does."""
        kind = self.grounds[0].kind if self.grounds else ""
        return KINDS.get(kind, "evidence" if kind == "evidence" else kind and "numbers")

    def excepted(self, entry: dict[str, Any]) -> bool:
        """Say whether an exception is about this statement."""
        return entry["chapter"] == self.chapter and " ".join(entry["quote"].split()) in self.text


def statements(chapter: Chapter, quotes: dict[str, str], book: dict[str, Section]) -> list[Statement]:
    """Return the measured and comparative sentences of a chapter, each with its grounds.

    Args:
        chapter: the chapter as it was read.
        quotes: the words of the chapter that an entry of the ledger covers, each with its id.
        book: the section in which each label of the book stands.
    """
    whole = [exhibit for part in chapter.sections for exhibit in part.exhibits]
    result, label = [], ""
    for part in chapter.sections:
        label = part.label or label
        if part.title == "Exercises":
            continue
        summary = not part.title or part.title.startswith("What we learned")
        pool = part.exhibits if part.shows and not summary else whole
        for sentence, paragraph in part.sentences:
            figures = measured(prose(sentence))
            compares = "**" not in sentence and re.search(COMPARATIVE, prose(sentence), re.IGNORECASE)
            if re.match(TASK, sentence) or not (figures or compares):
                continue
            places = number_grounds(figures, sentence, paragraph, pool, chapter.settings)
            named = pointers(sentence if part.shows and not paragraph.startswith("* - ") else paragraph)
            # What its own section lacks may stand in a section that it refers to.
            lacking = [figure for figure in figures if not places[figure.written]]
            targets = [
                book[g.text.split()[-1]] for g in named if g.kind == "link" and g.text.split()[-1] in book
            ]
            there = [exhibit for target in targets for exhibit in target.exhibits]
            places |= number_grounds(lacking, sentence, "", there, {})
            missing = [written for written, place in places.items() if not place]
            found = [place for place in places.values() if place]
            entries = [name for quote, name in quotes.items() if sentence in quote or quote in sentence]
            # Beside a stronger ground a line is a help only where a number written in digits leads to it.
            exact = [g for g in found if g.number[0].isdigit() and g.kind in ("output", "assertion")]
            if entries:
                grounds = [Ground("evidence", name) for name in dict.fromkeys(entries)] + exact + named
            elif named:  # a number that a source reports may stand in an output by chance
                grounds = named + exact * all(ground.kind == "link" for ground in named)
            elif figures:
                grounds = [] if missing else found
            elif relation := re.search(RELATION, formulas(sentence)):
                grounds = [Ground("relation", relation[0])]
            else:
                shown = (part.shows or summary) and exhibit_ground(sentence, pool)
                grounds = [shown] if shown else []
            result.append(Statement(chapter.stem, part.title or "opening", label, sentence, grounds, missing))
    return result


def collect(names: list[str], root: Path) -> list[Statement]:
    """Return the statements of the chapters called ``names``, or of all, of the myths and of the playground."""
    ledger = yaml.safe_load((root / "book" / "evidence.yml").read_text(encoding="utf-8")) or []
    sources = [p for p in find_sources([], root) if p.parent.name == "book"]
    chapters = [read_chapter(source, root) for source in sources]
    book = {label: section for chapter in chapters for label, section in chapter.labels.items()}
    chosen = {source.stem for source in find_sources(names, root)}
    found = []
    for chapter in (chapter for chapter in chapters if chapter.stem in chosen):
        quotes = {}
        for entry in (entry for entry in ledger if entry["chapter"] == chapter.stem):
            said = " ".join(entry["quote"].split())
            quotes |= dict.fromkeys([said, *sentences(said)], entry["id"])
        found += statements(chapter, quotes, book)
    return found


def read_allowed(path: Path) -> list[dict[str, Any]]:
    """Return the exceptions: chapter, the words as they stand there, and the reason."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    for entry in entries:
        if set(entry) != FIELDS or not all(str(value).strip() for value in entry.values()):
            raise ValueError(f"{path}: an entry needs {', '.join(sorted(FIELDS))}, and only these: {entry}")
    return entries


def main(arguments: list[str] | None = None, root: Path | None = None) -> int:
    """Run the command line; returns the exit status, 1 if a statement is bound to nothing."""
    parser = argparse.ArgumentParser(prog="python -m tools.statements", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="chapters, such as 16-dead-neurons; all if none is named")
    parser.add_argument("--all", action="store_true", help="print every statement, with what binds it")
    options = parser.parse_args(arguments)
    root = root or Path()
    try:
        allowed = read_allowed(root / "tests" / "statements_allowed.yml")
        found = collect(options.names, root)
    except (NotebookError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    unbound = [s for s in found if not s.bound and not any(s.excepted(entry) for entry in allowed)]
    for s in found if options.all else unbound:
        lacks = f"; not found: {', '.join(s.missing)}" if s.missing and not s.bound else ""
        ground = s.bound or ("nothing" if s in unbound else "an exception")
        print(f"{s.chapter}, {s.section} [{ground}{lacks}]: {s.text}")
    print(f"{len(found)} statements, {len(unbound)} bound to nothing", file=sys.stderr)
    return 1 if unbound else 0


if __name__ == "__main__":
    sys.exit(main())
