"""Asking a teacher: many slots, each with one request on its way, and every reply on disk before the next.

One thread, asyncio. A slot takes a chain (a question and a path), asks for its key points, then for each
kind with them. Failures that may pass are asked again by one rule; what every other request would meet as
well ends the run and leaves the rest waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from training_backend.errors import KpddError
from training_backend.project.replies import Reply
from training_backend.teacher.asker import FOR_ALL, Answered, Asked, Asker, AskError
from training_backend.teacher.budget import Budget, Money
from training_backend.teacher.group_commit import GroupCommit, Outcome
from training_backend.teacher.prompts import Prompt, messages, schema
from training_backend.teacher.rate import Rate, Retry
from training_backend.teacher.reading import ReadReply, read_reply
from training_backend.teacher.requests import KEY_POINTS, NO_KEY_POINTS, ONE_CALL, Chain, Request
from training_backend.teacher.response_cache import NewResponse, find_response, request_digest

if TYPE_CHECKING:
    from training_backend.project.questions import Question
    from training_backend.project.store import Project
    from training_backend.rationale.key_points import KeyPoints

# after a stop the requests on their way may still be answered: they are paid for
GRACE_S = 8.0
# so many failures in a row, and nothing in between: the teacher is at fault, not the requests
MOST_IN_A_ROW = 10
UNREADABLE = "unreadable"
CUT = "length"
_GIVES_UP = FOR_ALL | {"refused_connection"}
_NO_KEY_POINTS = "It was not asked: its key points failed."
# what a reply is expected to take where max_tokens says nothing
_REPLY_TOKENS = 512


@dataclass(frozen=True)
class AskSettings:
    """How a run asks. `asked_again` is how often a reply that does not parse is asked for again."""

    model: str
    temperature: float | None = 0.7
    top_p: float | None = None
    max_tokens: int | None = 1024
    structured: bool = False
    concurrency: int = 8
    asked_again: int = 2


@dataclass
class Tally:
    """How the run stands. A request counts when what became of it is on disk; the rest of `asked` waits."""

    asked: int = 0
    done: int = 0
    failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    replies: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    money: float | None = 0.0
    rows: int = 0

    def note(self, outcome: Outcome) -> None:
        """Count what is on disk now."""
        if outcome.status != "waiting":
            self.done += outcome.status == "done"
            self.failed += outcome.status == "failed"
            if outcome.status == "failed":
                self.reasons[outcome.reason] += 1
        self.rows += outcome.reply is not None
        if outcome.response is not None:
            answered, money = outcome.response.answered, outcome.response.money
            self.replies += 1
            self.prompt_tokens += answered.prompt_tokens
            self.cached_tokens += answered.cached_tokens
            self.completion_tokens += answered.completion_tokens
            self.money = None if money is None or self.money is None else self.money + money


class _Ending(Exception):
    """The run ends; this slot leaves its request waiting."""


class OutOfBudget(KpddError):
    """The budget has no room for another request."""


class Asking:
    """Asks chains until there are no more, or the run is to end; `problem` says why it ended early."""

    def __init__(
        self,
        project: Project,
        asker: Asker,
        run_id: int,
        chains: Iterator[Chain],
        questions: Mapping[int, Question],
        prompts: Mapping[str, Prompt],
        origins: Mapping[str, int],
        settings: AskSettings,
        tally: Tally,
        *,
        rate: Rate | None = None,
        retry: Retry | None = None,
        budget: Budget | None = None,
        money: Money | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """`origins` has the id of the origin of each prompt; `money` is None where no price is known.

        `stopped` is asked before every request, beside `end`.
        """
        self._stopped = stopped
        self._asker, self._run_id, self._chains = asker, run_id, chains
        self._questions, self._prompts, self._origins = questions, prompts, origins
        self._settings, self.tally = settings, tally
        self._versions = {name: prompt.version for name, prompt in prompts.items()}
        self._rate, self._retry = rate or Rate(), retry or Retry()
        self._budget, self._money = budget or Budget(None, None), money
        self._reader = project.reader()
        self._commit = GroupCommit(project)
        self._open, self._ended, self._settled = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._open.set()
        self._at_work: dict[str, asyncio.Future[None]] = {}
        self._in_a_row = 0
        self.on_their_way = 0
        self.problem: Exception | None = None

    # --- from outside -----------------------------------------------------------------------------

    async def go(self) -> None:
        """Ask everything. Ends when nothing waits, after `end`, or with `problem` set."""
        slots = [asyncio.create_task(self._slot()) for _ in range(max(1, self._settings.concurrency))]
        try:
            ended = asyncio.create_task(self._ended.wait())
            done = asyncio.create_task(asyncio.wait(slots))
            await asyncio.wait({done, ended}, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            _, late = await asyncio.wait(slots, timeout=GRACE_S if self._ended.is_set() else None)
            for slot in late:
                slot.cancel()
            if late:
                await asyncio.wait(late)
        finally:
            await self._commit.close()
            self._reader.close()

    def pause(self, paused: bool) -> None:
        """Let no new request out, or go on; what is on its way comes in."""
        if paused and not self._ended.is_set():
            self._open.clear()
        else:
            self._open.set()

    def end(self, problem: Exception | None = None) -> None:
        """End at the next border of each slot; the first problem is kept."""
        if self.problem is None and not self._ended.is_set():
            self.problem = problem
        self._ended.set()
        self._open.set()
        self._settled.set()

    # --- a slot -----------------------------------------------------------------------------------

    async def _slot(self) -> None:
        try:
            while not self._ended.is_set():
                await self._gate()
                chain = next(self._chains, None)
                if chain is None:
                    return
                await self._ask_chain(chain)
        except _Ending:
            return
        except Exception as error:
            self.end(error)

    async def _gate(self) -> None:
        await self._open.wait()
        if self._stopped():
            self.end()
        if self._ended.is_set():
            raise _Ending

    async def _wait(self, seconds: float) -> None:
        """Wait so long, unless the run ends meanwhile."""
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), seconds)
        await self._gate()

    async def _ask_chain(self, chain: Chain) -> None:
        points: KeyPoints | None = None
        if chain.key_points_text is not None:
            points = read_reply(KEY_POINTS, "", chain.key_points_text).key_points
        missing = chain.without_key_points
        for request in chain.requests:
            if missing:
                await self._put(Outcome(request.id, "failed", request.attempts, reason=NO_KEY_POINTS,
                                        problem=_NO_KEY_POINTS))  # fmt: skip
                continue
            await self._gate()
            read = await self._ask(chain, request, points)
            if request.name == KEY_POINTS:
                points = read.key_points if read is not None else None
                missing = points is None

    async def _ask(self, chain: Chain, request: Request, points: KeyPoints | None) -> ReadReply | None:
        """Ask until the reply can be used, or as often as a reply may be asked for again."""
        prompt = self._prompts[request.name]
        asked = self._asked(prompt, chain, request, points)
        attempts = request.attempts
        while True:
            digest = request_digest(
                self._settings.model, self._versions[request.name], asked, chain.path, attempts
            )
            async with self._alone(digest):
                try:
                    known = find_response(self._reader, digest)
                    answered, money = (known[1], 0.0) if known else await self._send(asked)
                except AskError as error:
                    await self._not_answered(chain, request, error, attempts)
                    return None
                read, reason = _read(request, answered)
                attempts += 1
                again = reason not in ("", "refusal") and attempts % (self._settings.asked_again + 1) != 0
                status = "waiting" if again else "failed" if reason else "done"
                await self._put(
                    Outcome(
                        request.id, status, attempts,
                        None if known else NewResponse(digest, self._run_id, self._versions[request.name],
                                                       attempts - 1, answered, money),
                        known[0] if known else None,
                        None if again else self._row(chain, request, points, read, answered),
                        "" if again else reason, "" if again else read.problem,
                    )
                )  # fmt: skip
            if not again:
                return None if reason else read
            await self._gate()

    @contextlib.asynccontextmanager
    async def _alone(self, digest: str):
        """Let no other slot ask the same at the same time: the second one finds the first one's reply."""
        while (other := self._at_work.get(digest)) is not None:
            await other
        mine = self._at_work[digest] = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            del self._at_work[digest]
            mine.set_result(None)

    async def _not_answered(self, chain: Chain, request: Request, error: AskError, attempts: int) -> None:
        """Note a request that got no reply; where no other would get one, it waits and the run ends."""
        self._in_a_row += 1
        if error.reason in _GIVES_UP or self._in_a_row >= MOST_IN_A_ROW:
            self.end(error)
        if self._ended.is_set():
            raise _Ending
        await self._put(Outcome(request.id, "failed", attempts, reason=error.reason, problem=error.message))

    async def _put(self, outcome: Outcome) -> None:
        await self._commit.put(outcome)
        self.tally.note(outcome)

    # --- a request --------------------------------------------------------------------------------

    def _asked(self, prompt: Prompt, chain: Chain, request: Request, points: KeyPoints | None) -> Asked:
        settings = self._settings
        fields: dict[str, Any] = {"question": self._questions[chain.question_id].text, "kind": request.kind}
        if points is not None:
            fields |= {"core_question": points.core_question, "information": list(points.information)}
        return Asked(
            tuple(messages(prompt, fields, settings.structured)),
            schema(prompt, request.kind) if settings.structured else None,
            settings.temperature, settings.top_p, settings.max_tokens, chain.path * 1000 + request.attempts,
        )  # fmt: skip

    async def _send(self, asked: Asked) -> tuple[Answered, float | None]:
        """Return a reply and what it cost, after as many tries as the rule allows; else AskError."""
        size = sum(len(message["content"].encode("utf-8", "replace")) for message in asked.messages)
        expected = size // 4 + (asked.max_tokens or _REPLY_TOKENS)
        failures = 0
        while True:
            await self._gate()
            reserved = await self._afford(size, asked.max_tokens)
            try:
                answered = await self._once(asked, expected)
            except AskError as error:
                self._give_back(reserved)
                failures += 1
                if not error.retryable or failures >= self._retry.tries:
                    raise
                if error.reason == "rate_limit" and error.retry_after_s is not None:
                    self._rate.hold(error.retry_after_s)
                await self._wait(self._retry.delay(failures, error.retry_after_s))
                continue
            except BaseException:
                self._give_back(reserved)
                raise
            self._in_a_row = 0
            money = self._cost(answered)
            if money is not None and not (answered.prompt_tokens or answered.completion_tokens):
                # the server does not say what the reply took: what was set aside for it counts, now and later
                money = reserved
            self._give_back(reserved, size, answered.prompt_tokens, money or 0.0)
            return answered, money

    async def _once(self, asked: Asked, expected: int) -> Answered:
        """Send one request in its turn. A refusal or an empty reply is a reply: it was paid for."""
        await self._wait(self._rate.reserve(expected))
        while self._rate.held_s:
            await self._wait(self._rate.held_s)
        self.on_their_way += 1
        used = 0
        try:
            try:
                answered = await self._asker.ask(asked)
            except AskError as error:
                if error.answered is None:
                    raise
                answered = error.answered
            used = answered.prompt_tokens + answered.completion_tokens or expected
            return answered
        finally:
            self.on_their_way -= 1
            self._rate.settle(expected, used)

    async def _afford(self, size: int, max_tokens: int | None) -> float:
        while (reserved := self._budget.reserve(size, max_tokens)) is None:
            if not self._budget.waiting:
                self.end(OutOfBudget("The budget has no room for another request.",
                                     "Raise it and go on; nothing is asked twice."))  # fmt: skip
                raise _Ending
            self._settled.clear()
            await self._settled.wait()
            await self._gate()
        return reserved

    def _give_back(self, reserved: float, size: int = 0, prompt_tokens: int = 0, cost: float = 0.0) -> None:
        self._budget.settle(reserved, size, prompt_tokens, cost)
        self._settled.set()

    def _cost(self, answered: Answered) -> float | None:
        if self._money is None:
            return None
        return self._money(answered.prompt_tokens, answered.cached_tokens, answered.completion_tokens)

    def _row(
        self, chain: Chain, request: Request, points: KeyPoints | None, read: ReadReply, answered: Answered
    ) -> Reply | None:
        """Return what the project keeps of a reply beside its text; nothing of key points that failed."""
        name = request.name
        raw = {name: answered.text or answered.refusal}
        origin = self._origins[name]
        if name == KEY_POINTS:
            if read.key_points is None or read.problem:
                return None
            return Reply(chain.question_id, "", chain.path, read.key_points, None, raw, "", origin)
        own = name == ONE_CALL
        return Reply(
            chain.question_id, request.kind, chain.path, read.key_points if own else points,
            None if read.problem else read.rationale, raw, read.problem,
            origin if own else self._origins[KEY_POINTS], origin,
        )  # fmt: skip


def _read(request: Request, answered: Answered) -> tuple[ReadReply, str]:
    """Return the parts of a reply, and why it cannot be used in one word (empty: it can)."""
    if answered.refusal:
        return ReadReply(problem=f"The teacher refused: {answered.refusal[:200]}"), "refusal"
    read = read_reply(request.name, request.kind, answered.text)
    if not read.problem:
        return read, ""
    if not answered.text.strip():
        return read, "empty"
    if answered.finish_reason == "length":
        return ReadReply(read.key_points, read.rationale, read.question,
                         f"The reply was cut at its longest length. {read.problem}"), CUT  # fmt: skip
    return read, UNREADABLE
