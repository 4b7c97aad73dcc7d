"""Exactly once into PostgreSQL: the aggregates worker between the consumer and the transaction.

Batches are folded while the write before is under way; a write carries the offsets that it comes from, and goes through
only if they are where it begins. Whatever goes wrong is mended by one rule: ask what is stored, forget the rest, go on
from there.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from pipeline import batches, errors, folding, intake, limits, log, metrics, retrying
from pipeline.settings import AggregatesSettings
from runtime import logging
from stores import errors as store_errors
from stores import flush

_log = logging.get_logger(__name__)


class Hours(Protocol):
    """Who makes the tables of event-time hours."""

    async def ensure(self, hours: Collection[int]) -> set[int]:
        """Make what can be made of `hours` (whole hours since 1970), and name those that take no more records.

        Raises `stores.errors.StoreUnavailable`.
        """


class Sink:
    """Counts batches into `flushes`. `take` is the agent's, `run` a task of its own, `starts` the consumer's.

    `on_written` is told `{partition: next offset}` behind every write; `placed` is true from the first placement on.
    """

    def __init__(
        self,
        settings: AggregatesSettings,
        flushes: flush.Flushes,
        topic: log.Log,
        hours: Hours,
        place: intake.Place,
        on_written: Callable[[Mapping[int, int]], None] = lambda _ends: None,
    ) -> None:
        self._settings, self._flushes, self._topic, self._hours, self._place = settings, flushes, topic, hours, place
        self._on_written = on_written
        self._retrier = retrying.Retrier(settings)
        self._intake = intake.Intake(settings, topic, place, self._retrier)
        self._limit = limits.DeadLetterLimit(settings.dead_letters_in_a_row)
        self._writing = asyncio.Lock()
        self._changed = asyncio.Event()
        self._fold = folding.Fold()
        self._fold_starts: dict[int, int] = {}
        self._fold_opened = 0.0
        self.placed = False

    def is_asking(self) -> bool:
        """Whether PostgreSQL or Kafka is away: a question to it is being asked again."""
        return self._retrier.asking

    @property
    def expected(self) -> dict[int, int]:
        """`{partition: next offset to count}` of the assigned partitions."""
        return self._intake.expected

    # -- the agent: batches in -----------------------------------------------------------------------------------------

    async def take(self, batch: batches.Batch) -> None:
        """Count what of `batch` is to be counted; waits while as much as one write may hold is folded already."""
        while self._full:
            await self._wait_for_change()
        admitted = await self._intake.admit(batch)
        if admitted is None:
            return
        if not self._fold.batches:
            self._fold_opened = _now()
        self._fold.add(admitted, self._fold_starts[batch.partition])
        self._changed.set()

    # -- the consumer: where to go on ----------------------------------------------------------------------------------

    async def starts(self, partitions: set[int]) -> dict[int, int]:
        """The stored offsets of exactly the partitions assigned; whatever was folded or under way is forgotten.

        Raises `errors.LogTruncated` and `stores.errors.TopicReplaced`.
        """
        self._retrier.abandon_others()
        self._forget({})
        async with self._writing:
            reach = await self._retrier.ask(self._topic.offsets, for_good=True)
            earliest = {partition: reach[partition][0] for partition in partitions}
            stored = await self._retrier.ask(lambda: self._flushes.open(earliest), for_good=True)
            log.refuse_truncated(stored, reach)
            runs = await self._retrier.ask(lambda: self._flushes.letter_runs(stored, self._limit.window), for_good=True)
            self._limit.resume(stored, runs)
            self._forget(stored)
        metrics.PLACED.inc()
        self.placed = True
        return stored

    def _forget(self, stored: Mapping[int, int]) -> None:
        """Nothing is folded, and the partitions go on at `stored`."""
        self._fold = folding.Fold()
        self._fold_starts = dict(stored)
        self._intake.place(stored)
        self._changed.set()

    # -- the flush task: sums out --------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Write what is folded, for ever: when it is enough, or old enough. Ends only by an error."""
        while True:
            await self._due()
            await self.write()

    async def write(self) -> None:
        """Write what is folded now; back when it is stored, or is not this worker's to write any more."""
        async with self._writing:
            if not self._fold.batches:
                return
            folded, self._fold = self._fold, folding.Fold()
            self._fold_starts |= {move.partition: move.end for move in folded.moves}
            self._changed.set()
            try:
                with metrics.FLUSH_SECONDS.time():
                    await self._write(folded)
            except retrying.Abandoned:
                metrics.ABANDONED.inc()

    async def _write(self, folded: folding.Fold) -> None:
        """One write, tried until it is through; halved where PostgreSQL refuses a value of it."""
        content = folded.as_flush()
        self._limit.check(content.letters)
        try:
            await self._retrier.ask(lambda: self._verified(content))
        except (store_errors.OffsetMoved, store_errors.OutcomeUnknown) as error:
            await self._settle(content, error)
        except store_errors.HourMissing:
            await self._write(await self._with_hours(folded))
            return
        except store_errors.BadData as error:
            await self._bisect(folded, str(error))
            return
        metrics.observe_flush(content)
        self._on_written({move.partition: move.end for move in content.moves})

    async def _verified(self, content: flush.Flush) -> None:
        """A write, after a look whether its records come from the topic that its offsets are stored for."""
        await self._topic.verify()
        await self._flushes.write(content)

    async def _settle(self, content: flush.Flush, error: store_errors.FlushError) -> None:
        """The one rule. All of it stored: done. Else go on from what is stored. Raises `retrying.Abandoned`."""
        assigned = self._intake.expected
        asked = {move.partition for move in content.moves} | set(assigned)
        stored = await self._retrier.ask(lambda: self._flushes.settled(sorted(asked)))
        if all(stored.get(move.partition) == move.end for move in content.moves):
            return
        _log.warning("a write did not count, going on from what is stored", reason=str(error), stored=stored)
        metrics.SETTLED_ELSEWHERE.inc()
        assigned_now = self._intake.expected
        if gone := sorted(assigned_now.keys() - stored.keys()):
            raise errors.OffsetsGone(gone)
        starts = {partition: stored[partition] for partition in assigned_now}
        self._forget(starts)
        await self._place.seek(starts)
        raise retrying.Abandoned

    async def _with_hours(self, folded: folding.Fold) -> folding.Fold:
        """The same fold once its hours are there; records of hours that take no more are dead letters in it."""
        refused = await self._retrier.ask(lambda: self._hours.ensure(folded.hours))
        return folding.fold(folded.batches, _starts(folded), refused | folded.refused_hours) if refused else folded

    async def _bisect(self, folded: folding.Fold, detail: str) -> None:
        """Find the record that PostgreSQL refuses: a dead letter. All others are counted."""
        if folded.records == 1:
            [batch] = folded.batches
            await self._write(folding.refused(batch, _starts(folded), detail))
            return
        at = _starts(folded)
        for part in _split(folded.batches):
            piece = folding.fold(part, at)
            await self._write(piece)
            at |= {move.partition: move.end for move in piece.moves}

    # -- waiting -------------------------------------------------------------------------------------------------------

    @property
    def _full(self) -> bool:
        return self._fold.records >= self._settings.flush_records

    async def _due(self) -> None:
        while not self._full:
            left = self._fold_opened + self._settings.flush_interval_s - _now()
            if self._fold.batches and left <= 0:
                return
            await self._wait_for_change(left if self._fold.batches else None)

    async def _wait_for_change(self, at_most: float | None = None) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(at_most):
                await self._changed.wait()
        except TimeoutError:
            return


def _split(parts: list[batches.Batch]) -> list[list[batches.Batch]]:
    """Two halves of two records or more."""
    if len(parts) > 1:
        middle = len(parts) // 2
        return [parts[:middle], parts[middle:]]
    first, second = parts[0].halves()
    return [[first], [second]]


def _starts(folded: folding.Fold) -> dict[int, int]:
    return {move.partition: move.start for move in folded.moves}


def _now() -> float:
    return asyncio.get_running_loop().time()
