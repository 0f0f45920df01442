"""Keeping the flags of rows true: the questions that are due, a few at a time, in short transactions.

Triggers note in `flag_due` which questions changed. A line there goes in the same transaction that writes
the flags, and only when its `times` is still what was read: what changed meanwhile is looked at again. Flags
are no change by a person: they stand in no history and undo does not touch them.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from training_backend.project import flags, lines
from training_backend.project.flag_rules import Fit, Found, RowTexts, find_flags
from training_backend.project.lines import ID_LIST, ids_json
from training_backend.project.near_questions import BenchmarkQuestion, NearIndex, digest_of
from training_backend.rationale.judgement import ANSWERED

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from training_backend.project.store import Project

# the rules changed: every question is looked at again
RULES = "1"
BENCHMARK_SPLIT = "test"
# A writer holds the file for about so long: somebody's edit waits for no more than two of them.
WRITE_S = 0.010
_FEWEST, _FIRST, _MOST = 5, 60, 2000
_MARKED_AT_ONCE = 5000


@dataclass(frozen=True)
class Done:
    """What a run did: questions and rows looked at, rows whose flags changed, and whether all is done."""

    questions: int
    rows: int
    changed: int
    complete: bool


def due_count(project: Project) -> int:
    """Return how many questions are to be looked at."""
    with project.reading() as connection:
        return connection.execute("SELECT count(*) FROM flag_due").fetchone()[0]


def flag_counts(project: Project) -> dict[str, int]:
    """Return for each flag how many rows have it, in the order of FLAGS."""
    with project.reading() as connection:
        masks = connection.execute("SELECT flags, count(*) FROM row GROUP BY flags").fetchall()
    return {flag.name: sum(count for mask, count in masks if mask >> flag.bit & 1) for flag in flags.FLAGS}


def chosen_student(project: Project) -> str:
    """Return the folder of the student whose texts the rows are checked against; empty: none."""
    with project.reading() as connection:
        return _setting(connection, "flag_student")


def chosen_longest(project: Project) -> tuple[int, int] | None:
    """Return how many tokens the chosen student reads and writes at most; None: as many as it says itself."""
    with project.reading() as connection:
        numbers = [int(word) for word in _setting(connection, "flag_longest").split()]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else None


def choose_student(project: Project, folder: str, longest: tuple[int, int] | None = None) -> None:
    """Keep the student that rows must fit ("" for none) in the project; all questions become due.

    `longest` is how many tokens it reads and writes at most, where a run will hold others than its own.
    """
    if (folder, longest) != (chosen_student(project), chosen_longest(project)):
        mark_all(project)
        with project.writing() as connection:
            _set(connection, "flag_student", folder)
            _set(connection, "flag_longest", f"{longest[0]} {longest[1]}" if longest else "")


def mark_all(project: Project) -> None:
    """Make every question due."""
    with project.reading() as connection:
        last = connection.execute("SELECT coalesce(max(id), 0) FROM question").fetchone()[0]
    for start in range(0, last, _MARKED_AT_ONCE):
        with project.writing() as connection:
            connection.exec_driver_sql(
                "INSERT INTO flag_due (question_id) SELECT id FROM question WHERE id > ? AND id <= ? "
                "ON CONFLICT DO UPDATE SET times = times + 1",
                (start, start + _MARKED_AT_ONCE),
            )


class Flagging:
    """Looks at the due questions of a project; keeps the index of its benchmark questions between runs."""

    def __init__(self, project: Project, fit: Fit | None = None) -> None:
        """Write to `project`; `fit` says why a row does not fit the chosen student."""
        self._project = project
        self._fit = fit
        self._index = NearIndex(())
        self._digest = digest_of(())
        self._batch = _FIRST

    def run(
        self,
        stopped: Callable[[], bool] = lambda: False,
        progress: Callable[[Done, int], None] = lambda done, total: None,
    ) -> Done:
        """Look at every due question; `progress` gets what was done so far and how many questions there are.

        `stopped` is asked between two transactions. What becomes due meanwhile is looked at too, once.
        """
        self._renew()
        questions = rows = changed = last = 0
        total = due_count(self._project)
        while not stopped():
            batch = self._read(last)
            if not batch.due:
                return Done(questions, rows, changed, complete=True)
            last = batch.due[-1][0]
            found = self._find(batch)
            began = time.perf_counter()
            changed += self._write(batch, found)
            self._adapt(time.perf_counter() - began)
            questions += len(batch.due)
            rows += len(batch.rows)
            progress(Done(questions, rows, changed, complete=False), max(total, questions))
        return Done(questions, rows, changed, complete=False)

    # --- helpers ----------------------------------------------------------------------------------

    def _renew(self) -> None:
        """Make questions due that other rules, or other benchmark questions, may judge otherwise."""
        project = self._project
        with project.reading() as connection:
            rules, known = _setting(connection, "flag_rules"), _setting(connection, "flag_benchmarks")
            benchmarks = _benchmarks(connection)
        if rules != RULES:
            if rules:
                mark_all(project)
            with project.writing() as connection:
                _set(connection, "flag_rules", RULES)
        digest = digest_of(benchmarks)
        if digest != self._digest:
            self._index, self._digest = NearIndex(benchmarks), digest
        if digest != known:
            self._spread(benchmarks, digest)

    def _spread(self, benchmarks: Sequence[BenchmarkQuestion], digest: str) -> None:
        """Make the training questions due to which a new or changed benchmark question may be near."""
        with self._project.reading() as connection:
            due = {number for (number,) in connection.execute("SELECT question_id FROM flag_due")}
            # a changed benchmark question is due itself: the triggers saw it
            fresh = NearIndex(question for question in benchmarks if question.id in due)
            # whoever was near something may be so no more
            concerned = {
                number
                for (number,) in connection.execute(
                    "SELECT DISTINCT r.question_id FROM row_flag AS f JOIN row AS r ON r.id = f.row_id "
                    "WHERE f.flag = 'near_benchmark'"
                )
            }
            texts = connection.execute(
                f"SELECT id, coalesce(corrected_text, text) FROM question WHERE {_IS_TRAINING}",
                (BENCHMARK_SPLIT,),
            )
            if len(fresh):
                concerned.update(
                    number for number, text in texts if number not in due and fresh.nearest(text)
                )
        with self._project.writing() as connection:
            connection.exec_driver_sql(
                "INSERT INTO flag_due (question_id) SELECT value FROM json_each(?) WHERE true "
                "ON CONFLICT DO UPDATE SET times = times + 1",
                (ids_json(concerned),),
            )
            _set(connection, "flag_benchmarks", digest)

    def _read(self, after: int) -> _Batch:
        with self._project.reading() as connection:
            due = connection.execute(
                "SELECT question_id, times FROM flag_due WHERE question_id > ? ORDER BY question_id LIMIT ?",
                (after, self._batch),
            ).fetchall()
            if not due:
                return _Batch([], {}, [], {})
            ids = ids_json(number for number, _ in due)
            questions = {line[0]: line[1:] for line in connection.execute(_QUESTIONS, (BENCHMARK_SPLIT, ids))}
            points = {line[0]: line[1:] for line in connection.execute(_KEY_POINTS, (ids,))}
            rows, marked = [], []
            for line in connection.execute(_ROWS, (ids,)):
                rows.append(_row(line, questions, points))
                if line[-1]:
                    marked.append(line[0])
            present: Found = {}
            if marked:
                for row_id, flag, why in connection.execute(
                    f"SELECT row_id, flag, why FROM row_flag WHERE row_id IN {ID_LIST}", (ids_json(marked),)
                ):
                    present.setdefault(row_id, {})[flag] = why
        benchmarks = {number: bool(line[2]) for number, line in questions.items()}
        return _Batch(due, benchmarks, rows, present)

    def _find(self, batch: _Batch) -> Found:
        found: Found = {}
        for number, of_question in groupby(batch.rows, key=lambda row: row.question_id):
            rows = list(of_question)
            near = None
            if len(self._index) and not batch.is_benchmark.get(number, False):
                near = self._index.nearest(rows[0].question)
            found |= find_flags(rows, near, self._fit)
        return found

    def _write(self, batch: _Batch, found: Found) -> int:
        changed = [row.row_id for row in batch.rows
                   if found.get(row.row_id, {}) != batch.present.get(row.row_id, {})]  # fmt: skip
        with self._project.writing() as connection:
            run = connection.exec_driver_sql
            if changed:
                _write_flags(connection, changed, found)
                lines.trim_touched(connection)
            run(
                "DELETE FROM flag_due WHERE question_id = ? AND times = ?",
                [tuple(line) for line in batch.due],
            )
        return len(changed)

    def _adapt(self, took_s: float) -> None:
        """Take fewer questions at a time where writing them took long, more where it was quick."""
        factor = min(2.0, max(0.5, WRITE_S / max(took_s, 1e-6)))
        self._batch = max(_FEWEST, min(_MOST, round(self._batch * factor)))


@dataclass(frozen=True)
class _Batch:
    """Some due questions (id, times), their rows in the order of questions, and the flags they have."""

    due: list[tuple[int, int]]
    is_benchmark: dict[int, bool]
    rows: list[RowTexts]
    present: Found


_IS_TRAINING = "lower(split) <> ?"
_QUESTIONS = f"""
    SELECT id, coalesce(corrected_text, text),
           CASE WHEN corrected_gold_text IS NULL THEN gold_value ELSE corrected_gold_value END,
           lower(split) = ? FROM question WHERE id IN {ID_LIST}"""
_KEY_POINTS = f"""
    SELECT k.id, coalesce(k.corrected_core_question, k.core_question),
           coalesce(k.corrected_information, k.information)
    FROM key_points AS k WHERE k.question_id IN {ID_LIST}"""
_ROWS = f"""
    SELECT r.id, r.question_id, r.kind, r.path, coalesce(a.origin_id, 0), r.answer_value, r.verdict,
           coalesce(r.key_points_id, 0), coalesce(a.corrected_text, a.text, ''), r.flags
    FROM row AS r LEFT JOIN rationale AS a ON a.id = r.rationale_id
    WHERE r.question_id IN {ID_LIST} ORDER BY r.question_id, r.id"""


def _row(line: Sequence, questions: dict[int, tuple], points: dict[int, tuple]) -> RowTexts:
    row_id, question_id, kind, path, origin_id, answer, verdict, points_id, rationale, _ = line
    text, gold, _ = questions[question_id]
    core, information = points.get(points_id, ("", ""))
    return RowTexts(
        row_id, question_id, text, gold, kind, path, origin_id, answer if verdict in ANSWERED else None,
        points_id if points_id in points else 0, core, tuple(information.splitlines()), rationale,
    )  # fmt: skip


def _write_flags(connection: Connection, row_ids: Iterable[int], found: Found) -> None:
    run = connection.exec_driver_sql
    ids = list(row_ids)
    run(f"DELETE FROM row_flag WHERE row_id IN {ID_LIST}", (ids_json(ids),))
    entries = [
        (row_id, flag, lines.storable(why)) for row_id in ids for flag, why in found.get(row_id, {}).items()
    ]
    if entries:
        run("INSERT INTO row_flag (row_id, flag, why) VALUES (?, ?, ?)", entries)
    run(
        "UPDATE row SET flags = ?, suspicion = ? WHERE id = ?",
        [(flags.mask_of(found.get(row_id, {})), flags.suspicion_of(found.get(row_id, {})), row_id)
         for row_id in ids],
    )  # fmt: skip


def _benchmarks(connection: sqlite3.Connection) -> list[BenchmarkQuestion]:
    found = connection.execute(
        "SELECT id, dataset, split, native_id, coalesce(corrected_text, text) FROM question "
        "WHERE lower(split) = ? ORDER BY id",
        (BENCHMARK_SPLIT,),
    )
    return [
        BenchmarkQuestion(number, f"{dataset} {split} {native_id} (question {number})", text)
        for number, dataset, split, native_id, text in found
    ]


def _setting(connection: sqlite3.Connection, name: str) -> str:
    found = connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    return found[0] if found else ""


def _set(connection: Connection, name: str, value: str) -> None:
    connection.exec_driver_sql(
        "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        (name, value),
    )
