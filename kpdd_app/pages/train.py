"""The Train page: the runs of the project, a new one, those that wait, and how each stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from kpdd_app import messages, theme
from kpdd_app.followed_run import note_death
from kpdd_app.jobs import Job, Jobs
from kpdd_app.key_bindings import add_action
from kpdd_app.left_runs import LeftRuns
from kpdd_app.open_project import OpenProject
from kpdd_app.pages.train_check import Finding
from kpdd_app.pages.train_compare import CompareView
from kpdd_app.pages.train_form import TrainForm
from kpdd_app.pages.train_list import Entry, status_of
from kpdd_app.pages.train_run import LIVE, RunView
from kpdd_app.pages.train_side import Side
from kpdd_app.run_queue import RunQueue, Waiting
from kpdd_app.widgets.notice import Notice
from training_backend.errors import KpddError
from training_backend.events import Failed, Progress, Started
from training_backend.students.run_folder import RunFolder

# how often runs of an earlier window are looked at while others wait for their end
LOOK_MS = 3000


class TrainPage(QWidget):
    """At the left the runs, at the right a new run, the chosen one, or several compared."""

    page_wanted = Signal(str)
    rows_wanted = Signal(object)
    solve_students_wanted = Signal(str)
    evaluate_students_wanted = Signal(str)

    def __init__(self, project: OpenProject, jobs: Jobs, parent: QWidget | None = None) -> None:
        """Build the page; it shows the runs of whatever project is open."""
        super().__init__(parent)
        self._project = project
        self._jobs = jobs
        self._show_next: Path | None = None
        # the job whose run is being made, and what it was taken from the queue as
        self._making: Job | None = None
        self._taken: Waiting | None = None
        # runs that were asked to go on and whose process has not said that it does
        self._resuming: dict[Path, Job] = {}
        # runs from elsewhere that a read-only project cannot keep
        self._visitors: list[Entry] = []
        self.queue = RunQueue(self)
        self._left = LeftRuns(jobs, self)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._read_runs)
        self._build()
        self._connect()
        self._make_actions()
        self._opened()

    def key(self) -> str:
        """Return the page's name in the rail."""
        return "train"

    def show_run(self, folder: Path | str) -> None:
        """Show a run of the list."""
        if not self.runs.choose(Path(folder), tell=True):
            self._show_next = Path(folder)

    def show_form(self) -> None:
        """Show the form of a new run."""
        self.runs.choose_none()
        self.view.release()
        self.stack.setCurrentWidget(self.form)

    def open_run(self) -> None:
        """Ask for the folder of a run made elsewhere and show it."""
        folder = messages.open_folder(self, self.tr("Choose a run folder"))
        if folder is not None:
            self.take_run(folder)

    def take_run(self, folder: Path) -> None:
        """Put a run made elsewhere into the list and show it; a folder that is none is refused."""
        try:
            run = RunFolder.open(folder.resolve())
        except KpddError as error:
            messages.error(self, error)
            return
        self._show_next = run.path
        if self._project.project is None or self._project.read_only:
            self._visitors.append(Entry(run.path, run.title, run.config.method, run.status()))
            self._read_runs()
            return

        def keep(project: Any) -> None:
            from training_backend.project.runs import add_run

            add_run(project, str(run.path), run.config.method, run.title)

        self._project.change(keep, lambda _: self._project.runs_changed.emit())

    def compare(self) -> None:
        """Compare the chosen runs; with fewer than two chosen, all."""
        if len(self.runs.chosen()) < 2:
            self.runs.selectAll()
        else:
            self._compare(self.runs.chosen())

    # --- construction -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.side = Side(self.queue)
        self.runs = self.side.runs
        self.problem = Notice()
        self.form = TrainForm(self._project)
        self.view = RunView(self._jobs)
        self.comparison = CompareView(self._project)
        self.stack = QStackedWidget()
        for part in (self.form, self.view, self.comparison):
            self.stack.addWidget(part)
        right = QVBoxLayout()
        right.setSpacing(theme.gap(2))
        right.addWidget(self.problem)
        right.addWidget(self.stack, 1)
        line = QFrame()
        line.setProperty("panel", "line")
        line.setFixedWidth(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(*[theme.gap(theme.M)] * 4)
        row.setSpacing(theme.gap(3))
        row.addWidget(self.side)
        row.addWidget(line)
        row.addLayout(right, 1)

    def _connect(self) -> None:
        self.form.start_wanted.connect(self._start)
        self.form.queue_wanted.connect(self._enqueue)
        self.form.rows_wanted.connect(self._show_rows)
        self.form.side.cancel_wanted.connect(self._cancel)
        self.view.solve_wanted.connect(self.solve_students_wanted)
        self.view.evaluate_wanted.connect(self.evaluate_students_wanted)
        self.view.resume_wanted.connect(self._resume)
        self.view.settings_wanted.connect(self._use_settings)
        self.view.status_changed.connect(self._status_changed)
        self.runs.run_chosen.connect(self._show)
        self.runs.several_chosen.connect(self._compare)
        self.runs.none_chosen.connect(self.show_form)
        self.side.new_button.clicked.connect(self.show_form)
        self.side.open_button.clicked.connect(self.open_run)
        self.side.closing_chosen.connect(self._tell_ends)
        self.side.waiting.go_on_wanted.connect(self._go_on)
        self.queue.changed.connect(self._watch)
        self._project.opened.connect(lambda _: self._opened())
        self._project.closed.connect(self._closed)
        self._project.runs_changed.connect(self._read_runs)

    def _make_actions(self) -> None:
        for name, do in (
            ("new", self.show_form),
            ("start", self.form.start),
            ("queue", self.form.queue),
            ("copy", self.form.copy),
            ("yaml", self.form.copy_yaml),
            ("open", self.open_run),
            ("compare", self.compare),
            ("pause", self.view.toggle_pause),
            ("stop", self.view.stop_run),
            ("resume_from", self.view.choose_checkpoint),
        ):
            add_action(self, f"train.{name}", do)

    def resizeEvent(self, event) -> None:
        """Give the list a quarter of the page at most."""
        super().resizeEvent(event)
        self.side.setFixedWidth(min(theme.line_height() * 14, self.width() // 4))

    # --- runs -------------------------------------------------------------------------------------

    def _opened(self) -> None:
        self.view.release()
        self._left.release()
        self._visitors = []
        self.queue.open(self._project.path)
        # the window that may write has the queue
        self.side.waiting.setEnabled(not self._project.read_only)
        self.stack.setCurrentWidget(self.form)
        self._read_runs()

    def _closed(self) -> None:
        self.view.release()
        self._left.release()
        self.queue.open(None)
        self.runs.fill([])
        self.side.show_runs(0)
        self.stack.setCurrentWidget(self.form)

    def _read_runs(self) -> None:
        def read(project: Any) -> list[Entry]:
            from training_backend.project.runs import runs

            parent = project.path.parent
            return [
                Entry(folder := parent / run.folder, run.title, run.method, status_of(folder, run.status))
                for run in runs(project)
            ]

        self._project.read(read, self._fill, key="train-runs")
        if self._project.project is None:
            self._fill([])

    def _fill(self, entries: Sequence[Entry]) -> None:
        known = {entry.folder for entry in entries}
        entries = [*(each for each in self._visitors if each.folder not in known), *entries]
        shown = self.view.folder if self.stack.currentWidget() is self.view else None
        ours = {job.run_folder for job in self._jobs.running() if job.arguments[:1] == ["train"]}
        if not self._project.read_only:
            left = [(each.folder, each.title) for each in entries if each.status == "running"]
            self._left.follow(left, self._resuming)
        for entry in entries:
            if entry.folder in ours and entry.status not in LIVE:
                # its folder says so a moment later
                entry.status = "running"
        self.runs.fill(entries)
        self.side.show_runs(len(entries))
        wanted = self._show_next or shown
        if wanted is not None and self.runs.choose(wanted, tell=wanted != shown):
            self._show_next = None
        at_work = any(entry.status == "running" for entry in entries)
        if self.queue.held and at_work:
            # what was at work when the window closed still is: the queue was never interrupted
            self.queue.hold(False)
        self.form.set_busy(self._at_work())
        self._advance()

    def _show(self, entry: Entry) -> None:
        self.problem.clear()
        if self.view.folder != entry.folder or self._show_next == entry.folder:
            self.view.show_run(entry.folder, entry.title, entry.method)
            if entry.folder in self._resuming:
                self.view.await_start(self._resuming[entry.folder])
        self.stack.setCurrentWidget(self.view)

    def _compare(self, entries: list[Entry]) -> None:
        self.view.release()
        self.comparison.show_runs([(entry.folder, entry.title) for entry in entries])
        self.stack.setCurrentWidget(self.comparison)

    def _status_changed(self, folder: Path, status: str) -> None:
        self.runs.set_status(folder, status)
        self.form.set_busy(self._at_work())
        if status not in LIVE:
            self._advance()

    def _use_settings(self, folder: Path) -> None:
        try:
            config = RunFolder.open(folder).config
        except KpddError as error:
            messages.error(self, error)
            return
        self.show_form()
        self.form.use_settings(config)

    # --- starting ---------------------------------------------------------------------------------

    def _start(self, arguments: list[str], title: str) -> None:
        # a disabled button would hand the keyboard to the list of pages
        self.side.new_button.setFocus()
        self._make(arguments, title)

    def _make(self, arguments: list[str], title: str) -> None:
        self.problem.clear()
        self.form.set_starting(True)
        self._making = self._launch(self.tr("Training {0}").format(title), arguments)

    def _enqueue(self, arguments: list[str], title: str) -> None:
        self.queue.add(title, arguments)
        messages.note(self.tr("{0} waits for its turn").format(title))
        self._advance()

    def _go_on(self) -> None:
        self.queue.hold(False)
        self._advance()

    def _advance(self) -> None:
        """Start the next waiting run if nothing is at work."""
        ready = not self.queue.held and self._project.project is not None and not self._project.read_only
        if not ready or not self.queue.waiting or self._at_work():
            return
        self._taken = self.queue.take()
        if self._taken is not None:
            self._make(self._taken.arguments, self._taken.title)

    def _at_work(self) -> bool:
        ours = any(job.arguments[:1] == ["train"] for job in self._jobs.running())
        return ours or any(entry.status in LIVE for entry in self.runs.entries())

    def _watch(self) -> None:
        """While runs wait, look at the ones of an earlier window, whose end nobody tells."""
        if self.queue.waiting and not self.queue.held:
            self._timer.start()
        else:
            self._timer.stop()

    def _cancel(self) -> None:
        if self._making is not None:
            self._making.stop()

    def _resume(self, folder: Path, where: str) -> None:
        if folder in self._resuming:
            return
        how = {"": ["--resume"], "begin": []}.get(where, ["--resume-from", where])
        title = next((each.title for each in self.runs.entries() if each.folder == folder), folder.name)
        job = self._launch(self.tr("Training {0}").format(title), ["train", str(folder), *how])
        self._resuming[folder] = job
        if self.view.folder == folder:
            self.view.await_start(job)

    def _launch(self, title: str, arguments: list[str]) -> Job:
        job = self._jobs.start(title, arguments, detached=True)
        job.event_came.connect(lambda event: self._take(job, event))
        job.failed.connect(lambda failure: self._failed(job, failure))
        job.ended.connect(lambda status: self._ended(job, status))
        return job

    def _take(self, job: Job, event: Any) -> None:
        if isinstance(event, Started) and event.run_folder:
            # a run that waited begins while a person does something else
            self._tell_end(job)
            waited = job is self._making and self._taken is not None
            self._made(job)
            folder = Path(event.run_folder)
            self._resuming = {of: asked for of, asked in self._resuming.items() if asked is not job}
            if self.view.folder == folder:
                # resumed: follow the new part of its events too
                self.view.release()
            self._show_next = None if waited else folder
            self._project.runs_changed.emit()
        elif isinstance(event, Progress) and job is self._making:
            self.form.side.show_progress(event)

    def _tell_ends(self) -> None:
        for job in self._jobs.running():
            if job.arguments[:1] == ["train"]:
                self._tell_end(job)

    def _tell_end(self, job: Job) -> None:
        """Tell a run whether it ends with this window, should the window be killed."""
        job.send({"command": "stop_at_end" if self.side.ends_with_window else "leave_at_end"})

    def _made(self, job: Job) -> None:
        if job is self._making:
            self._making = self._taken = None
            self.form.set_starting(False)

    def _failed(self, job: Job, failure: Failed) -> None:
        if job.run_folder is None:
            # nothing was prepared: the form is where it can be mended
            self.problem.say_failure(failure)

    def _ended(self, job: Job, status: str) -> None:
        taken = self._taken if job is self._making else None
        self._made(job)
        if status == "detached":
            return
        self._could_not_resume(job)
        if taken is not None and job.run_folder is None:
            self.queue.put_back(taken)
        if status == "failed" and job.run_folder is not None and job.last_failure is not None:
            note_death(job.run_folder, job.last_failure)
            if self.view.folder == job.run_folder:
                self.view.say_failure(job.last_failure)
        self._project.runs_changed.emit()

    def _could_not_resume(self, job: Job) -> None:
        """Show a run as it stands whose process ended before it went on."""
        for folder in [folder for folder, asked in self._resuming.items() if asked is job]:
            del self._resuming[folder]
            entry = next((each for each in self.runs.entries() if each.folder == folder), None)
            if entry is not None and self.view.folder == folder:
                self.view.show_run(folder, entry.title, entry.method)

    def _show_rows(self, finding: Finding) -> None:
        """Show the rows behind a finding (unfit ones once all were checked), or where they come from."""
        if self._project.path is None:
            return
        if finding.page:
            self.page_wanted.emit(finding.page)
            return
        if not finding.student:
            self.rows_wanted.emit(finding.rows)
            return
        # what was typed must be on disk before the other process reads it
        self._project.flush()
        arguments = ["flags", str(self._project.path), "--student", finding.student, "--quiet"]
        if finding.longest is not None:
            arguments += ["--longest", *map(str, finding.longest)]
        job = self._jobs.start(self.tr("Checking texts"), arguments)
        job.failed.connect(self.problem.say_failure)
        job.ended.connect(lambda status: self.rows_wanted.emit(finding.rows) if status == "done" else None)
