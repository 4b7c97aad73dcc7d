"""The composition root: which endpoint hangs where, and on what."""

from typing import Any, Final, cast

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.params import Depends
from fastapi.responses import PlainTextResponse
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from gateway import (
    access,
    aggregates,
    answers,
    asgi,
    backlog,
    clock,
    debug,
    endpoints,
    errors,
    front,
    health,
    openapi,
    profiles,
    user_tags,
)
from gateway.settings import GatewaySettings
from runtime.health import Dependencies

_DESCRIPTION: Final = (
    "User events in; user histories and exact per-minute aggregates out. Every answer of an endpoint but the 204 of "
    "an event names its request in X-Request-Id: the trace id of the request's traceparent, if it had one (W3C Trace "
    "Context)."
)


class Ports(msgspec.Struct, frozen=True):
    """What the gateway needs from outside; gateway/connections.py opens the real ones."""

    events: user_tags.Events
    profiles: profiles.ProfileReader
    aggregates: aggregates.AggregatesReader
    read_backlog: backlog.ReadBacklog
    dependencies: Dependencies
    now: clock.Clock = clock.system_clock


class _AnyText(Convertor[str]):
    """Starlette's `path` stops at a line end, which a cookie may hold."""

    regex = r"(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("any_text", _AnyText())


class Apps(msgspec.Struct, frozen=True):
    """What is served to clients, and what inside alone; None: it is one with the other."""

    public: asgi.App
    internal: asgi.App | None


def create(settings: GatewaySettings, ports: Ports, gate: access.Gate) -> Apps:
    """The gateway as ASGI applications."""
    events = user_tags.UserTags(ports.events, gate.admit, ports.now, settings.max_body_bytes)
    debugger = debug.Debugger(settings)
    together = settings.internal_port_served() == 0
    public = _application(documented=together)
    internal = public if together else _application(documented=True)
    public.add_exception_handler(HTTPException, _Strays(gate).answer)
    public.router.routes.append(Route(endpoints.USER_TAGS, events, methods=["POST"]))
    _add_queries(public, settings, ports, debugger, gate)
    _add_backlog(public, settings, ports, gate)
    _add_operations(internal, ports, debugger, gate)
    document = openapi.schema(*([public] if together else [public, internal]), tokens=gate.tokens is not None)
    internal.openapi = lambda: document  # type: ignore[method-assign]  # FastAPI's documented way
    return Apps(_across_origins(settings, front.Front(events, public)), None if together else front.Answering(internal))


class _Strays:
    """Requests for what is not served: whoever sends them draws on the same limit as with others."""

    def __init__(self, gate: access.Gate) -> None:
        self._gate = gate

    async def answer(self, request: Request, error: Exception) -> Response:
        """A 404 or 405 of the router, or a 429 in its place."""
        try:
            self._gate.limit(request.scope)
        except errors.TooManyRequests as refusal:
            return await _on_error(request, refusal)
        return await http_exception_handler(request, cast("HTTPException", error))


def _application(*, documented: bool) -> FastAPI:
    paths: dict[str, Any] = {} if documented else {"openapi_url": None, "docs_url": None, "redoc_url": None}
    app = FastAPI(title="Allezone Analytics", description=_DESCRIPTION, version="1", redirect_slashes=False, **paths)
    for kind, _ in answers.STATUSES:
        app.add_exception_handler(kind, _on_error)
    app.add_exception_handler(Exception, _on_error)
    return app


def _add_queries(
    app: FastAPI, settings: GatewaySettings, ports: Ports, debugger: debug.Debugger, gate: access.Gate
) -> None:
    user_profiles = profiles.UserProfiles(ports.profiles, debugger, settings.profiles_timeout_ms / 1000)
    app.add_api_route(
        endpoints.USER_PROFILES.replace("}", ":any_text}"),
        user_profiles.answer,
        methods=["POST"],
        dependencies=[_scope_of(endpoints.USER_PROFILES, gate)],
        summary="The recent history of one user",
        openapi_extra=openapi.USER_PROFILES,
    )
    table = aggregates.Aggregates(ports.aggregates, debugger, settings.aggregates_timeout_ms / 1000)
    app.add_api_route(
        endpoints.AGGREGATES,
        table.answer,
        methods=["POST"],
        dependencies=[_scope_of(endpoints.AGGREGATES, gate)],
        summary="Counts and price sums per minute",
        openapi_extra=openapi.AGGREGATES,
    )


def _add_backlog(app: FastAPI, settings: GatewaySettings, ports: Ports, gate: access.Gate) -> None:
    queue = backlog.BacklogEndpoint(settings.queue_namespace, settings.kafka_topic, ports.read_backlog)
    app.add_api_route(
        endpoints.BACKLOG,
        queue.answer,
        dependencies=[_scope_of(endpoints.BACKLOG, gate)],
        summary="What each consumer group has not processed yet",
        responses=openapi.BACKLOG,
    )


def _add_operations(app: FastAPI, ports: Ports, debugger: debug.Debugger, gate: access.Gate) -> None:
    probes = health.Probes(ports.dependencies)
    app.add_api_route(endpoints.HEALTHZ, probes.healthz, summary="Is the process alive?")
    app.add_api_route(endpoints.READYZ, probes.readyz, summary="Should traffic come here?", responses=openapi.NOT_READY)
    app.add_api_route(endpoints.METRICS, probes.metrics, summary="For Prometheus", response_class=PlainTextResponse)
    app.add_api_route(
        endpoints.MISMATCHES,
        debugger.mismatches,
        dependencies=[_scope_of(endpoints.MISMATCHES, gate)],
        summary="The last wrong answers of debug mode",
        responses=openapi.DEBUG_OFF,
    )


def _scope_of(endpoint: str, gate: access.Gate) -> Depends:
    return access.needs(gate.admit, endpoints.SCOPES[endpoint])


def _across_origins(settings: GatewaySettings, app: asgi.App) -> asgi.App:
    """Where no origin is allowed nothing is added: browsers then keep answers from pages of other origins."""
    if not settings.origins():
        return app
    return CORSMiddleware(
        app,
        allow_origins=settings.origins(),
        allow_methods=["POST", "GET"],
        allow_headers=["Authorization", "Content-Type", "traceparent", "tracestate"],
        expose_headers=["Retry-After", "WWW-Authenticate", "X-Request-Id"],
    )


async def _on_error(request: Request, error: Exception) -> Response:
    answer = answers.of(error)
    if answer.status >= 500 and not isinstance(error, errors.ClientGone):
        front.count_failure(request.scope, error)
        if answers.foreseen(error):  # any other goes on to `front.Answering`, which tells of it
            front.tell_failure(request.scope, error)
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    return Response(answer.body, answer.status, headers)
