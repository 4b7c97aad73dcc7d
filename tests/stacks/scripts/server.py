"""Where the stand-in for `docker` asks: one swarm, one call after the other."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase

from tests.stacks.scripts import stand_in
from tests.stacks.scripts.state import Swarm


@contextmanager
def serving(swarm: Swarm) -> Iterator[int]:
    """The port at which the swarm is played."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write("".join(f"{part}\0" for part in _answer(swarm, self.rfile)).encode())

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


def _answer(swarm: Swarm, request: BufferedIOBase) -> tuple[str, str, str]:
    """Status, standard output, standard error."""
    arguments = [_part(request) for _ in range(int(_part(request)))]
    content = _part(request)
    environment = {}
    if arguments[:2] == ["stack", "config"]:
        environment = dict(pair.split("=", 1) for pair in content.split("\1") if "=" in pair)
    try:
        return "0", *stand_in.answer(swarm, stand_in.Call(arguments, content, environment))
    except stand_in.Refused as error:
        return "1", "", f"Error: {error}\n"


def _part(request: BufferedIOBase) -> str:
    """Up to the next NUL."""
    read = bytearray()
    while (byte := request.read(1)) != b"\0":
        if not byte:
            message = f"the stand-in went away in the middle of {read!r}"
            raise EOFError(message)
        read += byte
    return read.decode()
