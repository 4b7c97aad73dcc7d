"""ASGI itself: its types, a request's body, a whole response.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from gateway import answers, errors

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

TRACEPARENT: Final = "allezone.traceparent"
"""Where `front.Answering` leaves a request's, in its scope."""


def traceparent(scope: Scope) -> bytes:
    """Of a request that `front.Answering` serves."""
    found: bytes = scope[TRACEPARENT]
    return found


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body. Raises `errors.BodyTooLarge` and `errors.ClientGone`.

    What counts is the bytes that arrive, not what Content-Length says. How long a client may take is the edge's
    business: a timer here would cost 5 us a request, and uvicorn itself waits for headers without one.
    """
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body") and message["type"] == "http.request" and len(body) <= limit:
        return body
    chunks, size = [], 0
    while True:
        if message["type"] == "http.disconnect":
            raise errors.ClientGone
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise errors.BodyTooLarge(limit)
        if not message.get("more_body"):
            return b"".join(chunks)
        message = await receive()


async def pass_over_body(receive: Receive, limit: int) -> None:
    """Take the whole body and keep none of it. Raises as `read_body` does."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise errors.ClientGone
        size += len(message.get("body", b""))
        if size > limit:
            raise errors.BodyTooLarge(limit)
        more = message.get("more_body", False)


async def respond(send: Send, answer: answers.Answer) -> None:
    """Send `answer` as the whole response."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})
