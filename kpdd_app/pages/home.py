"""Home: the project as one picture, what to do next, and the projects of before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import messages, theme
from kpdd_app.background import Background
from kpdd_app.jobs import Job, Jobs
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.home_steps import Next, funnel_steps, next_steps
from kpdd_app.settings import Settings
from kpdd_app.widgets.empty_state import EmptyState
from kpdd_app.widgets.funnel_view import FunnelView
from training_backend.events import Progress, RowsChanged
from training_backend.paths import sample_project_file

if TYPE_CHECKING:
    from training_backend.project.funnel import BestAccuracy
    from training_backend.project.store import Project

# how often the funnel follows a job that writes rows
COUNT_MS = 400


class HomePage(QWidget):
    """Where the work stands."""

    page_wanted = Signal(str)
    rows_wanted = Signal(object)
    project_wanted = Signal(object)
    new_project_wanted = Signal()
    choose_project_wanted = Signal()
    import_wanted = Signal()

    def __init__(self, project: OpenProject, jobs: Jobs, parent: QWidget | None = None) -> None:
        """Show how `project` stands."""
        super().__init__(parent)
        self.project = project
        self.jobs = jobs
        self.settings = Settings()
        self.counts: dict[str, int] = {}
        self._next: list[Next] = []
        # counting a million rows takes a moment, and the row on another page must not wait for it
        self._counter = Background("funnel", self)
        self._stale = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(COUNT_MS)
        self._soon.timeout.connect(self._count)
        self._build()
        project.opened.connect(lambda _: self._refresh())
        project.closed.connect(self._refresh)
        project.rows_changed.connect(lambda _: self._count_soon())
        project.runs_changed.connect(self._count_soon)
        jobs.job_started.connect(lambda job: job.event_came.connect(self._watch))
        jobs.job_ended.connect(lambda _: self._count_soon())
        self._refresh()

    # --- methods ----------------------------------------------------------------------------------

    def key(self) -> str:
        """Return the page's key in the rail."""
        return "home"

    def take_focus(self) -> None:
        """Give the keyboard to the next thing to do."""
        (self.next_buttons[0] if self.next_buttons else self.new).setFocus(Qt.FocusReason.OtherFocusReason)

    def open_sample(self) -> None:
        """Open the sample project, making it first where there is none."""
        file = sample_project_file()
        if file.exists():
            self.project_wanted.emit(file)
            return
        job = self.jobs.start(self.tr("Making the sample project"), ["new", str(file), "--sample"])
        self.waiting.show()
        self.stack.setCurrentWidget(self.making)
        job.event_came.connect(self._sample_progress)
        job.ended.connect(lambda status: self._sample_made(job, file, status))

    def leave(self) -> None:
        """End the thread that counts; called before the window closes."""
        self._soon.stop()
        self._counter.close()

    def resizeEvent(self, event) -> None:
        """Give the room to the funnel where the window is too narrow, or the letters too large."""
        super().resizeEvent(event)
        nothing_else = self.stack.currentWidget() is not self.overview
        self.side.setVisible(nothing_else or self.width() >= theme.gap(215))

    def showEvent(self, event) -> None:
        super().showEvent(event)
        if self._stale:
            self._count()

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.stack = QStackedWidget()
        self.stack.addWidget(self._overview())
        self.stack.addWidget(self._nothing_open())
        self.stack.addWidget(self._making())
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.gap(8), theme.gap(6), theme.gap(6), theme.gap(4))
        row.setSpacing(theme.gap(6))
        row.addWidget(self.stack, 1)
        self.side = self._projects()
        row.addWidget(self.side)

    def _overview(self) -> QWidget:
        self.overview = QWidget()
        self.title = _label("title")
        self.place = _label("muted")
        self.funnel = FunnelView()
        self.funnel.opened.connect(self._open_step)
        self.next_box = QVBoxLayout()
        self.next_box.setSpacing(theme.gap(1.5))
        self.next_buttons: list[QPushButton] = []
        heading = _label("heading")
        heading.setText(self.tr("What to do next"))
        column = QVBoxLayout(self.overview)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.gap(1))
        column.addWidget(self.title)
        column.addWidget(self.place)
        column.addSpacing(theme.gap(6))
        self.funnel.setMaximumHeight(theme.gap(90))
        column.addWidget(self.funnel, 6)
        column.addSpacing(theme.gap(6))
        column.addWidget(heading)
        column.addLayout(self.next_box)
        column.addStretch(2)
        return self.overview

    def _nothing_open(self) -> QWidget:
        self.nothing = EmptyState(
            "home",
            self.tr("No project is open"),
            self.tr("A project is one file. It keeps questions, what a teacher wrote about them, what you "
                    "corrected, and how the students did."),
            self.tr("New project…"), self.tr("Open the sample project"),
        )  # fmt: skip
        self.nothing.acted.connect(self.new_project_wanted)
        self.nothing.acted_other.connect(self.open_sample)
        return self.nothing

    def _making(self) -> QWidget:
        self.making = QWidget()
        self.making_text = _label("title")
        self.making_text.setText(self.tr("Making the sample project"))
        self.making_text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.making_what = _label("muted")
        self.making_what.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.making_what.setText(self.tr("Questions, key points and programs of our own; this is done once."))
        self.waiting = QProgressBar()
        self.waiting.setAccessibleName(self.tr("Progress of the sample project"))
        self.waiting.setRange(0, 0)
        self.waiting.setTextVisible(False)
        self.waiting.setFixedWidth(theme.gap(70))
        column = QVBoxLayout(self.making)
        column.addStretch(3)
        column.addWidget(self.making_text)
        column.addWidget(self.making_what)
        column.addSpacing(theme.gap(3))
        column.addWidget(self.waiting, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(4)
        return self.making

    def _projects(self) -> QWidget:
        side = QFrame()
        side.setProperty("panel", "surface")
        side.setFixedWidth(theme.gap(60))
        heading = _label("heading")
        heading.setText(self.tr("Projects"))
        self.new = QPushButton(self.tr("New…"))
        self.open = QPushButton(self.tr("Open…"))
        self.sample = QPushButton(self.tr("Sample"))
        self.new.clicked.connect(self.new_project_wanted)
        self.open.clicked.connect(self.choose_project_wanted)
        self.sample.clicked.connect(self.open_sample)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.gap(1.5))
        for button in (self.new, self.open, self.sample):
            buttons.addWidget(button, 1)
        self.recent = QListWidget()
        self.recent.setFrameShape(QFrame.Shape.NoFrame)
        self.recent.setAccessibleName(self.tr("Recent projects"))
        self.recent.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.recent.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.recent.setStyleSheet("QListView { border: none; background: transparent; }")
        self.recent.itemActivated.connect(self._open_recent)
        self.recent.itemClicked.connect(self._open_recent)
        hint = _label("caption")
        hint.setText(self.tr("Drop a project or a file with questions anywhere on the window."))
        hint.setWordWrap(True)
        column = QVBoxLayout(side)
        column.setContentsMargins(*[theme.gap(3)] * 4)
        column.setSpacing(theme.gap(2))
        column.addWidget(heading)
        column.addLayout(buttons)
        column.addWidget(self.recent, 1)
        column.addWidget(hint)
        return side

    # --- slots ------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        self._show_recent()
        if self.project.path is None:
            if not self._making_sample():
                self.stack.setCurrentWidget(self.nothing)
            return
        self.title.setText(self.project.path.stem)
        reason = self.project.read_only_reason
        self.place.setText(f"{self.project.path.parent}" + (f"  ·  {reason}" if reason else ""))
        self._count()

    def _watch(self, event: object) -> None:
        if isinstance(event, RowsChanged):
            self._count_soon()

    def _count_soon(self) -> None:
        """Count again in a moment, or when the page is seen again."""
        self._stale = True
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    def _count(self) -> None:
        project = self.project.project
        self._stale = False
        if project is None:
            return

        def take(found: tuple[dict[str, int], BestAccuracy | None]) -> None:
            if self.project.project is project:
                self._take(*found)
            if self._stale:
                self._soon.start()

        def went_wrong(error: Exception) -> None:
            if self.project.project is project:
                self.project.failed.emit(error)

        self._counter.run(lambda: _funnel(project), take, went_wrong, key="funnel")

    def _take(self, counts: dict[str, int], best: BestAccuracy | None) -> None:
        self.counts = counts
        self.funnel.set_steps(funnel_steps(counts, self.tr, best))
        self._show_next(next_steps(counts, self.tr))
        self.stack.setCurrentWidget(self.overview)
        self.side.setVisible(self.width() >= theme.gap(215))

    def _open_step(self, target: object) -> None:
        if isinstance(target, str):
            self.page_wanted.emit(target)
        else:
            self.rows_wanted.emit(target)

    def _open_recent(self, item: QListWidgetItem) -> None:
        path = Path(item.data(Qt.ItemDataRole.UserRole))
        if path != self.project.path:
            self.project_wanted.emit(path)

    def _sample_progress(self, event: object) -> None:
        if isinstance(event, Progress):
            self.waiting.setRange(0, event.total)
            self.waiting.setValue(event.done)
            if event.text:
                self.making_what.setText(event.text)

    def _sample_made(self, job: Job, file: Path, status: str) -> None:
        if status == "done":
            self.project_wanted.emit(file)
            return
        self._refresh()
        if job.last_failure is not None:
            messages.error(self, job.last_failure, self.tr("The sample project could not be made"))

    # --- helpers ----------------------------------------------------------------------------------

    def _making_sample(self) -> bool:
        return any(
            job.arguments[:1] == ["new"] and "--sample" in job.arguments for job in self.jobs.running()
        )

    def _show_recent(self) -> None:
        self.recent.clear()
        for path in self.settings.recent():
            item = QListWidgetItem(theme.icon("file", "muted"), path.stem)
            item.setData(Qt.ItemDataRole.UserRole, str(path))
            item.setToolTip(str(path))
            if path == self.project.path:
                font = item.font()
                font.setBold(True)
                item.setFont(font)
            self.recent.addItem(item)

    def _show_next(self, steps: list[Next]) -> None:
        if steps == self._next:
            return
        self._next = steps
        while self.next_box.count():
            taken = self.next_box.takeAt(0)
            widget = taken.widget() if taken is not None else None
            if widget is not None:
                widget.deleteLater()
        self.next_buttons = []
        for number, step in enumerate(steps):
            self.next_box.addWidget(self._next_line(step, first=number == 0))

    def _next_line(self, step: Next, first: bool) -> QWidget:
        button = QPushButton(step.action)
        button.setProperty("kind", "primary" if first else "")
        button.clicked.connect(self._doer(step))
        self.next_buttons.append(button)
        why = _label("muted")
        why.setText(step.why)
        why.setWordWrap(True)
        button.setMinimumWidth(theme.gap(54))
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.gap(4))
        row.addWidget(button)
        row.addWidget(why, 1)
        return line

    def _doer(self, step: Next) -> Callable[[], None]:
        if step.target == "import":
            return lambda: self.import_wanted.emit()
        return lambda: self._open_step(step.target)


def _funnel(project: Project) -> tuple[dict[str, int], BestAccuracy | None]:
    from training_backend.project.funnel import best_accuracy, funnel

    return funnel(project), best_accuracy(project)


def _label(role: str) -> QLabel:
    label = QLabel()
    label.setProperty("role", role)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label
