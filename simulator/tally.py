"""What came of the requests to each endpoint."""

from typing import Final

from hdrh.histogram import HdrHistogram

from simulator import client

SHOWN: Final = 5
_LONGEST_MICROS: Final = 3_600_000_000


class Latencies:
    """A histogram of seconds, kept in microseconds with three digits."""

    def __init__(self) -> None:
        self._histogram = HdrHistogram(1, _LONGEST_MICROS, 3)
        self._record = self._histogram.record_value

    def record(self, seconds: float) -> None:
        """One latency."""
        self._record(max(1, int(seconds * 1e6)))

    def millis(self) -> dict[str, float]:
        """p50, p99, p99.9 and the longest in milliseconds; empty where nothing was recorded."""
        if not self._histogram.get_total_count():
            return {}
        at = self._histogram.get_value_at_percentile
        found = {"p50": at(50), "p99": at(99), "p99.9": at(99.9), "max": self._histogram.get_max_value()}
        return {name: micros / 1e3 for name, micros in found.items()}


class Endpoint:
    """Counts of one endpoint's requests.

    `accepted` got the status of the contract. `refused` surely did nothing (4xx, or 503 with "no"); `unknown` may have
    (no answer, or any other status); `dropped` were never sent, because too many waited in the generator. Of the
    accepted queries, `wrong` ones were answered wrongly and `unjudged` ones came too early to be told.
    """

    def __init__(self) -> None:
        self.latencies = Latencies()
        self.accepted = self.refused = self.unknown = self.dropped = 0
        self.wrong = self.unjudged = self.retried = 0
        self.statuses: dict[int, int] = {}
        self.differences: list[str] = []
        self.refusals: list[str] = []

    def count_status(self, status: int) -> None:
        """An answer's status; 0 for none."""
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def refuse(self, answer: client.Answer, *, unknown: bool) -> None:
        """A request that was not accepted, and what was answered to it."""
        if unknown:
            self.unknown += 1
        else:
            self.refused += 1
        if len(self.refusals) < SHOWN:
            self.refusals.append(_told(answer))

    def differ(self, difference: str) -> None:
        """A wrong answer, and what is wrong with it."""
        self.wrong += 1
        if len(self.differences) < SHOWN:
            self.differences.append(difference)


def _told(answer: client.Answer) -> str:
    if answer.status:
        return f"status {answer.status}: {answer.body[:300].decode(errors='replace')}"
    return "no answer" if answer.sent else "no connection"
