"""Batches: what of them lies above an offset, and how they are halved."""

from pipeline.batches import Batch
from tests.support.fakes.counting import records


def test_a_batch_goes_on_behind_its_last_record() -> None:
    batch = Batch(3, records(5, 6, 9))
    assert (batch.first_offset, batch.next_offset) == (5, 10)


def test_what_lies_below_an_offset_is_cut_off() -> None:
    batch = Batch(3, records(5, 6, 9))
    assert batch.from_offset(5) is batch
    assert batch.from_offset(6) == Batch(3, records(6, 9))
    assert batch.from_offset(7) == Batch(3, records(9))
    assert batch.from_offset(10) is None


def test_halves_hold_every_record_once_and_in_order() -> None:
    first, second = Batch(3, records(5, 6, 9)).halves()
    assert [*first.records, *second.records] == records(5, 6, 9)
    assert first.records
    assert second.records
