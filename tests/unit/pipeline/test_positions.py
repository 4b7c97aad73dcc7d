"""docs/design.md 2.1: which records of a batch are counted."""

import pytest

from pipeline.batches import Batch
from pipeline.positions import Judged, Positions, Verdict
from tests.support.fakes.counting import records


@pytest.fixture
def positions() -> Positions:
    made = Positions()
    made.reset({0: 10})
    return made


def test_a_batch_at_the_expected_offset_is_counted_whole(positions: Positions) -> None:
    batch = Batch(0, records(10, 11))
    assert positions.judge(batch) == Judged(Verdict.COUNT, batch, 0)


def test_what_lies_below_the_expected_offset_is_a_replay_and_cut_off(positions: Positions) -> None:
    assert positions.judge(Batch(0, records(8, 9, 10))) == Judged(Verdict.COUNT, Batch(0, records(10)), 2)
    assert positions.judge(Batch(0, records(8, 9))) == Judged(Verdict.REPLAY, None, 2)


def test_a_hole_inside_a_batch_is_no_gap(positions: Positions) -> None:
    assert positions.judge(Batch(0, records(9, 12))) == Judged(Verdict.COUNT, Batch(0, records(12)), 1)


def test_a_batch_above_the_expected_offset_is_not_counted(positions: Positions) -> None:
    assert positions.judge(Batch(0, records(11))) == Judged(Verdict.GAP)


def test_a_partition_that_is_not_assigned_is_not_counted(positions: Positions) -> None:
    assert positions.judge(Batch(1, records(0))) == Judged(Verdict.STRANGER)


def test_a_reset_forgets_partitions_that_are_not_named(positions: Positions) -> None:
    positions.reset({1: 0})
    assert positions.as_dict() == {1: 0}
    with pytest.raises(KeyError):
        positions.expected(0)


def test_judging_changes_nothing(positions: Positions) -> None:
    positions.judge(Batch(0, records(10)))
    assert positions.as_dict() == {0: 10}
