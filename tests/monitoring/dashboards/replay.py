"""Recorded metrics of servers that cannot run here, served again: each scrape is the recorded one, moved on.

Counters grow by a hundredth of what was recorded with each scrape, so that there are rates; what was 0 stays 0. The end
of a certificate lies ahead, as it did when it was recorded, and all else is as it was. That shows which series, labels
and units an exporter has, and that a query finds them, and nothing of how a server behaves.
"""

import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

from devstack import ports

_TYPE: Final = re.compile(r"# TYPE (\S+) (\w+)")
_SAMPLE: Final = re.compile(r"([a-zA-Z_:][\w:]*)((?:\{.*\})?) (\S+)(.*)")
_GROWING: Final = {
    "counter": ("", "_total"),
    "histogram": ("_bucket", "_sum", "_count"),
    "summary": ("_sum", "_count"),
}
_STEP: Final = 0.01
_END: Final = "probe_ssl_earliest_cert_expiry"
_AHEAD_SECONDS: Final = 90 * 86_400


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    """A server of `GET /NAME` for each NAME.prom of a folder; gives its port."""
    server = ThreadingHTTPServer((ports.HOST, 0), _handler({path.stem: path.read_text() for path in _files(folder)}))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def moved_on(text: str, scrape: int) -> str:
    """The recorded text as it might be `scrape` scrapes later."""
    kinds = dict(_TYPE.findall(text))
    growing = {f"{name}{end}" for name, kind in kinds.items() for end in _GROWING.get(kind, ())}
    return "\n".join(_grown(line, growing, 1 + scrape * _STEP) for line in text.splitlines()) + "\n"


def _grown(line: str, growing: set[str], factor: float) -> str:
    found = _SAMPLE.fullmatch(line)
    if found is not None and found[1] == _END:
        return f"{_END}{found[2]} {time.time() + _AHEAD_SECONDS!r}"
    if found is None or found[1] not in growing:
        return line
    return f"{found[1]}{found[2]} {float(found[3]) * factor!r}{found[4]}"


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.prom"))


def _handler(texts: dict[str, str]) -> type[BaseHTTPRequestHandler]:
    scrapes: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/")
            scrapes[name] += 1
            body = moved_on(texts[name], scrapes[name]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Not on the terminal."""

    return Handler
