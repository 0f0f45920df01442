"""The cheap way of a provider: requests go out together as a file, and the replies come within a day.

To a run it is an asker like any other: what is asked at about the same time becomes one batch, and each
request waits for its line of the result. The form is OpenAI's (files and batches), which others offer too.
Nothing is paid twice: a journal remembers which request lies in which batch, so a run that was stopped or
killed finds its batches again and takes their replies.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from training_backend.teacher import ask_faults
from training_backend.teacher.asker import FOR_ALL, Answered, Asked, AskError
from training_backend.teacher.endpoint import Endpoint, request_body
from training_backend.teacher.keys import address
from training_backend.teacher.teacher_config import TeacherConfig

# a batch is sent when nothing was asked for so long
GATHER_S = 5.0
POLL_S = 30.0
# what OpenAI takes in one file, with room to spare
MOST_REQUESTS = 50_000
MOST_BYTES = 180_000_000
# providers keep results for thirty days
KEPT_DAYS = 29
_TRANSFER_S = 1_800.0
_MOST_FAILURES = 40
# the provider knows a batch no longer
_GONE = {"address", "model"}
_ENDED = {"completed", "failed", "expired", "cancelled"}


_T = TypeVar("_T")
_Waiting = tuple[Asked, "asyncio.Future[Answered]"]


@dataclass
class _Batch:
    """A batch at the provider: `names` are its requests, `waiting` those that somebody here waits for.

    A batch that was `found` in the journal was sent by an earlier process. At its end it has `replies`, each
    of which is given once.
    """

    id: str
    names: frozenset[str]
    found: bool = False
    waiting: dict[str, _Waiting] = field(default_factory=dict)
    replies: dict[str, Answered | AskError] | None = None
    task: asyncio.Task[None] | None = None


class BatchEndpoint:
    """Asks one address in batches; belongs to the event loop of its first use."""

    def __init__(
        self,
        config: TeacherConfig,
        key: str | None,
        folder: Path,
        gather_s: float | None = None,
        poll_s: float | None = None,
    ) -> None:
        """Prepare; nothing is sent yet. The journal lies in `folder`, one file an address."""
        self.config = config
        self._endpoint = Endpoint(config, key)
        self._journal = Journal(folder / f"{_digest(address(config))}.jsonl")
        self._gather_s = GATHER_S if gather_s is None else gather_s
        self._poll_s = POLL_S if poll_s is None else poll_s
        self._gathered: dict[str, _Waiting] = {}
        self._asked_at = 0.0
        self._sender: asyncio.Task[None] | None = None
        self._batches = {id_: _Batch(id_, names, found=True) for id_, names in self._journal.read().items()}

    async def ask(self, asked: Asked) -> Answered:
        """Return the reply when its batch has ended; AskError names why there is none."""
        reply: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        name = request_name(self.config, asked)
        batch = next((one for one in self._batches.values() if name in one.names), None)
        if batch is None:
            self._gather(name, (asked, reply))
        else:
            batch.waiting[name] = asked, reply
            self._follow(batch)
        return await reply

    async def models(self) -> list[str]:
        """Return the names of the models that the server offers, sorted."""
        return await self._endpoint.models()

    async def close(self) -> None:
        """Stop waiting; batches at the provider go on and are found again by the next run."""
        for task in [self._sender, *(batch.task for batch in self._batches.values())]:
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        await self._endpoint.close()

    # --- sending ----------------------------------------------------------------------------------

    def _gather(self, name: str, waiting: _Waiting) -> None:
        self._gathered[name] = waiting
        self._asked_at = time.monotonic()
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_when_quiet())

    async def _send_when_quiet(self) -> None:
        while self._gathered:
            wait_s = self._asked_at + self._gather_s - time.monotonic()
            if wait_s > 0 and len(self._gathered) < MOST_REQUESTS:
                await asyncio.sleep(wait_s)
                continue
            gathered, self._gathered = self._gathered, {}
            for lines in _parts(self.config, gathered):
                part = {name: gathered[name] for name in lines}
                try:
                    await self._send(lines, part)
                except AskError as error:
                    _fail(part, error)

    async def _send(self, lines: Mapping[str, bytes], waiting: dict[str, _Waiting]) -> None:
        client, headers = self._endpoint.client, self._endpoint.no_key()
        content = ("requests.jsonl", b"\n".join(lines.values()))
        file = await self._endpoint.explained(
            client.files.create(file=content, purpose="batch", extra_headers=headers), _TRANSFER_S
        )
        # on disk before it is paid for: where the journal cannot be written, nothing is begun
        self._journal.touch()
        made = await self._endpoint.explained(
            client.batches.create(
                completion_window="24h", endpoint="/v1/chat/completions", input_file_id=file.id,
                extra_headers=headers,
            )
        )  # fmt: skip
        self._journal.add(made.id, lines)
        self._batches[made.id] = _Batch(made.id, frozenset(lines), waiting=waiting)
        self._follow(self._batches[made.id])

    # --- waiting ----------------------------------------------------------------------------------

    def _follow(self, batch: _Batch) -> None:
        if batch.task is None or batch.task.done():
            batch.task = asyncio.create_task(self._wait_for(batch))

    async def _wait_for(self, batch: _Batch) -> None:
        """Look at a batch until it has ended, then give everybody a reply or a failure."""
        missing = AskError("server", "The batch left this request out.", ask_faults.hint_for("server"))
        if batch.replies is None:
            try:
                told = await self._patiently(lambda: self._look(batch.id))
                missing = _missing(told)
                batch.replies = await self._patiently(lambda: self._replies(told))
            except AskError as error:
                missing = error
        waiting, batch.waiting = batch.waiting, {}
        for name, one in waiting.items():
            # while only the way to the provider is at fault, the batch still holds what was paid for
            if batch.replies is not None or missing.reason in _GONE:
                batch.names -= {name}
            self._settle(name, one, (batch.replies or {}).pop(name, missing), batch.found)

    def _settle(self, name: str, one: _Waiting, got: Answered | AskError, found: bool) -> None:
        reply = one[1]
        if reply.done():
            return
        if isinstance(got, Answered):
            reply.set_result(got)
        elif found and (got.reason in _GONE or got.reason not in FOR_ALL):
            # a failure of an earlier day is not told
            self._gather(name, one)
        else:
            reply.set_exception(got)

    async def _replies(self, told: Any) -> dict[str, Answered | AskError]:
        replies: dict[str, Answered | AskError] = {}
        for file in (told.output_file_id, told.error_file_id):
            replies |= await self._results(file) if file else {}
        return replies

    async def _look(self, id_: str) -> Any:
        """Return what the provider says of a batch at its end."""
        while True:
            request = self._endpoint.client.batches.retrieve(id_, extra_headers=self._endpoint.no_key())
            told = await self._endpoint.explained(request)
            if told.status in _ENDED:
                return told
            await asyncio.sleep(self._poll_s)

    async def _patiently(self, work: Callable[[], Awaitable[_T]]) -> _T:
        """Do it again after failures that may pass: a broken connection is no end of a batch."""
        for _ in range(_MOST_FAILURES):
            try:
                return await work()
            except AskError as error:
                if not error.retryable:
                    raise
            await asyncio.sleep(self._poll_s)
        return await work()

    async def _results(self, file: str) -> dict[str, Answered | AskError]:
        """Return the replies and failures in a file of results, by the names of their requests."""
        content = self._endpoint.client.files.with_streaming_response.content

        async def read() -> dict[str, Answered | AskError]:
            found = {}
            async with content(file, extra_headers=self._endpoint.no_key()) as response:
                async for line in response.iter_lines():
                    if line.strip():
                        name, reply = self._reply(line)
                        found[name] = reply
            return found

        return await self._endpoint.explained(read(), _TRANSFER_S)

    def _reply(self, line: str) -> tuple[str, Answered | AskError]:
        """Return one line of the results: the name of its request, and the reply or the failure."""
        try:
            data = json.loads(line)
            name, response = str(data["custom_id"]), data.get("response") or {}
            status, body = int(response.get("status_code") or 500), response.get("body") or data.get("error")
        except (ValueError, KeyError, TypeError, AttributeError):
            return "", ask_faults.not_json(line, self._endpoint.server)
        try:
            if status >= 400:
                said = json.dumps(body, ensure_ascii=False)
                raise ask_faults.of_status(status, {}, said, self._endpoint.server)
            return name, self._endpoint.completion(body, 0.0)
        except AskError as error:
            return name, error


class Journal:
    """Which requests lie in which batch, one line a batch; holds no text and no key."""

    def __init__(self, file: Path) -> None:
        """Use `file`, which need not be there."""
        self.file = file

    def touch(self) -> None:
        """Make sure that a line can be added; OSError where it cannot."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.touch()

    def add(self, batch: str, names: Iterable[str]) -> None:
        """Note a batch, on the disk when this returns."""
        self.touch()
        line = json.dumps({"batch": batch, "at": time.time(), "requests": list(names)})
        with self.file.open("a", encoding="utf-8") as lines:
            lines.write(line + "\n")
            lines.flush()
            os.fsync(lines.fileno())

    def read(self) -> dict[str, frozenset[str]]:
        """Return the requests of each batch whose results a provider still keeps, the newest first."""
        try:
            lines = self.file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        found = {}
        for line in reversed(lines):
            # a line that was cut by a crash is left out
            with contextlib.suppress(ValueError, KeyError, TypeError):
                data = json.loads(line)
                if time.time() - data["at"] < KEPT_DAYS * 86_400:
                    found[str(data["batch"])] = frozenset(data["requests"])
        return found


def request_name(config: TeacherConfig, asked: Asked) -> str:
    """Return what names a request in a batch: a digest of all that is sent, and of its seed."""
    return _digest(json.dumps([request_body(config, asked), asked.seed], sort_keys=True))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _parts(config: TeacherConfig, gathered: Mapping[str, _Waiting]) -> Iterator[dict[str, bytes]]:
    """Yield the lines of files that a provider takes, by the names of their requests."""
    part: dict[str, bytes] = {}
    size = 0
    for name, (asked, _) in gathered.items():
        line = json.dumps({"custom_id": name, "method": "POST", "url": "/v1/chat/completions",
                           "body": request_body(config, asked)}).encode()  # fmt: skip
        if part and (size + len(line) > MOST_BYTES or len(part) >= MOST_REQUESTS):
            yield part
            part, size = {}, 0
        part[name] = line
        size += len(line) + 1
    if part:
        yield part


def _missing(told: Any) -> AskError:
    """Return the failure of a request of which an ended batch says nothing."""
    listed = [one.message for one in (told.errors.data if told.errors else None) or () if one.message]
    if told.status == "failed":
        why = "; ".join(listed[:3]) or "the provider says no reason"
        return AskError("bad_request", f"The batch was refused: {why}.", ask_faults.hint_for("bad_request"))
    words = {"expired": "did not end within a day", "cancelled": "was cancelled"}
    return AskError("server", f"The batch {words.get(told.status, 'left this request out')}.",
                    ask_faults.hint_for("server"))  # fmt: skip


def _fail(waiting: Mapping[str, _Waiting], error: AskError) -> None:
    for _, reply in waiting.values():
        if not reply.done():
            reply.set_exception(error)
