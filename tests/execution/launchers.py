"""The launchers among the children of this process, as the system sees them."""

from __future__ import annotations

import contextlib

import psutil


def launchers() -> list[psutil.Process]:
    """Return the running launchers; a child of whatever kind may end while it is looked at."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if any("launcher.py" in part for part in child.cmdline()):
                found.append(child)
    return found
