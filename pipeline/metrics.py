"""The metrics of the workers: this list is all of them. Observed per batch or per write, never per event.

`python -m bench.metrics` prints what that costs.
"""

import math
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from pipeline import batches, letters
from runtime.metrics import Label, Listing
from stores import dead_letters, flush, hours

AGGREGATES: Final = "aggregates"
"""The one kind of worker that has some of these: `LISTING.export`."""

_PARTITION: Final = Label("partition", bound="numbers of the topic's partitions; those that the worker has")

LISTING: Final = Listing()

# What came in.
RECORDS: Final = LISTING.counter(
    "allezone_pipeline_records_total", "Records taken up to be written, each once unless the worker is set back."
)
BATCH_RECORDS: Final = LISTING.histogram(
    "allezone_pipeline_batch_records",
    "Records of one batch: what one fetch brought of one partition.",
    buckets=(1, 10, 100, 500, 1_000, 2_000, 4_000, 10_000),
)
REPLAYED: Final = LISTING.counter(
    "allezone_pipeline_replayed_records_total",
    "Records that came again and were skipped, for they lie below the expected offset.",
)
SOUGHT_BACK: Final = LISTING.counter(
    "allezone_pipeline_seeks_back_total", "Times that records were missing below a batch and were fetched again."
)
JUMPED: Final = LISTING.counter(
    "allezone_pipeline_jumped_offsets_total",
    "Offsets stepped over because the log has no records for them any more: lost to retention before they were taken, "
    "or never records at all (markers of transactions, which no gateway writes).",
)
NEXT_OFFSET: Final = LISTING.gauge(
    "allezone_pipeline_next_offset", "The next offset that the worker will take of the partition.", _PARTITION
)
PLACED: Final = LISTING.counter(
    "allezone_pipeline_placements_total",
    "Times that partitions were taken up: once at the start, then at every rebalance of the group.",
)
LAG: Final = LISTING.gauge(
    "allezone_pipeline_lag_records",
    "Records of the partition that this worker has not stored yet. Asked of the broker every STALLED_AFTER_S / 10 "
    "seconds, whether or not anything arrives or the store answers; there once the store has said where the partition "
    "goes on. While Kafka is away it stays as it was.",
    _PARTITION,
)
LAG_ASKED: Final = LISTING.gauge(
    "allezone_pipeline_lag_timestamp_seconds",
    "Unix time at which the broker last answered how far the log reaches; 0: not yet.",
)

# What went out.
FLUSH_SECONDS: Final = LISTING.histogram(
    "allezone_pipeline_flush_seconds",
    "Time of one write until it was stored, retries included; one that was abandoned is not observed.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
FLUSH_ROWS: Final = LISTING.histogram(
    "allezone_pipeline_flush_rows",
    "Rows, or profile entries, of one write.",
    buckets=(1, 10, 100, 1_000, 5_000, 10_000, 20_000, 50_000),
)
FRESHNESS: Final = LISTING.histogram(
    "allezone_pipeline_freshness_seconds",
    "From when the log took an event, which is just before the gateway answers 204, until queries show it. Two "
    "observations a write: its oldest and its newest event. By two clocks, the broker's and the worker's. What is "
    "written again after a crash counts again, with its whole age. Nothing written, nothing observed: "
    "the lag tells then.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 900, 3_600),
)
STORED_AT: Final = LISTING.gauge(
    "allezone_pipeline_stored_timestamp_seconds", "Unix time of the last stored write; 0: none since the start."
)
WATERMARK: Final = LISTING.gauge(
    "allezone_pipeline_watermark_timestamp_seconds",
    "Event time, as Unix time, that the stored part of the partition has come to: that of the last record of its last "
    "write, also of one that became a dead letter. One that cannot be decoded, or lies further ahead than the 24 h "
    "that gateways let in, leaves it as it was.",
    _PARTITION,
)
DEAD_LETTERS: Final = LISTING.counter(
    "allezone_pipeline_dead_letters_total",
    "Records stepped over and kept as dead letters, by why.",
    Label("reason", (letters.UNDECODABLE, letters.HOUR_GONE, letters.HOUR_IMPOSSIBLE, letters.REFUSED)),
    from_zero=True,
)
RETRIES: Final = LISTING.counter(
    "allezone_pipeline_retries_total", "Failures of a question to a store or to Kafka that was then asked again."
)
RETRYING: Final = LISTING.gauge(
    "allezone_pipeline_retrying", "How many questions to a store or to Kafka have failed and are being asked again."
)
ABANDONED: Final = LISTING.counter(
    "allezone_pipeline_abandoned_writes_total",
    "Writes given up because the worker goes on at another place in the log: nothing of them is lost or counted twice.",
)
SETTLED_ELSEWHERE: Final = LISTING.counter(
    "allezone_pipeline_settled_elsewhere_total",
    "Times that PostgreSQL held other offsets than this worker had written, and it went on from those. The sums stay "
    "exact. One or a few are normal when workers come or go, PostgreSQL fails over, loses a connection in a commit, or "
    "is restored. Climbing without any of that: two groups of workers write under one name (AGGREGATES_GROUP), or "
    "PostgreSQL loses what it has committed.",
    only=AGGREGATES,
)
HOURS_DROPPED: Final = LISTING.counter(
    "allezone_pipeline_hours_dropped_total", "Hours of event time that retention dropped.", only=AGGREGATES
)
HOURS_AHEAD: Final = LISTING.gauge(
    "allezone_pipeline_hours_ahead_seconds",
    "For how long from now on every hour has its table in PostgreSQL, 1 to 2 hours when all is well; below 0 the "
    "present hour has none. Sinks while looks fail, from 0 at the process' start until the first that does not.",
    only=AGGREGATES,
)
RETENTION_BEHIND: Final = LISTING.gauge(
    "allezone_pipeline_retention_behind_seconds",
    "For how long retention could have dropped the oldest hour that it may drop, by event time and by idleness, "
    "whichever is less. 0: there is no such hour; NaN: not looked yet. Seen before each round of "
    "HOUSEKEEPING_INTERVAL_S, so a little above 0 now and then; stays as it was while looks fail.",
    only=AGGREGATES,
)

_OF_PARTITIONS: Final = (NEXT_OFFSET, LAG, WATERMARK)


def observe_batch(batch: batches.Batch) -> None:
    """A batch was taken up."""
    RECORDS.inc(len(batch.records))
    BATCH_RECORDS.observe(len(batch.records))
    NEXT_OFFSET.labels(batch.partition).set(batch.next_offset)


def observe_write(oldest: float, newest: float, now: float, seconds: float) -> None:
    """A write is stored at `now`, after `seconds`; its oldest and newest event were accepted then. Unix times."""
    FLUSH_SECONDS.observe(seconds)
    FRESHNESS.observe(max(0.0, now - oldest))  # the broker's clock may be ahead of this one
    FRESHNESS.observe(max(0.0, now - newest))
    STORED_AT.set(now)


def observe_flush(content: flush.Flush) -> None:
    """Rows and dead letters are stored."""
    FLUSH_ROWS.observe(len(content.rows))
    observe_letters(content.letters)


def observe_letters(stepped_over: Sequence[dead_letters.Letter]) -> None:
    """Records were stepped over."""
    for reason, count in Counter(letter.reason for letter in stepped_over).items():
        DEAD_LETTERS.labels(reason).inc(count)


def begin_hours(now: float) -> None:
    """At this Unix time nobody has looked at the hours yet. What lies ahead is a number all the same, for the alert:
    NaN is below nothing.
    """
    HOURS_AHEAD.set_function(lambda: now - time.time())
    RETENTION_BEHIND.set(math.nan)


def observe_hours(found: hours.Standing) -> None:
    """A look at the hours. Reckoned at each scrape, so that it sinks where no look succeeds any more."""
    HOURS_AHEAD.set_function(lambda: found.made_until - time.time())
    RETENTION_BEHIND.set(found.overdue_s)


def forget_partition(partition: int) -> None:
    """It is another worker's now: two that export one partition would be added up."""
    for metric in _OF_PARTITIONS:
        metric.remove(partition)


begin_hours(time.time())
