"""The gateway's own verdicts: what its debug mode counted over a run, read from its metrics."""

from typing import Final

from prometheus_client import parser

from simulator import client, wire

# Labels: endpoint, result. Every result but "match" is a mismatch of some kind.
METRIC: Final = "allezone_gateway_debug_answers_total"
_SECONDS: Final = 20.0

Counts = dict[str, dict[str, int]]


class Comparison:
    """The counters of one gateway. Behind a balancer each reading meets another one: judge by the simulator then."""

    def __init__(self, pool: client.Pool, requests: wire.Requests) -> None:
        self._pool, self._requests = pool, requests
        self._before: Counts = {}

    async def begin(self) -> None:
        """Remember where the counters stand."""
        self._before = await self._read() or {}

    async def since_begin(self) -> Counts | None:
        """By endpoint and result what was counted since; None where the gateway counts nothing of the kind."""
        now = await self._read()
        if now is None:
            return None
        return {
            endpoint: {
                result: count - self._before.get(endpoint, {}).get(result, 0) for result, count in results.items()
            }
            for endpoint, results in now.items()
        }

    async def _read(self) -> Counts | None:
        answer = await self._pool.request(self._requests.get("/metrics"), _SECONDS)
        if answer.status != 200:
            return None
        counts: Counts = {}
        for family in parser.text_string_to_metric_families(answer.body.decode()):
            for sample in family.samples:
                if sample.name == METRIC:
                    results = counts.setdefault(sample.labels["endpoint"], {})
                    results[sample.labels["result"]] = int(sample.value)
        return counts or None
