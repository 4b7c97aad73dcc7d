"""A partition in memory, as a broker keeps it: batches of encoded records, and a beginning that moves."""

import struct
from collections.abc import Sequence

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

_BASE_OFFSET, _CRC, _ATTRIBUTES = struct.Struct(">q"), struct.Struct(">I"), struct.Struct(">h")
_CRC_AT, _ATTRIBUTES_AT = struct.calcsize(">qiib"), struct.calcsize(">qiibI")
_CONTROL = 0x20
_COMMITTED = struct.pack(">hh", 0, 1)
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
        self.values.update({first + delta: value for delta, (_, value) in enumerate(records)})
        self._add(_encoded(records), len(records))
        return first

    def leave_hole(self, offsets: int) -> None:
        """So many markers of transactions: a consumer is handed none of them, and goes on behind them."""
        markers = _encoded([(_COMMITTED, b"")] * offsets)
        [attributes] = _ATTRIBUTES.unpack_from(markers, _ATTRIBUTES_AT)
        _ATTRIBUTES.pack_into(markers, _ATTRIBUTES_AT, attributes | _CONTROL)
        _CRC.pack_into(markers, _CRC_AT, calc_crc32c(markers[_ATTRIBUTES_AT:]))
        self._add(markers, offsets)

    def truncate(self, start: int) -> None:
        """Retention took what lies below `start`; batches go as a whole, as segments do."""
        self.start = max(self.start, min(start, self.end))
        self._batches = [batch for batch in self._batches if batch[1] > self.start]

    def has_records(self, offset: int) -> bool:
        """Whether there are any, still, at or above it."""
        return max(self.values, default=-1) >= max(offset, self.start)

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

    def _add(self, encoded: bytearray, offsets: int) -> None:
        _BASE_OFFSET.pack_into(encoded, 0, self.end)
        self._batches.append((self.end, self.end + offsets, bytes(encoded)))
        self.end += offsets


def _encoded(records: Sequence[tuple[bytes | None, bytes | None]]) -> bytearray:
    """A batch whose first offset is 0."""
    builder = DefaultRecordBatchBuilder(_MAGIC, 0, 0, -1, -1, 0, _BYTES)
    for delta, (key, value) in enumerate(records):
        builder.append(delta, 0, key, value, [])
    encoded: bytearray = builder.build()
    return encoded
