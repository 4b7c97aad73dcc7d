"""Every metric of the workers. Observed per batch or per write, never per event."""

from collections.abc import Sequence
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from pipeline import batches
from stores import dead_letters, flush

# What came in.
RECORDS: Final = Counter("allezone_pipeline_records_total", "Records counted into a write or handed to a store.")
BATCH_RECORDS: Final = Histogram(
    "allezone_pipeline_batch_records", "Records of one batch.", buckets=(1, 10, 100, 500, 1_000, 2_000, 4_000, 10_000)
)
REPLAYED: Final = Counter("allezone_pipeline_replayed_records_total", "Records below the expected offset, cut off.")
SOUGHT_BACK: Final = Counter("allezone_pipeline_seeks_back_total", "Gaps below a batch that were fetched again.")
JUMPED: Final = Counter("allezone_pipeline_jumped_offsets_total", "Offsets that the log has no records for any more.")
NEXT_OFFSET: Final = Gauge("allezone_pipeline_next_offset", "The next offset to count.", ["partition"])
PLACED: Final = Counter("allezone_pipeline_placements_total", "Times that partitions were taken up.")

# What went out.
FLUSH_SECONDS: Final = Histogram(
    "allezone_pipeline_flush_seconds", "One write until it was stored, retries included.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)  # fmt: skip
FLUSH_ROWS: Final = Histogram(
    "allezone_pipeline_flush_rows", "Rows of one write.", buckets=(1, 10, 100, 1_000, 5_000, 10_000, 20_000, 50_000)
)
DEAD_LETTERS: Final = Counter("allezone_pipeline_dead_letters_total", "Records stepped over.", ["reason"])
RETRIES: Final = Counter("allezone_pipeline_retries_total", "Questions to PostgreSQL or Kafka that were asked again.")
RETRYING: Final = Gauge("allezone_pipeline_retrying", "1 while a store or broker is asked again and again.")
ABANDONED: Final = Counter("allezone_pipeline_abandoned_writes_total", "Writes given up for a new place in the log.")
SETTLED_ELSEWHERE: Final = Counter(
    "allezone_pipeline_settled_elsewhere_total", "Writes after which other offsets were stored than their own."
)
HOURS_DROPPED: Final = Counter("allezone_pipeline_hours_dropped_total", "Event-time hours that retention dropped.")


def observe_batch(batch: batches.Batch) -> None:
    """A batch was folded."""
    RECORDS.inc(len(batch.records))
    BATCH_RECORDS.observe(len(batch.records))
    NEXT_OFFSET.labels(batch.partition).set(batch.next_offset)


def observe_flush(content: flush.Flush) -> None:
    """A write is stored."""
    FLUSH_ROWS.observe(len(content.rows))
    observe_letters(content.letters)


def observe_letters(letters: Sequence[dead_letters.Letter]) -> None:
    """Records were stepped over."""
    for letter in letters:
        DEAD_LETTERS.labels(letter.reason).inc()
