"""Which queries the stream asks, and where: a pure function of the seed, the run and the rate.

For every 10 tags a profile query, for every 1,000 an aggregates query (docs/contract.md 7). A query asks about tags
that lie far enough back both in event time and, at the set rate, in sending time; whether they have been answered by
then is for the ledger to say when the query is due.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from simulator import names, stream, times

TAGS_PER_PROFILE: Final = 10
TAGS_PER_AGGREGATE: Final = 1_000
PROFILE_AGE: Final = 10
AGGREGATE_AGE: Final = 60
# A tag counts from its answer, which comes this much after its sending at the latest, or the query is not judged.
_ANSWER_SECONDS: Final = 1
MAX_MINUTES: Final = 10

_MOST_LOOKS: Final = 500

# Behind every event time.
EVER: Final = 2**62

# Origin, brand, category: every combination of the three filters, each as likely.
FILTERS: Final = tuple((bool(n & 1), bool(n & 2), bool(n & 4)) for n in range(8))
COLUMNS: Final = (("COUNT",), ("SUM_PRICE",), ("COUNT", "SUM_PRICE"), ("SUM_PRICE", "COUNT"))


class ProfileQuestion(msgspec.Struct, frozen=True, gc=False):
    """A profile query: tags of `cookie` with `since <= time < until` in milliseconds.

    `limit` None leaves it to the default. Every tag before serial number `horizon` (0: every tag) must be visible to
    it. Those are the tags before the time `settled`, which lies at or behind `until`.
    """

    cookie: str
    since: int
    until: int
    limit: int | None = None
    horizon: int = 0
    settled: int = EVER


class AggregateQuestion(msgspec.Struct, frozen=True, gc=False):
    """An aggregates query over the minutes `first <= minute < end`; a filter that is None is not in the query."""

    first: int
    end: int
    action: str
    columns: tuple[str, ...]
    origin: str | None = None
    brand: str | None = None
    category: str | None = None
    horizon: int = 0


class Questions:
    """The queries of a stream sent at `rate` tags a second."""

    def __init__(self, source: stream.Stream, rate: float, watched: int, held_minutes: int) -> None:
        """Profiles are asked of the first `watched` users alone, aggregates of the last `held_minutes` complete
        minutes: what the oracle remembers in full."""
        self._stream = source
        self._profile_lag = _lag(PROFILE_AGE, rate)
        self._aggregate_lag = _lag(AGGREGATE_AGE, rate)
        self._watched, self._held_minutes = watched, held_minutes

    def profile(self, serial: int) -> ProfileQuestion | None:
        """The profile query that follows the tag `serial`, if one does."""
        if serial % TAGS_PER_PROFILE != TAGS_PER_PROFILE - 1:
            return None
        horizon = serial - self._profile_lag
        kind, who, width, limit, *_ = self._stream.draws(b"profile", serial)
        if horizon <= 0 or kind % 20 == 0:
            return self._unknown_user(who)
        settled = self._stream.time(horizon)
        about = self._near(who % horizon, self._stream.is_hot if kind % 20 < 4 else self._is_watched)
        cookie, moment = self._stream.tag(about).cookie, self._stream.time(about)
        # The ends of ranges meet a tag of the user, which the start takes in and the end leaves out; narrow old ones
        # with a small limit hold tags that only a range applied before the limit finds.
        since, until, most = (
            (self._stream.start, settled, None),
            (moment, min(settled, moment + 1 + width % 5_000), 1 + limit % 10),
            (max(self._stream.start, moment - 1 - width % 5_000), moment, 1 + limit % 10),
            (moment, settled, 1 + limit % 200),
        )[kind // 20 % 4]
        return ProfileQuestion(cookie, since, until, most, horizon, settled)

    def aggregate(self, serial: int) -> AggregateQuestion | None:
        """The aggregates query that follows the tag `serial`, if one does."""
        if serial % TAGS_PER_AGGREGATE != TAGS_PER_AGGREGATE - 1:
            return None
        number = serial // TAGS_PER_AGGREGATE
        kind, where, length, sample, *_ = self._stream.draws(b"aggregate", serial)
        action, columns = names.ACTIONS[kind % 2], COLUMNS[kind // 2 % 4]
        horizon = serial - self._aggregate_lag
        start = self._stream.start // times.MINUTE
        complete = self._stream.time(max(horizon, 0)) // times.MINUTE
        earliest = max(start, complete - self._held_minutes)
        if complete <= earliest:
            return self._nowhere(start, 1 + length % MAX_MINUTES, action, columns, number)
        first = earliest + where % (complete - earliest)
        end = min(complete, first + 1 + length % MAX_MINUTES)
        tag = self._stream.tag(self._tag_within(first, end, sample))
        origin, brand, category = FILTERS[number % 8]
        return AggregateQuestion(
            first,
            end,
            action,
            columns,
            tag.origin if origin else None,
            tag.product_info.brand_id if brand else None,
            tag.product_info.category_id if category else None,
            horizon,
        )

    def _unknown_user(self, draw: int) -> ProfileQuestion:
        start = self._stream.start
        return ProfileQuestion(self._stream.absent_cookie(draw % 1_000), start, start + times.MINUTE)

    def _is_watched(self, serial: int) -> bool:
        return self._stream.is_watched(serial, self._watched)

    def _near(self, serial: int, wanted: Callable[[int], bool]) -> int:
        """The nearest serial number, this one or below it, of a tag that is wanted; 0 where some looks find none."""
        looks = range(serial, max(-1, serial - _MOST_LOOKS), -1)
        return next((candidate for candidate in looks if wanted(candidate)), 0)

    def _nowhere(
        self, start: int, length: int, action: str, columns: tuple[str, ...], number: int
    ) -> AggregateQuestion:
        """Nothing of this run is old enough yet: ask for a campaign that never was, over minutes that may hold
        anything. Zeros are an answer too."""
        return AggregateQuestion(start, start + length, action, columns, origin=f"no such {names.HOSTILE[number % 15]}")

    def _tag_within(self, first: int, end: int, draw: int) -> int:
        low = max(0, first * times.MINUTE - self._stream.start)
        high = end * times.MINUTE - self._stream.start
        return low + draw % (high - low)


def _lag(age: int, rate: float) -> int:
    """How many tags back the newest lies that is `age` seconds old in event time and in sending time."""
    return round((age + _ANSWER_SECONDS) * max(times.SECOND, rate))


def held_minutes(wanted: int, rate: float) -> int:
    """How many minutes of event time the oracle must hold for the last `wanted` complete ones to be asked for."""
    return wanted + _lag(AGGREGATE_AGE, rate) // times.MINUTE + 2
