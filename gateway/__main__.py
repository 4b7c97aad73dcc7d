"""`python -m gateway`: serve until SIGTERM. `python -m gateway make-token --help`: the tokens that clients need."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator

import uvloop

from gateway import access, app, connections, make_token, server
from gateway.errors import BrokenTokens
from gateway.settings import GatewaySettings
from gateway.token_file import TokenFile
from gateway.tokens import Tokens
from runtime import logging, metrics
from runtime import settings as runtime_settings

_log = logging.get_logger("gateway")


async def serve(settings: GatewaySettings) -> int:
    """The whole life of the process; its exit status."""
    try:
        file = TokenFile(settings.tokens_file) if settings.tokens_file else None
    except BrokenTokens as error:
        sys.stderr.write(f"settings: TOKENS_FILE: {settings.tokens_file}: {error}\n")
        return 2
    metrics.export_build(settings.release)
    gate = access.Gate(settings, file.tokens if file else None)
    async with _watched(file, gate), connections.opened(settings) as ports:
        apps = app.create(settings, ports, gate)
        async with server.beside(apps.internal, settings):
            serving = server.Server(apps.public, settings, ports.dependencies)
            await serving.serve()
            return 0 if serving.started else 1


@contextlib.asynccontextmanager
async def _watched(file: TokenFile | None, gate: access.Gate) -> AsyncIterator[None]:
    """The gate has the tokens that the file has; SIGHUP reads it at once, and ends no gateway that has none."""

    def use(tokens: Tokens) -> None:
        gate.tokens = tokens

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, file.look if file else _nothing_to_read)
    watching = asyncio.create_task(file.watch(use)) if file else None
    try:
        yield
    finally:
        if watching:
            watching.cancel()
        loop.remove_signal_handler(signal.SIGHUP)


def _nothing_to_read() -> None:
    _log.info("SIGHUP: there is no TOKENS_FILE to read again")


def main() -> int:
    """Serve, or run the command that the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m gateway", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    make_token.add_arguments(commands.add_parser("make-token"))
    arguments = parser.parse_args()
    if arguments.command == "make-token":
        return make_token.run(arguments)
    settings = runtime_settings.load(GatewaySettings)
    logging.configure(settings, "gateway")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve(settings))


if __name__ == "__main__":
    sys.exit(main())
