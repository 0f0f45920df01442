"""Reading questions from files as their authors publish them, and importing them into a project."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Unreadable:
    """A place of a file that gave no question: the file, its line (or the number of its entry), and why."""

    file: str
    line: int
    reason: str


@dataclass(frozen=True)
class ImportReport:
    """What an import did; `stopped` tells that it was ended before the end of the file."""

    added: int
    existing: int
    unreadable: list[Unreadable] = field(default_factory=list)
    dataset: str = ""
    split: str = ""
    stopped: bool = False
