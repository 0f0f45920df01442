"""Runs of students, their evaluations, and every single prediction, as rows of the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Run:
    """One training run: its folder (relative to the project file where it lies beside it) and how it stands."""

    id: int
    folder: str
    method: str
    title: str
    status: str
    created_at: str
    summary: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """Students measured on one benchmark; `finished` is False while predictions still arrive."""

    id: int
    run_id: int | None
    students: str
    benchmark: str
    method: str
    settings: Mapping[str, Any]
    summary: Mapping[str, Any]
    created_at: str
    finished: bool


@dataclass(frozen=True)
class Prediction:
    """What students answered to one question; `equal` is None where there is no gold to compare with."""

    native_id: str
    question: str
    gold_text: str
    gold_value: float | None
    core_question: str
    information: tuple[str, ...]
    kind: str
    rationale: str
    verdict: str
    answer_text: str
    value: float | None
    equal: bool | None
    error: str
