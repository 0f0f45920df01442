"""A teacher for tests that needs no server: it answers by the schema it is given, or from a queue."""

from __future__ import annotations

import asyncio
import json
from collections import deque

from training_backend.teacher.asker import Answered, Asked, AskError

PARTS = {
    "core_question": "How many are there in the end?",
    "information": ["There are two."],
    "chain_of_thought": "1 + 1 = 2. The answer is 2.",
    "program": "ans = 1 + 1",
    "equations": "x = 1 + 1\nans = x",
}


def answered(text, finish_reason="stop", prompt_tokens=100, completion_tokens=10, **more) -> Answered:
    """Return a reply with usual counts."""
    return Answered(text, finish_reason, prompt_tokens, completion_tokens, "fake-1", 0.01, **more)


def good(asked: Asked) -> Answered:
    """Return a reply that holds everything that is asked for."""
    assert asked.schema is not None
    return answered(json.dumps({key: PARTS[key] for key in asked.schema["properties"]}))


def what(asked: Asked) -> str:
    """Return what is asked for in one word: key_points, cot, pot, eot or one_call."""
    assert asked.schema is not None
    keys = set(asked.schema["properties"])
    if "core_question" in keys:
        return "one_call" if len(keys) > 2 else "key_points"
    return {"chain_of_thought": "cot", "program": "pot", "equations": "eot"}[keys.pop()]


class FakeAsker:
    """Answers well, unless the queue of that part holds something else: a text, an Answered or an error.

    `asked` remembers every request in its order. `hold` keeps every request until it is set.
    """

    def __init__(self, **queues) -> None:
        self.queues = {name: deque(items) for name, items in queues.items()}
        self.asked: list[Asked] = []
        self.at_once = self.most_at_once = 0
        self.closed = False
        self.hold: asyncio.Event | None = None
        self.on_ask = lambda asked: None

    def count(self, name: str) -> int:
        """Return how often something was asked for."""
        return sum(what(asked) == name for asked in self.asked)

    async def ask(self, asked: Asked) -> Answered:
        """Give the next reply of the queue, or a good one."""
        self.asked.append(asked)
        self.on_ask(asked)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await (self.hold.wait() if self.hold is not None else asyncio.sleep(0))
            queue = self.queues.get(what(asked))
            item = queue.popleft() if queue else good(asked)
            if isinstance(item, AskError):
                raise item
            return answered(item) if isinstance(item, str) else item
        finally:
            self.at_once -= 1

    async def models(self) -> list[str]:
        """Return the one model."""
        return ["fake-1"]

    async def close(self) -> None:
        """Remember it."""
        self.closed = True
