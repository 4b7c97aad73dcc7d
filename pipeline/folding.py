"""Records into sums: the aggregates worker's path per event.

Folded by the items that the values name, not by the keys' bytes: the value has to be decoded anyway, to find broken
records and the price, and decoding the key as well would cost 1.7 us an event.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from pipeline import batches, letters
from schemas import codec, errors, tags
from stores import flush
from stores.copying import Item

_NO_HOURS: Final[Mapping[int, str]] = MappingProxyType({})


class Fold:
    """Sums of records that were not written yet, with the offsets that they move and the records themselves.

    The records are kept until the write is through: a value that PostgreSQL refuses is found among them.
    """

    def __init__(self, starts: Mapping[int, int] | None = None, refused_hours: Mapping[int, str] = _NO_HOURS) -> None:
        """`starts` are the offsets that partitions are at before; one that it does not name is at its first record.

        Records of the hours (whole hours since 1970) in `refused_hours` become dead letters, for the reason told there.
        """
        self.starts: Mapping[int, int] = starts or {}
        self.batches: list[batches.Batch] = []
        self.records = 0
        self.letters: list[letters.Letter] = []
        self.refused_hours = refused_hours
        self._sums: dict[int, dict[Item, list[int]]] = {}
        self._moves: dict[int, flush.Move] = {}

    def add(self, batch: batches.Batch) -> None:
        """Count all of `batch`, which moves its partition to the batch's end."""
        self._count(batch, self._sums.setdefault(batch.partition, {}))
        self.records += len(batch.records)
        self._move_past(batch)

    def refuse(self, batch: batches.Batch, detail: str) -> None:
        """Count nothing of `batch`, keep its records as dead letters, and move its partition all the same."""
        self.letters.extend(
            letters.of_record(batch.partition, record, letters.REFUSED, detail) for record in batch.records
        )
        self._move_past(batch)

    def as_flush(self) -> flush.Flush:
        """All of it as one write."""
        rows = [(item, count, price) for sums in self._sums.values() for item, (count, price) in sums.items()]
        return flush.Flush(rows, _totals(self._sums), list(self._moves.values()), self.letters)

    @property
    def moves(self) -> list[flush.Move]:
        return list(self._moves.values())

    @property
    def ends(self) -> dict[int, int]:
        """`{partition: next offset}` behind the records."""
        return {move.partition: move.end for move in self._moves.values()}

    @property
    def hours(self) -> set[int]:
        """Hours of event time, since 1970, that it has rows of."""
        return {minute // 60 for sums in self._sums.values() for minute, *_ in sums}

    def _move_past(self, batch: batches.Batch) -> None:
        self.batches.append(batch)
        earlier = self._moves.get(batch.partition)
        start = self.starts.get(batch.partition, batch.first_offset) if earlier is None else earlier.start
        self._moves[batch.partition] = flush.Move(batch.partition, start, batch.next_offset)

    def _count(self, batch: batches.Batch, sums: dict[Item, list[int]]) -> None:
        """The loop that every event passes; `python -m bench.pipeline` prints its cost."""
        decode, refused = codec.decode_tag, self.refused_hours
        for record in batch.records:
            try:
                tag = decode(record.value or b"")
            except errors.UndecodableRecord as error:
                self.letters.append(letters.of_record(batch.partition, record, letters.UNDECODABLE, str(error)))
                continue
            minute = tag.time // tags.MILLIS_PER_MINUTE
            if refused and minute // 60 in refused:
                detail = "its hour of event time takes no more"
                self.letters.append(letters.of_record(batch.partition, record, refused[minute // 60], detail))
                continue
            item = (minute, tag.action, tag.origin, tag.brand_id, tag.category_id)
            total = sums.get(item)
            if total is None:
                sums[item] = [1, tag.price]
            else:
                total[0] += 1
                total[1] += tag.price


def fold(
    parts: Iterable[batches.Batch], starts: Mapping[int, int], refused_hours: Mapping[int, str] = _NO_HOURS
) -> Fold:
    """`parts`, in order, as one fold; `starts` are the offsets that their partitions are at before."""
    folded = Fold(starts, refused_hours)
    for batch in parts:
        folded.add(batch)
    return folded


def refused(batch: batches.Batch, starts: Mapping[int, int], detail: str) -> Fold:
    """A fold of `batch` alone in which nothing is counted and every record is a dead letter."""
    folded = Fold(starts)
    folded.refuse(batch, detail)
    return folded


def _totals(sums_of: dict[int, dict[Item, list[int]]]) -> list[flush.MinuteTotal]:
    totals: dict[tuple[int, str, int], list[int]] = {}
    for partition, sums in sums_of.items():
        for (minute, action, *_), (count, price) in sums.items():
            total = totals.setdefault((minute, action, partition), [0, 0])
            total[0] += count
            total[1] += price
    return [flush.MinuteTotal(*key, *total) for key, total in totals.items()]
