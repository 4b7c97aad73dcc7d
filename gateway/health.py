"""Whether the process is alive, whether traffic should come here, and the looking after what it depends on."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

import msgspec
import prometheus_client
from fastapi import Response

from gateway import metrics, patience
from runtime import health, logging

_log = logging.get_logger(__name__)
_PATIENCE_S: Final = 3.0
_MAX_REASON: Final = 300
_JSON: Final = "application/json"

Ping = Callable[[], Coroutine[Any, Any, object]]


class Probes:
    """The endpoints that operators and balancers ask."""

    def __init__(self, dependencies: health.Dependencies) -> None:
        self._dependencies = dependencies

    async def healthz(self) -> Response:
        """The process answers: it is alive."""
        return Response(msgspec.json.encode({"alive": True, "detail": ""}), media_type=_JSON)

    async def readyz(self) -> Response:
        """200 while traffic should come here, else 503; the body names each dependency and its state."""
        status = 200 if self._dependencies.ready else 503
        return Response(msgspec.json.encode(self._dependencies.report()), status, media_type=_JSON)

    async def metrics(self) -> Response:
        """Every metric of this process, for Prometheus."""
        return Response(prometheus_client.generate_latest(), media_type=prometheus_client.CONTENT_TYPE_LATEST)


async def watch(dependencies: health.Dependencies, pings: Mapping[str, Ping], interval_s: float) -> None:
    """Ping every dependency for ever, each on its own: one that hangs delays no other."""
    async with asyncio.TaskGroup() as group:
        for name, ping in pings.items():
            group.create_task(_watch_one(dependencies, name, ping, interval_s))


async def _watch_one(dependencies: health.Dependencies, name: str, ping: Ping, interval_s: float) -> None:
    was_up: bool | None = None
    while True:
        trouble = await _trouble(ping)
        if trouble is None:
            dependencies.up(name)
        else:
            dependencies.down(name, trouble)
        if was_up is not (trouble is None):
            was_up = trouble is None
            metrics.DEPENDENCY_UP.labels(name).set(was_up)
            log = _log.info if was_up else _log.warning
            log("dependency", name=name, up=was_up, detail=trouble or "")
        await asyncio.sleep(interval_s)


async def _trouble(ping: Ping) -> str | None:
    """Why the dependency did not answer; None if it did."""
    try:
        await patience.within(_PATIENCE_S, ping())
    except TimeoutError:
        return f"no answer within {_PATIENCE_S} s"
    except Exception as error:  # whatever a driver raises, it did not answer; the state says so
        # No ping names a cookie, so the driver's own words may be shown; they can be many lines.
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return reason if len(reason) <= _MAX_REASON else reason[:_MAX_REASON] + "…"
    return None
