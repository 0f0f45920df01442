"""What teachers wrote: origins, key points and rationales become rows, and nothing asked twice is kept twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from training_backend.rationale.key_points import KeyPoints


@dataclass(frozen=True)
class Origin:
    """Where a text comes from: the teacher's name, its model, the source (endpoint, file), the prompt version."""

    teacher: str
    model: str
    source: str
    prompt_version: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """One reply of a teacher to one question; `kind` is cot, pot, eot, or "" where it holds key points only.

    `rationale` is None and `parse_error` says why where the reply could not be read; `raw` keeps it as it came.
    The origins are ids of `add_origin`; 0 where that part is missing.
    """

    question_id: int
    kind: str
    path: int
    key_points: KeyPoints | None
    rationale: str | None
    raw: Mapping[str, str] = field(default_factory=dict)
    parse_error: str = ""
    key_points_origin: int = 0
    rationale_origin: int = 0
