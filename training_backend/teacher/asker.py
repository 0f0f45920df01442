"""One request to a language model and what comes of it: an answer, or a failure whose reason has a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from training_backend.errors import TeacherError

# why a request has no answer → whether the same request may be answered later
REASONS: Mapping[str, bool] = {
    "key": False,
    "permission": False,
    "model": False,
    "rate_limit": True,
    "server": True,
    "refused_connection": True,
    "reset": True,
    "cut": True,
    "silence": True,
    "not_json": True,
    "refusal": False,
    "empty": True,
    "too_long": False,
    "bad_request": False,
    "certificate": False,
    "proxy": False,
    "address": False,
}
# reasons that every other request of the teacher would meet as well: a run need not go on
FOR_ALL = frozenset({"key", "permission", "model", "certificate", "proxy", "address"})


@dataclass(frozen=True)
class Asked:
    """What one request sends. `messages` are dicts with `role` and `content`.

    `schema` is a JSON schema for a structured reply or None for text. A number that is None is not sent.
    """

    messages: tuple[Mapping[str, str], ...]
    schema: Mapping[str, Any] | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Answered:
    """A reply as it came. `finish_reason` is "stop", "length" (cut at max_tokens) or what the server says.

    Token counts are the server's own, 0 where it names none. `cached_tokens` is the part of
    `prompt_tokens` that the provider had in its cache. With a `refusal` the text is empty.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    model: str
    latency_s: float
    cached_tokens: int = 0
    refusal: str = ""


class AskError(TeacherError):
    """A request without a usable answer; no part of it names a key.

    `reason` is one of REASONS. `raw` is the beginning of what came, where something came. `answered` holds
    the reply of a refusal or an empty answer, whose tokens were paid for.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        hint: str = "",
        retry_after_s: float | None = None,
        retryable: bool | None = None,
        raw: str = "",
        answered: Answered | None = None,
    ) -> None:
        """Keep the parts; without `retryable` the reason decides."""
        if reason not in REASONS:
            raise ValueError(f"no reason of a failed request: {reason}")
        super().__init__(message, hint)
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.retryable = REASONS[reason] if retryable is None else retryable
        self.raw = raw
        self.answered = answered


class Asker(Protocol):
    """Anything that answers one request at a time, many at once where the caller asks many."""

    async def ask(self, asked: Asked) -> Answered:
        """Return the reply; AskError names why there is none."""
        ...

    async def models(self) -> list[str]:
        """Return the names of the models that can be asked."""
        ...

    async def close(self) -> None:
        """Let go of connections and memory."""
        ...
