"""docs/design.md 2: event-time hours are made when a write asks for them, and some take no more."""

from collections.abc import Collection

from tests.support.fakes.counting import once, origins
from tests.support.fakes.log import MINUTE, value
from tests.support.fakes.postgres import FakePostgres
from tests.support.fakes.postgres.tables import Hour
from tests.unit.pipeline.counters import worker

HOUR = MINUTE // 60


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

    async def and_drops_the_next(hours: Collection[int]) -> dict[int, str]:
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
