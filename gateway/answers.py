"""The one table from error to HTTP status, and the bodies that go with it. Never a stack trace."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from broker import errors as broker_errors
from gateway import errors
from runtime import trace_context
from stores import errors as store_errors

RETRY_AFTER_S: Final = 1

STATUSES: Final[tuple[tuple[type[Exception], int], ...]] = (
    (errors.Malformed, 400),
    (errors.Unauthenticated, 401),
    (errors.Forbidden, 403),
    (errors.TooManyRequests, 429),
    (errors.NotFound, 404),
    (errors.BodyTooLarge, 413),
    (errors.HeadersTooLarge, 431),
    (errors.Invalid, 422),
    (errors.Stopping, 503),
    (broker_errors.BrokerError, 503),
    (store_errors.StoreError, 503),
    (TimeoutError, 503),
)

Header = tuple[bytes, bytes]


REQUEST_ID: Final = b"x-request-id"
"""Of every answer but the 204 of an event: what names the request in the log, and the event in Kafka."""


class Answer(msgspec.Struct, frozen=True):
    """A whole response."""

    status: int
    body: bytes
    headers: list[Header]


def of(error: Exception) -> Answer:
    """What the client is told. An error that is in no table is a 503 too: "try again" is all that is known."""
    status = status_of(error)
    more = error.headers if isinstance(error, errors.NotAdmitted) else ()
    return json(status, _body(error), retry=status == 503, more=more)


def of_event(error: Exception) -> Answer:
    """The same where an event was sent: who was not let in is told that nothing of it is stored."""
    if isinstance(error, errors.NotAdmitted):
        return json(status_of(error), {**_body(error), "stored": "no"}, more=error.headers)
    return of(error)


def foreseen(error: Exception) -> bool:
    """Whether the table has the error; any other is a defect."""
    return any(isinstance(error, kind) for kind, _ in STATUSES)


def request_id(traceparent: bytes) -> Header:
    """The header that tells the client the id of its request."""
    return REQUEST_ID, trace_context.request_id(traceparent)


def status_of(error: Exception) -> int:
    """The status that `error` has in the table."""
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 503)


def json(status: int, body: Any, *, retry: bool = False, more: Sequence[Header] = ()) -> Answer:
    """`body` as JSON; `retry` adds Retry-After, `more` are further headers."""
    encoded = msgspec.json.encode(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(encoded)), *more]
    if retry:
        headers.append((b"retry-after", b"%d" % RETRY_AFTER_S))
    return Answer(status, encoded, headers)


def _body(error: Exception) -> dict[str, Any]:
    match error:
        case errors.Invalid():
            return {"detail": error.fields}
        case broker_errors.NotHandedOver():
            return {"detail": f"Kafka cannot take the event now ({error.reason})", "stored": "no"}
        case broker_errors.OutcomeUnknown():
            return {"detail": f"Kafka did not acknowledge the event in time ({error.reason})", "stored": "unknown"}
        case errors.GatewayError():
            return {"detail": str(error)}
        case _:
            return {"detail": "this cannot be answered now; try again"}
