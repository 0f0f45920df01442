"""Who solves which branch: the page's worker, a second one beside it, and what runs the programs of rows."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from kpdd_app.jobs import Job, Jobs
from kpdd_app.pages.solve_branches import Branch
from kpdd_app.pages.solve_worker import SolveWorker
from kpdd_app.solution_steps import add_event
from training_backend.events import Answer, Event, Failed


class Workers(QObject):
    """Gives branches to workers, and what comes from them to the branches."""

    changed = Signal()
    """Something of a branch came, or a branch will get no more."""
    failed = Signal(object, bool)
    """A failure to show; True: loading the page's own students again may help."""
    state_changed = Signal(str)
    """A worker changed its state, or says in words how far it is."""

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        """Begin without a process."""
        super().__init__(parent)
        self._at_work: dict[SolveWorker, Branch] = {}
        # recorded rows whose program runs
        self._traces: dict[Job, Branch] = {}
        self.first, self.second = SolveWorker(jobs, self), SolveWorker(jobs, self)
        for worker in self._both:
            worker.event_came.connect(lambda event, worker=worker: self._take(worker, event))
            worker.failed.connect(lambda failure, worker=worker: self._failed(worker, failure))
            worker.state_changed.connect(lambda _: self.state_changed.emit(""))
            worker.progressed.connect(self.state_changed)

    @property
    def state(self) -> str:
        """Return loading or solving when one of them does, tracing, else the state of the page's worker."""
        states = [worker.state for worker in self._both] + ["tracing"] * bool(self._traces)
        return next((state for state in ("loading", "solving", "tracing") if state in states), states[0])

    @property
    def asked(self) -> bool:
        """Tell whether a branch waits for more."""
        return any(not branch.recording.over for branch in (*self._at_work.values(), *self._traces.values()))

    def begin(self, branch: Branch, beside: bool = False) -> None:
        """Solve a branch; what the worker did before is given up. `beside`: with the second worker."""
        worker = self.second if beside else self.first
        self._end(worker)
        self._at_work[worker] = branch
        if worker.students != branch.ask.choice.students:
            worker.use(branch.ask.choice.students)
        worker.ask(branch.ask.message())

    def trace(self, branch: Branch, job: Job) -> None:
        """Take what the program of a recorded row does, until it ends or is given up."""
        self._traces[job] = branch
        job.event_came.connect(lambda event: self._take_traced(job, event))
        job.ended.connect(lambda _: self._end_trace(job))
        self.state_changed.emit("")

    def stop_traces(self, only: Branch | None = None) -> None:
        """Give up the programs of recorded rows, or one: they keep nothing that could be lost."""
        for job, branch in list(self._traces.items()):
            if only in (None, branch):
                self._end_trace(job)
                job.stop()

    def stop(self, only: Branch | None = None) -> None:
        """Give up all branches, or one."""
        self.stop_traces(only)
        for worker, branch in list(self._at_work.items()):
            if only in (None, branch):
                worker.cancel()
                self._end(worker)
        self.changed.emit()

    def cancel_loading(self) -> None:
        """Give up the students that are being loaded."""
        for worker in self._both:
            if worker.state == "loading":
                worker.cancel_loading()
                self._end(worker)
        self.changed.emit()

    def close(self) -> None:
        """End all processes."""
        self.stop_traces()
        for worker in self._both:
            worker.close()

    # --- helpers ----------------------------------------------------------------------------------

    @property
    def _both(self) -> tuple[SolveWorker, SolveWorker]:
        return self.first, self.second

    def _end(self, worker: SolveWorker) -> None:
        branch = self._at_work.pop(worker, None)
        if branch is not None:
            branch.recording.over = True

    def _take(self, worker: SolveWorker, event: Event) -> None:
        branch = self._at_work.get(worker)
        if branch is None:
            return
        if isinstance(event, Answer) and branch.ask.way.paths > 1:
            # the worker is asked again once it has taken note that this request is over
            QTimer.singleShot(0, self, lambda: self._write_winner(worker, branch))
            return
        add_event(branch.recording, event)
        if isinstance(event, Failed):
            self.failed.emit(event, False)
        if branch.recording.over:
            self._at_work.pop(worker, None)
        self.changed.emit()

    def _take_traced(self, job: Job, event: Event) -> None:
        branch = self._traces.get(job)
        if branch is None:
            return
        add_event(branch.recording, event)
        if isinstance(event, Failed):
            self.failed.emit(event, False)
        if branch.recording.over:
            self._end_trace(job)
        self.changed.emit()

    def _end_trace(self, job: Job) -> None:
        branch = self._traces.pop(job, None)
        if branch is not None:
            branch.recording.over = True
            self.state_changed.emit("")
            self.changed.emit()

    def _write_winner(self, worker: SolveWorker, branch: Branch) -> None:
        """After a vote: have the first path that gave the winning answer written token by token."""
        vote = branch.recording.vote
        if self._at_work.get(worker) is branch and vote is not None:
            branch.ask = replace(branch.ask, way=replace(branch.ask.way, path=vote.winner, paths=1))
            title = self.tr("Path {0}, by vote").format(vote.winner + 1)
            # whose key points they were stays said
            branch.title = f"{branch.title}: {title}" if branch.ask.by else title
            worker.ask(branch.ask.message())

    def _failed(self, worker: SolveWorker, failure: Failed) -> None:
        branch = self._at_work.get(worker)
        if branch is not None:
            branch.recording.failure = failure
        self._end(worker)
        self.failed.emit(failure, worker is self.first)
        self.changed.emit()
