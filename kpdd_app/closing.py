"""What becomes of running work when the window closes: asked once for runs, and remembered."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QApplication, QWidget

from kpdd_app import messages
from kpdd_app.jobs import Job, Jobs
from kpdd_app.settings import ON_CLOSE, Settings


def ask_about_jobs(window: QWidget, jobs: Jobs, settings: Settings) -> bool | None:
    """Ask what becomes of running work: True stops runs too, False lets them go on, None stays open."""
    shown = [job for job in jobs.running() if not job.background]
    ending = [job for job in shown if not job.detached]
    lasting = [job for job in shown if job.detached]
    if ending and not messages.question(
        window,
        window.tr("{0} is still running.").format(ending[0].title),
        window.tr("It will be stopped; what it has done so far is kept."),
        yes=window.tr("Stop and close"),
    ):
        return None
    if not lasting:
        return False
    remembered = settings.text(ON_CLOSE)
    if remembered == "stop" and any(job.followed for job in lasting):
        # it was left at work on purpose, or started from a terminal: it is not stopped unasked
        remembered = ""
    return remembered == "stop" if remembered else _ask_about_runs(window, lasting, settings)


def _ask_about_runs(window: QWidget, runs: Sequence[Job], settings: Settings) -> bool | None:
    stay, stop, more = window.tr("Cancel"), window.tr("Stop and keep"), len(runs) - 1
    if more:
        go_on, what = window.tr("Let them go on"), window.tr("{0} and {1} more are still running.")
        needless = window.tr("They do not need this window")
    else:
        go_on, what = window.tr("Let it go on"), window.tr("{0} is still running.")
        needless = window.tr("It does not need this window")
    box = messages.Message(
        window,
        QApplication.applicationDisplayName(),
        what.format(runs[0].title, more),
        window.tr("{0}: nothing will be missing when you come back. "
                  "Your choice is kept; the Train page changes it.").format(needless),
        sign=("question", "accent"),
        choices=(stay, stop, go_on),
    )  # fmt: skip
    box.exec()
    chosen = {stop: True, go_on: False}.get(box.chosen)
    if chosen is not None:
        settings.set_text(ON_CLOSE, "stop" if chosen else "leave")
    return chosen
