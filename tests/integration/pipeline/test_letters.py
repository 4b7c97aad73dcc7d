"""The dead letters of the profiles group, on a real PostgreSQL."""

import uuid

import pytest

from pipeline.letters import PostgresLetters
from runtime.settings import DatabaseSettings
from stores import errors, offsets
from stores.dead_letters import Letter

TOPIC_ID = uuid.uuid4()


def letters_of(database: DatabaseSettings, group: str = "profiles") -> PostgresLetters:
    return PostgresLetters(database.conninfo(), offsets.Consumer(group, "user-tags", TOPIC_ID))


def broken(*at: int) -> list[Letter]:
    return [Letter(0, offset, None, b"junk", "undecodable", "why") for offset in at]


async def test_another_worker_of_the_group_sees_how_many_lie_in_a_row_below_an_offset(
    database: DatabaseSettings,
) -> None:
    await letters_of(database).write(broken(1, 3, 4, 5))
    await letters_of(database).write(broken(5))
    await letters_of(database, "aggregates").write(broken(2))
    again = letters_of(database)
    assert await again.runs({0: 6, 1: 6}, 10) == {0: 3, 1: 0}
    assert await again.runs({0: 6}, 2) == {0: 2}


async def test_a_server_that_is_away_is_one_to_ask_again(database: DatabaseSettings) -> None:
    away = letters_of(database.model_copy(update={"db_port": 1}))
    with pytest.raises(errors.StoreUnavailable):
        await away.write(broken(1))
    with pytest.raises(errors.StoreUnavailable):
        await away.runs({0: 6}, 10)
