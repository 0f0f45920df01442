"""What is missing in the protection around programs, said once, at the foot of the window.

What is found later, while programs run, is said once for this start: the next one begins anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QBoxLayout, QMainWindow

from kpdd_app import theme
from kpdd_app.background import Background
from kpdd_app.jobs import Jobs
from kpdd_app.settings import Settings
from kpdd_app.widgets.notice import Notice
from training_backend.events import Log
from training_backend.execution.isolation import ONE_BY_ONE

log = logging.getLogger(__name__)
# the setting that holds what was read and put away
READ = "protection/read"


def probe() -> dict[str, Any]:
    """Return the isolation level and what is missing; starts a launcher and may take a second."""
    from training_backend.diagnosis import isolation

    return isolation()


class Protection(Notice):
    """A notice above the status line; put away once, it comes back only when something else is missing."""

    def __init__(
        self, window: QMainWindow, settings: Settings, look: Callable[[], dict[str, Any]] = probe
    ) -> None:
        """Stand hidden in `window`; `look` is called in a thread of its own."""
        middle = window.centralWidget()
        column = middle.layout() if middle is not None else None
        assert isinstance(column, QBoxLayout)
        super().__init__(middle)
        self._settings = settings
        self._look = look
        self._about = ""
        self._missing = self._later = ""
        self._background = Background("protection", self)
        self.setMaximumHeight(theme.row_height() * 6)
        self.acted.connect(self._put_away)
        # the status line stays last
        column.insertWidget(column.count() - 1, self)

    def begin(self) -> None:
        """Look once, without stopping the window."""
        self._background.run(self._look, self._tell, self._not_known)

    def _tell(self, found: dict[str, Any]) -> None:
        missing = [str(sentence) for sentence in found["missing"]]
        self._about = "\n".join([str(found["level"]), *missing])
        self._background.close(wait=False)
        whole = found["level"] == "full" and not missing
        if whole or self._settings.text(READ) == self._about:
            return
        first = self.tr(
            "Programs of teachers and students run here with less protection than they could have."
        )
        self._missing = " ".join([first, *missing])
        self._show()

    def tell_later(self, why: str) -> None:
        """Say why programs no longer share a process; once, however often it is told."""
        if not self._later:
            self._later = self.tr(
                "{0} From now on each has a process of its own: slower, and as safe. Rows that ran before "
                "can be run again."
            ).format(why.replace("_", " "))
            self._show()

    def follow(self, jobs: Jobs) -> None:
        """Tell the same when a process beside the window finds it."""
        jobs.job_started.connect(lambda job: job.event_came.connect(self._take_event))

    def _take_event(self, event: object) -> None:
        if isinstance(event, Log) and event.text.endswith(ONE_BY_ONE):
            self.tell_later(event.text.removesuffix(ONE_BY_ONE).strip())

    def _show(self) -> None:
        text = " ".join(part for part in (self._later, self._missing) if part)
        self.say(text, action=self.tr("Put away"), full=text)
        self.text.setToolTip(text)

    def _not_known(self, error: Exception) -> None:
        log.info("the protection could not be looked at: %s", error)

    def _put_away(self) -> None:
        if self._missing:
            self._settings.set_text(READ, self._about)
        self._missing = ""
        self.clear()
