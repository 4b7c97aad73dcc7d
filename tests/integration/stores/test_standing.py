"""How far ahead hours are made, and how far retention is behind: what the worker's metrics are made of."""

import datetime
import time
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from stores import hours
from stores.hours import Retention
from tests.integration.stores import rows
from tests.support.roles import Production

H = 457_000
DAY = datetime.timedelta(hours=24)
KEEP_A_DAY = Retention(event_age=DAY, idle=DAY, support=1)


def present_hour() -> int:
    return int(time.time()) // 3600


async def old_hour(conn: AsyncConnection[Any], hour: int, *, idle: datetime.timedelta) -> None:
    """Made long ago, with an event that was written so long ago."""
    await hours.ensure_hours(conn, [hour])
    await conn.execute("UPDATE aggregate_hours SET made_at = now() - interval '100 hours'")
    await rows.add(conn, hour, idle=idle)


async def test_hours_made_ahead_reach_to_the_end_of_the_next_one(conn: AsyncConnection[Any]) -> None:
    await hours.make_ahead(conn)
    assert (await hours.standing(conn, KEEP_A_DAY)).made_until == (present_hour() + 2) * 3600


async def test_without_the_present_hour_they_reach_to_its_beginning(conn: AsyncConnection[Any]) -> None:
    await hours.ensure_hours(conn, [present_hour() + 1, H])
    assert (await hours.standing(conn, KEEP_A_DAY)).made_until == present_hour() * 3600


async def test_an_hour_far_ahead_does_not_hide_a_missing_one_before_it(conn: AsyncConnection[Any]) -> None:
    now = present_hour()
    await hours.ensure_hours(conn, [now, now + 1, now + 2, now + 24])
    assert (await hours.standing(conn, KEEP_A_DAY)).made_until == (now + 3) * 3600


async def test_however_many_hours_are_made_the_end_of_them_is_found(conn: AsyncConnection[Any]) -> None:
    now = present_hour()
    await hours.ensure_hours(conn, range(now, now + 49))
    assert (await hours.standing(conn, KEEP_A_DAY)).made_until in {(now + 48) * 3600, (now + 49) * 3600}


async def test_where_every_hour_looked_at_has_its_table_the_end_of_them_is_said(conn: AsyncConnection[Any]) -> None:
    """As after the database's clock went back: no hour is made more than 48 h ahead."""
    await conn.execute(
        "INSERT INTO aggregate_hours (hour) SELECT generate_series(date_trunc('hour', now()) - interval '1 hour',"
        " now() + interval '60 hours', interval '1 hour')"
    )
    assert (await hours.standing(conn, KEEP_A_DAY)).made_until in {(present_hour() + more) * 3600 for more in (50, 51)}


async def test_nothing_is_overdue_where_nothing_may_be_dropped(conn: AsyncConnection[Any]) -> None:
    await old_hour(conn, H, idle=datetime.timedelta(hours=23))
    await old_hour(conn, H + 100, idle=datetime.timedelta())
    assert (await hours.standing(conn, KEEP_A_DAY)).overdue_s == 0


@pytest.mark.parametrize(
    ("ahead_hours", "idle_hours", "overdue_hours"),
    [(24 + 7, 90, 6), (1_000, 24 + 2, 2), (1_000, 24 + 5, 5)],
    ids=["by event time, which is less", "by idleness, which is less", "by idleness, more of it"],
)
async def test_an_hour_is_overdue_since_all_allowed_it(
    conn: AsyncConnection[Any], ahead_hours: int, idle_hours: int, overdue_hours: int
) -> None:
    await old_hour(conn, H, idle=datetime.timedelta(hours=idle_hours))
    await old_hour(conn, H + ahead_hours, idle=datetime.timedelta())
    assert (await hours.standing(conn, KEEP_A_DAY)).overdue_s == pytest.approx(overdue_hours * 3600, abs=60)


async def test_the_oldest_of_several_counts_and_none_once_they_are_dropped(conn: AsyncConnection[Any]) -> None:
    for hour, idle in ((H, 30), (H + 1, 40), (H + 2, 26)):
        await old_hour(conn, hour, idle=datetime.timedelta(hours=idle))
    await old_hour(conn, H + 1_000, idle=datetime.timedelta())
    assert (await hours.standing(conn, KEEP_A_DAY)).overdue_s == pytest.approx(16 * 3600, abs=60)
    assert await hours.expire(conn, KEEP_A_DAY) == [H, H + 1, H + 2]
    assert (await hours.standing(conn, KEEP_A_DAY)).overdue_s == 0


async def test_an_empty_hour_is_overdue_by_the_clock(conn: AsyncConnection[Any]) -> None:
    await hours.ensure_hours(conn, [H])
    await conn.execute("UPDATE aggregate_hours SET made_at = now() - interval '27 hours'")
    assert (await hours.standing(conn, KEEP_A_DAY)).overdue_s == pytest.approx(3 * 3600, abs=60)


async def test_the_workers_role_may_ask(production: Production) -> None:
    conninfo = production.login("allezone_pipeline").conninfo()
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
        assert (await hours.standing(conn, Retention())).made_until > 0
