"""Records that a group steps over: what is kept of them, and why.

The aggregates group's are written with the offset that is moved past them, in its flush; the profiles group's, which
keeps its place in Kafka, before that.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import psycopg

from pipeline import batches
from runtime import logging, trace_context
from stores import dead_letters, errors, offsets, primary

_log = logging.get_logger(__name__)

UNDECODABLE: Final = "undecodable"
HOUR_GONE: Final = "hour_gone"
HOUR_IMPOSSIBLE: Final = "hour_impossible"
REFUSED: Final = "refused_by_store"

LINES: Final = 20
"""Of one write, at most; a topic full of broken records must not fill the log. The table has all of them."""


class Letter(dead_letters.Letter, frozen=True, kw_only=True):
    """What is kept, and the trace id of the request that the record comes from, where its headers name one.

    It is kept in the detail: a column of its own would need another `advance_flush` beside the one that workers of the
    release before call, for something that only a person reads.
    """

    trace_id: str | None = None

    @property
    def said(self) -> str:
        """Why, for a log: of an undecodable record how its bytes fail; what a store says may quote the event."""
        if self.reason == UNDECODABLE:
            return f"{self.reason}: {self.detail}"
        return self.reason + _suffix(self.trace_id)


def of_record(partition: int, record: batches.Record, reason: str, detail: str) -> Letter:
    """The whole record, with one of the reasons above."""
    trace_id = trace_context.of_record(record.headers)
    kept = detail + _suffix(trace_id)
    return Letter(partition, record.offset, record.key, record.value, reason, kept, trace_id=trace_id)


def _suffix(trace_id: str | None) -> str:
    return "" if trace_id is None else f" (trace {trace_id})"


class Telling:
    """Logs what one write steps over, in however many parts it is stored."""

    def __init__(self) -> None:
        self._stored = 0

    def tell(self, stored: Sequence[Letter]) -> None:
        """A part of the write is stored, with these letters."""
        for letter in stored[: max(0, LINES - self._stored)]:
            _tell(letter)
        self._stored += len(stored)

    def end(self) -> None:
        """No part comes any more."""
        if self._stored > LINES:
            _log.warning("more dead letters", letters=self._stored - LINES)


@contextmanager
def telling() -> Iterator[Telling]:
    """For the duration of one write, however it ends: what was stored of it is told."""
    told = Telling()
    try:
        yield told
    finally:
        told.end()


def tell(written: Sequence[Letter]) -> None:
    """Log what was stepped over in one write, once all of it is stored."""
    with telling() as told:
        told.tell(written)


def _tell(letter: Letter) -> None:
    _log.warning(
        "dead letter",
        partition=letter.partition,
        offset=letter.offset,
        reason=letter.reason,
        detail=letter.detail.removesuffix(_suffix(letter.trace_id)) if letter.reason == UNDECODABLE else "",
        trace_id=letter.trace_id,
    )


class PostgresLetters:
    """`profiles_sink.Letters`, on a connection of its own a call: broken records are rare."""

    def __init__(
        self,
        conninfo: str,
        consumer: offsets.Consumer,
        patience_s: float = 30.0,
        connect: primary.Connect = primary.connect,
    ) -> None:
        self._conninfo, self._consumer, self._patience_s, self._connect = conninfo, consumer, patience_s, connect

    async def write(self, letters: Sequence[dead_letters.Letter]) -> None:
        """See `profiles_sink.Letters`."""
        async with self._connection() as conn:
            await dead_letters.write(conn, self._consumer, letters)

    async def runs(self, ends: Mapping[int, int], at_most: int) -> dict[int, int]:
        """See `profiles_sink.Letters`."""
        async with self._connection() as conn:
            return await dead_letters.runs(conn, self._consumer, ends, at_most)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[primary.Connection]:
        try:
            async with asyncio.timeout(self._patience_s), await self._connect(self._conninfo) as conn:
                yield conn
        except (psycopg.Error, TimeoutError) as error:
            raise errors.unavailable(error) from error
