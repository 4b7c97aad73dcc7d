"""Row locks in memory: one holder, first come first served, nobody left waiting for what is free."""

import asyncio

import hypothesis
import psycopg
from hypothesis import strategies as st

from tests.support import virtual_time
from tests.support.fakes.postgres.locks import DEADLOCK_S, Locks

OWNERS, KEYS = "abcd", "xyz"
owners, keys = st.sampled_from(OWNERS), st.sampled_from(KEYS)
steps = st.one_of(
    st.tuples(st.just("take"), owners, keys),
    st.tuples(st.just("take"), owners, keys),
    st.tuples(st.just("release"), owners, keys),
    st.tuples(st.just("cancel"), owners, keys),
    st.tuples(st.just("kill"), owners, keys),
)


class Model:
    """`queues` of owners by key; the first one holds it."""

    def __init__(self) -> None:
        self.queues: dict[str, list[str]] = {key: [] for key in KEYS}

    def waits(self, owner: str) -> bool:
        return any(owner in queue[1:] for queue in self.queues.values())

    def take(self, owner: str, key: str) -> None:
        if owner not in self.queues[key]:
            self.queues[key].append(owner)

    def release(self, owner: str) -> None:
        for queue in self.queues.values():
            if owner in queue:
                queue.remove(owner)

    def stop_waiting(self, owner: str) -> None:
        for queue in self.queues.values():
            if owner in queue[1:]:
                queue.reverse()
                queue.remove(owner)
                queue.reverse()


class Comparison:
    """The locks and the model, one step after the other."""

    def __init__(self) -> None:
        self.locks, self.model = Locks(), Model()
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def step(self, kind: str, owner: str, key: str) -> None:
        if kind == "take" and not self.model.waits(owner):
            self.tasks[owner] = asyncio.create_task(self.locks.take(key, owner))
            self.model.take(owner, key)
        elif kind == "release":
            self.locks.release(owner)
            self.model.release(owner)
        elif kind == "cancel":
            assert self.locks.cancel(owner) == self.model.waits(owner)
            self.model.stop_waiting(owner)
        elif kind == "kill" and owner in self.tasks:
            self.tasks[owner].cancel()
            self.model.stop_waiting(owner)
        await asyncio.sleep(0.001)

    def check(self) -> None:
        for key, queue in self.model.queues.items():
            assert self.locks.holder(key) == (queue[0] if queue else None)
            assert self.locks.waiting(key) == queue[1:]
        for owner, task in self.tasks.items():
            assert task.done() != self.model.waits(owner)


@hypothesis.settings(max_examples=200, deadline=None)
@hypothesis.given(st.lists(steps, max_size=40))
def test_locks_do_what_queues_do(script: list[tuple[str, str, str]]) -> None:
    async def compare() -> None:
        both = Comparison()
        for step in script:
            await both.step(*step)
            both.check()
        for owner in OWNERS:
            await both.step("release", owner, "")
        both.check()
        await asyncio.gather(*both.tasks.values(), return_exceptions=True)

    virtual_time.run(compare())


@hypothesis.settings(max_examples=200, deadline=None)
@hypothesis.given(st.lists(st.permutations(KEYS), min_size=2, max_size=5), st.integers(0, 1_000))
def test_transactions_that_lock_in_any_order_all_end(orders: list[list[str]], seed: int) -> None:
    """Each circle costs one of them; the others get what they asked for."""

    async def transaction(locks: Locks, name: int, order: list[str], held: dict[str, int]) -> bool:
        try:
            for key in order:
                await locks.take(key, name)
                assert held.setdefault(key, name) == name
                await asyncio.sleep(0.01 * (seed % (name + 2)))
        except psycopg.errors.DeadlockDetected:
            return False
        else:
            return True
        finally:
            for key in [key for key, holder in held.items() if holder == name]:
                del held[key]
            locks.release(name)

    async def all_of_them() -> list[bool]:
        locks, held = Locks(), dict[str, int]()
        many = [transaction(locks, name, order, held) for name, order in enumerate(orders)]
        async with asyncio.timeout(len(orders) * (DEADLOCK_S + 1)):
            return list(await asyncio.gather(*many))

    ended = virtual_time.run(all_of_them(), seed)
    assert any(ended)
    if all(order == orders[0] for order in orders):
        assert all(ended)
