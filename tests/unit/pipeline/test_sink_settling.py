"""docs/design.md 2.2 to 2.4: compare-and-set, and commits of unknown outcome."""

import asyncio

import pytest

from pipeline import errors
from tests.support.fakes.counting import Counting, once, origins
from tests.support.fakes.postgres import Fate
from tests.unit.pipeline.counters import worker


@pytest.mark.parametrize("query", ["begin", "copy_deltas", "copy_end", "advance_and_commit"])
@pytest.mark.parametrize("fate", list(Fate))
async def test_whatever_becomes_of_a_write_its_records_are_counted_once(query: str, fate: Fate) -> None:
    """2.4, both ways of an unknown COMMIT."""
    counting = worker(partitions=2)
    await counting.place(0, 1)
    await counting.take(0, at_most=5)
    await counting.take(1, at_most=5)
    counting.server.strike(query, fate)
    await counting.sink.write()
    await counting.finish()
    assert origins(counting.server) == once(counting.log)


async def test_an_unknown_commit_that_happened_is_not_folded_again() -> None:
    counting = worker()
    await counting.place(0)
    await counting.take(0)
    counting.server.strike("advance_and_commit", Fate.CUT_AFTER)
    await counting.sink.write()
    assert counting.consumer.seeks == []
    assert counting.told == {0: 10}


async def test_an_unknown_commit_that_did_not_happen_discards_what_was_folded_meanwhile_and_seeks() -> None:
    counting = worker()
    await counting.place(0)
    await counting.take(0, at_most=4)
    counting.server.strike("advance_and_commit", Fate.CUT_BEFORE)
    writing = asyncio.create_task(counting.sink.write())
    await asyncio.sleep(0)
    await counting.take(0, at_most=4)  # folded while the write was under way
    await writing
    assert counting.consumer.seeks == [{0: 0}]
    assert counting.sink.expected == {0: 0}
    assert counting.told == {0: 0}
    await counting.finish()
    assert origins(counting.server) == once(counting.log)


async def test_a_retry_comes_before_the_next_write() -> None:
    """2.3."""
    counting = worker()
    await counting.place(0)
    await counting.take(0, at_most=5)
    for _ in range(3):
        counting.server.strike("begin", Fate.CUT_BEFORE)
    writing = asyncio.create_task(counting.sink.write())
    await asyncio.sleep(0)
    await counting.take(0)
    await asyncio.gather(writing, counting.sink.write())
    moved = [list(changes.offsets.values()) for changes in counting.server.engine.commits]
    assert moved == [[0], [5], [10]]


async def test_a_zombie_that_lost_its_partition_counts_nothing_twice() -> None:
    """2.2, 2.4: two workers at the same place."""
    zombie = worker()
    successor = Counting(zombie.log, zombie.server)
    await zombie.place(0)
    await zombie.take(0, at_most=6)
    await successor.place(0)
    await successor.take(0, at_most=8)
    await successor.sink.write()
    await zombie.sink.write()
    assert zombie.sink.expected == {0: 8}
    assert zombie.consumer.seeks == [{0: 8}]
    await zombie.finish()
    assert origins(zombie.server) == once(zombie.log)


async def test_a_database_that_lost_a_commit_in_a_failover_gets_it_again() -> None:
    """2.4: restored backups and failovers."""
    counting = worker()
    await counting.place(0)
    await counting.take(0, at_most=5)
    await counting.sink.write()
    counting.server.fail_over(lost=1)
    await counting.take(0)
    await counting.sink.write()
    assert counting.sink.expected == {0: 0}
    await counting.finish()
    assert origins(counting.server) == once(counting.log)


async def test_a_partition_whose_stored_offset_is_gone_ends_the_worker() -> None:
    counting = worker(partitions=2)
    await counting.place(0, 1)
    await counting.take(0)
    del counting.server.tables.offsets[counting.key(0)]
    with pytest.raises(errors.OffsetsGone, match=r"\[0\]"):
        await counting.sink.write()
