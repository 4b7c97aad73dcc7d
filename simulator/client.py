"""A small HTTP/1.1 client for open-loop load: keep-alive connections, one request at a time on each, no futures.

It exists for its price: a request takes 8 us of CPU where aiohttp's client takes 50 (2 cores, `python -m
bench.simulator_client`), and the generator shares two cores with the system that it measures.
"""

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, cast

import httptools
import msgspec

# A server may close an idle connection at any moment (uvicorn after 5 s); a request written just then has an unknown
# outcome. So a connection that idled this long is closed here instead of being used again.
IDLE_SECONDS: Final = 2.0
CONNECT_SECONDS: Final = 5.0
_SWEEP_SECONDS: Final = 0.25


class Answer(msgspec.Struct, frozen=True):
    """What became of a request. `status` 0: no answer came; then `sent` says whether the server may have seen it."""

    status: int
    body: bytes
    sent: bool = True


Done = Callable[[Answer], None]


class _Request:
    __slots__ = ("data", "deadline", "done")

    def __init__(self, data: bytes, deadline: float, done: Done) -> None:
        self.data, self.deadline, self.done = data, deadline, done


class Pool:
    """Connections to one server, opened as they are needed, up to a number; beyond it requests wait in line."""

    def __init__(self, host: str, port: int, connections: int, waiting: int, tls: ssl.SSLContext | None = None) -> None:
        """At most `connections` requests are under way and `waiting` in line at a time; over TLS if `tls` is given."""
        self.trouble = ""
        """Why the last connection that could not be opened was not."""
        self._host, self._port, self._tls = host, port, tls
        self._connections, self._most_waiting = connections, waiting
        self._line: deque[_Request] = deque()
        self._idle: list[_Connection] = []
        self._open: set[_Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.Task[None] | None = None
        self._closed = False

    def start(self) -> None:
        """Watch over deadlines from now on. Needs a running event loop."""
        self._sweeper = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        """Close every connection; what is under way ends without an answer."""
        self._closed = True
        tasks = [task for task in (self._sweeper, *self._opening) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in list(self._open):
            connection.abort()
        self._fail_line(float("inf"))

    def submit(self, data: bytes, timeout: float, done: Done) -> bool:
        """Send a request when a connection is free; `done` is called once, with the answer or the lack of one.

        `timeout` in seconds counts from now, waiting included. False: the line is full and the request was not taken.
        """
        request = _Request(data, time.perf_counter() + timeout, done)
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:  # one that is closing stays in the list until its end has been told
                connection.send(request)
                return True
        if len(self._line) >= self._most_waiting:
            return False
        self._line.append(request)
        self._open_one()
        return True

    async def request(self, data: bytes, timeout: float) -> Answer:  # noqa: ASYNC109 - the deadline is the sweeper's
        """The same for callers that wait. Raises RuntimeError where the line is full."""
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if not self.submit(data, timeout, lambda answer: None if answered.done() else answered.set_result(answer)):
            message = "the line of waiting requests is full"
            raise RuntimeError(message)
        return await answered

    def freed(self, connection: "_Connection") -> None:
        """A connection has had its answer."""
        if self._line:
            connection.send(self._line.popleft())
        else:
            self._idle.append(connection)

    def lost(self, connection: "_Connection") -> None:
        """A connection is gone."""
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if self._line and not self._closed:
            self._open_one()

    def _open_one(self) -> None:
        if len(self._open) + len(self._opening) < self._connections:
            task = asyncio.create_task(self._connect())
            self._opening.add(task)
            task.add_done_callback(self._opened)

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        if self._line and not self._closed and len(self._opening) < len(self._line):
            self._open_one()

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, connection = await loop.create_connection(
                    lambda: _Connection(self), self._host, self._port, ssl=self._tls
                )
        except OSError as error:
            # TimeoutError is one too, and a certificate that is not trusted. The request that asked for this connection
            # was never sent.
            self.trouble = str(error) or repr(error)
            if self._line:
                self._line.popleft().done(Answer(0, b"", sent=False))
            return
        self._open.add(connection)
        self.freed(connection)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            now = time.perf_counter()
            for connection in [each for each in self._open if each.is_over(now)]:
                connection.abort()
            self._fail_line(now)

    def _fail_line(self, now: float) -> None:
        due = [request for request in self._line if request.deadline < now]
        if due:
            self._line = deque(request for request in self._line if request.deadline >= now)
        for request in due:
            request.done(Answer(0, b"", sent=False))


class _Connection(asyncio.Protocol):
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._transport: asyncio.Transport | None = None
        self._parser: Any = httptools.HttpResponseParser(self)
        self._request: _Request | None = None
        self._idle_since = time.perf_counter()
        self._body, self._complete, self._keep_alive = b"", False, True

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send(self, request: _Request) -> None:
        self._request = request
        if self._transport is None or self._transport.is_closing():
            self._finish(Answer(0, b"", sent=False))
            return
        self._transport.write(request.data)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def is_over(self, now: float) -> bool:
        """Whether the request is past its deadline, or the connection has idled too long."""
        if self._request is not None:
            return self._request.deadline < now
        return self._idle_since + IDLE_SECONDS < now

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._pool.lost(self)
        self._transport = None
        self._finish(Answer(0, b""))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            # No HTTP: what the request did is unknown.
            self.abort()
            return
        # Not in the parser's callback: it would take an error of `done` for one of its own.
        if self._complete:
            self._answered()

    def on_body(self, body: bytes) -> None:
        self._body = self._body + body if self._body else body

    def on_message_complete(self) -> None:
        # The parser knows this now and has forgotten it after the callback.
        self._keep_alive = self._parser.should_keep_alive()
        self._complete = True

    def _answered(self) -> None:
        answer = Answer(self._parser.get_status_code(), self._body)
        self._body, self._complete = b"", False
        if self._request is None or not self._keep_alive:
            self._pool.lost(self)
            self.abort()
            self._finish(answer)
            return
        self._finish(answer)
        self._idle_since = time.perf_counter()
        self._pool.freed(self)

    def _finish(self, answer: Answer) -> None:
        request, self._request = self._request, None
        if request is not None:
            request.done(answer)
