"""Whether an answer is right, whatever the gateway thinks of it.

There is usually one right answer. There are several where a tag's outcome is unknown, where newer tags under way may
already have pushed an old one out of the 200 kept, and where a limit cuts through tags of one millisecond, whose order
is free. Then every answer that some allowed course of events explains is right, and nothing else is.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from simulator import oracle, questions, stream, wire

DEFAULT_LIMIT: Final = 200
# Tags that may arrive for one cookie while a query about it is under way, without a second answer becoming right.
_SLACK: Final = 50

_decode_profile: Final = msgspec.json.Decoder(wire.ProfileAnswer).decode
_decode_aggregate: Final = msgspec.json.Decoder(wire.AggregateAnswer).decode

TagOf = Callable[[int], stream.Tag]


class Expectation(Protocol):
    """What is right for one query, by what the oracle knows when it is asked."""

    @property
    def answer(self) -> wire.Answer | None:
        """The answer where only one is right, else None."""
        ...

    @property
    def judgeable(self) -> bool:
        """Whether enough is remembered to tell right from wrong."""
        ...

    def difference(self, body: bytes) -> str | None:
        """What is wrong with an answer's body; None for a right one."""
        ...


class ProfileExpectation:
    """What is right for one profile query."""

    def __init__(self, question: questions.ProfileQuestion, profiles: oracle.Profiles, tag_of: TagOf) -> None:
        """`tag_of` gives the tag of a serial number."""
        self._question, self._profiles, self._tag_of = question, profiles, tag_of
        lists = self._histories()
        self.judgeable: Final = all(history.complete for history in lists)
        self.answer: Final = self._only_answer(lists)

    def difference(self, body: bytes) -> str | None:
        """See `Expectation`. By what the oracle knows now, for more tags may have come meanwhile."""
        try:
            given = _decode_profile(body)
        except msgspec.DecodeError as error:
            return _malformed(error)
        if given == self.answer:
            return None
        if given.cookie != self._question.cookie:
            return "the cookie is not the one asked for"
        views, buys = self._histories()
        return self._list_difference("views", given.views, views) or self._list_difference("buys", given.buys, buys)

    def _histories(self) -> list[oracle.History]:
        return [self._profiles.history(self._question, action) for action in ("VIEW", "BUY")]

    def _only_answer(self, lists: list[oracle.History]) -> wire.ProfileAnswer | None:
        if not all(self._is_certain(history) for history in lists):
            return None
        views, buys = (self._tags(_newest(each.sure, each.surely_newer, self._question)) for each in lists)
        return wire.ProfileAnswer(self._question.cookie, views, buys)

    def _list_difference(self, name: str, given: list[stream.Tag], history: oracle.History) -> str | None:
        candidates = self._explained(given, history)
        most = _newest(candidates, history.surely_newer, self._question)
        least = _newest(candidates, history.newer, self._question)
        if not len(least) <= len(given) <= len(most):
            return _wrong_length(name, given, self._tags(most), len(least))
        expected = self._tags(most)[: len(given)]
        if given == expected:
            return None
        for place, (one, other) in enumerate(zip(given, expected, strict=True)):
            if one.time != other.time:
                return f"{name}[{place}] is of {one.time}, expected {other.time}"
        in_range = self._tags([entry for entry in candidates if entry[0] >= self._question.since])
        strange = Counter(given) - Counter(in_range)
        return None if not strange else f"{name} has a tag that was never sent: {_shown(next(iter(strange)))}"

    def _explained(self, given: list[stream.Tag], history: oracle.History) -> list[oracle.Entry]:
        """What is surely stored, and of the doubtful tags those that the answer shows to be."""
        unmatched = Counter(given) - Counter(self._tags(history.sure)) if history.doubtful else Counter()
        present = []
        for entry in history.doubtful:
            tag = self._tag_of(entry[1])
            if unmatched[tag] > 0:
                unmatched[tag] -= 1
                present.append(entry)
        return sorted([*history.sure, *present], reverse=True) if present else history.sure

    def _is_certain(self, history: oracle.History) -> bool:
        if history.doubtful or not history.complete:
            return False
        newer = history.newer + (_SLACK if self._question.horizon else 0)
        most = _newest(history.sure, history.surely_newer, self._question)
        least = _newest(history.sure, newer, self._question)
        return len(least) == len(most) and not _is_cut(history.sure, most)

    def _tags(self, entries: list[oracle.Entry]) -> list[stream.Tag]:
        return [self._tag_of(serial) for _, serial in entries]


class AggregateExpectation:
    """What is right for one aggregates query."""

    judgeable: Final = True

    def __init__(self, question: questions.AggregateQuestion, aggregates: oracle.Aggregates) -> None:
        self._question = question
        self._sums = aggregates.sums(question)
        self._sure = wire.aggregate_answer(question, self._sums)
        self.answer: Final = None if any(total.doubtful for total in self._sums) else self._sure

    def difference(self, body: bytes) -> str | None:
        """See `Expectation`."""
        try:
            given = _decode_aggregate(body)
        except msgspec.DecodeError as error:
            return _malformed(error)
        if given == self._sure:
            return None
        if given.columns != self._sure.columns:
            return f"columns are {given.columns}, expected {self._sure.columns}"
        if len(given.rows) != len(self._sure.rows):
            return f"{len(given.rows)} rows, expected {len(self._sure.rows)}"
        rows = zip(given.rows, self._sure.rows, self._sums, strict=True)
        return next((wrong for row in rows if (wrong := self._row_difference(*row))), None)

    def _row_difference(self, given: list[str], sure: list[str], total: oracle.MinuteSum) -> str | None:
        keys = len(sure) - len(self._question.columns)
        allowed = {
            "COUNT": _range(total.count, [1] * len(total.doubtful)),
            "SUM_PRICE": _range(total.sum_price, total.doubtful),
        }
        right = len(given) == len(sure) and given[:keys] == sure[:keys]
        for column, value in zip(self._question.columns, given[keys:], strict=False):
            low, high = allowed[column]
            right = right and value == str(_number(value)) and low <= _number(value) <= high
        if right and self._agree(given[keys:], total):
            return None
        doubt = f" (and {len(total.doubtful)} tags of unknown outcome)" if total.doubtful else ""
        return f"row {given}, expected {sure}{doubt}"

    def _agree(self, figures: list[str], total: oracle.MinuteSum) -> bool:
        """None or all of the doubtful tags counted: then the sum is known to the last digit."""
        found = dict(zip(self._question.columns, map(int, figures), strict=True))
        if len(found) < 2:
            return True
        if found["COUNT"] == total.count:
            return found["SUM_PRICE"] == total.sum_price
        return found["COUNT"] < total.count + len(total.doubtful) or found["SUM_PRICE"] == total.sum_price + sum(
            total.doubtful
        )


def _malformed(error: msgspec.DecodeError) -> str:
    return f"not an answer of the right form: {error}"


def _newest(entries: list[oracle.Entry], newer: int, question: questions.ProfileQuestion) -> list[oracle.Entry]:
    """Of the tags before the range's end, newest first, the answer where `newer` more lie behind it."""
    limit = DEFAULT_LIMIT if question.limit is None else question.limit
    kept = entries[: max(0, oracle.KEPT - newer)]
    return [entry for entry in kept if entry[0] >= question.since][:limit]


def _is_cut(sure: list[oracle.Entry], most: list[oracle.Entry]) -> bool:
    """Whether the answer ends amid tags of one millisecond: which of them it holds is then free."""
    following = sure[len(most) : len(most) + 1]
    return bool(most and following) and following[0][0] == most[-1][0]


def _wrong_length(name: str, given: list[stream.Tag], most: list[stream.Tag], least: int) -> str:
    expected = str(len(most)) if least == len(most) else f"{least} to {len(most)}"
    missing, strange = Counter(most) - Counter(given), Counter(given) - Counter(most)
    told = f"{len(given)} {name}, expected {expected}"
    if strange:
        return f"{told}; one too many is {_shown(next(iter(strange)))}"
    return f"{told}; missing is {_shown(next(iter(missing)))}"


def _range(sure: int, doubtful: list[int]) -> tuple[int, int]:
    return sure + sum(n for n in doubtful if n < 0), sure + sum(n for n in doubtful if n > 0)


def _number(text: str) -> int:
    return int(text) if text.lstrip("-").isdecimal() else -1


def _shown(tag: stream.Tag) -> str:
    """A tag for the report, without the user."""
    product = tag.product_info
    return f"{tag.time} {tag.action} {tag.origin!r} {product.brand_id!r} {product.category_id!r} {product.price}"
