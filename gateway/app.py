"""The composition root: which endpoint hangs where, and on what."""

from typing import Final

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Route

from gateway import (
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

_DESCRIPTION: Final = "User events in; user histories and exact per-minute aggregates out."


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


def create(settings: GatewaySettings, ports: Ports) -> asgi.App:
    """The gateway as an ASGI application."""
    app = FastAPI(title="Allezone Analytics", description=_DESCRIPTION, version="1", redirect_slashes=False)
    events = user_tags.UserTags(ports.events, ports.now, settings.max_body_bytes)
    debugger = debug.Debugger(settings)
    app.router.routes.append(Route(endpoints.USER_TAGS, events, methods=["POST"]))
    _add_queries(app, settings, ports, debugger)
    _add_operations(app, settings, ports, debugger)
    for kind, _ in answers.STATUSES:
        app.add_exception_handler(kind, _on_error)
    app.add_exception_handler(Exception, _on_error)
    document = openapi.schema(app)
    app.openapi = lambda: document  # type: ignore[method-assign]  # FastAPI's documented way
    return front.Front(events, app)


def _add_queries(app: FastAPI, settings: GatewaySettings, ports: Ports, debugger: debug.Debugger) -> None:
    user_profiles = profiles.UserProfiles(ports.profiles, debugger, settings.profiles_timeout_ms / 1000)
    app.add_api_route(
        endpoints.USER_PROFILES.replace("}", ":any_text}"),
        user_profiles.answer,
        methods=["POST"],
        summary="The recent history of one user",
        openapi_extra=openapi.USER_PROFILES,
    )
    table = aggregates.Aggregates(ports.aggregates, debugger, settings.aggregates_timeout_ms / 1000)
    app.add_api_route(
        endpoints.AGGREGATES,
        table.answer,
        methods=["POST"],
        summary="Counts and price sums per minute",
        openapi_extra=openapi.AGGREGATES,
    )


def _add_operations(app: FastAPI, settings: GatewaySettings, ports: Ports, debugger: debug.Debugger) -> None:
    probes = health.Probes(ports.dependencies)
    queue = backlog.BacklogEndpoint(settings.queue_namespace, settings.kafka_topic, ports.read_backlog)
    app.add_api_route("/healthz", probes.healthz, summary="Is the process alive?")
    app.add_api_route("/readyz", probes.readyz, summary="Should traffic come here?", responses=openapi.NOT_READY)
    app.add_api_route("/metrics", probes.metrics, summary="For Prometheus", response_class=PlainTextResponse)
    app.add_api_route(
        "/queue/{namespace}/{topic}/backlog",
        queue.answer,
        summary="What each consumer group has not processed yet",
        responses=openapi.BACKLOG,
    )
    app.add_api_route(
        "/debug/mismatches",
        debugger.mismatches,
        summary="The last wrong answers of debug mode",
        responses=openapi.DEBUG_OFF,
    )


async def _on_error(request: Request, error: Exception) -> Response:
    answer = answers.of(error)
    if answer.status >= 500 and not isinstance(error, errors.ClientGone):
        front.count_failure(request.scope, error)
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    return Response(answer.body, answer.status, headers)
