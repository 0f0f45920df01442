"""A hard budget: no request goes out that could cost more than what is left."""

from __future__ import annotations

from collections.abc import Callable

# tokens asked for, of which cached, tokens answered → money
Money = Callable[[int, int, int], float]

# before any reply tells; English takes about four bytes a token
_BYTES_A_TOKEN = 2.0
_REPLY_TOKENS = 4096
_MARGIN = 1.2


class Budget:
    """Keeps what was spent and what the requests on their way may still cost."""

    def __init__(self, limit: float | None, money: Money | None, spent: float = 0.0) -> None:
        """Without a `limit` everything fits; with one `money` must be there."""
        if limit is not None and money is None:
            raise ValueError("a budget needs a price")
        self.limit, self.spent = limit, spent
        self._money = money
        self._reserved = 0.0
        self._bytes_a_token = _BYTES_A_TOKEN

    def reserve(self, size: int, max_tokens: int | None) -> float | None:
        """Take the most that a request of `size` bytes may cost; None when it does not fit."""
        if self.limit is None or self._money is None:
            return 0.0
        most = self._money(round(size / self._bytes_a_token * _MARGIN), 0, max_tokens or _REPLY_TOKENS)
        if self.spent + self._reserved + most > self.limit:
            return None
        self._reserved += most
        return most

    def settle(self, reserved: float, size: int = 0, prompt_tokens: int = 0, cost: float = 0.0) -> None:
        """Give a reservation back; `cost` was spent. What the prompt took tells what later ones will."""
        self._reserved -= reserved
        self.spent += cost
        if size and prompt_tokens:
            # the densest text so far counts: the budget is hard
            seen = size / prompt_tokens
            known = self._bytes_a_token
            self._bytes_a_token = seen if known == _BYTES_A_TOKEN else min(seen, known)

    @property
    def waiting(self) -> bool:
        """Tell whether requests on their way still hold a part of the budget."""
        return self._reserved > 1e-12
