"""Waiting in an event loop for a condition, with a deadline."""

import asyncio
from collections.abc import Callable

SECONDS = 20.0


async def until(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Let other tasks run until `condition()` holds. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for knows of no event
            await asyncio.sleep(0.001)
