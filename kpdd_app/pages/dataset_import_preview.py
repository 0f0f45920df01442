"""What the start of a file shows before anything is imported: its format, its columns, its first rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from kpdd_app.settings import Settings
from training_backend.errors import ConfigError, KpddError
from training_backend.project.column_mapping import ColumnMapping, guess
from training_backend.project.file_kinds import is_database
from training_backend.project.other_project import look_into_project
from training_backend.project.question_file import Entry, QuestionFile, Unreadable

PREVIEW_ROWS = 30


@dataclass
class Preview:
    """What the start of a file shows: its format, the names guessed, and the first rows, readable or not.

    `mapping` is None where the file is read by its format and not by its columns; `problem` says why there
    are no rows, and `raw` holds the records themselves while a mapping is not complete. `other_project`
    holds the numbers of questions and rows of a project that would be merged.
    """

    format: str = ""
    dataset: str = ""
    split: str = ""
    rows: list[Entry | Unreadable] = field(default_factory=list)
    problem: KpddError | None = None
    columns: list[str] = field(default_factory=list)
    mapping: dict[str, str] | None = None
    other_project: tuple[int, int] | None = None
    raw: list[dict[str, Any]] = field(default_factory=list)

    @property
    def good(self) -> int:
        """Return how many of the rows can be read."""
        return sum(isinstance(row, Entry) for row in self.rows)


def look_into(path: Path, format: str, mapping: Mapping[str, str] | None = None) -> Preview:
    """Read the start of a file; a file that cannot be used gives its problem, never an exception.

    `format` is auto, columns, or a native one. A file that no native format fits is read by its columns:
    as `mapping` says, else as the last file with the same columns, else as their names tell.
    """
    preview = Preview()
    try:
        if is_database(path):
            preview.other_project = look_into_project(path)
            return preview
        file = QuestionFile(path, "auto" if format == "columns" else format)
        preview.columns = file.columns
        by_columns = format == "columns" or (format == "auto" and file.format.name == "generic")
        if by_columns and file.columns:
            preview.mapping = dict(mapping if mapping is not None else remembered(file.columns))
            preview.raw = file.start
            file.close()
            file = QuestionFile(path, mapping=ColumnMapping(preview.mapping))
            preview.raw = []
        preview.format = file.format.title
        preview.dataset, preview.split = file.dataset, file.split
        try:
            for row in islice(file.entries(), PREVIEW_ROWS):
                preview.rows.append(row)
        finally:
            file.close()
    except KpddError as problem:
        preview.problem = problem
    return preview


def said_in_the_window(problem: KpddError) -> str:
    """Return a problem as the dialog says it; what is wrong with a mapping is chosen here, not typed."""
    return problem.message if isinstance(problem, ConfigError) else str(problem)


def remembered(columns: list[str]) -> dict[str, str]:
    """Return the mapping that a file with these columns was imported with last, else a guess."""
    try:
        found = json.loads(Settings().text(_key(columns)))
        if isinstance(found, dict) and set(found.values()) <= set(columns):
            return {str(target): str(column) for target, column in found.items()}
    except ValueError:
        pass
    return guess(columns)


def remember(columns: list[str], mapping: Mapping[str, str]) -> None:
    """Keep a mapping for the next file with the same columns."""
    Settings().set_text(_key(columns), json.dumps(dict(mapping)))


def _key(columns: list[str]) -> str:
    digest = hashlib.blake2b("\x00".join(sorted(columns)).encode(errors="replace"), digest_size=8)
    return f"import/columns/{digest.hexdigest()}"
