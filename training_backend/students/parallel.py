"""Training several students of a run at the same time: one process each, their events merged."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence

from training_backend.errors import KpddError
from training_backend.events import Control, Ended, Failed, Reporter, Result, Started, parse_line
from training_backend.methods import Role
from training_backend.students.run_folder import RunFolder


class _Child:
    """One process that trains one role."""

    def __init__(self, run: RunFolder, role: Role, resume: bool, threads: int, lines: queue.Queue) -> None:
        command = [sys.executable]
        if not getattr(sys, "frozen", False):
            command += ["-m", "training_backend"]
        command += ["train", str(run.path), "--role", role.name, "--child", "--events", "--stop-at-eof"]
        command += ["--resume"] if resume else []
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        self.role = role
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
            encoding="utf-8",
        )
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()

    def send(self, word: str) -> None:
        """Tell the process to stop, pause or resume; one that has ended needs nothing."""
        with contextlib.suppress(OSError, ValueError):
            assert self.process.stdin is not None
            self.process.stdin.write(json.dumps({"command": word}) + "\n")
            self.process.stdin.flush()

    def _read(self, lines: queue.Queue) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            lines.put((self, line))
        lines.put((self, None))


def train_in_parallel(
    run: RunFolder, roles: Sequence[Role], reporter: Reporter, control: Control, resume: bool = False
) -> None:
    """Train `roles` side by side, the processors shared out between them; raise when one of them failed.

    Stop and pause reach every process; a student whose sibling fails is trained to its end.
    """
    if resume:
        roles = [role for role in roles if run.role_status(role.name).status != "done"]
    if not roles:
        return
    threads = max(1, (os.cpu_count() or 1) // len(roles))
    lines: queue.Queue = queue.Queue()
    children = [_Child(run, role, resume, threads, lines) for role in roles]
    failures: list[Failed] = []
    told = ""
    running = set(children)
    try:
        while running:
            wanted = "stop" if control.stop_requested else "pause" if control.paused else "resume"
            if wanted != told and (told or wanted != "resume"):
                for child in running:
                    child.send(wanted)
            told = wanted
            with contextlib.suppress(queue.Empty):
                child, line = lines.get(timeout=0.1)
                if line is None:
                    running.discard(child)
                else:
                    _merge(line, reporter, failures)
    finally:
        for child in children:
            # the end of its input means stop; a checkpoint is written, so it gets time
            with contextlib.suppress(OSError):
                child.process.stdin.close()  # type: ignore[union-attr]
            try:
                child.process.wait(timeout=120)
            except subprocess.TimeoutExpired:
                child.process.kill()
    if failures:
        first = failures[0]
        raise KpddError(first.message, first.hint, first.where)
    silent = [child.role.title for child in children if child.process.returncode]
    if silent and not control.stop_requested:
        raise KpddError(
            f"The training of {' and '.join(silent)} ended without a word.",
            "Resume the run; if it happens again, see the log.",
            str(run.path),
        )


def _merge(line: str, reporter: Reporter, failures: list[Failed]) -> None:
    event = parse_line(line)
    if isinstance(event, Failed):
        failures.append(event)
    if not isinstance(event, Started | Ended | Result | Failed):
        reporter.emit(event)
