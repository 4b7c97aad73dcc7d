"""The end of a run: wait until everything sent is visible, then ask about all of it."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

from simulator import querying

# As many at a time as keep two cores busy without a line of waiting requests.
_AT_A_TIME: Final = 16
_POLL_SECONDS: Final = 0.05

Question = TypeVar("Question", bound=querying.Dated)


async def seconds_until_right(
    inquirer: querying.Inquirer[Question], questions: Sequence[Question], deadline: float
) -> float | None:
    """How long it took until every question was answered rightly; None if it was not within `deadline` seconds.

    A question once answered rightly is not asked again: nothing is sent any more that could change its answer.
    """
    start = time.perf_counter()
    left = list(questions)
    while True:
        while left and await inquirer.is_right(left[-1]):
            left.pop()
        passed = time.perf_counter() - start
        if not left:
            return passed
        if passed > deadline:
            return None
        await asyncio.sleep(_POLL_SECONDS)


async def ask_all(inquirer: querying.Inquirer[Question], questions: Iterable[Question]) -> None:
    """Ask one after the other, some at a time; what comes of them is in the inquirer's tally."""
    shared = iter(questions)
    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_A_TIME):
            group.create_task(_ask(inquirer, shared))


async def _ask(inquirer: querying.Inquirer[Question], shared: Iterator[Question]) -> None:
    for question in shared:
        await inquirer.ask_now(question)
