"""Hold the numbers of the prose to the places they came from, and write the evidence page.

``book/evidence.yml`` lists what the chapters claim. Each entry quotes the chapter, names a results file or a stored
output, and gives the interval in which the number has to lie for the words to be true.
``python -m tools.evidence`` checks all entries and writes ``book/evidence.md``; ``--check`` only checks.
"""

import argparse
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from labs.files import replacing
from labs.results import load_result
from tools.chapters import Chapter, Exhibit, read_chapter
from tools.sources import NotebookError

FIELDS = {"id", "statement", "chapter", "section", "quote", "source", "low", "high"}
REDUCE = {"mean": lambda v: sum(v) / len(v), "min": min, "max": max, "sum": sum, "last": lambda v: v[-1]}
INTRODUCTION = """\
(evidence)=
# Evidence

Every headline number of the book is bound to the place it came from.
An entry has a name, the section that says it, a statement, the number, and the experiment behind it.
The interval is the one for which the words are true, wide enough for another processor and for another set of seeds.

- *Full* experiments take longer than a page should.
  They ran once, on the device and the day named, and their numbers are stored.
- *Quick* ones are cells of the chapter, counted within their section, those that are folded included.
  They have no date of their own, because each run of the tests executes them again, on one thread of a processor.
  The outputs are compared with the stored ones, from which this page is made.
  *Not compared* marks those that may come out a little different on another processor.
  The seeds are given as the code sets them.

The tests compute each number again from the stored result.
They fail when it leaves its interval, when the chapter no longer says the words, or when the code has changed since.
What binds the other sentences that state a number or a comparison is listed too: {doc}`statements`.

This page is generated from `book/evidence.yml`.
"""


class EvidenceError(Exception):
    """An entry that does not hold; the text says which, what was found, and what was wanted."""


def read_entries(path: Path) -> list[dict[str, Any]]:
    """Return the entries of the ledger, complete and with unique ids."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    seen: set[str] = set()
    for entry in entries:
        if set(entry) != FIELDS:
            wrong = sorted(set(entry) ^ FIELDS)
            raise EvidenceError(f"{entry.get('id', entry)}: fields missing or unknown: {', '.join(wrong)}")
        if entry["id"] in seen:
            raise EvidenceError(f"{entry['id']}: this id is used twice")
        if not entry["low"] < entry["high"]:
            raise EvidenceError(f"{entry['id']}: low {entry['low']} is not below high {entry['high']}")
        seen.add(entry["id"])
    if not entries:
        raise EvidenceError(f"{path} has no entries")
    return entries


def measured(entry: dict[str, Any], root: Path) -> float:
    """Return the number behind an entry: from a results file, or from a stored output of the chapter's twin."""
    source = entry["source"]
    if "result" in source:
        data = load_result(source["result"], folder=root / "results")["data"]
        values = _select(data, source["path"], entry["id"])
        if "per" in source:
            return sum(values) / sum(_select(data, source["per"], entry["id"]))
        return float(REDUCE[source["reduce"]](values))
    return float(re.findall(source["output"], _text(cell(entry, root)))[-1])


def cell(entry: dict[str, Any], root: Path) -> Exhibit:
    """Return the cell whose output an entry names: the last one that its pattern fits."""
    pattern, found = entry["source"]["output"], None
    for section in _chapter(entry["chapter"], root).sections:
        for exhibit in section.exhibits:
            if exhibit.number and re.search(pattern, _text(exhibit)):
                found = exhibit
    if not found:
        raise EvidenceError(f"{entry['id']}: no output of {entry['chapter']} matches {pattern!r}")
    return found


def _text(exhibit: Exhibit) -> str:
    return "".join(f"{line}\n" for line in exhibit.printed)


def _chapter(stem: str, root: Path) -> Chapter:
    source = root / "book" / f"{stem}.md"
    return _read(source, root, source.with_suffix(".ipynb").stat().st_mtime_ns)


@cache
def _read(source: Path, root: Path, changed: int) -> Chapter:
    return read_chapter(source, root)


def check(entry: dict[str, Any], root: Path) -> float:
    """Return the number behind an entry, or raise EvidenceError if quote, section or number do not hold."""
    text = (root / "book" / f"{entry['chapter']}.md").read_text(encoding="utf-8")
    if " ".join(entry["quote"].split()) not in " ".join(text.split()):
        raise EvidenceError(f"{entry['id']}: {entry['chapter']} does not say {entry['quote']!r} any more")
    if f"({entry['section']})=" not in text:
        raise EvidenceError(f"{entry['id']}: {entry['chapter']} has no section labelled {entry['section']}")
    value = measured(entry, root)
    if not entry["low"] <= value <= entry["high"]:
        wanted = f"{entry['low']} to {entry['high']}"
        raise EvidenceError(f"{entry['id']}: found {value:.4g}, but {entry['quote']!r} needs {wanted}")
    return value


def page(entries: list[dict[str, Any]], root: Path) -> str:
    """Return the evidence page in MyST."""
    lines = [INTRODUCTION]
    for chapter in sorted({entry["chapter"] for entry in entries}):
        lines.append(f"## {{doc}}`{chapter}`\n")
        for entry in (e for e in entries if e["chapter"] == chapter):
            lines += [
                f"- (evidence-{entry['id']})=",
                f"  **{entry['id']}**, {{ref}}`{entry['section']}`: {entry['statement']}",
                f"  The number is {check(entry, root):.3g}; it has to lie between "
                f"{entry['low']:g} and {entry['high']:g}.",
                f"  {_behind(entry, root)}\n",
            ]
    return "\n".join(lines)


def _behind(entry: dict[str, Any], root: Path) -> str:
    if "result" in entry["source"]:
        return f"*Full:* {_run(entry['source']['result'], root)}."
    place = cell(entry, root)
    figure = f" ({{numref}}`{place.name}`)" if place.name else ""
    where = f"cell {place.number} of {{ref}}`{place.section}`{figure}"
    if place.results:
        return f"*Full:* {where}, which reads {' and '.join(_run(name, root) for name in place.results)}."
    seeds = ", ".join(f"`{seed}`" for seed in place.seeds) or "none set in its section"
    return f"*Quick:* {where}; seeds: {seeds}{'' if place.compared else '; not compared'}."


def _run(name: str, root: Path) -> str:
    """Name a results file, with its seeds, device and date."""
    made = load_result(name, folder=root / "results")["provenance"]
    seeds, torch = made["seeds"], made["torch"].split("+")[0]
    run = seeds == list(range(seeds[0], seeds[-1] + 1)) and len(seeds) > 2
    drawn = f"{len(seeds)} seeds, {seeds[0]} to {seeds[-1]}" if run else f"seed {', '.join(map(str, seeds))}"
    return f"`results/{name}.json` ({drawn}; {made['device']}; torch {torch}; {made['date']})"


def _select(data: Any, path: list, name: str) -> list[float]:
    """Follow ``path`` into nested dicts and lists; ``"*"`` goes through every entry. Returns the numbers found."""
    found = [data]
    for step in path:
        try:
            found = [v for d in found for v in (_all(d) if step == "*" else [d[step]])]
        except (LookupError, TypeError) as error:
            raise EvidenceError(f"{name}: the path {path} leads nowhere at {step!r}") from error
    if not found or not all(isinstance(v, (int, float)) for v in found):
        raise EvidenceError(f"{name}: the path {path} does not end in numbers")
    return found


def _all(data: dict | list) -> list:
    return list(data.values()) if isinstance(data, dict) else list(data)


def main(arguments: list[str] | None = None, root: Path | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.evidence", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; say whether the page is current")
    options = parser.parse_args(arguments)
    root = root or Path()
    try:
        entries = read_entries(root / "book" / "evidence.yml")
        text, target = page(entries, root), root / "book" / "evidence.md"
        if options.check and (not target.is_file() or target.read_text(encoding="utf-8") != text):
            raise EvidenceError(f"{target} is not current; run: python -m tools.evidence")
    except (EvidenceError, NotebookError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if not options.check:
        with replacing(target) as temporary:
            temporary.write_text(text, encoding="utf-8")
    print(f"{len(entries)} numbers hold")
    return 0


if __name__ == "__main__":
    sys.exit(main())
