"""Export the exercises as assignments of otter-grader: ``python -m tools.otter [NAME ...]`` fills ``_build/otter/``.

Each exercise becomes a folder: in ``student/`` the notebook to hand out, in ``autograder/`` the solutions, one test per
check, and ``autograder.zip`` for ``otter run``. Every check of the released notebook is one point, as in
:mod:`labs.grade`, and a test runs the book's own check from its source. The cell that calls a check names its test in
its metadata, so otter tests there, where ``answer`` still belongs to that question, and students need no otter.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat
import yaml

from labs.files import replacing
from labs.grade.exercises import Exercise, load_exercises
from tools.archive import write_zip
from tools.bundle import without_outputs
from tools.sources import NotebookError

TARGET = Path("_build/otter")
TEST = """from labs.grade.pristine import Pristine
from otter.test_files import test_case

OK_FORMAT = False
name = {name!r}
points = 1


@test_case(name={heading!r})
def check_as_released(env):
    checks = Pristine({topic!r})
    feedback = eval({call!r}, env, {{"check": checks.fresh()}})
    assert checks.is_passed(feedback), "\\n".join(feedback.lines)
"""


def tests_of(exercise: Exercise) -> dict[str, str]:
    """Return the tests of an exercise, in otter's format that fails by an exception, by the name of their file.

    Args:
        exercise: as :func:`labs.grade.exercises.load_exercises` reads it.

    Raises:
        NotebookError: a check is called twice, and would need two tests of one name.
    """
    names = [part.name for part in exercise.parts]
    for name in names:
        if names.count(name) > 1:
            raise NotebookError(f"{exercise.name}: `check.{name}` is called twice, and one call is one point")
    return {
        f"{p.name}.py": TEST.format(name=p.name, heading=p.heading, topic=exercise.topic, call=p.call)
        for p in exercise.parts
    }


def assignment(path: Path, exercise: Exercise) -> str:
    """Return the text of a notebook, without outputs, whose cells name the tests that otter runs after them.

    Args:
        path: of the notebook, which stays as it is.
        exercise: what :func:`labs.grade.exercises.load_exercises` reads in it.
    """
    notebook = nbformat.reads(without_outputs(path), as_version=4)
    notebook.metadata["otter"] = {"assignment_name": exercise.name}
    for part in exercise.parts:
        metadata = notebook.cells[part.cell].metadata
        metadata.setdefault("otter", {"tests": []})["tests"].append(part.name)
        metadata.update(deletable=False, editable=False)  # without this cell the test would come too late
    return nbformat.writes(notebook) + "\n"


def contents(root: Path, names: list[str]) -> dict[str, dict[str, str]]:
    """Return for each exercise the text of its files, without the archive, by their path in its folder.

    Args:
        root: the root of the repository.
        names: stems such as ``"16-dead-neurons"``; all of them if empty.

    Raises:
        NotebookError: there is no such exercise, or its solutions call other checks.
        FileNotFoundError: there are no exercises, or no solutions.
    """
    students, solved = (load_exercises(root / folder) for folder in ("exercises", "solutions"))
    package = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    found = {}
    for name in names or students:
        if name not in students:
            raise NotebookError(f"no exercises called {name!r}; there are: {', '.join(students)}")
        student, solution = students[name], solved.get(name)
        if solution is None or [p.call for p in student.parts] != [p.call for p in solution.parts]:
            raise NotebookError(f"{name}: its solutions call other checks; run: make notebook NAME={name}")
        config = json.dumps({"assignment_name": name}, indent=2) + "\n"
        found[name] = {
            f"student/{name}.ipynb": assignment(root / "exercises" / f"{name}.ipynb", student),
            f"autograder/{name}.ipynb": assignment(root / "solutions" / f"{name}.ipynb", solution),
            "autograder/otter_config.json": config,
            "autograder/requirements.txt": f"git+{package}\n",
            **{f"autograder/tests/{file}": text for file, text in tests_of(student).items()},
        }
    return found


def write_assignment(folder: Path, files: Mapping[str, str]) -> Path:
    """Write the files of an exercise and pack those that ``otter run`` wants; returns the path of the archive.

    Args:
        folder: of this exercise.
        files: as :func:`contents` has them.

    Raises:
        NotebookError: a test lies there that is not of this exercise; otter would count it.
    """
    for path in sorted(folder.glob("autograder/tests/*.py")):
        if path.relative_to(folder).as_posix() not in files:
            raise NotebookError(f"{path}: otter would count it, and it is no test of these; move it away")
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    inside = {name.removeprefix("autograder/"): text for name, text in files.items()}
    wanted = {name: text for name, text in inside.items() if name.startswith(("tests/", "otter_config"))}
    return write_zip(folder / "autograder" / "autograder.zip", wanted)


def main(arguments: list[str] | None = None, root: Path | None = None) -> int:
    """Run the command line; returns the exit status."""
    root = root or Path()
    parser = argparse.ArgumentParser(prog="python -m tools.otter", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="stem such as 16-dead-neurons; default: all")
    parser.add_argument("--to", type=Path, default=TARGET, metavar="FOLDER", help=f"default: {TARGET}")
    options = parser.parse_args(arguments)
    try:
        for name, files in contents(root, options.names).items():
            write_assignment(options.to / name, files)
            print(options.to / name)
    except (NotebookError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
