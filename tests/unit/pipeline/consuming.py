"""The consumer under test, without the service and the thread below it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from pipeline import transport
from tests.support.fakes.counting import records

ONE, TWO = TP("t", 0), TP("t", 1)


class Seeker:
    """`transport.Seeker` that knows its offsets, or fails."""

    def __init__(self, starts: Mapping[int, int] | None = None, failure: Exception | None = None) -> None:
        self.known, self.failure, self.failures = starts, failure, list[BaseException]()
        self.asking = False
        self.known_now = asyncio.Event()
        self.asked: list[set[int]] = []

    def is_asking(self) -> bool:
        return self.asking

    def answer(self, starts: Mapping[int, int]) -> None:
        """The store is back."""
        self.asking, self.known = False, starts
        self.known_now.set()

    async def starts(self, partitions: set[int]) -> dict[int, int]:
        self.asked.append(partitions)
        if self.failure is not None:
            raise self.failure
        if self.known is None:
            await self.known_now.wait()
        return {partition: (self.known or {})[partition] for partition in partitions}

    def seek_failed(self, error: BaseException) -> None:
        self.failures.append(error)


class Thread(transport.BatchConsumerThread):
    """The consumer's thread, in the test's own."""

    def __init__(self, consumer: "Consumer") -> None:
        self.asked_of = consumer

    def _ensure_consumer(self) -> Any:
        return SimpleNamespace(commit=self.asked_of.note_commit, _coordinator=self.asked_of.coordinator)

    async def call_thread(self, fun: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        return await fun(*args, **kwargs)


class Consumer(transport.BatchConsumer):
    """The consumer under test, without the service and the thread below it."""

    should_stop = False

    def __init__(self, seeker: Seeker | None = None, request_timeout: float = 60.0) -> None:
        conf = SimpleNamespace(broker_request_timeout=request_timeout)
        self.app: Any = SimpleNamespace(consumer_generation_id=1, conf=conf)
        self.transport: Any = SimpleNamespace(fetches=0, seeker=seeker or Seeker({0: 7, 1: 9}))
        self.flow_active = True
        self.fetched: dict[TP, list[Any]] = {ONE: records(3, 4), TWO: records(8)}
        self.during_fetch: Callable[[], None] = lambda: None
        self.sought: list[Mapping[TP, int]] = []
        self.assigned = {ONE, TWO}
        self.committed: list[dict[Any, Any]] = []
        self.answer: Callable[[Any], Awaitable[Any]] = pytest.fail
        self.coordinator = SimpleNamespace(
            _performed_join_prepare=False,
            _rejoin_needed_fut=SimpleNamespace(done=lambda: False),
            fetch_committed_offsets=lambda asked: self.answer(asked),
        )
        self._buffered_partitions = set()
        self._paused_partitions = set()
        self._active_partitions = {ONE, TWO}
        self._thread: Any = Thread(self)

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's own signature
        self.during_fetch()
        return self.fetched, self._active_partitions

    def _to_message(self, tp: TP, record: Any) -> Any:
        return SimpleNamespace(tp=tp, offset=record.offset, key=b"key", value=None)

    def assignment(self) -> set[TP]:
        return self.assigned

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        self.sought.append(partitions)

    async def note_commit(self, offsets: dict[Any, Any]) -> None:
        self.committed.append(offsets)

    async def all(self) -> list[tuple[TP, Any]]:
        return [pair async for pair in self.getmany(1.0)]
