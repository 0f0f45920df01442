"""The launchers of one runner, served by one thread: jobs go out, frames and reports come back."""

from __future__ import annotations

import contextlib
import json
import logging
import selectors
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from training_backend.execution import launching
from training_backend.execution.batch import LANE, Batch, Lane, alone, may_share
from training_backend.execution.frames import FrameReader, ProtocolError
from training_backend.execution.isolation import from_ready
from training_backend.execution.jobs import Job, tier_of
from training_backend.execution.launching import Launcher
from training_backend.execution.waiting import Waiting

_READ = 1 << 16
_READY_WITHIN_S = 60.0
# A launcher ends a child that is over its time, at the latest after some extensions (`launcher.py`). One that
# has not reported by then is itself stuck, and is ended.
_OVERDUE_FACTOR = 6.0
_OVERDUE_GRACE_S = 30.0
_OVERDUE_LOOKED_AT_EVERY_S = 0.2
# so often a job is sent to a launcher that ends before it has reported anything
_MOST_SENDS = 4
# of one launcher at a time: each costs it a descriptor
_MOST_CHILDREN = 100
_logger = logging.getLogger(__name__)


class Pool:
    """Owns up to three launchers (light, numpy, heavy) and at most `workers` running children."""

    def __init__(
        self,
        workers: int,
        on_broken: Callable[[str, list[Job]], None],
        niceness: int = 5,
        sharing: bool = True,
    ) -> None:
        """Start the serving thread; `on_broken(reason, jobs)` gets the jobs when no launcher starts.

        With `sharing`, pure programs go through a child together (`batch.py`).
        """
        self._sharing = sharing
        self.workers = workers
        self._niceness = niceness
        self.reports: dict[str, dict[str, Any]] = {}
        self.changed = threading.Condition()
        self.broken = ""
        self._on_broken = on_broken
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = socket.socketpair()
        for end in (self._wake_in, self._wake_out):
            end.setblocking(False)
        self._selector.register(self._wake_in, selectors.EVENT_READ, None)
        self._inbox: deque[Callable[[], None]] = deque()
        self._launchers: dict[str, Launcher] = {}
        self._failures: dict[str, int] = {}
        self._waiting = Waiting()
        self._running: dict[int, Job | Batch] = {}
        # every job that still owes a result, wherever it is
        self._unfinished: set[Job] = set()
        self._next_id = 0
        self._overdue_seen = 0.0
        self._closing = False
        self._closed = False
        self._why_closed = "the runner was closed"
        self._call_lock = threading.Lock()
        # whether this thread was told of the inbox and has not emptied it since
        self._awake = False
        self.lane = Lane()
        self._thread = threading.Thread(target=self._serve, name="sandbox", daemon=True)
        self._thread.start()

    # ---- from any thread

    def submit(self, job: Job) -> None:
        """Queue a job."""
        if not self._call(lambda: self._queue(job)):
            job.fail(self._why_closed)

    def cancel(self, job: Job) -> None:
        """End a job, whether it waits or runs."""
        self._call(lambda: self._cancel(job))

    def want(self, tier: str) -> None:
        """Start the launcher of a tier now, so that it is ready when the first job comes."""
        self._call(lambda: self._want(tier))

    def close(self) -> None:
        """End the launchers; unfinished jobs end as crashed."""
        if self._thread.is_alive():
            self._call(self._begin_closing)
            self._thread.join(10)

    def _call(self, action: Callable[[], None]) -> bool:
        """Have the serving thread do something; False when that thread has ended."""
        with self._call_lock:
            if self._closed:
                return False
            self._inbox.append(action)
            awake, self._awake = self._awake, True
        if not awake:
            with contextlib.suppress(OSError):
                self._wake_out.send(b"x")
        return True

    # ---- in the serving thread

    def _serve(self) -> None:
        """Serve until closed; whatever goes wrong here, every job gets a verdict."""
        try:
            while not self._closing:
                self._serve_once()
        except Exception as error:
            _logger.exception("The thread that serves the launchers failed.")
            self._why_closed = f"programs are no longer served: {type(error).__name__}: {error}"
        finally:
            self._close_all()

    def _serve_once(self) -> None:
        heard = []
        for key, _ in self._selector.select(self._patience_s()):
            if key.fileobj is self._wake_in:
                self._drain_inbox()
            elif isinstance(key.data, Launcher):
                heard.append(key.data)
                self._on_control(key.data)
            elif isinstance(key.data, Job | Batch):
                self._on_job_data(key.data)
        self._check_starting()
        self._check_overdue(heard)
        self._dispatch()

    def _patience_s(self) -> float | None:
        """Return how long nothing may happen until there is something to look at."""
        held = self._waiting.soonest_s() if len(self._running) < self.workers else None
        return held or (1.0 if self._launchers else None)

    def _drain_inbox(self) -> None:
        """Do what other threads asked for; one that asks after the last was taken wakes this thread again."""
        with contextlib.suppress(BlockingIOError):
            self._wake_in.recv(4096)
        while True:
            with self._call_lock:
                if not self._inbox:
                    self._awake = False
                    return
                action = self._inbox.popleft()
            action()

    def _begin_closing(self) -> None:
        self._closing = True

    def _queue(self, job: Job) -> None:
        if self._closed:
            job.fail(self._why_closed)
            return
        if self.broken:
            self._on_broken(self.broken, [job])
            return
        self._unfinished.add(job)
        job.forget = self._unfinished.discard
        self._next_id += 1
        job.id = self._next_id
        if self._sharing and job.on_records is None and may_share(job.code, job.kind):
            job.shares, job.tier = True, "light"
        self._waiting.add(job)

    def _dispatch(self) -> None:
        """Give waiting jobs to launchers that are ready, one queue after the other, while there is room."""
        progress = True
        while progress and len(self._running) < self.workers:
            progress = False
            for name in self._waiting.turns():
                if self.broken or len(self._running) >= self.workers:
                    break
                launcher = self._launcher("light" if name == LANE else name)
                if launcher is None or not launcher.ready or len(launcher.jobs) >= _MOST_CHILDREN:
                    continue
                job = self._next(name)
                if job is not None:
                    self._send(launcher, job)
                progress = True

    def _next(self, name: str) -> Job | Batch | None:
        """Take the next job and others that may share its child; None when it waits elsewhere now."""
        job = self._waiting.take(name)
        if not job.shares:
            return job
        if not self.lane.closed:
            jobs = self._waiting.take_beside(job, self.workers)
            if len(jobs) > 1 or tier_of(job.code, job.kind) != job.tier:
                self._next_id += 1
                return Batch(jobs, self.lane, self._requeue, id=self._next_id)
        alone(job)
        if job.tier == "light":
            return job
        self._requeue(job)
        return None

    def _requeue(self, job: Job) -> None:
        """Let a job wait again, at the end: those around it are on their way."""
        if self.broken:
            self._unfinished.discard(job)
            self._on_broken(self.broken, [job])
        elif job.cancelled:
            job.fail("cancelled")
        else:
            self._waiting.add(job)

    def _send(self, launcher: Launcher, job: Job | Batch) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            ours.setblocking(False)
            head = {"id": job.id, "cpu_s": job.limits.cpu_s, "wall_s": job.limits.wall_s,
                    "memory_mib": job.limits.memory_mib}  # fmt: skip
            try:
                # 64 KiB of program fit into an empty socket's buffer, so this cannot wait
                ours.send(job.request)
                socket.send_fds(launcher.control, [json.dumps(head).encode()], [theirs.fileno()])
            except OSError:
                ours.close()
                self._take_back(job)
                self._on_death(launcher)
                return
        job.sent_at = time.monotonic()
        job.socket = ours
        job.reader = FrameReader(job.max_bytes)
        job.open = True
        job.level = from_ready(self.reports[launcher.tier]).level
        launcher.jobs[job.id] = job
        self._running[job.id] = job
        self._selector.register(ours, selectors.EVENT_READ, job)

    def _take_back(self, job: Job | Batch) -> None:
        """Let what could not be sent wait again, but not for ever: each launcher may end at once."""
        for one in reversed(job.jobs if isinstance(job, Batch) else [job]):
            one.sends += 1
            if one.sends >= _MOST_SENDS:
                one.fail("no launcher stayed to run it")
            else:
                self._waiting.add(one, first=True)

    def _on_job_data(self, job: Job | Batch) -> None:
        """Read what a child sent; at the end of its socket stop listening."""
        if job.open:
            self._read(job)
            self._finish_if_over(job)

    def _read(self, job: Job | Batch) -> bool:
        """Read once; return False when there is nothing to read now."""
        assert job.socket is not None
        try:
            data = job.socket.recv(_READ)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if data:
            self._take_frames(job, data)
        else:
            self._close_job_socket(job)
        return True

    def _take_frames(self, job: Job | Batch, data: bytes) -> None:
        if job.protocol_error or job.reader is None:
            return
        try:
            for frame in job.reader.feed(data):
                job.take(frame)
        except Exception as error:
            if not isinstance(error, ProtocolError):
                _logger.exception("What a child sent could not be taken.")
            job.protocol_error = str(error) or type(error).__name__
            self._close_job_socket(job)
            self._kill(job)

    def _close_job_socket(self, job: Job | Batch) -> None:
        if job.open and job.socket is not None:
            job.open = False
            self._selector.unregister(job.socket)
            job.socket.close()

    def _on_control(self, launcher: Launcher) -> None:
        try:
            data = launcher.control.recv(8192)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._on_death(launcher)
            return
        try:
            message = json.loads(data)
            self._on_message(launcher, message)
        except (ValueError, KeyError, TypeError) as error:
            # only a launcher of another version of this program says what cannot be understood
            self._on_death(launcher, f"it said something strange: {type(error).__name__}: {error}")

    def _on_message(self, launcher: Launcher, message: dict[str, Any]) -> None:
        if "ready" in message:
            launcher.ready = True
            self._failures.pop(launcher.tier, None)
            with self.changed:
                self.reports[launcher.tier] = message
                self.changed.notify_all()
        elif "failed" in message:
            self._on_death(launcher, message["failed"])
        else:
            job = launcher.jobs.pop(message["id"], None)
            if job is not None:
                job.report = message
                self._drain(job)
                self._finish_if_over(job)

    def _drain(self, job: Job | Batch) -> None:
        """Read what an ended child left in its socket."""
        while job.open and self._read(job):
            pass
        self._close_job_socket(job)

    def _finish_if_over(self, job: Job | Batch) -> None:
        if job.report is not None and not job.open and job.id in self._running:
            del self._running[job.id]
            if isinstance(job, Job) and job.needs_sympy() and not job.cancelled:
                job.again()
                job.tier = "heavy"
                self._waiting.add(job)
            else:
                job.finish()

    def _cancel(self, job: Job) -> None:
        if self._waiting.remove(job):
            job.fail("cancelled")
        elif job.id in self._running:
            job.cancelled = True
            self._kill(job)
        else:
            # on its way with others, which go on
            job.cancelled = True

    def _kill(self, job: Job | Batch) -> None:
        launcher = self._launchers.get(job.tier)
        if launcher is not None and job.id in launcher.jobs:
            with contextlib.suppress(OSError):
                launcher.control.send(json.dumps({"kill": job.id}).encode())

    # ---- launchers

    def _want(self, tier: str) -> None:
        self._launcher(tier)

    def _launcher(self, tier: str) -> Launcher | None:
        if tier not in self._launchers:
            try:
                self._launchers[tier] = launcher = launching.start(tier, self._niceness)
            except OSError as error:
                self._fail(f"The launcher cannot be started: {error}.")
                return None
            self._selector.register(launcher.control, selectors.EVENT_READ, launcher)
        return self._launchers[tier]

    def _check_starting(self) -> None:
        for launcher in list(self._launchers.values()):
            if not launcher.ready and time.monotonic() - launcher.started > _READY_WITHIN_S:
                launcher.process.kill()
                self._on_death(launcher, "it did not get ready")

    def _check_overdue(self, heard: list[Launcher]) -> None:
        """End a launcher that owes a report for far too long; one that was just heard is looked at again."""
        now = time.monotonic()
        if now - self._overdue_seen < _OVERDUE_LOOKED_AT_EVERY_S:
            return
        self._overdue_seen = now
        for launcher in list(self._launchers.values()):
            if launcher in heard:
                continue
            if any(
                now - job.sent_at > _OVERDUE_FACTOR * job.limits.wall_s + _OVERDUE_GRACE_S
                for job in launcher.jobs.values()
            ):
                self._on_death(launcher, "it did not report")

    def _on_death(self, launcher: Launcher, why: str = "it ended") -> None:
        """Forget a launcher; its jobs go again once, then count as crashed."""
        if self._launchers.get(launcher.tier) is not launcher:
            return
        del self._launchers[launcher.tier]
        self._selector.unregister(launcher.control)
        launcher.control.close()
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            launcher.process.kill()
            launcher.process.wait(5)
        if not launcher.ready:
            self._failures[launcher.tier] = self._failures.get(launcher.tier, 0) + 1
        for job in list(launcher.jobs.values()):
            self._close_job_socket(job)
            self._running.pop(job.id, None)
            if isinstance(job, Batch):
                job.dissolve()
            elif job.tries > 0 or job.has_given or job.cancelled:
                job.fail("cancelled" if job.cancelled else "the launcher ended while it ran")
            else:
                job.tries += 1
                job.again()
                self._waiting.add(job, first=True)
        if self._failures.get(launcher.tier, 0) >= 2:
            self._fail(f"The launcher of the tier {launcher.tier} does not start: {why}.")

    def _fail(self, reason: str) -> None:
        with self.changed:
            self.broken = reason
            self.changed.notify_all()
        jobs = list(self._waiting)
        self._waiting.clear()
        self._unfinished.difference_update(jobs)
        self._on_broken(reason, jobs)

    def _close_all(self) -> None:
        """End the launchers and give every job that still waits or runs its verdict."""
        for launcher in self._launchers.values():
            launcher.control.close()
        for launcher in self._launchers.values():
            launching.end_process(launcher.process)
        with self._call_lock:
            self._closed = True
        while self._inbox:
            self._inbox.popleft()()
        for running in self._running.values():
            if running.open and running.socket is not None:
                running.socket.close()
        for job in list(self._unfinished):
            job.fail(self._why_closed)
        with self.changed:
            self.broken = self.broken or f"Closed: {self._why_closed}."
            self.changed.notify_all()
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()
