"""The profiles worker between consumer and store: written before Kafka is told, and replays change nothing."""

import asyncio
from collections.abc import Collection

import pytest
from prometheus_client import REGISTRY

from broker.errors import BrokerUnavailable
from pipeline import errors, letters
from pipeline.profiles_sink import ProfilesSink
from pipeline.settings import ProfilesSettings
from stores import offsets
from tests.support import eventually
from tests.support.fakes.consumer import FakeConsumer
from tests.support.fakes.log import FakeLog, value
from tests.support.fakes.postgres import FakePostgres
from tests.support.fakes.profile_store import ProfileServer

JUMPED = "allezone_pipeline_jumped_offsets_total"


class Place(FakeConsumer):
    """`profiles_sink.Place`: what Kafka was told is what the worker goes on from."""

    def __init__(self, log: FakeLog) -> None:
        super().__init__(log)
        self.told: dict[int, int] = {}
        self.away = False

    async def committed(self, partitions: Collection[int]) -> dict[int, int]:
        if self.away:
            message = "no coordinator"
            raise BrokerUnavailable(message)
        return {partition: self.told[partition] for partition in partitions if partition in self.told}


class Writing:
    """A profiles worker without Faust, Kafka and a real store, at the beginning of one partition of ten events."""

    def __init__(self, **changed: object) -> None:
        self.log, self.store, self.postgres = FakeLog(), ProfileServer(), FakePostgres()
        self.log.fill(0, 10)
        self.place = Place(self.log)
        quick = {"retry_first_s": 0.000_1, "retry_last_s": 0.001, "profile_interval_s": 0.0, **changed}
        self.settings = ProfilesSettings.model_validate({"environment": "local", **quick})
        self.start()

    def start(self) -> None:
        """A worker that remembers nothing of the one before it."""
        of = offsets.Consumer("profiles", "user-tags", self.log.id)
        self.sink = ProfilesSink(
            self.settings,
            self.store.connect("worker"),
            letters.PostgresLetters("worker", of, connect=self.postgres.connect),
            self.log,
            self.place,
            self.place.told.update,
        )

    @property
    def entries(self) -> dict[bytes, bytes]:
        """Of all profiles, by entry key."""
        return {key: value for entries in self.store.entries.values() for key, value in entries.items()}

    @property
    def letters(self) -> dict[int, str]:
        """Reasons by offset."""
        return {letter.offset: letter.reason for letter in self.postgres.tables.letters.values()}

    async def placed(self) -> dict[int, int]:
        self.place.positions.setdefault(0, 0)
        starts = await self.sink.starts({0})
        self.place.assign(starts)
        return starts

    async def take(self, at_most: int = 1_000) -> None:
        batch = self.place.fetch(0, at_most)
        assert batch is not None
        await self.sink.take(batch)


@pytest.fixture
def writing() -> Writing:
    return Writing()


async def test_kafka_is_told_behind_the_write_and_not_before(writing: Writing) -> None:
    await writing.placed()
    await writing.take()
    assert writing.place.told == {0: 0}
    await writing.sink.write()
    assert len(writing.entries) == 10
    assert writing.place.told == {0: 10}


async def test_a_worker_that_died_before_kafka_was_told_writes_the_same_entries_again(writing: Writing) -> None:
    await writing.placed()
    await writing.take()
    await writing.sink.write()
    entries = writing.entries
    writing.place.told.clear()
    assert await writing.placed() == {0: 0}
    await writing.take()
    await writing.sink.write()
    assert writing.entries == entries


async def test_a_group_goes_on_where_kafka_was_told_that_it_is(writing: Writing) -> None:
    writing.place.told = {0: 7}
    assert await writing.placed() == {0: 7}


async def test_kafka_is_asked_for_the_place_until_it_answers(writing: Writing) -> None:
    """A rebalance comes when a broker is killed, and its coordinator with it."""
    writing.place.told, writing.place.away = {0: 7}, True
    placing = asyncio.create_task(writing.placed())
    await eventually.until(writing.sink.is_asking)
    writing.place.away = False
    assert await placing == {0: 7}


async def test_a_group_whose_place_retention_overtook_takes_what_is_left_and_counts_what_is_gone(
    writing: Writing,
) -> None:
    before = REGISTRY.get_sample_value(JUMPED) or 0.0
    writing.place.told[0] = 2
    writing.log.truncate(0, 5)
    await writing.placed()
    await writing.take()
    await writing.sink.write()
    assert len(writing.entries) == 5
    assert writing.place.told == {0: 10}
    assert REGISTRY.get_sample_value(JUMPED) == before + 3


async def test_a_log_that_ends_below_its_place_is_taken_from_the_start(writing: Writing) -> None:
    writing.place.told = {0: 99}
    assert await writing.placed() == {0: 0}


async def test_a_lost_batch_is_fetched_again(writing: Writing) -> None:
    await writing.placed()
    writing.place.fetch(0, 4)
    await writing.take()
    await writing.take()
    await writing.sink.write()
    assert len(writing.entries) == 10


async def test_a_store_that_is_away_is_asked_again_until_it_is_back(writing: Writing) -> None:
    await writing.placed()
    await writing.take()
    writing.store.away = True
    write = asyncio.create_task(writing.sink.write())
    await eventually.until(writing.sink.is_asking)
    assert writing.place.told == {0: 0}
    writing.store.away = False
    await write
    assert writing.place.told == {0: 10}


async def test_only_the_writes_that_failed_are_made_again(writing: Writing) -> None:
    await writing.placed()
    await writing.take()
    writing.store.refuse("cookie", permanent=False, times=3)
    await writing.sink.write()
    assert writing.store.adds == 2
    assert len(writing.entries) == 10


async def test_records_that_no_profile_takes_are_letters_and_kafka_is_told_past_them(writing: Writing) -> None:
    broken = writing.log.append(0, b"junk")
    refused = writing.log.append(0, value(0, 11, cookie="enormous"))
    writing.store.refuse("enormous", permanent=True)
    await writing.placed()
    await writing.take()
    await writing.sink.write()
    assert writing.letters == {
        broken: "undecodable",
        refused: "refused_by_store",
    }
    assert len(writing.entries) == 10
    assert writing.place.told == {0: 12}


async def test_many_broken_records_in_a_row_stop_it_before_kafka_is_told() -> None:
    writing = Writing(dead_letters_in_a_row=2)
    for _ in range(3):
        writing.log.append(0, b"junk")
    await writing.placed()
    await writing.take()
    with pytest.raises(errors.TooManyDeadLetters):
        await writing.sink.write()
    assert writing.place.told == {0: 0}
    assert writing.letters == {}


async def test_a_worker_started_anew_goes_on_counting_broken_records_where_the_one_before_ended() -> None:
    writing = Writing(dead_letters_in_a_row=4)
    for _ in range(5):
        writing.log.append(0, b"junk")
    writing.place.told[0] = 10
    for _ in range(2):
        await writing.placed()
        await writing.take(at_most=2)
        await writing.sink.write()
        writing.start()
    await writing.placed()
    await writing.take()
    with pytest.raises(errors.TooManyDeadLetters):
        await writing.sink.write()
    assert writing.place.told == {0: 14}
    assert len(writing.letters) == 4


async def test_a_placement_abandons_a_write_that_is_tried_again_and_again(writing: Writing) -> None:
    await writing.placed()
    await writing.take()
    writing.store.away = True
    write = asyncio.create_task(writing.sink.write())
    await eventually.until(writing.sink.is_asking)
    await writing.placed()
    await asyncio.wait_for(write, eventually.SECONDS)
    assert writing.place.told == {0: 0}
    writing.store.away = False
    await writing.take()
    await writing.sink.write()
    assert writing.place.told == {0: 10}


async def test_what_comes_behind_a_write_that_was_cut_short_is_not_told_of(writing: Writing) -> None:
    """At the end of a worker the last write has a deadline: Kafka must not be told past what it left undone."""
    await writing.placed()
    await writing.take(at_most=4)
    writing.store.away = True
    write = asyncio.create_task(writing.sink.write())
    await eventually.until(writing.sink.is_asking)
    write.cancel()
    await asyncio.gather(write, return_exceptions=True)
    writing.store.away = False
    await writing.take()
    await writing.sink.write()
    assert writing.place.told == {0: 0}
    assert writing.entries == {}


async def test_a_write_that_ends_behind_a_new_place_does_not_take_kafka_back(writing: Writing) -> None:
    """Others had the partition meanwhile, and are further on."""
    await writing.placed()
    await writing.take()
    writing.store.freeze()
    write = asyncio.create_task(writing.sink.write())
    await asyncio.sleep(0)
    writing.log.fill(0, 10)
    writing.place.told[0] = 15
    await writing.placed()
    writing.store.thaw()
    await write
    assert writing.place.told == {0: 15}


async def test_no_more_waits_than_one_write_holds() -> None:
    writing = Writing(profile_writes=4)
    await writing.placed()
    await writing.take(at_most=4)
    taking = asyncio.create_task(writing.take(at_most=4))
    await asyncio.sleep(0.01)
    assert not taking.done()
    await writing.sink.write()
    await taking


async def test_a_timer_writes_when_traffic_stops(writing: Writing) -> None:
    await writing.placed()
    running = asyncio.create_task(writing.sink.run())
    await writing.take()
    await eventually.until(lambda: writing.place.told == {0: 10})
    running.cancel()


async def test_of_two_placements_at_once_the_later_assignment_has_the_last_word(writing: Writing) -> None:
    """The first waits for a broker that is away, while a rebalance ends and the second is made."""
    writing.log.away = True
    first = asyncio.create_task(writing.sink.starts(set()))
    await eventually.until(writing.sink.is_asking)
    second = asyncio.create_task(writing.sink.starts({0}))
    await asyncio.sleep(0)
    writing.log.away = False
    await asyncio.gather(first, second)
    assert writing.sink.expected == {0: 0}


async def test_records_that_no_profile_takes_fill_the_bound_of_what_may_wait_too() -> None:
    writing = Writing(profile_writes=5)
    await writing.placed()
    for _ in range(20):
        writing.log.append(0, b"broken")
    await writing.take(at_most=15)
    waiting = asyncio.create_task(writing.take())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    await writing.sink.write()
    await waiting


async def test_a_frozen_store_is_one_that_is_away() -> None:
    writing = Writing(store_patience_s=0.01)

    await writing.placed()
    await writing.take()
    writing.store.freeze()
    task = asyncio.create_task(writing.sink.write())
    await eventually.until(writing.sink.is_asking)
    writing.store.thaw()
    await task
    assert len(writing.entries) == 10
