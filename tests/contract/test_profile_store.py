"""Every profile store under one contract; the one that needs a cluster is in test_profile_store_on_aerospike.py."""

from collections.abc import AsyncIterator

import pytest_asyncio

from runtime.settings import DatabaseSettings
from stores import pools
from stores.aerospike_profiles import AerospikeProfiles
from stores.postgres_profiles import PostgresProfiles
from stores.profiles import ProfileStore
from tests.contract.profile_store import ProfileStoreContract
from tests.support.aerospike_client import FakeClient
from tests.support.fakes.profile_store import ProfileServer


class TestPostgresProfiles(ProfileStoreContract):
    @pytest_asyncio.fixture
    async def store(self, database: DatabaseSettings) -> AsyncIterator[ProfileStore]:
        pool = pools.for_profiles(database.conninfo())
        await pool.open()
        profiles = PostgresProfiles(pool)
        yield profiles
        await profiles.close()


class TestAerospikeProfilesWithoutServer(ProfileStoreContract):
    """The adapter's own code, on a client that stands in for client and server."""

    @pytest_asyncio.fixture
    async def store(self) -> AsyncIterator[ProfileStore]:
        profiles = AerospikeProfiles(FakeClient, "test", "profiles")
        yield profiles
        await profiles.close()


class TestProfilesInMemory(ProfileStoreContract):
    @pytest_asyncio.fixture
    async def store(self) -> ProfileStore:
        return ProfileServer().connect("client")
