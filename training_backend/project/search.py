"""The full-text index: filled behind the writers up to a mark, exact for every text that is corrected."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from training_backend.project.lines import ID_LIST, ids_json, storable

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from training_backend.project.store import Project

_CHUNK = 2000
_INDEXES = {
    "search": ("row", "search_text", ("question", "core_question", "information", "rationale", "note"),
               "search_rows"),
    "search_question": ("question", "search_question_text", ("question",), "search_questions"),
}  # fmt: skip
_SHORT = 4  # from this many letters on, a word that is still being typed is looked for in all columns


def catch_up(project: Project) -> int:
    """Index everything behind the mark, a transaction per few thousand rows; return how many texts."""
    done = 0
    while True:
        with project.writing() as connection:
            indexed = index_new(connection)
        if not indexed:
            return done
        done += indexed


def index_new(connection: Connection) -> int:
    """Index the next few thousand texts behind the mark, in the writer's own transaction; return how many."""
    return sum(_index_chunk(connection, index, *parts) for index, parts in _INDEXES.items())


def _index_chunk(connection: Connection, index, table, view, columns, mark) -> int:
    upto = int(connection.exec_driver_sql("SELECT value FROM setting WHERE name = ?", (mark,)).scalar_one())
    last = connection.exec_driver_sql(
        f"SELECT count(*), max(id) FROM (SELECT id FROM {table} WHERE id > ? ORDER BY id LIMIT {_CHUNK})",
        (upto,),
    ).one()
    if not last[0]:
        return 0
    # the view ends at the mark, so the mark moves first
    connection.exec_driver_sql("UPDATE setting SET value = ? WHERE name = ?", (str(last[1]), mark))
    names = ", ".join(columns)
    connection.exec_driver_sql(
        f"INSERT INTO {index} (rowid, {names}) SELECT id, {names} FROM {view} WHERE id > ? AND id <= ?",
        (upto, last[1]),
    )
    return int(last[0])


def take_out(connection: Connection, row_ids: Sequence[int], question_ids: Sequence[int] = ()) -> None:
    """Take texts out of the index; call it before they change, in the same transaction."""
    for index, ids in (("search", row_ids), ("search_question", question_ids)):
        _, view, columns, _ = _INDEXES[index]
        names = ", ".join(columns)
        if ids:
            connection.exec_driver_sql(
                f"INSERT INTO {index} ({index}, rowid, {names}) SELECT 'delete', id, {names} FROM {view} "
                f"WHERE id IN {ID_LIST}",
                (ids_json(ids),),
            )


def put_back(connection: Connection, row_ids: Sequence[int], question_ids: Sequence[int] = ()) -> None:
    """Index texts again after they changed, in the same transaction as `take_out`."""
    for index, ids in (("search", row_ids), ("search_question", question_ids)):
        _, view, columns, _ = _INDEXES[index]
        names = ", ".join(columns)
        if ids:
            connection.exec_driver_sql(
                f"INSERT INTO {index} (rowid, {names}) SELECT id, {names} FROM {view} WHERE id IN {ID_LIST}",
                (ids_json(ids),),
            )


@dataclass(frozen=True)
class Query:
    """What a person typed, as FTS5 reads it: `rows` for all columns, `questions` for the question alone.

    `words` are for comparing where the index does not reach yet; with neither match they are all there is.
    """

    rows: str
    questions: str
    words: tuple[str, ...]


def parse_query(text: str) -> Query:
    """Turn typed text into quoted words, so that no character of it is an operator of FTS5.

    The last word, while no space follows it, also stands for the words that begin with it: in all columns
    from four letters on, in the question alone with two or three (there a prefix index answers at once).
    A single letter after other words is the beginning of anything and not looked for yet.
    """
    words = storable(text).replace("\x00", " ").split()
    searchable = [word for word in words if re.search(r"[^\W_]", word)]
    if not searchable:
        return Query("", "", tuple(words))
    last = searchable[-1]
    typing = not text[-1].isspace() and words[-1] == last and last[-1].isalnum()
    if typing and len(searchable) > 1 and len(last) == 1 and last.isalpha():
        return parse_query(" ".join(words[:-1]) + " ")
    quoted = ['"' + word.replace('"', '""') + '"' for word in searchable]
    if typing and len(last) >= _SHORT:
        quoted[-1] += "*"
        return Query(" ".join(quoted), "", tuple(words))
    questions = " ".join([*quoted[:-1], quoted[-1] + "*"]) if typing and len(last) > 1 else ""
    return Query(" ".join(quoted), questions, tuple(words))
