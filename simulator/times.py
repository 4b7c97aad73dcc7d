"""Event times as numbers and in the contract's forms. Written here anew: the judge shares no code with the judged."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

SECOND: Final = 1_000
MINUTE: Final = 60_000
DAY: Final = 24 * 60 * MINUTE

# Default starts lie in 1975 .. 2025: never ahead of a server's clock, and away from the tags that people send by hand.
_FIRST_START: Final = 157_766_400_000
_SPAN: Final = 50 * 365 * DAY


@lru_cache(maxsize=4096)
def second_text(second: int) -> str:
    """`2022-03-22T12:15:00` of a number of seconds since 1970."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def millis_text(millis: int) -> str:
    """`2022-03-22T12:15:00.000`: one end of a profile query's range; with a `Z` behind it, a tag's time."""
    return f"{second_text(millis // SECOND)}.{millis % SECOND:03d}"


def minute_text(minute: int) -> str:
    """`2022-03-22T12:15:00` of a number of minutes since 1970: what aggregates' ranges and buckets are written in."""
    return second_text(minute * 60)


def parse(text: str) -> int:
    """Milliseconds of a time in UTC in any ISO form. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def default_start(run_id: int) -> int:
    """The event time of a run's first tag: one minute later for every second that its run id is later.

    A run id is the wall clock's second at which the run was launched. A run at up to 60,000 tags a second advances
    event time at most 60 times as fast as the clock, so a run launched after another has ended starts behind that
    other's last minute: their aggregates never meet. It holds for 304 days, then the starts come round again.
    """
    return _FIRST_START + (run_id * MINUTE) % _SPAN
