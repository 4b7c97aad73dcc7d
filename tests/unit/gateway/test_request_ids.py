"""A request has one id: its client gets it with every answer but a 204, the log has it, and so has the event."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from structlog.testing import capture_logs

from broker import errors as broker_errors
from broker import sessions
from gateway import access, app, asgi, failures
from gateway.rate_limit import RateLimit
from gateway.settings import GatewaySettings
from runtime import trace_context
from runtime.health import Dependencies
from stores import errors as store_errors
from stores.aggregates import AggregatesQuery, MinuteAggregates
from stores.profiles import Profile
from tests.support.tags import body

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01".encode()
TABLE = "time_range=2022-03-22T12:00:00_2022-03-22T12:01:00&action=BUY&aggregates=COUNT"
GARBAGE = b"00-cookie-17"


class Port:
    """Every port: answers, or fails with one error."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error
        self.headers: list[Any] = []

    def send(self, key: bytes, value: bytes, headers: sessions.Headers) -> "asyncio.Future[None]":
        self.headers.append(headers)
        future = asyncio.get_running_loop().create_future()
        if self._error:
            future.set_exception(self._error)
        else:
            future.set_result(None)
        return future

    async def read(self, cookie: str, from_ms: int, to_ms: int, limit: int) -> Profile:
        raise self._error or AssertionError

    async def query(self, query: AggregatesQuery) -> list[MinuteAggregates]:
        raise self._error or AssertionError


class Answer(NamedTuple):
    status: int
    headers: list[tuple[bytes, bytes]]
    logs: Sequence[Any]

    @property
    def id(self) -> str:
        """The one id that the client got."""
        [found] = [value for name, value in self.headers if name == b"x-request-id"]
        return found.decode()


async def _ask(port: Port, path: str, query: str = "", content: bytes = b"", *given: tuple[bytes, bytes]) -> Answer:
    settings = GatewaySettings.model_validate({"environment": "local"})
    gate = access.Gate(settings, None)
    application = app.create(settings, app.Ports(port, port, port, lambda _topic: [], Dependencies()), gate).public
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": list(given),
    }
    sent: list[asgi.Message] = []

    async def receive() -> asgi.Message:
        return {"type": "http.request", "body": content}

    async def send(message: asgi.Message) -> None:
        sent.append(message)

    with capture_logs() as logs:
        await application(scope, receive, send)
    # A client of another test's may still look for its broker.
    return Answer(sent[0]["status"], sent[0]["headers"], [log for log in logs if "endpoint" in log])


async def test_an_event_carries_the_trace_of_its_client_and_the_204_stays_bare() -> None:
    port = Port()

    answer = await _ask(port, "/user_tags", "", body(), (b"traceparent", TRACEPARENT))

    assert (answer.status, answer.headers, answer.logs) == (204, [], [])
    assert port.headers == [[("traceparent", TRACEPARENT)]]


@pytest.mark.parametrize("given", [(), ((b"traceparent", GARBAGE),)])
async def test_without_a_good_one_an_event_gets_a_trace_of_its_own(given: tuple[tuple[bytes, bytes], ...]) -> None:
    port = Port()

    await _ask(port, "/user_tags", "", body(), *given)
    await _ask(port, "/user_tags", "", body(), *given)

    one, other = (trace_context.of_record(headers) for headers in port.headers)
    assert one != other
    assert None not in (one, other)


@pytest.mark.parametrize("error", [broker_errors.NotHandedOver("queue_full"), broker_errors.OutcomeUnknown("timeout")])
async def test_an_event_that_kafka_did_not_take_is_in_the_log_by_the_id_that_its_client_got(error: Exception) -> None:
    port = Port(error)

    answer = await _ask(port, "/user_tags", "", body())

    [log] = answer.logs
    assert answer.status == 503
    assert (log["trace_id"], log["endpoint"], log["error"]) == (answer.id, "/user_tags", type(error).__name__)
    assert trace_context.of_record(port.headers[0]) == answer.id


@pytest.mark.parametrize("path", ["/aggregates", "/user_profiles/c"])
@pytest.mark.parametrize("error", [store_errors.AggregatesUnavailable("away"), TimeoutError(), KeyError("cookie-17")])
async def test_a_query_that_failed_is_in_the_log_once_by_the_id_that_its_client_got(
    path: str, error: Exception
) -> None:
    query = TABLE if path == "/aggregates" else "time_range=2022-03-22T12:00:00_2022-03-22T13:00:00"

    answer = await _ask(Port(error), path, query, b"", (b"traceparent", TRACEPARENT))

    [log] = answer.logs
    assert (answer.status, answer.id, log["trace_id"]) == (503, TRACE, TRACE)
    assert log["endpoint"] in ("/aggregates", "/user_profiles/{cookie}")


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [("/user_tags", b"{", 400), ("/user_tags", b"{}", 422), ("/aggregates", b"", 422), ("/nothing", b"", 404)],
)
async def test_what_is_refused_has_an_id_and_is_no_matter_for_the_log(path: str, content: bytes, status: int) -> None:
    answer = await _ask(Port(), path, "", content, (b"traceparent", TRACEPARENT))

    assert (answer.status, answer.id, answer.logs) == (status, TRACE, [])


async def test_garbage_for_a_trace_is_repeated_nowhere() -> None:
    for path in ("/user_tags", "/aggregates"):
        answer = await _ask(Port(TimeoutError()), path, TABLE, body(), (b"traceparent", GARBAGE))

        assert answer.id == answer.logs[0]["trace_id"]
        assert "cookie-17" not in json.dumps([answer.id, str(answer.headers), str(answer.logs)])


def test_of_many_failures_a_second_some_are_told_and_the_others_counted() -> None:
    now = 0.0
    told = failures.Failures(RateLimit(50, 2.0, lambda: now))
    with capture_logs() as logs:
        for _ in range(1_000):
            told.tell("/user_tags", TRACEPARENT, TimeoutError())
        now = 10.0
        told.tell("/user_tags", TRACEPARENT, TimeoutError())

    assert [log["left_out"] for log in logs] == [0] * 100 + [900]


def test_a_defect_is_told_however_many_failures_were_foreseen_and_each_counts_its_own() -> None:
    now = 0.0
    told = failures.Failures(RateLimit(50, 2.0, lambda: now))
    with capture_logs() as logs:
        for _ in range(1_000):
            told.tell("/user_tags", TRACEPARENT, TimeoutError())
        told.tell("/aggregates", TRACEPARENT, KeyError("cookie-17"))
        for _ in range(120):
            told.tell("/aggregates", TRACEPARENT, KeyError("cookie-17"))
        now = 10.0
        told.tell("/aggregates", TRACEPARENT, KeyError("cookie-17"))
        told.tell("/user_tags", TRACEPARENT, TimeoutError())

    defects = [log["left_out"] for log in logs if log["event"] == "unexpected error"]
    assert defects == [0] * 100 + [21]
    assert [log["left_out"] for log in logs if log["event"] == "request failed"] == [0] * 100 + [900]
