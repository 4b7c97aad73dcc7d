"""docs/design.md 2: exactly once, whatever goes wrong between a batch and its COMMIT."""

import asyncio
from collections.abc import Collection
from uuid import UUID

import pytest

from pipeline import errors
from stores import errors as store_errors
from tests.support import eventually
from tests.support.fakes.counting import Counting, once, origins
from tests.support.fakes.log import MINUTE, FakeLog, value
from tests.support.fakes.postgres import FakePostgres, Fate
from tests.support.fakes.postgres.tables import Hour

HOUR = MINUTE // 60


def worker(partitions: int = 1, records: int = 10, server: FakePostgres | None = None, **changed: object) -> Counting:
    log = FakeLog(partitions)
    for partition in range(partitions):
        log.fill(partition, records)
    return Counting(log, server or FakePostgres(), **changed)


async def running(counting: Counting) -> asyncio.Task[None]:
    return asyncio.create_task(counting.sink.run())


# -- when it writes ---------------------------------------------------------------------------------------------------


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
    assert counting.told == {}
    await counting.sink.write()
    assert counting.told == {0: 10}


async def test_nothing_folded_is_nothing_written() -> None:
    counting = worker()
    await counting.place(0)
    await counting.sink.write()
    assert len(counting.server.engine.commits) == 1  # of the placement


# -- replays and gaps --------------------------------------------------------------------------------------------------


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


# -- compare-and-set, unknown outcomes ---------------------------------------------------------------------------------


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
    assert counting.told == {}
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


# -- stores and brokers away -------------------------------------------------------------------------------------------


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


# -- bad data ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [value(0, 7, origin="a\0b"), value(0, 7, cookie="fine", category_id="\0"), value(0, 7, time=2**63 - 1)],
    ids=["a zero in a string", "another one", "a time beyond every timestamp"],
)
async def test_a_record_that_the_store_refuses_is_one_letter_and_all_others_are_counted(bad: bytes) -> None:
    """Errors: bisected down to the record."""
    counting = worker(records=7, partitions=2)
    offset = counting.log.append(0, bad)
    counting.log.fill(0, 7)
    await counting.place(0, 1)
    await counting.take(0)
    await counting.take(1)
    await counting.sink.write()
    expected = once(counting.log)
    del expected[f"0/{offset}"]
    assert origins(counting.server) == expected
    [letter] = counting.letters.values()
    assert (letter.partition, letter.offset, letter.value, letter.reason) == (0, offset, bad, "refused_by_store")
    assert counting.sink.expected == {0: 15, 1: 7}
    assert counting.stored(0) == 15


async def test_several_bad_records_are_a_letter_each() -> None:
    counting = worker(records=0)
    bad = [counting.log.append(0, value(0, at, origin="\0")) for at in range(3)]
    counting.log.fill(0, 3)
    bad.append(counting.log.append(0, b"no record"))
    bad.append(counting.log.append(0, None))
    counting.log.fill(0, 2)
    await counting.place(0)
    await counting.take(0)
    await counting.sink.write()
    assert sorted(offset for _, offset in counting.letters) == bad
    assert sum(origins(counting.server).values()) == 5


async def test_many_bad_records_in_a_row_stop_the_worker_and_are_not_stepped_over() -> None:
    counting = worker(dead_letters_in_a_row=4)
    for _ in range(5):
        counting.log.append(0, b"no record")
    await counting.place(0)
    await counting.take(0)
    with pytest.raises(errors.TooManyDeadLetters):
        await counting.sink.write()
    assert counting.stored(0) == 0
    assert counting.letters == {}


async def test_a_worker_started_anew_goes_on_counting_bad_records_where_the_one_before_ended() -> None:
    log, server = FakeLog(), FakePostgres()
    for _ in range(5):
        log.append(0, b"no record")
    for _ in range(2):
        counting = Counting(log, server, dead_letters_in_a_row=4)
        await counting.place(0)
        await counting.take(0, at_most=2)
        await counting.sink.write()
    counting = Counting(log, server, dead_letters_in_a_row=4)
    await counting.place(0)
    await counting.take(0)
    with pytest.raises(errors.TooManyDeadLetters):
        await counting.sink.write()
    assert len(server.tables.letters) == 4


async def test_bad_records_in_a_write_that_is_made_in_parts_are_counted_once() -> None:
    counting = worker(records=0, dead_letters_in_a_row=4, server=FakePostgres(hours=[]))
    for _ in range(3):
        counting.log.append(0, b"no record")
    counting.log.fill(0, 1)
    counting.log.append(0, value(0, 4, origin="\0"))
    await counting.place(0)
    await counting.take(0)
    await counting.sink.write()
    assert len(counting.letters) == 4


# -- hours -------------------------------------------------------------------------------------------------------------


async def test_hours_are_made_when_the_first_event_asks_for_them() -> None:
    counting = worker(server=FakePostgres(hours=[]))
    await counting.place(0)
    await counting.take(0)
    await counting.sink.write()
    assert counting.server.tables.hours == {HOUR: Hour.MADE}
    assert origins(counting.server) == once(counting.log)


async def test_events_of_an_hour_that_is_gone_are_letters_and_all_others_are_counted() -> None:
    counting = worker(records=3, server=FakePostgres(hours=[HOUR], tombstones=[HOUR - 30]))
    late = counting.log.append(0, value(0, 3, time=(HOUR - 30) * 3_600_000))
    await counting.place(0)
    await counting.take(0)
    await counting.sink.write()
    [letter] = counting.letters.values()
    assert (letter.offset, letter.reason) == (late, "hour_gone")
    assert sum(origins(counting.server).values()) == 3


async def test_two_hours_that_go_one_after_the_other_in_one_write_are_both_letters() -> None:
    counting = worker(records=3, server=FakePostgres(hours=[HOUR, HOUR - 31], tombstones=[HOUR - 30]))
    counting.log.append(0, value(0, 3, time=(HOUR - 30) * 3_600_000))
    counting.log.append(0, value(0, 4, time=(HOUR - 31) * 3_600_000))
    await counting.place(0)
    await counting.take(0)
    ensure = counting.hours.ensure

    async def and_drops_the_next(hours: Collection[int]) -> set[int]:
        refused = await ensure(hours)
        assert counting.server.tables.hours is not None
        counting.server.tables.hours[HOUR - 31] = Hour.TOMBSTONED
        return refused

    counting.hours.ensure = and_drops_the_next  # type: ignore[method-assign, assignment]
    await counting.sink.write()
    assert {letter.offset for letter in counting.letters.values()} == {3, 4}
    assert sum(origins(counting.server).values()) == 3


async def test_a_bad_record_in_an_hour_that_has_to_be_made_is_a_letter() -> None:
    counting = worker(records=3, server=FakePostgres(hours=[]))
    counting.log.append(0, value(0, 3, origin="\0"))
    counting.log.fill(0, 1)
    await counting.place(0)
    await counting.take(0)
    await counting.sink.write()
    assert len(counting.letters) == 1
    assert sum(origins(counting.server).values()) == 4


# -- another topic -----------------------------------------------------------------------------------------------------


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
