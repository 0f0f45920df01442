"""Reading questions from files as their authors publish them, and importing them into a project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from training_backend.errors import ConfigError, DatasetError, StoreError
from training_backend.project.native_formats import (
    FORMATS,
    Missing,
    NativeFormat,
    detect,
    guess_dataset,
    guess_split,
)
from training_backend.project.questions import CHUNK, Added, NewQuestion, add_questions
from training_backend.project.source_files import Record, SourceFile

if TYPE_CHECKING:
    from training_backend.events import Control, Reporter
    from training_backend.project.store import Project

_LOOK_AT = 20  # records from whose keys the format is told
_KEPT = 1000  # unreadable places listed one by one; a file may have millions


@dataclass(frozen=True)
class Unreadable:
    """A place of a file that gave no question: the file, its line (0: unknown), and why."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        """Return one sentence for a list."""
        return f"{self.file}, line {self.line}: {self.reason}" if self.line else f"{self.file}: {self.reason}"


@dataclass(frozen=True)
class ImportReport:
    """What an import did; `stopped` tells that it was ended before the end of the file.

    `unreadable` lists the first thousand places, `unreadable_count` counts all. `different` of the existing
    questions have another text in the project, which stays.
    """

    added: int
    existing: int
    unreadable: list[Unreadable] = field(default_factory=list)
    dataset: str = ""
    split: str = ""
    stopped: bool = False
    unreadable_count: int = 0
    format: str = ""
    different: int = 0


class QuestionFile:
    """A file of questions: its format, data set and split are known before its questions are read."""

    def __init__(
        self, path: str | Path, format: str = "auto", dataset: str | None = None, split: str | None = None
    ) -> None:
        """Open the file and look at its start; DatasetError where it is missing, empty or no text."""
        self.path = Path(path)
        if format != "auto" and format not in FORMATS:
            raise ConfigError(f"There is no format '{format}'.", f"Use auto or one of: {', '.join(FORMATS)}.")
        self._source = SourceFile(self.path)
        self._records = self._source.records()
        start = list(islice(self._records, _LOOK_AT))
        self._records = chain(start, self._records)
        known = [record.data for record in start if record.data is not None]
        self.format: NativeFormat = detect(known) if format == "auto" else FORMATS[format]
        self.dataset = dataset or guess_dataset(self.path, self.format)
        self.split = split or guess_split(self.path, self.format)

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
        """Yield a question for every readable record, in order, and an Unreadable for every other one.

        The native id is the format's own id, else the number of the record in the file, from 0.
        DatasetError at the end when not one question could be read.
        """
        good, first_problem = 0, None
        seen: set[str] = set()
        for row, record in enumerate(self._records):
            item = self._convert(record, row, seen)
            if isinstance(item, NewQuestion):
                good += 1
            else:
                first_problem = first_problem or item
            yield item
        if not good:
            reason = first_problem.reason if first_problem else "it is empty"
            line = first_problem.line if first_problem else 0
            raise DatasetError(
                f"No question could be read from the file; {reason}.",
                "Check that this is the right file. The formats that are read: "
                + ", ".join(form.title for form in FORMATS.values()) + ".",
                where=f"{self.path}, line {line}" if line else str(self.path),
            )  # fmt: skip

    def _convert(self, record: Record, row: int, seen: set[str]) -> NewQuestion | Unreadable:
        if record.data is None:
            return Unreadable(str(self.path), record.line, record.problem)
        try:
            fields = self.format.read(record.data)
        except Missing as missing:
            return Unreadable(str(self.path), record.line, str(missing))
        if fields.native_id:
            if fields.native_id in seen:
                return Unreadable(str(self.path), record.line, f"the id '{fields.native_id}' occurs twice")
            seen.add(fields.native_id)
        return NewQuestion(
            dataset=self.dataset,
            split=self.split,
            native_id=fields.native_id or str(row),
            text=fields.text,
            gold_text=fields.gold_text,
            gold_value=fields.gold_value,
            extra={"row": row, **(fields.extra or {})},
        )


def read_questions(
    path: str | Path, format: str = "auto", dataset: str | None = None, split: str | None = None
) -> Iterator[NewQuestion | Unreadable]:
    """Yield the questions of a file, and an Unreadable for every place that is none; see QuestionFile."""
    file = QuestionFile(path, format, dataset, split)
    try:
        yield from file.questions()
    finally:
        file.close()


def import_file(
    project: Project,
    path: str | Path,
    format: str = "auto",
    dataset: str | None = None,
    split: str | None = None,
    reporter: Reporter | None = None,
    control: Control | None = None,
) -> ImportReport:
    """Import the questions of a file; those that the project has already are left alone.

    Every thousand questions are one transaction: a stop, a failure or a full disk takes nothing back.
    DatasetError when the file gives no question at all; StoreError says how many were stored before.
    """
    file = QuestionFile(path, format, dataset, split)
    try:
        return _Import(project, file, reporter, control).run()
    finally:
        file.close()


class _Import:
    """One import under way: counts, reports progress, and stops between two transactions."""

    def __init__(
        self, project: Project, file: QuestionFile, reporter: Reporter | None, control: Control | None
    ) -> None:
        self._project, self._file, self._reporter, self._control = project, file, reporter, control
        self._added = self._existing = self._different = self._bad = 0
        self._unreadable: list[Unreadable] = []
        self._stopped = False

    def run(self) -> ImportReport:
        questions = self._good_ones()
        try:
            while not self._stopped and (chunk := list(islice(questions, CHUNK))):
                self._count(add_questions(self._project, chunk))
                self._stopped = self._control is not None and self._control.stop_requested
        except StoreError as error:
            raise StoreError(
                f"{error.message} The import of {self._file.path.name} ended after "
                f"{self._added:,} new questions.",
                error.hint + " Importing the file again goes on from there.",
                where=error.where,
            ) from error
        return ImportReport(
            added=self._added,
            existing=self._existing,
            unreadable=self._unreadable,
            dataset=self._file.dataset,
            split=self._file.split,
            stopped=self._stopped,
            unreadable_count=self._bad,
            format=self._file.format.name,
            different=self._different,
        )

    def _good_ones(self) -> Iterator[NewQuestion]:
        for item in self._file.questions():
            if isinstance(item, NewQuestion):
                yield item
                continue
            self._bad += 1
            if len(self._unreadable) < _KEPT:
                self._unreadable.append(item)

    def _count(self, added: Added) -> None:
        self._added += added.added
        self._existing += added.existing
        self._different += added.different
        if self._reporter is not None:
            self._reporter.progress("import", self._file.position, self._file.size,
                                    f"{self._added + self._existing:,} questions")  # fmt: skip
