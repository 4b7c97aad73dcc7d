"""Closed-loop load on `POST /user_tags`: raw sockets, one request in flight on each connection, a process of its own.

    python -m bench.http_load PORT REQUESTS CONNECTIONS [TOKEN]

Prints one line of JSON: seconds, requests, and the 50th and 99th percentile of latency in milliseconds. It
measures what a request costs the gateway. Closed loops hide waiting: for latency at a rate there is the simulator.
"""

import asyncio
import json
import sys
import time
from typing import Final, cast

import uvloop

_DISTINCT: Final = 5000


class Run:
    """What all connections share: the requests left, and what came of the others."""

    def __init__(self, requests: int, token: str) -> None:
        self.left = self.unanswered = requests
        self.latencies: list[float] = []
        self.over = asyncio.get_running_loop().create_future()
        self._bytes = [_request(number, token) for number in range(_DISTINCT)]

    def next(self) -> bytes | None:
        """The next request; None when all are sent."""
        if self.left == 0:
            return None
        self.left -= 1
        return self._bytes[self.left % _DISTINCT]

    def answered(self, answer: bytes, seconds: float) -> None:
        """Note an answer. One that is no 204 ends the run: it would measure something else."""
        if not answer.startswith(b"HTTP/1.1 204"):
            self.fail(RuntimeError(answer.decode("latin-1")))
        self.latencies.append(seconds)
        self.unanswered -= 1
        if self.unanswered == 0 and not self.over.done():
            self.over.set_result(None)

    def fail(self, reason: Exception) -> None:
        """End the run."""
        if not self.over.done():
            self.over.set_exception(reason)


class Connection(asyncio.Protocol):
    """One connection; the answers are short enough to come in one piece."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._transport: asyncio.WriteTransport
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's own does not inherit from it
        self._send()

    def data_received(self, data: bytes) -> None:
        self._run.answered(data, time.perf_counter() - self._sent_at)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.fail(exc or ConnectionResetError("the gateway closed a connection"))

    def _send(self) -> None:
        request = self._run.next()
        if request is not None:
            self._sent_at = time.perf_counter()
            self._transport.write(request)


async def load(port: int, requests: int, connections: int, token: str = "") -> dict[str, float]:
    """Send `requests` over `connections`; what came of it."""
    run = Run(requests, token)
    started = time.perf_counter()
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(run), "127.0.0.1", port)
    await run.over
    seconds = time.perf_counter() - started
    latencies = sorted(run.latencies)
    return {
        "seconds": seconds,
        "requests": requests,
        "p50_ms": latencies[requests // 2] * 1000,
        "p99_ms": latencies[requests * 99 // 100] * 1000,
    }


def _request(number: int, token: str) -> bytes:
    product = {
        "product_id": f"product-{number}",
        "brand_id": f"brand-{number % 250}",
        "category_id": f"category-{number % 67}",
        "price": number,
    }
    tag = {
        "time": f"2022-03-22T12:15:00.{number % 1000:03d}Z",
        "cookie": f"cookie-{number}",
        "country": "PL",
        "device": "PC",
        "action": "VIEW",
        "origin": f"campaign-{number % 1000}",
        "product_info": product,
    }
    body = json.dumps(tag).encode()
    head = "POST /user_tags HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"{head % len(body)}{authorization}\r\n".encode() + body


if __name__ == "__main__":
    to, requests, connections, *secret = sys.argv[1:]
    print(json.dumps(uvloop.run(load(int(to), int(requests), int(connections), *secret))))
