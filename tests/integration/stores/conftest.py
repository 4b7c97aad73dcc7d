"""Connections to the test's own database."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from psycopg import AsyncConnection

from runtime.settings import DatabaseSettings


@pytest_asyncio.fixture
async def conn(database: DatabaseSettings) -> AsyncIterator[AsyncConnection[Any]]:
    """A connection in autocommit mode: a transaction is what a test opens on purpose."""
    async with await AsyncConnection.connect(database.conninfo(), autocommit=True) as connection:
        yield connection
