"""Questions of a project: adding them without doubles, and reading them back with their corrections."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from training_backend.errors import DatasetError
from training_backend.project.lines import ID_LIST, ROUND, ids_json, snippet_sql, storable, trim_touched

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from training_backend.project.store import Project

CHUNK = 1000  # questions to a transaction: what a full disk or a stop can take away at most


@dataclass(frozen=True)
class NewQuestion:
    """A question as it comes from a file or a teacher; `gold_value` is None where the gold is no number.

    `extra` keeps what the source says beyond that: a human solution, the seed question, the round and why.
    """

    dataset: str
    split: str
    native_id: str
    text: str
    gold_text: str
    gold_value: float | None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Added:
    """How many questions were new and how many the project already had.

    `different` of the existing ones have the same name (dataset, split, native id) but another text.
    """

    added: int
    existing: int
    different: int = 0


@dataclass(frozen=True)
class Question:
    """A question of the project with the corrected text and gold where a person changed them."""

    id: int
    dataset: str
    split: str
    native_id: str
    text: str
    gold_text: str
    gold_value: float | None


def add_questions(project: Project, questions: Iterable[NewQuestion]) -> Added:
    """Add questions with one row each; those known by (dataset, split, native id) stay as they are.

    Streams; every thousand are one transaction, so what was added before a failure stays.
    """
    added = existing = different = 0
    source = iter(questions)
    while chunk := list(islice(source, CHUNK)):
        with project.writing() as connection:
            new = _add_chunk(connection, chunk)
            if new < len(chunk):
                different += _count_different(connection, chunk)
        added += new
        existing += len(chunk) - new
    return Added(added, existing, different)


def _add_chunk(connection: Connection, chunk: list[NewQuestion]) -> int:
    from training_backend.project import search
    from training_backend.project.store import now

    before = connection.exec_driver_sql("SELECT coalesce(max(id), 0) FROM question").scalar_one()
    time = now()
    connection.exec_driver_sql(
        "INSERT INTO question (dataset, split, native_id, text, gold_text, gold_value, extra, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            (storable(new.dataset), storable(new.split), storable(new.native_id), storable(new.text),
             storable(new.gold_text), new.gold_value,
             json.dumps(dict(new.extra)) if new.extra else "{}", time)
            for new in chunk
        ],
    )  # fmt: skip
    new_rows = connection.exec_driver_sql(
        f"""INSERT INTO row (question_id, dataset, split, round, verdict, question, gold_text, gold_value)
            SELECT id, dataset, split, {ROUND}, 'not_asked', {snippet_sql("text", "question")},
                   {snippet_sql("gold_text", "gold_text")}, gold_value
            FROM question WHERE id > ?""",
        (before,),
    ).rowcount
    search.index_new(connection)
    trim_touched(connection)
    return new_rows


def _count_different(connection: Connection, chunk: list[NewQuestion]) -> int:
    """Return how many of these questions the project holds with another text."""
    different = 0
    for new in chunk:
        text = connection.exec_driver_sql(
            "SELECT text FROM question WHERE dataset = ? AND split = ? AND native_id = ?",
            (storable(new.dataset), storable(new.split), storable(new.native_id)),
        ).scalar()
        different += text != storable(new.text)
    return different


def questions(
    project: Project,
    dataset: str | None = None,
    split: str | None = None,
    ids: Iterable[int] | None = None,
    limit: int | None = None,
) -> Iterator[Question]:
    """Yield questions in the order in which they were added, with the corrected text and gold."""
    where, values = ["1"], []
    for column, value in (("dataset", dataset), ("split", split)):
        if value is not None:
            where.append(f"{column} = ?")
            values.append(value)
    if ids is not None:
        where.append(f"id IN {ID_LIST}")
        values.append(ids_json(ids))
    with project.reading() as connection:
        found = connection.execute(
            f"""SELECT id, dataset, split, native_id, coalesce(corrected_text, text),
                       coalesce(corrected_gold_text, gold_text),
                       CASE WHEN corrected_gold_text IS NULL THEN gold_value ELSE corrected_gold_value END
                FROM question WHERE {" AND ".join(where)} ORDER BY id LIMIT ?""",
            (*values, -1 if limit is None else limit),
        )
        for line in found:
            yield Question(*line)


def datasets(project: Project) -> list[tuple[str, str, int]]:
    """Return (dataset, split, number of questions) of everything that was imported, by name."""
    with project.reading() as connection:
        return connection.execute(
            "SELECT dataset, split, count(*) FROM question GROUP BY dataset, split ORDER BY dataset, split"
        ).fetchall()


def require_known(project: Project, dataset: str | None, split: str | None) -> None:
    """Raise DatasetError, which names what there is, where no question is of this data set and split."""
    found = datasets(project)
    if not found:
        raise DatasetError("The project holds no questions.", "Import some first.", str(project.path))
    names = sorted({name for name, _, _ in found})
    if dataset is not None and dataset not in names:
        raise DatasetError(
            f"The project has no data set '{dataset}'.",
            f"It has: {', '.join(names)}.{_meant(dataset, names)}",
            str(project.path),
        )
    splits = sorted({each for name, each, _ in found if dataset in (None, name)})
    if split is not None and split not in splits:
        whose = "The project" if dataset is None else f"The data set '{dataset}'"
        raise DatasetError(
            f"{whose} has no split '{split}'.",
            f"It has: {', '.join(each or 'one without a name' for each in splits)}.{_meant(split, splits)}",
            str(project.path),
        )


def _meant(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word.lower(), [each.lower() for each in known], 1)
    meant = next((each for each in known if near and each.lower() == near[0]), "")
    return f" Did you mean '{meant}'?" if meant else ""
