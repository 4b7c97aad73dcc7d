"""Waiting for a condition, with a deadline."""

import time
from collections.abc import Callable

POLL_SECONDS = 0.5


class Late(Exception):
    """Something did not happen in time; the message says what, and how things stood."""


def until(what: str, holds: Callable[[], bool], seconds: float, stands: Callable[[], object] = lambda: "") -> float:
    """Seconds until `holds`. Raises Late, with what `stands` gives then."""
    start = time.monotonic()
    while not holds():
        if time.monotonic() - start > seconds:
            message = f"not within {seconds:.0f} s: {what}. {stands()}".rstrip()
            raise Late(message)
        time.sleep(POLL_SECONDS)
    return time.monotonic() - start
