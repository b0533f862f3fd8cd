"""The assignments for otter-grader: all of them, the same bytes each time, and the marks that labs.grade gives."""

import csv
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from labs.grade.exercises import load_exercises
from tools import otter
from tools.notebooks import kernel_environment

ROOT = Path(__file__).resolve().parents[1]
EXERCISES = load_exercises(ROOT / "exercises")
TRIED = "10-backpropagation"  # where `answer` has four meanings
LOCKED = {"deletable": False, "editable": False}


@pytest.fixture(scope="module")
def assignments():
    return otter.contents(ROOT, [])


@pytest.fixture
def small(tmp_path):
    """A repository of one exercise, which a test may spoil."""
    for folder in ("exercises", "solutions"):
        (tmp_path / folder).mkdir()
        shutil.copy(ROOT / folder / f"{TRIED}.ipynb", tmp_path / folder)
    shutil.copy(ROOT / "_config.yml", tmp_path)
    return tmp_path


def cells(text):
    """The cells of a notebook, with their own metadata apart from otter's."""
    found = nbformat.reads(text, as_version=4).cells
    return [(c.source, {k: v for k, v in c.metadata.items() if k not in {"otter", *LOCKED}}) for c in found]


def spoil(root, folder, old, new):
    """Change the text of the one notebook in ``folder``."""
    path = root / folder / f"{TRIED}.ipynb"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_every_exercise_is_an_assignment_with_a_test_of_one_point_for_every_check(assignments):
    assert list(assignments) == [path.stem for path in sorted(ROOT.glob("exercises/*.ipynb"))]
    for name, files in assignments.items():
        tests = {Path(path).stem: text for path, text in files.items() if "/tests/" in path}
        assert list(tests) == [part.name for part in EXERCISES[name].parts]
        for part in EXERCISES[name].parts:
            compile(tests[part.name], part.name, "exec")
            assert f"\nOK_FORMAT = False\nname = {part.name!r}\npoints = 1\n" in tests[part.name]
            assert repr(part.call) in tests[part.name]


def test_the_page_for_instructors_tells_the_points_and_the_otter_that_was_tried(assignments):
    page = (ROOT / "book" / "instructors.md").read_text(encoding="utf-8")
    version = re.search(r"(?m)^otter-grader==(\S+)$", (ROOT / "requirements.in").read_text(encoding="utf-8"))[
        1
    ]
    points = sum("/tests/" in path for files in assignments.values() for path in files)

    assert f"one point here too, {points} in all" in page
    assert f"`otter run` of otter-grader {version}:" in page


@pytest.mark.parametrize(("place", "folder"), [("student", "exercises"), ("autograder", "solutions")])
def test_a_notebook_is_the_one_of_the_book_and_each_check_names_its_test(assignments, place, folder):
    for name, files in assignments.items():
        text = files[f"{place}/{name}.ipynb"]
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
        named = [(c.metadata.otter.tests, c.source) for c in notebook.cells if "otter" in c.metadata]

        assert cells(text) == cells((ROOT / folder / f"{name}.ipynb").read_text(encoding="utf-8"))
        assert [test for tests, _ in named for test in tests] == [part.name for part in EXERCISES[name].parts]
        assert all(f"check.{test}(" in source for tests, source in named for test in tests)
        assert all(LOCKED.items() <= c.metadata.items() for c in notebook.cells if "otter" in c.metadata)
        assert notebook.metadata.otter == {"assignment_name": name}
        assert not any(cell.get("outputs") for cell in notebook.cells)


def test_two_exports_are_the_same_bytes_and_the_archive_holds_the_tests(small, capsys):
    for folder in ("one", "two"):
        assert otter.main([TRIED, "--to", str(small / folder)], small) == 0
    written = [
        {p.relative_to(small / f): p.read_bytes() for p in (small / f).rglob("*.*")} for f in ("one", "two")
    ]
    archive = zipfile.ZipFile(small / "one" / TRIED / "autograder" / "autograder.zip").namelist()

    assert written[0] == written[1]
    assert sorted(archive) == sorted(
        ["otter_config.json", *(f"tests/{p.name}.py" for p in EXERCISES[TRIED].parts)]
    )
    assert otter.main([TRIED, "--to", str(small / "one")], small) == 0  # over itself
    assert "SOLUTION" not in (small / "one" / TRIED / "student" / f"{TRIED}.ipynb").read_text(
        encoding="utf-8"
    )


def test_what_cannot_be_exported_is_said_in_a_line(small, capsys):
    target = ["--to", str(small / "out")]

    def error(*names):
        assert otter.main([*names, *target], small) == 1
        return capsys.readouterr().err

    assert f"no exercises called '99-no'; there are: {TRIED}\n" in error("99-no")
    assert not (small / "out").exists()
    assert otter.main(target, small) == 0
    stray = small / "out" / TRIED / "autograder" / "tests" / "old.py"
    stray.write_text("")
    assert f"{stray}: otter would count it" in error()
    stray.unlink()
    spoil(small, "solutions", "check.softplus(softplus)", "check.absolute(softplus)")
    assert f"its solutions call other checks; run: make notebook NAME={TRIED}" in error()
    spoil(small, "exercises", "check.softplus(softplus)", "check.absolute(softplus)")
    assert "`check.absolute` is called twice" in error()
    shutil.rmtree(small / "solutions")
    assert "no released exercise notebooks" in error()


# --- otter's own command


def half_right(student, solution):
    """A student's notebook with every second answer; the others edit their check, fail, or stay as they are."""
    answered = nbformat.reads(student, as_version=4)
    solved = nbformat.reads(solution, as_version=4).cells
    solved = [cell for cell in solved if "solution-only" not in cell.metadata.get("tags", [])]
    pairs = zip(answered.cells, solved, strict=True)
    gaps = [(mine, theirs.source) for mine, theirs in pairs if mine.source != theirs.source]
    for mine, theirs in gaps[::2]:
        mine.source = theirs
    gaps[1][0].source += "\nfrom labs.checks import Feedback\n"
    gaps[1][0].source += f"check.{EXERCISES[TRIED].parts[1].name} = lambda answer: Feedback(True, ('[ok]',))"
    gaps[3][0].source = "1 / 0"
    return nbformat.writes(answered)


def run(*arguments, cwd):
    """Run a command as the notebooks of the book run, and return what became of it."""
    env = os.environ | kernel_environment() | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory):
    """The assignment of one exercise, and three submissions beside it."""
    if importlib.util.find_spec("otter") is None:
        pytest.skip("otter-grader is not installed")
    place = tmp_path_factory.mktemp("a course")
    assert otter.main([TRIED, "--to", str(place)], ROOT) == 0
    student, solution = (
        (place / TRIED / folder / f"{TRIED}.ipynb").read_text(encoding="utf-8")
        for folder in ("student", "autograder")
    )
    for name, text in {"ada": solution, "bob": half_right(student, solution), "zoe": student}.items():
        (place / "submissions" / name).mkdir(parents=True)
        (place / "submissions" / name / f"{TRIED}.ipynb").write_text(text, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def marks_of_labs_grade(handed_in):
    """For each student what ``labs.grade`` gives, part by part."""
    done = run("labs.grade", handed_in / "submissions", "--jobs", 1, cwd=handed_in)
    assert done.returncode == 0, done.stderr
    with open(handed_in / "submissions-graded" / "grades.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    parts = EXERCISES[TRIED].parts
    return {r["student"]: {p.name: int(r[f"part_{n}"]) for n, p in enumerate(parts, 1)} for r in rows}


@pytest.mark.parametrize(("student", "points"), [("ada", 10), ("bob", 5), ("zoe", 0)])
def test_otter_gives_the_marks_that_labs_grade_gives(handed_in, marks_of_labs_grade, student, points):
    folder = handed_in / "submissions" / student
    archive = handed_in / TRIED / "autograder" / "autograder.zip"

    done = run("otter", "run", "--no-logo", "-a", archive, f"{TRIED}.ipynb", cwd=folder)

    assert done.returncode == 0, done.stderr
    found = json.loads((folder / "results.json").read_text(encoding="utf-8"))["tests"]
    marks = {test["name"]: test["score"] for test in found if "score" in test}
    assert marks == marks_of_labs_grade[student]
    assert sum(marks.values()) == points
    assert f"Total Score: {points:.3f} / 10.000" in done.stdout


def test_otter_checks_the_solutions_without_an_archive(handed_in):
    done = run("otter", "check", f"{TRIED}.ipynb", cwd=handed_in / TRIED / "autograder")

    assert done.stdout.splitlines()[-1] == "All tests passed!", done.stderr


def test_otter_refuses_the_notebook_of_another_exercise(handed_in, tmp_path):
    other = otter.contents(ROOT, ["16-dead-neurons"])["16-dead-neurons"]["student/16-dead-neurons.ipynb"]
    (tmp_path / "other.ipynb").write_text(other, encoding="utf-8")
    archive = handed_in / TRIED / "autograder" / "autograder.zip"

    done = run("otter", "run", "-a", archive, "other.ipynb", cwd=tmp_path)

    assert done.returncode != 0
    assert "Received submission for assignment '16-dead-neurons'" in done.stderr
