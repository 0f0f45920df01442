"""Several pure programs on their way through one locked-down child, one after the other.

The child reads a program only when the one before has ended, proves that it is pure (`pure.py`), runs it with
names and builtins of its own, and answers; what is not pure it skips. To the pool a batch looks like one job.
It has the time and memory of one program: whatever does not fit, dies, or is skipped runs again alone, so a
verdict other than an answer or an exception is never one of a shared process. Which programs those are is
counted here, from the answers that came before the end; the child cannot name them.

A share of the answers is checked: the same program runs alone, and the first difference closes the lane.
"""

from __future__ import annotations

import functools
import json
import logging
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from training_backend.execution.channel import frame
from training_backend.execution.frames import EndFrame, Frame, FrameReader, ProtocolError
from training_backend.execution.jobs import Job, tier_of
from training_backend.execution.limits import MAX_RESULT_BYTES, Limits
from training_backend.execution.results import RunResult

LANE = "pure"
MOST_PROGRAMS = 64
# together they fit into an empty socket's buffer, so that sending cannot wait
_MOST_BYTES = 48 * 1024
_MOST_SOURCE = 8 * 1024
# one answer of so many runs again alone
AUDIT_EVERY = 100
# a batch that is not through after this runs one by one; a hundred times what as many usually take
_CPU_S = 1.0

_IMPORT_LINE = re.compile(r"^[ \t]*(?:import|from)[ \t].*$", re.MULTILINE)
_NOT_PURE = re.compile(
    r"^[ \t]*(?:class|with|global|nonlocal|async|match|@)\b|^[ \t]*@"
    r"|\b(?:yield|input|eval|getattr|setattr|globals|locals|vars|type|open|exec|sys|print_function)\b",
    re.MULTILINE,
)
_NOT_PURE_PARTS = (
    "class", "with", "global", "nonlocal", "async", "match", "@", "yield", "input", "eval", "getattr",
    "setattr", "locals", "vars", "type", "open", "exec", "sys", "print_function",
)  # fmt: skip
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
_logger = logging.getLogger(__name__)


def may_share(code: str, kind: str) -> bool:
    """Tell by the text whether a program is worth offering to the lane; the child decides."""
    if kind != "pot" or len(code) > _MOST_SOURCE:
        return False
    # a search for plain text is quick; only where one of these stands are the words looked for
    if any(part in code for part in _NOT_PURE_PARTS) and _NOT_PURE.search(code):
        return False
    return tier_of(code, kind) == "light" or tier_of(_IMPORT_LINE.sub("", code), kind) == "light"


def comparable(result: RunResult, name: str) -> Any:
    """Return a field of a result without the addresses that printed functions show."""
    value = getattr(result, name)
    return _ADDRESS.sub("0x", value) if isinstance(value, str) else value


def alone(job: Job) -> Job:
    """Return the job as one that runs in a child of its own."""
    job.again()
    job.lane = ""
    job.shares = False
    job.tier = tier_of(job.code, job.kind)
    return job


@dataclass
class Lane:
    """What all batches of a runner share: whether it is open, and what the checks found."""

    closed: str = ""
    answers: int = 0
    checked: int = 0

    def is_due(self) -> bool:
        """Count an answer; tell whether it is one of those to check."""
        self.answers += 1
        return self.answers % AUDIT_EVERY == AUDIT_EVERY // 2

    def compare(self, shared: RunResult, single: RunResult) -> None:
        """Close the lane when a program gave something else alone than beside others."""
        if single.verdict in ("timed_out", "out_of_memory", "crashed"):
            return
        self.checked += 1
        differs = [name for name in _COMPARED if comparable(shared, name) != comparable(single, name)]
        if differs and not self.closed:
            self.closed = f"A program gave another {' and '.join(differs)} alone than in a shared process."
            _logger.warning("%s Programs run one by one from now on.", self.closed)


_COMPARED = (
    "verdict",
    "answer_text",
    "value",
    "taken_from",
    "stdout",
    "stdout_cut",
    "error",
    "error_line",
    "rule",
)


@dataclass(eq=False)
class Batch:
    """Jobs that share one child; used by the pool as if it were one job."""

    jobs: list[Job]
    lane: Lane
    resubmit: Callable[[Job], None]
    id: int = 0
    tier: str = "light"
    tries: int = 0
    cancelled: bool = False
    level: str = "full"
    socket: socket.socket | None = None
    reader: FrameReader | None = None
    open: bool = False
    report: dict[str, Any] | None = None
    protocol_error: str = ""
    sent_at: float = 0.0
    ends: list[EndFrame] = field(default_factory=list)

    @functools.cached_property
    def limits(self) -> Limits:
        """Return the limits of the child: time for all together, and no more than for one."""
        one = self.jobs[0].limits
        return Limits(min(one.cpu_s, _CPU_S), one.wall_s, one.memory_mib, one.stdout_chars, one.seed)

    @property
    def request(self) -> bytes:
        """Return the head and the programs, as the child reads them."""
        limits = self.jobs[0].limits
        head = {"batch": len(self.jobs), "seed": limits.seed, "stdout_chars": limits.stdout_chars}
        return frame(json.dumps(head).encode()) + b"".join(job.source_frame for job in self.jobs)

    @property
    def max_bytes(self) -> int:
        """Return how much may come back."""
        return len(self.jobs) * (MAX_RESULT_BYTES + 6 * self.jobs[0].limits.stdout_chars)

    def take(self, message: Frame) -> None:
        """Take the answer of the next program."""
        if not isinstance(message, EndFrame) or len(self.ends) >= len(self.jobs):
            raise ProtocolError("a batch answers once for each program")
        self.ends.append(message)

    def finish(self) -> None:
        """Hand on the answers; what has none goes again."""
        for place, job in enumerate(self.jobs):
            if job.cancelled:
                job.fail("cancelled")
            elif place < len(self.ends) and self.ends[place].status != "skip" and not self.protocol_error:
                self._give(job, self.ends[place])
            elif place <= len(self.ends) or self.protocol_error or self.lane.closed:
                # skipped, or where the child was when it ended
                self.resubmit(alone(job))
            else:
                self.resubmit(job)

    def dissolve(self) -> None:
        """Send every program off alone: the launcher ended."""
        for job in self.jobs:
            job.tries += 1
            self.resubmit(alone(job))

    def fail(self, reason: str) -> None:
        """End every job without a run."""
        for job in self.jobs:
            job.fail(reason)

    def _give(self, job: Job, end: EndFrame) -> None:
        job.lane, job.level = LANE, self.level
        job.take(end)
        job.report = {"wall_s": end.ms / 1000, "cpu_s": end.ms / 1000,
                      "peak_kib": (self.report or {}).get("peak_kib", 0)}  # fmt: skip
        if not self.lane.is_due():
            job.finish()
            return
        shared, on_end = job.verdict(), job.on_end

        def compare(single: RunResult) -> None:
            self.lane.compare(shared, single)
            on_end(single)

        job.on_end = compare
        self.resubmit(alone(job))


def gather(first: Job, waiting: Any, most: int) -> list[Job]:
    """Return `first` and jobs from the front of `waiting` that can share its child; they are taken out."""
    jobs, size = [first], len(first.source_frame)
    while waiting and len(jobs) < most:
        job = waiting[0]
        size += len(job.source_frame)
        if not job.shares or job.limits != first.limits or size > _MOST_BYTES:
            break
        jobs.append(waiting.popleft())
    return jobs
