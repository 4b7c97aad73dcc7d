"""Events into profiles: the profiles worker between the consumer and the profile store.

A profile entry is named by what it is an entry of, so writing it twice is writing it once. This group therefore keeps
its place in Kafka, behind the write: what a crash leaves uncommitted is written again and changes nothing.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from pipeline import batches, intake, limits, log, metrics, pending, retrying
from pipeline.settings import ProfilesSettings
from runtime import logging
from stores import dead_letters, profiles
from stores import errors as store_errors

_log = logging.get_logger(__name__)


class Place(intake.Place, Protocol):
    """The consumer's position, and what Kafka was told of it."""

    async def committed(self) -> dict[int, int]:
        """The committed offset, in this very topic, of each assigned partition that has one."""


class Letters(Protocol):
    """Where records go that no profile takes."""

    async def write(self, letters: Sequence[dead_letters.Letter]) -> None:
        """Keep them; one that is kept already stays. Raises `stores.errors.StoreUnavailable`."""


class ProfilesSink:
    """`take` is the agent's, `run` a task of its own, `starts` the consumer's.

    `on_written` is told `{partition: next offset}` behind every write; `placed` is true from the first placement on.
    """

    def __init__(
        self,
        settings: ProfilesSettings,
        store: profiles.ProfileStore,
        letters: Letters,
        topic: log.Log,
        place: Place,
        on_written: Callable[[Mapping[int, int]], None],
    ) -> None:
        self._settings, self._store, self._letters, self._topic = settings, store, letters, topic
        self._place, self._on_written = place, on_written
        self._retrier = retrying.Retrier(settings)
        self._intake = intake.Intake(settings, topic, place, self._retrier)
        self._limit = limits.DeadLetterLimit(settings.dead_letters_in_a_row)
        self._changed = asyncio.Event()
        self._writing = asyncio.Lock()
        self._placing = asyncio.Lock()
        self._pending = pending.Pending()
        self.placed = False

    def is_asking(self) -> bool:
        """Whether the store or Kafka is away: a question to it is being asked again."""
        return self._retrier.asking

    @property
    def expected(self) -> dict[int, int]:
        """`{partition: next offset to take}` of the assigned partitions."""
        return self._intake.expected

    async def take(self, batch: batches.Batch) -> None:
        """Take what of `batch` is next; waits while as much as one write may hold is waiting already."""
        while self._pending.records >= self._settings.profile_writes:
            self._changed.clear()
            await self._changed.wait()
        admitted = await self._intake.admit(batch)
        if admitted is not None:
            self._pending.add(admitted)
            self._changed.set()

    async def starts(self, partitions: set[int]) -> dict[int, int]:
        """Where Kafka was told that the group is; the beginning where it was told nothing, or of a log now gone."""
        self._retrier.abandon_others()
        self._intake.place({})
        # In turn, and nothing awaited before it: the assignment that was read last has the last word.
        async with self._placing:
            self._pending = pending.Pending()
            committed = await self._place.committed()
            reach = await self._retrier.ask(self._topic.offsets, for_good=True)
            starts = {each: _start(each, committed.get(each), *reach[each]) for each in partitions}
            self._intake.place(starts)
            self._changed.set()
        metrics.PLACED.inc()
        self.placed = True
        return starts

    async def run(self) -> None:
        """Write what waits, for ever. Ends only by an error."""
        while True:
            while not self._pending.ends:
                self._changed.clear()
                await self._changed.wait()
            await asyncio.sleep(self._settings.profile_interval_s)
            await self.write()

    async def write(self) -> None:
        """Write what waits now; back when it is written, or is not this worker's to write any more."""
        async with self._writing:
            waiting, self._pending = self._pending, pending.Pending()
            self._changed.set()
            try:
                with metrics.FLUSH_SECONDS.time():
                    await self._write(waiting)
            except retrying.Abandoned:
                metrics.ABANDONED.inc()

    async def _write(self, waiting: pending.Pending) -> None:
        metrics.FLUSH_ROWS.observe(len(waiting.writes))
        await self._retrier.ask(lambda: self._store_in_time(waiting))
        if waiting.letters:
            self._limit.check(sorted(waiting.letters, key=lambda letter: (letter.partition, letter.offset)))
            await self._retrier.ask(lambda: self._letters.write(waiting.letters))
            metrics.observe_letters(waiting.letters)
        self._on_written(waiting.ends)

    async def _store_in_time(self, waiting: pending.Pending) -> None:
        """A frozen store is one that is away: it must not be taken for a worker that stands still."""
        try:
            async with asyncio.timeout(self._settings.store_patience_s):
                await waiting.write(self._store)
        except TimeoutError as error:
            message = f"no answer within {self._settings.store_patience_s:.0f} s"
            raise store_errors.ProfileStoreUnavailable(message) from error


def _start(partition: int, committed: int | None, earliest: int, end: int) -> int:
    if committed is not None and committed > end:
        _log.warning("the log ends below what was taken, going back to its start", partition=partition, end=end)
        return earliest
    return earliest if committed is None else max(committed, earliest)
