"""Records that a group steps over: what is kept of them, and why.

The aggregates group's are written with the offset that is moved past them, in its flush; the profiles group's, which
keeps its place in Kafka, before that.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import psycopg

from pipeline import batches
from stores import dead_letters, errors, offsets, primary

UNDECODABLE: Final = "undecodable"
HOUR_GONE: Final = "hour_gone"
REFUSED: Final = "refused_by_store"


def of_record(partition: int, record: batches.Record, reason: str, detail: str) -> dead_letters.Letter:
    """The whole record, with one of the reasons above."""
    return dead_letters.Letter(partition, record.offset, record.key, record.value, reason, detail)


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
        async with self._connection() as conn:
            await dead_letters.write(conn, self._consumer, letters)

    async def runs(self, ends: Mapping[int, int], at_most: int) -> dict[int, int]:
        """See `profiles_sink.Letters`."""
        async with self._connection() as conn:
            return await dead_letters.runs(conn, self._consumer, ends, at_most)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[primary.Connection]:
        try:
            async with asyncio.timeout(self._patience_s), await self._connect(self._conninfo) as conn:
                yield conn
        except (psycopg.Error, TimeoutError) as error:
            raise errors.unavailable(error) from error
