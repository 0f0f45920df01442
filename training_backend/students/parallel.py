"""Training several students of a run at the same time: one process each, their events merged."""

from __future__ import annotations

import contextlib
import os
import queue
from collections.abc import Sequence

from training_backend.errors import KpddError
from training_backend.events import Control, Ended, Failed, Reporter, Result, Started, parse_line
from training_backend.methods import Role
from training_backend.students.command_child import CommandChild
from training_backend.students.run_folder import RunFolder


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
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    lines: queue.Queue[tuple[CommandChild, str | None]] = queue.Queue()
    children: dict[CommandChild, Role] = {}
    failures: list[Failed] = []
    try:
        for role in roles:
            words = ["train", str(run.path), "--role", role.name, "--child", *["--resume"] * resume]
            children[CommandChild(words, lines, environment)] = role
        running = set(children)
        while running:
            for child in running:
                child.obey(control)
            with contextlib.suppress(queue.Empty):
                child, line = lines.get(timeout=0.1)
                if line is None:
                    running.discard(child)
                else:
                    _merge(line, reporter, failures)
    finally:
        for child in children:
            child.end()
    if failures:
        first = failures[0]
        raise KpddError(first.message, first.hint, first.where)
    silent = [role.title for child, role in children.items() if child.process.returncode]
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
