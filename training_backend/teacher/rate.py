"""How fast a teacher is asked: requests and tokens per minute, and how long to wait before asking again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

MINUTE_S = 60.0


class Rate:
    """Spreads requests evenly; every call gives the seconds to wait, nothing here waits itself.

    A provider's token limit counts what a request may use; so the expected tokens are taken when it goes out,
    and what it really used is put right when its reply is there.
    """

    def __init__(
        self,
        requests_per_minute: float = 0,
        tokens_per_minute: float = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """0 means: no limit."""
        self._request_s = MINUTE_S / requests_per_minute if requests_per_minute else 0.0
        self._token_s = MINUTE_S / tokens_per_minute if tokens_per_minute else 0.0
        self._clock = clock
        self._requests_from = self._tokens_from = self._held_until = clock()

    def reserve(self, tokens: int = 0) -> float:
        """Take a place for a request of about `tokens`; return in how many seconds it may go out."""
        now = self._clock()
        start = max(now, self._held_until)
        if self._request_s:
            start = max(start, self._requests_from)
            self._requests_from = start + self._request_s
        if self._token_s:
            start = max(start, self._tokens_from)
            self._tokens_from = start + tokens * self._token_s
        return start - now

    def settle(self, expected: int, used: int) -> None:
        """Put right what a request took: it used other tokens than it was expected to."""
        self._tokens_from += (used - expected) * self._token_s

    def hold(self, seconds: float) -> None:
        """Let no request out for so long: the provider said so."""
        self._held_until = max(self._held_until, self._clock() + seconds)

    @property
    def held_s(self) -> float:
        """Return for how long no request may go out."""
        return max(0.0, self._held_until - self._clock())


@dataclass
class Retry:
    """The one rule for asking again after a failure that may pass: doubling waits with full jitter.

    `Retry-After` is honoured, and a little more, so that not all slots return in the same moment.
    """

    tries: int = 6
    first_s: float = 1.0
    longest_s: float = 60.0
    random: random.Random = field(default_factory=random.Random)

    def delay(self, number: int, retry_after_s: float | None = None) -> float:
        """Return the seconds to wait after failure `number` (from 1)."""
        if retry_after_s is not None:
            return retry_after_s + self.random.uniform(0.0, self.first_s)
        return self.random.uniform(0.0, min(self.longest_s, self.first_s * 2 ** (number - 1)))
