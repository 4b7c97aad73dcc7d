"""What was due while a server was slow counts as late, or as never sent."""

import asyncio
import time

from aiohttp import web

from tests.integration.simulator import judging
from tests.integration.simulator.stub import Stub, Tag


async def test_a_stalled_server_shows_in_the_latencies_of_all_that_was_due_meanwhile() -> None:
    """One stall of half a second at 1,000 a second over few connections: hundreds of requests were late by it, though
    only those under way noticed it themselves."""

    class Stalls(Stub):
        def store(self, tag: Tag, number: int) -> None:
            super().store(tag, number)
            if number == 500:
                # The server's loop is the simulator's here: it stalls as one that shares the machine would.
                time.sleep(0.5)

    found = await judging.judged(Stalls(), rate=1_000, connections=4)
    latency = found.endpoints[0].latency_ms
    assert latency["max"] >= 500
    assert latency["p99"] >= 400
    assert sum(found.endpoints[0].statuses.values()) == judging.TAGS


async def test_what_finds_no_connection_in_a_full_line_is_dropped_and_said_so() -> None:
    class Slow(Stub):
        async def user_tags(self, request: web.Request) -> web.Response:
            await asyncio.sleep(0.05)
            return await super().user_tags(request)

    found = await judging.judged(Slow(), connections=4, waiting=20)
    tags = found.endpoints[0]
    assert tags.dropped > 0
    assert tags.dropped + tags.accepted == judging.TAGS
    assert set(judging.counts(found, "wrong").values()) == {0}
    assert any("never sent" in failure for failure in found.failures)
