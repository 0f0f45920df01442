"""The runs that wait for their turn, kept beside the runs of the project: a restart finds them again."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from training_backend.paths import runs_dir

log = logging.getLogger(__name__)
FILE_NAME = "queue.json"


@dataclass(frozen=True)
class Waiting:
    """One run that waits: its name for people, and the arguments of `kpdd train` that make it."""

    title: str
    arguments: list[str] = field(default_factory=list)


class RunQueue(QObject):
    """The waiting runs of one project, in their order; every change is on disk before it is told.

    `held` is True after a restart until a person, or the end of a run that was still at work, lets it go on.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        """Begin without a project."""
        super().__init__(parent)
        self._file: Path | None = None
        self.waiting: list[Waiting] = []
        self.held = False

    def open(self, project: Path | None) -> None:
        """Take the queue of a project from its file; None: of no project."""
        self._file = runs_dir(project) / FILE_NAME if project is not None else None
        self.waiting = _read(self._file) if self._file is not None else []
        self.held = bool(self.waiting)
        self.changed.emit()

    def add(self, title: str, arguments: list[str]) -> None:
        """Put a run at the end."""
        self._write([*self.waiting, Waiting(title, list(arguments))])

    def remove(self, number: int) -> None:
        """Take a run out."""
        self._write(self.waiting[:number] + self.waiting[number + 1 :])

    def move(self, number: int, by: int) -> int:
        """Move a run up (-1) or down (+1) and return where it stands."""
        to = max(0, min(len(self.waiting) - 1, number + by))
        order = list(self.waiting)
        order.insert(to, order.pop(number))
        self._write(order)
        return to

    def take(self, number: int = 0) -> Waiting | None:
        """Take the next run, or a certain one, out to start it."""
        if not 0 <= number < len(self.waiting):
            return None
        taken = self.waiting[number]
        self.remove(number)
        return taken

    def put_back(self, run: Waiting) -> None:
        """Put a run that could not start at the head again, and hold the queue."""
        self.held = True
        self._write([run, *self.waiting])

    def hold(self, held: bool) -> None:
        """Hold the queue, or let it go on."""
        self.held = held
        self.changed.emit()

    def _write(self, waiting: list[Waiting]) -> None:
        assert self._file is not None
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_name(f".{self._file.name}")
        text = json.dumps([asdict(each) for each in waiting], ensure_ascii=False, indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(self._file)
        self.waiting = waiting
        self.changed.emit()


def _read(file: Path) -> list[Waiting]:
    try:
        return [_waiting(each) for each in json.loads(file.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        # kept for a person to look at; the next change would write over it
        log.warning("the queue of runs cannot be read (%s): %s", error, file)
        file.replace(file.with_suffix(".damaged"))
        return []


def _waiting(entry: Mapping[str, Any]) -> Waiting:
    return Waiting(str(entry["title"]), [str(word) for word in entry["arguments"]])
