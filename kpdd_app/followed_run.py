"""A run that this window did not start: its `events.jsonl` is read from the beginning and then watched."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from PySide6.QtCore import Slot

from kpdd_app.supervisor import CHUNK, PENDING_BYTES, POLL_MS, TICK_MS, CaughtUp, Source, read_end
from training_backend.errors import KpddError
from training_backend.events import Ended, Event, Failed, Started, parse_line, to_line
from training_backend.students.run_folder import RunFolder

# a run on another machine counts as alive while its file still grows
ELSEWHERE_S = 180.0


class Followed(Source):
    """A run that this window did not start: its `events.jsonl` is read and then watched."""

    def __init__(self, run_folder: Path) -> None:
        """Keep the run folder."""
        super().__init__()
        self._folder = run_folder
        self._file: Any = None
        self._pid = 0
        self._began_at = 0.0
        self._looked_at = 0.0
        self._caught_up = False

    @Slot()
    def begin(self) -> None:
        """Open the events file; a run without one has ended before it began."""
        try:
            self._file = (self._folder / "events.jsonl").open("rb")
        except OSError as error:
            self._end("failed", Failed(message=f"The run's events cannot be read: {error.strerror}.",
                                       hint="Choose a run folder with the file events.jsonl.",
                                       where=str(self._folder)))  # fmt: skip
            return
        self._start_timer()
        self._tick()

    @Slot(str)
    def send(self, line: str) -> None:
        """Hand a command to the run through its control file."""
        word = str(json.loads(line).get("command", ""))
        with contextlib.suppress(OSError):
            # in one go: the run takes the file away as soon as it sees it
            written = self._folder / f".control-{os.getpid()}"
            written.write_text(word, encoding="utf-8")
            written.replace(self._folder / "control")

    @Slot()
    def stop(self) -> None:
        """Ask the run to stop at its next border."""
        self.send('{"command": "stop"}')

    @Slot()
    def kill(self) -> None:
        """A run of somebody else is only ever asked."""
        self.stop()

    @Slot()
    def release(self) -> None:
        """Stop watching."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._end("detached")

    def _keep(self, event: Event) -> None:
        if isinstance(event, Started):
            self._pid = event.pid
            self._began_at = event.t
            self._said_failed = False
        super()._keep(event)

    @Slot()
    def _tick(self) -> None:
        if self._over or self._file is None:
            return
        at_end = False
        while not at_end and self._lines.size < PENDING_BYTES:
            data = self._file.read(CHUNK)
            at_end = not data
            self._lines.feed(data)
        waiting = self._parse()
        if at_end and not (waiting or self._caught_up):
            self._caught_up = True
            self.inbox.append(CaughtUp())
            self._wake()
        assert self._timer is not None
        self._timer.setInterval(TICK_MS if waiting else POLL_MS * 4)
        if not waiting:
            self._look_for_the_end()

    def _look_for_the_end(self) -> None:
        if isinstance(self._last, Ended):
            self._file.close()
            self._file = None
            self._end(self._last.status)
            return
        now = time.monotonic()
        if now - self._looked_at < 1.0:
            return
        self._looked_at = now
        if not self._alive():
            self._file.close()
            self._file = None
            told = self._told_by_the_students()
            self._end(told or "failed", None if told or self._said_failed else Failed(
                message="The run's process is gone without a last word: it was ended from outside, "
                        "or the machine was restarted.",
                hint="The run can be resumed from its last checkpoint.",
                where=str(self._folder)))  # fmt: skip

    def _told_by_the_students(self) -> str:
        """Return how a run ended whose events have no last word (part of a longer command), or nothing."""
        with contextlib.suppress(KpddError, OSError):
            status = RunFolder.open(self._folder).status()
            return status if status in ("done", "stopped") else ""
        return ""

    def _alive(self) -> bool:
        """Tell whether the run's process lives: here by its number, elsewhere by its file still growing."""
        if not self._pid and self._on_this_machine():
            # no word of its process: its students know theirs
            with contextlib.suppress(KpddError, OSError):
                return RunFolder.open(self._folder).status() == "running"
        if not self._on_this_machine():
            with contextlib.suppress(OSError):
                return (self._folder / "events.jsonl").stat().st_mtime > time.time() - ELSEWHERE_S
            return False
        with contextlib.suppress(psutil.Error, ValueError):
            process = psutil.Process(self._pid)
            # the number may have been given to another process since
            same = not self._began_at or process.create_time() <= self._began_at + 5
            return self._pid > 0 and same and process.status() != psutil.STATUS_ZOMBIE
        return False

    def _on_this_machine(self) -> bool:
        """Tell whether the run says that it runs on this machine (its run.json may name the host)."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            data = json.loads((self._folder / "run.json").read_text(encoding="utf-8"))
            host = data.get("host", "")
            return not host or host == platform.node()
        return True


def note_death(folder: Path, failure: Failed) -> None:
    """Write the last word of a run whose process could not: how it ended, for every window to come.

    A run that said its own last word keeps it.
    """
    with contextlib.suppress(OSError, KpddError):
        file = folder / "events.jsonl"
        end = read_end(file).rpartition("\n")
        last = end[2] or end[0].rpartition("\n")[2]
        if isinstance(parse_line(last), Ended):
            return
        lines = [to_line(replace(event, t=time.time())) for event in (failure, Ended(status="failed"))]
        with file.open("a", encoding="utf-8") as events:
            # a line that was cut off is ended first
            events.write(("\n" if end[2] else "") + "\n".join(lines) + "\n")
        run = RunFolder.open(folder)
        for role in run.method.roles:
            status = run.role_status(role.name)
            if status.status == "interrupted":
                run.set_role_status(replace(status, status="failed", error=failure.message, pid=0))
