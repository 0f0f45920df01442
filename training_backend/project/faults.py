"""What SQLite's failures mean to a person: one sentence and what to do next."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from training_backend.errors import StoreError

REPAIR_HINT = "Repair it with: kpdd repair NAME.kpdd (the damaged file is kept), or open a backup."


class Damaged(StoreError):
    """The project file itself is damaged: it can be repaired, or opened for reading what can be read."""


_BY_NAME = {
    "SQLITE_FULL": ("The disk is full.", "Free some space and try again; what was stored before is kept."),
    "SQLITE_IOERR": (
        "The project file could not be read or written.",
        "The disk may be full, over its quota, or gone; what was stored before is kept.",
    ),
    "SQLITE_BUSY": (
        "Another program is writing to the project just now.",
        "Wait until it has finished and try again.",
    ),
    "SQLITE_READONLY": (
        "The project file cannot be written.",
        "Change its permissions, or copy it to a folder where you may write.",
    ),
    "SQLITE_CORRUPT": ("The project file is damaged.", REPAIR_HINT),
    "SQLITE_NOTADB": ("This is no project file (no SQLite database).", "Choose a .kpdd file."),
    "SQLITE_CANTOPEN": ("The project file cannot be opened.", "Check that it and its folder may be read."),
    "SQLITE_PERM": ("The project file may not be opened.", "Check its permissions."),
    "SQLITE_TOOBIG": ("A text is too large for the project file.", "Texts may hold up to a billion bytes."),
}
_BY_TEXT = {
    "disk is full": "SQLITE_FULL",
    "disk I/O": "SQLITE_IOERR",
    "locked": "SQLITE_BUSY",
    "readonly": "SQLITE_READONLY",
    "malformed": "SQLITE_CORRUPT",
    "not a database": "SQLITE_NOTADB",
}


def explain(error: Exception, path: Path) -> StoreError | None:
    """Return the StoreError that says what `error` (of sqlite3) means, or None when it is a fault of ours."""
    name = getattr(error, "sqlite_errorname", "") or ""
    if not name:
        name = next((code for part, code in _BY_TEXT.items() if part in str(error)), "")
    for prefix, (message, hint) in _BY_NAME.items():
        if name.startswith(prefix):
            kind = Damaged if prefix == "SQLITE_CORRUPT" else StoreError
            return kind(message, hint, where=str(path))
    return None


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the expected failures of SQLite inside the block into a StoreError about `path`."""
    try:
        yield
    except sqlite3.Error as error:
        told = explain(error, path)
        if told is None:
            raise
        raise told from error
    except OSError as error:
        raise StoreError(
            f"{error.strerror or error}.", "Check the disk and its permissions.", str(path)
        ) from error
    except Exception as error:
        # SQLAlchemy wraps the error of the driver in its own
        driver = getattr(error, "orig", None)
        told = explain(driver, path) if isinstance(driver, sqlite3.Error) else None
        if told is None:
            raise
        raise told from error
