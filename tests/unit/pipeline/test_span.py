"""What is noted of the records of a write."""

from pipeline.batches import Batch
from pipeline.span import Span
from tests.support.fakes.log import Record


def batch(partition: int, *timestamps: int) -> Batch:
    return Batch(partition, [Record(offset, None, None, timestamp) for offset, timestamp in enumerate(timestamps)])


def test_the_oldest_and_the_newest_are_those_of_all_batches() -> None:
    span = Span()
    for each in (batch(0, 500, 600), batch(1, 300, 550), batch(0, 650, 900), batch(2, 700)):
        span.add(each)
    assert (span.oldest_ms, span.newest_ms) == (300, 900)


def test_one_record_is_both() -> None:
    span = Span()
    span.add(batch(0, 500))
    assert (span.oldest_ms, span.newest_ms) == (500, 500)


def test_the_last_record_of_each_partition_is_known() -> None:
    span = Span()
    for each in (batch(0, 1, 2), batch(1, 3), batch(0, 4, 5, 6)):
        span.add(each)
    assert {partition: record.timestamp for partition, record in span.last.items()} == {0: 6, 1: 3}
