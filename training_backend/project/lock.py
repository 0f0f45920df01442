"""Who holds a project: one window, and one job, at a time; whoever died holds nothing.

The operating system's lock on `NAME.kpdd.window` or `NAME.kpdd.job` is the truth: it ends with its process.
The file's text (process id and machine) only serves the message to a second one.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment,unused-ignore]


@dataclass(frozen=True)
class Owner:
    """The process that holds a project."""

    pid: int
    machine: str

    def __str__(self) -> str:
        """Return words for a message."""
        return f"process {self.pid} on {self.machine}"


class Lock:
    """A held lock; `release` (or the end of the process, however it ends) gives it back."""

    def __init__(self, path: Path, file: IO[str]) -> None:
        """Keep the open file: closing it is what unlocks."""
        self._path = path
        self._file = file

    def release(self) -> None:
        """Give the lock back and remove its file; more than once does no harm."""
        if self._file.closed:
            return
        with contextlib.suppress(OSError):
            self._path.unlink()
        self._file.close()


def acquire(project: Path, holder: str) -> Lock | Owner:
    """Take the lock `holder` (window or job of a project, runner of a queue), or return who has it.

    OSError where the folder cannot be written.
    """
    path = project.with_name(f"{project.name}.{holder}")
    while True:
        file = path.open("a+", encoding="utf-8")
        if not _lock(file):
            owner = _read_owner(file)
            file.close()
            return owner
        # its last owner may have removed the file between our open and our lock
        try:
            same = os.path.samestat(path.stat(), os.fstat(file.fileno()))
        except FileNotFoundError:
            same = False
        if same:
            break
        file.close()
    file.truncate(0)
    json.dump({"pid": os.getpid(), "machine": socket.gethostname()}, file)
    file.flush()
    return Lock(path, file)


def _lock(file: IO[str]) -> bool:
    """Lock an open file without waiting; tell whether that worked."""
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            file.seek(1 << 30)  # far behind the text, which others must be able to read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
            file.seek(0)
    except OSError:
        return False
    return True


def _read_owner(file: IO[str]) -> Owner:
    try:
        file.seek(0)
        data = json.load(file)
        return Owner(int(data["pid"]), str(data["machine"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Owner(0, "this machine")
