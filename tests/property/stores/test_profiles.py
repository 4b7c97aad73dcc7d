"""Whatever is written, in whatever batches, order and repetition: a profile store answers as the plain oracle does."""

import asyncio
import itertools
from collections.abc import Iterator
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.settings import DatabaseSettings
from stores import pools
from stores.aerospike_profiles import AerospikeProfiles
from stores.postgres_profiles import PostgresProfiles
from stores.profiles import KEPT, ProfileStore, ProfileWrite, entry_key
from tests.support import profiles_oracle
from tests.support.aerospike_client import FakeClient

COOKIES = ("hot", "other")
_run_numbers = itertools.count()

Batch = list[tuple[int, str, int, int]]
"""(which cookie, action, time, offset) of each write."""


class Run(Protocol):
    def __call__(self, batches: list[Batch], reads: list[tuple[int, int, int]]) -> None: ...


actions = st.sampled_from(["VIEW", "BUY"])
single = st.tuples(st.integers(0, 1), actions, st.integers(-3, 300), st.integers(0, 3))


@st.composite
def runs(draw: st.DrawFn) -> Batch:
    """Many entries of one cookie at even steps: enough to push others out."""
    cookie, action = draw(st.integers(0, 1)), draw(actions)
    start, count, step = draw(st.integers(-3, 100)), draw(st.integers(1, 260)), draw(st.integers(0, 2))
    return [(cookie, action, start + number * step, number) for number in range(count)]


batches = st.lists(st.one_of(st.lists(single, max_size=20), runs()), max_size=8)
reads = st.lists(st.tuples(st.integers(-5, 305), st.integers(-5, 400), st.integers(1, KEPT)), min_size=1, max_size=4)


async def answers_equal_the_oracle(
    store: ProfileStore, batches: list[Batch], reads: list[tuple[int, int, int]]
) -> None:
    run = next(_run_numbers)
    names = [f"{cookie} {run}" for cookie in COOKIES]
    written: list[ProfileWrite] = []
    for number, batch in enumerate(batches):
        writes = [
            ProfileWrite(
                names[cookie], action, entry_key(time, None, 0, offset), f"{time} {offset} in {number}".encode()
            )
            for cookie, action, time, offset in batch
        ]
        await store.add(writes)
        written += writes
    for cookie in names:
        for from_ms, to_ms, limit in reads:
            expected = profiles_oracle.expected(written, cookie, from_ms, to_ms, limit)
            assert await store.read(cookie, from_ms, to_ms, limit) == expected


@given(batches, reads)
def test_aerospike_profiles(batches: list[Batch], reads: list[tuple[int, int, int]]) -> None:
    async def run() -> None:
        store = AerospikeProfiles(FakeClient, "test", "profiles", threads=1)
        await answers_equal_the_oracle(store, batches, reads)
        await store.close()

    asyncio.run(run())


@pytest.fixture
def on_postgres(database: DatabaseSettings) -> Iterator[Run]:
    """Runs on one store; each run has cookies of its own."""
    with asyncio.Runner() as runner:
        pool = runner.run(_opened(database))
        store = PostgresProfiles(pool)
        yield lambda batches, reads: runner.run(answers_equal_the_oracle(store, batches, reads))
        runner.run(store.close())


async def _opened(database: DatabaseSettings) -> pools.Pool:
    pool = pools.for_profiles(database.conninfo())
    await pool.open()
    return pool


@given(batches=batches, reads=reads)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_postgres_profiles(on_postgres: Run, batches: list[Batch], reads: list[tuple[int, int, int]]) -> None:
    on_postgres(batches, reads)
