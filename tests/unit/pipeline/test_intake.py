"""docs/design.md 2.1: gaps are fetched again, and jumped over only where the log has nothing."""

import pytest
from prometheus_client import REGISTRY

from pipeline import intake, retrying
from pipeline.batches import Batch
from tests.support.fakes.consumer import FakeConsumer
from tests.support.fakes.counting import settings
from tests.support.fakes.log import FakeLog


class Bench:
    """An intake on a log of 100 records, at offset 10."""

    def __init__(self, seek_again_s: float = 0.0) -> None:
        chosen = settings(seeks_before_hole=3, seek_again_s=seek_again_s)
        self.log = FakeLog()
        self.log.fill(0, 100)
        self.consumer = FakeConsumer(self.log)
        self.consumer.assign({0: 10})
        self.retrier = retrying.Retrier(chosen)
        self.intake = intake.Intake(chosen, self.log, self.consumer, self.retrier)
        self.intake.place({0: 10})

    def batch(self, first: int, at_most: int = 10) -> Batch:
        batch = self.log.batch(0, first, at_most)
        assert batch is not None
        return batch


def jumped() -> float:
    return REGISTRY.get_sample_value("allezone_pipeline_jumped_offsets_total") or 0.0


async def test_a_batch_above_the_expected_offset_is_dropped_and_sought_back() -> None:
    bench = Bench()
    assert await bench.intake.admit(bench.batch(20)) is None
    assert bench.consumer.seeks == [{0: 10}]
    assert bench.intake.expected == {0: 10}


async def test_after_the_seek_the_missing_records_are_admitted() -> None:
    bench = Bench()
    await bench.intake.admit(bench.batch(20))
    batch = bench.consumer.fetch(0)
    assert batch is not None
    assert await bench.intake.admit(batch) == batch
    assert bench.intake.expected == {0: 100}


async def test_what_was_fetched_before_a_seek_is_dropped_without_another_one() -> None:
    bench = Bench(seek_again_s=60.0)
    await bench.intake.admit(bench.batch(20))
    for first in (30, 40, 50):
        assert await bench.intake.admit(bench.batch(first)) is None
    assert bench.consumer.seeks == [{0: 10}]


async def test_a_log_truncated_below_is_jumped_to_counted_and_said() -> None:
    bench = Bench()
    before = jumped()
    bench.log.truncate(0, 30)
    assert await bench.intake.admit(bench.batch(30)) == bench.batch(30)
    assert bench.consumer.seeks == []
    assert jumped() - before == 20
    assert bench.intake.expected == {0: 40}


async def test_records_above_a_truncation_are_still_fetched_again() -> None:
    """The jump goes to the broker's earliest offset, not to whatever came."""
    bench = Bench()
    bench.log.truncate(0, 30)
    assert await bench.intake.admit(bench.batch(50)) is None
    assert bench.intake.expected == {0: 30}
    assert bench.consumer.seeks == [{0: 30}]


async def test_records_that_retention_took_while_their_batch_waited_are_counted_all_the_same() -> None:
    bench = Bench()
    waiting = bench.batch(20)
    bench.log.truncate(0, 60)
    assert await bench.intake.admit(waiting) == waiting


async def test_nothing_is_jumped_over_on_the_word_of_a_single_seek() -> None:
    bench = Bench()
    for _ in range(3):
        assert await bench.intake.admit(bench.batch(20)) is None
    assert bench.intake.expected == {0: 10}


async def test_a_hole_that_repeated_seeks_find_empty_is_passed_and_counted() -> None:
    bench = Bench()
    before = jumped()
    hole = bench.batch(20)
    taken = [await bench.intake.admit(hole) for _ in range(4)]
    assert taken == [None, None, None, hole]
    assert bench.consumer.seeks == [{0: 10}] * 3
    assert jumped() - before == 10


async def test_seeks_that_lead_to_different_batches_are_no_proof_of_a_hole() -> None:
    bench = Bench()
    for first in (40, 30, 25, 20, 15):
        assert await bench.intake.admit(bench.batch(first)) is None
    assert bench.intake.expected == {0: 10}


async def test_a_placement_forgets_what_was_known_of_gaps() -> None:
    bench = Bench()
    hole = bench.batch(20)
    for _ in range(3):
        await bench.intake.admit(hole)
    bench.intake.place({0: 10})
    assert await bench.intake.admit(hole) is None


async def test_a_gap_that_a_placement_overtakes_is_not_jumped() -> None:
    bench = Bench()
    bench.log.truncate(0, 30)
    admitting = bench.intake.admit(bench.batch(30))
    answered = bench.log.offsets

    async def placed_meanwhile() -> dict[int, tuple[int, int]]:
        bench.intake.place({0: 25})
        return await answered()

    bench.log.offsets = placed_meanwhile  # type: ignore[method-assign]
    assert await admitting is None
    assert bench.intake.expected == {0: 25}


@pytest.mark.parametrize("partition", [1, 7])
async def test_batches_of_other_partitions_are_ignored(partition: int) -> None:
    bench = Bench()
    assert await bench.intake.admit(Batch(partition, bench.batch(10).records)) is None
    assert bench.consumer.seeks == []
