"""What a worker asks about its topic beside consuming it: is it still the same, and how far does it reach."""

import asyncio
from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from broker import backlog, connections, groups, tails, topics
from pipeline import errors


class Log(Protocol):
    """One topic. All methods raise `broker.errors.BrokerUnavailable` and `broker.errors.TopicMissing`."""

    async def verify(self) -> None:
        """Raises `errors.TopicReplaced` if the topic is not the one that this worker began with."""

    async def offsets(self) -> dict[int, tuple[int, int]]:
        """`{partition: (earliest, end)}` of the topic as it is now."""


class KafkaLog:
    """`Log` over the admin protocol, with a client of its own."""

    def __init__(self, bootstrap: str, topic: str, topic_id: UUID, timeout_s: float = 10.0) -> None:
        self._bootstrap, self._ask = bootstrap, connections.Asking(bootstrap)
        self._topic, self._id, self._timeout_s = topic, topic_id, timeout_s

    async def verify(self) -> None:
        self._check(await self._described())

    async def offsets(self) -> dict[int, tuple[int, int]]:
        described = await self._described()
        self._check(described)
        return await asyncio.to_thread(self._ask, topics.read_offsets, described, self._timeout_s)

    async def committed(self, group: str) -> dict[int, int]:
        """See `membership.Groups`."""
        return await asyncio.to_thread(self._ask, backlog.committed, group, self._topic, self._timeout_s)

    async def with_records(self, starts: Mapping[int, int]) -> set[int]:
        """See `watchdog.Topic`."""
        return await asyncio.to_thread(tails.with_records, self._bootstrap, self._topic, starts, self._timeout_s)

    async def assignments(self, group: str) -> dict[str, set[int]] | None:
        """See `membership.Groups`."""
        return await asyncio.to_thread(self._ask, groups.assignments, group, self._topic, self._timeout_s)

    async def _described(self) -> topics.Topic:
        return await asyncio.to_thread(self._ask, topics.describe, self._topic, self._timeout_s)

    def _check(self, described: topics.Topic) -> None:
        if described.id != self._id:
            message = (
                f"topic {self._topic} was deleted and made anew: its id was {self._id} and is {described.id}. "
                "Nothing of the new one was counted. Start the worker again: it says what to choose from"
            )
            raise errors.TopicReplaced(message)


def refuse_truncated(stored: Mapping[int, int], reach: Mapping[int, tuple[int, int]]) -> None:
    """Raises `errors.LogTruncated` where a partition ends below the offset that it is to go on at."""
    for partition, offset in stored.items():
        end = reach[partition][1]
        if end < offset:
            message = (
                f"partition {partition} ends at offset {end}, but everything below {offset} was counted: the log lost "
                "records that were acknowledged, or is another one. Counting on would skip what arrives next. "
                "Restore the topic, or accept it with `python -m pipeline adopt-topic`"
            )
            raise errors.LogTruncated(message)
