"""One job: a program, what is asked of it, what came back, and the verdict from all of it."""

from __future__ import annotations

import json
import logging
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from training_backend.execution.channel import frame
from training_backend.execution.frames import (
    CutFrame,
    EndFrame,
    Frame,
    FrameReader,
    OutFrame,
    ProtocolError,
    ReadyFrame,
    StepsFrame,
    as_record,
)
from training_backend.execution.limits import (
    MAX_PRINTED_CHARS,
    MAX_RESULT_BYTES,
    MAX_SOURCE_BYTES,
    MAX_TRACE_BYTES,
    Limits,
)
from training_backend.execution.reading import read_value
from training_backend.execution.results import RunResult

# a search for plain text is quick; only where one of these stands are the words looked for
_HEAVY_PARTS = ("sympy", "dateutil", "mpmath", "ymbol", "Eq", "solve_it", "simplify", "Rational")
_HEAVY = re.compile(r"\b(?:sympy|dateutil|mpmath|Symbol|symbols|Eq|solve_it|simplify|Rational)\b")
_NUMPY = re.compile(r"\b(?:numpy|np)\b")
_TOO_LONG = f"the text is longer than {MAX_SOURCE_BYTES // 1024} KiB"
_TIME_SIGNALS = frozenset(
    number for name in ("SIGXCPU", "SIGPROF") if (number := getattr(signal, name, None)) is not None
)

_logger = logging.getLogger(__name__)


def tier_of(code: str, kind: str) -> str:
    """Return which launcher a text needs: by the libraries it names."""
    if kind == "eot":
        # most systems need no SymPy; a child that needs it says so
        return "light"
    if any(part in code for part in _HEAVY_PARTS) and _HEAVY.search(code):
        return "heavy"
    return "numpy" if ("np" in code or "numpy" in code) and _NUMPY.search(code) else "light"


@dataclass(eq=False)
class Job:
    """One program on its way. `on_end(result)` and `on_records(records)` are called in the serving thread."""

    code: str
    kind: str
    limits: Limits
    on_end: Callable[[RunResult], None]
    on_records: Callable[[list[dict[str, Any]]], None] | None = None
    level: str = "full"
    reading: str = "strict"
    id: int = 0
    tier: str = "light"
    request: bytes = b""
    max_bytes: int = MAX_RESULT_BYTES
    socket: socket.socket | None = None
    reader: FrameReader | None = None
    open: bool = False
    tries: int = 0
    # how often it could not be handed to a launcher, and when it was (by the steady clock)
    sends: int = 0
    sent_at: float = 0.0
    # told when the result is handed on
    forget: Callable[[Job], None] = lambda job: None
    # may go with others through one child (`batch.py`)
    shares: bool = False
    lane: str = ""
    # one of many, which may wait a little for others to share with, and since when it waits
    bulk: bool = False
    waits_since: float = 0.0
    source_frame: bytes = b""
    cancelled: bool = False
    cut: str = ""
    end: EndFrame | None = None
    report: dict[str, Any] | None = None
    protocol_error: str = ""
    ready: threading.Event = field(default_factory=threading.Event)
    _out: list[str] = field(default_factory=list)

    def prepare(self) -> str:
        """Encode the request; return a reason when the text is refused before it is sent anywhere."""
        source = self.code.encode("utf-8", "surrogatepass")
        if len(source) > MAX_SOURCE_BYTES:
            return _TOO_LONG
        tracing = self.on_records is not None
        head = {"kind": self.kind, "seed": self.limits.seed, "stdout_chars": self.limits.stdout_chars,
                "trace": tracing, "reading": self.reading}  # fmt: skip
        self.tier = tier_of(self.code, self.kind)
        self.source_frame = frame(source)
        self.request = frame(json.dumps(head).encode()) + self.source_frame
        self.max_bytes = MAX_TRACE_BYTES if tracing else MAX_RESULT_BYTES + 6 * self.limits.stdout_chars
        return ""

    @property
    def has_given(self) -> bool:
        """Tell whether something of this job was handed on already."""
        return self.on_records is not None and self.reader is not None

    def again(self) -> None:
        """Forget what a first try left."""
        self.socket, self.reader, self.end, self.report, self.protocol_error = None, None, None, None, ""
        self._out.clear()

    def take(self, message: Frame) -> None:
        """Take one frame; after the end frame nothing may come."""
        if self.end is not None:
            raise ProtocolError("something came after the end")
        if isinstance(message, ReadyFrame):
            self.ready.set()
        elif isinstance(message, EndFrame):
            self.end = message
            self._out.append(message.stdout)
        elif isinstance(message, OutFrame):
            self._out.append(message.s)
        elif self.on_records is None:
            raise ProtocolError("a trace came that nobody asked for")
        elif isinstance(message, StepsFrame):
            self._out.extend(step.o for step in message.r if step.o)
            self.on_records([as_record(step) for step in message.r])
        elif isinstance(message, CutFrame):
            self.cut = f"The trace stops after {message.n:,} records; the program ran on."

    def needs_sympy(self) -> bool:
        """Tell whether a light child could not solve the equations without SymPy."""
        asked = self.end is not None and self.end.status == "needs_sympy"
        return asked and self.kind == "eot" and self.tier != "heavy"

    def finish(self) -> None:
        """Give the verdict."""
        try:
            result = self.verdict()
        except Exception as error:
            # a fault of ours; the thread that serves all jobs must not end for it
            _logger.exception("A result could not be read.")
            result = self._result("crashed", reason=f"its result could not be read: {type(error).__name__}")
        self._end_with(result)

    def fail(self, reason: str) -> None:
        """End the job without a run."""
        self._end_with(self._result("crashed", reason=reason))

    def refuse(self, reason: str) -> None:
        """End the job because of its text, without a run."""
        self._end_with(self._result("refused", reason=reason))

    def _end_with(self, result: RunResult) -> None:
        """Hand the result on; what the receiver raises is its own, and the other jobs go on."""
        self.forget(self)
        try:
            self.on_end(result)
        except Exception:
            _logger.exception("What takes the results failed.")

    def verdict(self) -> RunResult:
        """Return the result: the launcher's report stands above what the child says."""
        report = self.report or {}
        if self.cancelled:
            return self._result("crashed", reason="cancelled")
        if self.protocol_error:
            return self._result("crashed", reason=f"broke the protocol: {self.protocol_error}")
        number = int(report.get("signal", 0))
        if report.get("ended_for") == "wall":
            return self._result("timed_out", reason=f"the wall clock passed {self.limits.wall_s:g} s")
        if (
            report.get("ended_for") == "cpu"
            or number in _TIME_SIGNALS
            or (number == 9 and self._used_its_time(report))
        ):
            return self._result("timed_out", reason=f"used {self.limits.cpu_s:g} s of processor time")
        if number:
            return self._after_signal(number)
        if self.end is None:
            return self._result("crashed", reason="ended without a result")
        return self._from_end(self.end)

    def _used_its_time(self, report: dict[str, Any]) -> bool:
        """Tell whether a killed child had used its processor time.

        The limit that kills samples the time in ticks, the report measures it; on a loaded machine they were
        seen a tenth apart. Without the launcher's word only a machine out of memory kills a child else.
        """
        return float(report.get("cpu_s", 0.0)) >= 0.5 * self.limits.cpu_s

    def _after_signal(self, number: int) -> RunResult:
        if (self.report or {}).get("ended_for") == "memory":
            return self._result("out_of_memory", reason=f"needs more than {self.limits.memory_mib} MiB")
        name = signal.Signals(number).name if number in signal.Signals._value2member_map_ else str(number)
        if name == "SIGSYS":
            return self._result("refused", reason="made a system call that no program may make")
        if name == "SIGKILL":
            return self._result("crashed", reason="was ended by the system (SIGKILL)")
        return self._result("crashed", reason=f"died of {name}")

    def _from_end(self, end: EndFrame) -> RunResult:
        if end.status == "ok" and end.answer is not None:
            read = read_value(end.answer)
            given = f"; given without an import: {', '.join(end.given)}" if end.given else ""
            return self._result("ok" if read.value is not None else "no_answer", answer_text=read.text,
                                value=read.value, rule=read.rule + given, reason=read.reason)  # fmt: skip
        if end.status in ("error", "syntax") and end.error is not None:
            text = f"{end.error.type}: {end.error.message}" if end.error.message else end.error.type
            return self._result("raised", error=text, error_line=end.error.line)
        if end.status == "refused":
            return self._result("refused", reason=end.reason, error_line=end.line)
        if end.status == "memory":
            return self._result("out_of_memory", reason=f"needs more than {self.limits.memory_mib} MiB")
        if end.status == "output_limit":
            return self._result("crashed", reason=f"printed more than {MAX_PRINTED_CHARS:,} characters")
        return self._result("no_answer", reason=end.reason or "no answer was left")

    def _result(self, verdict: str, **parts: Any) -> RunResult:
        report, end = self.report or {}, self.end
        stdout = "".join(self._out)
        kept = stdout[: self.limits.stdout_chars]
        return RunResult(
            verdict=verdict,
            taken_from=end.taken_from if end else "",
            stdout=kept,
            stdout_cut=bool(end and end.stdout_cut) or len(kept) < len(stdout),
            elapsed_ms=round(float(report.get("wall_s", 0.0)) * 1000, 3),
            cpu_ms=round(float(report.get("cpu_s", 0.0)) * 1000, 3),
            peak_mib=round(float(report.get("peak_kib", 0)) / 1024, 1),
            tier=self.lane or self.tier,
            isolation=self.level,
            python=sys.version.split()[0],
            **parts,
        )
