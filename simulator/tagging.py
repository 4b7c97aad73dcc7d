"""Sends tags, and tells the oracle and the ledger what became of them.

Latency, here and in `querying`, runs from the *scheduled* moment to the end of the answer. So time spent waiting for a
connection, or for a generator that fell behind, counts: a stalled server cannot hide by slowing its client down
("coordinated omission").
"""

import asyncio
import time
from functools import partial
from typing import Final

from simulator import client, ledger, oracle, outcomes, stream, tally, wire

_RETRY_SECONDS: Final = 1.0


class Tagger:
    """Sends the tags of a stream."""

    def __init__(
        self,
        source: stream.Stream,
        knowledge: oracle.Oracle,
        answers: ledger.Ledger,
        pool: client.Pool,
        requests: wire.Requests,
        timeout: float,
        retries: int = 0,
    ) -> None:
        """`timeout` in seconds; a tag surely not stored is sent again up to `retries` times."""
        self.tally = tally.Endpoint()
        self.under_way = 0
        self._source, self._oracle, self._ledger = source, knowledge, answers
        self._pool, self._requests = pool, requests
        self._timeout, self._retries = timeout, retries

    def send(self, serial: int, scheduled: float) -> None:
        """Send a tag that was due at `scheduled`."""
        self._oracle.sent(serial)
        self.under_way += 1
        self._send(serial, scheduled, self._retries)

    def _send(self, serial: int, scheduled: float, retries: int) -> None:
        data = self._requests.tag(self._source.tag(serial))
        if not self._pool.submit(data, self._timeout, partial(self._answered, serial, scheduled, retries)):
            self.tally.dropped += 1
            self._end(serial, outcomes.Outcome.REFUSED)

    def _answered(self, serial: int, scheduled: float, retries: int, answer: client.Answer) -> None:
        self.tally.count_status(answer.status)
        outcome = outcomes.of(answer)
        if outcome is outcomes.Outcome.REFUSED and retries:
            self.tally.retried += 1
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._send, serial, scheduled, retries - 1)
            return
        self.tally.latencies.record(time.perf_counter() - scheduled)
        if outcome is outcomes.Outcome.STORED:
            self.tally.accepted += 1
        else:
            self.tally.refuse(answer, unknown=outcome is outcomes.Outcome.UNKNOWN)
        self._end(serial, outcome)

    def _end(self, serial: int, outcome: outcomes.Outcome) -> None:
        self.under_way -= 1
        self._ledger.answer(serial, time.perf_counter())
        if outcome is outcomes.Outcome.STORED:
            self._oracle.stored(serial)
        elif outcome is outcomes.Outcome.REFUSED:
            self._oracle.refused(serial)
