"""What one connection may send before it has a token is bounded, over real sockets."""

import asyncio
import contextlib
import http.client
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, Final

import psutil
import pytest

from devstack import ports
from gateway import bounds, server
from runtime.settings import DatabaseSettings, KafkaSettings
from tests.support import eventually, gateways
from tests.support.gateways import Gateway

MIB: Final = 1024 * 1024
BELOW: Final = "x" * (bounds.HEADERS_BYTES - 500)
REFUSED: Final = 'allezone_gateway_requests_total{endpoint="other",status="431"}'

ENDLESS: Final[dict[str, Callable[[], Iterator[bytes]]]] = {
    "one header": lambda: _ever(b"GET / HTTP/1.1\r\nX: ", b"x" * 1_000),
    "one header in huge pieces": lambda: _ever(b"GET / HTTP/1.1\r\nX: ", b"x" * MIB),
    "headers of 1 MiB": lambda: _ever(b"GET / HTTP/1.1\r\n", b"X: " + b"x" * MIB + b"\r\n"),
    "small headers": lambda: _ever(b"GET / HTTP/1.1\r\n", b"X: y\r\n" * 200),
    "a name of a header": lambda: _ever(b"GET / HTTP/1.1\r\n", b"x" * 10_000),
    "a request line": lambda: _ever(b"GET /", b"x" * 10_000),
}

SMALL: Final = b"GET / HTTP/1.1\r\n\r\n"
MORE_THAN_WAIT: Final = SMALL * 2_000  # in one segment: after a read of fewer, no more is read until one is answered
MOST_HEARD: Final = bounds.QUEUED + 2 * (bounds.PIECE_BYTES // len(SMALL) + 1)


class App:
    """Answers with the number of bytes of each body, once it may."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.gone = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone.set()
                return
            size, more = size + len(message["body"]), message["more_body"]
        await self.may_answer.wait()
        body = b"%d\n" % size
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def _listening(app: App) -> AsyncIterator[server.Listener]:
    listener = server.Listener(app, ports.HOST, ports.reserve(), requests_end_s=1)
    serving = asyncio.create_task(listener.serve())
    try:
        await eventually.until(lambda: listener.started)
        yield listener
    finally:
        listener.should_exit = True
        await serving


async def _answers_to_waiting(requests: Iterable[bytes]) -> bytes:
    """Nothing is answered before the listener has had enough of them."""
    app = App()
    app.may_answer.clear()
    async with _listening(app) as listener:
        telling = asyncio.create_task(asyncio.to_thread(_told, listener.config.port, requests))
        await eventually.until(lambda: _will_close(listener))
        app.may_answer.set()
        return await telling


def _will_close(listener: server.Listener) -> bool:
    """Whether the one connection there is ends with the answers that are still to come."""
    return any(
        isinstance(connection, bounds.BoundedProtocol) and connection.cycle and not connection.cycle.keep_alive
        for connection in listener.server_state.connections
    )


def _ever(first: bytes, then: bytes) -> Iterator[bytes]:
    """Up to 64 MiB in large pieces; up to 2 MiB in small ones, for without a bound these cost quadratic time."""
    yield first
    for _ in range((64 if len(then) >= MIB else 2) * MIB // len(then)):
        yield then


def _told(port: int, pieces: Iterable[bytes]) -> bytes:
    """All that the other side says to these, until it closes."""
    with socket.create_connection((ports.HOST, port), timeout=20) as connection:
        return _told_over(connection, pieces)


def _told_over(connection: socket.socket, pieces: Iterable[bytes]) -> bytes:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # closed while this one still sends
        for piece in pieces:
            connection.sendall(piece)
    return _rest(connection)


def _rest(connection: socket.socket) -> bytes:
    found = b""
    with contextlib.suppress(ConnectionResetError):  # closed before it had read all that was sent
        while piece := connection.recv(65_536):
            found += piece
    return found


def _status(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/", headers={"X-Long": BELOW})
    with connection.getresponse() as response:
        response.read()
        return response.status


def _check(answer: bytes) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert status == "HTTP/1.1 431 Request Header Fields Too Large"
    assert headers["content-type"] == "application/json"
    assert headers["connection"] == "close"
    assert int(headers["content-length"]) == len(body)
    assert json.loads(body) == {"detail": "the headers are over 65536 bytes"}


@pytest.fixture(scope="module")
def two_ports(shared_topic: KafkaSettings, shared_database: DatabaseSettings) -> Iterator[Gateway]:
    """A gateway with an internal port."""
    with gateways.running(shared_topic, shared_database, internal_port=ports.reserve()) as running:
        yield running


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("inside", [False, True], ids=["public", "internal"])
def test_headers_that_never_end_are_answered_431_and_kept_nowhere(two_ports: Gateway, kind: str, inside: bool) -> None:
    process = psutil.Process(two_ports.process.pid)
    counted, before = two_ports.metric(REFUSED), process.memory_info().rss
    asked = two_ports.inside if inside else two_ports

    answer = _told(asked.port, ENDLESS[kind]())

    _check(answer)
    assert process.memory_info().rss - before < 16 * MIB
    assert two_ports.metric(REFUSED) == counted + 1
    assert two_ports.inside.get("/healthz").status == 200


def test_a_body_behind_headers_just_below_the_bound_is_taken(two_ports: Gateway) -> None:
    body = json.dumps({"expected": "x" * (4 * MIB - 100)}).encode()
    target = "/user_profiles/c?time_range=2022-03-22T12:00:00_2022-03-22T13:00:00"

    answer = two_ports.ask("POST", target, body, **{"X-Long": BELOW})

    assert answer.status == 200, answer.body


async def test_requests_one_after_the_other_may_have_as_many_headers_as_they_like() -> None:
    async with _listening(App()) as listener:

        def ask() -> tuple[list[int], bytes]:
            with contextlib.closing(
                http.client.HTTPConnection(ports.HOST, listener.config.port, timeout=20)
            ) as connection:
                statuses = [_status(connection) for _ in range(50)]
                return statuses, _told_over(connection.sock, _ever(b"GET / HTTP/1.1\r\n", b"X: y\r\n"))

        statuses, at_last = await asyncio.to_thread(ask)

    assert statuses == [200] * 50
    _check(at_last)


async def test_so_may_requests_that_do_not_wait_for_the_answers() -> None:
    request = b"POST / HTTP/1.1\r\nX: %s\r\nContent-Length: 2000\r\n\r\n%s" % (b"x" * 3_000, b"b" * 2_000)
    last = request.replace(b"POST / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nConnection: close\r\n")
    async with _listening(App()) as listener:
        answers = await asyncio.to_thread(_told, listener.config.port, [request * 300 + last])

    assert answers.count(b"HTTP/1.1 200 OK\r\n") == answers.count(b"\r\n\r\n2000\n") == 301


async def test_a_request_before_endless_headers_gets_its_own_answer_and_no_other() -> None:
    app = App()
    app.may_answer.clear()
    async with _listening(app) as listener:
        first = b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nX: "
        telling = asyncio.create_task(asyncio.to_thread(_told, listener.config.port, _ever(first, b"x" * 10_000)))
        await eventually.until(lambda: _will_close(listener))
        app.may_answer.set()
        answer = await telling

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"connection: close\r\n" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


async def test_requests_without_end_that_wait_for_no_answer_are_heard_up_to_a_bound() -> None:
    answers = await _answers_to_waiting(MORE_THAN_WAIT for _ in range(50))

    # Fewer may arrive: the connection ends with requests unread, and what was not sent yet goes with it.
    assert 0 < answers.count(b"HTTP/1.1 200 OK\r\n") <= MOST_HEARD


async def test_all_that_were_heard_are_answered_and_the_last_answer_says_that_it_is_the_last() -> None:
    answers = await _answers_to_waiting([MORE_THAN_WAIT])  # all of it is read

    assert bounds.QUEUED < answers.count(b"HTTP/1.1 200 OK\r\n") <= MOST_HEARD
    assert answers.count(b"connection: close\r\n") == 1


async def test_trailers_that_never_end_end_the_connection() -> None:
    app = App()
    async with _listening(app) as listener:
        first = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: "
        answer = await asyncio.to_thread(_told, listener.config.port, _ever(first, b"x" * 10_000))
        async with asyncio.timeout(20):
            await app.gone.wait()

    assert answer == b""
