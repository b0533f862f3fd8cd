"""The decision guide: every line has a source that exists, and a function that the book knows."""

import dataclasses
import re
from pathlib import Path

import pytest

from labs.activations import ACTIVATIONS
from labs.guide import DOMAINS, GUIDE, NOT_ELEMENTWISE, advise

BIBLIOGRAPHY = (Path(__file__).resolve().parents[1] / "book" / "references.bib").read_text(encoding="utf-8")


def entry(key):
    """The fields of one entry of the bibliography, as text."""
    found = re.search(rf"^@\w+\{{{key},(.*?)^\}}", BIBLIOGRAPHY, re.M | re.S)
    assert found, f"no entry {key}"
    return found.group(1)


@pytest.mark.parametrize("line", GUIDE, ids=lambda line: f"{line.domain}, {line.place}, {line.functions[0]}")
class TestEachLine:
    def test_names_functions_of_the_book(self, line):
        assert line.functions
        assert set(line.functions) <= {*ACTIVATIONS, *NOT_ELEMENTWISE}

    def test_has_a_source_of_that_year(self, line):
        assert re.search(rf"year\s*=\s*\{{{line.year}\}}", entry(line.source))

    def test_says_why_in_one_clause(self, line):
        assert len(line.reason.split()) >= 3 or line.reason.endswith(("guidelines", "BERT", "Transformer"))
        assert not line.reason.endswith(".")

    def test_is_found_by_what_it_says_of_itself(self, line):
        assert line in advise(domain=line.domain, layer=line.layer, hardware=line.hardware, depth=line.depth)


def test_a_line_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        GUIDE[0].year = 1999


def test_no_line_stands_twice():
    assert len({(line.domain, line.place, line.functions, line.source) for line in GUIDE}) == len(GUIDE)


def test_lines_of_one_domain_stand_together():
    order = [line.domain for line in GUIDE]

    assert order == sorted(order, key=DOMAINS.index)


def test_what_is_meant_for_small_devices_comes_first_if_asked_for_and_else_not_at_all():
    small = advise(domain="images, convolutional", layer="hidden", hardware="small")
    usual = advise(domain="images, convolutional", layer="hidden")

    assert [line.functions[0] for line in small[:2]] == ["ReLU6", "Hardswish"]
    assert set(usual) == {line for line in small if line.hardware == "any"}


def test_without_a_question_everything_of_general_use_comes():
    assert set(advise()) == {line for line in GUIDE if line.hardware == line.depth == "any"}


@pytest.mark.parametrize(
    "question", [{"domain": "cooking"}, {"layer": "soft"}, {"hardware": "huge"}, {"depth": "shallow"}]
)
def test_an_unknown_word_is_answered_with_the_known_ones(question):
    with pytest.raises(ValueError, match="choose one of: '"):
        advise(**question)
