"""Events into profiles: the profiles worker between the consumer and the profile store.

A profile entry is named by what it is an entry of, so writing it twice is writing it once. This group therefore keeps
its place in Kafka, behind the write: what a crash leaves uncommitted is written again and changes nothing.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from pipeline import buffered_sink, intake, letters, limits, log, metrics, pending
from pipeline.settings import ProfilesSettings
from runtime import logging
from stores import dead_letters, profiles
from stores import errors as store_errors

_log = logging.get_logger(__name__)


class Place(intake.Place, Protocol):
    """The consumer's position, and what Kafka was told of it."""

    async def committed(self, partitions: Collection[int]) -> dict[int, int]:
        """The committed offset, in this very topic, of each of `partitions` that has one.

        Raises `broker.errors.BrokerUnavailable`.
        """


class Letters(Protocol):
    """Where records go that no profile takes. Both methods raise `stores.errors.StoreUnavailable`."""

    async def write(self, letters: Sequence[dead_letters.Letter]) -> None:
        """Keep them; one that is kept already stays."""

    async def runs(self, ends: Mapping[int, int], at_most: int) -> dict[int, int]:
        """How many of the group's waiting letters end right below each offset, `at_most` being looked at."""


class ProfilesSink(buffered_sink.BufferedSink[pending.Pending]):
    """Writes events into `store`."""

    def __init__(
        self,
        settings: ProfilesSettings,
        store: profiles.ProfileStore,
        letters: Letters,
        topic: log.Log,
        place: Place,
        on_written: Callable[[Mapping[int, int]], None],
    ) -> None:
        super().__init__(
            settings,
            topic,
            place,
            pending.Pending,
            settings.profile_writes,
            settings.profile_interval_s,
            on_written,
            place_behind_writes=False,
        )
        self._store_patience_s = settings.store_patience_s
        self._profiles, self._letters, self._topic = store, letters, topic
        self._place = place
        self._limit = limits.DeadLetterLimit(settings.dead_letters_in_a_row)

    async def _find_starts(self, partitions: set[int]) -> dict[int, int]:
        """Where Kafka was told that the group is; the beginning where it was told nothing, or of a log now gone."""
        committed = await self._retrier.ask(lambda: self._place.committed(partitions), for_good=True)
        reach = await self._retrier.ask(self._topic.offsets, for_good=True)
        return {each: _start(each, committed.get(each), *reach[each]) for each in partitions}

    async def _store(self, waiting: pending.Pending) -> None:
        metrics.FLUSH_ROWS.observe(len(waiting.writes))
        await self._retrier.ask(lambda: self._store_in_time(waiting))
        if waiting.letters:
            await self._keep(sorted(waiting.letters, key=lambda letter: (letter.partition, letter.offset)), waiting)
        self._written(waiting.ends)

    async def _keep(self, found: Sequence[letters.Letter], waiting: pending.Pending) -> None:
        """The letters of `waiting`, unless they are too many.

        What lies below them is asked for each time: a placement needs no PostgreSQL then, and nothing is forgotten by a
        worker that starts anew.
        """
        below = {letter.partition: waiting.starts[letter.partition] for letter in found}
        runs = await self._retrier.ask(lambda: self._letters.runs(below, self._limit.window))
        self._limit.resume(below, runs)
        self._limit.check(found)
        await self._retrier.ask(lambda: self._letters.write(found))
        metrics.observe_letters(found)
        letters.tell(found)

    async def _store_in_time(self, waiting: pending.Pending) -> None:
        """A frozen store is one that is away: it must not be taken for a worker that stands still."""
        try:
            async with asyncio.timeout(self._store_patience_s):
                await waiting.write(self._profiles)
        except TimeoutError as error:
            message = f"no answer within {self._store_patience_s:.0f} s"
            raise store_errors.ProfileStoreUnavailable(message) from error


def _start(partition: int, committed: int | None, earliest: int, end: int) -> int:
    if committed is not None and committed > end:
        _log.warning("the log ends below what was taken, going back to its start", partition=partition, end=end)
        return earliest
    # Below `earliest` too: what retention took is then noticed, counted and logged when the next record comes.
    return earliest if committed is None else committed
