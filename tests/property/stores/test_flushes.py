"""What a worker is told of a write is what became of it, whatever happens on the way.

Several workers write to the same partitions, each from where it believes them to be; connections and the server fail,
calls are cancelled. In the end: a write that went through is counted once, one that was refused is not counted and
never will be, one of unknown outcome is counted at most once; and the counted ones are a chain from offset to offset.
"""

import asyncio
import random
from typing import Final, NamedTuple

import hypothesis
from hypothesis import strategies as st

from stores import errors, flush
from tests.contract.flushes import CONSUMER, HOUR, MINUTE, content, item
from tests.support import virtual_time
from tests.support.fakes.postgres import FakePostgres, Fate
from tests.support.fakes.postgres.tables import Offset

WORKERS: Final = 3
PARTITIONS: Final = (0, 1)
WRITES: Final = 8
QUERIES: Final = ("session", "begin", "copy_deltas", "copy_end", "advance_and_commit", "read_settled", "rollback")
LONG_S: Final = 200.0
"""Longer than every patience."""


class Write(NamedTuple):
    moves: tuple[tuple[int, int, int], ...]
    counted: range
    """How often it may be counted."""


class World:
    """One server, its workers, what they wrote and what they were told."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311
        self._pace_s = self._random.choice((0.0001, 0.01, 1.0))
        self.server = FakePostgres(hours=[HOUR], pause=lambda: self._random.expovariate(1 / self._pace_s))
        self.writes: dict[str, Write] = {}
        self.working = True

    async def live(self) -> None:
        faults = asyncio.create_task(self._fail())
        await asyncio.gather(*(self._work(str(number)) for number in range(WORKERS)))
        faults.cancel()
        self.server.start()
        self.server.thaw()
        self.server.engine.disk_full = False
        await asyncio.sleep(LONG_S)

    def check(self) -> None:
        counts = {origin: count // 2 for (_, _, origin, *_), (count, _) in self.server.tables.sums.items()}
        for origin, write in self.writes.items():
            assert counts.get(origin, 0) in write.counted, (origin, write)
        for partition in PARTITIONS:
            moves = [
                (start, end)
                for origin, write in self.writes.items()
                if counts.get(origin)
                for moved, start, end in write.moves
                if moved == partition
            ]
            self._check_chain(partition, sorted(moves))
        assert not self.server.sessions

    def _check_chain(self, partition: int, moves: list[tuple[int, int]]) -> None:
        at = 0
        for start, end in moves:
            assert start == at, moves
            at = end
        stored = self.server.tables.offsets.get(Offset(CONSUMER.group, CONSUMER.topic_id, partition), 0)
        assert stored == at

    # -- workers -------------------------------------------------------------------------------------------------------

    async def _work(self, name: str) -> None:
        one = flush.PostgresFlushes(name, CONSUMER, 30.0, self.server.connect)
        believed: dict[int, int] = {}
        for number in range(WRITES):
            believed = await self._know(one, believed)
            await self._write(one, f"{name}/{number}", believed)
        await one.close()

    async def _know(self, one: flush.PostgresFlushes, believed: dict[int, int]) -> dict[int, int]:
        """Where it goes on; sometimes without asking."""
        if believed and self._random.random() < 0.3:
            return believed
        while True:
            try:
                if believed and self._random.random() < 0.5:
                    return await one.settled(PARTITIONS)
                return await one.open(dict.fromkeys(PARTITIONS, 0))
            except errors.StoreUnavailable:
                await asyncio.sleep(self._random.expovariate(1))

    async def _write(self, one: flush.PostgresFlushes, origin: str, believed: dict[int, int]) -> None:
        chosen = self._random.choice(((0,), (1,), (0, 1)))
        moves = tuple((each, believed[each], believed[each] + self._random.randint(1, 3)) for each in chosen)
        wild = self._random.random() < 0.1
        writing = asyncio.create_task(one.write(content(*moves, origin=origin, minute=MINUTE + 6_000 * wild)))
        if self._random.random() < 0.2:
            await asyncio.wait([writing], timeout=self._random.expovariate(1 / (5 * self._pace_s)))
            writing.cancel()
        try:
            await writing
            counted = range(1, 2)
            believed |= {partition: end for partition, _, end in moves}
        except (errors.OutcomeUnknown, asyncio.CancelledError):
            counted = range(2)
        except errors.FlushError:
            counted = range(1)
        self.writes[origin] = Write(moves, counted)

    # -- faults --------------------------------------------------------------------------------------------------------

    async def _fail(self) -> None:
        kinds = [self._strike, self._strike, self._strike, self._cut, self._stop, self._freeze, self._fill]
        while True:
            await asyncio.sleep(self._random.expovariate(1 / (20 * self._pace_s)))
            await self._random.choice(kinds)()

    async def _strike(self) -> None:
        late_s = self._random.choice((0.0, self._pace_s, 10 * self._pace_s, 50.0))
        self.server.strike(self._random.choice(QUERIES), self._random.choice(list(Fate)), late_s=late_s)

    async def _cut(self) -> None:
        self.server.cut(str(self._random.randrange(WORKERS)), delivered=self._random.random() < 0.5)

    async def _stop(self) -> None:
        self._random.choice((self.server.stop, self.server.crash))()
        await self._for_a_while()
        self.server.start()

    async def _freeze(self) -> None:
        self.server.freeze()
        await self._for_a_while()
        self.server.thaw()

    async def _fill(self) -> None:
        self.server.engine.disk_full = True
        await self._for_a_while()
        self.server.engine.disk_full = False

    async def _for_a_while(self) -> None:
        await asyncio.sleep(self._random.choice((self._pace_s, 10 * self._pace_s, 40.0)))


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(st.integers(0, 2**32))
def test_what_a_worker_is_told_of_a_write_is_what_became_of_it(seed: int) -> None:
    async def live() -> None:
        world = World(seed)
        await world.live()
        world.check()

    virtual_time.run(live(), seed)


def test_the_check_sees_a_doubled_and_a_lost_write() -> None:
    async def live() -> None:
        for counted in (0, 4):
            world = World(0)
            world.writes["a"] = Write(((0, 0, 1),), range(1, 2))
            world.server.tables.sums[item("a")] = (counted, 0)
            try:
                world.check()
            except AssertionError:
                continue
            message = "not seen"
            raise ValueError(message)

    virtual_time.run(live())
