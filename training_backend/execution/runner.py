"""Run what a language model wrote, in limited processes and never in this one.

On Linux a launcher forks a locked child for each program (`launcher.py`; `lockdown.py` lists the layers), or
for several that provably leave nothing behind (`batch.py`). Elsewhere, or where no launcher starts,
`plain.py` starts one ordinary process per program. `isolation()` and every result say which level that is,
and `isolation()` what is missing.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from training_backend.execution.batch import MOST_PROGRAMS
from training_backend.execution.isolation import IsolationReport, from_ready, without_launcher
from training_backend.execution.jobs import Job, tier_of
from training_backend.execution.limits import TRACE_LIMITS, Limits
from training_backend.execution.plain import PlainPool
from training_backend.execution.pool import Pool
from training_backend.execution.results import RunResult

__all__ = ["IsolationReport", "ProgramRunner", "TraceRun"]

K = TypeVar("K")
_DEFAULT = Limits()
_KINDS = ("pot", "eot")
_STARTED_WITHIN_S = 90.0


class TraceRun:
    """A running trace: iterate for record dicts (`trace.py`) as they come; `result` is there after the end.

    `cut` says in a sentence that recording stopped at a cap while the program ran on; empty otherwise.
    """

    def __init__(self, runner: ProgramRunner, code: str, kind: str, limits: Limits) -> None:
        """Submit the program at once."""
        self._records: queue.SimpleQueue[list[dict[str, Any]] | None] = queue.SimpleQueue()
        self._runner = runner
        self._result: RunResult | None = None
        self._job = Job(code, kind, limits, self._ended, self._records.put)
        runner._submit(self._job)

    def __enter__(self) -> TraceRun:
        """Return the trace."""
        return self

    def __exit__(self, *exc: object) -> None:
        """End the program if it still runs."""
        self.cancel()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield records until the program has ended."""
        while (records := self._records.get()) is not None:
            yield from records
        self._records.put(None)

    @property
    def result(self) -> RunResult:
        """Return what the program gave; only after the end."""
        if self._result is None:
            raise RuntimeError("the traced program has not ended yet")
        return self._result

    @property
    def cut(self) -> str:
        """Return the sentence that says the trace is not complete, or ''."""
        return self._job.cut

    def cancel(self) -> None:
        """End the program; iterating then ends."""
        if self._result is None:
            self._runner._cancel(self._job)

    def _ended(self, result: RunResult) -> None:
        self._result = result
        self._records.put(None)


class ProgramRunner:
    """Owns the launchers; thread-safe; cheap to make: they start on first use. A context manager."""

    def __init__(
        self,
        workers: int | None = None,
        limits: Limits = _DEFAULT,
        reading: str = "strict",
        niceness: int = 5,
        sharing: bool = True,
    ) -> None:
        """Run at most `workers` programs at a time (default: processors + 1), each within `limits`.

        `reading` says how equations are read: `strict` or `free` (`equation_solver.py`). `niceness` is how
        much the programs stand back behind this process, so that a window goes first. With
        `sharing`, programs that provably leave nothing behind go through a process together (`batch.py`).
        """
        self.reading = reading
        self.niceness = niceness
        self.sharing = sharing
        self.workers = max(1, workers or (os.cpu_count() or 1) + 1)
        self.limits = limits
        self._lock = threading.Lock()
        self._pool: Pool | None = None
        self._plain: PlainPool | None = None
        self._closed = False

    def __enter__(self) -> ProgramRunner:
        """Return the runner."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the runner."""
        self.close()

    def run(self, code: str, kind: str = "pot", limits: Limits | None = None) -> RunResult:
        """Run one program (`pot`) or system of equations (`eot`) and return what it gave."""
        answer: queue.SimpleQueue[RunResult] = queue.SimpleQueue()
        self._submit(Job(code, kind, limits or self.limits, answer.put))
        return answer.get()

    def submit(
        self, code: str, kind: str, on_end: Callable[[RunResult], None], limits: Limits | None = None
    ) -> None:
        """Queue one of many programs; `on_end(result)` is called in another thread and must not block."""
        self._submit(Job(code, kind, limits or self.limits, on_end, bulk=True))

    def run_many(
        self, jobs: Iterable[tuple[K, str, str]], limits: Limits | None = None
    ) -> Iterator[tuple[K, RunResult]]:
        """Run (key, code, kind) jobs; yield (key, result) as they end, with bounded memory."""
        done: queue.SimpleQueue[tuple[Job, K, RunResult]] = queue.SimpleQueue()
        waiting: set[Job] = set()
        # each child's share is on its way while the next is gathered, so that most children are full
        window = 2 * MOST_PROGRAMS * self.workers
        try:
            for key, code, kind in jobs:
                job = Job(code, kind, limits or self.limits, on_end=lambda result: None, bulk=True)
                job.on_end = _reporter(done, job, key)
                waiting.add(job)
                self._submit(job)
                while len(waiting) >= window or not done.empty():
                    yield _taken(done, waiting)
            while waiting:
                yield _taken(done, waiting)
        finally:
            for job in waiting:
                self._cancel(job)

    def trace(self, code: str, kind: str = "pot", limits: Limits | None = None) -> TraceRun:
        """Run one program and record it line by line; use the result as a context manager."""
        return TraceRun(self, code, kind, limits or TRACE_LIMITS)

    def isolation(self) -> IsolationReport:
        """Return how programs are shut in here; the first call starts a launcher and waits for it."""
        pool = self._started()
        if pool is None:
            return without_launcher("")
        pool.want("light")
        with pool.changed:
            pool.changed.wait_for(lambda: pool.reports or pool.broken, _STARTED_WITHIN_S)
            if pool.reports:
                return from_ready(next(iter(pool.reports.values())), pool.lane.closed)
        return without_launcher(pool.broken or "The launcher did not get ready.")

    @property
    def why_not_shared(self) -> str:
        """Return why programs no longer share a process: a check found a difference; empty: they do."""
        return self._pool.lane.closed if self._pool is not None else ""

    def warm_up(self, *tiers: str) -> None:
        """Start launchers now, without waiting: `light`, `numpy`, `heavy` (equations and SymPy)."""
        pool = self._started()
        for tier in tiers or ("light", "heavy"):
            if pool is not None:
                pool.want(tier)

    def close(self) -> None:
        """End everything this runner started. A closed runner refuses further work."""
        with self._lock:
            self._closed = True
            pool, plain = self._pool, self._plain
        if pool is not None:
            pool.close()
        if plain is not None:
            plain.close()

    def _started(self) -> Pool | None:
        """Return the pool of launchers, or None where this system has none."""
        with self._lock:
            if self._closed:
                raise RuntimeError("this ProgramRunner is closed")
            if not has_launchers():
                return None
            if self._pool is None:
                self._pool = Pool(self.workers, self._without_launchers, self.niceness, self.sharing)
            return self._pool

    def _submit(self, job: Job) -> None:
        if job.kind not in _KINDS:
            raise ValueError(f"there is no kind of program called {job.kind!r}")
        pool = self._started()
        job.reading = self.reading
        refused = job.prepare()
        if refused:
            job.refuse(refused)
        elif pool is None:
            self._run_plain(job)
        else:
            pool.submit(job)

    def _without_launchers(self, reason: str, jobs: list[Job]) -> None:
        for job in jobs:
            self._run_plain(job)

    def _run_plain(self, job: Job) -> None:
        with self._lock:
            if self._plain is None:
                self._plain = PlainPool(self.workers)
        job.level = "basic"
        # the libraries that it names, also if it was to share a launcher's light child without them
        job.tier = "heavy" if job.kind == "eot" else tier_of(job.code, job.kind)
        self._plain.submit(job)

    def _cancel(self, job: Job) -> None:
        if self._pool is not None:
            self._pool.cancel(job)
        if self._plain is not None:
            self._plain.cancel(job)


def has_launchers() -> bool:
    """Tell whether this system can have launchers; KPDD_SANDBOX=plain chooses the reduced path."""
    return sys.platform == "linux" and os.environ.get("KPDD_SANDBOX", "") != "plain"


def _reporter(done: queue.SimpleQueue, job: Job, key: object):
    return lambda result: done.put((job, key, result))


def _taken(done: queue.SimpleQueue, waiting: set[Job]) -> tuple[Any, RunResult]:
    job, key, result = done.get()
    waiting.discard(job)
    return key, result
