"""The worker of the window: starts backend commands as child processes and turns their events into signals.

`page → Jobs.start → child process (python -m training_backend …) → JSON lines → Job.event_came → page`.
What owns the process lives in `supervisor.py`, in one thread for all jobs; a Job is its handle here.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEventLoop, QObject, QThread, QTimer, Signal, Slot

from kpdd_app.followed_run import Followed
from kpdd_app.pace import Pace
from kpdd_app.supervisor import CaughtUp, Child, End, Source
from training_backend.events import Event, Failed, Progress, Started
from training_backend.paths import log_dir

# the window's thread hands out events for at most so long before it looks at keys and paint again
DELIVER_MS = 6.0
GRACE_S = 10.0
# a run that was told to stop ends its step and writes a checkpoint, which for a large student takes minutes
RUN_GRACE_S = 900.0
KEEP_LOGS_DAYS = 14


class Job(QObject):
    """The window's handle on one child process or one followed run."""

    event_came = Signal(object)
    ended = Signal(str)
    failed = Signal(object)
    status_changed = Signal(str)
    caught_up = Signal()
    """What a followed run said before anybody followed it has come; the rest comes as it is said."""
    _send = Signal(str)
    _stop = Signal()
    _kill = Signal()
    _release = Signal()

    def __init__(
        self, title: str, arguments: list[str], source: Source, parent: QObject | None = None
    ) -> None:
        """Connect the handle to what does the work; `Jobs` makes these."""
        super().__init__(parent)
        self.title = title
        self.arguments = arguments
        self.detached = False
        self.background = False
        # somebody else started it
        self.followed = False
        # what comes was said before
        self.reading = False
        self.status = "starting"
        self.progress: Progress | None = None
        self.pace = Pace()
        self.run_folder: Path | None = None
        self.pid = 0
        self.last_failure: Failed | None = None
        self.began_at = time.monotonic()
        self._source = source
        self._delivering = False
        source.woke.connect(self._deliver)
        self._send.connect(source.send)  # type: ignore[attr-defined]
        self._stop.connect(source.stop)  # type: ignore[attr-defined]
        self._kill.connect(source.kill)  # type: ignore[attr-defined]
        self._release.connect(source.release)  # type: ignore[attr-defined]

    @property
    def is_over(self) -> bool:
        """Tell whether the job has ended (done, stopped, failed, or let go as detached)."""
        return self.status in ("done", "stopped", "failed", "detached")

    def stop(self) -> None:
        """Ask politely; after a grace time terminate, then kill. A followed run is only asked."""
        if not self.is_over:
            self._set_status("stopping")
            self._stop.emit()

    def kill(self) -> None:
        """End the process at once."""
        if not self.is_over:
            self._kill.emit()

    def pause(self) -> None:
        """Ask the command to wait at its next border."""
        if self.status == "running":
            self.send({"command": "pause"})
            self._set_status("paused")

    def resume(self) -> None:
        """Let a paused command go on."""
        if self.status == "paused":
            # the time of the pause is no work
            self.pace.clear()
            self.send({"command": "resume"})
            self._set_status("running")

    def send(self, message: dict) -> None:
        """Write one JSON line to the command's standard input."""
        if not self.is_over:
            self._send.emit(json.dumps(message, ensure_ascii=False))

    def release(self) -> None:
        """Let the process go on without this window."""
        self._release.emit()

    @Slot(int)
    def _began(self, pid: int) -> None:
        self.pid = pid

    @Slot()
    def _deliver(self) -> None:
        """Hand out waiting events for at most DELIVER_MS, then let the window breathe."""
        if self._delivering:
            # a slot that runs its own event loop must not be overtaken by later events
            QTimer.singleShot(5, self, self._deliver)
            return
        self._delivering = True
        try:
            stop_at = time.perf_counter() + DELIVER_MS / 1000
            inbox = self._source.inbox
            while inbox and time.perf_counter() < stop_at:
                self._take(inbox.popleft())
        finally:
            self._delivering = False
        if not inbox:
            self._source.woken = False
        # looked at again: an event may have come between the two lines
        if inbox:
            self._source.woken = True
            QTimer.singleShot(0, self, self._deliver)

    def _take(self, item: Event | End | CaughtUp) -> None:
        if isinstance(item, CaughtUp):
            self.reading = False
            self.caught_up.emit()
            return
        if isinstance(item, End):
            self.reading = False
            if item.failed is not None:
                self._fail(item.failed)
                self.event_came.emit(item.failed)
            self._set_status(item.status)
            self.ended.emit(item.status)
            return
        if isinstance(item, Started):
            self.pid = item.pid
            if item.run_folder:
                self.run_folder = Path(item.run_folder)
        elif isinstance(item, Progress):
            self._measure(item)
        if self.status == "starting":
            self._set_status("running")
        self.event_came.emit(item)
        if isinstance(item, Failed) and not item.request:
            self._fail(item)

    def _measure(self, progress: Progress) -> None:
        if self.progress is not None and self.progress.stage != progress.stage:
            self.pace.clear()
        self.progress = progress
        if progress.total:
            self.pace.add(progress.t or time.monotonic(), progress.done, progress.total)

    def _fail(self, failure: Failed) -> None:
        self.last_failure = failure
        self.failed.emit(failure)

    def _set_status(self, status: str) -> None:
        if status != self.status:
            self.status = status
            self.status_changed.emit(status)


class Jobs(QObject):
    """All jobs of the window; owns the one thread in which their supervisors live."""

    job_started = Signal(object)
    job_ended = Signal(object)

    def __init__(
        self, parent: QObject | None = None, *, command: Sequence[str] | None = None, grace_s: float = GRACE_S
    ) -> None:
        """Start the thread. `command` stands before every job's arguments (default: the backend's)."""
        super().__init__(parent)
        self._command = list(command) if command is not None else backend_command()
        self._grace_s = grace_s
        self._jobs: list[Job] = []
        self._sources: dict[Job, Source] = {}
        self._count = 0
        self._thread = QThread(self)
        self._thread.setObjectName("jobs")
        self._thread.start()
        self._closed = False

    def start(
        self,
        title: str,
        arguments: list[str],
        *,
        detached: bool = False,
        background: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> Job:
        """Start a command. Detached: it goes on when the window closes. Background: not shown as work.

        `environment` is for this child alone: a key goes that way, never among the arguments.
        """
        # the end of standard input is the end of the window: only what may outlive it ignores that
        full = [*self._command, *arguments, "--events", *([] if detached else ["--stop-at-eof"])]
        grace_s = max(self._grace_s, RUN_GRACE_S) if detached else self._grace_s
        source = Child(full, self._log_name(arguments), detached, grace_s, environment)
        job = Job(title, list(arguments), source, self)
        job.detached = detached
        job.background = background
        source.began.connect(job._began)
        self._adopt(job, source)
        return job

    def follow(self, run_folder: Path | str, title: str = "") -> Job:
        """Read the events of a run from its beginning and then watch it, whoever started it.

        With a title it is shown as work of this window and counted when it closes.
        """
        folder = Path(run_folder)
        source = Followed(folder)
        job = Job(title or folder.name, [], source, self)
        job.run_folder = folder
        job.detached = job.followed = job.reading = True
        job.background = not title
        self._adopt(job, source)
        return job

    def running(self) -> list[Job]:
        """Return the jobs that have not ended, the oldest first."""
        return list(self._jobs)

    def stop_all(self, *, detached: bool = False) -> None:
        """Ask every job that ends with the window to stop; with `detached` the others too."""
        for job in self.running():
            if detached or not job.detached:
                job.stop()

    def close(self, *, stop_detached: bool = False, wait_s: float = 6.0) -> None:
        """End or release every job, then the thread. Called once, when the window closes."""
        if self._closed:
            return
        self._closed = True
        for job in self.running():
            if job.detached and not stop_detached:
                if not job.followed:
                    # it may have been told to stop with the window
                    job.send({"command": "leave_at_end"})
                job.release()
            elif job.background:
                # it keeps nothing that could be lost, and may be in the middle of a slow import
                job.kill()
            else:
                job.stop()
        self._wait(wait_s)
        for job in self.running():
            if job.detached:
                # it was told to stop: it writes its checkpoint without us
                job.release()
            else:
                job.kill()
        self._wait(2.0)
        self._thread.quit()
        self._thread.wait(3000)

    def _wait(self, seconds: float) -> None:
        loop = QEventLoop()
        until = time.monotonic() + seconds
        while self._jobs and time.monotonic() < until and QCoreApplication.instance() is not None:
            loop.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 50)

    def _adopt(self, job: Job, source: Source) -> None:
        self._jobs.append(job)
        self._sources[job] = source
        job.ended.connect(lambda _status: self._forget(job))
        source.moveToThread(self._thread)
        QTimer.singleShot(0, source, source.begin)  # type: ignore[attr-defined]
        self.job_started.emit(job)

    def _forget(self, job: Job) -> None:
        if job in self._jobs:
            self._jobs.remove(job)
        source = self._sources.pop(job, None)
        if source is not None:
            source.deleteLater()
        self.job_ended.emit(job)

    def _log_name(self, arguments: list[str]) -> Path:
        """Return the stem of a job's files in the log folder; files of long ago are removed once."""
        folder = log_dir() / "jobs"
        if not self._count:
            tidy(folder)
        self._count += 1
        word = arguments[0] if arguments else "job"
        return folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{word}-{id(self) % 9999}-{self._count}"


def backend_command() -> list[str]:
    """Return how a backend command is started: this interpreter, or in a frozen app the app itself."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    return [sys.executable, "-m", "training_backend"]


def tidy(folder: Path) -> None:
    """Remove job files older than KEEP_LOGS_DAYS."""
    if not folder.is_dir():
        return
    oldest = time.time() - KEEP_LOGS_DAYS * 86_400
    for file in folder.iterdir():
        with contextlib.suppress(OSError):
            if file.stat().st_mtime < oldest:
                file.unlink()
