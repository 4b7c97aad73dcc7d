"""An installation a test."""

from pathlib import Path

import pytest

from devstack.kafka import KafkaServer
from runtime.settings import DatabaseSettings
from tests.integration.operations.installation import Installation
from tests.support import topics


@pytest.fixture
def installation(kafka: KafkaServer, topic: str, database: DatabaseSettings, tmp_path: Path) -> Installation:
    """An empty topic of two partitions and an empty database."""
    return Installation(topics.make(kafka, topic, partitions=2), database, tmp_path)
