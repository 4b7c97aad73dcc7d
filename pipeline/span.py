"""What is noted of the records of one write: when they were accepted, and which was each partition's last."""

from pipeline import batches


class Span:
    """Of the oldest and the newest record, the time since 1970 in ms at which the log took them; 0 before the first.

    By the first and the last record of each batch: the broker's clock gave them these times, in their order.
    """

    def __init__(self) -> None:
        self.oldest_ms = self.newest_ms = 0
        self.last: dict[int, batches.Record] = {}

    def add(self, batch: batches.Batch) -> None:
        """A batch is part of the write."""
        first, last = batch.records[0], batch.records[-1]
        self.oldest_ms = min(self.oldest_ms, first.timestamp) if self.last else first.timestamp
        self.newest_ms = max(self.newest_ms, last.timestamp)
        self.last[batch.partition] = last
