"""What a failover took with it is noticed without traffic: the stored offsets are compared with what was written."""

import asyncio

import pytest

from pipeline import errors
from tests.support import eventually
from tests.support.fakes.counting import once, origins
from tests.unit.pipeline.counters import worker


async def test_a_partition_without_traffic_goes_back_to_what_a_failover_left_of_it() -> None:
    counting = worker(partitions=2)
    await counting.place(0, 1)
    for partition in (0, 1):
        await counting.take(partition)
        await counting.sink.write()
    counting.server.fail_over(1)
    await counting.sink.compare()
    assert counting.sink.expected == {0: 10, 1: 0}
    assert counting.consumer.seeks == [{0: 10, 1: 0}]
    await counting.take(1)
    await counting.sink.write()
    assert origins(counting.server) == once(counting.log)


async def test_what_is_folded_meanwhile_is_forgotten_with_it() -> None:
    counting = worker()
    await counting.place(0)
    await counting.take(0, at_most=4)
    await counting.sink.write()
    await counting.take(0, at_most=3)
    counting.server.fail_over(1)
    await counting.sink.compare()
    assert counting.sink.expected == {0: 0}
    await counting.finish()
    assert origins(counting.server) == once(counting.log)


async def test_where_all_is_stored_that_was_written_nothing_is_done() -> None:
    counting = worker()
    await counting.place(0)
    await counting.take(0, at_most=4)
    await counting.sink.write()
    await counting.take(0, at_most=3)
    await counting.sink.compare()
    assert (counting.sink.expected, counting.consumer.seeks) == ({0: 7}, [])


async def test_a_write_under_way_is_waited_for() -> None:
    counting = worker()
    await counting.place(0)
    await counting.take(0)
    writing = asyncio.create_task(counting.sink.write())
    await asyncio.sleep(0)
    await counting.sink.compare()
    assert writing.done()
    assert counting.consumer.seeks == []


async def test_a_worker_that_is_placed_while_the_store_is_away_is_not_moved_again() -> None:
    counting = worker(partitions=2)
    await counting.place(0)
    counting.server.stop()
    comparing = asyncio.create_task(counting.sink.compare())
    await eventually.until(counting.sink.is_asking)
    placing = asyncio.create_task(counting.place(1))
    await asyncio.wait_for(comparing, eventually.SECONDS)
    counting.server.start()
    assert await placing == {1: 0}
    assert counting.consumer.seeks == []


async def test_a_worker_without_partitions_asks_for_nothing() -> None:
    counting = worker()
    counting.server.stop()
    await asyncio.wait_for(counting.sink.compare(), eventually.SECONDS)


async def test_offsets_that_are_gone_end_the_worker_with_a_sentence() -> None:
    counting = worker()
    await counting.place(0)
    counting.server.tables.offsets.clear()
    with pytest.raises(errors.OffsetsGone):
        await counting.sink.compare()


async def test_it_compares_again_and_again() -> None:
    counting = worker(compare_interval_s=0.001)
    await counting.place(0)
    comparing = asyncio.create_task(counting.sink.keep_comparing())
    for _ in range(2):
        await counting.take(0)
        await counting.sink.write()
        counting.server.fail_over(1)
        await eventually.until(lambda: counting.sink.expected == {0: 0})
    comparing.cancel()
