"""The server in memory where its contract does not reach: faults that no real server takes orders for."""

import asyncio
import random
from typing import Any, cast

import psycopg
import pytest

from stores import errors, flush
from tests.contract.flushes import CONSUMER, HOUR, content, item
from tests.support import virtual_time
from tests.support.fakes.postgres import FakePostgres, Fate, Message, Result, Session
from tests.support.fakes.postgres.connection import FakeConnection
from tests.support.fakes.postgres.tables import Offset

MOVE = (0, 0, 2)
ONCE = {item(): (2, -5)}
ROW = Offset(CONSUMER.group, CONSUMER.topic_id, 0)


def worker(server: FakePostgres, name: str = "worker") -> flush.PostgresFlushes:
    return flush.PostgresFlushes(name, CONSUMER, connect=server.connect)


def now() -> float:
    return asyncio.get_running_loop().time()


async def connected(server: FakePostgres, name: str = "someone") -> FakeConnection:
    return cast("FakeConnection", await server.connect(name))


async def lock(conn: FakeConnection, *rows: Offset) -> None:
    """In a transaction that stays open."""

    async def take(session: Session) -> list[Result]:
        for row in rows:
            await session.lock(row)
        return []

    await conn.in_turn(lambda: Message("lock", take))


def test_a_failover_forgets_the_newest_commits_and_all_connections() -> None:
    async def scene() -> None:
        server = FakePostgres(hours=[HOUR])
        one = worker(server)
        await one.open({0: 0})
        for start in (0, 2, 4):
            await one.write(content((0, start, start + 2)))
        server.fail_over(lost=2)
        with pytest.raises(errors.StoreUnavailable):
            await one.settled([0])
        assert await one.settled([0]) == {0: 2}
        assert server.tables.sums == ONCE
        with pytest.raises(errors.OffsetMoved):
            await one.write(content((0, 6, 8)))

    virtual_time.run(scene())


def test_a_full_disk_takes_no_rows_until_there_is_room() -> None:
    async def scene() -> None:
        server = FakePostgres(hours=[HOUR])
        one = worker(server)
        await one.open({0: 0})
        server.engine.disk_full = True
        with pytest.raises(errors.StoreUnavailable, match="No space left"):
            await one.write(content(MOVE))
        server.engine.disk_full = False
        await one.write(content(MOVE))
        assert server.tables.sums == ONCE

    virtual_time.run(scene())


def test_a_server_that_is_read_only_is_away() -> None:
    async def scene() -> None:
        server = FakePostgres()
        server.engine.read_only = True
        with pytest.raises(errors.StoreUnavailable, match="read-only"):
            await worker(server).open({0: 0})

    virtual_time.run(scene())


@pytest.mark.parametrize("how", [FakePostgres.stop, FakePostgres.crash])
def test_a_server_that_ended_refuses_connections_and_keeps_what_was_committed(how: Any) -> None:
    async def scene() -> None:
        server = FakePostgres(hours=[HOUR])
        one = worker(server)
        await one.open({0: 0})
        await one.write(content(MOVE))
        how(server)
        for _ in range(3):
            with pytest.raises(errors.StoreUnavailable):
                await one.settled([0])
        server.start()
        assert await one.settled([0]) == {0: 2}

    virtual_time.run(scene())


def test_a_frozen_server_is_given_up_and_used_again_when_it_is_thawed() -> None:
    async def scene() -> None:
        server = FakePostgres(hours=[HOUR])
        one = worker(server)
        await one.open({0: 0})
        server.freeze()
        began = now()
        with pytest.raises(errors.StoreUnavailable):
            await one.write(content(MOVE))
        assert 30 <= now() - began <= 41  # the patience, and what psycopg gives a cancelled query
        server.thaw()
        await one.write(content(MOVE))
        assert server.tables.sums == ONCE

    virtual_time.run(scene())


def test_a_commit_that_was_sent_to_a_frozen_server_takes_effect_when_it_is_thawed() -> None:
    async def scene() -> None:
        server = FakePostgres(hours=[HOUR])
        one = worker(server)
        await one.open({0: 0})
        thawed = asyncio.Event()
        server.strike("advance_and_commit", Fate.DELIVERED, until=thawed)
        with pytest.raises(errors.OutcomeUnknown):
            await one.write(content(MOVE))
        assert server.tables.sums == {}
        thawed.set()
        await asyncio.sleep(1)
        assert server.tables.sums == ONCE
        assert await one.settled([0]) == {0: 2}

    virtual_time.run(scene())


def test_what_a_killed_client_sent_is_obeyed_and_what_it_did_not_send_is_not() -> None:
    async def scene() -> None:
        server = FakePostgres(hours=[HOUR], pause=lambda: 0.01)
        one, other = worker(server, "one"), worker(server, "other")
        await one.open({0: 0, 1: 0})
        await other.open({1: 0})
        server.strike("advance_and_commit", Fate.DELIVERED, "one", late_s=1)
        server.strike("copy_end", Fate.DELIVERED, "other", late_s=1)
        writing = [asyncio.create_task(one.write(content(MOVE))), asyncio.create_task(other.write(content((1, 0, 5))))]
        await asyncio.sleep(0.5)
        server.vanish("one")
        server.vanish("other")
        await asyncio.sleep(5)
        assert server.tables.sums == ONCE
        assert server.tables.offsets[ROW] == 2
        assert server.sessions == []
        for result in await asyncio.gather(*writing, return_exceptions=True):
            assert isinstance(result, errors.OutcomeUnknown | errors.StoreUnavailable)
        with pytest.raises(psycopg.OperationalError):
            await server.connect("one")

    virtual_time.run(scene())


def test_a_client_that_stops_inside_a_transaction_is_cut_off_after_a_minute() -> None:
    async def scene() -> None:
        server = FakePostgres()
        await worker(server).open({0: 0})
        stopped = await connected(server)
        await stopped.execute(flush._SQL["session"])  # noqa: SLF001
        await stopped.execute("BEGIN")
        await lock(stopped, ROW)
        began = now()
        successor = worker(server, "successor")
        with pytest.raises(errors.StoreUnavailable):
            await successor.settled([0])
        assert 29 <= now() - began <= 31  # lock_timeout, or the worker's own patience
        await successor.settled([0])
        assert 59 <= now() - began <= 61
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            await stopped.execute("COMMIT")

    virtual_time.run(scene())


def test_of_two_transactions_that_wait_for_each_other_one_is_refused() -> None:
    async def scene() -> None:
        server = FakePostgres()
        rows = [ROW, ROW._replace(partition=1)]
        both = [await connected(server, name) for name in "ab"]
        for conn, row in zip(both, rows, strict=True):
            await conn.execute("BEGIN")
            await lock(conn, row)
        results = await asyncio.gather(lock(both[0], rows[1]), lock(both[1], rows[0]), return_exceptions=True)
        assert [type(result) for result in results if result] == [psycopg.errors.DeadlockDetected]

    virtual_time.run(scene())


def test_a_rollback_that_is_not_answered_is_given_up() -> None:
    async def scene() -> None:
        server = FakePostgres(hours=[HOUR])
        one = worker(server)
        await one.open({0: 0})
        server.strike("rollback", Fate.DELIVERED, until=asyncio.Event())
        with pytest.raises(errors.OffsetMoved):
            await one.write(content((0, 1, 2)))
        await one.write(content(MOVE))
        assert server.tables.sums == ONCE

    virtual_time.run(scene())


def test_a_statement_in_a_failed_transaction_is_refused_and_its_commit_is_a_rollback() -> None:
    async def scene() -> None:
        conn = await connected(FakePostgres())
        await conn.execute("BEGIN")
        with pytest.raises(psycopg.errors.QueryCanceled):
            async with conn.cursor().copy(flush._SQL["copy_deltas"]):  # noqa: SLF001
                raise psycopg.errors.QueryCanceled
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            await lock(conn, ROW)
        assert (await conn.execute("COMMIT")).statusmessage == "ROLLBACK"

    virtual_time.run(scene())


def test_a_query_that_it_does_not_know_is_no_silent_success() -> None:
    async def scene() -> None:
        conn = await connected(FakePostgres())
        with pytest.raises(NotImplementedError, match="SELECT 42"):
            await conn.execute("SELECT 42")

    virtual_time.run(scene())


def test_the_same_seed_gives_the_same_run() -> None:
    async def scene(seed: int) -> list[Any]:
        chosen = random.Random(seed)  # noqa: S311
        server = FakePostgres(hours=[HOUR], pause=lambda: chosen.expovariate(100))
        workers = [worker(server, str(number)) for number in range(3)]
        await asyncio.gather(*(one.open({0: 0, 1: 0}) for one in workers))
        seen: list[Any] = []
        for start in range(5):
            writes = (one.write(content((0, start, start + 1))) for one in workers)
            results = await asyncio.gather(*writes, return_exceptions=True)
            seen.append((now(), [type(result) for result in results]))
        return seen

    runs = [virtual_time.run(scene(seed), seed) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
