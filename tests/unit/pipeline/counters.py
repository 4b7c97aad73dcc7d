"""An aggregates worker to look at, on servers in memory; the topic has ten records a partition."""

from tests.support.fakes.counting import Counting
from tests.support.fakes.log import FakeLog
from tests.support.fakes.postgres import FakePostgres


def worker(partitions: int = 1, records: int = 10, server: FakePostgres | None = None, **changed: object) -> Counting:
    log = FakeLog(partitions)
    for partition in range(partitions):
        log.fill(partition, records)
    return Counting(log, server or FakePostgres(), **changed)
