"""A proxy before a server, in a thread of its own: scenarios are no coroutines."""

import asyncio
import threading
from concurrent.futures import Future
from types import TracebackType
from typing import Final, Self

from tests.support import proxy

_SECONDS: Final = 30.0


class Cutter:
    """Listens on `port` from `__enter__` to `__exit__`, and passes on until armed."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._made: Future[proxy.Proxy] = Future()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._made.result(_SECONDS)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(_SECONDS)

    @property
    def port(self) -> int:
        return self._made.result().port

    def arm(self, word: bytes, fault: proxy.Fault) -> None:
        """It will be done to the next packet with `word` in it."""
        asyncio.run_coroutine_threadsafe(self._arm(word, fault), self._loop).result(_SECONDS)

    def wait(self) -> None:
        """Back when it is done. Raises TimeoutError where no such packet comes."""
        asyncio.run_coroutine_threadsafe(self._made.result().struck.wait(), self._loop).result(_SECONDS)

    def thaw(self) -> None:
        """What was frozen goes on."""
        self._loop.call_soon_threadsafe(self._made.result().thaw)

    async def _arm(self, word: bytes, fault: proxy.Fault) -> None:
        self._made.result().fail_at(word, fault)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        async with proxy.before(*self._target) as made:
            self._made.set_result(made)
            await self._over.wait()
