"""The aggregates worker: events from the topic into exact sums in PostgreSQL."""

from pipeline import hours, metrics, sink, worker
from pipeline.settings import AggregatesSettings
from stores import flush, offsets


def run(settings: AggregatesSettings) -> None:
    """Count until told to stop."""
    metrics.LISTING.export(metrics.AGGREGATES)
    running = worker.Worker(settings, settings.aggregates_group, "postgresql")
    whose = offsets.Consumer(settings.aggregates_group, running.topic.name, running.topic.id)
    flushes = flush.PostgresFlushes(settings.conninfo("allezone aggregates"), whose, settings.store_patience_s)
    keeper = hours.PostgresHours(settings)
    counting = sink.Sink(settings, flushes, running.kafka, keeper, running.consuming, running.committer.note)
    running.run(counting, counting.keep_comparing, keeper.keep)
