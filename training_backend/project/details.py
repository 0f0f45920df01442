"""One row in full: the teacher's text beside the correction, where it came from, and what happened to it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from training_backend.errors import DatasetError
from training_backend.project.flags import BY_NAME
from training_backend.project.listing import LIST_COLUMNS, ListRow, list_row
from training_backend.project.replies import Origin
from training_backend.rationale.judgement import Judgement

if TYPE_CHECKING:
    from training_backend.project.store import Project


@dataclass(frozen=True)
class FieldText:
    """A text as the teacher (or the source) wrote it, and a person's correction beside it."""

    teacher: str
    corrected: str | None

    @property
    def text(self) -> str:
        """Return the text that stands."""
        return self.teacher if self.corrected is None else self.corrected


@dataclass(frozen=True)
class RowDetail:
    """Everything about one row; `information` holds one item per line, `siblings` the question's other rows.

    `origins` holds "key_points" and "rationale" where there are such texts; `raw` is the reply as it came;
    `flags` are pairs (name of flags.FLAGS, why), the heaviest first; `writers` says (teacher, model) of the
    question's rows, by the row's id.
    """

    row: ListRow
    question: FieldText
    gold: FieldText
    core_question: FieldText
    information: FieldText
    rationale: FieldText
    note: str
    judgement: Judgement
    origins: dict[str, Origin]
    raw: dict[str, str]
    siblings: list[ListRow]
    writers: dict[int, tuple[str, str]]
    flags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class HistoryItem:
    """One change of one field: when (UTC), by whom, what was done, and the text before and after.

    A person's step that was undone stays in the history, with `undone`.
    """

    when: str
    who: str
    what: str
    field: str
    old: str
    new: str
    undone: bool


_TEXTS = """
    SELECT q.text, q.corrected_text, q.gold_text, q.corrected_gold_text, k.core_question,
           k.corrected_core_question, k.information, k.corrected_information, a.text, a.corrected_text,
           r.note, a.raw, k.raw, a.parse_error, k.origin_id, a.origin_id, r.judgement_id
    FROM row AS r JOIN question AS q ON q.id = r.question_id
    LEFT JOIN key_points AS k ON k.id = r.key_points_id LEFT JOIN rationale AS a ON a.id = r.rationale_id
    WHERE r.id = ?"""


def row_detail(project: Project, row_id: int) -> RowDetail:
    """Return one row in full; DatasetError when there is none of that id."""
    with project.reading() as connection:
        row = _list_rows(connection, "id = ?", row_id)
        if not row:
            raise DatasetError("There is no such row.", "Refresh the list.", where=f"row {row_id}")
        found = connection.execute(_TEXTS, (row_id,)).fetchone()
        texts = [FieldText(found[n] or "", found[n + 1]) for n in range(0, 10, 2)]
        note, raw, points_raw, parse_error, points_origin, rationale_origin, judgement_id = found[10:]
        origins = {
            "key_points": _origin(connection, points_origin),
            "rationale": _origin(connection, rationale_origin),
        }
        question, gold, core_question, information, rationale = texts
        return RowDetail(
            row=row[0], question=question, gold=gold, core_question=core_question, information=information,
            rationale=rationale, note=note,
            judgement=_judgement(connection, judgement_id, row[0].verdict, parse_error or ""),
            origins={name: origin for name, origin in origins.items() if origin is not None},
            raw={**json.loads(points_raw or "{}"), **json.loads(raw or "{}")},
            siblings=_list_rows(connection, "question_id = ? AND id <> ?", row[0].question_id, row_id),
            flags=_flags(connection, row_id),
            writers=_writers(connection, row[0].question_id),
        )  # fmt: skip


def _list_rows(connection: sqlite3.Connection, condition: str, *values: int) -> list[ListRow]:
    sql = f"SELECT {LIST_COLUMNS} FROM row WHERE {condition} ORDER BY kind, path, id"
    return [list_row(line) for line in connection.execute(sql, values)]


def _writers(connection: sqlite3.Connection, question_id: int) -> dict[int, tuple[str, str]]:
    sql = """SELECT r.id, o.teacher, o.model FROM row AS r JOIN rationale AS a ON a.id = r.rationale_id
             JOIN origin AS o ON o.id = a.origin_id WHERE r.question_id = ?"""
    return {row_id: (teacher, model) for row_id, teacher, model in connection.execute(sql, (question_id,))}


def _flags(connection: sqlite3.Connection, row_id: int) -> tuple[tuple[str, str], ...]:
    found = connection.execute("SELECT flag, why FROM row_flag WHERE row_id = ?", (row_id,)).fetchall()
    known = [(name, why) for name, why in found if name in BY_NAME]
    return tuple(sorted(known, key=lambda item: (-BY_NAME[item[0]].suspicion, item[0])))


def _origin(connection: sqlite3.Connection, origin_id: int | None) -> Origin | None:
    found = connection.execute(
        "SELECT teacher, model, source, prompt_version, details FROM origin WHERE id = ?", (origin_id,)
    ).fetchone()
    return Origin(*(*found[:4], json.loads(found[4]))) if found else None


def _judgement(
    connection: sqlite3.Connection, judgement_id: int | None, state: str, parse_error: str
) -> Judgement:
    found = connection.execute(
        """SELECT state, verdict, answer_text, value, stdout, error, error_line, elapsed_ms, rule, isolation,
                  python FROM judgement WHERE id = ?""",
        (judgement_id,),
    ).fetchone()
    return Judgement(*found) if found else Judgement(state, "", "", None, error=parse_error)


# entity and column → the field's name as the windows know it
_FIELD_OF = {
    ("question", "corrected_text"): "question",
    ("question", "corrected_gold_text"): "gold",
    ("key_points", "corrected_core_question"): "core_question",
    ("key_points", "corrected_information"): "information",
    ("rationale", "corrected_text"): "rationale",
    ("row", "note"): "note",
    ("row", "review"): "review",
    ("row", "flagged"): "flagged",
}
_WRITTEN = {
    "question": (("question", "text"), ("gold", "gold_text")),
    "key_points": (("core_question", "core_question"), ("information", "information")),
    "rationale": (("rationale", "text"),),
}


def field_history(project: Project, row_id: int) -> list[HistoryItem]:
    """Return what happened to every field of a row, oldest first, beginning with who wrote it."""
    with project.reading() as connection:
        found = connection.execute(
            "SELECT question_id, key_points_id, rationale_id FROM row WHERE id = ?", (row_id,)
        ).fetchone()
        if found is None:
            raise DatasetError("There is no such row.", "Refresh the list.", where=f"row {row_id}")
        entities = dict(zip(("question", "key_points", "rationale"), found, strict=True))
        written: dict[str, str] = {}
        items: list[HistoryItem] = []
        for entity, entity_id in entities.items():
            if entity_id is not None:
                items += _written(connection, entity, entity_id, written)
        changed: list[tuple[int, HistoryItem]] = []
        for entity, entity_id in {**entities, "row": row_id}.items():
            changed += _changes(connection, entity, entity_id, written)
    # by the number of the change: a clock may have been put back meanwhile
    return items + [item for _, item in sorted(changed, key=lambda pair: pair[0])]


def _written(
    connection: sqlite3.Connection, entity: str, entity_id: int, written: dict[str, str]
) -> list[HistoryItem]:
    """Return the beginnings: what the source or the teacher wrote; remember the texts in `written`."""
    columns = ", ".join(column for _, column in _WRITTEN[entity])
    origin = "NULL" if entity == "question" else "origin_id"
    made_at, origin_id, *texts = connection.execute(
        f"SELECT created_at, {origin}, {columns} FROM {entity} WHERE id = ?", (entity_id,)
    ).fetchone()
    by = _origin(connection, origin_id)
    who = " ".join(part for part in (by.teacher, by.model) if part) if by else "import"
    what = f"written{_where(by)}" if by else "imported" if entity == "question" else "written"
    items = []
    for (field, _), text in zip(_WRITTEN[entity], texts, strict=True):
        written[field] = text or ""
        if text is not None:
            items.append(HistoryItem(made_at, who, what, field, "", text, undone=False))
    return items


def _where(by: Origin) -> str:
    """Return in brackets where a text came from and the prompt it answers; empty: unknown."""
    prompt = f"prompt {by.prompt_version}" if by.prompt_version else ""
    parts = ", ".join(part for part in (by.source, prompt) if part)
    return f" ({parts})" if parts else ""


def _changes(
    connection: sqlite3.Connection, entity: str, entity_id: int | None, written: dict[str, str]
) -> list[tuple[int, HistoryItem]]:
    found = connection.execute(
        """SELECT c.id, c.made_at, c.who, c.label, i.field, i.old, i.new, c.undone_by IS NOT NULL
           FROM change_item AS i JOIN change AS c ON c.id = i.change_id
           WHERE i.entity = ? AND i.entity_id = ? ORDER BY c.id""",
        (entity, entity_id),
    )
    items = []
    for number, made_at, who, label, column, old, new, undone in found:
        field = _FIELD_OF[entity, column]
        own = written.get(field, "")
        item = HistoryItem(made_at, who, label, field, own if old is None else old,
                           own if new is None else new, bool(undone))  # fmt: skip
        items.append((number, item))
    return items
