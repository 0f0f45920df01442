"""The rows that students learn from, as corrected: equal to gold and not rejected, or accepted by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training_backend.project.store import Project


@dataclass(frozen=True)
class TrainingRow:
    """One row fit for training with its corrected texts; `information` holds one fact per item."""

    row_id: int
    question_id: int
    dataset: str
    split: str
    question: str
    gold_text: str
    gold_value: float | None
    core_question: str
    information: tuple[str, ...]
    kind: str
    rationale: str


def training_rows(
    project: Project, kinds: Iterable[str], dataset: str | None = None, split: str | None = None
) -> Iterator[TrainingRow]:
    """Yield the rows of these kinds that students may learn from, in the order of their ids, streaming."""
    wanted = sorted(set(kinds))
    where, values = [f"kind IN ({','.join('?' * len(wanted))})"], list(wanted)
    for column, value in (("dataset", dataset), ("split", split)):
        if value is not None:
            where.append(f"{column} = ?")
            values.append(value)
    with project.reading() as connection:
        found = connection.execute(
            f"""SELECT row_id, question_id, dataset, split, question, gold_text, gold_value, core_question,
                       information, kind, rationale
                FROM training_rows WHERE {" AND ".join(where)} ORDER BY row_id""",
            values,
        )
        for line in found:
            yield TrainingRow(*(*line[:8], tuple(line[8].splitlines()), *line[9:]))
