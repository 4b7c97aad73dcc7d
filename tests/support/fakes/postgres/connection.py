"""The client's end of a connection: what of psycopg.AsyncConnection and its cursors the stores use.

It follows psycopg 3.3 where its ways show: what a cancelled call does (a cancel request, then five seconds for the
answer, then the connection is closed), which status a connection is in afterwards, and what is raised.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Final, Protocol, Self

import psycopg
from psycopg.pq import TransactionStatus

from runtime import logging
from tests.support.fakes.postgres import refusals, statements
from tests.support.fakes.postgres.messages import Message, Outcome, Result
from tests.support.fakes.postgres.sessions import Session

PATIENCE_S: Final = 5.0
"""What psycopg gives a cancel request, and then the query that was cancelled."""
_log = logging.get_logger(__name__)


class Network(Protocol):
    """What lies between the two ends."""

    def deliver(self, session: Session, message: Message) -> asyncio.Future[Outcome]:
        """The answer to come."""

    async def cancel(self, session: Session) -> None:
        """Bring a cancel request to the server. Raises psycopg.Error where that is not to be reached."""


class FakeConnection:
    """`psycopg.AsyncConnection` with autocommit. One exchange at a time; others wait for their turn."""

    def __init__(self, network: Network, session: Session) -> None:
        self._network, self._session = network, session
        self._turn = asyncio.Lock()
        self._status = TransactionStatus.IDLE
        self._asking = False
        self._closed = False

    @property
    def info(self) -> Self:
        return self

    @property
    def transaction_status(self) -> TransactionStatus:
        if self._closed:
            return TransactionStatus.UNKNOWN
        return TransactionStatus.ACTIVE if self._asking else self._status

    @property
    def closed(self) -> bool:
        return self._closed

    def cursor(self) -> "FakeCursor":
        self._check_open()
        return FakeCursor(self)

    async def execute(self, query: str, params: Mapping[str, Any] | None = None) -> "FakeCursor":
        return await self.cursor().execute(query, params)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        async with self._turn:
            assert self.transaction_status is TransactionStatus.IDLE, "no transactions in transactions"
            try:
                await self.exchange(statements.message("BEGIN", None))
            except BaseException:
                await self._roll_back()
                raise
        try:
            yield
        except BaseException:
            async with self._turn:
                await self._roll_back()
            raise
        if not self._closed:
            async with self._turn:
                await self.exchange(statements.message("COMMIT", None))

    async def close(self) -> None:
        self._closed = True
        self._session.desert()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._closed and self.transaction_status is not TransactionStatus.IDLE:
            await self.execute("COMMIT" if error is None else "ROLLBACK")
        await self.close()

    async def in_turn(self, message: Callable[[], Message]) -> list[Result]:
        """One exchange, when those before it are through."""
        async with self._turn:
            return await self.exchange(message())

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Several exchanges between which there is no other."""
        async with self._turn:
            yield

    async def exchange(self, message: Message) -> list[Result]:
        """A message and its answer, for who has the turn."""
        self._check_open()
        self._asking = True
        answer = self._network.deliver(self._session, message)
        try:
            outcome = await asyncio.shield(answer)
        except asyncio.CancelledError:
            await self._call_off(answer)
            raise
        return self._learn(outcome)

    async def _call_off(self, answer: asyncio.Future[Outcome]) -> None:
        try:
            await self._request_cancel()
            async with asyncio.timeout(PATIENCE_S):
                self._learn(await asyncio.shield(answer))
        except psycopg.errors.QueryCanceled:
            pass  # as was asked for
        except BaseException as error:
            await self.close()
            if not isinstance(error, Exception):
                raise

    async def _request_cancel(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._network.cancel(self._session)
        except (TimeoutError, psycopg.Error) as error:
            _log.debug("query cancellation failed", error=str(error))

    def _learn(self, outcome: Outcome) -> list[Result]:
        self._asking, self._status = False, outcome.status
        if not outcome.alive:
            self._closed = True
        if outcome.error is not None:
            raise outcome.error
        return outcome.results

    async def _roll_back(self) -> None:
        if self._closed:
            return
        try:
            await self.exchange(statements.message("ROLLBACK", None))
        except psycopg.Error as error:
            _log.debug("error ignored in rollback", error=str(error))

    def _check_open(self) -> None:
        if self._closed:
            raise refusals.connection_closed()


class FakeCursor:
    """`psycopg.AsyncClientCursor`."""

    def __init__(self, connection: FakeConnection) -> None:
        self._connection = connection
        self._results: list[Result] = []
        self._at = 0

    @property
    def statusmessage(self) -> str | None:
        return self._results[self._at].tag if self._results else None

    async def execute(self, query: str, params: Mapping[str, Any] | None = None) -> Self:
        self._results = await self._connection.in_turn(lambda: statements.message(query, _dumped(params)))
        self._at = 0
        return self

    async def fetchall(self) -> list[tuple[Any, ...]]:
        return self._results[self._at].rows

    def nextset(self) -> bool | None:
        if self._at + 1 < len(self._results):
            self._at += 1
            return True
        return None

    @asynccontextmanager
    async def copy(self, query: str) -> AsyncIterator["FakeCopy"]:
        async with self._connection.held():
            await self._connection.exchange(statements.message(query, None))
            copy = FakeCopy()
            try:
                yield copy
            except BaseException as error:
                await self._give_up_copy(error)
                raise
            self._results = await self._connection.exchange(statements.copy_end(copy.stream()))

    async def _give_up_copy(self, error: BaseException) -> None:
        try:
            await self._connection.exchange(statements.copy_fail(f"{type(error).__qualname__} - {error}"))
        except psycopg.Error as another:
            _log.debug("error ignored terminating a copy", error=str(another))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class FakeCopy:
    """`psycopg.AsyncCopy` into a table."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    async def write(self, data: bytes) -> None:
        self._parts.append(data)
        await asyncio.sleep(0)

    def stream(self) -> bytes:
        return b"".join(self._parts)


def _dumped(params: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """What psycopg refuses to put into a query, before anything is sent."""
    given = params or {}
    for value in given.values():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str) and "\0" in each:
                message = "PostgreSQL text fields cannot contain NUL (0x00) bytes"
                raise psycopg.DataError(message)
    return given
