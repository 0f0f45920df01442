"""The warm worker of the Solve page: one child process that keeps students loaded and solves on request.

What is given up is asked to stop; only when it does not the process is ended: a new one needs seconds until
it can load students at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from kpdd_app.jobs import Job, Jobs
from training_backend.events import Event, Failed, Progress, Result

# so long the process may take to give up what it was asked to: a large student reads its weights in one go
GIVE_UP_MS = 1500


class SolveWorker(QObject):
    """Loads students and solves one question at a time; a newer request replaces the older one."""

    state_changed = Signal(str)
    event_came = Signal(object)
    failed = Signal(object)
    progressed = Signal(str)
    """How far loading, or writing many paths, has come, in words."""

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        """Begin without a process; `use` starts it."""
        super().__init__(parent)
        self.state = "off"
        self.students = ""
        self.about: dict = {}
        self._jobs = jobs
        self._job: Job | None = None
        self._request = 0
        self._loads = 0
        self._waiting: dict[str, Any] | None = None
        # requests that were given up and have not ended yet; one that waits its turn ends before one at work
        self._given_up: set[str] = set()
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(GIVE_UP_MS)
        self._patience.timeout.connect(self._lose_patience)

    @property
    def request(self) -> str:
        """Return the id of the newest request."""
        return str(self._request)

    def use(self, students: str) -> None:
        """Load students (`demo`, a run folder, or a folder for each role as JSON).

        What was loading or solving before is given up.
        """
        if students == self.students and self.state in ("loading", "ready", "solving"):
            return
        self._give_up()
        self._waiting = None
        self.students = students
        self.about = {}
        self._load()
        self._set("loading")

    def ask(self, message: Mapping[str, Any]) -> str:
        """Send a request (solve, continue, vote); return its id. While students load it waits for them."""
        self._cancel_request()
        self._request += 1
        if self.state in ("ready", "solving"):
            self._send(message)
        else:
            students = self.students
            if self.state != "loading":
                self.students = ""
                self.use(students)
            self._waiting = dict(message)
        return self.request

    def cancel(self) -> None:
        """Give up the question at work."""
        self._cancel_request()
        self._request += 1
        if self.state == "solving":
            self._set("ready")

    def cancel_loading(self) -> None:
        """Give up loading; no students are there then."""
        if self.state == "loading":
            self._give_up()
            self._waiting = None
            self._set("off")

    def close(self) -> None:
        """End the process."""
        self._drop()
        self._set("off")

    # --- helpers ----------------------------------------------------------------------------------

    def _start(self) -> None:
        job = self._jobs.start("Students of the Solve page", ["serve-solve"], background=True)
        job.event_came.connect(lambda event: self._take(job, event))
        job.ended.connect(lambda status: self._ended(job, status))
        self._job = job

    def _drop(self) -> None:
        self._has_obeyed()
        if self._job is not None:
            job, self._job = self._job, None
            job.send({"command": "quit"})
            job.stop()
        self._waiting = None

    def _load(self) -> None:
        if self._job is None:
            self._start()
        assert self._job is not None
        self._loads += 1
        self._job.send({"command": "load", "request": self._load_id, **_source(self.students)})

    @property
    def _load_id(self) -> str:
        return f"load {self._loads}"

    def _give_up(self) -> None:
        """Ask the process to end what is at work."""
        at_work = {"loading": self._load_id, "solving": self.request}.get(self.state)
        if self._job is None or at_work is None:
            return
        self._job.send({"command": "cancel", "request": at_work})
        self._given_up.add(at_work)
        if not self._patience.isActive():
            self._patience.start()
        self._request += 1

    def _lose_patience(self) -> None:
        """Begin again with a new process; what waits is asked of it."""
        waiting, loading = self._waiting, self.state == "loading"
        self._drop()
        if loading:
            self._waiting = waiting
            self._load()

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._job is not None
        self._job.send({**message, "request": self.request})
        self._set("solving")

    def _cancel_request(self) -> None:
        self._waiting = None
        if self._job is not None and self.state == "solving":
            self._job.send({"command": "cancel", "request": self.request})

    def _take(self, job: Job, event: Event) -> None:
        if job is not self._job:
            return
        request = getattr(event, "request", "")
        if isinstance(event, Result):
            request = str(event.data.get("request") or self._load_id)
        if request in self._given_up:
            if event.event in ("answer", "failed", "result"):
                self._given_up.discard(request)
                if not self._given_up:
                    self._has_obeyed()
        elif request and request == self.request:
            self.event_came.emit(event)
            if event.event in ("answer", "failed") and self.state == "solving":
                self._set("ready")
        elif isinstance(event, Progress) and self.state in ("loading", "solving"):
            count = f"{event.done} of {event.total}" if event.total else ""
            self.progressed.emit(" ".join(part for part in (event.stage, event.text, count) if part))
        elif self.state == "loading" and request in ("", self._load_id):
            self._take_load(event)

    def _take_load(self, event: Event) -> None:
        """Take how loading ended."""
        if isinstance(event, Result):
            self._loaded(event)
        elif isinstance(event, Failed):
            self._waiting = None
            self.students = ""
            self._set("failed")
            self.failed.emit(event)

    def _has_obeyed(self) -> None:
        self._patience.stop()
        self._given_up.clear()

    def _loaded(self, event: Result) -> None:
        self._has_obeyed()
        self.about = dict(event.data)
        self._set("ready")
        if self._waiting is not None:
            message, self._waiting = self._waiting, None
            self._send(message)

    def _ended(self, job: Job, status: str) -> None:
        if job is not self._job:
            return
        self._job = None
        self._drop()
        if self.state == "off":
            # loading was given up: nobody waits for it
            return
        was = self.state
        self._set("died")
        if was == "failed":
            return
        ended = Failed(
            message="The process that solves has ended.", hint="The next question starts it again."
        )
        self.failed.emit(job.last_failure or ended)

    def _set(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)


def _source(students: str) -> dict[str, Any]:
    """Return what the worker is told to load; a folder for each role comes as a JSON text with its method."""
    return json.loads(students) if students.startswith("{") else {"students": students}
