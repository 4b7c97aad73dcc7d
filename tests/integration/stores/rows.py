"""Rows put into the aggregate tables as a flush would: deltas and minute totals in one transaction."""

import datetime
from typing import Any

from psycopg import AsyncConnection

HOUR = datetime.timedelta(hours=1)


def start_of(hour: int) -> datetime.datetime:
    """The first minute of an hour that is so many hours after 1970."""
    return datetime.datetime.fromtimestamp(hour * 3600, datetime.UTC)


async def add(conn: AsyncConnection[Any], hour: int, count: int = 1, *, idle: datetime.timedelta | None = None) -> None:
    """`count` events in the first minute of `hour`, the last of them so long ago by the wall clock."""
    async with conn.transaction():
        await conn.execute(
            "INSERT INTO aggregate_deltas VALUES (%s, 'VIEW', 'o', 'b', 'c', %s, %s)",
            (start_of(hour), count, count * 10),
        )
        await conn.execute(
            "INSERT INTO minute_totals VALUES (%s, 'VIEW', 0, %s, %s, now() - %s) ON CONFLICT (time, action, partition)"
            " DO UPDATE SET count = minute_totals.count + excluded.count,"
            " sum_price = minute_totals.sum_price + excluded.sum_price, updated_at = excluded.updated_at",
            (start_of(hour), count, count * 10, idle or datetime.timedelta()),
        )


async def counted(conn: AsyncConnection[Any]) -> dict[datetime.datetime, int]:
    """What the deltas add up to, by minute."""
    rows = await conn.execute("SELECT time, sum(count)::bigint FROM aggregate_deltas GROUP BY time ORDER BY time")
    return dict(await rows.fetchall())


async def totals(conn: AsyncConnection[Any]) -> dict[datetime.datetime, int]:
    """What the minute totals add up to, by minute."""
    rows = await conn.execute("SELECT time, sum(count)::bigint FROM minute_totals GROUP BY time ORDER BY time")
    return dict(await rows.fetchall())
