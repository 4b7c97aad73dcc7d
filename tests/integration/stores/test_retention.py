"""An hour goes only when it is old by both clocks, takes its totals along, and never comes back."""

import asyncio
import datetime
from collections.abc import Awaitable, Callable
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import AsyncConnection

from runtime.settings import DatabaseSettings
from stores import hours
from stores.hours import HourState, Retention
from tests.integration.stores import rows

H = 457_000
DAY = datetime.timedelta(hours=24)
LONG_AGO = datetime.timedelta(hours=25)
KEEP_A_DAY = Retention(event_age=DAY, idle=DAY, support=1)


async def stream(conn: AsyncConnection[Any], *hour_numbers: int, idle: datetime.timedelta = LONG_AGO) -> None:
    await hours.ensure_hours(conn, hour_numbers)
    await age(conn)
    for hour in hour_numbers:
        await rows.add(conn, hour, idle=idle)


async def age(conn: AsyncConnection[Any]) -> None:
    """All hours were made a day ago and longer."""
    await conn.execute("UPDATE aggregate_hours SET made_at = now() - %s", (LONG_AGO,))


async def test_an_hour_old_by_both_clocks_goes_with_its_totals(conn: AsyncConnection[Any]) -> None:
    await stream(conn, H, H + 1, H + 25)

    assert await hours.expire(conn, KEEP_A_DAY) == [H]

    left = {rows.start_of(H + 1): 1, rows.start_of(H + 25): 1}
    assert await rows.counted(conn) == left
    assert await rows.totals(conn) == left


async def test_the_last_24_hours_of_event_time_stay(conn: AsyncConnection[Any]) -> None:
    await stream(conn, H, H + 24)  # the end of H lies 23 hours behind

    assert await hours.expire(conn, KEEP_A_DAY) == []


async def test_an_hour_written_to_within_a_day_stays_however_old_its_events_are(conn: AsyncConnection[Any]) -> None:
    await stream(conn, H, idle=datetime.timedelta(hours=23))
    await stream(conn, H + 1000)

    assert await hours.expire(conn, KEEP_A_DAY) == []


async def test_a_dropped_hour_is_never_made_again(conn: AsyncConnection[Any]) -> None:
    await stream(conn, H, H + 25)
    await hours.expire(conn, KEEP_A_DAY)

    assert await hours.ensure_hours(conn, [H]) == {H: HourState.TOMBSTONED}
    with pytest.raises(psycopg.errors.CheckViolation, match="no partition"):
        await rows.add(conn, H)


async def test_one_event_with_a_wild_time_expires_nothing(conn: AsyncConnection[Any]) -> None:
    await hours.ensure_hours(conn, [H, H + 23, H + 47])
    await age(conn)
    await rows.add(conn, H, 5_000, idle=LONG_AGO)
    await rows.add(conn, H + 23, 5_000, idle=LONG_AGO)
    await rows.add(conn, H + 47)  # a day ahead of a stream that stood still for a day

    assert await hours.expire(conn, Retention()) == []
    assert await hours.expire(conn, KEEP_A_DAY) == [H], "with a support of one event it would have"


async def test_events_ahead_of_the_clock_age_nothing_however_many(conn: AsyncConnection[Any]) -> None:
    now = int(datetime.datetime.now(datetime.UTC).timestamp()) // 3600
    await stream(conn, now - 3, now + 24)

    assert await hours.expire(conn, KEEP_A_DAY) == []


async def test_an_hour_that_nothing_was_written_to_goes_without_a_tombstone(conn: AsyncConnection[Any]) -> None:
    await hours.ensure_hours(conn, [H])
    assert await hours.expire(conn, KEEP_A_DAY) == [], "it was made just now"
    await age(conn)

    assert await hours.expire(conn, KEEP_A_DAY) == [H]
    assert await hours.ensure_hours(conn, [H]) == {H: HourState.MADE}


async def test_rows_without_totals_leave_a_tombstone_too(conn: AsyncConnection[Any]) -> None:
    await stream(conn, H)
    await conn.execute("DELETE FROM minute_totals")

    assert await hours.expire(conn, KEEP_A_DAY) == [H]
    assert await hours.ensure_hours(conn, [H]) == {H: HourState.TOMBSTONED}


@pytest.mark.parametrize(
    "little",
    [
        "'0', '0', 1",
        "'-100 years', '-100 years', 1",
        # As intervals these are two days: a month counts as 30. As moments they lie 16 years ahead.
        "'-1200 months 36002 days', '-1200 months 36002 days', 1",
        "'-infinity', '-infinity', -1",
    ],
)
async def test_no_hour_goes_that_is_not_a_day_old_whatever_is_asked_for(
    conn: AsyncConnection[Any], little: LiteralString
) -> None:
    await stream(conn, H, H + 24)  # not by event time
    await stream(conn, H - 1, idle=datetime.timedelta(hours=23))  # not by the clock
    assert await _dropped(conn, [H - 1, H, H + 24], little) == []

    await conn.execute("UPDATE minute_totals SET updated_at = now() - interval '25 hours'")
    assert await _dropped(conn, [H - 1, H, H + 24], little) == [H - 1]


async def test_totals_that_a_worker_forges_make_no_hour_older_than_its_own_making(conn: AsyncConnection[Any]) -> None:
    """Workers write minute_totals as they like; when an hour was made they cannot."""
    now = int(datetime.datetime.now(datetime.UTC).timestamp()) // 3600
    await hours.ensure_hours(conn, [H, now - 20, now])
    for hour in (H, now - 20, now):
        await rows.add(conn, hour, 5_000)
    await conn.execute("UPDATE minute_totals SET updated_at = '-infinity'")
    assert await _dropped(conn, [H, now - 20, now], "'0', '0', 1") == []

    await age(conn)
    await conn.execute("UPDATE minute_totals SET time = time - interval '900 days'")
    assert await _dropped(conn, [now - 20, now], "'0', '0', 1") == [], "of a stream of today nothing goes within a day"


async def test_nobody_waits_for_an_hour_that_stays(database: DatabaseSettings, conn: AsyncConnection[Any]) -> None:
    """A session that asks for one, and does not end its transaction, would hold up everybody else's."""
    await stream(conn, H, H + 24)
    async with (
        await AsyncConnection.connect(database.conninfo()) as asking,
        asking.transaction(force_rollback=True),
        asyncio.timeout(5),
    ):
        assert await _dropped(asking, [H], "'0', '0', 1") == []
        assert len(await rows.counted(conn)) == 2


async def test_an_hour_that_is_being_written_to_is_left_and_taken_later(
    database: DatabaseSettings, conn: AsyncConnection[Any]
) -> None:
    await stream(conn, H, H + 25)
    async with (
        await AsyncConnection.connect(database.conninfo()) as writer,
        writer.transaction(force_rollback=True),
    ):
        await rows.add(writer, H)

        assert await hours.expire(conn, KEEP_A_DAY, lock_timeout_ms=50, attempts=2, pause_seconds=0.01) == []

    assert await hours.expire(conn, KEEP_A_DAY) == [H]


async def test_a_write_that_commits_while_the_drop_waits_for_it_saves_the_hour(
    database: DatabaseSettings, conn: AsyncConnection[Any]
) -> None:
    await stream(conn, H, H + 25)
    async with await AsyncConnection.connect(database.conninfo()) as writer:
        async with writer.transaction():
            await rows.add(writer, H)
            dropping = asyncio.create_task(hours.expire(conn, KEEP_A_DAY, lock_timeout_ms=10_000))
            await _until(lambda: _waits_for_a_lock(writer))

        assert await dropping == []
    assert await rows.counted(conn) == {rows.start_of(H): 2, rows.start_of(H + 25): 1}


async def test_a_reader_behind_a_waiting_drop_is_held_up_no_longer_than_its_lock_timeout(
    database: DatabaseSettings, conn: AsyncConnection[Any]
) -> None:
    await stream(conn, H, H + 25)
    async with (
        await AsyncConnection.connect(database.conninfo()) as stuck,
        await AsyncConnection.connect(database.conninfo(), autocommit=True) as reader,
        stuck.transaction(force_rollback=True),
    ):
        await rows.add(stuck, H + 25)
        dropping = asyncio.create_task(hours.expire(conn, KEEP_A_DAY, lock_timeout_ms=2_000, attempts=1))
        await _until(lambda: _waits_for_a_lock(reader))

        async with asyncio.timeout(20):
            await rows.counted(reader)
        assert await dropping == []


async def _dropped(conn: AsyncConnection[Any], asked: list[int], ages: LiteralString) -> list[int]:
    """Which of these go when each is asked for with `event_age, idle, support`."""
    gone = []
    for hour in asked:
        found = await conn.execute(f"SELECT drop_hour(%s, {ages})", (hour,))
        if await found.fetchone() == (True,):
            gone.append(hour)
    return gone


async def _waits_for_a_lock(conn: AsyncConnection[Any]) -> bool:
    found = await conn.execute(
        "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    row = await found.fetchone()
    return bool(row and row[0])


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.005)
