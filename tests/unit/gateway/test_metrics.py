"""What the gateway counts: each request once, by an endpoint and a reason of closed sets."""

import asyncio
import functools
from typing import Any

import prometheus_client
import pytest
from prometheus_client import REGISTRY

import runtime.metrics
from broker import errors as broker_errors
from gateway import access, app, asgi, endpoints, metrics
from gateway.settings import GatewaySettings
from runtime.health import Dependencies
from stores.aggregates import AggregatesQuery, MinuteAggregates
from stores.profiles import Profile
from tests.integration.gateway import bad_tags
from tests.support import scrapes
from tests.support.tags import body

TIME_RANGE = "time_range=2022-03-22T12:00:00_2022-03-22T12:01:00"
LISTED = [*runtime.metrics.LISTING.metrics, *metrics.LISTING.metrics]


class Ports:
    """Everything answers, with nothing; events get `fate`."""

    fate: Exception | None = None

    def send(self, *_: Any) -> "asyncio.Future[None]":
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.fate is None:
            done.set_result(None)
        else:
            done.set_exception(self.fate)
        return done

    async def read(self, cookie: str, from_ms: int, to_ms: int, limit: int) -> Profile:
        return Profile([], [])

    async def query(self, query: AggregatesQuery) -> list[MinuteAggregates]:
        return []


@functools.cache
def served() -> tuple[Ports, asgi.App]:
    """The whole application, and what it stands on."""
    settings, ports = GatewaySettings.model_validate({"environment": "local"}), Ports()
    gate = access.Gate(settings, None)
    return ports, app.create(settings, app.Ports(ports, ports, ports, lambda _topic: [], Dependencies()), gate).public


async def ask(method: str, target: str, sent: bytes = b"", fate: Exception | None = None) -> int:
    """The status that it answers with; `fate` is that of an event."""
    ports, application = served()
    ports.fate = fate
    path, _, query = target.partition("?")
    statuses: list[int] = []

    async def receive() -> asgi.Message:
        return {"type": "http.request", "body": sent}

    async def send(message: asgi.Message) -> None:
        if "status" in message:
            statuses.append(message["status"])

    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": []}
    await application({**scope, "query_string": query.encode()}, receive, send)
    [status] = statuses
    return status


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


def invalid() -> dict[str, float]:
    return {reason: counted("allezone_gateway_events_invalid_total", reason=reason) for reason in metrics.INVALID}


@pytest.mark.parametrize(
    ("method", "target", "endpoint", "status"),
    [
        ("POST", "/user_tags", endpoints.USER_TAGS, 204),
        ("GET", "/user_tags", endpoints.USER_TAGS, 405),
        ("POST", f"/user_profiles/somebody?{TIME_RANGE}", endpoints.USER_PROFILES, 200),
        ("POST", f"/user_profiles/a/b%2F?{TIME_RANGE}", endpoints.USER_PROFILES, 200),
        ("POST", "/user_profiles/somebody", endpoints.USER_PROFILES, 422),
        ("GET", "/user_profiles/somebody", endpoints.USER_PROFILES, 405),
        ("POST", f"/aggregates?{TIME_RANGE}&action=BUY&aggregates=COUNT", endpoints.AGGREGATES, 200),
        ("GET", "/queue/allezone/user-tags/backlog", endpoints.BACKLOG, 200),
        ("GET", "/queue/allezone/nothing/backlog", endpoints.BACKLOG, 404),
        ("GET", "/debug/mismatches", endpoints.MISMATCHES, 404),
        ("GET", "/healthz", endpoints.HEALTHZ, 200),
        ("GET", "/readyz", endpoints.READYZ, 200),
        ("GET", "/metrics", endpoints.METRICS, 200),
        ("POST", "/metrics", endpoints.METRICS, 405),
        ("GET", "/docs", endpoints.OTHER, 200),
        ("GET", "/openapi.json", endpoints.OTHER, 200),
        ("GET", "/somebody@example.com", endpoints.OTHER, 404),
        ("GET", "/user_profiles", endpoints.OTHER, 404),
        ("POST", "/user_tags/", endpoints.OTHER, 404),
    ],
)
async def test_each_request_is_counted_and_timed_once_under_its_route(
    method: str, target: str, endpoint: str, status: int
) -> None:
    requests = {"endpoint": endpoint, "status": str(status)}
    before = counted("allezone_gateway_requests_total", **requests)
    timed = counted("allezone_gateway_request_duration_seconds_count", endpoint=endpoint)

    assert await ask(method, target, body() if method == "POST" else b"") == status

    assert counted("allezone_gateway_requests_total", **requests) == before + 1
    assert counted("allezone_gateway_request_duration_seconds_count", endpoint=endpoint) == timed + 1


@pytest.mark.parametrize("bad", bad_tags.ALL, ids=lambda bad: bad.kind)
async def test_each_invalid_event_is_counted_once_by_what_is_wrong_with_it(bad: bad_tags.Bad) -> None:
    before = invalid()

    assert await ask("POST", "/user_tags", bad.body) == bad.status

    [(reason, more)] = ((each, now - before[each]) for each, now in invalid().items() if now != before[each])
    assert more == 1
    assert (reason == "malformed", reason == "body_too_large") == (bad.status == 400, bad.status == 413)


async def test_an_event_with_several_faults_is_counted_by_the_first() -> None:
    before = invalid()
    await ask("POST", "/user_tags", b'{"cookie": 1, "device": "PHONE"}')
    assert {each for each, now in invalid().items() if now != before[each]} == {"missing"}


@pytest.mark.parametrize(
    ("fate", "stored"),
    [(broker_errors.OutcomeUnknown("timeout"), "unknown"), (broker_errors.NotHandedOver("queue_full"), "no")],
)
async def test_an_event_that_is_not_stored_is_no_invalid_one(fate: broker_errors.ProduceError, stored: str) -> None:
    labels, before = {"stored": stored, "reason": fate.reason}, invalid()
    unstored = counted("allezone_gateway_events_unstored_total", **labels)

    assert await ask("POST", "/user_tags", body(), fate) == 503

    assert invalid() == before
    assert counted("allezone_gateway_events_unstored_total", **labels) == unstored + 1


@pytest.mark.parametrize(
    "line",
    [
        'allezone_gateway_requests_total{endpoint="/user_profiles/somebody",status="200"} 1.0',
        'allezone_gateway_requests_total{endpoint="other",status="200",cookie="somebody"} 1.0',
    ],
)
def test_a_label_with_a_value_of_a_client_would_be_found(line: str) -> None:
    text = prometheus_client.generate_latest().decode()
    head = "# TYPE allezone_gateway_requests_total counter\n"
    found = scrapes.complaints(text.replace(head, f"{head}{line}\n"), LISTED, "gateway")
    assert len([each for each in found if each.startswith("allezone_gateway_requests_total has")]) == 1


@pytest.mark.parametrize(
    "line",
    [
        'allezone_gateway_events_invalid_total{reason="malformed"} ',
        'allezone_gateway_events_unstored_total{reason="timeout",stored="unknown"} ',
        'allezone_gateway_requests_total{endpoint="/aggregates",status="503"} ',
        'allezone_gateway_requests_total{endpoint="/user_tags",status="204"} ',
    ],
)
def test_what_alerts_look_at_is_there_before_it_happens(line: str) -> None:
    assert line in prometheus_client.generate_latest().decode()
