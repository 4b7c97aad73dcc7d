"""A reader sees exactly the records of a range, whatever else the log has."""

import pytest
from confluent_kafka import Producer

from pipeline import errors, reading
from tests.integration.operations.installation import Installation, some_tags


async def _offsets(installation: Installation, starts: dict[int, int], ends: dict[int, int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    async with reading.TopicReader(installation.settings) as reader:
        async for batch in reader.read(starts, ends):
            found.setdefault(batch.partition, []).extend(record.offset for record in batch.records)
    return found


async def test_a_range_is_read_without_its_end(installation: Installation) -> None:
    installation.produce(some_tags(40))

    assert await _offsets(installation, {0: 3, 1: 7}, {0: 10, 1: 9}) == {0: list(range(3, 10)), 1: [7, 8]}


async def test_an_empty_range_is_nothing(installation: Installation) -> None:
    assert await _offsets(installation, {0: 5, 1: 0}, {0: 5, 1: 0}) == {}


async def test_ranges_can_be_read_one_after_the_other(installation: Installation) -> None:
    installation.produce(some_tags(20))
    async with reading.TopicReader(installation.settings) as reader:
        first = [batch async for batch in reader.read({0: 0, 1: 0}, {0: 4, 1: 4})]
        second = [batch async for batch in reader.read({0: 4, 1: 4}, {0: 10, 1: 6})]

    assert sum(len(batch.records) for batch in first) == 8
    assert sum(len(batch.records) for batch in second) == 8


async def test_a_transactions_marker_at_the_end_is_no_record_and_is_not_waited_for(installation: Installation) -> None:
    topic = installation.kafka.kafka_topic
    producer = Producer({"bootstrap.servers": installation.kafka.kafka_hosts, "transactional.id": topic})
    producer.init_transactions()
    producer.begin_transaction()
    producer.produce(topic, b"value", partition=0)
    producer.commit_transaction()

    assert await _offsets(installation, {0: 0}, {0: 2}) == {0: [0]}


async def test_records_that_are_gone_are_noticed(installation: Installation) -> None:
    installation.produce(some_tags(20))
    installation.delete_records({0: 5})

    with pytest.raises(errors.OperationRefused, match="lost records"):
        await _offsets(installation, {0: 0}, {0: 10})
