"""Ends a worker that lives on without consuming: lag above zero, and nothing moves.

Faust issues 175, 523, 594 and 629 are such workers. PostgreSQL or Kafka away is no reason to die: while a question to
them is being asked again, the watchdog waits.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from broker import errors as broker_errors
from pipeline import errors, log


class Watchdog:
    """Looks at one worker. `lagging` is what it saw last."""

    def __init__(
        self,
        topic: log.Log,
        expected: Callable[[], Mapping[int, int]],
        group_offsets: Callable[[], Awaitable[Mapping[int, int]]],
        excused: Callable[[], bool],
        stalled_after_s: float,
    ) -> None:
        """`expected` gives the next offset of each partition that the worker has; `group_offsets` what the whole group
        has stored, for a worker that has no partition; `excused` is true while stores or brokers are asked again."""
        self._topic, self._expected, self._group_offsets, self._excused = topic, expected, group_offsets, excused
        self._stalled_after_s = stalled_after_s
        self._seen: Mapping[int, int] = {}
        self._moved_at = 0.0
        self.lag = 0

    async def run(self) -> None:
        """Look again and again. Raises `errors.Stalled` when nothing has moved for too long."""
        self._moved_at = _now()
        while True:
            await asyncio.sleep(self._stalled_after_s / 10)
            await self.look()

    async def look(self) -> None:
        """One look. Raises `errors.Stalled`, and `errors.LogTruncated` where the log ends below what was taken."""
        try:
            own = self._expected()  # before the ends: what is expected now cannot lie above an end that is read later
            reach = await self._topic.offsets()
            offsets = own or await self._group_offsets()
        except broker_errors.BrokerUnavailable:
            self._moved_at = _now()  # without Kafka nothing can move
            return
        log.refuse_truncated(own, reach)
        self.lag = sum(_waiting(offset, *reach[partition]) for partition, offset in offsets.items())
        if not self.lag or dict(offsets) != self._seen or self._excused():
            self._seen, self._moved_at = dict(offsets), _now()
        elif _now() - self._moved_at > self._stalled_after_s:
            message = f"{self.lag} records wait and nothing has moved for {self._stalled_after_s:.0f} s"
            raise errors.Stalled(message)


def _waiting(offset: int, earliest: int, end: int) -> int:
    """Offsets that wait from `offset` on; what retention took will never come."""
    return max(0, end - max(offset, earliest))


def _now() -> float:
    return asyncio.get_running_loop().time()
