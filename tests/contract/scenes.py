"""A `Scene` and a `Restorable`, twice: on a real server behind a proxy, and on the server in memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Literal, cast

import psycopg
from psycopg.rows import class_row

from runtime.settings import DatabaseSettings
from stores import dead_letters, flush, offsets
from stores.copying import Item
from tests.contract.flushes import CONSUMER, HOUR
from tests.support.fakes.postgres import FakePostgres, Fate, Message, Result, Session
from tests.support.fakes.postgres.connection import FakeConnection
from tests.support.fakes.postgres.tables import Offset
from tests.support.proxy import Fault, Proxy

PATIENCE_S: Final = 20.0
WORDS: Final = {
    "begin": b"BEGIN",
    "copy_deltas": b"COPY aggregate_deltas",
    "advance_and_commit": b"advance_flush",
    "commit": b"COMMIT",
}
FATES: Final = {
    Fault.CUT_BEFORE: Fate.CUT_BEFORE,
    Fault.CUT_AFTER: Fate.CUT_AFTER,
    Fault.CUT_LATE: Fate.CUT_AFTER,
    Fault.FREEZE: Fate.DELIVERED,
}
_UPSERT: Final = """
INSERT INTO pipeline_offsets VALUES ('aggregates', '00000000-0000-0000-0000-000000000007', %s, %s)
    ON CONFLICT (consumer_group, topic_id, partition) DO UPDATE SET next_offset = excluded.next_offset
"""
_END_ALL: Final = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_END_THOSE_WHO_WAIT: Final = f"{_END_ALL} AND wait_event_type = 'Lock'"

_TABLES: Final = ("aggregate_deltas", "minute_totals", "pipeline_offsets", "dead_letters")


class Real:
    """On a database whose workers' connections `everything` closes."""

    a_while_s = 0.05

    def __init__(self, database: DatabaseSettings, way: Proxy, everything: contextlib.AsyncExitStack) -> None:
        self._database, self._way, self._everything = database, way, everything
        self._conninfo = database.conninfo()

    def flushes(self, consumer: offsets.Consumer = CONSUMER) -> flush.Flushes:
        return self._made(self._database, consumer)

    def worker(self) -> flush.Flushes:
        return self._made(self._database.model_copy(update={"db_port": self._way.port}), CONSUMER)

    def order(self, query: str, fault: Fault) -> None:
        self._way.fail_at(WORDS[query], fault)

    @property
    def struck(self) -> bool:
        return self._way.struck.is_set()

    def thaw(self) -> None:
        self._way.thaw()

    @asynccontextmanager
    async def older(self, partition: int, next_offset: int) -> AsyncIterator["RealTransaction"]:
        conn = await psycopg.AsyncConnection.connect(self._conninfo)
        try:
            await conn.execute(_UPSERT, [partition, next_offset])
            yield RealTransaction(conn)
        finally:
            await conn.close()

    async def waiting(self) -> int:
        [(count,)] = await self._rows(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(count)

    async def end_sessions(self) -> None:
        """Who waits goes first: it must not get what it waits for by another's end."""
        for others in (_END_THOSE_WHO_WAIT, _END_ALL):
            await self._rows(others)

    async def keep(self) -> None:
        for table in _TABLES:
            await self._do(f"CREATE TABLE kept_{table} AS TABLE {table}")

    async def fail_over(self) -> None:
        """Of a server alone: all that workers can tell from a takeover by one that is behind."""
        await self.end_sessions()
        for table in _TABLES:
            await self._do(f"TRUNCATE {table}")
            await self._do(f"INSERT INTO {table} OVERRIDING SYSTEM VALUE TABLE kept_{table}")

    async def sums(self) -> dict[Item, tuple[int, int]]:
        rows = await self._rows(
            "SELECT extract(epoch FROM time)::bigint / 60, action, origin, brand_id, category_id, count, sum_price"
            " FROM aggregates"
        )
        return {(minute, *names): (int(count), int(price)) for minute, *names, count, price in rows}

    async def totals(self) -> dict[tuple[int, str, int], tuple[int, int]]:
        rows = await self._rows(
            "SELECT extract(epoch FROM time)::bigint / 60, action, partition, count, sum_price FROM minute_totals"
        )
        return {(minute, action, partition): (count, price) for minute, action, partition, count, price in rows}

    async def letters(self) -> dict[tuple[int, int], dead_letters.Letter]:
        async with (
            await psycopg.AsyncConnection.connect(self._conninfo) as conn,
            conn.cursor(row_factory=class_row(dead_letters.Letter)) as cursor,
        ):
            await cursor.execute('SELECT partition, "offset", key, value, reason, detail FROM dead_letters')
            return {(letter.partition, letter.offset): letter for letter in await cursor.fetchall()}

    def _made(self, database: DatabaseSettings, consumer: offsets.Consumer) -> flush.Flushes:
        made = flush.PostgresFlushes(database.conninfo(), consumer, PATIENCE_S)
        self._everything.push_async_callback(made.close)
        return made

    async def _do(self, statement: str) -> None:
        async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as conn:
            await conn.execute(statement.encode())

    async def _rows(self, query: str) -> list[tuple[Any, ...]]:
        async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as conn:
            return await (await conn.execute(query.encode())).fetchall()


class RealTransaction:
    """`flushes_in_trouble.Older`."""

    def __init__(self, conn: psycopg.AsyncConnection[Any]) -> None:
        self._conn = conn

    async def end(self, how: Literal["COMMIT", "ROLLBACK"]) -> None:
        await (self._conn.commit() if how == "COMMIT" else self._conn.rollback())


class InMemory:
    """On the server in memory."""

    a_while_s = 0.01

    def __init__(self) -> None:
        self._server = FakePostgres(hours=[HOUR])
        self._thawed = asyncio.Event()
        self._kept = 0

    def flushes(self, consumer: offsets.Consumer = CONSUMER) -> flush.Flushes:
        return flush.PostgresFlushes("others", consumer, PATIENCE_S, connect=self._server.connect)

    def worker(self) -> flush.Flushes:
        return flush.PostgresFlushes("worker", CONSUMER, PATIENCE_S, connect=self._server.connect)

    def order(self, query: str, fault: Fault) -> None:
        held = fault in (Fault.CUT_LATE, Fault.FREEZE)
        self._server.strike(query, FATES[fault], "worker", until=self._thawed if held else None)

    @property
    def struck(self) -> bool:
        return self._server.struck

    def thaw(self) -> None:
        self._thawed.set()

    @asynccontextmanager
    async def older(self, partition: int, next_offset: int) -> AsyncIterator["FakeTransaction"]:
        conn = cast("FakeConnection", await self._server.connect("older"))
        key = Offset(CONSUMER.group, CONSUMER.topic_id, partition)

        async def upsert(session: Session) -> list[Result]:
            await session.lock(key)
            session.changes.offsets[key] = next_offset
            return []

        await conn.execute("BEGIN")
        await conn.in_turn(lambda: Message("upsert", upsert))
        yield FakeTransaction(conn)
        await conn.close()

    async def waiting(self) -> int:
        return self._server.engine.locks.waits

    async def end_sessions(self) -> None:
        self._server.stop()
        self._server.start()

    async def keep(self) -> None:
        self._kept = len(self._server.engine.commits)

    async def fail_over(self) -> None:
        self._server.fail_over(len(self._server.engine.commits) - self._kept)

    async def sums(self) -> dict[Item, tuple[int, int]]:
        return self._server.tables.sums

    async def totals(self) -> dict[tuple[int, str, int], tuple[int, int]]:
        return self._server.tables.totals

    async def letters(self) -> dict[tuple[int, int], dead_letters.Letter]:
        return {(letter.partition, letter.offset): letter for letter in self._server.tables.letters.values()}


class FakeTransaction:
    """`flushes_in_trouble.Older`."""

    def __init__(self, conn: FakeConnection) -> None:
        self._conn = conn

    async def end(self, how: Literal["COMMIT", "ROLLBACK"]) -> None:
        await self._conn.execute(how)
