"""The pages for instructors: goals as the chapters state them, twenty questions, and a key that fits them."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tools.goals import goals
from tools.tables import filled

ROOT = Path(__file__).resolve().parents[1]
INVENTORY = (ROOT / "book" / "inventory.md").read_text(encoding="utf-8")
PAGE = (ROOT / "book" / "instructors.md").read_text(encoding="utf-8")


def test_the_goals_on_the_page_are_those_of_the_chapters(monkeypatch):
    monkeypatch.chdir(ROOT)

    assert filled(PAGE) == PAGE
    assert PAGE.count(":::{dropdown} ") == len(list(ROOT.glob("book/[0-9][0-9]-*.md"))) + 1  # and the key
    assert len(re.findall(r"(?m)^- .{30,};$", goals(ROOT))) > 50


def test_a_chapter_without_goals_is_named(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "01-page.md").write_text("# 1. A page\n")

    with pytest.raises(ValueError, match=r"01-page\.md: wanted a list"):
        goals(tmp_path)


def test_the_inventory_asks_twenty_questions_with_four_different_answers_each():
    questions = re.findall(r"(?ms)^\(inventory-(\d+)\)=\n\*\*(\d+)\.\*\* (.*?)(?=^\(inventory|\Z)", INVENTORY)

    assert [int(label) for label, _, _ in questions] == list(range(1, 21))
    assert [label for label, _, _ in questions] == [shown for _, shown, _ in questions]
    for _, _, text in questions:
        answers = re.findall(r"(?m)^- ([A-D]): (.+)$", text)
        assert [letter for letter, _ in answers] == list("ABCD")
        assert len({answer for _, answer in answers}) == 4


def test_the_key_answers_each_question_once_and_no_letter_is_the_one_to_guess():
    key = re.findall(r"(?m)^\* - \{ref\}`(\d+) <inventory-(\d+)>`\n  - ([A-D])$", PAGE)

    assert [(shown, label) for shown, label, _ in key] == [(str(n), str(n)) for n in range(1, 21)]
    assert max(Counter(letter for _, _, letter in key).values()) <= 6


def test_every_chapter_has_its_week():
    plan = PAGE.split("{list-table}")[1].split(":::")[0]

    assert [
        p.stem for p in sorted(ROOT.glob("book/[0-9][0-9]-*.md")) if f"{{doc}}`{p.stem}`" not in plan
    ] == []
