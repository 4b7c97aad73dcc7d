"""Topics of a test's own: made, and read back whole."""

import time

from confluent_kafka import Consumer, Message, TopicPartition

from broker import topics
from devstack.kafka import KafkaServer
from runtime.settings import KafkaSettings

READ_SECONDS = 20.0


def settings(kafka: KafkaServer, topic: str, partitions: int = 4) -> KafkaSettings:
    """How a process of ours reaches `topic` on a single broker."""
    return KafkaSettings(
        kafka_hosts=kafka.bootstrap,
        kafka_topic=topic,
        kafka_partitions=partitions,
        kafka_replication=1,
        kafka_min_insync=1,
    )


def make(kafka: KafkaServer, topic: str, partitions: int = 4) -> KafkaSettings:
    """Make `topic`; returns the settings that name it."""
    chosen = settings(kafka, topic, partitions)
    topics.ensure(chosen)
    return chosen


def read(kafka: KafkaServer, topic: str) -> list[Message]:
    """Every record that `topic` holds now, in the order of partitions and offsets."""
    ends = topics.offsets(kafka.bootstrap, topic)
    wanted = sum(end - earliest for earliest, end in ends.values())
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "test-reader", "enable.auto.commit": False})
    try:
        consumer.assign([TopicPartition(topic, partition, earliest) for partition, (earliest, _) in ends.items()])
        messages = _consume(consumer, wanted)
    finally:
        consumer.close()
    return sorted(messages, key=lambda message: (message.partition() or 0, message.offset() or 0))


def values(kafka: KafkaServer, topic: str) -> list[bytes]:
    """The values of `read`."""
    return [message.value() or b"" for message in read(kafka, topic)]


def _consume(consumer: Consumer, wanted: int) -> list[Message]:
    messages: list[Message] = []
    deadline = time.monotonic() + READ_SECONDS
    while len(messages) < wanted:
        assert time.monotonic() < deadline, f"{len(messages)} of {wanted} records read in {READ_SECONDS} s"
        messages += [message for message in consumer.consume(1000, timeout=1) if message.error() is None]
    return messages
