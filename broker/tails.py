"""Whether a partition holds records from some offset on: its end offset alone does not tell.

Markers of transactions take offsets too, and no consumer is ever handed one.
"""

import time
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from broker import connections, errors


def with_records(bootstrap: str, topic: str, starts: Mapping[int, int], timeout_s: float) -> set[int]:
    """The partitions in `starts` that have a record at or above their offset. No group is joined.

    Records of transactions that were aborted or are still open count: the workers read them too. Blocks for `timeout_s`
    at most. Raises `errors.BrokerUnavailable`.
    """
    consumer = Consumer(_config(bootstrap))
    found, left, deadline = set(), set(starts), time.monotonic() + timeout_s
    try:
        consumer.assign([TopicPartition(topic, partition, offset) for partition, offset in starts.items()])
        while left:
            message = consumer.poll(max(0.0, deadline - time.monotonic()))
            partition = _answered(message, timeout_s)
            if message is not None and message.error() is None:
                found.add(partition)
            left.discard(partition)
            consumer.pause([TopicPartition(topic, partition)])
    except KafkaException as error:
        raise connections.translated(error) from error
    finally:
        consumer.close()
    return found


def _answered(message: Message | None, timeout_s: float) -> int:
    """The partition of which `message` is the next record, or the news that there is none."""
    if message is None:
        reason = f"no answer within {timeout_s} s"
        raise errors.BrokerUnavailable(reason)
    error, partition = message.error(), message.partition()
    if partition is None or (error is not None and error.code() != KafkaError._PARTITION_EOF):  # noqa: SLF001 - the public name of a local event
        raise KafkaException(error)
    return partition


def _config(bootstrap: str) -> dict[str, object]:
    return {
        **connections.config(bootstrap),
        "group.id": "tails",  # the library insists; only a subscription would join it
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "isolation.level": "read_uncommitted",
        "auto.offset.reset": "earliest",
        "log_level": 0,
    }
