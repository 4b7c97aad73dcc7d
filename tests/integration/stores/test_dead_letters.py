"""Dead letters: written once, mended without losing the original, replayed at most once."""

import asyncio
import uuid
from typing import Any

import msgspec
import pytest
from psycopg import AsyncConnection

from runtime.settings import DatabaseSettings
from stores import dead_letters, offsets
from stores.dead_letters import Letter

TOPIC_ID = uuid.uuid4()
AGGREGATES = offsets.Consumer("aggregates", "user-tags", TOPIC_ID)
PROFILES = offsets.Consumer("profiles", "user-tags", TOPIC_ID)


def letter(offset: int, *, value: bytes | None = b"\xc3bad") -> Letter:
    return Letter(3, offset, b"key", value, "undecodable", "no such schema")


async def test_a_letter_comes_back_whole(conn: AsyncConnection[Any]) -> None:
    await dead_letters.write(conn, AGGREGATES, [letter(7), letter(8, value=None)])

    first, second = await dead_letters.waiting(conn)

    assert msgspec.structs.asdict(first).items() >= msgspec.structs.asdict(letter(7)).items()
    assert second.value is None
    assert first.mended_at is first.replayed_at is None


async def test_a_letter_stored_twice_is_one(conn: AsyncConnection[Any]) -> None:
    await dead_letters.write(conn, AGGREGATES, [letter(7)])
    await dead_letters.write(conn, AGGREGATES, [letter(7), letter(8)])

    assert [letter.offset for letter in await dead_letters.waiting(conn)] == [7, 8]


async def test_letters_are_listed_and_counted_by_group_and_page(conn: AsyncConnection[Any]) -> None:
    await dead_letters.write(conn, AGGREGATES, [letter(1), letter(2), letter(3)])
    await dead_letters.write(conn, PROFILES, [letter(1)])

    first = await dead_letters.waiting(conn, consumer_group="aggregates", limit=2)
    rest = await dead_letters.waiting(conn, consumer_group="aggregates", after=first[-1].id)

    assert [letter.offset for letter in first + rest] == [1, 2, 3]
    assert await dead_letters.counts(conn) == {("aggregates", "undecodable"): 3, ("profiles", "undecodable"): 1}


async def test_a_replay_takes_the_mended_value_and_the_original_stays(conn: AsyncConnection[Any]) -> None:
    await dead_letters.write(conn, AGGREGATES, [letter(7)])
    [waiting] = await dead_letters.waiting(conn)

    assert await dead_letters.mend(conn, waiting.id, value=b"better")
    claimed = await dead_letters.claim(conn, waiting.id)

    assert claimed is not None
    assert (claimed.key, claimed.value) == (b"key", b"better")
    rows = await (await conn.execute("SELECT value, mended_value FROM dead_letters")).fetchall()
    assert rows == [(b"\xc3bad", b"better")]


async def test_a_replayed_letter_can_be_neither_claimed_nor_mended_again(conn: AsyncConnection[Any]) -> None:
    await dead_letters.write(conn, AGGREGATES, [letter(7)])
    [waiting] = await dead_letters.waiting(conn)
    await dead_letters.claim(conn, waiting.id)

    assert await dead_letters.claim(conn, waiting.id) is None
    assert not await dead_letters.mend(conn, waiting.id, value=b"late")
    assert await dead_letters.waiting(conn) == []


async def test_a_claim_that_is_rolled_back_leaves_the_letter_waiting(conn: AsyncConnection[Any]) -> None:
    await dead_letters.write(conn, AGGREGATES, [letter(7)])
    [waiting] = await dead_letters.waiting(conn)

    async with conn.transaction(force_rollback=True):
        assert await dead_letters.claim(conn, waiting.id) is not None

    assert await dead_letters.waiting(conn) == [waiting]


@pytest.mark.parametrize("commits", [True, False])
async def test_a_second_claim_waits_for_the_first(
    database: DatabaseSettings, conn: AsyncConnection[Any], commits: bool
) -> None:
    await dead_letters.write(conn, AGGREGATES, [letter(7)])
    [waiting] = await dead_letters.waiting(conn)
    async with await AsyncConnection.connect(database.conninfo(), autocommit=True) as other:
        async with conn.transaction(force_rollback=not commits):
            await dead_letters.claim(conn, waiting.id)
            second = asyncio.create_task(dead_letters.claim(other, waiting.id))
            await asyncio.wait([second], timeout=0.1)
            assert not second.done()

        assert (await second is None) == commits
