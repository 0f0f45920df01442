"""Running what waits in a project's queue, without a window: one run after the other, each in a process."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from training_backend.errors import ConfigError, KpddError
from training_backend.events import Control, Ended, Failed, Reporter, Result, Started, parse_line
from training_backend.project.lock import Owner
from training_backend.students.command_child import CommandChild
from training_backend.students.run_folder import RunFolder
from training_backend.students.waiting_runs import Waiting, WaitingRuns

# how often the end of a run that somebody else started is looked for
_LOOK_S = 3.0


@dataclass(frozen=True)
class Ran:
    """How one run of the queue ended; `folder` is empty where none was made."""

    title: str
    folder: str
    status: str
    failure: Failed | None = None


Start = Callable[[Waiting, Reporter, Control], Ran]


def run_queue(project: Path, reporter: Reporter, control: Control, start: Start | None = None) -> list[Ran]:
    """Run what waits until nothing does or a stop is asked for; return how each run ended.

    Runs of the project that are at work already, of a window for instance, are waited for. A run that fails
    does not keep the others waiting; one that cannot start is put back, and its failure raised. ConfigError
    where somebody else runs this queue.
    """
    waiting = WaitingRuns(project)
    held = waiting.run_alone()
    if isinstance(held, Owner):
        raise ConfigError(
            f"The queue is run already ({held}).", "Wait for it, or stop it first.", str(project)
        )
    done: list[Ran] = []
    try:
        while not control.stop_requested and waiting.read():
            if not _all_ended(project, reporter, control):
                break
            run = waiting.take()
            if run is None:
                break
            reporter.log(f"{run.title}: begins, {len(waiting.read())} more wait.")
            ran = (start or _start)(run, reporter, control)
            if not ran.folder and ran.status != "done":
                waiting.put_back(run)
                if control.stop_requested:
                    break
                raise _could_not_start(ran, project)
            done.append(ran)
            reporter.log(f"{ran.title}: {ran.status}.", "info" if ran.status == "done" else "warning")
    finally:
        held.release()
    return done


def _could_not_start(ran: Ran, project: Path) -> KpddError:
    failure = ran.failure or Failed("it ended without a word", "See the log.")
    return KpddError(
        f"{ran.title} could not start: {failure.message}",
        f"{failure.hint} It stands at the head of the queue again.".strip(),
        failure.where or str(project),
    )


def _all_ended(project: Path, reporter: Reporter, control: Control) -> bool:
    """Wait until no run of the project is at work; False when a stop is asked for first."""
    told = ""
    while at_work := _at_work(project):
        if at_work != told:
            told = at_work
            reporter.log(f"{at_work} is at work; the queue goes on after it.")
        for _ in range(int(_LOOK_S / 0.1)):
            if control.stop_requested:
                return False
            threading.Event().wait(0.1)
    return True


def _at_work(project: Path) -> str:
    """Return the title of a run of the project that is at work, or nothing."""
    from training_backend.project.runs import runs
    from training_backend.project.store import Project

    with Project.open(project, read_only=True) as opened:
        found = [(project.parent / run.folder, run.title) for run in runs(opened)]
    for folder, title in found:
        with contextlib.suppress(KpddError):
            if RunFolder.open(folder).status() == "running":
                return title
    return ""


def _start(run: Waiting, reporter: Reporter, control: Control) -> Ran:
    """Train one run in a process of its own and pass on what it says."""
    if run.arguments[:1] != ["train"]:
        wrong = Failed(f"'{' '.join(run.arguments[:1])}' is no training.", "Take it out of the queue.")
        return Ran(run.title, "", "failed", wrong)
    lines: queue.Queue[tuple[CommandChild, str | None]] = queue.Queue()
    try:
        # Ctrl+C reaches this process alone, which passes it on once
        child = CommandChild(run.arguments, lines, own_session=True)
    except OSError as error:
        return Ran(
            run.title, "", "failed", Failed(f"no process could be started ({error.strerror}).", "Try again.")
        )
    folder, failure = "", None
    try:
        while True:
            child.obey(control)
            with contextlib.suppress(queue.Empty):
                _, line = lines.get(timeout=0.1)
                if line is None:
                    break
                event = parse_line(line)
                if isinstance(event, Started):
                    folder = event.run_folder or folder
                elif isinstance(event, Failed):
                    failure = event
                elif not isinstance(event, Ended | Result):
                    reporter.emit(event)
    finally:
        child.end()
    status = RunFolder.open(folder).status() if folder else "failed"
    return Ran(run.title, folder, status, failure)
