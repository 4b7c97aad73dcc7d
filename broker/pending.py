"""Events handed over and not yet reported on: who waits for each, and for how long."""

import asyncio
import collections
import math
from collections.abc import Callable, Sequence

from broker import errors, sessions


class Pending:
    """The events of one producer, in one event loop. `add` and `report` are all that an event costs here."""

    def __init__(self, timeout_s: float, on_given_up: Callable[[], None]) -> None:
        """Nobody waits longer than `timeout_s`; `on_given_up` is called each time that some were told so.

        `count` is all that are not reported on, `given_up` those of them for which nobody waits any more.
        `others_pass` is whether another event was acknowledged in time since the last one given up was sent.
        """
        self.count = 0
        self.given_up = 0
        self.others_pass = False
        self._timeout_s = timeout_s
        self._on_given_up = on_given_up
        self._loop = asyncio.get_running_loop()
        # All events have the same timeout: they expire in the order of sending, and need no timer each.
        self._waiting: collections.deque[tuple[float, sessions.Future]] = collections.deque()
        self._sweep: asyncio.TimerHandle | None = None
        self._acknowledged_at = -math.inf

    def add(self, future: sessions.Future) -> None:
        """An event was handed over: `future` is done by a report, or else by the timeout."""
        self.count += 1
        self._waiting.append((self._loop.time() + self._timeout_s, future))
        if self._sweep is None:
            self._sweep = self._loop.call_later(self._timeout_s, self._give_up_expired)

    def report(self, reports: Sequence[sessions.Report]) -> None:
        """What became of some of them. Each event is reported on once."""
        self.count -= len(reports)
        in_time = len(reports)
        for future, error in reports:
            if future.done():  # given up, or its sender went away
                self.given_up -= not future.cancelled()
                in_time -= 1
            elif error is None:
                future.set_result(None)
            else:
                future.set_exception(errors.OutcomeUnknown(error.name()))
                in_time -= 1
        if in_time:
            self._acknowledged_at = self._loop.time()
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()

    def end(self) -> None:
        """Whoever still waits is told now that the outcome is unknown."""
        if self._sweep is not None:
            self._sweep.cancel()
        for _, future in self._waiting:
            self._give_up(future, "closing")
        self._waiting.clear()

    def _give_up_expired(self) -> None:
        now, before = self._loop.time(), self.given_up
        while self._waiting and (self._waiting[0][0] <= now or self._waiting[0][1].done()):
            deadline, future = self._waiting.popleft()
            if not future.done():
                self.others_pass = self._acknowledged_at > deadline - self._timeout_s
            self._give_up(future, "timeout")
        self._sweep = None
        if self._waiting:
            self._sweep = self._loop.call_at(self._waiting[0][0], self._give_up_expired)
        if self.given_up > before:
            self._on_given_up()

    def _give_up(self, future: sessions.Future, reason: str) -> None:
        if not future.done():
            self.given_up += 1
            future.set_exception(errors.OutcomeUnknown(reason))
