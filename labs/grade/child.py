"""The process that is one submission: made ready, shut in, and then given to the notebook."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from labs.grade.confinement import confine
from labs.grade.execution import run_notebook
from labs.grade.limits import Limits, limit_this_process
from labs.grade.system_calls import DIE_WITH_PARENT, control

_MOST_REPORTED = 2**20  # bytes
_MOST_NOTES = 20


def become_submission(request: Mapping, work: Path, findings: int, printed: int, secret: str) -> None:
    """Turn this forked process into a submission, and end with it; never returns.

    Args:
        request: ``exercise``, ``cells``, ``hidden`` and ``limits``.
        work: an empty folder, which becomes its home.
        findings: descriptor for one line of JSON per finding.
        printed: descriptor for what it prints.
        secret: begins each line of ``findings``, so that what a submission writes there counts for nothing.
    """
    code = 70
    try:
        _take_descriptors(findings, printed)
        _settle(work)
        report = _Reporter(3, secret)
        limits = Limits(**request["limits"])
        missing = limit_this_process(limits)
        hidden = [Path(folder) for folder in request["hidden"]]
        found = confine(work, report.note, hidden=hidden, disk=limits.disk)
        report("confined", network=found.network, files=found.files, missing=missing)
        run_notebook(request, report, limits.step)
        code = 0
    except BaseException:
        import traceback

        with contextlib.suppress(BaseException):
            traceback.print_exc()
            sys.stderr.flush()
    finally:
        os._exit(code)


class _Reporter:
    """Writes findings to a descriptor, and stops when there are absurdly many."""

    def __init__(self, descriptor: int, secret: str) -> None:
        self._descriptor, self._secret, self._left, self._notes = descriptor, secret, _MOST_REPORTED, 0

    def __call__(self, kind: str, **details: object) -> None:
        line = f"{self._secret}{json.dumps({'kind': kind, **details})}\n".encode()
        self._left -= len(line)
        while line and self._left > 0:
            line = line[os.write(self._descriptor, line) :]

    def note(self, text: str) -> None:
        self._notes += 1
        if self._notes <= _MOST_NOTES:
            self("note", text=text[:500])


def _take_descriptors(findings: int, printed: int) -> None:
    """Keep the two descriptors as 3 and as 1 and 2, nothing to read as 0, and close all others."""
    findings, printed = os.dup(findings), os.dup(printed)  # out of the way of the low numbers
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (printed, 1), (printed, 2), (findings, 3)):
        os.dup2(source, target, inheritable=target < 3)
    os.closerange(4, min(os.sysconf("SC_OPEN_MAX"), 2**16))
    sys.stdin = _text(0, "r")
    sys.stdout, sys.stderr = _text(1, "w"), _text(2, "w")


def _text(descriptor: int, mode: str) -> TextIO:
    # Line by line: what was printed before a crash is then there to see.
    return open(descriptor, mode, encoding="utf-8", errors="backslashreplace", buffering=1)


def _settle(work: Path) -> None:
    """Make ``work`` the home, and leave the session and the signals of the supervisor."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with contextlib.suppress(OSError):
        control(DIE_WITH_PARENT, signal.SIGKILL)
    with contextlib.suppress(OSError):  # if memory gets short after all, this process goes first
        Path("/proc/self/oom_score_adj").write_text("1000")
    os.chdir(work)
    here = str(work)
    homes = (
        "HOME", "TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TORCH_HOME",
        "TORCHINDUCTOR_CACHE_DIR",
    )  # fmt: skip
    os.environ.update(dict.fromkeys(homes, here))
    tempfile.tempdir = None  # it remembers
