"""Who keeps dead letters and is stopped in the middle of it."""

import asyncio
import uuid

from pipeline.letters import PostgresLetters
from runtime.settings import DatabaseSettings
from stores import offsets
from stores.dead_letters import Letter
from tests.support import proxy

OF = offsets.Consumer("profiles", "user-tags", uuid.UUID(int=1))
LETTERS = [Letter(0, offset, b"key", b"broken", "undecodable", "no such header") for offset in range(3)]
SOON_S = 10.0


async def test_whoever_takes_over_keeps_the_same_letters_at_once(database: DatabaseSettings) -> None:
    async with proxy.before(database.db_host, database.db_port) as between:
        stopped = PostgresLetters(database.model_copy(update={"db_port": between.port}).conninfo(), OF)
        # What it says behind the rows, if it says more than these, never arrives.
        between.fail_at(b"COMMIT", proxy.Fault.FREEZE)
        first = asyncio.create_task(stopped.write(LETTERS))
        await asyncio.wait({first, asyncio.create_task(between.struck.wait())}, return_when=asyncio.FIRST_COMPLETED)

        successor = PostgresLetters(database.conninfo(), OF, SOON_S)
        await successor.write(LETTERS)

        assert await successor.runs({0: 3}, 10) == {0: 3}
        between.thaw()
        await first
