"""Hold the numbers of the prose to the places they came from, and write the evidence page.

``book/evidence.yml`` lists what the chapters claim. Each entry quotes the chapter, names a results file or a stored
output, and gives the interval in which the number has to lie for the words to be true.
``python -m tools.evidence`` checks all entries and writes ``book/evidence.md``; ``--check`` only checks.
"""

import argparse
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import yaml

from labs.files import replacing
from labs.results import load_result

FIELDS = {"id", "statement", "chapter", "section", "quote", "source", "low", "high"}
REDUCE = {"mean": lambda v: sum(v) / len(v), "min": min, "max": max, "sum": sum, "last": lambda v: v[-1]}
INTRODUCTION = """\
# Evidence

Every headline number of the book is bound to the place it came from.
A row names the statement, where it is said, the experiment behind it, and the interval for which the words are true.
The intervals are wide enough for another processor and for another set of seeds.
The tests compute each number again from the stored result.
They fail when it leaves its interval, when the chapter no longer says the words, or when the code has changed since.

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
    twin = nbformat.read(root / "book" / f"{entry['chapter']}.ipynb", as_version=4)
    outputs = [o for cell in twin.cells for o in cell.get("outputs", ())]
    text = "\n".join(o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in outputs)
    found = re.findall(source["output"], text)
    if not found:
        raise EvidenceError(f"{entry['id']}: no output of {entry['chapter']} matches {source['output']!r}")
    return float(found[-1])


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
    for chapter in dict.fromkeys(entry["chapter"] for entry in entries):
        title = f"Chapter {chapter[:2]}" if chapter[0].isdigit() else f"{{doc}}`{chapter}`"
        lines += [f"## {title}\n", ":::{list-table}", ":header-rows: 1", ":widths: 32 16 14 38\n"]
        lines += ["* - Statement", "  - Said in", "  - Number (interval)", "  - Behind it"]
        for entry in (e for e in entries if e["chapter"] == chapter):
            number = f"{check(entry, root):.3g} ({entry['low']:g} to {entry['high']:g})"
            lines += [f"* - {entry['statement']}", f"  - {{ref}}`{entry['section']}`", f"  - {number}"]
            lines.append(f"  - {_behind(entry, root)}")
        lines.append(":::\n")
    return "\n".join(lines)


def _behind(entry: dict[str, Any], root: Path) -> str:
    if "result" not in entry["source"]:
        return "quick: an output of the chapter, executed again by the tests"
    name = entry["source"]["result"]
    made = load_result(name, folder=root / "results")["provenance"]
    seeds = made["seeds"]
    return (
        f"full: `results/{name}.json`, seeds {seeds[0]} to {seeds[-1]}, {made['device']}, "
        f"torch {made['torch'].split('+')[0]}, {made['date']}"
    )


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
    except (EvidenceError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if not options.check:
        with replacing(target) as temporary:
            temporary.write_text(text, encoding="utf-8")
    print(f"{len(entries)} numbers hold")
    return 0


if __name__ == "__main__":
    sys.exit(main())
