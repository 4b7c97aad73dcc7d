"""The gateway's own verdicts: what its debug mode counted over a run, read from its metrics."""

from collections import defaultdict
from typing import Final

import msgspec
from prometheus_client import parser

from simulator import client, wire

# Labels: endpoint, result. Every result but "match" is a mismatch of some kind.
METRIC: Final = "allezone_gateway_debug_answers_total"
STARTED: Final = "process_start_time_seconds"
_SECONDS: Final = 20.0

Counts = dict[str, dict[str, int]]


class Reading(msgspec.Struct, frozen=True):
    """The counters at one moment, and when the process began to count."""

    started: float
    counts: Counts


class Comparison:
    """The counters of one gateway. Behind a balancer each reading meets another one: judge by the simulator then."""

    def __init__(self, pool: client.Pool, requests: wire.Requests) -> None:
        self._pool, self._requests = pool, requests
        self._before = Reading(0.0, {})

    async def begin(self) -> None:
        """Remember where the counters stand."""
        self._before = await self._read()

    async def since_begin(self) -> Counts | None:
        """By endpoint and result what was counted since, or since the gateway's restart if that came later.

        None where the gateway counts nothing of the kind.
        """
        now = await self._read()
        before = self._before.counts if now.started == self._before.started else {}
        return {
            endpoint: _increase(counts, before.get(endpoint, {})) for endpoint, counts in now.counts.items()
        } or None

    async def _read(self) -> Reading:
        answer = await self._pool.request(self._requests.get("/metrics"), _SECONDS)
        if answer.status != 200:
            return Reading(0.0, {})
        started, counts = 0.0, defaultdict[str, dict[str, int]](dict)
        for family in parser.text_string_to_metric_families(answer.body.decode()):
            for sample in family.samples:
                if sample.name == METRIC:
                    counts[sample.labels["endpoint"]][sample.labels["result"]] = int(sample.value)
                elif sample.name == STARTED:
                    started = sample.value
        return Reading(started, counts)


def _increase(now: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    return {result: count - before.get(result, 0) for result, count in now.items()}
