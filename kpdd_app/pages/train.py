"""The Train page: the runs of the project, a new one, and how each stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from kpdd_app.jobs import Job, Jobs
from kpdd_app.key_bindings import add_action
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.train_form import TrainForm
from kpdd_app.pages.train_run import SIGNS, WORDS, RunView
from kpdd_app.widgets.notice import Notice
from training_backend.events import Failed, Started

FOLDER = Qt.ItemDataRole.UserRole
METHOD = Qt.ItemDataRole.UserRole + 1
STATUS = Qt.ItemDataRole.UserRole + 2
TITLE = Qt.ItemDataRole.UserRole + 3


class TrainPage(QWidget):
    """At the left the runs, at the right a new run or the chosen one."""

    page_wanted = Signal(str)
    solve_students_wanted = Signal(str)
    evaluate_students_wanted = Signal(str)

    def __init__(self, project: OpenProject, jobs: Jobs, parent: QWidget | None = None) -> None:
        """Build the page; it shows the runs of whatever project is open."""
        super().__init__(parent)
        self._project = project
        self._jobs = jobs
        self._show_next: Path | None = None
        self._build()
        self._connect()
        self._make_actions()
        self._read_runs()

    def key(self) -> str:
        """Return the page's name in the rail."""
        return "train"

    def show_run(self, folder: Path | str) -> None:
        """Show a run of the list."""
        for number in range(self.runs.count()):
            if Path(self.runs.item(number).data(FOLDER)) == Path(folder):
                self.runs.setCurrentRow(number)
                return
        self._show_next = Path(folder)

    def show_form(self) -> None:
        """Show the form of a new run."""
        self.runs.setCurrentRow(-1)
        self.stack.setCurrentWidget(self.form)

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.new_button = QPushButton(self.tr("New run"))
        self.new_button.clicked.connect(self.show_form)
        self.runs = QListWidget()
        self.runs.setAccessibleName(self.tr("Runs"))
        self.runs.setWordWrap(True)
        self.runs.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.runs.hide()
        self.runs.currentItemChanged.connect(lambda item, _: self._show_item(item))
        self.none = QLabel(self.tr("Runs stand here, with their curves, also after the window was closed."))
        self.none.setProperty("role", "caption")
        self.none.setWordWrap(True)
        left = QVBoxLayout()
        left.setSpacing(theme.gap(2))
        left.addWidget(self.new_button)
        left.addWidget(self.none)
        left.addWidget(self.runs, 1)
        left.addStretch(0)
        side = QWidget()
        side.setLayout(left)
        left.setContentsMargins(0, 0, 0, 0)
        side.setFixedWidth(theme.line_height() * 14)
        self.problem = Notice()
        self.form = TrainForm(self._project)
        self.view = RunView(self._jobs)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.form)
        self.stack.addWidget(self.view)
        right = QVBoxLayout()
        right.setSpacing(theme.gap(2))
        right.addWidget(self.problem)
        right.addWidget(self.stack, 1)
        line = QFrame()
        line.setProperty("panel", "line")
        line.setFixedWidth(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(*[theme.gap(theme.M)] * 4)
        row.setSpacing(theme.gap(3))
        row.addWidget(side)
        row.addWidget(line)
        row.addLayout(right, 1)

    def _connect(self) -> None:
        self.form.start_wanted.connect(self._start)
        self.view.solve_wanted.connect(self.solve_students_wanted)
        self.view.evaluate_wanted.connect(self.evaluate_students_wanted)
        self.view.resume_wanted.connect(self._resume)
        self.view.status_changed.connect(self._status_changed)
        self._project.opened.connect(lambda _: self._opened())
        self._project.closed.connect(self._closed)
        self._project.runs_changed.connect(self._read_runs)
        theme.notifier().changed.connect(self._restyle)

    def _make_actions(self) -> None:
        for name, do in (("new", self.show_form), ("start", self.form.start), ("copy", self.form._copy)):
            add_action(self, f"train.{name}", do)

    # --- runs -------------------------------------------------------------------------------------

    def _opened(self) -> None:
        self.view.release()
        self.stack.setCurrentWidget(self.form)
        self._read_runs()

    def _closed(self) -> None:
        self.view.release()
        self.runs.clear()
        self.none.show()
        self.runs.hide()
        self.stack.setCurrentWidget(self.form)

    def _read_runs(self) -> None:
        def read(project: Any) -> list[Any]:
            from training_backend.project.runs import runs

            return list(runs(project))

        self._project.read(read, self._fill, key="train-runs")

    def _fill(self, runs: list[Any]) -> None:
        if self._project.path is None:
            return
        shown = self.view.folder
        current = self._show_next or (shown if self.stack.currentWidget() is self.view else None)
        self.runs.blockSignals(True)
        self.runs.clear()
        for run in runs:
            folder = Path(run.folder)
            folder = folder if folder.is_absolute() else self._project.path.parent / folder
            item = QListWidgetItem()
            for role, value in ((FOLDER, str(folder)), (METHOD, run.method), (TITLE, run.title)):
                item.setData(role, value)
            self._dress(item, _status(folder, run.status))
            self.runs.addItem(item)
        self.runs.blockSignals(False)
        self.none.setVisible(not runs)
        self.runs.setVisible(bool(runs))
        if current is not None:
            self._mark(current, open_it=current != shown)

    def _mark(self, folder: Path, open_it: bool) -> None:
        for number in range(self.runs.count()):
            if Path(self.runs.item(number).data(FOLDER)) == folder:
                self._show_next = None
                self.runs.blockSignals(not open_it)
                self.runs.setCurrentRow(number)
                self.runs.blockSignals(False)

    def _show_item(self, item: QListWidgetItem | None) -> None:
        if item is None:
            self.view.release()
            return
        self.problem.clear()
        self.view.show_run(Path(item.data(FOLDER)), item.data(TITLE), item.data(METHOD))
        self.stack.setCurrentWidget(self.view)

    def _status_changed(self, folder: Path, status: str) -> None:
        for number in range(self.runs.count()):
            item = self.runs.item(number)
            if Path(item.data(FOLDER)) == folder:
                self._dress(item, status)

    def _dress(self, item: QListWidgetItem, status: str) -> None:
        item.setData(STATUS, status)
        item.setText(f"{item.data(TITLE)}\n{WORDS.get(status, status)} · {Path(item.data(FOLDER)).name}")
        item.setToolTip(str(item.data(FOLDER)))
        sign = SIGNS.get(status, ("dash", "faint"))
        item.setIcon(theme.icon(*sign))
        item.setSizeHint(QSize(0, theme.line_height() * 2 + theme.gap(3)))

    # --- starting ---------------------------------------------------------------------------------

    def _start(self, arguments: list[str], title: str) -> None:
        self.problem.clear()
        # a disabled button would hand the keyboard to the list of pages
        self.new_button.setFocus()
        self.form.set_starting(True)
        self._launch(self.tr("Training {0}").format(title), arguments)

    def _resume(self, folder: Path) -> None:
        self._launch(self.tr("Training {0}").format(folder.name), ["train", str(folder), "--resume"])

    def _launch(self, title: str, arguments: list[str]) -> Job:
        job = self._jobs.start(title, arguments, detached=True)
        job.event_came.connect(self._take)
        job.failed.connect(lambda failure: self._failed(job, failure))
        job.ended.connect(lambda _: self._ended())
        return job

    def _take(self, event: Any) -> None:
        if isinstance(event, Started) and event.run_folder:
            self.form.set_starting(False)
            folder = Path(event.run_folder)
            if self.view.folder == folder:
                # resumed: follow the new part of its events too
                self.view.release()
            self._show_next = folder
            self._project.runs_changed.emit()

    def _failed(self, job: Job, failure: Failed) -> None:
        if job.run_folder is None:
            # nothing was prepared: the form is where it can be mended
            self.problem.say_failure(failure)

    def _ended(self) -> None:
        self.form.set_starting(False)
        self._project.runs_changed.emit()

    def _restyle(self) -> None:
        for number in range(self.runs.count()):
            self._dress(self.runs.item(number), self.runs.item(number).data(STATUS))


def _status(folder: Path, known: str) -> str:
    """Return how a run stands by its own folder; what the project knows where the folder is gone."""
    from training_backend.errors import KpddError
    from training_backend.students.run_folder import RunFolder

    try:
        return RunFolder.open(folder).status()
    except KpddError:
        return known
