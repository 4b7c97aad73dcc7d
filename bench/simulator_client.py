"""What a request costs its sender: aiohttp's client against the simulator's own.

    python -m bench.simulator_client [--requests 20000]

Both send one ready-made tag at a time over 16 connections to a server in another process that answers 204 and does
nothing else, as fast as they can. CPU is that of the client's process.
"""

import argparse
import asyncio
import multiprocessing
import time
from collections.abc import Callable, Coroutine
from multiprocessing.connection import Connection
from typing import Any, Final

import aiohttp
import msgspec
import uvloop

from simulator import client, stream, wire

_AT_A_TIME: Final = 16
_ANSWER: Final = b"HTTP/1.1 204 No Content\r\nserver: bench\r\ndate: Sat, 01 Jan 2022 00:00:00 GMT\r\n\r\n"
_SOURCE: Final = stream.Stream(1, 1, 0)

Client = Callable[[int, int], Coroutine[Any, Any, None]]


class _Server(asyncio.Protocol):
    """Takes every arrival of bytes for one request: those sent here fit in one."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(_ANSWER)


def serve(address: Connection) -> None:
    """Answer until killed; tells its port first."""

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(_Server, "127.0.0.1", 0)
        address.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(run())


async def with_aiohttp(port: int, requests: int) -> None:
    """A session, a task for each connection."""
    body = msgspec.json.encode(_SOURCE.tag(0))
    left = iter(range(requests))
    connector = aiohttp.TCPConnector(limit=_AT_A_TIME)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def send() -> None:
            for _ in left:
                async with session.post(f"http://127.0.0.1:{port}/user_tags", data=body) as answer:
                    await answer.read()

        await asyncio.gather(*(send() for _ in range(_AT_A_TIME)))


async def with_own(port: int, requests: int) -> None:
    """The simulator's pool, the next request sent when one has been answered."""
    data = wire.Requests(f"127.0.0.1:{port}").tag(_SOURCE.tag(0))
    pool = client.Pool("127.0.0.1", port, _AT_A_TIME, waiting=_AT_A_TIME)
    pool.start()
    finished = asyncio.Event()
    left, answered = requests - _AT_A_TIME, 0

    def done(answer: client.Answer) -> None:
        nonlocal left, answered
        answered += answer.status == 204
        if left > 0:
            left -= 1
            # Not from within the answer: the connection is free a moment later.
            loop.call_soon(pool.submit, data, 10.0, done)
        elif answered == requests:
            finished.set()

    loop = asyncio.get_running_loop()
    for _ in range(_AT_A_TIME):
        pool.submit(data, 10.0, done)
    await finished.wait()
    await pool.close()


def measure(name: str, send: Client, port: int, requests: int) -> None:
    """Print what one client did."""
    started, cpu = time.perf_counter(), time.process_time()
    uvloop.run(send(port, requests))
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    print(f"{name:<24} {requests / seconds:>8,.0f} requests/s {cpu / requests * 1e6:>7.1f} us of CPU each")


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=20_000)
    requests = parser.parse_args().requests
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    port = ours.recv()
    measure("aiohttp", with_aiohttp, port, requests)
    measure("simulator's own", with_own, port, requests)
    server.kill()
    server.join()


if __name__ == "__main__":
    main()
