"""How fast the sandbox runs recorded programs, side by side with ways that protect less or nothing.

(a) `exec` in one process, no protection · (b) a new `python -c` each · (c) a forked process each with a
manager's list for the result, as public evaluation code does it · (e) the runner with every layer on, a
child for each program · (eb) the same with pure programs sharing a child, as it is by default. Rounds are
interleaved and their order rotates, so that what else the machine does hits all alike; the ratios count.

    python -m pytest -m benchmark tests/benchmarks/test_sandbox_speed.py -s
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from training_backend.execution.runner import ProgramRunner

ROUNDS = int(os.environ.get("KPDD_BENCHMARK_ROUNDS", "10"))
PER_ROUND = 200
# slow designs run fewer of the same programs
SLOW_ROUND = 14

pytestmark = pytest.mark.benchmark


@pytest.fixture(scope="module")
def programs(shared_data: Path) -> list[str]:
    """Return recorded programs of several teachers, shuffled in a fixed way."""
    import random

    folder = shared_data / "teacher" / "program_of_thoughts"
    texts: list[str] = []
    for name in ("gsm8k_fewshot", "gsm8k_zeroshot", "svamp_fewshot"):
        path = folder / f"{name}.jsonl.gz"
        if not path.is_file():
            pytest.skip(f"no recorded programs at {path}")
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                generated = json.loads(line).get("generated") or ""
                texts.append(generated[0] if isinstance(generated, list) else generated)
    random.Random(0).shuffle(texts)
    usable = [text for text in texts if text and "cvx" not in text and "while" not in text]
    return usable[: ROUNDS * PER_ROUND]


def run_text(code: str) -> None:
    """Run one program in this process, silent."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(BaseException):
        exec(compile(code, "<program>", "exec"), {"__name__": "__main__"})


def in_process(codes: list[str]) -> int:
    for code in codes:
        run_text(code)
    return len(codes)


def new_interpreter(codes: list[str]) -> int:
    few = codes[:SLOW_ROUND]
    for code in few:
        subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    return len(few)


def _guarded(code: str, result: list) -> None:
    run_text(code)
    result.append("done")


def forked_with_manager(codes: list[str]) -> int:
    few = codes[: 2 * SLOW_ROUND]
    context = multiprocessing.get_context("fork")
    for code in few:
        with context.Manager() as manager:
            result = manager.list()
            process = context.Process(target=_guarded, args=(code, result))
            process.start()
            process.join(10)
            process.kill()
    return len(few)


def through(runner: ProgramRunner) -> Callable[[list[str]], int]:
    return lambda codes: len(list(runner.run_many((n, code, "pot") for n, code in enumerate(codes))))


def designs(
    single: ProgramRunner, sharing: ProgramRunner
) -> Iterator[tuple[str, Callable[[list[str]], int]]]:
    yield "a in process", in_process
    yield "b python -c", new_interpreter
    yield "c fork + manager", forked_with_manager
    yield "e runner", through(single)
    yield "eb runner, sharing", through(sharing)


@pytest.mark.filterwarnings("ignore")
def test_programs_per_second_side_by_side(programs, capsys):
    import numpy  # noqa: F401  # loaded in the app, as in public evaluation code

    rates: dict[str, list[float]] = {}
    # the others run at the usual priority
    with (
        ProgramRunner(niceness=0, sharing=False) as single,
        ProgramRunner(niceness=0) as sharing,
    ):
        assert single.isolation().level == sharing.isolation().level == "full"
        todo = list(designs(single, sharing))
        for name, design in todo:
            design(programs[:20])
            rates[name] = []
        for number in range(ROUNDS):
            codes = programs[number * PER_ROUND : (number + 1) * PER_ROUND]
            for name, design in todo[number % len(todo) :] + todo[: number % len(todo)]:
                began = time.perf_counter()
                done = design(codes)
                rates[name].append(done / (time.perf_counter() - began))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    own, lane = medians["e runner"], medians["eb runner, sharing"]
    with capsys.disabled():
        print()
        for name, rate in medians.items():
            print(
                f"{name:<18} {rate:>8.1f} programs/s   e is {own / rate:6.2f}, eb {lane / rate:6.2f} as fast"
            )
    assert own > 10 * medians["b python -c"]
    assert own > 2 * medians["c fork + manager"]
    assert lane > 1.5 * own


def test_one_program_alone(capsys):
    with ProgramRunner(workers=1) as runner, capsys.disabled():
        print()
        for name, code in (("light", "ans = 6 * 7"), ("sympy", "import sympy\nans = sympy.sqrt(4)")):
            runner.run(code)
            times = []
            for _ in range(60):
                began = time.perf_counter()
                assert runner.run(code).verdict == "ok"
                times.append(1000 * (time.perf_counter() - began))
            times.sort()
            print(f"{name:<8} p50 {times[30]:.1f} ms   p95 {times[57]:.1f} ms")


def test_cost_of_a_trace_record(capsys):
    code = "x = 0\nfor i in range(3000):\n    x += i\nans = x"
    with ProgramRunner(workers=1) as runner:
        runner.run("ans = 1")
        with runner.trace(code) as trace:
            records = list(trace)
        size = sum(len(json.dumps(record, separators=(",", ":"))) for record in records) / len(records)
    each = 1000 * trace.result.cpu_ms / len(records)
    with capsys.disabled():
        print(f"\n{len(records)} records, {each:.1f} µs of processor time and {size:.0f} bytes each")
    assert size < 200
