"""What real workers answer to `GET /metrics`: what docs/metrics.md lists, each of the partitions that it has."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

import bench.workers
import runtime.metrics
from devstack import waiting
from devstack.applications import Application
from devstack.kafka import KafkaServer
from pipeline import metrics
from runtime.settings import DatabaseSettings, KafkaSettings
from tests.support import scrapes, topics, workers
from tests.support.fakes.log import MINUTE, value

LISTED = [*runtime.metrics.LISTING.metrics, *metrics.LISTING.metrics]
SECONDS = 60.0
OFTEN = {"stalled_after_s": 5}
"""The lag is asked ten times in that."""


@pytest.fixture
def log(kafka: KafkaServer, topic: str) -> KafkaSettings:
    """A topic of two partitions, with ten events in each."""
    made = topics.make(kafka, topic, partitions=2)
    for partition in range(2):
        workers.send(made, [value(partition, offset) for offset in range(10)], partition)
    return made


@contextmanager
def running(
    kind: str, log: KafkaSettings, database: DatabaseSettings, folder: Path, **settings: object
) -> Iterator[Application]:
    told = {"session_timeout_s": 6, **OFTEN, **settings}
    worker = bench.workers.worker(kind, folder, log, database, ("pipeline", kind), **told)
    try:
        worker.start()
        worker.wait_ready(SECONDS)
        yield worker
    finally:
        worker.kill()


def sample(worker: Application, name: str) -> float | None:
    return bench.workers.metric(worker, f"allezone_pipeline_{name}")


@pytest.mark.parametrize("kind", ["aggregates", "profiles"])
def test_a_worker_exports_what_is_listed_and_sees_itself_through_a_write(
    kind: str, log: KafkaSettings, database: DatabaseSettings, tmp_path: Path
) -> None:
    began = time.time()
    with running(kind, log, database, tmp_path, release="2026.4") as worker:
        # At least one write, with two observations; both partitions are stored, and the broker was asked since.
        assert waiting.until(lambda: sample(worker, 'lag_records{partition="0"}') == 0, SECONDS)
        assert waiting.until(lambda: sample(worker, 'lag_records{partition="1"}') == 0, SECONDS)
        assert sample(worker, "freshness_seconds_count") == 2 * (sample(worker, "flush_seconds_count") or 0)
        assert 0 < (sample(worker, "freshness_seconds_sum") or 0) < SECONDS * (sample(worker, "records_total") or 0)
        assert began <= (sample(worker, "stored_timestamp_seconds") or 0) <= time.time()
        assert sample(worker, 'watermark_timestamp_seconds{partition="1"}') == MINUTE * 60 + 0.009
        text = bench.workers.scrape(worker)
        assert 'version="2026.4"} 1.0' in text
        assert scrapes.complaints(text, LISTED, kind) == []
        scrapes.refuse_unidiomatic(text)


def test_the_lag_is_seen_while_nothing_is_written(
    log: KafkaSettings, database: DatabaseSettings, tmp_path: Path
) -> None:
    with running("aggregates", log, database, tmp_path, flush_interval_s=3_600) as worker:
        assert waiting.until(lambda: sample(worker, "records_total") == 20, SECONDS)
        assert waiting.until(lambda: sample(worker, 'lag_records{partition="0"}') == 10, SECONDS)
        workers.send(log, [value(0, 10)])
        assert waiting.until(lambda: sample(worker, 'lag_records{partition="0"}') == 11, SECONDS)
        assert sample(worker, "stored_timestamp_seconds") == 0


def test_hours_are_there_for_more_than_an_hour_and_none_is_overdue(
    log: KafkaSettings, database: DatabaseSettings, tmp_path: Path
) -> None:
    with running("aggregates", log, database, tmp_path) as worker:
        assert waiting.until(lambda: 3_600 < (sample(worker, "hours_ahead_seconds") or 0) <= 7_200, SECONDS)
        assert sample(worker, "retention_behind_seconds") == 0


def test_where_no_look_succeeds_from_the_start_hours_ahead_are_a_number_that_sinks(
    log: KafkaSettings, database: DatabaseSettings, tmp_path: Path
) -> None:
    with psycopg.connect(database.conninfo()) as conn:
        conn.execute("LOCK aggregate_hours")
        with running("aggregates", log, database, tmp_path) as worker:
            assert waiting.until(lambda: (sample(worker, "hours_ahead_seconds") or 0) < -1, SECONDS)
            assert math.isnan(sample(worker, "retention_behind_seconds") or 0)


def test_each_partition_is_exported_by_the_one_worker_that_has_it(
    log: KafkaSettings, database: DatabaseSettings, tmp_path: Path
) -> None:
    def has(worker: Application) -> set[str]:
        lag = scrapes.families(bench.workers.scrape(worker)).get("allezone_pipeline_lag_records")
        return {each.labels["partition"] for each in lag.samples} if lag else set()

    with running("aggregates", log, database, tmp_path / "first") as first:
        assert waiting.until(lambda: has(first) == {"0", "1"}, SECONDS)
        with running("aggregates", log, database, tmp_path / "second") as second:
            assert waiting.until(lambda: len(has(first)) == len(has(second)) == 1, SECONDS)
            assert has(first) != has(second)
        assert waiting.until(lambda: has(first) == {"0", "1"}, SECONDS)
