"""Run programs or equations in the sandbox: JSON lines in, one JSON line out for each, in the same order.

Input: {"id": …, "code": "…", "kind": "pot" | "eot"}   (kind: pot when it is left out)
Output: {"id", "verdict", "answer", "answer_text", "stdout", "error", "error_line", "elapsed_ms"}
Verdicts: ok · no_answer · raised · timed_out · out_of_memory · refused · crashed

examples:
  kpdd execute programs.jsonl > results.jsonl
  echo '{"id": 1, "code": "ans = 6 * 7"}' | kpdd execute
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from training_backend.errors import ConfigError, DatasetError
from training_backend.events import Control, Reporter
from training_backend.execution.limits import Limits
from training_backend.execution.results import RunResult
from training_backend.execution.runner import ProgramRunner

READS_STDIN = True
_MAX_LINE = 8 * 1024 * 1024
# results that may wait for an earlier one: bounds the memory, whatever a single program does
_AHEAD = 2000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", nargs="?", default="-", metavar="FILE.jsonl",
                        help="programs, one JSON object a line (default: standard input)")  # fmt: skip
    parser.add_argument("--output", type=Path, metavar="FILE.jsonl", help="write the results here")
    parser.add_argument(
        "--workers", type=int, metavar="N", help="programs at a time (default: processors + 1)"
    )
    parser.add_argument("--timeout", type=float, default=3.0, metavar="SECONDS",
                        help="processor time of one program (default 3)")  # fmt: skip
    parser.add_argument(
        "--memory", type=int, default=256, metavar="MIB", help="memory of one program (default 256)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of random numbers in the programs (default 0)"
    )
    parser.add_argument("--reading", choices=("strict", "free"), default="strict",
                        help="equations: as a system (default), or with updates (x = x + 1)")  # fmt: skip


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Run everything; the status is 1 when a line could not be used or the work was stopped."""
    limits = _limits(args)
    if args.events and args.output is None:
        raise ConfigError(
            "With --events standard output holds events.", "Give --output FILE for the results."
        )
    with (
        _opened(args.file) as lines,
        _written(args.output) as output,
        ProgramRunner(workers=args.workers, limits=limits, reading=args.reading) as runner,
    ):
        for sentence in runner.isolation().missing:
            reporter.log(sentence, "warning")
        ordered = InOrder(output)
        _feed(lines, runner, ordered, reporter, control)
        ordered.wait()
    reporter.log(_summary(ordered))
    return 1 if ordered.unusable or control.stop_requested or ordered.gone else 0


class InOrder:
    """Writes results in the order of the input, however the programs end; bounds how many wait."""

    def __init__(self, output: IO[str]) -> None:
        """Write to `output`."""
        self._output = output
        self._lock = threading.Lock()
        self._room = threading.Semaphore(_AHEAD)
        self._all_written = threading.Condition(self._lock)
        self._held: dict[int, dict[str, Any]] = {}
        self._given = 0
        self._next = 0
        self.verdicts: Counter[str] = Counter()
        self.unusable = 0
        self.gone = False

    def place(self) -> int:
        """Return the next place in the order; waits while too many results are held."""
        self._room.acquire()
        self._given += 1
        return self._given - 1

    def put(self, place: int, line: dict[str, Any]) -> None:
        """Give the result of a place."""
        with self._lock:
            self._held[place] = line
            self.verdicts[line["verdict"]] += 1
            while self._next in self._held:
                self._write(self._held.pop(self._next))
                self._next += 1
                self._room.release()
            self._all_written.notify_all()

    def wait(self) -> None:
        """Wait until everything that was given a place is written."""
        with self._all_written:
            self._all_written.wait_for(lambda: self._next >= self._given)

    def _write(self, line: dict[str, Any]) -> None:
        if self.gone:
            return
        try:
            self._output.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._output.flush()
        except (BrokenPipeError, ValueError):
            # the reader has seen enough
            self.gone = True


def _feed(
    lines: Iterator[bytes], runner: ProgramRunner, ordered: InOrder, reporter: Reporter, control: Control
) -> None:
    for number, line in enumerate(lines, 1):
        if control.stop_requested or ordered.gone:
            return
        if not line.strip():
            continue
        place = ordered.place()
        try:
            job = read_job(line)
        except ValueError as error:
            ordered.unusable += 1
            ordered.put(place, result_line(None, RunResult("refused", reason=f"line {number}: {error}")))
            continue
        runner.submit(job["code"], job["kind"], _writer(ordered, place, job.get("id")))
        reporter.progress("programs", sum(ordered.verdicts.values()))


def _writer(ordered: InOrder, place: int, identity: Any):
    return lambda result: ordered.put(place, result_line(identity, result))


def read_job(line: bytes) -> dict[str, Any]:
    """Return one job of the input; ValueError says what is wrong with the line."""
    if len(line) > _MAX_LINE:
        raise ValueError("the line is longer than 8 MiB")
    try:
        job = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"this is no JSON: {error}") from None
    if not isinstance(job, dict):
        raise ValueError("this is no JSON object")
    if not isinstance(job.get("code"), str):
        raise ValueError("the field 'code' is missing or no text")
    kind = job.setdefault("kind", "pot")
    if kind not in ("pot", "eot"):
        raise ValueError(f"the field 'kind' is {kind!r}; it must be 'pot' or 'eot'")
    return job


def result_line(identity: Any, result: RunResult) -> dict[str, Any]:
    """Return the output of one program as plain data."""
    answer = result.value
    if answer is not None and answer.is_integer() and abs(answer) < 2**53:
        answer = int(answer)
    return {
        "id": identity,
        "verdict": result.verdict,
        "answer": answer,
        "answer_text": result.answer_text,
        "stdout": result.stdout,
        "error": result.error or result.reason,
        "error_line": result.error_line,
        "elapsed_ms": result.elapsed_ms,
    }


def _limits(args: argparse.Namespace) -> Limits:
    if not 0 < args.timeout <= 3600:
        raise ConfigError(
            f"--timeout {args.timeout:g} is not between 0 and 3600 seconds.", "Give seconds, as in 2.5."
        )
    if not 16 <= args.memory <= 1 << 20:
        raise ConfigError(f"--memory {args.memory} is not between 16 MiB and 1 TiB.", "Give MiB, as in 256.")
    if args.workers is not None and not 1 <= args.workers <= 1024:
        raise ConfigError(
            f"--workers {args.workers} is not between 1 and 1024.", "Leave it out for the usual number."
        )
    return Limits(cpu_s=args.timeout, wall_s=2 * args.timeout, memory_mib=args.memory, seed=args.seed % 2**32)


def _opened(name: str) -> contextlib.AbstractContextManager[Any]:
    if name == "-":
        return contextlib.nullcontext(sys.stdin.buffer)
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise DatasetError(
            f"The programs cannot be read: {error.strerror}.", "Check the path.", name
        ) from None


def _written(path: Path | None) -> contextlib.AbstractContextManager[IO[str]]:
    if path is None:
        return contextlib.nullcontext(sys.stdout)
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise DatasetError(f"The results cannot be written: {error.strerror}.", "Choose another place.",
                           str(path)) from None  # fmt: skip


def _summary(ordered: InOrder) -> str:
    total = sum(ordered.verdicts.values())
    parts = " · ".join(f"{name} {count:,}" for name, count in ordered.verdicts.most_common())
    unusable = f"; {ordered.unusable:,} lines could not be used" if ordered.unusable else ""
    return f"{total:,} programs: {parts or 'none'}{unusable}"
