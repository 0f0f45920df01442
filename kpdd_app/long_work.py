"""One long piece of work beside the window's thread: a title, how far it is, and a way to stop it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from PySide6.QtCore import QObject, Signal

from kpdd_app.background import Background

# how often the window hears how far the work is
TELL_S = 0.1

Report = Callable[[int, int], bool]
"""What the work calls with (done, total); False: it shall stop there."""


class LongWork(QObject):
    """At most one piece of work at a time; who asks for a second one meanwhile is refused."""

    began = Signal(str)
    """The title of the work."""
    progressed = Signal(int, int)
    """How much is done, and of how much."""
    ended = Signal()

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        """`name` is the thread's name."""
        super().__init__(parent)
        self.title = ""
        self.began_at = 0.0
        self._background = Background(name, self)
        self._stop = threading.Event()
        self._future: Future | None = None
        self._told = 0.0

    @property
    def busy(self) -> bool:
        """Tell whether work is going on."""
        return bool(self.title)

    @property
    def stopping(self) -> bool:
        """Tell whether the work was asked to stop."""
        return self._stop.is_set()

    def run(
        self,
        title: str,
        task: Callable[[Report], Any],
        then: Callable[[Any], None],
        failed: Callable[[Exception], None],
    ) -> bool:
        """Begin `task(report)`; then `then(result)` or `failed(error)` here. False: something is going on."""
        if self.busy:
            return False
        self.title, self.began_at = title, time.monotonic()
        self._stop.clear()

        def deliver(result: Any) -> None:
            self._end()
            then(result)

        def went_wrong(error: Exception) -> None:
            self._end()
            failed(error)

        self.began.emit(title)
        self._future = self._background.run(lambda: task(self._report), deliver, went_wrong)
        return True

    def stop(self) -> None:
        """Ask the work to stop at its next border."""
        self._stop.set()

    def finish(self) -> None:
        """Stop the work and return when it has ended; its result is not delivered."""
        self._stop.set()
        if self._future is not None and not self._future.done():
            self._future.exception()

    def close(self) -> None:
        """Stop, and end the thread."""
        self.finish()
        self._background.close()

    def _end(self) -> None:
        self.title = ""
        self.ended.emit()

    def _report(self, done: int, total: int) -> bool:
        now = time.monotonic()
        if now - self._told >= TELL_S or done >= total:
            self._told = now
            self.progressed.emit(done, total)
        return not self._stop.is_set()
