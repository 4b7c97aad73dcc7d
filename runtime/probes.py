"""`/healthz`, `/readyz` and `/metrics` over HTTP, for a process that serves nothing else.

The server runs in the process's own event loop, so an answer proves that the loop turns; what `/healthz` proves beyond
that is up to the `alive` it is given.
"""

from collections.abc import Callable

import prometheus_client
from aiohttp import web

from runtime import health

Alive = Callable[[], str | None]


class ProbeServer:
    """Serves one process's probes on `host:port`; port 0 takes a free one. `port` is the real one after `start`."""

    def __init__(self, host: str, port: int, dependencies: health.Dependencies, alive: Alive) -> None:
        """`alive` returns None while all is well, else a sentence that `/healthz` answers with status 503."""
        self.host, self.port = host, port
        self._dependencies, self._alive = dependencies, alive
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises OSError where the port is taken."""
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.host, self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the listener."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _healthz(self, _request: web.Request) -> web.Response:
        trouble = self._alive()
        body = {"alive": trouble is None, "detail": trouble or ""}
        return web.json_response(body, status=200 if trouble is None else 503)

    async def _readyz(self, _request: web.Request) -> web.Response:
        return web.json_response(self._dependencies.report(), status=200 if self._dependencies.ready else 503)

    async def _metrics(self, _request: web.Request) -> web.Response:
        content_type = prometheus_client.CONTENT_TYPE_LATEST
        return web.Response(body=prometheus_client.generate_latest(), headers={"Content-Type": content_type})
