"""Runs that are still at work when a project is opened: an earlier window, or a terminal, started them.

They are followed like the runs of this window: the status line shows them, and closing asks about them.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject

from kpdd_app.jobs import Job, Jobs
from training_backend.errors import KpddError
from training_backend.students.run_folder import RunFolder


class LeftRuns(QObject):
    """Follows what runs on this machine and nobody here has started."""

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        """Begin with none."""
        super().__init__(parent)
        self._jobs = jobs
        self._followed: list[Job] = []

    def follow(self, running: Iterable[tuple[Path, str]], ours: Iterable[Path]) -> None:
        """Follow these runs (folder, title) at work, except `ours` and those that a job shows already."""
        shown = [job for job in self._jobs.running() if not job.background]
        if any(job.arguments[:1] == ["train"] and job.run_folder is None for job in shown):
            # whose run has begun is known in a moment: the list is read again then
            return
        known = {*ours, *(job.run_folder for job in shown)}
        for folder, title in running:
            if folder not in known and _is_here(folder):
                self._followed.append(self._jobs.follow(folder, self.tr("Training {0}").format(title)))

    def release(self) -> None:
        """Let them go: another project is open."""
        for job in self._followed:
            if not job.is_over:
                job.release()
        self._followed = []


def _is_here(folder: Path) -> bool:
    """Tell whether a run computes on this machine: what runs elsewhere is no concern of this window."""
    try:
        run = RunFolder.open(folder)
        hosts = {run.role_status(role.name).host for role in run.method.roles}
    except (KpddError, OSError):
        return False
    return hosts <= {"", platform.node()}
