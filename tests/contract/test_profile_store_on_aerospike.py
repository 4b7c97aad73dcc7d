"""The contract of profile stores on a real Aerospike cluster."""

import os
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from stores import profiles_factory
from stores.aerospike_profiles import AerospikeProfiles
from stores.profiles import ProfileStore
from tests.contract.profile_store import ProfileStoreContract

HOSTS = os.environ.get("AEROSPIKE_HOSTS", "")
NAMESPACE = os.environ.get("AEROSPIKE_NAMESPACE", "test")

if not HOSTS:
    pytest.skip(
        "NO AEROSPIKE SERVER: this half of the contract did not run. Name one, AEROSPIKE_HOSTS=127.0.0.1:3000",
        allow_module_level=True,
    )
pytestmark = pytest.mark.aerospike


class TestAerospikeProfiles(ProfileStoreContract):
    @pytest_asyncio.fixture
    async def store(self) -> AsyncIterator[ProfileStore]:
        hosts = profiles_factory.parse_hosts(HOSTS)
        own_set = f"test-{uuid.uuid4().hex[:12]}"
        profiles = AerospikeProfiles(lambda: profiles_factory.connect(hosts), NAMESPACE, own_set)
        yield profiles
        await profiles.wipe()
        await profiles.close()
