"""Ways in which a consumer stops consuming and lives on, for a worker's own process: each from a number of records on.

`python -c "from tests.support import stalls; stalls.agent_hangs(20); ..."`
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from aiokafka.consumer import fetcher

from pipeline import batches, sink, transport

Stall = Callable[[int], None]


def fetch_never_returns(after: int) -> None:
    """The consumer's loop waits for ever."""

    async def never(_consumer: Any) -> None:
        await asyncio.Event().wait()

    _instead_of_fetches(after, never)


def position_is_stuck(after: int) -> None:
    """aiokafka holds records and hands out none of them: fetches return, and their position stays."""
    usual, taken = fetcher.FetchResult.getall, 0

    def getall(self: Any, max_records: int | None = None) -> list[Any]:
        nonlocal taken
        found: list[Any] = usual(self, max_records) if taken < after else []
        taken += len(found)
        return found

    fetcher.FetchResult.getall = getall


def records_are_lost(after: int) -> None:
    """What is fetched reaches nobody, with the position behind it; no later record shows that some are missing."""
    usual, seen = transport.BatchConsumer.getmany, 0

    async def getmany(self: Any, timeout: float) -> AsyncIterator[tuple[Any, Any]]:  # noqa: ASYNC109 - Faust's own
        nonlocal seen
        async for tp, message in usual(self, timeout):
            if seen < after:
                yield tp, message
            seen += len(message.value.records)

    transport.BatchConsumer.getmany = getmany  # type: ignore[method-assign]


def agent_hangs(after: int) -> None:
    """The agent takes a batch and never comes back."""

    async def hang(_sink: sink.Sink) -> None:
        await asyncio.Event().wait()

    _instead_of_takes(after, hang)


def loop_stands(after: int) -> None:
    """The event loop itself does not turn any more, and Kafka gets heartbeats from the consumer's thread."""

    async def stand(_sink: sink.Sink) -> None:
        time.sleep(3600)  # noqa: ASYNC251 - that is the defect

    _instead_of_takes(after, stand)


def partitions_are_forgotten(after: int) -> None:
    """The worker believes that it has none, while the group's coordinator believes that it has them all."""

    async def forget(one: sink.Sink) -> None:
        one._go_on_at({})  # noqa: SLF001

    _instead_of_takes(after, forget)


def partition_stays_paused(after: int) -> None:
    """aiokafka fetches partition 0 no more; the others go on."""

    async def pause(consumer: Any) -> None:
        inner = consumer._thread._ensure_consumer()  # noqa: SLF001
        inner.pause(*(tp for tp in inner.assignment() if tp.partition == 0))

    _instead_of_fetches(after, pause)


def _instead_of_fetches(after: int, stall: Callable[[Any], Any]) -> None:
    """`stall` is awaited before every fetch after so many records."""
    usual, seen = transport.BatchConsumer.getmany, 0

    async def getmany(self: Any, timeout: float) -> AsyncIterator[tuple[Any, Any]]:  # noqa: ASYNC109 - Faust's own
        nonlocal seen
        if seen >= after:
            await stall(self)
        async for tp, message in usual(self, timeout):
            seen += len(message.value.records)
            yield tp, message

    transport.BatchConsumer.getmany = getmany  # type: ignore[method-assign]


def _instead_of_takes(after: int, stall: Callable[[sink.Sink], Any]) -> None:
    """`stall` is awaited before every batch after so many records."""
    usual, seen = sink.Sink.take, 0

    async def take(self: sink.Sink, batch: batches.Batch) -> None:
        nonlocal seen
        if seen >= after:
            await stall(self)
        seen += len(batch.records)
        await usual(self, batch)

    sink.Sink.take = take  # type: ignore[method-assign, assignment]
