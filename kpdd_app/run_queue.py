"""The runs that wait for their turn, as the window shows them; a terminal may run them, too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, Signal

from training_backend.students.waiting_runs import Waiting, WaitingRuns


class RunQueue(QObject):
    """The waiting runs of one project, in their order; every change is on disk before it is told.

    `held` is True after a restart until a person, or the end of a run that was still at work, lets it go on.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        """Begin without a project."""
        super().__init__(parent)
        self._store: WaitingRuns | None = None
        # a run that waits may be taken, or put in, by another process
        self._files = QFileSystemWatcher(self)
        self._files.directoryChanged.connect(self._read_again)
        self.waiting: list[Waiting] = []
        self.held = False

    def open(self, project: Path | None) -> None:
        """Take the queue of a project from its file; None: of no project."""
        self._store = WaitingRuns(project) if project is not None else None
        self.waiting = self._store.read() if self._store is not None else []
        self.held = bool(self.waiting)
        if watched := self._files.directories():
            self._files.removePaths(watched)
        self._watch()
        self.changed.emit()

    def add(self, title: str, arguments: list[str]) -> None:
        """Put a run at the end."""
        run = Waiting(title, list(arguments))
        self._change(lambda waiting: [*waiting, run])

    def remove(self, number: int) -> None:
        """Take a run out."""
        assert self._store is not None
        self._store.take(self.waiting[number])
        self._read_again()

    def move(self, number: int, by: int) -> int:
        """Move a run up (-1) or down (+1) and return where it stands."""
        run = self.waiting[number]

        def moved(waiting: list[Waiting]) -> list[Waiting]:
            if run not in waiting:
                return waiting
            order = list(waiting)
            at = number if number < len(order) and order[number] == run else order.index(run)
            order.insert(max(0, min(len(waiting) - 1, at + by)), order.pop(at))
            return order

        self._change(moved)
        return max(0, min(len(self.waiting) - 1, number + by))

    def take(self, number: int = 0) -> Waiting | None:
        """Take the next run, or a certain one, out to start it; None where a terminal runs the queue."""
        if self._store is None or not 0 <= number < len(self.waiting) or self._store.runner() is not None:
            return None
        taken = self._store.take(self.waiting[number])
        self._read_again()
        return taken

    def put_back(self, run: Waiting) -> None:
        """Put a run that could not start at the head again, and hold the queue."""
        self.held = True
        self._change(lambda waiting: [run, *waiting])

    def hold(self, held: bool) -> None:
        """Hold the queue, or let it go on."""
        self.held = held
        self.changed.emit()

    def _change(self, how: Callable[[list[Waiting]], list[Waiting]]) -> None:
        assert self._store is not None
        self.waiting = self._store.change(how)
        self._watch()
        self.changed.emit()

    def _read_again(self) -> None:
        if self._store is None:
            return
        found = self._store.read()
        if found != self.waiting:
            self.waiting = found
            self.changed.emit()

    def _watch(self) -> None:
        """Watch the folder of the runs, once it is there."""
        if self._store is not None and not self._files.directories() and self._store.file.parent.is_dir():
            self._files.addPath(str(self._store.file.parent))
