"""The warm worker: what was given up is waited for, however many requests that is."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from kpdd_app.pages.solve_worker import SolveWorker
from training_backend.events import Failed, Result


class Process(QObject):
    """Stands for a job: keeps what it is told, and answers nothing by itself."""

    event_came = Signal(object)
    ended = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.told: list[dict] = []
        self.last_failure = None

    def send(self, message: dict) -> None:
        self.told.append(message)

    def stop(self) -> None:
        self.told.append({"command": "stopped"})


class Processes:
    """Stands for the jobs of a window."""

    def __init__(self) -> None:
        self.started: list[Process] = []

    def start(self, *_args, **_options) -> Process:
        self.started.append(Process())
        return self.started[-1]


def test_patience_lasts_until_everything_given_up_has_ended(qapp):
    processes = Processes()
    worker = SolveWorker(processes)
    for students in ("/runs/a", "/runs/b", "/runs/c"):
        worker.use(students)
    (process,) = processes.started
    assert [told["request"] for told in process.told if told["command"] == "cancel"] == ["load 1", "load 2"]
    # the second one had not begun: it ends at once, while the first still reads its weights
    process.event_came.emit(Failed("Cancelled.", request="load 2"))
    assert worker._patience.isActive() and worker.state == "loading"
    process.event_came.emit(Failed("Cancelled.", request="load 1"))
    assert not worker._patience.isActive() and worker.state == "loading"
    process.event_came.emit(Result({"request": "load 3", "students": "/runs/c"}))
    assert worker.state == "ready" and worker.about["students"] == "/runs/c"


def test_a_process_that_does_not_obey_is_replaced_and_loads_what_is_wanted(qapp):
    processes = Processes()
    worker = SolveWorker(processes)
    for students in ("/runs/a", "/runs/b"):
        worker.use(students)
    worker._lose_patience()
    first, second = processes.started
    assert {"command": "stopped"} in first.told
    assert [told["students"] for told in second.told] == ["/runs/b"] and not worker._given_up
