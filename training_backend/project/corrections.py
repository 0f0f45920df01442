"""How values of rows are changed inside one transaction: where each is kept, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from training_backend.errors import ConfigError, DatasetError
from training_backend.project import lines, search
from training_backend.rationale.answers import parse_number

if TYPE_CHECKING:
    from sqlalchemy import Connection

FIELDS = ("question", "gold", "core_question", "information", "rationale", "note")

# A step over very many values is written in parts, a transaction each, so that another writer (what is being
# typed, a running job) never waits long. The parts belong to one change, and each part leaves it true: after
# a crash in the middle the change says what was done, and undoing it takes exactly that back.
PART = 20_000  # marks of rows
TEXT_PART = 1_000  # texts: each is also put into the search index again


@dataclass(frozen=True)
class Target:
    """Where a field of a row is kept: the entity, its id, the corrected column, and what the source wrote.

    `original` is None for a note, which no source wrote; "" where a reply did not parse.
    """

    entity: str
    entity_id: int
    column: str
    original: str | None


@dataclass(frozen=True)
class Item:
    """One value that a change changed; None stands for the teacher's or the source's own text."""

    entity: str
    entity_id: int
    column: str
    old: str | None
    new: str | None


# field → (entity, column of the row that names it, corrected column, original column)
PLACES = {
    "question": ("question", "question_id", "corrected_text", "text"),
    "gold": ("question", "question_id", "corrected_gold_text", "gold_text"),
    "core_question": ("key_points", "key_points_id", "corrected_core_question", "core_question"),
    "information": ("key_points", "key_points_id", "corrected_information", "information"),
    "rationale": ("rationale", "rationale_id", "corrected_text", "text"),
    "note": ("row", "id", "note", None),
}
TITLES = {"gold": "gold answer", "core_question": "core question", "information": "information"}
ROWS_OF = {
    "question": "question_id",
    "key_points": "key_points_id",
    "rationale": "rationale_id",
    "row": "id",
}
MARKS = ("review", "flagged")
NEEDS_JUDGING = {("question", "corrected_gold_text"), ("rationale", "corrected_text")}


def record(connection: Connection, who: str, label: str, items: Sequence[Item]) -> int:
    """Note a change with its values and return its id."""
    from training_backend.project.store import now

    change_id = connection.exec_driver_sql(
        "INSERT INTO change (made_at, who, action, label) VALUES (?, ?, 'edit', ?) RETURNING id",
        (now(), who, label),
    ).scalar_one()
    for item in items:
        connection.exec_driver_sql(
            "INSERT INTO change_item (change_id, entity, entity_id, field, old, new) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (change_id, item.entity, item.entity_id, item.column, item.old, item.new),
        )
    return change_id


def apply_part(
    connection: Connection, change_id: int, side: str, after: int
) -> tuple[int, int, Iterable[int]]:
    """Set the next values that a change changed to their `old` or `new`.

    `after` is the last item done. Return how many, the last one, and the rows concerned.
    """
    run = connection.exec_driver_sql
    items = run(
        "SELECT id, entity, entity_id, field, old, new FROM change_item WHERE change_id = ? AND id > ? "
        "ORDER BY id LIMIT ?",
        (change_id, after, PART),
    ).fetchall()
    if not items:
        return 0, after, ()
    marks = [item for item in items if item.field in MARKS]
    if len(marks) < len(items):
        # some are texts: fewer at a time
        items = items[:TEXT_PART]
        marks = [item for item in items if item.field in MARKS]
    last = items[-1].id
    for column in {item.field for item in marks}:
        set_marks(connection, change_id, side, column, after, last)
    turned = [
        Item(item.entity, item.entity_id, item.field, *(item[4:6] if side == "new" else item[5:3:-1]))
        for item in items
        if item.field not in MARKS
    ]
    return len(items), last, [*(item.entity_id for item in marks), *apply(connection, turned)]


def set_marks(connection: Connection, change_id: int, side: str, column: str, after: int, last: int) -> None:
    """Set a mark (of MARKS) of rows to the `old` or `new` of a change's items in (after, last]."""
    connection.exec_driver_sql(
        f"""UPDATE row SET {column} = item.{side} FROM change_item AS item
            WHERE item.change_id = ? AND item.id > ? AND item.id <= ? AND item.entity = 'row'
              AND item.field = '{column}' AND item.entity_id = row.id""",
        (change_id, after, last),
    )


def find_target(connection: Connection, row_id: int, field: str) -> Target:
    """Return where a field (of FIELDS) of a row is kept; key points are made where there are none.

    ConfigError for a field that no row has, DatasetError when there is no such row or no such text.
    """
    if field not in FIELDS:
        raise ConfigError(f"A row has no field '{field}'.", f"Its fields are: {', '.join(FIELDS)}.")
    entity, reference, column, original = PLACES[field]
    run = connection.exec_driver_sql
    found = run(f"SELECT id, {reference} AS entity_id FROM row WHERE id = ?", (row_id,)).first()
    if found is None:
        raise DatasetError("There is no such row.", "Refresh the list.", where=f"row {row_id}")
    entity_id = found.entity_id
    if entity_id is None and entity == "key_points":
        entity_id = _empty_key_points(connection, row_id)
    if entity_id is None:
        raise DatasetError("This question has no rationale yet.", "Let a teacher write one first.",
                           where=f"row {row_id}")  # fmt: skip
    written = None
    if original:
        written = run(f"SELECT {original} FROM {entity} WHERE id = ?", (entity_id,)).scalar() or ""
    return Target(entity, entity_id, column, written)


def _empty_key_points(connection: Connection, row_id: int) -> int:
    """Make key points for a row without any: a person writes them, and rows of the same path share them."""
    from training_backend.project.replies import Origin, origin_id
    from training_backend.project.store import now

    run = connection.exec_driver_sql
    question_id, path = run("SELECT question_id, path FROM row WHERE id = ?", (row_id,)).one()
    origin = origin_id(connection, Origin("person", "", "written by hand"))
    points = run(
        "INSERT INTO key_points (question_id, origin_id, digest, created_at) "
        "VALUES (?, ?, ?, ?) RETURNING id",
        (question_id, origin, f"by hand for row {row_id}", now()),
    ).scalar_one()
    run("UPDATE row SET key_points_id = ? WHERE question_id = ? AND path = ? AND key_points_id IS NULL",
        (points, question_id, path))  # fmt: skip
    return points


def value_of(connection: Connection, entity: str, entity_id: int, column: str) -> str | None:
    """Return a corrected value as it stands; None: the teacher's or the source's text does."""
    return connection.exec_driver_sql(f"SELECT {column} FROM {entity} WHERE id = ?", (entity_id,)).scalar()


def apply(connection: Connection, items: list[Item]) -> list[int]:
    """Set texts, and bring index, list lines and states up to date; return the rows concerned."""
    if not items:
        return []
    run = connection.exec_driver_sql
    rows: set[int] = set()
    judged_again: set[int] = set()
    questions: set[int] = set()
    for item in items:
        sharing = run(f"SELECT id FROM row WHERE {ROWS_OF[item.entity]} = ?", (item.entity_id,)).scalars()
        ids = set(sharing)
        rows |= ids
        if (item.entity, item.column) in NEEDS_JUDGING:
            judged_again |= ids
        if (item.entity, item.column) == ("question", "corrected_text"):
            questions.add(item.entity_id)
    search.take_out(connection, sorted(rows), sorted(questions))
    for item in items:
        _write(connection, item)
    search.put_back(connection, sorted(rows), sorted(questions))
    lines.refresh(connection, sorted(rows))
    lines.refresh_states(connection, sorted(judged_again))
    return sorted(rows)


def _write(connection: Connection, item: Item) -> None:
    run = connection.exec_driver_sql
    run(f"UPDATE {item.entity} SET {item.column} = ? WHERE id = ?", (item.new, item.entity_id))
    if item.column == "corrected_gold_text":
        value = None if item.new is None else parse_number(item.new)
        run("UPDATE question SET corrected_gold_value = ? WHERE id = ?", (value, item.entity_id))
