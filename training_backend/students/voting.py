"""Self-consistency: several paths of one question, and the answer that most of them give.

Wang and others, arXiv 2203.11171: sampled paths differ, and wrong ones disagree. A path without an answer has
no vote. Of answers with equally many votes the one given first stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training_backend.rationale.answers import equal, format_number
from training_backend.students.solution import Solution


@dataclass(frozen=True)
class Candidate:
    """One answer and the numbers of the paths that gave it."""

    value: float
    paths: tuple[int, ...]


@dataclass(frozen=True)
class Vote:
    """The candidates, most votes first; `value` is the winner's, None when no path had an answer."""

    candidates: tuple[Candidate, ...]
    total: int

    @property
    def value(self) -> float | None:
        """Return the answer that won."""
        return self.candidates[0].value if self.candidates else None

    @property
    def winner(self) -> int:
        """Return the number of the first path that gave the winning answer; 0 when there is none."""
        return self.candidates[0].paths[0] if self.candidates else 0

    @property
    def votes(self) -> int:
        """Return how many paths gave the winning answer."""
        return len(self.candidates[0].paths) if self.candidates else 0

    @property
    def silent(self) -> int:
        """Return how many paths had no answer."""
        return self.total - sum(len(one.paths) for one in self.candidates)


def vote(solutions: Sequence[Solution]) -> Vote:
    """Count the answers of several paths of one question; answers equal within the tolerance are one."""
    found: list[tuple[float, list[int]]] = []
    for n, solution in enumerate(solutions):
        value = solution.judgement.value
        if value is None:
            continue
        same = next((paths for other, paths in found if equal(value, other)), None)
        if same is None:
            found.append((value, [n]))
        else:
            same.append(n)
    # sorting keeps the order of equals: the first given stays first
    found.sort(key=lambda one: -len(one[1]))
    return Vote(tuple(Candidate(value, tuple(paths)) for value, paths in found), len(solutions))


def path_data(solution: Solution) -> dict[str, Any]:
    """Return one path as data, as events and results carry it."""
    judgement = solution.judgement
    return {
        "core_question": solution.core_question,
        "information": list(solution.information),
        "kind": solution.kind,
        "rationale": solution.rationale,
        "state": judgement.state,
        "value": judgement.value,
        "answer_text": judgement.answer_text,
        "error": judgement.error,
    }


def candidates_data(counted: Vote) -> list[list[Any]]:
    """Return the candidates as data: [value, numbers of its paths], most votes first."""
    return [[one.value, list(one.paths)] for one in counted.candidates]


def vote_text(counted: Vote) -> str:
    """Return a vote for people: `36: 6 of 8 paths · 24: 1 · no answer: 1`."""
    parts = [f"{format_number(one.value)}: {len(one.paths)}" for one in counted.candidates]
    if parts:
        parts[0] += f" of {counted.total} paths"
    if counted.silent:
        parts.append(f"no answer: {counted.silent}" + ("" if parts else f" of {counted.total} paths"))
    return " · ".join(parts)
