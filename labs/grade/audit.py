"""Refuse inside Python what a submission may not do, and note that it tried.

Python reports what it is about to do to its audit hooks, and a hook cannot be taken out again. C code does not report:
where the kernel refuses too, this gives the clearer message; where it does not, it is all there is, and weaker.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Where the path, or the paths, stand among the arguments of an event.
_PATHS = {
    "open": (0,), "os.remove": (0,), "os.rename": (0, 1), "os.mkdir": (0,), "os.rmdir": (0,), "os.link": (1,),
    "os.symlink": (1,), "os.truncate": (0,), "os.chmod": (0,), "os.chown": (0,), "os.utime": (0,),
    "os.setxattr": (0,), "sqlite3.connect": (0,),
}  # fmt: skip
_ADDRESSED = {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"}
_NETWORK = _ADDRESSED | {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
_PROGRAMS = {
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty",
}  # fmt: skip
_SIGNALS = {"os.kill", "os.killpg"}


def refuse(work: Path, note: Callable[[str], object], *, programs: bool, signals: bool) -> None:
    """Refuse from now on, in this process, the network and writing outside ``work``.

    Args:
        work: the folder of the submission.
        note: called with a sentence for each thing refused.
        programs: refuse to start other programs too, for they would not be watched.
        signals: refuse signals to other processes too.
    """
    inside = os.path.realpath(work) + os.sep
    free = ("/dev/null", "/dev/shm/", "/dev/tty", inside)
    real, plain, mine, me = os.path.realpath, os.fsdecode, os.fspath, os.getpid

    def stop(sentence: str, path: str | None = None) -> None:
        note(sentence if path is None else f"{sentence}: {path}")
        raise PermissionError(errno.EACCES, f"while it is graded, {sentence}", path)

    def hook(event: str, arguments: tuple) -> None:
        if event in _PATHS:
            if event == "open" and not (arguments[2] or 0) & _WRITING:
                return
            for place in _PATHS[event]:
                given = arguments[place]
                if isinstance(given, int) or given in (":memory:", b":memory:", ""):
                    continue
                path = real(plain(mine(given)))
                if not (path + os.sep).startswith(free):
                    stop("a submission may write only in its own folder", path)
        elif event in _NETWORK:
            # A socket of this machine has a path for an address, one that is connected needs none.
            if event not in _ADDRESSED or not isinstance(arguments[-1], (str, bytes, type(None))):
                stop("a submission has no network")
        elif programs and event in _PROGRAMS:
            stop("a submission may not start programs on this system")
        elif signals and event in _SIGNALS and arguments[0] != me():
            stop("a submission may not send signals to other processes")

    sys.addaudithook(hook)
