"""A process that has torch loaded, forks once per submission, watches the fork, and ends it at its limits.

One request after the other comes in on standard input, and one reply goes out for each. The process never runs a line
of a submission itself, has no thread but one, and is alone in having its submission below it.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import secrets
import selectors
import shutil
import signal
import stat
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from labs.grade import confinement
from labs.grade.child import become_submission
from labs.grade.descendants import descendants, end_all, take_more
from labs.grade.limits import Limits
from labs.grade.system_calls import ADOPT_ORPHANS, control
from labs.grade.wire import receive, send

_LOOK = 0.25  # seconds between two looks at the memory
_LONGEST_LINE = 2**20
_OFTEN_IMPORTED = ("import IPython.core.interactiveshell", "import matplotlib.pyplot", "import numpy")
_loaded: set[str] = set()  # the imports that were run


def serve() -> None:
    """Say which process this is, then answer requests until standard input ends."""
    if os.fork():  # become nobody's child: joblib, when stopped, kills all below it, and this has to tidy up
        os._exit(0)
    incoming, outgoing = os.dup(0), os.dup(1)
    os.dup2(2, 1)  # what a library prints must not get between the replies
    send(outgoing, {"pid": os.getpid()})
    import torch

    from labs.fashion_mnist import data_root

    if data_root().is_dir():  # a submission will have another home, and another cache
        os.environ["LABS_DATA"] = str(data_root().resolve())
    torch.set_num_threads(1)  # a process with several threads cannot be forked safely
    with contextlib.suppress(OSError):
        control(ADOPT_ORPHANS, 1)  # what a submission leaves behind comes to us, and is ended
    confinement.strongest()
    while (request := receive(incoming)) is not None:
        _load(request["exercise"]["imports"])
        request["hidden"] = [folder for folder in request["hidden"] if not _is_needed(folder)]
        reply = Watch(request, incoming).until_ended()
        send(outgoing, reply)


class Watch:
    """One submission from its fork to its end.

    Args:
        request: ``exercise``, ``cells``, ``hidden`` and ``limits``.
        incoming: the descriptor of the requests; its end means that nobody waits for the reply.
    """

    def __init__(self, request: Mapping, incoming: int) -> None:
        self._request, self._incoming = request, incoming
        self._limits = Limits(**request["limits"])
        self._findings: list[dict] = []
        self._printed, self._lines = b"", b""

    def until_ended(self) -> dict:
        """Fork, watch, end and tidy up.

        Returns:
            ``findings``, why it ``ended``, the ``seconds`` it took and the end of what it ``printed``.
        """
        work = Path(tempfile.mkdtemp(prefix="grade-")).resolve()
        secret = secrets.token_hex(16)
        findings, their_findings = os.pipe()
        printed, their_printed = os.pipe()
        started = time.monotonic()
        child = os.fork()
        if not child:
            become_submission(self._request, work, their_findings, their_printed, secret)
        os.close(their_findings)
        os.close(their_printed)
        try:
            ended = self._watch(child, findings, printed, secret, started + self._limits.timeout)
            seconds = time.monotonic() - started
        finally:
            with contextlib.suppress(OSError):  # at one blow, for some fork faster than they can be counted
                os.killpg(child, signal.SIGKILL)
            end_all()
            self._read_rest(findings, printed, secret)
            os.close(findings)
            os.close(printed)
            _remove(work)
        text = self._printed.decode("utf-8", "replace")
        return {"findings": self._findings, "ended": ended, "seconds": round(seconds, 1), "printed": text}

    def _watch(self, child: int, findings: int, printed: int, secret: str, deadline: float) -> str:
        """Return how it ended: ``exit 0``, ``signal 11``, or which limit it met."""
        base, next_look = psutil.Process().memory_info().rss, 0.0
        with selectors.DefaultSelector() as selector:
            for descriptor in (findings, printed, self._incoming):
                selector.register(descriptor, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select(_LOOK):
                    if key.fd == self._incoming:  # nothing is sent while we work, so this is the end
                        raise SystemExit
                    if not self._read(key.fd, key.fd == findings, secret):
                        selector.unregister(key.fd)
                done, status = os.waitpid(child, os.WNOHANG)
                if done:
                    code = os.waitstatus_to_exitcode(status)
                    return f"exit {code}" if code >= 0 else f"signal {-code}"
                if time.monotonic() > deadline:
                    return "time"
                if time.monotonic() > next_look:
                    below = descendants()
                    if len(below) > self._limits.processes:
                        return "processes"
                    if take_more(below, self._limits.memory + base):
                        return "memory"
                    next_look = time.monotonic() + _LOOK

    def _read(self, descriptor: int, is_finding: bool, secret: str) -> bool:
        """Read what there is; keep findings that are genuine, and the end of what was printed."""
        data = os.read(descriptor, 2**16)
        if not is_finding:
            self._printed = (self._printed + data)[-self._limits.output :]
            return bool(data)
        *lines, self._lines = (self._lines + data).split(b"\n")
        self._lines = self._lines[-_LONGEST_LINE:]
        for line in lines:
            if line.startswith(secret.encode()):
                with contextlib.suppress(ValueError):
                    self._findings.append(json.loads(line[len(secret) :]))
        return bool(data)

    def _read_rest(self, findings: int, printed: int, secret: str) -> None:
        for descriptor in (findings, printed):
            os.set_blocking(descriptor, False)
            with contextlib.suppress(BlockingIOError):
                while self._read(descriptor, descriptor == findings, secret):
                    pass


def _load(imports: str) -> None:
    """Load what the released notebook imports, once for all who submit it."""
    if imports in _loaded:
        return
    _loaded.add(imports)
    for line in (*_OFTEN_IMPORTED, *imports.splitlines()):
        with contextlib.suppress(Exception):  # whoever runs the notebook will hear of it
            exec(line, {})
    gc.collect()
    gc.freeze()  # so that the forks share the pages of what is loaded


def _is_needed(folder: str) -> bool:
    """Say whether a folder holds the Python, the package or the data that a submission needs."""
    needed = [
        sys.prefix,
        sys.base_prefix,
        __file__,
        os.environ.get("LABS_DATA", __file__),
        tempfile.gettempdir(),
    ]
    return any(Path(path).resolve().is_relative_to(folder) for path in needed)


def _remove(folder: Path) -> None:
    """Remove a folder, also what was made unreadable; a link in it is not followed."""
    for place, folders, _ in os.walk(folder):
        for path in (os.path.join(place, name) for name in folders):
            if not os.path.islink(path):
                os.chmod(path, stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(serve())
