"""The consumer in memory: a position per assigned partition, and seeks that are remembered."""

from collections.abc import Mapping

from pipeline import batches
from tests.support.fakes.log import FakeLog


class FakeConsumer:
    """`intake.Place` over a `FakeLog`."""

    def __init__(self, log: FakeLog) -> None:
        self._log = log
        self.positions: dict[int, int] = {}
        self.seeks: list[dict[int, int]] = []

    def assign(self, starts: Mapping[int, int]) -> None:
        """Exactly these partitions, from these offsets."""
        self.positions = dict(starts)

    async def seek(self, starts: Mapping[int, int]) -> None:
        self.seeks.append(dict(starts))
        self.positions |= {partition: offset for partition, offset in starts.items() if partition in self.positions}

    def fetch(self, partition: int, at_most: int = 1_000) -> batches.Batch | None:
        """The next batch of a partition; the position goes behind it, whatever becomes of the batch."""
        if partition not in self.positions:
            return None
        found = self._log.batch(partition, max(self.positions[partition], self._log.earliest[partition]), at_most)
        if found is not None:
            self.positions[partition] = found.next_offset
        return found
