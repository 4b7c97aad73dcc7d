"""Exactly once into PostgreSQL: the aggregates worker between the consumer and the transaction.

Batches are folded while the write before is under way; a write carries the offsets that it comes from, and goes through
only if they are where it begins. Whatever goes wrong is mended by one rule: ask what is stored, forget the rest, go on
from there.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from pipeline import batches, buffered_sink, errors, folding, intake, letters, limits, log, metrics, retrying
from pipeline.settings import AggregatesSettings
from runtime import logging
from stores import errors as store_errors
from stores import flush

_log = logging.get_logger(__name__)


class Hours(Protocol):
    """Who makes the tables of event-time hours."""

    async def ensure(self, hours: Collection[int]) -> dict[int, str]:
        """Make what can be made of `hours` (whole hours since 1970), and name those that take no records, each with the
        reason that their letters have.

        Raises `stores.errors.StoreUnavailable`.
        """


class Sink(buffered_sink.BufferedSink[folding.Fold]):
    """Counts batches into `flushes`."""

    def __init__(
        self,
        settings: AggregatesSettings,
        flushes: flush.Flushes,
        topic: log.Log,
        hours: Hours,
        place: intake.Place,
        on_written: Callable[[Mapping[int, int]], None] = lambda _ends: None,
    ) -> None:
        super().__init__(
            settings,
            topic,
            place,
            folding.Fold,
            settings.flush_records,
            settings.flush_interval_s,
            on_written,
            place_behind_writes=True,
        )
        self._flushes, self._topic, self._hours, self._place = flushes, topic, hours, place
        self._limit = limits.DeadLetterLimit(settings.dead_letters_in_a_row)
        self._compare_s = settings.compare_interval_s

    async def keep_comparing(self) -> None:
        """Compare once an interval, for ever."""
        while True:
            await asyncio.sleep(self._compare_s)
            await self.compare()

    async def compare(self) -> None:
        """Look whether what this worker counted is still stored, and go on from what is.

        A server that took over without the last commits refuses the next write of each partition; but one without
        traffic would wait for that write with the events before it uncounted. Raises `errors.OffsetsGone`.
        """
        async with self._writing:  # nothing is under way: what was handed to writes is what is stored
            asked = sorted(self._starts)
            if not asked:
                return
            try:
                stored = await self._retrier.ask(lambda: self._flushes.settled(asked))
            except retrying.Abandoned:
                return
            if any(stored.get(each) != start for each, start in self._starts.items()):  # none, if placed meanwhile
                await self._go_back(stored, "PostgreSQL holds other offsets than were written")

    async def _find_starts(self, partitions: set[int]) -> dict[int, int]:
        """The stored offsets. Raises `errors.LogTruncated` and `stores.errors.TopicReplaced`."""
        reach = await self._retrier.ask(self._topic.offsets, for_good=True)
        earliest = {partition: reach[partition][0] for partition in partitions}
        stored = await self._retrier.ask(lambda: self._flushes.open(earliest), for_good=True)
        # Asked again: while PostgreSQL was away, or this worker stopped, others may have counted beyond those ends.
        log.refuse_truncated(stored, await self._retrier.ask(self._topic.offsets, for_good=True))
        window, uncounted = self._limit.window, limits.UNCOUNTED
        runs = await self._retrier.ask(lambda: self._flushes.letter_runs(stored, window, uncounted), for_good=True)
        self._limit.resume(stored, runs)
        return stored

    async def _store(self, folded: folding.Fold) -> None:
        with letters.telling() as told:
            await self._store_part(folded, told)

    async def _store_part(self, folded: folding.Fold, told: letters.Telling) -> None:
        """One transaction, tried until it is through; halved where PostgreSQL refuses a value of it."""
        content = folded.as_flush()
        self._limit.check(folded.letters)
        try:
            await self._retrier.ask(lambda: self._verified(content))
        except (store_errors.OffsetMoved, store_errors.OutcomeUnknown) as error:
            await self._settle(content, error)
        except store_errors.HourMissing:
            await self._store_part(await self._with_hours(folded), told)
            return
        except store_errors.BadData as error:
            await self._bisect(folded, str(error), told)
            return
        metrics.observe_flush(content)
        self._limit.note(folded.letters)
        told.tell(folded.letters)
        self._written(folded.ends)

    async def _verified(self, content: flush.Flush) -> None:
        """A write, after a look whether its records come from the topic that its offsets are stored for."""
        await self._topic.verify()
        await self._flushes.write(content)

    async def _settle(self, content: flush.Flush, error: store_errors.FlushError) -> None:
        """The one rule. All of it stored: done. Else go on from what is stored. Raises `retrying.Abandoned`."""
        asked = {move.partition for move in content.moves} | set(self.expected)
        stored = await self._retrier.ask(lambda: self._flushes.settled(sorted(asked)))
        if all(stored.get(move.partition) == move.end for move in content.moves):
            return
        await self._go_back(stored, f"a write did not count: {error}")
        raise retrying.Abandoned

    async def _go_back(self, stored: Mapping[int, int], reason: str) -> None:
        """Forget what is not stored, and go on from what is. Raises `errors.OffsetsGone`."""
        _log.warning("going on from what is stored", reason=reason, stored=stored)
        metrics.SETTLED_ELSEWHERE.inc()
        assigned = self.expected
        if gone := sorted(assigned.keys() - stored.keys()):
            raise errors.OffsetsGone(gone)
        starts = {partition: stored[partition] for partition in assigned}
        self._go_on_at(starts)
        await self._place.seek(starts)

    async def _with_hours(self, folded: folding.Fold) -> folding.Fold:
        """The same fold once its hours are there; records of hours that take no more are dead letters in it."""
        refused = await self._retrier.ask(lambda: self._hours.ensure(folded.hours))
        return folding.fold(folded.batches, folded.starts, {**folded.refused_hours, **refused}) if refused else folded

    async def _bisect(self, folded: folding.Fold, detail: str, told: letters.Telling) -> None:
        """Find the record that PostgreSQL refuses: a dead letter. All others are counted."""
        if folded.records == 1:
            [batch] = folded.batches
            await self._store_part(folding.refused(batch, folded.starts, detail), told)
            return
        at = folded.starts
        for part in _split(folded.batches):
            piece = folding.fold(part, at)
            await self._store_part(piece, told)
            at = {**at, **piece.ends}


def _split(parts: list[batches.Batch]) -> list[list[batches.Batch]]:
    """Two halves of two records or more."""
    if len(parts) > 1:
        middle = len(parts) // 2
        return [parts[:middle], parts[middle:]]
    first, second = parts[0].halves()
    return [[first], [second]]
