"""The broker in memory answers consumers as Kafka does, and questions about them, as far as workers can tell."""

import contextlib
from collections.abc import AsyncIterator
from unittest import mock

import pytest_asyncio
from aiokafka import client

from devstack.kafka import KafkaServer
from tests.contract.clusters import Kafka, Memory
from tests.contract.consumers import ConsumersContract
from tests.contract.logs import GroupsContract, ReplacedContract, TopicContract


class TestBrokerInMemory(ConsumersContract, TopicContract, GroupsContract):
    @pytest_asyncio.fixture
    async def cluster(self) -> AsyncIterator[Memory]:
        async with contextlib.AsyncExitStack() as everything:
            memory = Memory(everything)
            with mock.patch.object(client, "create_conn", memory.network.connect):
                yield memory
                await everything.aclose()


class TestKafka(ConsumersContract, TopicContract, ReplacedContract, GroupsContract):
    @pytest_asyncio.fixture
    async def cluster(self, kafka: KafkaServer, topic: str) -> AsyncIterator[Kafka]:
        async with contextlib.AsyncExitStack() as everything:
            yield Kafka(kafka, topic, everything)
