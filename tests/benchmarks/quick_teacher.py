"""A teacher for measuring: answers over HTTP after a fixed time and costs as little processor as it can.

    python quick_teacher.py LATENCY_S

It prints its port, and at the end of its standard input what it saw as one JSON line.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time

POINTS = "Core question: How many are there in the end?\nInformation:\n1. There are two."
CHAIN = "Chain of thought: 1 + 1 = 2. The answer is 2."


def reply(text: str) -> bytes:
    """Return a whole HTTP reply with this text."""
    body = json.dumps(
        {"id": "c", "object": "chat.completion", "created": 0, "model": "quick",
         "choices": [{"index": 0, "finish_reason": "stop",
                      "message": {"role": "assistant", "content": text}}],
         "usage": {"prompt_tokens": 1200, "completion_tokens": 30, "total_tokens": 1230}}
    ).encode()  # fmt: skip
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


REPLIES = {False: reply(POINTS), True: reply(CHAIN)}


class Teacher(asyncio.Protocol):
    """One connection, kept open."""

    latency_s = 0.2
    times: list[float] = []  # noqa: RUF012 - shared by all connections
    at_once = most_at_once = 0

    def connection_made(self, transport) -> None:
        """Begin with nothing read."""
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        """Answer a request as soon as it is whole and its time is over."""
        self.buffer += data
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return
        lower = head.lower()
        length = int(lower.partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(body) < length:
            return
        self.buffer = body[length:]
        last = json.loads(body[:length])["messages"][-1]["content"].lower()
        Teacher.at_once += 1
        Teacher.most_at_once = max(Teacher.most_at_once, Teacher.at_once)
        Teacher.times.append(time.monotonic())
        loop = asyncio.get_running_loop()
        loop.call_later(self.latency_s, self._answer, REPLIES["core question:" in last])

    def _answer(self, answer: bytes) -> None:
        Teacher.at_once -= 1
        self.transport.write(answer)


async def main() -> None:
    """Serve until standard input ends."""
    Teacher.latency_s = float(sys.argv[1])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Teacher, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()

    def wait() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait, daemon=True).start()
    await ended.wait()
    print(json.dumps({"times": Teacher.times, "most_at_once": Teacher.most_at_once,
                      "processor_s": time.process_time()}))  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main())
