"""Merging another project: its questions, what teachers wrote and what people made of it; nothing is lost.

Teachers, prompts and replies come first; then every five hundred questions with all that hangs on them are
one transaction. So a stop or a failure leaves whole questions, and merging again goes on from there. What
both have is recognised by what it says, never by its id, so that merging twice changes nothing.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_backend.errors import DatasetError
from training_backend.project import lines, search
from training_backend.project.lines import ID_LIST, ids_json
from training_backend.project.merge_report import MergeReport
from training_backend.project.merged_history import Ids, MergedHistory, merge_runs, merge_saved_filters
from training_backend.project.merged_teachers import MergedTeachers
from training_backend.project.other_project import reading_project

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from training_backend.events import Control, Reporter
    from training_backend.project.store import Project

CHUNK = 500  # questions to a transaction


def merge_project(
    project: Project,
    other: str | Path,
    reporter: Reporter | None = None,
    control: Control | None = None,
) -> MergeReport:
    """Merge another project file into `project` and return what it brought; the other one is not changed.

    Ours stands wherever both say something different; theirs is then kept in the history of that field.
    DatasetError when the other file is none that can be merged.
    """
    other = Path(other)
    project.require_writable()
    if other.exists() and other.samefile(project.path):
        raise DatasetError("A project cannot be merged with itself.", "Choose another one.", str(other))
    report = MergeReport()
    with reading_project(other) as theirs:
        history = MergedHistory(project, theirs, other.name, report)
        teachers = MergedTeachers(project, theirs, other, report)
        if not teachers.merge(lambda: control is not None and control.stop_requested):
            report.stopped = True
            return report
        total = theirs.execute("SELECT count(*) FROM question").fetchone()[0]
        done = 0
        for ids in _chunks(theirs):
            with project.writing() as connection:
                _Batch(connection, theirs, history, teachers, report).merge(ids)
            done += len(ids)
            if reporter is not None:
                reporter.progress("merge", done, total, f"{done:,} questions")
            if control is not None and control.stop_requested:
                report.stopped = True
                break
        else:
            merge_saved_filters(project, theirs)
            merge_runs(project, theirs, other, report)
        history.finish()
    return report


def _chunks(theirs: sqlite3.Connection) -> Iterator[list[int]]:
    last = 0
    while found := theirs.execute(
        "SELECT id FROM question WHERE id > ? ORDER BY id LIMIT ?", (last, CHUNK)
    ).fetchall():
        yield [number for (number,) in found]
        last = found[-1][0]


class _Batch:
    """Some questions of the other project with everything that hangs on them, inside one transaction."""

    def __init__(
        self,
        connection: Connection,
        theirs: sqlite3.Connection,
        history: MergedHistory,
        teachers: MergedTeachers,
        report: MergeReport,
    ) -> None:
        raw = connection.connection.driver_connection
        assert raw is not None
        self._connection, self._ours, self._theirs = connection, raw, theirs
        self._history, self._teachers, self._report = history, teachers, report
        # their id → ours, by table; the new ones of ours hold nothing that could differ
        self._ids = Ids()
        self._new: set[tuple[str, int]] = set()
        self._taken_out: set[int] = set()
        self._questions_taken_out: set[int] = set()
        self._judge: set[int] = set()

    def merge(self, ids: list[int]) -> None:
        """Bring these of their questions in."""
        self._history.begin(self._connection)
        self._merge_questions(ids)
        self._merge_key_points(ids)
        self._merge_rationales(ids)
        self._merge_rows(ids)
        self._merge_judgements()
        self._teachers.merge_requests(self._ours, self._ids.question)
        self._history.merge(self._ids)
        rows = sorted(self._taken_out | {number for table, number in self._new if table == "row"})
        lines.refresh(self._connection, rows)
        lines.refresh_states(self._connection, sorted(self._judge))
        search.put_back(self._connection, sorted(self._taken_out), sorted(self._questions_taken_out))
        while search.index_new(self._connection):
            pass
        lines.trim_touched(self._connection)

    def _read(self, table: str, where: str, ids: list[int]) -> Iterator[dict[str, Any]]:
        cursor = self._theirs.execute(
            f"SELECT * FROM {table} WHERE {where} IN {ID_LIST} ORDER BY id", (ids_json(ids),)
        )
        names = [column[0] for column in cursor.description]
        for line in cursor:
            yield dict(zip(names, line, strict=True))

    def _one(self, sql: str, *values: Any) -> tuple | None:
        return self._ours.execute(sql, values).fetchone()

    def _insert(self, table: str, line: dict[str, Any]) -> int:
        values = {name: value for name, value in line.items() if name != "id"}
        found = self._ours.execute(
            f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
            tuple(values.values()),
        )
        assert found.lastrowid is not None
        self._new.add((table, found.lastrowid))
        return found.lastrowid

    # --- questions --------------------------------------------------------------------------------

    def _merge_questions(self, ids: list[int]) -> None:
        for line in self._read("question", "id", ids):
            ours = self._find_question(line)
            if ours is None:
                ours = self._insert("question", line)
                self._report.questions += 1
                self._count_corrections(line)
            else:
                self._combine("question", ours, line, ("corrected_text", "corrected_gold_text"))
                self._compare_gold(ours, line)
            self._ids.question[line["id"]] = ours

    def _find_question(self, line: dict[str, Any]) -> int | None:
        """Return our question of the same name and text; where ours has another text, give theirs a name."""
        sql = "SELECT id, text FROM question WHERE dataset = ? AND split = ? AND native_id = ?"
        found = self._one(sql, line["dataset"], line["split"], line["native_id"])
        if found is None:
            return None
        if found[1] == line["text"]:
            return found[0]
        digest = hashlib.blake2b(line["text"].encode(), digest_size=4).hexdigest()
        line["native_id"] += f"~{digest}"
        found = self._one(sql, line["dataset"], line["split"], line["native_id"])
        self._report.renamed += found is None
        return found[0] if found else None

    def _compare_gold(self, ours: int, line: dict[str, Any]) -> None:
        found = self._one("SELECT gold_text, corrected_gold_text FROM question WHERE id = ?", ours)
        assert found is not None
        if line["gold_text"] not in found:
            self._conflict("question", ours, "corrected_gold_text", found[1], line["gold_text"])

    # --- what teachers wrote ----------------------------------------------------------------------

    def _origin(self, their_id: int | None) -> int | None:
        if their_id is None:
            return None
        if their_id not in self._history.origins:
            line = self._theirs.execute(
                "SELECT teacher, model, source, prompt_version, details, created_at FROM origin WHERE id = ?",
                (their_id,),
            ).fetchone()
            self._ours.execute(
                "INSERT INTO origin (teacher, model, source, prompt_version, details, created_at) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                line,
            )
            found = self._one("SELECT id FROM origin WHERE teacher = ? AND model = ? AND source = ? "
                              "AND prompt_version = ? AND details = ?", *line[:5])  # fmt: skip
            assert found is not None
            self._history.origins[their_id] = found[0]
        return self._history.origins[their_id]

    def _merge_key_points(self, ids: list[int]) -> None:
        for line in self._read("key_points", "question_id", ids):
            their_id = line["id"]
            line["question_id"] = self._ids.question[line["question_id"]]
            line["origin_id"] = self._origin(line["origin_id"])
            found = self._one(
                "SELECT id FROM key_points WHERE question_id = ? AND origin_id IS ? AND digest = ?",
                line["question_id"], line["origin_id"], line["digest"],
            )  # fmt: skip
            if found is None:
                self._ids.key_points[their_id] = self._insert("key_points", line)
                self._report.key_points += 1
                self._count_corrections(line)
            else:
                self._ids.key_points[their_id] = found[0]
                self._combine("key_points", found[0], line,
                              ("corrected_core_question", "corrected_information"))  # fmt: skip

    def _merge_rationales(self, ids: list[int]) -> None:
        for line in self._read("rationale", "question_id", ids):
            their_id = line["id"]
            line["question_id"] = self._ids.question[line["question_id"]]
            line["origin_id"] = self._origin(line["origin_id"])
            ours = self._find_rationale(line)
            if ours is None:
                ours = self._insert("rationale", line)
                self._report.rationales += 1
                self._count_corrections(line)
            else:
                self._combine("rationale", ours, line, ("corrected_text",))
            self._ids.rationale[their_id] = ours

    def _find_rationale(self, line: dict[str, Any]) -> int | None:
        """Return our rationale of the same origin and text; a path that is taken is numbered anew."""
        found = self._ours.execute(
            "SELECT id, path, text FROM rationale WHERE question_id = ? AND kind = ? AND origin_id IS ?",
            (line["question_id"], line["kind"], line["origin_id"]),
        ).fetchall()
        same = [(path != line["path"], number) for number, path, text in found if text == line["text"]]
        if same:
            return min(same)[1]
        paths = {path for _, path, _ in found}
        if line["path"] in paths:
            line["path"] = max(paths) + 1
        return None

    # --- rows -------------------------------------------------------------------------------------

    def _merge_rows(self, ids: list[int]) -> None:
        for line in self._read("row", "question_id", ids):
            question = self._ids.question[line["question_id"]]
            rationale = self._ids.rationale.get(line["rationale_id"])
            key_points = self._ids.key_points.get(line["key_points_id"])
            ours = self._find_row(question, rationale)
            if ours is None:
                ours = self._add_row(line, question, rationale, key_points)
            else:
                self._fill_row(ours, rationale, key_points)
                self._combine_row(ours, line)
            self._ids.row[line["id"]] = ours

    def _find_row(self, question: int, rationale: int | None) -> int | None:
        """Return our row of a rationale, else the row of the question that nobody was asked about yet.

        A row of theirs without a rationale belongs to the first row of the question.
        """
        found = rationale and self._one("SELECT id FROM row WHERE rationale_id = ?", rationale)
        found = found or self._one(
            "SELECT id FROM row WHERE question_id = ? AND kind = '' ORDER BY id LIMIT 1", question
        )
        if not found and rationale is None:
            found = self._one("SELECT id FROM row WHERE question_id = ? ORDER BY id LIMIT 1", question)
        return found[0] if found else None

    def _add_row(
        self, line: dict[str, Any], question: int, rationale: int | None, key_points: int | None
    ) -> int:
        path = self._one("SELECT path FROM rationale WHERE id = ?", rationale) if rationale else (0,)
        assert path is not None
        values = {
            name: line[name] for name in ("dataset", "split", "kind", "review", "flagged", "note", "round")
        }
        ours = self._insert("row", {**values, "path": path[0], "question_id": question, "verdict": "not_run",
                                    "rationale_id": rationale, "key_points_id": key_points})  # fmt: skip
        self._judge.add(ours)
        self._report.rows += 1
        self._report.reviews += line["review"] != "unreviewed"
        self._report.notes += bool(line["note"])
        return ours

    def _fill_row(self, ours: int, rationale: int | None, key_points: int | None) -> None:
        """Give a row of ours the rationale and the key points that it has not got."""
        has = self._one("SELECT rationale_id, key_points_id FROM row WHERE id = ?", ours)
        assert has is not None
        if rationale is not None and has[0] is None:
            self._take_out("row", ours)
            self._ours.execute(
                "UPDATE row SET rationale_id = ?1, "
                "(kind, path) = (SELECT kind, path FROM rationale WHERE id = ?1) WHERE id = ?2",
                (rationale, ours),
            )  # fmt: skip
            self._judge.add(ours)
            self._report.rows += 1
        if key_points is not None and has[1] is None:
            self._take_out("row", ours)
            self._ours.execute("UPDATE row SET key_points_id = ? WHERE id = ?", (key_points, ours))

    def _combine_row(self, ours: int, line: dict[str, Any]) -> None:
        if ("row", ours) in self._new:
            return
        nothing = {"review": "unreviewed", "flagged": 0, "note": ""}
        has = self._one(f"SELECT {', '.join(nothing)} FROM row WHERE id = ?", ours)
        assert has is not None
        for (column, empty), value in zip(nothing.items(), has, strict=True):
            if line[column] in (empty, value):
                continue
            if value == empty:
                self._take_out("row", ours)
                self._ours.execute(f"UPDATE row SET {column} = ? WHERE id = ?", (line[column], ours))
                self._report.reviews += column == "review"
                self._report.notes += column == "note"
            else:
                self._conflict("row", ours, column, value, line[column])

    def _merge_judgements(self) -> None:
        for line in self._read("judgement", "row_id", list(self._ids.row)):
            line["row_id"] = self._ids.row[line["row_id"]]
            known = self._one(
                "SELECT 1 FROM judgement WHERE row_id = ? AND digest = ?", line["row_id"], line["digest"]
            )
            if known is None:
                self._insert("judgement", line)
                self._report.judgements += 1
                if line["row_id"] not in self._judge:
                    self._take_out("row", line["row_id"])
                    self._judge.add(line["row_id"])

    # --- corrections ------------------------------------------------------------------------------

    def _count_corrections(self, line: dict[str, Any]) -> None:
        self._report.corrections += sum(
            value is not None for name, value in line.items()
            if name.startswith("corrected_") and not name.endswith("_value")
        )  # fmt: skip

    def _combine(self, table: str, ours: int, line: dict[str, Any], columns: tuple[str, ...]) -> None:
        """Take their corrections where we have none; where both have one, ours stands."""
        if (table, ours) in self._new:
            return
        has = self._one(f"SELECT {', '.join(columns)} FROM {table} WHERE id = ?", ours)
        assert has is not None
        for column, value in zip(columns, has, strict=True):
            if line[column] in (None, value):
                continue
            if value is not None:
                self._conflict(table, ours, column, value, line[column])
                continue
            self._take_out(table, ours)
            self._ours.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (line[column], ours))
            if column == "corrected_gold_text":
                self._ours.execute(
                    "UPDATE question SET corrected_gold_value = ? WHERE id = ?",
                    (line["corrected_gold_value"], ours),
                )
            self._report.corrections += 1

    def _conflict(self, table: str, ours: int, column: str, stands: Any, theirs: Any) -> None:
        self._report.conflicts += self._history.note_conflict(table, ours, column, stands, theirs)

    def _take_out(self, table: str, ours: int) -> None:
        """Take the rows of a thing out of the search index before it changes the first time."""
        column = "id" if table == "row" else f"{table}_id"
        found = self._ours.execute(f"SELECT id FROM row WHERE {column} = ?", (ours,))
        rows = {number for (number,) in found} - self._taken_out
        questions = {ours} - self._questions_taken_out if table == "question" else set()
        search.take_out(self._connection, sorted(rows), sorted(questions))
        self._taken_out |= rows
        self._questions_taken_out |= questions
        if table != "key_points":
            self._judge |= rows
