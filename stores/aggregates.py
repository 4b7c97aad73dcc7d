"""Counts and price sums per minute, for any choice of filters."""

from typing import Any

import msgspec
import psycopg

from stores import errors, pools, queries

_SQL = queries.load("aggregates")


class AggregatesQuery(msgspec.Struct, frozen=True):
    """Which events: minutes since 1970-01-01 00:00 UTC, the first inclusive, the last exclusive. None: any value."""

    from_minute: int
    to_minute: int
    action: str
    origin: str | None = None
    brand_id: str | None = None
    category_id: str | None = None


class MinuteAggregates(msgspec.Struct, frozen=True):
    """One minute's events. The sum is exact and may exceed 64 bits."""

    minute: int
    count: int
    sum_price: int


class AggregatesReader:
    """Reads aggregates through a pool made by `stores.pools.for_queries`: the queries lean on its options."""

    def __init__(self, pool: pools.Pool) -> None:
        self._pool = pool

    async def query(self, query: AggregatesQuery) -> list[MinuteAggregates]:
        """One entry for every minute of the range, ascending; zeros where nothing happened or the hour is gone.

        Raises AggregatesUnavailable when PostgreSQL does not answer.
        """
        found = {row[0]: MinuteAggregates(row[0], row[1], int(row[2])) for row in await self._rows(query)}
        minutes = range(query.from_minute, query.to_minute)
        return [found.get(minute) or MinuteAggregates(minute, 0, 0) for minute in minutes]

    async def ping(self) -> None:
        """Raises AggregatesUnavailable unless PostgreSQL answers."""
        await self.query(AggregatesQuery(0, 1, ""))

    async def _rows(self, query: AggregatesQuery) -> list[tuple[Any, ...]]:
        try:
            async with self._pool.connection() as conn:
                # Never prepared: a prepared statement may be planned once for all values.
                cursor = await conn.execute(_SQL[query_name(query)], msgspec.structs.asdict(query), prepare=False)
                rows: list[tuple[Any, ...]] = await cursor.fetchall()
        except psycopg.Error as error:
            if not errors.is_passing(error):
                raise
            raise errors.AggregatesUnavailable(str(error)) from error
        return rows


def query_name(query: AggregatesQuery) -> str:
    """The query that goes by the most selective index among the filters given."""
    if query.origin is not None:
        return "by_origin"
    if query.brand_id is not None:
        return "by_brand_id"
    if query.category_id is not None:
        return "by_category_id"
    return "total"
