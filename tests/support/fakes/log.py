"""A topic in memory: records by partition and offset, with holes and a truncated beginning where a test wants them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from broker import errors as broker_errors
from pipeline import batches, errors
from schemas import codec, tags

MINUTE = 27_465_855
"""A minute of event time: 2022-03-22T12:15:00Z."""


class Record(NamedTuple):
    """`batches.Record`."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes | None]] = ()


class FakeLog:
    """`log.Log` of a topic, which it also holds."""

    def __init__(self, partitions: int = 1) -> None:
        self.id = UUID(int=1)
        self.records: dict[int, list[Record]] = {partition: [] for partition in range(partitions)}
        self.earliest = dict.fromkeys(range(partitions), 0)
        self.ends = dict.fromkeys(range(partitions), 0)
        self.groups: dict[str, dict[int, int]] = {}
        self.away = False
        self.replaced = False
        self.questions = 0

    def append(self, partition: int, value: bytes | None) -> int:
        """A record at the end of a partition; gives its offset."""
        offset = self.ends[partition]
        self.records[partition].append(Record(offset, b"key", value))
        self.ends[partition] = offset + 1
        return offset

    def fill(self, partition: int, count: int) -> None:
        """`count` good records, each with a key and price of its own."""
        for _ in range(count):
            self.append(partition, value(partition, self.ends[partition]))

    def leave_hole(self, partition: int, offsets: int) -> None:
        """Offsets that no record has, as markers of transactions leave them."""
        self.ends[partition] += offsets

    def truncate(self, partition: int, earliest: int) -> None:
        """Retention took what lies below."""
        self.earliest[partition] = earliest
        self.records[partition] = [record for record in self.records[partition] if record.offset >= earliest]

    def batch(self, partition: int, first: int, at_most: int = 1_000) -> batches.Batch | None:
        """What a fetch from offset `first` brings."""
        found = [record for record in self.records[partition] if record.offset >= first][:at_most]
        return batches.Batch(partition, found) if found else None

    async def verify(self) -> None:
        await self._asked()

    async def offsets(self) -> dict[int, tuple[int, int]]:
        await self._asked()
        return {partition: (self.earliest[partition], self.ends[partition]) for partition in self.records}

    async def with_records(self, starts: Mapping[int, int]) -> set[int]:
        """`watchdog.Topic`."""
        await self._asked()
        return {partition for partition, start in starts.items() if self.batch(partition, start) is not None}

    async def committed(self, group: str) -> dict[int, int]:
        await self._asked()
        return self.groups.get(group, {})

    async def _asked(self) -> None:
        self.questions += 1
        await asyncio.sleep(0)
        if self.away:
            message = "no broker"
            raise broker_errors.BrokerUnavailable(message)
        if self.replaced:
            message = "another topic"
            raise errors.TopicReplaced(message)


def value(partition: int, offset: int, **fields: object) -> bytes:
    """An encoded event whose origin and price tell where in the log it stands."""
    tag = tags.UserTag(
        **{  # type: ignore[arg-type]
            "time": MINUTE * tags.MILLIS_PER_MINUTE + offset,
            "cookie": "cookie",
            "country": "PL",
            "device": "PC",
            "action": "VIEW",
            "origin": f"{partition}/{offset}",
            "product_id": offset,
            "brand_id": "brand",
            "category_id": "category",
            "price": offset + 1,
            **fields,
        }
    )
    return codec.encode_tag(tag)


def good(batch: batches.Batch, part: Sequence[int]) -> batches.Batch:
    """The records of `batch` at these indices, as a batch."""
    return batches.Batch(batch.partition, [batch.records[index] for index in part])
