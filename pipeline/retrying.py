"""Questions to stores and brokers, asked again for as long as they are away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from broker import errors as broker_errors
from pipeline import metrics
from pipeline.settings import WorkerSettings
from runtime import logging
from stores import errors as store_errors

_log = logging.get_logger(__name__)
_Answer = TypeVar("_Answer")
_PASSING = (store_errors.StoreUnavailable, store_errors.ProfileStoreUnavailable, broker_errors.BrokerUnavailable)


class Abandoned(Exception):
    """The worker was placed anew: what was asked for belongs to the place before."""


class Retrier:
    """One worker's patience: no end to it, with pauses that double. `asking` is true while an answer is missing."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._first_s, self._last_s = settings.retry_first_s, settings.retry_last_s
        self._unanswered = 0
        self._place = 0

    @property
    def asking(self) -> bool:
        """Whether some question has failed and has not been answered since."""
        return self._unanswered > 0

    def abandon_others(self) -> None:
        """Every question under way raises `Abandoned` at its next try, those asked `for_good` excepted."""
        self._place += 1

    async def ask(self, question: Callable[[], Awaitable[_Answer]], *, for_good: bool = False) -> _Answer:
        """The answer to `question`. Raises `Abandoned`, and whatever is no passing failure."""
        place, pause = self._place, self._first_s
        try:
            return await question()
        except _PASSING as error:
            self._note(error, pause)
        self._unanswered += 1
        metrics.RETRYING.set(self._unanswered)
        try:
            while True:
                await asyncio.sleep(pause)
                if self._place != place and not for_good:
                    raise Abandoned
                pause = min(pause * 2, self._last_s)
                try:
                    return await question()
                except _PASSING as error:
                    self._note(error, pause)
        finally:
            self._unanswered -= 1
            metrics.RETRYING.set(self._unanswered)

    def _note(self, error: Exception, pause: float) -> None:
        metrics.RETRIES.inc()
        _log.warning("retrying", error=str(error), kind=type(error).__name__, again_in_s=round(pause, 2))
