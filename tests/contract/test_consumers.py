"""The broker in memory answers consumers as Kafka does, as far as workers can tell."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any
from unittest import mock

import aiokafka
import pytest_asyncio
from aiokafka import client
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from devstack.kafka import KafkaServer
from tests.contract.consumers import SESSION_S, ConsumersContract, Told
from tests.simulation.broker import Broker
from tests.simulation.connection import Network
from tests.support import topics

PARTITIONS = 2


async def joined(topic: str, bootstrap: str, group: str, told: Told) -> aiokafka.AIOKafkaConsumer:
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


class Memory:
    """`Cluster` of the simulation's broker, on the test's own clock."""

    topic = "topic"

    def __init__(self, everything: contextlib.AsyncExitStack) -> None:
        self._everything = everything
        self._broker = Broker(asyncio.get_running_loop(), {self.topic: PARTITIONS})
        self.network = Network(asyncio.get_running_loop(), self._broker, seed=0, slowest_s=0.005)

    async def member(self, topic_listener: Told, group: str) -> aiokafka.AIOKafkaConsumer:
        consumer = await joined(self.topic, "simulated:9092", group, topic_listener)
        self._everything.push_async_callback(consumer.stop)
        return consumer

    async def append(self, partition: int, values: Sequence[bytes]) -> None:
        self._broker.append(self.topic, partition, [(None, value) for value in values])

    async def truncate(self, partition: int, start: int) -> None:
        self._broker.topics[self.topic][partition].truncate(start)


class Kafka:
    """`Cluster` of a real broker."""

    def __init__(self, server: KafkaServer, topic: str, everything: contextlib.AsyncExitStack) -> None:
        self._server, self.topic, self._everything = server, topic, everything
        topics.make(server, topic, PARTITIONS)

    async def member(self, topic_listener: Told, group: str) -> aiokafka.AIOKafkaConsumer:
        consumer = await joined(self.topic, self._server.bootstrap, f"{self.topic}-{group}", topic_listener)
        self._everything.push_async_callback(consumer.stop)
        return consumer

    async def append(self, partition: int, values: Sequence[bytes]) -> None:
        async with aiokafka.AIOKafkaProducer(bootstrap_servers=self._server.bootstrap) as producer:
            batch = producer.create_batch()
            for value in values:
                batch.append(key=None, value=value, timestamp=None)
            await (await producer.send_batch(batch, self.topic, partition=partition))

    async def truncate(self, partition: int, start: int) -> None:
        admin = AdminClient({"bootstrap.servers": self._server.bootstrap})
        deleted: dict[Any, Any] = admin.delete_records([TopicPartition(self.topic, partition, start)])
        for future in deleted.values():
            await asyncio.to_thread(future.result, 10)


class TestBrokerInMemory(ConsumersContract):
    @pytest_asyncio.fixture
    async def cluster(self) -> AsyncIterator[Memory]:
        async with contextlib.AsyncExitStack() as everything:
            memory = Memory(everything)
            with mock.patch.object(client, "create_conn", memory.network.connect):
                yield memory
                await everything.aclose()


class TestKafka(ConsumersContract):
    @pytest_asyncio.fixture
    async def cluster(self, kafka: KafkaServer, topic: str) -> AsyncIterator[Kafka]:
        async with contextlib.AsyncExitStack() as everything:
            yield Kafka(kafka, topic, everything)
