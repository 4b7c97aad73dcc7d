"""Two brokers that share the partitions of a topic: one may go away, and takes half of them with it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from confluent_kafka.admin import AdminClient

from broker import topics
from devstack.kafka import KafkaServer, free_node
from runtime.settings import KafkaSettings
from tests.support import services


class TwoBrokers(NamedTuple):
    """Each is the only one that has its partitions; `staying` alone decides for the cluster."""

    staying: KafkaServer
    leaving: KafkaServer

    def topic(self, name: str) -> KafkaSettings:
        """A topic of four partitions, two on each, made; the settings that name it."""
        settings = KafkaSettings(
            kafka_hosts=f"{self.staying.bootstrap},{self.leaving.bootstrap}",
            kafka_topic=name,
            kafka_partitions=4,
            kafka_replication=1,
            kafka_min_insync=1,
        )
        topics.ensure(settings)
        return settings

    def leavers(self, name: str) -> set[int]:
        """The partitions of the topic that only `leaving` has, while it is there."""
        found = AdminClient({"bootstrap.servers": self.staying.bootstrap}).list_topics(name, timeout=10)
        return {
            partition.id
            for partition in found.topics[name].partitions.values()
            if partition.leader == self.leaving.node.id
        }


@contextlib.contextmanager
def running() -> Iterator[TwoBrokers]:
    """Both, until the end of the block."""
    first, second = free_node(1), free_node(2)
    with services.folder("kafka") as state:
        staying = KafkaServer(state / "staying", first, heap="256m", throwaway=True)
        leaving = _Follower(state / "leaving", second, quorum=[first], heap="256m", throwaway=True)
        try:
            for server in (staying, leaving):
                server.start()
            for server in (staying, leaving):
                server.wait_ready()
            yield TwoBrokers(staying, leaving)
        finally:
            for server in (staying, leaving):
                server.kill()


class _Follower(KafkaServer):
    """A broker that is no controller."""

    def _write_properties(self) -> Path:
        file = super()._write_properties()
        controller = f",CONTROLLER://{self.node.host}:{self.node.controller_port}"
        text = file.read_text()
        for before, after in (("process.roles=broker,controller", "process.roles=broker"), (controller, "")):
            assert text.count(before) == 1
            text = text.replace(before, after)
        file.write_text(text)
        return file
