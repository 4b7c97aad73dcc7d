"""Short runs of the simulator against a stub of the system."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from simulator import report, run
from simulator.settings import SimulatorSettings
from tests.integration.simulator.stub import Stub

TAGS = 1_500
# Late in a minute: the 700 tags that are left of it make a complete one, and the stream spans two.
START = "2022-03-22T12:15:59.300Z"


@asynccontextmanager
async def serving(stub: Stub, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Where `stub` is served, over TLS if `tls` is given."""
    try:
        yield await stub.start(tls)
    finally:
        await stub.stop()


async def judged(stub: Stub, **chosen: Any) -> report.Report:
    """One short run against `stub`, over `tls` if that is given; deadlines are short: what is wrong stays wrong."""
    tls = chosen.pop("tls", None)
    settings: dict[str, Any] = {
        "rate": 3_000,
        "tags": TAGS,
        "run_id": 7,
        "start": START,
        "cookies": 4,
        "tie_every": 10,
        "waiting": 10_000,
        "profile_deadline": 0.2,
        "aggregate_deadline": 0.2,
        "final_profiles": 1_000,
        "final_aggregates": 150,
    }
    async with serving(stub, tls) as target:
        named = {f"simulate_{name}": value for name, value in (settings | {"target": target} | chosen).items()}
        return await run.Run(SimulatorSettings(**named)).run(lambda _sent: None)


def counts(found: report.Report, name: str) -> dict[str, int]:
    """The figure `name` of every endpoint."""
    return {each.name: getattr(each, name) for each in found.endpoints}
