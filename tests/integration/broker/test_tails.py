"""Whether there are records above an offset, as a real broker tells it."""

import pytest

from broker import errors, tails, topics
from devstack import waiting
from devstack.kafka import KafkaServer
from tests.support import topics as test_topics
from tests.support import workers

SECONDS = 20.0


def test_a_partition_holds_records_up_to_its_last_one(kafka: KafkaServer, topic: str) -> None:
    workers.send(test_topics.make(kafka, topic), [b"1", b"2"], partition=1)

    assert tails.with_records(kafka.bootstrap, topic, {0: 0, 1: 0}, SECONDS) == {1}
    assert tails.with_records(kafka.bootstrap, topic, {1: 1}, SECONDS) == {1}
    assert tails.with_records(kafka.bootstrap, topic, {1: 2}, SECONDS) == set()


def test_a_marker_of_a_transaction_is_no_record(kafka: KafkaServer, topic: str) -> None:
    workers.send(test_topics.make(kafka, topic), [b"1", b"2"], transaction=topic)

    assert waiting.until(lambda: topics.offsets(kafka.bootstrap, topic)[0] == (0, 3), SECONDS)
    assert tails.with_records(kafka.bootstrap, topic, {0: 1}, SECONDS) == {0}
    assert tails.with_records(kafka.bootstrap, topic, {0: 2}, SECONDS) == set()


def test_a_broker_that_is_away_does_not_tell() -> None:
    with pytest.raises(errors.BrokerUnavailable):
        tails.with_records("127.0.0.1:1", "user-tags", {0: 0}, 0.5)
