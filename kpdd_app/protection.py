"""What is missing in the protection around programs, said once, at the foot of the window."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QBoxLayout, QMainWindow

from kpdd_app import theme
from kpdd_app.background import Background
from kpdd_app.settings import Settings
from kpdd_app.widgets.notice import Notice

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
        self.say(" ".join([first, *missing]), action=self.tr("Put away"), full=self._about)
        self.text.setToolTip("\n".join(missing))

    def _not_known(self, error: Exception) -> None:
        log.info("the protection could not be looked at: %s", error)

    def _put_away(self) -> None:
        self._settings.set_text(READ, self._about)
        self.clear()
