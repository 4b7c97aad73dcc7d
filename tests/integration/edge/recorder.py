"""A server in a gateway's place that keeps what it was asked, byte for byte."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, NamedTuple

from devstack import ports


class Asked(NamedTuple):
    """One request's line and headers."""

    target: str
    headers: dict[str, str]


Manner = Literal["answer", "say nothing", "break off", "answer something else"]


class Recorder:
    """What reached the upstream, health checks aside, and in which manner it takes that."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.manner: Manner = "answer"
        self.ended = threading.Event()
        self.port = 0


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A check that HAProxy ends with a reset is none to be told of."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def recording() -> Iterator[Recorder]:
    """Answers 200 to everything, unless it is told to behave otherwise."""
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if self.path != "/readyz":
                recorder.asked.append(Asked(self.path, dict(self.headers)))
                if recorder.manner != "answer":
                    return self._misbehave()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _misbehave(self) -> None:
            self.close_connection = True
            if recorder.manner == "say nothing":
                recorder.ended.wait(60)
            if recorder.manner == "answer something else":
                self.wfile.write(b"no HTTP at all\r\n\r\n")
            with suppress(OSError):  # the edge may have ended it first
                self.connection.shutdown(socket.SHUT_RDWR)

        do_GET = do_POST = _answer

        def log_message(self, format: str, *args: object) -> None:
            """The requests are in `asked`."""

    server = _Server((ports.HOST, 0), Handler)
    recorder.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield recorder
    finally:
        recorder.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
