"""Whatever goes wrong inside, the client gets an answer that is no 500, and no word of the reason."""

import asyncio
import json
from typing import Any, NamedTuple

import prometheus_client
import pytest
from structlog.testing import capture_logs

from broker import sessions
from gateway import asgi, clock, front, user_tags
from tests.support.gates import everybody
from tests.support.tags import body

REASON = "a reason with secrets in it"


class Answer(NamedTuple):
    status: int
    headers: dict[bytes, bytes]
    body: bytes


class BrokenEvents:
    def send(self, key: bytes, value: bytes, headers: sessions.Headers) -> "asyncio.Future[None]":
        raise ZeroDivisionError(REASON)


async def _broken(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
    raise ZeroDivisionError(REASON)


async def _broken_in_the_middle(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise ZeroDivisionError(REASON)


async def _ask(rest: asgi.App, path: str) -> tuple[list[dict[str, Any]], list[Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> asgi.Message:
        return {"type": "http.request", "body": body()}

    async def send(message: asgi.Message) -> None:
        sent.append(dict(message))

    events = user_tags.UserTags(BrokenEvents(), everybody, clock.system_clock, 65_536)
    with capture_logs() as logs:
        await front.Front(events, rest)({"type": "http", "path": path, "method": "POST", "headers": []}, receive, send)
    return sent, logs


def _answer(sent: list[dict[str, Any]]) -> Answer:
    start, end = sent
    return Answer(start["status"], dict(start["headers"]), end["body"])


def _unstored() -> float:
    name, labels = "allezone_gateway_events_unstored_total", {"stored": "unknown", "reason": "unexpected"}
    return prometheus_client.REGISTRY.get_sample_value(name, labels) or 0


@pytest.mark.parametrize(("path", "keys"), [("/user_tags", {"detail", "stored"}), ("/aggregates", {"detail"})])
async def test_an_error_that_nobody_thought_of_is_a_503_and_logged(path: str, keys: set[str]) -> None:
    sent, logs = await _ask(_broken, path)

    answer = _answer(sent)
    assert answer.status == 503
    assert answer.headers[b"retry-after"] == b"1"
    assert set(json.loads(answer.body)) == keys
    assert REASON.encode() not in answer.body
    assert [str(log["exc_info"]) for log in logs] == [REASON]


async def test_an_event_that_met_such_an_error_may_be_stored_for_all_that_is_known() -> None:
    before = _unstored()

    sent, _ = await _ask(_broken, "/user_tags")

    assert json.loads(_answer(sent).body)["stored"] == "unknown"
    assert _unstored() == before + 1


async def test_an_answer_already_begun_is_not_begun_again() -> None:
    sent, logs = await _ask(_broken_in_the_middle, "/aggregates")

    assert [message["type"] for message in sent] == ["http.response.start"]
    assert len(logs) == 1
