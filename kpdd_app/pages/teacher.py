"""The Teacher page: which teacher, which questions; try one; run all; see what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from kpdd_app import messages, theme
from kpdd_app.jobs import Job, Jobs
from kpdd_app.key_bindings import add_action
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.teacher_form import TeacherForm
from kpdd_app.pages.teacher_try import Tried, TryPanel, ask_one
from kpdd_app.widgets.empty_state import EmptyState
from kpdd_app.widgets.generation_view import GenerationView
from training_backend.events import Progress, Result
from training_backend.project.listing import RowFilter
from training_backend.project.questions import datasets

if TYPE_CHECKING:
    from training_backend.project.store import Project


class TeacherPage(QWidget):
    """Lets a teacher write key points and rationales for the project's questions."""

    rows_wanted = Signal(object)
    page_wanted = Signal(str)
    import_wanted = Signal()
    choose_project_wanted = Signal()

    def __init__(self, project: OpenProject, jobs: Jobs, parent: QWidget | None = None) -> None:
        """Generate for `project` with `jobs`."""
        super().__init__(parent)
        self.project = project
        self.jobs = jobs
        self.job: Job | None = None
        self._build()
        self._make_actions()
        project.opened.connect(lambda _: self._refresh())
        project.closed.connect(self._refresh)
        project.rows_changed.connect(lambda ids: self._refresh() if ids is None else None)
        jobs.job_started.connect(self._adopt)
        self._refresh()

    # --- methods ----------------------------------------------------------------------------------

    def key(self) -> str:
        """Return the page's key in the rail."""
        return "teacher"

    def take_focus(self) -> None:
        """Give the keyboard to the choice of a teacher."""
        self.form.teacher.setFocus(Qt.FocusReason.OtherFocusReason)

    def start(self) -> None:
        """Start the run that the form describes."""
        path = self.project.path
        if path is None or self.job is not None or not self.form.check():
            return
        if self.project.read_only:
            messages.inform(self, self.tr("This project is open read-only."), self.project.read_only_reason)
            return
        self.form.remember()
        self.jobs.start(self.tr("Teacher: {0}").format(self.form.title()), self.form.arguments(path))

    def ask(self) -> None:
        """Ask about one question and show the reply beside what was read from it; nothing is stored."""
        if self.project.path is None or not self.form.check():
            return
        self.trial.show_waiting()
        choice, seed = self.form.choice(), self.trial.next_number()

        def task(project: Project) -> Tried:
            return ask_one(project, choice, seed)

        self.project.read(task, self._take_trial, self._trial_failed, key="ask one")

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.form = TeacherForm()
        self.trial = TryPanel()
        self.view = GenerationView()
        self.view.state_wanted.connect(self._show_state)
        self.ask_button = QPushButton(self.tr("Ask one"))
        self.ask_button.setToolTip(self.tr("Ask about one question; nothing is stored (Ctrl+T)"))
        self.ask_button.clicked.connect(self.ask)
        self.start_button = QPushButton(self.tr("Start"))
        self.start_button.setProperty("kind", "primary")
        self.start_button.clicked.connect(self.start)
        self.stop_button = QPushButton(self.tr("Stop"))
        self.stop_button.clicked.connect(lambda: self.job.stop() if self.job is not None else None)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self.body = QWidget()
        self.empty = EmptyState("teacher", "")
        self.empty.acted.connect(self._help)
        row.addWidget(self.body)
        row.addWidget(self.empty)
        inner = QHBoxLayout(self.body)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(0)
        inner.addWidget(self._left())
        line = QFrame()
        line.setProperty("panel", "line")
        line.setFixedWidth(1)
        inner.addWidget(line)
        inner.addWidget(self._right(), 1)

    def _left(self) -> QWidget:
        title = QLabel(self.tr("Teacher"))
        title.setProperty("role", "title")
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.gap(2))
        buttons.addWidget(self.start_button)
        buttons.addWidget(self.stop_button)
        buttons.addStretch(1)
        buttons.addWidget(self.ask_button)
        self.note = QLabel(self.tr("What was answered before is not asked again."))
        self.note.setProperty("role", "caption")
        self.note.setWordWrap(True)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(theme.gap(6), theme.gap(5), theme.gap(6), theme.gap(4))
        column.setSpacing(theme.gap(4))
        column.addWidget(title)
        column.addWidget(self.form)
        column.addLayout(buttons)
        column.addWidget(self.note)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setFixedWidth(theme.gap(116))
        scroll.setWidget(inside)
        return scroll

    def _right(self) -> QWidget:
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(theme.gap(6), theme.gap(5), theme.gap(6), theme.gap(4))
        column.setSpacing(theme.gap(5))
        column.addWidget(self.view)
        column.addWidget(self.trial, 1)
        return right

    def _make_actions(self) -> None:
        for name, do in (("start", self.start), ("ask", self.ask), ("stop", self.stop_button.click)):
            add_action(self, f"teacher.{name}", do)

    # --- slots ------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        if self.project.path is None:
            self._show_empty(self.tr("No project is open"), self.tr("A teacher writes about a project's "
                             "questions."), self.tr("Open a project…"))  # fmt: skip
        else:
            self.project.read(datasets, self._take_datasets, key="teacher-datasets")

    def _take_datasets(self, found: list[tuple[str, str, int]]) -> None:
        self.form.set_datasets(found)
        if found:
            self.empty.hide()
            self.body.show()
        else:
            self._show_empty(self.tr("There is nothing to ask about yet"), self.tr("Import questions first; "
                             "then a teacher writes key points and rationales for them."),
                             self.tr("Import a file…"))  # fmt: skip
        self._show_buttons()

    def _adopt(self, job: Job) -> None:
        """Follow a generation of this project, whoever started it."""
        if job.arguments[:1] != ["generate"] or self.job is not None:
            return
        self.job = job
        self.view.begin()
        job.event_came.connect(self._take_event)
        job.ended.connect(lambda status: self._ended(job, status))
        self._show_buttons()

    def _take_event(self, event: Any) -> None:
        if isinstance(event, Progress) and event.counts:
            self.view.set_counts(event.counts)
        elif isinstance(event, Result):
            self.view.set_result(event.data)

    def _ended(self, job: Job, status: str) -> None:
        self.job = None
        self.view.end(status)
        self._show_buttons()
        self.project.rows_changed.emit(None)
        if status == "failed" and job.last_failure is not None:
            messages.error(self, job.last_failure)

    def _take_trial(self, tried: Tried) -> None:
        self.trial.show_tried(tried)

    def _trial_failed(self, error: Exception) -> None:
        self.trial.clear()
        messages.error(self, error)

    def _show_state(self, state: str) -> None:
        self.rows_wanted.emit(RowFilter({"verdict": frozenset({state})}))

    def _help(self) -> None:
        if self.project.path is None:
            self.choose_project_wanted.emit()
        else:
            self.import_wanted.emit()

    # --- helpers ----------------------------------------------------------------------------------

    def _show_empty(self, what: str, why: str, action: str) -> None:
        self.empty.say(what, why, action)
        self.empty.show()
        self.body.hide()

    def _show_buttons(self) -> None:
        running = self.job is not None
        self.start_button.setEnabled(not running and not self.project.read_only)
        self.stop_button.setVisible(running)
        self.form.setEnabled(not running)
