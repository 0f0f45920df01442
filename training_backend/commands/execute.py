"""Run programs or equations in the sandbox: JSON lines in, one JSON line out for each, in the same order.

Input: {"id": …, "code": "…", "kind": "pot" | "eot"}   (kind: pot when it is left out)
Output: {"id", "verdict", "answer", "answer_text", "stdout", "error", "error_line", "elapsed_ms"}
Verdicts: ok · no_answer · raised · timed_out · out_of_memory · refused · crashed
A line that cannot be used gives one too: refused, with its number and what is wrong.

examples:
  kpdd execute programs.jsonl > results.jsonl
  echo '{"id": 1, "code": "ans = 6 * 7"}' | kpdd execute
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from training_backend.errors import ArgumentError, DatasetError
from training_backend.events import Control, Reporter
from training_backend.execution.limits import Limits
from training_backend.execution.results import RunResult
from training_backend.execution.runner import ProgramRunner

READS_STDIN = True
_MAX_LINE = 8 * 1024 * 1024
# results that may wait for an earlier one: bounds the memory, whatever a single program does
_AHEAD = 2000
# after a stop what runs at that moment has so long to end; what has no result then is left out
_GRACE_S = 0.5
_LOOK_EVERY_S = 0.1
_MAX_ID_DEPTH = 100
# how long after its processor time a program that does nothing is ended
_SLEEP_S = 0.5
_WORKERS_PER_PROCESSOR = 16
N = TypeVar("N", int, float)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", nargs="?", default="-", metavar="FILE.jsonl",
                        help="programs, one JSON object a line (default: standard input)")  # fmt: skip
    parser.add_argument("--output", type=Path, metavar="FILE.jsonl", help="write the results here")
    # read by `_limits`, so that a wrong one is answered in a sentence
    parser.add_argument("--workers", metavar="N", help="programs at a time (default: processors + 1)")
    parser.add_argument("--timeout", default="3", metavar="SECONDS",
                        help="processor time of one program (default 3)")  # fmt: skip
    parser.add_argument("--memory", default="256", metavar="MIB", help="memory of one program (default 256)")
    parser.add_argument("--seed", default="0", help="seed of random numbers in the programs (default 0)")
    parser.add_argument("--reading", choices=("strict", "free"), default="strict",
                        help="equations: as a system (default), or with updates (x = x + 1)")  # fmt: skip


def run(args: argparse.Namespace, reporter: Reporter, control: Control) -> int:
    """Run everything; the status is 1 when a line could not be used or the work was stopped."""
    limits, workers = _limits(args), _workers(args)
    if args.events and args.output is None:
        raise ArgumentError(
            "With --events standard output holds events.", "Give --output FILE for the results."
        )
    lines = _opened(args.file)
    with (
        _written(args.output) as output,
        ProgramRunner(workers=workers, limits=limits, reading=args.reading) as runner,
    ):
        for sentence in runner.isolation().missing:
            reporter.log(sentence, "warning")
        ordered = InOrder(output)
        feeding = _Feeding(lines, runner, ordered, reporter, control)
        feeding.go(control)
        ordered.wait(lambda: control.stop_requested)
    if feeding.failure is not None:
        raise feeding.failure
    if ordered.failure is not None:
        raise ordered.failure
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
        # places that a stop left without a result
        self.left_out = 0
        self.gone = False
        self.failure: OSError | None = None
        self.ended = False

    def place(self) -> int | None:
        """Return the next place in the order, None after the end; waits while too many results are held."""
        self._room.acquire()
        with self._lock:
            if self.ended:
                return None
            self._given += 1
            return self._given - 1

    def put(self, place: int, line: dict[str, Any]) -> None:
        """Give the result of a place; after the end it is left out."""
        with self._lock:
            if self.ended:
                return
            self._held[place] = line
            self.verdicts[line["verdict"]] += 1
            while self._next in self._held:
                self._write(self._held.pop(self._next))
                self._next += 1
                self._room.release()
            self._all_written.notify_all()

    def wait(self, stopped: Callable[[], bool]) -> None:
        """Wait until everything that was given a place is written, after a stop only for a short time.

        What is there then is written, still in order, without what is not.
        """
        with self._all_written:
            while not (stopped() or self.gone or self._over()):
                self._all_written.wait(_LOOK_EVERY_S)
            if not self.gone:
                self._all_written.wait_for(self._over, _GRACE_S)
            self.ended = True
            self.left_out = self._given - self._next - len(self._held)
            for place in sorted(self._held):
                self._write(self._held[place])
        # who still waits for a place is told that there is none
        self._room.release(_AHEAD)

    def _over(self) -> bool:
        return self._next >= self._given

    def _write(self, line: dict[str, Any]) -> None:
        if self.gone:
            return
        try:
            try:
                self._output.write(json.dumps(line, ensure_ascii=False) + "\n")
            except UnicodeEncodeError:
                # lone surrogates, or a terminal that has not every letter
                self._output.write(json.dumps(line) + "\n")
            self._output.flush()
        except (BrokenPipeError, ValueError):
            # the reader has seen enough
            self.gone = True
        except OSError as error:
            # a full disk: said when all have ended, for nobody here could act on it
            self.gone, self.failure = True, error


class _Feeding:
    """Hands the lines over in a thread of its own: a stop does not wait for the next line."""

    def __init__(
        self, lines: IO[bytes], runner: ProgramRunner, ordered: InOrder, reporter: Reporter, control: Control
    ) -> None:
        self._lines, self._runner, self._ordered = lines, runner, ordered
        self._reporter, self._control = reporter, control
        self.failure: Exception | None = None

    def go(self, control: Control) -> None:
        """Return when all lines are handed over, or a stop is wanted, or nobody reads the results."""
        thread = threading.Thread(target=self._feed, name="feeding", daemon=True)
        thread.start()
        while thread.is_alive() and not (control.stop_requested or self._ordered.gone):
            thread.join(_LOOK_EVERY_S)

    def _feed(self) -> None:
        try:
            # closed here, for closing would wait for a line too
            with self._lines as lines:
                for number, line in enumerate(_lines(lines), 1):
                    if self._control.stop_requested or self._ordered.gone:
                        return
                    if line.strip() and not self._hand_over(number, line):
                        return
        except Exception as error:
            # after the end the runner takes nothing any more
            self.failure = None if self._ordered.ended else error

    def _hand_over(self, number: int, line: bytes) -> bool:
        ordered = self._ordered
        place = ordered.place()
        if place is None:
            return False
        job = read_job(line)
        if job.problem:
            ordered.unusable += 1
            refused = RunResult("refused", reason=f"line {number}: {job.problem}")
            ordered.put(place, result_line(job.identity, refused))
            return True
        self._runner.submit(job.code, job.kind, _writer(ordered, place, job.identity))
        self._reporter.progress("programs", sum(ordered.verdicts.values()))
        return True


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines; of one that is too long only so much that this is seen."""
    while line := file.readline(_MAX_LINE + 1):
        rest = line
        while len(rest) > _MAX_LINE and not rest.endswith(b"\n"):
            rest = file.readline(_MAX_LINE + 1)
        yield line


def _writer(ordered: InOrder, place: int, identity: Any):
    return lambda result: ordered.put(place, result_line(identity, result))


@dataclass(frozen=True)
class ReadJob:
    """One line of the input; `problem` says why it cannot be used."""

    identity: Any = None
    code: str = ""
    kind: str = "pot"
    problem: str = ""


def read_job(line: bytes) -> ReadJob:
    """Return the job that a line holds, or what is wrong with the line."""
    if len(line) > _MAX_LINE:
        return ReadJob(problem="the line is longer than 8 MiB")
    try:
        job = json.loads(line)
    except (ValueError, RecursionError) as error:
        return ReadJob(problem=f"this is no JSON: {error}")
    if not isinstance(job, dict):
        return ReadJob(problem="this is no JSON object")
    identity, code, kind = job.get("id"), job.get("code"), job.get("kind", "pot")
    if problem := _id_problem(identity):
        return ReadJob(problem=problem)
    if not isinstance(code, str):
        return ReadJob(identity, problem="the field 'code' is missing or no text")
    if kind not in ("pot", "eot"):
        return ReadJob(identity, problem=f"the field 'kind' is {kind!r:.100}; it must be 'pot' or 'eot'")
    return ReadJob(identity, code, kind)


def _id_problem(identity: Any) -> str:
    """Return why an id cannot be given back as it came, or ''."""
    level = [identity]
    for _ in range(_MAX_ID_DEPTH):
        level = [item for value in level for item in _parts(value)]
        if not level:
            break
    else:
        return "the field 'id' is nested too deeply"
    try:
        json.dumps(identity, allow_nan=False)
    except ValueError:
        return "the field 'id' holds a number that JSON does not know"
    return ""


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


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
    cpu_s = _number("--timeout", args.timeout, float, 0.01, 3600, "Give seconds, as in 2.5.")
    memory = _number("--memory", args.memory, int, 16, 1 << 20, "Give MiB, as in 256.")
    seed = _number("--seed", args.seed, int, -(2**63), 2**63, "Give a whole number.")
    # a program that only sleeps ends soon after its time; one that waits for a processor gets more (launcher)
    return Limits(cpu_s=cpu_s, wall_s=cpu_s + _SLEEP_S, memory_mib=memory, seed=seed % 2**32)


def _workers(args: argparse.Namespace) -> int | None:
    if args.workers is None:
        return None
    workers = _number("--workers", args.workers, int, 1, 1024, "Leave it out for the usual number.")
    # more at a time would only wait for each other, so long that it looks like sleeping
    return min(workers, _WORKERS_PER_PROCESSOR * (os.cpu_count() or 1))


def _number(option: str, text: str, kind: type[N], least: float, most: float, hint: str) -> N:
    try:
        value = kind(text)
    except ValueError:
        raise ArgumentError(f"{option} {text[:40]!r} is no number.", hint) from None
    if not least <= value <= most:
        raise ArgumentError(f"{option} {text[:40]} is not between {least:,} and {most:,}.", hint)
    return value


def _opened(name: str) -> IO[bytes]:
    if name == "-":
        # a reader of its own: one that still waits for a line does not keep the process from ending
        return open(0, "rb", closefd=False)
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
    left_out = f"; stopped, {ordered.left_out:,} more had begun" if ordered.left_out else ""
    return f"{total:,} programs: {parts or 'none'}{unusable}{left_out}"
