"""Sums of whole hours of event time from the records of the topic, counted as the worker counts."""

from collections.abc import Collection, Sequence
from typing import Final

from pipeline import batches, folding, known_letters
from stores import dead_letter_ledger, flush, hour_rebuild

RECORDS_AT_ONCE: Final = 50_000

_MINUTES_AN_HOUR: Final = 60


class Recount:
    """Takes batches in and gives rows out, a bounded number of records at a time; minute totals stay until the end."""

    def __init__(self, hours: Collection[int]) -> None:
        """Counts what lies in `hours`, whole hours since 1970."""
        self._hours = frozenset(hours)
        self._fold = folding.Fold()
        self._totals: dict[tuple[int, str, int], list[int]] = {}
        self.undecodable = 0

    @property
    def full(self) -> bool:
        """Whether it is time to take rows."""
        return self._fold.records >= RECORDS_AT_ONCE

    def add(self, batch: batches.Batch, known: known_letters.KnownLetters) -> None:
        """Count the records of `batch` that are no known letters."""
        sifted = known.sift(batch)
        if sifted is not None:
            self._fold.add(sifted)

    def add_replayed(self, letters: Sequence[dead_letter_ledger.Settled]) -> None:
        """Count dead letters that were replayed, by the values that were taken."""
        for letter in letters:
            self._fold.add(batches.Batch(letter.partition, [_Replayed(letter)]))

    def take(self) -> list[hour_rebuild.Row]:
        """The rows of all that was added since the last time; one key may have several."""
        counted, self._fold = self._fold.as_flush(), folding.Fold()
        self.undecodable += len(counted.letters)
        for total in counted.totals:
            if total.minute // _MINUTES_AN_HOUR in self._hours:
                sums = self._totals.setdefault((total.minute, total.action, total.partition), [0, 0])
                sums[0] += total.count
                sums[1] += total.sum_price
        return [row for row in counted.rows if row[0][0] // _MINUTES_AN_HOUR in self._hours]

    def totals(self, hour: int) -> list[flush.MinuteTotal]:
        """The minute totals of an hour, over everything that was taken."""
        return [
            flush.MinuteTotal(*key, *sums) for key, sums in self._totals.items() if key[0] // _MINUTES_AN_HOUR == hour
        ]


class _Replayed:
    """A letter in the place of its record."""

    key = None
    headers = ()
    timestamp = 0

    def __init__(self, letter: dead_letter_ledger.Settled) -> None:
        self.offset, self.value = letter.offset, letter.value
