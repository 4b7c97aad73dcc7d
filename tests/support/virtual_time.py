"""Coroutines under a clock that jumps to whatever is due next: an hour of waiting takes no time."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from tests.simulation.scheduler import Scheduler

_Answer = TypeVar("_Answer")


def run(work: Coroutine[Any, Any, _Answer], seed: int = 0) -> _Answer:
    """What `work` returns. The seed decides what is left open: which of two independent strands goes first."""
    with asyncio.Runner(loop_factory=lambda: Scheduler(seed)) as runner:
        return runner.run(work)
