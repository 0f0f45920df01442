"""One run as it goes on: curves, figures, held-out questions, and pause, stop, resume."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from kpdd_app import messages, theme
from kpdd_app.jobs import Job, Jobs
from kpdd_app.pages.train_checkpoints import CheckpointsDialog, choices, goes_on_from
from kpdd_app.pages.train_figures import FiguresView, held_out_of, judged_roles, left_text, legend_text
from kpdd_app.pages.train_parts import STATUS_SIGNS, STATUS_WORDS, scrolled
from kpdd_app.pages.train_samples import SamplesView
from kpdd_app.student_choices import folder_choice
from kpdd_app.widgets.live_plot import ACCURACY, HELD_OUT, LOSS, LivePlot
from kpdd_app.widgets.notice import Notice
from training_backend import methods
from training_backend.errors import KpddError
from training_backend.events import Event, Failed, HeldOut, Log, Metrics, Progress, Started
from training_backend.students.run_folder import RunFolder

REFRESH_MS = 200
LIVE = ("starting", "running", "paused", "stopping")


class RunView(QWidget):
    """Follows a run folder from its first event; the run itself needs none of this."""

    solve_wanted = Signal(str)
    evaluate_wanted = Signal(str)
    # the folder, and ROLE:STEP of a checkpoint or "" for the newest; "begin" for a run that has not begun
    resume_wanted = Signal(object, str)
    settings_wanted = Signal(object)
    status_changed = Signal(object, str)

    def __init__(self, jobs: Jobs, parent: QWidget | None = None) -> None:
        """Build the view, empty."""
        super().__init__(parent)
        self._jobs = jobs
        self._job: Job | None = None
        # the job that was asked to let this run go on, until its process says that it has begun
        self._asked: Job | None = None
        self.folder: Path | None = None
        self.status = ""
        self._progress = ""
        self._at_work = ""
        self._titles: dict[str, str] = {}
        # None where the run does not say it
        self._held_out: bool | None = None
        # the titles of the students whose answers are judged
        self._judged: list[str] = []
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
        self._progress = self._at_work = ""
        self._asked = None
        self.problem.clear()
        self.samples.clear()
        self._titles = {role.name: role.title for role in methods.get(method).roles}
        self.figures.set_roles(self._titles)
        self._held_out = held_out_of(folder)
        self.samples.say_held_out(self._held_out is not False)
        self._judged = judged_roles(folder, method)
        self.plot.set_panels(self._titles)
        if _not_begun(folder):
            self._say_status("prepared")
            return
        self._job = self._jobs.follow(folder)
        job = self._job
        job.event_came.connect(lambda event: self._take(event) if job is self._job else None)
        job.status_changed.connect(lambda status: self._say_status(status) if self._heeds(job) else None)
        job.failed.connect(lambda failure: self.say_failure(failure) if self._heeds(job) else None)
        job.caught_up.connect(lambda: self._refresh() if job is self._job else None)
        self._say_status(job.status)

    def release(self) -> None:
        """Stop following."""
        if self._job is not None:
            job, self._job = self._job, None
            job.release()
        self.folder = None

    def await_start(self, job: Job) -> None:
        """Say that the run was asked to go on: its process needs some seconds to begin."""
        self._asked = job
        self.problem.clear()
        self._say_status("starting")

    def _heeds(self, job: Job) -> bool:
        """Tell whether what is followed says how the run stands: not how it ended, once it is to go on."""
        return job is self._job and self._asked is None

    def say_failure(self, failure: Failed) -> None:
        """Say why the run failed."""
        self.problem.say_failure(failure)

    def toggle_pause(self) -> None:
        """Pause the run, or let it go on."""
        going = self._job is not None and self._job.status != "paused"
        for job in self._handles():
            if going:
                job.pause()
            else:
                job.resume()
        if not going:
            for figures in self.figures.figures.values():
                # the time of the pause is no work
                figures.pace.clear()

    def stop_run(self) -> None:
        """Have the run keep a checkpoint and end; asked again, end its process at once."""
        again = self.status == "stopping"
        for job in self._handles() if self.status in LIVE else ():
            if again:
                job.kill()
            else:
                job.stop()
        if self._asked is not None and not again:
            self._say_status("stopping")

    def _handles(self) -> list[Job]:
        """Return what follows the run, and the job that started it where this window did."""
        own = [
            job
            for job in self._jobs.running()
            if job is self._asked or (job.run_folder == self.folder and not job.background)
        ]
        return [*own, self._job] if self._job is not None else own

    def choose_checkpoint(self) -> None:
        """Let a person choose the checkpoint from which the run goes on."""
        if self.folder is None or self.status in LIVE:
            return
        folder = self.folder
        found = choices(folder, {name: panel.curves for name, panel in self.plot.panels.items()})
        if not found:
            messages.inform(self, self.tr("This run has no checkpoint yet."))
            return
        dialog = CheckpointsDialog(self.title.text(), found, self)
        dialog.chosen.connect(lambda where: self.resume_wanted.emit(folder, where))
        dialog.open()

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.problem = Notice()
        self.plot = LivePlot()
        self.figures = FiguresView()
        self.samples = SamplesView()
        frame = QFrame()
        frame.setProperty("panel", "surface")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(*[theme.gap(theme.M)] * 4)
        inside.addWidget(self.plot, 1)
        self.legend = QLabel()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setWordWrap(True)
        inside.addWidget(self.legend)
        halves = self._halves = QSplitter(Qt.Orientation.Vertical)
        # as high as the page allows, whatever the curves would like
        halves.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        halves.setChildrenCollapsible(False)
        halves.setProperty("panel", "apart")
        halves.addWidget(frame)
        halves.addWidget(self.samples)
        halves.setStretchFactor(0, 3)
        halves.setStretchFactor(1, 2)
        column = scrolled(self)
        column.addLayout(self._head())
        column.addLayout(self._buttons())
        column.addWidget(self.problem)
        column.addWidget(self.bar)
        column.addWidget(self.figures)
        column.addWidget(halves, 1)
        theme.notifier().changed.connect(self._restyle)
        self._restyle()

    def _head(self) -> QVBoxLayout:
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setWordWrap(True)
        self.sign = QLabel()
        self.sign.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.word = QLabel()
        self.word.setProperty("role", "muted")
        self.word.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of the run"))
        row = QHBoxLayout()
        row.setSpacing(theme.gap(1.5))
        row.addWidget(self.sign)
        row.addWidget(self.word, 1)
        column = QVBoxLayout()
        column.setSpacing(theme.gap(0.5))
        column.addWidget(self.title)
        column.addLayout(row)
        return column

    def _buttons(self) -> QBoxLayout:
        tr = self.tr
        self.pause = self._button(tr("Pause"), self.toggle_pause)
        self.stop = self._button(tr("Stop and keep"), self.stop_run)
        self.begin = self._button(tr("Start"), lambda: self.resume_wanted.emit(self.folder, "begin"))
        self.resume = self._button(tr("Resume"), lambda: self.resume_wanted.emit(self.folder, ""))
        for button in (self.begin, self.resume):
            button.setProperty("kind", "primary")
        self.resume_from = self._button(tr("Resume from…"), self.choose_checkpoint)
        self.solve = self._button(tr("Solve with these"), lambda: self.solve_wanted.emit(str(self.folder)))
        self.evaluate = self._button(tr("Evaluate"), lambda: self.evaluate_wanted.emit(str(self.folder)))
        self.more = QPushButton(tr("More"))
        menu = QMenu(self.more)
        menu.addAction(tr("New run with these settings"), lambda: self.settings_wanted.emit(self.folder))
        menu.addAction(tr("Copy as command"), self._copy_command)
        menu.addAction(tr("Copy settings as YAML"), self._copy_yaml)
        menu.addAction(tr("Open the folder"), self._open_folder)
        self.more.setMenu(menu)
        going = (self.begin, self.pause, self.stop, self.resume, self.resume_from)
        self._actions = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._actions.setSpacing(theme.gap(1.5))
        for buttons in (going, (self.solve, self.evaluate, self.more)):
            row = QHBoxLayout()
            row.setSpacing(theme.gap(1.5))
            for button in buttons:
                row.addWidget(button)
            row.addStretch(1)
            self._actions.addLayout(row)
        self._actions.addStretch(100)
        return self._actions

    def _button(self, text: str, do: Any) -> QPushButton:
        button = QPushButton(text)
        button.clicked.connect(lambda _=False: do())
        return button

    def resizeEvent(self, event) -> None:
        """Put the buttons in two lines where one has no room for all."""
        super().resizeEvent(event)
        self._turn()

    def _turn(self) -> None:
        row = (self.begin, self.pause, self.stop, self.resume, self.resume_from, self.solve, self.evaluate)
        shown = [button.sizeHint().width() for button in (*row, self.more) if not button.isHidden()]
        narrow = sum(shown) + theme.gap(1.5) * len(shown) > self.width() - theme.gap(6)
        way = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if self._actions.direction() != way:
            self._actions.setDirection(way)

    # --- slots ------------------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        if isinstance(event, Metrics) and event.role in self.figures.figures:
            self._at_work = event.role
            self.figures.figures[event.role].take(event)
            self.plot.add(event.role, LOSS, event.step, event.loss, event.total_steps)
        elif isinstance(event, HeldOut) and event.role in self.figures.figures:
            self.figures.figures[event.role].look(event)
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

    def _say_status(self, status: str) -> None:
        if status == "detached":
            return
        self.status = status
        live = status in LIVE
        self.pause.setVisible(live)
        self.pause.setText(self.tr("Go on") if status == "paused" else self.tr("Pause"))
        self.stop.setVisible(live)
        stopping = status == "stopping"
        self.stop.setText(self.tr("End at once") if stopping else self.tr("Stop and keep"))
        self.stop.setEnabled(not stopping or len(self._handles()) > 1)
        self.pause.setEnabled(not stopping and self._asked is None)
        self.begin.setVisible(status == "prepared")
        self.resume.setVisible(status in ("stopped", "failed"))
        self.resume_from.setVisible(status in ("stopped", "failed", "done"))
        for button in (self.solve, self.evaluate):
            button.setVisible(status in ("done", "stopped"))
            problem = folder_choice(self.folder).problem if self.folder is not None else ""
            button.setEnabled(not problem)
            button.setToolTip(problem)
        self.bar.setVisible(live)
        self._turn()
        self._refresh()
        self._restyle()
        if self.folder is not None:
            self.status_changed.emit(self.folder, status)

    def _refresh(self) -> None:
        reading = self._job is not None and self._job.reading and self._asked is None
        running = self.status == "running" and not reading
        now = self._now() if running else self._next()
        status = STATUS_WORDS.get(self.status, self.status)
        self.word.setText(
            self.tr("reading …") if reading else " · ".join(part for part in (status, now) if part)
        )
        self._show_bar()
        self.figures.refresh(running)
        looks = {
            role: f.held_out.samples for role, f in self.figures.figures.items() if f.held_out is not None
        }
        self.samples.show_samples(self._titles, looks)

    def _now(self) -> str:
        """Say what is at work and how long it will take, and who comes after."""
        figures = self.figures.figures.get(self._at_work)
        m = figures.metrics if figures is not None else None
        if figures is None or m is None or m.step >= m.total_steps:
            return self._progress or self.tr("loading …")
        left = left_text(figures.pace)
        text = self.tr("{0}: {1} left") if figures.pace.left() is not None else "{0}: {1}"
        text = text.format(self._titles[self._at_work], left)
        later = [self._titles[role] for role, f in self.figures.figures.items() if f.metrics is None]
        return text + (self.tr(", then {0}").format(", ".join(later)) if later else "")

    def _next(self) -> str:
        """Say from where a run that has ended would go on."""
        if self.folder is None or self.status not in ("stopped", "failed"):
            return ""
        found = goes_on_from(self.folder)
        return self.tr("goes on from {0}").format(found) if found else self.tr("there is no checkpoint yet")

    def _show_bar(self) -> None:
        known = [f.metrics for f in self.figures.figures.values() if f.metrics]
        total = round(sum(m.total_steps for m in known) / len(known) * len(self._titles)) if known else 0
        self.bar.setRange(0, total)
        self.bar.setValue(sum(m.step for m in known))

    def _copy_command(self) -> None:
        QGuiApplication.clipboard().setText(shlex.join(["kpdd", "train", str(self.folder), "--resume"]))
        messages.note(self.tr("The command is on the clipboard"))

    def _copy_yaml(self) -> None:
        if self.folder is None:
            return
        try:
            text = (self.folder / "config.yaml").read_text(encoding="utf-8")
        except OSError as error:
            messages.error(self, error)
            return
        QGuiApplication.clipboard().setText(text)
        messages.note(self.tr("The settings are on the clipboard"))

    def _open_folder(self) -> None:
        if self.folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.folder)))

    def _restyle(self) -> None:
        tokens = theme.current()
        self._halves.setMinimumHeight(theme.line_height() * 21)
        sign = STATUS_SIGNS.get(self.status)
        self.sign.setVisible(sign is not None)
        if sign is not None:
            self.sign.setPixmap(theme.pixmap(*sign, theme.icon_size(), self.devicePixelRatioF()))
        self.legend.setText(legend_text(tokens, self._held_out is not False, self._judged, len(self._titles)))


def _not_begun(folder: Path) -> bool:
    """Tell whether a run is prepared and nobody has started it."""
    try:
        return not (folder / "events.jsonl").exists() and RunFolder.open(folder).status() == "prepared"
    except KpddError:
        return False
