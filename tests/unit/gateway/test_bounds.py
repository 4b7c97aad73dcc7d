"""However the bytes of a request are cut, its headers count and its body does not."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

import pytest
import uvicorn
from uvicorn.server import ServerState

from gateway import bounds

JUST_BELOW: Final = b"X-Long: " + b"x" * (bounds.HEADERS_BYTES - 200) + b"\r\n"
BODY: Final = b"b" * 300_000


class Transport(asyncio.Transport):
    """Nobody's end of a connection: what is written, and whether it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False
        self.paused = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class App:
    """Answers with the number of bytes of each body."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.may_answer = asyncio.Semaphore(1_000_000)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message.get("body", b"")), message.get("more_body", False)
        await self.may_answer.acquire()
        self.sizes.append(size)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})


@contextlib.asynccontextmanager
async def _connected(app: App, transport: Transport) -> AsyncIterator[bounds.BoundedProtocol]:
    config = uvicorn.Config(app, loop="none", ws="none", lifespan="off", log_config=None)
    config.load()
    protocol = bounds.BoundedProtocol(config, ServerState(), {})
    protocol.connection_made(transport)
    yield protocol
    protocol.connection_lost(ConnectionResetError())  # unlike an end, it closes nothing: that is the test's to see


async def _given(*pieces: bytes) -> tuple[App, Transport]:
    """What came of a connection over which these came, each as soon as the one before it was dealt with."""
    app, transport = App(), Transport()
    async with _connected(app, transport) as protocol:
        for piece in pieces:
            if not transport.closed:
                protocol.data_received(piece)
            await asyncio.sleep(0)
        await _settled()
    return app, transport


async def _settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def _kept(pieces: Iterable[bytes], answers: int) -> int:
    """The most bytes of requests that wait, while these come as fast as they are read."""
    app, transport, most = App(), Transport(), 0
    app.may_answer = asyncio.Semaphore(0)
    async with _connected(app, transport) as protocol:
        for piece in itertools.islice(pieces, 10 * answers):
            while transport.paused and len(app.sizes) < answers:
                app.may_answer.release()
                await _settled()
            protocol.data_received(piece)
            most = max(most, sum(_size(cycle) for cycle, _ in protocol.pipeline))
            if len(app.sizes) == answers:
                return most
    pytest.fail(f"{len(app.sizes)} answers")


def _size(cycle: Any) -> int:
    return len(cycle.body) + sum(len(name) + len(value) for name, value in cycle.scope["headers"])


def _chunked(body: bytes, size: int) -> bytes:
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n"


WITH_LENGTH: Final = b"POST / HTTP/1.1\r\n" + JUST_BELOW + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
CHUNKED: Final = (
    b"POST / HTTP/1.1\r\n"
    + JUST_BELOW
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + _chunked(BODY, 16_384)
    + JUST_BELOW
    + b"\r\n"
)


@pytest.mark.parametrize("request_bytes", [WITH_LENGTH, CHUNKED], ids=["length", "chunked"])
async def test_just_below_the_bound_is_taken_however_it_is_cut(request_bytes: bytes) -> None:
    chance = random.Random(7)  # noqa: S311  # nobody guesses it
    twice = request_bytes * 2
    for _ in range(40):
        longest = chance.choice([300, 4_000, 60_000, 262_144])
        cuts, at = [0], 0
        while at < len(twice):
            at += chance.randint(1, longest)
            cuts.append(at)

        app, transport = await _given(*(twice[a:b] for a, b in itertools.pairwise(cuts)))

        assert app.sizes == [len(BODY)] * 2
        assert not transport.closed


@pytest.mark.parametrize("longest", [1_000, bounds.PIECE_BYTES, 60_000, 262_144])
async def test_over_the_bound_by_two_pieces_is_refused_though_the_headers_end(longest: int) -> None:
    over = b"GET / HTTP/1.1\r\nX: %s\r\n\r\n" % (b"x" * (bounds.HEADERS_BYTES + 2 * bounds.PIECE_BYTES))

    app, transport = await _given(*(over[start : start + longest] for start in range(0, len(over), longest)))

    assert app.sizes == []
    assert transport.closed
    assert transport.written.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


async def test_a_size_of_a_chunk_alone_does_not_count_as_headers() -> None:
    head = b"POST / HTTP/1.1\r\n" + JUST_BELOW + b"Transfer-Encoding: chunked\r\n\r\n"
    body = [piece for _ in range(20) for piece in (b"2000\r\n", b"b" * 0x2000 + b"\r\n")]

    app, transport = await _given(
        *(head[start : start + 9_000] for start in range(0, len(head), 9_000)), *body, b"0\r\n\r\n"
    )

    assert app.sizes == [20 * 0x2000]
    assert not transport.closed


READ: Final = 256_000  # of uvloop, at once


async def test_requests_that_wait_take_no_more_memory_with_every_answer() -> None:
    request = b"GET / HTTP/1.1\r\n" + b"ab:cd\r\n" * 9_000 + b"\r\n"
    stream = request * 200

    assert await _kept((stream[at : at + READ] for at in range(0, len(stream), READ)), answers=40) < 2 * READ


async def test_nor_does_the_body_of_the_last_of_them() -> None:
    first = b"GET / HTTP/1.1\r\n\r\n" * 900 + b"POST / HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n"

    assert await _kept(itertools.chain([first], itertools.repeat(b"b" * READ)), answers=500) < 2 * READ


@pytest.mark.parametrize("size", [60, 90, 100, 110])
async def test_a_queue_over_its_bound_is_answered_up_to_the_last_whole_request_and_ends(size: int) -> None:
    """With one size the bound is met in the headers of a request, with another in the body."""
    requests = (b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (size, b"b" * size)) * 2_000
    app, transport = App(), Transport()
    async with _connected(app, transport) as protocol:
        protocol.data_received(requests)
        for _ in range(2_000):
            await _settled()

    assert bounds.QUEUED < len(app.sizes) < 2_000
    assert set(app.sizes) == {size}
    assert transport.closed


async def test_what_is_no_http_is_told_so_once() -> None:
    line = b"GET /" + b"x" * bounds.HEADERS_BYTES
    pieces = [line[at : at + 1_000] for at in range(0, len(line), 1_000)]

    _, transport = await _given(*pieces[:-1], pieces[-1] + b"\0" * bounds.PIECE_BYTES)

    assert transport.closed
    assert transport.written.count(b"HTTP/1.1 ") == 1
