"""The stored offsets of one consumer group on one topic: where each partition goes on.

All functions run in the caller's transaction, on a connection to the primary.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from stores import queries

_SQL = queries.load("offsets")


class Consumer(msgspec.Struct, frozen=True):
    """Whose offsets: a consumer group on one topic, and that topic's id (a topic made anew has another)."""

    group: str
    topic: str
    topic_id: UUID


async def insert_missing(conn: psycopg.AsyncConnection[Any], of: Consumer, starts: Mapping[int, int]) -> None:
    """Rows for partitions that have none yet, `{partition: first offset to count}`; others stay as they are."""
    parameters = _named(of) | {"partitions": list(starts), "starts": list(starts.values())}
    await conn.execute(_SQL["insert_missing"], parameters)


async def read(conn: psycopg.AsyncConnection[Any], of: Consumer, partitions: Iterable[int]) -> dict[int, int]:
    """`{partition: next offset to count}` of the partitions that have a row."""
    return await _fetch(conn, "read", of, partitions)


async def read_settled(conn: psycopg.AsyncConnection[Any], of: Consumer, partitions: Iterable[int]) -> dict[int, int]:
    """The same, locked for the transaction: an older transaction that may still commit is waited for."""
    return await _fetch(conn, "read_settled", of, partitions)


async def other_topics(conn: psycopg.AsyncConnection[Any], of: Consumer) -> list[str]:
    """Ids of other topics that the group has offsets on: there are some only where the topic was made anew."""
    rows = await conn.execute(_SQL["other_topics"], _named(of))
    return [topic_id for (topic_id,) in await rows.fetchall()]


async def forget_other_topics(conn: psycopg.AsyncConnection[Any], of: Consumer) -> int:
    """Accept that the topic was made anew: drop the group's offsets on any other, and say how many rows went."""
    return (await conn.execute(_SQL["forget_other_topics"], _named(of))).rowcount


async def _fetch(
    conn: psycopg.AsyncConnection[Any], query: str, of: Consumer, partitions: Iterable[int]
) -> dict[int, int]:
    rows = await conn.execute(_SQL[query], _named(of) | {"partitions": list(partitions)})
    return dict(await rows.fetchall())


def _named(of: Consumer) -> dict[str, Any]:
    return {"group": of.group, "topic_id": of.topic_id}
