"""In a member's place: says in Patroni's way which role it has, and its name to whoever connects to its PostgreSQL."""

from __future__ import annotations

import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Literal

from devstack import ports

Role = Literal["primary", "replica", "none"]


class Standin:
    """`role` may change at any time."""

    def __init__(self, name: str, role: Role) -> None:
        self.name, self.role = name, role
        self.port = self.api_port = 0


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """What HAProxy ends with a reset is nothing to be told of."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def running(name: str, role: Role) -> Iterator[Standin]:
    """It, on two ports of its own."""
    standin = Standin(name, role)

    class Interface(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200 if self.path == f"/{standin.role}" else 503)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """A check every two seconds is nothing to be told of."""

    class Greeting(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(name.encode())
            self.request.recv(1)  # until the client ends, or the proxy

    with ExitStack() as held:
        interface = held.enter_context(_Server((ports.HOST, 0), Interface))
        database = held.enter_context(_Server((ports.HOST, 0), Greeting))
        standin.port, standin.api_port = database.server_address[1], interface.server_address[1]
        for server in (interface, database):
            held.enter_context(_serving(server))
        yield standin


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
