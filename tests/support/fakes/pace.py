"""When things happen on a server in memory: by the running loop's clock, and in tasks of the server's own."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_Answer = TypeVar("_Answer")


class Pace:
    """Each moment takes `pause()` seconds; a frozen server's take until it is thawed.

    What is spawned runs with the context that this was made in, whoever asked for it: it outlives who asked.
    """

    def __init__(self, pause: Callable[[], float] = lambda: 0.0) -> None:
        self._pause = pause
        self._running = asyncio.Event()
        self._running.set()
        self._context = contextvars.copy_context()

    async def moment(self) -> None:
        """A leg of a message's way, or a piece of work."""
        await asyncio.sleep(self._pause())
        while not self._running.is_set():
            await self._running.wait()

    def freeze(self) -> None:
        self._running.clear()

    def thaw(self) -> None:
        self._running.set()

    def spawn(self, work: Coroutine[Any, Any, _Answer]) -> asyncio.Task[_Answer]:
        return asyncio.get_running_loop().create_task(work, context=self._context)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, callback, context=self._context)
