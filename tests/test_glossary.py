"""The glossary: every term that a chapter defines in bold is in it, with a German word and the way to its section."""

import re
from pathlib import Path

import pytest

from tools.sources import read_source

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
CHAPTERS = sorted((ROOT / "book").glob("[0-9][0-9]-*.md"))
LABELS = {
    label
    for path in [*CHAPTERS, ROOT / "book" / "notation.md"]
    for label in re.findall(r"^\(([\w-]+)\)=$", path.read_text(encoding="utf-8"), re.MULTILINE)
}
# What a chapter prints in bold and does not define.
EXCEPTIONS = {
    "03-evaluation": {"is positive", "is negative"},  # names of the rows of a table
    "09-learnable": {
        "per channel", "per layer", "for the network",  # the cases of a list: who shares a number
        "SGT", "NIPUNA",  # names whose printed formulas are not those of their papers
    },
    "11-optimisation": {
        "Too small", "About right", "Too large",  # the curves of a figure
        "watching",  # a point of the closing list
    },
    "14-double-descent": {"Below the threshold", "Above the threshold"},  # the cases of a derivation
    "15-comparison": {"four times Xavier"},  # the answer of a paragraph
    "18-choosing": {
        "used", "advised", "proposed",  # grades of evidence of the guide, explained beside it
        "Candidates", "Network and budget", "Tuning", "Seeds", "Verdict",  # the points of the protocol
    },
}  # fmt: skip
SHORT_FOR = {"Nesterov's": "Nesterov's variant", "validation": "validation data"}


def entries() -> dict[str, str]:
    """The text of each entry of the glossary, by its term."""
    blocks = re.findall(r"^```\{glossary\}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    found = [re.split(r"\n(?=\S)", block.strip()) for block in blocks]
    parts = [entry.partition("\n") for block in found for entry in block]
    return {term: text for term, _, text in parts}


ENTRIES = entries()
TERMS = {term.lower() for term in ENTRIES}


def has_entry(words: str) -> bool:
    """Whether the glossary has ``words``, or their singular."""
    wanted = SHORT_FOR.get(words, words).lower()
    return bool({wanted, wanted.removesuffix("s")} & TERMS)


def bold(path: Path) -> list[str]:
    """What the prose of a chapter prints in bold; neither claims in quotation marks nor headings that run in."""
    prose = "\n".join(cell.source for cell in read_source(path).cells if cell.cell_type == "markdown")
    found = [
        re.sub(r"\{term\}`([^`<]*?)(?: <[^`]*>)?`", r"\1", words)
        for words in re.findall(r"\*\*([^*\n]+)\*\*", prose)
    ]
    return [w for w in found if not w.startswith(('"', "After this")) and w[-1] not in ".?!"]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_what_a_chapter_defines_in_bold_is_in_the_glossary(path):
    left_out = EXCEPTIONS.get(path.stem, set())

    missing = {words for words in bold(path) if not has_entry(words)} - left_out

    assert missing == set(), f"give them an entry in book/glossary.md, or a reason in EXCEPTIONS: {missing}"


@pytest.mark.parametrize("stem", EXCEPTIONS)
def test_an_exception_is_still_needed(stem):
    in_bold = set(bold(ROOT / "book" / f"{stem}.md"))

    assert {words for words in EXCEPTIONS[stem] if words not in in_bold or has_entry(words)} == set()


@pytest.mark.parametrize("term", ENTRIES)
def test_an_entry_has_a_german_word_a_sentence_and_a_section(term):
    german, *sentences, way = [line.strip() for line in ENTRIES[term].strip().splitlines()]

    assert re.fullmatch(r"\*\([^*]+\)\*", german), "the German word comes first, as *(Wort)*"
    assert sentences
    assert all(re.search(r"[.!?]$", sentence) for sentence in sentences)
    labels = re.findall(r"\{ref\}`([\w-]+)`", way)
    assert re.match("See ", way)
    assert labels
    assert set(labels) <= LABELS


def test_the_terms_are_in_order_and_none_comes_twice():
    keys = [re.sub(r"[^a-z0-9]", "", term.lower()) for term in ENTRIES]
    blocks = re.findall(r"^## ([A-Z])$", PAGE, re.MULTILINE)

    assert keys == sorted(set(keys))
    assert blocks == sorted({key[0].upper() for key in keys})
    assert len(re.findall(r"^  \*\(", PAGE, re.MULTILINE)) == len(ENTRIES)
