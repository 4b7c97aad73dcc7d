"""An event loop that stands still is noticed from outside of it."""

import asyncio
import threading
import time

import pytest

from pipeline import errors
from pipeline.heartbeat import THREAD, Heartbeat
from tests.support import eventually

STANDS_AFTER_S = 0.2


class Watched:
    """A loop's heartbeat, which ends nothing."""

    def __init__(self) -> None:
        self.ended: list[BaseException] = []
        self._heartbeat = Heartbeat(STANDS_AFTER_S, self.ended.append)

    def begin(self) -> asyncio.Task[None]:
        return asyncio.create_task(self._heartbeat.run())


async def test_a_loop_that_stands_still_is_ended_with_a_sentence_that_says_where_it_stands() -> None:
    watched = Watched()
    beating = watched.begin()
    await asyncio.sleep(0)
    _stand_still(watched)
    beating.cancel()
    [error] = watched.ended
    assert isinstance(error, errors.Stalled)
    assert "the event loop has stood still for" in str(error)
    assert "_stand_still (" in str(error)


def _stand_still(watched: Watched) -> None:
    deadline = time.monotonic() + eventually.SECONDS
    while not watched.ended:
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def test_a_loop_that_turns_is_left_alone() -> None:
    watched = Watched()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(watched.begin(), STANDS_AFTER_S * 3)
    assert watched.ended == []


async def test_nobody_watches_a_worker_that_was_told_to_stop() -> None:
    watched = Watched()
    beating = watched.begin()
    await asyncio.sleep(0)
    beating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await beating
    await eventually.until(lambda: THREAD not in {thread.name for thread in threading.enumerate()})
    assert watched.ended == []
