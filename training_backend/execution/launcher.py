"""The launcher: loads the libraries, closes its doors, then forks one child per program.

Started by exec, never forked from the program that uses it:
`python -s -P launcher.py TIER DESCRIPTOR NICENESS PATHS`, or in a frozen app `kpdd sandbox-launcher …`.
It talks over one socket of whole messages (JSON). Each job comes as id, limits and a descriptor: the child's
end of a socket to the parent. The launcher never reads a program or a result; it forks, watches the clock,
and reports how the child ended. When its socket ends, it ends its children and itself.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass

# A starved machine is no fault of the program: one that has been using the processor gets its wall time
# again, this often. A program that sleeps is ended at the first deadline.
_EXTENSIONS = 4
_BUSY_SHARE = 0.02
_CHILD_FD = 3
_TOP_FD = 128
_LARGE_PAGE = 1 << 21
_MADV_COLLAPSE = 25


@dataclass
class _Child:
    job: int
    pid: int
    pidfd: int
    began: float
    deadline: float
    wall_s: float
    extensions: int = _EXTENSIONS
    cpu_seen: float = 0.0
    ended_for: str = ""


class Launcher:
    """The loop of one launcher, after its doors are closed."""

    def __init__(self, control: socket.socket, child_filter: bytes, statm: int) -> None:
        """Take jobs from `control`; `statm` is /proc/self/statm, opened while that was possible."""
        from training_backend.execution import channel, child

        # looked up here and not after each fork
        self._channel, self._serve = channel.Channel, child.serve
        self._control = control
        self._filter = child_filter
        self._statm = statm
        self._children: dict[int, _Child] = {}
        self._poll = select.poll()
        self._poll.register(control.fileno(), select.POLLIN)
        self._pid = os.getpid()
        self._page = os.sysconf("SC_PAGESIZE")

    def loop(self) -> None:
        """Serve until the control socket ends."""
        while True:
            for descriptor, _ in self._poll.poll(self._wait_ms()):
                if descriptor == self._control.fileno():
                    if not self._take_message():
                        self._end_all()
                        return
                elif descriptor in self._children:
                    self._reap(self._children[descriptor])
            self._check_deadlines()

    def _wait_ms(self) -> int | None:
        if not self._children:
            return None
        first = min(child.deadline for child in self._children.values())
        return max(0, int((first - time.monotonic()) * 1000) + 1)

    def _take_message(self) -> bool:
        data, descriptors, _, _ = socket.recv_fds(self._control, 4096, 4)
        if not data:
            return False
        message = json.loads(data)
        if "kill" in message:
            for child in self._children.values():
                if child.job == message["kill"]:
                    self._end(child, "asked")
        else:
            self._fork(message, descriptors[0])
        return True

    def _fork(self, job: dict, descriptor: int) -> None:
        address_space = self._own_size() + int(job["memory_mib"]) * 1024 * 1024
        began = time.monotonic()
        pid = os.fork()
        if pid == 0:
            self._in_child(job, descriptor, address_space)
        os.close(descriptor)
        child = _Child(job["id"], pid, os.pidfd_open(pid), began, began + job["wall_s"], job["wall_s"])
        self._children[child.pidfd] = child
        self._poll.register(child.pidfd, select.POLLIN)

    def _own_size(self) -> int:
        """Return the launcher's address space in bytes: what a child starts with."""
        return int(os.pread(self._statm, 64, 0).split()[0]) * self._page

    def _in_child(self, job: dict, descriptor: int, address_space: int) -> None:
        """Close every door that is left, then read the program. Never returns."""
        code = 70
        try:
            close_doors(descriptor, self._pid, job["cpu_s"], address_space, self._filter)
            self._serve(self._channel(_CHILD_FD, _CHILD_FD))
            code = 0
        except BaseException:
            code = 73
        finally:
            os._exit(code)

    def _reap(self, child: _Child) -> None:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid == 0:
            return
        self._poll.unregister(child.pidfd)
        os.close(child.pidfd)
        del self._children[child.pidfd]
        signalled = os.WIFSIGNALED(status)
        report = {
            "id": child.job,
            "signal": os.WTERMSIG(status) if signalled else 0,
            "code": 0 if signalled else os.WEXITSTATUS(status),
            "ended_for": child.ended_for,
            "wall_s": round(time.monotonic() - child.began, 6),
            "cpu_s": round(usage.ru_utime + usage.ru_stime, 6),
            "peak_kib": usage.ru_maxrss,
        }
        self._control.send(json.dumps(report).encode())

    def _check_deadlines(self) -> None:
        now = time.monotonic()
        for child in list(self._children.values()):
            if now < child.deadline or child.ended_for:
                continue
            used = cpu_seconds(child.pid)
            share = (used - child.cpu_seen) / child.wall_s
            if child.extensions > 0 and share > _BUSY_SHARE:
                child.extensions -= 1
                child.cpu_seen = used
                child.deadline = now + child.wall_s
            else:
                self._end(child, "wall")

    def _end(self, child: _Child, why: str) -> None:
        child.ended_for = why
        # looked at again only if it did not go
        child.deadline = time.monotonic() + 3600
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)

    def _end_all(self) -> None:
        for child in self._children.values():
            self._end(child, "asked")
        for child in self._children.values():
            os.waitpid(child.pid, 0)


def cpu_seconds(pid: int) -> float:
    """Return the processor time of another process, by its clock: no file is opened for it."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def close_doors(descriptor: int, parent: int, cpu_s: float, address_space: int, child_filter: bytes) -> None:
    """Turn a fresh fork into a child that may only compute and talk over descriptor 3."""
    from training_backend.execution import lockdown

    lockdown.die_with_parent(parent)
    if descriptor != _CHILD_FD:
        os.dup2(descriptor, _CHILD_FD)
    os.closerange(0, _CHILD_FD)
    os.closerange(_CHILD_FD + 1, _TOP_FD)
    lockdown.limit_child(cpu_s, address_space, _CHILD_FD + 1)
    if child_filter:
        lockdown.load_filter(child_filter)


_ATTEMPTS = ("open", "socket", "fork", "kill")


def attempt(name: str, parent: int) -> None:
    """Try what no child may do; an OSError or the end of this process is the right outcome."""
    if name == "open":
        os.open("/", os.O_RDONLY)
    elif name == "socket":
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    elif name == "fork":
        if os.fork() == 0:
            os._exit(0)
    elif name == "kill":
        os.kill(parent, 0)


def self_test(child_filter: bytes, statm: int) -> list[str]:
    """Fork a child for each attempt; return the names of those that a child could do."""
    done = []
    size = int(os.pread(statm, 64, 0).split()[0]) * os.sysconf("SC_PAGESIZE")
    for name in _ATTEMPTS:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                close_doors(_CHILD_FD, parent, 1.0, size + (64 << 20), child_filter)
                attempt(name, parent)
            except OSError:
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        stopped = (
            os.WTERMSIG(status) == signal.SIGSYS if os.WIFSIGNALED(status) else os.WEXITSTATUS(status) == 0
        )
        if not stopped:
            done.append(name)
    return done


def main(arguments: list[str]) -> int:
    """Start one launcher: `TIER DESCRIPTOR NICENESS PATHS` (PATHS: the parent's `sys.path` as JSON)."""
    tier, descriptor, niceness, paths = arguments
    sys.path[:] = json.loads(paths)
    control = socket.socket(fileno=int(descriptor))
    try:
        started = _start(tier, control, int(niceness))
    except Exception as error:
        control.send(json.dumps({"failed": f"{type(error).__name__}: {error}"[:1000]}).encode())
        return 1
    started.loop()
    return 0


def _start(tier: str, control: socket.socket, niceness: int) -> Launcher:
    """Load, warm up, close the doors, test them, say ready."""
    import resource

    # trace and equation_solver are used only in children: in memory before the doors close
    from training_backend.execution import child, equation_solver, given, lockdown, preload  # noqa: F401

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _lower_priority(niceness)
    missing = preload.preload(tier)
    if tier == "heavy":
        equation_solver.warm_up()
    # loaded here: nothing can be read once this process is nobody and its doors are closed
    landlock_missing = lockdown.load_landlock()
    locks = lockdown.compile_filters()
    child.furnish()
    child.rehearse(tier)
    use_large_pages()
    statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208
    if threads != 1:
        raise RuntimeError(f"{threads} threads are running; a process that forks must have one")
    resource.setrlimit(resource.RLIMIT_NOFILE, (_TOP_FD, _TOP_FD))
    lockdown.drop_root()
    lockdown.close_launcher()
    missing += [*locks.missing, *filter(None, [landlock_missing or lockdown.landlock()])]
    gc.collect()
    gc.freeze()
    if locks.launcher_filter:
        try:
            lockdown.load_filter(locks.launcher_filter)
        except OSError as error:
            missing.append(f"The kernel takes no system call filter: {error}.")
            locks.child_filter = b""
    could = self_test(locks.child_filter, statm)
    ready = {"ready": tier, "filter": bool(locks.child_filter), "could": could, "missing": missing,
             "python": sys.version.split()[0]}  # fmt: skip
    control.send(json.dumps(ready).encode())
    return Launcher(control, locks.child_filter, statm)


def use_large_pages() -> None:
    """Ask the kernel to keep what is loaded in large pages, whose tables are quick to copy for a child.

    One answer for each 2 MiB: what it does not do (an older kernel, no memory at hand) stays as it was.
    """
    import ctypes

    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    with open("/proc/self/maps") as file:  # noqa: PTH123
        lines = [line.split() for line in file]
    for span, rights, *_, last in lines:
        # memory of no file: its file number stands last
        if rights.startswith("rw") and last in ("0", "[heap]"):
            low, high = (int(end, 16) for end in span.split("-"))
            for start in range(-(-low // _LARGE_PAGE) * _LARGE_PAGE, high - _LARGE_PAGE + 1, _LARGE_PAGE):
                madvise(start, _LARGE_PAGE, _MADV_COLLAPSE)


def _lower_priority(niceness: int) -> None:
    """Let the window go first, and let the kernel end a program rather than anything else."""
    try:
        os.nice(niceness)
        with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
            file.write("1000")
    except OSError:
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
