"""How far a worker is, as its metrics tell: by partition, and of those alone that it has."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from broker import errors as broker_errors
from pipeline import metrics
from pipeline.watchdog import Watchdog
from tests.support import eventually
from tests.support.fakes.counting import Counting
from tests.support.fakes.log import MINUTE, value
from tests.support.fakes.postgres import FakePostgres
from tests.unit.pipeline import measured
from tests.unit.pipeline.counters import worker
from tests.unit.pipeline.test_profiles_sink import Writing

OF_PARTITIONS = ("next_offset", "lag_records", "watermark_timestamp_seconds")


@pytest.fixture(autouse=True)
def no_partitions() -> Iterator[None]:
    """No other test's worker has left anything."""
    for partition in range(10):
        metrics.forget_partition(partition)
    yield
    for partition in range(10):
        metrics.forget_partition(partition)


def dog(counting: Counting) -> Watchdog:
    async def orphans() -> dict[int, int]:
        return {}

    sink = counting.sink
    return Watchdog(counting.log, lambda: sink.expected, orphans, sink.is_asking, 0.02, sink.progress.reach)


def accepted(counting: Counting, *ages_s: float) -> None:
    """The records of partition 0 were taken by the log so long ago."""
    now_ms = int(time.time() * 1000)
    counting.log.records[0] = [
        record._replace(timestamp=now_ms - int(age_s * 1000))
        for record, age_s in zip(counting.log.records[0], ages_s, strict=True)
    ]


async def test_a_write_observes_the_freshness_of_its_oldest_and_its_newest_event() -> None:
    counting, freshness = worker(records=5), measured.Observed("freshness_seconds")
    accepted(counting, 50, 40, 30, 20, 10)
    await counting.place(0)
    await counting.take(0, at_most=2)
    await counting.take(0)
    assert freshness.count == 0  # nobody is shown them yet
    await counting.sink.write()
    assert freshness.count == 2
    assert freshness.sum == pytest.approx(50 + 10, abs=1)


async def test_profiles_are_observed_as_well() -> None:
    writing, freshness = Writing(), measured.Observed("freshness_seconds")
    await writing.placed()
    await writing.take()
    await writing.sink.write()
    assert freshness.count == 2
    assert measured.value("watermark_timestamp_seconds", partition=0) == MINUTE * 60 + 0.009


async def test_a_broker_whose_clock_is_ahead_makes_no_negative_age() -> None:
    counting, freshness = worker(records=1), measured.Observed("freshness_seconds")
    accepted(counting, -3600)
    await counting.place(0)
    await counting.take(0)
    await counting.sink.write()
    assert (freshness.count, freshness.sum) == (2, 0)


async def test_a_write_that_is_abandoned_is_neither_fresh_nor_stored() -> None:
    counting, freshness, took = worker(), measured.Observed("freshness_seconds"), measured.Observed("flush_seconds")
    await counting.place(0)
    await counting.take(0)
    counting.server.stop()
    writing = asyncio.create_task(counting.sink.write())
    await eventually.until(counting.sink.is_asking)
    placing = asyncio.create_task(counting.place(0))
    await asyncio.wait_for(writing, eventually.SECONDS)
    counting.server.start()
    await placing
    assert (freshness.count, took.count) == (0, 0)
    assert measured.value("watermark_timestamp_seconds", partition=0) is None


async def test_a_write_says_when_it_was_stored_and_how_far_event_time_has_come() -> None:
    counting, began = worker(), time.time()
    await counting.place(0)
    await counting.take(0)
    await counting.sink.write()
    stored_at = measured.value("stored_timestamp_seconds")
    assert stored_at is not None
    assert began <= stored_at <= time.time()
    assert measured.value("watermark_timestamp_seconds", partition=0) == MINUTE * 60 + 0.009


async def test_a_last_record_that_nobody_can_decode_leaves_event_time_as_it_was() -> None:
    counting = worker(records=3)
    await counting.place(0)
    await counting.take(0)
    await counting.sink.write()
    counting.log.append(0, b"broken")
    await counting.take(0)
    await counting.sink.write()
    assert measured.value("watermark_timestamp_seconds", partition=0) == MINUTE * 60 + 0.002


async def test_a_last_record_of_a_time_that_no_gateway_lets_in_leaves_event_time_as_it_was() -> None:
    """It became a dead letter of its own write, and nothing comes behind it."""
    counting = worker(records=3)
    await counting.place(0)
    counting.log.append(0, value(0, 3, time=2**63 - 1))
    await counting.take(0, at_most=3)
    await counting.sink.write()
    await counting.take(0)
    await counting.sink.write()
    assert len(counting.letters) == 1
    assert measured.value("watermark_timestamp_seconds", partition=0) == MINUTE * 60 + 0.002


async def test_so_does_one_that_became_an_entry_of_a_profile() -> None:
    writing = Writing()
    await writing.placed()
    await writing.take()
    await writing.sink.write()
    writing.log.append(0, value(0, 10, time=2**62))
    await writing.take()
    await writing.sink.write()
    assert measured.value("watermark_timestamp_seconds", partition=0) == MINUTE * 60 + 0.009


async def test_a_last_record_as_far_ahead_as_gateways_let_in_is_how_far_event_time_has_come() -> None:
    counting, ahead_ms = worker(records=0), int((time.time() + 24 * 3600 - 60) * 1000)
    await counting.place(0)
    counting.log.append(0, value(0, 0, time=ahead_ms))
    await counting.take(0)
    await counting.sink.write()
    assert measured.value("watermark_timestamp_seconds", partition=0) == ahead_ms / 1000


async def test_the_lag_is_what_is_not_stored_whatever_was_taken() -> None:
    counting = worker(partitions=2)
    await counting.place(0, 1)
    await counting.take(0, at_most=4)
    await dog(counting).look()
    assert measured.value("lag_records", partition=0) == 10
    await counting.sink.write()
    await dog(counting).look()
    assert measured.value("lag_records", partition=0) == 6
    assert measured.value("lag_records", partition=1) == 10


async def test_the_lag_grows_while_the_store_hangs_and_nothing_is_taken() -> None:
    counting = worker()
    await counting.place(0)
    await counting.take(0)
    counting.server.stop()
    writing = asyncio.create_task(counting.sink.write())
    await eventually.until(counting.sink.is_asking)
    looking = asyncio.create_task(dog(counting).run())
    counting.log.fill(0, 5)
    await eventually.until(lambda: measured.value("lag_records", partition=0) == 15)
    counting.server.start()
    await writing
    await eventually.until(lambda: measured.value("lag_records", partition=0) == 5)
    looking.cancel()


async def test_what_retention_took_is_no_lag() -> None:
    counting = worker()
    await counting.place(0)
    counting.log.truncate(0, 7)
    await dog(counting).look()
    assert measured.value("lag_records", partition=0) == 3


async def test_while_kafka_is_away_the_lag_and_the_time_it_was_asked_at_stay() -> None:
    counting, began = worker(), time.time()
    watching = dog(counting)
    await counting.place(0)
    await watching.look()
    asked_at = measured.value("lag_timestamp_seconds")
    counting.log.away = True
    with pytest.raises(broker_errors.BrokerUnavailable):
        await counting.log.offsets()
    await watching.look()
    assert asked_at is not None
    assert asked_at >= began
    assert measured.value("lag_timestamp_seconds") == asked_at
    assert measured.value("lag_records", partition=0) == 10


async def test_of_a_partition_that_went_to_another_worker_nothing_is_exported() -> None:
    counting = worker(partitions=3)
    await counting.place(0, 1, 2)
    for partition in range(3):
        await counting.take(partition)
    await counting.sink.write()
    await dog(counting).look()
    assert all(measured.partitions(name) == {0, 1, 2} for name in OF_PARTITIONS)

    await counting.place(1)
    await dog(counting).look()
    assert [measured.partitions(name) for name in OF_PARTITIONS] == [{1}, {1}, {1}]

    await counting.place()
    await dog(counting).look()
    assert [measured.partitions(name) for name in OF_PARTITIONS] == [set(), set(), set()]


async def test_it_goes_at_once_even_where_the_store_does_not_say_where_others_go_on() -> None:
    counting = worker(partitions=2)
    await counting.place(0, 1)
    await dog(counting).look()
    counting.server.stop()
    placing = asyncio.create_task(counting.place(1))
    await eventually.until(counting.sink.is_asking)
    await dog(counting).look()
    assert measured.partitions("lag_records") == {1}
    placing.cancel()


async def test_a_write_that_ends_behind_a_rebalance_brings_no_partition_back() -> None:
    """The profiles worker's: it is not waited for."""
    writing = Writing()
    await writing.placed()
    await writing.take()
    writing.store.freeze()
    writes = asyncio.create_task(writing.sink.write())
    await asyncio.sleep(0)
    assert await writing.sink.starts(set()) == {}
    writing.store.thaw()
    await asyncio.wait_for(writes, eventually.SECONDS)
    assert measured.partitions("watermark_timestamp_seconds") == set()


async def test_two_placements_at_once_leave_what_the_last_one_has() -> None:
    counting = worker(partitions=2, server=FakePostgres())
    counting.server.freeze()
    first = asyncio.create_task(counting.place(0, 1))
    await asyncio.sleep(0)
    second = asyncio.create_task(counting.place())
    await asyncio.sleep(0)
    counting.server.thaw()
    await asyncio.wait_for(asyncio.gather(first, second), eventually.SECONDS)
    assert measured.partitions("next_offset") == set()


async def test_letters_are_counted_by_their_reason() -> None:
    counting = worker(records=2)
    before = measured.value("dead_letters_total", reason="undecodable") or 0
    for _ in range(3):
        counting.log.append(0, b"broken")
    await counting.place(0)
    await counting.take(0)
    await counting.sink.write()
    assert measured.value("dead_letters_total", reason="undecodable") == before + 3
