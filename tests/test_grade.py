"""Forty submissions, good, bad and hostile: each gets its grade, and none harms another."""

import csv
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from labs.grade.__main__ import main

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the limits tried here are Linux's"
)

SET_UP = "from labs.checks import backpropagation as check"
PROSE = ["## 1. Six derivatives", "## 2. Four wishes", "## 3. Softplus", "The end."]
CHECKS = ["check.six_derivatives(answer)", "check.four_wishes(answer)", "check.softplus(softplus)"]
GAPS = ["answer = ...", "answer = ...", "def softplus(a):\n    ..."]
RIGHT = [
    'answer = {"s": 8, "u": 8, "v": -8, "a": 17, "b": 16, "c": 0}',
    'answer = {"twice": ("z", 2), "turned": ("z", 11), "y rests": ("x", 0), "x leads": ("y", -5)}',
    """import math
from labs.autograd import Value

def softplus(a):
    number = max(a.data, 0) + math.log1p(math.exp(-abs(a.data)))
    return Value(number, ((a, (1 + math.tanh(a.data / 2)) / 2),))""",
]
NAME = "91-small"


def notebook(*cells, ids=True):
    """A notebook of code cells, and of prose where a cell begins with ##; as Jupyter writes it."""
    made = []
    for number, source in enumerate(cells):
        kind = "markdown" if source.startswith("## ") or source == PROSE[3] else "code"
        cell = {"cell_type": kind, "metadata": {}, "source": source, "id": f"c{number}"}
        if kind == "code":
            cell |= {"outputs": [], "execution_count": None}
        if not ids:
            del cell["id"]
        made.append(cell)
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def answered(answers, checks=CHECKS):
    """The cells of the exercise with these answers."""
    rows = zip(PROSE, answers, checks, strict=False)
    return [SET_UP, *(cell for row in rows for cell in row), PROSE[3]]


def first(code):
    """A submission whose first answer is right, and which then runs ``code`` in place of the second."""
    return notebook(*answered([RIGHT[0], code, RIGHT[2]]))


EAT_BY_CHILDREN = """import os, time
for _ in range(4):
    if not os.fork():
        hog = bytearray(300 * 2**20)
        hog[:: 4096] = b"1" * len(hog[:: 4096])
        time.sleep(600)
time.sleep(600)"""
LEAVE_A_DAEMON = """import subprocess, sys
_ = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(12345.678)"], start_new_session=True)"""
FORGE = """import json, os
for fd in range(3, 10):
    try:
        os.write(fd, json.dumps({"kind": "part", "name": "four_wishes", "passed": True, "lines": []}).encode() + b"\\n")
    except OSError:
        pass"""
REPLACE_THE_CHECKS = """import labs.checks, builtins, torch
labs.checks.Sheet.wrong = lambda self, *a: None
labs.checks.Feedback.__init__ = lambda self, *a: object.__setattr__(self, "passed", True)
check.four_wishes = lambda answer: labs.checks.Feedback(True, ())
check.is_missing = check._close = lambda *a: True
check._WISHES = ()
builtins.isinstance, builtins.abs = (lambda *a: True), (lambda x: 0)
torch.allclose = lambda *a, **k: True
answer = {}"""


def submissions(elsewhere, port):
    """What each of forty students hands in, the points it is worth, and the status; by file name."""
    outside = f"open({str(elsewhere / 'touched')!r}, 'w').write('x')"
    return {
        # right, under all sorts of names
        f"Ada_{NAME}.ipynb": (notebook(*answered(RIGHT)), 3, "ok"),
        f"bob/{NAME}.ipynb": (notebook(*answered(RIGHT), ids=False), 3, "ok"),
        f"Zoë O'Neil (2)_{NAME}.ipynb": (notebook(*answered(RIGHT)), 3, "ok"),
        f"=1+cmd()_{NAME}.ipynb": (notebook(*answered(RIGHT)), 3, "ok"),
        "no name that tells.ipynb": (notebook(*answered(RIGHT)), 3, "ok"),
        f"check deleted_{NAME}.ipynb": (notebook(*answered(RIGHT, ["1", *CHECKS[1:]])), 3, "ok"),
        f"one cell_{NAME}.ipynb": (notebook("\n".join(c for c in answered(RIGHT)[:-1] if c[0] != "#")), 3, "ok"),
        f"magics_{NAME}.ipynb": (notebook("%matplotlib inline", "!echo hello", *answered(RIGHT)), 3, "ok"),
        f"twice_{NAME}.ipynb": (notebook(*answered(RIGHT), 'answer = "scratch"', CHECKS[0]), 3, "ok"),
        # half right, and nothing
        f"half_{NAME}.ipynb": (notebook(*answered([RIGHT[0], GAPS[1], RIGHT[2]])), 2, "ok"),
        f"wrong_{NAME}.ipynb": (notebook(*answered(['answer = {"s": 4}', *GAPS[1:]])), 0, "ok"),
        f"untouched_{NAME}.ipynb": (notebook(*answered(GAPS)), 0, "ok"),
        f"no cells_{NAME}.ipynb": (notebook(), 0, "ok"),
        # crashing
        f"raises_{NAME}.ipynb": (first("1 / 0"), 2, "errors"),
        f"syntax_{NAME}.ipynb": (first("answer = = 3"), 2, "errors"),
        f"exits_{NAME}.ipynb": (first("import sys\nsys.exit(0)"), 2, "errors"),
        f"recursion_{NAME}.ipynb": (first("def f(): f()\nf()"), 2, "errors"),
        f"segfault_{NAME}.ipynb": (first("import ctypes\nctypes.string_at(0)"), 1, "crashed"),
        f"leaves_{NAME}.ipynb": (first("import os\nos._exit(0)"), 1, "crashed"),
        f"kills itself_{NAME}.ipynb": (first("import os\nos.abort()"), 1, "crashed"),
        f"kills the grader_{NAME}.ipynb": (
            first("import os\n0 if os.getppid() else 1 / 0\nos.kill(os.getppid(), 9)"), 2, "errors"),
        f"forks_{NAME}.ipynb": (first("import os\nif not os.fork():\n    1 / 0"), 2, "ok"),
        f"quits_{NAME}.ipynb": (first("quit()"), 2, "errors"),
        f"closes_{NAME}.ipynb": (first("import sys\nsys.stdout.close()\nsys.stderr = None"), 2, "ok"),
        f"talks to itself_{NAME}.ipynb": (
            first("import socket\na, b = socket.socketpair()\n_ = a.sendmsg([b'x'])"), 2, "ok"),
        # for ever
        f"loops_{NAME}.ipynb": (first("import time\nwhile True: time.sleep(0.001)"), 2, "time"),
        f"loops in check_{NAME}.ipynb": (
            notebook(*answered([*RIGHT[:2], "import time\ndef softplus(v):\n    time.sleep(1e6)"])), 2, "time"),
        f"cannot be stopped_{NAME}.ipynb": (
            first("import time\nwhile True:\n    try:\n        time.sleep(9e9)\n    except BaseException: 0"),
            1, "time"),
        f"daemon_{NAME}.ipynb": (first(LEAVE_A_DAEMON), 2, "ok"),
        # memory
        f"takes 20 GB_{NAME}.ipynb": (first("hog = bytearray(20 * 2**30)"), 2, "memory"),
        f"torch 20 GB_{NAME}.ipynb": (first("import torch\nhog = torch.ones(5 * 2**30)"), 2, "memory"),
        f"eats slowly_{NAME}.ipynb": (
            first("hog = []\nwhile True:\n    hog.append(bytearray(b'x') * 10**8)"), 2, "memory"),
        f"eats by children_{NAME}.ipynb": (first(EAT_BY_CHILDREN), 1, "memory"),
        f"prints_{NAME}.ipynb": (first("for _ in range(200):\n    print('x' * 10**5)"), 2, "ok"),
        # where it has no business
        f"writes_{NAME}.ipynb": (first(outside), 2, "errors"),
        f"writes by shell_{NAME}.ipynb": (first(f"!touch {elsewhere}/touched"), 2, "ok"),
        f"fills the disk_{NAME}.ipynb": (
            first("with open('big', 'wb') as f:\n    for _ in range(500): f.write(b'x' * 2**20)"), 2, "errors"),
        f"calls home_{NAME}.ipynb": (
            first(f"import socket\nsocket.create_connection(('127.0.0.1', {port}))"), 2, "errors"),
        # cheating
        f"own check_{NAME}.ipynb": (notebook(*answered(GAPS, ["class check: pass", "print('[ok]')", "1"])), 0, "ok"),
        f"replaces_{NAME}.ipynb": (first(REPLACE_THE_CHECKS), 2, "ok"),
        f"forges_{NAME}.ipynb": (first(FORGE), 2, "ok"),
        f"secrets_{NAME}.ipynb": (first("import os\nassert os.environ['COURSE_SECRET']"), 2, "errors"),
        f"folder.ipynb.md/a_{NAME}.ipynb": (notebook(*answered(RIGHT)), 3, "ok"),
        # no notebooks
        "folder.ipynb": ("", 0, "unreadable"),
        f"zero_{NAME}.ipynb": ("", 0, "unreadable"),
        f"text_{NAME}.ipynb": ("Dear teacher,", 0, "unreadable"),
        f"cut_{NAME}.ipynb": (notebook(*answered(RIGHT))[:500], 0, "unreadable"),
        f"list_{NAME}.ipynb": ("[1, 2]", 0, "unreadable"),
        f"deep_{NAME}.ipynb": ("[" * 100_000, 0, "unreadable"),
        f"bytes_{NAME}.ipynb": (b"\xff\xfe\x00PK\x03\x04", 0, "unreadable"),
        "of nothing.ipynb": (notebook("a = 1"), 0, "unreadable"),
    }  # fmt: skip


def command(*arguments, env=None, **options):
    """Run the command and return what became of it."""
    line = [sys.executable, "-m", "labs.grade", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, cwd=ROOT, env=env, timeout=600, **options)


def rows_of(output):
    """The rows of grades.csv by file."""
    with open(output / "grades.csv", encoding="utf-8-sig", newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def feedback_on(output, file):
    """What a student reads."""
    return (output / "feedback" / f"{file}.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A folder with one released exercise notebook of three parts."""
    folder = tmp_path_factory.mktemp("released")
    (folder / f"{NAME}.ipynb").write_text(notebook(*answered(GAPS)), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def graded(tmp_path_factory, released):
    """The forty, graded once."""
    place = tmp_path_factory.mktemp("course")
    elsewhere, folder = place / "elsewhere", place / "handed in"
    elsewhere.mkdir()
    folder.mkdir()
    called = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=lambda: called.append(listener.accept()), daemon=True).start()
        handed_in = submissions(elsewhere, listener.getsockname()[1])
        for file, (content, _, _) in handed_in.items():
            path = folder / file
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        (place / "outside.ipynb").write_text(notebook(*answered(RIGHT)), encoding="utf-8")
        (folder / f"link out_{NAME}.ipynb").symlink_to(place / "outside.ipynb")
        (folder / f"circle_{NAME}.ipynb").symlink_to(f"circle_{NAME}.ipynb")
        (folder / f"folder_{NAME}.ipynb").mkdir()
        os.mkfifo(folder / f"pipe_{NAME}.ipynb")
        with open(folder / f"huge_{NAME}.ipynb", "wb") as file:
            file.truncate(10**9)
        before = {
            path: path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and "huge" not in path.name
        }
        done = command(
            folder, "--exercises", released, "--timeout", 60, "--memory", "400M", "--jobs", 2,
            env=os.environ | {"COURSE_SECRET": "x"},
        )  # fmt: skip
    return {
        "done": done, "output": place / "handed in-graded", "folder": folder, "expected": handed_in, "called": called,
        "elsewhere": elsewhere, "before": before,
    }  # fmt: skip


def test_each_of_forty_submissions_gets_the_points_it_is_worth(graded):
    rows = rows_of(graded["output"])

    assert graded["done"].returncode == 0, graded["done"].stderr
    assert f"'=1+cmd()_{NAME}.ipynb" in rows  # which no spreadsheet takes for a formula
    assert len(graded["expected"]) >= 40
    found = {file.lstrip("'"): (int(row["points"]), row["status"]) for file, row in rows.items()}
    found = {file: grade for file, grade in found.items() if file in graded["expected"]}
    assert found == {file: tuple(wanted) for file, (_, *wanted) in graded["expected"].items()}


def test_what_is_no_file_or_leads_elsewhere_is_told_of_and_not_read(graded):
    rows = rows_of(graded["output"])

    for name in ("link out", "circle", "pipe", "huge"):
        assert rows[f"{name}_{NAME}.ipynb"]["status"] == "unreadable"
    assert "link" in rows[f"link out_{NAME}.ipynb"]["message"]
    assert len(rows) == len(graded["expected"]) + 4


def test_no_submission_has_changed_anything_or_called_anybody(graded):
    after = {path: path.read_bytes() for path in graded["before"]}

    assert after == graded["before"]
    assert list(graded["elsewhere"].iterdir()) == []
    assert graded["called"] == []


def test_nothing_that_a_submission_started_is_left(graded):
    import psutil

    left = [p for p in psutil.process_iter(["cmdline"]) if "12345.678" in " ".join(p.info["cmdline"] or [])]

    assert left == []


def test_the_feedback_says_what_is_right_and_what_is_not_yet_and_where_it_stopped(graded):
    half, raises = (feedback_on(graded["output"], f"{name}_{NAME}.ipynb") for name in ("half", "raises"))

    assert half.startswith(f"# {NAME}: 2 of 3 points")
    assert "## 1. Six derivatives\n\n**six_derivatives: right**" in half
    assert "**four_wishes: not yet**" in half
    assert "Nothing to check yet" in half
    assert "ZeroDivisionError" in raises
    assert 'File "cell 6", line 1' in raises
    assert "1 / 0" in raises


def test_the_message_says_what_happened(graded):
    rows = rows_of(graded["output"])

    def message(name):
        return rows[f"{name}_{NAME}.ipynb"]["message"]

    assert "cell 6: TimeUp: stopped after 15 seconds" in message("loops")
    assert "60 seconds, in cell 6" in message("cannot be stopped")
    assert "MemoryError" in message("takes 20 GB")
    assert "GiB of memory" in message("eats by children")
    assert "segmentation fault" in message("segfault")
    assert "only in its own folder" in message("writes")
    assert "no network" in message("calls home")
    assert "put back" in message("replaces")
    assert "KeyError: 'COURSE_SECRET'" in message("secrets")
    assert "not JSON" in message("text")
    assert "the same file as" in message("Ada")


def test_the_feedback_of_one_that_prints_without_end_stays_small(graded):
    path = graded["output"] / "feedback" / f"prints_{NAME}.ipynb.md"

    assert path.stat().st_size < 10_000


def test_a_second_run_has_nothing_left_to_do_and_changes_nothing(graded, released):
    before = (graded["output"] / "grades.csv").read_bytes()

    done = command(graded["folder"], "--exercises", released, "--timeout", 60, "--jobs", 1)

    assert done.returncode == 0, done.stderr
    assert (graded["output"] / "grades.csv").read_bytes() == before


def test_a_dask_cluster_that_is_named_grades_too(graded, released, tmp_path):
    distributed = pytest.importorskip(
        "distributed", reason="no Dask on this machine (pip install distributed)"
    )
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("half", "segfault"):
        (folder / f"{name}_{NAME}.ipynb").write_bytes(
            graded["before"][graded["folder"] / f"{name}_{NAME}.ipynb"]
        )
    quiet = {"host": "127.0.0.1", "protocol": "tcp", "dashboard_address": None, "silence_logs": 50}

    with distributed.LocalCluster(1, threads_per_worker=1, processes=False, **quiet) as cluster:
        done = main([str(folder), "--exercises", str(released), "--cluster", cluster.scheduler_address])

    assert done == 0
    assert [row["points"] for row in rows_of(tmp_path / "in-graded").values()] == ["2", "1"]
