"""The run at work: started here or found, paused, stopped, asked again, and what is left to pay."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from kpdd_app import messages
from kpdd_app.jobs import Job, Jobs
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.teacher_reads import LastRun, estimate, last_run, write_rows
from kpdd_app.pages.teacher_run import PILOT, RunPanel
from kpdd_app.pages.teacher_wanted import Again
from kpdd_app.widgets.generation_view import how_it_ended
from training_backend.errors import KpddError
from training_backend.events import Progress, Result
from training_backend.project.listing import RowFilter
from training_backend.teacher import keys
from training_backend.teacher.teacher_config import TeacherConfig

# these are asked by a process that goes on without the window
ASKED = ("endpoint", "local")


class RunFollower(QObject):
    """Carries out what the panel of a run wishes, and keeps it true. At most one run is at work."""

    began = Signal()

    def __init__(
        self,
        project: OpenProject,
        jobs: Jobs,
        panel: RunPanel,
        config: Callable[[], TeacherConfig | None],
        parent: QObject | None = None,
    ) -> None:
        """`config` gives the teacher that is chosen now."""
        super().__init__(parent)
        self.job: Job | None = None
        self.shown_rows: Callable[[], RowFilter | None] = lambda: None
        self._project, self._jobs, self._panel, self._config = project, jobs, panel, config
        self._result: dict[str, Any] = {}
        # the teacher whose last run here was a pilot; empty: another run followed
        self._pilot = ""
        # runs whose choices the form took over; after that it is the person's
        self._recalled: set[str] = set()
        jobs.job_started.connect(self._adopt)
        panel.pause_wanted.connect(self.pause)
        panel.stop_wanted.connect(self.stop)
        panel.estimate_wanted.connect(self.estimate)

    # --- methods ----------------------------------------------------------------------------------

    def start(self, pilot: bool = False, again: str | None = None) -> None:
        """Start what the form describes or go on with it; `again`: ask failures of this reason again."""
        config, path = self._config(), self._project.path
        if config is None or path is None or self.job is not None:
            return
        self._panel.shown_filter = self.shown_rows()
        wanted = self._panel.wanted()
        # what was typed must be on disk before the other process reads it
        self._project.flush()

        def go(file: Path | None) -> None:
            self._start(config, wanted.arguments(path, config, file), pilot, again)

        rows = wanted.again.row_ids if wanted.again is not None else wanted.rows
        if rows is None or rows == ():
            go(None)
        else:
            read = partial(write_rows, wanted=rows)
            self._project.read(read, go, self._failed, key="teacher-rows")

    def pause(self) -> None:
        """Pause the run, or let it go on."""
        if self.job is None:
            return
        if self.job.status == "paused":
            self.job.resume()
        else:
            self.job.pause()

    def stop(self) -> None:
        """Stop the run; what is on its way comes in first."""
        if self.job is not None:
            self.job.stop()

    def look(self) -> None:
        """Look for a run that goes on without this window; else show how the teacher's last one stood."""
        config = self._config()
        if self.job is None and config is not None and self._project.path is not None:
            read = partial(last_run, teacher=config.name)
            self._project.read(read, self._take_last, self._failed, key="teacher-last")

    def estimate(self) -> None:
        """Say what the rest of the run will take."""
        config = self._config()
        if config is None or self._project.path is None:
            return
        problem = self._panel.problem()
        if problem or config.kind not in ASKED:
            self._panel.show_estimate(None, problem)
            return
        self._panel.shown_filter = self.shown_rows()
        read = partial(estimate, config=config, wanted=self._panel.wanted())
        self._project.read(read, self._take_estimate, self._no_estimate, key="teacher-estimate")

    # --- slots ------------------------------------------------------------------------------------

    def _start(self, config: TeacherConfig, words: list[str], pilot: bool, again: str | None) -> None:
        if self.job is not None:
            return
        self._pilot = config.name if pilot and config.kind in ASKED else ""
        words += ["--pilot", str(PILOT)] if self._pilot else []
        words += ["--ask-again", again or "all"] if again is not None else []
        self._jobs.start(
            self.tr("Teacher: {0}").format(config.name), words, detached=config.kind in ASKED,
            environment=keys.child_environment(config),
        )  # fmt: skip

    def _adopt(self, job: Job) -> None:
        """Follow a generation of this project, whoever started it."""
        if job.arguments[:2] == ["generate", str(self._project.path)] and self.job is None:
            self._follow(job, job.title)

    def _follow(self, job: Job, title: str) -> None:
        self.job, self._result = job, {}
        self._panel.view.begin(title)
        job.event_came.connect(partial(self._take_event, job))
        job.status_changed.connect(partial(self._take_status, job))
        job.ended.connect(partial(self._ended, job))
        self._panel.show_buttons(job.status)
        self.began.emit()

    def _take_event(self, job: Job, event: Any) -> None:
        if self.job is not job:
            return
        if isinstance(event, Progress) and event.counts:
            self._panel.view.set_counts(event.counts)
        elif isinstance(event, Result):
            self._result = event.data
            self._panel.view.set_result(event.data)

    def _take_status(self, job: Job, status: str) -> None:
        if self.job is job:
            self._panel.show_buttons(status)

    def _ended(self, job: Job, status: str) -> None:
        if self.job is not job:
            return
        self.job = None
        self._panel.show_buttons("")
        if status == "detached":
            return
        # a run that a budget ended is no failure; only its result says so
        result, failure = self._result, job.last_failure
        status = str(result.get("status") or status)
        told = f"{failure.message} {failure.hint}".strip() if failure is not None and not result else ""
        if self._pilot and status == "done":
            status = "pilot"
        self._panel.view.end(status, told)
        self._project.rows_changed.emit(None)
        self.estimate()

    def _take_last(self, found: LastRun | None) -> None:
        if self.job is not None:
            return
        if found is not None and found.title not in self._recalled:
            self._recalled.add(found.title)
            self._recall(found)
        if found is None:
            self._panel.view.clear()
        elif found.working:
            self._follow(self._jobs.follow(found.folder), found.title)
        else:
            config = self._config()
            pilot = config is not None and config.name == self._pilot and not found.counts.waiting
            note = how_it_ended("pilot", 0) if pilot and not found.failed else found.note
            self._panel.view.set_stored(found.title, found.counts, note, found.failed, found.states)
        self.estimate()

    def _recall(self, found: LastRun) -> None:
        """Let the form describe the run, so that what is left of it can go on."""
        another = str(found.settings.get("another") or "")
        if self._panel.asks_again():
            return  # what the person has just asked for stays
        if not another:
            self._panel.recall(found.settings)
        elif found.counts.waiting or found.counts.failed:
            self._panel.set_again(Again(another))
            self._panel.paths.setValue(int(found.settings.get("paths") or 1))

    def _take_estimate(self, found: Any) -> None:
        self._panel.show_estimate(found, self.tr("There is no question among these rows."))

    def _no_estimate(self, error: Exception) -> None:
        hint = f" {error.hint}" if isinstance(error, KpddError) else ""
        self._panel.show_estimate(None, f"{error}{hint}")

    def _failed(self, error: Exception) -> None:
        messages.error(self._panel, error)
