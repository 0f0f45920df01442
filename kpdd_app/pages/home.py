"""Home: the project as one picture, what to do next, and the projects of before."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import messages, theme
from kpdd_app.background import Background
from kpdd_app.jobs import Job, Jobs
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.home_projects import ProjectsPanel
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
# narrower than this, in quarters of a line, the projects lie below the overview
NARROW = 190


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
        self._next_lines: list[QBoxLayout] = []
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
        first = self.next_buttons[0] if self.next_buttons else self.side.new
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def open_sample(self) -> None:
        """Open the sample project, making it first where there is none."""
        file = sample_project_file()
        if file.exists():
            self.project_wanted.emit(file)
            return
        job = self.jobs.start(self.tr("Making the sample project"), ["new", str(file), "--sample"])
        self.waiting.show()
        self._show(self.making)
        job.event_came.connect(self._sample_progress)
        job.ended.connect(lambda status: self._sample_made(job, file, status))

    def leave(self) -> None:
        """End the thread that counts; called before the window closes."""
        self._soon.stop()
        self._counter.close()

    def resizeEvent(self, event) -> None:
        """Put the projects below where the window is too narrow, or the letters too large."""
        super().resizeEvent(event)
        self._turn()

    def showEvent(self, event) -> None:
        super().showEvent(event)
        if self._stale:
            self._count()

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.parts = QWidget()
        parts = QVBoxLayout(self.parts)
        parts.setContentsMargins(0, 0, 0, 0)
        for part in (self._overview(), self._nothing_open(), self._making()):
            parts.addWidget(part)
        self._show(self.overview)
        self.side = ProjectsPanel()
        self.side.new_wanted.connect(self.new_project_wanted)
        self.side.open_wanted.connect(self.choose_project_wanted)
        self.side.sample_wanted.connect(self.open_sample)
        self.side.project_wanted.connect(self._open_project)
        inside = QWidget()
        self._line = QBoxLayout(QBoxLayout.Direction.LeftToRight, inside)
        self._line.setContentsMargins(theme.gap(8), theme.gap(6), theme.gap(6), theme.gap(4))
        self._line.setSpacing(theme.gap(6))
        self._line.addWidget(self.parts, 1)
        self._line.addWidget(self.side)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scroll)
        theme.notifier().changed.connect(self._turn)

    def _overview(self) -> QWidget:
        self.overview = QWidget()
        self.title = _label("title")
        self.place = _label("muted")
        for part in (self.title, self.place):
            part.setWordWrap(True)
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
        for part in (self.making_text, self.making_what):
            part.setWordWrap(True)
        self.making_what.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.making_what.setText(self.tr("Questions, key points and programs of our own; this is done once."))
        self.waiting = QProgressBar()
        self.waiting.setAccessibleName(self.tr("Progress of the sample project"))
        self.waiting.setRange(0, 0)
        self.waiting.setTextVisible(False)
        self.waiting.setMaximumWidth(theme.gap(70))
        column = QVBoxLayout(self.making)
        column.addStretch(3)
        column.addWidget(self.making_text)
        column.addWidget(self.making_what)
        column.addSpacing(theme.gap(3))
        bar = QHBoxLayout()
        bar.addStretch(1)
        bar.addWidget(self.waiting, 100)
        bar.addStretch(1)
        column.addLayout(bar)
        column.addStretch(4)
        return self.making

    # --- slots ------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        self.side.show_recent(self.settings.recent(), self.project.path)
        if self.project.path is None:
            if not self._making_sample():
                self._show(self.nothing)
            return
        self.title.setText(self.project.path.stem)
        reason = self.project.read_only_reason
        # a path may break behind each of its folders
        place = str(self.project.path.parent).replace(os.sep, f"{os.sep}\u200b")
        self.place.setText(place + (f"  ·  {reason}" if reason else ""))
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
        self._show(self.overview)
        self._turn()

    def _open_step(self, target: object) -> None:
        if isinstance(target, str):
            self.page_wanted.emit(target)
        else:
            self.rows_wanted.emit(target)

    def _open_project(self, path: Path) -> None:
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

    def _turn(self) -> None:
        ways = QBoxLayout.Direction
        narrow = self.width() < theme.gap(NARROW)
        self._line.setDirection(ways.TopToBottom if narrow else ways.LeftToRight)
        self.side.set_below(narrow)
        for line in self._next_lines:
            line.setDirection(ways.TopToBottom if self.width() < theme.gap(130) else ways.LeftToRight)

    def _show(self, page: QWidget) -> None:
        """Show one of the three; a stack would leave the room of the largest to each of them."""
        self.shown = page
        for part in (self.overview, self.nothing, self.making):
            part.setVisible(part is page)

    def _making_sample(self) -> bool:
        return any(
            job.arguments[:1] == ["new"] and "--sample" in job.arguments for job in self.jobs.running()
        )

    def _show_next(self, steps: list[Next]) -> None:
        if steps == self._next:
            return
        self._next = steps
        while self.next_box.count():
            taken = self.next_box.takeAt(0)
            widget = taken.widget() if taken is not None else None
            if widget is not None:
                widget.deleteLater()
        had_focus = self.side.new.hasFocus() or any(button.hasFocus() for button in self.next_buttons)
        self.next_buttons, self._next_lines = [], []
        for number, step in enumerate(steps):
            self.next_box.addWidget(self._next_line(step, first=number == 0))
        if had_focus:
            self.take_focus()

    def _next_line(self, step: Next, first: bool) -> QWidget:
        button = QPushButton(step.action)
        button.setProperty("kind", "primary" if first else "")
        button.clicked.connect(self._doer(step))
        self.next_buttons.append(button)
        why = _label("muted")
        why.setText(step.why)
        why.setWordWrap(True)
        button.setMinimumWidth(theme.gap(54))
        button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        line = QWidget()
        row = QBoxLayout(QBoxLayout.Direction.LeftToRight, line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.gap(1))
        row.addWidget(button)
        row.addSpacing(theme.gap(3))
        row.addWidget(why, 1)
        self._next_lines.append(row)
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
