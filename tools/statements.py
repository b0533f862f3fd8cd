"""Find statements in the chapters that look measured or comparative and are bound to nothing.

1. A sentence is *measured* if it holds a decimal number, a number with a unit, a rounded number ("about 300"), a
   factor, a part ("a third") or "n of m"; it is *comparative* if it holds a word such as better, largest, most, than.
2. It is bound if a quote of ``book/evidence.yml`` covers it, or if it holds a citation or a reference.
3. If measured, also if each such number, as exactly as it is printed, stands in an output, an assertion or a display
   equation of its ``##`` section, in a formula of its paragraph, in a setting of a results file that the chapter
   loads, or, written in digits, in the code of the section.
4. If only comparative, also if it holds a relation in mathematics, or shares two words with what the section shows:
   outputs with their code, captions and alternative texts, or display equations.
5. The opening and "What we learned" speak of the whole chapter. In other sections that show nothing numbers may come
   from the whole chapter, and a reference binds its paragraph.

Questions, tasks, definitions and refuted claims in bold are no statements. ``python -m tools.statements`` prints what
is bound to nothing and not excepted in ``tests/statements_allowed.yml``; ``--all`` says what binds each statement.
"""

import argparse
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import yaml

from labs.results import load_result
from tools.quantities import measured, numbers
from tools.sources import NotebookError, find_sources, read_source

FIELDS = {"chapter", "quote", "reason"}
COMPARATIVE = (
    r"\b(?:better|worse|best|worst|fast(?:er|est)|slow(?:er|est)|largest|smallest|highest|lowest|fewest|superior)\b"
    r"|\b(?:outperform\w*|beats?|wins|loses to|(?<!at )most)\b"
    r"|\b(?!rather|other|number|order)(?:more|less|fewer|\w{3,}er) (?:[\w-]+ ){0,3}than\b(?! (?:once|one|two)\b)"
)
TASK = (
    r'\*\*"|\W*(?:Before you|Choose|Compare|Double|Find|Guess|Imagine|Let|Look|Move|Push|Set|Sort|Start|Stay|Suppose'
    r"|Take|Watch|Write)\b"
)
POINTER = r"\{(?:cite:\w+|ref|eq|numref)\}`"
RELATION = r"[=<>]|\\(?:approx|leq?|geq?|sim|to|in|frac|mathbb)\b"
BLOCKS = r"(?m)\n\s*\n|^(?=## |\* - |\d\. |- )"
DISPLAY = r"(?ms)\s*^(?:```\{math\}(.*?)^```|\$\$(.*?)\$\$(?: \(.*?\))?)\s*?(?:\n+([a-z])|$)"
COMMON = r"(?:than|most|more|less|better|worse|best|worst|this|that|with|from|they|them|there|their|have|what|which)$"


@dataclass
class Section:
    """What a section shows, as numbers and as words, and its sentences, each with its paragraph."""

    title: str = ""
    sentences: list[tuple[str, str]] = field(default_factory=list)
    found: list[float] = field(default_factory=list)
    code: list[float] = field(default_factory=list)
    shown: str = ""


class Statement(NamedTuple):
    """A sentence that needs a ground. ``bound`` names it, and is empty where none was found."""

    chapter: str
    section: str
    text: str
    bound: str
    missing: list[str]

    def excepted(self, entry: dict[str, Any]) -> bool:
        """Say whether an exception is about this statement."""
        return entry["chapter"] == self.chapter and " ".join(entry["quote"].split()) in self.text


def sections(source: Path, root: Path) -> tuple[list[Section], list[float]]:
    """Return the ``##`` sections of a chapter, with the outputs of its twin, and the settings of its results."""
    parts, settings = [Section()], []
    twin = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    executed = iter([cell for cell in twin.cells if cell.cell_type == "code"])
    for cell in read_source(source).cells:
        if cell.cell_type == "code":
            outputs = next(executed, cell).get("outputs", [])
            # What a picture calls itself is no output.
            texts = [o for o in outputs if "image/png" not in o.get("data", {})]
            text = "\n".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in texts)
            parts[-1].found += numbers("\n".join([text, *re.findall(r"assert .*", cell.source)]))
            parts[-1].code += numbers(cell.source)
            if outputs:
                parts[-1].shown += f" {cell.source} {text} {cell.metadata.get('mystnb', '')}".lower()
            for name in re.findall(r'load_result\("(\w+)"', cell.source):
                settings += numbers(str(load_result(name, folder=root / "results")["provenance"]["config"]))
            continue
        for block in re.split(BLOCKS, re.sub(DISPLAY, _joined, cell.source)):
            if block.startswith("## "):
                parts.append(Section(block.splitlines()[0][3:]))
            for equation in re.findall(r"\$display([^$]*)\$", block):
                parts[-1].found += numbers(equation)
                parts[-1].shown += f" {equation.lower()}"
            parts[-1].sentences += [(sentence, block) for sentence in sentences(block)]
    return parts, settings


def _joined(equation: re.Match) -> str:
    """Put a display equation at the end of the sentence before it, which may go on behind it."""
    return f" $display {' '.join((equation[1] or equation[2]).split())}$ " + (equation[3] or "\n\n")


def sentences(block: str) -> list[str]:
    """Return the sentences of a paragraph, without questions, headings and directives."""
    found = []
    for line in block.splitlines():
        if not re.match(r"\s*(#|:::|```|:[\w-]+:|\(.*\)=$|%|\+\+\+)", line):
            line = re.sub(r"^\s*(?:[-*] |\d+\. |> )*", "", line)
            found += re.split(r"(?<=[.!?])[\"”*)]*\s+(?=[\"“*(\[$`{]*[A-Z{$])", line)
    return [" ".join(s.split()) for s in found if s.strip() and not s.rstrip('*") ').endswith("?")]


def prose(sentence: str) -> str:
    """Return a sentence without code, roles, and formulas that are more than a number."""
    sentence = re.sub(r"\{[\w:]+\}`[^`]*`|`[^`]*`", "", sentence).replace("{,}", ",")
    sentence = re.sub(r"\$([-+]?[\d.,\\ %]+)\$|\$[^$]*\$", r"\1", sentence)
    return re.sub(r"\\,|[\u00a0\u202f]", " ", sentence).replace("\\%", "%").translate({36: None, 42: None})


def formulas(text: str) -> str:
    """Return the mathematics of a text."""
    return " ".join(re.findall(r"\$([^$]*)\$", text))


def statements(source: Path, quotes: list[str], root: Path) -> list[Statement]:
    """Return the measured and comparative sentences of a chapter, each with what binds it."""
    parts, settings = sections(source, root)
    whole = Section(shown=" ".join(part.shown for part in parts))
    for part in parts:
        whole.found += part.found
        whole.code += part.code
    result = []
    for part in (part for part in parts if part.title != "Exercises"):
        summary = not part.title or part.title.startswith("What we learned")
        pool = part if part.shown and not summary else whole
        for sentence, paragraph in part.sentences:
            figures = measured(prose(sentence))
            compares = "**" not in sentence and re.search(COMPARATIVE, prose(sentence), re.IGNORECASE)
            if re.match(TASK, sentence) or not (figures or compares):
                continue
            near = pool.found + settings + numbers(formulas(paragraph))
            missing = [f.written for f in figures if not f.occurs(near + pool.code * f.written[0].isdigit())]
            binding = sentence if part.shown and not paragraph.startswith("* - ") else paragraph
            if any(sentence in quote or quote in sentence for quote in quotes):
                bound = "evidence"
            elif re.search(POINTER, binding):
                bound = "reference"
            elif figures:
                bound = "" if missing else "numbers"
            elif re.search(RELATION, formulas(sentence)):
                bound = "mathematics"
            else:
                bound = "shown" if (part.shown or summary) and _about(sentence, pool.shown) else ""
            result.append(Statement(source.stem, part.title or "opening", sentence, bound, missing))
    return result


def _about(sentence: str, shown: str) -> bool:
    words = re.findall(r"[a-z]{4,}", prose(sentence).lower())
    words = {word[:6] for word in words if not re.match(COMMON, word)}
    return sum(word in shown for word in words) >= min(2, len(words)) > 0


def collect(names: list[str], root: Path) -> list[Statement]:
    """Return the statements of the chapters called ``names``, or of all."""
    ledger = yaml.safe_load((root / "book" / "evidence.yml").read_text(encoding="utf-8")) or []
    found = []
    for source in (p for p in find_sources(names, root) if p.parent.name == "book" and p.stem[0].isdigit()):
        said = [" ".join(entry["quote"].split()) for entry in ledger if entry["chapter"] == source.stem]
        found += statements(source, said + [part for quote in said for part in sentences(quote)], root)
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
