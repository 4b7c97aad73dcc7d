"""Whole runs against a system that is right, and queries of a stream that is still moving."""

import asyncio

import pytest
from aiohttp import web

from tests.integration.simulator import judging, wrong
from tests.integration.simulator.stub import Stub, Tag


async def test_a_right_system_is_found_right() -> None:
    stub = Stub()
    found = await judging.judged(stub)
    assert found.failures == []
    assert found.exit_status == 0
    accepted = judging.counts(found, "accepted")
    assert list(accepted.values())[:3] == [judging.TAGS, judging.TAGS // 10, judging.TAGS // 1_000]
    assert accepted["aggregates, final"] == 150
    assert set(judging.counts(found, "unjudged").values()) == {0}
    assert len(stub.tags) == judging.TAGS
    assert found.profiles_visible_seconds is not None
    assert found.gateway is not None
    assert all(results["mismatch"] == 0 < results["match"] for results in found.gateway.values())


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tenths of a second for seconds: most queries ask about tags of their own run."""
    monkeypatch.setattr("simulator.questions.PROFILE_AGE", 0.2)
    monkeypatch.setattr("simulator.questions.AGGREGATE_AGE", 0.2)
    monkeypatch.setattr("simulator.questions._ANSWER_SECONDS", 0.5)


# A slow rate leaves a busy machine time to answer: two seconds, between a tag and the first query about it.
MOVING = {"tags": 2_000, "rate": 250, "final_profiles": 0, "final_aggregates": 1}


@pytest.mark.usefixtures("soon")
async def test_queries_of_a_moving_stream_find_a_right_system_right() -> None:
    found = await judging.judged(Stub(), **MOVING)
    assert found.failures == []
    profiles, aggregates = found.endpoints[1:3]
    assert profiles.unjudged < profiles.accepted == 200
    assert aggregates.unjudged < aggregates.accepted == 2


@pytest.mark.usefixtures("soon")
async def test_queries_of_a_moving_stream_find_a_wrong_system_wrong() -> None:
    found = await judging.judged(wrong.ForgetsHalf(), **MOVING)
    assert judging.counts(found, "wrong")["/user_profiles"] > 0
    assert judging.counts(found, "wrong")["/aggregates"] > 0


@pytest.mark.usefixtures("soon")
async def test_a_query_that_comes_before_its_tags_were_answered_is_asked_and_not_judged() -> None:
    """The tags were due long enough ago, but the server let them wait: nothing says yet what must be visible."""

    class Waits(Stub):
        async def user_tags(self, request: web.Request) -> web.Response:
            await asyncio.sleep(0.6)
            return await super().user_tags(request)

    found = await judging.judged(Waits(), **MOVING | {"rate": 1_000, "connections": 2_000})
    assert found.failures == []
    assert found.endpoints[1].unjudged > 50


async def test_a_gateway_that_restarts_counts_anew() -> None:
    class Restarts(Stub):
        def store(self, tag: Tag, number: int) -> None:
            super().store(tag, number)
            if number == 500:
                self.started = 2.5
                self.compared["/user_profiles"] = {"match": 0, "mismatch": 0}

    stub = Restarts()
    stub.compared["/user_profiles"]["match"] = 100_000
    found = await judging.judged(stub)
    assert found.failures == []
    assert found.gateway is not None
    assert 0 < found.gateway["/user_profiles"]["match"] < judging.TAGS
