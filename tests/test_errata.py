"""The errata page: each row has a date, leads to its place, and says what was wrong and what is right."""

import re
from datetime import date
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "book" / "errata.md").read_text(encoding="utf-8")
TABLE = [
    [cell.strip() for cell in line.strip("| ").split("|")] for line in PAGE.splitlines() if line[:1] == "|"
]
ROWS = TABLE[2:]  # the head and the line below it come first
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "book").glob("*.md")}
HOMES = {
    label: stem
    for stem, text in PAGES.items()
    for label in re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE)
}
PLACE = re.compile(r"(?:chapter (\d+), |\{doc\}`([\w-]+)`(?:, )?)(?:\{ref\}`([\w-]+)`)?")


def test_the_table_has_four_columns_and_no_row_has_another_number():
    assert TABLE[0] == ["Date", "Page", "What was wrong", "What is right"]
    assert [row for row in ROWS if len(row) != 4] == []


def test_the_newest_comes_first():
    days = [date.fromisoformat(row[0]) for row in ROWS]

    assert days == sorted(days, reverse=True)


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_a_row_leads_to_its_place_and_says_both_things_in_sentences(row):
    _, place, wrong, right = row

    chapter, page, label = PLACE.fullmatch(place).groups()
    assert page in PAGES or HOMES[label].startswith(f"{int(chapter):02}-")
    assert label is None or page in (None, HOMES[label])
    assert wrong.endswith(".")
    assert right.endswith(".")
    assert wrong != right
