"""Run every check of the book, one stage after the other: this is what ``make test`` does.

Each stage is a command of its own, so that a broken one cannot take the others with it. A stage says what it
skipped and why; the last line counts everything.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tools.notebooks import CELL_SECONDS, kernel_environment

STAGE_SECONDS = 30 * 60
PYTEST = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider"]
CONFIGURED = ["-c", "pyproject.toml"]  # also for files that lie elsewhere
TWO_WORKERS = ["-n", "2", "--dist", "loadfile"]  # by file: the cells of a notebook belong together
NBVAL = [
    "--nbval-current-env",
    f"--nbval-cell-timeout={CELL_SECONDS}",
    "--nbval-sanitize-with",
    "tests/nbval_sanitize.cfg",
]


@dataclass
class Result:
    """What came of a stage: its counts, its time in seconds, why it skipped, and what it printed."""

    passed: int = 0
    failed: int = 0
    skips: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    output: str = ""


def run(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run ``command`` and return its exit status and all it printed; 124 when it took too long."""
    try:
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=STAGE_SECONDS,
            text=True, errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        printed = (late.stdout or b"").decode(errors="replace")
        return 124, f"{printed}\nstopped after {STAGE_SECONDS} s"
    return done.returncode, done.stdout


def count(report: Path, result: Result) -> None:
    """Add the counts of a JUnit ``report`` that pytest wrote."""
    for case in ElementTree.parse(report).iter("testcase"):
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            result.failed += 1
        elif skipped is not None:
            result.skips[skipped.get("message", "no reason given")] += 1
        else:
            result.passed += 1


def run_pytest(arguments: list[str], environment: dict[str, str], result: Result) -> None:
    """Run pytest with ``arguments`` and add what came of it to ``result``."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        status, printed = run([*PYTEST, *CONFIGURED, *arguments, f"--junitxml={report}"], environment)
        before = result.failed
        if report.is_file():
            count(report, result)
    result.output += printed
    # 5: nothing collected. Any other failure that no test accounts for (a crash, a bad option) is one too.
    if status not in (0, 5) and result.failed == before:
        result.failed += 1


def run_plain(command: list[str], environment: dict[str, str], result: Result) -> None:
    """Run a command that either passes or fails as a whole."""
    status, result.output = run(command, environment)
    result.passed, result.failed = int(status == 0), int(status != 0)


def run_notebooks(environment: dict[str, str], result: Result) -> None:
    """Execute every notebook again: chapters and solutions strictly, untouched exercises loosely.

    Each lies in a folder of its own, with nothing of the repository beside it, as it does where somebody opens it.
    """
    from tests.conftest import NO_FASHION_MNIST, find_fashion_mnist

    with_data = find_fashion_mnist() is not None
    for mode, folders in (("--nbval", ("book", "solutions")), ("--nbval-lax", ("exercises",))):
        notebooks = [path for folder in folders for path in sorted(Path(folder).glob("*.ipynb"))]
        for path in list(notebooks):
            if not with_data and "load_fashion_mnist(" in path.read_text(encoding="utf-8"):
                notebooks.remove(path)
                result.skips[f"{path}: {NO_FASHION_MNIST}"] += 1
        if notebooks:
            # Below the root: from elsewhere pytest would take the cells of all for those of one file.
            Path("_build").mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="notebooks-", dir="_build") as folder:
                copies = [alone(path, Path(folder)) for path in notebooks]
                run_pytest([mode, *NBVAL, *TWO_WORKERS, *copies], environment, result)


def alone(notebook: Path, folder: Path) -> str:
    """Copy a notebook below ``folder`` into one of its own, and return the path of the copy."""
    copy = folder / notebook.with_suffix("") / notebook.name
    copy.parent.mkdir(parents=True)
    shutil.copy(notebook, copy)
    return str(copy)


def main(arguments: list[str] | None = None) -> int:
    """Run all stages, or those named, print a table, and return 1 when something failed."""
    environment = {**os.environ, **kernel_environment()}
    elsewhere = ["--ignore=tests/browser", "--ignore=tests/test_house.py"]
    unit = ["labs", "tools", "tests", "--doctest-modules", *elsewhere, *TWO_WORKERS]
    lint = [sys.executable, "-m", "ruff", "check", "--output-format", "concise", "."]
    stages = {
        "lint": lambda result: run_plain(lint, environment, result),
        "unit tests, doctests": lambda result: run_pytest(unit, environment, result),
        "house": lambda result: run_pytest(["tests/test_house.py"], environment, result),
        "notebooks": lambda result: run_notebooks(environment, result),
        "strict build": lambda result: run_plain(["make", "book"], environment, result),
        "browser": lambda result: run_pytest(["tests/browser", *TWO_WORKERS], environment, result),
    }
    parser = argparse.ArgumentParser(prog="python -m tools.check", description=__doc__.splitlines()[0])
    parser.add_argument(
        "stages", nargs="*", metavar="STAGE", help=f"one of: {', '.join(stages)}; default: all"
    )
    wanted = parser.parse_args(arguments).stages or list(stages)
    if unknown := set(wanted) - set(stages):
        parser.error(f"no stage is called {unknown.pop()!r}; choose from: {', '.join(stages)}")
    results = {}
    for name in wanted:
        print(f"{name} ...", flush=True)
        result, started = Result(), time.monotonic()
        stages[name](result)
        result.seconds = time.monotonic() - started
        results[name] = result
        if result.failed:
            print(result.output)
        for reason, number in result.skips.items():
            print(f"  skipped: {reason}" + (f" ({number} tests)" if number > 1 else ""))
        print(f"  {'FAILED' if result.failed else 'ok'} in {result.seconds:.0f} s", flush=True)

    print(f"\n{'stage':22}{'time':>8}{'passed':>9}{'failed':>9}{'skipped':>9}")
    for name, r in results.items():
        print(f"{name:22}{r.seconds:6.0f} s{r.passed:9}{r.failed:9}{r.skips.total():9}")
    passed, failed, skipped = (
        sum(r.passed for r in results.values()),
        sum(r.failed for r in results.values()),
        sum(r.skips.total() for r in results.values()),
    )
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
