"""What uvicorn calls: the hot endpoint at once, everything else through FastAPI, and an answer whatever happens.

The middleware and routing of FastAPI cost 34 us a request here, more than half of what an event costs without them.
"""

import asyncio
import time
from typing import Any

from gateway import answers, asgi, endpoints, errors, failures, metrics
from runtime import trace_context


class Front:
    """An ASGI application in front of the others."""

    def __init__(self, user_tags: asgi.App, rest: asgi.App) -> None:
        self._user_tags, self._rest = user_tags, Answering(rest)

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"] == endpoints.USER_TAGS and scope["method"] == "POST":
            await self._user_tags(scope, receive, send)
        else:
            await self._rest(scope, receive, send)


class Answering:
    """An ASGI application that answers whatever happens in the one that it stands before."""

    def __init__(self, app: asgi.App) -> None:
        self._app = app

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _serve(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """Count and time the answer; answer in the place of an application that raised instead."""
        started = time.perf_counter()
        traceparent = scope[asgi.TRACEPARENT] = trace_context.of(scope["headers"])
        status = 0

        async def noting_status(message: asgi.Message) -> None:
            nonlocal status
            if "status" in message:
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), answers.request_id(traceparent)]
            await send(message)

        try:
            await self._app(scope, receive, noting_status)
        except errors.ClientGone:
            return
        except asyncio.CancelledError:  # the server stops; unanswered, uvicorn sends a 500
            if status != 0:
                raise
            stopping = errors.Stopping()
            count_failure(scope, stopping)
            tell_failure(scope, stopping)
            await asgi.respond(noting_status, answers.of(stopping))
        except Exception as error:  # the last resort: the client gets an answer, the log the reason
            tell_failure(scope, error)
            if status == 0:
                count_failure(scope, error)
                await asgi.respond(noting_status, answers.of(error))
        metrics.REQUESTS.labels(_endpoint(scope), str(status)).inc()
        metrics.DURATION.labels(_endpoint(scope)).observe(time.perf_counter() - started)


def count_failure(scope: asgi.Scope, error: Exception) -> None:
    """Count an error that is answered with 503."""
    metrics.FAILURES.labels(_endpoint(scope), type(error).__name__).inc()


def tell_failure(scope: asgi.Scope, error: Exception) -> None:
    """Log an error that is answered with 503, by the request's id."""
    failures.FAILURES.tell(_endpoint(scope), asgi.traceparent(scope), error)


def _endpoint(scope: asgi.Scope) -> str:
    """One of `endpoints.LABELS`: the route's path with its parameters' names, not their values."""
    route: Any = scope.get("route")
    path = getattr(route, "path_format", None)
    if path is None and scope["path"] == endpoints.USER_TAGS:
        path = endpoints.USER_TAGS  # with another method: its own route is none of FastAPI's, and leaves no trace
    return path if path in endpoints.LABELS else endpoints.OTHER
