"""Hours come and go while two writers and two readers work: nobody deadlocks, nobody fails, nothing is lost."""

import asyncio
from collections import Counter
from typing import Any

import psycopg
from psycopg import AsyncConnection

from runtime.settings import DatabaseSettings
from stores import hours
from stores.hours import HourState, Retention
from tests.integration.stores import rows

FIRST, LAST = 457_000, 457_080
FLUSHES_AN_HOUR = 3
LONG_AGO = rows.HOUR * 25
A_DAY = Retention(support=1)


async def test_writers_and_readers_go_on_while_hours_come_and_go(database: DatabaseSettings) -> None:
    counted: Counter[int] = Counter()
    done = asyncio.Event()
    async with await AsyncConnection.connect(database.conninfo(), autocommit=True) as conn:
        # Hours go that were made and written to a day ago: here each is, as soon as it is there.
        await conn.execute("ALTER TABLE aggregate_hours ALTER made_at SET DEFAULT now() - interval '25 hours'")

    async def write(delay: int) -> None:
        async with await AsyncConnection.connect(database.conninfo(), autocommit=True) as conn:
            for hour in range(FIRST, LAST):
                for _ in range(FLUSHES_AN_HOUR):
                    if await _flush(conn, [hour, hour - delay]):
                        counted.update([hour, hour - delay])

    async def read() -> int:
        reads = 0
        async with await AsyncConnection.connect(database.conninfo(), autocommit=True) as conn:
            while not done.is_set():
                await rows.counted(conn)
                reads += 1
        return reads

    async def drop() -> None:
        async with await AsyncConnection.connect(database.conninfo(), autocommit=True) as conn:
            while not done.is_set():
                await hours.expire(conn, A_DAY, pause_seconds=0.01)

    async with asyncio.timeout(120), asyncio.TaskGroup() as tasks:
        readers = [tasks.create_task(read()) for _ in range(2)]
        tasks.create_task(drop())
        await asyncio.gather(write(0), write(2))
        done.set()

    assert all(reader.result() > 0 for reader in readers)
    async with await AsyncConnection.connect(database.conninfo()) as conn:
        dropped = await _tombstones(conn)
        expected = {rows.start_of(hour): count for hour, count in counted.items() if hour not in dropped}
        assert len(dropped) > (LAST - FIRST) / 2
        assert await rows.counted(conn) == expected
        assert await rows.totals(conn) == expected


async def _flush(conn: AsyncConnection[Any], both: list[int]) -> bool:
    """One transaction over two hours, made and tried again where they are missing; False: one is gone for good."""
    while True:
        try:
            async with conn.transaction():
                for hour in both:
                    await rows.add(conn, hour, idle=LONG_AGO)
        except psycopg.errors.CheckViolation:
            states = await hours.ensure_hours(conn, both)
            if HourState.TOMBSTONED in states.values():
                return False
        else:
            return True


async def _tombstones(conn: AsyncConnection[Any]) -> set[int]:
    found = await conn.execute(
        "SELECT (extract(epoch FROM hour) / 3600)::bigint FROM aggregate_hours WHERE dropped_at IS NOT NULL"
    )
    return {hour for (hour,) in await found.fetchall()}
