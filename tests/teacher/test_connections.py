"""Connections in pools of one: every request has its place at once, and its place is free after its end."""

from __future__ import annotations

import asyncio

import httpx2
import pytest
from loopback import Loopback

from training_backend.teacher.connections import SmallPools

MESSAGES = [{"role": "user", "content": "Write a program."}]


async def ask_all(server: Loopback, count: int) -> tuple[list[object], list[int]]:
    """Return what so many requests at once came to, and how many connections are free after them."""
    pools = SmallPools(count, True, False)
    async with httpx2.AsyncClient(transport=pools, timeout=httpx2.Timeout(10, pool=0.01)) as client:
        body = {"model": "tiny-teacher", "messages": MESSAGES}
        asked = [client.post(f"{server.base_url}/chat/completions", json=body) for _ in range(count)]
        return list(await asyncio.gather(*asked, return_exceptions=True)), pools._free


def test_as_many_requests_as_connections_are_free_at_once():
    with Loopback(hold=20) as server:
        # the server answers none before all have come, and no pool may make one wait
        found, free = asyncio.run(ask_all(server, 20))
    assert [one.status_code for one in found] == [200] * 20
    assert free == [1] * 20


@pytest.mark.parametrize("fault", ["reset", "cut", "gone", "500"])
def test_a_request_that_fails_leaves_its_place(fault):
    with Loopback(fault) as server:
        found, free = asyncio.run(ask_all(server, 9))
    assert len(found) == 9 and free == [1] * 9
    assert all(isinstance(one, httpx2.HTTPError) for one in found) == (fault != "500")


def test_a_request_that_is_given_up_leaves_its_place():
    async def give_up(server: Loopback) -> list[int]:
        pools = SmallPools(2, True, False)
        async with httpx2.AsyncClient(transport=pools) as client:
            asked = client.post(f"{server.base_url}/chat/completions", json={"messages": MESSAGES})
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asked, 0.2)
            return pools._free

    with Loopback("silence") as server:
        assert asyncio.run(give_up(server)) == [1, 1]
        assert len(server.asked) == 1
