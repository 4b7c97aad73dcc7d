"""Records that a consumer group could not process: kept whole, repaired by an operator, applied after all.

Every function runs in the caller's transaction: a letter is written with the offset that steps over its record, and
marked as replayed with the output that the record then makes. So a record is in exactly one of the two places.
"""

import datetime
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import class_row

from stores import offsets, queries

PASSED_OVER: Final = 100_000
"""How many letters that do not count a look for those that do goes through: a start must not wait for millions."""

_SQL = queries.load("dead_letters")


class Letter(msgspec.Struct, frozen=True):
    """A record that a group steps over, whole. `reason` is one word of a small set; `detail` is for a person."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    reason: str
    detail: str


class DeadLetter(Letter, frozen=True, kw_only=True):
    """A stored letter. `key` and `value` are the mended ones where there are any, what a replay takes."""

    id: int
    consumer_group: str
    topic: str
    topic_id: uuid.UUID
    occurred_at: datetime.datetime
    mended_at: datetime.datetime | None
    replayed_at: datetime.datetime | None


async def write(conn: AsyncConnection[Any], of: offsets.Consumer, letters: Sequence[Letter]) -> None:
    """Stores letters of `of`. One that is stored already, of an earlier run over the same records, stays as it is.

    One statement: on a connection that commits by itself, whoever is stopped in the middle of it holds up nobody.
    """
    whose = {"group": of.group, "topic": of.topic, "topic_id": of.topic_id}
    await conn.execute(_SQL["write"], whose | columns(letters))


def columns(letters: Sequence[Letter]) -> dict[str, list[Any]]:
    """A parameter a field, each a list over all letters: `letter_partitions`, `letter_offsets`, ..."""
    return {f"letter_{field}s": [getattr(each, field) for each in letters] for field in Letter.__struct_fields__}


async def waiting(
    conn: AsyncConnection[Any], *, consumer_group: str | None = None, after: int = 0, limit: int = 100
) -> list[DeadLetter]:
    """Letters not replayed yet, oldest first, of one group or all, with an id above `after` (for the next page)."""
    async with conn.cursor(row_factory=class_row(DeadLetter)) as cursor:
        await cursor.execute(_SQL["waiting"], {"consumer_group": consumer_group, "after": after, "limit": limit})
        return await cursor.fetchall()


async def counts(conn: AsyncConnection[Any]) -> dict[tuple[str, str], int]:
    """How many wait, by (consumer group, reason)."""
    rows = await (await conn.execute(_SQL["counts"])).fetchall()
    return {(group, reason): count for group, reason, count in rows}


async def runs(
    conn: AsyncConnection[Any],
    of: offsets.Consumer,
    ends: Mapping[int, int],
    at_most: int,
    uncounted: Collection[str] = (),
) -> dict[int, int]:
    """How many waiting letters lie on consecutive offsets right below each of `ends`, `{partition: offset}`.

    `at_most` are told. Those of the reasons `uncounted` do not count, nor do they end a run: of them `PASSED_OVER` are
    looked at, and what lies behind more is not found.
    """
    parameters = {
        "group": of.group,
        "topic_id": of.topic_id,
        "partitions": list(ends),
        "ends": list(ends.values()),
        "at_most": at_most,
        "window": at_most + (PASSED_OVER if uncounted else 0),
        "uncounted": list(uncounted),
    }
    found = await (await conn.execute(_SQL["runs"], parameters)).fetchall()
    return dict.fromkeys(ends, 0) | dict(found)


async def mend(
    conn: AsyncConnection[Any], letter_id: int, *, key: bytes | None = None, value: bytes | None = None
) -> bool:
    """Sets what a replay takes for the key, the value or both; the original stays beside it. False: none such waits."""
    cursor = await conn.execute(_SQL["mend"], {"id": letter_id, "key": key, "value": value})
    return cursor.rowcount == 1


async def claim(conn: AsyncConnection[Any], letter_id: int) -> DeadLetter | None:
    """Marks a letter as replayed and gives it, for the caller to apply in the same transaction. None: none such waits.

    Two claims of one letter take turns; the second finds nothing if the first commits, and the letter if it rolls back.
    """
    async with conn.cursor(row_factory=class_row(DeadLetter)) as cursor:
        await cursor.execute(_SQL["lock"], {"id": letter_id})
        letter = await cursor.fetchone()
        if letter is not None:
            await cursor.execute(_SQL["mark_replayed"], {"id": letter_id})
        return letter
