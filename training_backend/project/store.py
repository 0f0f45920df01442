"""The project file: made, opened, checked, locked and closed here; every access goes through it."""

from __future__ import annotations

import contextlib
import datetime
import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import DBAPIError

from training_backend.errors import StoreError
from training_backend.project import lock, migrations, schema, search
from training_backend.project.faults import REPAIR_HINT, Damaged, explained

Holder = Literal["", "window", "job"]

_CHECK_ON_OPEN_BYTES = 64 * 2**20  # larger files are checked by `Project.check`, in the background
_BUSY_TIMEOUT_S = 30.0
_LOOK_AGAIN_S = 0.0005, 0.004  # how long a writer waits before it looks again whether it may begin
_HEADER = b"SQLite format 3\x00"
_HEADER_BYTES = 100


def now() -> str:
    """Return the time for a `…_at` column: UTC, to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


class Project:
    """An open project file. Any thread may use it; every `writing` block is one transaction."""

    def __init__(self, path: Path, read_only: bool = False, reason: str = "", held: lock.Lock | None = None):
        """Use `create` or `open` instead."""
        self.path = path
        self.read_only = read_only
        self.read_only_reason = reason
        self.migrated: list[str] = []
        # whether the file was checked while it was opened; a large one is left to `check`, in the background
        self.checked = False
        self._held = held
        self._checking: sqlite3.Connection | None = None
        self._engine = _engine(path, read_only)
        # what is being judged, by row: tells a judgement of the text as it stands from one of an older text
        self.asked_to_judge: dict[int, str] = {}

    @classmethod
    def create(cls, path: str | Path, holder: Holder = "") -> Project:
        """Make a new, empty project file; StoreError when there is one, or none can be made there."""
        path = Path(path)
        if path.exists():
            raise StoreError("There is a file of this name.", "Choose another name.", where=str(path))
        if not path.parent.is_dir():
            raise StoreError(f"There is no folder {path.parent}.", "Make it first.", where=str(path))
        held, _ = _take(path, holder)
        project = cls(path, held=held)
        try:
            with explained(path):
                with project._engine.connect() as connection:
                    driver = connection.connection.driver_connection
                    assert driver is not None
                    driver.execute("PRAGMA journal_mode = WAL")
                with project._engine.begin() as connection:
                    migrations.create_all(connection)
        except BaseException:
            project.close()
            for leftover in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
                with contextlib.suppress(OSError):
                    leftover.unlink()
            raise
        return project

    @classmethod
    def open(
        cls,
        path: str | Path,
        read_only: bool = False,
        holder: Holder = "",
        check: bool = True,
        migrate: bool = True,
        told: Callable[[str], None] = lambda _: None,
    ) -> Project:
        """Open a project file, bringing an older one up to date after a backup.

        A window passes `holder="window"`: while another window holds the project it is opened read-only, and
        `read_only_reason` says so. A job that writes for long passes `holder="job"`: a second one gets a
        StoreError. Without a holder short writes wait for each other, as SQLite does.
        A file that is found damaged is refused with Damaged; `check=False` opens it all the same, to read
        what can be read, and `migrate=False` leaves an older one as it is. `told` hears in words what takes
        long: a check, a backup, the steps of a migration.
        StoreError: no such file, no project, or of a newer version.
        """
        path = Path(path)
        version = _look(path)
        held, reason = (None, "") if read_only else _take(path, holder)
        if not read_only and not reason and not _writable(path):
            reason = "The file or its folder cannot be written."
        read_only = read_only or bool(reason)
        if version < schema.SCHEMA_VERSION and read_only and migrate:
            _release(held)
            raise StoreError(
                "The project is of an older version and was opened for reading only.",
                "Open it once where it may be written; a backup is made before it is brought up to date.",
                where=str(path),
            )
        project = cls(path, read_only, reason, held)
        try:
            project._prepare(migrate and version < schema.SCHEMA_VERSION, version, check, told)
        except BaseException:
            project.close()
            raise
        return project

    def _prepare(self, old: bool, version: int, check: bool, told: Callable[[str], None]) -> None:
        with explained(self.path):
            # a backup of a damaged file would be none, so an old file is checked whatever its size
            self.checked = check and (old or self.path.stat().st_size <= _CHECK_ON_OPEN_BYTES)
            if self.checked:
                told("checking the file")
                if problems := self.check():
                    raise Damaged(f"The project file is damaged: {problems[0]}.", REPAIR_HINT, str(self.path))
            if old:
                self.migrated = migrations.migrate(self._engine, self.path, version, told)
        if self.migrated:
            told("filling the search index")
            search.catch_up(self)

    def close(self) -> None:
        """Close every connection and give the lock back; the file is then one file again."""
        if self._checking is not None:
            self._checking.interrupt()
        self._engine.dispose()
        if not self.read_only:
            _fold_log(self.path)
        _release(self._held)
        self._held = None

    def __enter__(self) -> Project:
        """Return the project itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the project."""
        self.close()

    def require_writable(self) -> None:
        """Raise a StoreError that says why, when the project is open for reading only."""
        if not self.read_only:
            return
        held = self.read_only_reason.startswith("Another window")
        raise StoreError(
            f"The project is open for reading only. {self.read_only_reason}".rstrip(),
            "Close the other window, or work on a copy." if held else "Work on a copy where you may write.",
            where=str(self.path),
        )

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection inside one transaction: all of the block is kept, or nothing of it.

        StoreError when the project is open for reading only, the disk is full, or another program writes.
        """
        self.require_writable()
        with explained(self.path):
            try:
                with self._engine.begin() as connection:
                    yield connection
            except DBAPIError:
                # a connection from a time when the file could not be written would go on refusing
                self._engine.dispose()
                raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a raw connection for reading one state of the project; StoreError when that fails."""
        with explained(self.path), contextlib.closing(self.reader()) as connection:
            connection.execute("BEGIN")
            yield connection

    def reader(self) -> sqlite3.Connection:
        """Return a fresh raw connection that can only read; the caller closes it. Rows are tuples."""
        return connect_reader(self.path)

    def check(self, full: bool = False) -> list[str]:
        """Return what SQLite finds wrong with the file, as sentences; empty: nothing.

        `full` also compares every index and the search index with their tables; that takes a while. Closing
        the project ends a check that still runs: it then found nothing.
        """
        try:
            with explained(self.path), contextlib.closing(self.reader()) as self._checking:
                pragma = "integrity_check" if full else "quick_check"
                found = self._checking.execute(f"PRAGMA {pragma}(10)")
                problems = [_one_line(line) for (line,) in found if line != "ok"]
        except Damaged as damage:
            problems = [_one_line(str(damage.__cause__))]
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorname", "") != "SQLITE_INTERRUPT":
                raise
            return []
        finally:
            self._checking = None
        if full and not problems and not self.read_only:
            problems += self._check_search()
        return problems

    def _check_search(self) -> list[str]:
        problems = []
        for table in ("search", "search_question"):
            try:
                with self._engine.begin() as connection:
                    connection.exec_driver_sql(
                        f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)"
                    )
            except Exception as error:
                if not isinstance(getattr(error, "orig", None), sqlite3.DatabaseError):
                    raise
                problems.append(f"the search index {table} does not agree with the texts")
        return problems


def _one_line(problem: str) -> str:
    return " ".join(line for line in problem.splitlines() if not line.startswith("***")).strip() or problem


def connect_reader(path: Path) -> sqlite3.Connection:
    """Return a raw connection to a project file that can only read; any one thread at a time may use it."""
    uri = path.absolute().as_uri()
    with explained(path):
        connection = sqlite3.connect(
            f"{uri}?mode=ro", uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            # a folder where nothing may be written has no room for the log's index; the file itself is whole
            connection.close()
            if os.access(path.parent, os.W_OK):
                raise
            connection = sqlite3.connect(
                f"{uri}?immutable=1", uri=True, isolation_level=None, check_same_thread=False
            )
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _engine(path: Path, read_only: bool) -> Engine:
    """Return an engine whose transactions begin as writers, so that none fails half way on a lock."""

    def connect() -> sqlite3.Connection:
        if read_only:
            return connect_reader(path)
        connection = sqlite3.connect(
            path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA foreign_keys = ON")
        # FULL: what was acknowledged survives a power cut, not only a crash of ours
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA temp_store = MEMORY")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=2, max_overflow=-1)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if read_only:
            connection.exec_driver_sql("BEGIN")
        else:
            _begin_writing(connection)

    return engine


def _begin_writing(connection: Connection) -> None:
    """Begin as a writer, waiting for the one before.

    SQLite itself waits up to a tenth of a second between two looks, and then one who writes without a pause
    (a job, a large change) may keep another one out for ever; looking every few milliseconds finds the gaps.
    """
    run = connection.exec_driver_sql
    until = time.monotonic() + _BUSY_TIMEOUT_S
    run("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                run("BEGIN IMMEDIATE")
                return
            except DBAPIError as error:
                name = getattr(error.orig, "sqlite_errorname", "")
                if not name.startswith("SQLITE_BUSY") or time.monotonic() > until:
                    raise
            time.sleep(random.uniform(*_LOOK_AGAIN_S))
    finally:
        run(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_S * 1000:.0f}")


def _look(path: Path) -> int:
    """Return the schema version of a project file after the checks that need no lock, else StoreError."""
    if not path.exists():
        raise StoreError(
            "There is no such file.", "Check the name, or make a project with: kpdd new", str(path)
        )
    if path.is_dir():
        raise StoreError(
            "This is a folder, not a project file.", "Choose a file that ends in .kpdd.", str(path)
        )
    with explained(path):
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
        if head[: len(_HEADER)] != _HEADER:
            what = "is empty" if not head else "is not a project file (no SQLite database)"
            raise StoreError(f"The file {what}.", "Choose a file that ends in .kpdd.", where=str(path))
        application, version = _marks(path, head)
    if application != schema.APPLICATION_ID:
        raise StoreError("This SQLite database is not a project of KPDD Studio.",
                         "Choose a file that ends in .kpdd.", where=str(path))  # fmt: skip
    if version > schema.SCHEMA_VERSION:
        raise StoreError(
            f"The project was made by a newer version of the program (its format is {version}, this program "
            f"knows up to {schema.SCHEMA_VERSION}).",
            "Update the program; the file was not changed.",
            where=str(path),
        )
    return version


def _marks(path: Path, head: bytes) -> tuple[int, int]:
    """Return (application id, schema version): from the header, or by SQLite where a log may hold newer ones.

    Reading the header leaves nothing behind beside a project that is then refused.
    """
    # https://www.sqlite.org/fileformat.html: both are big-endian
    application, version = int.from_bytes(head[68:72], "big"), int.from_bytes(head[60:64], "big")
    if application == schema.APPLICATION_ID and not path.with_name(path.name + "-wal").exists():
        return application, version
    with contextlib.closing(connect_reader(path)) as connection:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    return application, version


def _take(path: Path, holder: Holder) -> tuple[lock.Lock | None, str]:
    """Take the lock of `holder`: return it, or why the project can only be read; a second job: StoreError."""
    if not holder:
        return None, ""
    try:
        got = lock.acquire(path, holder)
    except OSError:
        return None, "Its folder cannot be written."
    if isinstance(got, lock.Lock):
        return got, ""
    if holder == "job":
        raise StoreError(f"Another job is at work on this project ({got}).",
                         "Wait until it has ended, or stop it.", where=str(path))  # fmt: skip
    return None, f"Another window has it open ({got})."


def _release(held: lock.Lock | None) -> None:
    if held is not None:
        held.release()


def _fold_log(path: Path) -> None:
    """Bring what the log `NAME.kpdd-wal` holds into the file and remove it, unless somebody else is at work.

    A connection that can only read leaves an empty log behind; SQLite removes it when one that can write is
    the last to close.
    """
    if not path.with_name(path.name + "-wal").exists():
        return
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path, timeout=0)) as last:
        last.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
