"""The other side of a job: the object that owns a child process, in a thread of its own.

The window's thread never waits for a child. Lines are parsed here, at most `PARSE_MS` a tick, and laid into
an inbox from which the window's thread takes them under a budget of its own, so a burst never freezes it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

import training_backend
from training_backend.events import Ended, Event, Failed, Result, parse_line

PARSE_MS = 6.0
TICK_MS = 10
POLL_MS = 50
# what may wait between the threads: beyond it the pipe fills and the child waits, not the memory
INBOX_LIMIT = 20_000
PENDING_BYTES = 8 * 1024 * 1024
CHUNK = 1 << 16
TAIL_BYTES = 8192


@dataclass(frozen=True)
class End:
    """The last thing in an inbox: how the job ended, and why when it failed without saying so itself."""

    status: str
    failed: Failed | None = None


class Lines:
    """Bytes in, whole lines out; a half-written last line waits for its end."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lines: deque[bytes] = deque()
        self._rest = b""
        self.size = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._lines.extend(lines)

    def take(self) -> bytes | None:
        """Return the next whole line without its end, or None."""
        if not self._lines:
            return None
        line = self._lines.popleft()
        self.size -= len(line) + 1
        return line

    def __bool__(self) -> bool:
        """Tell whether a whole line waits."""
        return bool(self._lines)


@dataclass(frozen=True)
class CaughtUp:
    """All that a followed run had said before stands in front of this."""


class Source(QObject):
    """What children and followed runs share: lines become events in the inbox, a budget a tick."""

    woke = Signal()

    def __init__(self) -> None:
        """Make the inbox; the object is then moved to the jobs' thread."""
        super().__init__()
        self.inbox: deque[Event | End | CaughtUp] = deque()
        self._lines = Lines()
        self._lock = threading.Lock()
        self._timer: QTimer | None = None
        self._last: Event | None = None
        self._said_failed = False
        self._said_result = False
        self._over = False
        # set while a wake-up is on its way: several would be delivered in one go and add up their budgets
        self.woken = False

    def _start_timer(self) -> None:
        # made here, so that it lives in the thread that runs it
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _parse(self) -> bool:
        """Parse for at most PARSE_MS; return whether lines still wait."""
        stop_at = time.perf_counter() + PARSE_MS / 1000
        took = False
        while len(self.inbox) < INBOX_LIMIT:
            with self._lock:
                line = self._lines.take()
            if line is None:
                break
            if line.strip():
                self._keep(parse_line(line.decode("utf-8", errors="replace")))
                took = True
            if time.perf_counter() > stop_at:
                break
        if took:
            self._wake()
        return bool(self._lines)

    def _keep(self, event: Event) -> None:
        self._last = event
        if isinstance(event, Failed) and not event.request:
            self._said_failed = True
        self._said_result = self._said_result or isinstance(event, Result)
        self.inbox.append(event)

    def _end(self, status: str, failed: Failed | None = None) -> None:
        if self._over:
            return
        self._over = True
        if self._timer is not None:
            self._timer.stop()
        self.inbox.append(End(status, failed))
        self._wake()

    def _wake(self) -> None:
        if not self.woken:
            self.woken = True
            self.woke.emit()

    @Slot()
    def _tick(self) -> None:
        raise NotImplementedError


class Child(Source):
    """One child process: started, read, told to stop (politely, then by force), and reaped."""

    began = Signal(int)
    _came = Signal()

    def __init__(
        self,
        command: Sequence[str],
        logs: Path,
        detached: bool,
        grace_s: float,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Keep what to start. A detached child writes to files, so it never waits for a window.

        `environment` is added to the child's.
        """
        super().__init__()
        self._command = list(command)
        self._environment = dict(environment or {})
        self._detached = detached
        self._grace_s = grace_s
        self._stderr_file = logs.with_suffix(".log")
        self._stdout_file = logs.with_suffix(".events")
        self._process: subprocess.Popen[bytes] | None = None
        self._tail: Any = None
        self._reader: threading.Thread | None = None
        self._stop_asked_at = 0.0
        self._ended_at = 0.0
        self._force = 0
        self._told = False
        # emitted by the reader, so it arrives as a queued call in the supervisor's thread
        self._came.connect(self._tick)

    @Slot()
    def begin(self) -> None:
        """Start the process; failing to start is how the job ends."""
        self._stderr_file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with contextlib.ExitStack() as files:
                errors = files.enter_context(self._stderr_file.open("wb"))
                out: Any = subprocess.PIPE
                if self._detached:
                    out = files.enter_context(self._stdout_file.open("wb"))
                self._process = subprocess.Popen(
                    self._command, stdin=subprocess.PIPE, stdout=out, stderr=errors, bufsize=0,
                    env={**child_environment(), **self._environment}, start_new_session=True,
                )  # fmt: skip
            self._environment.clear()
        except OSError as error:
            self._end("failed", Failed(message=f"The process could not be started: {error}.",
                                       hint="Check that the program is installed completely."))  # fmt: skip
            return
        if self._detached:
            self._tail = self._stdout_file.open("rb")
        else:
            self._reader = threading.Thread(target=self._read, name="job-reader", daemon=True)
            self._reader.start()
        self.began.emit(self._process.pid)
        self._start_timer()

    @Slot(str)
    def send(self, line: str) -> None:
        """Write one line to the child's standard input; a child that is gone takes no more."""
        if self._process is None or self._process.stdin is None:
            return
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()

    @Slot()
    def stop(self) -> None:
        """Ask politely; after the grace time terminate, then kill."""
        if not self._stop_asked_at:
            self._stop_asked_at = time.monotonic()
            self.send(json.dumps({"command": "stop"}))

    @Slot()
    def kill(self) -> None:
        """End the process and what it started, at once."""
        self._stop_asked_at = self._stop_asked_at or time.monotonic()
        self._signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)

    @Slot()
    def release(self) -> None:
        """Let go of the process without ending it (the window closes, the run goes on)."""
        if self._process is None or self._over:
            return
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._close_tail()
        # so that the interpreter does not complain about a child that was meant to outlive it
        if self._process.returncode is None:
            self._process.returncode = 0
            # it may end before this program: unwaited for, it would look alive to whoever asks by its number
            threading.Thread(
                target=_wait_for, args=(self._process.pid,), name="job-reaper", daemon=True
            ).start()
        self._end("detached")

    def _read(self) -> None:
        """Move the child's output into the waiting lines; runs in a thread of its own, ends at EOF."""
        assert self._process is not None and self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        while True:
            try:
                data = os.read(pipe, CHUNK)
            except OSError:
                return
            if not data:
                return
            with self._lock:
                self._lines.feed(data)
            if not self._told:
                self._told = True
                self._came.emit()
            while self._lines.size > PENDING_BYTES and not self._over:
                time.sleep(0.005)

    @Slot()
    def _tick(self) -> None:
        self._told = False
        if self._over or self._process is None:
            return
        self._read_tail()
        waiting = self._parse()
        if self._timer is not None:
            self._timer.setInterval(TICK_MS if waiting else POLL_MS)
        self._press_on()
        code = self._process.poll()
        if code is None or waiting:
            return
        if self._reader is not None and self._reader.is_alive() and self._grandchild_may_write():
            return
        self._read_tail()
        while self._parse():
            pass
        self._finish(code)

    def _grandchild_may_write(self) -> bool:
        """Give the pipe half a second after the child's end, should something it started still hold it."""
        self._ended_at = self._ended_at or time.monotonic()
        return time.monotonic() - self._ended_at < 0.5

    def _read_tail(self) -> None:
        if self._tail is None:
            return
        while self._lines.size < PENDING_BYTES:
            data = self._tail.read(CHUNK)
            if not data:
                return
            with self._lock:
                self._lines.feed(data)

    def _press_on(self) -> None:
        """Escalate a stop that was not obeyed: terminate after the grace time, kill three seconds later."""
        if not self._stop_asked_at:
            return
        waited = time.monotonic() - self._stop_asked_at
        if self._force == 0 and waited > self._grace_s:
            self._force = 1
            self._signal(signal.SIGTERM)
        elif self._force == 1 and waited > self._grace_s + min(3.0, self._grace_s):
            self._force = 2
            self.kill()

    def _signal(self, number: int) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, number)
            else:
                self._process.terminate()

    def _finish(self, code: int) -> None:
        status, failed = self._how_it_ended(code)
        assert self._process is not None
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        if self._process.stdout is not None and not (self._reader and self._reader.is_alive()):
            self._process.stdout.close()
        self._close_tail()
        if status != "failed":
            for file in (self._stderr_file, self._stdout_file):
                file.unlink(missing_ok=True)
        self._end(status, failed)

    def _how_it_ended(self, code: int) -> tuple[str, Failed | None]:
        if isinstance(self._last, Ended):
            status = self._last.status
            # a command that gave its result said there what is wrong
            told = self._said_failed or self._said_result
            failed = self._unexplained(code) if status == "failed" and not told else None
            return status, failed
        if self._stop_asked_at:
            return "stopped", None
        if code == 0:
            return "done", None
        return "failed", None if self._said_failed else self._unexplained(code)

    def _unexplained(self, code: int) -> Failed:
        """Say what is known of an end without a word: the exit status and the end of standard error."""
        tail = read_end(self._stderr_file)
        last = tail.strip().rsplit("\n", 1)[-1].strip()
        if code < 0:
            try:
                how = f"was ended by the signal {signal.Signals(-code).name}"
            except ValueError:
                how = f"was ended by the signal {-code}"
        else:
            how = f"ended with exit status {code}"
        hint = "If memory ran out, the system ends the largest process." if code == -9 else ""
        return Failed(message=f"The process {how}" + (f": {last}" if last else "."), hint=hint,
                      where=str(self._stderr_file) if tail else "", traceback=tail)  # fmt: skip

    def _close_tail(self) -> None:
        if self._tail is not None:
            self._tail.close()
            self._tail = None


def _wait_for(pid: int) -> None:
    """Wait for the end of a child that nobody follows any more."""
    if os.name == "posix":
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def child_environment() -> dict[str, str]:
    """Return the environment of a child: ours, UTF-8, unbuffered, with this source tree importable.

    The folder that the window was started in is not among the child's modules: a stray `json.py` there
    would otherwise be imported and run.
    """
    environment = dict(os.environ)
    root = str(Path(training_backend.__file__).resolve().parent.parent)
    old = environment.get("PYTHONPATH", "")
    environment["PYTHONPATH"] = root + (os.pathsep + old if old else "")
    environment["PYTHONSAFEPATH"] = "1"
    environment["PYTHONUTF8"] = "1"
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


def read_end(file: Path, size: int = TAIL_BYTES) -> str:
    """Return the last `size` bytes of a text file, from a line's beginning; empty when there is none."""
    try:
        with file.open("rb") as data:
            data.seek(0, os.SEEK_END)
            length = data.tell()
            data.seek(max(0, length - size))
            text = data.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return text.split("\n", 1)[-1] if length > size else text
