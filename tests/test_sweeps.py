"""Promises of labs.sweeps: all ways to compute give the same, and no finished cell is lost or wrongly believed."""

import collections
import importlib
import itertools
import json
import linecache
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import torch

from labs import sweeps
from labs.sweeps import Sweep, on_cluster

TASKS = '''
import os
import time

import torch


class Odd(Exception):
    """No other process can build it again."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def draw(seed, log=None, pause=None):
    with open(log or os.environ["LOG"], "a") as file:
        file.write(f"{seed} {os.getpid()}\\n")
    time.sleep(float(os.environ.get("PAUSE", 0) if pause is None else pause))
    chosen = torch.randn(2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    forgotten = [torch.rand(1).item() for _ in range(50) if time.sleep(0.0002) is None]
    return {"seed": seed, "draws": chosen, "forgotten": forgotten, "threads": torch.get_num_threads()}


def fail_at_three(seed, log, mended):
    with open(log, "a") as file:
        file.write(f"{seed} {os.getpid()}\\n")
    if seed == 3 and not os.path.exists(mended):
        raise Odd("wood", "wind")
    return seed


def give(what):
    return {"set": {1, 2}, "nan": float("nan"), "key": {1: 2}}[what]
'''

SCRIPT = """
import sys
from datetime import datetime
from types import SimpleNamespace

from labs import results
from labs.sweeps import Sweep
from tasks_of_a_test import draw

cells, out, jobs = sys.argv[1:]
results.datetime = SimpleNamespace(now=lambda zone: datetime(2026, 1, 31, tzinfo=zone))
sweep = Sweep(jobs=int(jobs), folder=cells)
found = sweep.run(draw, [{"seed": k} for k in range(12)])
results.save_result("sweep", {"found": found}, config={}, seeds=range(12), functions=[draw], folder=out)
"""


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    """A module that processes of every kind find, for it stands on the path that they inherit."""
    folder = tmp_path_factory.mktemp("code")
    (folder / "tasks_of_a_test.py").write_text(TASKS, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *filter(None, sys.path)]))
        yield importlib.import_module("tasks_of_a_test")
    sys.modules.pop("tasks_of_a_test")


@pytest.fixture
def log(tmp_path):
    """The side file in which tasks note that they were called."""
    return tmp_path / "log"


@pytest.fixture(scope="module")
def undisturbed(tasks, tmp_path_factory):
    """The result file of the script when nothing happens to it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    process = start(folder, pause=0.0)
    assert process.wait(120) == 0
    return (folder / "sweep.json").read_bytes()


def start(folder, *, jobs=1, pause=0.1):
    command = [sys.executable, "-c", SCRIPT, *map(str, [folder / "cells", folder, jobs])]
    environment = {**os.environ, "LOG": str(folder / "log"), "PAUSE": str(pause)}
    # A session of its own, so that its children can be killed with it.
    return subprocess.Popen(command, env=environment, start_new_session=True)


def calls(log):
    """How often each seed was computed."""
    lines = log.read_text().splitlines() if log.exists() else []
    return collections.Counter(int(line.split()[0]) for line in lines)


def wait_for_calls(log, count, process):
    deadline = time.monotonic() + 120
    while sum(calls(log).values()) < count:
        assert process.poll() is None, "it ended before it could be disturbed"
        assert time.monotonic() < deadline
        time.sleep(0.005)


def finished_seeds(folder):
    return {json.loads(cell.read_text())["setting"]["seed"] for cell in folder.glob("*.json")}


def draws(log, count=6, **more):
    return [{"seed": seed, "log": str(log), **more} for seed in range(count)]


# --- the outcome


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_the_order_of_the_settings(tasks, tmp_path, log, jobs):
    # The first cells take longest, so they are finished last.
    settings = [{"seed": k, "log": str(log), "pause": 0.2 if k < 2 else 0.0} for k in (5, 0, 4, 1, 3)]

    found = Sweep(jobs=jobs, folder=tmp_path / "cells").run(tasks.draw, settings)

    assert [one["seed"] for one in found] == [5, 0, 4, 1, 3]


def test_results_do_not_depend_on_the_number_of_processes(tasks, tmp_path, log):
    one = Sweep(jobs=1, folder=tmp_path / "one").run(tasks.draw, draws(log))
    two = Sweep(jobs=2, folder=tmp_path / "two").run(tasks.draw, draws(log))

    assert one == two
    # also where a task forgets to seed, and with no two settings drawing the same
    assert len({tuple(cell["forgotten"]) for cell in one}) == 6
    assert {cell["threads"] for cell in one} == {1}


def test_a_resumed_value_has_every_digit_and_the_same_type(tasks, tmp_path, log):
    fresh = Sweep(jobs=1, folder=tmp_path / "cells").run(tasks.draw, draws(log))
    resumed = Sweep(jobs=1, folder=tmp_path / "cells").run(tasks.draw, draws(log))

    drawn = torch.randn(2, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    assert fresh == resumed
    assert [value.hex() for value in resumed[4]["draws"]] == [value.hex() for value in drawn.tolist()]
    assert set(calls(log).values()) == {1}


def test_a_setting_given_twice_is_computed_once(tasks, tmp_path, log):
    first, second = Sweep(jobs=1, folder=tmp_path / "cells").run(tasks.draw, draws(log, 1) * 2)

    assert first == second
    assert first is not second
    assert calls(log) == {0: 1}


def test_the_process_is_afterwards_as_it_was(tasks, tmp_path, log):
    threads = torch.get_num_threads()
    torch.manual_seed(0)
    random.seed(0)
    expected = torch.rand(3), random.random()
    torch.manual_seed(0)
    random.seed(0)

    Sweep(jobs=1, folder=tmp_path / "cells").run(tasks.draw, draws(log, 2))

    torch.testing.assert_close(torch.rand(3), expected[0], rtol=0, atol=0)
    assert random.random() == expected[1]
    assert torch.get_num_threads() == threads


def test_the_bar_counts_the_cells_that_are_there_already(tasks, tmp_path, log, monkeypatch):
    bars = []

    @contextmanager
    def bar(total, description, *, progress):
        bars.append([description, total, 0])

        def tick():
            bars[-1][2] += 1

        yield tick

    monkeypatch.setattr(sweeps, "progress_bar", bar)
    sweep = Sweep(jobs=1, folder=tmp_path / "cells")
    sweep.run(tasks.draw, draws(log, 2))

    sweep.run(tasks.draw, draws(log, 5), description="draws")

    assert bars == [["sweep", 2, 2], ["draws", 5, 5]]
    assert sweep.finished() == 5


# --- after a kill


@pytest.mark.parametrize(("jobs", "kills"), [(1, 2), (2, 1)])
def test_a_sweep_killed_at_random_moments_ends_with_the_undisturbed_result(
    tmp_path, log, undisturbed, jobs, kills
):
    moments = random.Random(jobs)
    spared = {}  # finished seeds, with the calls they had taken; a kill can have cost a seed a second call before
    for _ in range(kills):
        before = sum(calls(log).values())
        process = start(tmp_path, jobs=jobs)
        # Far enough for something to be finished, not so far that nothing is left to do.
        wait_for_calls(log, before + jobs + moments.randint(1, 3), process)
        time.sleep(moments.uniform(0, 0.1))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert not (tmp_path / "sweep.json").exists()
        assert all(calls(log)[seed] == number for seed, number in spared.items())
        spared = {seed: calls(log)[seed] for seed in finished_seeds(tmp_path / "cells")}

    assert start(tmp_path, jobs=1).wait(120) == 0

    assert (tmp_path / "sweep.json").read_bytes() == undisturbed
    assert spared
    assert all(calls(log)[seed] == number for seed, number in spared.items())
    # Besides, only what was under way when a kill came is computed twice.
    assert sum(calls(log).values()) <= 12 + kills * jobs


def test_two_sweeps_at_once_share_the_work_and_agree(tmp_path, log, undisturbed):
    both = [start(tmp_path, pause=0.25) for _ in range(2)]

    assert [process.wait(120) for process in both] == [0, 0]
    assert (tmp_path / "sweep.json").read_bytes() == undisturbed
    assert sorted(calls(log)) == list(range(12))
    assert sum(calls(log).values()) < 24  # as many as two that know nothing of each other would compute
    assert not list((tmp_path / "cells").glob(".*"))


def test_another_sweep_may_forget_its_cells_meanwhile(tasks, tmp_path, log):
    first, second = (Sweep(jobs=1, folder=tmp_path / "cells") for _ in range(2))
    expected = first.run(tasks.draw, draws(log))
    second.run(tasks.draw, draws(log, 3))

    first.forget()

    assert second.finished() == 0
    assert second.run(tasks.draw, draws(log)) == expected
    assert set(calls(log).values()) == {2}


def test_forgetting_leaves_the_cells_of_others(tasks, tmp_path, log):
    mine, other = (Sweep(jobs=1, folder=tmp_path / "cells") for _ in range(2))
    mine.run(tasks.draw, draws(log, 2))
    other.run(tasks.draw, draws(log, 3, pause=0.001))

    mine.forget()

    assert (mine.finished(), other.finished()) == (0, 3)
    assert len(list((tmp_path / "cells").iterdir())) == 3


def test_a_fresh_sweep_believes_nothing_that_was_kept(tasks, tmp_path, log):
    Sweep(jobs=1, folder=tmp_path / "cells").run(tasks.draw, draws(log, 2))

    Sweep(jobs=1, folder=tmp_path / "cells", fresh=True).run(tasks.draw, draws(log, 2))

    assert calls(log) == {0: 2, 1: 2}


# --- what is not believed


def edited(text, old, new):
    assert text.count(old) == 1
    return text.replace(old, new)


DAMAGES = {
    "empty": lambda text, other: "",
    "half": lambda text, other: text[: len(text) // 2],
    "without its end": lambda text, other: text[:-1],
    "no dict": lambda text, other: "[]",
    "another number": lambda text, other: edited(text, '"threads": 1', '"threads": 2'),
    "another setting": lambda text, other: other,
    "no checksum": lambda text, other: json.dumps({**json.loads(text), "checksum": None}),
    "no text": lambda text, other: "\udcff",
    "too deep": lambda text, other: "[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cell_is_computed_again(tasks, tmp_path, log, damage):
    expected = Sweep(jobs=1, folder=tmp_path / "cells").run(tasks.draw, draws(log, 2))
    cells = {json.loads(path.read_text())["setting"]["seed"]: path for path in (tmp_path / "cells").iterdir()}
    spoilt = DAMAGES[damage](cells[0].read_text(), cells[1].read_text())
    cells[0].write_text(spoilt, errors="surrogateescape")

    found = Sweep(jobs=1, folder=tmp_path / "cells").run(tasks.draw, draws(log, 2))

    assert found == expected
    assert calls(log) == {0: 2, 1: 1}


CODE = {
    "experiment_of_a_sweep": """
from helper_of_a_sweep import half

WIDTHS = {"small": 8}


def cell(name):
    # why: because
    return half(WIDTHS[name])
""",
    "helper_of_a_sweep": """
from table_of_a_sweep import TWO


def half(x):
    return x / TWO
""",
    "table_of_a_sweep": "TWO = 2",
}


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes the modules of CODE, changed in one place, and gives the first freshly imported."""
    folder = tmp_path / "experiment_of_a_sweep"
    (folder).mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    versions = itertools.count()

    def forget():
        for name in [name for name in sys.modules if name.startswith("experiment_of_a_sweep")]:
            del sys.modules[name]

    def write(old="", new=""):
        for name, source in CODE.items():
            source = source.replace("from ", "from experiment_of_a_sweep.")
            # Python tells versions of a file apart by time and size; a test is too quick for the time.
            text = source.replace(old, new) + "\n" * next(versions)
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        linecache.checkcache()
        forget()
        return importlib.import_module("experiment_of_a_sweep.experiment_of_a_sweep")

    yield write
    forget()


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("half(WIDTHS[name])", "half(WIDTHS[name]) + 1", 5),  # the function
        ('"small": 8', '"small": 10', 5),  # a table of its module
        ("x / TWO", "x / TWO + 1", 5),  # a function it calls from another module
        ("TWO = 2", "TWO = 4", 2),  # a number that one uses
    ],
)
def test_changed_code_never_meets_an_old_cell(tmp_path, module, old, new, value):
    before = Sweep(jobs=1, folder=tmp_path / "cells").run(module().cell, [{"name": "small"}])

    after = Sweep(jobs=1, folder=tmp_path / "cells").run(module(old, new).cell, [{"name": "small"}])

    assert (before, after) == ([4], [value])


def test_a_comment_makes_no_cell_new(tmp_path, module):
    sweep = Sweep(jobs=1, folder=tmp_path / "cells")
    sweep.run(module().cell, [{"name": "small"}])

    sweep.run(module("why: because", "a better reason").cell, [{"name": "small"}])

    assert sweep.finished() == 1


@pytest.mark.parametrize("change", ["setting", "data", "torch", "functions"])
def test_other_settings_data_or_torch_never_meet_an_old_cell(tasks, tmp_path, log, monkeypatch, change):
    sweep = Sweep(jobs=1, folder=tmp_path / "cells")
    sweep.run(tasks.draw, draws(log, 1), data_md5={"train": "abc"})
    settings, others = draws(log, 1), {"data_md5": {"train": "abc"}}
    if change == "setting":
        settings[0]["pause"] = 1e-9
    elif change == "data":
        others["data_md5"] = {"train": "abd"}
    elif change == "functions":
        others["functions"] = [tasks.give]
    else:
        monkeypatch.setattr(torch, "__version__", "2.0.0")

    sweep.run(tasks.draw, settings, **others)

    assert calls(log) == {0: 2}


# --- what goes wrong


def test_after_a_full_disk_a_sweep_goes_on_where_it_was(tasks, tmp_path, log, full_disk):
    settings = draws(log, 4)
    expected = Sweep(jobs=1, folder=tmp_path / "other").run(tasks.draw, settings)
    log.unlink()
    Sweep(jobs=1, folder=tmp_path / "cells").run(tasks.draw, settings[:2])

    with full_disk(50), pytest.raises(OSError, match="as it was before"):  # room for the log alone
        Sweep(jobs=1, folder=tmp_path / "cells").run(tasks.draw, settings)
    kept = finished_seeds(tmp_path / "cells")
    found = Sweep(jobs=1, folder=tmp_path / "cells").run(tasks.draw, settings)

    assert kept == {0, 1}
    assert found == expected
    assert len(list((tmp_path / "cells").iterdir())) == 4


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failing_cell_is_named_and_the_others_stay(tasks, tmp_path, log, jobs):
    mended = tmp_path / "mended"
    settings = [{"seed": k, "log": str(log), "mended": str(mended)} for k in range(6)]
    with pytest.raises(RuntimeError, match=r"fail_at_three\(seed=3, .*mend it(.|\n)*Odd: wood and wind"):
        Sweep(jobs=jobs, folder=tmp_path / "cells").run(tasks.fail_at_three, settings)
    kept, done = finished_seeds(tmp_path / "cells"), set(calls(log)) - {3}
    mended.touch()

    found = Sweep(jobs=jobs, folder=tmp_path / "cells").run(tasks.fail_at_three, settings)

    assert found == list(range(6))
    assert kept == done
    assert calls(log) == {0: 1, 1: 1, 2: 1, 3: 2, 4: 1, 5: 1}


@pytest.mark.parametrize(
    ("what", "reason"), [("set", "is a set"), ("nan", "is nan"), ("key", "has the key 1; wanted text")]
)
def test_a_value_without_a_form_in_json_is_refused_with_its_setting(tasks, tmp_path, what, reason):
    with pytest.raises(RuntimeError, match=rf"give\(what='{what}'\)(.|\n)*what it returned {reason}"):
        Sweep(jobs=1, folder=tmp_path).run(tasks.give, [{"what": what}])

    assert list(tmp_path.iterdir()) == []


def test_what_no_key_can_be_made_of_is_refused(tasks, tmp_path):
    sweep = Sweep(jobs=1, folder=tmp_path)

    with pytest.raises(TypeError, match=r"settings\[1\] is 3; wanted a dict"):
        sweep.run(tasks.give, [{"what": "set"}, 3])
    with pytest.raises(ValueError, match=r"settings\[0\]\['what'\] is a set; wanted"):
        sweep.run(tasks.give, [{"what": {1}}])
    with pytest.raises(ValueError, match="another process could not find .*lambda"):
        sweep.run(lambda: 1, [{}])
    with pytest.raises(ValueError, match="jobs is 0"):
        Sweep(jobs=0)


def test_cells_are_kept_in_the_user_s_cache_unless_told_otherwise(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert Sweep().folder == tmp_path / "nonlinear" / "sweeps"
    assert list(tmp_path.iterdir()) == []  # nothing is made before there is something to keep


# --- a cluster


@pytest.fixture
def local_cluster():
    """Makes Dask clusters on this machine, with no dashboard and on ports that are free."""
    distributed = pytest.importorskip(
        "distributed", reason="no Dask on this machine (pip install distributed)"
    )
    made = []

    def make(**settings):
        quiet = {"host": "127.0.0.1", "protocol": "tcp", "dashboard_address": None, "silence_logs": 50}
        made.append(distributed.LocalCluster(**quiet, **settings))
        return made[-1]

    yield make
    for cluster in made:
        cluster.close(timeout=20)


def test_a_cluster_of_two_workers_gives_what_this_machine_gives(tasks, tmp_path, log, local_cluster):
    cluster = local_cluster(n_workers=2, threads_per_worker=1)
    here = Sweep(jobs=1, folder=tmp_path / "here").run(tasks.draw, draws(log))
    log.unlink()
    sweep = Sweep(folder=tmp_path / "there")

    with on_cluster(cluster.scheduler_address) as client:
        workers = set(client.run(os.getpid).values())
        first = sweep.run(tasks.draw, draws(log, 3))
        there = sweep.run(tasks.draw, draws(log))

    pids = {int(line.split()[1]) for line in log.read_text().splitlines()}
    assert first == here[:3]
    assert there == here
    assert set(calls(log).values()) == {1}
    assert len(workers) == 2
    assert pids <= workers
    assert os.getpid() not in workers


def test_a_worker_with_several_threads_mixes_no_cells_and_names_one_that_fails(
    tasks, tmp_path, log, local_cluster
):
    cluster = local_cluster(n_workers=1, threads_per_worker=4, processes=False)
    here = Sweep(jobs=1, folder=tmp_path / "here").run(tasks.draw, draws(log, 12))
    failing = [{"seed": 3, "log": str(log), "mended": str(tmp_path / "never")}]
    sweep = Sweep(folder=tmp_path / "there")

    with on_cluster(cluster.scheduler_address):
        there = sweep.run(tasks.draw, draws(log, 12))
        with pytest.raises(RuntimeError, match=r"fail_at_three\(seed=3(.|\n)*Odd: wood and wind"):
            sweep.run(tasks.fail_at_three, failing)

    assert there == here


def test_a_cluster_that_is_not_there_is_named(monkeypatch):
    pytest.importorskip("distributed", reason="no Dask on this machine (pip install distributed)")
    monkeypatch.setattr(sweeps, "_PATIENCE", 0.2)

    # Nobody may listen on port 1: it is reserved.
    missing = r"no Dask scheduler answers at 'tcp://127.0.0.1:1'.*start one"
    with pytest.raises(ConnectionError, match=missing), on_cluster("tcp://127.0.0.1:1"):
        pass


def test_a_missing_distributed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)

    missing = "needs the package distributed.*pip install"
    with pytest.raises(ImportError, match=missing), on_cluster("local"):
        pass


# --- the command line

CHAPTER = """
import sys

from labs.results import save_result
from tasks_of_a_test import draw

LOG = {log!r}


def run(sweep):
    found = sweep.run(draw, [{{"seed": k, "log": LOG, "pause": 0.15}} for k in range(8)])
    return save_result("tiny", {{"found": found}}, config={{}}, seeds=range(8), functions=[draw], folder={out!r})


EXPERIMENTS = {{"one": run}}
"""

# A shell that starts something in the background lets it ignore Ctrl-C; here it must not.
COMMAND = """
import signal
import sys
import labs.experiments.runs

signal.signal(signal.SIGINT, signal.default_int_handler)

labs.experiments.runs.__path__.append(sys.argv.pop(1))
from labs.experiments.__main__ import main

main()
"""


def test_an_interrupted_command_says_how_to_go_on_and_then_does(tasks, tmp_path, log):
    chapters = tmp_path / "chapters"
    chapters.mkdir()
    (chapters / "tiny.py").write_text(CHAPTER.format(log=str(log), out=str(tmp_path)), encoding="utf-8")
    command = [sys.executable, "-c", COMMAND, str(chapters), "tiny", "--jobs", "2"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env=environment, start_new_session=True, **pipes)
    wait_for_calls(log, 3, process)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the children as well
    out, err = process.communicate(timeout=120)
    kept = finished_seeds(tmp_path / "cache" / "nonlinear" / "sweeps")

    command[-1] = "1"
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)

    assert process.returncode == 130
    assert err == f"interrupted: {len(kept)} cells are kept, the same command goes on from there\n"
    assert str(tmp_path / "cache") in out
    assert done.returncode == 0, done.stderr
    assert f"wrote {tmp_path / 'tiny.json'}" in done.stdout
    assert all(calls(log)[seed] == 1 for seed in kept)
    assert list((tmp_path / "cache" / "nonlinear" / "sweeps").iterdir()) == []
