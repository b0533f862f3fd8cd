"""Send JSON through a pipe, one message after the other, each with its length in front."""

from __future__ import annotations

import json
import os
import select
import struct
import time

_LENGTH = struct.Struct(">Q")


def send(descriptor: int, message: object) -> None:
    """Send one message.

    Args:
        descriptor: of the pipe.
        message: what JSON can hold.

    Raises:
        BrokenPipeError: nobody reads any more.
    """
    data = json.dumps(message).encode()
    data = _LENGTH.pack(len(data)) + data
    while data:
        data = data[os.write(descriptor, data) :]


def receive(descriptor: int, timeout: float | None = None) -> dict | None:
    """Return the next message, or ``None`` when the other side is gone.

    Args:
        descriptor: of the pipe.
        timeout: seconds to wait for the whole message; by default for ever.

    Raises:
        TimeoutError: it did not come in time.

    Example:
        >>> there, here = os.pipe()
        >>> send(here, {"one": 1})
        >>> receive(there)
        {'one': 1}
        >>> os.close(here)
        >>> receive(there) is None
        True
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    head = _read(descriptor, _LENGTH.size, deadline)
    body = head and _read(descriptor, _LENGTH.unpack(head)[0], deadline)
    return json.loads(body) if body else None


def _read(descriptor: int, size: int, deadline: float | None) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise TimeoutError("no answer in time")
        part = os.read(descriptor, min(size - len(data), 2**20))
        if not part:
            return None
        data += part
    return bytes(data)
