"""Runs that could judge nothing are not begun."""

import pytest
from aiohttp import web

from simulator import errors
from tests.integration.simulator import judging
from tests.integration.simulator.stub import Stub


async def test_minutes_that_are_not_empty_are_not_judged() -> None:
    stub = Stub()
    await judging.judged(stub, tags=100)
    with pytest.raises(errors.WindowTaken, match="counted already"):
        await judging.judged(stub, tags=100)
    assert (await judging.judged(stub, tags=100, start=None, run_id=8)).failures == []


async def test_a_stream_that_ends_a_day_ahead_of_the_clock_is_not_started() -> None:
    with pytest.raises(errors.StartAhead):
        await judging.judged(Stub(), start="2999-01-01")


async def test_a_system_that_is_not_ready_is_not_tested() -> None:
    class Unready(Stub):
        async def readyz(self, _request: web.Request) -> web.Response:
            return web.json_response({"ready": False}, status=503)

    with pytest.raises(errors.NotReady, match="not ready"):
        await judging.judged(Unready())
