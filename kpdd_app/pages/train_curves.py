"""What a run left behind, read from its folder: its curves by student, its settings, its last figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kpdd_app.widgets.live_plot import ACCURACY, HELD_OUT, LOSS, Curve
from training_backend.errors import KpddError
from training_backend.events import HeldOut, Metrics, parse_line
from training_backend.students.run_folder import RunFolder


@dataclass
class Recorded:
    """One run: `curves` by student and name of the curve; `problem` says why it is unreadable."""

    title: str
    folder: Path
    status: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    examples: dict[str, int] = field(default_factory=dict)
    curves: dict[str, dict[str, Curve]] = field(default_factory=dict)
    problem: str = ""


def read_recorded(folder: Path, title: str = "") -> Recorded:
    """Read a run folder; what cannot be read is said in `problem`, never raised."""
    try:
        run = RunFolder.open(folder)
        found = Recorded(title or run.title, folder, run.status(), run.config.to_dict())
        found.roles = {role.name: role.title for role in run.method.roles}
        counts = run.about.get("examples", {})
        found.examples = {name: int(counts.get(name, {}).get("train", 0)) for name in found.roles}
        found.curves = {name: {c: Curve() for c in (LOSS, HELD_OUT, ACCURACY)} for name in found.roles}
        if run.events_file.is_file():
            _read_events(run.events_file, found)
    except (KpddError, OSError, ValueError, TypeError, AttributeError) as error:
        return Recorded(title or folder.name, folder, problem=str(error))
    return found


def _read_events(file: Path, found: Recorded) -> None:
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            # most lines are progress and text: only those that hold figures are parsed
            if '"metrics"' not in line and '"held_out"' not in line:
                continue
            event = parse_line(line)
            if isinstance(event, Metrics | HeldOut) and event.role in found.curves:
                _take(event, found.curves[event.role])


def _take(event: Metrics | HeldOut, curves: dict[str, Curve]) -> None:
    if isinstance(event, Metrics):
        curves[LOSS].add(event.step, event.loss)
        return
    if event.loss is not None:
        curves[HELD_OUT].add(event.step, event.loss)
    if event.accuracy is not None:
        curves[ACCURACY].add(event.step, event.accuracy)


def differing(runs: list[Recorded], everything: bool = False) -> list[tuple[str, list[Any]]]:
    """Return the settings in which runs differ, each with its values in the order of the runs.

    >>> a, b = (Recorded(t, Path(t), settings={"seed": s, "batch": 8}) for t, s in (("a", 0), ("b", 1)))
    >>> differing([a, b])
    [('seed', [0, 1])]
    """
    names = list(dict.fromkeys(name for run in runs for name in run.settings))
    rows = [(name, [run.settings.get(name) for run in runs]) for name in names]
    return [(name, values) for name, values in rows if everything or any(v != values[0] for v in values)]
