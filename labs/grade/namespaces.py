"""Linux namespaces: no network, files to read only, and no other process in sight; no root is needed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterable
from pathlib import Path

from labs.grade.system_calls import DIE_WITH_PARENT, DROP_CAPABILITY, NO_NEW_PRIVILEGES, call, control

_USER, _MOUNTS, _NETWORK, _PROCESSES, _MESSAGES = 0x10000000, 0x20000, 0x40000000, 0x20000000, 0x08000000
_READ_ONLY, _NO_SUID, _RECURSIVE, _PRIVATE = 1, 2, 0x4000, 0x40000  # flags of mount
_MOUNT_SETATTR, _HERE, _WHOLE_TREE = 442, -100, 0x8000


def enter(work: Path, hidden: Iterable[Path], *, disk: int) -> None:
    """Move this process into namespaces of its own; it returns in a child, process 1 of its namespace.

    Only ``work`` and ``/dev/shm`` can be written, both in memory and empty at first; they vanish with the process.
    The process that called waits for the child and ends as it ended.

    Args:
        work: the folder of the submission.
        hidden: folders that shall look empty.
        disk: bytes of all files together.

    Raises:
        OSError: the kernel, or whoever set it up, does not allow it. The process should then be ended.
    """
    user, group = os.getuid(), os.getgid()
    call("unshare", _USER | _MOUNTS | _NETWORK | _PROCESSES | _MESSAGES)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _mount(b"none", Path("/"), b"", _RECURSIVE | _PRIVATE, b"")
    _make_everything_read_only()
    for folder in (work, Path("/dev/shm")):
        if folder.is_dir():
            _mount(b"tmpfs", folder, b"tmpfs", _NO_SUID, f"mode=700,size={disk}".encode())
    for folder in hidden:
        if folder.is_dir():
            _mount(b"tmpfs", folder, b"tmpfs", _READ_ONLY, b"size=4k")
    os.chdir(work)
    _become_process_one()
    with contextlib.suppress(OSError):  # not in some containers; signals are cut off all the same
        _mount(b"proc", Path("/proc"), b"proc", _NO_SUID, b"")
    _give_up_privileges()


def _mount(source: bytes, target: Path, kind: bytes, flags: int, options: bytes) -> None:
    call("mount", source, os.fsencode(target), kind, flags, options)


def _make_everything_read_only() -> None:
    wanted = (ctypes.c_uint64 * 4)(_READ_ONLY, 0, 0, 0)  # set, clear, propagation, user namespace
    call("syscall", _MOUNT_SETATTR, _HERE, b"/", _WHOLE_TREE, ctypes.byref(wanted), ctypes.sizeof(wanted))


def _become_process_one() -> None:
    """Go on in a child: a new namespace of processes begins with the next one, and ends with it."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:  # ended by a signal: end the same way
            signal.signal(-code, signal.SIG_DFL) if -code not in (signal.SIGKILL, signal.SIGSTOP) else None
            os.kill(os.getpid(), -code)
        os._exit(code)
    os.setsid()  # out of the group of the one that waits
    control(DIE_WITH_PARENT, signal.SIGKILL)


def _give_up_privileges() -> None:
    """Drop what a new user namespace gives, or the mounts could be undone."""
    for capability in range(64):
        try:
            control(DROP_CAPABILITY, capability)
        except OSError:  # beyond the last one this kernel knows
            break
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    call("capset", ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))
    control(NO_NEW_PRIVILEGES, 1)
