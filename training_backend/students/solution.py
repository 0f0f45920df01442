"""A solved question, and a question on its way through the stages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from training_backend.methods import KINDS, Task
from training_backend.rationale.judgement import Judgement


class Cancelled(Exception):
    """The caller gave up the question at work."""


@dataclass(frozen=True)
class Solution:
    """One solved question; `texts` holds what each student wrote, by role."""

    question: str
    gold: float | None
    core_question: str
    information: tuple[str, ...]
    kind: str
    rationale: str
    judgement: Judgement
    texts: dict[str, str] = field(default_factory=dict)


@dataclass
class Work:
    """One question on its way through the stages; `path` is the number of its sample."""

    question: str
    gold: float | None
    fields: dict[str, Any]
    texts: dict[str, str] = field(default_factory=dict)
    judgement: Judgement | None = None
    path: int = 0

    def __post_init__(self) -> None:
        self.fields = {"question": self.question, **self.fields}

    def has(self, task: Task) -> bool:
        """Tell whether everything the task writes was given."""
        if task.writes in KINDS:
            return False
        names = {"key_points": ("core_question", "information")}.get(task.writes, (task.writes,))
        return all(self.fields.get(name) for name in names)

    def take(self, role: str, text: str, fields: dict[str, Any]) -> None:
        """Take what a student wrote, and the fields read from it."""
        self.texts[role] = text
        self.fields |= fields

    @property
    def unanswered(self) -> bool:
        """Tell whether no answer was read yet."""
        return self.judgement is None or self.judgement.value is None

    def solution(self) -> Solution:
        """Return what became of it."""
        return Solution(
            question=self.question,
            gold=self.gold,
            core_question=str(self.fields.get("core_question", "")),
            information=tuple(self.fields.get("information", ())),
            kind=str(self.fields.get("kind", "")),
            rationale=str(self.fields.get("rationale", "")),
            judgement=self.judgement or Judgement("not_run", "", "", None),
            texts=self.texts,
        )
