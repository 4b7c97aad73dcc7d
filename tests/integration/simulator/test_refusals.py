"""Requests that a system refuses, or of which nobody knows what became."""

import json

import pytest
from aiohttp import web

from tests.integration.simulator import judging
from tests.integration.simulator.stub import Stub, Tag


class Refuses(Stub):
    """Every tenth tag; of what it calls unknown it stores every other one, of what it calls refused none."""

    def __init__(self, stored: str | None) -> None:
        super().__init__()
        self._stored = stored

    async def user_tags(self, request: web.Request) -> web.Response:
        tag, number = json.loads(await request.read()), next(self.received)
        if number % 10:
            self.store(tag, number)
            return web.Response(status=204)
        if self._stored != "no" and number % 20:
            self.store(tag, number)
        if self._stored is None:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"detail": "Kafka is away", "stored": self._stored}, status=503)


@pytest.mark.parametrize(
    ("stored", "counted"), [("no", "refused"), ("unknown", "unknown"), (None, "unknown")], ids=["no", "unknown", "cut"]
)
async def test_tags_that_got_no_204_are_counted_and_leave_the_rest_judged(stored: str | None, counted: str) -> None:
    found = await judging.judged(Refuses(stored))
    assert found.endpoints[0].accepted == judging.TAGS - judging.TAGS // 10
    assert judging.counts(found, counted)["/user_tags"] == judging.TAGS // 10
    assert set(judging.counts(found, "wrong").values()) == {0}
    assert found.endpoints[0].refusals
    assert found.exit_status == 1
    assert (await judging.judged(Refuses(stored), tolerant=True)).failures == []


async def test_a_tag_called_unstored_and_counted_all_the_same_is_wrong() -> None:
    class Lies(Refuses):
        def store(self, tag: Tag, number: int) -> None:
            super().store(tag, number)

        async def user_tags(self, request: web.Request) -> web.Response:
            answer = await super().user_tags(request)
            if answer.status == 503:
                self.store(json.loads(await request.read()), -1)
            return answer

    found = await judging.judged(Lies("no"), tolerant=True)
    assert judging.counts(found, "wrong")["aggregates, final"] > 0
    assert found.exit_status == 1


async def test_retried_tags_are_accepted_in_the_end() -> None:
    found = await judging.judged(Refuses("no"), retries=8)
    assert found.failures == []
    assert found.endpoints[0].accepted == judging.TAGS
    assert found.endpoints[0].retried >= judging.TAGS // 10


async def test_queries_that_fail_are_counted() -> None:
    class NoProfiles(Stub):
        async def user_profiles(self, _request: web.Request) -> web.Response:
            return web.json_response({"detail": "away"}, status=503)

    found = await judging.judged(NoProfiles())
    assert judging.counts(found, "refused")["/user_profiles"] == judging.TAGS // 10
    assert found.profiles_visible_seconds is None
    assert found.exit_status == 1
