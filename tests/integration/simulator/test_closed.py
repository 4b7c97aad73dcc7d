"""A system of production: clients need a token, and readiness and metrics are on a port of their own."""

import pytest
from aiohttp import web

from simulator import errors
from tests.integration.simulator import judging
from tests.integration.simulator.stub import Stub

TOKEN = "azt_of-this-run"  # noqa: S105 - the stub's own


class Closed(Stub):
    """For clients: everything with the token, and nothing of what is for inside."""

    async def readyz(self, _request: web.Request) -> web.Response:
        raise web.HTTPNotFound

    async def metrics(self, _request: web.Request) -> web.Response:
        raise web.HTTPNotFound

    async def user_tags(self, request: web.Request) -> web.Response:
        self._check(request)
        return await super().user_tags(request)

    async def user_profiles(self, request: web.Request) -> web.Response:
        self._check(request)
        return await super().user_profiles(request)

    async def aggregates(self, request: web.Request) -> web.Response:
        self._check(request)
        return await super().aggregates(request)

    @staticmethod
    def _check(request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise web.HTTPUnauthorized


class Inside(Stub):
    """The internal port of another stub; it never sees the token."""

    def __init__(self, public: Stub) -> None:
        super().__init__()
        self.compared = public.compared

    async def readyz(self, _request: web.Request) -> web.Response:
        assert "Authorization" not in _request.headers
        return await super().readyz(_request)


async def test_with_a_token_and_the_internal_port_a_right_system_is_found_right() -> None:
    public = Closed()
    async with judging.serving(Inside(public)) as inside:
        found = await judging.judged(public, token=TOKEN, inside=inside)

    assert found.failures == []
    assert found.gateway is not None
    assert all(results["match"] > 0 for results in found.gateway.values())


async def test_without_the_token_the_run_does_not_start() -> None:
    public = Closed()
    async with judging.serving(Inside(public)) as inside:
        with pytest.raises(errors.NotReady, match="status 401"):
            await judging.judged(public, inside=inside)


async def test_without_the_internal_port_the_run_does_not_start() -> None:
    with pytest.raises(errors.NotReady, match="status 404: name one as --inside, or `none`"):
        await judging.judged(Closed(), token=TOKEN)


async def test_where_the_internal_port_cannot_be_reached_it_is_judged_by_the_answers_alone() -> None:
    found = await judging.judged(Closed(), token=TOKEN, inside="none")

    assert found.failures == []
    assert found.gateway is None
