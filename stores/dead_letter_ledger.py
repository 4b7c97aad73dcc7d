"""Everything that is known of dead letters, replayed ones included: for a person to look at, and for counting again.

stores/dead_letters.py has what becomes of letters; here nothing is changed.
"""

import datetime
import uuid
from typing import Any

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import class_row

from stores import queries

_SQL = queries.load("dead_letter_ledger")


class Entry(msgspec.Struct, frozen=True):
    """One letter whole: the record as it was, and what was put in its place."""

    id: int
    consumer_group: str
    topic: str
    topic_id: uuid.UUID
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    mended_key: bytes | None
    mended_value: bytes | None
    reason: str
    detail: str
    occurred_at: datetime.datetime
    mended_at: datetime.datetime | None
    replayed_at: datetime.datetime | None

    @property
    def effective_value(self) -> bytes | None:
        """What a replay takes, or took."""
        return self.value if self.mended_value is None else self.mended_value


class Settled(msgspec.Struct, frozen=True):
    """What a group's output has of a record that it stepped over: nothing, or since a replay `value`."""

    topic_id: uuid.UUID
    partition: int
    offset: int
    replayed: bool
    value: bytes | None


async def find(conn: AsyncConnection[Any], letter_id: int) -> Entry | None:
    """The letter of that id; None where there is none."""
    async with conn.cursor(row_factory=class_row(Entry)) as cursor:
        await cursor.execute(_SQL["find"], {"id": letter_id})
        return await cursor.fetchone()


async def settled(conn: AsyncConnection[Any], consumer_group: str) -> list[Settled]:
    """All letters of a group, locked for the transaction: a replay under way is waited for, and none begins."""
    async with conn.cursor(row_factory=class_row(Settled)) as cursor:
        await cursor.execute(_SQL["settled"], {"consumer_group": consumer_group})
        return await cursor.fetchall()
