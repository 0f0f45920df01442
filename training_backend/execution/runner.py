"""Run what a language model wrote, each program in a limited process of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from training_backend.execution.limits import Limits
from training_backend.execution.results import RunResult

K = TypeVar("K")


@dataclass(frozen=True)
class IsolationReport:
    """How well programs are shut in: `level` full, partial or basic, and a sentence for each missing layer."""

    level: str
    missing: tuple[str, ...]


class TraceRun:
    """A running trace: iterate for record dicts as they come; `result` is there after the end."""

    result: RunResult

    def __enter__(self) -> TraceRun:
        return self

    def __exit__(self, *exc: object) -> None:
        self.cancel()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        raise NotImplementedError

    def cancel(self) -> None:
        """End the program."""
        raise NotImplementedError


class ProgramRunner:
    """Owns the launchers; thread-safe; cheap to make, starts its launchers on first use; a context manager."""

    def __init__(self, workers: int | None = None, limits: Limits = Limits()) -> None:  # noqa: B008
        self.limits = limits

    def __enter__(self) -> ProgramRunner:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def run(self, code: str, kind: str = "pot", limits: Limits | None = None) -> RunResult:
        """Run one program and return what it gave."""
        raise NotImplementedError

    def run_many(
        self, jobs: Iterable[tuple[K, str, str]], limits: Limits | None = None
    ) -> Iterator[tuple[K, RunResult]]:
        """Run (key, code, kind) jobs; yield (key, result) as they end, with bounded memory."""
        raise NotImplementedError

    def trace(self, code: str, kind: str = "pot", limits: Limits | None = None) -> TraceRun:
        """Run one program and record it line by line."""
        raise NotImplementedError

    def isolation(self) -> IsolationReport:
        """Return how programs are shut in on this system."""
        raise NotImplementedError

    def close(self) -> None:
        """End everything this runner started."""
