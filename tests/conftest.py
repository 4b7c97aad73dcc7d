"""Fixtures that every test may ask for: real Kafka, real PostgreSQL, and a fresh topic name and database in them."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Iterator
from types import FrameType

import pytest

from devstack.kafka import KafkaServer
from devstack.postgres import PostgresServer
from runtime.settings import DatabaseSettings
from tests.support import closing as closing_lines
from tests.support import databases, services


def pytest_configure() -> None:
    """SIGTERM ends a run like Ctrl-C: fixtures end their servers. After SIGKILL the kernel does (devstack/tether).

    SIGINT is ignored by all that a script starts with `&`, and by what that starts: here it works again.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests had to say at the end."""
    closing_lines.write(terminalreporter)


@pytest.fixture
def closing(request: pytest.FixtureRequest) -> closing_lines.Say:
    """Says something at the end of the run's output: `closing(section, text)`."""
    return closing_lines.teller(request.node)


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaServer]:
    """A single broker for the whole run, without automatic topics. Leave it running: others use it."""
    with services.required(), services.running_kafka() as server:
        yield server


@pytest.fixture
def topic() -> str:
    """A topic name nobody else uses. The topic does not exist yet."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for the whole run. Leave it running: others use it."""
    with services.required(), services.running_postgres() as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[DatabaseSettings]:
    """A database with every migration applied and no rows, for one test, as the ordinary role that owns it."""
    with databases.fresh(postgres) as settings:
        yield settings
