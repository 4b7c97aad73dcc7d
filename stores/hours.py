"""Hours of event time in aggregate_deltas: made ahead and on demand, dropped when old, and never made again then.

An hour is named by its number since 1970-01-01 00:00 UTC (`time_ms // 3_600_000`). Every function here runs
transactions of its own and refuses a connection that is inside one: an hour made inside a flush would hold its locks
until the commit.
"""

import asyncio
import datetime
import enum
from collections.abc import Iterable
from typing import Any, Final

import msgspec
import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus

from runtime import logging
from stores import queries

NEWEST_ALWAYS_MADE = 25

_SQL = queries.load("hours")
_log = logging.get_logger(__name__)


class HourState(enum.StrEnum):
    """What became of an hour that was asked for. Only a made one takes rows; the others are refused for good."""

    MADE = "made"
    TOMBSTONED = "tombstoned"
    BEYOND_BOUND = "beyond_bound"
    AHEAD = "ahead"


REFUSED: Final = {
    HourState.TOMBSTONED: "was dropped by retention: nothing is ever counted into it again",
    HourState.BEYOND_BOUND: "would be one too many (MAX_HOURS)",
    HourState.AHEAD: "lies over 48 h ahead of the database's clock",
}
"""Why an hour takes no rows, to be said behind its name."""


class Retention(msgspec.Struct, frozen=True):
    """When an hour is old enough to go: all three must hold.

    event_age: its last minute lies more than this behind the newest event.
    idle: nothing was written to it for this long, by the database's clock.
    support: the newest event is the latest minute that at least so many events lie in or after, never later than the
        clock. With 1, one event 24 h ahead (the gateway lets no more in) would age a stream that stands still by a day.

    No hour goes before it is 24 h old by both, whatever is asked for here: the database's functions see to that
    (migration 0006).
    """

    event_age: datetime.timedelta = datetime.timedelta(hours=24)
    idle: datetime.timedelta = datetime.timedelta(hours=24)
    support: int = 1_000


async def ensure_hours(
    conn: AsyncConnection[Any], hours: Iterable[int], *, max_hours: int = 1_000
) -> dict[int, HourState]:
    """Makes what is missing of these hours and says of each whether it is there.

    Refused is an hour that would be one more than `max_hours` (10,000 at most) while at least 25 later ones hold events
    (BEYOND_BOUND), and one more than 48 h ahead of the database's clock (AHEAD).
    Hours that are there already cost one query without a lock.
    """
    _outside_transaction(conn)
    wanted = sorted(set(hours))
    async with conn.transaction():
        states = dict(await _rows(conn, "states", {"hours": wanted}))
    if "missing" in states.values():
        arguments = {"hours": wanted, "max_hours": max_hours, "exempt": NEWEST_ALWAYS_MADE}
        async with conn.transaction():
            states = dict(await _rows(conn, "ensure", arguments))
    return {hour: HourState(state) for hour, state in states.items()}


async def make_ahead(conn: AsyncConnection[Any], *, max_hours: int = 1_000) -> dict[int, HourState]:
    """Makes the current and the next hour of the newest event and of the database's clock."""
    _outside_transaction(conn)
    async with conn.transaction():
        current = [hour for (hour,) in await _rows(conn, "clocks", {})]
    return await ensure_hours(conn, [*current, *(hour + 1 for hour in current)], max_hours=max_hours)


class Standing(msgspec.Struct, frozen=True):
    """How the hours stand.

    made_until: the Unix time from which on the first hour, of the present one and later ones, lacks its table.
    overdue_s: for how many seconds retention could have dropped the oldest hour that it may drop; 0: there is none.
    """

    made_until: float
    overdue_s: float


async def standing(conn: AsyncConnection[Any], retention: Retention) -> Standing:
    """Asks; changes and locks nothing."""
    _outside_transaction(conn)
    async with conn.transaction():
        [(made_until, overdue_s)] = await _rows(conn, "standing", msgspec.structs.asdict(retention))
    return Standing(made_until, overdue_s)


async def expire(
    conn: AsyncConnection[Any],
    retention: Retention,
    *,
    lock_timeout_ms: int = 500,
    attempts: int = 5,
    pause_seconds: float = 1.0,
) -> list[int]:
    """Drops the hours that are old enough and returns them.

    Each drop waits for the flushes and reads under way, and whoever comes later waits behind it: at most
    `lock_timeout_ms`, after which it stands back for `pause_seconds` and tries again. An hour that stays busy through
    all attempts is left for the next call. With the lock it takes 3 ms for any size of hour, the files go after it is
    released (100 ms for 1.8 million rows); beside two writers of 100 ms a flush the slowest read took 76 ms.
    """
    _outside_transaction(conn)
    async with conn.transaction():
        expired = [hour for (hour,) in await _rows(conn, "expired", msgspec.structs.asdict(retention))]
    return [hour for hour in expired if await _drop(conn, hour, retention, lock_timeout_ms, attempts, pause_seconds)]


async def _drop(
    conn: AsyncConnection[Any], hour: int, retention: Retention, lock_timeout_ms: int, attempts: int, pause: float
) -> bool:
    for _attempt in range(attempts):
        try:
            async with conn.transaction():
                await conn.execute(_SQL["lock_timeout"], {"milliseconds": lock_timeout_ms})
                [(dropped,)] = await _rows(conn, "drop", {"hour": hour, **msgspec.structs.asdict(retention)})
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            await asyncio.sleep(pause)
        else:
            if dropped:
                _log.info("hour_dropped", hour=hour)
            return bool(dropped)
    _log.warning("hour_stays_busy", hour=hour, attempts=attempts)
    return False


async def _rows(conn: AsyncConnection[Any], query: str, arguments: dict[str, Any]) -> list[tuple[Any, ...]]:
    return await (await conn.execute(_SQL[query], arguments)).fetchall()


def _outside_transaction(conn: AsyncConnection[Any]) -> None:
    if conn.info.transaction_status != TransactionStatus.IDLE:
        message = "hours are made and dropped in transactions of their own: this connection is inside one"
        raise RuntimeError(message)
