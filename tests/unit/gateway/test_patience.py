"""An answer within a time, or TimeoutError, even from one who does not let itself be cancelled."""

import asyncio
import time

import pytest

from gateway import patience


async def test_an_answer_in_time_is_given() -> None:
    async def answer() -> int:
        return 17

    assert await patience.within(1, answer()) == 17


async def test_an_error_in_time_is_raised() -> None:
    async def fail() -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await patience.within(1, fail())


async def test_one_who_does_not_stop_when_cancelled_is_not_waited_for() -> None:
    let_go = asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await let_go.wait()

    started = time.monotonic()
    with pytest.raises(TimeoutError):
        await patience.within(0.05, stubborn())
    assert time.monotonic() - started < 5
    let_go.set()


async def test_one_who_is_cancelled_while_asking_cancels_the_question() -> None:
    asked, cancelled = asyncio.Event(), asyncio.Event()

    async def question() -> None:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    asking = asyncio.create_task(patience.within(60, question()))
    await asked.wait()
    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.wait_for(cancelled.wait(), 1)


async def test_an_error_after_the_time_disturbs_nobody() -> None:
    async def late() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ConnectionError

    with pytest.raises(TimeoutError):
        await patience.within(0.01, late())
    await asyncio.sleep(0)
