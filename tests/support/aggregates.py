"""Aggregates in a database as if a worker had written them."""

from collections.abc import Sequence

import psycopg

from runtime.settings import DatabaseSettings
from schemas.tags import AggregatesItem
from stores import hours

Row = tuple[AggregatesItem, int, int]
"""Item, count, sum of prices."""

_DELTA = """
    INSERT INTO aggregate_deltas (time, action, origin, brand_id, category_id, count, sum_price)
    VALUES (to_timestamp(%s), %s, %s, %s, %s, %s, %s)
"""
_TOTAL = """
    INSERT INTO minute_totals AS stored (time, action, partition, count, sum_price)
    VALUES (to_timestamp(%s), %s, %s, %s, %s)
    ON CONFLICT (time, action, partition) DO UPDATE
    SET count = stored.count + excluded.count, sum_price = stored.sum_price + excluded.sum_price
"""


async def store(database: DatabaseSettings, rows: Sequence[Row]) -> None:
    """Add `rows` to what is there."""
    async with await psycopg.AsyncConnection.connect(database.conninfo(), autocommit=True) as conn:
        await hours.ensure_hours(conn, {item.minute // 60 for item, _, _ in rows})
        for partition, (item, count, sum_price) in enumerate(rows):
            second = item.minute * 60
            keys = (item.action, item.origin, item.brand_id, item.category_id)
            await conn.execute(_DELTA, (second, *keys, count, sum_price))
            await conn.execute(_TOTAL, (second, item.action, partition, count, sum_price))
