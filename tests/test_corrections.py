"""The corrections register: every entry says what is heard, gives a verdict, and leads to what settles it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
REGISTER = (ROOT / "book" / "corrections.md").read_text(encoding="utf-8")
CHAPTERS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "book").glob("[0-9][0-9]-*.md")}
VERDICTS = ("false", "imprecise", "no source", "untraceable citation", "cannot run")
ENTRY = re.compile(r"^\((cor-[a-z0-9-]+)\)=\n### ([^\n]+)\n(.*?)(?=^\(cor-|^## |\Z)", re.MULTILINE | re.DOTALL)
ENTRIES = {label: (title, body) for label, title, body in ENTRY.findall(REGISTER)}


def test_labels_are_unique_and_none_is_overlooked():
    labels = re.findall(r"^\((cor-[^)]*)\)=$", REGISTER, re.MULTILINE)

    assert len(labels) > 20
    assert sorted(labels) == sorted(ENTRIES)


@pytest.mark.parametrize("label", ENTRIES)
def test_an_entry_says_what_is_heard_and_gives_a_verdict(label):
    title, body = ENTRIES[label]

    assert re.search(r"\*\*Heard:\*\* \S", body), f"{title}: no **Heard:**"
    verdict = re.search(r"\*\*Verdict:\*\* ([^.;(]+)", body)
    assert verdict, f"{title}: no **Verdict:**"
    assert verdict[1].strip().startswith(VERDICTS), (
        f"{title}: the verdict {verdict[1]!r} is none of {VERDICTS}"
    )


@pytest.mark.parametrize("label", ENTRIES)
def test_an_entry_leads_to_what_settles_it(label):
    title, body = ENTRIES[label]

    leads = re.findall(r"\{(?:ref|doc|numref|eq|cite:[tp])\}`", body)
    assert leads or "no source" in body, f"{title}: no section, no citation"


@pytest.mark.parametrize("label", ENTRIES)
def test_a_chapter_leads_to_every_entry(label):
    assert any(f"<{label}>`" in text or f"`{label}`" in text for text in CHAPTERS.values()), label


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_links_to_entries_that_exist(name):
    linked = set(re.findall(r"\{ref\}`(?:[^`<]*<)?(cor-[a-z0-9-]+)>?`", CHAPTERS[name]))

    assert linked <= set(ENTRIES)
