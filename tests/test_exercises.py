"""Every exercise notebook: the solutions pass their checks, the student version holds no answers."""

import re
from pathlib import Path

import matplotlib
import nbformat
import pytest
from matplotlib import pyplot as plt

ROOT = Path(__file__).parent.parent
SOLVED = sorted((ROOT / "solutions").glob("*.ipynb"))


def gaps(path):
    """How many answers a student has to give."""
    return path.with_suffix(".md").read_text(encoding="utf-8").count("# BEGIN SOLUTION")


@pytest.mark.parametrize("path", SOLVED, ids=lambda path: path.stem)
def test_a_chapter_has_one_to_six_exercises_and_each_asks_for_something(path):
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    exercises = re.split(r"^## (?=\d\. )", text, flags=re.MULTILINE)[1:]

    assert 1 <= len(exercises) <= 6
    assert all("# BEGIN SOLUTION" in exercise for exercise in exercises)


@pytest.mark.parametrize("path", SOLVED, ids=lambda path: path.stem)
def test_every_answer_is_checked_and_every_check_passes(path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    printed = ["".join(o.get("text", "") for o in cell.outputs) for cell in cells]

    reports = [text for text in printed if "[ok]" in text or "[--]" in text or "Nothing to check" in text]
    assert len(reports) == gaps(path)
    assert all("[ok]" in text and "[--]" not in text for text in reports)


@pytest.mark.parametrize("path", SOLVED, ids=lambda path: path.stem)
def test_the_student_notebook_has_the_gaps_and_no_answer(path):
    cells = nbformat.read(ROOT / "exercises" / path.name, as_version=4).cells
    text = "\n".join(cell.source for cell in cells)

    assert text.count("# YOUR CODE HERE") == gaps(path)
    assert "SOLUTION" not in text
    assert "**Answer.**" not in text
    assert not any(cell.get("outputs") for cell in cells)


@pytest.mark.parametrize("path", SOLVED, ids=lambda path: path.stem)
def test_the_untouched_notebook_runs_and_each_check_says_that_there_is_nothing_yet(path, capsys):
    cells = nbformat.read(ROOT / "exercises" / path.name, as_version=4).cells
    sources = [c.source for c in cells if c.cell_type == "code" and "google.colab" not in c.source]
    calls = sum(len(re.findall(r"^check\.\w+\(", source, flags=re.MULTILINE)) for source in sources)
    names = {}

    matplotlib.use("agg")
    with matplotlib.rc_context():
        for source in sources:
            exec(compile(source, "a cell", "exec"), names)
        plt.close("all")

    printed = capsys.readouterr().out
    assert calls >= gaps(path)
    assert printed.count("Nothing to check yet") == calls
    assert "[ok]" not in printed
