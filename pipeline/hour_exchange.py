"""The exchange of whole hours while workers count: staged from the log, then finished under the lock of the offsets."""

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
import psycopg
from psycopg import AsyncConnection

from pipeline import errors, known_letters, log, reading, recount
from stores import dead_letter_ledger, flush, hour_rebuild, offsets

_MORE_PARTITIONS = "the topic got more partitions meanwhile: nothing was changed, run this again"


class Exchanged(msgspec.Struct, frozen=True):
    """One hour: events before and after, how many of these are replayed dead letters, and how long it took."""

    before: int
    after: int
    letters: int
    seconds: float
    locked_seconds: float


class HourExchange:
    """Counts up to the offsets stored now, and then hour by hour up to the offsets at its end."""

    def __init__(
        self,
        conn: AsyncConnection[Any],
        topic: log.Log,
        reader: reading.TopicReader,
        of: offsets.Consumer,
        hours: Collection[int],
    ) -> None:
        """`conn` is in autocommit mode; `hours` are there."""
        self._conn, self._topic, self._reader, self._of = conn, topic, reader, of
        self._stage = hour_rebuild.Stage(conn)
        self._recount = recount.Recount(hours)
        self._counted: dict[int, int] = {}

    async def stage(self, earliest: Mapping[int, int]) -> int:
        """Count everything from `earliest` up to the offsets stored now; how many records that was.

        Raises `errors.OperationRefused` where the log ends below these offsets.
        """
        await self._stage.make()
        stored, known = await self._snapshot(earliest)
        _refuse_lost_tail(stored, await self._topic.offsets())
        records = 0
        async for batch in self._reader.read(earliest, stored):
            records += len(batch.records)
            self._recount.add(batch, known)
            if self._recount.full:
                await self._stage.add(self._recount.take())
        await self._stage.add(self._recount.take())
        self._counted = {partition: max(stored[partition], first) for partition, first in earliest.items()}
        return records

    async def exchange(self, hour: int) -> Exchanged:
        """Replace `hour`. Raises `errors.OperationRefused` and `errors.TopicReplaced`: it is then as it was."""
        began = time.monotonic()
        try:
            async with self._conn.transaction():
                before, replayed, totals, locked_at = await self._replaced(hour)
        except psycopg.errors.CheckViolation as error:
            message = "retention dropped the hour meanwhile: nothing was changed"
            raise errors.OperationRefused(message) from error
        now = time.monotonic()
        return Exchanged(before, _events(totals), _events(replayed), now - began, now - locked_at)

    async def _replaced(self, hour: int) -> tuple[int, list[flush.MinuteTotal], list[flush.MinuteTotal], float]:
        """Events before; minute totals of replayed letters, and of everything; since when the offsets are locked."""
        exchange = hour_rebuild.Exchange(self._conn, self._of, hour)
        await exchange.append_staged()
        locked = await exchange.lock_offsets()
        locked_at = time.monotonic()
        if set(locked) != set(self._counted):
            raise errors.OperationRefused(_MORE_PARTITIONS)
        known = await self._known()
        await self._count_rest(exchange, hour, locked, known)
        letters = recount.Recount([hour])
        letters.add_replayed(known.replayed)
        await exchange.append(letters.take())
        replayed = letters.totals(hour)
        totals = [*self._recount.totals(hour), *replayed]
        before = await exchange.replace(totals)
        await self._topic.verify()
        if await exchange.partitions() != set(locked):
            raise errors.OperationRefused(_MORE_PARTITIONS)
        self._counted |= locked
        return before, replayed, totals, locked_at

    async def _snapshot(self, earliest: Mapping[int, int]) -> tuple[dict[int, int], known_letters.KnownLetters]:
        """Offsets first: every letter below them is then among the letters.

        A partition that nobody has counted yet gets its row here, as a worker's start would give it: only a row can be
        locked.
        """
        async with self._conn.transaction():
            await offsets.insert_missing(self._conn, self._of, earliest)
        stored = await offsets.read(self._conn, self._of, earliest)
        async with self._conn.transaction():
            return stored, await self._known()

    async def _known(self) -> known_letters.KnownLetters:
        letters = await dead_letter_ledger.settled(self._conn, self._of.group)
        return known_letters.KnownLetters(letters, self._of.topic_id)

    async def _count_rest(
        self,
        exchange: hour_rebuild.Exchange,
        hour: int,
        locked: Mapping[int, int],
        known: known_letters.KnownLetters,
    ) -> None:
        """What workers have counted since; rows of the hours to come are staged in the same transaction."""
        if any(locked[partition] < counted for partition, counted in self._counted.items()):
            message = "the group's offsets were set back meanwhile: nothing was changed, run this again"
            raise errors.OperationRefused(message)
        async for batch in self._reader.read(self._counted, {each: locked[each] for each in self._counted}):
            self._recount.add(batch, known)
            if self._recount.full:
                await self._place(exchange, hour)
        await self._place(exchange, hour)

    async def _place(self, exchange: hour_rebuild.Exchange, hour: int) -> None:
        rows = self._recount.take()
        await exchange.append([row for row in rows if row[0][0] // 60 == hour])
        await self._stage.add(row for row in rows if row[0][0] // 60 != hour)


def _events(totals: Sequence[flush.MinuteTotal]) -> int:
    return sum(total.count for total in totals)


def _refuse_lost_tail(stored: Mapping[int, int], reach: Mapping[int, tuple[int, int]]) -> None:
    for partition, offset in stored.items():
        if reach[partition][1] < offset:
            message = (
                f"partition {partition} ends at offset {reach[partition][1]}, but everything below {offset} was "
                "counted: the log lost records. See `python -m pipeline adopt-topic --help`"
            )
            raise errors.OperationRefused(message)
