"""What the backends of one server share: tables, locks, and when things happen."""

import asyncio
import contextvars
from collections.abc import Callable, Collection, Coroutine
from typing import Any

from tests.support.fakes.postgres.locks import Locks
from tests.support.fakes.postgres.tables import Changes, Tables


class Engine:
    """`disk_full` and `read_only` are what they say, from the next statement on."""

    def __init__(
        self, hours: Collection[int] | None, tombstones: Collection[int], pause: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.tables = Tables(hours, tombstones)
        self.locks = Locks()
        self.disk_full = False
        self.read_only = False
        self.commits: list[Changes] = []
        self._initial = (hours, tombstones)
        self._pause = pause
        self._running = asyncio.Event()
        self._running.set()
        self._context = contextvars.copy_context()

    async def moment(self) -> None:
        """A leg of a message's way, or a piece of work: `pause` seconds, and however long the server is frozen."""
        await asyncio.sleep(self._pause())
        while not self._running.is_set():
            await self._running.wait()

    def freeze(self) -> None:
        self._running.clear()

    def thaw(self) -> None:
        self._running.set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run it as the server's own, whoever asked for it: with the context that the server was made in."""
        return asyncio.get_running_loop().create_task(work, context=self._context)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, callback, context=self._context)

    def commit(self, changes: Changes) -> None:
        """From this moment on everybody sees it."""
        if changes:
            self.commits.append(changes)
            self.tables.apply(changes)

    def lose(self, commits: int) -> None:
        """Back to the state before the last so many commits."""
        if commits:
            self.commits = self.commits[:-commits]
            self.tables = Tables(*self._initial).apply_all(self.commits)
