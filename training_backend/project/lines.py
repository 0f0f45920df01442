"""Keeping the list's lines true: the snippets, the mark "changed" and the state of a row follow its texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

SNIPPET = {"question": 160, "core_question": 120, "rationale": 160, "answer_text": 60, "gold_text": 60}

TOUCHED_KEPT = 50_000

# the columns of a row by which the list is filtered and counted; `flags` holds several values at once
FACETS = ("verdict", "review", "kind", "dataset", "split", "path", "changed", "flagged", "round", "flags")

# sorting by a text looks at its start only, which keeps the indices of the list small
SORT_PREFIX = 24

# in which round a teacher wrote the question; 0: it was imported
ROUND = "CAST(coalesce(json_extract(extra, '$.round'), 0) AS INTEGER)"

# ids travel as one JSON array: a statement holds at most 32,766 parameters
ID_LIST = "(SELECT value FROM json_each(?))"


def storable(text: str) -> str:
    """Return `text` as UTF-8 can carry it: halves of surrogate pairs (cut emoji) become U+FFFD."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def snippet(text: str, name: str) -> str:
    """Return the start of `text` on one line, as the list column `name` holds it."""
    return text[: SNIPPET[name]].replace("\n", " ").replace("\r", " ").replace("\t", " ")


def snippet_sql(expression: str, name: str) -> str:
    """Return SQL for the same as `snippet`."""
    start = f"substr({expression}, 1, {SNIPPET[name]})"
    return f"replace(replace(replace({start}, char(10), ' '), char(13), ' '), char(9), ' ')"


def ids_json(ids: Iterable[int]) -> str:
    """Return ids as the JSON array that ID_LIST reads."""
    return json.dumps([int(number) for number in ids])


_REFRESH = f"""
    UPDATE row SET
      question = {snippet_sql("t.question", "question")},
      core_question = {snippet_sql("t.core_question", "core_question")},
      rationale = {snippet_sql("t.rationale", "rationale")},
      gold_text = {snippet_sql("t.gold_text", "gold_text")},
      gold_value = t.gold_value,
      changed = t.changed
    FROM row_text AS t WHERE t.id = row.id AND row.id IN {ID_LIST}"""


def refresh(connection: Connection, row_ids: Sequence[int]) -> None:
    """Bring the list lines of these rows up to date with their texts."""
    connection.exec_driver_sql(_REFRESH, (ids_json(row_ids),))


def digest(kind: str, rationale: str, gold_value: float | None) -> str:
    """Return what identifies a judged text: the same kind, text and gold give the same 16 characters."""
    text = f"{kind}\x00{gold_value!r}\x00{rationale}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def refresh_states(connection: Connection, row_ids: Sequence[int]) -> None:
    """Give each row the judgement of its text as it stands now, or "not_run" where there is none yet."""
    found = connection.exec_driver_sql(
        f"""SELECT t.id, t.kind, t.rationale, t.gold_value, r.rationale_id IS NULL,
                   t.rationale = ''
            FROM row_text AS t JOIN row AS r ON r.id = t.id
            WHERE t.id IN {ID_LIST}""",
        (ids_json(row_ids),),
    ).fetchall()
    for row_id, kind, rationale, gold_value, unasked, unparsed in found:
        if unasked or unparsed:
            set_state(connection, row_id, "not_asked" if unasked else "does_not_parse")
            continue
        known = connection.exec_driver_sql(
            "SELECT id, state, answer_text, value FROM judgement WHERE row_id = ? AND digest = ?",
            (row_id, digest(kind, rationale, gold_value)),
        ).first()
        if known is None:
            set_state(connection, row_id, "not_run")
        else:
            set_state(connection, row_id, known[1], known[0], known[2], known[3])


def trim_touched(connection: Connection) -> None:
    """Forget all but the latest entries of `row_touched`; who is further behind counts everything again."""
    connection.exec_driver_sql(
        "DELETE FROM row_touched WHERE seq <= (SELECT max(seq) FROM row_touched) - ?", (TOUCHED_KEPT,)
    )


def set_state(
    connection: Connection,
    row_id: int,
    state: str,
    judgement_id: int | None = None,
    answer_text: str = "",
    value: float | None = None,
) -> None:
    """Write the state of one row and the answer that belongs to it."""
    connection.exec_driver_sql(
        "UPDATE row SET verdict = ?, judgement_id = ?, answer_text = ?, answer_value = ? WHERE id = ?",
        (state, judgement_id, snippet(answer_text, "answer_text"), value, row_id),
    )
