"""Whole hours of aggregates counted anew and exchanged for those stored, beside running workers.

The order in a transaction is that of a flush: rows, offsets, small tables. New rows go in first, while everybody works;
then the group's offsets are locked, which stops its flushes, and what follows is short: the rest is counted up to these
offsets and the old rows go. A flush that waits has its own rows uncommitted, above these offsets: they come on top.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from psycopg import AsyncConnection, sql

from stores import copying, flush, offsets, queries

_SQL: Final = queries.load("hour_rebuild")

Row = tuple[copying.Item, int, int]
"""(item, count, sum of prices)."""


class Stage:
    """New rows of any number of hours in a temporary table, gone with the connection."""

    def __init__(self, conn: AsyncConnection[Any]) -> None:
        self._conn = conn

    async def make(self) -> None:
        """Set the session up, and make the table."""
        await self._conn.execute(_SQL["session"])
        await self._conn.execute(_SQL["make_stage"])

    async def add(self, rows: Iterable[Row]) -> None:
        """More rows."""
        await _copy(self._conn, "stage", rows)


class Exchange:
    """One hour, in the caller's transaction. The methods are called once each, in the order in which they stand."""

    def __init__(self, conn: AsyncConnection[Any], of: offsets.Consumer, hour: int) -> None:
        """`hour` is a whole hour since 1970; its table is there."""
        self._conn, self._hour = conn, hour
        self._named = {"group": of.group, "topic_id": of.topic_id}

    async def append_staged(self) -> None:
        """The staged rows of the hour. Raises psycopg.errors.CheckViolation where its table is gone."""
        await self._conn.execute(_SQL["append_staged"], {"hour": self._hour})

    async def lock_offsets(self) -> dict[int, int]:
        """`{partition: next offset}` of the group; from here to the end of the transaction none of them moves."""
        return dict(await (await self._conn.execute(_SQL["lock_offsets"], self._named)).fetchall())

    async def append(self, rows: Iterable[Row]) -> None:
        """More rows of the hour; any number of calls."""
        await _copy(self._conn, "append", rows)

    async def replace(self, totals: Sequence[flush.MinuteTotal]) -> int:
        """Everything older goes, `totals` come (of one key any number); how many events went, by the minute totals."""
        await self._conn.execute(_SQL["remove_others"], {"hour": self._hour})
        [(events,)] = await (await self._conn.execute(_SQL["remove_totals"], {"hour": self._hour})).fetchall()
        await self._conn.execute(_SQL["add_totals"], _columns(totals))
        return int(events)

    async def partitions(self) -> set[int]:
        """The group's partitions now: one more than were locked may have been counted, and removed, meanwhile."""
        rows = await (await self._conn.execute(_SQL["partitions"], self._named)).fetchall()
        return {partition for (partition,) in rows}


async def older_than_adoption(conn: AsyncConnection[Any], consumer_group: str, hours: Sequence[int]) -> list[int]:
    """Hours that were made before the group's topic was last adopted."""
    named: Mapping[str, Any] = {"group": consumer_group, "hours": list(hours)}
    return [hour for (hour,) in await (await conn.execute(_SQL["older_than_adoption"], named)).fetchall()]


async def vacuum(conn: AsyncConnection[Any], hour: int) -> None:
    """Clear the removed rows away, which queries would step over. Without the right to, PostgreSQL only warns."""
    [(table,)] = await (await conn.execute(_SQL["table_name"], {"hour": hour})).fetchall()
    await conn.execute(sql.SQL(_SQL["vacuum"]).format(hour_table=sql.Identifier(table)))


async def _copy(conn: AsyncConnection[Any], query: str, rows: Iterable[Row]) -> None:
    async with conn.cursor() as cursor, cursor.copy(_SQL[query]) as copy:
        await copy.write(copying.encode(rows))


def _columns(totals: Sequence[flush.MinuteTotal]) -> dict[str, list[Any]]:
    return {
        "minutes": [total.minute for total in totals],
        "actions": [total.action for total in totals],
        "partitions": [total.partition for total in totals],
        "counts": [total.count for total in totals],
        "sums": [total.sum_price for total in totals],
    }
