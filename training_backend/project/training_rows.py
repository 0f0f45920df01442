"""The rows that students learn from: equal to gold and not rejected, or accepted by a person, as corrected."""

from __future__ import annotations

from dataclasses import dataclass


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
