"""Events into profiles under everything that goes wrong between a log, two workers and their stores.

Whenever Kafka is told an offset, all that lies below it is kept: in a profile, or as a dead letter. In the end each
event stands in its profile once, and each broken record is one letter.
"""

import asyncio
import random
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, Final

import hypothesis
from hypothesis import strategies as st

from pipeline import letters, profiles_sink
from pipeline.settings import ProfilesSettings
from stores import offsets
from tests.support import virtual_time
from tests.support.fakes.consumer import FakeConsumer
from tests.support.fakes.log import FakeLog, value
from tests.support.fakes.postgres import FakePostgres, Fate
from tests.support.fakes.profile_store import Fault, ProfileServer

PARTITIONS: Final = (0, 1)
STEPS: Final = 100
BROKEN: Final = (b"junk", None, value(0, 0, cookie="refused"))
PATIENCE_S: Final = 30.0


class World:
    """A topic, its stores, two workers of the group, and what Kafka was told."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311
        self.log = FakeLog(len(PARTITIONS))
        self.store = ProfileServer(pause=self._pause)
        self.store.refuse("refused", permanent=True)
        self.postgres = FakePostgres(pause=self._pause)
        self.told: dict[int, int] = {}
        self.broken: list[tuple[int, int]] = []
        self.workers = [Worker(self, str(number)) for number in range(2)]
        self._tasks: list[asyncio.Task[Any]] = []

    async def live(self) -> None:
        """Some steps, then no more faults, and one worker that reads to the end."""
        await self.workers[0].place(set(PARTITIONS))
        steps = [self._append, self._append, self._take, self._take, self._take, self._write, self._write, self._wait]
        steps += [self._place, self._trouble]
        for _ in range(STEPS):
            await self._random.choice(steps)()
        await self._heal()
        await asyncio.gather(*self._tasks)
        await self.workers[0].finish()

    def check(self) -> None:
        assert self.kept() == [(each, at) for each in PARTITIONS for at in range(self.log.ends[each])]
        assert sorted((key.partition, key.offset) for key in self.postgres.tables.letters) == sorted(self.broken)

    def kept(self) -> list[tuple[int, int]]:
        """Where the records stand that are in a profile or a letter; twice where they are in both, or twice in one."""
        entries = [_position(key) for profile in self.store.entries.values() for key in profile]
        return sorted([*entries, *((key.partition, key.offset) for key in self.postgres.tables.letters)])

    def tell(self, ends: Mapping[int, int]) -> None:
        """Kafka is told: nothing that lies below may be missing."""
        kept = self.kept()
        for partition, end in ends.items():
            assert all((partition, at) in kept for at in range(end)), (partition, end, kept)
        self.told |= ends

    # -- steps ---------------------------------------------------------------------------------------------------------

    async def _append(self) -> None:
        partition = self._random.choice(PARTITIONS)
        if self._random.random() < 0.15:
            self.broken.append((partition, self.log.append(partition, self._random.choice(BROKEN))))
        else:
            self.log.fill(partition, self._random.randint(1, 4))

    async def _take(self) -> None:
        partition, at_most = self._random.choice(PARTITIONS), self._random.randint(1, 5)
        self._begin(self._one().take(partition, at_most))

    async def _write(self) -> None:
        self._begin(self._one().sink.write())

    async def _place(self) -> None:
        chosen = self._random.choice([(0,), (1,), (0, 1)])
        self._begin(self._one().place(set(chosen)))

    async def _wait(self) -> None:
        await asyncio.sleep(self._random.choice((0.001, 0.1, 1.0, 10.0, 2 * PATIENCE_S)))

    async def _trouble(self) -> None:
        troubles = (self._trouble_stores, self._trouble_postgres, self._lose_a_batch)
        self._random.choice(troubles)()

    def _trouble_stores(self) -> None:
        match self._random.randrange(4):
            case 0:
                self.store.strike(self._random.choice(list(Fault)), late_s=self._random.choice((0, 1, 50)))
            case 1:
                self.store.refuse("cookie", permanent=False, times=self._random.randint(1, 5))
            case 2:
                self.store.away = True
                self._later(lambda: setattr(self.store, "away", False))
            case _:
                self.store.freeze()
                self._later(self.store.thaw)

    def _trouble_postgres(self) -> None:
        if self._random.random() < 0.5:
            self.postgres.stop()
            self._later(self.postgres.start)
        else:
            self.postgres.strike(self._random.choice(("write", "commit")), self._random.choice(list(Fate)))

    def _lose_a_batch(self) -> None:
        self._one().consumer.fetch(self._random.choice(PARTITIONS))

    async def _heal(self) -> None:
        await asyncio.sleep(3 * PATIENCE_S)
        self.postgres.strike_no_more()
        while not all(task.done() for task in self._tasks):
            for worker in self.workers:
                await worker.sink.write()  # makes room for whoever waits to hand in a batch
            await asyncio.sleep(1)

    def _later(self, undo: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(self._random.choice((0.1, 1.0, 2 * PATIENCE_S)), undo)

    def _begin(self, doing: Coroutine[Any, Any, Any]) -> None:
        self._tasks.append(asyncio.create_task(doing))

    def _one(self) -> "Worker":
        return self._random.choice(self.workers)

    def _pause(self) -> float:
        return self._random.expovariate(100)


class Worker:
    """The real sink, with a consumer of its own."""

    def __init__(self, world: World, name: str) -> None:
        self._world, self.consumer = world, Place(world)
        chosen = ProfilesSettings.model_validate(
            {"environment": "local", "profile_writes": 20, "seek_again_s": 0.0, "store_patience_s": PATIENCE_S}
        )
        of = offsets.Consumer("profiles", "user-tags", world.log.id)
        self.sink = profiles_sink.ProfilesSink(
            chosen,
            world.store.connect(name),
            letters.PostgresLetters(name, of, PATIENCE_S, world.postgres.connect),
            world.log,
            self.consumer,
            world.tell,
        )

    async def place(self, partitions: set[int]) -> None:
        self.consumer.positions = dict.fromkeys(partitions, 0)
        self.consumer.assign(await self.sink.starts(partitions))

    async def take(self, partition: int, at_most: int) -> None:
        batch = self.consumer.fetch(partition, at_most)
        if batch is not None:
            await self.sink.take(batch)

    async def finish(self) -> None:
        """Take and write all there is, until Kafka is told so."""
        await self.place(set(PARTITIONS))
        async with asyncio.timeout(60 * PATIENCE_S):
            while any(self._world.told.get(each, 0) < self._world.log.ends[each] for each in PARTITIONS):
                for partition in PARTITIONS:
                    await self.take(partition, 10)
                await self.sink.write()
                await asyncio.sleep(0.1)


class Place(FakeConsumer):
    """`profiles_sink.Place`: what Kafka was told is what the worker goes on from."""

    def __init__(self, world: World) -> None:
        super().__init__(world.log)
        self._world = world

    async def committed(self, partitions: Collection[int]) -> dict[int, int]:
        await asyncio.sleep(0)
        return {each: self._world.told[each] for each in partitions if each in self._world.told}


def _position(entry_key: bytes) -> tuple[int, int]:
    """Partition and offset out of a profile's entry key (`profiles.entry_key`)."""
    return int.from_bytes(entry_key[8:12]), int.from_bytes(entry_key[12:])


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(st.integers(0, 2**32))
def test_every_event_stands_in_its_profile_once(seed: int) -> None:
    async def live() -> None:
        world = World(seed)
        await world.live()
        world.check()

    virtual_time.run(live(), seed)
