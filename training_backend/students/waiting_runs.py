"""The runs of a project that wait for their turn: a file beside its runs, changed by a window or a terminal.

Each change reads the file, changes it and writes it under a lock, so that nobody's change is lost. Who starts
what waits, one run after the other, is the runner of the queue; there is one at a time.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from training_backend.paths import runs_dir
from training_backend.project.lock import Lock, Owner, acquire

log = logging.getLogger(__name__)
FILE_NAME = "queue.json"


@dataclass(frozen=True)
class Waiting:
    """One run that waits: its name for people, and the arguments of `kpdd train` that make it."""

    title: str
    arguments: list[str] = field(default_factory=list)


class WaitingRuns:
    """The queue of one project on disk."""

    def __init__(self, project: Path) -> None:
        """Name the project file; its queue need not be there."""
        self.file = runs_dir(project) / FILE_NAME

    def read(self) -> list[Waiting]:
        """Return the runs in their order; a damaged file is kept beside, for a person to look at."""
        try:
            return self._read()
        except OSError as error:
            log.warning("the queue of runs cannot be read (%s): %s", error, self.file)
            return []

    def change(self, how: Callable[[list[Waiting]], list[Waiting]]) -> list[Waiting]:
        """Let `how` make the new order of what is on disk now, write it and return it.

        OSError where it cannot be read or written: what is there is not written over unseen.
        """
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.file.with_name(f".{FILE_NAME}.lock")):
            waiting = how(self._read())
            temporary = self.file.with_name(f".{FILE_NAME}")
            text = json.dumps([asdict(each) for each in waiting], ensure_ascii=False, indent=1)
            temporary.write_text(text + "\n", encoding="utf-8")
            temporary.replace(self.file)
        return waiting

    def take(self, wanted: Waiting | None = None) -> Waiting | None:
        """Take the next run, or `wanted`, out to start it; None where it is no longer there."""
        taken: list[Waiting] = []

        def without(waiting: list[Waiting]) -> list[Waiting]:
            chosen = waiting[0] if wanted is None and waiting else wanted
            if chosen not in waiting:
                return waiting
            taken.append(waiting[waiting.index(chosen)])
            return [each for n, each in enumerate(waiting) if n != waiting.index(chosen)]

        self.change(without)
        return taken[0] if taken else None

    def put_back(self, run: Waiting) -> list[Waiting]:
        """Put a run that could not start at the head again."""
        return self.change(lambda waiting: [run, *waiting])

    def run_alone(self) -> Lock | Owner:
        """Become the runner of the queue until the lock is released, or return who is."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        return acquire(self.file, "runner")

    def runner(self) -> Owner | None:
        """Return who runs the queue now, if anybody does."""
        if not self.file.with_name(f"{FILE_NAME}.runner").exists():
            return None
        held = self.run_alone()
        if isinstance(held, Owner):
            return held
        held.release()
        return None

    def _read(self) -> list[Waiting]:
        try:
            return [_waiting(each) for each in json.loads(self.file.read_text(encoding="utf-8"))]
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError) as error:
            log.warning("the queue of runs is damaged (%s): %s", error, self.file)
            with contextlib.suppress(FileNotFoundError):
                self.file.replace(self.file.with_suffix(".damaged"))
            return []


def _waiting(entry: Mapping[str, Any]) -> Waiting:
    return Waiting(str(entry["title"]), [str(word) for word in entry["arguments"]])
