"""Who is in a consumer group, as a real broker tells it."""

import time

from confluent_kafka import Consumer

from broker import connections, groups
from devstack.kafka import KafkaServer
from tests.support import topics


def test_nobody_is_in_a_group_that_there_never_was(kafka: KafkaServer, topic: str) -> None:
    assert groups.members(connections.Admin(kafka.bootstrap), topic, timeout_s=20) == []


def test_a_consumer_is_a_member_from_its_joining_to_its_leaving(kafka: KafkaServer, topic: str) -> None:
    topics.make(kafka, topic)
    admin = connections.Admin(kafka.bootstrap)
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    deadline = time.monotonic() + 20
    while not consumer.assignment():
        assert time.monotonic() < deadline
        consumer.poll(0.1)

    assert len(groups.members(admin, topic)) == 1
    assert groups.assignments(admin, topic, topic) == {consumer.memberid(): {0, 1, 2, 3}}
    assert groups.assignments(admin, topic, "another topic") == {consumer.memberid(): set()}
    consumer.close()
    assert groups.members(admin, topic) == []
    assert groups.assignments(admin, topic, topic) == {}
