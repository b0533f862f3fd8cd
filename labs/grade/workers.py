"""Grade one submission, in whatever process joblib or Dask chose for it."""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from labs.grade.wire import receive, send

if TYPE_CHECKING:
    import psutil

_PATIENCE = 180.0  # seconds beyond the limit of a submission: to load torch, and to tidy up
_GRACE = 5.0  # seconds to tidy up before it is killed
_KEPT = (
    "PATH", "HOME", "XDG_CACHE_HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV", "LABS_DATA",
    "LABS_GRADE_CONFINEMENT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
)  # fmt: skip
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_one_at_a_time = threading.Lock()  # a Dask worker may have several threads
_supervisors: list[Supervisor] = []


class Supervisor:
    """The supervisor of this process, started anew when it is gone."""

    def __init__(self) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._itself: psutil.Process | None = None  # what is started here only starts it
        self._process = subprocess.Popen(
            [sys.executable, "-m", "labs.grade.supervisor"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=_environment(),
            cwd=Path(__file__).resolve().parents[2],
            start_new_session=True,  # Ctrl-C is for the one who started the grading
        )

    def ask(self, request: Mapping) -> dict:
        """Return the reply to a request.

        Args:
            request: what :class:`labs.grade.supervisor.Watch` takes.

        Raises:
            RuntimeError: the supervisor is gone or silent.
        """
        import psutil

        try:
            if not self._itself:
                self._itself = psutil.Process(self._receive(_PATIENCE)["pid"])
            send(self._process.stdin.fileno(), request)  # type: ignore[union-attr]
            return self._receive(request["limits"]["timeout"] + _PATIENCE)
        except (OSError, TimeoutError, psutil.Error) as error:
            raise RuntimeError(f"{error}. {self._last_words()}") from error

    def end(self) -> None:
        """End the supervisor and all below it."""
        import psutil

        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        try:
            while receive(self._process.stdout.fileno(), _GRACE):  # type: ignore[union-attr]
                pass  # until it has tidied up, and the pipe ends with it
        except TimeoutError:
            with contextlib.suppress(psutil.Error, AttributeError):  # or nobody knows it yet
                for process in (*self._itself.children(recursive=True), self._itself):  # type: ignore[union-attr]
                    process.kill()
        self._process.wait()
        for file in (self._process.stdout, self._errors):
            with contextlib.suppress(OSError):
                file.close()  # type: ignore[union-attr]

    def _receive(self, patience: float) -> dict:
        reply = receive(self._process.stdout.fileno(), patience)  # type: ignore[union-attr]
        if reply is None:
            raise RuntimeError(self._last_words())
        return reply

    def _last_words(self) -> str:
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 1000))
        words = self._errors.read().decode("utf-8", "replace").strip()
        return f"the process that watches the submission ended; its last words: {words or 'none'}"


def grade_one(request: Mapping) -> dict:
    """Run one submission and return what the supervisor found; the grader's own troubles come back as text.

    Args:
        request: what :class:`labs.grade.supervisor.Watch` takes, and a ``number`` that comes back.

    Returns:
        ``number``, and either ``reply`` or ``trouble``.
    """
    trouble = ""
    with _one_at_a_time:
        for _ in range(2):
            if not _supervisors:
                _supervisors.append(Supervisor())
            try:
                return {"number": request["number"], "reply": _supervisors[0].ask(request)}
            except RuntimeError as error:
                trouble = str(error)
                end_supervisor()
    return {"number": request["number"], "trouble": trouble}


def end_supervisor() -> None:
    """End the supervisor of this process, if it has one."""
    while _supervisors:
        _supervisors.pop().end()


def _environment() -> dict[str, str]:
    """Return what a submission may know of the environment: none of the secrets that are often in it."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    path = [str(Path(__file__).resolve().parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **kept,
        **dict.fromkeys(_THREADS, "1"),
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "MPLBACKEND": "agg",
        "CUDA_VISIBLE_DEVICES": "",
        "LABS_PROGRESS": "0",
        "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",
    }


atexit.register(end_supervisor)
