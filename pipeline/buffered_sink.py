"""What both workers do with batches: take them in, write them one write after the other, go on at a new place.

While one write is under way the next is gathered; no more than one write may hold is gathered meanwhile.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar

from pipeline import batches, intake, log, metrics, progress, retrying, span
from pipeline.settings import WorkerSettings


class Buffer(Protocol):
    """Records that wait to be written together. Each partition begins where the one before it ended."""

    @property
    def records(self) -> int:
        """How many they are."""

    @property
    def ends(self) -> Mapping[int, int]:
        """`{partition: next offset}` behind them, of the partitions that they are of."""

    def add(self, batch: batches.Batch) -> None: ...


Waiting = TypeVar("Waiting", bound=Buffer)


class BufferedSink(ABC, Generic[Waiting]):
    """`take` is the agent's, `run` a task of its own, `starts` the consumer's. `placed` is true from the first on."""

    def __init__(
        self,
        settings: WorkerSettings,
        topic: log.Log,
        place: intake.Place,
        begin: Callable[[Mapping[int, int]], Waiting],
        most_records: int,
        longest_s: float,
        on_written: Callable[[Mapping[int, int]], None],
        *,
        place_behind_writes: bool,
    ) -> None:
        """`begin` makes a buffer, given where each partition goes on. One is written when it has `most_records` or has
        waited for `longest_s`. `on_written` is told `{partition: next offset}` behind every write, and at every new
        place; and nothing, `{}`, when a place is left: what it was told before may lie below what others wrote since.
        `place_behind_writes`: where to go on is what the write under way stores, so its end is waited for."""
        self._begin, self._most_records, self._longest_s = begin, most_records, longest_s
        self._on_written = on_written
        self._placed_at: dict[int, int] = {}
        self._retrier = retrying.Retrier(settings)
        self._intake = intake.Intake(settings, topic, place, self._retrier)
        self._writing = asyncio.Lock()
        self._placing = self._writing if place_behind_writes else asyncio.Lock()
        self._changed = asyncio.Event()
        self._starts: dict[int, int] = {}
        self._waiting, self._span = begin({}), span.Span()
        self._waiting_since = 0.0
        self.progress = progress.Progress()
        self.placed = False

    def is_asking(self) -> bool:
        """Whether a store or Kafka is away: a question to it is being asked again."""
        return self._retrier.asking

    @property
    def expected(self) -> dict[int, int]:
        """`{partition: next offset to take}` of the assigned partitions."""
        return self._intake.expected

    async def take(self, batch: batches.Batch) -> None:
        """Take what of `batch` is next; waits while as much as one write may hold is waiting already."""
        while self._full:
            await self._wait_for_change()
        admitted = await self._intake.admit(batch)
        if admitted is None:
            return
        if not self._waiting.records:
            self._waiting_since = _now()
        self._waiting.add(admitted)
        self._span.add(admitted)
        self._changed.set()

    async def starts(self, partitions: set[int]) -> dict[int, int]:
        """Where exactly the partitions assigned go on; whatever was gathered or under way is forgotten.

        Raises what `_find_starts` raises.
        """
        self._retrier.abandon_others()
        self._go_on_at({})
        self.progress.keep(partitions)
        # In turn, and nothing awaited before it: the assignment that was read last has the last word.
        async with self._placing:
            found = await self._find_starts(partitions)
            self.progress.keep(found)  # again: a placement begun before this one may have ended meanwhile
            self._go_on_at(found)
        metrics.PLACED.inc()
        self.placed = True
        return found

    async def run(self) -> None:
        """Write what waits, for ever: when it is enough, or old enough. Ends only by an error."""
        while True:
            await self._due()
            await self.write()

    async def write(self) -> None:
        """Write what waits now; back when it is stored, or is not this worker's to write any more."""
        async with self._writing:
            if not self._waiting.records:
                return
            waiting, written, began = self._waiting, self._span, time.perf_counter()
            self._starts = {**self._starts, **waiting.ends}
            self._waiting, self._span = self._begin(self._starts), span.Span()
            self._changed.set()
            try:
                await self._store(waiting)
                self.progress.written(written, time.perf_counter() - began)
            except retrying.Abandoned:
                metrics.ABANDONED.inc()
            except asyncio.CancelledError:
                self._go_on_at({})  # a write behind this one would tell of offsets past what was not written
                raise

    @abstractmethod
    async def _find_starts(self, partitions: set[int]) -> dict[int, int]:
        """The offset that each partition goes on at."""

    @abstractmethod
    async def _store(self, waiting: Waiting) -> None:
        """Write all of it, however long it takes. Raises `retrying.Abandoned` once the worker is placed anew."""

    def _go_on_at(self, starts: Mapping[int, int]) -> None:
        """Nothing waits, and exactly these partitions go on at these offsets."""
        self._starts, self._placed_at = dict(starts), dict(starts)
        self._waiting, self._span = self._begin(starts), span.Span()
        self._intake.place(starts)
        self.progress.place(starts)
        self._on_written(starts)
        self._changed.set()

    def _written(self, ends: Mapping[int, int]) -> None:
        """All below `ends` is stored. Of partitions that have gone, or went on further up meanwhile, nobody is told."""
        placed = self._placed_at
        if told := {each: end for each, end in ends.items() if each in placed and end >= placed[each]}:
            self.progress.stored(told)
            self._on_written(told)

    @property
    def _full(self) -> bool:
        return self._waiting.records >= self._most_records

    async def _due(self) -> None:
        while not self._full:
            left = self._waiting_since + self._longest_s - _now() if self._waiting.records else None
            if left is not None and left <= 0:
                return
            await self._wait_for_change(left)

    async def _wait_for_change(self, at_most: float | None = None) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(at_most):
                await self._changed.wait()
        except TimeoutError:
            return


def _now() -> float:
    return asyncio.get_running_loop().time()
