"""What comes out of the consumer, made gapless: each record from the place of a partition on, once and in order."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

import msgspec

from pipeline import batches, log, metrics, positions, retrying
from pipeline.settings import WorkerSettings
from runtime import logging

_log = logging.get_logger(__name__)


class Place(Protocol):
    """The consumer's position."""

    async def seek(self, starts: Mapping[int, int]) -> None:
        """Fetch on from these offsets; partitions that are not assigned any more are left out."""


class Gap(msgspec.Struct, frozen=True):
    """Records missing from `expected` up to the batch at `first`, for which `seeks` seeks were made, the last `at`."""

    expected: int
    first: int
    seeks: int
    at: float


class Intake:
    """Admits what is next, cuts off what was admitted before, and has fetched again what is missing."""

    def __init__(self, settings: WorkerSettings, topic: log.Log, place: Place, retrier: retrying.Retrier) -> None:
        self._settings, self._topic, self._place, self._retrier = settings, topic, place, retrier
        self._positions = positions.Positions()
        self._gaps: dict[int, Gap] = {}

    @property
    def expected(self) -> dict[int, int]:
        """`{partition: next offset to admit}` of the assigned partitions."""
        return self._positions.as_dict()

    def place(self, starts: Mapping[int, int]) -> None:
        """Exactly these partitions are assigned, and go on at these offsets."""
        self._positions.reset(starts)
        self._gaps.clear()

    async def admit(self, batch: batches.Batch) -> batches.Batch | None:
        """The part of `batch` that is next, and is then taken for done; None where there is no such part."""
        judged = self._positions.judge(batch)
        metrics.REPLAYED.inc(judged.skipped)
        if judged.verdict is positions.Verdict.GAP:
            return await self.admit(batch) if await self._jumped(batch) else None
        if judged.batch is not None:
            self._positions.advance(batch.partition, batch.next_offset)
            metrics.observe_batch(judged.batch)
        return judged.batch

    async def _jumped(self, batch: batches.Batch) -> bool:
        """Records are missing below `batch`: true if the log has them no more; else they are fetched again."""
        partition, expected = batch.partition, self._positions.expected(batch.partition)
        try:
            earliest = (await self._retrier.ask(self._topic.offsets))[partition][0]
        except retrying.Abandoned:
            return False
        if self.expected.get(partition) != expected:
            return False  # placed anew meanwhile
        if earliest > expected:
            return self._jump(partition, expected, min(earliest, batch.first_offset), "the log was truncated below")
        return await self._sought_in_vain(batch, expected)

    async def _sought_in_vain(self, batch: batches.Batch, expected: int) -> bool:
        """Seek back to `expected`; true when seeks led to this very batch so often that there is nothing below it.

        Markers of transactions leave such holes. What was fetched before a seek arrives behind it, further up, and is
        dropped without another seek.
        """
        known = self._gaps.get(batch.partition)
        if known is None or known.expected != expected or batch.first_offset < known.first:
            gap = Gap(expected, batch.first_offset, 1, _now())
        elif batch.first_offset == known.first:
            gap = Gap(expected, known.first, known.seeks + 1, _now())
        elif _now() - known.at >= self._settings.seek_again_s:
            gap = Gap(expected, known.first, known.seeks, _now())
        else:
            return False
        self._gaps[batch.partition] = gap
        if gap.seeks > self._settings.seeks_before_hole:
            return self._jump(batch.partition, expected, batch.first_offset, "the log has no records between")
        metrics.SOUGHT_BACK.inc()
        _log.info("records missing below a batch, seeking back", partition=batch.partition, offset=expected)
        await self._place.seek({batch.partition: expected})
        return False

    def _jump(self, partition: int, expected: int, to: int, why: str) -> bool:
        metrics.JUMPED.inc(to - expected)
        _log.error("offsets skipped", partition=partition, expected=expected, goes_on_at=to, reason=why)
        self._positions.advance(partition, to)
        return True


def _now() -> float:
    return asyncio.get_running_loop().time()
