"""Find and replace over many rows: what would change, and changing it in one undoable step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import regex

from training_backend.errors import ConfigError
from training_backend.project import lines
from training_backend.project.corrections import FIELDS, PLACES, TEXT_PART, Item, apply, record
from training_backend.project.history import Report, go_on
from training_backend.project.lines import ID_LIST, ids_json, storable

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from training_backend.project.store import Project

ROWS_AT_ONCE = 500
# a text is done in microseconds; only a pattern that tries ever more ways needs as long as this
SLOW_PATTERN_S = 1.0
LONGEST_TEXT = 1_000_000

_COLUMNS = {"gold": "gold_text"}


@dataclass(frozen=True)
class Search:
    """What to look for and what to put there; `regex`: both are read as a regular expression."""

    find: str
    replace: str
    regex: bool = False
    match_case: bool = False
    whole_words: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """One text that would change: a field of a row, and both texts; rows that share it are met once."""

    row_id: int
    field: str
    entity_id: int
    places: int
    old: str
    new: str


@dataclass(frozen=True)
class Replaced:
    """How many texts were changed, and how many were left because somebody had changed them meanwhile."""

    texts: int
    left: int


def replacer(search: Search) -> Callable[[str], tuple[str, int]]:
    """Return what turns a text into (new text, places); ConfigError where the expression is no good.

    The ConfigError's `where` is "find" or "replace". The function raises ConfigError for a text that takes
    the pattern longer than SLOW_PATTERN_S, or that would grow beyond LONGEST_TEXT.
    """
    if not search.find:
        raise ConfigError("There is nothing to look for yet.", "Type what to find.", where="find")
    pattern, text_of_pattern = _pattern(search)
    put: str | Callable = search.replace if search.regex else lambda _: search.replace
    try:
        # with an empty alternative it matches here, and only a match reads the groups of the replacement
        regex.compile(text_of_pattern + "|", pattern.flags).sub(put, "")
    except (regex.error, IndexError) as error:
        raise ConfigError(f"The replacement cannot be used: {error}.",
                          r"A group is written \1 or \g<name>, a backslash \\.",
                          where="replace") from error  # fmt: skip

    def change(text: str) -> tuple[str, int]:
        try:
            # concurrent: other threads go on while a long text is searched
            new, places = pattern.subn(put, text, timeout=SLOW_PATTERN_S, concurrent=True)
        except TimeoutError as error:
            raise ConfigError(
                f"The expression needs more than {SLOW_PATTERN_S:g} s for one text.",
                "Nested repetitions such as (a+)+ try very many ways; write it with fewer.",
                where="find",
            ) from error
        if len(new) > LONGEST_TEXT:
            raise ConfigError(f"A text would grow to {len(new):,} letters.",
                              f"At most {LONGEST_TEXT:,} are sensible.", where="replace")  # fmt: skip
        return storable(new), places

    return change


def find_hits(
    project: Project,
    row_ids: Sequence[int],
    fields: Sequence[str],
    search: Search,
    report: Report = go_on,
) -> Iterator[Hit]:
    """Yield the texts of these rows that the replacement would change, row by row, field by field.

    `report` is called for every few hundred rows; when it returns False the search ends there.
    """
    unknown = [name for name in fields if name not in FIELDS]
    if unknown or not fields:
        raise ConfigError("Choose in which texts to look.", f"They are: {', '.join(FIELDS)}.")
    change = replacer(search)
    met: set[tuple[str, int]] = set()
    for start in range(0, len(row_ids), ROWS_AT_ONCE):
        part = list(row_ids[start : start + ROWS_AT_ONCE])
        for line in _texts(project, part, fields):
            row_id, places = line[0], line[1 : 1 + len(fields)]
            for field, entity_id, text in zip(fields, places, line[1 + len(fields) :], strict=True):
                if entity_id is None or not text or (field, entity_id) in met:
                    continue
                if PLACES[field][1] != "id":
                    met.add((field, entity_id))
                new, count = change(text)
                if new != text:
                    yield Hit(row_id, field, entity_id, count, text, new)
        if not report(min(start + ROWS_AT_ONCE, len(row_ids)), len(row_ids)):
            return


def replace_hits(
    project: Project, hits: Sequence[Hit], who: str = "person", report: Report = go_on
) -> Replaced:
    """Write the new texts of hits as corrections, all of them one step that can be undone.

    A text that is no longer the one that was found is left as it is and counted.
    """
    change_id, texts, left = None, 0, 0
    for start in range(0, len(hits), TEXT_PART):
        part = hits[start : start + TEXT_PART]
        with project.writing() as connection:
            items = [item for item in (_item(connection, hit) for hit in part) if item is not None]
            left += len(part) - len(items)
            texts += len(items)
            if items:
                apply(connection, items)
                change_id = _note(connection, change_id, texts, items, who)
                lines.trim_touched(connection)
        if not report(min(start + TEXT_PART, len(hits)), len(hits)):
            break
    return Replaced(texts, left)


def _note(connection: Connection, change_id: int | None, texts: int, items: list[Item], who: str) -> int:
    label = "replace in 1 text" if texts == 1 else f"replace in {texts:,} texts"
    if change_id is None:
        return record(connection, who, label, items)
    run = connection.exec_driver_sql
    run("UPDATE change SET label = ? WHERE id = ?", (label, change_id))
    run(
        "INSERT INTO change_item (change_id, entity, entity_id, field, old, new) VALUES (?, ?, ?, ?, ?, ?)",
        [(change_id, item.entity, item.entity_id, item.column, item.old, item.new) for item in items],
    )
    return change_id


def _pattern(search: Search) -> tuple[regex.Pattern, str]:
    text = search.find if search.regex else regex.escape(search.find, special_only=True)
    if search.whole_words:
        text = rf"(?<!\w)(?:{text})(?!\w)"
    flags = regex.MULTILINE if search.match_case else regex.MULTILINE | regex.IGNORECASE
    try:
        return regex.compile(text, flags), text
    except regex.error as error:
        place = f" (letter {error.pos + 1})" if error.pos is not None and not search.whole_words else ""
        raise ConfigError(f"This is no regular expression: {error.msg}{place}.",
                          "Put a backslash before a sign that stands for itself.",
                          where="find") from error  # fmt: skip


def _texts(project: Project, ids: list[int], fields: Sequence[str]) -> list[tuple]:
    entities = ", ".join(f"r.{PLACES[name][1]}" for name in fields)
    texts = ", ".join(f"t.{_COLUMNS.get(name, name)}" for name in fields)
    with project.reading() as connection:
        found = connection.execute(
            f"SELECT r.id, {entities}, {texts} FROM row AS r JOIN row_text AS t ON t.id = r.id "
            f"WHERE r.id IN {ID_LIST}",
            (ids_json(ids),),
        ).fetchall()
    order = {number: place for place, number in enumerate(ids)}
    return sorted(found, key=lambda line: order[line[0]])


def _item(connection: Connection, hit: Hit) -> Item | None:
    """Return the change of a hit, or None where the text is another one by now."""
    entity, _, column, original = PLACES[hit.field]
    source = original or "''"
    found = connection.exec_driver_sql(
        f"SELECT {column}, {source} FROM {entity} WHERE id = ?", (hit.entity_id,)
    ).first()
    if found is None or (found[1] or "" if found[0] is None else found[0]) != hit.old:
        return None
    new = None if original and hit.new == found[1] else hit.new
    return Item(entity, hit.entity_id, column, found[0], new)
