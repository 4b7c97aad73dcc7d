"""What groups have left to do, as a real broker tells it."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from broker import backlog, connections, errors, producer
from broker.backlog import Backlog
from devstack.kafka import KafkaServer
from tests.support import topics

SECONDS = 10.0


def _commit(kafka: KafkaServer, group: str, topic: str, offsets: Mapping[int, int]) -> None:
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": group})
    wanted = [TopicPartition(topic, partition, offset) for partition, offset in offsets.items()]
    for committed in consumer.commit(offsets=wanted, asynchronous=False):
        assert committed.error is None
    consumer.close()


async def _send(kafka: KafkaServer, topic: str, count: int) -> None:
    sender = producer.EventProducer.connect(topics.settings(kafka, topic))
    for _ in range(count):
        await sender.send(b"k", b"v")
    await sender.close(10)


def test_without_groups_there_is_no_backlog(kafka: KafkaServer, topic: str) -> None:
    topics.make(kafka, topic)

    assert backlog.read(connections.Admin(kafka.bootstrap), topic) == []


async def test_each_group_is_behind_by_what_it_has_not_committed(kafka: KafkaServer, topic: str) -> None:
    topics.make(kafka, topic, partitions=1)
    await _send(kafka, topic, 10)
    one, other = f"{topic}-a", f"{topic}-b"
    _commit(kafka, one, topic, {0: 7})
    _commit(kafka, other, topic, {0: 10})

    found = backlog.read(connections.Admin(kafka.bootstrap), topic)

    assert found == [Backlog(0, one, 3), Backlog(0, other, 0)]


async def test_groups_are_asked_at_once(kafka: KafkaServer, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    topics.make(kafka, topic, partitions=1)
    groups = [f"{topic}-{number}" for number in range(3)]
    meeting = threading.Barrier(len(groups))

    class Meeting(Consumer):
        """One that answers when all are asked."""

        def __init__(self, config: dict[str, Any]) -> None:
            super().__init__(config)
            self._is_mine = config["group.id"] in groups

        def committed(self, *args: Any, **more: Any) -> list[TopicPartition]:
            if self._is_mine:
                meeting.wait(SECONDS)
            return super().committed(*args, **more)

    monkeypatch.setattr(backlog, "Consumer", Meeting)
    found = backlog.read(connections.Admin(kafka.bootstrap), topic, groups)
    assert found == [Backlog(0, group, 0) for group in groups]


async def test_a_partition_never_committed_counts_from_the_earliest_record(kafka: KafkaServer, topic: str) -> None:
    topics.make(kafka, topic, partitions=3)
    await _send(kafka, topic, 5)
    _commit(kafka, topic, topic, {0: 0})

    found = backlog.read(connections.Admin(kafka.bootstrap), topic)

    assert [each.partition for each in found] == [0, 1, 2]
    assert sum(each.count for each in found) == 5


async def test_a_group_asked_for_by_name_is_there_before_it_ever_ran(kafka: KafkaServer, topic: str) -> None:
    topics.make(kafka, topic, partitions=1)
    await _send(kafka, topic, 4)

    found = backlog.read(connections.Admin(kafka.bootstrap), topic, [f"{topic}-new"])

    assert found == [Backlog(0, f"{topic}-new", 4)]


async def test_a_commit_beyond_the_end_is_no_negative_backlog(kafka: KafkaServer, topic: str) -> None:
    topics.make(kafka, topic, partitions=1)
    await _send(kafka, topic, 2)
    _commit(kafka, topic, topic, {0: 99})

    assert backlog.read(connections.Admin(kafka.bootstrap), topic) == [Backlog(0, topic, 0)]


def test_a_missing_topic_is_named(kafka: KafkaServer, topic: str) -> None:
    with pytest.raises(errors.TopicMissing, match=topic):
        backlog.read(connections.Admin(kafka.bootstrap), topic)


def test_without_a_broker_the_question_ends_within_its_time() -> None:
    with pytest.raises(errors.BrokerUnavailable):
        backlog.read(connections.Admin("127.0.0.1:1"), "anything", timeout_s=1)
