"""The aggregates worker: events from the topic into exact sums in PostgreSQL."""

import asyncio
from collections.abc import Mapping

import psycopg

from pipeline import app as faust_app
from pipeline import commits, ending, hours, log, sink, watchdog, worker
from pipeline.settings import AggregatesSettings
from runtime import logging
from stores import flush, offsets

_log = logging.get_logger(__name__)
_LAST_FLUSH_S = 5.0


def run(settings: AggregatesSettings) -> None:
    """Count until told to stop."""
    topic = worker.wait_for_topic(settings)
    seeker = _Seeker()
    app = faust_app.make(settings, settings.aggregates_group, seeker)
    consuming = faust_app.Consuming(app, settings.kafka_topic)
    committer = commits.Committer(consuming)
    kafka = log.KafkaLog(settings.kafka_hosts, topic.name, topic.id)
    whose = offsets.Consumer(settings.aggregates_group, topic.name, topic.id)
    flushes = flush.PostgresFlushes(settings.conninfo("allezone aggregates"), whose, settings.store_patience_s)
    keeper = hours.PostgresHours(settings)
    seeker.sink = counting = sink.Sink(settings, flushes, kafka, keeper, consuming, committer.note)
    faust_app.add_agent(app, topic.name, counting.take)

    stored = _Stored(settings, whose, topic.partitions)
    dog = watchdog.Watchdog(kafka, lambda: counting.expected, stored.read, counting.is_asking, settings.stalled_after_s)
    movement = worker.Movement(lambda: app.transport.fetches, counting.is_asking)
    readiness = worker.Readiness("postgresql", lambda: counting.placed, counting.is_asking)
    tasks = worker.Tasks(app)
    for each in (counting.run, committer.run, keeper.keep, dog.run, movement.run, readiness.run):
        tasks.add(each)
    worker.serve_probes(settings, tasks, readiness.dependencies, movement.trouble)
    worker.run(app, _LastFlush(counting, committer).write)


class _Seeker:
    """`transport.Seeker`: the sink, which is made after the app that it needs."""

    sink: sink.Sink

    async def starts(self, partitions: set[int]) -> dict[int, int]:
        return await self.sink.starts(partitions)

    def seek_failed(self, error: BaseException) -> None:
        ending.end_process(error)


class _Stored:
    """What the whole group has stored: the watchdog of a worker without partitions asks."""

    def __init__(self, settings: AggregatesSettings, whose: offsets.Consumer, partitions: int) -> None:
        self._conninfo = settings.conninfo("allezone watchdog")
        self._whose, self._partitions = whose, range(partitions)

    async def read(self) -> Mapping[int, int]:
        """`{partition: next offset}`; empty while PostgreSQL is away, which is no stall."""
        try:
            async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as conn:
                return await offsets.read(conn, self._whose, self._partitions)
        except psycopg.OperationalError as error:
            _log.info("watchdog could not read the stored offsets", error=str(error))
            return {}


class _LastFlush:
    """What is folded is written before the partitions go, so that the next worker need not read it again."""

    def __init__(self, counting: sink.Sink, committer: commits.Committer) -> None:
        self._counting, self._committer = counting, committer

    async def write(self) -> None:
        """Within a few seconds, or not at all: nothing depends on it."""
        try:
            async with asyncio.timeout(_LAST_FLUSH_S):
                await self._counting.write_folded()
                await self._committer.commit()
        except TimeoutError:
            _log.info("no last flush: PostgreSQL did not answer in time")
