"""An aggregates worker without Faust, Kafka and PostgreSQL: the real sink, and below it what is in memory."""

from typing import Any

from pipeline import hours, sink
from pipeline.settings import AggregatesSettings
from stores import flush, offsets
from stores.dead_letters import Letter
from tests.support.fakes.consumer import FakeConsumer
from tests.support.fakes.log import FakeLog, Record
from tests.support.fakes.postgres import FakePostgres
from tests.support.fakes.postgres.tables import Offset

_PATIENCE = 200


def settings(**changed: Any) -> AggregatesSettings:
    """Quick retries; the rest as it is by default."""
    quick = {"retry_first_s": 0.000_1, "retry_last_s": 0.001, "seek_again_s": 0.0}
    return AggregatesSettings(environment="local", **{**quick, **changed})


class Counting:
    """One worker of the group on `log` and `server`, which others may share. `told` is what Kafka would be told."""

    def __init__(self, log: FakeLog, server: FakePostgres, **changed: Any) -> None:
        self.log, self.server = log, server
        self.of = offsets.Consumer("aggregates", "user-tags", log.id)
        self.consumer = FakeConsumer(log)
        self.told: dict[int, int] = {}
        chosen = settings(**changed)
        self.hours = hours.PostgresHours(chosen, server.connect)
        self.sink = sink.Sink(
            chosen,
            flush.PostgresFlushes("worker", self.of, connect=server.connect),
            log,
            self.hours,
            self.consumer,
            self.told.update,
        )

    def key(self, partition: int) -> Offset:
        """Of the partition's row of pipeline_offsets."""
        return Offset(self.of.group, self.of.topic_id, partition)

    def stored(self, partition: int) -> int:
        """The next offset, as it is committed."""
        return self.server.tables.offsets[self.key(partition)]

    @property
    def letters(self) -> dict[tuple[int, int], Letter]:
        """By partition and offset."""
        return {(letter.partition, letter.offset): letter for letter in self.server.tables.letters.values()}

    async def place(self, *partitions: int) -> dict[int, int]:
        """A rebalance that ends with exactly these partitions."""
        starts = await self.sink.starts(set(partitions))
        self.consumer.assign(starts)
        return starts

    async def take(self, partition: int, at_most: int = 1_000) -> bool:
        """Fetch a batch and hand it to the sink; false where there is none."""
        batch = self.consumer.fetch(partition, at_most)
        if batch is not None:
            await self.sink.take(batch)
        return batch is not None

    async def finish(self) -> None:
        """Take and write all that the assigned partitions hold, and see it stored."""
        for partition in self.consumer.positions:
            for _ in range(_PATIENCE):
                if self.stored(partition) >= last_record(self.log, partition):
                    break
                if not await self.take(partition):
                    # What is stored fell behind what was taken: only traffic shows it, as in production.
                    self.log.fill(partition, 1)
                await self.sink.write()
            else:
                message = f"partition {partition} did not get done"
                raise AssertionError(message)


def last_record(log: FakeLog, partition: int) -> int:
    """The offset behind the last record of a partition."""
    return log.records[partition][-1].offset + 1 if log.records[partition] else 0


def origins(server: FakePostgres) -> dict[str, int]:
    """How often each event of `log.value` was counted, by its origin."""
    return {origin: count for (_minute, _action, origin, *_), (count, _price) in server.tables.sums.items()}


def once(log: FakeLog) -> dict[str, int]:
    """What `origins` is when every record was counted exactly once."""
    return {f"{partition}/{record.offset}": 1 for partition, found in log.records.items() for record in found}


def records(*offsets_: int) -> list[Record]:
    """Records at these offsets, without content."""
    return [Record(offset, None, None) for offset in offsets_]
