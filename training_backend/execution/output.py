"""What a program prints: the first part is kept and sent on, the rest only counted."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable

from training_backend.execution.channel import Channel
from training_backend.execution.limits import MAX_PRINTED_CHARS

_SEND_EVERY_S = 0.02
_LINES_AT_ONCE = 64


class Output(io.TextIOBase):
    """Stands for `sys.stdout` and `sys.stderr` of a program."""

    encoding = "utf-8"
    errors = "surrogatepass"

    def __init__(self, channel: Channel, keep_chars: int) -> None:
        """Send at most `keep_chars` characters over `channel`, as `out` frames."""
        self._channel = channel
        self._room = keep_chars
        self._pending: list[str] = []
        self._sent_at = time.monotonic()
        self._lines_sent = 0
        self.printed = 0
        self.cut = False
        # while a trace is recorded, its records carry what is printed
        self.held = False
        self.at_limit: Callable[[], None] = lambda: None

    def writable(self) -> bool:
        """Return True: programs ask."""
        return True

    def write(self, text: str) -> int:
        """Keep what still has room. Past the hard limit the program ends."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self.printed += len(text)
        if self._room > 0:
            kept = str(text[: self._room])
            self._room -= len(kept)
            self._pending.append(kept)
            self.cut = self.cut or len(kept) < len(text)
            if not self.held and self._is_due(text):
                self.send()
        elif text:
            self.cut = True
        if self.printed > MAX_PRINTED_CHARS:
            self.at_limit()
            os._exit(0)
        return len(text)

    def _is_due(self, text: str) -> bool:
        """Send the first lines one by one, so that a program that hangs shows them; then by the clock."""
        if self._lines_sent < _LINES_AT_ONCE and "\n" in text:
            self._lines_sent += 1
            return True
        return time.monotonic() - self._sent_at > _SEND_EVERY_S

    def take(self) -> str:
        """Return what was printed and not sent yet."""
        text = "".join(self._pending)
        self._pending.clear()
        return text

    def send(self) -> None:
        """Send what waits, so that it is not lost when the program is ended."""
        if self._pending:
            self._channel.send({"t": "out", "s": safe(self.take())})
        self._sent_at = time.monotonic()


def safe(text: str) -> str:
    """Return `text` with lone surrogates escaped, so that every JSON reader takes it."""
    try:
        text.encode("utf-8")
        return text
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
