"""The open project: thin actions on it, and signals that say what changed.

Writing goes through one thread in the order in which it was asked for, so the window never waits for the
disk; reading goes through another. A second window on the same file opens it read-only and says so.
The backend's `Project` is imported when the first project opens, never before the window stands.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from kpdd_app.background import Background
from training_backend.errors import StoreError

if TYPE_CHECKING:
    from training_backend.execution.runner import ProgramRunner
    from training_backend.project.store import Project

log = logging.getLogger(__name__)


class OpenProject(QObject):
    """At most one project; every page looks at it through this object."""

    opening = Signal(str)
    """What an opening that takes long is doing now: a check, a backup, the steps of a migration."""
    opened = Signal(object)
    """A project is open now: its path."""
    closed = Signal()
    """The project was closed; nothing of it may be read any more."""
    rows_changed = Signal(object)
    """These row ids have a new line in the list; None: many rows, or new ones."""
    history_changed = Signal(str, str)
    """What undo and what redo would do now; empty when there is nothing."""
    runs_changed = Signal()
    """Runs or evaluations were added or ended."""
    undone = Signal(str, object)
    """A step was taken back or done again: a sentence, and the rows it touched."""
    judging = Signal(object, bool)
    """Programs of these rows begin (True) or ended (False) to run."""
    saving = Signal(bool)
    """Changes wait to be written (True), or all are on disk (False)."""
    failed = Signal(object)
    """An action failed: a KpddError or another exception."""

    def __init__(self, parent: QObject | None = None) -> None:
        """Begin without a project."""
        super().__init__(parent)
        self.project: Project | None = None
        self._writer = Background("project-writer", self)
        self._reader = Background("project-reader", self)
        self._opener = Background("project-opener", self)
        self._judge = Background("project-judge", self)
        self._runner: ProgramRunner | None = None
        self._waiting = 0

    @property
    def path(self) -> Path | None:
        """Return the file of the open project."""
        return self.project.path if self.project is not None else None

    @property
    def read_only(self) -> bool:
        """Tell whether nothing can be changed (also when no project is open)."""
        return self.project is None or self.project.read_only

    @property
    def read_only_reason(self) -> str:
        """Return why nothing can be changed; empty when that was asked for, or when it can."""
        return self.project.read_only_reason if self.project is not None else ""

    # --- opening and closing ----------------------------------------------------------------------

    def open(self, path: Path | str) -> None:
        """Open a project file in place of the one open now; raises a KpddError and keeps the old one."""
        path = Path(path).absolute()
        if self.path != path:
            project = _open(path)
            self.close()
            self._take(project)

    def open_later(
        self,
        path: Path | str,
        failed: Callable[[Exception], None] | None = None,
        read_only: bool = False,
    ) -> None:
        """Open a project file without stopping the window; `opened` tells when, `failed` why not.

        With `read_only` a damaged file is opened too, to read what can be read.
        """
        path = Path(path).absolute()
        if self.path == path:
            return

        def done(project: Project) -> None:
            self.close()
            self._take(project)

        self._opener.run(
            lambda: _open(path, read_only, self.opening.emit), done, failed or self.failed.emit
        )

    def create(self, path: Path | str) -> None:
        """Make a new project file and open it; raises StoreError when there is one already."""
        from training_backend.project.store import Project

        project = Project.create(Path(path).absolute(), holder="window")
        self.close()
        self._take(project)

    def close(self) -> None:
        """Write what waits, then let go of the project."""
        if self.project is None:
            return
        self.flush()
        project, self.project = self.project, None
        self.closed.emit()
        if self._runner is not None:
            self._runner.close()
            self._runner = None
        project.close()

    def shut_down(self) -> None:
        """Close the project and end the threads; called once, when the window closes."""
        self.close()
        for thread in (self._opener, self._writer, self._reader, self._judge):
            thread.close()

    def flush(self) -> None:
        """Return when everything asked for is on disk."""
        future = self._writer.run(lambda: None)
        if future is not None:
            future.result()

    # --- reading ----------------------------------------------------------------------------------

    def read(
        self,
        task: Callable[[Project], Any],
        then: Callable[[Any], None],
        failed: Callable[[Exception], None] | None = None,
        key: str = "",
    ) -> None:
        """Read with `task(project)` off the window's thread; a newer read of the same `key` replaces it."""
        project = self.project
        if project is None:
            return

        def deliver(result: Any) -> None:
            if self.project is project:
                then(result)

        self._reader.run(lambda: task(project), deliver, failed or self.failed.emit, key)

    # --- changing ---------------------------------------------------------------------------------

    def change(self, task: Callable[[Project], Any], then: Callable[[Any], None] | None = None) -> None:
        """Write with `task(project)`; it may return the ids of the rows whose line changed."""
        project = self.project
        if project is None:
            return
        if project.read_only:
            self.failed.emit(StoreError("This project is open read-only.", self.read_only_reason))
            return
        self._count(+1)

        def work() -> tuple[Any, str, str]:
            from training_backend.project.history import redo_label, undo_label

            result = task(project)
            return result, undo_label(project), redo_label(project)

        def done(outcome: tuple[Any, str, str]) -> None:
            result, undo_text, redo_text = outcome
            self._count(-1)
            if isinstance(result, list):
                self.rows_changed.emit(result)
            self.history_changed.emit(undo_text, redo_text)
            if then is not None:
                then(result)

        def went_wrong(error: Exception) -> None:
            self._count(-1)
            self.failed.emit(error)

        self._writer.run(work, done, went_wrong)

    def edit_field(
        self,
        row_id: int,
        field: str,
        text: str,
        continues: bool = False,
        then: Callable[[Any], None] | None = None,
    ) -> None:
        """Put a person's text beside the teacher's; `continues` joins it to the step just before."""
        from training_backend.project.history import edit_field

        self.change(lambda project: edit_field(project, row_id, field, text, continues=continues), then)

    def bring_back(self, row_id: int, field: str) -> None:
        """Make the teacher's text the one that counts again."""
        from training_backend.project.history import bring_back

        self.change(lambda project: bring_back(project, row_id, field))

    def set_review(self, row_ids: Iterable[int], review: str) -> None:
        """Accept, reject, or set back to unreviewed."""
        from training_backend.project.history import set_review

        ids = list(row_ids)

        def task(project: Project) -> list[int]:
            set_review(project, ids, review)
            return ids

        self.change(task)

    def set_flagged(self, row_ids: Iterable[int], flagged: bool) -> None:
        """Put a flag on rows, or take it off."""
        from training_backend.project.history import set_flagged

        ids = list(row_ids)

        def task(project: Project) -> list[int]:
            set_flagged(project, ids, flagged)
            return ids

        self.change(task)

    def undo(self) -> None:
        """Take the last change back, also one of an earlier session."""
        from training_backend.project.history import undo

        self.change(undo, lambda change: self._say_undone(self.tr("Undone: {0}"), change))

    def redo(self) -> None:
        """Do the change again that was taken back last."""
        from training_backend.project.history import redo

        self.change(redo, lambda change: self._say_undone(self.tr("Done again: {0}"), change))

    def rerun(self, row_ids: Iterable[int] | int) -> None:
        """Run the programs of rows in the sandbox and store what comes out, after what was typed is saved."""
        ids = [row_ids] if isinstance(row_ids, int) else list(row_ids)
        if self.read_only:
            self.failed.emit(StoreError("This project is open read-only.", self.read_only_reason))
            return
        self.judging.emit(ids, True)
        self._writer.run(lambda: None, lambda _: self._run_programs(ids))

    # --- helpers ----------------------------------------------------------------------------------

    def _take(self, project: Project) -> None:
        self.project = project
        self.opened.emit(project.path)
        self.read(_labels, lambda labels: self.history_changed.emit(*labels), key="labels")

    def _count(self, step: int) -> None:
        self._waiting += step
        self.saving.emit(self._waiting > 0)

    def _say_undone(self, sentence: str, change: Any) -> None:
        if change is not None:
            self.rows_changed.emit(list(change.row_ids))
            self.undone.emit(sentence.format(change.label), list(change.row_ids))

    def _run_programs(self, ids: list[int]) -> None:
        project = self.project
        if project is None:
            return

        def done(count: int) -> None:
            self.judging.emit(ids, False)
            self.rows_changed.emit(ids)

        def went_wrong(error: Exception) -> None:
            self.judging.emit(ids, False)
            self.failed.emit(error)

        self._judge.run(lambda: self._judge_rows(project, ids), done, went_wrong)

    def _judge_rows(self, project: Project, ids: list[int]) -> int:
        from training_backend.execution.judge import judge_many
        from training_backend.execution.runner import ProgramRunner
        from training_backend.project.judgements import store_judgements, to_judge

        if self._runner is None:
            self._runner = ProgramRunner(workers=1)
        items = list(to_judge(project, only_not_run=False, row_ids=ids))
        return store_judgements(project, judge_many(items, self._runner))


def _open(path: Path, read_only: bool = False, told: Callable[[str], None] = lambda _: None) -> Project:
    from training_backend.project.store import Project

    return Project.open(path, read_only, holder="window", check=not read_only, told=told)


def _labels(project: Project) -> tuple[str, str]:
    from training_backend.project.history import redo_label, undo_label

    return undo_label(project), redo_label(project)
