"""A server in a gateway's place that keeps what it was asked, byte for byte."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from devstack import ports


class Asked(NamedTuple):
    """One request's line and headers."""

    target: str
    headers: dict[str, str]


class Recorder:
    """What reached the upstream, health checks aside."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.port = 0


@contextmanager
def recording() -> Iterator[Recorder]:
    """Answers 200 to everything."""
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if self.path != "/readyz":
                recorder.asked.append(Asked(self.path, dict(self.headers)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = _answer

        def log_message(self, format: str, *args: object) -> None:
            """The requests are in `asked`."""

    server = ThreadingHTTPServer((ports.HOST, 0), Handler)
    server.daemon_threads = True
    recorder.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
