"""What the tables hold, and what a transaction that is not committed yet would change in them."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from stores.copying import Item
from stores.dead_letters import Letter
from stores.flush import MinuteTotal


class Offset(NamedTuple):
    """The key of a row of pipeline_offsets."""

    group: str
    topic_id: UUID
    partition: int


class Stored(NamedTuple):
    """The unique key of a row of dead_letters."""

    group: str
    topic_id: UUID
    partition: int
    offset: int


class Hour(StrEnum):
    """A row of aggregate_hours."""

    MADE = "made"
    TOMBSTONED = "tombstoned"


Sum = tuple[int, int]
"""(count, sum of prices)."""


class Changes:
    """Of one transaction, in no need of an order: it locks what others could change meanwhile."""

    def __init__(self) -> None:
        self.offsets: dict[Offset, int] = {}
        self.rows: list[tuple[Item, int, int]] = []
        self.totals: list[MinuteTotal] = []
        self.letters: dict[Stored, Letter] = {}
        self.hours: dict[int, Hour] = {}

    def __bool__(self) -> bool:
        return bool(self.offsets or self.rows or self.totals or self.letters or self.hours)


class Tables:
    """All that is committed. `hours` None: every hour has a table."""

    def __init__(self, hours: Collection[int] | None = None, tombstones: Collection[int] = ()) -> None:
        self.offsets: dict[Offset, int] = {}
        self.sums: dict[Item, Sum] = {}
        self.totals: dict[tuple[int, str, int], Sum] = {}
        self.letters: dict[Stored, Letter] = {}
        self.hours = (
            None if hours is None else dict.fromkeys(hours, Hour.MADE) | dict.fromkeys(tombstones, Hour.TOMBSTONED)
        )

    def apply(self, changes: Changes) -> None:
        """COMMIT."""
        self.offsets |= changes.offsets
        self.letters |= changes.letters
        for item, count, price in changes.rows:
            self.sums[item] = added(self.sums.get(item), count, price)
        for total in changes.totals:
            key = (total.minute, total.action, total.partition)
            self.totals[key] = added(self.totals.get(key), total.count, total.sum_price)
        if self.hours is not None:
            self.hours |= changes.hours

    def apply_all(self, commits: Iterable[Changes]) -> "Tables":
        for changes in commits:
            self.apply(changes)
        return self


def added(before: Sum | None, count: int, price: int) -> Sum:
    return (before[0] + count, before[1] + price) if before else (count, price)
