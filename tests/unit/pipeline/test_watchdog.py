"""docs/design.md 3: a worker that lives on without consuming ends; one whose stores are away does not."""

import asyncio
from collections.abc import Mapping

import pytest

from broker import errors as broker_errors
from pipeline import errors
from pipeline.watchdog import Watchdog
from tests.support import eventually
from tests.support.fakes.log import FakeLog

STALLED_AFTER_S = 0.02


class Watched:
    """A worker at offset 4 of 10, as the watchdog sees it."""

    def __init__(self) -> None:
        self.log = FakeLog(2)
        self.log.fill(0, 10)
        self.expected: dict[int, int] = {0: 4}
        self.group: dict[int, int] = {}
        self.group_away = False
        self.excused = False
        self.dog = Watchdog(
            self.log, lambda: self.expected, self._group, lambda: self.excused, stalled_after_s=STALLED_AFTER_S
        )

    async def _group(self) -> Mapping[int, int]:
        if self.group_away:
            message = "no broker"
            raise broker_errors.BrokerUnavailable(message)
        return self.group

    async def lives(self) -> None:
        """Ten times as long as a stalled worker would."""
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(self.dog.run(), STALLED_AFTER_S * 10)


async def test_a_worker_with_lag_that_does_not_move_ends_with_a_sentence() -> None:
    watched = Watched()
    with pytest.raises(errors.Stalled, match="6 records wait and nothing has moved"):
        await asyncio.wait_for(watched.dog.run(), eventually.SECONDS)


async def test_a_worker_that_moves_lives() -> None:
    watched = Watched()

    async def move() -> None:
        while True:
            watched.log.fill(0, 1)
            watched.expected[0] += 1
            await asyncio.sleep(STALLED_AFTER_S / 5)

    moving = asyncio.create_task(move())
    await watched.lives()
    moving.cancel()
    assert watched.dog.lag == 6


async def test_a_worker_without_lag_lives() -> None:
    watched = Watched()
    watched.expected = {0: 10}
    await watched.lives()


async def test_a_worker_whose_sink_asks_again_and_again_lives() -> None:
    watched = Watched()
    watched.excused = True
    await watched.lives()


async def test_a_worker_is_not_blamed_for_a_broker_that_is_away() -> None:
    watched = Watched()
    watched.log.away = True
    await watched.lives()


async def test_a_worker_without_partitions_is_not_blamed_for_a_broker_that_is_away() -> None:
    watched = Watched()
    watched.expected, watched.group_away = {}, True
    await watched.lives()


async def test_a_worker_without_partitions_ends_when_its_whole_group_stands_still() -> None:
    watched = Watched()
    watched.expected, watched.group = {}, {0: 9}
    with pytest.raises(errors.Stalled, match="1 records wait"):
        await asyncio.wait_for(watched.dog.run(), eventually.SECONDS)


async def test_a_worker_without_partitions_lives_while_its_group_moves() -> None:
    watched = Watched()
    watched.expected, watched.group = {}, {0: 10}
    await watched.lives()


async def test_records_that_retention_took_are_not_waited_for() -> None:
    watched = Watched()
    watched.log.truncate(0, 10)
    await watched.lives()
    assert watched.dog.lag == 0


async def test_a_topic_made_anew_ends_the_worker() -> None:
    watched = Watched()
    watched.log.replaced = True
    with pytest.raises(errors.TopicReplaced):
        await watched.dog.look()


async def test_a_log_cut_below_what_was_counted_ends_the_worker_while_it_runs() -> None:
    watched = Watched()
    watched.expected = {0: 11}
    with pytest.raises(errors.LogTruncated, match="partition 0 ends at offset 10"):
        await watched.dog.look()
