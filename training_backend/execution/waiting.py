"""What waits for a child: a queue for each launcher, and one for the pure programs that share children.

Pure programs of a bulk wait a little until a child is worth it: for many of them one fork is what one of them
alone would cost. They wait longer while other programs keep the workers busy, so that a bulk in which those
are slower does not break up into single pure ones. A full batch never waits, nor does a program somebody
asked for alone.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator

from training_backend.execution.batch import LANE, MOST_PROGRAMS, gather
from training_backend.execution.jobs import Job

# a batch that is split among workers holds at least so many
_FEWEST = 16
# how long the first of a batch waits for others: when nothing else waits, and while something does
_GATHERING_S = 0.005
_PATIENCE_S = 0.25


class Waiting:
    """Queues that take turns: the one that was served last comes last."""

    def __init__(self) -> None:
        """Start empty."""
        self._queues: dict[str, deque[Job]] = {}

    def __iter__(self) -> Iterator[Job]:
        """Yield every job that waits."""
        for queue in self._queues.values():
            yield from queue

    def add(self, job: Job, first: bool = False) -> None:
        """Let a job wait at the end of its queue, or as its first."""
        job.waits_since = time.monotonic()
        queue = self._queues.setdefault(LANE if job.shares else job.tier, deque())
        if first:
            queue.appendleft(job)
        else:
            queue.append(job)

    def remove(self, job: Job) -> bool:
        """Take a job out; False when it does not wait here."""
        queue = self._queues.get(LANE if job.shares else job.tier)
        if not queue or job not in queue:
            return False
        queue.remove(job)
        return True

    def clear(self) -> None:
        """Forget all jobs."""
        self._queues.clear()

    def turns(self) -> list[str]:
        """Return the names of the queues whose first job may go now, in the order of their turns."""
        return [name for name, queue in self._queues.items() if queue and self._wait_s(name) <= 0]

    def soonest_s(self) -> float | None:
        """Return in how many seconds the next pure program may go, or None when none is held back."""
        wait = self._wait_s(LANE) if self._queues.get(LANE) else 0.0
        return wait if wait > 0 else None

    def take(self, name: str) -> Job:
        """Take the first job of a queue, whose next turn comes after all others."""
        queue = self._queues.pop(name)
        self._queues[name] = queue
        return queue.popleft()

    def take_beside(self, first: Job, workers: int) -> list[Job]:
        """Return `first` and the pure programs that can share its child; each worker gets a part."""
        queue = self._queues.get(LANE, deque())
        return gather(first, queue, min(MOST_PROGRAMS, max(_FEWEST, 1 + len(queue) // workers)))

    def _wait_s(self, name: str) -> float:
        queue = self._queues[name]
        first = queue[0]
        if name != LANE or not first.bulk or len(queue) >= MOST_PROGRAMS:
            return 0.0
        others = any(queue for other, queue in self._queues.items() if other != LANE)
        return first.waits_since + (_PATIENCE_S if others else _GATHERING_S) - time.monotonic()
