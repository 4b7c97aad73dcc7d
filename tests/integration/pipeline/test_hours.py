"""Hours of event time, made for the worker on a real PostgreSQL."""

import psycopg
import pytest
from pydantic import SecretStr

from pipeline import hours
from pipeline.settings import AggregatesSettings
from runtime.settings import DatabaseSettings
from stores import errors

HOUR = 457_764


def keeper(database: DatabaseSettings) -> hours.PostgresHours:
    return hours.PostgresHours(AggregatesSettings(environment="local", **database.model_dump(exclude={"environment"})))


async def made(database: DatabaseSettings) -> set[int]:
    async with await psycopg.AsyncConnection.connect(database.conninfo()) as conn:
        rows = await conn.execute("SELECT (extract(epoch FROM hour) / 3600)::bigint FROM aggregate_hours")
        return {hour for (hour,) in await rows.fetchall()}


async def test_hours_are_made_on_demand(database: DatabaseSettings) -> None:
    assert await keeper(database).ensure({HOUR, HOUR + 1}) == set()
    assert await made(database) == {HOUR, HOUR + 1}


async def test_a_dropped_hour_is_refused_and_stays_gone(database: DatabaseSettings) -> None:
    async with await psycopg.AsyncConnection.connect(database.conninfo(), autocommit=True) as conn:
        await conn.execute(
            "INSERT INTO aggregate_hours (hour, dropped_at) VALUES (to_timestamp(%s), now())", [HOUR * 3600]
        )
    assert await keeper(database).ensure({HOUR, HOUR + 1}) == {HOUR}


@pytest.mark.parametrize("wild", [-26_280_000, 175_200_000, 3_504_000_000, (2**63 - 1) // 3_600_000])
async def test_hours_outside_the_years_1_to_9999_are_refused_and_the_others_made(
    database: DatabaseSettings, wild: int
) -> None:
    assert await keeper(database).ensure({wild, HOUR}) == {wild}
    assert await made(database) == {HOUR}


async def test_the_first_and_the_last_hour_that_can_be(database: DatabaseSettings) -> None:
    assert await keeper(database).ensure({-17_259_888, 70_389_527}) == set()


async def test_a_database_that_is_away_is_worth_another_try() -> None:
    away = DatabaseSettings(environment="local", db_port=1, db_password=SecretStr("none"))
    with pytest.raises(errors.StoreUnavailable):
        await keeper(away).ensure({HOUR})
