"""Work off the window's thread: one worker thread per object, results as calls in the window's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

log = logging.getLogger(__name__)


class Background(QObject):
    """One thread that works through what it is given, in order; a newer task with the same `key` replaces
    an older one that has not begun, and the older one's result is not delivered."""

    _finished = Signal(object, object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        """`name` is the thread's name in logs and debuggers."""
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._latest: dict[str, int] = {}
        self._open: set[Future] = set()
        self._count = 0
        self._closed = False
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Tell whether a task waits or works."""
        return bool(self._open)

    def run(
        self,
        task: Callable[[], Any],
        then: Callable[[Any], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        key: str = "",
    ) -> Future | None:
        """Do `task` in the thread; then call `then(result)` or `failed(error)` in the window's thread."""
        if self._closed:
            return None
        self._count += 1
        number = self._count
        if key:
            self._latest[key] = number

        def work() -> Any:
            if key and self._latest.get(key) != number:
                raise CancelledError
            return task()

        future = self._pool.submit(work)
        self._open.add(future)
        future.add_done_callback(lambda done: self._hand_over(done, (key, number, then, failed)))
        return future

    def drop(self, key: str) -> None:
        """Forget the tasks of `key`: what has not begun is not done, no result is delivered."""
        self._count += 1
        self._latest[key] = self._count

    def close(self, wait: bool = True) -> None:
        """Take nothing more; with `wait` what was given is finished first."""
        self._closed = True
        self._pool.shutdown(wait=wait, cancel_futures=not wait)

    def _hand_over(self, done: Future, about: tuple) -> None:
        try:
            self._finished.emit(done, about)
        except RuntimeError:
            # the window is gone; there is nobody to tell
            log.debug("a result came after its window was closed")

    @Slot(object, object)
    def _deliver(self, done: Future, about: tuple) -> None:
        key, number, then, failed = about
        self._open.discard(done)
        if self._closed or done.cancelled() or (key and self._latest.get(key) != number):
            return
        error = done.exception()
        if error is None:
            if then is not None:
                then(done.result())
        elif isinstance(error, CancelledError):
            return
        elif failed is not None and isinstance(error, Exception):
            failed(error)
        else:
            raise error
