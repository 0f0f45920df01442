"""Connections to one server, each in a pool of its own; a request goes to the first that is free.

A pool of httpx looks at all its connections, down to their sockets, whenever a request begins or ends. With
64 requests at a time that look is a quarter of all work; in pools of one it is next to nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from ssl import SSLContext

import httpx2


class SmallPools(httpx2.AsyncBaseTransport):
    """A transport with at most `connections` at a time."""

    def __init__(self, connections: int, verify: SSLContext | bool, trust_env: bool) -> None:
        """Prepare; a connection opens with its first request."""
        # one for all: to read the system's certificates takes longer than a request
        verify = httpx2.create_ssl_context(verify, trust_env=trust_env)
        self._free = [1] * connections
        one = httpx2.Limits(max_connections=1, max_keepalive_connections=1)
        self._pools = [httpx2.AsyncHTTPTransport(verify=verify, limits=one) for _ in self._free]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request where a connection is free; it has it until its reply is closed."""
        number = self._free.index(max(self._free))
        self._free[number] -= 1
        try:
            response = await self._pools[number].handle_async_request(request)
        except BaseException:
            self._ended(number)
            raise
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Counted(response.stream, lambda: self._ended(number))
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        for pool in self._pools:
            await pool.aclose()

    def _ended(self, number: int) -> None:
        self._free[number] += 1


class _Counted(httpx2.AsyncByteStream):
    """A reply's bytes; tells once when they are closed."""

    def __init__(self, stream: httpx2.AsyncByteStream, ended: Callable[[], None]) -> None:
        self._stream, self._ended = stream, ended
        self._open = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            yield piece

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            if self._open:
                self._open = False
                self._ended()
