"""`python -m gateway`: serve until SIGTERM."""

import asyncio
import sys

import uvloop

from gateway import app, connections, server
from gateway.settings import GatewaySettings
from runtime import logging
from runtime import settings as runtime_settings


async def serve(settings: GatewaySettings) -> int:
    """The whole life of the process; its exit status."""
    async with connections.opened(settings) as ports:
        serving = server.Server(app.create(settings, ports), settings, ports.dependencies)
        await serving.serve()
        return 0 if serving.started else 1


def main() -> int:
    """Read the settings and serve."""
    settings = runtime_settings.load(GatewaySettings)
    logging.configure(settings)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve(settings))


if __name__ == "__main__":
    sys.exit(main())
