"""Topics with consumers: of the simulation's broker, and of a real one."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import aiokafka
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from broker import errors
from broker import topics as kafka_topics
from devstack import waiting
from devstack.kafka import KafkaServer
from pipeline.log import KafkaLog
from tests.contract.consumers import SESSION_S, Told
from tests.simulation import topic as simulated
from tests.simulation.broker import Broker
from tests.simulation.connection import Network
from tests.support import topics, workers

PARTITIONS = 2
_SECONDS = 10.0
_NOBODY = "127.0.0.1:1"


class Memory:
    """`logs.Cluster` of the simulation's broker, on the test's own clock."""

    topic = simulated.TOPIC

    def __init__(self, everything: contextlib.AsyncExitStack) -> None:
        self._everything = everything
        self._broker = Broker(asyncio.get_running_loop(), {self.topic: PARTITIONS})
        self.network = Network(asyncio.get_running_loop(), self._broker, seed=0, slowest_s=0.005)
        self.log = simulated.TopicLog(self.network)

    async def member(self, topic_listener: Told, group: str) -> aiokafka.AIOKafkaConsumer:
        consumer = await _joined(self.topic, "simulated:9092", group, topic_listener)
        self._everything.push_async_callback(consumer.stop)
        return consumer

    def group(self, name: str) -> str:
        return name

    async def append(self, partition: int, values: Sequence[bytes]) -> None:
        self._broker.append(self.topic, partition, [(None, value) for value in values])

    async def append_and_mark(self, partition: int, values: Sequence[bytes]) -> None:
        await self.append(partition, values)
        self._broker.topics[self.topic][partition].leave_hole(1)

    async def truncate(self, partition: int, start: int) -> None:
        self._broker.topics[self.topic][partition].truncate(start)

    async def go_away(self) -> None:
        self.network.go_away()


class Kafka:
    """`logs.Cluster` and `logs.Replaceable` of a real broker."""

    def __init__(self, server: KafkaServer, topic: str, everything: contextlib.AsyncExitStack) -> None:
        self._server, self.topic, self._everything = server, topic, everything
        self._settings = topics.make(server, topic, PARTITIONS)
        self._id = kafka_topics.topic_id(server.bootstrap, topic)
        self.log = KafkaLog(server.bootstrap, topic, self._id)

    async def member(self, topic_listener: Told, group: str) -> aiokafka.AIOKafkaConsumer:
        consumer = await _joined(self.topic, self._server.bootstrap, self.group(group), topic_listener)
        self._everything.push_async_callback(consumer.stop)
        return consumer

    def group(self, name: str) -> str:
        return f"{self.topic}-{name}"

    async def append(self, partition: int, values: Sequence[bytes]) -> None:
        async with aiokafka.AIOKafkaProducer(bootstrap_servers=self._server.bootstrap) as producer:
            batch = producer.create_batch()
            for value in values:
                batch.append(key=None, value=value, timestamp=None)
            await (await producer.send_batch(batch, self.topic, partition=partition))

    async def append_and_mark(self, partition: int, values: Sequence[bytes]) -> None:
        before = self._end(partition)
        await asyncio.to_thread(workers.send, self._settings, list(values), partition, transaction=self.topic)
        # The broker answers the end of a transaction when it is decided: its markers are written a moment later.
        written = before + len(values) + 1
        assert await asyncio.to_thread(waiting.until, lambda: self._end(partition) == written, _SECONDS)

    async def truncate(self, partition: int, start: int) -> None:
        admin = self._admin()  # its answers go with it
        deleted: dict[Any, Any] = admin.delete_records([TopicPartition(self.topic, partition, start)])
        for future in deleted.values():
            await asyncio.to_thread(future.result, _SECONDS)

    async def replace(self) -> None:
        admin = self._admin()
        for future in admin.delete_topics([self.topic]).values():
            await asyncio.to_thread(future.result, _SECONDS)
        assert await asyncio.to_thread(waiting.until, self._is_gone, _SECONDS)
        topics.make(self._server, self.topic, PARTITIONS)

    async def go_away(self) -> None:
        self.log = KafkaLog(_NOBODY, self.topic, self._id, timeout_s=0.5)

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self._server.bootstrap})

    def _is_gone(self) -> bool:
        try:
            kafka_topics.topic_id(self._server.bootstrap, self.topic)
        except errors.TopicMissing:
            return True
        return False

    def _end(self, partition: int) -> int:
        return kafka_topics.offsets(self._server.bootstrap, self.topic)[partition][1]


async def _joined(topic: str, bootstrap: str, group: str, told: Told) -> aiokafka.AIOKafkaConsumer:
    """A consumer with the options that Faust gives it, and short times."""
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=int(SESSION_S * 1000),
        heartbeat_interval_ms=int(SESSION_S * 250),
        rebalance_timeout_ms=10_000,
        fetch_max_wait_ms=100,
    )
    consumer.subscribe([topic], listener=told)
    await consumer.start()
    return consumer
