"""A request that is still there when the server stops is cancelled: its client gets a 503, and what is true."""

import asyncio
import json
from typing import Any

import pytest

from broker import sessions
from gateway import asgi, clock, front, user_tags
from tests.support.gates import everybody
from tests.support.tags import body


class EventsForever:
    """Takes events and never reports on them."""

    def send(self, key: bytes, value: bytes, headers: sessions.Headers) -> "asyncio.Future[None]":
        return asyncio.get_running_loop().create_future()


async def _forever(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
    await asyncio.Event().wait()


async def _forever_in_the_middle(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await asyncio.Event().wait()


async def _cancelled(path: str, *received: asgi.Message, rest: asgi.App = _forever) -> list[Any]:
    """What is sent to a client that sent `received` and is cancelled when nothing goes on any more."""
    sent: list[Any] = []
    messages = list(received)

    async def receive() -> asgi.Message:
        if messages:
            return messages.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: asgi.Message) -> None:
        sent.append(message)

    events = user_tags.UserTags(EventsForever(), everybody, clock.system_clock, 65_536)
    app = front.Front(events, rest)
    scope = {"type": "http", "path": path, "method": "POST", "headers": []}
    serving = asyncio.ensure_future(app(scope, receive, send))
    for _ in range(5):
        await asyncio.sleep(0)
    serving.cancel()
    await serving
    return sent


def _check(sent: list[Any]) -> Any:
    start, end = sent
    assert start["status"] == 503
    assert dict(start["headers"])[b"retry-after"] == b"1"
    return json.loads(end["body"])


async def test_an_event_whose_body_never_came_is_not_stored() -> None:
    sent = await _cancelled("/user_tags", {"type": "http.request", "body": b"{", "more_body": True})

    assert _check(sent)["stored"] == "no"


async def test_an_event_that_kafka_did_not_acknowledge_yet_may_be_stored() -> None:
    sent = await _cancelled("/user_tags", {"type": "http.request", "body": body()})

    assert _check(sent)["stored"] == "unknown"


async def test_a_query_is_answered_that_the_gateway_stops() -> None:
    assert _check(await _cancelled("/aggregates")) == {"detail": "the gateway is stopping; try again"}


async def test_an_answer_already_begun_is_not_begun_again() -> None:
    with pytest.raises(asyncio.CancelledError):
        await _cancelled("/aggregates", rest=_forever_in_the_middle)
