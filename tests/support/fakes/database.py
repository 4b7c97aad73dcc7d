"""PostgreSQL as the aggregates worker sees it: sums, offsets, letters and hours in one memory, with faults to order.

Several `FakeFlushes` on one `Database` are several workers. Every exchange gives way to other tasks before it takes
effect, and again before its answer comes, as a network does.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from enum import Enum

from stores import dead_letters, errors, flush, offsets
from stores.copying import Item

MINUTES = range(-3_514_446_720, 153_738_633_600)
"""What a timestamptz holds, about: 4713 BC to 294276 AD."""


class Fault(Enum):
    """What goes wrong with a write."""

    AWAY = "away"  # nothing written, and said so
    LOST = "lost"  # the connection went inside COMMIT, which did not happen
    KEPT = "kept"  # the connection went inside COMMIT, which happened


class Database:
    """What is committed. `hours` are the hours that have a table; None: every hour has."""

    def __init__(self, hours: Collection[int] | None = None) -> None:
        self.offsets: dict[tuple[offsets.Consumer, int], int] = {}
        self.sums: dict[Item, tuple[int, int]] = {}
        self.totals: dict[tuple[int, str, int], tuple[int, int]] = {}
        self.letters: dict[tuple[int, int], dead_letters.Letter] = {}
        self.hours = None if hours is None else set(hours)
        self.gone: set[int] = set()
        self.faults: list[Fault] = []
        self.away = False
        self.writes: list[flush.Flush] = []

    def apply(self, of: offsets.Consumer, content: flush.Flush) -> None:
        """The transaction: all of it, or an error and nothing."""
        self._check_rows(content)
        if any(self.offsets.get((of, move.partition)) != move.start for move in content.moves):
            message = "an offset was not where the flush began"
            raise errors.OffsetMoved(message)
        for move in content.moves:
            self.offsets[of, move.partition] = move.end
        for item, count, price in content.rows:
            self.sums[item] = _added(self.sums.get(item), count, price)
        for total in content.totals:
            key = (total.minute, total.action, total.partition)
            self.totals[key] = _added(self.totals.get(key), total.count, total.sum_price)
        for letter in content.letters:
            self.letters.setdefault((letter.partition, letter.offset), letter)
        self.writes.append(content)

    def _check_rows(self, content: flush.Flush) -> None:
        for (minute, *texts), _count, _price in content.rows:
            if minute not in MINUTES or any("\0" in text for text in texts):
                message = f"a value that no table takes: {texts}"
                raise errors.BadData(message)
            if self.hours is not None and minute // 60 not in self.hours:
                message = f"no table for hour {minute // 60}"
                raise errors.HourMissing(message)


class FakeFlushes:
    """`flush.Flushes` on a `Database`."""

    def __init__(self, database: Database, consumer: offsets.Consumer) -> None:
        self._database, self._of = database, consumer

    async def open(self, starts: Mapping[int, int]) -> dict[int, int]:
        await self._reached()
        others = {str(of.topic_id) for of, _ in self._database.offsets if of.group == self._of.group and of != self._of}
        if others:
            raise errors.TopicReplaced(self._of.group, self._of.topic, str(self._of.topic_id), sorted(others))
        return {
            partition: self._database.offsets.setdefault((self._of, partition), first)
            for partition, first in starts.items()
        }

    async def letter_runs(self, ends: Mapping[int, int], at_most: int) -> dict[int, int]:
        await self._reached()
        runs = {}
        for partition, end in ends.items():
            run = 0
            while run < at_most and (partition, end - 1 - run) in self._database.letters:
                run += 1
            runs[partition] = run
        return runs

    async def settled(self, partitions: Sequence[int]) -> dict[int, int]:
        await self._reached()
        known = {partition: self._database.offsets.get((self._of, partition)) for partition in partitions}
        return {partition: offset for partition, offset in known.items() if offset is not None}

    async def write(self, flush: flush.Flush) -> None:
        await self._reached()
        fault = self._database.faults.pop(0) if self._database.faults else None
        if fault is Fault.AWAY:
            message = "away"
            raise errors.StoreUnavailable(message)
        if fault is not Fault.LOST:
            self._database.apply(self._of, flush)
        await asyncio.sleep(0)
        if fault is not None:
            message = "the connection went inside COMMIT"
            raise errors.OutcomeUnknown(message)

    async def close(self) -> None:
        pass

    async def _reached(self) -> None:
        await asyncio.sleep(0)
        if self._database.away:
            message = "away"
            raise errors.StoreUnavailable(message)


class FakeHours:
    """`sink.Hours` on a `Database`: hours in `database.gone` are refused, all others made."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ensure(self, hours: Collection[int]) -> set[int]:
        await asyncio.sleep(0)
        assert self._database.hours is not None, "every hour has a table already"
        self._database.hours |= set(hours) - self._database.gone
        return set(hours) & self._database.gone


def _added(before: tuple[int, int] | None, count: int, price: int) -> tuple[int, int]:
    return (before[0] + count, before[1] + price) if before else (count, price)
