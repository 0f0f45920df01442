"""Replies on disk: what came since the last write is one transaction, and each slot waits for its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from training_backend.project.replies import Reply, add_replies_in
from training_backend.teacher.requests import settle
from training_backend.teacher.response_cache import NewResponse, add_response

if TYPE_CHECKING:
    from training_backend.project.store import Project

LARGEST = 256  # outcomes to a transaction


@dataclass(frozen=True)
class Outcome:
    """What became of a request: its line, the reply that was paid for, and the row made of it.

    `response` is None where nothing came, or `response_id` names a reply that was there before.
    """

    request_id: int
    status: str
    attempts: int
    response: NewResponse | None = None
    response_id: int | None = None
    reply: Reply | None = None
    reason: str = ""
    problem: str = ""


class GroupCommit:
    """Writes outcomes; `put` returns when its outcome is on disk."""

    def __init__(self, project: Project) -> None:
        """Write into `project`, in a thread of its own."""
        self._project = project
        self._waiting: list[tuple[Outcome, asyncio.Future[None]]] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="replies")
        self._writing: asyncio.Task[None] | None = None
        self.commits = 0

    async def put(self, outcome: Outcome) -> None:
        """Return when the outcome is on disk; StoreError when it cannot be."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((outcome, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        await done

    async def close(self) -> None:
        """Wait for the last write and end the thread."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
        self._thread.shutdown()

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting[:LARGEST], self._waiting[LARGEST:]
            error: BaseException | None = None
            try:
                await loop.run_in_executor(self._thread, self._write, [outcome for outcome, _ in batch])
            except Exception as failure:
                error = failure
            self.commits += 1
            for _, done in batch:
                if done.done():
                    continue  # its slot was cancelled; what it brought is kept all the same
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)

    def _write(self, outcomes: Sequence[Outcome]) -> None:
        with self._project.writing() as connection:
            settled = []
            for outcome in outcomes:
                response_id = outcome.response_id
                if outcome.response is not None:
                    response_id = add_response(connection, outcome.response)
                settled.append((outcome.status, outcome.attempts, response_id, outcome.reason,
                                outcome.problem, outcome.request_id))  # fmt: skip
            settle(connection, settled)
            replies = [outcome.reply for outcome in outcomes if outcome.reply is not None]
            if replies:
                add_replies_in(connection, replies)
