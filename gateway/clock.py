"""The time as a port, so that a test can set it."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Milliseconds since 1970-01-01T00:00:00Z."""


def system_clock() -> int:
    """The server's clock."""
    return time.time_ns() // 1_000_000
