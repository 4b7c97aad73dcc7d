"""Ends a worker that lives on without consuming: records wait, and nothing moves.

Faust issues 175, 523, 594 and 629 are such workers. A store or Kafka away is no reason to die: while a question to them
is being asked again, the watchdog waits. It counts looks, not seconds: a process that was stopped as a whole did not
stand still.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final, Protocol

from broker import errors as broker_errors
from pipeline import errors, log

LOOKS: Final = 10
"""In the time after which a worker is stalled."""


class Topic(Protocol):
    """What the log itself holds. Both methods raise `broker.errors.BrokerUnavailable`."""

    async def offsets(self) -> dict[int, tuple[int, int]]:
        """`{partition: (earliest, end)}` of the topic as it is now."""

    async def with_records(self, starts: Mapping[int, int]) -> set[int]:
        """The partitions that have a record at or above the offset in `starts`; markers of transactions are none."""


class Watchdog:
    """Looks at one worker. `lag` is what it saw last."""

    def __init__(
        self,
        topic: Topic,
        expected: Callable[[], Mapping[int, int]],
        orphans: Callable[[], Awaitable[Mapping[int, int]]],
        excused: Callable[[], bool],
        stalled_after_s: float,
        on_reach: Callable[[Mapping[int, tuple[int, int]]], None] = lambda _reach: None,
    ) -> None:
        """`expected` gives the next offset of each partition that the worker has; `orphans` the group's offset of each
        that no other worker has; `excused` is true while stores or brokers are asked again. `on_reach` is told
        every answer of `topic.offsets`."""
        self._topic, self._expected, self._orphans, self._excused = topic, expected, orphans, excused
        self._look_s, self._on_reach = stalled_after_s / LOOKS, on_reach
        self._seen: Mapping[int, int] = {}
        self._stood: dict[int, int] = {}
        self._barren: dict[int, tuple[int, int]] = {}
        self.lag = 0

    async def run(self) -> None:
        """Look again and again. Raises `errors.Stalled` when something has not moved for too long."""
        while True:
            await asyncio.sleep(self._look_s)
            await self.look()

    async def look(self) -> None:
        """One look. Raises `errors.Stalled`, and `errors.LogTruncated` where the log ends below what was taken."""
        try:
            own = self._expected()  # before the ends: what is expected now cannot lie above an end that is read later
            reach = await self._topic.offsets()
            self._on_reach(reach)
            log.refuse_truncated(own, reach)
            orphans = {} if own.keys() >= reach.keys() else await self._orphans()
            offsets = {**orphans, **own}
            self._note(offsets, {partition: self._lag(partition, at, reach) for partition, at in offsets.items()})
            if self._stalled():
                self._refuse(await self._topic.with_records({each: offsets[each] for each in self._stood}), reach)
        except broker_errors.BrokerUnavailable:
            self._stood.clear()  # without Kafka nothing can move

    def _note(self, offsets: Mapping[int, int], lags: Mapping[int, int]) -> None:
        """For how many looks each partition has stood still although records wait in it."""
        self._stood = {
            partition: self._stood.get(partition, -1) + 1 if self._seen.get(partition) == offsets[partition] else 0
            for partition, lag in lags.items()
            if lag and not self._excused()
        }
        self._seen, self.lag = offsets, sum(lags.values())

    def _stalled(self) -> bool:
        """All that lags stands still; or one partition does, for so long that each of the others had its turn."""
        stood = self._stood.values()
        return bool(stood) and (min(stood) >= LOOKS or max(stood) >= LOOKS * len(stood))

    def _refuse(self, holding: Collection[int], reach: Mapping[int, tuple[int, int]]) -> None:
        """Of what stands still, only what is in `holding` has records: the end of a log may be markers alone."""
        for partition in self._stood.keys() - holding:
            self._barren[partition] = (self._seen[partition], reach[partition][1])
            del self._stood[partition]
        if self._stalled():
            still = {partition: looks for partition, looks in self._stood.items() if looks >= LOOKS}
            waiting = sum(self._lag(partition, self._seen[partition], reach) for partition in still)
            message = (
                f"{waiting} records wait and nothing has moved for {min(still.values()) * self._look_s:.0f} s "
                f"in partitions {sorted(still)}"
            )
            raise errors.Stalled(message)

    def _lag(self, partition: int, offset: int, reach: Mapping[int, tuple[int, int]]) -> int:
        """Offsets that wait from `offset` on; what retention took will never come, nor what was never a record."""
        earliest, end = reach[partition]
        barren_from, barren_to = self._barren.get(partition, (offset, offset))
        return max(0, end - max(barren_to if barren_from == offset else offset, earliest))
