"""A group's coordinator that does not answer in time is an error, and not the end of the process that asked."""

import concurrent.futures
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Consumer, TopicPartition

from broker import backlog, connections, errors, groups
from devstack.kafka import KafkaServer
from tests.support import services, topics

TIMEOUT_S = 1.0
GROUP = "a-group"


@pytest.fixture
def own_kafka() -> Iterator[KafkaServer]:
    """A broker that the test may freeze and kill."""
    with services.required(), services.running_kafka() as server:
        yield server
        server.resume()


def _commit(kafka: KafkaServer, topic: str) -> None:
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": GROUP})
    consumer.commit(offsets=[TopicPartition(topic, 0, 3)], asynchronous=False)
    consumer.close()


def _unanswered(ask: Callable[[], object]) -> bool:
    """Whether none of a few questions at once had an answer."""
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        failures = [future.exception() for future in [pool.submit(ask) for _ in range(3)]]
    return all(isinstance(failure, errors.BrokerUnavailable) for failure in failures)


def test_frozen_killed_and_there_again(own_kafka: KafkaServer, topic: str) -> None:
    topics.make(own_kafka, topic, partitions=2)
    assert groups.members(connections.Admin(own_kafka.bootstrap), GROUP, timeout_s=20) == []
    _commit(own_kafka, topic)
    admin = connections.Admin(own_kafka.bootstrap)
    questions = [
        lambda: backlog.committed(admin, GROUP, topic, TIMEOUT_S),
        lambda: groups.assignments(admin, GROUP, topic, TIMEOUT_S),
        lambda: backlog.read(admin, topic, [GROUP], TIMEOUT_S),
    ]

    own_kafka.pause()
    assert all(_unanswered(ask) for ask in questions)
    own_kafka.resume()
    assert backlog.committed(admin, GROUP, topic, 20) == {0: 3}
    own_kafka.kill()
    assert all(_unanswered(ask) for ask in questions)
    own_kafka.start()
    own_kafka.wait_ready()

    assert backlog.committed(admin, GROUP, topic, 20) == {0: 3}
    assert groups.assignments(admin, GROUP, topic, 20) == {}
