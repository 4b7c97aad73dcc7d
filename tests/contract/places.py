"""Servers for the contracts of hours and of letters: the real one, and the one in memory."""

import uuid
from typing import Any, Final

import psycopg

from pipeline import hours
from pipeline.letters import PostgresLetters
from pipeline.settings import AggregatesSettings
from runtime.settings import DatabaseSettings
from stores import offsets
from tests.support.fakes.postgres import FakePostgres
from tests.support.fakes.postgres.tables import Hour

TOPIC_ID: Final = uuid.UUID(int=7)


class Real:
    """`hours.Place` and `letters.Place`."""

    def __init__(self, database: DatabaseSettings) -> None:
        self._database = database

    def keeper(self) -> hours.PostgresHours:
        chosen = self._database.model_dump(exclude={"environment"})
        return hours.PostgresHours(AggregatesSettings(environment="local", **chosen))

    def letters(self, group: str = "profiles") -> PostgresLetters:
        return PostgresLetters(self._database.conninfo(), offsets.Consumer(group, "user-tags", TOPIC_ID))

    async def made(self) -> set[int]:
        rows = await self._rows(
            "SELECT (extract(epoch FROM hour) / 3600)::bigint FROM aggregate_hours WHERE dropped_at IS NULL"
        )
        return {hour for (hour,) in rows}

    async def drop(self, hour: int) -> None:
        await self._rows(
            "INSERT INTO aggregate_hours (hour, dropped_at) VALUES (to_timestamp(%s), now()) RETURNING hour",
            hour * 3600,
        )

    async def stored(self) -> list[tuple[str, int]]:
        rows = await self._rows('SELECT consumer_group, "offset" FROM dead_letters ORDER BY 1, 2')
        return [(group, offset) for group, offset in rows]

    async def leave(self) -> None:
        self._database = self._database.model_copy(update={"db_port": 1})

    async def _rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        async with await psycopg.AsyncConnection.connect(self._database.conninfo()) as conn:
            return await (await conn.execute(query.encode(), parameters)).fetchall()


class InMemory:
    """`hours.Place` and `letters.Place`."""

    def __init__(self) -> None:
        self._server = FakePostgres(hours=[])

    def keeper(self) -> hours.PostgresHours:
        return hours.PostgresHours(AggregatesSettings(environment="local"), self._server.connect)

    def letters(self, group: str = "profiles") -> PostgresLetters:
        of = offsets.Consumer(group, "user-tags", TOPIC_ID)
        return PostgresLetters("client", of, connect=self._server.connect)

    async def made(self) -> set[int]:
        return {hour for hour, state in self._hours.items() if state is Hour.MADE}

    async def drop(self, hour: int) -> None:
        self._hours[hour] = Hour.TOMBSTONED

    async def stored(self) -> list[tuple[str, int]]:
        return sorted((key.group, key.offset) for key in self._server.tables.letters)

    async def leave(self) -> None:
        self._server.stop()

    @property
    def _hours(self) -> dict[int, Hour]:
        assert self._server.tables.hours is not None
        return self._server.tables.hours
