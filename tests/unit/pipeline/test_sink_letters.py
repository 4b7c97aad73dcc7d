"""docs/design.md 2: a value that PostgreSQL refuses is bisected down to its record, which becomes a dead letter."""

import pytest

from pipeline import errors
from tests.contract.flushes import letters_in_no_order
from tests.support.fakes.counting import Counting, once, origins
from tests.support.fakes.log import MINUTE, FakeLog, value
from tests.support.fakes.postgres import FakePostgres
from tests.unit.pipeline.counters import worker

HOUR = MINUTE // 60
LATE = value(0, 0, time=(HOUR - 30) * 3_600_000)
"""Of an hour that retention dropped."""


def late_server() -> FakePostgres:
    return FakePostgres(hours=[HOUR], tombstones=[HOUR - 30])


@pytest.mark.parametrize(
    "bad",
    [
        value(0, 7, origin="a\0b"),
        value(0, 7, cookie="fine", category_id="\0"),
        value(0, 7, time=2**63 - 1),
        value(0, 7, origin=letters_in_no_order(4_000)),
    ],
    ids=["a zero in a string", "another one", "a time beyond every timestamp", "a text too long for an index"],
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


async def test_however_many_events_of_hours_that_are_gone_come_those_behind_are_counted() -> None:
    """They are good and late; a worker that ended at them would end at them for ever."""
    counting = worker(records=0, server=late_server(), dead_letters_in_a_row=4, flush_records=3)
    for _ in range(20):
        counting.log.append(0, LATE)
    counting.log.fill(0, 5)
    await counting.place(0)
    while await counting.take(0, at_most=3):
        await counting.sink.write()
    assert len(counting.letters) == 20
    assert sum(origins(counting.server).values()) == 5


async def test_events_of_hours_that_no_gateway_lets_in_end_it_when_they_are_many() -> None:
    """Somebody writes other times than ours, or the clock of the database is wrong and each event is refused."""
    counting = worker(records=0, dead_letters_in_a_row=4, server=FakePostgres(hours=[HOUR]))
    for _ in range(5):
        counting.log.append(0, value(0, 0, time=20_000 * 365 * 86_400_000))
    await counting.place(0)
    await counting.take(0)
    with pytest.raises(errors.TooManyDeadLetters, match="hour_impossible"):
        await counting.sink.write()
    assert counting.stored(0) == 0


async def test_broken_records_count_from_write_to_write() -> None:
    counting = worker(records=0, dead_letters_in_a_row=4)
    for _ in range(5):
        counting.log.append(0, b"no record")
    await counting.place(0)
    for _ in range(2):
        await counting.take(0, at_most=2)
        await counting.sink.write()
    await counting.take(0)
    with pytest.raises(errors.TooManyDeadLetters):
        await counting.sink.write()
    assert counting.stored(0) == 4


async def test_broken_records_and_no_late_ones_are_what_a_worker_started_anew_goes_on_counting() -> None:
    log, server = FakeLog(), late_server()
    for content in (b"no record", LATE, b"no record", *[LATE] * 9, b"no record", LATE, b"no record"):
        log.append(0, content)
    for at_most in (3, 9, 1):
        counting = Counting(log, server, dead_letters_in_a_row=3)
        await counting.place(0)
        await counting.take(0, at_most)
        await counting.sink.write()
    assert len(server.tables.letters) == 13
    counting = Counting(log, server, dead_letters_in_a_row=3)
    await counting.place(0)
    await counting.take(0)
    with pytest.raises(errors.TooManyDeadLetters, match="4 records in a row"):
        await counting.sink.write()


async def test_broken_records_on_both_sides_of_a_late_one_in_one_write_are_in_a_row() -> None:
    """That an hour is gone shows when the write asks for it: until then its record looks like a good one."""
    counting = worker(records=0, server=late_server(), dead_letters_in_a_row=1)
    for content in (b"no record", LATE, b"no record"):
        counting.log.append(0, content)
    await counting.place(0)
    await counting.take(0)
    with pytest.raises(errors.TooManyDeadLetters):
        await counting.sink.write()
    assert counting.stored(0) == 0
