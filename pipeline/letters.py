"""Dead letters of a group that keeps its place in Kafka: written before the offset is moved past their records."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import psycopg

from stores import dead_letters, errors, offsets, primary


class PostgresLetters:
    """`profiles_sink.Letters`, on a connection of its own a call: broken records are rare."""

    def __init__(
        self,
        conninfo: str,
        consumer: offsets.Consumer,
        patience_s: float = 30.0,
        connect: primary.Connect = primary.connect,
    ) -> None:
        self._conninfo, self._consumer, self._patience_s, self._connect = conninfo, consumer, patience_s, connect

    async def write(self, letters: Sequence[dead_letters.Letter]) -> None:
        """See `profiles_sink.Letters`."""
        async with self._transaction() as conn:
            await dead_letters.write(conn, self._consumer, letters)

    async def runs(self, ends: Mapping[int, int], at_most: int) -> dict[int, int]:
        """See `profiles_sink.Letters`."""
        async with self._transaction() as conn:
            return await dead_letters.runs(conn, self._consumer, ends, at_most)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[primary.Connection]:
        try:
            async with (
                asyncio.timeout(self._patience_s),
                await self._connect(self._conninfo) as conn,
                conn.transaction(),
            ):
                yield conn
        except (psycopg.Error, TimeoutError) as error:
            if isinstance(error, psycopg.Error) and not errors.is_passing(error):
                raise
            raise errors.StoreUnavailable(str(error) or "PostgreSQL did not answer in time") from error
