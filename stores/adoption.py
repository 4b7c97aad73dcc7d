"""Accepting that the topic is another one, or shorter, than what a group has counted. In the caller's transaction."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import class_row

from stores import offsets, queries

_SQL: Final = queries.load("adoption")


class Stored(msgspec.Struct, frozen=True):
    """Everything of this partition below `next_offset` was counted."""

    topic_id: UUID
    partition: int
    next_offset: int


async def stored(conn: AsyncConnection[Any], group: str) -> list[Stored]:
    """All offsets of a group, of whatever topic, locked for the transaction."""
    async with conn.cursor(row_factory=class_row(Stored)) as cursor:
        await cursor.execute(_SQL["stored"], {"group": group})
        return await cursor.fetchall()


async def adopt(conn: AsyncConnection[Any], of: offsets.Consumer, restarts: Mapping[int, int]) -> None:
    """Forget the group's offsets on other topics, and go on at `restarts`, `{partition: offset}`, in this one.

    What stood before is kept in topic_adoptions: from then on a rebuild knows which hours the log cannot restore.
    """
    named = {"group": of.group, "topic_id": of.topic_id}
    await conn.execute(_SQL["note_others"], named)
    await offsets.forget_other_topics(conn, of)
    for partition, offset in restarts.items():
        moved = named | {"partition": partition, "goes_on_at": offset}
        await conn.execute(_SQL["note_restart"], moved)
        await conn.execute(_SQL["restart"], moved)
