"""What the simulation's event loop promises: order within a strand, the seed's choice between strands, no clean-up."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from tests.simulation.scheduler import NothingLeft, Scheduler, Strand


@pytest.fixture
def loop() -> Iterator[Scheduler]:
    with contextlib.closing(Scheduler(0)) as made:
        yield made


def in_strand(loop: Scheduler, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> Strand:
    strand = Strand(name)
    loop.create_task(work(), context=strand.context())
    return strand


def counting(seen: list[str], name: str, to: int = 20) -> Callable[[], Coroutine[Any, Any, None]]:
    async def count() -> None:
        for number in range(to):
            seen.append(f"{name}{number}")
            await asyncio.sleep(0)

    return count


def order(seed: int) -> list[str]:
    seen = list[str]()
    with contextlib.closing(Scheduler(seed)) as loop:
        for name in "ab":
            in_strand(loop, name, counting(seen, name))
        loop.run_until_complete(asyncio.sleep(1.0))
    return seen


def test_time_passes_only_when_nothing_is_ready(loop: Scheduler) -> None:
    loop.run_until_complete(asyncio.sleep(3600))
    assert 3600 <= loop.time() < 3601


def test_a_seed_gives_one_order_and_another_seed_another() -> None:
    assert order(1) == order(1)
    assert order(1) != order(2)


def test_strands_are_mixed_and_each_keeps_its_order() -> None:
    seen = order(1)
    assert [each for each in seen if each[0] == "a"] == [f"a{number}" for number in range(20)]
    assert seen != sorted(seen, key=lambda each: each[0])


def test_of_a_killed_strand_nothing_runs_any_more_and_no_clean_up(loop: Scheduler) -> None:
    cleaned = list[str]()

    async def work() -> None:
        try:
            await asyncio.sleep(5)
        finally:
            cleaned.append("cleaned")

    strand = in_strand(loop, "a", work)
    loop.run_until_complete(asyncio.sleep(1))
    loop.kill(strand)
    loop.run_until_complete(asyncio.sleep(10))
    assert cleaned == []


def test_a_held_strand_goes_on_late_and_its_threads_with_it(loop: Scheduler) -> None:
    woken = list[float]()

    async def work() -> None:
        await asyncio.sleep(1)
        woken.append(loop.time())

    strand = in_strand(loop, "a", work)
    loop.create_task(work(), context=strand.thread().context())
    loop.hold(strand)
    loop.call_later(7, loop.let_go, strand)
    loop.run_until_complete(asyncio.sleep(10))
    assert len(woken) == 2
    assert all(at >= 7 for at in woken)


def test_a_loop_in_which_everybody_waits_for_ever_says_so(loop: Scheduler) -> None:
    with pytest.raises(NothingLeft):
        loop.run_until_complete(loop.create_future())
