"""The pieces of the grader that need no notebook to run: reading, placing, shutting in, and writing down."""

import csv
import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from labs.grade.__main__ import main
from labs.grade.batch import Batch
from labs.grade.errors import tell, why_not_checked
from labs.grade.execution import Run
from labs.grade.exercises import Exercise, Part, load_exercises
from labs.grade.feedback import feedback, feedback_path
from labs.grade.grades import Grade, GradeTable, PartGrade, harmless
from labs.grade.limits import Limits, parse_size
from labs.grade.placement import place_checks
from labs.grade.pristine import Pristine
from labs.grade.submissions import Submission, find_submissions, student_of
from labs.grade.workers import Supervisor

ROOT = Path(__file__).parent.parent
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the Linux kernel")


def submission(file="ada_91-small.ipynb", problem="", digest="d"):
    """A submission that was read."""
    return Submission(
        file, "ada", "91-small", ({"id": "", "kind": "code", "source": "a = 1"},), problem, digest
    )


def small_exercise():
    """An exercise of two parts."""
    parts = tuple(Part(name, f"{n}. {name}", f"check.{name}(a)", n) for n, name in enumerate(("one", "two")))
    return Exercise("91-small", "dead_neurons", parts, (), "", "e")


# --- exercises


def test_every_released_notebook_has_a_part_for_each_call_of_a_check():
    exercises = load_exercises()

    assert list(exercises) == [path.stem for path in sorted((ROOT / "exercises").glob("*.ipynb"))]
    for name, exercise in exercises.items():
        text = "\n".join(cell["source"] for cell in exercise.cells if cell["kind"] == "code")
        assert len(exercise.parts) == sum(
            line.startswith("check.") and "(" in line for line in text.splitlines()
        ), name
        assert len({part.name for part in exercise.parts}) == len(exercise.parts)
        assert all(part.heading[0].isdigit() for part in exercise.parts)


# --- submissions


@pytest.mark.parametrize(
    ("file", "student"),
    [
        ("Ada_16-dead-neurons.ipynb", "Ada"),
        ("16-dead-neurons - Ada Byron.ipynb", "Ada Byron"),
        ("ada/anything.ipynb", "ada"),
        ("16-Dead-Neurons.ipynb", "16-Dead-Neurons"),
    ],
)
def test_the_student_is_the_folder_or_the_rest_of_the_name(file, student):
    assert student_of(file, "16-dead-neurons") == student


def test_the_checks_tell_the_exercise_and_where_there_are_none_the_name_does(tmp_path):
    exercises = load_exercises()

    def write(name, source):
        cells = [{"cell_type": "code", "source": [source]}]
        (tmp_path / name).write_text(json.dumps({"nbformat": 4, "cells": cells}), encoding="utf-8")

    write("a.ipynb", "from labs.checks import losses as check")
    write("b_04-neuron.ipynb", "from labs.checks import losses as check")
    write("c_04-neuron.ipynb", "pass")
    write("d.ipynb", "pass")
    write(".hidden.ipynb", "pass")

    found = [(s.file[0], s.exercise, s.problem[:16]) for s in find_submissions(tmp_path, exercises)]
    with_default = find_submissions(tmp_path, exercises, "06-depth")

    assert found == [
        ("a", "02-losses", ""), ("b", "02-losses", ""), ("c", "04-neuron", ""), ("d", "", "unknown exercise"),
    ]  # fmt: skip
    assert [s.exercise for s in with_default] == ["02-losses", "02-losses", "04-neuron", "06-depth"]


def test_a_notebook_of_an_older_format_is_read(tmp_path):
    cell = {
        "cell_type": "code",
        "input": "from labs.checks import losses",
        "language": "python",
        "outputs": [],
    }
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [cell]}]}
    (tmp_path / "old.ipynb").write_text(json.dumps(old), encoding="utf-8")

    (found,) = find_submissions(tmp_path, load_exercises())

    assert (found.problem, found.exercise) == ("", "02-losses")
    assert found.cells[0]["source"] == "from labs.checks import losses"


def test_links_in_a_circle_are_told_of(tmp_path):
    (tmp_path / "a_04-neuron.ipynb").symlink_to("a_04-neuron.ipynb")

    (found,) = find_submissions(tmp_path, load_exercises())

    assert found.exercise == "04-neuron"
    assert "oop" in found.problem or "links" in found.problem


@pytest.mark.parametrize(
    "changes",
    [
        {"metadata": None},
        {"nbformat": "4"},
        {"cells": [{"cell_type": "raw"}, {"cell_type": "code", "source": None}]},
    ],
)
def test_a_notebook_in_which_something_is_missing_that_grading_needs_not_is_read(tmp_path, changes):
    (tmp_path / "a_04-neuron.ipynb").write_text(json.dumps({"cells": [], **changes}), encoding="utf-8")

    (found,) = find_submissions(tmp_path, load_exercises())

    assert found.problem == ""


@linux
def test_names_that_differ_in_what_cannot_be_seen_stay_apart(tmp_path):
    for name in ("a b.ipynb", "a\nb.ipynb", "a\u202eb.ipynb"):
        (tmp_path / name).touch()

    files = [found.file for found in find_submissions(tmp_path, load_exercises())]

    assert sorted(map(harmless, files)) == ["a b.ipynb", "a\\nb.ipynb", "a\\u202eb.ipynb"]


@pytest.mark.parametrize("text", ['{"cells": [', "[]", '{"cells": [{"cell_type": "code", "source": "a ="}]}'])
def test_a_damaged_released_notebook_is_named(tmp_path, text):
    (tmp_path / "91-small.ipynb").write_text(text, encoding="utf-8")

    with pytest.raises(ValueError, match="91-small.ipynb.*damaged.*--exercises"):
        load_exercises(tmp_path)


# --- placement


def cells(*sources):
    """Code cells without ids."""
    return [{"id": "", "kind": "code", "source": source} for source in sources]


def test_a_check_that_was_deleted_is_made_up_for_before_the_next_cell_that_is_still_there():
    released = cells(
        "answer = ...", "check.one(answer)", "second exercise", "answer = ...", "check.two(answer)"
    )
    parts = [{"name": "one", "cell": 1}, {"name": "two", "cell": 4}]

    submitted = cells("answer = 1", "my own cell", "second exercise", "answer = 2", "check.two(answer)")

    assert place_checks(parts, released, submitted) == [[], ["one"], [], [], ["two"], []]
    assert place_checks(parts, released, submitted[:4])[-1] == ["two"]
    assert place_checks(parts, released, []) == [["one", "two"]]


def test_a_check_that_is_called_twice_has_two_places():
    released = cells("check.one(a)")

    assert place_checks([{"name": "one", "cell": 0}], released, released * 2) == [["one"], ["one"], []]


# --- checks that nobody has touched


def test_a_function_of_the_libraries_that_was_replaced_or_rewritten_is_put_back(monkeypatch):
    import torch

    import labs.seeds

    pristine = Pristine("dead_neurons")
    assert pristine.put_back() == []
    right, code = torch.allclose, labs.seeds.set_seed.__code__

    monkeypatch.setattr(torch, "allclose", lambda *a, **k: True)
    labs.seeds.set_seed.__code__ = (lambda seed: None).__code__
    found = pristine.put_back()

    assert torch.allclose is right
    assert labs.seeds.set_seed.__code__ is code
    assert found == ["torch.allclose", "labs.seeds.set_seed"]


def test_what_torch_wraps_itself_is_no_news():
    import torch

    pristine = Pristine("dead_neurons")
    right = torch.manual_seed
    torch.manual_seed = functools.wraps(right)(lambda seed: right(seed))
    found = pristine.put_back()

    assert found == []
    assert torch.manual_seed is right


class Odd(Exception):
    """An error that never says what it is."""

    def __str__(self):
        while True:
            pass


@linux
def test_an_error_that_takes_for_ever_to_say_what_it_is_costs_one_step():
    run = object.__new__(Run)
    run._step = 0.2

    short, limit, text = run._ask(tell, Odd())

    assert short.endswith("test_grade_parts.Odd: <exception str() failed>")
    assert limit == ""
    assert "Odd" in text
    assert run._ask(why_not_checked, Odd()) is None


@linux
def test_whoever_ends_all_processes_below_leaves_the_supervisor_to_tidy_up():
    psutil = pytest.importorskip("psutil")
    supervisor = Supervisor()
    supervisor._itself = psutil.Process(supervisor._receive(120)["pid"])

    below = psutil.Process().children(recursive=True)
    supervisor.end()

    assert supervisor._itself not in below


def test_a_fresh_check_knows_nothing_of_what_was_done_to_the_last_one():
    pristine = Pristine("dead_neurons")
    before = pristine.fresh()
    sheet = sys.modules["labs.checks"].Sheet
    sheet.wrong = lambda self, *a: None
    before.is_missing = lambda answer: False
    before.mask_by_hand.__code__ = (lambda answer: True).__code__

    fresh = pristine.fresh()

    assert fresh.mask_by_hand([True]).passed is False
    assert pristine.is_passed(fresh.mask_by_hand(...)) is False
    assert not pristine.is_passed(True)


# --- shutting in

TRIAL = """
import os, pathlib, signal, socket, subprocess, sys
from labs.grade import confinement
work, elsewhere, port, parent = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3]), os.getppid()
os.chdir(work)
notes = []
confinement.confine(work, notes.append, hidden=[elsewhere / "hidden"])
refused = []
def trial(name, function):
    try:
        function()
    except OSError:
        refused.append(name)
trial("write inside", lambda: (work / "mine").write_text("x"))
trial("write", lambda: (elsewhere / "new").write_text("x"))
trial("change", lambda: (elsewhere / "old").open("a").write("x"))
trial("remove", lambda: (elsewhere / "old").unlink())
trial("rename", lambda: (elsewhere / "old").rename(elsewhere / "older"))
trial("make a folder", lambda: (elsewhere / "folder").mkdir())
trial("connect", lambda: socket.create_connection(("127.0.0.1", port), timeout=5))
trial("kill", lambda: os.kill(parent, signal.SIGTERM))
code = "import socket; socket.create_connection(('127.0.0.1', %d), timeout=5)" % port
trial("shell", lambda: subprocess.run(["touch", elsewhere / "shell"], capture_output=True))
trial("program", lambda: subprocess.run([sys.executable, "-c", code], capture_output=True))
print(refused, len(os.listdir(elsewhere / "hidden")), bool(notes))
"""


@linux
@pytest.mark.parametrize("means", ["namespaces", "landlock", "python"])
def test_a_process_that_is_shut_in_can_neither_write_elsewhere_nor_call_anybody(tmp_path, means, monkeypatch):
    import socket

    from labs.grade import confinement

    if means != "python" and not confinement._works(means):
        pytest.skip(f"this system does not allow {means}")
    work, elsewhere = tmp_path / "work", tmp_path / "elsewhere"
    work.mkdir()
    (elsewhere / "hidden").mkdir(parents=True)
    (elsewhere / "hidden" / "solution").touch()
    (elsewhere / "old").write_text("x")
    monkeypatch.setenv("LABS_GRADE_CONFINEMENT", means)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        port = str(listener.getsockname()[1])

        line = [sys.executable, "-c", TRIAL, str(work), str(elsewhere), port]
        done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, timeout=100)

        with pytest.raises(BlockingIOError):
            listener.accept()
    refused = ["write", "change", "remove", "rename", "make a folder", "connect", "kill"]
    refused += ["shell", "program"] if means == "python" else []
    assert done.stdout == f"{refused} {int(means != 'namespaces')} True\n", done.stderr
    assert sorted(path.name for path in elsewhere.iterdir()) == ["hidden", "old"]
    assert (elsewhere / "old").read_text() == "x"


# --- limits


def test_sizes_have_a_unit():
    assert [parse_size(text) for text in ("4G", "500 MB", "1.5 GiB")] == [4 * 2**30, 500 * 2**20, 3 * 2**29]
    with pytest.raises(ValueError, match="wanted a number with its unit"):
        parse_size("4")
    with pytest.raises(ValueError, match="above zero"):
        Limits(timeout=0)


# --- writing down


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\n=1", "|x"])
def test_what_a_spreadsheet_takes_for_a_formula_becomes_text(text):
    assert harmless(text)[0] == "'"
    assert "\n" not in harmless(text)


def test_a_table_that_somebody_else_has_written_is_left_alone(tmp_path):
    path = tmp_path / "grades.csv"
    path.write_text("file,student,my own column\n", encoding="utf-8")

    with pytest.raises(ValueError, match="move it away"):
        GradeTable(path, 2).read()

    assert path.read_text(encoding="utf-8") == "file,student,my own column\n"


def test_what_a_student_writes_cannot_leave_its_block_in_the_feedback():
    line = "[--] ```\n<script>alert(1)</script>\x1b[31m"

    text = feedback(Grade(submission(), (PartGrade("one", "1. One", False, (line,)),), "ok"))

    assert "````text\n[--] ```\n<script>alert(1)</script>?[31m\n````" in text


def test_a_folder_with_the_name_of_a_feedback_file_is_called_otherwise(tmp_path):
    file = feedback_path(tmp_path, "ada.ipynb")
    inner = feedback_path(tmp_path, "ada.ipynb.md/b.ipynb")

    assert file not in inner.parents


def test_a_long_name_still_has_a_feedback_file(tmp_path):
    path = feedback_path(tmp_path, "é" * 120 + ".ipynb")

    path.touch()

    assert len(path.name.encode()) < 255


# --- a batch


class Trial(Batch):
    """A batch whose workers are replaced by a list of what they answer."""

    answers: list

    def _outcomes(self, waiting):
        for number in list(waiting):
            answer = self.answers.pop(0)
            if isinstance(answer, BaseException):
                raise answer
            self.ran.append(waiting[number].file)
            findings = [
                {"kind": "part", "name": "one", "passed": True, "lines": [], "limit": ""},
                {"kind": "end"},
            ]
            reply = {"findings": findings, "ended": "exit 0", "seconds": 1.0, "printed": ""}
            yield {"number": number, "reply": reply}


def trial(folder, answers, count=4):
    """A batch of some submissions."""
    exercise = small_exercise()
    handed_in = [submission(f"s{n}_91-small.ipynb", digest=str(n)) for n in range(count)]
    batch = Trial(submissions=handed_in, exercises={exercise.name: exercise}, output=folder)
    batch.answers, batch.ran = answers, []
    return batch


def rows(folder):
    """The rows of the table."""
    with open(folder / "grades.csv", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def grades(folder):
    """File and status of each row."""
    return {row["file"][:2]: row["status"] for row in rows(folder)}


def test_an_interrupted_run_keeps_what_is_finished_and_goes_on_from_there(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        trial(tmp_path, [1, 1, KeyboardInterrupt()]).run()
    assert grades(tmp_path) == {"s0": "ok", "s1": "ok"}

    second = trial(tmp_path, [1, 1])
    second.run()

    assert grades(tmp_path) == dict.fromkeys(("s0", "s1", "s2", "s3"), "ok")
    assert second.ran == ["s2_91-small.ipynb", "s3_91-small.ipynb"]


def test_what_a_lost_worker_took_down_is_run_again_and_a_second_loss_is_told(tmp_path):
    lost = RuntimeError("a worker was killed")

    statuses = trial(tmp_path, [1, lost, 1, lost]).run().statuses()

    assert statuses == {"ok": 2, "not graded": 2}
    again = trial(tmp_path, [1, 1])
    assert again.run().statuses() == {"ok": 4}


def test_a_submission_that_has_changed_is_graded_anew(tmp_path):
    trial(tmp_path, [1, 1], count=2).run()

    second = trial(tmp_path, [1], count=2)
    second.submissions[1] = submission("s1_91-small.ipynb", digest="other")
    second.run()

    assert second.ran == ["s1_91-small.ipynb"]


def test_rows_of_files_that_are_gone_stay_at_the_end(tmp_path):
    trial(tmp_path, [1, 1], count=2).run()
    second = trial(tmp_path, [1], count=1)
    second.submissions[0] = submission("s9_91-small.ipynb", digest="9")

    table = second.run()

    assert list(grades(tmp_path)) == ["s9", "s0", "s1"]
    assert [row["file"][:2] for row in table.gone()] == ["s0", "s1"]
    assert table.statuses() == {"ok": 1}


def test_an_interrupted_fresh_run_loses_no_earlier_grade_and_is_gone_on_with(tmp_path):
    trial(tmp_path, [1], count=1).run()
    for _ in range(2):
        fresh = trial(tmp_path, [KeyboardInterrupt()], count=1)
        fresh.fresh = True
        with pytest.raises(KeyboardInterrupt):
            fresh.run()
    between = rows(tmp_path)

    last = trial(tmp_path, [1], count=1)
    last.run()

    assert [(row["points"], row["message"]) for row in between] == [("1", "of an earlier run")]
    assert [(row["points"], row["message"]) for row in rows(tmp_path)] == [("1", "")]
    assert last.ran == ["s0_91-small.ipynb"]


# --- the command line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{folder}/nowhere"], "there is no folder"),
        (["{folder}"], "no notebook"),
        (["{folder}", "--jobs", "0"], "--jobs is 0"),
        (["{folder}", "--memory", "lots"], "is no size"),
        (["{folder}", "--timeout", "-1"], "above zero"),
        (["{folder}", "--exercise", "99"], "unknown exercise '99'; choose from: 01-"),
        (["{folder}", "--exercises", "{folder}"], "no released exercise notebooks"),
    ],
)
def test_what_makes_no_sense_ends_with_a_message_that_says_so(tmp_path, capsys, arguments, message):
    with pytest.raises(SystemExit) as ended:
        main([text.format(folder=tmp_path) for text in arguments])

    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_an_output_that_cannot_be_written_is_an_error_and_no_traceback(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a_04-neuron.ipynb").write_text("no notebook", encoding="utf-8")
    (tmp_path / "out").touch()

    assert main([str(tmp_path / "in"), "--output", str(tmp_path / "out"), "--jobs", "1"]) == 1
    assert "error:" in capsys.readouterr().err
