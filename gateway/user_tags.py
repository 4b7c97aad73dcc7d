"""`POST /user_tags`: one event in, 204 once it is durable.

A raw ASGI application, for the routing, dependency and response layers of FastAPI would cost three times what the work
itself does. `python -m bench.gateway` prints what a request costs.

What is to come has its place here. An idempotency key is one header, read beside the body and passed on as the tag's
`event_id`; a batch is an endpoint of its own that hands over each of its
events and answers for each, as `EventProducer.send` does not wait.
"""

import asyncio
import time
from typing import Final, Protocol

from broker import errors as broker_errors
from broker import sessions
from gateway import access, answers, asgi, clock, endpoints, errors, failures, metrics, user_tag_body
from runtime import trace_context
from schemas import codec, tags

_STOPPING: Final = "stopping"
_SCOPE: Final = endpoints.SCOPES[endpoints.USER_TAGS]
_NO_CONTENT: Final = answers.Answer(204, b"", [])


class Events(Protocol):
    """Where events go: `broker.producer.EventProducer`."""

    def send(self, key: bytes, value: bytes, headers: sessions.Headers) -> "asyncio.Future[None]":
        """Done once durable. Raises `NotHandedOver`; the future raises `OutcomeUnknown`."""


class UserTags:
    """The ASGI application of this one endpoint."""

    def __init__(self, events: Events, admit: access.Admit, now: clock.Clock, max_body_bytes: int) -> None:
        self._events = events
        self._admit = admit
        self._now = now
        self._max_body_bytes = max_body_bytes
        self._stored = metrics.REQUESTS.labels(endpoints.USER_TAGS, "204")
        self._duration = metrics.DURATION.labels(endpoints.USER_TAGS)

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """Answer one POST."""
        started = time.perf_counter()
        traceparent = trace_context.of(scope["headers"])
        try:
            self._admit(scope, _SCOPE)
            await self._store(await asgi.read_body(receive, self._max_body_bytes), traceparent)
            answer = _NO_CONTENT
            self._stored.inc()
        except errors.ClientGone:
            return
        except asyncio.CancelledError:  # the server stops, and the body never came; unanswered, uvicorn sends a 500
            answer = _refusal(broker_errors.NotHandedOver(_STOPPING), traceparent)
        except Exception as error:  # the table has an answer for each, and for those nobody thought of
            answer = _refusal(error, traceparent)
        await asgi.respond(send, answer)
        self._duration.observe(time.perf_counter() - started)

    async def _store(self, body: bytes, traceparent: bytes) -> None:
        tag = user_tag_body.parse(body, self._now())
        headers: sessions.Headers = [(trace_context.HEADER, traceparent)]
        durable = self._events.send(codec.encode_item(tags.item_of(tag)), codec.encode_tag(tag), headers)
        try:
            await durable
        except asyncio.CancelledError as error:
            raise broker_errors.OutcomeUnknown(_STOPPING) from error


def _refusal(error: Exception, traceparent: bytes) -> answers.Answer:
    answer = _told(error)
    answer.headers.append(answers.request_id(traceparent))
    if answer.status >= 500:
        failures.FAILURES.tell(endpoints.USER_TAGS, traceparent, error)
    return answer


def _told(error: Exception) -> answers.Answer:
    answer = answers.of_event(error)
    metrics.REQUESTS.labels(endpoints.USER_TAGS, str(answer.status)).inc()
    match error:
        case errors.Malformed():
            metrics.INVALID_EVENTS.labels("malformed").inc()
        case errors.BodyTooLarge():
            metrics.INVALID_EVENTS.labels("body_too_large").inc()
        case errors.Invalid():
            metrics.INVALID_EVENTS.labels(error.fields[0].type).inc()
        case broker_errors.NotHandedOver():
            metrics.UNSTORED.labels("no", error.reason).inc()
        case broker_errors.OutcomeUnknown():
            metrics.UNSTORED.labels("unknown", error.reason).inc()
        case _ if answer.status >= 500:
            metrics.UNSTORED.labels("unknown", "unexpected").inc()
            return answers.json(503, {"detail": "this cannot be answered now", "stored": "unknown"}, retry=True)
    return answer
