"""Starting and ending launchers: their command, their environment, where they find their libraries."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from training_backend.execution.batch import Batch
from training_backend.execution.jobs import Job


@dataclass
class Launcher:
    """The handle on one launcher process."""

    tier: str
    process: subprocess.Popen
    control: socket.socket
    started: float
    ready: bool = False
    jobs: dict[int, Job | Batch] = field(default_factory=dict)


def start(tier: str, niceness: int) -> Launcher:
    """Start a launcher of a tier; OSError where that cannot be done."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            launcher_command(tier, theirs.fileno(), niceness),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),), start_new_session=True, cwd="/", env=clean_environment(),
        )  # fmt: skip
    ours.setblocking(False)
    return Launcher(tier, process, ours, time.monotonic())


def end_process(process: subprocess.Popen) -> None:
    """Wait for a launcher whose socket is closed; one that does not go is killed."""
    try:
        process.wait(3)
    except subprocess.TimeoutExpired:
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)


def launcher_command(tier: str, descriptor: int, niceness: int) -> list[str]:
    """Return the command that starts a launcher, from source or in a frozen app."""
    paths = json.dumps(import_paths())
    if getattr(sys, "frozen", False):
        return [sys.executable, "sandbox-launcher", tier, str(descriptor), str(niceness), paths]
    file = Path(__file__).with_name("launcher.py")
    return [sys.executable, "-s", "-P", str(file), tier, str(descriptor), str(niceness), paths]


def import_paths() -> list[str]:
    """Return this process's import path, absolute, with the folder of this program first.

    The folder in which a person works and that of the script that was started are left out: a file there
    called `random.py` must not stand in for the library that a launcher loads.
    """
    here = str(Path(__file__).resolve().parents[2])
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    left_out = {str(Path.cwd()), here, *([str(Path(script).resolve().parent)] if script else [])}
    paths = dict.fromkeys(str(Path(path).resolve()) for path in sys.path if path)
    return [here, *(path for path in paths if path not in left_out)]


def clean_environment() -> dict[str, str]:
    """Return the whole environment of a launcher: nothing of the user's, one fixed hash seed, one thread."""
    environment = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "TZ": "UTC", "OPENBLAS_NUM_THREADS": "1",
                   "OMP_NUM_THREADS": "1"}  # fmt: skip
    if os.name == "nt":
        environment["SYSTEMROOT"] = os.environ.get("SYSTEMROOT", r"C:\Windows")
    return environment
