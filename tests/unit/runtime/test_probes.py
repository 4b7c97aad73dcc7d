"""The probe server over real HTTP."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from runtime.health import Dependencies
from runtime.probes import ProbeServer


class Process:
    """What is probed."""

    def __init__(self) -> None:
        self.trouble: str | None = None
        self.dependencies = Dependencies(others=["store"])
        self.server = ProbeServer("127.0.0.1", 0, self.dependencies, lambda: self.trouble)

    async def get(self, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.server.port}{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.status, await response.text()


@pytest_asyncio.fixture
async def process() -> AsyncIterator[Process]:
    made = Process()
    await made.server.start()
    yield made
    await made.server.stop()


async def test_alive_until_there_is_trouble_which_is_named(process: Process) -> None:
    assert await process.get("/healthz") == (200, '{"alive": true, "detail": ""}')
    process.trouble = "no fetch has returned"
    assert await process.get("/healthz") == (503, '{"alive": false, "detail": "no fetch has returned"}')


async def test_ready_when_the_dependencies_say_so(process: Process) -> None:
    assert (await process.get("/readyz"))[0] == 503
    process.dependencies.up("store")
    status, body = await process.get("/readyz")
    assert status == 200
    assert '"store"' in body


async def test_metrics_are_in_prometheus_form(process: Process) -> None:
    status, body = await process.get("/metrics")
    assert status == 200
    assert "# TYPE process_cpu_seconds_total counter" in body


async def test_a_port_that_is_taken_is_an_error(process: Process) -> None:
    other = ProbeServer("127.0.0.1", process.server.port, process.dependencies, lambda: None)
    with pytest.raises(OSError, match="address already in use"):
        await other.start()
    await other.stop()
