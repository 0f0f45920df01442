"""One run on the Train page: how it stands, its curves, what the students say to held-out questions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import theme
from kpdd_app.jobs import Job, Jobs
from kpdd_app.student_choices import folder_choice
from kpdd_app.widgets.job_bar import duration
from kpdd_app.widgets.live_plot import ACCURACY, HELD_OUT, LOSS, LivePlot
from kpdd_app.widgets.notice import Notice
from training_backend import methods
from training_backend.events import Event, Failed, HeldOut, Log, Metrics, Progress, Started

SAMPLES_SHOWN = 5
REFRESH_MS = 200
# the first steps are slower than the others and say little of the time left
SETTLED = 3
WORDS = {
    "starting": "starting",
    "running": "running",
    "paused": "paused",
    "stopping": "stopping …",
    "prepared": "prepared",
    "done": "done",
    "stopped": "stopped",
    "failed": "failed",
    "interrupted": "interrupted",
    "detached": "",
}
SIGNS = {
    "done": ("check", "equal"),
    "failed": ("cross", "wrong"),
    "interrupted": ("cross", "wrong"),
    "running": ("play", "accent"),
    "paused": ("pause", "muted"),
    "stopped": ("stop", "muted"),
}


@dataclass
class Figures:
    """The newest figures of one student."""

    metrics: Metrics | None = None
    held_out: HeldOut | None = None


class RunView(QWidget):
    """Follows a run folder from its first event; the run itself needs none of this."""

    solve_wanted = Signal(str)
    evaluate_wanted = Signal(str)
    resume_wanted = Signal(object)
    status_changed = Signal(object, str)

    def __init__(self, jobs: Jobs, parent: QWidget | None = None) -> None:
        """Build the view, empty."""
        super().__init__(parent)
        self._jobs = jobs
        self._job: Job | None = None
        self.folder: Path | None = None
        self.status = ""
        self._progress = ""
        self._figures: dict[str, Figures] = {}
        self._labels: dict[tuple[str, str], QLabel] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self._refresh)
        self._build()

    def show_run(self, folder: Path, title: str, method: str) -> None:
        """Show a run folder: what has happened, then what happens."""
        self.release()
        self.folder = folder
        self.title.setText(title)
        self.title.setToolTip(str(folder))
        self._progress = ""
        self.problem.clear()
        self.samples.setRowCount(0)
        self._roles(methods.get(method).roles)
        self._job = self._jobs.follow(folder)
        job = self._job
        job.event_came.connect(lambda event: self._take(event) if job is self._job else None)
        job.status_changed.connect(lambda status: self._say_status(status) if job is self._job else None)
        job.failed.connect(lambda failure: self._fail(failure) if job is self._job else None)
        self._say_status(job.status)

    def release(self) -> None:
        """Stop following."""
        if self._job is not None:
            job, self._job = self._job, None
            job.release()
        self.folder = None

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.problem = Notice()
        self.plot = LivePlot()
        self.figures = QGridLayout()
        self.figures.setHorizontalSpacing(theme.gap(4))
        self.figures.setVerticalSpacing(theme.gap(1))
        frame = QFrame()
        frame.setProperty("panel", "surface")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(*[theme.gap(theme.M)] * 4)
        inside.addWidget(self.plot)
        self.legend = QLabel()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        inside.addWidget(self.legend)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.gap(2))
        column.addLayout(self._head())
        column.addWidget(self.problem)
        column.addWidget(self.bar)
        column.addLayout(self.figures)
        column.addWidget(frame, 3)
        column.addWidget(self._samples(), 2)
        theme.notifier().changed.connect(self._restyle)
        self._restyle()

    def _head(self) -> QHBoxLayout:
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.sign = QLabel()
        self.word = QLabel()
        self.word.setProperty("role", "muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of the run"))
        self.pause = self._button(self.tr("Pause"), self._pause)
        self.stop = self._button(self.tr("Stop and keep"), self._stop)
        self.resume = self._button(self.tr("Resume"), lambda: self.resume_wanted.emit(self.folder))
        self.solve = self._button(
            self.tr("Solve with these"), lambda: self.solve_wanted.emit(str(self.folder))
        )
        self.evaluate = self._button(self.tr("Evaluate"), lambda: self.evaluate_wanted.emit(str(self.folder)))
        self.open_folder = self._button(self.tr("Folder"), self._open_folder)
        self.open_folder.setProperty("kind", "quiet")
        row = QHBoxLayout()
        row.setSpacing(theme.gap(1.5))
        row.addWidget(self.title)
        row.addWidget(self.sign)
        row.addWidget(self.word, 1)
        for button in (self.pause, self.stop, self.resume, self.solve, self.evaluate, self.open_folder):
            row.addWidget(button)
        return row

    def _samples(self) -> QTableWidget:
        self.samples = QTableWidget(0, 5)
        self.samples.setAccessibleName(self.tr("Held-out questions"))
        self.samples.setHorizontalHeaderLabels(
            [
                self.tr("Student"),
                self.tr("Held-out question"),
                self.tr("Wanted"),
                self.tr("It says now"),
                self.tr("Verdict"),
            ]
        )
        self.samples.verticalHeader().hide()
        self.samples.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.samples.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.samples.setTabKeyNavigation(False)
        self.samples.setShowGrid(False)
        self.samples.setWordWrap(False)
        header = self.samples.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for section in (1, 2, 3):
            header.setSectionResizeMode(section, QHeaderView.ResizeMode.Stretch)
        return self.samples

    def _button(self, text: str, do: Any) -> QPushButton:
        button = QPushButton(text)
        button.clicked.connect(lambda _=False: do())
        return button

    def _roles(self, roles: tuple[methods.Role, ...]) -> None:
        self._figures = {role.name: Figures() for role in roles}
        self._titles = {role.name: role.title for role in roles}
        self.plot.set_panels(self._titles)
        while (item := self.figures.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        self._labels = {}
        for column, (_, heading) in enumerate(COLUMNS):
            label = QLabel(heading)
            label.setProperty("role", "caption")
            self.figures.addWidget(label, 0, column)
        for number, role in enumerate(roles, 1):
            for column, (name, _) in enumerate(COLUMNS):
                label = QLabel(role.title if name == "role" else "–")
                self._labels[role.name, name] = label
                self.figures.addWidget(label, number, column)
        self.figures.setColumnStretch(len(COLUMNS), 1)

    # --- slots ------------------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        if isinstance(event, Metrics) and event.role in self._figures:
            self._figures[event.role].metrics = event
            self.plot.add(event.role, LOSS, event.step, event.loss, event.total_steps)
        elif isinstance(event, HeldOut) and event.role in self._figures:
            self._figures[event.role].held_out = event
            if event.loss is not None:
                self.plot.add(event.role, HELD_OUT, event.step, event.loss)
            if event.accuracy is not None:
                self.plot.add(event.role, ACCURACY, event.step, event.accuracy)
        elif isinstance(event, Started):
            self.problem.clear()
        elif isinstance(event, Progress):
            self._progress = f"{event.stage} {event.text}".strip()
        elif isinstance(event, Log) and event.level in ("warning", "error"):
            self.problem.say(event.text)
        if not self._timer.isActive():
            self._timer.start()

    def _fail(self, failure: Failed) -> None:
        self.problem.say_failure(failure)

    def _say_status(self, status: str) -> None:
        if status == "detached":
            return
        self.status = status
        live = status in ("starting", "running", "paused", "stopping")
        self.pause.setVisible(live)
        self.pause.setText(self.tr("Go on") if status == "paused" else self.tr("Pause"))
        self.stop.setVisible(live)
        self.stop.setEnabled(status != "stopping")
        self.resume.setVisible(status in ("stopped", "failed"))
        for button in (self.solve, self.evaluate):
            button.setVisible(status in ("done", "stopped"))
            problem = folder_choice(self.folder).problem if self.folder is not None else ""
            button.setEnabled(not problem)
            button.setToolTip(problem)
        self.bar.setVisible(live)
        self._refresh()
        self._restyle()
        if self.folder is not None:
            self.status_changed.emit(self.folder, status)

    def _refresh(self) -> None:
        now = (self._progress or self.tr("loading …")) if self.status == "running" else ""
        left = self._time_left()
        parts = [WORDS.get(self.status, self.status), now if left is None else "",
                 self.tr("{0} left").format(duration(left)) if left is not None else ""]  # fmt: skip
        self.word.setText(" · ".join(part for part in parts if part))
        self._show_bar()
        for role, figures in self._figures.items():
            for name, text in figure_texts(figures).items():
                self._labels[role, name].setText(text)
        self._show_samples()

    def _show_bar(self) -> None:
        done = sum(f.metrics.step for f in self._figures.values() if f.metrics)
        known = [f.metrics.total_steps for f in self._figures.values() if f.metrics]
        total = round(sum(known) / len(known) * len(self._figures)) if known else 0
        self.bar.setRange(0, total)
        self.bar.setValue(done)

    def _time_left(self) -> float | None:
        """Return the seconds that the student at work still needs, by its own pace."""
        if self.status != "running":
            return None
        for figures in self._figures.values():
            m = figures.metrics
            if m is not None and SETTLED <= m.step < m.total_steps and m.elapsed_s:
                return m.elapsed_s * (m.total_steps - m.step) / m.step
        return None

    def _show_samples(self) -> None:
        rows = [(role, sample) for role, figures in self._figures.items() if figures.held_out is not None
                for sample in figures.held_out.samples[:SAMPLES_SHOWN]]  # fmt: skip
        self.samples.setRowCount(len(rows))
        for number, (role, sample) in enumerate(rows):
            state = str(sample.get("state") or "")
            word = theme.look(state).word if state else ""
            asked = str(sample.get("source", "")).split(": ", 1)[-1].removeprefix("question: ")
            cells = (
                self._titles[role],
                asked,
                sample.get("wanted", ""),
                sample.get("said", ""),
                word,
            )
            for column, text in enumerate(cells):
                item = QTableWidgetItem(" ".join(str(text).split())[:300])
                item.setToolTip(str(text)[:2000])
                if column == 4 and state:
                    look = theme.look(state)
                    item.setForeground(theme.colour(look.colour))
                    item.setIcon(theme.icon(look.sign, look.colour))
                self.samples.setItem(number, column, item)

    def _pause(self) -> None:
        if self._job is None:
            return
        if self._job.status == "paused":
            self._job.resume()
        else:
            self._job.pause()

    def _stop(self) -> None:
        if self._job is not None:
            self._job.stop()

    def _open_folder(self) -> None:
        if self.folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.folder)))

    def _restyle(self) -> None:
        tokens = theme.current()
        sign = SIGNS.get(self.status)
        self.sign.setVisible(sign is not None)
        if sign is not None:
            self.sign.setPixmap(theme.pixmap(*sign, theme.icon_size(), self.devicePixelRatioF()))
        self.legend.setText(
            f'<span style="color:{tokens.accent}">━</span> loss &nbsp;&nbsp; '
            f'<span style="color:{tokens.changed}">●</span> held-out loss &nbsp;&nbsp; '
            f'<span style="color:{tokens.equal}">■</span> held-out accuracy (right axis)'
        )
        header = self.samples.horizontalHeader()
        header.setMinimumSectionSize(theme.line_height() * 3)
        self.samples.setColumnWidth(0, theme.line_height() * 5)
        self.samples.setColumnWidth(4, theme.line_height() * 8)
        self.samples.verticalHeader().setDefaultSectionSize(theme.row_height())


COLUMNS = (
    ("role", "Student"),
    ("step", "Step"),
    ("loss", "Loss"),
    ("held", "Held-out loss"),
    ("accuracy", "Held-out accuracy"),
    ("rate", "Learning rate"),
    ("speed", "Tokens/s"),
    ("memory", "Memory"),
)


def figure_texts(figures: Figures) -> dict[str, str]:
    """Return the figures of a student as people read them."""
    m, h = figures.metrics, figures.held_out
    texts = {}
    if m is not None:
        texts = {
            "step": f"{m.step:,} / {m.total_steps:,}",
            "loss": f"{m.loss:.3f}",
            "rate": f"{m.learning_rate:.2g}",
            "speed": f"{m.tokens_per_s:,.0f}",
            "memory": f"{m.memory_bytes / 2**30:.1f} GiB",
        }
    if h is not None:
        texts["held"] = f"{h.loss:.3f}" if h.loss is not None else "–"
        texts["accuracy"] = f"{100 * h.accuracy:.1f} %" if h.accuracy is not None else "–"
    return texts
