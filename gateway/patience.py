"""An answer within a time, or none: whatever the one who is asked does about being cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

_Answer = TypeVar("_Answer")
_abandoned: Final[set["asyncio.Task[Any]"]] = set()  # the event loop itself keeps no task alive


async def within(seconds: float, question: Coroutine[Any, Any, _Answer]) -> _Answer:
    """The answer. Raises TimeoutError when the time is over, and does not wait for the cancellation.

    `asyncio.timeout` would: psycopg, cancelled, asks the server to cancel too, and a frozen server made that 10 s more.
    """
    task = asyncio.ensure_future(question)
    try:
        await asyncio.wait([task], timeout=seconds)
    finally:
        if not task.done():
            _abandon(task)
    if not task.done():
        raise TimeoutError
    return task.result()


def _abandon(task: "asyncio.Task[Any]") -> None:
    _abandoned.add(task)
    task.add_done_callback(_forget)
    task.cancel()


def _forget(task: "asyncio.Task[Any]") -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()  # nobody waits for it any more; asked for, it is not reported as forgotten
