"""The exactly-once write: deltas, minute totals, dead letters and the offsets they come from, in one transaction.

`Flushes` is the port, `PostgresFlushes` the adapter. The order inside a write is the design's: the rows first, then in
one round trip the offsets, the small tables and the COMMIT, so that no row lock is held while the client thinks.
"""

import asyncio
import struct
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec
import psycopg
from psycopg.pq import TransactionStatus

from runtime import logging, tracebacks
from stores import copying, dead_letters, errors, offsets, primary, queries

_SQL: Final = queries.load("flush")
_OFFSET_MOVED: Final = "AZ001"
_FAILURES: Final = (psycopg.Error, TimeoutError)
_NOT_COMMITTED: Final = (TransactionStatus.INERROR, TransactionStatus.INTRANS)
"""The server said that it rolled back; or has said nothing behind BEGIN and COPY, as the last message was never sent:
psycopg refused to put a value into it."""
_log = logging.get_logger(__name__)


class Move(msgspec.Struct, frozen=True):
    """One partition's offset goes from `start` to `end` if it still is at `start`."""

    partition: int
    start: int
    end: int


class MinuteTotal(msgspec.Struct, frozen=True):
    """What one partition adds to one minute and action."""

    minute: int
    action: str
    partition: int
    count: int
    sum_price: int


class Flush(msgspec.Struct, frozen=True):
    """One write: `rows` are `(item, count, sum of prices)`; `moves` is never empty."""

    rows: Sequence[tuple[copying.Item, int, int]]
    totals: Sequence[MinuteTotal]
    moves: Sequence[Move]
    letters: Sequence[dead_letters.Letter]


class Flushes(Protocol):
    """Where the aggregates worker writes, and where it asks how far it got.

    Every method may raise `errors.StoreUnavailable`: nothing of the call has happened, try again later.
    """

    async def open(self, starts: Mapping[int, int]) -> dict[int, int]:
        """The next offset of each partition in `starts`; one that has no row yet gets one with the offset given.

        Raises `errors.TopicReplaced` where the group has offsets on a topic with another id.
        """

    async def letter_runs(
        self, ends: Mapping[int, int], at_most: int, uncounted: Collection[str] = ()
    ) -> dict[int, int]:
        """How many of the group's waiting dead letters lie in a row below each offset; see `dead_letters.runs`."""

    async def write(self, flush: Flush) -> None:
        """All of `flush`, or nothing.

        Raises `errors.OffsetMoved` (an offset was not at the move's start; nothing written), `errors.OutcomeUnknown`
        (the connection went while the transaction ended: written or not), `errors.HourMissing` (an event-time hour has
        no table; nothing written), `errors.BadData` (PostgreSQL refuses a value; nothing written).
        """

    async def settled(self, partitions: Sequence[int]) -> dict[int, int]:
        """The stored next offsets, after every older transaction on them has ended one way or the other."""

    async def close(self) -> None:
        """Let go of the connection."""


class PostgresFlushes:
    """`Flushes` on one connection to the primary, made anew after every failure.

    What locks offsets is one message each, with its own COMMIT: a client that stops between two holds up nobody.
    """

    def __init__(
        self,
        conninfo: str,
        consumer: offsets.Consumer,
        patience: float = 30.0,
        connect: primary.Connect = primary.connect,
    ) -> None:
        """`patience` is how many seconds one exchange with a silent server may take; a frozen one never answers."""
        self._conninfo, self._consumer, self._patience, self._connect = conninfo, consumer, patience, connect
        self._conn: primary.Connection | None = None

    async def open(self, starts: Mapping[int, int]) -> dict[int, int]:
        try:
            async with asyncio.timeout(self._patience):
                conn, of = await self._connected(), self._consumer
                if others := await offsets.other_topics(conn, of):
                    raise errors.TopicReplaced(of.group, of.topic, str(of.topic_id), others)
                await offsets.insert_missing(conn, of, starts)
                return await offsets.read_settled(conn, of, starts)
        except _FAILURES as error:
            raise await self._given_up(error) from error

    async def letter_runs(
        self, ends: Mapping[int, int], at_most: int, uncounted: Collection[str] = ()
    ) -> dict[int, int]:
        try:
            async with asyncio.timeout(self._patience):
                return await dead_letters.runs(await self._connected(), self._consumer, ends, at_most, uncounted)
        except _FAILURES as error:
            raise await self._given_up(error) from error

    async def settled(self, partitions: Sequence[int]) -> dict[int, int]:
        try:
            async with asyncio.timeout(self._patience):
                return await offsets.read_settled(await self._connected(), self._consumer, partitions)
        except _FAILURES as error:
            raise await self._given_up(error) from error

    async def write(self, flush: Flush) -> None:
        rows = _encoded(flush)
        try:
            async with asyncio.timeout(self._patience):
                conn = await self._connected()
                await conn.execute(_SQL["begin"])
                if flush.rows:
                    async with conn.cursor() as cursor, cursor.copy(_SQL["copy_deltas"]) as copy:
                        await copy.write(rows)
        except _FAILURES as error:
            raise await self._given_up(error) from error
        await self._finish(conn, flush)

    async def close(self) -> None:
        if self._conn is not None:
            await self._conn.close()
            self._conn = None

    async def _finish(self, conn: primary.Connection, flush: Flush) -> None:
        """Offsets, small tables and COMMIT in one message: a client that stops after it holds no lock, nor before it.

        Not in psycopg's pipeline mode, which sends each statement by itself: a client stopped between the two would
        hold the offsets' rows, and no timeout of PostgreSQL's counts while it waits inside a pipeline.
        """
        try:
            async with asyncio.timeout(self._patience):
                cursor = await conn.execute(_SQL["advance_and_commit"], _parameters(self._consumer, flush))
                while cursor.nextset():
                    pass
        except _FAILURES as error:
            if conn.info.transaction_status in _NOT_COMMITTED:
                raise await self._given_up(error) from error
            await self.close()
            raise errors.OutcomeUnknown(str(error)) from error
        if cursor.statusmessage != "COMMIT":  # a COMMIT of a failed transaction is answered with ROLLBACK, not an error
            message = f"COMMIT was answered with {cursor.statusmessage}"
            raise errors.OutcomeUnknown(message)

    async def _given_up(self, error: psycopg.Error | TimeoutError) -> errors.StoreError:
        """End the failed transaction and say what its failure means. An error that means nothing here is raised."""
        meaning = _meaning(error)
        if isinstance(meaning, errors.StoreUnavailable) or self._conn is None:
            await self.close()
        else:
            await self._rolled_back(self._conn)
        if meaning is None:
            raise error
        return meaning

    async def _rolled_back(self, conn: primary.Connection) -> None:
        try:
            if conn.info.transaction_status is not TransactionStatus.IDLE:
                async with asyncio.timeout(self._patience):
                    await conn.execute(_SQL["rollback"])
        except _FAILURES as error:
            _log.warning("rollback failed, connection dropped", error=tracebacks.words(error))
            await self.close()

    async def _connected(self) -> primary.Connection:
        # A call that was cancelled half way leaves its transaction open: that connection is not to be gone on with.
        if self._conn is not None and self._conn.info.transaction_status is not TransactionStatus.IDLE:
            await self.close()
        if self._conn is None:
            conn = await self._connect(self._conninfo)
            try:
                await conn.execute(_SQL["session"])
            except BaseException:  # cancelled too: a session without its timeouts is not to be gone on with
                await conn.close()
                raise
            self._conn = conn
        return self._conn


def _encoded(flush: Flush) -> bytes:
    """The rows as COPY takes them, made before the transaction begins."""
    try:
        return copying.encode(flush.rows)
    except struct.error as error:  # a minute that no timestamptz can be, from an event time of any 64 bits
        raise errors.BadData(str(error)) from error


def _meaning(error: psycopg.Error | TimeoutError) -> errors.StoreError | None:
    """What a failure before the end of a transaction means; None: a defect or a missing right, nothing to retry."""
    if isinstance(error, TimeoutError):
        return errors.StoreUnavailable("PostgreSQL did not answer in time")
    state = error.sqlstate or ""
    if state == _OFFSET_MOVED:
        return errors.OffsetMoved(str(error))
    # No partition takes the row: no constraint has a name then, in whatever language the server says so.
    if isinstance(error, psycopg.errors.CheckViolation) and error.diag.constraint_name is None:
        return errors.HourMissing(str(error))
    if state.startswith("23") or errors.refuses_value(error):
        return errors.BadData(str(error))
    if errors.is_passing(error):
        return errors.StoreUnavailable(str(error))
    return None


def _parameters(consumer: offsets.Consumer, flush: Flush) -> dict[str, Any]:
    return {
        "group": consumer.group,
        "topic": consumer.topic,
        "topic_id": consumer.topic_id,
        **_columns("move", flush.moves, Move),
        **_columns("total", flush.totals, MinuteTotal),
        **dead_letters.columns(flush.letters),
    }


def _columns(prefix: str, values: Sequence[msgspec.Struct], kind: type[msgspec.Struct]) -> dict[str, list[Any]]:
    """A parameter a field, each a list over all values: `move_partitions`, `total_counts`, ..."""
    return {f"{prefix}_{_PLURALS[name]}": [getattr(value, name) for value in values] for name in kind.__struct_fields__}


_PLURALS: Final = {
    "partition": "partitions",
    "start": "starts",
    "end": "ends",
    "minute": "minutes",
    "action": "actions",
    "count": "counts",
    "sum_price": "sums",
}
