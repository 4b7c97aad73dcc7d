"""A stage on the servers of the whole test run, and one seed for all scenarios."""

import os
import sys
from collections.abc import Iterator

import pytest

from bench.workers import Servers
from devstack.kafka import KafkaServer
from devstack.postgres import PostgresServer
from tests.faults.stage import Stage

SEED = int(os.environ.get("FAULTS_SEED") or 1)


@pytest.fixture(scope="session")
def stage(kafka: KafkaServer, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("faults")
    with Stage(folder, _say, shared=Servers(kafka, postgres, folder)) as made:
        yield made


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")  # pytest shows it where a test fails
