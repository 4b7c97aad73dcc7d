"""The network between consumers and a `Broker`: delays of the seed's choice, cuts, and silence.

Stands in for aiokafka.conn.AIOKafkaConnection, the lowest part of aiokafka. As a broker does, it takes up the next
request of a connection when the one before is answered.
"""

import asyncio
import contextvars
import random
from collections import deque
from collections.abc import Callable
from typing import Any

from aiokafka import errors
from aiokafka.conn import CloseReason
from aiokafka.util import wait_for

from tests.simulation.broker import VERSIONS, Broker
from tests.simulation.scheduler import CURRENT, WORLD, Strand


class Network:
    """`away`: connections are refused and cut; `silent`: nothing arrives until it is over."""

    def __init__(self, loop: asyncio.AbstractEventLoop, broker: Broker, seed: int, slowest_s: float = 0.01) -> None:
        self.loop, self.broker = loop, broker
        self.random = random.Random(f"{seed}/network")  # noqa: S311
        self.slowest_s = slowest_s
        self.connections: list[Connection] = []
        self.away = False
        self.silent = False
        self.context = WORLD.context()
        self._kept: list[Callable[[], None]] = []

    def later(self, call: Callable[..., None], *args: Any) -> None:
        """On the way for a while."""
        self.loop.call_later(self.random.random() * self.slowest_s, self._arrive, call, args, context=self.context)

    def _arrive(self, call: Callable[..., None], args: tuple[Any, ...]) -> None:
        if self.silent:
            self._kept.append(lambda: call(*args))
        else:
            call(*args)

    def go_away(self) -> None:
        """The broker's process ends: every connection breaks."""
        self.away = True
        self.cut(list(self.connections))

    def come_back(self) -> None:
        self.away = self.silent = False
        kept, self._kept = self._kept, []
        for call in kept:
            call()

    def cut(self, connections: "list[Connection]") -> None:
        for connection in connections:
            self.connections.remove(connection)
            self.loop.call_soon(connection.broken, context=connection.owner)

    def forget(self, dead: Callable[[Strand], bool]) -> None:
        """A process is gone, and its connections with it."""
        self.connections = [each for each in self.connections if not dead(each.strand)]

    async def ask(self, look: Callable[[], None], patience_s: float = 3.0) -> bool:
        """`look` at the broker from the other side of the network; false where no answer came back."""
        answered: asyncio.Future[bool] = self.loop.create_future()

        def asked() -> None:
            there = not self.away
            if there:
                look()
            self.later(lambda: None if answered.done() else answered.set_result(there and not self.away))

        self.later(asked)
        try:
            async with asyncio.timeout(patience_s):
                return await answered
        except TimeoutError:
            return False

    async def connect(self, _host: str, _port: int, **options: Any) -> "Connection":
        """aiokafka.conn.create_conn. Raises KafkaConnectionError."""
        future = self.loop.create_future()
        self.later(lambda: None if future.done() else future.set_result(None))
        await wait_for(future, options["request_timeout_ms"] / 1000)
        if self.away:
            message = "the broker is away"
            raise errors.KafkaConnectionError(message)
        connection = Connection(self, **options)
        self.connections.append(connection)
        return connection


class Connection:
    """Requests wait in `_sent` until their turn comes."""

    def __init__(
        self,
        network: Network,
        *,
        client_id: str,
        request_timeout_ms: int,
        on_close: Callable[["Connection", Any], None] | None = None,
        **_: Any,
    ) -> None:
        self._network, self._client, self._timeout_s = network, client_id, request_timeout_ms / 1000
        self._on_close = on_close
        self._sent: deque[tuple[Any, asyncio.Future[Any]]] = deque()
        self._busy = False
        self._open = True
        self._closed: asyncio.Future[None] = network.loop.create_future()
        self.owner = contextvars.copy_context()
        self.strand: Strand = CURRENT.get()

    def connected(self) -> bool:
        return self._open

    def send(self, request: Any, expect_response: bool = True) -> Any:
        if not self._open:
            message = "no connection"
            raise errors.KafkaConnectionError(message)
        future = self._network.loop.create_future()
        if not self.strand.dead:
            self._sent.append((request.prepare(VERSIONS), future))
            self._network.later(self._arrived)
        return wait_for(future, self._timeout_s)

    def close(self, reason: Any = None, exc: BaseException | None = None) -> "asyncio.Future[None]":
        if self._open:
            self._open = False
            if self in self._network.connections:
                self._network.connections.remove(self)
            for _, future in self._sent:
                if not future.done():
                    future.set_exception(errors.KafkaConnectionError("connection closed"))
            self._sent.clear()
            if self._on_close is not None:
                self._on_close(self, reason)
            self._closed.set_result(None)
        return self._closed

    def broken(self) -> None:
        self.close(CloseReason.CONNECTION_BROKEN)

    def _arrived(self) -> None:
        if not self._busy and self._open and self._sent:
            self._busy = True
            request, future = self._sent[0]
            self._network.broker.handle(
                request, self._client, lambda told: self._network.later(self._answered, told, future)
            )

    def _answered(self, told: Any, future: "asyncio.Future[Any]") -> None:
        self._busy = False
        if self._open and self._sent and self._sent[0][1] is future:
            self._sent.popleft()
            if not future.done():
                future.set_result(told)
            self._arrived()
