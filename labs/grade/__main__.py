"""Grade a folder of submitted notebooks: ``python -m labs.grade submissions/``."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import signal
import sys
from pathlib import Path

from labs.grade.batch import Batch
from labs.grade.exercises import exercises_folder, load_exercises
from labs.grade.limits import GIB, Limits, parse_size
from labs.grade.submissions import find_submissions

_NEEDED = {"IPython": "ipython", "nbformat": "nbformat", "psutil": "psutil", "joblib": "joblib"}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: those of the command line by default.

    Returns:
        0 if every submission has its grade, 1 if the grader failed on one or could not write, 130 after Ctrl-C. What
        makes no sense ends with 2.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    problem = _problem(options)
    if problem:
        parser.error(problem)
    try:
        exercises = load_exercises(options.exercises)
        memory = parse_size(options.memory)
        limits = Limits(timeout=options.timeout, memory=memory, disk=max(1, min(memory, GIB)))
    except (FileNotFoundError, ValueError) as error:
        parser.error(str(error))
    if options.exercise and options.exercise not in exercises:
        parser.error(f"unknown exercise {options.exercise!r}; choose from: {', '.join(exercises)}")
    submissions = find_submissions(options.folder, exercises, options.exercise or "")
    if not submissions:
        parser.error(
            f"no notebook (*.ipynb) in {str(options.folder)!r} or below it; hidden files do not count"
        )

    folder = options.folder.resolve()
    output = options.output or folder.with_name(f"{folder.name}-graded")
    jobs = options.jobs or _fitting_jobs(limits.memory)
    solutions = exercises_folder().with_name("solutions") if options.exercises is None else None
    hidden = [path for path in (folder, output.resolve(), solutions) if path]
    batch = Batch(
        submissions=submissions, exercises=exercises, output=output, limits=limits, hidden=hidden, jobs=jobs,
        fresh=options.fresh,
    )  # fmt: skip
    where = f"on {options.cluster}" if options.cluster else f"{jobs} at a time"
    print(f"{len(submissions)} submissions, {where}; grades go to {output / 'grades.csv'}", flush=True)
    try:
        with _cluster(options.cluster):
            table = batch.run()
    except ConnectionError as error:
        parser.error(str(error))
    except (OSError, ValueError, ImportError) as error:
        print(f"error: {error}\nwhat was finished before is kept; mend it and run again", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        again = "the same command without --fresh" if options.fresh else "the same command"
        print(f"interrupted: what is finished is kept, {again} goes on from there", file=sys.stderr)
        return 130
    statuses = table.statuses()
    print(", ".join(f"{count} {status}" for status, count in statuses.items()))
    if table.gone():
        print(f"{len(table.gone())} rows of files that are not there any more stay at the end of the table")
    return 1 if "not graded" in statuses else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m labs.grade", description=__doc__)
    parser.add_argument("folder", type=Path, help="of the submitted notebooks; sub-folders are searched too")
    parser.add_argument("--output", type=Path, help="folder of the results (default: FOLDER-graded)")
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds per submission (default: 900)")
    parser.add_argument("--memory", default="4G", help="memory per submission, like 4G or 500M (default: 4G)")
    parser.add_argument("--jobs", type=int, help="submissions at a time (default: as cores and memory allow)")
    parser.add_argument("--cluster", metavar="ADDRESS", help="run on this Dask cluster, like tcp://host:8786")
    parser.add_argument("--exercise", metavar="NAME", help="exercise of files that do not say it themselves")
    parser.add_argument("--exercises", type=Path, help="folder of the released notebooks")
    parser.add_argument("--fresh", action="store_true", help="grade again what an earlier run has graded")
    return parser


def _problem(options: argparse.Namespace) -> str:
    missing = [name for module, name in _NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        return f"grading needs {', '.join(missing)}, which is not installed; run: pip install {' '.join(missing)}"
    if not hasattr(os, "fork"):
        return "grading needs processes that can fork, which Windows has not; run it in WSL, or on Linux or macOS"
    if not options.folder.is_dir():
        return f"there is no folder {str(options.folder)!r}; name the one that holds the submitted notebooks"
    if options.jobs is not None and options.jobs < 1:
        return f"--jobs is {options.jobs}; wanted a number of processes, at least 1"
    return ""


def _fitting_jobs(memory: int) -> int:
    import psutil
    from joblib import cpu_count

    total = psutil.virtual_memory().total
    return max(1, min(cpu_count(), int((total - GIB) // memory)))


def _cluster(address: str | None) -> contextlib.AbstractContextManager:
    if not address:
        return contextlib.nullcontext()
    from labs.sweeps import on_cluster

    return on_cluster(address)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as after Ctrl-C: nothing is left running
    sys.exit(main())
