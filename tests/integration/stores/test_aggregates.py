"""Aggregates are read exactly, for any filters, through indexes alone, whatever PostgreSQL knows about an hour."""

import itertools
import random
from collections.abc import AsyncIterator
from typing import Any, LiteralString

import msgspec
import psycopg
import pytest
import pytest_asyncio
from psycopg import AsyncConnection

from runtime.settings import DatabaseSettings
from stores import aggregates, copying, errors, hours, pools, queries
from stores.aggregates import AggregatesQuery, AggregatesReader, MinuteAggregates

H = 457_000
FIRST = H * 60 + 55  # five minutes of one hour, five of the next
VALUES = {"origin": ["o 1", "o'2"], "brand_id": ["b/1", "b%2", "ż"], "category_id": ["c1", "c2"]}
MINUTES = range(FIRST, FIRST + 10)
COMBINATIONS = [chosen for size in range(4) for chosen in itertools.combinations(VALUES, size)]

Row = tuple[copying.Item, int, int]


CARDINALITIES = {"origin": 1_000, "brand_id": 250, "category_id": 67}
AS_MANY_AS_IN_USE = {
    name: [*values, *(f"{name} {number}" for number in range(CARDINALITIES[name] - len(values)))]
    for name, values in VALUES.items()
}


def some_rows(count: int, values: dict[str, list[str]] = VALUES) -> list[Row]:
    chosen = random.Random(7)  # noqa: S311
    return [
        (some_item(chosen, values), chosen.randrange(1, 4), chosen.randrange(-(2**31), 2**31)) for _ in range(count)
    ]


def some_item(chosen: random.Random, values: dict[str, list[str]]) -> copying.Item:
    origin, brand_id, category_id = (chosen.choice(each) for each in values.values())
    return chosen.choice(MINUTES), chosen.choice(["VIEW", "BUY"]), origin, brand_id, category_id


async def store(conn: AsyncConnection[Any], some: list[Row]) -> None:
    await hours.ensure_hours(conn, {item[0] // 60 for item, _, _ in some})
    async with conn.cursor() as cursor, cursor.copy(queries.load("flush")["copy_deltas"]) as copy:
        await copy.write(copying.encode(some))
    await conn.execute(
        "INSERT INTO minute_totals SELECT time, action, ascii(origin), sum(count), sum(sum_price)"
        " FROM aggregate_deltas GROUP BY 1, 2, 3"
    )


def expected(some: list[Row], query: AggregatesQuery) -> list[MinuteAggregates]:
    """The plain oracle."""
    answer = []
    for minute in range(query.from_minute, query.to_minute):
        hits = [
            (count, total)
            for item, count, total in some
            if item[:2] == (minute, query.action)
            and query.origin in (None, item[2])
            and query.brand_id in (None, item[3])
            and query.category_id in (None, item[4])
        ]
        answer.append(MinuteAggregates(minute, sum(hit[0] for hit in hits), sum(hit[1] for hit in hits)))
    return answer


@pytest_asyncio.fixture
async def reader(database: DatabaseSettings) -> AsyncIterator[AggregatesReader]:
    async with pools.for_queries(database.conninfo()) as pool:
        yield AggregatesReader(pool)


async def test_every_choice_of_filters_equals_the_oracle(conn: AsyncConnection[Any], reader: AggregatesReader) -> None:
    some = some_rows(3_000)
    await store(conn, some)

    for combination in COMBINATIONS:
        for values in itertools.product(*(VALUES[name] for name in combination)):
            for action in ("VIEW", "BUY"):
                filters = dict(zip(combination, values, strict=True))
                query = AggregatesQuery(FIRST - 1, FIRST + 11, action, **filters)
                assert await reader.query(query) == expected(some, query)


async def test_a_range_takes_its_first_minute_and_leaves_its_last(
    conn: AsyncConnection[Any], reader: AggregatesReader
) -> None:
    await store(conn, [((FIRST + shift, "VIEW", "o", "b", "c"), 1, 10**shift) for shift in range(4)])

    for filters in ({}, {"origin": "o"}, {"brand_id": "b"}, {"category_id": "c"}):
        query = AggregatesQuery(FIRST + 1, FIRST + 3, "VIEW", **filters)
        assert await reader.query(query) == [MinuteAggregates(FIRST + 1, 1, 10), MinuteAggregates(FIRST + 2, 1, 100)]


async def test_minutes_of_hours_that_do_not_exist_are_zeros(reader: AggregatesReader) -> None:
    query = AggregatesQuery(FIRST, FIRST + 2, "BUY", origin="o")

    assert await reader.query(query) == [MinuteAggregates(FIRST, 0, 0), MinuteAggregates(FIRST + 1, 0, 0)]


async def test_the_last_minute_of_the_year_9999_can_be_asked_for(reader: AggregatesReader) -> None:
    last = 253_402_300_799 // 60

    assert await reader.query(AggregatesQuery(last, last + 1, "BUY")) == [MinuteAggregates(last, 0, 0)]


async def test_sums_beyond_64_bits_are_exact(conn: AsyncConnection[Any], reader: AggregatesReader) -> None:
    await store(conn, [((FIRST, "VIEW", "o", "b", "c"), 1, 2**63 - 1)])
    await conn.execute("INSERT INTO aggregate_deltas SELECT * FROM aggregate_deltas")
    await conn.execute("INSERT INTO minute_totals SELECT time, action, -1, count, sum_price FROM minute_totals")

    for filters in ({}, {"origin": "o"}, {"brand_id": "b"}, {"category_id": "c"}):
        query = AggregatesQuery(FIRST, FIRST + 1, "VIEW", **filters)
        assert await reader.query(query) == [MinuteAggregates(FIRST, 2, 2**64 - 2)]


async def test_the_view_for_people_adds_the_deltas_of_a_key_up(conn: AsyncConnection[Any]) -> None:
    await store(conn, [((FIRST, "VIEW", "o", "b", "c"), 1, 10), ((FIRST, "VIEW", "o", "b", "c"), 2, 30)])

    rows = await (await conn.execute("SELECT action, origin, count, sum_price FROM aggregates")).fetchall()
    assert rows == [("VIEW", "o", 3, 40)]


@pytest.mark.parametrize("analyzed", [False, True])
async def test_every_query_goes_by_the_index_of_its_most_selective_filter(
    database: DatabaseSettings, conn: AsyncConnection[Any], analyzed: bool
) -> None:
    await store(conn, some_rows(50_000, AS_MANY_AS_IN_USE))
    if analyzed:
        await conn.execute("ANALYZE")

    async with pools.for_queries(database.conninfo()) as pool, pool.connection() as reading:
        for combination in COMBINATIONS:
            query = AggregatesQuery(FIRST, FIRST + 5, "VIEW", **{name: VALUES[name][0] for name in combination})
            plan = await _plan(reading, query)
            assert "Seq Scan" not in plan, plan
            assert "Bitmap" not in plan, plan
            expected_index = (*combination, "minute_totals_pkey")[0]
            assert expected_index in plan.split("Index Scan using ")[1].split()[0], plan


async def test_no_hour_ever_gets_statistics_from_when_it_was_nearly_empty(conn: AsyncConnection[Any]) -> None:
    await hours.ensure_hours(conn, [H])

    found = await conn.execute("SELECT reloptions FROM pg_class WHERE relname = hour_table(hour_start(%s))", (H,))
    assert await found.fetchone() == (["autovacuum_enabled=false"],)


async def test_a_database_that_does_not_answer_is_said_to_be_away() -> None:
    async with pools.for_queries("host=127.0.0.1 port=1", timeout_seconds=0.2) as pool:
        with pytest.raises(errors.AggregatesUnavailable):
            await AggregatesReader(pool).query(AggregatesQuery(FIRST, FIRST + 1, "VIEW"))


async def test_a_connection_that_broke_meanwhile_is_replaced(
    conn: AsyncConnection[Any], reader: AggregatesReader
) -> None:
    await reader.ping()
    await conn.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    await reader.ping()


async def _plan(conn: AsyncConnection[Any], query: AggregatesQuery) -> str:
    explained: LiteralString = "EXPLAIN " + queries.load("aggregates")[aggregates.query_name(query)]
    cursor: psycopg.AsyncCursor[Any] = await conn.execute(explained, msgspec.structs.asdict(query), prepare=False)
    return "\n".join([line for (line,) in await cursor.fetchall()])
