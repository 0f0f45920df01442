"""The events protocol: what a command says while it works, as JSON lines, and how it is told to stop.

One line is one JSON object with `event` (its name), `t` (Unix seconds) and the fields of the class here.
The same line goes to standard output (with `--events`) and to `<run>/events.jsonl`.
A line that cannot be read is log text, never an error. Standard library only: a cluster job imports this.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TextIO

# records of a running program are gathered for so long, and at most so many
TRACE_EVERY_S = 0.03
TRACE_RECORDS = 256
# after the end of standard input (with --stop-at-eof) a command has so long to come to a border
LAST_GRACE_S = 20.0


@dataclass
class Event:
    """Base of all events; `t` is set when it is written."""

    event: ClassVar[str] = "event"
    t: float = field(default=0.0, kw_only=True)


@dataclass
class Started(Event):
    """A command began; `run_folder` is empty when it has none."""

    event: ClassVar[str] = "started"
    command: str
    pid: int
    run_folder: str = ""


@dataclass
class Progress(Event):
    """`done` of `total` (0: unknown) units of `stage` are finished; `text` says what is at work.

    `counts` divides `total` by name where that matters (a generation: done, failed, waiting).
    """

    event: ClassVar[str] = "progress"
    stage: str
    done: int
    total: int = 0
    text: str = ""
    counts: dict[str, int] = field(default_factory=dict)


@dataclass
class Log(Event):
    """A line for the log; `level` is debug, info, warning or error."""

    event: ClassVar[str] = "log"
    text: str
    level: str = "info"


@dataclass
class Metrics(Event):
    """Training figures of one optimizer step of the student `role`."""

    event: ClassVar[str] = "metrics"
    role: str
    step: int
    total_steps: int
    epoch: float
    loss: float
    learning_rate: float = 0.0
    tokens_per_s: float = 0.0
    memory_bytes: int = 0
    elapsed_s: float = 0.0


@dataclass
class HeldOut(Event):
    """Held-out loss and, where it was judged by execution, accuracy in 0..1; `samples` are dicts to show."""

    event: ClassVar[str] = "held_out"
    role: str
    step: int
    loss: float | None = None
    accuracy: float | None = None
    samples: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Checkpoint(Event):
    """A checkpoint of the student `role` is on disk; `kind` is step, best or final."""

    event: ClassVar[str] = "checkpoint"
    role: str
    step: int
    folder: str
    kind: str = "step"


@dataclass
class RowsChanged(Event):
    """`count` rows of the project were written by this command."""

    event: ClassVar[str] = "rows_changed"
    count: int


@dataclass
class StageStarted(Event):
    """A student began to write; `source` is its exact source text, `request` the id of the request.

    `unknown_words` are words of the source that the student's vocabulary cannot spell.
    """

    event: ClassVar[str] = "stage_started"
    role: str
    source: str = ""
    request: str = ""
    unknown_words: list[str] = field(default_factory=list)


@dataclass
class Token(Event):
    """One written token: its text, its probability, and the most likely others as [text, probability].

    `token` and `alternative_tokens` are their ids in the student's vocabulary, to continue from them.
    """

    event: ClassVar[str] = "token"
    role: str
    index: int
    text: str
    probability: float = 1.0
    alternatives: list[list[Any]] = field(default_factory=list)
    request: str = ""
    token: int = -1
    alternative_tokens: list[int] = field(default_factory=list)


@dataclass
class StageEnded(Event):
    """A student finished; `text` is what it wrote, `fields` what was read from it."""

    event: ClassVar[str] = "stage_ended"
    role: str
    text: str
    fields: dict[str, Any] = field(default_factory=dict)
    request: str = ""


@dataclass
class Trace(Event):
    """Records of a running program, in order (their form: `training_backend/execution/trace.py`)."""

    event: ClassVar[str] = "trace"
    records: list[dict[str, Any]]
    request: str = ""


@dataclass
class Answer(Event):
    """The end of one inference: verdict, what was read as the answer, gold, and whether they are equal."""

    event: ClassVar[str] = "answer"
    verdict: str
    answer_text: str = ""
    value: float | None = None
    gold: float | None = None
    equal: bool | None = None
    error: str = ""
    error_line: int | None = None
    request: str = ""


@dataclass
class Vote(Event):
    """Several paths of one question were solved; an Answer with the winner follows.

    `paths` are the solutions in order (core_question, information, kind, rationale, state, value,
    answer_text, error), `candidates` their answers as [value, numbers of its paths], most votes first.
    """

    event: ClassVar[str] = "vote"
    paths: list[dict[str, Any]]
    candidates: list[list[Any]]
    winner: int = 0
    request: str = ""


@dataclass
class Result(Event):
    """What the command was asked for, as data; `text` is the same for people."""

    event: ClassVar[str] = "result"
    data: dict[str, Any]
    text: str = ""


@dataclass
class Failed(Event):
    """The command (or, with `request`, one request) failed; the parts are those of KpddError."""

    event: ClassVar[str] = "failed"
    message: str
    hint: str = ""
    where: str = ""
    traceback: str = ""
    request: str = ""


@dataclass
class Ended(Event):
    """The last event of a command; `status` is done, stopped or failed."""

    event: ClassVar[str] = "ended"
    status: str
    elapsed_s: float = 0.0


@dataclass
class Unknown(Event):
    """An event that this version does not know; kept as data."""

    event: ClassVar[str] = "unknown"
    name: str
    data: dict[str, Any]


EVENTS: dict[str, type[Event]] = {
    cls.event: cls
    for cls in (
        Started, Progress, Log, Metrics, HeldOut, Checkpoint, RowsChanged, StageStarted, Token, StageEnded,
        Trace, Answer, Vote, Result, Failed, Ended,
    )
}  # fmt: skip


def to_line(event: Event) -> str:
    """Return the event as one JSON line without the line break."""
    data = {"event": event.event, **{f.name: getattr(event, f.name) for f in dataclasses.fields(event)}}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str)


def parse_line(line: str) -> Event:
    """Return the event of a line; unreadable text becomes a Log, an unknown name an Unknown."""
    try:
        data = json.loads(line)
        name = data.pop("event")
    except (ValueError, TypeError, KeyError, AttributeError):
        return Log(text=line.rstrip("\n"), t=time.time())
    cls = EVENTS.get(name)
    if cls is None:
        return Unknown(name=str(name), data=data, t=data.get("t", 0.0))
    known = {f.name for f in dataclasses.fields(cls)}
    try:
        return cls(**{key: value for key, value in data.items() if key in known})
    except TypeError:
        return Unknown(name=str(name), data=data, t=data.get("t", 0.0))


def read_events(file: Path) -> list[Event]:
    """Return the events of a run's `events.jsonl`; a half-written last line is left out."""
    events = []
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.endswith("\n") and line.strip():
                events.append(parse_line(line))
    return events


class Reporter:
    """Where a command says what it does: events for a window, a progress line and text for a person."""

    def __init__(self, events: bool = False, json_result: bool = False, quiet: bool = False) -> None:
        """With `events` every event is a line on standard output; with `json_result` only the result is."""
        self.events = events
        self.json_result = json_result
        self.quiet = quiet
        self._file: TextIO | None = None
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._bar_at = 0.0
        self._bar_open = False
        self._stdout_gone = False

    def attach(self, run_folder: Path) -> None:
        """From now on append every event to `<run_folder>/events.jsonl` too."""
        self.detach()
        self._file = (run_folder / "events.jsonl").open("a", encoding="utf-8")

    def detach(self) -> None:
        """Close the run's events file."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    @property
    def elapsed_s(self) -> float:
        """Return the seconds since the command began."""
        return time.monotonic() - self._began

    def emit(self, event: Event) -> None:
        """Write one event. A window that went away is no error: the run goes on, its file is complete."""
        event.t = event.t or time.time()
        line = to_line(event)
        with self._lock:
            if self._file is not None:
                # on a full disk what is written next to it fails too, and says so
                with contextlib.suppress(OSError):
                    self._file.write(line + "\n")
                    self._file.flush()
            if self.events:
                self._print(line)
            elif not self.quiet:
                self._show(event)

    def progress(
        self, stage: str, done: int, total: int = 0, text: str = "", counts: dict[str, int] | None = None
    ) -> None:
        """Emit a Progress event."""
        self.emit(Progress(stage=stage, done=done, total=total, text=text, counts=counts or {}))

    def log(self, text: str, level: str = "info") -> None:
        """Emit a Log event."""
        self.emit(Log(text=text, level=level))

    def result(self, data: dict[str, Any], text: str = "") -> None:
        """Give the command's result: JSON with `--json`, else the text for people."""
        self.emit(Result(data=data, text=text))
        if self.events:
            return
        with self._lock:
            self._close_bar()
            self._print(json.dumps(data, ensure_ascii=False, default=str) if self.json_result else text)

    def _print(self, line: str) -> None:
        if self._stdout_gone or (not line and not self.events):
            return
        try:
            print(line, flush=True)
        except (BrokenPipeError, OSError, ValueError):
            self._stdout_gone = True
            # later writes, and the flush at exit, go nowhere instead of raising
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def _show(self, event: Event) -> None:
        with contextlib.suppress(OSError, ValueError):
            if isinstance(event, Progress):
                self._show_progress(event)
            elif isinstance(event, Log) and event.level != "debug":
                self._close_bar()
                mark = "" if event.level == "info" else f"{event.level}: "
                print(mark + event.text, file=sys.stderr, flush=True)

    def _show_progress(self, event: Progress) -> None:
        tty = sys.stderr.isatty()
        finished = bool(event.total) and event.done >= event.total
        now = time.monotonic()
        if not finished and now - self._bar_at < (0.1 if tty else 5.0):
            return
        self._bar_at = now
        if event.total:
            filled = round(24 * min(1.0, event.done / event.total))
            bar = "█" * filled + "░" * (24 - filled)
            line = f"{event.stage:<22} {bar} {event.done:,}/{event.total:,}  {event.text}"
        else:
            line = f"{event.stage:<22} {event.done:,}  {event.text}"
        if tty:
            print("\r\x1b[K" + line[:110], end="\n" if finished else "", file=sys.stderr, flush=True)
            self._bar_open = not finished
        else:
            print(line.rstrip(), file=sys.stderr, flush=True)

    def _close_bar(self) -> None:
        if self._bar_open:
            print(file=sys.stderr)
            self._bar_open = False


class TraceBatches:
    """Gathers the records of a running program into events: one for each would cost more than the record."""

    def __init__(self, emit: Callable[[Event], None], request: str = "") -> None:
        """`emit` takes the events."""
        self._emit = emit
        self._request = request
        self._records: list[dict[str, Any]] = []
        self._sent_at = time.monotonic()
        self._lock = threading.Lock()

    def add(self, record: dict[str, Any]) -> bool:
        """Take a record; tell whether what was gathered was sent: it is when it is much or has waited."""
        with self._lock:
            self._records.append(record)
        waited = time.monotonic() - self._sent_at >= TRACE_EVERY_S
        if len(self._records) < TRACE_RECORDS and not waited:
            return False
        self.send()
        return True

    def send(self) -> None:
        """Send what is left; another thread may do that while a program says nothing."""
        with self._lock:
            if self._records:
                self._emit(Trace(self._records, self._request))
            self._records, self._sent_at = [], time.monotonic()


class Control:
    """How a running command is told to stop or pause: lines on standard input, or a file in its run folder.

    A line is `{"command": "stop" | "pause" | "resume"}`. The file `<run>/control` holds the same word and
    serves a window that did not start the run. Commands look at it at the borders of their steps.
    `stop_at_end` and `leave_at_end` say what the end of standard input means from now on: a run that was to
    stop with its window then stops in order also when that window was killed.
    """

    def __init__(self, read_stdin: bool = False, stop_at_eof: bool = False) -> None:
        """With `read_stdin` a thread reads standard input; `stop_at_eof`: its end means stop."""
        self._stop = threading.Event()
        self._paused = threading.Event()
        self._stop_at_eof = stop_at_eof
        self._stop_at_end = False
        self._file: Path | None = None
        self._looked_at = 0.0
        if read_stdin:
            self.listen()

    def listen(self) -> None:
        """Obey standard input from now on: a command that could have data there has none this time."""
        threading.Thread(target=self._read, name="control", daemon=True).start()

    def attach(self, run_folder: Path) -> None:
        """Also obey the file `control` of this run folder; a word left from an earlier time is removed."""
        self._file = run_folder / "control"
        self._file.unlink(missing_ok=True)

    def stop(self) -> None:
        """Ask for the stop from inside the process (a signal handler does)."""
        self._stop.set()

    @property
    def stop_requested(self) -> bool:
        """Tell whether the command is to end at its next border."""
        self._look()
        return self._stop.is_set()

    @property
    def paused(self) -> bool:
        """Tell whether the command is to wait at its next border."""
        self._look()
        return self._paused.is_set() and not self._stop.is_set()

    def wait_while_paused(self) -> None:
        """Return at once, or when the pause ends."""
        while self.paused:
            time.sleep(0.05)

    def _look(self) -> None:
        now = time.monotonic()
        if self._file is None or now - self._looked_at < 0.2:
            return
        self._looked_at = now
        with contextlib.suppress(OSError):
            self._obey(self._file.read_text(encoding="utf-8").strip())
            self._file.unlink(missing_ok=True)

    def _obey(self, word: str) -> None:
        if word == "stop":
            self._stop.set()
        elif word == "pause":
            self._paused.set()
        elif word == "resume":
            self._paused.clear()
        elif word in ("stop_at_end", "leave_at_end"):
            self._stop_at_end = word == "stop_at_end"

    def _read(self) -> None:
        for line in sys.stdin:
            with contextlib.suppress(ValueError, TypeError, AttributeError):
                self._obey(str(json.loads(line).get("command", "")))
        if self._stop_at_end or self._stop_at_eof:
            self._stop.set()
        if self._stop_at_eof:
            # whoever could still stop this process by force is gone
            time.sleep(LAST_GRACE_S)
            os._exit(1)
