"""Row locks: exclusive, held until a transaction ends, granted in the order in which they were asked for."""

import asyncio
from collections.abc import Hashable
from typing import Final

from tests.support.fakes.postgres import refusals
from tests.support.fakes.postgres.refusals import State

DEADLOCK_S: Final = 1.0
"""How long a transaction waits before it looks for a circle (deadlock_timeout)."""


class _Wait:
    def __init__(self, key: Hashable, owner: Hashable) -> None:
        self.key, self.owner = key, owner
        self.granted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()


class Locks:
    """Keys are rows, or whatever else is locked; owners are transactions, each of which waits for one key at most."""

    def __init__(self) -> None:
        self._holders: dict[Hashable, Hashable] = {}
        self._queues: dict[Hashable, list[_Wait]] = {}
        self._waits: dict[Hashable, _Wait] = {}

    def holder(self, key: Hashable) -> Hashable | None:
        return self._holders.get(key)

    def waiting(self, key: Hashable) -> list[Hashable]:
        """Who waits for a key, the next one first."""
        return [wait.owner for wait in self._queues.get(key, [])]

    @property
    def waits(self) -> int:
        """How many owners wait."""
        return len(self._waits)

    async def take(self, key: Hashable, owner: Hashable, patience_s: float | None = None) -> None:
        """Hold `key`; again changes nothing. Raises 55P03 after `patience_s`, 40P01 in a circle, 57014 by `cancel`."""
        if self._holders.setdefault(key, owner) is owner:
            return
        wait = _Wait(key, owner)
        self._queues.setdefault(key, []).append(wait)
        self._waits[owner] = wait
        try:
            await self._granted(wait, patience_s)
        finally:
            del self._waits[owner]
            self._leave_queue(wait)

    def cancel(self, owner: Hashable) -> bool:
        """End the wait of `owner`, if it waits, by an error."""
        wait = self._waits.get(owner)
        if wait is None or wait.granted.done():
            return False
        wait.granted.set_result(False)
        return True

    def release(self, owner: Hashable) -> None:
        """Let go of everything that `owner` holds; whoever is next in each queue holds it from this moment on.

        An owner that waits does so no more.
        """
        self.cancel(owner)
        for key in [key for key, holder in self._holders.items() if holder is owner]:
            del self._holders[key]
            self._grant(key)

    def _grant(self, key: Hashable) -> None:
        queue = self._queues.get(key, [])
        heir = next((wait for wait in queue if not wait.granted.done()), None)
        if heir is not None:
            queue.remove(heir)
            self._holders[key] = heir.owner
            heir.granted.set_result(True)

    async def _granted(self, wait: _Wait, patience_s: float | None) -> None:
        look_s = DEADLOCK_S if patience_s is None else min(DEADLOCK_S, patience_s)
        await asyncio.wait([wait.granted], timeout=look_s)
        if not wait.granted.done() and look_s == DEADLOCK_S:
            if self._in_circle(wait):
                raise refusals.refusal(State.DEADLOCK_DETECTED, "deadlock detected")
            left_s = None if patience_s is None else patience_s - look_s
            await asyncio.wait([wait.granted], timeout=left_s)
        if not wait.granted.done():
            raise refusals.refusal(State.LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout")
        if not wait.granted.result():
            raise refusals.canceled_by_user()

    def _in_circle(self, start: _Wait) -> bool:
        """Whether whoever `start` waits for waits for it, over any number of others."""
        seen: list[Hashable] = []
        holder = self._holders.get(start.key)
        while holder is not None and holder not in seen:
            if holder is start.owner:
                return True
            seen.append(holder)
            wait = self._waits.get(holder)
            holder = None if wait is None else self._holders.get(wait.key)
        return False

    def _leave_queue(self, wait: _Wait) -> None:
        queue = self._queues.get(wait.key, [])
        if wait in queue:
            queue.remove(wait)
        if not queue:
            self._queues.pop(wait.key, None)
