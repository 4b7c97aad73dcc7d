"""Profiles in PostgreSQL: the embedded default, for one machine."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection

from stores import errors, pools, profiles, queries
from stores.profiles import KEPT, Profile, ProfileWrite

WRITES_A_STATEMENT: Final = 1_000

_SQL = queries.load("profiles")


class PostgresProfiles:
    """A ProfileStore over a pool made by `stores.pools.for_profiles`.

    "Atomically the newest 200" is kept by readers, who take no more, and by this: an entry is removed only by a
    statement that sees 200 newer ones. So writers of one cookie need no lock that they would wait for.
    """

    def __init__(self, pool: pools.Pool) -> None:
        self._pool = pool

    async def add(self, writes: Sequence[ProfileWrite]) -> None:
        ordered, refused = profiles.sift(writes)
        for start in range(0, len(ordered), WRITES_A_STATEMENT):
            await self._add(ordered[start : start + WRITES_A_STATEMENT])
        if refused:
            raise errors.PartialWrite(refused)

    async def read(self, cookie: str, from_ms: int, to_ms: int, limit: int) -> Profile:
        if not profiles.storable(cookie):
            return Profile([], [])
        parameters = {
            "cookie": cookie,
            "actions": ["VIEW", "BUY"],
            "from_key": profiles.range_end(from_ms),
            "to_key": profiles.range_end(to_ms),
            "kept": KEPT,
            "limit": limit,
        }
        async with self._connection() as conn:
            rows = await (await conn.execute(_SQL["read"], parameters)).fetchall()
        return Profile(
            views=[value for action, value in rows if action == "VIEW"],
            buys=[value for action, value in rows if action == "BUY"],
        )

    async def ping(self) -> None:
        async with self._connection() as conn:
            await conn.execute("SELECT")

    async def wipe(self) -> None:
        async with self._connection() as conn:
            await conn.execute(_SQL["wipe"])

    async def close(self) -> None:
        await self._pool.close()

    async def _add(self, batch: Sequence[ProfileWrite]) -> None:
        """Two statements, each a transaction of its own that the server ends without a further word.

        A worker that is stopped between two words of one transaction holds the rows of its entries, and the worker that
        takes its partitions over writes just these: it waited for as long as the other was stopped, for inside a
        pipeline not even idle_in_transaction_session_timeout counts. What is not trimmed is trimmed by the next write.
        """
        touched = list({(write.cookie, write.action): None for write in batch})
        async with self._connection() as conn:
            await conn.execute(
                _SQL["add"],
                {
                    "cookies": [write.cookie for write in batch],
                    "actions": [write.action for write in batch],
                    "entry_keys": [write.entry_key for write in batch],
                    "values": [write.value for write in batch],
                },
            )
            await conn.execute(
                _SQL["trim"],
                {
                    "cookies": [cookie for cookie, _ in touched],
                    "actions": [action for _, action in touched],
                    "kept": KEPT,
                },
            )

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        try:
            async with self._pool.connection() as conn:
                yield conn
        except psycopg.Error as error:
            if not errors.is_passing(error):
                raise
            raise errors.ProfileStoreUnavailable(str(error)) from error
