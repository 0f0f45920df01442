"""What teachers wrote: origins, key points and rationales become rows; nothing is stored twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from training_backend.errors import DatasetError
from training_backend.project import lines
from training_backend.project.lines import storable
from training_backend.rationale.key_points import KeyPoints

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from training_backend.project.store import Project

CHUNK = 500  # replies to a transaction


@dataclass(frozen=True)
class Origin:
    """Where a text comes from: the teacher's name, its model, the source (endpoint, file), the prompt."""

    teacher: str
    model: str
    source: str
    prompt_version: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """One reply of a teacher to one question; `kind` is cot, pot, eot, or "" where it holds key points only.

    `rationale` is None where the reply could not be read, and `parse_error` says why; `raw` keeps the reply.
    The origins are ids of `add_origin`; 0 where that part is missing.
    """

    question_id: int
    kind: str
    path: int
    key_points: KeyPoints | None
    rationale: str | None
    raw: Mapping[str, str] = field(default_factory=dict)
    parse_error: str = ""
    key_points_origin: int = 0
    rationale_origin: int = 0


def add_origin(project: Project, origin: Origin) -> int:
    """Return the id of `origin`, adding it when the project does not know it."""
    with project.writing() as connection:
        return origin_id(connection, origin)


def origin_id(connection: Connection, origin: Origin) -> int:
    """Do what `add_origin` does, inside a transaction."""
    from training_backend.project.store import now

    details = json.dumps(dict(origin.details), sort_keys=True, default=str)
    values = (origin.teacher, origin.model, origin.source, origin.prompt_version, details)
    connection.exec_driver_sql(
        "INSERT INTO origin (teacher, model, source, prompt_version, details, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (*values, now()),
    )
    return connection.exec_driver_sql(
        "SELECT id FROM origin "
        "WHERE teacher = ? AND model = ? AND source = ? AND prompt_version = ? AND details = ?",
        values,
    ).scalar_one()


def add_replies(project: Project, replies: Iterable[Reply]) -> int:
    """Store replies as rows and return how many were new.

    A reply is known by (question, kind, path, origin): a second one is left alone, unless the first did not
    parse and this one does; then the first is kept in its `raw`. The first reply to a question fills the row
    that was imported; every other one adds a row. Key points of one question and origin with the same text
    are stored once and shared. DatasetError when a reply names a question that the project does not have.
    """
    stored = 0
    source = iter(replies)
    while chunk := list(islice(source, CHUNK)):
        with project.writing() as connection:
            stored += add_replies_in(connection, chunk)
    return stored


def answered(project: Project, kind: str, path: int, origin_id: int, parsed_only: bool = False) -> set[int]:
    """Return the questions that this origin has answered; `parsed_only`: with a reply that parsed."""
    with project.reading() as connection:
        if not kind:
            sql = "SELECT question_id FROM key_points WHERE origin_id = ?"
            return {found for (found,) in connection.execute(sql, (origin_id,))}
        sql = "SELECT question_id FROM rationale WHERE kind = ? AND path = ? AND coalesce(origin_id, 0) = ?"
        sql += " AND text IS NOT NULL" if parsed_only else ""
        return {found for (found,) in connection.execute(sql, (kind, path, origin_id))}


def add_replies_in(connection: Connection, replies: Sequence[Reply]) -> int:
    """Do what `add_replies` does, inside a transaction."""
    from training_backend.project import search

    writer = _Writer(connection)
    for reply in replies:
        writer.add(reply)
    rows = list(writer.touched)
    lines.refresh(connection, rows)
    lines.refresh_states(connection, rows)
    search.put_back(connection, rows)
    search.index_new(connection)
    lines.trim_touched(connection)
    return writer.stored


class _Writer:
    """Adds replies inside one transaction and remembers the rows that its caller has to bring up to date."""

    def __init__(self, connection: Connection) -> None:
        from training_backend.project.store import now

        self._run = connection.exec_driver_sql
        self._connection = connection
        self._now = now()
        self.stored = 0
        self.touched: dict[int, None] = {}

    def add(self, reply: Reply) -> None:
        """Add one reply, or nothing when it is known."""
        question = self._run(
            f"SELECT dataset, split, {lines.ROUND} FROM question WHERE id = ?", (reply.question_id,)
        ).first()
        if question is None:
            raise DatasetError("A reply names a question that the project does not have.",
                               "Import the questions first.",
                               where=f"question {reply.question_id}")  # fmt: skip
        points, points_are_new = self._key_points(reply)
        if not reply.kind:
            self.stored += points_are_new
            if points_are_new:
                self._share(reply, points)
            return
        rationale = self._rationale(reply)
        if rationale is None:
            return
        self.stored += 1
        row = self._run("SELECT id FROM row WHERE rationale_id = ?", (rationale,)).scalar()
        row = (
            row
            or self._run(
                "SELECT id FROM row WHERE question_id = ? AND kind = '' ORDER BY id LIMIT 1",
                (reply.question_id,),
            ).scalar()
        )
        if row is None:
            row = self._run(
                "INSERT INTO row (question_id, dataset, split, round, verdict) "
                "VALUES (?, ?, ?, ?, 'not_run') RETURNING id",
                (reply.question_id, *question),
            ).scalar_one()
        self._touch(row)
        self._run(
            "UPDATE row SET kind = ?, path = ?, rationale_id = ?, key_points_id = coalesce(?, key_points_id) "
            "WHERE id = ?",
            (reply.kind, reply.path, rationale, points, row),
        )

    def _key_points(self, reply: Reply) -> tuple[int | None, bool]:
        """Return the id of the reply's key points, and whether they are new."""
        if reply.key_points is None:
            return None, False
        core = storable(reply.key_points.core_question)
        information = "\n".join(" ".join(storable(item).split()) for item in reply.key_points.information)
        digest = hashlib.blake2b(f"{core}\x00{information}".encode(), digest_size=8).hexdigest()
        key = (reply.question_id, reply.key_points_origin or None, digest)
        known = self._run(
            "SELECT id FROM key_points WHERE question_id = ? AND origin_id IS ? AND digest = ?", key
        ).scalar()
        if known is not None:
            return known, False
        raw = {} if reply.kind else dict(reply.raw)
        return self._run(
            "INSERT INTO key_points (question_id, origin_id, digest, core_question, information, raw, "
            "created_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (*key, core, information, json.dumps(raw), self._now),
        ).scalar_one(), True

    def _rationale(self, reply: Reply) -> int | None:
        """Return the id of the stored rationale, or None when the reply brings nothing new."""
        key = (reply.question_id, reply.kind, reply.path, reply.rationale_origin)
        known = self._run(
            "SELECT id, text, raw FROM rationale "
            "WHERE question_id = ? AND kind = ? AND path = ? AND coalesce(origin_id, 0) = ?",
            key,
        ).first()
        text = None if reply.rationale is None else storable(reply.rationale)
        error = reply.parse_error or ("" if text is not None else "the reply holds no rationale")
        if known is None:
            return self._run(
                "INSERT INTO rationale (question_id, kind, path, origin_id, text, parse_error, raw, "
                "created_at)"
                " VALUES (?, ?, ?, nullif(?, 0), ?, ?, ?, ?) RETURNING id",
                (*key, text, storable(error), json.dumps(dict(reply.raw)), self._now),
            ).scalar_one()
        if known.text is not None or text is None:
            return None
        row = self._run("SELECT id FROM row WHERE rationale_id = ?", (known.id,)).scalar()
        if row is not None:
            self._touch(row)
        raw = {**dict(reply.raw), "earlier reply that did not parse": known.raw}
        self._run("UPDATE rationale SET text = ?, parse_error = '', raw = ? WHERE id = ?",
                  (text, json.dumps(raw), known.id))  # fmt: skip
        return known.id

    def _share(self, reply: Reply, points: int | None) -> None:
        """Give key points that came alone to the question's rows of that path that have none."""
        rows = self._run(
            "SELECT id FROM row WHERE question_id = ? AND key_points_id IS NULL AND (kind = '' OR path = ?)",
            (reply.question_id, reply.path),
        ).scalars()
        for row in list(rows):
            self._touch(row)
            self._run("UPDATE row SET key_points_id = ? WHERE id = ?", (points, row))

    def _touch(self, row: int) -> None:
        """Take a row out of the search index before its first change; a new row is not in it yet."""
        from training_backend.project import search

        if row not in self.touched:
            self.touched[row] = None
            search.take_out(self._connection, [row])
