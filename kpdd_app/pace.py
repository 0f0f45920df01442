"""How long work still takes, by its own pace: nothing is said until the pace holds still."""

from __future__ import annotations

from collections import deque

# the first steps load, compile and warm up: a few, and a little time, say nothing of the rest
STEPS, SECONDS = 4, 3.0
# the ends that the latest reports promise may differ by so much
AGREE = 0.25
LATEST = 5
# the pace is that of the latest stretch, so that a machine that slows down is told
STRETCH_S = 120.0


class Pace:
    """Reports of how much was done when; each promises an end, and the latest must agree."""

    def __init__(self) -> None:
        """Begin without a report."""
        self._points: deque[tuple[float, int]] = deque()
        self._ends: deque[float] = deque(maxlen=LATEST)
        self._total = 0
        self._settled = False

    def add(self, at: float, done: int, total: int) -> None:
        """Note that `done` of `total` were finished at `at` seconds; going back begins anew."""
        if self._points and (done < self._points[-1][1] or at < self._points[-1][0] or total != self._total):
            self.clear()
        self._total = total
        if self._points and done == self._points[-1][1]:
            return
        self._points.append((at, done))
        while len(self._points) > 2 * LATEST and at - self._points[1][0] > STRETCH_S:
            self._points.popleft()
        if self._rate():
            self._ends.append(at + (total - done) / self._rate())

    def clear(self) -> None:
        """Forget everything."""
        self._points.clear()
        self._ends.clear()
        self._settled = False

    @property
    def measuring(self) -> bool:
        """Tell whether work is under way whose pace is not known yet."""
        return bool(self._points) and self.left() is None and self._points[-1][1] < self._total

    def left(self) -> float | None:
        """Return the seconds that are left, None while that is not known; once known it stays known."""
        if not self._ends or self._points[-1][1] >= self._total:
            return None
        at, done = self._points[-1]
        if not self._settled:
            first_at, first = self._points[0]
            whole = max(self._ends) - first_at
            enough = done - first >= STEPS and at - first_at >= SECONDS and len(self._ends) == LATEST
            self._settled = enough and max(self._ends) - min(self._ends) <= AGREE * whole
        return max(0.0, self._ends[-1] - at) if self._settled else None

    def _rate(self) -> float:
        (first_at, first), (at, done) = self._points[0], self._points[-1]
        return (done - first) / (at - first_at) if at > first_at else 0.0
