"""Reading what can be read of damaged tables, and mending what hung on lines that are lost."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from training_backend.errors import StoreError
from training_backend.project import lines, schema
from training_backend.project.lines import ROUND

if TYPE_CHECKING:
    from sqlalchemy import Table

    from training_backend.events import Reporter
    from training_backend.project.store import Project

_WINDOW = 1024  # ids read together
_CHUNK = 1000
# made anew: the words of the schema, how far the search index reaches, what changed lately, what is due
_NOT_COPIED = {"about", "row_touched", "flag_due"}


def salvage(
    path: Path, project: Project, reporter: Reporter | None = None
) -> tuple[dict[str, int], list[str]]:
    """Copy every line that can be read into the empty `project`; return how many are lost, by table.

    Where an index that is whole tells how many lines there were, the number is exact; else it counts the ids
    that could not be read, some of which may never have existed. The tables returned too are those of which
    nothing tells where they ended: what they held after their last line that can be read is in no number.
    StoreError when no table can be read.
    """
    source, target = _open(path), _free_of_order(project.path)
    tables = [table for table in schema.metadata.sorted_tables if table.name not in _NOT_COPIED]
    lost: dict[str, int] = {}
    uncounted = []
    with contextlib.closing(source), contextlib.closing(target):
        for number, table in enumerate(tables):
            lost[table.name], end_known = _copy(source, target, table)
            if not end_known:
                uncounted.append(table.name)
            if reporter is not None:
                reporter.progress("repair", number + 1, len(tables), table.name.replace("_", " "))
    return lost, uncounted


def _open(path: Path) -> sqlite3.Connection:
    source = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    # a damaged line may hold bytes that are no text
    source.text_factory = lambda data: data.decode("utf-8", "replace")
    source.execute("PRAGMA writable_schema = ON")  # a damaged entry of the schema hides no other one
    try:
        known = {name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.DatabaseError as error:
        source.close()
        raise StoreError("The file's list of tables cannot be read, so nothing else of it can.",
                         "Open a backup.", where=str(path)) from error  # fmt: skip
    if "question" not in known:
        source.close()
        raise StoreError("The file holds no table of questions any more.", "Open a backup.", where=str(path))
    return source


def _free_of_order(path: Path) -> sqlite3.Connection:
    """Return a connection on which lines may come before those they refer to; SQLite's default."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = OFF")
    return connection


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, table: Table) -> tuple[int, bool]:
    """Copy one table; return how many of its lines are lost, and whether it is known where it ended."""
    try:
        there = {line[1] for line in source.execute(f'PRAGMA table_info("{table.name}")')}
    except sqlite3.DatabaseError:
        return 0, True
    names = [column.name for column in table.columns if column.name in there]
    if not names:
        return 0, True  # of a version that did not have it
    insert = (f'INSERT OR IGNORE INTO "{table.name}" ({", ".join(names)}) '
              f"VALUES ({', '.join('?' * len(names))})")  # fmt: skip
    found = _Reader(source, table.name, names)
    chunk: list[tuple] = []
    copied = 0
    for line in found.lines():
        chunk.append(line)
        if len(chunk) >= _CHUNK:
            copied += _insert(target, insert, chunk)
            chunk = []
    copied += _insert(target, insert, chunk)
    refused = found.read - copied if table.name != "setting" else 0
    expected = found.expected()
    if expected is not None:
        return max(0, expected - copied), True
    return found.unreadable + refused, found.end_known


def _insert(target: sqlite3.Connection, statement: str, chunk: list[tuple]) -> int:
    target.execute("BEGIN")
    count = target.executemany(statement, chunk).rowcount
    target.execute("COMMIT")
    return count


class _Reader:
    """Reads one table around its damaged places."""

    def __init__(self, source: sqlite3.Connection, table: str, names: list[str]) -> None:
        self._source, self._table = source, table
        self._columns = ", ".join(names)
        self.unreadable = 0
        self.read = 0
        self.end_known = True
        # ids that could not be read since the last line that could
        self._unreadable_since = 0

    def lines(self) -> Iterator[tuple]:
        """Yield every line that can be read."""
        try:
            last = self._last_id()
        except sqlite3.OperationalError as error:
            if "no such column" not in str(error):
                raise
            yield from self._without_ids()
            return
        for first in range(0, last + 1, _WINDOW):
            yield from self._between(first, min(first + _WINDOW - 1, last))
        if self.end_known:
            self.unreadable += self._unreadable_since
        else:
            self.end_known = not self._unreadable_since

    def expected(self) -> int | None:
        """Return how many lines the table had, as an index that is whole says; None where none is."""
        for index in self._indices():
            with contextlib.suppress(sqlite3.DatabaseError):
                return self._source.execute(
                    f'SELECT count(*) FROM "{self._table}" INDEXED BY "{index}"'
                ).fetchone()[0]
        return None

    def _indices(self) -> list[str]:
        with contextlib.suppress(sqlite3.DatabaseError):
            found = self._source.execute(f'PRAGMA index_list("{self._table}")').fetchall()
            # a partial index knows only some lines; that of a primary key without ids is the table itself
            return [line[1] for line in found if not line[4] and line[3] != "pk"]
        return []

    def _between(self, first: int, last: int) -> Iterator[tuple]:
        """Yield the lines of these ids; a range that cannot be read is halved."""
        try:
            found = self._source.execute(
                f'SELECT {self._columns} FROM "{self._table}" WHERE rowid BETWEEN ? AND ?', (first, last)
            ).fetchall()
        except (sqlite3.DatabaseError, OverflowError):
            if first == last:
                self._unreadable_since += 1
                return
            middle = (first + last) // 2
            yield from self._between(first, middle)
            yield from self._between(middle + 1, last)
            return
        if found:
            self.unreadable += self._unreadable_since
            self._unreadable_since = 0
        self.read += len(found)
        yield from found

    def _without_ids(self) -> Iterator[tuple]:
        """Yield the lines of a table that is kept in the order of its key, as far as that goes."""
        try:
            for line in self._source.execute(f'SELECT {self._columns} FROM "{self._table}"'):
                self.read += 1
                yield line
        except sqlite3.DatabaseError:
            self.unreadable += 1

    def _last_id(self) -> int:
        """Return an id behind which there is none: of the table, an index, or what the file can hold."""
        statements = [f'SELECT max(rowid) FROM "{self._table}"']
        statements += [f'SELECT max(rowid) FROM (SELECT rowid FROM "{self._table}" INDEXED BY "{index}")'
                       for index in self._indices()]  # fmt: skip
        for statement in statements:
            try:
                return self._source.execute(statement).fetchone()[0] or 0
            except sqlite3.OperationalError as error:
                if "no such column" in str(error):
                    raise
            except sqlite3.DatabaseError:
                continue
        self.end_known = False
        pages = self._source.execute("PRAGMA page_count").fetchone()[0]
        size = self._source.execute("PRAGMA page_size").fetchone()[0]
        return pages * size // 16


def mend(project: Project, lost: dict[str, int]) -> dict[str, int]:
    """Make the tables agree again; count in `lost` what had to go, and return what was made again."""
    with contextlib.closing(_free_of_order(project.path)) as target:
        target.execute("BEGIN")
        restored = {"question": _restore_questions(target), "row": _restore_rows(target)}
        _cut_loose(target, lost)
        target.execute("UPDATE setting SET value = '0' WHERE name IN ('search_rows', 'search_questions')")
        ids = [number for (number,) in target.execute("SELECT id FROM row")]
        target.execute("COMMIT")
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        with project.writing() as connection:
            lines.refresh(connection, part)
            lines.refresh_states(connection, part)
            lines.trim_touched(connection)
    lost["row"] = max(0, lost.get("row", 0) - restored["row"])
    return restored


def _restore_questions(target: sqlite3.Connection) -> int:
    """Make questions that are lost again from the beginning that the list shows of them."""
    return target.execute(
        """INSERT INTO question (id, dataset, split, native_id, text, gold_text, gold_value, extra)
           SELECT question_id, max(dataset), max(split), 'repaired-' || question_id, max(question),
                  max(gold_text), max(gold_value), '{"repaired": "only its beginning is left"}'
           FROM row WHERE question_id NOT IN (SELECT id FROM question) GROUP BY question_id"""
    ).rowcount


def _restore_rows(target: sqlite3.Connection) -> int:
    """Make lines of the list again: one for each rationale, and for each question without any."""
    # lines whose rationale is lost hold no reply any more
    target.execute(
        """UPDATE row SET rationale_id = NULL, judgement_id = NULL, kind = '', path = 0
           WHERE rationale_id IS NOT NULL AND rationale_id NOT IN (SELECT id FROM rationale)"""
    )
    points = "(SELECT max(k.id) FROM key_points AS k WHERE k.question_id = q.id)"
    of_rationales = target.execute(
        f"""INSERT INTO row (question_id, dataset, split, round, kind, path, rationale_id, key_points_id,
                             verdict)
            SELECT q.id, q.dataset, q.split, {ROUND}, a.kind, a.path, a.id, {points}, 'not_run'
            FROM rationale AS a JOIN question AS q ON q.id = a.question_id
            WHERE a.id NOT IN (SELECT rationale_id FROM row WHERE rationale_id IS NOT NULL)"""
    ).rowcount
    of_questions = target.execute(
        f"""INSERT INTO row (question_id, dataset, split, round, key_points_id, verdict)
            SELECT q.id, q.dataset, q.split, {ROUND}, {points}, 'not_asked'
            FROM question AS q WHERE q.id NOT IN (SELECT question_id FROM row)"""
    ).rowcount
    return of_rationales + of_questions


def _cut_loose(target: sqlite3.Connection, lost: dict[str, int]) -> None:
    """Let go what refers to something lost: the reference where a line can do without, else the line."""
    for table in schema.metadata.sorted_tables:
        for key in table.foreign_keys:
            column, other = key.parent.name, key.column.table.name
            orphans = f'WHERE {column} NOT IN (SELECT id FROM "{other}")'
            if key.parent.nullable:
                target.execute(f'UPDATE "{table.name}" SET {column} = NULL {orphans}')
            else:
                gone = target.execute(f'DELETE FROM "{table.name}" {orphans}').rowcount
                lost[table.name] = lost.get(table.name, 0) + gone
