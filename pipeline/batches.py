"""What the transport delivers: consecutive records of one partition, as one message."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Record(Protocol):
    """One record of the topic, as aiokafka hands it out."""

    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """Looked at only where something is said of this one record."""

    @property
    def timestamp(self) -> int:
        """When the log took it: ms since 1970."""


class Batch(msgspec.Struct, frozen=True):
    """Records of one partition in the order of their offsets; never empty. Offsets may have holes in them."""

    partition: int
    records: Sequence[Record]

    @property
    def first_offset(self) -> int:
        return self.records[0].offset

    @property
    def next_offset(self) -> int:
        """The offset that the partition goes on with behind this batch."""
        return self.records[-1].offset + 1

    def from_offset(self, offset: int) -> "Batch | None":
        """The part at and above `offset`; None where all of it lies below."""
        if offset <= self.first_offset:
            return self
        kept = [record for record in self.records if record.offset >= offset]
        return Batch(self.partition, kept) if kept else None

    def halves(self) -> tuple["Batch", "Batch"]:
        """The batch in two, both with at least one record; only of a batch with two or more."""
        middle = len(self.records) // 2
        return Batch(self.partition, self.records[:middle]), Batch(self.partition, self.records[middle:])
