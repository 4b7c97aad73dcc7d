"""What `PostgresFlushes` owes to a real server alone; all else is its contract (tests/contract/test_flushes.py)."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio

from runtime.settings import DatabaseSettings
from stores import errors, flush, hours, offsets
from tests.contract.flushes import CONSUMER, HOUR, content
from tests.support import eventually, proxy
from tests.support.proxy import Fault, Proxy

MOVE = (0, 0, 2)
LOCK_ROW = "SELECT FROM pipeline_offsets WHERE consumer_group = 'aggregates' AND partition = 0 FOR UPDATE"
ADVANCE = b"advance_flush"


@pytest_asyncio.fixture
async def way(database: DatabaseSettings) -> AsyncIterator[Proxy]:
    """The network between the worker under test and its database, which has a table for the hour."""
    async with await psycopg.AsyncConnection.connect(database.conninfo(), autocommit=True) as conn:
        await hours.ensure_hours(conn, [HOUR])
    async with proxy.before(database.db_host, database.db_port) as made:
        yield made


@pytest_asyncio.fixture
async def worker(database: DatabaseSettings, way: Proxy) -> AsyncIterator[flush.PostgresFlushes]:
    """The worker under test, behind `way`, at offset 0 of partition 0."""
    made = flush.PostgresFlushes(database.model_copy(update={"db_port": way.port}).conninfo(), CONSUMER, patience=3.0)
    await made.open({0: 0})
    yield made
    way.end()
    await made.close()


@pytest_asyncio.fixture
async def successor(database: DatabaseSettings) -> AsyncIterator[flush.PostgresFlushes]:
    """Another worker of the group, whose network is well."""
    made = flush.PostgresFlushes(database.conninfo(), CONSUMER)
    yield made
    await made.close()


async def counted(database: DatabaseSettings) -> int:
    async with await psycopg.AsyncConnection.connect(database.conninfo()) as conn:
        row = await (await conn.execute("SELECT coalesce(sum(count), 0) FROM aggregate_deltas")).fetchone()
    assert row is not None
    return int(row[0])


async def test_a_row_that_stays_locked_beyond_all_patience_is_asked_for_again_later(
    database: DatabaseSettings, worker: flush.PostgresFlushes
) -> None:
    async with await psycopg.AsyncConnection.connect(database.conninfo()) as old:
        await old.execute(LOCK_ROW)
        with pytest.raises(errors.StoreUnavailable):
            await worker.settled([0])
    assert await worker.settled([0]) == {0: 0}


@pytest.mark.parametrize(
    ("word", "meaning"),
    [(b"COPY", errors.StoreUnavailable), (ADVANCE, errors.OutcomeUnknown)],
)
async def test_a_server_that_freezes_is_given_up_after_a_while_and_written_to_when_it_is_back(
    database: DatabaseSettings, way: Proxy, worker: flush.PostgresFlushes, word: bytes, meaning: type[Exception]
) -> None:
    way.fail_at(word, Fault.FREEZE)
    async with asyncio.timeout(eventually.SECONDS):
        with pytest.raises(meaning):
            await worker.write(content(MOVE))
    way.thaw()
    if await worker.settled([0]) == {0: 0}:
        with contextlib.suppress(errors.OffsetMoved):  # what was frozen came through after all
            await worker.write(content(MOVE))
    assert await counted(database) == 2


async def test_a_write_that_was_cancelled_leaves_nothing_behind(
    database: DatabaseSettings, way: Proxy, worker: flush.PostgresFlushes
) -> None:
    way.fail_at(ADVANCE, Fault.FREEZE)
    writing = asyncio.create_task(worker.write(content(MOVE)))
    await way.struck.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    way.end()
    await worker.write(content(MOVE))
    assert await counted(database) == 2


async def test_a_primary_that_became_read_only_is_away(
    database: DatabaseSettings, worker: flush.PostgresFlushes, successor: flush.PostgresFlushes
) -> None:
    async with await psycopg.AsyncConnection.connect(database.conninfo(), autocommit=True) as conn:
        name = psycopg.sql.Identifier(database.db_name)
        alter = psycopg.sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")
        await conn.execute(alter.format(name, "on"))
        with pytest.raises(errors.StoreUnavailable):
            await successor.open({0: 0})
        await conn.execute("SET default_transaction_read_only = off")
        await conn.execute(alter.format(name, "off"))
    assert await successor.open({0: 0}) == {0: 0}


async def test_a_missing_table_is_a_defect_and_not_retried(
    database: DatabaseSettings, worker: flush.PostgresFlushes
) -> None:
    async with await psycopg.AsyncConnection.connect(database.conninfo(), autocommit=True) as conn:
        await conn.execute("ALTER TABLE minute_totals RENAME TO elsewhere")
    with pytest.raises(psycopg.errors.UndefinedTable):
        await worker.write(content(MOVE))


async def test_sessions_do_not_idle_inside_a_transaction_for_ever(worker: flush.PostgresFlushes) -> None:
    conn = await worker._connected()  # noqa: SLF001
    row = await (await conn.execute("SHOW idle_in_transaction_session_timeout")).fetchone()
    assert row == ("1min",)


async def test_a_worker_of_a_topic_made_anew_can_be_told_to_forget_the_old_one(
    database: DatabaseSettings, worker: flush.PostgresFlushes
) -> None:
    anew = offsets.Consumer(CONSUMER.group, CONSUMER.topic, uuid.UUID(int=8))
    async with await psycopg.AsyncConnection.connect(database.conninfo()) as conn:
        assert await offsets.forget_other_topics(conn, anew) == 1
    other = flush.PostgresFlushes(database.conninfo(), anew)
    assert await other.open({0: 0}) == {0: 0}
    await other.close()
