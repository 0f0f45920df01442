"""A file of questions: its format, its data set and split, and its questions one after the other."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from training_backend.errors import ConfigError, DatasetError
from training_backend.project.column_mapping import (
    ColumnMapping,
    MappedRecord,
    Rationale,
    columns_of,
    own_columns,
)
from training_backend.project.native_formats import (
    FORMATS,
    Missing,
    NativeFormat,
    detect,
    guess_dataset,
    guess_split,
)
from training_backend.project.questions import NewQuestion
from training_backend.project.source_files import Record, SourceFile
from training_backend.rationale.key_points import KeyPoints

_LOOK_AT = 20  # records from whose keys the format is told
_IDS_IN_MEMORY = 100_000


@dataclass(frozen=True)
class Unreadable:
    """A place of a file that gave no question: the file, its line or row (0: unknown), and why."""

    file: str
    line: int
    reason: str
    unit: str = "line"

    def __str__(self) -> str:
        """Return one sentence for a list."""
        place = f"{self.file}, {self.unit} {self.line}" if self.line else self.file
        return f"{place}: {self.reason}"


@dataclass(frozen=True)
class Entry:
    """One readable record: its question, and what a teacher wrote about it.

    `question` is None where the file names a question of the project by (dataset, split, native id) only;
    `named` is False where the file has no id of its own, so that equal texts are the same question.
    """

    line: int
    key: tuple[str, str, str]
    question: NewQuestion | None
    named: bool = True
    key_points: KeyPoints | None = None
    rationales: tuple[Rationale, ...] = ()


def require_format(format: str) -> None:
    """Raise ConfigError where `format` is neither auto nor the name of a format."""
    if format != "auto" and format not in FORMATS:
        raise ConfigError(f"There is no format '{format}'.", f"Use auto or one of: {', '.join(FORMATS)}.")


class QuestionFile:
    """A file of questions: its format, data set and split are known before its questions are read."""

    def __init__(
        self,
        path: str | Path,
        format: str = "auto",
        dataset: str | None = None,
        split: str | None = None,
        mapping: ColumnMapping | None = None,
    ) -> None:
        """Open the file and look at its start; DatasetError where it is missing, empty or no text.

        A `mapping` says which columns hold what, whatever the format; DatasetError where it names columns
        that the start of the file does not have. What this program exported with all fields needs none.
        """
        self.path = Path(path)
        require_format(format)
        self._source = SourceFile(self.path)
        self._records = self._source.records()
        start = list(islice(self._records, _LOOK_AT))
        self._records = chain(start, self._records)
        known = [record.data for record in start if record.data is not None]
        self.format: NativeFormat = detect(known) if format == "auto" else FORMATS[format]
        self.columns = columns_of(known)
        self.start = known
        if mapping is None and format == "auto":
            mapping = own_columns(self.columns)
        self.mapping = mapping
        if mapping is not None:
            self.format = FORMATS["generic"]
            self._check_mapping(mapping)
        self.dataset = dataset or guess_dataset(self.path, self.format)
        self.split = split or guess_split(self.path, self.format)

    @property
    def format_name(self) -> str:
        """Return the format's name; `columns` where a mapping reads the file."""
        return self.format.name if self.mapping is None else "columns"

    @property
    def size(self) -> int:
        """Return the file's bytes."""
        return self._source.size

    @property
    def position(self) -> int:
        """Return how many of its bytes were read."""
        return self._source.position

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def questions(self) -> Iterator[NewQuestion | Unreadable]:
        """Yield the question of every readable record, and an Unreadable for every other one; see entries."""
        for item in self.entries():
            if isinstance(item, Unreadable):
                yield item
            elif item.question is not None:
                yield item.question

    def entries(self) -> Iterator[Entry | Unreadable]:
        """Yield an Entry for every readable record, in order, and an Unreadable for every other one.

        The native id is the format's own id, else the number of the record in the file, from 0.
        DatasetError at the end when not one record could be read.
        """
        good, first_problem = 0, None
        with contextlib.closing(_Seen()) as seen:
            for row, record in enumerate(self._records):
                item = self._convert(record, row, seen)
                if isinstance(item, Entry):
                    good += 1
                else:
                    first_problem = first_problem or item
                yield item
        if not good:
            raise self._nothing(first_problem)

    def _nothing(self, problem: Unreadable | None) -> DatasetError:
        reason = problem.reason if problem else "it is empty"
        line = problem.line if problem else 0
        return DatasetError(
            f"No question could be read from the file; {reason}.",
            "Check that this is the right file. The formats that are read: "
            + ", ".join(form.title for form in FORMATS.values())
            + ". A file with other columns needs a mapping: --map question=COLUMN --map gold=COLUMN."
            + (f" Its columns are: {', '.join(self.columns[:40])}." if self.columns else ""),
            where=f"{self.path}, {self._source.unit} {line}" if line else str(self.path),
        )

    def _check_mapping(self, mapping: ColumnMapping) -> None:
        missing = [column for column in mapping.missing(self.columns) if self.columns]
        if missing:
            self.close()
            raise DatasetError(
                f"The file has no column '{missing[0]}'.",
                f"Its columns are: {', '.join(self.columns[:40])}.",
                where=str(self.path),
            )

    def _convert(self, record: Record, row: int, seen: _Seen) -> Entry | Unreadable:
        if record.data is None:
            return self._unreadable(record.line, record.problem)
        try:
            if self.mapping is not None:
                return self._mapped(self.mapping.read(record.data), record.line, row, seen)
            return self._native(record, row, seen)
        except Missing as missing:
            return self._unreadable(record.line, str(missing))

    def _native(self, record: Record, row: int, seen: _Seen) -> Entry:
        assert record.data is not None
        fields = self.format.read(record.data)
        if fields.native_id and not seen.add(fields.native_id):
            raise Missing(f"the id '{fields.native_id}' occurs twice")
        question = NewQuestion(
            dataset=self.dataset,
            split=self.split,
            native_id=fields.native_id or str(row),
            text=fields.text,
            gold_text=fields.gold_text,
            gold_value=fields.gold_value,
            extra={"row": row, **(fields.extra or {})},
        )
        return Entry(record.line, (self.dataset, self.split, question.native_id), question)

    def _mapped(self, found: MappedRecord, line: int, row: int, seen: _Seen) -> Entry:
        assert self.mapping is not None
        key = (found.dataset or self.dataset, found.split or self.split, found.native_id or str(row))
        # several answers to one question stand in several records
        if found.native_id and not self.mapping.has_teacher and not seen.add("\x00".join(key)):
            raise Missing(f"the id '{found.native_id}' occurs twice")
        question = None
        if found.text:
            question = NewQuestion(*key, found.text, found.gold_text, found.gold_value,
                                   {"row": row, **found.extra})  # fmt: skip
        return Entry(line, key, question, bool(found.native_id), found.key_points, found.rationales)

    def _unreadable(self, line: int, reason: str) -> Unreadable:
        return Unreadable(str(self.path), line, reason, self._source.unit)


class _Seen:
    """The ids that a file had so far; many of them lie in a temporary file, so that memory stays flat."""

    def __init__(self) -> None:
        self._few: set[str] = set()
        self._many: sqlite3.Connection | None = None

    def add(self, name: str) -> bool:
        """Note an id; tell whether it is new."""
        if self._many is None:
            if name in self._few:
                return False
            self._few.add(name)
            if len(self._few) > _IDS_IN_MEMORY:
                self._spill()
            return True
        found = self._many.execute(
            "INSERT OR IGNORE INTO seen VALUES (?)", (name.encode("utf-8", "surrogatepass"),)
        )
        return found.rowcount > 0

    def close(self) -> None:
        """Forget everything."""
        if self._many is not None:
            self._many.close()

    def _spill(self) -> None:
        # an empty name is a private database that SQLite moves to a temporary file as it grows
        self._many = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._many.execute("PRAGMA journal_mode = OFF")
        self._many.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._many.execute("CREATE TABLE seen (name BLOB PRIMARY KEY) WITHOUT ROWID")
        self._many.execute("BEGIN")
        names = ((name.encode("utf-8", "surrogatepass"),) for name in self._few)
        self._many.executemany("INSERT INTO seen VALUES (?)", names)
        self._few = set()


def read_questions(
    path: str | Path, format: str = "auto", dataset: str | None = None, split: str | None = None
) -> Iterator[NewQuestion | Unreadable]:
    """Yield the questions of a file, and an Unreadable for every place that is none; see QuestionFile."""
    file = QuestionFile(path, format, dataset, split)
    try:
        yield from file.questions()
    finally:
        file.close()
