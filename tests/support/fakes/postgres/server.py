"""The server: who is connected to it, and what goes wrong with it."""

import asyncio
from collections.abc import Callable, Collection
from typing import NamedTuple, cast

import psycopg

from stores import primary
from tests.support.fakes.postgres import refusals
from tests.support.fakes.postgres.connection import PATIENCE_S, FakeConnection
from tests.support.fakes.postgres.engine import Engine
from tests.support.fakes.postgres.messages import Delay, Fate, Message, Outcome
from tests.support.fakes.postgres.sessions import Session
from tests.support.fakes.postgres.tables import Tables


class _Strike(NamedTuple):
    """A fault to come, at a message."""

    query: str
    fate: Fate
    client: str | None
    delay: Delay


class FakePostgres:
    """See the package's docstring. All faults are ordered by plain calls, and strike at once."""

    def __init__(
        self,
        hours: Collection[int] | None = None,
        tombstones: Collection[int] = (),
        pause: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Tables for `hours` (None: for every hour). A message takes `pause()` seconds each way, work within it too."""
        self.engine = Engine(hours, tombstones, pause)
        self.sessions: list[Session] = []
        self.away = False
        self._vanished: list[str] = []
        self._strikes: list[_Strike] = []

    @property
    def tables(self) -> Tables:
        """What is committed at this moment. Ask for it anew after a failover."""
        return self.engine.tables

    async def connect(self, conninfo: str) -> primary.Connection:
        """`primary.Connect`."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self.engine.pace.moment()
        except TimeoutError as error:
            message = "connection timeout expired"
            raise psycopg.errors.ConnectionTimeout(message) from error
        if self.away or conninfo in self._vanished:
            raise refusals.connection_refused()
        session = Session(self.engine, conninfo, self.sessions.remove)
        self.sessions.append(session)
        return cast("primary.Connection", FakeConnection(self, session))

    # -- faults of a connection ----------------------------------------------------------------------------------------

    def strike(
        self,
        query: str,
        fate: Fate,
        client: str | None = None,
        late_s: float = 0.0,
        until: asyncio.Event | None = None,
    ) -> None:
        """Once, at the next message of that name (of that client), which is late on its way by seconds or an event."""
        self._strikes.append(_Strike(query, fate, client, Delay(late_s, until)))

    @property
    def struck(self) -> bool:
        """Whether every strike ordered has happened."""
        return not self._strikes

    def strike_no_more(self) -> None:
        """Forget the strikes that have not happened yet."""
        self._strikes.clear()

    def cut(self, client: str, *, delivered: bool = True) -> None:
        """The network drops the client's connections; what was on its way there arrives if `delivered`."""
        for session in self._of(client):
            session.desert(delivered=delivered)

    def vanish(self, client: str) -> None:
        """The client's process is killed, and with it its connections. It sends nothing any more, under this name."""
        self._vanished.append(client)
        self.cut(client)

    # -- faults of the server ------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """An orderly end: whoever waits for an answer is told (57P01). Connections are refused until `start`."""
        self.away = True
        self._terminate(refusals.shut_down)

    def crash(self) -> None:
        """An end without words: every connection is lost, and what was not committed."""
        self.away = True
        self._terminate(refusals.connection_lost)

    def start(self) -> None:
        self.away = False

    def freeze(self) -> None:
        """Nothing is done and nothing is answered until `thaw`; what arrives waits."""
        self.engine.pace.freeze()

    def thaw(self) -> None:
        self.engine.pace.thaw()

    def fail_over(self, lost: int = 0) -> None:
        """Another server takes over that never saw the last `lost` commits; every connection is lost."""
        self._terminate(refusals.connection_lost)
        self.engine.lose(lost)

    # -- connection.Network --------------------------------------------------------------------------------------------

    def deliver(self, session: Session, message: Message) -> asyncio.Future[Outcome]:
        for at, strike in enumerate(self._strikes):
            if strike.query == message.name and strike.client in (None, session.client):
                del self._strikes[at]
                return session.send(message, strike.fate, strike.delay)
        return session.send(message)

    async def cancel(self, session: Session) -> None:
        await self.engine.pace.moment()
        if self.away or session.client in self._vanished:
            raise refusals.connection_refused()
        session.cancel()
        await self.engine.pace.moment()

    def _of(self, client: str) -> list[Session]:
        return [session for session in self.sessions if session.client == client]

    def _terminate(self, farewell: Callable[[], psycopg.Error]) -> None:
        for session in list(self.sessions):
            session.terminate(farewell)
