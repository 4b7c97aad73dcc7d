"""Taking up partitions. Until it is done nothing can be consumed, and it takes as long as a store is away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from pipeline import errors
from runtime import logging

_log = logging.get_logger(__name__)
_LOOKS: Final = 10
_LONGEST_LOOK_S: Final = 0.25


class GivenUp(errors.Superseded):
    """The partitions that were being taken up are being taken away."""


class Placement:
    """One consumer's newest placement; a new one takes the place of the one before.

    A placement that stands still although nobody is away `failed`: the consumer would keep its partitions, consume
    nothing and say nothing.
    """

    def __init__(
        self,
        place: Callable[[], Awaitable[None]],
        away: Callable[[], bool],
        failed: Callable[[Exception], None],
        patience_s: float,
    ) -> None:
        """`away` is true while a store or a broker is asked again; without that `place` has `patience_s`."""
        self._place, self._away, self._failed, self._patience_s = place, away, failed, patience_s
        self._look_s = min(patience_s / _LOOKS, _LONGEST_LOOK_S)
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Place anew, beside the caller."""
        self.give_up()
        self._task = asyncio.create_task(self._watched())

    def give_up(self) -> None:
        """Nothing is placed any more by what was begun before."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def wait(self) -> bool:
        """Whether it is done. False as soon as somebody is away: it then goes on beside.

        Raises `GivenUp`, and why it failed.
        """
        task = self._task
        while task is not None and self._task is task and not task.done():
            if self._away():
                _log.warning("partitions are taken up later: what says where they go on is away")
                return False
            await asyncio.wait({task}, timeout=self._look_s)
        if task is None or self._task is not task:
            raise GivenUp
        await task
        return True

    async def _watched(self) -> None:
        placing = asyncio.ensure_future(self._place())
        try:
            await self._until_placed(placing)
        except Exception as error:  # whatever it was: without a place to go on from, nothing would ever be consumed
            self._failed(error)
            raise
        finally:
            placing.cancel()

    async def _until_placed(self, placing: asyncio.Future[None]) -> None:
        moved_at = _now()
        while not placing.done():
            if self._away():
                moved_at = _now()
            elif _now() - moved_at > self._patience_s:
                message = f"partitions were not taken up within {self._patience_s:.0f} s, and nobody was away"
                raise TimeoutError(message)
            await asyncio.wait({placing}, timeout=self._look_s)
        await placing


def _now() -> float:
    return asyncio.get_running_loop().time()
