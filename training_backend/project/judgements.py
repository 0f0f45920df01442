"""Which rows are to be judged, and where their judgements go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from training_backend.project import lines
from training_backend.project.lines import ID_LIST, ids_json
from training_backend.rationale.judgement import Judgement

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from training_backend.project.store import Project

CHUNK = 500  # judgements to a transaction


def to_judge(
    project: Project, only_not_run: bool = True, row_ids: Iterable[int] | None = None
) -> Iterator[tuple[int, str, str, float | None]]:
    """Yield (row id, kind, rationale as corrected, gold value) of the rows that hold a rationale.

    With `only_not_run` those whose text as it stands has no judgement yet. The rows are read once at the
    start, in pieces, so storing judgements meanwhile is no problem.
    """
    where = ["r.rationale_id IS NOT NULL", "t.rationale <> ''"]
    where += ["r.verdict = 'not_run'"] if only_not_run else []
    values = []
    if row_ids is not None:
        where.append(f"r.id IN {ID_LIST}")
        values.append(ids_json(row_ids))
    condition = " AND ".join(where)
    last = 0
    while True:
        with project.reading() as connection:
            found = connection.execute(
                f"""SELECT t.id, t.kind, t.rationale, t.gold_value
                    FROM row_text AS t JOIN row AS r ON r.id = t.id
                    WHERE {condition} AND r.id > ? ORDER BY r.id LIMIT 1000""",
                (*values, last),
            ).fetchall()
        for row_id, kind, text, gold in found:
            project.asked_to_judge[row_id] = lines.digest(kind, text, gold)
            yield row_id, kind, text, gold
        if not found:
            return
        last = found[-1][0]


def store_judgements(project: Project, items: Iterable[tuple[int, Judgement]]) -> int:
    """Store judgements of rows and return how many; every five hundred are one transaction.

    A judgement of a text that was changed since `to_judge` gave it out is kept for that text and does not
    touch the row.
    """
    stored = 0
    source = iter(items)
    while chunk := list(islice(source, CHUNK)):
        with project.writing() as connection:
            for row_id, judgement in chunk:
                asked = project.asked_to_judge.pop(row_id, None)
                stored += _store(connection, row_id, judgement, asked)
            lines.trim_touched(connection)
    return stored


def _store(connection: Connection, row_id: int, judgement: Judgement, asked: str | None) -> bool:
    from training_backend.project.store import now

    row = connection.exec_driver_sql(
        "SELECT kind, rationale, gold_value FROM row_text WHERE id = ?", (row_id,)
    ).first()
    if row is None:
        return False
    present = lines.digest(*row)
    judgement_id = connection.exec_driver_sql(
        """INSERT INTO judgement (row_id, digest, state, verdict, answer_text, value, stdout, error,
                                  error_line, elapsed_ms, rule, isolation, python, judged_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (row_id, digest) DO UPDATE SET
             state = excluded.state, verdict = excluded.verdict, answer_text = excluded.answer_text,
             value = excluded.value, stdout = excluded.stdout, error = excluded.error,
             error_line = excluded.error_line, elapsed_ms = excluded.elapsed_ms, rule = excluded.rule,
             isolation = excluded.isolation, python = excluded.python, judged_at = excluded.judged_at
           RETURNING id""",
        (row_id, asked or present, judgement.state, judgement.verdict, lines.storable(judgement.answer_text),
         judgement.value, lines.storable(judgement.stdout), lines.storable(judgement.error),
         judgement.error_line, judgement.elapsed_ms, judgement.rule, judgement.isolation, judgement.python,
         now()),
    ).scalar_one()  # fmt: skip
    if asked in (None, present):
        lines.set_state(connection, row_id, judgement.state, judgement_id,
                        lines.storable(judgement.answer_text), judgement.value)  # fmt: skip
    return True
