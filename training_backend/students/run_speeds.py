"""How fast earlier runs on this machine learned, so that a new one can be told its time before it starts."""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from training_backend.errors import KpddError
from training_backend.events import Metrics, parse_line
from training_backend.students.run_config import RunConfig
from training_backend.students.run_folder import RunFolder, base_title

# the end of a run's events is enough: some hundred steps
_TAIL_BYTES = 256 * 1024
_LOOKED_AT = 30
# fewer reports say little of a run's pace
_ENOUGH = 5
# settings that change the pace; a base student goes on at the pace of the one it came from
_SAME = ("base", "tuning", "precision", "gradient_checkpointing", "packing", "threads")


@dataclass(frozen=True)
class Speed:
    """Target tokens a second of the run called `title`."""

    tokens_per_s: float
    title: str


def recorded_speed(folders: Iterable[Path], config: RunConfig) -> Speed | None:
    """Return the pace of the first of some runs that had the same settings where they matter, or None.

    Runs of other machines, and those with fewer than five reports, are passed over.
    """
    for folder in list(folders)[:_LOOKED_AT]:
        with contextlib.suppress(KpddError, OSError):
            run = RunFolder.open(folder)
            if all(getattr(run.config, name) == getattr(config, name) for name in _SAME) and _was_here(run):
                paces = _paces(run.events_file)
                if len(paces) >= _ENOUGH:
                    return Speed(statistics.median(paces), run.title or base_title(run.config.base))
    return None


def _was_here(run: RunFolder) -> bool:
    hosts = {run.role_status(role.name).host for role in run.method.roles}
    return hosts <= {"", platform.node()}


def _paces(events: Path) -> list[float]:
    with events.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
        lines = file.read().decode("utf-8", errors="replace").split("\n")[1:-1]
    found = (parse_line(line) for line in lines if '"metrics"' in line)
    return [event.tokens_per_s for event in found if isinstance(event, Metrics) and event.tokens_per_s > 0]
