"""A query that gets a 503 leaves behind why, by the kind of error and without its words."""

import asyncio

import prometheus_client
import pytest

from broker import sessions
from gateway import access, app, asgi
from gateway.settings import GatewaySettings
from runtime.health import Dependencies
from stores import errors as store_errors
from stores.aggregates import AggregatesQuery, MinuteAggregates
from stores.profiles import Profile

TARGET = "time_range=2022-03-22T12:00:00_2022-03-22T12:01:00&action=BUY&aggregates=COUNT"


class Failing:
    """Every port, with one error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def send(self, key: bytes, value: bytes, headers: sessions.Headers) -> "asyncio.Future[None]":
        raise self._error

    async def read(self, cookie: str, from_ms: int, to_ms: int, limit: int) -> Profile:
        raise self._error

    async def query(self, query: AggregatesQuery) -> list[MinuteAggregates]:
        raise self._error


def _counted(error: Exception) -> float:
    labels = {"endpoint": "/aggregates", "error": type(error).__name__}
    return prometheus_client.REGISTRY.get_sample_value("allezone_gateway_query_failures_total", labels) or 0


@pytest.mark.parametrize("error", [store_errors.AggregatesUnavailable("away"), TimeoutError(), ZeroDivisionError()])
async def test_it_is_counted_once(error: Exception) -> None:
    port = Failing(error)
    settings = GatewaySettings.model_validate({"environment": "local"})
    gate = access.Gate(settings, None)
    application = app.create(settings, app.Ports(port, port, port, lambda _topic: [], Dependencies()), gate).public
    statuses: list[int] = []

    async def receive() -> asgi.Message:
        return {"type": "http.request", "body": b""}

    async def send(message: asgi.Message) -> None:
        if "status" in message:
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/aggregates",
        "raw_path": b"/aggregates",
        "query_string": TARGET.encode(),
        "headers": [],
    }
    before = _counted(error)
    await application(scope, receive, send)

    assert statuses == [503]
    assert _counted(error) == before + 1
