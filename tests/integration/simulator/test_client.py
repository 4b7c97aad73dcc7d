"""The client against servers that behave badly: what it says about a request must be true."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from simulator.client import Answer, Pool

REQUEST = b"POST /user_tags HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _pool(handler: Handler, connections: int = 2, waiting: int = 10) -> AsyncIterator[Pool]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    pool = Pool("127.0.0.1", server.sockets[0].getsockname()[1], connections, waiting)
    pool.start()
    try:
        yield pool
    finally:
        await pool.close()
        server.close()


async def _request_read(reader: asyncio.StreamReader) -> None:
    await reader.readexactly(len(REQUEST))


def _answering(answer: bytes, piece: int = 10_000) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await _request_read(reader)
            for start in range(0, len(answer), piece):
                writer.write(answer[start : start + piece])
                await writer.drain()
                await asyncio.sleep(0)

    return handler


@pytest.mark.parametrize("piece", [10_000, 1])
async def test_an_answer_is_taken_whole_however_it_arrives(piece: int) -> None:
    answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 16\r\nRetry-After: 1\r\n\r\n" + b'{"stored": "no"}'
    async with _pool(_answering(answer, piece)) as pool:
        for _ in range(3):
            assert await pool.request(REQUEST, 5) == Answer(503, b'{"stored": "no"}')


async def test_a_chunked_answer_is_taken_whole() -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"
    async with _pool(_answering(answer)) as pool:
        assert await pool.request(REQUEST, 5) == Answer(200, b"abcde")


async def test_a_connection_is_used_again() -> None:
    peers = set()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.add(writer.get_extra_info("peername"))
        await _answering(NO_CONTENT)(reader, writer)

    async with _pool(handler) as pool:
        for _ in range(20):
            assert await pool.request(REQUEST, 5) == Answer(204, b"")
    assert len(peers) == 1


async def test_where_nobody_listens_nothing_was_sent() -> None:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    pool = Pool("127.0.0.1", port, 2, 100)
    pool.start()
    answers = await asyncio.gather(*(pool.request(REQUEST, 5) for _ in range(30)))
    await pool.close()
    assert answers == [Answer(0, b"", sent=False)] * 30


async def test_a_connection_broken_before_its_answer_leaves_the_outcome_open() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request_read(reader)
        writer.transport.abort()

    async with _pool(handler) as pool:
        assert await pool.request(REQUEST, 5) == Answer(0, b"", sent=True)


async def test_half_an_answer_leaves_the_outcome_open() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request_read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()

    async with _pool(handler) as pool:
        assert await pool.request(REQUEST, 5) == Answer(0, b"", sent=True)


async def test_what_is_not_http_leaves_the_outcome_open() -> None:
    async with _pool(_answering(b"SSH-2.0-OpenSSH\r\n")) as pool:
        assert await pool.request(REQUEST, 5) == Answer(0, b"", sent=True)


async def test_past_its_deadline_a_request_under_way_is_open_and_one_in_line_was_not_sent() -> None:
    async def handler(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with _pool(handler, connections=1) as pool:
        under_way, in_line = await asyncio.gather(pool.request(REQUEST, 0.5), pool.request(REQUEST, 0.4))
    assert under_way == Answer(0, b"", sent=True)
    assert in_line == Answer(0, b"", sent=False)


async def test_a_server_that_closes_after_each_answer_costs_a_connection_each_and_nothing_else() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request_read(reader)
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()

    async with _pool(handler, connections=3, waiting=50) as pool:
        answers = await asyncio.gather(*(pool.request(REQUEST, 5) for _ in range(40)))
    assert answers == [Answer(204, b"")] * 40


async def test_requests_in_line_go_on_when_connections_break() -> None:
    served = iter(range(100))

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request_read(reader)
        if next(served) % 3:
            writer.write(NO_CONTENT)
            await writer.drain()
        else:
            writer.transport.abort()

    async with _pool(handler, connections=2, waiting=50) as pool:
        answers = await asyncio.gather(*(pool.request(REQUEST, 5) for _ in range(30)))
    assert len(answers) == 30
    assert {answer.status for answer in answers} == {0, 204}


async def test_a_full_line_takes_no_more() -> None:
    arrived, release = asyncio.Event(), asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await release.wait()
        await _answering(NO_CONTENT)(reader, writer)

    async with _pool(handler, connections=1, waiting=3) as pool:
        under_way = asyncio.ensure_future(pool.request(REQUEST, 5))
        await arrived.wait()
        in_line = [asyncio.ensure_future(pool.request(REQUEST, 5)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="full"):
            await pool.request(REQUEST, 5)
        release.set()
        assert await asyncio.gather(under_way, *in_line) == [Answer(204, b"")] * 4


async def test_closing_ends_what_is_under_way() -> None:
    async def handler(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with _pool(handler, connections=1) as pool:
        waiting = [asyncio.ensure_future(pool.request(REQUEST, 60)) for _ in range(3)]
        await asyncio.sleep(0)
    assert all(answer.status == 0 for answer in await asyncio.gather(*waiting))
