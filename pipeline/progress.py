"""How far one worker is with each of its partitions, as its metrics tell."""

import time
from collections.abc import Collection, Mapping

from pipeline import metrics, span
from schemas import codec, errors, wire


class Progress:
    """Told of every place and every write of one worker, and of how far the log reaches."""

    def __init__(self) -> None:
        self._stored: dict[int, int] = {}

    def keep(self, partitions: Collection[int]) -> None:
        """Only these are the worker's: of others nothing is exported any more, for somebody else does."""
        for partition in self._stored.keys() - set(partitions):
            del self._stored[partition]
            metrics.forget_partition(partition)

    def place(self, starts: Mapping[int, int]) -> None:
        """These partitions go on at these offsets: what lies below is stored."""
        self._stored |= starts
        for partition, start in starts.items():
            metrics.NEXT_OFFSET.labels(partition).set(start)

    def stored(self, ends: Mapping[int, int]) -> None:
        """All below these offsets is stored now."""
        self._stored |= ends

    def written(self, records: span.Span, seconds: float) -> None:
        """A write is through, after so many seconds; whoever asks for its events is shown them from now on."""
        metrics.observe_write(records.oldest_ms / 1000, records.newest_ms / 1000, time.time(), seconds)
        for partition, last in records.last.items():
            if partition in self._stored:
                _note_event_time(partition, last.value)

    def reach(self, found: Mapping[int, tuple[int, int]]) -> None:
        """The log was asked for `{partition: (earliest, end)}`."""
        for partition, stored in self._stored.items():
            earliest, end = found[partition]
            metrics.LAG.labels(partition).set(max(0, end - max(stored, earliest)))
        metrics.LAG_ASKED.set(time.time())


def _note_event_time(partition: int, value: bytes | None) -> None:
    """Of one record a write, which costs 1 us. One that nobody can decode leaves it as it was.

    So does one further ahead than gateways let in, be it stored or a dead letter: it would hide where all others are.
    """
    try:
        time_ms = codec.decode_tag(value or b"").time
    except errors.UndecodableRecord:
        return
    if time_ms <= time.time() * 1000 + wire.MAX_AHEAD_MS:
        metrics.WATERMARK.labels(partition).set(time_ms / 1000)
