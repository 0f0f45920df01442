"""The history of another project beside ours, and its runs, evaluations and kept filters."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_backend.project.lines import ID_LIST, ids_json

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from training_backend.project.merge_report import MergeReport
    from training_backend.project.store import Project


@dataclass
class Ids:
    """Their ids and the ids of the same things in our project, by table."""

    question: dict[int, int] = field(default_factory=dict)
    key_points: dict[int, int] = field(default_factory=dict)
    rationale: dict[int, int] = field(default_factory=dict)
    row: dict[int, int] = field(default_factory=dict)


_ITEMS = f"""
    SELECT i.change_id, i.entity_id, i.field, i.old, i.new, c.made_at, c.who
    FROM change_item AS i JOIN change AS c ON c.id = i.change_id
    WHERE i.entity = ? AND i.entity_id IN {ID_LIST} ORDER BY i.id"""
_KNOWN = """
    SELECT 1 FROM change_item AS i JOIN change AS c ON c.id = i.change_id
    WHERE i.entity = ? AND i.entity_id = ? AND i.field = ? AND i.old IS ? AND i.new IS ?
      AND c.made_at = ? AND c.who = ?"""
_CONFLICT = """
    SELECT 1 FROM change_item AS i JOIN change AS c ON c.id = i.change_id
    WHERE i.entity = ? AND i.entity_id = ? AND i.field = ? AND i.new IS ? AND c.action = 'merged'"""


class MergedHistory:
    """Their changes become changes of ours with the action `merged`: seen in the history, never undone."""

    def __init__(self, project: Project, theirs: sqlite3.Connection, name: str, report: MergeReport) -> None:
        """`name` is the other file's; `origins` holds our id of each of their origins met so far."""
        self._project, self._theirs, self._name, self._report = project, theirs, name, report
        self.origins: dict[int, int] = {}
        self._changes: dict[int, int] = {}
        self._step = 0

    def begin(self, connection: Connection) -> None:
        """Use this transaction from now on."""
        raw = connection.connection.driver_connection
        assert raw is not None
        self._ours: sqlite3.Connection = raw

    def merge(self, ids: Ids) -> None:
        """Copy the history of these things as far as ours does not have it."""
        for entity in ("question", "key_points", "rationale", "row"):
            ours: dict[int, int] = getattr(ids, entity)
            for change, entity_id, column, old, new, made_at, who in self._theirs.execute(
                _ITEMS, (entity, ids_json(ours))
            ):
                item = (entity, ours[entity_id], column, old, new)
                if self._ours.execute(_KNOWN, (*item, made_at, who)).fetchone() is None:
                    self._add_item(self._change(change), *item)
                    self._report.history += 1

    def note_conflict(self, entity: str, ours: int, column: str, stands: Any, theirs: Any) -> bool:
        """Keep a value of theirs that does not stand in the history of ours; tell whether it is new there."""
        text = None if theirs is None else str(theirs)
        if self._ours.execute(_CONFLICT, (entity, ours, column, text)).fetchone() is not None:
            return False
        if not self._step:
            self._step = self._add_change(f"merged {self._name}; the value before stands")
        self._add_item(self._step, entity, ours, column, stands, text)
        return True

    def finish(self) -> None:
        """State the merge itself in the history, when it brought anything."""
        report = self._report
        if not (report.questions or report.rows or report.history or report.corrections or report.reviews
                or report.notes or report.conflicts):  # fmt: skip
            return
        with self._project.writing() as connection:
            self.begin(connection)
            self._add_change(
                f"merged {self._name}: {report.questions:,} questions, {report.rows:,} rows, "
                f"{report.corrections:,} corrections, {report.conflicts:,} of theirs do not stand"
            )

    def _add_change(self, label: str) -> int:
        from training_backend.project.store import now

        sql = "INSERT INTO change (made_at, who, action, label) VALUES (?, 'merge', 'merged', ?)"
        return self._insert(sql, now(), label)

    def _add_item(self, change: int, entity: str, ours: int, column: str, old: Any, new: Any) -> None:
        self._insert(
            "INSERT INTO change_item (change_id, entity, entity_id, field, old, new) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            change, entity, ours, column, old, new,
        )  # fmt: skip

    def _change(self, their_id: int) -> int:
        """Return our copy of one of their changes; what they had undone is undone in ours too."""
        if their_id not in self._changes:
            made_at, who, action, label, undo = self._theirs.execute(
                "SELECT made_at, who, action, label, undone_by FROM change WHERE id = ?", (their_id,)
            ).fetchone()
            if action != "merged":
                label = f"{label} (in {self._name})"
            sql = "INSERT INTO change (made_at, who, action, label, of_change) VALUES (?, ?, 'merged', ?, ?)"
            ours = self._insert(sql, made_at, who, label, None)
            found = self._theirs.execute("SELECT made_at, who FROM change WHERE id = ?", (undo,)).fetchone()
            if found is not None:
                undone = self._insert(sql, *found, f"undo {label}", ours)
                self._ours.execute("UPDATE change SET undone_by = ? WHERE id = ?", (undone, ours))
            self._changes[their_id] = ours
        return self._changes[their_id]

    def _insert(self, sql: str, *values: Any) -> int:
        number = self._ours.execute(sql, values).lastrowid
        assert number is not None
        return number


def merge_saved_filters(project: Project, theirs: sqlite3.Connection) -> None:
    """Take their kept filters; one of ours of the same name stands."""
    found = theirs.execute("SELECT name, filter, created_at FROM saved_filter").fetchall()
    with project.writing() as connection:
        for line in found:
            connection.exec_driver_sql(
                "INSERT INTO saved_filter (name, filter, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                line,
            )


def merge_runs(project: Project, theirs: sqlite3.Connection, other: Path, report: MergeReport) -> None:
    """Take their runs whose folders are there, and their finished evaluations with every prediction."""
    runs: dict[int, int] = {}
    with project.reading() as reader:
        known = {
            (project.path.parent / folder).resolve(): number
            for number, folder in reader.execute("SELECT id, folder FROM run")
        }
    for their_id, folder, *rest in theirs.execute(
        "SELECT id, folder, method, title, status, summary, created_at FROM run ORDER BY id"
    ).fetchall():
        place = (other.parent / folder).resolve()
        if not place.is_dir():
            report.lost_runs += 1
            continue
        if place not in known:
            with project.writing() as connection:
                known[place] = connection.exec_driver_sql(
                    "INSERT INTO run (folder, method, title, status, summary, created_at) "
                    "VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
                    (name_of(place, project.path), *rest),
                ).scalar_one()
            report.runs += 1
        runs[their_id] = known[place]
    for (their_id,) in theirs.execute(
        "SELECT id FROM evaluation WHERE finished_at IS NOT NULL ORDER BY id"
    ).fetchall():
        with project.writing() as connection:
            report.evaluations += _merge_evaluation(connection, theirs, their_id, runs)


def name_of(folder: Path, project: Path) -> str:
    """Return a folder as our project names it: relative where it lies beside or below the file."""
    beside = project.parent.resolve()
    return Path(os.path.relpath(folder, beside)).as_posix() if folder.is_relative_to(beside) else str(folder)


_EVALUATION = "students, benchmark, method, settings, summary, created_at, finished_at"


def _merge_evaluation(
    connection: Connection, theirs: sqlite3.Connection, their_id: int, runs: dict[int, int]
) -> bool:
    """Copy one evaluation, unless ours has it: the same students, benchmark and settings at the same time."""
    run = connection.exec_driver_sql
    run_id, *line = theirs.execute(
        f"SELECT run_id, {_EVALUATION} FROM evaluation WHERE id = ?", (their_id,)
    ).fetchone()
    known = run(
        "SELECT 1 FROM evaluation WHERE students = ? AND benchmark = ? AND method = ? AND settings = ? "
        "AND created_at = ?",
        (*line[:4], line[5]),
    ).first()
    if known is not None:
        return False
    ours = run(
        f"INSERT INTO evaluation (run_id, {_EVALUATION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (runs.get(run_id), *line),
    ).scalar_one()
    cursor = theirs.execute("SELECT * FROM prediction WHERE evaluation_id = ? ORDER BY id", (their_id,))
    columns = [column[0] for column in cursor.description]
    names = [name for name in columns if name not in ("id", "evaluation_id")]
    sql = (
        f"INSERT INTO prediction (evaluation_id, {', '.join(names)}) "
        f"VALUES ({', '.join('?' * (len(names) + 1))})"
    )
    while chunk := cursor.fetchmany(500):
        run(sql, [(ours, *(dict(zip(columns, values, strict=True))[n] for n in names)) for values in chunk])
    return True
