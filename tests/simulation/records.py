"""A partition in memory, as a broker keeps it: batches of encoded records, and a beginning that moves."""

import struct
from collections.abc import Sequence

from aiokafka.record.default_records import DefaultRecordBatchBuilder

_BASE_OFFSET = struct.Struct(">q")
_MAGIC, _BYTES = 2, 1 << 20


class Partition:
    """`start` is the earliest offset, `end` the next one to be given. `values` are all that were ever appended."""

    def __init__(self) -> None:
        self.start = 0
        self.end = 0
        self.values: dict[int, bytes | None] = {}
        self._batches: list[tuple[int, int, bytes]] = []

    def append(self, records: Sequence[tuple[bytes | None, bytes | None]]) -> int:
        """(key, value) pairs, as one batch; gives the offset of the first."""
        first = self.end
        builder = DefaultRecordBatchBuilder(_MAGIC, 0, 0, -1, -1, 0, _BYTES)
        for delta, (key, value) in enumerate(records):
            builder.append(delta, 0, key, value, [])
            self.values[first + delta] = value
        self.end = first + len(records)
        encoded = builder.build()
        _BASE_OFFSET.pack_into(encoded, 0, first)
        self._batches.append((first, self.end, bytes(encoded)))
        return first

    def leave_hole(self, offsets: int) -> None:
        """Offsets that no record has, as markers of transactions leave them."""
        self.end += offsets

    def truncate(self, start: int) -> None:
        """Retention took what lies below `start`; batches go as a whole, as segments do."""
        self.start = max(self.start, min(start, self.end))
        self._batches = [batch for batch in self._batches if batch[1] > self.start]

    def read(self, offset: int, at_most: int) -> bytes:
        """Whole batches from the one that holds `offset` on: `at_most` bytes, but at least one."""
        found: list[bytes] = []
        size = 0
        for _, end, encoded in self._batches:
            if end <= offset:
                continue
            if found and size + len(encoded) > at_most:
                break
            found.append(encoded)
            size += len(encoded)
        return b"".join(found)
