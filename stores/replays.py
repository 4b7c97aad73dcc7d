"""One record counted after all, in the caller's transaction: the one that marks its dead letter."""

from typing import Any, Final

import msgspec
from psycopg import AsyncConnection

from schemas.tags import AggregatesItem
from stores import queries

_SQL: Final = queries.load("replays")


async def add(conn: AsyncConnection[Any], item: AggregatesItem, price: int, partition: int) -> None:
    """One event of `price` more. Raises psycopg.errors.CheckViolation where its hour has no table."""
    parameters = msgspec.structs.asdict(item) | {"price": price, "partition": partition}
    await conn.execute(_SQL["add_delta"], parameters)
    await conn.execute(_SQL["add_total"], parameters)
