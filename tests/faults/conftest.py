"""A stage on the servers of the whole test run, one seed for all scenarios, and what became of them at the end."""

import os
import sys
from collections.abc import Iterator

import pytest

from bench.workers import Servers
from devstack.kafka import KafkaServer
from devstack.postgres import PostgresServer
from tests.faults.report import Outcome
from tests.faults.stage import Stage

SEED = int(os.environ.get("FAULTS_SEED") or 1)

_outcomes: list[Outcome] = []


@pytest.fixture(scope="session")
def stage(kafka: KafkaServer, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("faults")
    with Stage(folder, _say, shared=Servers(kafka, postgres, folder)) as made:
        yield made


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")  # pytest shows it where a test fails


@pytest.fixture(scope="session")
def outcomes() -> list[Outcome]:
    """Of the scenarios played so far."""
    return _outcomes


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was found, and the seed to find it again with."""
    if _outcomes:
        terminalreporter.section(f"faults, FAULTS_SEED={SEED}")
        for outcome in _outcomes:
            terminalreporter.write_line(str(outcome))
