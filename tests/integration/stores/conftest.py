"""Connections to the test's own database, and a server with the roles of production."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from psycopg import AsyncConnection

from runtime.settings import DatabaseSettings
from stores import migrate, roles
from tests.support import roles as support
from tests.support.roles import Production


@pytest_asyncio.fixture
async def conn(database: DatabaseSettings) -> AsyncIterator[AsyncConnection[Any]]:
    """A connection in autocommit mode: a transaction is what a test opens on purpose."""
    async with await AsyncConnection.connect(database.conninfo(), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="package")
def production() -> Iterator[Production]:
    """The roles made, the database migrated by its owner, one event of 2022-03-22T12 counted by the pipeline."""
    with support.production() as made:
        roles.apply(made.settings())
        migrate.apply(made.login(roles.OWNER).conninfo())
        with psycopg.connect(made.login("allezone_pipeline").conninfo()) as conn:
            conn.execute("SELECT ensure_hours(ARRAY[457764], 1000, 25)")
            conn.execute("INSERT INTO aggregate_deltas VALUES ('2022-03-22T12:00Z', 'BUY', 'o', 'b', 'c', 1, 100)")
        yield made
