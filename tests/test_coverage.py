"""The book teaches what it has to, where the list says; and every exercise, widget and figure has its parts."""

import re
from pathlib import Path

import nbformat
import pytest
import yaml

from tools.sources import find_sources, read_source

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    name: (ROOT / f"{name}.md").read_text(encoding="utf-8")
    for name in re.findall(r"(?:file|root): (\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))
}
CHAPTERS = sorted(Path(name).name for name in PAGES if re.match(r"book/\d\d-", name))
SOLUTIONS = [path for path in find_sources([], ROOT) if path.parent.name == "solutions"]
TAUGHT = yaml.safe_load((ROOT / "tests" / "coverage.yml").read_text(encoding="utf-8"))
KINDS = {"concept", "formula", "figure", "table", "code", "exercise", "solution", "question"}
# A line of its own in front of a heading, an option of a directive, and the name of a figure cell.
LABELS = (
    r"^\(([\w-]+)\)=$",
    r"^:(?:label|name): (\S+)$",
    r"^    name: ((?:fig|tab|eq)-[\w-]+)$",
)
WIDGET = r"^from labs\.widgets import ([A-Z]\w*)"


def homes() -> dict[str, str]:
    """The page on which each label of the book stands."""
    return {
        label: Path(page).name
        for page, text in PAGES.items()
        for form in LABELS
        for label in re.findall(form, text, re.MULTILINE)
    }


HOMES = homes()


def text_of(chapter: str) -> str:
    """The source of a chapter."""
    return PAGES[f"book/{chapter}"]


def exercises_of(path: Path) -> dict[str, str]:
    """The exercises of a solutions file, by number."""
    parts = re.split(r"^## (\d)\. ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


EXERCISES = {path.stem: exercises_of(path) for path in SOLUTIONS}


def figures(chapter: str) -> list[tuple[dict, str]]:
    """The ``mystnb`` metadata and the code of every cell of a chapter that makes or declares a figure."""
    source = read_source(ROOT / "book" / f"{chapter}.md")
    twin = nbformat.read(ROOT / "book" / f"{chapter}.ipynb", as_version=4)
    drawn = {
        cell.source
        for cell in twin.cells
        if cell.cell_type == "code" and any("image/png" in output.get("data", {}) for output in cell.outputs)
    }
    return [
        (cell.metadata.get("mystnb", {}), cell.source)
        for cell in source.cells
        if cell.cell_type == "code" and (cell.metadata.get("mystnb") or cell.source in drawn)
    ]


def widget_sections(chapter: str) -> dict[str, str]:
    """The section in which each widget of a chapter stands."""
    found = {}
    for section in re.split(r"^(?=## )", text_of(chapter), flags=re.MULTILINE):
        found |= dict.fromkeys(re.findall(WIDGET, section, re.MULTILINE), section)
    return found


# --- what is taught, and where


def test_the_list_has_no_entry_twice():
    ids = [entry["id"] for entry in TAUGHT]

    assert len(ids) == len(set(ids))
    assert len({(entry["teaches"], entry["kind"]) for entry in TAUGHT}) == len(TAUGHT)


@pytest.mark.parametrize("entry", TAUGHT, ids=lambda entry: entry["id"])
def test_an_entry_says_what_is_taught_of_which_kind_and_where(entry):
    assert set(entry) <= {"id", "teaches", "kind", "where", "exercises"}
    assert re.fullmatch(r"teach-\d{3}", entry["id"])
    assert entry["teaches"].strip()
    assert entry["kind"] in KINDS
    assert entry["where"]


@pytest.mark.parametrize("entry", TAUGHT, ids=lambda entry: entry["id"])
def test_what_is_taught_is_where_the_list_says(entry):
    missing = [label for label in entry["where"] if label not in HOMES]

    assert not missing, f"{entry['teaches']}: no page of the table of contents has {', '.join(missing)}"
    # A correction or a reference page may be named besides; the teaching is done in a chapter.
    assert {HOMES[label] for label in entry["where"]} & set(CHAPTERS)


@pytest.mark.parametrize("entry", [e for e in TAUGHT if e["kind"] == "figure"], ids=lambda entry: entry["id"])
def test_a_figure_of_the_list_is_a_figure_of_the_book(entry):
    assert any(label.startswith("fig-") for label in entry["where"])


@pytest.mark.parametrize(
    "entry", [e for e in TAUGHT if e["kind"] == "exercise" or "exercises" in e], ids=lambda entry: entry["id"]
)
def test_an_exercise_of_the_list_exists(entry):
    assert entry["exercises"]
    for name in entry["exercises"]:
        chapter, number = name.split("/")
        assert number in EXERCISES.get(chapter, {}), f"{entry['teaches']}: no exercise {name}"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_teaches_something_of_the_list(chapter):
    assert any(HOMES.get(label) == chapter for entry in TAUGHT for label in entry["where"])


def test_a_label_stands_in_one_place_only():
    found = [
        label for text in PAGES.values() for form in LABELS for label in re.findall(form, text, re.MULTILINE)
    ]

    assert sorted(found) == sorted(set(found))


# --- the parts of an exercise, a widget, a figure


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_every_exercise_has_a_gap_a_check_a_hint_and_an_explained_solution(path):
    for number, text in EXERCISES[path.stem].items():
        gaps, checks = text.count("# BEGIN SOLUTION"), re.findall(r"^check\.\w+\(", text, re.MULTILINE)
        assert 1 <= gaps <= len(checks), f"exercise {number}: {gaps} gaps and {len(checks)} checks"
        assert "<summary>Hint" in text, f"exercise {number} has no hint"
        explained = re.search(r"^\+\+\+ \{.*solution-only.*\}\n+\S", text, re.MULTILINE)
        assert explained, f"exercise {number} has no explanation"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_announces_the_exercises_that_it_has(chapter):
    announced = re.search(r"^## Exercises\n(.*?)^## ", text_of(chapter), re.MULTILINE | re.DOTALL)
    numbers = re.findall(r"^(\d)\. \*\*", announced[1], re.MULTILINE) if announced else []

    assert numbers == list(EXERCISES.get(chapter, {}))


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_has_a_widget(chapter):
    assert widget_sections(chapter)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_beside_every_widget_is_a_still_figure_or_a_reference_to_one(chapter):
    own = {label for label, home in HOMES.items() if home == chapter and label.startswith("fig-")}

    for widget, section in widget_sections(chapter).items():
        named = set(re.findall(r"^    name: (fig-[\w-]+)$|\{numref\}`(fig-[\w-]+)`", section, re.MULTILINE))
        assert {label for pair in named for label in pair} & own, f"{widget} has no still figure"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_figure_of_a_chapter_has_a_name_a_caption_and_an_alternative_text(chapter):
    found = figures(chapter)

    assert found
    for parts, code in found:
        figure, alt = parts.get("figure", {}), str(parts.get("image", {}).get("alt", ""))
        assert re.fullmatch(r"fig-[\w-]+", str(figure.get("name", ""))), f"no name: {code[:80]}"
        assert str(figure.get("caption", "")).strip(), f"{figure['name']}: no caption"
        assert len(alt.split()) >= 8, f"{figure['name']}: alt text {alt!r}"


@pytest.mark.parametrize("page", PAGES)
def test_a_picture_that_is_a_file_has_an_alternative_text_too(page):
    assert not re.search(r"!\[\s*\]|<img\b(?![^>]*\balt=)", PAGES[page])
    for body in re.findall(
        r"^(?::::+|```+)\{(?:image|figure)\}(.*?)^(?::::+|```+)$", PAGES[page], re.MULTILINE | re.DOTALL
    ):
        alt = re.search(r"^:alt: (\S+(?: +\S+){7,})", body, re.MULTILINE)
        assert alt, f"no alt text of eight words: {body.strip()[:80]}"
