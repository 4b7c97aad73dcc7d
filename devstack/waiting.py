"""Waiting for a condition, with a deadline: the only way in which anything here waits."""

from __future__ import annotations

import time
from collections.abc import Callable

INTERVAL_SECONDS = 0.05


def until(condition: Callable[[], bool], seconds: float, *, interval: float = INTERVAL_SECONDS) -> bool:
    """Return True as soon as `condition()` holds, False when it did not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(interval)
    return True
