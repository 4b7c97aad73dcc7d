"""Why a dependency is down is told on /readyz, and in the log when it goes down, not at every look."""

import asyncio
import contextlib

from structlog.testing import capture_logs

from gateway import health
from runtime.health import Dependencies


class Flaky:
    """Answers after so many failures; `done` when it was asked twice more."""

    def __init__(self, failures: int, reason: str) -> None:
        self.done = asyncio.Event()
        self._failures, self._reason = failures, reason
        self._asked = 0

    async def ping(self) -> None:
        self._asked += 1
        if self._asked > self._failures + 2:
            self.done.set()
        if self._asked <= self._failures:
            raise ConnectionError(self._reason)


async def _watched(flaky: Flaky) -> list[tuple[bool, str]]:
    """What is logged: whether it is up, and the detail."""
    dependencies = Dependencies(vital=["store"])
    with capture_logs() as logs:
        watching = asyncio.create_task(health.watch(dependencies, {"store": flaky.ping}, 0))
        await asyncio.wait_for(flaky.done.wait(), 5)
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    return [(log["up"], log["detail"]) for log in logs]


async def test_the_reason_is_logged_once_a_change_on_one_line() -> None:
    logged = await _watched(Flaky(3, "connection refused\n\tIs the server running?"))

    assert logged == [(False, "ConnectionError: connection refused Is the server running?"), (True, "")]


async def test_a_long_reason_is_cut() -> None:
    (_, detail), _ = await _watched(Flaky(1, "x" * 10_000))

    assert len(detail) < 400
