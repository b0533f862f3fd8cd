"""The myths: each leads to the register and to a chapter, and is shown by one short cell that runs alone."""

import ast
import builtins
import re
from pathlib import Path

import pytest

from tools.notebooks import check_pair
from tools.sources import read_source

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "book" / "myths.md"
PAGE = SOURCE.read_text(encoding="utf-8")
REGISTER = (ROOT / "book" / "corrections.md").read_text(encoding="utf-8")
CHAPTERS = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted((ROOT / "book").glob("[0-9][0-9]-*.md"))
)
SECTIONS = set(re.findall(r"^\((sec-[a-z0-9-]+)\)=$", CHAPTERS, re.MULTILINE))
MYTH = re.compile(
    r"^\(myth-([a-z0-9-]+)\)=\n### ([^\n]+)\n(.*?)(?=^\(myth-|^## |\Z)", re.MULTILINE | re.DOTALL
)
CELL = re.compile(r"^```\{code-cell\} ipython3\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def groups_of(page: str) -> dict[str, str]:
    """The text below each heading of the second level."""
    return dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))


def code_of(cell: str) -> str:
    """The code of a cell, without its tags and metadata."""
    return re.sub(
        r"\A(?:---\n.*?^---\n|(?:^:[^\n]*\n)+\n?)", "", cell, flags=re.MULTILINE | re.DOTALL
    ).strip()


def loose_names(code: str, known: set[str]) -> set[str]:
    """The names that a cell reads and neither defines itself nor finds in ``known``."""
    made, read = set(known) | set(dir(builtins)), set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else made).add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            made |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler):
            made.add(node.name)
        elif isinstance(node, ast.arg):
            made.add(node.arg)
    return read - made


ENTRIES = {
    label: group
    for group, text in groups_of(REGISTER).items()
    for label in re.findall(r"^\((cor-[a-z0-9-]+)\)=$", text, re.MULTILINE)
}
GROUPS = {name: group for group, text in groups_of(PAGE).items() for name, _, _ in MYTH.findall(text)}
MYTHS = {name: (title, body) for name, title, body in MYTH.findall(PAGE)}
IMPORTS = next(code_of(cell) for cell in CELL.findall(PAGE) if "import torch" in cell)
IMPORTED = {
    alias.asname or alias.name
    for node in ast.walk(ast.parse(IMPORTS))
    if isinstance(node, ast.Import | ast.ImportFrom)
    for alias in node.names
}
each_myth = pytest.mark.parametrize("name", MYTHS)


def test_there_are_about_thirty_and_none_is_overlooked():
    assert 28 <= len(MYTHS) <= 38
    assert len(re.findall(r"^\(myth-", PAGE, re.MULTILINE)) == len(MYTHS) == len(GROUPS)
    assert len(re.findall(r"^### ", PAGE, re.MULTILINE)) == len(MYTHS)


def test_they_stand_in_the_groups_of_the_register():
    assert list(groups_of(PAGE)) == [group for group in groups_of(REGISTER) if group in set(ENTRIES.values())]


@each_myth
def test_a_myth_leads_to_an_entry_of_the_register_in_the_same_group(name):
    entries = re.findall(r"\{ref\}`[^`<]*<(cor-[a-z0-9-]+)>`", MYTHS[name][1])

    assert entries, "no entry of the register"
    assert set(entries) <= set(ENTRIES)
    assert ENTRIES[entries[0]] == GROUPS[name]


@each_myth
def test_a_myth_leads_to_a_section_of_a_chapter(name):
    sections = set(re.findall(r"\{ref\}`(?:[^`<]*<)?(sec-[a-z0-9-]+)>?`", MYTHS[name][1]))

    assert sections, "no section"
    assert sections <= SECTIONS


@each_myth
def test_a_myth_says_where_it_is_heard_shows_one_short_cell_and_ends_with_a_verdict(name):
    title, body = MYTHS[name]
    cells = CELL.findall(body)
    shown = [code_of(cell) for cell in cells if "hide-cell" not in cell]
    before, _, _ = body.partition("```{code-cell}")
    verdict = body[body.rindex("```\n") + 4 :].strip()

    assert title.endswith("?")
    assert re.fullmatch(r"\s*\*\*Heard:\*\* [^\n]+\.\n\s*", before)
    assert len(shown) == 1
    assert len(shown[0].splitlines()) <= 15
    assert 1 <= len(verdict.splitlines()) <= 3


@each_myth
def test_a_myth_needs_nothing_but_the_imports_at_the_top(name):
    shown, *hidden = map(code_of, CELL.findall(MYTHS[name][1]))

    assert not loose_names(shown, IMPORTED)
    assert not loose_names("\n".join([shown, *hidden]), IMPORTED)


@each_myth
def test_what_cannot_be_compared_is_asserted(name):
    shown, *hidden = CELL.findall(MYTHS[name][1])

    if "nbval-ignore-output" in shown or "figure:" in shown:
        assert hidden
        assert "hide-cell" in hidden[0]
        asserted = [n.test for n in ast.walk(ast.parse(code_of(hidden[0]))) if isinstance(n, ast.Assert)]
        assert asserted
        assert all(loose_names(ast.unparse(test), IMPORTED) for test in asserted), "it looks at no result"


def test_a_cell_that_leans_on_another_is_noticed():
    assert loose_names("print(total + math.pi)", {"math"}) == {"total"}
    assert not loose_names("def f(x, y=1):\n    return x + y\n\nprint(f(2))", set())


def test_the_notebook_has_the_cells_of_its_source():
    assert check_pair(SOURCE) == []
    assert len(read_source(SOURCE).cells) > 2 * len(MYTHS)
