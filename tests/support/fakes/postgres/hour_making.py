"""The function ensure_hours (stores/migrations/0006_bounds_of_hours.sql)."""

from typing import Final

from tests.support.fakes.postgres import refusals
from tests.support.fakes.postgres.refusals import State
from tests.support.fakes.postgres.sessions import Session
from tests.support.fakes.postgres.tables import Hour

_ADVISORY: Final = "allezone.aggregate_hours"
_LOCK_TIMEOUT_S: Final = 10.0
_POSSIBLE: Final = range(-17_259_888, 70_389_528)
"""Hours of the years 1 to 9999."""
_LAST_MADE: Final = 1_000_000
"""The real one goes by its clock: 48 hours ahead of it. There is none here, and 2084 is as good."""


async def ensure(session: Session, hours: list[int], max_hours: int, exempt: int) -> list[tuple[int, str]]:
    """`(hour, state)` of each, made where it was missing and may be."""
    await session.lock(_ADVISORY, _LOCK_TIMEOUT_S)
    await session.toil()
    return [(hour, _made(session, hour, max_hours, exempt)) for hour in hours]


def _made(session: Session, hour: int, max_hours: int, exempt: int) -> str:
    known = session.hour(hour)
    if known is not None:
        return known
    made = [each for each, state in _all(session).items() if state is Hour.MADE]
    newer = [each for each in made if each > hour and _has_events(session, each)]
    if hour > _LAST_MADE:
        return "ahead"
    if len(made) >= max_hours and len(newer) >= exempt:
        return "beyond_bound"
    if hour not in _POSSIBLE:
        raise refusals.refusal(State.DATETIME_FIELD_OVERFLOW, f"{hour} is not an hour of the years 1 to 9999")
    session.changes.hours[hour] = Hour.MADE
    return Hour.MADE


def _all(session: Session) -> dict[int, Hour]:
    return (session.engine.tables.hours or {}) | session.changes.hours


def _has_events(session: Session, hour: int) -> bool:
    return any(minute // 60 == hour for minute, _, _ in session.engine.tables.totals)
