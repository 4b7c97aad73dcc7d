"""One gateway for the tests that leave it as it was; those that break things start their own."""

import uuid
from collections.abc import Iterator

import pytest

from devstack.kafka import KafkaServer
from devstack.postgres import PostgresServer
from runtime.settings import DatabaseSettings, KafkaSettings
from tests.support import databases, gateways, topics


@pytest.fixture(scope="package")
def shared_topic(kafka: KafkaServer) -> KafkaSettings:
    """The topic of `gateway`."""
    return topics.make(kafka, f"test-gateway-{uuid.uuid4().hex[:8]}")


@pytest.fixture(scope="package")
def shared_database(postgres: PostgresServer) -> Iterator[DatabaseSettings]:
    """The database of `gateway`."""
    with databases.fresh(postgres) as settings:
        yield settings


@pytest.fixture(scope="package")
def gateway(shared_topic: KafkaSettings, shared_database: DatabaseSettings) -> Iterator[gateways.Gateway]:
    """A gateway that the tests of this folder share: what they post needs names of their own."""
    with gateways.running(shared_topic, shared_database) as running:
        yield running
