"""Random interleavings of two workers, with everything that goes wrong between a log and a database.

Whatever happens, and whoever is placed where meanwhile: when the faults are over and one worker has read to the end,
every event was counted exactly once.
"""

import asyncio
from typing import Any

import hypothesis
from hypothesis import strategies as st

from tests.support import virtual_time
from tests.support.fakes.counting import Counting, once, origins
from tests.support.fakes.log import MINUTE, FakeLog, value
from tests.support.fakes.postgres import FakePostgres, Fate

PARTITIONS = 2
workers = st.integers(0, 1)
partitions = st.integers(0, PARTITIONS - 1)
few = st.integers(1, 7)
queries = st.sampled_from(["begin", "copy_end", "advance_and_commit", "advance_and_commit", "read_settled", "rollback"])

take = st.tuples(st.just("take"), workers, partitions, few)
write = st.tuples(st.just("write"), workers)
wait = st.tuples(st.just("wait"), few)
trouble = st.one_of(
    st.tuples(st.just("bad"), partitions, st.sampled_from([b"junk", None, value(0, 0, origin="\0")])),
    st.tuples(st.just("hole"), partitions, few),
    st.tuples(st.just("strike"), queries, st.sampled_from(list(Fate)), st.sampled_from([0.0, 0.01, 70.0])),
    st.tuples(st.just("fail_over"), st.integers(0, 2)),
    st.tuples(st.just("away"), st.booleans()),
    st.tuples(st.just("frozen"), st.booleans()),
    st.tuples(st.just("lose"), workers, partitions, few),
    st.tuples(st.just("replay"), workers, partitions, st.integers(0, 30), few),
)
place = st.tuples(st.just("place"), workers, st.sets(partitions, min_size=1))
append = st.tuples(st.just("append"), partitions, few)
# As often as they are named here: mostly work, some trouble.
steps = st.one_of(take, take, take, write, write, wait, wait, trouble, trouble, place, append)


class World:
    """A log, a database, two workers, and what they are doing."""

    def __init__(self) -> None:
        self.log = FakeLog(PARTITIONS)
        self.server = FakePostgres(hours=[])
        self.workers = [
            Counting(self.log, self.server, flush_records=20, retry_first_s=0.01, retry_last_s=1.0) for _ in range(2)
        ]
        self.tasks: list[asyncio.Task[Any]] = []
        self.bad: dict[tuple[int, int], str] = {}

    async def begin(self) -> None:
        """Records in both partitions, which are the first worker's."""
        for partition in range(PARTITIONS):
            self.log.fill(partition, 15)
        await self.workers[0].place(*range(PARTITIONS))

    async def step(self, kind: str, *arguments: Any) -> None:
        """Begin it, and let everything under way move on by a little; by more where a step says so."""
        if kind == "wait":
            await self._wait(*arguments)
        else:
            getattr(self, f"_{kind}")(*arguments)
        await asyncio.sleep(0)

    async def heal(self) -> None:
        """No more faults; one worker reads to the end, from where it stands if it has everything already.

        A placement would heal by itself whatever the worker had come to believe.
        """
        self.server.strike_no_more()
        self.server.start()
        self.server.thaw()
        for worker in self.workers:
            await worker.sink.write()  # makes room for whoever waits to hand in a batch
            await worker.sink.write()
        await asyncio.gather(*self.tasks)
        self.log.fill(0, 1)
        self.log.fill(1, 1)
        last = self.workers[0]
        if set(last.sink.expected) != set(range(PARTITIONS)):
            await last.place(*range(PARTITIONS))
        await last.finish()

    def check(self) -> None:
        good = {origin: 1 for origin in once(self.log) if origin not in self.bad.values()}
        assert origins(self.server) == good
        assert set(self.workers[0].letters) == set(self.bad)
        assert sum(count for count, _ in self.server.tables.totals.values()) == len(good)

    def _append(self, partition: int, count: int) -> None:
        self.log.fill(partition, count)

    def _bad(self, partition: int, content: bytes | None) -> None:
        offset = self.log.append(partition, content)
        self.bad[partition, offset] = f"{partition}/{offset}"

    def _hole(self, partition: int, size: int) -> None:
        self.log.leave_hole(partition, size)

    def _strike(self, query: str, fate: Fate, late_s: float) -> None:
        self.server.strike(query, fate, late_s=late_s)

    def _fail_over(self, lost: int) -> None:
        """To a state in which the partitions were taken up already: else the worker ends, to be started anew."""
        self.server.fail_over(min(lost, len(self.server.engine.commits) - 1))

    def _away(self, away: bool) -> None:
        if away:
            self.server.stop()
        else:
            self.server.start()

    def _frozen(self, frozen: bool) -> None:
        if frozen:
            self.server.freeze()
        else:
            self.server.thaw()

    def _place(self, worker: int, chosen: set[int]) -> None:
        self._begin(self.workers[worker].place(*chosen))

    def _take(self, worker: int, partition: int, at_most: int) -> None:
        self._begin(self.workers[worker].take(partition, at_most))

    def _lose(self, worker: int, partition: int, at_most: int) -> None:
        self.workers[worker].consumer.fetch(partition, at_most)

    def _replay(self, worker: int, partition: int, first: int, at_most: int) -> None:
        batch = self.log.batch(partition, first, at_most)
        if batch is not None:
            self._begin(self.workers[worker].sink.take(batch))

    def _write(self, worker: int) -> None:
        self._begin(self.workers[worker].sink.write())

    async def _wait(self, long: int) -> None:
        """From the time of a few callbacks to that of all patience."""
        await asyncio.sleep(0.0001 * 7**long)

    def _begin(self, doing: Any) -> None:
        self.tasks.append(asyncio.create_task(doing))


@hypothesis.settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.large_base_example, hypothesis.HealthCheck.data_too_large],
)
@hypothesis.given(st.lists(steps, min_size=20, max_size=80))
def test_every_event_is_counted_exactly_once(script: list[tuple[Any, ...]]) -> None:
    async def run() -> None:
        world = World()
        await world.begin()
        for kind, *arguments in script:
            await world.step(kind, *arguments)
        await world.heal()
        world.check()

    virtual_time.run(run())


def test_the_oracle_sees_a_doubled_and_a_lost_event() -> None:
    log, server = FakeLog(1), FakePostgres()
    log.fill(0, 2)
    server.tables.sums = {(MINUTE, "VIEW", "0/0", "brand", "category"): (2, 2)}
    assert origins(server) != once(log)
