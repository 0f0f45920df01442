"""The running job in the status line: its name, how far it is, the time left, and stop."""

from __future__ import annotations

from PySide6.QtCore import QSize, QTimer
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QWidget

from kpdd_app import theme
from kpdd_app.jobs import Job, Jobs
from kpdd_app.widgets.short_label import ShortLabel
from training_backend.events import Progress

REFRESH_MS = 500
# stages whose figures are bytes
IN_BYTES = ("check", "import", "download")


class JobBar(QWidget):
    """Shows the newest of the jobs that a person started; hidden while there is none."""

    def __init__(self, jobs: Jobs, parent: QWidget | None = None) -> None:
        """Follow `jobs`; background jobs are not shown."""
        super().__init__(parent)
        self._jobs = jobs
        self.title = ShortLabel()
        self.text = ShortLabel()
        self.text.setProperty("role", "muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of the running job"))
        self.stop = QPushButton()
        self.stop.setProperty("kind", "quiet")
        self.stop.setAccessibleName(self.tr("Stop the running job"))
        self.stop.setToolTip(self.tr("Stop: finishes the step at hand and keeps what is done"))
        self.stop.clicked.connect(self._stop)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.gap(2))
        for part in (self.title, self.bar, self.text, self.stop):
            row.addWidget(part)
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        jobs.job_started.connect(lambda _: self._changed())
        jobs.job_ended.connect(lambda _: self._changed())
        theme.notifier().changed.connect(self._restyle)
        self._restyle()
        self._changed()

    def job(self) -> Job | None:
        """Return the job that is shown."""
        shown = [job for job in self._jobs.running() if not job.background]
        return shown[-1] if shown else None

    def refresh(self) -> None:
        """Show how the job stands now."""
        job = self.job()
        self.setVisible(job is not None)
        if job is None:
            return
        others = sum(not other.background for other in self._jobs.running()) - 1
        self.title.setText(job.title + (f"  +{others}" if others else ""))
        progress = job.progress
        self.text.setText(describe(job))
        if progress is not None and progress.total > 0:
            self.bar.setRange(0, progress.total)
            self.bar.setValue(min(progress.done, progress.total))
        else:
            self.bar.setRange(0, 0)
        self.stop.setEnabled(job.status != "stopping")

    def _changed(self) -> None:
        self.refresh()
        if self.job() is not None:
            self._timer.start()
        else:
            self._timer.stop()

    def _stop(self) -> None:
        job = self.job()
        if job is not None:
            job.stop()
            self.refresh()

    def _restyle(self) -> None:
        self.stop.setIcon(theme.icon("stop", "muted"))
        self.stop.setIconSize(QSize(theme.icon_size(), theme.icon_size()))
        self.bar.setMinimumWidth(theme.line_height() * 2)
        self.bar.setMaximumWidth(theme.line_height() * 7)


def describe(job: Job) -> str:
    """Return how far a job is and how long it will take, in words."""
    if job.status == "stopping":
        return "stopping …"
    progress = job.progress
    if progress is None:
        return "starting …" if job.status == "starting" else ""
    paused = "paused · " if job.status == "paused" else ""
    if not progress.total:
        return paused + (progress.text or progress.stage)
    text = paused + _so_far(progress)
    left = job.pace.left()
    if left is not None:
        text += f" · {duration(left)} left"
    elif job.pace.measuring and job.status != "paused":
        text += " · measuring …"
    return text


def _so_far(progress: Progress) -> str:
    """Return how far it is; of a file that is read, what came of it says more than its bytes."""
    if progress.stage not in IN_BYTES:
        return f"{progress.done:,} of {progress.total:,}"
    percent = f"{100 * progress.done / progress.total:.0f} %"
    return f"{percent} · {progress.text}" if progress.text else percent


def duration(seconds: float) -> str:
    """Return a time span as people say it.

    >>> duration(8), duration(95), duration(3800), duration(200000)
    ('8 s', '1 min 35 s', '1 h 3 min', '2 d 7 h')
    """
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole < 600 else f"{whole // 60} min"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"
