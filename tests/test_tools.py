"""The tools behind make: what they write, and what they say when something is wrong."""

import os
from types import SimpleNamespace

import nbformat
import pytest

from tools import archive, check, exercises, notebooks
from tools.site_hooks import lighten_downloads, source_address
from tools.sources import NotebookError, find_sources, read_source

HEADER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A page

"""


def cell(code: str, tags: str = "") -> str:
    return f"```{{code-cell}} ipython3\n{tags}{code}\n```\n\n"


@pytest.fixture(autouse=True)
def _restored_environment(monkeypatch):
    # notebooks.execute sets what its kernels need; no test may see another's.
    for key in notebooks.kernel_environment():
        monkeypatch.setenv(key, os.environ.get(key, ""))


@pytest.fixture
def tree(tmp_path):
    """A small book in a path with a space; write a page with ``tree("16-x", text, folder)``."""
    root = tmp_path / "a book"

    def add(stem, text, folder="book"):
        path = root / folder / f"{stem}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    add.root = root
    return add


def test_two_runs_of_a_notebook_write_the_same_bytes(tree):
    source = tree("16-x", HEADER + cell("import sys\nprint('a', flush=True)\nprint('b')") + cell("1 + 1"))

    first = [notebooks.main(["16-x"], tree.root), source.with_suffix(".ipynb").read_bytes()]
    second = [notebooks.main(["16-x"], tree.root), source.with_suffix(".ipynb").read_bytes()]

    assert first == second
    assert first[0] == 0
    twin = nbformat.reads(first[1].decode(), as_version=4)
    assert [c.execution_count for c in twin.cells if c.cell_type == "code"] == [1, 2]
    assert twin.cells[1].outputs[0].text == "a\nb\n"
    assert notebooks.check_pair(source) == []


def test_a_failing_cell_is_shown_and_the_old_twin_stays(tree, capsys):
    source = tree("16-x", HEADER + cell("x = 1") + cell("y = 0\nx / y"))
    source.with_suffix(".ipynb").write_text("old", encoding="utf-8")

    status = notebooks.main([], tree.root)

    said = capsys.readouterr().err
    assert status == 1
    assert "16-x.md, cell 3 of 3" in said
    assert "x / y" in said
    assert "ZeroDivisionError: division by zero" in said
    assert source.with_suffix(".ipynb").read_text(encoding="utf-8") == "old"
    assert not list(source.parent.glob(".*"))


def test_downloads_have_the_code_and_no_outputs_and_a_failed_build_is_left_alone(tmp_path):
    path = tmp_path / "_sources" / "book" / "16-x.ipynb"
    path.parent.mkdir(parents=True)
    code = nbformat.v4.new_code_cell(
        "1 + 1", execution_count=1, outputs=[nbformat.v4.new_output("stream", text="2")]
    )
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A page"), code]), path)
    before = path.read_bytes()

    lighten_downloads(SimpleNamespace(outdir=tmp_path), RuntimeError())
    untouched = path.read_bytes()
    lighten_downloads(SimpleNamespace(outdir=tmp_path), None)

    found = nbformat.read(path, as_version=4)
    assert untouched == before
    assert [cell.source for cell in found.cells] == ["# A page", "1 + 1"]
    assert (found.cells[1].outputs, found.cells[1].execution_count) == ([], None)


def test_a_widget_keeps_its_still_form_and_loses_its_random_id(tree):
    display = """from IPython.display import display
display({"text/html": "<b>still</b>", "application/vnd.jupyter.widget-view+json": {}}, raw=True)"""
    source = tree("16-x", HEADER + cell(display))

    twin = notebooks.execute(source)

    assert dict(twin.cells[1].outputs[0].data) == {"text/html": "<b>still</b>"}


def test_changed_prose_comes_into_the_twin_without_a_run_and_changed_code_does_not(tree, capsys):
    text = HEADER + cell("print(1)") + "Old words.\n"
    source = tree("16-x", text)
    twin = notebooks.execute(source)
    nbformat.write(twin, source.with_suffix(".ipynb"))

    tree("16-x", text.replace("Old words.", "New words."))
    prose = notebooks.main(["--prose", "16-x"], tree.root)
    found = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    problems = notebooks.check_pair(source)
    tree("16-x", text.replace("print(1)", "print(2)"))
    code = notebooks.main(["--prose", "16-x"], tree.root)

    assert (prose, problems) == (0, [])
    assert found.cells[2].source == "New words."
    assert found.cells[1].outputs == twin.cells[1].outputs
    assert code == 1
    assert "the code differs from its twin's; run: make notebook NAME=16-x" in capsys.readouterr().err


def test_without_a_twin_there_is_nothing_to_bring_prose_into(tree, capsys):
    tree("16-x", HEADER)

    assert notebooks.main(["--prose"], tree.root) == 1
    assert "16-x.ipynb: missing" in capsys.readouterr().err


def twin_of(source):
    """A twin as if executed, without the seconds that a kernel takes."""
    notebook = read_source(source)
    for count, code in enumerate((c for c in notebook.cells if c.cell_type == "code"), start=1):
        code.execution_count = count
    return notebook


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda nb: nb.cells[0].update(source="# Another page"), "cell 1 differs"),
        (lambda nb: nb.cells[1].metadata.update(tags=["hide-input"]), "cell 2 differs"),
        (lambda nb: nb.cells.pop(), "cell 3 differs"),
        (lambda nb: nb.metadata.kernelspec.update(language="R"), "header differs"),
        (lambda nb: nb.cells[2].update(execution_count=None), "not executed from top"),
        (lambda nb: nb.cells[2].update(execution_count=7), "not executed from top"),
        (lambda nb: nb.cells[1].outputs.append(nbformat.v4.new_output("error")), "an error is stored"),
    ],
)
def test_a_pair_that_drifted_apart_is_named(tree, spoil, complaint):
    source = tree("16-x", HEADER + cell("x = 1") + cell("x"))
    twin = twin_of(source)
    spoil(twin)
    nbformat.write(twin, source.with_suffix(".ipynb"))

    assert any(complaint in line for line in notebooks.check_pair(source))
    assert notebooks.main(["--check"], tree.root) == 1


def test_a_missing_twin_is_named_with_the_way_out(tree):
    source = tree("16-x", HEADER)

    assert "make notebook NAME=16-x" in notebooks.check_pair(source)[0]


def test_a_truncated_twin_is_named_with_the_way_out(tree, capsys):
    source = tree("16-x", HEADER + cell("x = 1"))
    twin = source.with_suffix(".ipynb")
    twin.write_text(nbformat.writes(twin_of(source))[:-100], encoding="utf-8")

    assert notebooks.main(["--check"], tree.root) == notebooks.main(["--prose"], tree.root) == 1
    assert capsys.readouterr().err.count("16-x.ipynb: truncated, or no notebook") == 2


def test_a_full_disk_stops_a_command_with_one_line_and_the_old_notebook_stays(tree, capsys, full_disk):
    source = tree("16-x", HEADER + cell("# BEGIN SOLUTION\nx = 1\n# END SOLUTION"), "solutions")
    exercises.main([], tree.root)
    (student,) = (tree.root / "exercises").iterdir()
    before = student.read_bytes()
    source.write_text(source.read_text().replace("A page", "Another page"))

    with full_disk(100):
        status = exercises.main([], tree.root)

    assert status == 1
    assert "as it was before" in capsys.readouterr().err
    assert student.read_bytes() == before
    assert list((tree.root / "exercises").iterdir()) == [student]


def test_a_download_that_does_not_fit_on_the_disk_is_an_error_and_no_traceback(tmp_path, capsys, full_disk):
    with full_disk(100):
        status = archive.report(lambda: archive.write_zip(tmp_path / "a.zip", {"a": os.urandom(1000)}))

    assert status == 1
    assert "as it was before" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_name_lists_the_known_ones(tree):
    tree("16-x", HEADER)

    with pytest.raises(NotebookError, match=r"'17-y'; there are: 16-x"):
        find_sources(["17-y"], tree.root)


def test_a_page_without_a_notebook_header_is_refused(tree):
    with pytest.raises(NotebookError, match="format_name: myst"):
        read_source(tree("16-x", "# Just a page\n"))


def test_a_header_without_the_language_is_refused(tree):
    with pytest.raises(NotebookError, match="language: python"):
        read_source(tree("16-x", HEADER.replace("  language: python\n", "")))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(NotebookError, match="there is no such file"):
        read_source(tmp_path / "gone.md")


def test_a_solution_becomes_a_gap_of_the_same_indentation():
    code = "def f(x):\n    # BEGIN SOLUTION\n    return x\n    # END SOLUTION\n"

    assert exercises.hide_solution(code) == "def f(x):\n    # YOUR CODE HERE\n    ..."


@pytest.mark.parametrize(
    "code",
    [
        "# BEGIN SOLUTION\nx = 1",
        "x = 1\n# END SOLUTION",
        "# BEGIN SOLUTION\n# BEGIN SOLUTION\n# END SOLUTION",
    ],
)
def test_marks_that_do_not_match_are_refused(code):
    with pytest.raises(NotebookError, match="SOLUTION"):
        exercises.hide_solution(code)


SOLUTION = "# BEGIN SOLUTION\nx = 1\n# END SOLUTION"


def test_a_student_notebook_has_gaps_and_no_answers(tree):
    answer = '+++ {"tags": ["solution-only"]}\n\nThe answer is one.\n\n+++\n\n'
    tree("16-x", HEADER + cell(SOLUTION) + answer + cell("print(x)"), "solutions")

    assert exercises.main([], tree.root) == 0

    student = nbformat.read(tree.root / "exercises" / "16-x.ipynb", as_version=4)
    assert [c.source for c in student.cells] == ["# A page", "# YOUR CODE HERE\n...", "print(x)"]
    assert not any(c.get("outputs") for c in student.cells)
    assert exercises.main(["--check"], tree.root) == 0


def test_a_student_notebook_that_is_out_of_date_is_named(tree, capsys):
    source = tree("16-x", HEADER + cell(SOLUTION), "solutions")
    exercises.main([], tree.root)
    source.write_text(HEADER + cell(SOLUTION) + cell("x"), encoding="utf-8")

    assert exercises.main(["--check"], tree.root) == 1
    assert "make exercises" in capsys.readouterr().err


def test_solutions_that_hide_nothing_are_refused(tree, capsys):
    tree("16-x", HEADER + cell("x = 1"), "solutions")

    assert exercises.main([], tree.root) == 1
    assert "nothing between" in capsys.readouterr().err


def test_a_chapter_is_edited_through_its_source(tree):
    tree("16-x", HEADER)

    assert (
        source_address("https://h/edit/book/16-x.ipynb", "book/16-x", tree.root)
        == "https://h/edit/book/16-x.md"
    )


def test_a_report_is_counted_by_outcome(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(
        "<testsuites><testsuite><testcase/><testcase><failure/></testcase><testcase><error/></testcase>"
        '<testcase><skipped message="no data"/></testcase></testsuite></testsuites>',
        encoding="utf-8",
    )
    result = check.Result()

    check.count(report, result)

    assert (result.passed, result.failed, dict(result.skips)) == (1, 2, {"no data": 1})


def test_pytest_that_cannot_even_start_counts_as_a_failure():
    result = check.Result()

    check.run_pytest(["--no-such-option"], dict(os.environ), result)

    assert result.failed == 1
    assert "no-such-option" in result.output
