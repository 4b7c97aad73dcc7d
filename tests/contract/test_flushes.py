"""`PostgresFlushes` under its contract: on a real server, and on the one in memory."""

import contextlib
from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio

from runtime.settings import DatabaseSettings
from stores import hours
from tests.contract.failover import FailoverContract
from tests.contract.flushes import HOUR, FlushesContract
from tests.contract.flushes_in_trouble import TroubleContract
from tests.contract.scenes import InMemory, Real
from tests.support import proxy


class TestOnFakePostgres(FlushesContract, TroubleContract, FailoverContract):
    @pytest.fixture
    def store(self) -> InMemory:
        return InMemory()

    @pytest.fixture
    def scene(self) -> InMemory:
        return InMemory()


class TestOnPostgres(FlushesContract, TroubleContract, FailoverContract):
    @pytest_asyncio.fixture
    async def scene(self, database: DatabaseSettings) -> AsyncIterator[Real]:
        async with await psycopg.AsyncConnection.connect(database.conninfo(), autocommit=True) as conn:
            await hours.ensure_hours(conn, [HOUR])
        async with proxy.before(database.db_host, database.db_port) as way, contextlib.AsyncExitStack() as everything:
            yield Real(database, way, everything)

    @pytest.fixture
    def store(self, scene: Real) -> Real:
        return scene
