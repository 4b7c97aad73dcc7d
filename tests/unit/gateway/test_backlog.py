"""Kafka that hangs costs those who ask for the backlog their answer, and nobody else anything."""

import asyncio
import threading
from collections.abc import Iterator, Sequence

import pytest

from broker.backlog import Backlog
from gateway.backlog import BacklogEndpoint


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    """Set at the end, whatever happened."""
    event = threading.Event()
    yield event
    event.set()


async def test_an_answer_that_does_not_come_is_given_up_and_other_threads_are_free(hanging: threading.Event) -> None:
    def read(topic: str) -> Sequence[Backlog]:
        hanging.wait(30)
        return []

    endpoint = BacklogEndpoint("allezone", "user-tags", read, timeout_s=0.05)
    # As many as would fill the event loop's own pool.
    asking = [endpoint.answer("allezone", "user-tags") for _ in range(40)]

    answers = await asyncio.wait_for(asyncio.gather(*asking, return_exceptions=True), 5)

    assert {type(answer) for answer in answers} == {TimeoutError}
    assert await asyncio.wait_for(asyncio.to_thread(lambda: 17), 5) == 17
