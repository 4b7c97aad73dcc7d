"""The whole system with its profiles in a real Aerospike cluster: `AEROSPIKE_HOSTS=... make test-aerospike`."""

from __future__ import annotations

import os
import signal
import uuid

import pytest

from devstack import waiting
from tests.support import system as systems
from tests.support.shoppers import Shopper

HOSTS = os.environ.get("AEROSPIKE_HOSTS", "")

if not HOSTS:
    pytest.skip(
        "NO AEROSPIKE SERVER: the system did not run on one. Name one, AEROSPIKE_HOSTS=127.0.0.1:3000",
        allow_module_level=True,
    )
pytestmark = pytest.mark.aerospike


def test_events_reach_profiles_in_aerospike_through_a_killed_worker() -> None:
    with systems.running(AEROSPIKE_SET=f"test-{uuid.uuid4().hex[:12]}") as system:
        assert f"profiles are kept in {HOSTS}" in system.said()
        shopper = Shopper(system.url)
        for _ in range(50):
            shopper.buy()
        shopper.find_everything()

        killed = system.pid("pipeline-profiles-1")
        os.kill(killed or 0, signal.SIGKILL)
        for _ in range(50):
            shopper.buy()

        assert waiting.until(lambda: system.pid("pipeline-profiles-1") not in (None, killed), 30)
        shopper.find_everything()
