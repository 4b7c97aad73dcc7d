"""docs/design.md 2: when the aggregates worker writes, and what it takes."""

import asyncio

from tests.support import eventually
from tests.support.fakes.counting import Counting, once, origins
from tests.unit.pipeline.counters import worker


async def running(counting: Counting) -> asyncio.Task[None]:
    return asyncio.create_task(counting.sink.run())


async def test_a_timer_writes_when_traffic_stops() -> None:
    counting = worker(flush_interval_s=0.01)
    await counting.place(0)
    task = await running(counting)
    await counting.take(0, at_most=3)
    await eventually.until(lambda: counting.told == {0: 3})
    task.cancel()
    assert len(counting.server.engine.commits) == 2  # of the placement, and of the write


async def test_a_full_fold_is_written_without_waiting_for_the_timer() -> None:
    counting = worker(flush_records=5, flush_interval_s=3600)
    await counting.place(0)
    task = await running(counting)
    await counting.take(0, at_most=5)
    await eventually.until(lambda: counting.told == {0: 5})
    task.cancel()


async def test_while_a_write_is_under_way_the_next_batch_is_folded_and_no_more_than_one_write_holds() -> None:
    """2.3."""
    counting = worker(records=20, flush_records=5)
    await counting.place(0)
    counting.server.stop()
    await counting.take(0, at_most=5)
    writing = asyncio.create_task(counting.sink.write())
    await eventually.until(counting.sink.is_asking)
    await counting.take(0, at_most=5)  # folded
    third = asyncio.create_task(counting.take(0, at_most=5))  # waits
    await asyncio.sleep(0.01)
    assert not third.done()
    counting.server.start()
    await writing
    await counting.sink.write()
    await third
    assert counting.sink.expected == {0: 15}


async def test_kafka_is_told_only_behind_the_write() -> None:
    """2.5."""
    counting = worker()
    await counting.place(0)
    await counting.take(0)
    assert counting.told == {0: 0}
    await counting.sink.write()
    assert counting.told == {0: 10}


async def test_nothing_folded_is_nothing_written() -> None:
    counting = worker()
    await counting.place(0)
    await counting.sink.write()
    assert len(counting.server.engine.commits) == 1  # of the placement


async def test_replayed_records_are_cut_off() -> None:
    """2.1."""
    counting = worker()
    await counting.place(0)
    await counting.take(0, at_most=6)
    await counting.consumer.seek({0: 2})
    await counting.take(0)
    await counting.sink.write()
    assert origins(counting.server) == once(counting.log)


async def test_a_lost_batch_is_fetched_again_before_what_lies_above_it() -> None:
    """2.1: a batch above the expected offset is dropped and sought back."""
    counting = worker()
    await counting.place(0)
    counting.consumer.fetch(0, at_most=4)  # lost
    await counting.take(0)
    await counting.sink.write()
    assert counting.server.tables.sums == {}
    await counting.finish()
    assert origins(counting.server) == once(counting.log)


async def test_a_store_that_is_away_is_asked_again_until_it_is_back() -> None:
    counting = worker(partitions=2, flush_records=5)
    await counting.place(0, 1)
    task = await running(counting)
    counting.server.stop()
    taking = asyncio.create_task(counting.finish())
    await eventually.until(counting.sink.is_asking)
    counting.server.start()
    await asyncio.wait_for(taking, eventually.SECONDS)
    task.cancel()
    assert not counting.sink.is_asking()
    assert origins(counting.server) == once(counting.log)
