"""Questions of a project: adding them without doubles, and reading them back with their corrections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
    """How many questions were new and how many the project already had."""

    added: int
    existing: int


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
