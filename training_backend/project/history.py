"""Every change a person makes: one transaction, one undoable step, also after a restart."""

from __future__ import annotations

from dataclasses import dataclass

FIELDS = ("question", "gold", "core_question", "information", "rationale", "note")


@dataclass(frozen=True)
class Change:
    """A step that was undone or redone: what it was, and the rows whose list line changed by it."""

    label: str
    row_ids: list[int]
