"""uvicorn, with an end that loses nothing: unready first, then no new connections, then the requests in flight."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import uvicorn

from gateway import asgi, bounds
from gateway.settings import GatewaySettings
from runtime import logging
from runtime.health import Dependencies

_log = logging.get_logger(__name__)
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
# With DRAIN_SECONDS at most 5 before it and the closing of connections after it, the process ends within 20 s.
_REQUESTS_END_S: Final = 5
_PROBES_END_S: Final = 1
# Whatever hangs: an event is answered with 204 when it is durable, so nothing is lost by a hard end.
_END_S: Final = 19
# Balancers keep idle connections for a minute or so: the side that closes first must not be this one.
_KEEP_ALIVE_S: Final = 75


class Listener(uvicorn.Server):
    """One application on one port, until it is told to stop; leaves signals alone."""

    def __init__(self, app: asgi.App, host: str, port: int, requests_end_s: int = _REQUESTS_END_S) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                loop="none",
                http=bounds.BoundedProtocol,
                ws="none",
                lifespan="off",
                access_log=False,
                server_header=False,
                proxy_headers=False,  # gateway/addresses.py asks who the client is, where it matters
                log_config=None,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=requests_end_s,
            )
        )

    async def startup(self, sockets: object = None) -> None:
        """Listen, and say where."""
        await super().startup(None)
        if self.started:
            address = self.servers[0].sockets[0].getsockname()
            _log.info("listening", host=address[0], port=address[1])

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None of them."""
        yield


class Server(Listener):
    """Serves clients until SIGTERM or SIGINT; a second one skips the wait for balancers."""

    def __init__(self, app: asgi.App, settings: GatewaySettings, dependencies: Dependencies) -> None:
        super().__init__(app, settings.gateway_host, settings.gateway_port)
        self._drain_seconds = settings.drain_seconds
        self._dependencies = dependencies
        self._stopping = False

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn's own way raises the signal again when it is done, before the producer is flushed."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        if self._stopping:
            self.should_exit = True
            return
        self._stopping = True
        _end_at_last()
        self._dependencies.stop()
        _log.info("stopping", drain_seconds=self._drain_seconds)
        asyncio.get_running_loop().call_later(self._drain_seconds, self._close)

    def _close(self) -> None:
        self.should_exit = True


@asynccontextmanager
async def beside(app: asgi.App | None, settings: GatewaySettings) -> AsyncIterator[None]:
    """Serve `app` on the internal port, if there is one: probes are answered until the last client has its answer."""
    if app is None:
        yield
        return
    listener = Listener(app, settings.gateway_host, settings.internal_port_served(), _PROBES_END_S)
    serving = asyncio.create_task(listener.serve())
    try:
        yield
    finally:
        listener.should_exit = True
        await serving


def _end_at_last() -> None:
    """A thread of its own: what keeps the process may be what keeps the loop."""
    timer = threading.Timer(_END_S, os._exit, [1])
    timer.daemon = True
    timer.start()
