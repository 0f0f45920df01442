"""The child's end of its socket: one job comes in, frames go out. A frame is 4 bytes length and JSON."""

from __future__ import annotations

import json
import os
import struct
from typing import Any

_LENGTH = struct.Struct(">I")
_dumps = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode


def frame(data: bytes) -> bytes:
    """Return `data` with its length in front."""
    return _LENGTH.pack(len(data)) + data


class Channel:
    """Reads the job and writes frames on plain descriptors."""

    def __init__(self, reading: int, writing: int) -> None:
        """Use `reading` for the job and `writing` for the frames; both may be the same socket."""
        self._reading = reading
        self._writing = writing

    def receive(self) -> bytes:
        """Return the next frame's bytes; EOFError when the parent is gone."""
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        return self._exactly(length)

    def send(self, message: dict[str, Any]) -> int:
        """Write one frame; return its size in bytes. Without a reader the process ends."""
        data = frame(_dumps(message).encode("ascii"))
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._writing, view) :]
        except OSError:
            os._exit(72)
        return len(data)

    def _exactly(self, count: int) -> bytes:
        parts = []
        while count:
            part = os.read(self._reading, min(count, 1 << 16))
            if not part:
                raise EOFError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)
