"""The Kafka launcher, with real brokers."""

from __future__ import annotations

import hashlib
import re
import urllib.request
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from devstack import jars, paths, ports, waiting
from devstack.kafka import KafkaServer, Node, free_node
from tests.support import services

RECORDED = paths.PROJECT / "tests" / "monitoring" / "recorded" / "kafka-jmx.prom"


@pytest.fixture
def broker() -> Iterator[KafkaServer]:
    """A broker of this test's own, to be ill-treated."""
    with services.required(), services.running_kafka() as server:
        yield server


def names(metrics: str) -> set[str]:
    """Of all samples that are Kafka's own."""
    return set(re.findall(r"^kafka_\w+", metrics, re.MULTILINE))


def make_topic(server: KafkaServer, topic: str, replication: int = 1) -> None:
    client = AdminClient({"bootstrap.servers": server.bootstrap})
    client.create_topics([NewTopic(topic, 1, replication)])[topic].result(timeout=20)


def produce(server: KafkaServer, topic: str, values: list[bytes]) -> None:
    producer = Producer({"bootstrap.servers": server.bootstrap, "acks": "all"})
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(20) == 0


def read_all(server: KafkaServer, topic: str, count: int) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": server.bootstrap, "group.id": "test", "enable.auto.commit": False})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        return [message.value() or b"" for message in consumer.consume(count, timeout=20)]
    finally:
        consumer.close()


def test_the_shared_broker_makes_no_topic_by_itself(kafka: KafkaServer, topic: str) -> None:
    client = AdminClient({"bootstrap.servers": kafka.bootstrap})

    metadata = client.list_topics(topic, timeout=10)

    assert metadata.topics[topic].error is not None


def test_a_broker_killed_and_started_again_still_has_its_records(broker: KafkaServer, topic: str) -> None:
    make_topic(broker, topic)
    produce(broker, topic, [b"one", b"two"])

    broker.kill()
    assert not broker.answers()
    broker.start()
    broker.wait_ready()

    assert read_all(broker, topic, 2) == [b"one", b"two"]


def test_a_paused_broker_does_not_answer_until_it_is_resumed(broker: KafkaServer) -> None:
    broker.pause()
    assert not broker.answers()
    broker.resume()

    assert waiting.until(broker.answers, 20)


def test_a_broker_asked_to_stop_ends_by_itself_and_says_so_in_its_log(broker: KafkaServer) -> None:
    assert broker.stop()

    assert not broker.running
    assert "shut down" in broker.log.read_text()


def test_a_broker_with_an_agent_tells_its_own_figures(topic: str) -> None:
    with services.required(), services.folder("kafka") as state:
        server = KafkaServer(state, free_node(), throwaway=True, jmx_port=ports.reserve())
        try:
            server.start()
            server.wait_ready()
            make_topic(server, topic)
            produce(server, topic, [b"counted"])
            assert read_all(server, topic, 1) == [b"counted"]
            told = urllib.request.urlopen(f"http://{ports.HOST}:{server.jmx_port}/metrics", timeout=20).read().decode()
        finally:
            server.kill()
    assert "\nkafka_controller_kafkacontroller_activecontrollercount 1.0\n" in told
    assert "\nkafka_server_replicamanager_underreplicatedpartitions 0.0\n" in told
    assert f'\nkafka_server_brokertopicmetrics_topic_messagesin_total{{topic="{topic}"}} 1.0\n' in told
    assert names(RECORDED.read_text()) <= names(told)


def test_the_image_takes_the_agent_that_is_tried_here_and_no_other() -> None:
    with services.required():
        digest = hashlib.sha256(jars.agent().read_bytes()).hexdigest()
    assert f'"{digest}  /agent/{jars.agent().name}"' in (paths.SERVICES / "kafka" / "Dockerfile").read_text()


def test_three_nodes_form_a_cluster_that_keeps_three_copies(topic: str) -> None:
    nodes: list[Node] = [free_node(number) for number in (1, 2, 3)]
    with services.required(), services.folder("kafka") as state:
        servers = [KafkaServer(state / str(node.id), node, quorum=nodes, heap="256m", throwaway=True) for node in nodes]
        try:
            for server in servers:
                server.start()
            for server in servers:
                server.wait_ready()
            make_topic(servers[0], topic, replication=3)
            produce(servers[0], topic, [b"kept"])
            servers[0].kill()
            assert read_all(servers[1], topic, 1) == [b"kept"]
        finally:
            for server in servers:
                server.kill()
