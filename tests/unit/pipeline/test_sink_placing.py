"""docs/design.md 2: where the worker goes on after a rebalance, and the topics that it does not go on in."""

import asyncio
from uuid import UUID

import pytest

from pipeline import errors
from stores import errors as store_errors
from tests.support import eventually
from tests.support.fakes.counting import Counting, once, origins
from tests.unit.pipeline.counters import worker


async def test_a_placement_takes_the_stored_offsets_and_forgets_what_was_folded() -> None:
    counting = worker(partitions=2)
    await counting.place(0, 1)
    await counting.take(0)
    assert await counting.place(0) == {0: 0}
    await counting.sink.write()
    assert counting.server.tables.sums == {}
    assert counting.sink.expected == {0: 0}


async def test_a_placement_ends_a_write_that_is_tried_again_and_again() -> None:
    counting = worker()
    await counting.place(0)
    await counting.take(0)
    counting.server.stop()
    writing = asyncio.create_task(counting.sink.write())
    await eventually.until(counting.sink.is_asking)
    placing = asyncio.create_task(counting.place(0))
    await asyncio.wait_for(writing, eventually.SECONDS)
    counting.server.start()
    assert await placing == {0: 0}
    await counting.finish()
    assert origins(counting.server) == once(counting.log)


async def test_nothing_of_a_topic_made_anew_is_counted() -> None:
    counting = worker()
    await counting.place(0)
    await counting.take(0)
    counting.log.replaced = True
    with pytest.raises(errors.TopicReplaced):
        await counting.sink.write()
    assert counting.server.tables.sums == {}


async def test_a_topic_made_anew_while_the_worker_was_away_is_refused() -> None:
    counting = worker()
    await counting.place(0)
    counting.log.id = UUID(int=2)
    with pytest.raises(store_errors.TopicReplaced, match="deleted and made anew"):
        await Counting(counting.log, counting.server).place(0)


async def test_a_log_that_ends_below_what_was_counted_is_refused_with_a_sentence() -> None:
    counting = worker()
    await counting.place(0)
    await counting.take(0)
    await counting.sink.write()
    counting.log.ends[0] = 7
    with pytest.raises(errors.LogTruncated, match="partition 0 ends at offset 7, but everything below 10 was counted"):
        await counting.place(0)


async def test_what_others_counted_while_the_database_was_away_lies_beyond_no_end() -> None:
    """A placement waits for PostgreSQL for as long as it is away; the ends that it read before are old by then."""
    counting = worker()
    counting.server.stop()
    placing = asyncio.create_task(counting.place(0))
    await eventually.until(counting.sink.is_asking)
    counting.log.fill(0, 5)
    counting.server.tables.offsets[counting.key(0)] = 15
    counting.server.start()
    assert await placing == {0: 15}


async def test_a_partition_whose_stored_offset_retention_overtook_goes_on_at_what_is_left() -> None:
    counting = worker()
    await counting.place(0)
    await counting.take(0, at_most=2)
    await counting.sink.write()
    counting.log.truncate(0, 6)
    assert await counting.place(0) == {0: 2}
    await counting.finish()
    assert sorted(origins(counting.server)) == ["0/0", "0/1", "0/6", "0/7", "0/8", "0/9"]
