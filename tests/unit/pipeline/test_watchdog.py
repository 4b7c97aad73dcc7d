"""docs/design.md 3: a worker that lives on without consuming ends; one whose stores are away does not."""

import asyncio
from collections.abc import Mapping

import pytest

from broker import errors as broker_errors
from pipeline import errors
from pipeline.watchdog import LOOKS, Watchdog
from tests.support import eventually
from tests.support.fakes.log import FakeLog

STALLED_AFTER_S = 0.02
ENOUGH = LOOKS * 10
"""Looks: ten times as many as end a stalled worker."""


class Watched:
    """A worker at offset 4 of 10 of one partition; partition 1 is empty. A look is taken whenever a test says so."""

    def __init__(self) -> None:
        self.log = FakeLog(2)
        self.log.fill(0, 10)
        self.expected: dict[int, int] = {0: 4, 1: 0}
        self.orphans: dict[int, int] = {}
        self.group_away = False
        self.excused = False
        self.dog = Watchdog(
            self.log, lambda: self.expected, self._orphans, lambda: self.excused, stalled_after_s=STALLED_AFTER_S
        )

    async def _orphans(self) -> Mapping[int, int]:
        if self.group_away:
            message = "no broker"
            raise broker_errors.BrokerUnavailable(message)
        return self.orphans

    async def looks(self, count: int = ENOUGH) -> None:
        for _ in range(count):
            await self.dog.look()


async def test_a_worker_with_lag_that_does_not_move_ends_with_a_sentence() -> None:
    watched = Watched()
    with pytest.raises(errors.Stalled, match=r"6 records wait and nothing has moved for 0 s in partitions \[0\]"):
        await asyncio.wait_for(watched.dog.run(), eventually.SECONDS)


async def test_it_ends_after_the_time_that_was_set_and_not_before() -> None:
    watched = Watched()
    await watched.looks(LOOKS)
    with pytest.raises(errors.Stalled):
        await watched.dog.look()


async def test_a_worker_that_moves_lives() -> None:
    watched = Watched()
    for _ in range(ENOUGH):
        watched.log.fill(0, 1)
        watched.expected[0] += 1
        await watched.dog.look()
    assert watched.dog.lag == 6


async def test_a_worker_without_lag_lives() -> None:
    watched = Watched()
    watched.expected = {0: 10, 1: 0}
    await watched.looks()


async def test_a_worker_whose_sink_asks_again_and_again_lives_and_has_its_time_from_then_on() -> None:
    watched = Watched()
    watched.excused = True
    await watched.looks()
    watched.excused = False
    await watched.looks(LOOKS)
    with pytest.raises(errors.Stalled):
        await watched.looks(1)


async def test_a_worker_is_not_blamed_for_a_broker_that_is_away() -> None:
    watched = Watched()
    watched.log.away = True
    await watched.looks()


async def test_records_that_retention_took_are_not_waited_for() -> None:
    watched = Watched()
    watched.log.truncate(0, 10)
    await watched.looks()
    assert watched.dog.lag == 0


async def test_a_topic_made_anew_ends_the_worker() -> None:
    watched = Watched()
    watched.log.replaced = True
    with pytest.raises(errors.TopicReplaced):
        await watched.dog.look()


async def test_a_log_cut_below_what_was_counted_ends_the_worker_while_it_runs() -> None:
    watched = Watched()
    watched.expected = {0: 11, 1: 0}
    with pytest.raises(errors.LogTruncated, match="partition 0 ends at offset 10"):
        await watched.dog.look()


# -- one partition among others ----------------------------------------------------------------------------------------


async def test_a_partition_that_stands_still_beside_idle_ones_is_not_covered_by_them() -> None:
    watched = Watched()

    async def one_moves(looks: int) -> None:
        for _ in range(looks):
            watched.log.fill(1, 1)
            watched.expected[1] += 1
            await watched.dog.look()

    await one_moves(LOOKS)
    with pytest.raises(errors.Stalled, match=r"6 records wait .* in partitions \[0\]"):
        await one_moves(1)


async def test_a_partition_among_others_that_lag_may_wait_until_each_had_its_turn() -> None:
    watched = Watched()
    watched.log.fill(1, 10_000)

    async def others_move(looks: int) -> None:
        for _ in range(looks):
            watched.expected[1] += 1
            await watched.dog.look()

    await others_move(LOOKS * 2)
    with pytest.raises(errors.Stalled, match=r"6 records wait .* in partitions \[0\]"):
        await others_move(1)


# -- the end of a log --------------------------------------------------------------------------------------------------


async def test_markers_of_transactions_at_the_end_of_a_log_are_not_waited_for() -> None:
    watched = Watched()
    watched.expected = {0: 10, 1: 0}
    watched.log.leave_hole(0, 1)
    await watched.looks()
    assert watched.dog.lag == 0
    watched.log.leave_hole(0, 1)
    await watched.looks()


async def test_what_comes_behind_such_a_marker_is_waited_for() -> None:
    watched = Watched()
    watched.expected = {0: 10, 1: 0}
    watched.log.leave_hole(0, 1)
    await watched.looks()
    watched.log.fill(0, 3)
    with pytest.raises(errors.Stalled, match="3 records wait"):
        await watched.looks(LOOKS + 1)


async def test_a_consumer_that_lost_the_last_records_below_a_marker_ends() -> None:
    watched = Watched()
    watched.expected = {0: 9, 1: 0}
    watched.log.leave_hole(0, 1)
    with pytest.raises(errors.Stalled):
        await watched.looks(LOOKS + 1)


# -- partitions that it does not have ----------------------------------------------------------------------------------


async def test_a_worker_without_partitions_lives_while_others_have_them() -> None:
    watched = Watched()
    watched.expected = {}
    await watched.looks()


async def test_a_worker_ends_when_nobody_sees_to_a_partition_that_it_could_have() -> None:
    watched = Watched()
    watched.expected, watched.orphans = {1: 0}, {0: 9}
    with pytest.raises(errors.Stalled, match="1 records wait"):
        await watched.looks(LOOKS + 1)


async def test_a_worker_without_partitions_is_not_blamed_for_a_broker_that_is_away() -> None:
    watched = Watched()
    watched.expected, watched.orphans, watched.group_away = {}, {0: 9}, True
    await watched.looks()
