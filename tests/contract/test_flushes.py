"""Every `Flushes` under one contract, the fake of the unit tests included."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from psycopg.rows import class_row

from runtime.settings import DatabaseSettings
from stores import dead_letters, flush, hours, offsets
from stores.copying import Item
from tests.contract.flushes import CONSUMER, HOUR, FlushesContract, Store
from tests.support.fakes.database import Database, FakeFlushes
from tests.support.fakes.postgres import FakePostgres


class Memory:
    """`Store` of the fake."""

    def __init__(self) -> None:
        self._database = Database(hours=[HOUR])

    def flushes(self, consumer: offsets.Consumer = CONSUMER) -> flush.Flushes:
        return FakeFlushes(self._database, consumer)

    async def sums(self) -> dict[Item, tuple[int, int]]:
        return self._database.sums

    async def totals(self) -> dict[tuple[int, str, int], tuple[int, int]]:
        return self._database.totals

    async def letters(self) -> dict[tuple[int, int], dead_letters.Letter]:
        return self._database.letters


class Server:
    """`Store` of the fake server."""

    def __init__(self) -> None:
        self._server = FakePostgres(hours=[HOUR])

    def flushes(self, consumer: offsets.Consumer = CONSUMER) -> flush.Flushes:
        return flush.PostgresFlushes("worker", consumer, connect=self._server.connect)

    async def sums(self) -> dict[Item, tuple[int, int]]:
        return self._server.tables.sums

    async def totals(self) -> dict[tuple[int, str, int], tuple[int, int]]:
        return self._server.tables.totals

    async def letters(self) -> dict[tuple[int, int], dead_letters.Letter]:
        return {(letter.partition, letter.offset): letter for letter in self._server.tables.letters.values()}


class Postgres:
    """`Store` of a real database; `everything` closes the connections of its workers."""

    def __init__(self, conninfo: str, everything: contextlib.AsyncExitStack) -> None:
        self._conninfo, self._everything = conninfo, everything

    def flushes(self, consumer: offsets.Consumer = CONSUMER) -> flush.Flushes:
        made = flush.PostgresFlushes(self._conninfo, consumer)
        self._everything.push_async_callback(made.close)
        return made

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

    async def _rows(self, query: str) -> list[tuple[Any, ...]]:
        async with await psycopg.AsyncConnection.connect(self._conninfo) as conn:
            return await (await conn.execute(query)).fetchall()


class TestFakeFlushes(FlushesContract):
    @pytest.fixture
    def store(self) -> Store:
        return Memory()


class TestFlushesOnFakePostgres(FlushesContract):
    @pytest.fixture
    def store(self) -> Store:
        return Server()


class TestPostgresFlushes(FlushesContract):
    @pytest_asyncio.fixture
    async def store(self, database: DatabaseSettings) -> AsyncIterator[Store]:
        async with await psycopg.AsyncConnection.connect(database.conninfo(), autocommit=True) as conn:
            await hours.ensure_hours(conn, [HOUR])
        async with contextlib.AsyncExitStack() as everything:
            yield Postgres(database.conninfo(), everything)
