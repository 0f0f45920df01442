"""The open project: thin actions on it, and signals that say what changed.

Writing goes through one thread in the order in which it was asked for, so the window never waits for the
disk; reading goes through another. A second window on the same file opens it read-only and says so.
The backend's `Project` is imported when the first project opens, never before the window stands.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QLocale, QObject, Signal

from kpdd_app.background import Background
from kpdd_app.long_work import LongWork, Report
from kpdd_app.row_judging import judge, judge_in_parts
from training_backend.errors import StoreError

if TYPE_CHECKING:
    import numpy as np

    from training_backend.execution.runner import ProgramRunner
    from training_backend.project.history import Change
    from training_backend.project.store import Project

    Ids = Sequence[int] | np.ndarray

log = logging.getLogger(__name__)

# changes of more rows than this show how far they are and can be stopped
MANY = 5_000
JUDGED_AT_ONCE = 400


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
    protection_told = Signal(str)
    """While programs ran something was found about their protection: a sentence, perhaps again and again."""

    def __init__(self, parent: QObject | None = None) -> None:
        """Begin without a project."""
        super().__init__(parent)
        self.project: Project | None = None
        self._writer = Background("project-writer", self)
        self._reader = Background("project-reader", self)
        self._opener = Background("project-opener", self)
        self.bulk = LongWork("project-bulk", self)
        self.judge = LongWork("project-judge-many", self)
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

        self._opener.run(lambda: _open(path, read_only, self.opening.emit), done, failed or self.failed.emit)

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
        self.bulk.finish()
        self.judge.finish()
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
        for thread in (self._opener, self._writer, self._reader, self._judge, self.bulk, self.judge):
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

    def set_review(self, row_ids: Ids, review: str) -> None:
        """Accept, reject, or set back to unreviewed, however many rows."""
        from training_backend.project.history import set_review

        words = {"accepted": self.tr("Accepting {0} rows"), "rejected": self.tr("Rejecting {0} rows")}
        title = words.get(review, self.tr("Taking back the review of {0} rows"))
        self._mark(row_ids, title, partial(set_review, review=review))

    def set_flagged(self, row_ids: Ids, flagged: bool) -> None:
        """Put a flag on rows, or take it off, however many rows."""
        from training_backend.project.history import set_flagged

        title = self.tr("Flagging {0} rows") if flagged else self.tr("Taking the flags off {0} rows")
        self._mark(row_ids, title, partial(set_flagged, flagged=flagged))

    def undo(self) -> None:
        """Take the last change back, also one of an earlier session."""
        self._step("undo")

    def redo(self) -> None:
        """Do the change again that was taken back last."""
        self._step("redo")

    def change_in_parts(
        self, title: str, task: Callable[[Project, Report], Any], then: Callable[[Any], None] | None = None
    ) -> None:
        """Write very much with `task(project, report)`: in a thread of its own, with progress and *Stop*."""
        project = self.project
        if project is None or self._refused():
            return

        def done(outcome: tuple[Any, tuple[str, str]]) -> None:
            result, labels = outcome
            self.rows_changed.emit(None)
            self.history_changed.emit(*labels)
            if then is not None:
                then(result)

        def work(report: Report) -> tuple[Any, tuple[str, str]]:
            return task(project, report), _labels(project)

        self.bulk.run(title, work, done, self.failed.emit)

    def rerun(self, row_ids: Ids | int) -> None:
        """Run the programs of rows in the sandbox and store what comes out, after what was typed is saved."""
        ids: Ids = [row_ids] if isinstance(row_ids, int) else row_ids
        project = self.project
        if self.read_only or project is None:
            self.failed.emit(StoreError("This project is open read-only.", self.read_only_reason))
        elif len(ids) <= JUDGED_AT_ONCE:
            few = _numbers(ids)
            self.judging.emit(few, True)
            self._writer.run(lambda: None, lambda _: self._run_programs(few))
        elif self.judge.busy:
            self.failed.emit(_still(self.judge.title))
        else:
            title = self.tr("Running {0} programs").format(QLocale().toString(len(ids)))
            saved = self._writer.run(lambda: None)

            def work(report: Report) -> int:
                if saved is not None:
                    saved.result()
                return judge_in_parts(project, _numbers(ids), JUDGED_AT_ONCE, report, self._tell_closed)

            self.judge.run(title, work, lambda _: self.rows_changed.emit(None), self.failed.emit)

    # --- helpers ----------------------------------------------------------------------------------

    def _take(self, project: Project) -> None:
        self.project = project
        self.opened.emit(project.path)
        self.read(_labels, lambda labels: self.history_changed.emit(*labels), key="labels")

    def _count(self, step: int) -> None:
        self._waiting += step
        self.saving.emit(self._waiting > 0)

    def _refused(self) -> bool:
        """Say why nothing can be changed now; False when it can."""
        if self.read_only:
            self.failed.emit(StoreError("This project is open read-only.", self.read_only_reason))
        elif self.bulk.busy:
            self.failed.emit(_still(self.bulk.title))
        else:
            return False
        return True

    def _mark(self, row_ids: Ids, title: str, task: Callable[..., int]) -> None:
        if len(row_ids) > MANY:
            title = title.format(QLocale().toString(len(row_ids)))
            self.change_in_parts(
                title, lambda project, report: task(project, _numbers(row_ids), report=report)
            )
            return
        ids = _numbers(row_ids)

        def write(project: Project) -> list[int]:
            task(project, ids)
            return ids

        self.change(write)

    def _step(self, action: str) -> None:
        from training_backend.project import history

        step = history.undo if action == "undo" else history.redo
        said = self.tr("Undone: {0}") if action == "undo" else self.tr("Done again: {0}")
        if self.bulk.busy:
            self.failed.emit(_still(self.bulk.title))
            return

        def write(project: Project) -> Change | str | None:
            large = history.step_size(project, action) > MANY
            label = history.undo_label if action == "undo" else history.redo_label
            return label(project) if large else step(project)

        def then(change: Change | str | None) -> None:
            if isinstance(change, str):
                title = self.tr("Undoing: {0}") if action == "undo" else self.tr("Doing again: {0}")
                self.change_in_parts(title.format(change), step, partial(self._say_step, said))
            elif change is not None:
                self.rows_changed.emit(change.row_ids)
                self._say_step(said, change)

        self.change(write, then)

    def _say_step(self, sentence: str, change: Change) -> None:
        if not change.whole:
            sentence = self.tr("Stopped half way: {0}. The same step again goes on.")
        self.undone.emit(sentence.format(change.label), change.row_ids or [])

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

        self._judge.run(lambda: self._judge_few(project, ids), done, went_wrong)

    def _judge_few(self, project: Project, ids: list[int]) -> int:
        from training_backend.execution.runner import ProgramRunner

        if self._runner is None:
            self._runner = ProgramRunner(workers=1)
        stored = judge(project, ids, self._runner)
        self._tell_closed(self._runner)
        return stored

    def _tell_closed(self, runner: ProgramRunner) -> None:
        """Say why programs no longer share a process, from whatever thread ran them."""
        if why := runner.why_not_shared:
            self.protection_told.emit(why)


def _numbers(row_ids: Ids) -> list[int]:
    """Return ids as Python's numbers; a vector of the table gives its own much faster than one by one."""
    return row_ids.tolist() if hasattr(row_ids, "tolist") else [int(number) for number in row_ids]


def _still(title: str) -> StoreError:
    return StoreError(f"{title} has not ended yet.", "Wait until it has, or stop it.")


def _open(path: Path, read_only: bool = False, told: Callable[[str], None] = lambda _: None) -> Project:
    from training_backend.project.store import Project

    return Project.open(path, read_only, holder="window", check=not read_only, told=told)


def _labels(project: Project) -> tuple[str, str]:
    from training_backend.project.history import redo_label, undo_label

    return undo_label(project), redo_label(project)
