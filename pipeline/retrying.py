"""Questions to stores and brokers, asked again for as long as they are away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from broker import errors as broker_errors
from pipeline import errors, metrics
from pipeline.settings import WorkerSettings
from runtime import logging
from stores import errors as store_errors

_log = logging.get_logger(__name__)
_Answer = TypeVar("_Answer")
_LATE_S: Final = 1.0
_PASSING = (store_errors.StoreUnavailable, store_errors.ProfileStoreUnavailable, broker_errors.BrokerUnavailable)


class Abandoned(errors.Superseded):
    """The worker was placed anew: what was asked for belongs to the place before."""


class Retrier:
    """One worker's patience: no end to it, with pauses that double. `asking` is true while an answer is missing.

    Each question is to end by itself, in a failure if need be: what never ends would excuse a worker for ever.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self._first_s, self._last_s = settings.retry_first_s, settings.retry_last_s
        self._unanswered = 0
        self._place = 0
        self._asked_at: dict[object, float] = {}

    @property
    def asking(self) -> bool:
        """Whether a question is late, or has failed and was not answered since: who is frozen does not even fail."""
        return self._unanswered > 0 or any(_now() - asked_at > _LATE_S for asked_at in self._asked_at.values())

    def abandon_others(self) -> None:
        """Every question under way raises `Abandoned` at its next try, those asked `for_good` excepted."""
        self._place += 1

    async def ask(self, question: Callable[[], Awaitable[_Answer]], *, for_good: bool = False) -> _Answer:
        """The answer to `question`. Raises `Abandoned`, and whatever is no passing failure."""
        place, pause = self._place, self._first_s
        try:
            return await self._timed(question)
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

    async def _timed(self, question: Callable[[], Awaitable[_Answer]]) -> _Answer:
        token = object()
        self._asked_at[token] = _now()
        try:
            return await question()
        finally:
            del self._asked_at[token]

    def _note(self, error: Exception, pause: float) -> None:
        metrics.RETRIES.inc()
        _log.warning("retrying", error=str(error), kind=type(error).__name__, again_in_s=round(pause, 2))


def _now() -> float:
    return asyncio.get_running_loop().time()
