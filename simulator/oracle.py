"""The right answers, from dictionaries, lists and sorting: what docs/contract.md says, in as few words as it takes.

A tag that is under way, or whose outcome is unknown, *may* be stored: it is doubtful until its answer says more.
Memory is bounded: of each cookie and action the newest tags (`REMEMBERED`, more than enough for the 200 kept), and of
the minutes the last `held_minutes` in full, all others as one count and sum per action.
"""

from bisect import insort
from collections import defaultdict
from typing import Final

import msgspec

from simulator import stream, times
from simulator.questions import AggregateQuestion, ProfileQuestion

KEPT: Final = 200
REMEMBERED: Final = 2_000

Entry = tuple[int, int]
"""Time in milliseconds and serial number of a tag."""

Cell = tuple[str, str, str, str, int]
"""Action, origin, brand, category and price of a tag."""


class History(msgspec.Struct, frozen=True):
    """What is known of one cookie and action at a query: tags before the range's end, newest first.

    Each tag at or behind the range's end pushes one of the oldest out of those kept: `surely_newer` of them do, and up
    to `newer` may. `complete` is False where tags that might still be kept have been forgotten here.
    """

    sure: list[Entry]
    doubtful: list[Entry]
    surely_newer: int
    newer: int
    complete: bool


class MinuteSum(msgspec.Struct, frozen=True):
    """Count and sum of the prices of the tags surely stored, and the prices of those that may be."""

    count: int
    sum_price: int
    doubtful: list[int]


class Profiles:
    """Tags by cookie."""

    def __init__(self) -> None:
        self._sure: dict[tuple[str, str], list[Entry]] = {}
        self._doubtful: dict[tuple[str, str], list[Entry]] = {}
        self._forgotten: set[tuple[str, str]] = set()

    def doubt(self, cookie: str, action: str, entry: Entry) -> None:
        """The tag may be stored."""
        self._doubtful.setdefault((cookie, action), []).append(entry)

    def settle(self, cookie: str, action: str, entry: Entry, *, stored: bool) -> None:
        """The doubt about the tag is over."""
        key = (cookie, action)
        doubtful = self._doubtful[key]
        doubtful.remove(entry)
        if not doubtful:
            del self._doubtful[key]
        if stored:
            self._store(key, entry)

    def history(self, question: ProfileQuestion, action: str) -> History:
        """What is known that bears on the answer's list of that action."""
        key = (question.cookie, action)
        sure, doubtful = self._sure.get(key, []), self._doubtful.get(key, [])
        older = sorted((entry for entry in sure if entry[0] < question.until), reverse=True)
        unsure = sorted((entry for entry in doubtful if entry[0] < question.until), reverse=True)
        surely_newer = sum(question.until <= time < question.settled for time, _ in sure)
        newer = len(sure) - len(older) + len(doubtful) - len(unsure)
        complete = key not in self._forgotten or len(older) >= KEPT - surely_newer
        return History(older, unsure, surely_newer, newer, complete)

    def cookies(self) -> list[str]:
        """Every cookie with a tag, each once, in a fixed order."""
        return sorted({cookie for cookie, _ in (*self._sure, *self._doubtful)})

    def entries(self, cookie: str) -> list[Entry]:
        """The tags of a cookie that are surely stored and remembered, oldest first."""
        return sorted(entry for action in ("VIEW", "BUY") for entry in self._sure.get((cookie, action), []))

    def _store(self, key: tuple[str, str], entry: Entry) -> None:
        entries = self._sure.setdefault(key, [])
        insort(entries, entry)
        if len(entries) > 2 * REMEMBERED:
            del entries[:-REMEMBERED]
            self._forgotten.add(key)


class Aggregates:
    """Tags by minute."""

    def __init__(self, held_minutes: int) -> None:
        self._held_minutes = held_minutes
        self._totals: dict[tuple[int, str], tuple[int, int]] = {}
        self._cells: dict[int, dict[tuple[str, str], list[Cell]]] = {}
        self._doubtful: dict[int, tuple[int, Cell]] = {}

    def doubt(self, serial: int, minute: int, cell: Cell) -> None:
        """The tag may be counted."""
        self._doubtful[serial] = (minute, cell)

    def settle(self, serial: int, *, stored: bool) -> None:
        """The doubt about the tag is over."""
        minute, cell = self._doubtful.pop(serial)
        if stored:
            self._store(minute, cell)

    def sums(self, question: AggregateQuestion) -> list[MinuteSum]:
        """One for every minute asked for."""
        doubtful = defaultdict(list)
        for minute, cell in self._doubtful.values():
            if _matches(cell, question):
                doubtful[minute].append(cell[4])
        return [
            MinuteSum(*self._sum(minute, question), doubtful.get(minute, []))
            for minute in range(question.first, question.end)
        ]

    def minutes(self) -> list[int]:
        """The minutes in which something was counted, ascending."""
        return sorted({minute for minute, _ in self._totals} | {minute for minute, _ in self._doubtful.values()})

    def held(self) -> list[int]:
        """Those of which every filter can be asked, ascending."""
        return sorted(self._cells)

    def _sum(self, minute: int, question: AggregateQuestion) -> tuple[int, int]:
        filters = (("origin", question.origin), ("brand", question.brand), ("category", question.category))
        narrowest = next(((name, value) for name, value in filters if value is not None), None)
        if narrowest is None:
            return self._totals.get((minute, question.action), (0, 0))
        cells = self._cells.get(minute, {}).get(narrowest, [])
        prices = [cell[4] for cell in cells if _matches(cell, question)]
        return len(prices), sum(prices)

    def _store(self, minute: int, cell: Cell) -> None:
        action, origin, brand, category, price = cell
        count, total = self._totals.get((minute, action), (0, 0))
        self._totals[minute, action] = (count + 1, total + price)
        if minute not in self._cells:
            self._cells[minute] = defaultdict(list)
            for forgotten in [held for held in self._cells if held <= minute - self._held_minutes]:
                del self._cells[forgotten]
        cells = self._cells[minute]
        cells["origin", origin].append(cell)
        cells["brand", brand].append(cell)
        cells["category", category].append(cell)


class Oracle:
    """What a system that has done everything right knows of the stream so far."""

    def __init__(self, source: stream.Stream, watched: int, held_minutes: int) -> None:
        """Of the first `watched` users the profiles are remembered, of all the aggregates."""
        self.profiles, self.aggregates = Profiles(), Aggregates(held_minutes)
        self._stream, self._watched = source, watched

    def sent(self, serial: int) -> None:
        """The tag is under way: it may be stored from now on."""
        tag, time = self._stream.tag(serial), self._stream.time(serial)
        product = tag.product_info
        cell = (tag.action, tag.origin, product.brand_id, product.category_id, product.price)
        self.aggregates.doubt(serial, time // times.MINUTE, cell)
        if self.knows(serial):
            self.profiles.doubt(tag.cookie, tag.action, (time, serial))

    def stored(self, serial: int) -> None:
        """The tag was acknowledged."""
        self._settle(serial, stored=True)

    def refused(self, serial: int) -> None:
        """The tag was surely not taken."""
        self._settle(serial, stored=False)

    def knows(self, serial: int) -> bool:
        """Whether the profile of the tag's cookie is remembered."""
        return self._stream.is_watched(serial, self._watched)

    def _settle(self, serial: int, *, stored: bool) -> None:
        self.aggregates.settle(serial, stored=stored)
        if self.knows(serial):
            tag = self._stream.tag(serial)
            self.profiles.settle(tag.cookie, tag.action, (self._stream.time(serial), serial), stored=stored)


def _matches(cell: Cell, question: AggregateQuestion) -> bool:
    action, origin, brand, category, _ = cell
    return (
        action == question.action
        and question.origin in (None, origin)
        and question.brand in (None, brand)
        and question.category in (None, category)
    )
