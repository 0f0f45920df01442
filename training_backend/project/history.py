"""Every change a person makes: one transaction, one undoable step, also after a restart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from training_backend.errors import ConfigError, DatasetError
from training_backend.project import lines, search
from training_backend.project.lines import ID_LIST, ids_json, storable
from training_backend.project.listing import REVIEWS
from training_backend.rationale.answers import parse_number

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from training_backend.project.store import Project

FIELDS = ("question", "gold", "core_question", "information", "rationale", "note")


@dataclass(frozen=True)
class Change:
    """A step that was undone or redone: what it was, and the rows whose list line changed by it."""

    label: str
    row_ids: list[int]


@dataclass(frozen=True)
class _Target:
    """Where a field of a row is kept: the entity, its id, the corrected column, and what the source wrote.

    `original` is None for a note, which no source wrote; "" where a reply did not parse.
    """

    entity: str
    entity_id: int
    column: str
    original: str | None


@dataclass(frozen=True)
class _Item:
    """One value that a change changed; None stands for the teacher's or the source's own text."""

    entity: str
    entity_id: int
    column: str
    old: str | None
    new: str | None


# field → (entity, column of the row that names it, corrected column, original column)
_PLACES = {
    "question": ("question", "question_id", "corrected_text", "text"),
    "gold": ("question", "question_id", "corrected_gold_text", "gold_text"),
    "core_question": ("key_points", "key_points_id", "corrected_core_question", "core_question"),
    "information": ("key_points", "key_points_id", "corrected_information", "information"),
    "rationale": ("rationale", "rationale_id", "corrected_text", "text"),
    "note": ("row", "id", "note", None),
}
_TITLES = {"gold": "gold answer", "core_question": "core question", "information": "information"}
_ROWS_OF = {
    "question": "question_id",
    "key_points": "key_points_id",
    "rationale": "rationale_id",
    "row": "id",
}
_NEEDS_JUDGING = {("question", "corrected_gold_text"), ("rationale", "corrected_text")}


def edit_field(
    project: Project, row_id: int, field: str, text: str, who: str = "person", continues: bool = False
) -> list[int]:
    """Correct a field (of FIELDS) of a row and return every row whose list line may have changed.

    The teacher's or the source's text stays; giving it again takes the correction away. A corrected question
    or gold serves all rows of the question, corrected key points all rows that share them. A changed
    rationale or gold puts its rows to the judgement of exactly that text, else to "not_run".
    `continues` joins the edit to the newest step when that was the same field by the same person, so that
    saving while somebody types makes one step. ConfigError for a field that no row has, DatasetError when
    there is no such row or it has no such text.
    """
    text = storable(text)
    with project.writing() as connection:
        target = _target(connection, row_id, field)
        old = _value(connection, target.entity, target.entity_id, target.column)
        new = None if target.original is not None and text == target.original else text
        if new == old:
            return []
        item = _Item(target.entity, target.entity_id, target.column, old, new)
        rows = _apply(connection, [item])
        if not (continues and _extend_newest(connection, item, who)):
            _record(connection, who, f"edit {_TITLES.get(field, field)}", [item])
        return rows


def bring_back(project: Project, row_id: int, field: str, who: str = "person") -> list[int]:
    """Take the correction of a field away, so that the teacher's or the source's text stands again."""
    with project.writing() as connection:
        target = _target(connection, row_id, field)
        old = _value(connection, target.entity, target.entity_id, target.column)
        new = "" if target.original is None else None
        if old == new:
            return []
        item = _Item(target.entity, target.entity_id, target.column, old, new)
        rows = _apply(connection, [item])
        _record(connection, who, f"bring back {_TITLES.get(field, field)}", [item])
        return rows


def set_review(project: Project, row_ids: Iterable[int], review: str, who: str = "person") -> None:
    """Accept, reject or un-review rows (one of REVIEWS): one step, however many they are."""
    if review not in REVIEWS:
        raise ConfigError(f"'{review}' is no review.", f"Use one of: {', '.join(REVIEWS)}.")
    words = {"accepted": "accept", "rejected": "reject", "unreviewed": "take back the review of"}
    _set_on_rows(project, row_ids, "review", review, words[review], who)


def set_flagged(project: Project, row_ids: Iterable[int], flagged: bool, who: str = "person") -> None:
    """Flag rows or take their flags away: one step, however many they are."""
    _set_on_rows(project, row_ids, "flagged", int(flagged), "flag" if flagged else "unflag", who)


def undo(project: Project) -> Change | None:
    """Undo the newest step that still holds, whenever it was made, and return it; None when there is none."""
    return _step(project, "undo")


def redo(project: Project) -> Change | None:
    """Do again what was undone last, unless something was changed since; None when there is nothing."""
    return _step(project, "redo")


def undo_label(project: Project) -> str:
    """Return what `undo` would undo, in words; empty when nothing."""
    return _label(project, "undo")


def redo_label(project: Project) -> str:
    """Return what `redo` would do again, in words; empty when nothing."""
    return _label(project, "redo")


# The newest edit that holds; and the newest undo after which nothing was edited.
_NEXT = {
    "undo": """SELECT id, label FROM change WHERE action = 'edit' AND undone_by IS NULL
               ORDER BY id DESC LIMIT 1""",
    "redo": """SELECT id, label FROM change WHERE action = 'edit'
               AND undone_by > (SELECT coalesce(max(id), 0) FROM change WHERE action = 'edit')
               ORDER BY undone_by DESC LIMIT 1""",
}


def _label(project: Project, action: str) -> str:
    with project.reading() as connection:
        found = connection.execute(_NEXT[action]).fetchone()
    return found[1] if found else ""


def _step(project: Project, action: str) -> Change | None:
    from training_backend.project.store import now

    with project.writing() as connection:
        run = connection.exec_driver_sql
        edit = run(_NEXT[action]).first()
        if edit is None:
            return None
        rows = _apply_recorded(connection, edit.id, "old" if action == "undo" else "new")
        event = run(
            "INSERT INTO change (made_at, who, action, label, of_change) "
            "VALUES (?, 'person', ?, ?, ?) RETURNING id",
            (now(), action, edit.label, edit.id),
        ).scalar_one()
        lines.trim_touched(connection)
        run("UPDATE change SET undone_by = ? WHERE id = ?", (event if action == "undo" else None, edit.id))
        return Change(edit.label, rows)


def _apply_recorded(connection: Connection, change_id: int, side: str) -> list[int]:
    """Set everything that a change changed to its `old` or `new` value; return the rows concerned."""
    run = connection.exec_driver_sql
    rows: list[int] = []
    for column in ("review", "flagged"):
        rows += run(
            f"""UPDATE row SET {column} = item.{side} FROM change_item AS item
                WHERE item.change_id = ? AND item.entity = 'row' AND item.field = '{column}'
                  AND item.entity_id = row.id RETURNING row.id""",
            (change_id,),
        ).scalars()
    items = run(
        "SELECT entity, entity_id, field, old, new FROM change_item "
        "WHERE change_id = ? AND field NOT IN ('review', 'flagged') ORDER BY id",
        (change_id,),
    ).fetchall()
    turned = [
        _Item(e, i, c, new, old) if side == "old" else _Item(e, i, c, old, new) for e, i, c, old, new in items
    ]
    return sorted({*rows, *_apply(connection, turned)})


def _set_on_rows(
    project: Project, row_ids: Iterable[int], column: str, value: str | int, verb: str, who: str
) -> None:
    with project.writing() as connection:
        run = connection.exec_driver_sql
        change_id = _record(connection, who, verb, [])
        count = run(
            f"""INSERT INTO change_item (change_id, entity, entity_id, field, old, new)
                SELECT ?, 'row', id, '{column}', {column}, ? FROM row
                WHERE id IN {ID_LIST} AND {column} <> ?""",
            (change_id, value, ids_json(row_ids), value),
        ).rowcount
        if not count:
            # everything was so already: no step
            run("DELETE FROM change WHERE id = ?", (change_id,))
            return
        rows = "1 row" if count == 1 else f"{count:,} rows"
        run("UPDATE change SET label = ? WHERE id = ?", (f"{verb} {rows}", change_id))
        _apply_recorded(connection, change_id, "new")
        lines.trim_touched(connection)


def _record(connection: Connection, who: str, label: str, items: list[_Item]) -> int:
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


def _extend_newest(connection: Connection, item: _Item, who: str) -> bool:
    """Join an edit to the newest step of all when that changed the same value; tell whether it did."""
    from training_backend.project.store import now

    newest = connection.exec_driver_sql(
        """SELECT c.id, i.id AS item FROM change AS c JOIN change_item AS i ON i.change_id = c.id
           WHERE c.id = (SELECT max(id) FROM change) AND c.action = 'edit' AND c.undone_by IS NULL
             AND c.who = ? AND i.entity = ? AND i.entity_id = ? AND i.field = ?""",
        (who, item.entity, item.entity_id, item.column),
    ).first()
    if newest is None:
        return False
    connection.exec_driver_sql("UPDATE change_item SET new = ? WHERE id = ?", (item.new, newest.item))
    connection.exec_driver_sql("UPDATE change SET made_at = ? WHERE id = ?", (now(), newest.id))
    return True


def _target(connection: Connection, row_id: int, field: str) -> _Target:
    if field not in FIELDS:
        raise ConfigError(f"A row has no field '{field}'.", f"Its fields are: {', '.join(FIELDS)}.")
    entity, reference, column, original = _PLACES[field]
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
    return _Target(entity, entity_id, column, written)


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


def _value(connection: Connection, entity: str, entity_id: int, column: str) -> str | None:
    return connection.exec_driver_sql(f"SELECT {column} FROM {entity} WHERE id = ?", (entity_id,)).scalar()


def _apply(connection: Connection, items: list[_Item]) -> list[int]:
    """Set texts, and bring index, list lines and states up to date; return the rows concerned."""
    if not items:
        return []
    run = connection.exec_driver_sql
    rows: set[int] = set()
    judged_again: set[int] = set()
    questions: set[int] = set()
    for item in items:
        sharing = run(f"SELECT id FROM row WHERE {_ROWS_OF[item.entity]} = ?", (item.entity_id,)).scalars()
        ids = set(sharing)
        rows |= ids
        if (item.entity, item.column) in _NEEDS_JUDGING:
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


def _write(connection: Connection, item: _Item) -> None:
    run = connection.exec_driver_sql
    run(f"UPDATE {item.entity} SET {item.column} = ? WHERE id = ?", (item.new, item.entity_id))
    if item.column == "corrected_gold_text":
        value = None if item.new is None else parse_number(item.new)
        run("UPDATE question SET corrected_gold_value = ? WHERE id = ?", (value, item.entity_id))
