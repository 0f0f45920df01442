"""Every wait ends: whatever dies, hangs or speaks nonsense, each job has a verdict within a bounded time."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from launchers import launchers

from training_backend.execution import launching, plain, pool
from training_backend.execution.jobs import Job
from training_backend.execution.limits import Limits
from training_backend.execution.results import RunResult
from training_backend.execution.runner import ProgramRunner

REPOSITORY = Path(__file__).resolve().parents[2]
linux = pytest.mark.skipif(sys.platform != "linux", reason="launchers are Linux's")
LONG = Limits(cpu_s=60, wall_s=60)
SLEEPS = "import time\ntime.sleep(60)"


def within(seconds: float, call: Callable[[], Any]) -> Any:
    """Return what a call returns, or fail when it takes longer."""
    with_thread = ThreadPoolExecutor(1)
    try:
        return with_thread.submit(call).result(seconds)
    finally:
        with_thread.shutdown(wait=False)


@pytest.fixture
def own() -> Iterator[ProgramRunner]:
    """Return a runner of this test's own."""
    with ProgramRunner(workers=2, limits=Limits(cpu_s=1, wall_s=2), sharing=False) as made:
        yield made


def fake_launcher(monkeypatch, script: str) -> None:
    """Let launchers be a script that finds its socket in `control`."""
    head = "import json, os, socket, sys, time\ncontrol = socket.socket(fileno=int(sys.argv[1]))\n"
    monkeypatch.delenv("KPDD_SANDBOX", raising=False)
    monkeypatch.setattr(
        launching, "launcher_command",
        lambda tier, descriptor, niceness: [sys.executable, "-S", "-c", head + script, str(descriptor)],
    )  # fmt: skip


def running_launcher(runner: ProgramRunner, gone: int = 0) -> psutil.Process:
    """Return the launcher of the one job that runs, once the job is with it; not the process `gone`."""
    serving = runner._started()
    assert serving is not None
    deadline = threading.Event()
    for _ in range(1000):
        for launcher in list(serving._launchers.values()):
            with contextlib.suppress(psutil.Error):
                found = psutil.Process(launcher.process.pid)
                if found.pid != gone and launcher.ready and launcher.jobs and found.children():
                    return found
        deadline.wait(0.01)
    raise AssertionError("no job was started")


READY = 'control.send(json.dumps({"ready": "light", "filter": True, "could": [], "missing": []}).encode())\n'


@linux
@pytest.mark.parametrize(
    "script",
    [
        READY,
        READY + "control.recv(10)",
        READY + 'control.recv(4096)\ncontrol.send(b"[]")\ntime.sleep(60)',
        READY + 'control.recv(4096)\ncontrol.send(b"\\xff")\ntime.sleep(60)',
        READY + 'control.recv(4096)\ncontrol.send(b"5")\ntime.sleep(60)',
        READY + "control.recv(4096)\ncontrol.send(b\"{}\")\ntime.sleep(60)",
        READY + "control.recv(4096)\ntime.sleep(60)",
        READY + "time.sleep(60)",
    ],
)  # fmt: skip
def test_a_launcher_that_does_not_do_its_work(monkeypatch, script):
    monkeypatch.setattr(pool, "_OVERDUE_FACTOR", 0.1)
    monkeypatch.setattr(pool, "_OVERDUE_GRACE_S", 0.3)
    fake_launcher(monkeypatch, script)
    with ProgramRunner(workers=1, limits=Limits(cpu_s=1, wall_s=1)) as runner:
        result = within(20, lambda: runner.run("ans = 1"))
    assert result.verdict == "crashed" and result.reason, result


@linux
@pytest.mark.slow
@pytest.mark.parametrize(
    "script",
    [
        "time.sleep(60)",
        "sys.exit(3)",
        'control.send(b"nonsense")\ntime.sleep(60)',
        'control.send(b\'{"failed": "no libraries"}\')',
        "control.close()\ntime.sleep(60)",
    ],
)
def test_a_launcher_that_never_gets_ready_leads_to_the_reduced_path(monkeypatch, script):
    monkeypatch.setattr(pool, "_READY_WITHIN_S", 0.3)
    fake_launcher(monkeypatch, script)
    with ProgramRunner(workers=1, limits=Limits(cpu_s=2, wall_s=20)) as runner:
        result = within(40, lambda: runner.run("ans = 1"))
        assert (result.value, result.isolation) == (1, "basic"), result
        report = within(5, runner.isolation)
        assert report.level == "basic" and "does not start" in report.missing[0]


@linux
def test_a_job_whose_launcher_is_killed_goes_again_once_and_then_crashed(own):
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(own.run, SLEEPS, "pot", LONG)
        first = running_launcher(own)
        first.kill()
        first.wait(5)
        second = running_launcher(own, first.pid)
        assert second.pid != first.pid
        children = second.children()
        second.kill()
        result = waiting.result(20)
    assert result.verdict == "crashed" and "launcher ended" in result.reason
    assert psutil.wait_procs(children, timeout=5)[1] == []
    assert own.run("ans = 3").value == 3


@linux
def test_a_stopped_launcher_is_ended_and_replaced(own, monkeypatch):
    monkeypatch.setattr(pool, "_OVERDUE_FACTOR", 0.5)
    monkeypatch.setattr(pool, "_OVERDUE_GRACE_S", 0.0)
    own.isolation()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(own.run, SLEEPS, "pot", Limits(cpu_s=1, wall_s=1))
        launcher = running_launcher(own)
        launcher.send_signal(signal.SIGSTOP)
        result = waiting.result(30)
    # the second launcher reports before the test's own short patience ends, or is ended as well
    assert result.verdict in ("timed_out", "crashed"), result
    assert not launcher.is_running()


@linux
def test_a_killed_caller_takes_everything_with_it():
    script = (
        "import psutil, sys, threading\n"
        "from training_backend.execution.runner import ProgramRunner\n"
        "from training_backend.execution.limits import Limits\n"
        "runner = ProgramRunner(workers=2, limits=Limits(cpu_s=60, wall_s=60), sharing=False)\n"
        "for code in ('import time\\ntime.sleep(60)', 'import numpy as np\\nwhile True: pass'):\n"
        "    runner.submit(code, 'pot', print)\n"
        "me = psutil.Process()\n"
        "while len(runner._pool._running) < 2: threading.Event().wait(0.02)\n"
        "while len(me.children(recursive=True)) != 4: threading.Event().wait(0.02)\n"
        "print(*(child.pid for child in me.children(recursive=True)), flush=True)\n"
        "threading.Event().wait()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as caller:
        try:
            assert caller.stdout
            below = [psutil.Process(int(pid)) for pid in caller.stdout.readline().split()]
        finally:
            caller.kill()
    assert len(below) == 4
    assert psutil.wait_procs(below, timeout=10)[1] == []


@pytest.mark.expects_log_lines
def test_what_takes_a_result_may_fail_without_harm_to_the_next(runner, caplog):
    ended = threading.Event()

    def fails(result: RunResult) -> None:
        ended.set()
        raise ValueError("the receiver's own fault")

    for code in ("ans = 1", "import os", "x" * 10**6):
        ended.clear()
        runner.submit(code, "pot", fails)
        assert ended.wait(20)
    assert within(20, lambda: runner.run("ans = 2")).value == 2
    assert "receiver" in caplog.text


@pytest.mark.expects_log_lines
def test_what_takes_the_records_may_fail(runner):
    def fails(records: list) -> None:
        raise KeyError("records")

    results: queue.SimpleQueue[RunResult] = queue.SimpleQueue()
    runner._submit(Job("a = 1\nans = 2", "pot", runner.limits, results.put, fails))
    assert results.get(timeout=20).verdict == "crashed"
    assert within(20, lambda: runner.run("ans = 2")).value == 2


@linux
@pytest.mark.expects_log_lines
def test_a_fault_of_the_serving_thread_ends_every_job(own, monkeypatch):
    serving = own._started()
    assert serving is not None and own.run("ans = 1").value == 1
    results: queue.SimpleQueue[RunResult] = queue.SimpleQueue()
    own.submit(SLEEPS, "pot", results.put, LONG)
    running_launcher(own)
    monkeypatch.setattr(serving, "_dispatch", lambda: 1 / 0)
    for _ in range(3):
        own.submit("ans = 2", "pot", results.put)
    found = [results.get(timeout=20) for _ in range(4)]
    assert {result.verdict for result in found} == {"crashed"}
    assert all("no longer served: ZeroDivisionError" in result.reason for result in found)
    assert within(5, lambda: own.run("ans = 3")).verdict == "crashed"
    assert not own_pids(serving) & {launcher.pid for launcher in launchers()}


def own_pids(serving: pool.Pool) -> set[int]:
    """Return the processes of a pool."""
    return {launcher.process.pid for launcher in serving._launchers.values()}


@linux
def test_a_job_that_comes_while_the_pool_closes_gets_its_verdict(own):
    serving = own._started()
    assert serving is not None
    serving.close()
    results: queue.SimpleQueue[RunResult] = queue.SimpleQueue()
    job = Job("ans = 1", "pot", own.limits, results.put)
    job.prepare()
    serving.submit(job)
    assert results.get(timeout=5).verdict == "crashed"
    serving.cancel(job)
    serving.want("light")
    serving.close()


@pytest.mark.parametrize("reduced", [False, True])
def test_closing_during_a_trace_ends_the_trace(monkeypatch, reduced):
    monkeypatch.setenv("KPDD_SANDBOX", "plain" if reduced else "")
    runner = ProgramRunner(workers=1)
    trace = runner.trace("a = 1\nwhile True: pass", limits=LONG)
    records = iter(trace)
    assert within(60, lambda: next(records))["ln"] == 1
    within(30, runner.close)
    within(10, lambda: list(records))
    assert trace.result.verdict == "crashed"
    with pytest.raises(RuntimeError):
        runner.trace("ans = 1")


def reduced(monkeypatch, script: str) -> ProgramRunner:
    """Return a runner of the reduced path whose processes are a script."""
    monkeypatch.setenv("KPDD_SANDBOX", "plain")
    monkeypatch.setattr(plain, "_command", lambda job: [sys.executable, "-S", "-c", script])
    return ProgramRunner(workers=1, limits=Limits(cpu_s=1, wall_s=0.5))


@pytest.mark.skipif(os.name != "posix", reason="sessions are POSIX's")
def test_what_a_program_left_running_holds_nobody_up_on_the_reduced_path(monkeypatch):
    monkeypatch.setattr(plain, "_DRAIN_S", 0.3)
    # out of the reach of its group, with the pipe in its hands
    script = (
        "import os, time\nhere, there = os.pipe()\n"
        "if os.fork() == 0:\n    os.setsid()\n    os.write(there, b'x')\n    time.sleep(8)\n"
        "else:\n    os.read(here, 1)\n"
    )
    with reduced(monkeypatch, script) as runner:
        result = within(6, lambda: runner.run("ans = 1"))
    assert result.verdict == "crashed" and "left something running" in result.reason


@pytest.mark.parametrize(
    "script",
    [
        "",
        "import time; time.sleep(60)",
        "import sys; sys.stdin.read(); print('hello' * 99)",
        "raise SystemExit(9)",
    ],
)
def test_a_process_of_the_reduced_path_that_does_not_do_its_work(monkeypatch, script):
    monkeypatch.setattr(plain, "_START_S", 0.5)
    with reduced(monkeypatch, script) as runner:
        assert within(20, lambda: runner.run("ans = 1")).verdict in ("crashed", "timed_out")


def test_without_figures_of_a_process_the_clock_still_ends_it(monkeypatch):
    def denied(pid: int) -> None:
        raise psutil.AccessDenied(pid)

    monkeypatch.setattr(psutil, "Process", denied)
    monkeypatch.setattr(plain, "_START_S", 0.5)
    with reduced(monkeypatch, "import time; time.sleep(60)") as runner:
        assert within(20, lambda: runner.run("ans = 1")).verdict == "timed_out"
