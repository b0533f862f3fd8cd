"""Ask the Linux kernel for what Python has no function for."""

from __future__ import annotations

import ctypes
import os

# Options of prctl.
DIE_WITH_PARENT = 1
DROP_CAPABILITY = 24
ADOPT_ORPHANS = 36
NO_NEW_PRIVILEGES = 38


def call(name: str, *arguments: object) -> int:
    """Call a function of the C library and return what it returns.

    Args:
        name: of the function, like ``"unshare"``.
        arguments: whole numbers, bytes or ctypes objects.

    Returns:
        What the function returned.

    Raises:
        OSError: the function is missing or says that it failed.

    Example:
        >>> call("getpid") == os.getpid()
        True
    """
    try:
        function = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (AttributeError, OSError, TypeError) as error:
        raise OSError(f"this system has no {name}") from error
    function.restype = ctypes.c_long
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = function(*wide)
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def control(option: int, value: int) -> None:
    """Set one of the options of ``prctl`` for this process.

    Args:
        option: one of the names of this module.
        value: what to set it to.

    Raises:
        OSError: the system has no such option.
    """
    call("prctl", option, value, 0, 0, 0)
