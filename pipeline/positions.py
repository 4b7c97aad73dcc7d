"""Which records of a fetched batch are to be counted: those from the expected offset on, without a gap, once.

A worker's expected offset of a partition is what is stored plus what it has folded since. Batches may arrive twice,
late, or from before a seek; offsets decide, nothing else does.
"""

from collections.abc import Mapping
from enum import Enum

import msgspec

from pipeline import batches


class Verdict(Enum):
    """What to do with a batch."""

    COUNT = "count"
    REPLAY = "replay"  # all of it was counted before
    GAP = "gap"  # it lies above the expected offset
    STRANGER = "stranger"  # its partition is not this worker's


class Judged(msgspec.Struct, frozen=True):
    """A verdict; with COUNT the part of the batch to count, and how many records were cut off below it."""

    verdict: Verdict
    batch: batches.Batch | None = None
    skipped: int = 0


class Positions:
    """The expected offset of each assigned partition."""

    def __init__(self) -> None:
        self._expected: dict[int, int] = {}

    def reset(self, starts: Mapping[int, int]) -> None:
        """Exactly these partitions are assigned, and go on at these offsets."""
        self._expected = dict(starts)

    def judge(self, batch: batches.Batch) -> Judged:
        """What to do with `batch`; changes nothing."""
        expected = self._expected.get(batch.partition)
        if expected is None:
            return Judged(Verdict.STRANGER)
        if batch.first_offset > expected:
            return Judged(Verdict.GAP)
        kept = batch.from_offset(expected)
        if kept is None:
            return Judged(Verdict.REPLAY, skipped=len(batch.records))
        return Judged(Verdict.COUNT, kept, len(batch.records) - len(kept.records))

    def advance(self, partition: int, next_offset: int) -> None:
        """The partition goes on at `next_offset`: its records below were folded, or are gone from the log."""
        self._expected[partition] = next_offset

    def expected(self, partition: int) -> int:
        """The next offset to count. Raises KeyError for a partition that is not assigned."""
        return self._expected[partition]

    def as_dict(self) -> dict[int, int]:
        """`{partition: next offset to count}`."""
        return dict(self._expected)
