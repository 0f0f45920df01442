"""Looking at held-out questions while a student trains: loss, answers by execution, texts to show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from training_backend.execution.judge import judge_many
from training_backend.execution.runner import ProgramRunner
from training_backend.students.examples import Example

if TYPE_CHECKING:
    from training_backend.students.decoding import DecodingSettings, Student

SHOWN = 5


@dataclass
class Look:
    """One look: `loss` per target token; `accuracy` where answers were judged; samples to show."""

    loss: float | None = None
    accuracy: float | None = None
    judged: int = 0
    samples: list[dict[str, Any]] = field(default_factory=list)

    def score_by(self, what: str) -> float | None:
        """Return what is compared between looks, larger is better; `what` is accuracy or loss.

        Accuracy, where answers were judged, has its ties broken by the loss.
        """
        if self.accuracy is not None and what == "accuracy":
            return self.accuracy - (self.loss or 0.0) * 1e-6
        return None if self.loss is None else -self.loss


def look(
    student: Student,
    examples: Sequence[Example],
    judged: int,
    loss: float | None,
    runner: ProgramRunner | None,
    settings: DecodingSettings,
    stop: Callable[[], bool] | None = None,
) -> Look:
    """Let the student write for the first `judged` examples, run what can be run, and compare with gold.

    Programs run in the sandbox of `runner`, never here. Only rationales are judged; of other texts the first
    few are shown beside what the teacher wrote.
    """
    rationales = any(example.kind for example in examples)
    chosen = [e for e in examples if e.kind or not rationales][: judged if rationales else min(judged, SHOWN)]
    result = Look(loss=loss)
    if not chosen:
        return result
    written = student.generate([e.source for e in chosen], settings=settings, stop=stop)
    if stop is not None and stop():
        return result
    states: dict[int, Any] = {}
    if rationales and runner is not None:
        items = [
            (n, e.kind, text, e.gold)
            for n, (e, text) in enumerate(zip(chosen, written, strict=True))
            if e.kind
        ]
        states = dict(judge_many(items, runner))
        scored = [n for n in states if chosen[n].gold is not None]
        if scored:
            result.judged = len(scored)
            result.accuracy = sum(states[n].state == "equal" for n in scored) / len(scored)
    for n, (example, text) in enumerate(zip(chosen[:SHOWN], written[:SHOWN], strict=True)):
        judgement = states.get(n)
        result.samples.append(
            {
                "id": example.id,
                "source": example.source,
                "wanted": example.target,
                "said": text,
                "kind": example.kind,
                "gold": example.gold,
                "state": judgement.state if judgement else "",
                "answer": judgement.answer_text if judgement else "",
            }
        )
    return result
