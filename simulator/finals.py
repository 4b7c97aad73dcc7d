"""The questions at the end of a run: about every minute and every cookie, so that the whole stream is judged."""

import itertools
from collections.abc import Iterator
from typing import Final

from simulator import names, oracle, questions, stream, times

_BOTH: Final = ("COUNT", "SUM_PRICE")
_NARROW_PER_HOT_COOKIE: Final = 8
_RECENT_TAGS: Final = 50


class Finals:
    """Questions about a stream whose tags `0 .. tags - 1` have all been answered."""

    def __init__(self, source: stream.Stream, knowledge: oracle.Oracle, tags: int) -> None:
        self._source, self._oracle, self._tags = source, knowledge, tags

    def recent(self) -> Iterator[questions.ProfileQuestion]:
        """The cookies of the last tags."""
        serials = range(max(0, self._tags - _RECENT_TAGS), self._tags)
        for cookie in sorted({self._source.tag(serial).cookie for serial in serials if self._oracle.knows(serial)}):
            yield self._whole(cookie)

    def totals(self) -> Iterator[questions.AggregateQuestion]:
        """Every minute of the stream, without filters; the ranges' ends reach into minutes in which nothing was."""
        first, last = self._minute(0), self._minute(self._tags - 1)
        for number, minute in enumerate(range(first, last + 1, questions.MAX_MINUTES)):
            for action in names.ACTIONS:
                columns = _BOTH if number % 2 else _BOTH[::-1]
                yield questions.AggregateQuestion(minute, minute + questions.MAX_MINUTES, action, columns)

    def profiles(self, count: int) -> Iterator[questions.ProfileQuestion]:
        """Narrow old ranges of the cookies with many tags, then `count` cookies' whole histories, evenly chosen."""
        cookies = self._oracle.profiles.cookies()
        for rank in range(stream.HOT_COOKIES if count else 0):
            yield from self._narrow(rank)
        step = max(1.0, len(cookies) / count) if count else 1.0
        for place in range(min(count, len(cookies))):
            yield self._whole(cookies[int(place * step)])

    def aggregates(self, count: int) -> Iterator[questions.AggregateQuestion]:
        """All totals, every category of the minutes held, then filters of all kinds: `count` in all."""
        return itertools.islice(self._every_kind(), count)

    def _every_kind(self) -> Iterator[questions.AggregateQuestion]:
        yield from self.totals()
        held = self._oracle.aggregates.held()
        if not held:
            return
        for minute in range(held[0], held[-1] + 1, questions.MAX_MINUTES):
            for category in names.CATEGORIES:
                for action in names.ACTIONS:
                    end = min(minute + questions.MAX_MINUTES, held[-1] + 1)
                    yield questions.AggregateQuestion(minute, end, action, _BOTH, category=category)
        number = 0
        while True:
            yield self._filtered(number, held[0], held[-1] + 1)
            number += 1

    def _filtered(self, number: int, low: int, high: int) -> questions.AggregateQuestion:
        kind, where, length, sample, *_ = self._source.draws(b"final", number)
        first = low + where % (high - low)
        begin = max(0, first * times.MINUTE - self._source.start)
        tag = self._source.tag(begin + sample % max(1, min(times.MINUTE, self._tags - begin)))
        origin, brand, category = questions.FILTERS[number % 8]
        return questions.AggregateQuestion(
            first,
            first + 1 + length % questions.MAX_MINUTES,
            tag.action if kind % 4 else names.ACTIONS[kind % 2],
            questions.COLUMNS[kind // 4 % 4],
            tag.origin if origin else None,
            tag.product_info.brand_id if brand else None,
            tag.product_info.category_id if category else None,
        )

    def _narrow(self, rank: int) -> Iterator[questions.ProfileQuestion]:
        """Ranges from one tag of the user to another: the first is taken in, the last left out."""
        cookie = self._source.hot_cookie(rank)
        moments = sorted({time for time, _ in self._oracle.profiles.entries(cookie)})
        for number in range(_NARROW_PER_HOT_COOKIE if len(moments) > 1 else 0):
            where, width, limit, *_ = self._source.draws(b"narrow", rank * _NARROW_PER_HOT_COOKIE + number)
            first = where % (len(moments) - 1)
            last = min(len(moments) - 1, first + 1 + width % 10)
            yield questions.ProfileQuestion(cookie, moments[first], moments[last], 1 + limit % 10)

    def _whole(self, cookie: str) -> questions.ProfileQuestion:
        return questions.ProfileQuestion(cookie, self._source.start, self._source.time(self._tags - 1) + 1)

    def _minute(self, serial: int) -> int:
        return self._source.time(serial) // times.MINUTE
