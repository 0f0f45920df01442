"""Another project as something to read from: what it holds, and one state of it whatever its version."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from training_backend.errors import DatasetError, StoreError


def look_into_project(path: Path) -> tuple[int, int]:
    """Return how many questions and rows another project holds; DatasetError where it is no project."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as theirs:
            # "KPDD"; schema.py, which says so too, needs SQLAlchemy
            if theirs.execute("PRAGMA application_id").fetchone()[0] != 0x4B504444:
                raise DatasetError("This database is no project of this program.",
                                   "Choose a file that ends in .kpdd.", str(path))  # fmt: skip
            counts = "SELECT (SELECT count(*) FROM question), (SELECT count(*) FROM row)"
            return theirs.execute(counts).fetchone()
    except sqlite3.Error as error:
        raise DatasetError(f"The project cannot be read ({error}).", "Open it, or choose a backup of it.",
                           str(path)) from error  # fmt: skip


@contextlib.contextmanager
def reading_project(path: Path) -> Iterator[sqlite3.Connection]:
    """Give one state of another project to read; an older version is brought up to date in a copy.

    DatasetError where the file is none that can be read.
    """
    from training_backend.project.store import Project, connect_reader

    with contextlib.ExitStack() as stack:
        try:
            try:
                opened = Project.open(path, read_only=True)
            except StoreError as error:
                if "older version" not in error.message:
                    raise
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                copy = Path(folder) / "older.kpdd"
                with (
                    contextlib.closing(connect_reader(path)) as source,
                    contextlib.closing(sqlite3.connect(copy)) as target,
                ):
                    source.backup(target)
                opened = Project.open(copy)
        except StoreError as error:
            raise DatasetError(error.message, error.hint, error.where) from error
        stack.enter_context(opened)
        yield stack.enter_context(opened.reading())
