"""Importing questions, and what teachers wrote about them, from files into a project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from training_backend.errors import DatasetError, StoreError
from training_backend.project.column_mapping import ColumnMapping
from training_backend.project.question_file import Entry, QuestionFile, Unreadable
from training_backend.project.questions import CHUNK, Added, NewQuestion, add_questions
from training_backend.project.recorded_replies import RecordedReplies

if TYPE_CHECKING:
    from training_backend.events import Control, Reporter
    from training_backend.project.store import Project

_KEPT = 1000  # unreadable places listed one by one; a file may have millions


@dataclass(frozen=True)
class ImportReport:
    """What an import did; `stopped` tells that it was ended before the end of the file.

    `unreadable` lists the first thousand places, `unreadable_count` counts all. `different` of the existing
    questions have another text in the project, which stays. `refused`: as places could not be read, nothing
    was imported; `readable` questions could be. `replies` counts what teachers wrote and was new.
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
    refused: bool = False
    readable: int = 0
    replies: int = 0


def import_file(
    project: Project,
    path: str | Path,
    format: str = "auto",
    dataset: str | None = None,
    split: str | None = None,
    reporter: Reporter | None = None,
    control: Control | None = None,
    mapping: ColumnMapping | None = None,
    keep_good: bool = False,
    teacher: str = "recorded",
) -> ImportReport:
    """Import the questions of a file; those that the project has already are left alone.

    With a `mapping` that names what a teacher wrote, that becomes replies whose origin names `teacher` and
    the file. The whole file is read once before anything is stored: where places of it cannot be read,
    nothing is imported, unless `keep_good` asks for the rest. Then every thousand questions are one
    transaction: a stop, a failure or a full disk takes nothing back, and importing again goes on from there.
    DatasetError when the file gives no question at all; StoreError says how many were stored before.
    """

    def open_file() -> QuestionFile:
        return QuestionFile(path, format, dataset, split, mapping)

    project.require_writable()
    file = open_file()
    written = file.mapping is not None and file.mapping.has_teacher
    recorded = RecordedReplies(project, Path(path), teacher) if written else None
    if not keep_good:
        check = _Pass(file, "check", reporter, control, recorded)
        for _ in check.chunks():
            pass
        if check.bad or check.stopped:
            return check.report(refused=bool(check.bad))
        file = open_file()
    return _Import(project, _Pass(file, "import", reporter, control, recorded)).run()


class _Pass:
    """One reading of a file: gives its good entries by the thousand, keeps the list of the others."""

    def __init__(
        self,
        file: QuestionFile,
        stage: str,
        reporter: Reporter | None,
        control: Control | None,
        recorded: RecordedReplies | None,
    ) -> None:
        self.file, self.recorded = file, recorded
        self._stage, self._reporter, self._control = stage, reporter, control
        self._unreadable: list[Unreadable] = []
        self.bad = self.good = 0
        self.stopped = False

    def chunks(self) -> Iterator[list[Entry]]:
        """Yield entries until the file ends or a stop is asked for; the file is closed then."""
        try:
            if self.recorded is not None:
                self.recorded.begin()
            entries = self._good_ones()
            while not self.stopped and (chunk := list(islice(entries, CHUNK))):
                if self.recorded is not None:
                    chunk, problems = self.recorded.place(chunk)
                    for problem in problems:
                        self._note(problem)
                self.good += len(chunk)
                yield chunk
                self.stopped = self._control is not None and self._control.stop_requested
                self._say()
        finally:
            self.file.close()

    def report(self, **counts) -> ImportReport:
        """Return what this pass saw together with `counts`."""
        return ImportReport(
            **{"added": 0, "existing": 0, **counts},
            unreadable=self._unreadable,
            unreadable_count=self.bad,
            readable=self.good,
            dataset=self.file.dataset,
            split=self.file.split,
            stopped=self.stopped,
            format=self.file.format_name,
        )

    def _good_ones(self) -> Iterator[Entry]:
        for item in self.file.entries():
            if isinstance(item, Unreadable):
                self._note(item)
            else:
                yield item

    def _note(self, place: Unreadable) -> None:
        self.bad += 1
        if len(self._unreadable) < _KEPT:
            self._unreadable.append(place)

    def _say(self) -> None:
        if self._reporter is not None:
            self._reporter.progress(self._stage, self.file.position, self.file.size,
                                    f"{self.good:,} questions")  # fmt: skip


class _Import:
    """The second reading: stores what it gives."""

    def __init__(self, project: Project, source: _Pass) -> None:
        self._project, self._source = project, source
        self._added = self._existing = self._different = self._replies = 0

    def run(self) -> ImportReport:
        try:
            for chunk in self._source.chunks():
                self._store(chunk)
        except StoreError as error:
            raise StoreError(
                f"{error.message} The import of {self._source.file.path.name} ended after "
                f"{self._added:,} new questions.",
                error.hint + " Importing the file again goes on from there.",
                where=error.where,
            ) from error
        if not self._source.good:
            raise DatasetError("Nothing of the file could be placed.", "See the list of places.",
                               where=str(self._source.file.path))  # fmt: skip
        return self._source.report(
            added=self._added, existing=self._existing, different=self._different, replies=self._replies
        )

    def _store(self, chunk: list[Entry]) -> None:
        questions: list[NewQuestion] = [entry.question for entry in chunk if entry.question is not None]
        added: Added = add_questions(self._project, questions)
        self._added += added.added
        self._existing += added.existing
        self._different += added.different
        if self._source.recorded is not None:
            self._replies += self._source.recorded.store(chunk)
