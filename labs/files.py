"""Write files so that nobody ever finds half of one."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ADVICE = {
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "make room, or ask for a larger quota",
    errno.EFBIG: "it is larger than this system allows a file to be; see ulimit -f",
    errno.EROFS: "that disk can only be read; choose another folder",
    errno.EACCES: "that folder may not be written by you; choose another, or change its permissions",
    errno.EPERM: "that folder may not be written by you; choose another, or change its permissions",
    errno.EIO: "the disk does not answer as it should; choose another",
}


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path beside ``path``; what is written there moves into place when the block succeeds.

    A reader sees the old file or the new one, never a part, also after a power cut. When the block fails, the old file
    stays and the temporary one is removed.

    Args:
        path: the file to write; its folder must exist.

    Returns:
        The temporary path, in a ``with`` block.

    Raises:
        FileNotFoundError: the folder does not exist.
        OSError: the file cannot be written; the message says why, and what to do.

    Example:
        >>> import tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> target = Path(folder.name) / "note.txt"
        >>> with replacing(target) as temporary:
        ...     _ = temporary.write_text("whole")
        >>> target.read_text()
        'whole'
        >>> folder.cleanup()
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path.parent)!r} for {path.name!r}; make it first")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        with open(temporary, "r+b") as file:
            os.fsync(file.fileno())  # or the new name might reach the disk before the content does
        os.replace(temporary, path)
    except OSError as error:
        # Without a name it came from writing; what the block has read is not our concern.
        if error.filename not in (None, temporary, str(temporary)) or error.errno not in _ADVICE:
            raise
        reason = f"{error.strerror}; the file is as it was before, {_ADVICE[error.errno]}"
        raise type(error)(error.errno, reason, str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)
