"""The open loop: tag n is due at `start + n / rate`, whatever became of the tags before it."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from simulator import querying, questions, tagging, tally

# Tags sent between two looks at the event loop: what a generator that fell behind catches up with at a time.
_BURST: Final = 20

Progress = Callable[[int], None]


class Load:
    """Sends the stream at its rate."""

    def __init__(
        self,
        plan: questions.Questions,
        tagger: tagging.Tagger,
        profiles: querying.Inquirer[questions.ProfileQuestion],
        aggregates: querying.Inquirer[questions.AggregateQuestion],
        rate: float,
    ) -> None:
        """`rate` in tags a second."""
        self.lateness = tally.Latencies()
        self._plan, self._tagger, self._profiles, self._aggregates = plan, tagger, profiles, aggregates
        self._rate = rate

    async def send(self, tags: int, progress: Progress) -> float:
        """Send that many tags with their queries; `progress` gets the number sent, some times a second.

        Gives the seconds from the first tag to the last. Returns with the last requests still under way.
        """
        start = time.perf_counter()
        reported = start
        for serial in range(tags):
            due = start + serial / self._rate
            now = time.perf_counter()
            if due > now:
                await asyncio.sleep(due - now)
                now = time.perf_counter()
            elif serial % _BURST == 0:
                await asyncio.sleep(0)
            self.lateness.record(max(0.0, now - due))
            self._send(serial, due)
            if now - reported >= 1:
                reported = now
                progress(serial + 1)
        progress(tags)
        return time.perf_counter() - start

    async def answered(self) -> None:
        """Wait until nothing is under way. The requests' own deadlines bound it."""
        while self.under_way:  # noqa: ASYNC110 - three counters that change 1,000 times a second, awaited once
            await asyncio.sleep(0.01)

    @property
    def under_way(self) -> int:
        """Requests without an answer yet."""
        return self._tagger.under_way + self._profiles.under_way + self._aggregates.under_way

    def _send(self, serial: int, due: float) -> None:
        self._tagger.send(serial, due)
        profile = self._plan.profile(serial)
        if profile is not None:
            self._profiles.ask(profile, due)
        aggregate = self._plan.aggregate(serial)
        if aggregate is not None:
            self._aggregates.ask(aggregate, due)
