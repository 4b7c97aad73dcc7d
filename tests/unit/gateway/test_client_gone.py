"""A client that goes away before its request is complete is nobody's fault: nothing is counted or logged."""

import asyncio

import prometheus_client
import pytest
from structlog.testing import capture_logs

from broker import sessions
from gateway import access, app, asgi
from gateway.settings import GatewaySettings
from runtime.health import Dependencies
from stores.aggregates import AggregatesQuery, MinuteAggregates
from stores.profiles import Profile

PROFILE = "time_range=2022-03-22T12:00:00_2022-03-22T13:00:00"
TABLE = "time_range=2022-03-22T12:00:00_2022-03-22T12:01:00&action=BUY&aggregates=COUNT"


class Unasked:
    """Nobody asks these ports for anything."""

    def send(self, key: bytes, value: bytes, headers: sessions.Headers) -> "asyncio.Future[None]":
        raise AssertionError

    async def read(self, cookie: str, from_ms: int, to_ms: int, limit: int) -> Profile:
        raise AssertionError

    async def query(self, query: AggregatesQuery) -> list[MinuteAggregates]:
        raise AssertionError


def _application() -> asgi.App:
    port = Unasked()
    settings = GatewaySettings.model_validate({"environment": "local"})
    gate = access.Gate(settings, None)
    return app.create(settings, app.Ports(port, port, port, lambda _topic: [], Dependencies()), gate).public


def _counted(endpoint: str) -> float | None:
    labels = {"endpoint": endpoint, "status": "503"}
    return prometheus_client.REGISTRY.get_sample_value("allezone_gateway_requests_total", labels)


@pytest.mark.parametrize(
    ("endpoint", "path", "query"),
    [
        ("/user_tags", "/user_tags", ""),
        ("/user_profiles/{cookie}", "/user_profiles/c", PROFILE),
        ("/aggregates", "/aggregates", TABLE),
    ],
)
async def test_it_is_neither_counted_nor_logged(endpoint: str, path: str, query: str) -> None:
    messages: list[asgi.Message] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> asgi.Message:
        return messages.pop(0)

    async def send(message: asgi.Message) -> None:
        """To nobody."""

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [],
    }
    before = _counted(endpoint)
    with capture_logs() as logs:
        await _application()(scope, receive, send)

    # A client of another test's may still look for its broker.
    assert [entry for entry in logs if entry["logger"] != "broker.sessions"] == []
    assert messages == []
    assert _counted(endpoint) == before
