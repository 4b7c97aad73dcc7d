"""Hours are made once, on demand or ahead, refused where they must not be, and made with everything a query needs."""

import asyncio
import datetime
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection, sql

from devstack.postgres import PostgresServer
from runtime.settings import DatabaseSettings
from stores import hours
from stores.hours import HourState
from tests.integration.stores import rows

H = 457_000  # an hour of 2022


async def tables(conn: AsyncConnection[Any]) -> list[str]:
    found = await conn.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'aggregate_deltas'::regclass ORDER BY 1"
    )
    return [name for (name,) in await found.fetchall()]


async def test_a_row_finds_no_place_until_its_hour_is_made(conn: AsyncConnection[Any]) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="no partition"):
        await rows.add(conn, H)

    assert await hours.ensure_hours(conn, [H]) == {H: HourState.MADE}

    await rows.add(conn, H, 3)
    assert await rows.counted(conn) == {rows.start_of(H): 3}


async def test_making_an_hour_again_changes_nothing(conn: AsyncConnection[Any]) -> None:
    await hours.ensure_hours(conn, [H, H + 1])
    await rows.add(conn, H)

    assert await hours.ensure_hours(conn, [H + 1, H, H]) == {H: HourState.MADE, H + 1: HourState.MADE}
    assert await rows.counted(conn) == {rows.start_of(H): 1}


async def test_an_hour_has_the_three_indexes_of_its_parent(conn: AsyncConnection[Any]) -> None:
    await hours.ensure_hours(conn, [H])
    [name] = await tables(conn)

    found = await conn.execute("SELECT indexdef FROM pg_indexes WHERE tablename = %s ORDER BY 1", (name,))
    definitions = [definition.split("btree ")[1] for (definition,) in await found.fetchall()]

    assert name == "aggregate_deltas_2022021816"
    assert sorted(definitions) == ['(brand_id, "time")', '(category_id, "time")', '(origin, "time")']


@pytest.mark.parametrize("year", [1, 1969, 1970, 2025])
async def test_hours_of_any_year_that_a_tag_may_name(conn: AsyncConnection[Any], year: int) -> None:
    hour = int(datetime.datetime(year, 12, 31, 23, tzinfo=datetime.UTC).timestamp()) // 3600

    assert await hours.ensure_hours(conn, [hour]) == {hour: HourState.MADE}
    await rows.add(conn, hour)


async def test_an_hour_outside_those_years_is_bad_data(conn: AsyncConnection[Any]) -> None:
    with pytest.raises(psycopg.errors.DatetimeFieldOverflow):
        await hours.ensure_hours(conn, [-20_000_000])


async def test_an_hour_further_ahead_than_any_gateway_lets_in_is_not_made(conn: AsyncConnection[Any]) -> None:
    """None such grows old, and 25 of them would take the newest places from the stream."""
    now = int(datetime.datetime.now(datetime.UTC).timestamp()) // 3600
    last = 70_389_527  # of the year 9999

    assert await hours.ensure_hours(conn, [now + 25, now + 47, now + 50, last]) == {
        now + 25: HourState.MADE,
        now + 47: HourState.MADE,
        now + 50: HourState.AHEAD,
        last: HourState.AHEAD,
    }


async def test_an_hour_ahead_that_an_earlier_version_made_takes_rows_as_before(conn: AsyncConnection[Any]) -> None:
    await conn.execute("SELECT make_hour('9999-12-31 23:00Z')")

    assert await hours.ensure_hours(conn, [70_389_527]) == {70_389_527: HourState.MADE}
    await rows.add(conn, 70_389_527)


async def test_the_bound_and_its_exemption_have_bounds_of_their_own(conn: AsyncConnection[Any]) -> None:
    """Whatever number the caller gives: the role of the workers may call this, and no more than so many tables come."""
    await conn.execute(
        "INSERT INTO aggregate_hours (hour) SELECT '2020-01-01Z'::timestamptz + number * interval '1 hour'"
        " FROM generate_series(1, 10000) AS number"
    )
    await conn.execute(
        "INSERT INTO minute_totals SELECT hour, 'VIEW', 0, 1, 1 FROM aggregate_hours ORDER BY hour DESC LIMIT 100"
    )

    found = await conn.execute("SELECT state FROM ensure_hours(ARRAY[%s], 2147483647, 2147483647)", (400_000,))

    assert await found.fetchall() == [("beyond_bound",)]


async def test_the_current_and_next_hour_of_both_clocks_are_made_ahead(conn: AsyncConnection[Any]) -> None:
    await hours.ensure_hours(conn, [H])
    await rows.add(conn, H)
    wall = int(datetime.datetime.now(datetime.UTC).timestamp()) // 3600

    made = await hours.make_ahead(conn)

    assert set(made.values()) == {HourState.MADE}
    assert {H, H + 1} < set(made)
    assert {wall, wall + 1} & set(made)  # the hour may have turned meanwhile


async def test_an_empty_database_makes_the_hours_of_its_own_clock(conn: AsyncConnection[Any]) -> None:
    assert list((await hours.make_ahead(conn)).values()) == [HourState.MADE, HourState.MADE]


async def test_beyond_the_bound_only_the_newest_hours_are_made(conn: AsyncConnection[Any]) -> None:
    newest = range(H, H + 25)
    await hours.ensure_hours(conn, newest, max_hours=25)
    for hour in newest:
        await rows.add(conn, hour)

    old, among, after = H - 1, H + 30, H + 31
    assert await hours.ensure_hours(conn, [old, among, after], max_hours=25) == {
        old: HourState.BEYOND_BOUND,
        among: HourState.MADE,
        after: HourState.MADE,
    }
    assert await hours.ensure_hours(conn, [old], max_hours=28) == {old: HourState.MADE}


async def test_empty_hours_ahead_push_no_hour_of_the_stream_beyond_the_bound(conn: AsyncConnection[Any]) -> None:
    await hours.ensure_hours(conn, range(H + 1000, H + 1030), max_hours=1000)

    assert await hours.ensure_hours(conn, [H], max_hours=30) == {H: HourState.MADE}


async def test_makers_at_once_make_each_hour_once(database: DatabaseSettings, conn: AsyncConnection[Any]) -> None:
    async def make(start: int) -> dict[int, HourState]:
        async with await AsyncConnection.connect(database.conninfo()) as own:
            return await hours.ensure_hours(own, range(start, start + 5))

    made = await asyncio.gather(*(make(H + shift) for shift in range(4)))

    assert {state for each in made for state in each.values()} == {HourState.MADE}
    assert len(await tables(conn)) == 8


async def test_an_hour_is_made_while_others_are_written_and_read(
    database: DatabaseSettings, conn: AsyncConnection[Any]
) -> None:
    await hours.ensure_hours(conn, [H])
    async with (
        await AsyncConnection.connect(database.conninfo()) as writer,
        await AsyncConnection.connect(database.conninfo()) as reader,
        writer.transaction(),
        reader.transaction(),
    ):
        await rows.add(writer, H)
        await rows.counted(reader)

        async with asyncio.timeout(5):
            assert await hours.ensure_hours(conn, [H + 1]) == {H + 1: HourState.MADE}


async def test_hours_are_never_made_inside_a_transaction(conn: AsyncConnection[Any]) -> None:
    async with conn.transaction():
        with pytest.raises(RuntimeError, match="transactions of their own"):
            await hours.ensure_hours(conn, [H])


async def test_a_role_without_ddl_makes_hours_through_the_function_alone(
    postgres: PostgresServer, database: DatabaseSettings
) -> None:
    role = sql.Identifier(f"worker_{database.db_name}")
    superuser = postgres.conninfo(database.db_name)
    async with await AsyncConnection.connect(superuser, autocommit=True) as conn:
        await conn.execute(sql.SQL("CREATE ROLE {}").format(role))
        await conn.execute(sql.SQL("GRANT EXECUTE ON FUNCTION ensure_hours TO {}").format(role))
        await conn.execute(sql.SQL("GRANT SELECT ON aggregate_hours TO {}").format(role))
        await conn.execute(sql.SQL("GRANT INSERT ON aggregate_deltas TO {}").format(role))
        try:
            await conn.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(role))
            # A table that the function, with its owner's rights, must not mistake for the real one.
            await conn.execute("CREATE TEMP TABLE aggregate_hours (hour timestamptz, made_at timestamptz)")

            async with conn.transaction():
                await conn.execute("SELECT ensure_hours(%s, 1000, 25)", ([H],))
            await conn.execute("INSERT INTO aggregate_deltas VALUES (%s, '', '', '', '', 1, 1)", (rows.start_of(H),))

            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await conn.execute("SELECT drop_hour(%s, '0', '0', 1)", (H,))
        finally:
            await conn.execute("RESET SESSION AUTHORIZATION")
            await conn.execute(sql.SQL("DROP OWNED BY {}").format(role))
            await conn.execute(sql.SQL("DROP ROLE {}").format(role))
