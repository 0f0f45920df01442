"""Every change a person makes: one undoable step, also after a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from training_backend.errors import ConfigError
from training_backend.project import lines
from training_backend.project.corrections import (
    PART,
    TITLES,
    Item,
    apply,
    apply_part,
    find_target,
    record,
    set_marks,
    value_of,
)
from training_backend.project.lines import ID_LIST, ids_json, storable
from training_backend.project.listing import REVIEWS

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from training_backend.project.store import Project

Report = Callable[[int, int], bool]
"""Called between the parts with (done, total); False: stop here."""


def go_on(done: int, total: int) -> bool:
    """Report nothing and never stop."""
    return True


@dataclass(frozen=True)
class Change:
    """A step that was undone or redone: what it was, and the rows whose list line changed by it.

    `row_ids` is None where they are more than one part holds; `whole` is False where the step was stopped.
    """

    label: str
    row_ids: list[int] | None
    whole: bool = True


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
        target = find_target(connection, row_id, field)
        old = value_of(connection, target.entity, target.entity_id, target.column)
        new = None if target.original is not None and text == target.original else text
        if new == old:
            return []
        item = Item(target.entity, target.entity_id, target.column, old, new)
        rows = apply(connection, [item])
        if not (continues and _extend_newest(connection, item, who)):
            record(connection, who, f"edit {TITLES.get(field, field)}", [item])
        return rows


def bring_back(project: Project, row_id: int, field: str, who: str = "person") -> list[int]:
    """Take the correction of a field away, so that the teacher's or the source's text stands again."""
    with project.writing() as connection:
        target = find_target(connection, row_id, field)
        old = value_of(connection, target.entity, target.entity_id, target.column)
        new = "" if target.original is None else None
        if old == new:
            return []
        item = Item(target.entity, target.entity_id, target.column, old, new)
        rows = apply(connection, [item])
        record(connection, who, f"bring back {TITLES.get(field, field)}", [item])
        return rows


def set_review(
    project: Project, row_ids: Iterable[int], review: str, who: str = "person", report: Report = go_on
) -> int:
    """Accept, reject or un-review rows (one of REVIEWS): one step, however many; return how many changed."""
    if review not in REVIEWS:
        raise ConfigError(f"'{review}' is no review.", f"Use one of: {', '.join(REVIEWS)}.")
    words = {"accepted": "accept", "rejected": "reject", "unreviewed": "take back the review of"}
    return _set_on_rows(project, row_ids, "review", review, words[review], who, report)


def set_flagged(
    project: Project, row_ids: Iterable[int], flagged: bool, who: str = "person", report: Report = go_on
) -> int:
    """Flag rows or take their flags away: one step, however many they are; return how many changed."""
    verb = "flag" if flagged else "unflag"
    return _set_on_rows(project, row_ids, "flagged", int(flagged), verb, who, report)


def undo(project: Project, report: Report = go_on) -> Change | None:
    """Undo the newest step that still holds, whenever it was made, and return it; None when there is none."""
    return _step(project, "undo", report)


def redo(project: Project, report: Report = go_on) -> Change | None:
    """Do again what was undone last, unless something was changed since; None when there is nothing."""
    return _step(project, "redo", report)


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


def step_size(project: Project, action: str) -> int:
    """Return how many values `undo` or `redo` (the action's name) would change; 0 when there is nothing."""
    with project.reading() as connection:
        found = connection.execute(_NEXT[action]).fetchone()
        if found is None:
            return 0
        return connection.execute(
            "SELECT count(*) FROM change_item WHERE change_id = ?", (found[0],)
        ).fetchone()[0]


def _label(project: Project, action: str) -> str:
    with project.reading() as connection:
        found = connection.execute(_NEXT[action]).fetchone()
    return found[1] if found else ""


def _step(project: Project, action: str, report: Report) -> Change | None:
    side = "old" if action == "undo" else "new"
    rows: set[int] | None = set()
    change_id, label, after, done, total = 0, "", 0, 0, 0
    while True:
        with project.writing() as connection:
            run = connection.exec_driver_sql
            if not change_id:
                edit = run(_NEXT[action]).first()
                if edit is None:
                    return None
                change_id, label = edit
                total = run("SELECT count(*) FROM change_item WHERE change_id = ?", (change_id,)).scalar_one()
            part, after, touched = apply_part(connection, change_id, side, after)
            done += part
            rows = None if rows is None or len(rows) > PART else rows | set(touched)
            lines.trim_touched(connection)
            if done >= total or not part:
                _note_step(connection, action, change_id, label)
                return Change(label, None if rows is None else sorted(rows))
        if not report(done, total):
            # nothing is noted: the same step again goes on where this one stopped
            return Change(label, None, whole=False)


def _note_step(connection: Connection, action: str, change_id: int, label: str) -> None:
    from training_backend.project.store import now

    run = connection.exec_driver_sql
    event = run(
        "INSERT INTO change (made_at, who, action, label, of_change) "
        "VALUES (?, 'person', ?, ?, ?) RETURNING id",
        (now(), action, label, change_id),
    ).scalar_one()
    run("UPDATE change SET undone_by = ? WHERE id = ?", (event if action == "undo" else None, change_id))


def _set_on_rows(
    project: Project,
    row_ids: Iterable[int],
    column: str,
    value: str | int,
    verb: str,
    who: str,
    report: Report,
) -> int:
    ids = list(row_ids)
    change_id, changed = 0, 0
    for start in range(0, len(ids), PART):
        with project.writing() as connection:
            run = connection.exec_driver_sql
            first = not change_id
            if first:
                change_id = record(connection, who, verb, [])
            top = run("SELECT coalesce(max(id), 0) FROM change_item").scalar_one()
            count = run(
                f"""INSERT INTO change_item (change_id, entity, entity_id, field, old, new)
                    SELECT ?, 'row', id, '{column}', {column}, ? FROM row
                    WHERE id IN {ID_LIST} AND {column} <> ?""",
                (change_id, value, ids_json(ids[start : start + PART]), value),
            ).rowcount
            changed += count
            if first and not count:
                # everything was so already: no step
                run("DELETE FROM change WHERE id = ?", (change_id,))
                change_id = 0
            else:
                rows = "1 row" if changed == 1 else f"{changed:,} rows"
                run("UPDATE change SET label = ? WHERE id = ?", (f"{verb} {rows}", change_id))
                last = run("SELECT max(id) FROM change_item").scalar_one()
                set_marks(connection, change_id, "new", column, top, last)
                lines.trim_touched(connection)
        if not report(min(start + PART, len(ids)), len(ids)):
            break
    return changed


def _extend_newest(connection: Connection, item: Item, who: str) -> bool:
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
