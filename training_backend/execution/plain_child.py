"""The child of the reduced path: one ordinary process that runs one program and ends.

Used where there is no kernel filter. What it has: a clean environment, no import path, the limits of the
system where it has any, the policy on the text, and an audit hook that refuses files, sockets and
processes. The hook is no boundary: a program that is written to get around it can.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time

_REFUSED = (
    "open", "os.", "socket.", "subprocess.", "shutil.", "ctypes.", "pty.", "signal.", "winreg.", "_winapi.",
    "ftplib.", "urllib.", "http.", "smtplib.", "sqlite3.", "mmap.", "fcntl.", "tempfile.", "glob.", "msvcrt.",
)  # fmt: skip


def main(arguments: list[str]) -> int:
    """Run the one job that stands on standard input: `TIER LIMITS PATHS` (JSON texts)."""
    tier, limits, paths = arguments
    sys.path[:] = json.loads(paths)
    from training_backend.execution import channel, child, equation_solver, preload

    preload.preload(tier)
    if tier == "heavy":
        equation_solver.warm_up()
    reading, writing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    _limit(json.loads(limits))
    sys.addaudithook(_refuse)
    child.furnish()
    wire = channel.Channel(reading, writing)
    wire.send({"t": "ready"})
    child.serve(wire)
    child.leave()
    return 0


def _refuse(event: str, arguments: tuple) -> None:
    if event.startswith(_REFUSED) and event not in ("os.getrandom",):
        raise PermissionError(f"a program may not do this: {event}")


def _limit(limits: dict) -> None:
    """Set what limits the system knows; the parent watches the rest."""
    try:
        import resource
    except ImportError:
        return
    # what loading the libraries took is not the program's time
    whole = math.ceil(time.process_time() + limits["cpu_s"])
    wanted = {
        "RLIMIT_CPU": (whole, whole + 1), "RLIMIT_CORE": (0, 0), "RLIMIT_FSIZE": (0, 0),
        "RLIMIT_NPROC": (0, 0),
        "RLIMIT_AS": (_address_space() + limits["memory_mib"] * 1024 * 1024,) * 2,
    }  # fmt: skip
    for name, value in wanted.items():
        try:
            resource.setrlimit(getattr(resource, name), value)
        except (OSError, ValueError, AttributeError):
            continue


def _address_space() -> int:
    """Return the bytes of address space in use now, or a large number where that is not known."""
    try:
        with open("/proc/self/statm") as file:  # noqa: PTH123
            return int(file.read().split()[0]) * os.sysconf("SC_PAGESIZE")
    except (OSError, ValueError):
        return 1 << 36


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
