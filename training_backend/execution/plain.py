"""The reduced path: an ordinary process for each program, watched from outside."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from training_backend.execution.frames import FrameReader, ProtocolError
from training_backend.execution.jobs import Job
from training_backend.execution.launching import clean_environment, import_paths

_WATCH_S = 0.05
# loading SymPy takes its time on a slow disk; the program's own clock starts when it has been sent
_START_S = 60.0
# what an ended process left in its pipe is there at once
_DRAIN_S = 5.0
_logger = logging.getLogger(__name__)


class PlainPool:
    """Runs at most `workers` programs at a time, each in a new process."""

    def __init__(self, workers: int) -> None:
        """Make the threads that wait for the processes; none starts before its first job."""
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="sandbox")
        self._processes: dict[Job, subprocess.Popen] = {}
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, job: Job) -> None:
        """Queue a job."""
        try:
            self._threads.submit(self._run, job)
        except RuntimeError:
            job.fail("the runner was closed")

    def cancel(self, job: Job) -> None:
        """End a job, whether it waits or runs."""
        job.cancelled = True
        with self._lock:
            process = self._processes.get(job)
        if process is not None:
            _end(process)

    def close(self) -> None:
        """End every process; what waits ends as crashed."""
        self._closed = True
        with self._lock:
            running = list(self._processes.values())
        for process in running:
            _end(process)
        self._threads.shutdown(wait=True)

    def _run(self, job: Job) -> None:
        if job.cancelled or self._closed:
            job.fail("cancelled" if job.cancelled else "the runner was closed")
            return
        try:
            process = subprocess.Popen(
                _command(job), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=clean_environment(), start_new_session=os.name == "posix",
                cwd=Path(sys.executable).anchor,
            )  # fmt: skip
        except OSError as error:
            job.fail(f"no process could be started: {error}")
            return
        with self._lock:
            self._processes[job] = process
        if self._closed or job.cancelled:
            # closing or cancelling looked before it was there
            _end(process)
        try:
            self._serve(job, process)
        except Exception as error:
            # the thread's end would be seen by nobody
            _logger.exception("A program could not be served.")
            job.protocol_error = job.protocol_error or f"{type(error).__name__}: {error}"
        finally:
            _end(process)
            process.wait()
            with self._lock:
                del self._processes[job]
        job.finish()

    def _serve(self, job: Job, process: subprocess.Popen) -> None:
        report: dict[str, Any] = {"ended_for": "", "signal": 0, "cpu_s": 0.0}
        began = time.monotonic()
        watcher = threading.Thread(target=_watch, args=(job, process, report), daemon=True)
        # beside the wait for the process: what a program left running could hold the pipe open for ever
        reader = threading.Thread(target=_read, args=(job, process), daemon=True)
        watcher.start()
        reader.start()
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(OSError):
            process.stdin.write(job.request)
            process.stdin.close()
        code = process.wait()
        _end(process)
        reader.join(_DRAIN_S)
        watcher.join(5)
        if reader.is_alive():
            job.protocol_error = "left something running that holds its output"
        else:
            process.stdout.close()
        report["signal"] = -code if code < 0 else 0
        report["wall_s"] = time.monotonic() - began
        job.report = report


def _read(job: Job, process: subprocess.Popen) -> None:
    """Take frames until the pipe ends; the first wrong byte ends the process."""
    assert process.stdout is not None
    reader = job.reader = FrameReader(job.max_bytes)
    try:
        while data := os.read(process.stdout.fileno(), 1 << 16):
            for message in reader.feed(data):
                job.take(message)
    except Exception as error:
        if not isinstance(error, ProtocolError):
            _logger.exception("What a program sent could not be taken.")
        job.protocol_error = str(error) or type(error).__name__
        _end(process)


def _end(process: subprocess.Popen) -> None:
    """End a process and, where the system has groups, what it started."""
    if os.name == "posix":
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def _command(job: Job) -> list[str]:
    limits = json.dumps({"cpu_s": job.limits.cpu_s, "memory_mib": job.limits.memory_mib})
    arguments = [job.tier, limits, json.dumps(import_paths())]
    if getattr(sys, "frozen", False):
        return [sys.executable, "sandbox-child", *arguments]
    return [sys.executable, "-s", "-P", str(Path(__file__).with_name("plain_child.py")), *arguments]


def _watch(job: Job, process: subprocess.Popen, report: dict[str, Any]) -> None:
    """End a process that passes its time or its memory; remember why. The clock starts when it is ready."""
    import psutil

    began = time.monotonic()
    base: tuple[float, float, int] | None = None
    watched: psutil.Process | None = None
    while process.poll() is None:
        cpu, memory = 0.0, 0
        # a system that does not tell what a process uses still has a clock
        with contextlib.suppress(psutil.Error):
            watched = watched or psutil.Process(process.pid)
            cpu, memory = sum(watched.cpu_times()[:2]), watched.memory_info().rss
        now = time.monotonic()
        if base is None and job.ready.is_set():
            base = (now, cpu, memory)
        report["cpu_s"] = max(report["cpu_s"], cpu - base[1]) if base else 0.0
        report["peak_kib"] = max(report.get("peak_kib", 0), memory // 1024)
        report["ended_for"] = _passed(job, now, cpu, memory, base, now - began)
        if report["ended_for"]:
            _end(process)
            return
        time.sleep(_WATCH_S)


def _passed(
    job: Job, now: float, cpu: float, memory: int, base: tuple[float, float, int] | None, age_s: float
) -> str:
    """Return which limit a process has passed, or ''; `base` is (time, processor time, memory) when ready."""
    if base is None:
        return "wall" if age_s > _START_S else ""
    if now - base[0] > job.limits.wall_s * (1 + (cpu - base[1] > 0.05 * (now - base[0]))):
        return "wall"
    if cpu - base[1] > job.limits.cpu_s:
        return "cpu"
    return "memory" if memory - base[2] > job.limits.memory_mib * 1024 * 1024 else ""
