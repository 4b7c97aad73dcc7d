"""What is asked for the metrics alone keeps no hour from being dropped, however it fails."""

import asyncio
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import AsyncConnection
from structlog.testing import capture_logs

from devstack import waiting
from pipeline.hours import PostgresHours
from pipeline.settings import AggregatesSettings
from runtime.settings import DatabaseSettings
from stores import hours

OLD = 457_000


def keeper(database: DatabaseSettings) -> PostgresHours:
    chosen = database.model_dump(exclude={"environment"})
    return PostgresHours(AggregatesSettings(environment="local", store_patience_s=10, **chosen))


def has_old_hour(database: DatabaseSettings) -> bool:
    with psycopg.connect(database.conninfo()) as conn:
        found = conn.execute("SELECT FROM aggregate_hours WHERE hour = hour_start(%s)", [OLD]).fetchall()
    return found != []


@pytest.mark.parametrize(
    "question",
    ["SELECT pg_sleep(60)", "SELECT FROM no_such_table", "SELECT pg_terminate_backend(pg_backend_pid())"],
    ids=["too slow", "a defect, or a right that is missing", "its connection breaks"],
)
async def test_an_hour_is_dropped_where_nobody_can_say_how_hours_stand(
    question: LiteralString, database: DatabaseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def standing(conn: AsyncConnection[Any], _retention: hours.Retention) -> None:
        async with conn.transaction():
            await conn.execute(question)

    async with await AsyncConnection.connect(database.conninfo(), autocommit=True) as conn:
        await hours.ensure_hours(conn, [OLD])
        await conn.execute("UPDATE aggregate_hours SET made_at = now() - interval '27 hours'")
    assert has_old_hour(database)
    monkeypatch.setattr(hours, "standing", standing)

    with capture_logs() as logs:
        keeping = asyncio.create_task(keeper(database).keep())
        assert await asyncio.to_thread(waiting.until, lambda: keeping.done() or not has_old_hour(database), 20)
        assert not keeping.done()
        keeping.cancel()

    assert [line["event"] for line in logs if line["log_level"] == "warning"] == [
        "hours not measured, the next time they will be"
    ]
