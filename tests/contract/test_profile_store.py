"""Both profile stores under one contract."""

from collections.abc import AsyncIterator

import pytest_asyncio

from runtime.settings import DatabaseSettings
from stores import pools
from stores.postgres_profiles import PostgresProfiles
from stores.profiles import ProfileStore
from tests.contract.profile_store import ProfileStoreContract


class TestPostgresProfiles(ProfileStoreContract):
    @pytest_asyncio.fixture
    async def store(self, database: DatabaseSettings) -> AsyncIterator[ProfileStore]:
        pool = pools.for_profiles(database.conninfo())
        await pool.open()
        profiles = PostgresProfiles(pool)
        yield profiles
        await profiles.close()
