"""How fast the sandbox runs recorded programs, side by side with ways that protect less or nothing.

(a) `exec` in one process, no protection, on one processor · (b) a new `python -c` each · (c) a forked process
each with a manager's list for the result, as public evaluation code does it · (d) processes that are used
again, where one program changes the next · (e0) the runner without its layers · (e) the runner with every
layer on, a child for each program · (eb) the same with pure programs sharing a child, as it is by default.
Rounds are interleaved and their order rotates, so that what else the machine does hits all alike; the ratios
count, and those of processor time most on a machine that does other things too.

    python -m pytest -m benchmark tests/benchmarks/test_sandbox_speed.py -s

KPDD_BENCHMARK_ROUNDS (10) and KPDD_BENCHMARK_STREAM (30,000 programs through `kpdd execute`) make it shorter.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import sympy

from tests.benchmarks import program_mix
from tests.benchmarks.program_mix import Recorded
from training_backend.execution import launching
from training_backend.execution.runner import ProgramRunner

ROUNDS = int(os.environ.get("KPDD_BENCHMARK_ROUNDS", "10"))
STREAM = int(os.environ.get("KPDD_BENCHMARK_STREAM", "30000"))
# slow designs run fewer of the same programs, in the same shares
SLOW_ROUND = 22
# what other work on the machine may take away from a ratio
MARGIN = 0.85

Design = Callable[[list[Recorded]], int]

pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def mix(shared_data: Path) -> list[list[Recorded]]:
    """Return the recorded programs, one list for each round."""
    if not (shared_data / "teacher" / "program_of_thoughts").is_dir():
        pytest.skip(f"no recorded programs at {shared_data}")
    return program_mix.read_mix(shared_data, ROUNDS)


def in_process(programs: list[Recorded]) -> int:
    names = program_mix.harness_names()
    # what SymPy remembers of the same programs from an earlier round
    sympy.core.cache.clear_cache()
    for recorded in programs:
        program_mix.run_text(recorded.code, names)
    return len(programs)


def new_interpreter(programs: list[Recorded]) -> int:
    few = programs[:SLOW_ROUND]
    for recorded in few:
        command = [sys.executable, "-c", program_mix.with_head(recorded)]
        subprocess.run(command, capture_output=True, timeout=60)
    return len(few)


def _guarded(code: str, result: list) -> None:
    result.append(program_mix.run_text(code, program_mix.harness_names()))


def forked_with_manager(programs: list[Recorded]) -> int:
    few = programs[:SLOW_ROUND]
    context = multiprocessing.get_context("fork")
    for recorded in few:
        with context.Manager() as manager:
            result = manager.list()
            process = context.Process(target=_guarded, args=(recorded.code, result))
            process.start()
            process.join(10)
            process.kill()
    return len(few)


def _reused(code: str) -> str:
    return program_mix.run_text(code, program_mix.harness_names())


def reusing(workers: multiprocessing.pool.Pool) -> Design:
    return lambda programs: len(workers.map(_reused, [recorded.code for recorded in programs]))


def through(runner: ProgramRunner) -> Design:
    return lambda programs: sum(
        1 for _ in runner.run_many((n, recorded.code, "pot") for n, recorded in enumerate(programs))
    )


def without_layers(monkeypatch: pytest.MonkeyPatch) -> ProgramRunner:
    """Return a runner whose launchers are started already, without what protects."""
    usual = launching.launcher_command

    def opened(*arguments) -> list[str]:
        command = usual(*arguments)
        here = str(Path(__file__).with_name("open_launcher.py"))
        return [here if part.endswith("launcher.py") else part for part in command]

    runner = ProgramRunner(niceness=0, sharing=False)
    with monkeypatch.context() as patch:
        patch.setattr(launching, "launcher_command", opened)
        for code in ("ans = 1", "import numpy as np\nans = np.int64(1)", "import sympy\nans = sympy.sqrt(4)"):
            assert runner.run(code).verdict == "ok"
    return runner


@dataclass(frozen=True)
class Speed:
    """Programs per second by the clock, and milliseconds of processor time for one (medians over rounds)."""

    rate: float
    cpu_ms: float


def measured(todo: dict[str, Design], rounds: list[list[Recorded]]) -> dict[str, Speed]:
    """Return the speed of each design over interleaved rounds of rotating order."""
    rates: dict[str, list[float]] = {name: [] for name in todo}
    used: dict[str, list[float]] = {name: [] for name in todo}
    for design in todo.values():
        design(rounds[0][:SLOW_ROUND])
    names = list(todo)
    for number, programs in enumerate(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            before, began = processor_seconds(), time.perf_counter()
            done = todo[name](programs)
            rates[name].append(done / (time.perf_counter() - began))
            used[name].append(1000 * (processor_seconds() - before) / done)
    return {name: Speed(statistics.median(rates[name]), statistics.median(used[name])) for name in names}


def processor_seconds() -> float:
    """Return the processor time of this process and of all that came from it."""
    spent = sum(os.times()[:4])
    for process in psutil.Process().children(recursive=True):
        # one that ends meanwhile is counted by its parent
        with contextlib.suppress(psutil.NoSuchProcess):
            spent += sum(process.cpu_times()[:4])
    return spent


def print_table(speeds: dict[str, Speed]) -> None:
    own, lane = speeds["e runner"], speeds["eb runner, sharing"]
    print(f"{'':<20} programs/s   CPU ms   times as fast by the clock:    e      eb   by CPU:    e      eb")
    for name, speed in speeds.items():
        print(f"{name:<20} {speed.rate:>10.1f} {speed.cpu_ms:>8.2f} {'':<28} {own.rate / speed.rate:>7.2f} "
              f"{lane.rate / speed.rate:>7.2f} {'':<7} {speed.cpu_ms / own.cpu_ms:>7.2f} "
              f"{speed.cpu_ms / lane.cpu_ms:>7.2f}")  # fmt: skip


def test_programs_per_second_side_by_side(mix, capsys, monkeypatch):
    with (
        multiprocessing.get_context("fork").Pool(os.cpu_count()) as workers,
        without_layers(monkeypatch) as bare,
        # the others run at the usual priority
        ProgramRunner(niceness=0, sharing=False) as single,
        ProgramRunner(niceness=0) as sharing,
    ):
        assert single.isolation().level == sharing.isolation().level == "full"
        assert bare.isolation().level == "basic"
        in_one = {"a in process": in_process}
        runners = {"e runner": through(single), "eb runner, sharing": through(sharing)}
        rates = measured(
            {
                **in_one,
                "b python -c": new_interpreter,
                "c fork + manager": forked_with_manager,
                "d reused processes": reusing(workers),
                "e0 without layers": through(bare),
                **runners,
            },
            mix,
        )
        with capsys.disabled():
            print("\n" + program_mix.describe(mix))
            print_table(rates)
        for kind in program_mix.SHARES:
            parts = [[one for one in programs if one.kind == kind] for programs in mix]
            by_kind = measured({**in_one, **runners}, parts)
            with capsys.disabled():
                print(f"-- {kind}")
                print_table(by_kind)
    # by processor time, which other work on the machine disturbs less; (a) uses one processor only
    cpu = {name: speed.cpu_ms for name, speed in rates.items()}
    own, lane, processors = cpu["e runner"], cpu["eb runner, sharing"], min(2, os.cpu_count() or 1)
    beside_one = [processors * cpu["a in process"] / each for each in (own, lane)]
    with capsys.disabled():
        print(
            f"layers cost {own / cpu['e0 without layers'] - 1:.0%} (aim: 20 %); on {processors} processors, "
            f"beside (a) on one: e {beside_one[0]:.2f} (aim: 0.25), eb {beside_one[1]:.2f} (aim: 0.6)"
        )
    assert cpu["b python -c"] / own > MARGIN * 15
    assert cpu["b python -c"] / lane > MARGIN * 35
    assert cpu["e0 without layers"] / own > MARGIN * 0.8
    assert own < cpu["c fork + manager"]
    # The aims beside (a) are not reached where SymPy is quick in one process: half of what they ask for is
    # held, so that a step back is seen.
    assert beside_one[0] > 0.5 * 0.25 and beside_one[1] > 0.5 * 0.6


def test_one_program_alone(capsys):
    with ProgramRunner(workers=1) as runner, capsys.disabled():
        print()
        began = time.perf_counter()
        runner.warm_up("light", "numpy", "heavy")
        serving = runner._pool
        assert serving is not None
        with serving.changed:
            assert serving.changed.wait_for(lambda: len(serving.reports) == 3, 60)
        print(f"launchers ready after {time.perf_counter() - began:.2f} s (aim: 3 s)")
        for name, code, aim in (
            ("light", "ans = 6 * 7", 10),
            ("sympy", "import sympy\nans = sympy.sqrt(4)", 40),
        ):
            runner.run(code)
            times = []
            for _ in range(60):
                began = time.perf_counter()
                assert runner.run(code).verdict == "ok"
                times.append(1000 * (time.perf_counter() - began))
            times.sort()
            print(f"{name:<8} p50 {times[30]:.1f} ms   p95 {times[57]:.1f} ms   (aim: {aim} ms)")


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


def test_a_long_stream_through_the_command(mix, capsys, tmp_path):
    """`kpdd execute` from standard input: order kept, memory flat, and about as fast as the library call."""
    programs = [recorded for programs in mix for recorded in programs]
    codes = [programs[number % len(programs)].code for number in range(STREAM)]
    with ProgramRunner() as runner:
        list(runner.run_many((n, code, "pot") for n, code in enumerate(codes[:500])))
        began = time.perf_counter()
        list(runner.run_many((n, code, "pot") for n, code in enumerate(codes[:4000])))
        library = 4000 / (time.perf_counter() - began)
    command = [sys.executable, "-m", "training_backend", "execute"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                         env=environment) as process,
    ):  # fmt: skip
        writing = threading.Thread(target=_write_jobs, args=(process.stdin, codes))
        writing.start()
        assert process.stdout is not None
        used = []
        began = time.perf_counter()
        for number, line in enumerate(process.stdout):
            assert json.loads(line)["id"] == number
            if number % (STREAM // 20) == STREAM // 40:
                used.append(_family_mib(process.pid))
        took = time.perf_counter() - began
        writing.join()
        assert process.wait() == 0
    assert number + 1 == STREAM
    with capsys.disabled():
        print(
            f"\n{STREAM:,} programs through the command: {STREAM / took:.0f}/s, "
            f"{STREAM / took / library:.2f} of run_many; memory of it and its launchers "
            f"{used[1]:.0f} MiB at 7 %, {used[-1]:.0f} MiB at 97 %"
        )
    assert statistics.median(used[-5:]) < 1.15 * statistics.median(used[1:6]) + 8


def _write_jobs(stream, codes: list[str]) -> None:
    with stream:
        for number, code in enumerate(codes):
            stream.write(json.dumps({"id": number, "code": code}).encode() + b"\n")


def _family_mib(pid: int) -> float:
    """Return the resident memory of a process and its launchers (children of launchers come and go)."""
    own = psutil.Process(pid)
    return sum(process.memory_info().rss for process in [own, *own.children()]) / 2**20
