"""Keeps `kpdd flags --follow` at work on the open project: flags follow every import, reply and edit."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QEventLoop, QObject, QTimer

from kpdd_app.jobs import Job, Jobs
from kpdd_app.open_project import OpenProject

# the window stands and has shown its rows before anything else starts
START_MS = 2000
_END_S = 1.0


class FlagWatch(QObject):
    """Starts the process when a project opens that may be written, and ends it when that closes."""

    def __init__(self, project: OpenProject, jobs: Jobs, parent: QObject | None = None) -> None:
        """Watch `project`; the process is one of `jobs`, in the background."""
        super().__init__(parent)
        self._project = project
        self._jobs = jobs
        self.job: Job | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(START_MS)
        self._timer.timeout.connect(self._start)
        project.opened.connect(self._opened)
        project.closed.connect(self.stop)

    def stop(self) -> None:
        """End the process and wait a moment for it, so that the project file is left as one file."""
        self._timer.stop()
        job, self.job = self.job, None
        if job is None:
            return
        job.stop()
        loop = QEventLoop()
        until = time.monotonic() + _END_S
        while not job.is_over and time.monotonic() < until:
            loop.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents, 20)
            time.sleep(0.005)

    def _opened(self, path: Path) -> None:
        self._timer.start()

    def _start(self) -> None:
        if self._project.path is None or self._project.read_only:
            return
        arguments = ["flags", str(self._project.path), "--follow", "--quiet"]
        job = self._jobs.start(self.tr("Looking for what is odd"), arguments, background=True)
        self.job = job
        job.ended.connect(lambda _: self._ended(job))

    def _ended(self, job: Job) -> None:
        if self.job is job:
            self.job = None
