"""How often a client may ask: a token bucket for each, kept as one number (GCRA).

The number is when the bucket would be full again. https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
"""

import time
from collections.abc import Callable
from typing import Final

MOST_CLIENTS: Final = 20_000
"""Remembered at once: 4 MB at most. Whoever is forgotten starts with a full bucket."""


class RateLimit:
    """`per_second` requests of each client, and so many at once as would come in `burst_s`.

    Who has not asked for longest is forgotten first: they lie in the older of two halves, which goes when the younger
    one is full. Nobody who asks is forgotten before `MOST_CLIENTS` / 2 others have asked.
    """

    def __init__(self, per_second: float, burst_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1 / per_second
        self._depth = max(burst_s, self._interval)
        self._now = now
        self._full_at: dict[str, float] = {}
        self._older: dict[str, float] = {}

    def take(self, client: str) -> float:
        """0 if the request may pass; else the seconds until one might, and nothing is taken."""
        now = self._now()
        full_at = self._full_at.get(client)
        if full_at is None:
            full_at = self._met(client, now)
        full_at = max(full_at, now) + self._interval
        wait = full_at - now - self._depth
        if wait > 1e-9:  # what adding the interval up leaves of itself
            return wait
        self._full_at[client] = full_at
        return 0.0

    def __len__(self) -> int:
        return len(self._full_at) + len(self._older)

    def _met(self, client: str, now: float) -> float:
        """A client that is not among the younger half, taken into it."""
        full_at = self._older.pop(client, now)
        if len(self._full_at) >= MOST_CLIENTS // 2:
            self._full_at, self._older = {}, self._full_at
        self._full_at[client] = full_at
        return full_at
