"""Event-time hours as the aggregates worker needs them: made on demand, made ahead, dropped when old."""

import asyncio
import datetime
from collections.abc import Collection
from typing import Final

import psycopg

from pipeline import letters, metrics
from pipeline.settings import AggregatesSettings
from runtime import logging, tracebacks
from stores import errors, hours, primary

_log = logging.get_logger(__name__)
_POSSIBLE: Final = range(-17_259_888, 70_389_528)
"""Hours of the years 1 to 9999, which is what a table can be named after."""
_REASONS: Final = {
    hours.HourState.MADE: "",
    hours.HourState.TOMBSTONED: letters.HOUR_GONE,
    hours.HourState.BEYOND_BOUND: letters.HOUR_GONE,
    hours.HourState.AHEAD: letters.HOUR_IMPOSSIBLE,
    None: letters.HOUR_IMPOSSIBLE,
}


class PostgresHours:
    """`sink.Hours` on a connection of its own a call: it is needed a few times an hour."""

    def __init__(self, settings: AggregatesSettings, connect: primary.Connect = primary.connect) -> None:
        self._connect = connect
        self._conninfo = settings.conninfo("allezone pipeline hours")
        self._patience_s = settings.store_patience_s
        self._max_hours = settings.max_hours
        self._interval_s = settings.housekeeping_interval_s
        self._retention = hours.Retention(
            event_age=datetime.timedelta(hours=settings.retention_event_hours),
            idle=datetime.timedelta(hours=settings.retention_idle_hours),
        )

    async def ensure(self, wanted: Collection[int]) -> dict[int, str]:
        """See `sink.Hours`. Hours outside the years 1 to 9999 are refused: no sender means them."""
        possible = {hour for hour in wanted if hour in _POSSIBLE}
        try:
            async with asyncio.timeout(self._patience_s), await self._connect(self._conninfo) as conn:
                states = await hours.ensure_hours(conn, possible, max_hours=self._max_hours)
        except (psycopg.Error, TimeoutError) as error:
            raise errors.unavailable(error) from error
        return {hour: refused for hour in wanted if (refused := _REASONS[states.get(hour)])}

    async def keep(self) -> None:
        """Make hours ahead and drop old ones, once an interval, for ever."""
        while True:
            try:
                await self._look()
            except (psycopg.Error, TimeoutError) as error:
                told = tracebacks.words(errors.unavailable(error))
                _log.warning("hours not looked after, the next time they will be", error=told)
            await asyncio.sleep(self._interval_s)

    async def _look(self) -> None:
        async with asyncio.timeout(self._patience_s), await self._connect(self._conninfo) as conn:
            await hours.make_ahead(conn, max_hours=self._max_hours)
            # Before anything is dropped: if dropping fails, again and again, it is seen here.
            await self._measure()
            dropped = await hours.expire(conn, self._retention)
            metrics.HOURS_DROPPED.inc(len(dropped))

    async def _measure(self) -> None:
        """For the metrics alone: no failure of it ends the worker, nor keeps hours from being dropped.

        On a connection of its own, which a failure may break.
        """
        try:
            async with asyncio.timeout(self._patience_s / 2), await self._connect(self._conninfo) as conn:
                found = await hours.standing(conn, self._retention)
        except (psycopg.Error, TimeoutError) as error:
            told = str(error) or "PostgreSQL did not answer in time"
            _log.warning("hours not measured, the next time they will be", error=told)
        else:
            metrics.observe_hours(found)
